"""Exceptions that users see, and the layout of their messages."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

SHOWN = 3
# Characters of a value in a message.
LONGEST_SHOWN = 120
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Windows error codes: access denied, sharing violation.
OPEN_ELSEWHERE = {5, 32}


class MqlkitError(Exception):
    """Base class of the errors that mqlkit raises.

    ``exit_code`` is the exit code of the command line.
    """

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        # A notebook shows only the message: it says what to do, and a traceback adds nothing.
        return [f"{type(self).__name__}: {self}"]


class ParamsError(MqlkitError):
    """Raised when the parameters of a report are invalid. Nothing was run."""

    exit_code = 2


class SourceError(MqlkitError):
    """Raised when the exports or source.yaml cannot be used. Nothing was run."""

    exit_code = 2


class OpenQuestion(SourceError):  # noqa: N818  # it is a question
    """Raised when the data can be read in more than one way. No report was written."""


class RunError(MqlkitError):
    """Raised when a notebook fails while it runs."""


class ResourceError(MqlkitError):
    """Raised when memory or disk space is not sufficient."""


class Interrupted(KeyboardInterrupt):
    """Raised when a run must stop: on Ctrl-C, or on a signal such as cron and systemd send.

    Parameters
    ----------
    number
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``name``, or None."""
    by_folded = {_folded(k): k for k in known}
    close = get_close_matches(_folded(name[:LONGEST_SHOWN]), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _folded(name: str) -> str:
    # `MQL Date` in an export corresponds to `mql_at`.
    return re.sub(r"[^a-z0-9]+", "_", name.casefold().replace("date", "at")).strip("_")


def shortened(value: object, most: int = LONGEST_SHOWN) -> str:
    """Return how Python writes a value, with an ellipsis in the middle of a long one.

    >>> shortened("x" * 500, 12)
    "'xxxxx…xxxx'"
    """
    # A long text is cut first: writing it out may take long.
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[1 - half :]}"


def listed(names: Sequence[object], shown: int = SHOWN) -> str:
    """Return ``'a', 'b', 'c' and 2 more``."""
    head = ", ".join(shortened(str(n)) for n in names[:shown])
    rest = len(names) - shown
    return f"{head} and {rest} more" if rest > 0 else head


def report(headline: str, *, expected: str = "", found: str = "", fix: str = "") -> str:
    """Format an error message: a headline and up to three indented lines.

    Parameters
    ----------
    headline
        What is wrong, with its place and a count.
    expected, found, fix
        What is valid, what was found, and what to do. Empty ones are omitted.
    """
    parts = [("Expected", expected), ("Found", found), ("Fix", fix)]
    return "\n".join([headline, *(f"  {name + ':':<10}{text}" for name, text in parts if text)])


def unknown_name(where: str, kind: str, name: str, known: Sequence[str]) -> str:
    """Format the message for an unknown name, with the closest known name."""
    close = nearest(name, known)
    fix = f"did you mean {close!r}?" if close else f"one of {', '.join(known)}"
    return report(f"{where}: {kind} {shortened(name)} is unknown.", fix=fix)


def missing_columns(
    where: str,
    *,
    missing: Mapping[str, str],
    needed: int,
    found: Sequence[str],
    table: str,
) -> str:
    """Format the message for required columns (canonical name: source header) that a file lacks."""

    def hint(name: str, header: str) -> str:
        words = name if name == header else f"{header} (for {name})"
        close = nearest(header, found)
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
    """Format the message for a folder that cannot be written to, or a full disk."""
    if error.errno in FULL:
        return report(
            f"{place}: the disk is full ({error.strerror}); no report was written.",
            fix="free some space, or name another folder with --out",
        )
    fix = "change its permissions, or name another folder with --out"
    if getattr(error, "winerror", None) in OPEN_ELSEWHERE:
        # Windows does not replace a file that is open in a spreadsheet.
        fix = f"close the program that has {error.filename2 or 'its files'} open, {fix}"
    return report(f"{place}: cannot be written to ({error.strerror or error}).", fix=fix)
