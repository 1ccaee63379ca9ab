"""Sorted waits of a cohort, by segment and bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.leads.cube import CubeTable, SortedWaits
from mqlkit.leads.outcomes import exit_event, sql_event
from mqlkit.leads.table import ALL_LEADS, SEGMENT, TOTAL_BUCKET, LeadTable, breakdown
from mqlkit.sources.store import to_arrays
from mqlkit.stats.survival import Floats, Waits, in_time

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
    cuts
        Index of the segment of each lead in `LeadTable.segments`: for all leads, and for each
        breakdown.
    """

    time: npt.NDArray[Any]
    kind: npt.NDArray[Any]
    bucket: npt.NDArray[Any]
    cuts: Sequence[npt.NDArray[Any]]


def cuts_of(by: Sequence[str]) -> list[str]:
    """Return the empty string, for all leads, and each breakdown, in the order of the segments.

    >>> cuts_of(["source", "owner"])
    ['', 'owner', 'source']
    """
    return ["", *sorted(by)]


def time_in_stage(leads: LeadTable) -> WaitTimes:
    """Return time in stage of the in-order cohort; kind 1 is an exit."""
    if isinstance(leads, CubeTable):
        return _picked(leads, leads.cube.time_in_stage)
    return _asked(leads, exit_event)


def time_to_sql(leads: LeadTable) -> WaitTimes:
    """Return time to SQL or rejection of the in-order cohort; see `outcomes.sql_event`."""
    if isinstance(leads, CubeTable):
        return _picked(leads, leads.cube.time_to_sql)
    return _asked(leads, sql_event)


def by_segment(leads: LeadTable, waits: WaitTimes, measure: Measure) -> pd.DataFrame:
    """Apply a measure to the waits of every segment, in each bucket and over the period.

    Parameters
    ----------
    leads
        The lead table, for its segments.
    waits
        Waits of its cohort.
    measure
        Takes the waits of many groups and returns columns with one value per group.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``name``, ``bucket`` (index; `TOTAL_BUCKET` is the whole period) and the columns of
        ``measure``, for groups with a lead.
    """
    size, segments = len(leads.buckets) + 1, leads.segments

    def measured(group: npt.NDArray[Any]) -> pd.DataFrame:
        grouped = Waits.of(group, waits.time, waits.kind, groups=len(segments) * size)
        return pd.DataFrame(measure(grouped))[grouped.size > 0]

    spans = (waits.bucket, size - 1)
    frame = pd.concat([measured(cut * size + span) for cut in waits.cuts for span in spans])
    for place, column in enumerate(SEGMENT):
        names = np.array([segment[place] for segment in segments], dtype=object)
        frame[column] = names[frame.index // size]
    frame["bucket"] = (frame.index % size).where(frame.index % size < size - 1, TOTAL_BUCKET)
    return frame.reset_index(drop=True)


def _asked(
    leads: LeadTable, timing: Callable[[ir.Table], tuple[ir.IntegerValue, ir.IntegerValue]]
) -> WaitTimes:
    """Query the waits of the in-order cohort."""
    seen = leads.cohort.filter(lambda t: t["is_in_order"])
    time, kind = timing(seen)
    numbered, cuts = _numbered(leads, seen.mutate(_time=time, _kind=kind.cast("int8")))
    bucket = numbered["mql_bucket"].cast("int32")
    found = to_arrays(numbered.select("_time", "_kind", bucket=bucket, **cuts))
    order = in_time(found["_time"], found["_kind"])
    # One at a time, because the arrays are large.
    for name in found:
        found[name] = found[name][order]
    return WaitTimes(found["_time"], found["_kind"], found["bucket"], [found[cut] for cut in cuts])


def _picked(leads: CubeTable, waits: SortedWaits) -> WaitTimes:
    """Select the waits of the cohort from the cube."""
    cube, number = leads.cube, {segment: i for i, segment in enumerate(leads.segments)}
    bucket = waits.places(leads.buckets)
    rows = np.flatnonzero((bucket >= 0) & cube.matches(waits.codes, leads.params.where))
    cuts = [np.full(len(rows), number[ALL_LEADS], dtype=np.int32)] if ALL_LEADS in number else []
    for column in leads.params.by:
        places = [number.get((column, value), -1) for value in cube.values[column]]
        cuts.append(np.array(places, dtype=np.int32)[waits.codes[column][rows]])
    return WaitTimes(waits.time[rows], waits.kind[rows], bucket[rows], cuts)


def _numbered(leads: LeadTable, seen: ir.Table) -> tuple[ir.Table, dict[str, ir.IntegerValue]]:
    """Add the segment index of each breakdown, and return these columns."""
    number = {segment: i for i, segment in enumerate(leads.segments)}
    cuts = {}
    if ALL_LEADS in number:
        cuts["all"] = ibis.literal(number[ALL_LEADS]).cast("int16")
    for i, column in enumerate(leads.params.by):
        rows = [
            {breakdown(i): name, f"_{i}": n} for (by, name), n in number.items() if by == column
        ]
        schema = {breakdown(i): "string", f"_{i}": "int32"}
        seen = seen.join(ibis.memtable(rows, schema=schema), breakdown(i))
        cuts[f"_{i}"] = seen[f"_{i}"]
    return seen, cuts


def narrowed(leads: LeadTable, cuts: Sequence[str]) -> LeadTable:
    """Return the same leads with only some of `cuts_of`; computed sums are reused."""
    by = [column for column in cuts if column]
    places = {breakdown(i): breakdown(leads.params.by.index(c)) for i, c in enumerate(by)}
    table = leads.table.mutate(**{new: leads.table[old] for new, old in places.items()})
    clock = replace(leads.clock, params=replace(leads.params, by=by))
    narrow = replace(leads, table=table, clock=clock)
    kept = [segment for segment in leads.segments if segment[0] in cuts]
    counted = {name: getattr(leads, name) for name in ("counted", "flowing", "waiting")}
    vars(narrow).update(counted, segments=tuple(kept))
    return narrow
