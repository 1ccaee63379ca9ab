"""Question 3: what does an MQL cost? Spend, moved back by the lag, over MQLs.

It rests on averages, on one lag for all leads and on correlation in time: a guide for large
trends, not a fact about one lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.durations import DAY_US
from mqlkit.leads import ALL_LEADS, TOTAL_BUCKET, LeadTable, Segment
from mqlkit.periods import Bucket, spend_window
from mqlkit.tidy import metric_rows, pick, share

# The breakdowns whose values can be the name of a spend channel.
CHANNEL_COLUMNS = ("source", "campaign")
LONGEST_LAG = 90


def lead_to_mql(leads: LeadTable) -> pd.DataFrame:
    """Return the lag: mean days from net-new to MQL of each bucket's MQLs.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of lead_to_mql_days_mean (metrics.md §8), over leads created no later than MQL.
    """
    cohort = leads.cohort
    is_known = (cohort["lag_us"] >= 0).fill_null(False)
    days = is_known.ifelse(cohort["lag_us"], 0)
    wide = leads.grid(leads.totals({"n": is_known, "us": days}))
    return metric_rows(
        wide, "lead_to_mql_days_mean", share(wide["us"], wide["n"]) / DAY_US, n=wide["n"]
    )


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
    measured = pick(lags, "lead_to_mql_days_mean")["value"].iloc[-1]
    return 0 if np.isnan(measured) else round(float(measured))


def spend_between(
    spend: pd.DataFrame, windows: Sequence[tuple[date, date]]
) -> npt.NDArray[np.float64]:
    """Return the spend of each half-open window of days.

    Parameters
    ----------
    spend
        ``date_from``, ``date_to`` (both ends included) and ``amount``, which is spread evenly
        over the days of its row.
    windows
        Pairs of first day and day after the last.

    Examples
    --------
    >>> spend = pd.DataFrame({"date_from": ["2026-01-01"], "date_to": ["2026-01-10"],
    ...                       "amount": [50.0]})
    >>> spend_between(spend, [(date(2026, 1, 8), date(2026, 2, 1))])
    array([15.])
    """
    start, so_far = _spend_so_far(spend)
    edges = _day_numbers(pd.Series([day for window in windows for day in window])) - start
    before, after = so_far[np.clip(edges, 0, len(so_far) - 1)].reshape(-1, 2).T
    return after - before


def _spend_so_far(spend: pd.DataFrame) -> tuple[int, npt.NDArray[np.float64]]:
    """Return the first day of the spend, and what was spent before it and each later day."""
    first, last = _day_numbers(spend["date_from"]), _day_numbers(spend["date_to"])
    days = last - first + 1
    start = int(first.min())
    each = np.repeat(spend["amount"].to_numpy(dtype=float) / days, days)
    offset = np.arange(days.sum()) - np.repeat(np.cumsum(days) - days, days)
    daily = np.bincount(np.repeat(first, days) + offset - start, weights=each)
    return start, np.concatenate([[0.0], np.cumsum(daily)])


def _day_numbers(days: pd.Series) -> npt.NDArray[np.int64]:
    return pd.to_datetime(days).to_numpy().astype("datetime64[D]").astype("int64")


def is_covered(spend: pd.DataFrame, windows: Sequence[tuple[date, date]]) -> npt.NDArray[np.bool_]:
    """Return which windows lie wholly inside the days that the spend covers."""
    first = pd.Timestamp(spend["date_from"].min()).date()
    last = pd.Timestamp(spend["date_to"].max()).date()
    return np.array([a >= first and b <= last + timedelta(days=1) for a, b in windows], dtype=bool)


def cost_per_mql(
    leads: LeadTable, rows: pd.DataFrame, *, spend: pd.DataFrame, lag: int
) -> pd.DataFrame:
    """Return spend and what an MQL and an SQL cost, by bucket and segment, and rolling.

    Parameters
    ----------
    leads
        The lead table.
    rows
        Tidy rows that hold mqls, sqls and sla_breached.
    spend
        ``date_from``, ``date_to``, ``channel``, ``amount``.
    lag
        Days that the spend window is moved back by.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of spend, cost_per_mql, cost_per_mql_rolling, cost_per_sql, wasted_cost and,
        where deals are worth something, return_on_spend (metrics.md §8).
    """
    grid = leads.grid(_wide(leads, rows))
    spans = zip(grid["bucket"], grid["start"], grid["end"], strict=True)
    windows = [spend_window(Bucket(*span), lag_days=lag) for span in spans]
    spent = pd.Series(np.nan, index=grid.index)
    has_channel = np.ones(len(grid), dtype=bool)
    for segment in leads.segments:
        part = grid[[s == segment for s in grid["segment"]]]
        channel = _of_channel(spend, segment)
        has_channel[part.index] = channel is not None
        if channel is not None:
            spent[part.index] = spend_between(channel, [windows[i] for i in part.index])
    covered = is_covered(spend, windows)
    spent[~covered] = np.nan
    flags = {"spend-not-covered": ~covered, "no-spend-channel": ~has_channel}
    cost = share(spent, grid["mqls"])
    won = np.where(grid["has_won"] > 0, grid["won"], np.nan)
    out = [
        metric_rows(grid, "spend", spent, flags=flags),
        metric_rows(grid, "cost_per_mql", cost, n=grid["mqls"], flags=flags),
        metric_rows(grid, "cost_per_sql", share(spent, grid["sqls"]), n=grid["sqls"], flags=flags),
        metric_rows(grid, "wasted_cost", grid["breached"] * cost, n=grid["breached"], flags=flags),
        _rolling(leads, grid, spend=spend, lag=lag),
    ]
    if (grid["has_won"] > 0).any():
        out.append(
            metric_rows(grid, "return_on_spend", share(won, spent), n=grid["mqls"], flags=flags)
        )
    return pd.concat(out, ignore_index=True)


def _wide(leads: LeadTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Return mqls, sqls, breached and the amount won, by segment and bucket index."""
    index = {b.label: i for i, b in enumerate(leads.buckets)} | {leads.whole.label: TOTAL_BUCKET}
    names = {"mqls": "mqls", "sqls": "sqls", "sla_breached": "breached"}
    part = rows[rows["metric"].isin(names)]
    wide = part.assign(bucket=part["bucket"].map(index), metric=part["metric"].map(names))
    wide = wide.pivot(index=["segment", "bucket"], columns="metric", values="value").reset_index()
    cohort = leads.cohort
    cents = (cohort["amount"] * 1_000_000).round().cast("int64").fill_null(0)
    won = leads.totals({"won": cents, "has_won": cohort["amount"].notnull()})
    won["won"] /= 1_000_000
    return wide.merge(won, on=["segment", "bucket"], how="left")


