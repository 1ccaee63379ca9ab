"""Steps of the funnel: when each lead enters a stage, and what becomes of it by a later stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import STAMPS
from mqlkit.leads.columns import NAMED
from mqlkit.leads.durations import EXITS, Clock, between, until_as_of
from mqlkit.leads.integers import earliest
from mqlkit.sources.local_times import zone_of

OPEN, CONVERTED, LOST = 0, 1, 2
# Time of a lead whose events are out of order.
OUT_OF_ORDER = -1


class Step(NamedTuple):
    """A stage of the funnel (`names.FUNNEL_STAGES`) and a later one, or `TIME_IN_STAGE`."""

    start: str
    end: str


TIME_IN_STAGE = Step("in_stage", "exit")


class StageEvents(NamedTuple):
    """What becomes of the leads of a stage, one row per lead.

    Attributes
    ----------
    table
        Leads that entered the stage. With ``passes: every``, a lead is created once.
    at
        When each lead entered the stage.
    ends
        Time and kind by later stage. The time is in microseconds, until the lead converted or was
        lost, or until the as-of moment; `OUT_OF_ORDER` if that came before it entered. The kind is
        `CONVERTED`, whatever came before it, `LOST` (rejected) or `OPEN`.
    """

    table: ir.Table
    at: ir.IntegerValue
    ends: dict[str, tuple[ir.IntegerValue, ir.IntegerValue]]


def later_stages(start: str, stages: Sequence[str]) -> tuple[str, ...]:
    """Return the stages to which there is a step from a stage; ``stages`` are those recorded.

    >>> later_stages("accepted", ["created", "mql", "accepted", "sql", "won"])
    ('sql',)
    >>> later_stages("created", ["created", "mql", "sql"])
    ('mql', 'sql')
    """
    later = tuple(stages[stages.index(start) + 1 :]) if start in stages else ()
    return later if start in (*stages[:1], "mql") else later[:1]


def stage_events(leads: ir.Table, clock: Clock, start: str, ends: Sequence[str]) -> StageEvents:
    """Return what becomes of the leads that enter a stage (metrics.md §9b)."""
    if start == "created" and clock.params.passes == "every":
        leads = _once_each(leads)
    leads = leads.filter(_entered(leads, start).notnull())
    lost = _since(leads, clock, start, "rejected")
    if start in ("accepted", "sql"):
        # Only a rejection after that stage.
        lost = (lost > 0).ifelse(lost, ibis.null("int64"))
    found = {}
    for end in ends:
        reached = _since(leads, clock, start, end)
        kind = reached.notnull().ifelse(CONVERTED, lost.notnull().ifelse(LOST, OPEN))
        time = ibis.coalesce(reached, lost, _age(leads, clock, start, end))
        is_in_order = time >= 0
        if start == "mql":
            is_in_order &= leads["is_in_order"]
        found[end] = (is_in_order.ifelse(time, OUT_OF_ORDER), kind)
    return StageEvents(leads, _entered(leads, start), found)


def exit_events(leads: ir.Table) -> StageEvents:
    """Return the time in stage of the in-order MQLs, on the clock of the report."""
    leads = leads.filter(leads["is_in_order"] & leads["mql_at"].notnull())
    has_left, time = leads["stage_us"].notnull(), leads["stage_us"].coalesce(leads["waited_us"])
    return StageEvents(
        leads, leads["mql_at"], {TIME_IN_STAGE.end: (time, has_left.ifelse(CONVERTED, OPEN))}
    )


def _once_each(leads: ir.Table) -> ir.Table:
    """Return one row for each lead, with the first time that it reached each stage in any pass."""
    stamps = {name: leads[name].min() for name in STAMPS}
    zones = [zone_of(name) for name in STAMPS if zone_of(name) in leads.columns]
    stamps |= {zone: leads[zone].argmin(leads[zone.removesuffix("_zone")]) for zone in zones}
    # All passes of a lead have the same text.
    text = {c: leads[c].min() for c in leads.columns if c.startswith(NAMED)}
    return leads.group_by("lead_id").aggregate(**stamps, **text)


def _entered(leads: ir.Table, stage: str) -> ir.IntegerValue:
    """Return when a lead entered a stage; an SQL counts as accepted."""
    if stage == "accepted":
        return earliest(leads["accepted_at"], leads["sql_at"])
    entered: ir.IntegerValue = leads[f"{stage}_at"]
    return entered


def _since(leads: ir.Table, clock: Clock, start: str, end: str) -> ir.IntegerValue:
    """Return the time from a stage to a later one, in microseconds."""
    if start == "mql" and end in EXITS:
        time: ir.IntegerValue = leads[f"{end}_us"]
        return time
    if end == "accepted":
        own = _from(leads, clock, start, lambda stage: between(leads, stage, "accepted", clock))
        return earliest(
            own, _from(leads, clock, start, lambda stage: between(leads, stage, "sql", clock))
        )
    return _from(leads, clock, start, lambda stage: between(leads, stage, end, clock))


def _age(leads: ir.Table, clock: Clock, start: str, end: str) -> ir.IntegerValue:
    """Return the time from a stage to the as-of moment, with the precision of that to the end."""
    ends: Sequence[str] = ("accepted", "sql") if end == "accepted" else (end,)
    if start == "mql" and end in EXITS:
        # As for the conversion to SQL (metrics.md §4), which waits for any decision.
        ends = EXITS
    return _from(leads, clock, start, lambda stage: until_as_of(leads, clock, ends, start=stage))


def _from(
    leads: ir.Table, clock: Clock, start: str, time: Callable[[str], ir.IntegerValue]
) -> ir.IntegerValue:
    """Return a time from a stage; from the acceptance, or from the SQL if that came first."""
    if start != "accepted":
        return time(start)
    is_first = clock.precision.is_no_later(leads, "accepted_at", "sql_at")
    is_own = leads["accepted_at"].notnull() & (leads["sql_at"].isnull() | is_first)
    return is_own.ifelse(time("accepted"), time("sql"))
