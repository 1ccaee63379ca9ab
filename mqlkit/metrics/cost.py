"""Cost per MQL: spend, moved back by the lag, over MQLs.

It rests on averages, on one lag for all leads and on correlation in time: a guide to large
trends, not a fact about one lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import DAY, Bucket, coarser_grains, spend_window
from mqlkit.leads.integers import DAY_US, MICRO
from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.metrics.sla import is_sla_recorded
from mqlkit.metrics.spend import filter_flag, spent_in
from mqlkit.metrics.tidy import metric_rows, not_recorded, pick, share
from mqlkit.stats.daily import SpendLine, day_numbers

LONGEST_LAG = 90


def lead_to_mql(leads: LeadTable) -> pd.DataFrame:
    """Return the lag: mean days from net-new to MQL of each bucket's MQLs.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of lead_to_mql_days_mean (metrics.md §8), over leads created no later than MQL.
    """
    wide = leads.counts
    days = share(wide["lag_us"], wide["lagged"]) / DAY_US
    return metric_rows(wide, "lead_to_mql_days_mean", days, n=wide["lagged"])


def lag_days(leads: LeadTable, lags: pd.DataFrame) -> int:
    """Return the one lag of the report in whole days.

    Parameters
    ----------
    leads
        Its ``lag_days`` parameter wins; ``auto`` takes the mean over the period, rounded half to
        even.
    lags
        What `lead_to_mql` returns.

    Returns
    -------
    int
        0 where it is to be measured and no lead has both stamps.
    """
    if leads.params.lag_days != "auto":
        return int(leads.params.lag_days)
    return measured_lag(lags)


def measured_lag(lags: pd.DataFrame) -> int:
    """Return the mean lag of the period in whole days, rounded half to even; 0 without any."""
    measured = pick(lags, "lead_to_mql_days_mean")["value"].iloc[-1]
    return 0 if np.isnan(measured) else round(float(measured))


def cost_per_mql(leads: LeadTable, *, spend: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Return spend and what an MQL and an SQL cost, by bucket and segment, and rolling.

    Takes what `bucket_costs` takes, and returns its rows and those of cost_per_mql_rolling.
    """
    costs = [bucket_costs(leads, spend=spend, lag=lag), _rolling(leads, spend=spend, lag=lag)]
    return pd.concat(costs, ignore_index=True)


def _wasted(
    leads: LeadTable,
    late: pd.Series[float],
    cost: npt.NDArray[np.float64],
    flags: Mapping[str, npt.ArrayLike],
) -> pd.DataFrame:
    if not is_sla_recorded(leads):
        return not_recorded(leads.counts, "wasted_cost")
    return metric_rows(leads.counts, "wasted_cost", late * cost, n=late, flags=flags)


