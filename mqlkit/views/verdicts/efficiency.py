"""Verdicts on MQL→SQL conversion, by cohort and by flow."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.names import BOTH, COHORT, FLOW
from mqlkit.core.text import (
    bucket_name,
    counted,
    listed,
    percent,
)
from mqlkit.metrics.tidy import pick
from mqlkit.views.verdicts.base import Totals, Verdict, _small


def judge_efficiency(rows: pd.DataFrame, *, maturity: float, view: str = BOTH) -> Verdict | None:
    """Return the share of MQLs that became SQLs, and which buckets are too young; not as a flow."""
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
        text += (
            f" Nine in ten of the conversions take up to {maturity:,.0f} days: {listed(young)} "
            f"{'is' if len(young) == 1 else 'are'} too young, and the share will still rise."
        )
    return Verdict(text + _small(n))


def immature_buckets(rows: pd.DataFrame) -> list[str]:
    """Return the names of the buckets whose efficiency will still rise."""
    cohorts = pick(rows, "efficiency")
    return [
        bucket_name(b)
        for b, flags in zip(cohorts["bucket"], cohorts["flags"], strict=True)
        if "immature" in flags and b != "total"
    ]


def judge_flow(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the SQLs dated in the period against its MQLs, and what that does not say.

    Parameters
    ----------
    rows
        The tidy rows of a report.
    view
        One of `terms.VIEWS`; of the cohort alone there is nothing to say here.
    """
    total = Totals(rows)
    flow = total.value("efficiency_flow")
    if view == COHORT or math.isnan(flow):
        return None
    sqls, mqls = total.value("sqls_in_period"), total.n("efficiency_flow")
    return Verdict(
        f"By flow it is {percent(flow)}: {counted(sqls, 'SQL')} dated in the period, against "
        f"{counted(mqls, 'MQL')} of the period. They may come from earlier MQLs: where MQLs fall, "
        "this rises by itself."
    )
