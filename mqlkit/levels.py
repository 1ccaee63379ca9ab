"""Leads in every group that they count in: what does not add up needs them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy.typing as npt
import pandas as pd

from mqlkit.engine import to_arrays
from mqlkit.leads import TOTAL_BUCKET, LeadTable, breakdown
from mqlkit.survival import Floats, Waits, in_time

Measure = Callable[[Waits], Mapping[str, Floats]]


def cuts_of(by: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all leads, as the empty tuple, and each breakdown, in the order of the segments.

    >>> cuts_of(["source", "owner"])
    [(), ('owner',), ('source',)]
    """
    return [(), *((column,) for column in sorted(by))]


def at_levels(
    leads: LeadTable,
    seen: ir.Table,
    *,
    time: ir.IntegerValue,
    kind: ir.IntegerValue,
    measure: Measure,
) -> pd.DataFrame:
    """Return what is measured of the waits of every segment, in each bucket and over the period.

    Parameters
    ----------
    leads
        The lead table; reads its segments.
    seen
        Leads of its cohort.
    time, kind
        Columns of ``seen``, as `survival.in_time` has them.
    measure
        Is given the waits of many groups, and returns columns with a value for each.

    Returns
    -------
    pandas.DataFrame
        ``segment``, ``bucket`` (index; `TOTAL_BUCKET` is the whole period) and those columns, for
        groups with a lead.
    """
    size, segments = len(leads.buckets) + 1, leads.segments
    numbered, cuts = _numbered(leads, seen.mutate(_time=time, _kind=kind.cast("int8")))
    bucket = numbered["mql_bucket"].cast("int32")
    found = to_arrays(numbered.select("_time", "_kind", bucket=bucket, **cuts))
    _sort(found)

    def measured(group: npt.NDArray[Any]) -> pd.DataFrame:
        waits = Waits.of(group, found["_time"], found["_kind"], groups=len(segments) * size)
        return pd.DataFrame(measure(waits))[waits.size > 0]

    spans = (found["bucket"], size - 1)
    frame = pd.concat([measured(found[cut] * size + span) for cut in cuts for span in spans])
    frame["segment"] = pd.Series([segments[i] for i in frame.index // size], frame.index, object)
    frame["bucket"] = (frame.index % size).where(frame.index % size < size - 1, TOTAL_BUCKET)
    return frame.reset_index(drop=True)


def _sort(found: dict[str, npt.NDArray[Any]]) -> None:
    """Put arrays in the order of `survival.in_time`, one by one: they are large."""
    order = in_time(found["_time"], found["_kind"])
    for name in found:
        found[name] = found[name][order]


def _numbered(leads: LeadTable, seen: ir.Table) -> tuple[ir.Table, dict[str, ir.IntegerValue]]:
    """Return leads with the number of their segment in each cut, and those columns."""
    number = {segment: i for i, segment in enumerate(leads.segments)}
    cuts = {"all": ibis.literal(number[()]).cast("int16")} if () in number else {}
    for i, column in enumerate(leads.params.by):
        rows = [
            {breakdown(i): s[0][1], f"_{i}": n}
            for s, n in number.items()
            if s and s[0][0] == column
        ]
        schema = {breakdown(i): "string", f"_{i}": "int32"}
        seen = seen.join(ibis.memtable(rows, schema=schema), breakdown(i))
        cuts[f"_{i}"] = seen[f"_{i}"]
    return seen, cuts


def narrowed(leads: LeadTable, cuts: Sequence[tuple[str, ...]]) -> LeadTable:
    """Return the same leads with some of `cuts_of` only; what is counted stays counted."""
    by = [column for cut in cuts for column in cut]
    places = {breakdown(i): breakdown(leads.params.by.index(c)) for i, c in enumerate(by)}
    table = leads.table.mutate(**{new: leads.table[old] for new, old in places.items()})
    clock = replace(leads.clock, params=replace(leads.params, by=by))
    narrow = replace(leads, table=table, clock=clock)
    kept = [s for s in leads.segments if tuple(column for column, _ in s) in cuts]
    counted = {name: getattr(leads, name) for name in ("counted", "flowing", "waiting")}
    vars(narrow).update(counted, segments=tuple(kept))
    return narrow
