"""Errors that users see, and how their messages are laid out."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

SHOWN = 3
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Of Windows: access denied, sharing violation.
OPEN_ELSEWHERE = {5, 32}


class MqlkitError(Exception):
    """Base of every error that mqlkit raises on purpose.

    ``exit_code`` is what the command line returns for it.
    """

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        # What a notebook shows: the message says what to do, and no traceback adds to it.
        return [f"{type(self).__name__}: {self}"]


class ParamsError(MqlkitError):
    """Raised when the parameters of a report are wrong; nothing was run."""

    exit_code = 2


class SourceError(MqlkitError):
    """Raised when the exports or their description cannot be used; nothing was run."""

    exit_code = 2


class RunError(MqlkitError):
    """Raised when a notebook fails while it runs."""


class Interrupted(KeyboardInterrupt):
    """Raised where a run is to stop: Ctrl-C, or a signal such as cron and systemd send.

    Parameters
    ----------
    number
        The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like ``name``, or None."""
    by_folded = {_folded(k): k for k in known}
    close = get_close_matches(_folded(name), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _folded(name: str) -> str:
    # Exports write `MQL Date` for what is called `mql_at` here.
    return re.sub(r"[^a-z0-9]+", "_", name.casefold().replace("date", "at")).strip("_")


def listed(names: Sequence[object], shown: int = SHOWN) -> str:
    """Return ``'a', 'b', 'c' and 2 more``."""
    head = ", ".join(repr(str(n)) for n in names[:shown])
    rest = len(names) - shown
    return f"{head} and {rest} more" if rest > 0 else head


def report(headline: str, *, expected: str = "", found: str = "", fix: str = "") -> str:
    """Return a message of a headline and up to three indented lines under it.

    Parameters
    ----------
    headline
        What is wrong, with its place and a count.
    expected, found, fix
        What would have been right, what was there, what to do; empty ones are left out.
    """
    parts = [("Expected", expected), ("Found", found), ("Fix", fix)]
    return "\n".join([headline, *(f"  {name + ':':<10}{text}" for name, text in parts if text)])


def unknown_name(where: str, kind: str, name: str, known: Sequence[str]) -> str:
    """Return the words for a name nobody knows, with the nearest one that exists."""
    close = nearest(name, known)
    fix = f"did you mean {close!r}?" if close else f"one of {', '.join(known)}"
    return report(f"{where}: {kind} {name!r} is unknown.", fix=fix)


def missing_columns(
    where: str,
    *,
    missing: Mapping[str, str],
    needed: int,
    found: Sequence[str],
    table: str,
) -> str:
    """Return the words for columns (ours: theirs) that a table needs and its file lacks."""

    def hint(ours: str, theirs: str) -> str:
        words = ours if ours == theirs else f"{theirs} (for {ours})"
        close = nearest(theirs, found)
        return f"{words} (nearest here: {close!r})" if close else words

    words = f"{len(missing)} of the {needed} columns needed {'is' if len(missing) == 1 else 'are'}"
    if needed == 1:
        words = "the column needed is"
    return "\n".join(
        [
            f"{where}: {words} missing.",
            f"  Missing:  {', '.join(hint(*names) for names in missing.items())}",
            f"  Found:    {listed(found, 4)}",
            f"  Fix:      map them under {table}.columns in source.yaml",
        ]
    )


def disk_words(place: Path, error: OSError) -> str:
    """Return the words for a disk or a folder that does not take what is written."""
    if error.errno in FULL:
        return report(
            f"{place}: the disk is full ({error.strerror}); no report was written.",
            fix="free some space, or name another folder with --out",
        )
    fix = "mend its permissions, or name another folder with --out"
    if getattr(error, "winerror", None) in OPEN_ELSEWHERE:
        # Windows replaces no file that a spreadsheet has open.
        fix = f"close the program that has {error.filename2 or 'its files'} open, {fix}"
    return report(f"{place}: cannot be written to ({error.strerror or error}).", fix=fix)
