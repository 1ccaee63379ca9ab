"""Rows that are no data: totals, headings of groups, lines before and after the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from mqlkit.sources.formats import Format
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import OWN, Values, all_of, quote
from mqlkit.sources.totals import is_label, is_total

# Columns of raw rows: the first text, and the only one beside numbers and dates.
TOTAL = "total_row"
FIRST, NAME = (quote(f"{OWN}{name}") for name in ("first", "name"))

NOT_DATA = (
    r"confidential information\b.*",
    r"copyright\b.*",
    r"(generated|exported|created|downloaded) (by|on|at)\b.*",
    r"(report (start|end)|date range|filtered by|as of|page \d+ of)\b.*",
)
# What an id must look like for a row without any date to be looked at twice.
UNLIKELY_ID = r"(?i)[ :]|^(sub|grand)?-?totals?$|^(sum|ttl|avg)\W*$|^\p{L}{4,}$"


def why_no_data(first: str, known: Format, *, has_date: bool) -> str | None:
    """Return ``total_row`` or ``not_data`` for a row that begins so; None where it is data.

    Parameters
    ----------
    first
        The first cell of the row that is not empty.
    known
        The format, whose own words count in every row.
    has_date
        Whether the row has the date that a row of its table needs.

    Examples
    --------
    >>> from mqlkit.sources.formats import formats
    >>> plain = formats()["plain"]
    >>> why_no_data("Total: Account", plain, has_date=False)
    'total_row'
    >>> why_no_data("Total Recall", plain, has_date=True)
    """
    text = " ".join(first.split())
    if _any(known.total_row, text):
        return TOTAL
    if _any(known.not_data, text):
        return "not_data"
    if has_date:
        return None
    if is_total(text):
        return TOTAL
    return "not_data" if _any(NOT_DATA, text) else None


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(_compiled(p).fullmatch(text) for p in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def no_data(
    reader: Reader,
    rows: str,
    known: Format,
    *,
    dates: Sequence[str],
    has_date: str,
    values: Values,
) -> list[tuple[str, str]]:
    """Return the conditions under which a row is a total or no data, each with its reason.

    Parameters
    ----------
    reader, rows
        The engine, and the table of the rows in question, with `FIRST` and `NAME`.
    known
        The format of the files.
    dates
        Their cells that hold dates.
    has_date
        Condition that a row has the date that a row of its table needs.
    values
        The values that the statement binds.
    """
    firsts = _grouped(reader, rows, FIRST, has_date, lambda t, d: why_no_data(t, known, has_date=d))
    found = [(holds, f"'{why}'") for holds, why in _conditions(firsts, FIRST, has_date, values)]
    is_bare = all_of([f"NOT {has_date}", *(f"{date} IS NULL" for date in dates)])
    names = _grouped(reader, rows, NAME, is_bare, _total)
    found += [(holds, f"'{why}'") for holds, why in _conditions(names, NAME, is_bare, values)]
    for date in dates:
        labels = _grouped(
            reader, rows, date, has_date, lambda t, d: None if d else _total(t, is_bare=False)
        )
        found += [(h, f"'{why}'") for h, why in _conditions(labels, date, has_date, values)]
    return found


def _total(text: str, is_bare: bool) -> str | None:  # noqa: FBT001  # a condition of the row
    return TOTAL if (is_total(text) if is_bare else is_label(text)) else None


def _grouped(
    reader: Reader,
    rows: str,
    column: str,
    condition: str,
    why: Callable[[str, bool], str | None],
) -> dict[tuple[str, bool], list[str]]:
    """Return the texts of a column by their reason and whether a condition holds."""
    query = f"SELECT DISTINCT {column}, ({condition}) FROM {rows} WHERE {column} IS NOT NULL"  # noqa: S608
    found: dict[tuple[str, bool], list[str]] = {}
    for text, holds in reader.rows(query, Values()):
        if reason := why(text, bool(holds)):
            found.setdefault((reason, bool(holds)), []).append(text)
    return found


def _conditions(
    grouped: Mapping[tuple[str, bool], list[str]], column: str, condition: str, values: Values
) -> Iterator[tuple[str, str]]:
    """Yield the condition that a row has one of some texts, with their reason."""
    for (reason, holds), texts in grouped.items():
        is_among = f"list_contains({values.bind(texts)}, {column})"
        yield f"{is_among} AND ({condition}) = {str(holds).lower()}", reason


def why_not_split(text: str, delimiter: str, known: Format, *, above: Iterable[str] = ()) -> str:
    """Return why a row with too many or too few cells is not used.

    Parameters
    ----------
    text, delimiter, known
        The row, what it is split at, and the format of its file.
    above
        The lines above the header; the same lines stand between files joined by hand.
    """
    cells = [cell.strip().strip('"').strip() for cell in text.split(delimiter)]
    first = next((c for c in cells if c), "")
    if not first:
        return "blank"
    if text.strip() in above:
        return "not_data"
    names = {cell for cell in cells if any(map(str.isalpha, cell))}
    if len(names) == 1 and is_label(names.pop()):
        return TOTAL
    return why_no_data(first, known, has_date=False) or "bad_row"
