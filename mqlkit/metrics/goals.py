"""MQLs, SQLs and spend against the goals of each month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.names import NOT_RECORDED
from mqlkit.core.periods import DAY, add_months
from mqlkit.leads.table import ALL_LEADS, SEGMENT, LeadTable, Segment
from mqlkit.metrics.spend import Spent, Where, spent_in
from mqlkit.metrics.tidy import metric_rows, share

Floats = npt.NDArray[np.float64]


def kept_goals(goals: pd.DataFrame | None, where: Where) -> pd.DataFrame | None:
    """Return the goals of the leads that a report keeps; None where there are none.

    A goal of all leads says nothing about some of them. With a filter on the column that the goals
    are by, those of the values kept remain.
    """
    if goals is None or not where:
        return goals
    columns = set(goals["by"]) - {""}
    if set(where) != columns:
        return None
    (values,) = where.values()
    kept = goals[(goals["by"] != "") & goals["name"].isin([str(value) for value in values])]
    return kept.reset_index(drop=True) if len(kept) else None


def goal_rows(
    leads: LeadTable, goals: pd.DataFrame, *, spend: pd.DataFrame | None = None
) -> list[pd.DataFrame]:
    """Return MQLs, SQLs dated in the bucket and spend in the bucket against their goals.

    Parameters
    ----------
    leads
        The lead table.
    goals
        As in `sources.goals.read_goals`.
    spend
        As in `spent_in`; None without spend.

    Returns
    -------
    list of pandas.DataFrame
        Tidy rows of goal, goal_attainment, goal_gap, goal_to_date, needed_per_day, and those of
        goal_sqls and goal_spend where there are such goals (metrics.md §3).
    """
    counted = leads.counts
    rows = _against(leads, goals, "mqls", counted["mqls"])
    if goals["sqls"].notna().any():
        is_recorded = leads.is_recorded("sql")
        flow = leads.flow["flow"] if is_recorded else np.full(len(counted), np.nan)
        rows += _against(leads, goals, "sqls", flow, flags={NOT_RECORDED: not is_recorded})
    if goals["spend"].notna().any():
        none = Spent(np.full(len(counted), np.nan), {})
        # Spend is planned for the days on which it is spent: no lag.
        spent = none if spend is None else spent_in(leads, spend=spend, lag=0)
        rows += _against(leads, goals, "spend", spent.amount, flags=spent.flags)
    return rows


def _against(
    leads: LeadTable,
    goals: pd.DataFrame,
    column: str,
    reached: npt.ArrayLike,
    *,
    flags: Mapping[str, npt.ArrayLike] | None = None,
) -> list[pd.DataFrame]:
    """Return the rows of one kind of goal, of the segments that have any."""
    months = monthly_goals(goals, column)
    counted = leads.counts
    is_set = np.array(pd.MultiIndex.from_frame(counted[SEGMENT]).isin(list(months)))
    grid = counted[is_set].reset_index(drop=True)
    if grid.empty:
        return []
    goal = _goals_of(grid, months)
    name = "goal" if column == "mqls" else f"goal_{column}"
    got = np.asarray(reached, dtype=float)[is_set]
    marks = {
        flag: np.broadcast_to(mask, len(counted))[is_set] for flag, mask in (flags or {}).items()
    }
    rows = [
        metric_rows(grid, name, goal),
        metric_rows(grid, f"{name}_attainment", share(got, goal), flags=marks),
        metric_rows(grid, f"{name}_gap", got - goal, flags=marks),
    ]
    return [*rows, *_pace(leads, grid, goal)] if column == "mqls" else rows


def monthly_goals(goals: pd.DataFrame, column: str) -> dict[Segment, dict[date, float]]:
    """Return the goals of one kind by segment and month.

    Month by month, the goal of all leads is the one set for all, else the sum of the segments'.
    """
    found = goals[goals[column].notna()]
    by_month: dict[Segment, dict[date, float]] = {}
    total: dict[date, float] = {}
    for at, by, name, value in zip(*(found[c] for c in ("month", *SEGMENT, column)), strict=True):
        month = at.date() if isinstance(at, datetime) else at
        by_month.setdefault((by, name), {})[month] = float(value)
        if by:
            total[month] = total.get(month, 0.0) + float(value)
    return {**by_month, ALL_LEADS: {**total, **by_month.get(ALL_LEADS, {})}}


def _goals_of(grid: pd.DataFrame, months: Mapping[Segment, Mapping[date, float]]) -> Floats:
    """Return the goal of each row; NaN where a month of its bucket has none."""
    spans = zip(grid["by"], grid["name"], grid["start"], grid["end"], strict=True)
    return np.array([goal_of(months[by, name], start, end) for by, name, start, end in spans])


def goal_of(months: Mapping[date, float], start: date, end: date) -> float:
    """Return the goal of a bucket: monthly goals, each shared evenly over the days of its month.

    NaN where a month of the bucket has no goal.
    """
    total, month = 0.0, start.replace(day=1)
    while month < end:
        after = add_months(month, 1)
        days, size = (min(after, end) - max(month, start)).days, (after - month).days
        goal = months.get(month, math.nan)
        total += goal if days == size else goal * days / size
        month = after
    return total


def _pace(leads: LeadTable, grid: pd.DataFrame, goal: Floats) -> list[pd.DataFrame]:
    """Return goal_to_date and needed_per_day of the buckets in progress."""
    is_open = np.array(["in-progress" in flags for flags in grid["flags"]], dtype=bool)
    if not is_open.any():
        return []
    part = grid[is_open].reset_index(drop=True)
    spans = zip(part["start"], part["end"], strict=True)
    over, left = np.array([elapsed(leads, start, end) for start, end in spans]).T
    needed = share(goal[is_open] - part["mqls"].to_numpy(dtype=float), left)
    return [
        metric_rows(part, "goal_to_date", goal[is_open] * over),
        metric_rows(part, "needed_per_day", needed),
    ]


def elapsed(leads: LeadTable, start: date, end: date) -> tuple[float, float]:
    """Return the share of a bucket that is over, and the days left of it, by the wall's clock."""
    now = leads.as_of.at.astimezone(leads.zone).replace(tzinfo=None)
    first, last = (datetime.combine(day, time.min) for day in (start, end))
    over = min(max((now - first) / (last - first), 0.0), 1.0)
    return over, (last - max(now, first)) / DAY
