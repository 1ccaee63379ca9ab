"""Leads once for every group that they count in: what does not add up needs them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.engine import to_frame
from mqlkit.leads import ALL_LEADS, TOTAL_BUCKET, LeadTable, breakdown


def cuts_of(by: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all leads, as the empty tuple, and each breakdown, in the order of the segments.

    >>> cuts_of(["source", "owner"])
    [(), ('owner',), ('source',)]
    """
    return [(), *((column,) for column in sorted(by))]


def at_levels(leads: LeadTable, table: ir.Table) -> tuple[ir.Table, list[str]]:
    """Return leads once for every breakdown, cut in buckets and whole, with the group's key.

    Sums add up from the finest groups; medians and curves do not, and need all leads of a
    group side by side. The key is one number, which sorts in half the time of its parts.
    """
    size = len(leads.buckets) + 1
    keys = [*map(breakdown, range(len(leads.params.by)))]
    place = {segment: i * size for i, segment in enumerate(leads.segments)}
    rows = [
        dict(zip(keys, values, strict=True)) | {"place": place[segment], "cut": cut}
        for values in _together(leads, keys)
        for segment in (ALL_LEADS, *((p,) for p in zip(leads.params.by, values, strict=True)))
        if segment in place
        for cut in (True, False)
    ]
    schema = {**dict.fromkeys(keys, "string"), "place": "int32", "cut": "boolean"}
    places = ibis.memtable(rows, schema=schema)
    laid = table.join(places, keys) if keys else table.cross_join(places)
    group = laid["place"] + laid["cut"].ifelse(laid["mql_bucket"], size - 1)
    return laid.mutate(group=group.cast("int32")), ["group"]


def _together(leads: LeadTable, keys: list[str]) -> list[tuple[str, ...]]:
    """Return the values of the breakdowns that leads have together."""
    if len(keys) <= 1:
        return [tuple(value for _, value in s) for s in leads.segments if len(s) == len(keys)]
    return [*to_frame(leads.table.select(keys).distinct()).itertuples(index=False, name=None)]


def segmented(leads: LeadTable, grouped: ir.Table) -> pd.DataFrame:
    """Return an aggregate over `at_levels` with ``segment`` and ``bucket`` for its key."""
    frame, size = to_frame(grouped), len(leads.buckets) + 1
    group = frame.pop("group")
    segments = [leads.segments[i] for i in group // size]
    frame["segment"] = pd.Series(segments, index=frame.index, dtype=object)
    frame["bucket"] = (group % size).replace(size - 1, TOTAL_BUCKET)
    return frame


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
