"""What the title lines of an export state: the period of amounts without a date, their currency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from mqlkit.sources.wide import month_number

WORD = r"(?P<word>[^\W\d_]{3,})\.?"
YEAR, DAY = r"(?P<year>\d{4})", r"(?P<day>\d\d?)"
# Ways of writing a date in a title, each with the order of day and month where both are numbers.
STYLES = (
    re.compile(rf"{WORD} {DAY},? {YEAR}"),
    re.compile(rf"{DAY}\.?(?: de)? {WORD}(?: de)?,? {YEAR}"),
    re.compile(rf"{YEAR}[-/.](?P<month>\d\d?)[-/.]{DAY}"),
    re.compile(rf"{DAY}\.(?P<month>\d\d?)\.{YEAR}"),
    re.compile(rf"{YEAR}年(?P<month>\d\d?)月{DAY}日"),
)
SLASHED = re.compile(r"(?<!\d)(\d\d?)/(\d\d?)/(\d{4})(?!\d)")
# The first and the last day of a report, each on a line of its own.
START = re.compile(r"\W*(report )?(start|from|startdatum)( date| des berichts)?:.*", re.IGNORECASE)
END = re.compile(r"\W*(report )?(end|to|enddatum)( date| des berichts)?:.*", re.IGNORECASE)
CURRENCY = re.compile(
    r"\W*(?:currency|währung|devise|moneda|divisa|valuta|moeda|通貨)(?: code)?\s*[:,;\t]\W*"
    r"(?P<currency>[a-z]{3})\W*",
    re.IGNORECASE,
)
Period = tuple[date, date]


def title_period(lines: Iterable[str]) -> Period | None:
    """Return the first and last day that a line states; None without one, or with several.

    >>> title_period(["Campaign report", '"January 1, 2026 - February 28, 2026"'])
    (datetime.date(2026, 1, 1), datetime.date(2026, 2, 28))
    >>> title_period(['"Start Date: 02 Feb 2026"', '"End Date: 08 Feb 2026"'])
    (datetime.date(2026, 2, 2), datetime.date(2026, 2, 8))
    >>> title_period(["1/2/2026 - 3/4/2026"])  # January or February?
    """
    plain = [" ".join(line.split()) for line in lines]
    found = {period for line in plain if (period := _period_of(line))}
    starts, ends = ([line for line in plain if p.fullmatch(line)] for p in (START, END))
    if not found and len(starts) == len(ends) == 1:
        return _period_of(f"{starts[0]} - {ends[0]}")
    return found.pop() if len(found) == 1 else None


def title_currency(lines: Iterable[str]) -> str | None:
    """Return the code of the currency that a line states; None without one, or with several.

    >>> title_currency(["Start Date: 02 Feb 2026", "Currency: AUD"])
    'AUD'
    """
    found = {m["currency"].upper() for line in lines if (m := CURRENCY.fullmatch(line))}
    return found.pop() if len(found) == 1 else None


def _period_of(line: str) -> Period | None:
    readings = [_read(style, line) for style in STYLES]
    readings += _slashed(line)
    # A text may be read in two ways that mean the same.
    found = {tuple(dates) for dates in readings if len(dates) == 2 and dates[0] <= dates[1]}
    return found.pop() if len(found) == 1 else None  # type: ignore[return-value]


def _read(style: re.Pattern[str], line: str) -> list[date]:
    found = []
    for match in style.finditer(line):
        part = match.groupdict()
        month = int(part["month"]) if "month" in part else month_number(part["word"])
        if day := _date(int(part["year"]), month, int(part["day"])):
            found.append(day)
    return found


def _slashed(line: str) -> Sequence[list[date]]:
    """Return the dates with slashes of a line, month first and day first, where all exist."""
    parts = [[int(n) for n in match.groups()] for match in SLASHED.finditer(line)]
    month_first = [_date(year, a, b) for a, b, year in parts]
    day_first = [_date(year, b, a) for a, b, year in parts]
    return [[d for d in dates if d] for dates in (month_first, day_first) if all(dates)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
