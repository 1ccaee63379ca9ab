"""Find commands named in the docs that do not exist."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from mqlkit.run import cli

MAKEFILE = Path(__file__).parents[1] / "Makefile"
# As written in a shell, a crontab, a unit file, a workflow or a Python string.
MQLKIT = re.compile(r"(?<!import )(?<![\w.-])mqlkit ([a-z-]+)([^>|&;\"\n]*)")
MAKE = re.compile(r"^make ([a-z-]+)", re.MULTILINE)
BARE_OPTION = re.compile(r"(--[a-z-]+)( [A-Z]+| \d+)?$")
OPTION = re.compile(r"(?:^|\s)(--?[a-zA-Z][a-z-]*)")
# Options of other programs that the docs name by themselves.
OTHERS = {"--cwd"}


def options() -> dict[str, set[str]]:
    """Return the options of each mqlkit command."""
    actions = cli._parser()._actions
    (commands,) = (a for a in actions if isinstance(a, argparse._SubParsersAction))
    return {name: set(p._option_string_actions) for name, p in commands.choices.items()}


def targets() -> set[str]:
    """Return the targets that `make` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE))


def faults(code: str) -> list[str]:
    """Return a sentence for each unknown command, option or make target in some code."""
    known = options()
    found = [f"make {t}: there is no such target" for t in MAKE.findall(code) if t not in targets()]
    for command, rest in MQLKIT.findall(code):
        if command not in known:
            found.append(f"mqlkit {command}: there is no such command")
            continue
        unknown = [option for option in OPTION.findall(rest) if option not in known[command]]
        found += [f"mqlkit {command} {option}: there is no such option" for option in unknown]
    known_anywhere = OTHERS.union(*known.values())
    if (bare := BARE_OPTION.match(code)) and bare[1] not in known_anywhere:
        found.append(f"{bare[1]}: no mqlkit command has this option")
    return found
