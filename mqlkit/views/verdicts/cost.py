"""Verdict on cost per MQL."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.text import (
    counted,
    money,
)
from mqlkit.metrics.tidy import constant, pick
from mqlkit.views.verdicts.base import Totals, Verdict


def per_mql(rows: pd.DataFrame) -> Verdict:
    """Return the cost per MQL and what it is based on.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    if not (currency := constant(rows, "currency", "")):
        return Verdict("No spend is known for these leads, so there is no cost per MQL.")
    total = Totals(rows)
    cost = total.value("cost_per_mql")
    is_measured, lag_days = constant(rows, "is_lag_measured"), constant(rows, "lag_days")
    how = "measured as the mean" if is_measured else "as set"
    if is_measured and math.isnan(total.value("lead_to_mql_days_mean")):
        how = "not measurable: no lead has both timestamps"
    lag = f"a lag of {counted(lag_days, 'day')} ({how})"
    has_some = bool(pick(rows, "cost_per_mql")["value"].notna().any())
    if math.isnan(total.value("spend")):
        return Verdict(
            f"With {lag}, the spend data does not cover the whole period. Its cost per MQL would "
            "be too low and is left out. "
            + ("Covered buckets are below." if has_some else "No bucket is covered.")
        )
    if math.isnan(cost):
        return Verdict("There was spend but no MQL, so there is no cost per MQL.")
    return Verdict(
        f"An MQL cost {money(cost, currency)}: {money(total.value('spend'), currency)} over "
        f"{counted(total.value('mqls'), 'MQL')}, with {lag}. This is based on averages, on one lag "
        "for all leads and on correlation in time: use it for large trends, not for single leads."
    )
