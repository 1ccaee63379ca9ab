"""One cell: what counts as missing, and how dates, amounts and counts are read from it.

The functions take and return SQL expressions of DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mqlkit.core.text import INVISIBLE
from mqlkit.core.zones import DAY_US
from mqlkit.sources.dialect.dates import DateReading, names_no_day
from mqlkit.sources.dialect.numbers import GROUPERS, NumberReading
from mqlkit.sources.dialect.placeholders import (
    NUMBER_PLACEHOLDERS,
    PLACEHOLDERS,
    days_in,
    days_pattern,
)
from mqlkit.sources.dialect.written_dates import Rewriting
from mqlkit.sources.local_times import DATE, LOCAL, MARGIN
from mqlkit.sources.sql import Values, all_of, any_of, literal
from mqlkit.sources.store import NAMES_ZONE

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
WHITESPACE = " \t\n\r\v\f"
MONEY = "DECIMAL(38, 6)"
# Larger amounts do not fit into 64 bits as millionths.
MOST_MONEY = 9_000_000_000_000
# Excel counts days from here, since it takes 1900 for a leap year.
EXCEL_ZERO_US = -25_569 * DAY_US
# What numbers may stand for: days from 1990 on. Ten digits from 1990010100 on may be a year, month,
# day and hour; taken for seconds, these would be in 2033.
LIMITS = {
    "serial": (32_874, 73_050),
    "epoch-s": (631_152_000, 1_990_010_100),
    "epoch-ms": (631_152_000_000, 4_102_444_800_000),
}
ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
ZONE_AT_END = r"\s*(?:[+-]\d\d:?(?:\d\d)?|[A-Za-z][A-Za-z_/]*)$"
# The numbers of workbooks and parquet are written so: with a point, whatever the column's sign is.
UNMISTAKABLE = r"^-?[0-9]+\.[0-9]{4,}$"
NO_FRACTION = r"([0-9])[.,][-\x{2013}\x{2014}]+([^0-9]|$)"
# A sign, a code, or the letters that some currencies are known by.
UNIT = r"(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3}|[Kk]r\.?|z\x{142}|K\x{10d}|Ft|lei|Fr\.|S/\.?|Rp\.?|TL)"
# The hyphen, its no-break form, the en dash and the minus sign, as people and programs write them.
MINUS = r"-\x{2010}-\x{2013}\x{2212}"
NEGATIVE = rf"\(.*\)|^[^0-9]*[{MINUS}]|[{MINUS}]$"
SPACES = r"[\p{Zs}]"
# ISO 8601 as people and programs vary it, and what DuckDB takes instead.
TIDYING = (
    (
        r"^(\d{4}-\d\d?-\d\d?)[T ](\d\d?:\d\d) ?(Z|z|UTC|GMT|[+-][\d:]+)?$",
        r"\1 \2:00\3",
    ),
    (r":(\d\d),(\d)", r":\1.\2"),
    (r"^(\S+[T ]\S+) ([+-]\d)", r"\1\2"),
    (r"(\d) ?(z|UTC|GMT)$", r"\1Z"),
    (r"(:\d\d\.\d{6})\d+", r"\1"),
)


def clean(cell: str) -> str:
    """Return a cell as it looks; NULL where it is a word for a missing value.

    Texts that look alike are equal: the space around them is gone, every other kind of space is a
    blank, accents are part of their letters, and characters that nothing shows are left out.
    """
    # Trimming is slow, and most cells have nothing around them and are longer than `null`.
    longest = max(map(len, NOTHING))
    ends = all_of(f"NOT suffix({cell}, {literal(blank)})" for blank in BLANKS)
    text = f"trim({visible(cell)}, {literal(WHITESPACE)})"
    missing = ", ".join(map(literal, NOTHING))
    return (
        f"CASE WHEN strlen({cell}) > {longest} AND {cell} >= '!' AND {ends} "
        f"AND NOT ({may_look_alike(cell)}) THEN {cell} "
        f"WHEN list_contains([{missing}], {text}) THEN NULL ELSE {text} END"
    )


def may_look_alike(cell: str) -> str:
    """Return whether a cell may look like another text: it is not ASCII."""
    return f"strlen({cell}) <> length({cell})"


def visible(cell: str) -> str:
    """Return a text without what nothing shows, as `mqlkit.core.text.visible` does."""
    shown = f"regexp_replace({cell}, {literal(f'[{INVISIBLE}]')}, '', 'g')"
    spaced = f"regexp_replace({shown}, {literal(SPACES)}, ' ', 'g')"
    return f"CASE WHEN {may_look_alike(cell)} THEN nfc_normalize({spaced}) ELSE {cell} END"


def rewritten(text: str, rewriting: Rewriting, values: Values, pattern: str | None = None) -> str:
    """Return a date with what is between its numbers replaced; ISO 8601 stays as it is.

    Parameters
    ----------
    text
        The clean cell.
    rewriting
        What is replaced.
    values
        The values that the statement binds.
    pattern
        The pattern of dates in source.yaml: texts that it fits stay as they are as well.
    """
    keys, texts = values.bind(list(rewriting.keys)), values.bind(list(rewriting.texts))
    parts = f"regexp_extract_all({text}, '[0-9]+|[^0-9]+')"
    key = f"concat(len({parts}), ':', place, ':', part)"
    replaced = f"coalesce(list_extract({texts}, list_position({keys}, {key})), part)"
    whole = f"array_to_string(list_transform({parts}, lambda part, place: {replaced}), '')"
    stays = [f"regexp_matches({text}, {literal(ISO)})"]
    if pattern:
        stays.append(f"try_strptime({text}, {values.bind([pattern])}) IS NOT NULL")
    return f"CASE WHEN {any_of(stays)} THEN {text} ELSE {whole} END"


def placeholder_kind(text: str, missing: Sequence[str]) -> str:
    """Return 2 for a date that the user calls missing, 1 for a placeholder, else 0.

    Parameters
    ----------
    text
        The clean cell, rewritten.
    missing
        Texts that the user calls missing.
    """
    days, numbers = days_pattern(PLACEHOLDERS), ", ".join(map(literal, NUMBER_PLACEHOLDERS))
    is_placeholder = f"regexp_matches({text}, {literal(days)}) OR {text} IN ({numbers})"
    of_user = days_in(missing)
    is_missing = f"regexp_matches({text}, {literal(days_pattern(of_user))})" if of_user else "false"
    return f"CASE WHEN {is_missing} THEN 2 WHEN {is_placeholder} THEN 1 ELSE 0 END"


def parse_instant(text: str) -> str:
    """Return ISO text as naive UTC; NULL where it is no timestamp.

    Text without an offset is local to the session's zone.
    """
    # Once DuckDB has read the name of a zone, it stays in that zone for the rows that follow.
    is_safe = f"{begins_with_year(text)} AND NOT ({text} LIKE '{NAMES_ZONE}')"
    return to_naive(f"TRY_CAST(CASE WHEN {is_safe} THEN {text} END AS TIMESTAMPTZ)")


def begins_with_year(text: str) -> str:
    """Return whether a text begins with a year of four digits.

    DuckDB would also read `today` and `epoch`, and `2/5/24` as a day of the year 2.
    """
    return (
        f"{text} >= '0' AND {text} < ':' AND substr({text}, 3, 1) BETWEEN '0' AND '9' "
        f"AND substr({text}, 5, 1) IN ('-', '/')"
    )


def to_naive(instant: str) -> str:
    """Return an instant as a naive UTC timestamp."""
    return f"make_timestamp(epoch_us({instant}))"


def local_day(at: str, zone: str) -> str:
    """Return the local day of a naive UTC timestamp."""
    return f"CAST(timezone({zone}, timezone('UTC', {at})) AS DATE)"


def timestamp(text: str, reading: DateReading, values: Values) -> str:
    """Return a date or timestamp as a code of `local_times`; NULL where it cannot be read.

    Parameters
    ----------
    text
        The clean cell.
    reading
        How its column is read; ISO 8601 beside it.
    values
        The values that the statement binds.
    """
    is_told = reading.order == "pattern"
    found = _by_pattern(text, reading, values) if is_told else []
    at = f"coalesce({', '.join(found)})" if found else iso_timestamp(text)
    # Further ways are slow: only what is not read yet goes through them.
    rest = f"(CASE WHEN {at} IS NULL THEN {text} END)"
    more = _by_pattern(rest, reading, values) if not is_told else []
    if is_told and reading.reads_iso:
        more.append(iso_timestamp(rest))
    if reading.has_loose:
        more.append(iso_timestamp(_tidied(rest)))
    for kind in reading.numbers:
        is_local = kind == "serial"
        more.append(f"{LOCAL if is_local else 0} + epoch_us({_numbered(rest, kind)})")
    at = f"coalesce({', '.join([at, *more])})" if more else at
    has_time = f"{has_clock(text, reading)} OR {at} < {LOCAL - MARGIN}"
    if reading.patterns:
        # A pattern may have hours without a colon.
        has_time += f" OR ({at} - {LOCAL}) % {DAY_US} <> 0"
    return f"CASE WHEN {has_time} THEN {at} ELSE {at} + {DATE - LOCAL} END"


def iso_timestamp(text: str) -> str:
    """Return ISO 8601 text as a code of `local_times`; NULL where it is no timestamp."""
    is_safe = f"{begins_with_year(text)} AND NOT ({text} LIKE '{NAMES_ZONE}')"
    return f"CASE WHEN {is_safe} THEN {plain_timestamp(text)} END"


def plain_timestamp(text: str) -> str:
    """Return ISO 8601 text that names no zone as a code of `local_times`."""
    # The cast to TIMESTAMP ignores an offset.
    at = f"epoch_us(TRY_CAST({text} AS TIMESTAMP))"
    has_offset = f"{text} LIKE '%:%+%' OR {text} LIKE '%:%-%'"
    return (
        f"CASE WHEN suffix({text}, 'Z') THEN {at} "
        f"WHEN {has_offset} THEN epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) "
        f"ELSE {at} + {LOCAL} END"
    )


def _by_pattern(text: str, reading: DateReading, values: Values) -> list[str]:
    """Return text read by the patterns of local stamps, of those in UTC, of those with a zone."""
    is_told = reading.order == "pattern"
    # A month is no day, unless source.yaml says that it is read so.
    local = [p for p in reading.patterns if is_told or not names_no_day(p)]
    of_kind = ((local, LOCAL), (reading.utc_patterns, 0), (reading.zoned_patterns, 0))
    return [
        f"{kind} + epoch_us(try_strptime({text}, {values.bind(list(patterns))}))"
        for patterns, kind in of_kind
        if patterns
    ]


def day(text: str, reading: DateReading, values: Values) -> str:
    """Return the date in a cell, its time of day left out; NULL where there is none.

    ``2026-01`` is the first of that month.
    """
    month = len("2026-01")
    iso = (
        f"TRY_CAST(CASE WHEN NOT ({begins_with_year(text)}) THEN NULL "
        f"WHEN length({text}) = {month} THEN {text} || '-01' ELSE left({text}, 10) END AS DATE)"
    )
    found = [iso] if reading.reads_iso else []
    written = []
    if patterns := [*reading.patterns, *reading.utc_patterns]:
        written.append(f"CAST(try_strptime({text}, {values.bind(patterns)}) AS DATE)")
    if reading.zoned_patterns:
        # The day that is written, not the one that it is in another zone.
        local = values.bind([re.sub(r"\s*%[zZ]$", "", p) for p in reading.zoned_patterns])
        start = f"regexp_replace({text}, {literal(ZONE_AT_END)}, '', 'g')"
        written.append(f"CAST(try_strptime({start}, {local}) AS DATE)")
    found = [*written, *found] if reading.order == "pattern" else [*found, *written]
    found += [f"CAST({_numbered(text, kind)} AS DATE)" for kind in reading.numbers]
    at = f"coalesce({', '.join(found)})"
    # `26` is no year: taken for one, it would stretch the days that the data covers.
    return f"CASE WHEN {at} BETWEEN DATE '1900-01-01' AND DATE '2200-01-01' THEN {at} END"


def last_day(text: str, first: str, reading: DateReading, values: Values) -> str:
    """Return the day that a cell's date ends on: of a month, its last; of a day, itself.

    Parameters
    ----------
    text, first
        The clean cell, and what `day` makes of it.
    reading
        How its column is read.
    values
        The values that the statement binds.
    """
    is_month = [rf"regexp_matches({text}, '^\d{{4}}-\d\d$')"] if reading.reads_iso else []
    written = [*reading.patterns, *reading.utc_patterns]
    if months := [p for p in written if names_no_day(p)]:
        is_month.append(f"try_strptime({text}, {values.bind(months)}) IS NOT NULL")
    return f"CASE WHEN {any_of(is_month)} THEN last_day({first}) ELSE {first} END"


def has_clock(text: str, reading: DateReading) -> str:
    """Return whether a timestamp is written with a time of day."""
    if not reading.numbers:
        return f"contains({text}, ':')"
    shape = r"^\d{5}\.\d+$|^\d{10}$|^\d{13}$"
    return f"(contains({text}, ':') OR regexp_matches({text}, '{shape}'))"


def _tidied(text: str) -> str:
    """Return ISO 8601 as DuckDB takes it: seconds, a point, no space before the offset."""
    for shape, by in TIDYING:
        text = f"regexp_replace({text}, {literal(shape)}, {literal(by)}, 'g')"
    return text


def _numbered(text: str, kind: str) -> str:
    """Return the naive timestamp that a plain number stands for, local for Excel's days."""
    shape = {"serial": r"^\d{5}(\.\d+)?$", "epoch-s": r"^\d{10}$", "epoch-ms": r"^\d{13}$"}[kind]
    number = f"CASE WHEN regexp_matches({text}, '{shape}') THEN {text} END"
    lowest, highest = LIMITS[kind]
    value = f"TRY_CAST({number} AS {'DOUBLE' if kind == 'serial' else 'BIGINT'})"
    value = f"CASE WHEN {value} BETWEEN {lowest} AND {highest} THEN {value} END"
    if kind == "serial":
        # To the millisecond: a fraction of ten digits is no more exact.
        whole = f"CAST(round(({value}) * {DAY_US // 1000}) AS BIGINT) * 1000"
        return f"make_timestamp({whole} + {EXCEL_ZERO_US})"
    return f"make_timestamp(({value}) * {1_000_000 if kind == 'epoch-s' else 1000})"


