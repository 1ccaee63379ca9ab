"""Re-entry: merges stage history into leads and selects the passes that count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import LATER_STAGES, ON_HOLD, STAMPS
from mqlkit.leads.integers import DAY_US
from mqlkit.leads.precision import Precision
from mqlkit.sources.local_times import zone_of

# How events are compared: a date is at the start of its day as an entry, and at its end as a later
# stage, so that it is simultaneous with each instant of that day.
KEY = "key"
ZONE = zone_of(KEY)
# Columns of `holds`.
HELD, TOTAL_HELD = "held_", "total_held_"


def with_history(
    leads: ir.Table,
    events: ir.Table,
    passes: str,
    *,
    precision: Precision,
    hold: Callable[[ir.Table], ir.Table] | None = None,
) -> ir.Table:
    """Merge stage history into the timestamps of the leads.

    The timestamps of a lead are events too. Each entry to the MQL stage starts a pass. A later
    stage belongs to the latest pass that started before it, or else to the first pass, which is
    then out of order.

    Parameters
    ----------
    leads, events, passes
        Leads, stage changes, and which entries count.
    precision
        Which timestamps are dates. A date and a timestamp of that day are one event, at the time of
        the timestamp.
    hold
        Adds the time on hold to events, as `holds.add_holds`; None if no lead is on hold.

    Returns
    -------
    ibis.Table
        The leads, one row per pass; with ``hold``, with the columns of `holds` before each stage,
        such as ``mql_held_us``, and by the as-of date, such as ``as_of_held_us``; and of the holds
        of each pass ``first_hold_at``, ``last_hold_at``, ``n_holds`` and what the lead had been on
        hold before the last, such as ``last_hold_held_us``.
    """
    events = _all_events(leads, events, precision)
    if hold is not None:
        events = hold(events)
    entries = _entries(events.filter(events["stage"] == "mql"), passes)
    created = events.filter(events["stage"] == "created")
    created = created.drop(*_held(created))
    created = created.group_by("lead_id").aggregate(**_earliest(created, "created_at"))
    base = leads.drop(*STAMPS, *(zone_of(s) for s in STAMPS))
    base = base.left_join(created, "lead_id").drop("lead_id_right")
    base = base.left_join(entries, "lead_id").drop("lead_id_right")
    totals = [c for c in events.columns if c.startswith(TOTAL_HELD)]
    if totals:
        of_lead = {c.replace(TOTAL_HELD, f"as_of_{HELD}"): events[c].max() for c in totals}
        base = base.left_join(events.group_by("lead_id").aggregate(**of_lead), "lead_id")
        base = base.drop("lead_id_right")
    later = events.filter(events["stage"].isin([*LATER_STAGES, ON_HOLD]))
    found = later.left_join(entries, "lead_id").drop("lead_id_right")
    after = found[KEY] >= found["mql_at"]
    inside = after & (found[KEY] < found["next_at"]).fill_null(True)
    stray = found["mql_at"].isnull() | (found["is_first"] & ~after)
    found = found.filter(inside | stray)
    found = found.mutate(after=(found[KEY] >= found["mql_at"]).fill_null(False))
    per_pass = found.group_by("lead_id", "mql_at").aggregate(
        **{
            name: value for stage in LATER_STAGES for name, value in _first_of(found, stage).items()
        },
        **(_holds_of(found) if hold is not None else {}),
    )
    keys = [base["lead_id"] == per_pass["lead_id"], base["mql_at"].identical_to(per_pass["mql_at"])]
    joined = base.left_join(per_pass, keys)
    joined = joined.drop("lead_id_right", "mql_at_right", "next_at", "is_first")
    return _restored(joined, precision) if ZONE in events.columns else joined


def _all_events(leads: ir.Table, events: ir.Table, precision: Precision) -> ir.Table:
    """Return the events of the leads: ``lead_id``, ``stage``, `KEY`; `ZONE` if some are dates."""
    own = [
        leads.filter(leads[f"{stage}_at"].notnull()).select(
            "lead_id", stage=ibis.literal(stage), at=leads[f"{stage}_at"],
            at_zone=leads[zone_of(f"{stage}_at")],
        )
        for stage in ("created", "mql", *LATER_STAGES)
    ]  # fmt: skip
    known = events.semi_join(leads, "lead_id").select("lead_id", "stage", "at", "at_zone")
    every = reduce(lambda a, b: a.union(b), own, known)
    if not precision.has_dates:
        return every.select("lead_id", "stage", **{KEY: every["at"]}).distinct()
    # One zone for events that two sources know.
    every = every.group_by("lead_id", "stage", "at").aggregate(at_zone=every["at_zone"].max())
    precision = replace(precision, dated=frozenset(), mixed=frozenset({"at"}))
    every = _without_bare_dates(every.mutate(_on=precision.day(every, "at")))
    begins = precision.by_zone(every, "at", lambda n: precision.zones[n].start(every["_on"]))
    ends = precision.by_zone(every, "at", lambda n: precision.zones[n].start(every["_on"] + DAY_US))
    of_date = every["stage"].isin([*LATER_STAGES, ON_HOLD]).ifelse(ends - 1, begins)
    key = (every["at_zone"] < 0).ifelse(of_date, every["at"])
    return every.select("lead_id", "stage", **{KEY: key, ZONE: every["at_zone"]})


def _without_bare_dates(events: ir.Table) -> ir.Table:
    """Keep one date of the same lead, stage and day, and none if there is a timestamp."""
    is_date = events["at_zone"] < 0
    same = ibis.window(group_by=["lead_id", "stage", "_on"], order_by=[is_date, "at_zone"])
    events = events.mutate(_place=ibis.row_number().over(same))
    return events.filter((events["at_zone"] >= 0) | (events["_place"] == 0)).drop("_place")


def _first_of(events: ir.Table, stage: str) -> dict[str, ir.Value]:
    """Return the first event of a stage after the entry, else before it, and its zone."""
    is_stage, stamp = events["stage"] == stage, f"{stage}_at"
    before = _earliest(events, stamp, is_stage)
    after = _earliest(events, stamp, is_stage & events["after"])
    return {name: ibis.coalesce(value, before[name]) for name, value in after.items()}


def _earliest(
    events: ir.Table, stamp: str, where: ir.BooleanValue | None = None
) -> dict[str, ir.Value]:
    """Return the earliest of some events, its zone, and the time on hold before it."""
    found: dict[str, ir.Value] = {stamp: events[KEY].min(where=where)}
    # Time on hold only grows.
    found |= {_of(stamp, c): events[c].min(where=where) for c in _held(events)}
    if ZONE in events.columns:
        found[zone_of(stamp)] = events[ZONE].argmin(events[KEY], where=where)
    return found


def _holds_of(events: ir.Table) -> dict[str, ir.Value]:
    """Return when the first and the last hold of a pass begin; see `with_history`."""
    is_hold, key = (events["stage"] == ON_HOLD) & events["after"], events[KEY]
    return {
        "first_hold_at": key.min(where=is_hold),
        "last_hold_at": key.max(where=is_hold),
        "n_holds": is_hold.sum(),
        **{_of("last_hold_at", c): events[c].max(where=is_hold) for c in _held(events)},
    }


def _held(events: ir.Table) -> list[str]:
    return [c for c in events.columns if c.startswith(HELD)]


def _of(stamp: str, column: str) -> str:
    """Return the name of a column of `holds` in the leads.

    >>> _of("mql_at", "held_us")
    'mql_held_us'
    """
    return f"{stamp.removesuffix('_at')}_{column}"


def _entries(entries: ir.Table, passes: str) -> ir.Table:
    """Return the entries that count: ``lead_id, mql_at, next_at, is_first``, and the zone if any.

    Events between two entries belong to the earlier pass, so they do not put the later pass out of
    order.
    """
    if passes == "first":
        one = entries.group_by("lead_id").aggregate(**_earliest(entries, "mql_at"))
        return one.mutate(next_at=ibis.null("int64"), is_first=ibis.literal(True))
    order = ibis.window(group_by="lead_id", order_by=KEY)
    more = {_of("mql_at", c): entries[c] for c in _held(entries)}
    more |= {zone_of("mql_at"): entries[ZONE]} if ZONE in entries.columns else {}
    each = entries.select(
        "lead_id",
        mql_at=entries[KEY],
        next_at=entries[KEY].lead().over(order),
        is_first=ibis.row_number().over(order) == 0,
        **more,
    )
    return each.filter(each["next_at"].isnull()) if passes == "last" else each


def _restored(leads: ir.Table, precision: Precision) -> ir.Table:
    """Return leads whose dates are midnights of the report's zone again."""

    def at(stamp: str) -> ir.IntegerValue:
        key = leads[stamp]
        day = precision.by_zone(leads, stamp, lambda n: precision.zones[n].day(key))
        return (leads[zone_of(stamp)] < 0).ifelse(precision.local.start(day), key)

    return leads.mutate(**{stamp: at(stamp) for stamp in STAMPS})
