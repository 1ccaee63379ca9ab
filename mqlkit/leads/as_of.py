"""The data as of a date: the precision of its timestamps, its end, and what happened by then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import STAMPS
from mqlkit.core.periods import DAY, AsOf
from mqlkit.leads.integers import DAY_US, LocalTime, instant, local_time, micros, start_us
from mqlkit.leads.precision import Precision
from mqlkit.sources.local_times import zone_of
from mqlkit.sources.store import any_of

# From this many timestamps on, a month with a single lead is suspicious.
MIN_TIMESTAMPS = 200
MONTH_US = 30 * DAY_US
# An SLA is hardly longer.
A_YEAR = 366 * DAY


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
    latest_date, latest_instant
        Latest value of any column that is a date, and that is an instant; None without any.
    dated, mixed
        Columns that contain only dates, and columns that contain dates and times.
    n_dates
        Number of dates in columns that also contain times.
    """

    n_timestamps: int
    first: int | None
    latest: dict[str, int]
    latest_date: int | None
    latest_instant: int | None
    dated: frozenset[str]
    mixed: frozenset[str]
    n_dates: int

    @property
    def recorded(self) -> frozenset[str]:
        """Return the columns with any timestamp."""
        return frozenset(self.latest)

    def goes_past(self, as_of: AsOf) -> bool:
        """Return whether any timestamp may be at or after the cut-off."""
        # A date that is over in the zone of its source may not be in another one.
        cutoff = micros(as_of.cutoff) - (DAY_US if self.dated or self.mixed else 0)
        return any(at >= cutoff for at in self.latest.values())

    def latest_as_of(self, zone: ZoneInfo) -> AsOf | None:
        """Return the cut-off at the latest timestamp of any stage; None without any."""
        cuts = []
        if self.latest_date is not None:
            cuts.append(AsOf.end_of(instant(self.latest_date).astimezone(zone).date(), zone))
        if self.latest_instant is not None:
            cuts.append(AsOf.stamp(instant(self.latest_instant), zone))
        return max(cuts, key=lambda cut: cut.cutoff, default=None)

    def precision(self, zone: ZoneInfo, as_of: AsOf, sources: Sequence[str]) -> Precision:
        """Return the precision of the timestamps, with the zones of the sources."""
        return Precision(
            self.local_time(zone, as_of),
            tuple(self.local_time(ZoneInfo(name), as_of) for name in sources),
            tuple(sources),
            self.dated,
            self.mixed,
        )

    def local_time(self, zone: ZoneInfo, as_of: AsOf) -> LocalTime:
        """Return the offsets of a zone over all timestamps, and for due times after the cut-off."""
        known = [self.first, *self.latest.values()]
        days = [instant(us).date() for us in known if us is not None]
        return local_time(zone, min([*days, as_of.on]), max([*days, as_of.on]) + A_YEAR)


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
    with_dates = {name for name, n, _, timed in found if timed < n}
    both = with_times & with_dates
    latest_date, latest_instant = _latest_by_kind(leads, events, both) if both else (None, None)
    dates = [at for name, at in latest.items() if name not in with_times]
    instants = [at for name, at in latest.items() if name not in with_dates]
    return TimestampSummary(
        n_timestamps=sum(n for _, n, _, _ in found),
        first=min((at for at in firsts if at is not None), default=None),
        latest=latest,
        latest_date=_latest([*dates, latest_date]),
        latest_instant=_latest([*instants, latest_instant]),
        dated=frozenset(latest) - with_times,
        mixed=frozenset(both),
        n_dates=sum(n - timed for name, n, _, timed in found if name in with_times),
    )


def _latest_by_kind(
    leads: ir.Table, events: ir.Table | None, stamps: Collection[str]
) -> tuple[int | None, int | None]:
    """Return the latest date and the latest instant of some columns."""
    stages = [stamp.removesuffix("_at") for stamp in stamps]
    tables = [(leads, stamp) for stamp in stamps]
    if events is not None:
        tables.append((events.filter(events["stage"].isin(stages)), "at"))
    dates, instants = [], []
    for table, stamp in tables:
        is_date, at = table[zone_of(stamp)] < 0, table[stamp]
        row = table.aggregate(date=at.max(where=is_date), instant=at.max(where=~is_date))
        (found,) = row.to_pyarrow().to_pylist()
        dates.append(found["date"])
        instants.append(found["instant"])
    return _latest(dates), _latest(instants)


def _latest(stamps: Iterable[int | None]) -> int | None:
    return max((at for at in stamps if at is not None), default=None)


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
    leads: ir.Table, events: ir.Table | None, as_of: AsOf, zone: ZoneInfo, sources: Sequence[str]
) -> tuple[ir.Table, ir.Table | None]:
    """Remove events, and blank timestamps of leads, at or after the cut-off.

    Parameters
    ----------
    leads, events
        As in `summarize_timestamps`.
    as_of, zone
        The cut-off, and the time zone of the report.
    sources
        The zones of the sources. A date is known if it is not after the day of the cut-off in the
        zone of its source.
    """
    cutoff = micros(as_of.cutoff)
    ends = [start_us(as_of.on_in(ZoneInfo(name)) + DAY, zone) for name in sources]

    def is_known(table: ir.Table, stamp: str) -> ir.BooleanValue:
        if set(ends) <= {cutoff}:
            return table[stamp] < cutoff
        dates = [(table[zone_of(stamp)] == ~n, ibis.literal(end)) for n, end in enumerate(ends)]
        return table[stamp] < ibis.cases(*dates, else_=ibis.literal(cutoff))

    kept = {
        column: is_known(leads, s).ifelse(leads[column], ibis.null(leads[column].type()))
        for s in STAMPS
        for column in (s, zone_of(s))
    }
    known = None if events is None else events.filter(is_known(events, "at"))
    return leads.mutate(**kept), known
