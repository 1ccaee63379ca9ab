"""Verdicts on MQL→SQL conversion, by cohort and in the period."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.names import BOTH, COHORT, FLOW
from mqlkit.core.text import (
    counted,
    listed,
    percent,
)
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.base import Totals, Verdict, _small, immature_buckets


def conversion(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the MQL→SQL conversion rate, and which cohorts are immature.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for ``flow``.
    """
    if view == FLOW:
        return None
    total = Totals(rows)
    n = total.n("efficiency")
    if not total.is_recorded("efficiency"):
        return Verdict("The data records no SQLs, so there is no conversion rate.")
    if n == 0:
        return Verdict("There are no MQLs to compute a conversion rate from.")
    text = (
        f"{percent(total.value('efficiency'))} of {counted(n, 'MQL')} have become SQLs so far "
        f"({total.interval('efficiency')}), or one in {total.value('mqls_per_sql'):,.1f}."
    )
    if total.value("efficiency") == 0:
        text = f"None of {counted(n, 'MQL')} has become an SQL ({total.interval('efficiency')})."
    text += _maturity(rows)
    return Verdict(text + _small(n))


def _maturity(rows: pd.DataFrame) -> str:
    """Return how long conversion takes, and which cohorts are too young, as sentences."""
    days, young = float(constant(rows, "maturity_days")), immature_buckets(rows)
    if not young or math.isnan(days):
        return ""
    if constant(rows, "is_rising", False):
        oldest = constant(rows, "horizon_days")
        return (
            f" Conversion takes longer than the data can show: MQLs {oldest:,.0f} days old still "
            "become SQLs. No cohort is mature, and the rate will still rise."
        )
    return (
        f" Nine in ten conversions take up to {days:,.0f} days: {listed(young)} "
        f"{'is' if len(young) == 1 else 'are'} immature, and the rate will still rise."
    )


def flow(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the in-period SQL/MQL ratio and its limits.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for ``cohort``.
    """
    total = Totals(rows)
    ratio = total.value("efficiency_flow")
    if view == COHORT or math.isnan(ratio):
        return None
    sqls, mqls = total.value("sqls_in_period"), total.n("efficiency_flow")
    return Verdict(
        f"The in-period ratio is {percent(ratio)}: {counted(sqls, 'SQL')} dated in the period, per "
        f"{counted(mqls, 'MQL')} of the period. The SQLs may come from earlier MQLs, so this ratio "
        "rises when the number of MQLs falls."
    )
