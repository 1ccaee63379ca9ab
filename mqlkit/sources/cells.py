"""One cell: what counts as missing, and how dates, amounts and counts are read from it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from mqlkit.engine import (
    EARLIEST,
    LATEST,
    local_to_instant,
    parse_instant,
    parse_local,
    to_naive,
    try_strptime,
)
from mqlkit.sources.dates import date_patterns

# Text that exports write where there is nothing; `unknown` is a value.
NOTHING = ("", "null", "NULL", "Null", "--", "-", "n/a", "N/A")
MONEY = "decimal(38, 6)"


def clean(cell: ir.StringValue) -> ir.StringValue:
    """Return a cell without the space around it; NULL where it says that there is nothing."""
    text = strip(cell)
    return text.isin(NOTHING).ifelse(ibis.null("string"), text)


def strip(cell: ir.StringValue) -> ir.StringValue:
    """Return a cell without the space around it.

    Trimming is the dearest thing that is done to a cell, and hardly any needs it: those that begin
    or end with a space or a control character do.
    """
    return ((cell < "!") | (cell.right(1) < "!")).ifelse(cell.strip(), cell)


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


def day(text: ir.StringValue, *, dates: str) -> ir.DateValue:
    """Return the date in a cell, its time of day left out; NULL where there is none.

    ``2026-01`` is the first of that month.
    """
    iso = (text.length() == len("2026-01")).ifelse(text + "-01", text.left(10)).try_cast("date")
    patterns = date_patterns(dates)
    found = iso if not patterns else iso.coalesce(try_strptime(text, patterns).date())
    # `26` is no year: taken for one, it would stretch the days that the data covers.
    return found.between(EARLIEST.date(), LATEST.date()).ifelse(found, ibis.null("date"))


def has_time(text: ir.StringValue) -> ir.BooleanValue:
    """Return whether a stamp carries a time of day."""
    return text.contains(":")


def money(text: ir.StringValue, *, decimal: str) -> ir.DecimalValue:
    """Return an amount, exact to a millionth; NULL where it is no number."""
    return text.try_cast(MONEY) if decimal in {"auto", "."} else _comma(text).try_cast(MONEY)


def number(text: ir.StringValue, *, decimal: str) -> ir.FloatingValue:
    """Return a finite number; NULL where it is none."""
    return money(clean_number(text), decimal=decimal).cast("float64")


def clean_number(text: ir.StringValue) -> ir.StringValue:
    """Return a number's text without inner spaces."""
    return text.replace(" ", "")


def _comma(text: ir.StringValue) -> ir.StringValue:
    return text.replace(".", "").replace(" ", "").replace(",", ".")