def bucket_costs(leads: LeadTable, *, spend: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Return spend and what an MQL and an SQL cost, each bucket by itself.

    Parameters
    ----------
    leads
        The lead table.
    spend, lag
        As in `spent_in`.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of spend, cost_per_mql, cost_per_sql, wasted_cost and, where deals are worth
        something, return_on_spend (metrics.md §8).
    """
    grid, bought = leads.counts, spent_in(leads, spend=spend, lag=lag)
    spent, flags = bought.amount, bought.flags
    cost = share(spent, grid["mqls"])
    out = [
        metric_rows(grid, "spend", spent, flags=flags),
        metric_rows(grid, "cost_per_mql", cost, n=grid["mqls"], flags=flags),
        metric_rows(grid, "cost_per_sql", share(spent, grid["sqls"]), n=grid["sqls"], flags=flags),
        _wasted(leads, grid["sla_breached"], cost, flags),
    ]
    if (grid["won"] > 0).any():
        out.append(
            metric_rows(
                grid,
                "return_on_spend",
                share(grid["amount"] / MICRO, spent),
                n=grid["mqls"],
                flags=flags,
            )
        )
    return pd.concat(out, ignore_index=True)


def _rolling(leads: LeadTable, *, spend: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Return the rolling cost of all leads, reaching back before the period."""
    frame = rolling_cost(leads, spend=spend, lags=[lag])
    grid = leads.counts
    grid = grid[(grid["by"] == "") & (grid["index"] != TOTAL_BUCKET)]
    return metric_rows(
        grid.reset_index(drop=True),
        "cost_per_mql_rolling",
        frame["rolling"],
        n=frame["rolling_mqls"],
        flags={
            "spend-not-covered": ~frame["is_covered"].to_numpy(dtype=bool),
            **filter_flag(leads),
        },
    )


def rolling_cost(leads: LeadTable, *, spend: pd.DataFrame, lags: Sequence[int]) -> pd.DataFrame:
    """Return cost per MQL and its rolling average for a choice of lags.

    Returns
    -------
    pandas.DataFrame
        ``lag_days``, ``bucket``, ``start``, ``cost``, ``rolling``, ``rolling_mqls``,
        ``is_covered``; one row per lag and bucket of the period. ``rolling`` is null where one of
        its buckets is not covered by spend or starts before the bucket of the first MQL.
    """
    buckets = [*leads.earlier, *leads.buckets]
    mqls = _mqls_with_earlier(leads)
    line, shift = SpendLine.of(spend), np.asarray(lags)[:, None]
    begins = day_numbers([b.start for b in buckets]) - shift
    ends = day_numbers([b.end for b in buckets]) - shift
    covered = line.covers(begins, ends)
    spent = np.where(covered, line.between(begins, ends), np.nan)
    usable = np.where(_since_first_mql(leads, buckets), spent, np.nan)
    k = leads.params.rolling
    counts = _last(mqls, k).sum(axis=-1)
    inside = slice(len(leads.earlier), None)
    size = len(lags)
    return pd.DataFrame(
        {
            "lag_days": np.repeat(lags, len(leads.buckets)),
            "bucket": [b.label for b in leads.buckets] * size,
            "start": [b.start for b in leads.buckets] * size,
            "cost": share(spent, np.broadcast_to(mqls, spent.shape))[:, inside].ravel(),
            "rolling": share(_last(usable, k).sum(axis=-1), counts[None, :]).ravel(),
            "rolling_mqls": np.tile(counts, size),
            "is_covered": _last(covered, k).all(axis=-1).ravel(),
        }
    )


def costs_by_grain(leads: LeadTable, *, spend: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return `rolling_cost` at its own grain, ``like``, and at each coarser one: ``grain``."""
    lags = [int(lag) for lag in like["lag_days"].unique()]
    costs = {leads.params.grain: like}
    for grain in coarser_grains(leads.params.grain):
        costs[grain] = rolling_cost(recut(leads, grain), spend=spend, lags=lags)
    return pd.concat([cost.assign(grain=grain) for grain, cost in costs.items()])


def recut(leads: LeadTable, grain: str) -> LeadTable:
    """Return a lead table in the buckets of a coarser grain, with what `rolling_cost` needs of it.

    The cube stays that of its own grain: it has the sums of coarser buckets.
    """
    calendar, whole = leads.params.calendar, leads.whole
    buckets = tuple(calendar.cut(whole.start, whole.end, grain))
    before = tuple(calendar.before(buckets[0], grain, leads.params.rolling - 1))
    clock = replace(leads.clock, params=replace(leads.params, grain=grain))
    return replace(leads, clock=clock, buckets=buckets, before=before)


def _last(values: npt.NDArray[Any], k: int) -> npt.NDArray[Any]:
    """Return each value of the last axis with the k - 1 before it, from the k-th on."""
    return np.lib.stride_tricks.sliding_window_view(values, k, axis=-1)


def _mqls_with_earlier(leads: LeadTable) -> npt.NDArray[np.int64]:
    return np.array(leads.entered_in([*leads.earlier, *leads.buckets]), dtype="int64")


def _since_first_mql(leads: LeadTable, buckets: Sequence[Bucket]) -> npt.NDArray[np.bool_]:
    if leads.first_mql is None:
        return np.zeros(len(buckets), dtype=bool)
    start = leads.params.calendar.start_of(leads.first_mql, leads.params.grain)
    return np.array([b.start >= start for b in buckets], dtype=bool)


def cost_by_lag(leads: LeadTable, *, spend: pd.DataFrame, lags: Sequence[int]) -> pd.DataFrame:
    """Return what the lag does: cost per MQL of the whole period for a choice of lags.

    Returns
    -------
    pandas.DataFrame
        ``lag_days``, ``from`` and ``to`` (first and last day of the spend window), ``spend``,
        ``mqls``, ``cost``; null where the spend data does not cover the window.

    Notes
    -----
    The window of each lag is that of `periods.spend_window` (metrics.md §8).
    """
    begins = day_numbers([leads.whole.start]) - np.asarray(lags)
    ends = day_numbers([leads.whole.end]) - np.asarray(lags)
    line = SpendLine.of(spend)
    spent = np.where(line.covers(begins, ends), line.between(begins, ends), np.nan)
    counted = leads.counts
    mqls = float(counted["mqls"][counted["index"] == TOTAL_BUCKET].iloc[0])
    windows = [spend_window(leads.whole, lag_days=lag) for lag in lags]
    return pd.DataFrame(
        {
            "lag_days": list(lags),
            "from": [start for start, _ in windows],
            "to": [end - DAY for _, end in windows],
            "spend": spent,
            "mqls": mqls,
            "cost": share(spent, np.full(len(lags), mqls)),
        }
    )
