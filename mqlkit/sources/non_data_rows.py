"""Rows that are no data: totals, headings of groups, lines before and after the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from mqlkit.sources.formats import Format

# In any export: a row is a total where it begins like one and has no date.
TOTALS = (
    r"(grand[ -]?|sub[ -]?)?totals?\b.*",
    r"(sum|ttl|avg|average|mean|median|summa|somma|soma)\b\W*",
    r"(gesamt|(gesamt|zwischen)?summe|insgesamt|totaal|totale|totalt|suma|razem|somme)\b.*",
    r"(łącznie|yhteensä|kokku|итого|всего|合計|総計)\b.*",
)
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
        return "total_row"
    if _any(known.not_data, text):
        return "not_data"
    if has_date:
        return None
    if _any(TOTALS, text):
        return "total_row"
    return "not_data" if _any(NOT_DATA, text) else None


def is_total(name: str) -> bool:
    """Return whether a name is that of a total; a channel may be called so nevertheless."""
    return _any(TOTALS, " ".join(name.split()))


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(_compiled(p).fullmatch(text) for p in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def why_not_split(text: str, delimiter: str, known: Format) -> str:
    """Return why a row with too many or too few cells is not used."""
    first = next((c for c in _cells(text, delimiter) if c), "")
    if not first:
        return "blank"
    return why_no_data(first, known, has_date=False) or "bad_row"


def _cells(text: str, delimiter: str) -> Sequence[str]:
    return [cell.strip().strip('"').strip() for cell in text.split(delimiter)]
