"""Time on hold, which no clock counts: from a stage ``on_hold`` to the next event of the lead.

A hold never straddles an event of its lead. Time on hold between two events is therefore a
difference of what had been on hold before each of them.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import ON_HOLD
from mqlkit.leads.business_hours import WorkCalendar, add_day_clock, add_work_clock
from mqlkit.leads.durations import Clock
from mqlkit.leads.integers import micros
from mqlkit.leads.reentry import KEY
from mqlkit.sources.local_times import zone_of

AS_OF = "as_of"


def add_holds(events: ir.Table, clock: Clock, calendar: WorkCalendar | None) -> ir.Table:
    """Add what the lead had been on hold before each event, and in all by the as-of date.

    Parameters
    ----------
    events
        ``lead_id``, ``stage`` and ``key``, as `reentry` compares them.
    clock
        The clock of the report.
    calendar
        Working days of the team; None if no duration is in working time.

    Returns
    -------
    ibis.Table
        With ``held_us`` and ``total_held_us`` in microseconds of calendar time, and if there are
        dates ``held_days`` and ``total_held_days`` in whole days; in working time ``held_work_us``,
        ``held_work_days`` and so on.
    """
    has_dates, columns = clock.precision.has_dates, events.columns
    timed = _with_clocks(events, clock, calendar)
    is_hold = timed["stage"] == ON_HOLD
    # At one time, a hold is after the other events: it begins there.
    order = {"group_by": "lead_id", "order_by": [KEY, is_hold]}
    ends = [c for c in timed.columns if c.endswith("_now")]
    following = {f"{c}_end": timed[c].lead().over(ibis.window(**order)) for c in (KEY, *ends)}
    if has_dates:
        zone = timed[zone_of(KEY)]
        following["is_day"] = (zone < 0) | (zone.lead().over(ibis.window(**order)) < 0).fill_null(
            False
        )
    timed = timed.mutate(**following)

    def length(name: str, as_of: str) -> ir.IntegerValue:
        return timed[f"{name}_end"].coalesce(timed[as_of]) - timed[name]

    held: dict[str, ir.IntegerValue] = {}
    for prefix, name in (("", KEY), *([("work_", "clock_now")] if calendar else [])):
        held[f"held_{prefix}us"] = length(name, f"{AS_OF}_{name}")
        if has_dates:
            days = length(f"{prefix}day_now", f"{AS_OF}_{prefix}day_now")
            exact = held[f"held_{prefix}us"]
            held |= {
                f"held_{prefix}us": timed["is_day"].ifelse(days, exact),
                f"held_{prefix}days": days,
            }
    timed = timed.mutate(**{n: (timed["stage"] == ON_HOLD).ifelse(v, 0) for n, v in held.items()})
    up_to, every = ibis.cumulative_window(**order), ibis.window(group_by="lead_id")
    sums = {n: timed[n].sum().over(up_to) - timed[n] for n in held}
    sums |= {f"total_{n}": timed[n].sum().over(every) for n in held}
    return timed.mutate(**sums).select(*columns, *sums)


def _with_clocks(events: ir.Table, clock: Clock, calendar: WorkCalendar | None) -> ir.Table:
    """Add the local day and the working time of each event, and of the as-of date."""
    precision, as_of = clock.precision, f"{AS_OF}_{KEY}"
    events = events.mutate(**{as_of: ibis.literal(micros(clock.as_of.at))})
    if precision.has_dates:
        day = precision.by_zone(events, KEY, lambda n: precision.zones[n].day(events[KEY]))
        events = events.mutate(
            day_now=day, as_of_day_now=precision.as_of_day(events, KEY, clock.as_of)
        )
    if calendar is None:
        return events
    for column, name in ((KEY, "clock_now"), (as_of, "as_of_clock_now")):
        events = add_work_clock(events, column=column, name=name, calendar=calendar)
    if precision.has_dates:
        for column in ("day_now", "as_of_day_now"):
            name = column.replace("day_now", "work_day_now")
            events = add_day_clock(events, column=column, name=name, calendar=calendar)
    return events
