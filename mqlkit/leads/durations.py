"""Durations of each lead, from MQL to every event, on the calendar and on the business clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.params import ReportParams
from mqlkit.core.periods import AsOf
from mqlkit.core.promises import BUSINESS
from mqlkit.core.work_week import parse_work_week
from mqlkit.leads.business_hours import (
    WorkCalendar,
    add_day_clock,
    add_due_at,
    add_work_clock,
    work_calendar,
)
from mqlkit.leads.integers import (
    LocalTime,
    day_us,
    earliest,
    instant,
    micros,
)
from mqlkit.leads.promises import promised, with_rule

EXITS = ("accepted", "rejected", "sql")
STAMPED = ("created", "mql", "contacted", *EXITS)


@dataclass(frozen=True)
class Clock:
    """The clock of the report.

    Attributes
    ----------
    params, zone, as_of
        Parameters, time zone and cut-off of the report.
    dated
        Columns that contain only dates. Durations from or to them are whole days.
    local
        Local time of the report.
    """

    params: ReportParams
    zone: ZoneInfo
    as_of: AsOf
    dated: frozenset[str]
    local: LocalTime

    def is_dated(self, *stages: str) -> bool:
        """Return whether durations between these stages are whole days."""
        return any(f"{stage}_at" in self.dated for stage in stages)

    @property
    def sla_us(self) -> int:
        """Return the SLA in microseconds of the chosen clock."""
        return self.params.promises[-1].us


def add_durations(leads: ir.Table, clock: Clock) -> ir.Table:
    """Add the durations described in `leads.table`.

    Parameters
    ----------
    leads
        Timestamps of each lead, NULL after the as-of date, and the columns of rules as `named`.
    clock
        The clock of the report.
    """
    since = {f"{stage}_us": between(leads, "mql", stage, clock) for stage in EXITS}
    # An SQL counts as accepted, even without a recorded acceptance.
    since["accepted_us"] = earliest(since["accepted_us"], since["sql_us"])
    exit_us = earliest(*since.values())
    timed = leads.mutate(
        **since,
        is_accepted_first=_is_accepted_first(leads, clock),
        exit_us=exit_us,
        exit_at=earliest(*(leads[f"{stage}_at"] for stage in EXITS)),
        contact_us=between(leads, "mql", "contacted", clock),
        lag_us=between(leads, "created", "mql", clock),
        calendar_waited_us=until_as_of(leads, clock, EXITS),
        calendar_contact_waited_us=until_as_of(leads, clock, ("contacted",)),
        is_in_order=(exit_us >= 0).fill_null(True),
    )
    timed = with_rule(timed, clock.params)
    if clock.params.has_work_clock:
        timed = _on_work_clock(timed, clock)
    is_business = clock.params.sla_clock == BUSINESS
    stage, waited = (
        ("work_exit_us", "work_waited_us") if is_business else ("exit_us", "calendar_waited_us")
    )
    return timed.mutate(stage_us=timed[stage], waited_us=timed[waited])


def between(leads: ir.Table, start: str, end: str, clock: Clock) -> ir.IntegerValue:
    """Return the calendar time from one stage to another in microseconds; see `leads.table`."""
    a, b = leads[f"{start}_at"], leads[f"{end}_at"]
    if clock.is_dated(start, end):
        return clock.local.day(b) - clock.local.day(a)
    return b - a


def _is_accepted_first(leads: ir.Table, clock: Clock) -> ir.BooleanValue:
    """Return whether the acceptance came no later than the rejection; NULL without either.

    If one of them has only dates, two on the same day are a tie. A tie counts as an acceptance.
    """
    accepted = earliest(leads["accepted_at"], leads["sql_at"])
    rejected = leads["rejected_at"]
    if clock.is_dated(*EXITS):
        accepted, rejected = clock.local.day(accepted), clock.local.day(rejected)
    is_first = (rejected.isnull() | (accepted <= rejected)).fill_null(False)
    is_decided = accepted.notnull() | rejected.notnull()
    return is_decided.ifelse(is_first, ibis.null("boolean"))


def until_as_of(
    leads: ir.Table, clock: Clock, stages: Sequence[str], *, start: str = "mql"
) -> ir.IntegerValue:
    """Return the time from a stage to the as-of date, with the precision of the time to others."""
    at = leads[f"{start}_at"]
    if clock.is_dated(start, *stages):
        return day_us(clock.as_of.on) - clock.local.day(at)
    return micros(clock.as_of.at) - at


def _on_work_clock(leads: ir.Table, clock: Clock) -> ir.Table:
    """Add durations in working time, as differences of the work clock, and due times."""
    calendar = team_calendar(leads, clock)
    days = {f"{s}_on": clock.local.day(leads[f"{s}_at"]) for s in ("mql", "contacted", *EXITS)}
    as_of = {"as_of_at": micros(clock.as_of.at), "as_of_on": day_us(clock.as_of.on)}
    leads = leads.mutate(**days, **{name: ibis.literal(us) for name, us in as_of.items()})
    for stage in ("mql", "contacted", *EXITS, "as_of"):
        leads = add_work_clock(
            leads, column=f"{stage}_at", name=f"{stage}_clock", calendar=calendar
        )
        leads = add_day_clock(leads, column=f"{stage}_on", name=f"{stage}_day", calendar=calendar)
    sla_us = promised(leads, clock.params, lambda p: p.us if p.is_business else None)
    leads = leads.mutate(work_due_at=leads["mql_clock"] + sla_us)
    leads = add_due_at(leads, clock="work_due_at", name="work_due_at", calendar=calendar)

    def worked(end: str, *stages: str) -> ir.IntegerValue:
        kind = "day" if clock.is_dated("mql", *(stages or (end,))) else "clock"
        return leads[f"{end}_{kind}"] - leads[f"mql_{kind}"]

    return leads.mutate(
        work_exit_us=earliest(*(worked(stage) for stage in EXITS)),
        work_contact_us=worked("contacted"),
        work_waited_us=worked("as_of", *EXITS),
        work_contact_waited_us=worked("as_of", "contacted"),
    )


def team_calendar(leads: ir.Table, clock: Clock) -> WorkCalendar:
    """Return the working days of the team over the range of the timestamps."""
    stamps = [leads[f"{stage}_at"] for stage in ("mql", "contacted", *EXITS)]
    found = {f"{i}": f() for i, f in enumerate(f for s in stamps for f in (s.min, s.max))}
    row = leads.aggregate(**found).to_pyarrow().to_pylist()[0]
    seen = [instant(at).astimezone(clock.zone).date() for at in row.values() if at is not None]
    days = sorted([*seen, clock.as_of.on])
    return work_calendar(
        parse_work_week(clock.params.work_week),
        zone=clock.zone,
        holidays=clock.params.holidays,
        first=days[0],
        last=days[-1],
        sla_us=max(promise.us for promise in clock.params.promises if promise.is_business),
    )
