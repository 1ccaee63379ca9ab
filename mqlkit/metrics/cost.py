"""Cost per MQL: spend, moved back by the lag, over MQLs.

It rests on averages, on one lag for all leads and on correlation in time: a guide to large
trends, not a fact about one lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.names import SMALL_N
from mqlkit.core.periods import DAY, Bucket, spend_window
from mqlkit.leads.funnel import Step
from mqlkit.leads.integers import DAY_US, MICRO
from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.metrics.conversion import Maturity, maturity_of, sql_maturity
from mqlkit.metrics.efficiency import is_immature
from mqlkit.metrics.sla import is_sla_recorded
from mqlkit.metrics.spend import Spent, filter_flag, spent_in, total_spent, without_spend
from mqlkit.metrics.tidy import metric_rows, not_recorded, pick, share
from mqlkit.metrics.volume import weekly_mqls
from mqlkit.stats.daily import day_numbers
from mqlkit.stats.intervals import Z95, burst_factor, total_error

LONGEST_LAG = 90
MQL_TO_WON = Step("mql", "won")


def lead_to_mql(leads: LeadTable) -> pd.DataFrame:
    """Return the lag: mean days from net-new to MQL of each bucket's MQLs.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of lead_to_mql_days_mean (metrics.md §8), over leads created no later than MQL;
        null where the data does not record when leads were created.
    """
    wide = leads.counts
    if not leads.is_recorded("created"):
        return not_recorded(wide, "lead_to_mql_days_mean")
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
        something, return_on_spend (metrics.md §8), the last with a 95 % interval from 30 MQLs on.
    """
    grid, bought = leads.counts, spent_in(leads, spend=spend, lag=lag)
    spent, flags = bought.amount, bought.flags
    cost = share(spent, grid["mqls"])
    out = [
        metric_rows(grid, "spend", spent, flags=flags),
        metric_rows(grid, "cost_per_mql", cost, n=grid["mqls"], flags=flags),
        _per_sql(leads, bought),
        _wasted(leads, cost, flags),
    ]
    if (grid["won"] > 0).any():
        out.append(_return(leads, bought))
    return pd.concat(out, ignore_index=True)


def _per_sql(leads: LeadTable, bought: Spent) -> pd.DataFrame:
    """Return cost_per_sql, which still falls where a cohort is immature."""
    grid = leads.counts
    if not leads.is_recorded("sql"):
        return not_recorded(grid, "cost_per_sql")
    flags = {**bought.flags, "immature": is_immature(leads, grid, sql_maturity(leads))}
    cost = share(bought.amount, grid["sqls"])
    return metric_rows(grid, "cost_per_sql", cost, n=grid["sqls"], flags=flags)


def _wasted(
    leads: LeadTable, cost: npt.NDArray[Any], flags: Mapping[str, npt.ArrayLike]
) -> pd.DataFrame:
    """Return wasted_cost: what the MQLs cost that breached the SLA."""
    grid = leads.counts
    if not is_sla_recorded(leads):
        return not_recorded(grid, "wasted_cost")
    n = grid["sla_breached"]
    return metric_rows(grid, "wasted_cost", n * cost, n=n, flags=flags)


def _return(leads: LeadTable, bought: Spent) -> pd.DataFrame:
    """Return return_on_spend with its interval, which takes the spend as given."""
    grid, squares = leads.counts, leads.squared_amounts["squares"]
    n, total = grid["mqls"].to_numpy(dtype=float), grid["amount"].to_numpy(dtype=float) / MICRO
    error = total_error(total, squares / MICRO**2, n, bursts=burst_factor(weekly_mqls(leads)))
    # Of few leads, and without a deal, nothing tells how much amounts vary.
    error = np.where((n >= SMALL_N) & (grid["won"] > 0), error, np.nan)
    value, half = share(total, bought.amount), Z95 * share(error, bought.amount)
    # Deals are won up to the horizon: before that, more of them may come.
    horizon = Maturity(days=maturity_of(leads, MQL_TO_WON).horizon_days)
    return metric_rows(
        grid,
        "return_on_spend",
        value,
        n=n,
        low=np.maximum(value - half, 0),
        high=value + half,
        flags={**bought.flags, "immature": is_immature(leads, grid, horizon)},
    )


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
            "no-spend-channel": bool(without_spend(spend, leads.params.where)),
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
        its buckets is not covered by spend or starts before the bucket of the first MQL of the
        data, and where it reaches back over the beginning of a period that begins inside a bucket.
    """
    buckets = [*leads.earlier, *leads.buckets]
    mqls = _mqls_with_earlier(leads)
    shift = np.asarray(lags)[:, None]
    begins = day_numbers([b.start for b in buckets]) - shift
    ends = day_numbers([b.end for b in buckets]) - shift
    spent, covered = total_spent(leads, spend, begins, ends)
    usable = np.where(_since_first_mql(leads, buckets), spent, np.nan)
    k = leads.params.rolling
    counts, rolling = _last(mqls, k).sum(axis=-1), _last(usable, k).sum(axis=-1)
    if _begins_inside_a_bucket(leads):
        # The days of that bucket before the period are in no bucket, and missing from the window.
        rolling[:, : k - 1] = np.nan
    inside = slice(len(leads.earlier), None)
    size = len(lags)
    return pd.DataFrame(
        {
            "lag_days": np.repeat(lags, len(leads.buckets)),
            "bucket": [b.label for b in leads.buckets] * size,
            "start": [b.start for b in leads.buckets] * size,
            "cost": share(spent, np.broadcast_to(mqls, spent.shape))[:, inside].ravel(),
            "rolling": share(rolling, counts[None, :]).ravel(),
            "rolling_mqls": np.tile(counts, size),
            "is_covered": _last(covered, k).all(axis=-1).ravel(),
        }
    )


def _last(values: npt.NDArray[Any], k: int) -> npt.NDArray[Any]:
    """Return each value of the last axis with the k - 1 before it, from the k-th on."""
    return np.lib.stride_tricks.sliding_window_view(values, k, axis=-1)


def _mqls_with_earlier(leads: LeadTable) -> npt.NDArray[np.int64]:
    return np.array(leads.entered_in([*leads.earlier, *leads.buckets]), dtype="int64")


def _since_first_mql(leads: LeadTable, buckets: Sequence[Bucket]) -> npt.NDArray[np.bool_]:
    if leads.data_start is None:
        return np.zeros(len(buckets), dtype=bool)
    start = leads.params.calendar.start_of(leads.data_start, leads.params.grain)
    return np.array([b.start >= start for b in buckets], dtype=bool)


def _begins_inside_a_bucket(leads: LeadTable) -> bool:
    start = leads.whole.start
    return leads.params.calendar.start_of(start, leads.params.grain) < start


def cost_by_lag(leads: LeadTable, *, spend: pd.DataFrame, lags: Sequence[int]) -> pd.DataFrame:
    """Return what the lag does: cost per MQL of the whole period for a choice of lags.

    Returns
    -------
    pandas.DataFrame
        ``lag_days``, ``from`` and ``to`` (first and last day of the spend window), ``spend``,
        ``mqls``, ``cost``; null where the spend data does not cover the window, or does not have
        a value that the filter keeps.

    Notes
    -----
    The window of each lag is that of `periods.spend_window` (metrics.md §8).
    """
    begins = day_numbers([leads.whole.start]) - np.asarray(lags)
    ends = day_numbers([leads.whole.end]) - np.asarray(lags)
    spent, _ = total_spent(leads, spend, begins, ends)
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