def _of_channel(spend: pd.DataFrame, segment: Segment) -> pd.DataFrame | None:
    """Return the spend of a segment's channel; None where no channel carries its name."""
    if segment == ALL_LEADS:
        return spend
    if len(segment) > 1 or segment[0][0] not in CHANNEL_COLUMNS:
        return None
    channel = spend[spend["channel"] == segment[0][1]]
    return channel if len(channel) else None


def _rolling(
    leads: LeadTable, grid: pd.DataFrame, *, spend: pd.DataFrame, lag: int
) -> pd.DataFrame:
    """Return the rolling cost of all leads, reaching back before the period."""
    frame = rolling_cost(leads, spend=spend, lags=[lag])
    is_all = pd.Series([s == ALL_LEADS for s in grid["segment"]])
    grid = grid[is_all & (grid["index"] != TOTAL_BUCKET)]
    return metric_rows(
        grid.reset_index(drop=True),
        "cost_per_mql_rolling",
        frame["rolling"],
        n=frame["rolling_mqls"],
        flags={"spend-not-covered": ~frame["is_covered"].to_numpy(dtype=bool)},
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
    k = leads.params.rolling
    is_known = _since_first_mql(leads, buckets)
    frames = []
    for lag in lags:
        windows = [spend_window(b, lag_days=lag) for b in buckets]
        covered = is_covered(spend, windows)
        spent = np.where(covered, spend_between(spend, windows), np.nan)
        usable = np.where(is_known, spent, np.nan)
        sums = pd.Series(usable).rolling(k, min_periods=k).sum().to_numpy()
        counts = pd.Series(mqls.astype(float)).rolling(k, min_periods=k).sum().to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "lag_days": lag,
                    "bucket": [b.label for b in buckets],
                    "start": [b.start for b in buckets],
                    "cost": share(spent, mqls),
                    "rolling": share(sums, counts),
                    "rolling_mqls": counts,
                    "is_covered": pd.Series(covered).rolling(k, min_periods=k).min().fillna(0) > 0,
                }
            ).iloc[len(leads.earlier) :]
        )
    return pd.concat(frames, ignore_index=True)


def _mqls_with_earlier(leads: LeadTable) -> npt.NDArray[np.int64]:
    table = leads.table.filter(leads.table["mql_bucket"].notnull())
    counts = table.group_by("mql_bucket").aggregate(n=table.count()).to_pyarrow().to_pylist()
    by_bucket = {row["mql_bucket"]: row["n"] for row in counts}
    span = range(-len(leads.earlier), len(leads.buckets))
    return np.array([by_bucket.get(i, 0) for i in span], dtype="int64")


def _since_first_mql(leads: LeadTable, buckets: Sequence[Bucket]) -> npt.NDArray[np.bool_]:
    first = leads.table["mql_at"].min().to_pyarrow().as_py()
    if first is None:
        return np.zeros(len(buckets), dtype=bool)
    day = pd.Timestamp(first, tz="UTC").tz_convert(leads.zone).date()
    start = leads.params.calendar.start_of(day, leads.params.grain)
    return np.array([b.start >= start for b in buckets], dtype=bool)


def unnamed_channels(leads: LeadTable, spend: pd.DataFrame) -> pd.DataFrame:
    """Return spend in channels that no lead names as its source: ``channel``, ``amount``."""
    sources = set(leads.table.select("source").distinct().to_pyarrow()["source"].to_pylist())
    other = spend[~spend["channel"].isin(sources)]
    sums = other.groupby(other["channel"].fillna("(none)"))["amount"].sum().reset_index()
    return sums.sort_values(["amount", "channel"], ascending=[False, True], ignore_index=True)
