"""What was spent: by day or by range, per channel, in one currency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.cells import SHARED_SIGNS, code_in, contradicts, day, last_day, money
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.files import Export
from mqlkit.sources.formats import fold
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.rates import Rates, converted
from mqlkit.sources.reader import Reader
from mqlkit.sources.spans import SPAN_OF, spread
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FILE, Values, all_of, literal
from mqlkit.sources.staging import Cells, Typing
from mqlkit.sources.table import Read, open_exports, read_table
from mqlkit.sources.title_period import Period, title_period
from mqlkit.sources.totals import is_total

SHARED_SIGN = f"[{''.join(SHARED_SIGNS)}]"
# An amount without a sign or code of a currency, or none.
BARE = re.compile(r"[\d\s.,'()+-]*")
# What two sums of the same amounts may differ by, each rounded.
ROUNDED = 0.001


class SeveralCurrenciesError(SourceError):
    """Spend in several currencies, for which a report needs rates."""


def read_spend(
    reader: Reader, spec: TableSpec, rates: Rates | None = None
) -> tuple[Read, pd.DataFrame, str]:
    """Return the spend as read, its sums by range of days, channel and campaign, and its currency.

    Raises
    ------
    SourceError
        When there is no date, or more than one currency.
    Undecided
        When nothing tells the currency.
    """
    read = read_spend_rows(reader, spec)
    frame, currency = sum_spend(reader, read, spec, rates)
    return read, frame, currency


def read_spend_rows(reader: Reader, spec: TableSpec) -> Read:
    """Return the spend as read, row by row."""
    when = ("date", "date_from", "date_to")
    exports = open_exports(reader, spec)
    titles = {n: period for n, e in enumerate(exports) if (period := period_in_title(e))}
    in_title = [_of_title(titles, end) for end in (0, 1)]
    columns = [*when, "amount", "channel", "campaign", "currency"]

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        firsts = {c: day(cells[c], how.date(c), values) for c in when}
        lasts = {c: last_day(cells[c], firsts[c], how.date(c), values) for c in ("date", "date_to")}
        firsts["date"], lasts["date"] = spread(firsts["date"], lasts["date"], exports)
        code = code_in(cells["amount"])
        given = values.bind(spec.currency)
        currency = f"upper(coalesce({cells['currency']}, {given}, {code}))"
        sign = f"nullif(regexp_extract({cells['amount']}, {literal(SHARED_SIGN)}, 0), '')"
        return {
            # A day wins over the range of the whole report, which stands beside it in every row.
            "date_from": f"coalesce({firsts['date']}, {firsts['date_from']}, {in_title[0]})",
            "date_to": f"coalesce({lasts['date']}, {lasts['date_to']}, {in_title[1]})",
            # Rows that the title dates are known by their amounts.
            "is_dated": f"coalesce({firsts['date']}, {firsts['date_from']}) IS NOT NULL "
            f"OR ({in_title[0]} IS NOT NULL AND {cells['amount']} IS NOT NULL)",
            "amount": money(cells["amount"], how.number("amount")),
            # Ad platforms name campaigns only: these are then the channels as well.
            "channel": f"coalesce({cells['channel']}, {cells['campaign']})",
            "campaign": cells["campaign"],
            "currency": currency,
            "code": f"coalesce({code}, "
            f"CASE WHEN {contradicts(cells['amount'], currency)} THEN {sign} END)",
        }

    def faults(_: Cells) -> list[tuple[str, str]]:
        is_bad = "date_from IS NULL OR date_to IS NULL OR date_to < date_from"
        return [("bad_date", is_bad), ("bad_amount", "amount IS NULL")]

    typing = Typing(
        columns=columns,
        needed=["amount"],
        kinds=Kinds(when, ["amount"]),
        typed=typed,
        faults=faults,
        has_date="is_dated",
        may_be_total=lambda _: "true",
        is_empty=lambda cells: all_of(f"{cells[c]} IS NULL" for c in (*when, "amount")),
        is_odd=lambda _: "true",
        check=partial(_check_dates, spec),
    )
    try:
        read = read_table(reader, spec, typing, exports=exports)
    except Undecided as error:
        # All that is open at once: the amounts need not be read to see that they are bare.
        unknown = (
            []
            if spec.currency or any(map(_may_tell_currency, exports))
            else [_which_currency(spec)]
        )
        raise Undecided([*error.questions, *unknown], faults=error.faults) from None
    if titles:
        files = ", ".join(map(str, titles))
        (row,) = reader.rows(
            f"SELECT count(*) FROM {read.table} WHERE {FILE} IN ({files})",  # noqa: S608
            Values(),
        )
        read.ledger.noted["dated_by_title"] = int(row[0])
    return read


def period_in_title(export: Export) -> Period | None:
    """Return the period in the title of an export whose rows have no date; else None."""
    if _has_dates(export) or _has_longer_spans(export):
        return None
    return title_period(text for _, text in export.before)


def has_days(export: Export) -> bool:
    """Return whether the rows of an export have dates, or its title a period."""
    return _has_dates(export) or period_in_title(export) is not None


def _has_dates(export: Export) -> bool:
    there = export.recognized.columns
    return "date" in there or {"date_from", "date_to"} <= there.keys()


def _has_longer_spans(export: Export) -> bool:
    """Return whether rows are of weeks or months: their amounts are not spread over the whole."""
    return any(fold(header) in SPAN_OF for header in export.header_cells)


def _of_title(titles: Mapping[int, Period], end: int) -> str:
    """Return the first or last day of the title of each row's file as SQL; NULL without one."""
    cases = " ".join(f"WHEN {n} THEN DATE '{days[end]}'" for n, days in titles.items())
    return f"CASE {FILE} {cases} END" if titles else "NULL"


