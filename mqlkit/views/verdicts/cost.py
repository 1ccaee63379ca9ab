"""Verdict on cost per MQL."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.text import counted
from mqlkit.metrics.tidy import constant, pick
from mqlkit.views.claims import UNKNOWN, Cells, Claim, Quantity, Sentence, Verdict, verdict
from mqlkit.views.verdicts.base import few

NO_SPEND = Sentence("No spend is known for these leads, so there is no cost per MQL.")
NOT_COVERED = Sentence(
    "With {lag}, the spend data does not cover the whole period. Its cost per MQL would be too low "
    "and is left out. {buckets}"
)
NO_CHANNEL = Sentence(
    "No spend has the {unspent}, so what these leads cost is not known. To see the cost of the "
    "others, take it out of the filter."
)
NO_MQL = Sentence("There was spend but no MQL, so there is no cost per MQL.")
COST = Sentence("An MQL cost {cost}: {spend} over {mqls:MQL}, with {lag}.")
NOT_FILTERED = Sentence(
    "Spend cannot be filtered by {columns}: {basis} ÷ filtered leads is {cost}, {spend} over "
    "{mqls:MQL}, with {lag}. It is not what these leads cost."
)
WITHOUT_SPEND = Sentence("The cost counts {unspent:MQL} whose source has no spend.")
BASIS = Sentence(
    "This is based on averages, on one lag for all leads and on correlation in time: use it for "
    "large trends, not for single leads."
)


def per_mql(rows: pd.DataFrame) -> Verdict:
    """Return the cost per MQL and what it is based on.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    metric = "cost_per_mql"
    if not (currency := constant(rows, "currency", "")):
        return verdict(NO_SPEND.claim(metric, certainty=UNKNOWN))
    total = Cells(rows, currency=currency)
    lag = _lag(rows, total)
    if "no-spend-channel" in total.flags("spend"):
        unspent = constant(rows, "unspent", "") or "channel of these leads"
        return verdict(NO_CHANNEL.claim(metric, certainty=UNKNOWN, unspent=unspent))
    if math.isnan(total.value("spend")):
        has_some = bool(pick(rows, metric)["value"].notna().any())
        buckets = "Covered buckets are below." if has_some else "No bucket is covered."
        return verdict(NOT_COVERED.claim(metric, certainty=UNKNOWN, lag=lag, buckets=buckets))
    if math.isnan(total.value(metric)):
        return verdict(NO_MQL.claim(metric, certainty=UNKNOWN))
    is_filtered = "spend-not-filtered" not in total.flags(metric)
    return verdict(
        (COST if is_filtered else NOT_FILTERED).claim(
            metric,
            cost=total.figure(metric),
            spend=total.figure("spend"),
            mqls=total.figure("mqls"),
            lag=lag,
            basis=constant(rows, "spend_basis", "") or "total spend",
            columns=constant(rows, "unfiltered_by", "") or "this filter",
        ),
        BASIS.claim(metric),
        _without_spend(rows),
        few(total.figure("mqls")),
    )


def _without_spend(rows: pd.DataFrame) -> Claim | None:
    """Return how many MQLs of the cost come from sources without spend; None without any."""
    n = Quantity(constant(rows, "unspent_mqls", 0))
    return WITHOUT_SPEND.claim("cost_per_mql", unspent=n) if n.value else None


def _lag(rows: pd.DataFrame, total: Cells) -> str:
    """Return the lag in words, with how it was found."""
    is_measured, lag_days = constant(rows, "is_lag_measured"), constant(rows, "lag_days")
    how = "measured as the mean" if is_measured else "as set"
    if is_measured and math.isnan(total.value("lead_to_mql_days_mean")):
        how = "not measurable: no lead has both timestamps"
    if is_measured and not total.is_recorded("lead_to_mql_days_mean"):
        how = "not measurable: created_at is not recorded"
    return f"a lag of {counted(lag_days, 'day')} ({how})"
