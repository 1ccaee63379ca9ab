"""Rates of exchange, and spend in several currencies converted into that of the report."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.core.periods import DAY
from mqlkit.core.text import counted
from mqlkit.sources.cells import day, number
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import Values, all_of
from mqlkit.sources.staging import Cells, Typing
from mqlkit.sources.table import Read, read_table

Row = dict[Hashable, Any]
# Before any other rate of a currency.
ALWAYS = date.min
SUMMED_BY = ["date_from", "date_to", "channel", "campaign", "currency"]


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of exchange.

    Attributes
    ----------
    names
        Their file, for messages.
    rows
        ``currency``, ``date_from`` (first day of the rate; `ALWAYS` without one), ``rate`` (units
        of the report's currency for one), in order.
    """

    names: str
    rows: pd.DataFrame


def read_rates(reader: Reader, spec: TableSpec) -> tuple[Read, Rates]:
    """Return the rates as read, and as one row per currency and first day.

    Returns
    -------
    Read
        The rows as read.
    Rates
        The rates.

    Raises
    ------
    SourceError
        When a row cannot be used, or a currency has two rates from the same day.
    """

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        return {
            "currency": f"upper(trim({cells['currency']}))",
            "rate": number(cells["rate"], how.number("rate")),
            "date_from": day(cells["date_from"], how.date("date_from"), values),
        }

    def faults(cells: Cells) -> list[tuple[str, str]]:
        is_unread = f"{cells['date_from']} IS NOT NULL AND date_from IS NULL"
        is_no_rate = "rate IS NULL OR NOT rate > 0 OR currency IS NULL"
        return [("bad_date", is_unread), ("bad_amount", is_no_rate)]

    typing = Typing(
        columns=["currency", "rate", "date_from"],
        needed=["currency", "rate"],
        kinds=Kinds(["date_from"], ["rate"]),
        typed=typed,
        faults=faults,
        has_date="true",
        is_empty=lambda cells: all_of(f"{cells[c]} IS NULL" for c in ("currency", "rate")),
        settle=partial(_check_all_read, spec),
    )
    read = read_table(reader, spec, typing)
    rates = reader.frame(f"SELECT currency, date_from, rate FROM {read.table}")  # noqa: S608
    rates["date_from"] = [ALWAYS if pd.isna(at) else _as_date(at) for at in rates["date_from"]]
    rates = rates.astype({"rate": float}).sort_values(["currency", "date_from"], ignore_index=True)
    twice = rates[rates.duplicated(["currency", "date_from"])]
    if len(twice):
        raise SourceError(
            report(
                f"{spec.names}: a currency has two rates from the same day.",
                found=listed(sorted(twice["currency"].unique())),
                fix="keep one, or say from which day each holds (date_from)",
            )
        )
    return read, Rates(spec.names, rates)


def _check_all_read(spec: TableSpec, ledger: Ledger) -> None:
    """Refuse a rate that cannot be read, however many rows a table may lose."""
    if bad := [row for row in ledger.rows if row.reason in ("bad_date", "bad_amount")]:
        raise SourceError(
            report(
                f"{spec.names}: {counted(len(bad), 'rate')} cannot be read.",
                expected="a currency, a rate above zero with a decimal point, and a date or none",
                found=listed([f"line {row.line}: {row.text}" for row in bad]),
            )
        )


def _as_date(at: date) -> date:
    return pd.Timestamp(at).date()


def converted(spend: pd.DataFrame, rates: Rates, *, names: str) -> pd.DataFrame:
    """Return spend in one currency: the one with the rate 1, or the only one without a rate.

    Parameters
    ----------
    spend
        ``date_from``, ``date_to``, ``channel``, ``campaign``, ``currency``, ``amount``. A row over
        days with different rates is split at them, evenly by day.
    rates
        As `read_rates` returns them.
    names
        The files of the spend, for messages.

    Raises
    ------
    SourceError
        When it is open which currency the report is in, or a rate is missing.
    """
    target = _target(set(spend["currency"]), rates, names)
    pieces = [
        piece
        for row in spend.to_dict("records")
        for piece in ([row] if row["currency"] == target else _pieces(row, rates.rows, names))
    ]
    frame = pd.DataFrame(pieces, columns=spend.columns).assign(currency=target)
    sums = frame.groupby(SUMMED_BY, dropna=False, sort=True)["amount"].sum().reset_index()
    return sums.astype({"channel": spend["channel"].dtype, "campaign": spend["campaign"].dtype})


def _target(used: set[str], rates: Rates, names: str) -> str:
    """Return the currency of the report; every other one that is used has a rate."""
    is_one = rates.rows.groupby("currency")["rate"].agg(lambda rate: bool((rate == 1).all()))
    ones = sorted(is_one.index[is_one])
    unknown = sorted(used - {*is_one.index})
    if len(ones) == 1 and unknown:
        what = f"{listed(unknown)} {'has' if len(unknown) == 1 else 'have'} no rate"
        fix = f"add a line to {rates.names}: {unknown[0]}, and {ones[0]} per {unknown[0]}"
    elif len(ones) > 1:
        what = f"{len(ones)} currencies have the rate 1, so the report has no one currency"
        fix = f"give the rate 1 to the report's currency only, one of {listed(ones)}"
    elif ones:
        return str(ones[0])
    elif len(unknown) == 1:
        return unknown[0]
    else:
        several = "several currencies have no rate" if unknown else "no currency has the rate 1"
        what, fix = f"{several}, so the report has no one currency", ""
    raise SourceError(
        report(
            f"{rates.names}: {what}.",
            expected="the rate 1 for the currency of the report, and a rate of every other one",
            found=f"spend in {listed(sorted(used))} in {names}; rates of {listed([*is_one.index])}",
            fix=fix,
        )
    )


def _pieces(row: Row, rates: pd.DataFrame, names: str) -> list[Row]:
    """Return a row of spend converted, in as many pieces as it has rates."""
    own = rates[rates["currency"] == row["currency"]]
    starts, each = [*own["date_from"]], [*own["rate"]]
    first, end = _as_date(row["date_from"]), _as_date(row["date_to"]) + DAY
    if starts[0] > first:
        raise SourceError(
            report(
                f"{names}: spend in {row['currency']} has no rate on {first}.",
                expected=f"a rate from {first} or earlier",
                found=f"the first rate, from {starts[0]}",
            )
        )
    edges = [first, *(at for at in starts if first < at < end), end]
    days, size = np.diff([edge.toordinal() for edge in edges]), (end - first).days
    return [
        {
            **row,
            "date_from": start,
            "date_to": stop - DAY,
            "amount": float(row["amount"]) * n / size * each[bisect_right(starts, start) - 1],
        }
        for start, stop, n in zip(edges[:-1], edges[1:], days, strict=True)
    ]
