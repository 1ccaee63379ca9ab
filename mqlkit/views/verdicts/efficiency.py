"""Verdicts on MQL→SQL conversion, by cohort and by flow."""

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
    """Return the MQL→SQL conversion rate, and which cohorts are too young.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for the flow alone.
    """
    if view == FLOW:
        return None
    total = Totals(rows)
    n = total.n("efficiency")
    if n == 0:
        return Verdict("There is no MQL whose outcome could be counted.")
    text = (
        f"{percent(total.value('efficiency'))} of {counted(n, 'MQL')} have become SQLs so far "
        f"({total.interval('efficiency')}): one SQL from {total.value('mqls_per_sql'):,.1f} MQLs."
    )
    if total.value("efficiency") == 0:
        text = f"None of {counted(n, 'MQL')} has become an SQL ({total.interval('efficiency')})."
    young = immature_buckets(rows)
    if young:
        maturity = constant(rows, "maturity_days")
        text += (
            f" Nine in ten of the conversions take up to {maturity:,.0f} days: {listed(young)} "
            f"{'is' if len(young) == 1 else 'are'} too young, and the share will still rise."
        )
    return Verdict(text + _small(n))


def flow(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the SQLs dated in the period per MQL of the period, and the limits of this ratio.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for the cohorts alone.
    """
    total = Totals(rows)
    ratio = total.value("efficiency_flow")
    if view == COHORT or math.isnan(ratio):
        return None
    sqls, mqls = total.value("sqls_in_period"), total.n("efficiency_flow")
    return Verdict(
        f"By flow it is {percent(ratio)}: {counted(sqls, 'SQL')} dated in the period, against "
        f"{counted(mqls, 'MQL')} of the period. They may come from earlier MQLs: where MQLs fall, "
        "this rises by itself."
    )