def sum_spend(
    reader: Reader, read: Read, spec: TableSpec, rates: Rates | None = None
) -> tuple[pd.DataFrame, str]:
    """Return spend by range of days, channel and campaign, and the one currency that it is in.

    With rates, as in `read_rates`, spend in other currencies is converted.
    """
    _check_units(reader, spec, read.table)
    query = f"""
        SELECT date_from, date_to, channel, campaign, currency, sum(amount) AS amount,
            count(*) FILTER (WHERE amount < 0) AS credits
        FROM {read.table} GROUP BY ALL ORDER BY ALL
    """  # noqa: S608
    frame = reader.frame(query)
    read.ledger.noted["credit"] = int(frame.pop("credits").sum())
    if rates is not None and not frame["currency"].isna().any():
        frame = converted(frame, rates, names=spec.names)
    currencies = sorted(frame["currency"].dropna().unique())
    _check_currency(spec, frame, currencies)
    _check_total(spec, frame)
    return frame.drop(columns="currency"), str(currencies[0])


def _check_dates(spec: TableSpec, exports: Sequence[Export]) -> None:
    """Refuse spend without a date: no period can have such a total."""
    for export in exports:
        if has_days(export):
            continue
        known = export.recognized.format
        why = [f"{h} {known.refuses[r]}" for r in known.refuses if (h := export.like(r))]
        fix = f"map it under {spec.place}.columns in source.yaml"
        raise SourceError(
            report(
                f"{export.name}:{export.header_line}: has no date"
                + "".join(f"; {words}" for words in why[:1])
                + ".",
                expected="a column date, or date_from and date_to",
                found=listed(export.header, 6),
                fix=known.by_day or fix,
            )
        )


def _check_currency(spec: TableSpec, frame: pd.DataFrame, currencies: list[str]) -> None:
    if len(currencies) == 1 and not frame["currency"].isna().any():
        return
    if currencies:
        is_told = not frame["currency"].isna().any()
        raise (SeveralCurrenciesError if is_told else SourceError)(
            report(
                f"{spec.names}: the amounts are in more than one currency.",
                found=listed(
                    [*currencies, *(["(none)"] if frame["currency"].isna().any() else [])], 6
                ),
                fix="give the parameter `rates`, a CSV of currency and rate, or read the files of "
                "one currency only",
            )
        )
    raise Undecided([_which_currency(spec)])


def _which_currency(spec: TableSpec) -> Question:
    words = f"{spec.names}: no column tells the currency."
    return Question(spec.place, words, ("currency: EUR",))


def _may_tell_currency(export: Export) -> bool:
    """Return whether a column, the title or one of the first amounts names a currency."""
    known = export.recognized
    header = export.header_of("amount")
    if "currency" in known.columns or known.currency or header is None:
        return True
    place = export.header.index(header)
    return any(BARE.fullmatch(row[place]) is None for row in export.sample if len(row) > place)


def _check_total(spec: TableSpec, frame: pd.DataFrame) -> None:
    """Refuse rows that add up to all others, without a channel or with one called a total."""
    unnamed = frame["channel"].isna()
    called = ~unnamed & frame["channel"].fillna("").map(is_total)
    names = listed(sorted(frame["channel"][called].unique()))
    for of_total, words, others, fewest in (
        (unnamed, "without a channel", "with one", 2),
        (called, f"of channel {names}", "of others", 1),
    ):
        sides = frame.assign(total=of_total, rest=~of_total)
        sides["n"] = sides["rest"].astype(int)
        for side in ("total", "rest"):
            sides[side] = frame["amount"].where(sides[side], 0.0)
        everything = sides[["total", "rest", "n"]].sum()
        # Of several files, one may have a total: it then has the days of its own rows.
        alike = sides.groupby(["date_from", "date_to"])[["total", "rest", "n"]].sum()
        found = pd.concat([everything.to_frame().T, alike[alike["n"] > 1]])
        slack = 0.005 if of_total is unnamed else ROUNDED * found["rest"].abs() + 0.005
        is_sum = (found["total"] - found["rest"]).abs() < slack
        found = found[is_sum & (found["total"] != 0) & (found["n"] >= fewest)]
        if len(found):
            total, rest = found[["total", "rest"]].iloc[0]
            raise SourceError(
                report(
                    f"{spec.names}: the rows {words} add up to all others.",
                    expected="each amount once",
                    found=f"{total:,.2f} {words}, {rest:,.2f} {others}",
                    fix="take them out if they are totals, or give them a channel",
                )
            )


def _check_units(reader: Reader, spec: TableSpec, table: str) -> None:
    """Refuse amounts that carry another currency than the one they are said to be in."""
    query = f"""
        SELECT DISTINCT code, currency FROM {table} WHERE code <> currency ORDER BY ALL LIMIT 3
    """  # noqa: S608
    found = reader.rows(query, Values())
    if found:
        raise SourceError(
            report(
                f"{spec.names}: the amounts are in another currency than the one stated.",
                expected=found[0][1],
                found=listed([code for code, _ in found]),
                fix="correct the currency in source.yaml, or bring the amounts into one currency",
            )
        )
