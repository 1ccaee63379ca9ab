"""One cell: what counts as missing, and how dates, amounts and counts are read from it."""

from __future__ import annotations

import re
from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.sources.dialect.dates import DateReading, names_no_day
from mqlkit.sources.dialect.numbers import GROUPERS, NumberReading
from mqlkit.sources.store import (
    EARLIEST,
    LATEST,
    list_contains,
    local_to_instant,
    make_timestamp,
    n_bytes,
    parse_instant,
    parse_local,
    parse_zoned,
    to_naive,
    try_strptime,
)

# Text that exports write where there is nothing; `unknown` is a value.
NOTHING = ("", "null", "NULL", "Null", "--", "-", "n/a", "N/A")
# Signs of one currency; that of the dollar is also that of others.
SIGNS = {"€": "EUR", "£": "GBP", "R$": "BRL", "US$": "USD", "zł": "PLN", "Kč": "CZK", "₹": "INR"}
# Signs of several; they tell no currency, and can still contradict one.
SHARED_SIGNS = {
    "$": ("$", "USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "BRL", "ARS", "CLP", "COP"),
    "¥": ("¥", "JPY", "CNY"),
}
BLANKS = " \t\r\n"
MONEY = "decimal(38, 6)"
DAY_US = 86_400_000_000
# Excel counts days from here, since it takes 1900 for a leap year.
EXCEL_ZERO_US = -25_569 * DAY_US
# What numbers may stand for: days from 1990 on. Ten digits from 1990010100 on may be a year, month,
# day and hour; taken for seconds, these would be in 2033.
LIMITS = {
    "serial": (32_874, 73_050),
    "epoch-s": (631_152_000, 1_990_010_100),
    "epoch-ms": (631_152_000_000, 4_102_444_800_000),
}
ZONE_AT_END = r"\s*(?:[+-]\d\d:?(?:\d\d)?|[A-Za-z][A-Za-z_/]*)$"
# The numbers of workbooks and parquet are written so: with a point, whatever the column's sign is.
UNMISTAKABLE = r"^-?[0-9]+\.[0-9]{4,}$"
NO_FRACTION = r"([0-9])[.,][-\x{2013}\x{2014}]+([^0-9]|$)"
# A sign, a code, or the letters that some currencies are known by.
UNIT = r"(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3}|[Kk]r\.?|z\x{142}|K\x{10d}|Ft|lei|Fr\.|S/\.?)"


def clean(cell: ir.StringValue) -> ir.StringValue:
    """Return a cell without the space around it; NULL where it says that there is nothing."""
    # Stripping is slow, and most cells have nothing around them and are longer than `null`.
    longest = max(map(len, NOTHING))
    ends = all_of([~cell.endswith(blank) for blank in BLANKS])
    is_plain = (n_bytes(cell) > longest) & (cell >= "!") & ends
    text = cell.strip()
    is_nothing = list_contains(ibis.array(NOTHING), text)
    return is_plain.ifelse(cell, is_nothing.ifelse(ibis.null("string"), text))


def stamp(
    text: ir.StringValue, reading: DateReading, *, zone: str, day_zone: str
) -> ir.TimestampValue:
    """Return a date or stamp as naive UTC; NULL where it cannot be read.

    Parameters
    ----------
    text
        The clean cell.
    reading
        How its column is read; ISO 8601 beside it.
    zone
        Zone of stamps without an offset; the engine's session must be in it.
    day_zone
        Zone in which the report cuts days. A date has no zone: it stays the day that it is, and
        becomes the midnight that this zone has.
    """
    found = _by_pattern(text, reading, zone)
    is_told = reading.order == "pattern"
    at = ibis.coalesce(*found) if is_told and found else parse_instant(text)
    # Trying further ways is slow: only what is not read yet goes through them.
    rest = at.isnull().ifelse(text, ibis.null("string"))
    more = _by_pattern(rest, reading, zone) if not is_told else []
    if is_told and reading.reads_iso:
        more.append(parse_instant(rest))
    if reading.has_loose:
        more.append(parse_instant(_tidied(rest)))
    more += [
        to_naive(local_to_instant("UTC" if kind != "serial" else zone, _numbered(rest, kind)))
        for kind in reading.numbers
    ]
    at = ibis.coalesce(at, *more) if more else at
    if zone == day_zone:
        return at
    midnight = to_naive(local_to_instant(day_zone, day(text, reading).cast("timestamp")))
    return has_time(text, reading).ifelse(at, midnight)


def _by_pattern(text: ir.StringValue, reading: DateReading, zone: str) -> list[ir.TimestampValue]:
    """Return text read by the patterns of local stamps, of those in UTC, of those with a zone."""
    found = []
    if reading.patterns:
        found.append(parse_local(text, list(reading.patterns), zone))
    if reading.utc_patterns:
        found.append(parse_local(text, list(reading.utc_patterns), "UTC"))
    if reading.zoned_patterns:
        found.append(parse_zoned(text, list(reading.zoned_patterns)))
    return found


def day(text: ir.StringValue, reading: DateReading) -> ir.DateValue:
    """Return the date in a cell, its time of day left out; NULL where there is none.

    ``2026-01`` is the first of that month.
    """
    iso = (text.length() == len("2026-01")).ifelse(text + "-01", text.left(10)).try_cast("date")
    found = [iso] if reading.reads_iso else []
    patterns = [*reading.patterns, *reading.utc_patterns]
    written = [try_strptime(text, patterns).date()] if patterns else []
    if reading.zoned_patterns:
        # The day that is written, not the one that it is in another zone.
        local = [re.sub(r"\s*%[zZ]$", "", p) for p in reading.zoned_patterns]
        written.append(try_strptime(text.re_replace(ZONE_AT_END, ""), local).date())
    found = [*written, *found] if reading.order == "pattern" else [*found, *written]
    found += [_numbered(text, kind).date() for kind in reading.numbers]
    at = ibis.coalesce(*found)
    # `26` is no year: taken for one, it would stretch the days that the data covers.
    return at.between(EARLIEST.date(), LATEST.date()).ifelse(at, ibis.null("date"))


def last_day(text: ir.StringValue, first: ir.DateValue, reading: DateReading) -> ir.DateValue:
    """Return the day that a cell's date ends on: of a month, its last; of a day, itself.

    Parameters
    ----------
    text, first
        The clean cell, and what `day` makes of it.
    reading
        How its column is read.
    """
    is_month = text.re_search(r"^\d{4}-\d\d$") if reading.reads_iso else ibis.literal(False)
    told = [*reading.patterns, *reading.utc_patterns]
    if months := [p for p in told if names_no_day(p)]:
        is_month |= try_strptime(text, months).notnull()
    begins = first.truncate("M").cast("timestamp")
    ends = begins + ibis.interval(months=1) - ibis.interval(days=1)
    return is_month.ifelse(ends.cast("date"), first)


def has_time(text: ir.StringValue, reading: DateReading) -> ir.BooleanValue:
    """Return whether a stamp carries a time of day."""
    if not reading.numbers:
        return text.contains(":")
    return text.contains(":") | text.re_search(r"^\d{5}\.\d+$|^\d{10}$|^\d{13}$")


def _tidied(text: ir.StringValue) -> ir.StringValue:
    """Return ISO 8601 as the engine takes it: seconds, a point, no space before the offset."""
    seconds = text.re_replace(
        r"^(\d{4}-\d\d?-\d\d?)[T ](\d\d?:\d\d) ?(Z|z|UTC|GMT|[+-][\d:]+)?$", r"\1 \2:00\3"
    )
    return (
        seconds.re_replace(r":(\d\d),(\d)", r":\1.\2")
        .re_replace(r"^(\S+[T ]\S+) ([+-]\d)", r"\1\2")
        .re_replace(r"(\d) ?(z|UTC|GMT)$", r"\1Z")
        .re_replace(r"(:\d\d\.\d{6})\d+", r"\1")
    )


def _numbered(text: ir.StringValue, kind: str) -> ir.TimestampValue:
    """Return the naive stamp that a plain number stands for, local for Excel's days."""
    shape = {"serial": r"^\d{5}(\.\d+)?$", "epoch-s": r"^\d{10}$", "epoch-ms": r"^\d{13}$"}[kind]
    number = text.re_search(shape).ifelse(text, ibis.null("string"))
    lowest, highest = LIMITS[kind]
    value = number.try_cast("float64" if kind == "serial" else "int64")
    value = value.between(lowest, highest).ifelse(value, ibis.null(value.type()))
    if kind == "serial":
        # To the millisecond: a fraction of ten digits is no more exact.
        whole = (value * (DAY_US // 1000)).round().cast("int64") * 1000
        return make_timestamp(whole + EXCEL_ZERO_US)
    return make_timestamp(value * (1_000_000 if kind == "epoch-s" else 1000))


def money(text: ir.StringValue, reading: NumberReading) -> ir.DecimalValue:
    """Return an amount, exact to a millionth; NULL where it is no number."""
    written = _written(text, reading.decimal)
    if reading.decimal != ".":
        return _plain(text, UNMISTAKABLE).coalesce(written)
    return _plain(text, r"^-?[0-9]+(\.[0-9]+)?$").coalesce(written)


def _plain(text: ir.StringValue, shape: str) -> ir.DecimalValue:
    return text.re_search(shape).ifelse(text, ibis.null("string")).try_cast(MONEY)


def code_in(text: ir.StringValue) -> ir.StringValue:
    """Return the currency glued to an amount; NULL without one, or where it could be several."""
    code = text.re_extract(r"(?:^|[^A-Z])([A-Z]{3})(?:[^A-Z]|$)", 1).nullif("")
    signs = [(text.contains(sign), ibis.literal(known)) for sign, known in SIGNS.items()]
    return ibis.cases(*signs).coalesce(code)


def contradicts(text: ir.StringValue, currency: ir.StringValue) -> ir.BooleanValue:
    """Return whether an amount carries a sign that is not that of its currency."""
    return any_of(
        [
            text.contains(sign) & currency.notnull() & ~currency.isin(list(codes))
            for sign, codes in SHARED_SIGNS.items()
        ]
    )


def number(text: ir.StringValue, reading: NumberReading) -> ir.FloatingValue:
    """Return a finite number; NULL where it is none."""
    return money(text, reading).cast("float64")


def _written(text: ir.StringValue, decimal: str) -> ir.DecimalValue:
    """Return a number written for people: grouped, with a currency, in brackets when negative."""
    # `1'200.-` has no fraction; that stroke is no minus.
    text = text.re_replace(NO_FRACTION, r"\1\2")
    groups = ("," if decimal == "." else ".") + GROUPERS
    figure = (
        rf"(?:[0-9]{{1,3}}(?:[{groups}][0-9]{{2,3}})*[{groups}][0-9]{{3}}|[0-9]+)"
        rf"(?:\{decimal}[0-9]*)?|\{decimal}[0-9]+"
    )
    space = r"[\s\p{Zs}]*"
    whole = (
        rf"^\(?[-+\x{{2212}}]?{space}{UNIT}?{space}[-+\x{{2212}}]?{space}({figure})"
        rf"(?:([KkMm])\b)?{space}{UNIT}?{space}-?\)?$"
    )
    core = text.re_extract(whole, 1)
    for sign in groups:
        core = core.replace(sign, "")
    value = core.replace(decimal, ".").nullif("").try_cast(MONEY)
    factor = text.re_extract(whole, 2).upper()
    times = ibis.cases((factor == "K", 1000), (factor == "M", 1_000_000), else_=1)
    scaled = (factor == "").ifelse(value, (value.try_cast("decimal(20, 6)") * times).cast(MONEY))
    is_negative = text.re_search(r"^\(.*\)$|^\(?[^0-9]*[-\x{2212}]|-$")
    return is_negative.ifelse(-scaled, scaled)


def any_of(conditions: list[ir.BooleanValue]) -> ir.BooleanValue:
    """Return whether one of several conditions holds."""
    return reduce(lambda a, b: a | b, conditions)


def all_of(conditions: list[ir.BooleanValue]) -> ir.BooleanValue:
    """Return whether all of several conditions hold."""
    return reduce(lambda a, b: a & b, conditions)
