"""MQLs to expect by the end of the running bucket, from how earlier buckets went on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import TICK, Bucket, is_whole, to_utc
from mqlkit.leads.integers import micros, start_us
from mqlkit.leads.table import SEGMENT, LeadTable
from mqlkit.metrics.tidy import metric_rows
from mqlkit.stats.prediction import predicted, share_at_or_above, t_quantile

Ints = npt.NDArray[np.int64]
# Closed buckets that a forecast is made from.
FEWEST, MOST = 6, 12
# The interval holds this share of outcomes, if buckets go on as those before.
CONFIDENCE = 0.8
# What sums of counts divided by counts may be rounded by.
ROUNDED = 1e-9


@dataclass(frozen=True)
class Backtest:
    """How often the outcome of a closed bucket lay inside the interval forecast for it."""

    hits: int
    trials: int


@dataclass(frozen=True, eq=False)
class Course:
    """MQLs of the closed buckets and of the running one, before and after one elapsed share.

    Attributes
    ----------
    so_far, later
        MQLs up to the share, and after it. Shape (..., buckets), the running bucket last.
    """

    so_far: Ints
    later: Ints


def running_bucket(leads: LeadTable) -> Bucket | None:
    """Return the bucket of the period that the as-of date is inside; None where it is cut off."""
    for bucket in leads.buckets:
        start, end = (to_utc(day, leads.zone) for day in (bucket.start, bucket.end))
        if start < leads.as_of.cutoff and leads.as_of.at < end:
            return bucket if is_whole(bucket.label, bucket.start, bucket.end) else None
    return None


def closed_before(leads: LeadTable, bucket: Bucket) -> list[Bucket]:
    """Return the buckets before one, from that of the first MQL of the data on."""
    if leads.data_start is None:
        return []
    calendar, grain = leads.params.calendar, leads.params.grain
    start = calendar.start_of(leads.data_start, grain)
    return calendar.cut(start, bucket.start, grain) if start < bucket.start else []


def closed_buckets(leads: LeadTable) -> float:
    """Return the number of closed buckets that a forecast can use; NaN without a running one."""
    bucket = running_bucket(leads)
    return float("nan") if bucket is None else len(closed_before(leads, bucket)[-MOST:])


def forecast_rows(leads: LeadTable, goals: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the forecast of the running bucket and the probability of its goal.

    Parameters
    ----------
    leads
        The lead table.
    goals
        Tidy rows, among them goal; those of the running bucket are compared.

    Returns
    -------
    list of pandas.DataFrame
        Tidy rows of mqls_forecast with its 80 % prediction interval, and of goal_probability
        (metrics.md §3); ``n`` is the number of closed buckets. Empty without a running bucket;
        the forecast is null where there are fewer than 6 closed ones.
    """
    bucket = running_bucket(leads)
    if bucket is None:
        return []
    grid = leads.counts
    grid = grid[grid["bucket"] == bucket.label].reset_index(drop=True)
    closed = closed_before(leads, bucket)[-MOST:]
    n = np.full(len(grid), len(closed))
    if len(closed) < FEWEST:
        return [metric_rows(grid, "mqls_forecast", np.full(len(grid), np.nan), n=n)]
    course = _courses(leads, [*closed, bucket], grid)
    so_far = grid["mqls"].to_numpy(dtype=float)
    mean, error = predicted(course.later[:, :-1])
    half = t_quantile((1 + CONFIDENCE) / 2, len(closed) - 1) * error
    rows = [
        metric_rows(
            grid,
            "mqls_forecast",
            so_far + mean,
            n=n,
            low=so_far + np.maximum(mean - half, 0),
            high=so_far + mean + half,
        )
    ]
    goal = grid[SEGMENT].merge(_goals_in(goals, bucket), how="left", on=SEGMENT)["value"]
    is_set = goal.notna().to_numpy()
    if not is_set.any():
        return rows
    missing = goal.to_numpy(dtype=float) - so_far
    likely = share_at_or_above(missing, mean, error, df=len(closed) - 1)
    likely = np.where(missing <= 0, 1.0, likely)
    part = grid[is_set].reset_index(drop=True)
    return [*rows, metric_rows(part, "goal_probability", likely[is_set], n=n[is_set])]


def _goals_in(rows: pd.DataFrame, bucket: Bucket) -> pd.DataFrame:
    goals = rows[(rows["metric"] == "goal") & (rows["bucket"] == bucket.label)]
    return goals[[*SEGMENT, "value"]]


def backtest(leads: LeadTable) -> Backtest | None:
    """Return how the forecast at this elapsed share would have done in each closed bucket.

    Each is forecast from earlier buckets only, of all leads that the report keeps. None without a
    running bucket.
    """
    bucket = running_bucket(leads)
    if bucket is None:
        return None
    closed = closed_before(leads, bucket)
    if len(closed) <= FEWEST:
        return Backtest(0, 0)
    later = _course(leads, [*closed, bucket]).later
    is_inside = [
        _is_inside(later[at], later[max(at - MOST, 0) : at]) for at in range(FEWEST, len(closed))
    ]
    return Backtest(sum(is_inside), len(is_inside))


def _is_inside(outcome: float, before: Ints) -> bool:
    mean, error = predicted(before)
    half = t_quantile((1 + CONFIDENCE) / 2, len(before) - 1) * error
    return bool(abs(outcome - mean) <= half + ROUNDED)


def _course(leads: LeadTable, buckets: Sequence[Bucket]) -> Course:
    """Return the course of all leads."""
    found = leads.mqls_between(_instants(leads, buckets))
    return _course_of(found, len(buckets))


def _courses(leads: LeadTable, buckets: Sequence[Bucket], grid: pd.DataFrame) -> Course:
    """Return the course of each row of a grid, shape (rows, buckets)."""
    instants = _instants(leads, buckets)
    courses = {}
    for by in ("", *leads.params.by):
        found = leads.mqls_between(instants, by=by)
        for name, part in found.groupby("name"):
            courses[by, name] = _course_of(part, len(buckets))
    nothing = np.zeros(len(buckets), dtype=np.int64)
    rows = [
        courses.get(segment, Course(nothing, nothing))
        for segment in zip(grid["by"], grid["name"], strict=True)
    ]
    return Course(np.array([r.so_far for r in rows]), np.array([r.later for r in rows]))


def _course_of(found: pd.DataFrame, size: int) -> Course:
    """Return the course of MQLs by place among the instants of `_instants`."""
    places = found["place"].to_numpy(dtype=np.int64)
    counts = np.bincount(places, found["mqls"].to_numpy(dtype=float), minlength=2 * size + 1)
    early, late = counts[1:].astype(np.int64).reshape(size, 2).T
    return Course(early, late)


def _instants(leads: LeadTable, buckets: Sequence[Bucket]) -> list[int]:
    """Return the start of each bucket, and when as much of it was over as is of the last one."""
    running = buckets[-1]
    now = leads.as_of.at.astimezone(leads.zone).replace(tzinfo=None)
    passed = (now - datetime.combine(running.start, time.min)) // TICK
    # At a timestamp, what happens at that very moment has happened; at the end of a day, it is
    # the next day's.
    is_moment = leads.as_of.cutoff > leads.as_of.at
    found = []
    for bucket in buckets:
        over, rest = divmod(passed * bucket.days, running.days)
        over += 1 if is_moment or rest else 0
        at = datetime.combine(bucket.start, time.min) + over * TICK
        cut = at.replace(tzinfo=leads.zone).astimezone(UTC)
        found += [start_us(bucket.start, leads.zone), micros(cut)]
    return found
