"""The data as of a moment: how precise its stamps are, when it ends, what had happened by then."""

from __future__ import annotations

from datetime import UTC
from functools import reduce
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.engine import literal
from mqlkit.periods import AsOf
from mqlkit.terms import STAMPS


def stamp_precision(leads: ir.Table, events: ir.Table | None) -> tuple[set[str], set[str]]:
    """Return the stamps that are recorded at all, and those of them that hold only dates."""
    counts = {s: leads[s].count() for s in STAMPS}
    times = {f"{s}_timed": (leads[f"{s}_timed"] & leads[s].notnull()).any() for s in STAMPS}
    row = leads.aggregate(**counts, **times).to_pyarrow().to_pylist()[0]
    recorded = {s for s in STAMPS if row[s]}
    timed = {s for s in STAMPS if row[f"{s}_timed"]}
    if events is not None:
        by_stage = events.group_by("stage").aggregate(timed=events["at_timed"].any())
        for found in by_stage.to_pyarrow().to_pylist():
            recorded.add(f"{found['stage']}_at")
            timed |= {f"{found['stage']}_at"} if found["timed"] else set()
    return recorded, recorded - timed


def latest_moment(
    leads: ir.Table, events: ir.Table | None, dated: set[str], zone: ZoneInfo
) -> AsOf | None:
    """Return the cut-off by the latest stamp of any stage."""
    highest = leads.aggregate(**{s: leads[s].max() for s in STAMPS}).to_pyarrow().to_pylist()[0]
    found = [(s, at) for s, at in highest.items() if at is not None]
    if events is not None:
        by_stage = events.group_by("stage").aggregate(at=events["at"].max()).to_pyarrow()
        found += [(f"{row['stage']}_at", row["at"]) for row in by_stage.to_pylist()]
    cuts = []
    for name, naive in found:
        at = naive.replace(tzinfo=UTC)
        is_day = name in dated
        cuts.append(
            AsOf.end_of(at.astimezone(zone).date(), zone) if is_day else AsOf.stamp(at, zone)
        )
    return max(cuts, key=lambda cut: cut.cutoff, default=None)


def known_by(
    leads: ir.Table, events: ir.Table | None, as_of: AsOf
) -> tuple[ir.Table, ir.Table | None, int]:
    """Return leads and events without what has not happened yet, and how much that was."""
    cutoff = literal(as_of.cutoff)
    late = leads.aggregate(
        n=reduce(lambda a, b: a + b, [(leads[s] >= cutoff).sum().fill_null(0) for s in STAMPS])
    )
    n = int(late.to_pyarrow()["n"][0].as_py() or 0)
    none = ibis.null("timestamp")
    blanked = leads.mutate(**{s: (leads[s] < cutoff).ifelse(leads[s], none) for s in STAMPS})
    if events is None:
        return blanked, None, n
    n += int(events.filter(events["at"] >= cutoff).count().to_pyarrow().as_py())
    return blanked, events.filter(events["at"] < cutoff), n
