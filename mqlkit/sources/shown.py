"""What a look at a source holds, for ``mqlkit check``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from mqlkit.sources.ledger import Ledger
from mqlkit.sources.questions import Question


@dataclass(frozen=True)
class FileLook:
    """One file: what it is.

    Attributes
    ----------
    name, format, why
        The file, the format's name, and the words of its recognition.
    header_line
        Physical line (row, of a workbook) that the header stands on.
    rows
        Rows read, None where it came to nothing.
    """

    name: str
    format: str
    why: str
    encoding: str
    delimiter: str
    header_line: int
    rows: int | None


@dataclass(frozen=True)
class ColumnLook:
    """One column of ours: how it is read.

    Attributes
    ----------
    ours, header
        Our name, and the header it stands under.
    reading
        In words: ``day.month.year, decided by 41 values``; ``text``; ``number, decimal comma``.
    examples
        Up to three values, as written and as read.
    """

    ours: str
    header: str
    reading: str
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TableLook:
    """One block of ``source.yaml``: what its files hold.

    Attributes
    ----------
    first, last
        The range of its dates, None where there are none.
    mql_days
        The first and last day on which a lead became an MQL, None where there is none.
    unmapped
        Headers nothing is read from.
    stages
        For a history: each stage value as written, with our stage (None: not mapped) and its count.
    ledger
        The account of its rows, None where it came to nothing.
    questions
        What must be decided before a report can run.
    errors
        What is wrong beside that, as messages.
    notes
        Sentences worth knowing, from the format and from reading.
    """

    table: str
    place: str
    files: tuple[FileLook, ...] = ()
    columns: tuple[ColumnLook, ...] = ()
    first: date | None = None
    last: date | None = None
    mql_days: tuple[date, date] | None = None
    unmapped: tuple[str, ...] = ()
    stages: Mapping[str, tuple[str | None, int]] = field(default_factory=dict)
    ledger: Ledger | None = None
    questions: tuple[Question, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
