"""The ledger: every row of every file is used, or set aside for a reason and with its line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mqlkit.core.errors import SourceError
from mqlkit.core.names import SET_ASIDE_REASONS, UNUSABLE_REASONS

# One cell may be as long as DuckDB takes a line to be; Python's default is 128 KiB. On Windows, the
# limit is a number of 32 bits.
csv.field_size_limit((1 << 31) - 1)

TEXT_SHOWN = 500


@dataclass(frozen=True)
class SetAside:
    """One row that the report does not use."""

    file: str
    line: int
    reason: str
    text: str


@dataclass
class Ledger:
    """The account of one table: ``read == used + set aside``.

    Attributes
    ----------
    read
        Physical rows read from all files of the table, headers not counted.
    set_aside
        Rows not used, by reason.
    noted
        Rows that are used, and about which something is worth knowing.
    rows
        The rows set aside, with file and line.
    """

    read: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    rows: list[SetAside] = field(default_factory=list)

    @property
    def used(self) -> int:
        """Return the number of rows used."""
        return self.read - self.set_aside.total()

    @property
    def unusable(self) -> int:
        """Return the number of rows whose content is lost to the report."""
        return sum(self.set_aside[reason] for reason in UNUSABLE_REASONS)

    def to_dict(self) -> dict[str, Any]:
        """Return the ledger as ``metrics.json`` holds it."""
        return {
            "read": self.read,
            "used": self.used,
            "set_aside": dict(sorted(self.set_aside.items())),
            "noted": dict(sorted(self.noted.items())),
        }


def check_share(ledger: Ledger, *, place: str, most: float) -> None:
    """Stop when more rows than agreed cannot be used.

    Raises
    ------
    SourceError
        With the count, up to three of the rows, and what to do.
    """
    if ledger.unusable <= most * ledger.read and ledger.used:
        return
    lost = [r for r in ledger.rows if r.reason in UNUSABLE_REASONS] or ledger.rows
    examples = "\n".join(
        f"  {r.file}:{r.line}: {SET_ASIDE_REASONS[r.reason]} ({r.reason}): {r.text[:100]}"
        for r in lost[:3]
    )
    raise SourceError(
        f"{place}: {len(lost)} of {ledger.read} rows cannot be used, "
        f"{f'more than max_set_aside ({most:.0%}) allows' if ledger.used else 'and none is left'}."
        f"\n{examples}\n"
        f"  Fix:      correct these rows{_advice(lost, place)}"
    )


def _advice(lost: Iterable[SetAside], place: str) -> str:
    """Return what source.yaml can say for rows that cannot be used otherwise."""
    reasons = {row.reason for row in lost}
    dates = (
        "; if the dates are not year-month-day, say so in source.yaml "
        f"({place}.dates: dmy, mdy or a pattern such as %d.%m.%Y)"
    )
    amounts = f"; if numbers have a decimal comma, say so in source.yaml ({place}.decimal: ',')"
    of_dates = dates if "bad_date" in reasons else ""
    return of_dates + (amounts if "bad_amount" in reasons else "")


def open_text(path: Path) -> IO[str]:
    """Open a UTF-8 text file with its line ends as they are."""
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


class Lines:
    """Physical lines of a file without some of them, remembering where a record began."""

    def __init__(self, lines: Iterable[str], skipped: set[int]) -> None:
        self._lines = enumerate(lines, start=1)
        self._skipped = skipped
        self.taken: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        for number, text in self._lines:
            if number not in self._skipped:
                self.taken.append((number, text))
                yield text

    def record(self) -> tuple[int, str]:
        """Return first line and text of the record just read, and forget it."""
        number, text = self.taken[0][0], "".join(t for _, t in self.taken)
        self.taken.clear()
        return number, text.rstrip("\r\n")[:TEXT_SHOWN]


def locate(
    path: Path,
    *,
    name: str,
    delimiter: str,
    n_columns: int,
    more_lines: int,
    reasons: Mapping[int, str],
    rejected: Mapping[int, tuple[str, str]],
    line_of: Callable[[int, int], int],
) -> list[SetAside]:
    """Return the rows of a file that are set aside, with their physical lines.

    Parameters
    ----------
    path, name
        The UTF-8 text, from its header on, and the name it has for the user.
    n_columns
        Columns of the header; an empty line of a single column is a record.
    more_lines
        Number of physical lines beside one for the header and one for each record.
    reasons
        Reasons by record: 1 is the first record after the header, rejected and empty lines not
        counted.
    rejected
        Reason and text of the rows that the engine could not split into cells, by line of the text.
    line_of
        The line of the file for a line of the text and its record.
    """
    found = [
        SetAside(name, line_of(line, 0), reason, text[:TEXT_SHOWN])
        for line, (reason, text) in rejected.items()
    ]
    skipped = {line + k for line, (_, text) in rejected.items() for k in range(_height(text))}
    with open_text(path) as handle:
        if n_columns > 1 and more_lines == len(skipped):
            # Each record is one line.
            numbered = ((n, t) for n, t in enumerate(handle, start=1) if n not in skipped)
            for record, (line, text) in enumerate(numbered):
                if record in reasons:
                    words = text.rstrip("\r\n")[:TEXT_SHOWN]
                    found.append(SetAside(name, line_of(line, record), reasons[record], words))
            return sorted(found, key=lambda row: row.line)
        lines = Lines(handle, skipped)
        record = -1  # the header is record 0
        for cells in csv.reader(lines, delimiter=delimiter):
            line, text = lines.record()
            if not cells and n_columns > 1:
                found.append(SetAside(name, line_of(line, record), "blank", text))
                continue
            record += 1
            if record in reasons:
                found.append(SetAside(name, line_of(line, record), reasons[record], text))
    return sorted(found, key=lambda row: row.line)


def _height(text: str) -> int:
    """Return how many physical lines a row takes."""
    return max(len(text.splitlines()), 1)
