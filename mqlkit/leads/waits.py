"""Sorted waits of a cohort, by segment and bucket."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.leads.cache import COHORT
from mqlkit.leads.cube import SortedWaits
from mqlkit.leads.funnel import TIME_IN_STAGE
from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.stats.survival import Floats, Waits

Measure = Callable[[Waits], Mapping[str, Floats]]


@dataclass(frozen=True, eq=False)
class WaitTimes:
    """Waits of a cohort, in the order of `survival.in_time`.

    Attributes
    ----------
    time, kind
        As in `survival.in_time`.
    bucket
        Index of the bucket of each lead.
    codes
        Index of the segment of each lead in `LeadTable.names_of`, by breakdown.
    """

    time: npt.NDArray[Any]
    kind: npt.NDArray[Any]
    bucket: npt.NDArray[Any]
    codes: Mapping[str, npt.NDArray[Any]]

    @property
    def in_order(self) -> WaitTimes:
        """Return the waits of the leads whose events are in order."""
        rows = slice(int(np.searchsorted(self.time, 0)), None)
        codes = {by: code[rows] for by, code in self.codes.items()}
        return WaitTimes(self.time[rows], self.kind[rows], self.bucket[rows], codes)


def time_in_stage(leads: LeadTable) -> WaitTimes:
    """Return time in stage of the in-order cohort; kind 1 is an exit."""
    return of_cohort(leads, leads.cube.step(TIME_IN_STAGE))


def of_cohort(leads: LeadTable, waits: SortedWaits) -> WaitTimes:
    """Return the waits of leads that entered the stage in the period and match the filter."""
    bucket = waits.places(leads.buckets)
    rows = np.flatnonzero((bucket >= 0) & leads.cube.matches(waits.codes))
    codes = {by: waits.codes[by][rows] for by in leads.params.by}
    return WaitTimes(waits.time[rows], waits.kind[rows], bucket[rows], codes)


def sums_by_segment(
    leads: LeadTable, waits: WaitTimes, values: Mapping[str, npt.NDArray[Any]]
) -> pd.DataFrame:
    """Return sums over the leads of every segment, in each bucket and over the period.

    Parameters
    ----------
    leads
        The lead table, for its segments.
    waits
        The leads.
    values
        Numbers or conditions by name, one per lead.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``name``, ``bucket`` (index; `TOTAL_BUCKET` is the whole period) and the sums, for
        groups with a lead.
    """
    size, frames = len(leads.buckets), []
    index = np.array([*range(size), TOTAL_BUCKET])
    for by in ("", *leads.params.by):
        group, names = _segments(leads, waits, by)
        total = partial(_totals, group * size + waits.bucket, (len(names), size))
        key = {"by": by, "name": np.repeat(names, size + 1), "bucket": np.tile(index, len(names))}
        frame = pd.DataFrame({**key, **{name: total(value) for name, value in values.items()}})
        frames.append(frame[total(None) > 0])
    return pd.concat(frames, ignore_index=True)


def _totals(
    cell: npt.NDArray[Any], shape: tuple[int, int], value: npt.NDArray[Any] | None
) -> npt.NDArray[Any]:
    """Return the sums by segment and bucket, and after the buckets of a segment their total."""
    cells = np.bincount(cell, value, minlength=shape[0] * shape[1]).reshape(shape)
    return np.hstack([cells, cells.sum(axis=1, keepdims=True)]).ravel()


def _segments(
    leads: LeadTable, waits: WaitTimes, by: str
) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Return the number of the segment of each lead, or one number for all, and their names."""
    if not by:
        return np.zeros(1, dtype=np.int32), np.array([""], dtype=object)
    numbers, names = pd.factorize(leads.names_of(by))
    return numbers.astype(np.int32)[waits.codes[by]], np.asarray(names, dtype=object)


def by_segment(
    leads: LeadTable,
    waits: Callable[[LeadTable], WaitTimes],
    measure: Measure,
    *,
    depends_on: Sequence[str],
    of: Hashable = (),
) -> pd.DataFrame:
    """Apply a measure to the waits of every segment, in each bucket and over the period.

    Parameters
    ----------
    leads
        The lead table, for its segments.
    waits
        Returns the waits of its cohort, such as `time_in_stage`.
    measure
        Takes the waits of many groups and returns columns with one value per group.
    depends_on
        Parameters that waits and measure depend on, beside those that choose the cohort.
    of
        What else they depend on.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``name``, ``bucket`` (index; `TOTAL_BUCKET` is the whole period) and the columns of
        ``measure``, for groups with a lead.
    """
    cohort = cache(lambda: waits(leads))

    def measured(by: str) -> Callable[[], pd.DataFrame]:
        return lambda: _measured(leads, cohort(), measure, by)

    choice = [*depends_on, *COHORT, "grain", "redact"]
    name = f"{measure.__module__}.{measure.__qualname__}"
    frames = [
        leads.cache.get(name, leads.params, measured(by), depends_on=choice, of=(by, of))
        for by in ("", *leads.params.by)
    ]
    return pd.concat(frames, ignore_index=True)


def _measured(leads: LeadTable, waits: WaitTimes, measure: Measure, by: str) -> pd.DataFrame:
    """Return a measure by the values of one breakdown, or of all leads."""
    size = len(leads.buckets) + 1
    group, names = _segments(leads, waits, by)
    frames = []
    for bucket in (waits.bucket, size - 1):
        cells = np.broadcast_to(group * size + bucket, waits.time.shape)
        grouped = Waits.of(cells, waits.time, waits.kind, groups=len(names) * size)
        frames.append(pd.DataFrame(measure(grouped))[grouped.size > 0])
    found = pd.concat(frames)
    index = found.index % size
    return found.assign(
        by=by,
        name=names[found.index // size],
        bucket=np.where(index < size - 1, index, TOTAL_BUCKET),
    )
