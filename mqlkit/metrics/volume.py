"""MQLs, open MQLs, and how they stand against the goal."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import DAY, Calendar
from mqlkit.leads.durations import EXITS
from mqlkit.leads.integers import start_us
from mqlkit.leads.table import SEGMENT, LeadTable
from mqlkit.metrics.forecast import forecast_rows
from mqlkit.metrics.goals import goal_rows
from mqlkit.metrics.tidy import complete, metric_rows, not_recorded, pick
from mqlkit.stats.intervals import count_bounds

CALENDAR = Calendar()
MOST_WEEKS = timedelta(weeks=52)


def mql_volume(
    leads: LeadTable, *, goals: pd.DataFrame | None = None, spend: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return MQLs, the stock of them and how they stand against the goal.

    Parameters
    ----------
    leads
        The lead table.
    goals, spend
        As in `goal_rows`; None without any.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of mqls, in_stage, with goals those of `goal_rows`, and those of `forecast_rows`
        (metrics.md §3).
    """
    counted = leads.counts
    rows = [metric_rows(counted, "mqls", counted["mqls"]), _stock(leads)]
    if goals is not None:
        rows += goal_rows(leads, goals, spend=spend)
    rows += forecast_rows(leads, pd.concat(rows, ignore_index=True))
    return pd.concat(rows, ignore_index=True)


def weekly_mqls(leads: LeadTable) -> npt.NDArray[np.int64]:
    """Return the MQLs of the last 52 whole weeks up to the as-of date, the oldest first.

    Weeks begin on Monday in the report's time zone; the first one is that of the first MQL.
    """
    if leads.first_mql is None:
        return np.zeros(0, dtype=np.int64)
    over = leads.as_of.on if leads.as_of.cutoff > leads.as_of.at else leads.as_of.on + DAY
    end = CALENDAR.start_of(over, "week")
    start = max(CALENDAR.start_of(leads.first_mql, "week"), end - MOST_WEEKS)
    weeks = CALENDAR.cut(start, end, "week") if start < end else []
    if not weeks:
        return np.zeros(0, dtype=np.int64)
    edges = [start_us(day, leads.zone) for day in [*(week.start for week in weeks), end]]
    found = leads.mqls_between(edges)
    counts = np.bincount(found["place"], found["mqls"], minlength=len(edges) + 1)
    return counts[1 : len(edges)].astype(np.int64)


def _stock(leads: LeadTable) -> pd.DataFrame:
    """Return who is an MQL at each bucket's end: entered before it and not left before it.

    Null where no decision is recorded.
    """
    grid = leads.stock
    if not leads.is_recorded(*EXITS):
        return not_recorded(grid, "in_stage")
    last = grid.groupby(SEGMENT)["in_stage"].transform(lambda s: s.iloc[len(leads.buckets) - 1])
    is_total = grid["bucket"] == leads.whole.label
    return metric_rows(grid, "in_stage", np.where(is_total, last, grid["in_stage"]))


def mqls_range(rows: pd.DataFrame, *, bursts: float) -> pd.DataFrame:
    """Return what chance alone could make of the MQLs of each bucket: ``low`` and ``high``.

    Parameters
    ----------
    rows
        Tidy rows; reads mqls of all leads.
    bursts
        Variance of weekly MQLs by their mean.

    Returns
    -------
    pandas.DataFrame
        ``bucket``, ``start``, ``end``, ``low`` and ``high``, the 95 % bounds of
        `intervals.count_bounds`.
    """
    part = pick(rows, "mqls")
    low, high = count_bounds(part["value"], bursts=bursts)
    return part[["bucket", "start", "end"]].assign(low=low, high=high)


class AgainstGoal(NamedTuple):
    """The latest complete bucket, and how many complete buckets up to it were below their goal."""

    bucket: str
    n_below: int


def latest_against_goal(rows: pd.DataFrame) -> AgainstGoal | None:
    """Return how the latest complete bucket stands to its goal; None if it has none.

    Parameters
    ----------
    rows
        Tidy rows; reads goal_gap of all leads.
    """
    gaps = complete(rows, "goal_gap")
    if gaps.empty or np.isnan(gaps["value"].iloc[-1]):
        return None
    is_below = gaps["value"].to_numpy(dtype=float) < 0
    n_below = len(is_below) if is_below.all() else int(np.argmin(is_below[::-1]))
    return AgainstGoal(str(gaps["bucket"].iloc[-1]), n_below)
