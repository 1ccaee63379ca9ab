"""The data as of a date: the precision of its timestamps, its end, and what happened by then."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import STAMPS
from mqlkit.core.periods import AsOf
from mqlkit.leads.integers import DAY_US, LocalTime, instant, local_time, micros
from mqlkit.sources.local_times import zone_of
from mqlkit.sources.store import any_of

# From this many timestamps on, a month with a single lead is suspicious.
MIN_TIMESTAMPS = 200
MONTH_US = 30 * DAY_US


@dataclass(frozen=True)
class TimestampSummary:
    """Summary of the timestamps of leads and events.

    Attributes
    ----------
    n_timestamps
        Number of timestamps.
    first
        The earliest timestamp; None without any.
    latest
        Latest value of each column that has any.
    dated
        Columns that contain only dates.
    n_dates
        Number of dates in columns that also contain times.
    """

    n_timestamps: int
    first: int | None
    latest: dict[str, int]
    dated: frozenset[str]
    n_dates: int

    def goes_past(self, as_of: AsOf) -> bool:
        """Return whether any timestamp is at or after the cut-off."""
        return any(at >= micros(as_of.cutoff) for at in self.latest.values())

    def latest_as_of(self, zone: ZoneInfo) -> AsOf | None:
        """Return the cut-off at the latest timestamp of any stage; None without any."""
        cuts = []
        for name, us in self.latest.items():
            at = instant(us)
            is_day = name in self.dated
            cuts.append(
                AsOf.end_of(at.astimezone(zone).date(), zone) if is_day else AsOf.stamp(at, zone)
            )
        return max(cuts, key=lambda cut: cut.cutoff, default=None)

    def local_time(self, zone: ZoneInfo, as_of: AsOf) -> LocalTime:
        """Return the offsets of a zone over all timestamps, and up to the cut-off."""
        known = [self.first, *self.latest.values()]
        days = [instant(us).date() for us in known if us is not None]
        return local_time(zone, min([*days, as_of.on]), max([*days, as_of.on]))


def summarize_timestamps(leads: ir.Table, events: ir.Table | None) -> TimestampSummary:
    """Summarize the timestamps, in one pass over each table."""
    counts: dict[str, ir.Value] = {}
    for s in STAMPS:
        timed = leads[zone_of(s)] >= 0
        counts |= {f"{s}_first": leads[s].min(), s: leads[s].max()}
        counts |= {f"{s}_n": leads[s].count(), f"{s}_timed": timed.sum()}
    row = leads.aggregate(**counts).to_pyarrow().to_pylist()[0]
    firsts = [row[f"{s}_first"] for s in STAMPS]
    found = [(s, row[f"{s}_n"], row[s], row[f"{s}_timed"] or 0) for s in STAMPS]
    if events is not None:
        by_stage = events.group_by("stage").aggregate(
            n=events.count(),
            first=events["at"].min(),
            at=events["at"].max(),
            timed=(events["at_zone"] >= 0).sum(),
        )
        rows = by_stage.to_pyarrow().to_pylist()
        firsts += [each["first"] for each in rows]
        found += [(f"{r['stage']}_at", r["n"], r["at"], r["timed"] or 0) for r in rows]
    found = [each for each in found if each[1]]
    latest: dict[str, int] = {}
    for name, _, at, _ in found:
        latest[name] = max(at, latest.get(name, at))
    with_times = {name for name, _, _, timed in found if timed}
    return TimestampSummary(
        n_timestamps=sum(n for _, n, _, _ in found),
        first=min((at for at in firsts if at is not None), default=None),
        latest=latest,
        dated=frozenset(latest) - with_times,
        n_dates=sum(n - timed for name, n, _, timed in found if name in with_times),
    )


def is_last_alone(leads: ir.Table, events: ir.Table | None, seen: TimestampSummary) -> bool:
    """Return whether only one lead has timestamps in the last month, maybe by mistake."""
    if seen.n_timestamps < MIN_TIMESTAMPS:
        return False
    since = max(seen.latest.values()) - MONTH_US
    late = any_of([(leads[s] >= since).fill_null(False) for s in STAMPS])
    found = leads.filter(late).select("lead_id")
    if events is not None:
        found = found.union(events.filter(events["at"] >= since).select("lead_id"))
    ids = found.distinct().limit(2).to_pyarrow()
    return len(ids) == 1


def known_by(
    leads: ir.Table, events: ir.Table | None, as_of: AsOf
) -> tuple[ir.Table, ir.Table | None]:
    """Remove events, and blank timestamps of leads, at or after the cut-off."""
    cutoff = micros(as_of.cutoff)
    kept = {
        column: (leads[s] < cutoff).ifelse(leads[column], ibis.null(leads[column].type()))
        for s in STAMPS
        for column in (s, zone_of(s))
    }
    return leads.mutate(**kept), None if events is None else events.filter(events["at"] < cutoff)
