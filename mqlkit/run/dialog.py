"""The questions of `mqlkit new` in a terminal: one at a time, Enter takes the likeliest answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mqlkit.core.errors import SourceError
from mqlkit.core.terminal import cut, cut_inside, width, wrapped
from mqlkit.run.check import faults_of_files
from mqlkit.run.draft import Draft, Memento, draft_of
from mqlkit.run.open_points import open_prompts
from mqlkit.run.prompts import Prompt
from mqlkit.sources.classify import classify_exports
from mqlkit.sources.inspect import TableReport

LATER = "later"
FEWEST_TO_ASK = 2
INTRODUCTION = (
    "Enter takes the answer marked with *. `later` leaves a line to fill in. Ctrl-C stops; nothing "
    "is written before the last question."
)
# With any answer to these, a file can be read if it can be read at all.
NO_CAUSE = re.compile(r"timezone|currency|stages\.")
INDENT = "  "


class Console(Protocol):
    """A terminal, or what stands for one."""

    @property
    def columns(self) -> int:
        """Return its width."""

    def say(self, line: str) -> None:
        """Print a line."""

    def ask(self, text: str) -> str:
        """Return the line that is typed.

        Raises
        ------
        EOFError
            If there is none.
        """


@dataclass(frozen=True)
class Answered:
    """How a dialog ended.

    Attributes
    ----------
    draft
        The source with all answers, and what its files hold.
    n_answers
        How many questions were asked.
    """

    draft: Draft
    n_answers: int


def ask_all(paths: Sequence[Path], console: Console, *, zone: str) -> Answered:
    """Ask what the exports leave open, until nothing is.

    Parameters
    ----------
    paths, console
        The exports, and where to ask.
    zone
        The zone of this computer.

    Raises
    ------
    SourceError
        If a file cannot be read at all.
    EOFError
        If the input ends.
    """
    # Which of several exports holds the leads is a question; of one, it goes without saying.
    known = classify_exports(paths, root=Path.cwd(), assumes_leads=False)
    if known[0].leads is None and not known[0].history and len(known[1]) < FEWEST_TO_ASK:
        known = classify_exports(paths, root=Path.cwd())
    draft, n_answers = draft_of(*known), 0
    first_faults = draft.read()
    if faults := faults_of_files(draft.looks):
        raise SourceError("\n".join(faults))
    while prompts := open_prompts(draft, zone=zone):
        if not n_answers:
            _say(console, INTRODUCTION)
        before, level = draft.memento(), prompts[0].level
        while prompts and prompts[0].level == level:
            n_answers += 1
            _ask(prompts[0], draft, console, n_answers)
            prompts = open_prompts(draft, zone=zone)
        _read_again(draft, before, first_faults, console)
    return Answered(draft, n_answers)


def _read_again(
    draft: Draft, before: Memento, known: Mapping[str, Sequence[str]], console: Console
) -> None:
    """Read the files with the new answers; take back those with which they cannot be read."""
    if draft.memento() != before:
        found = draft.read()
        causes = {place for place, key in draft.just_done if not NO_CAUSE.match(key)}
        new = {p: [f for f in fs if f not in known.get(p, ())] for p, fs in found.items()}
        faults = {place: found[place] for place, fs in new.items() if fs and place in causes}
        if faults:
            for fault in (fault for place in faults for fault in faults[place]):
                _say(console, fault, INDENT)
            _say(console, "The last answers do not fit the files; they are asked again.", INDENT)
            draft.undo(before, faults)
            draft.read()
    draft.keep()


def _ask(prompt: Prompt, draft: Draft, console: Console, number: int) -> None:
    """Ask until an answer is valid, and add it to the draft."""
    for line in question_lines(prompt, number, console.columns):
        console.say(line)
    while True:
        text = console.ask(f"{INDENT}Answer [1]: ").strip()
        if text.casefold() == LATER:
            draft.settle(prompt.place, prompt.key, is_left_open=True)
            return
        try:
            draft.add(prompt.place, _given(prompt, text))
        except SourceError as error:
            _say(console, str(error), INDENT)
            continue
        draft.settle(prompt.place, prompt.key)
        return


def _given(prompt: Prompt, text: str) -> Mapping[str, Any]:
    """Return what an answer adds: a number, one of the texts shown, or other text."""
    by_name = {choice.text.casefold(): choice for choice in prompt.choices}
    chosen = prompt.choices[0] if not text else by_name.get(text.casefold())
    if chosen is None and text.isdecimal() and 1 <= int(text) <= len(prompt.choices):
        chosen = prompt.choices[int(text) - 1]
    if chosen is not None:
        return chosen.given
    if prompt.typed is None or text.isdecimal():
        more = f", or {prompt.hint}" if prompt.hint else ""
        raise SourceError(
            f"{text!r} is none of the answers: type a number from 1 to {len(prompt.choices)}{more}."
        )
    return prompt.typed(text)


def question_lines(prompt: Prompt, number: int, columns: int) -> list[str]:
    """Return a question with its evidence and answers, as lines for a terminal.

    Parameters
    ----------
    prompt, number
        The question, and how many were asked before it, plus one.
    columns
        Width of the terminal.
    """
    lines = ["", *wrapped(prompt.text, columns, first=f"{number}. ", rest=INDENT)]
    lines += wrapped(f"It decides {prompt.decides}.", columns, first=INDENT, rest=INDENT)
    if prompt.evidence:
        shown = ", ".join(cut(value, 40) for value in prompt.evidence)
        lines += wrapped(f"In the file: {shown}", columns, first=INDENT, rest=INDENT * 2)
    names = [cut_inside(choice.text, 40) for choice in prompt.choices]
    most = max(map(width, names))
    for n, (name, choice) in enumerate(zip(names, prompt.choices, strict=True), start=1):
        first = f"{INDENT}{'*' if n == 1 else ' '}{n:>2}  {name}{' ' * (most - width(name))}  "
        lines += wrapped(choice.note, columns, first=first, rest=INDENT * 4)
    if prompt.hint:
        lines.append(f"{INDENT}     or {prompt.hint}")
    return lines


def summary(looks: Sequence[TableReport], columns: int) -> list[str]:
    """Return what is read of each table, as lines for a terminal."""
    lines = [""]
    for look in looks:
        if look.ledger is None:
            continue
        n_excluded = look.ledger.set_aside.total()
        words = f"{look.place}: {look.ledger.used:,} rows used, {n_excluded:,} excluded"
        if look.first and look.last:
            words += f"; {look.first} to {look.last}"
        if look.is_zone_assumed:
            words += f"; times without an offset are taken for {look.zone}"
        lines += wrapped(words, columns, rest=INDENT)
    return lines


def confirm(text: str, console: Console) -> bool:
    """Return whether a question is answered with yes, which Enter means too."""
    while (answer := console.ask(text).strip().casefold()) not in ("", "y", "yes", "n", "no"):
        console.say(f"{INDENT}{answer!r} is neither y nor n.")
    return answer in ("", "y", "yes")


def _say(console: Console, text: str, indent: str = "") -> None:
    for line in wrapped(text, console.columns, first=indent, rest=indent):
        console.say(line)