def money(text: str, reading: NumberReading) -> str:
    """Return an amount, exact to a millionth; NULL where it is no number or too large."""
    shape = r"^-?[0-9]+(\.[0-9]+)?$" if reading.decimal == "." else UNMISTAKABLE
    plain = (
        f"TRY_CAST(CASE WHEN regexp_matches({text}, {literal(shape)}) THEN {text} END AS {MONEY})"
    )
    amount = f"coalesce({plain}, {_written(text, reading.decimal)})"
    return f"list_filter([{amount}], x -> x BETWEEN -{MOST_MONEY} AND {MOST_MONEY})[1]"


def code_in(text: str) -> str:
    """Return the currency glued to an amount; NULL without one, or where it could be several."""
    code = f"nullif(regexp_extract({text}, '(?:^|[^A-Z])([A-Z]{{3}})(?:[^A-Z]|$)', 1), '')"
    signs = " ".join(
        f"WHEN contains({text}, {literal(sign)}) THEN {literal(known)}"
        for sign, known in SIGNS.items()
    )
    return f"CASE {signs} ELSE {code} END"


def contradicts(text: str, currency: str) -> str:
    """Return whether an amount carries a sign that is not that of its currency."""
    return any_of(
        f"contains({text}, {literal(sign)}) "
        f"AND {currency} NOT IN ({', '.join(map(literal, codes))})"
        for sign, codes in SHARED_SIGNS.items()
    )


