"""Shares of missing values by file and month, and the columns where they jump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mqlkit.core.names import STAMPS
from mqlkit.sources.missing_columns import columns_of, has_column
from mqlkit.sources.reader import Reader
from mqlkit.sources.rows import column_of, scan
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FILE, Values, quote
from mqlkit.sources.table import Read

# Of fewer rows, a share tells nothing.
FEWEST = 10
# A jump of the share in a column that every lead has from the start.
JUMP = 0.3
# What comes later is missing more often in the latest rows: only where it was common and is gone.
LATER = {*STAMPS[2:], "rejection_reason", "amount"}
COMMON = 0.8
YOUNG_MONTHS = 2
# The date by which rows are in a month.
DATES = {"leads": "coalesce(mql_at, created_at)", "history": '"at"', "spend": "date_from"}
TYPED = {"stage": "stage_text", "date": "date_from"}


@dataclass(frozen=True)
class Share:
    """Rows of one file or month, and the share of them without a value of a column.

    ``share`` is None where the file lacks the column.
    """

    name: str
    rows: int
    share: float | None

    @property
    def words(self) -> str:
        """Return the share in words."""
        return f"{self.text} in {self.name}"

    @property
    def text(self) -> str:
        """Return the share as a percentage."""
        return "no column" if self.share is None else percent(self.share)


def percent(share: float) -> str:
    """Format a share in whole percent, of which some are neither none nor all.

    >>> [percent(share) for share in (0, 0.001, 0.5, 0.999, 1)]
    ['0%', '<1%', '50%', '>99%', '100%']
    """
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


@dataclass(frozen=True)
class MissingValues:
    """What a column lacks.

    Attributes
    ----------
    column, share
        Our name, and the share of all rows without a value.
    by_file
        The same by file, in the order of the files.
    jumps
        Neighboring files or months whose shares differ much.
    """

    column: str
    share: float
    by_file: tuple[Share, ...]
    jumps: tuple[tuple[Share, Share], ...] = ()


def missing_values(reader: Reader, spec: TableSpec, read: Read) -> list[MissingValues]:
    """Return the share of missing values of each column that is read.

    Parameters
    ----------
    reader, spec, read
        The engine, and a table of leads, history or spend as read.
    """
    columns = [c for c in columns_of(spec, read.exports) if _has_typed(reader, read, c)]
    if spec.table not in DATES or not columns:
        return []
    by_file = _by_file(reader, read, columns)
    by_month = _by_month(reader, read, columns, DATES[spec.table])
    found = []
    for column in columns:
        files, months = by_file[column], by_month[column]
        rows = sum(share.rows for share in files) or 1
        lacking = sum(share.rows * (1 if share.share is None else share.share) for share in files)
        jumps = [*_jumps(files, column), *_jumps(_settled(months, column), column)]
        found.append(MissingValues(column, lacking / rows, tuple(files), tuple(jumps)))
    return found


def _has_typed(reader: Reader, read: Read, column: str) -> bool:
    return TYPED.get(column, column) in reader.backend.table(read.table).columns


def _counts(columns: Sequence[str]) -> str:
    return ", ".join(f"count({quote(TYPED.get(c, c))})" for c in columns)


def _by_file(reader: Reader, read: Read, columns: Sequence[str]) -> dict[str, list[Share]]:
    rows: dict[int, tuple[int, ...]] = {}
    if read.is_numbered:
        query = f"SELECT {FILE}, count(*), {_counts(columns)} FROM {read.table} GROUP BY ALL"  # noqa: S608
        rows = {file: tuple(counts) for file, *counts in reader.rows(query, Values())}
    else:
        rows = _counted_again(reader, read, columns)
    shares: dict[str, list[Share]] = {column: [] for column in columns}
    for number, export in enumerate(read.exports):
        n, *counts = rows.get(number, (0, *(0 for _ in columns)))
        for column, filled in zip(columns, counts, strict=True):
            share = (1 - filled / n if n else 0.0) if has_column(export, column) else None
            shares[column].append(Share(export.name, n, share))
    return shares


def _counted_again(
    reader: Reader, read: Read, columns: Sequence[str]
) -> dict[int, tuple[int, ...]]:
    """Return the rows and values of each file of a large table, whose rows name no file."""
    values, export = Values(), read.exports[0]
    headers = [export.header_of(column) for column in columns]
    filled = ", ".join("0" if h is None else f"count({column_of(export, h)})" for h in headers)
    rows = scan(read.exports, reader.name("rejects"), values, is_clean=False)
    found = reader.rows(f"SELECT file, count(*), {filled} FROM {rows} GROUP BY file", values)  # noqa: S608
    numbers = {str(e.text_path): number for number, e in enumerate(read.exports)}
    return {numbers[path]: tuple(counts) for path, *counts in found}


def _by_month(
    reader: Reader, read: Read, columns: Sequence[str], date: str
) -> dict[str, list[Share]]:
    query = f"""
        SELECT strftime({date}, '%Y-%m') AS month, count(*), {_counts(columns)}
        FROM {read.table} WHERE {date} IS NOT NULL GROUP BY month ORDER BY month
    """  # noqa: S608
    shares: dict[str, list[Share]] = {column: [] for column in columns}
    for month, n, *counts in reader.rows(query, Values()):
        for column, filled in zip(columns, counts, strict=True):
            shares[column].append(Share(month, n, 1 - filled / n))
    return shares


def _settled(months: Sequence[Share], column: str) -> Sequence[Share]:
    """Return the months in which what comes later can have come."""
    return months[:-YOUNG_MONTHS] if column in LATER else months


def _jumps(shares: Sequence[Share], column: str) -> Iterator[tuple[Share, Share]]:
    """Yield neighbors, those with few rows left out, of which one lacks far more than the other."""
    for pair in pairwise(share for share in shares if share.rows >= FEWEST):
        low, high = sorted(1.0 if s.share is None else s.share for s in pair)
        is_gone = high == 1 and low <= COMMON
        if is_gone or (column not in LATER and high - low >= JUMP):
            yield pair
