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
    """Return what an MQL cost, and what this number is based on.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    if not (currency := constant(rows, "currency", "")):
        return Verdict("No spend is known for these leads: what an MQL costs cannot be told.")
    total = Totals(rows)
    cost = total.value("cost_per_mql")
    is_measured, lag_days = constant(rows, "is_lag_measured"), constant(rows, "lag_days")
    how = "measured as the mean" if is_measured else "as set"
    if is_measured and math.isnan(total.value("lead_to_mql_days_mean")):
        how = "taken as none: no lead has both stamps to measure it by"
    lag = f"a lag of {counted(lag_days, 'day')} ({how})"
    has_some = bool(pick(rows, "cost_per_mql")["value"].notna().any())
    if math.isnan(total.value("spend")):
        return Verdict(
            f"With {lag}, the spend data does not cover the whole period: no cost is given for it "
            "rather than one that is too low. "
            + ("The buckets that it does cover are below." if has_some else "No bucket is covered.")
        )
    if math.isnan(cost):
        return Verdict("There was spend and no MQL, so that no cost per MQL can be given.")
    return Verdict(
        f"An MQL cost {money(cost, currency)}: {money(total.value('spend'), currency)} over "
        f"{counted(total.value('mqls'), 'MQL')}, with {lag}. It rests on averages, on one lag for "
        "all leads and on correlation in time: a guide to large trends, not a fact about one lead."
    )