def number(text: str, reading: NumberReading) -> str:
    """Return a finite number; NULL where it is none."""
    return f"CAST({money(text, reading)} AS DOUBLE)"


def _written(text: str, decimal: str) -> str:
    """Return a number written for people: grouped, with a currency, in brackets when negative."""
    # `1'200.-` has no fraction; that stroke is no minus.
    text = rf"regexp_replace({text}, {literal(NO_FRACTION)}, '\1\2', 'g')"
    groups = ("," if decimal == "." else ".") + GROUPERS
    figure = (
        rf"(?:[0-9]{{1,3}}(?:[{groups}][0-9]{{2,3}})*[{groups}][0-9]{{3}}|[0-9]+)"
        rf"(?:\{decimal}[0-9]*)?|\{decimal}[0-9]+"
    )
    space = r"[\s\p{Zs}]*"
    sign = rf"[{MINUS}+]?"
    whole = literal(
        rf"^(?:{sign}{space}{UNIT}?|{UNIT}{space}{sign}){space}({figure})"
        rf"(?:([KkMm])\b)?{space}{UNIT}?{space}{sign}$"
    )
    is_negative = f"regexp_matches({text}, {literal(NEGATIVE)})"
    bracketed = literal(rf"^({UNIT}?){space}\((.*)\){space}({UNIT}?)$")
    text = rf"regexp_replace({text}, {bracketed}, '\1\2\3')"
    core = f"regexp_replace(regexp_extract({text}, {whole}, 1), {literal(f'[{groups}]')}, '', 'g')"
    core = f"nullif(replace({core}, {literal(decimal)}, '.'), '')"
    value = f"TRY_CAST(CASE WHEN {is_negative} THEN '-' ELSE '' END || {core} AS {MONEY})"
    scalable = f"TRY_CAST({value} AS DECIMAL(20, 6))"
    return (
        f"CASE upper(regexp_extract({text}, {whole}, 2)) "
        f"WHEN 'K' THEN CAST({scalable} * 1000 AS {MONEY}) "
        f"WHEN 'M' THEN CAST({scalable} * 1000000 AS {MONEY}) ELSE {value} END"
    )
