"""One cell: what counts as missing, and how dates, amounts and counts are read from it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from mqlkit.engine import local_to_instant, parse_instant, parse_local, to_naive, try_strptime
from mqlkit.errors import SourceError, report

# Text that exports write where there is nothing; `unknown` is a value.
NOTHING = ("", "null", "NULL", "Null", "--", "-", "n/a", "N/A")
MONEY = "decimal(38, 6)"
# Day and month are decided for the whole column, by the user; the separators are not.
DATE_PATTERNS = {
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"),
    "mdy": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y"),
    "ymd": ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
}
TIME_PATTERNS = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", ", %I:%M %p")


def clean(cell: ir.StringValue) -> ir.StringValue:
    """Return a cell without the space around it; NULL where it says that there is nothing."""
    text = cell.strip()
    return text.isin(NOTHING).ifelse(ibis.null("string"), text)


def stamp(text: ir.StringValue, *, dates: str, zone: str, day_zone: str) -> ir.TimestampValue:
    """Return a date or stamp as naive UTC; NULL where it cannot be read.

    Parameters
    ----------
    text
        The clean cell.
    dates
        ``auto`` and ``ymd`` read ISO 8601; ``dmy``, ``mdy`` or a strptime pattern what they say,
        and ISO 8601 beside it.
    zone
        Zone of stamps without an offset; the engine's session must be in it.
    day_zone
        Zone in which the report cuts days. A date has no zone: it stays the day that it is, and
        becomes the midnight that this zone has.
    """
    patterns = date_patterns(dates)
    at = parse_instant(text)
    if patterns:
        # Trying patterns is slow: only what is not ISO 8601 goes through them.
        rest = at.isnull().ifelse(text, ibis.null("string"))
        at = at.coalesce(parse_local(rest, patterns, zone))
    if zone == day_zone:
        return at
    midnight = to_naive(local_to_instant(day_zone, day(text, dates=dates).cast("timestamp")))
    return has_time(text).ifelse(at, midnight)


def date_patterns(dates: str) -> list[str]:
    """Return the strptime patterns that ``dates`` stands for.

    Raises
    ------
    SourceError
        When it is no known order and no pattern.
    """
    if dates == "auto":
        return []
    if "%" in dates:
        return [dates]
    if dates not in DATE_PATTERNS:
        raise SourceError(
            report(
                f"dates: {dates!r} is unknown.",
                expected="auto, ymd, dmy, mdy or a pattern such as %d.%m.%Y %H:%M",
            )
        )
    return [day + time for day in DATE_PATTERNS[dates] for time in TIME_PATTERNS]


def day(text: ir.StringValue, *, dates: str) -> ir.DateValue:
    """Return the date in a cell, its time of day left out; NULL where there is none.

    ``2026-01`` is the first of that month.
    """
    iso = (text.length() == len("2026-01")).ifelse(text + "-01", text.left(10)).try_cast("date")
    patterns = date_patterns(dates)
    return iso if not patterns else iso.coalesce(try_strptime(text, patterns).date())


def has_time(text: ir.StringValue) -> ir.BooleanValue:
    """Return whether a stamp carries a time of day."""
    return text.contains(":")


def money(text: ir.StringValue, *, decimal: str) -> ir.DecimalValue:
    """Return an amount, exact to a millionth; NULL where it is no number."""
    return text.try_cast(MONEY) if decimal in {"auto", "."} else _comma(text).try_cast(MONEY)


def clean_number(text: ir.StringValue) -> ir.StringValue:
    """Return a number's text without inner spaces."""
    return text.replace(" ", "")


def _comma(text: ir.StringValue) -> ir.StringValue:
    return text.replace(".", "").replace(" ", "").replace(",", ".")
