"""MQLs against the goal, and open MQLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

import numpy as np
import pandas as pd

from mqlkit.core.periods import DAY, Bucket, add_months
from mqlkit.leads.table import ALL_LEADS, SEGMENT, LeadTable
from mqlkit.metrics.tidy import metric_rows, share


def kept_goals(
    goals: pd.DataFrame | None, where: Mapping[str, Sequence[str]]
) -> pd.DataFrame | None:
    """Return the goals of the leads that a report keeps; None where nobody has set them any.

    A goal is for all leads or for a source. What is set for all says nothing of some of them: they
    would always fall short of it.
    """
    if goals is None or not where:
        return goals
    wanted = set(where.get("source", ()))
    is_set = set(where) == {"source"} and wanted <= set(goals["source"])
    return goals[goals["source"].isin(wanted)] if is_set else None


def mql_volume(leads: LeadTable, *, goals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return MQLs, the stock of them and how they stand against the goal.

    Parameters
    ----------
    leads
        The lead table.
    goals
        ``month`` (first day), ``source`` (empty for all leads), ``mqls``.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of mqls, in_stage and, with goals, goal, goal_attainment, goal_gap, goal_to_date
        and needed_per_day (metrics.md §3).
    """
    counted = leads.counts
    rows = [metric_rows(counted, "mqls", counted["mqls"]), _stock(leads)]
    if goals is not None:
        rows += _against_goal(leads, counted, goals)
    return pd.concat(rows, ignore_index=True)


def _stock(leads: LeadTable) -> pd.DataFrame:
    """Return who is an MQL at each bucket's end: entered before it and not left before it."""
    grid = leads.stock
    last = grid.groupby(SEGMENT)["in_stage"].transform(lambda s: s.iloc[len(leads.buckets) - 1])
    is_total = grid["bucket"] == leads.whole.label
    return metric_rows(grid, "in_stage", np.where(is_total, last, grid["in_stage"]))


def goal_of(goals: pd.DataFrame, bucket: Bucket) -> float:
    """Return the goal of a bucket: monthly goals, each shared evenly over the days of its month.

    NaN where a month of the bucket has no goal.
    """
    by_month = {_as_date(m): float(g) for m, g in zip(goals["month"], goals["mqls"], strict=True)}
    total, month = 0.0, bucket.start.replace(day=1)
    while month < bucket.end:
        after = add_months(month, 1)
        days = (min(after, bucket.end) - max(month, bucket.start)).days
        whole = days == (after - month).days
        goal = by_month.get(month, float("nan"))
        total += goal if whole else goal * days / ((after - month) / DAY)
        month = after
    return total


def _as_date(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _against_goal(
    leads: LeadTable, counted: pd.DataFrame, goals: pd.DataFrame
) -> list[pd.DataFrame]:
    of_segment = {("source", s) if s else ALL_LEADS: g for s, g in goals.groupby("source")}
    if ALL_LEADS not in of_segment:
        of_segment[ALL_LEADS] = goals.groupby("month")["mqls"].sum().reset_index()
    is_set = pd.MultiIndex.from_frame(counted[SEGMENT]).isin(list(of_segment))
    grid = counted[is_set].reset_index(drop=True)
    if grid.empty:
        return []
    spans = [
        Bucket(b, s, e) for b, s, e in zip(grid["bucket"], grid["start"], grid["end"], strict=True)
    ]
    goal = np.array(
        [
            goal_of(of_segment[by, name], bucket)
            for by, name, bucket in zip(grid["by"], grid["name"], spans, strict=True)
        ]
    )
    mqls = grid["mqls"].to_numpy(dtype=float)
    rows = [
        metric_rows(grid, "goal", goal),
        metric_rows(grid, "goal_attainment", share(mqls, goal)),
        metric_rows(grid, "goal_gap", mqls - goal),
    ]
    return rows + _in_progress(leads, grid, goal, spans)


def _in_progress(
    leads: LeadTable, grid: pd.DataFrame, goal: np.ndarray, spans: list[Bucket]
) -> list[pd.DataFrame]:
    is_open = np.array(["in-progress" in flags for flags in grid["flags"]], dtype=bool)
    if not is_open.any():
        return []
    part = grid[is_open].reset_index(drop=True)
    over, left = np.array(
        [_elapsed(leads, b) for b, is_in in zip(spans, is_open, strict=True) if is_in]
    ).T
    to_date = goal[is_open] * over
    needed = share(goal[is_open] - part["mqls"].to_numpy(dtype=float), left)
    return [
        metric_rows(part, "goal_to_date", to_date),
        metric_rows(part, "needed_per_day", needed),
    ]


def _elapsed(leads: LeadTable, bucket: Bucket) -> tuple[float, float]:
    """Return the share of a bucket that is over, and the days left of it, by the wall's clock."""
    now = leads.as_of.at.astimezone(leads.zone).replace(tzinfo=None)
    start, end = (datetime.combine(day, time.min) for day in (bucket.start, bucket.end))
    over = min(max((now - start) / (end - start), 0.0), 1.0)
    return over, (end - max(now, start)) / DAY
