"""One cell: what counts as missing, and how dates, amounts and counts are read from it."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.engine import (
    EARLIEST,
    LATEST,
    list_contains,
    local_to_instant,
    make_timestamp,
    n_bytes,
    parse_instant,
    parse_local,
    to_naive,
    try_strptime,
)
from mqlkit.sources.amounts import GROUPERS, NumberReading
from mqlkit.sources.dates import DateReading

# Text that exports write where there is nothing; `unknown` is a value.
NOTHING = ("", "null", "NULL", "Null", "--", "-", "n/a", "N/A")
# Signs of one currency; that of the dollar is also that of others.
SIGNS = {"€": "EUR", "£": "GBP", "R$": "BRL", "US$": "USD", "zł": "PLN", "Kč": "CZK", "₹": "INR"}
BLANKS = " \t\r\n"
MONEY = "decimal(38, 6)"
DAY_US = 86_400_000_000
# Excel counts days from here, since it takes 1900 for a leap year.
EXCEL_ZERO_US = -25_569 * DAY_US
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
    at = parse_instant(text)
    # Trying patterns is slow: only what is not ISO 8601 goes through them.
    rest = at.isnull().ifelse(text, ibis.null("string"))
    found = [at]
    if reading.has_loose:
        found.append(parse_instant(_tidied(rest)))
    if reading.patterns:
        found.append(parse_local(rest, list(reading.patterns), zone))
    if reading.utc_patterns:
        found.append(parse_local(rest, list(reading.utc_patterns), "UTC"))
    found += [
        to_naive(local_to_instant("UTC" if kind != "serial" else zone, _numbered(rest, kind)))
        for kind in reading.numbers
    ]
    at = ibis.coalesce(*found) if len(found) > 1 else at
    if zone == day_zone:
        return at
    midnight = to_naive(local_to_instant(day_zone, day(text, reading).cast("timestamp")))
    return has_time(text, reading).ifelse(at, midnight)


def day(text: ir.StringValue, reading: DateReading) -> ir.DateValue:
    """Return the date in a cell, its time of day left out; NULL where there is none.

    ``2026-01`` is the first of that month.
    """
    iso = (text.length() == len("2026-01")).ifelse(text + "-01", text.left(10)).try_cast("date")
    patterns = [*reading.patterns, *reading.utc_patterns]
    found = iso if not patterns else iso.coalesce(try_strptime(text, patterns).date())
    for kind in reading.numbers:
        found = found.coalesce(_numbered(text, kind).date())
    # `26` is no year: taken for one, it would stretch the days that the data covers.
    return found.between(EARLIEST.date(), LATEST.date()).ifelse(found, ibis.null("date"))


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
    if kind == "serial":
        # To the millisecond: a fraction of ten digits is no more exact.
        whole = (number.try_cast("float64") * (DAY_US // 1000)).round().cast("int64") * 1000
        return make_timestamp(whole + EXCEL_ZERO_US)
    scale = 1_000_000 if kind == "epoch-s" else 1000
    return make_timestamp(number.try_cast("int64") * scale)


def money(text: ir.StringValue, reading: NumberReading) -> ir.DecimalValue:
    """Return an amount, exact to a millionth; NULL where it is no number."""
    written = _written(text, reading.decimal)
    if reading.decimal != ".":
        return written
    plain = text.re_search(r"^-?[0-9]+(\.[0-9]+)?$").ifelse(text, ibis.null("string"))
    return plain.try_cast(MONEY).coalesce(written)


def code_in(text: ir.StringValue) -> ir.StringValue:
    """Return the currency glued to an amount; NULL without one, or where it could be several."""
    code = text.re_extract(r"(?:^|[^A-Z])([A-Z]{3})(?:[^A-Z]|$)", 1).nullif("")
    signs = [(text.contains(sign), ibis.literal(known)) for sign, known in SIGNS.items()]
    return ibis.cases(*signs).coalesce(code)


def number(text: ir.StringValue, reading: NumberReading) -> ir.FloatingValue:
    """Return a finite number; NULL where it is none."""
    return money(text, reading).cast("float64")


def _written(text: ir.StringValue, decimal: str) -> ir.DecimalValue:
    """Return a number written for people: grouped, with a currency, in brackets when negative."""
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
