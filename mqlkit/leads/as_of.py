"""The data as of a date: how precise its timestamps are, when it ends, what happened by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import STAMPS
from mqlkit.core.periods import AsOf
from mqlkit.sources.cells import any_of
from mqlkit.sources.store import literal

# As many stamps as make a month of only one lead odd.
MANY = 200
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Survey:
    """What the stamps of leads and events hold.

    Attributes
    ----------
    stamps
        How many there are.
    latest
        The latest of each that is recorded at all, naive UTC.
    dated
        Those that hold only dates.
    bare
        How many dates there are among the stamps that hold times as well.
    """

    stamps: int
    latest: dict[str, datetime]
    dated: frozenset[str]
    bare: int

    def goes_past(self, as_of: AsOf) -> bool:
        """Return whether any stamp is at or after the cut-off."""
        return any(at.replace(tzinfo=UTC) >= as_of.cutoff for at in self.latest.values())

    def moment(self, zone: ZoneInfo) -> AsOf | None:
        """Return the cut-off by the latest stamp of any stage."""
        cuts = []
        for name, naive in self.latest.items():
            at = naive.replace(tzinfo=UTC)
            is_day = name in self.dated
            cuts.append(
                AsOf.end_of(at.astimezone(zone).date(), zone) if is_day else AsOf.stamp(at, zone)
            )
        return max(cuts, key=lambda cut: cut.cutoff, default=None)


def survey(leads: ir.Table, events: ir.Table | None) -> Survey:
    """Return what the stamps hold, in one pass over each table."""
    counts: dict[str, ir.Value] = {}
    for s in STAMPS:
        timed = leads[f"{s}_timed"] & leads[s].notnull()
        counts |= {s: leads[s].max(), f"{s}_n": leads[s].count(), f"{s}_timed": timed.sum()}
    row = leads.aggregate(**counts).to_pyarrow().to_pylist()[0]
    found = [(s, row[f"{s}_n"], row[s], row[f"{s}_timed"] or 0) for s in STAMPS]
    if events is not None:
        by_stage = events.group_by("stage").aggregate(
            n=events.count(), at=events["at"].max(), timed=events["at_timed"].sum()
        )
        rows = by_stage.to_pyarrow().to_pylist()
        found += [(f"{r['stage']}_at", r["n"], r["at"], r["timed"] or 0) for r in rows]
    found = [each for each in found if each[1]]
    latest: dict[str, datetime] = {}
    for name, _, at, _ in found:
        latest[name] = max(at, latest.get(name, at))
    with_times = {name for name, _, _, timed in found if timed}
    return Survey(
        stamps=sum(n for _, n, _, _ in found),
        latest=latest,
        dated=frozenset(latest) - with_times,
        bare=sum(n - timed for name, n, _, timed in found if name in with_times),
    )


def is_last_alone(leads: ir.Table, events: ir.Table | None, seen: Survey) -> bool:
    """Return whether a single lead has stamps in the last month, in data of many: a slip, maybe."""
    if seen.stamps < MANY:
        return False
    since = literal(max(seen.latest.values()).replace(tzinfo=UTC) - MONTH)
    late = any_of([(leads[s] >= since).fill_null(False) for s in STAMPS])
    found = leads.filter(late).select("lead_id")
    if events is not None:
        found = found.union(events.filter(events["at"] >= since).select("lead_id"))
    ids = found.distinct().limit(2).to_pyarrow()
    return len(ids) == 1


def known_by(
    leads: ir.Table, events: ir.Table | None, as_of: AsOf
) -> tuple[ir.Table, ir.Table | None]:
    """Return leads and events without what has not happened yet."""
    cutoff, none = literal(as_of.cutoff), ibis.null("timestamp")
    blanked = leads.mutate(**{s: (leads[s] < cutoff).ifelse(leads[s], none) for s in STAMPS})
    return blanked, None if events is None else events.filter(events["at"] < cutoff)
