"""Durations of each lead, from MQL to every event, on the calendar and on the business clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY, AsOf
from mqlkit.core.promises import BUSINESS
from mqlkit.core.work_week import parse_work_week
from mqlkit.leads.business_hours import (
    WorkCalendar,
    add_closing_at,
    add_day_clock,
    add_due_at,
    add_work_clock,
    work_calendar,
)
from mqlkit.leads.integers import LocalTime, earliest, instant, micros
from mqlkit.leads.precision import Precision, in_days
from mqlkit.leads.promises import held_when_due, on_clock, promised, with_rule

EXITS = ("accepted", "rejected", "sql")
STAMPED = ("created", "mql", "contacted", *EXITS)
# The first and the last hold of a pass begin; see `reentry.with_history`.
HOLDS = ("first_hold", "last_hold")


@dataclass(frozen=True)
class Clock:
    """The clock of the report.

    Attributes
    ----------
    params, zone, as_of
        Parameters, time zone and cut-off of the report.
    precision
        Which timestamps are dates. Durations from or to them are whole days.
    """

    params: ReportParams
    zone: ZoneInfo
    as_of: AsOf
    precision: Precision

    @property
    def dated(self) -> frozenset[str]:
        """Return the columns that contain only dates."""
        return self.precision.dated

    @property
    def local(self) -> LocalTime:
        """Return the local time of the report."""
        return self.precision.local

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
        is_contact_dated=clock.precision.is_date(leads, "mql_at", "contacted_at"),
    )
    timed = with_rule(timed, clock.params)
    if clock.params.has_work_clock:
        timed = _on_work_clock(timed, clock)
    if has_holds(timed):
        timed = _without_holds(timed, clock)
    is_business = clock.params.sla_clock == BUSINESS
    stage, waited = (
        ("work_exit_us", "work_waited_us")
        if is_business
        else (on_clock(timed, "exit_us"), on_clock(timed, "waited_us"))
    )
    return timed.mutate(stage_us=timed[stage], waited_us=timed[waited])


def _without_holds(leads: ir.Table, clock: Clock) -> ir.Table:
    """Add the durations in calendar time without the time on hold."""
    is_date, local = clock.precision.is_date(leads, "mql_at"), clock.local
    entered = leads["mql_at"]

    def wait(at: ir.IntegerValue) -> ir.IntegerValue:
        return in_days(
            is_date=is_date,
            days=lambda: local.day(at) - local.day(entered),
            exact=at - entered,
        )

    waits = {hold: wait(leads[f"{hold}_at"]) for hold in HOLDS}
    return leads.mutate(
        **_hold_times(leads, waits, is_date=is_date),
        unheld_exit_us=earliest(
            *(between(leads, "mql", s, clock) - _held(leads, clock, s) for s in EXITS)
        ),
        unheld_contact_us=leads["contact_us"] - _held(leads, clock, "contacted"),
        unheld_waited_us=leads["calendar_waited_us"] - _held_so_far(leads, clock, EXITS),
        unheld_contact_waited_us=leads["calendar_contact_waited_us"]
        - _held_so_far(leads, clock, ("contacted",)),
    )


def _hold_times(
    leads: ir.Table,
    waits: Mapping[str, ir.IntegerValue],
    *,
    is_date: ir.BooleanValue | bool,
    unit: str = "",
) -> dict[str, ir.IntegerValue]:
    """Return what `promises.held_when_due` needs, from the time to the first and the last hold."""
    first = _held_until(leads, "last_hold", is_date=is_date, unit=unit)
    return {
        f"{unit}first_hold_us": waits["first_hold"],
        f"{unit}last_hold_us": waits["last_hold"] - first,
        # Of more than two holds, it is not known which of them came before the due time.
        f"{unit}first_held_us": (leads["n_holds"] <= 2).ifelse(first, ibis.null("int64")),
    }


def has_holds(leads: ir.Table) -> bool:
    """Return whether any lead may have been on hold; see `holds`."""
    return "mql_held_us" in leads.columns


def _held(leads: ir.Table, clock: Clock, stage: str, *, unit: str = "") -> ir.IntegerValue:
    """Return the time on hold from MQL to a stage, in calendar or in working time (``work_``)."""
    is_date = clock.precision.is_date(leads, "mql_at", f"{stage}_at")
    return _held_until(leads, stage, is_date=is_date, unit=unit)


def _held_so_far(
    leads: ir.Table, clock: Clock, stages: Sequence[str], *, unit: str = ""
) -> ir.IntegerValue:
    """Return the time on hold from MQL to the as-of date; see `until_as_of`."""
    is_date = _is_whole_days(leads, clock, "mql_at", stages)
    return _held_until(leads, "as_of", is_date=is_date, unit=unit)


def _held_until(
    leads: ir.Table, end: str, *, is_date: ir.BooleanValue | bool, unit: str
) -> ir.IntegerValue:
    def of(kind: str) -> ir.IntegerValue:
        return leads[f"{end}_held_{unit}{kind}"] - leads[f"mql_held_{unit}{kind}"]

    return in_days(is_date=is_date, days=lambda: of("days"), exact=of("us"))


def between(leads: ir.Table, start: str, end: str, clock: Clock) -> ir.IntegerValue:
    """Return the calendar time from one stage to another in microseconds; see `leads.table`."""
    return clock.precision.between(leads, f"{start}_at", f"{end}_at")


def _is_accepted_first(leads: ir.Table, clock: Clock) -> ir.BooleanValue:
    """Return whether the acceptance came no later than the rejection; NULL without either.

    A tie counts as an acceptance; so does a date and another timestamp of that day.
    """
    accepted, sql, rejected = (leads[f"{stage}_at"] for stage in ("accepted", "sql", "rejected"))
    is_no_later = clock.precision.is_no_later
    is_first = (
        rejected.isnull()
        | is_no_later(leads, "accepted_at", "rejected_at")
        | is_no_later(leads, "sql_at", "rejected_at")
    )
    is_decided = accepted.notnull() | sql.notnull() | rejected.notnull()
    return is_decided.ifelse(is_first, ibis.null("boolean"))


def until_as_of(
    leads: ir.Table, clock: Clock, stages: Sequence[str], *, start: str = "mql"
) -> ir.IntegerValue:
    """Return the time from a stage to the as-of date, with the precision of the time to others."""
    stamp, precision = f"{start}_at", clock.precision
    return in_days(
        is_date=_is_whole_days(leads, clock, stamp, stages),
        days=lambda: precision.as_of_day(leads, stamp, clock.as_of) - precision.day(leads, stamp),
        exact=micros(clock.as_of.at) - leads[stamp],
    )


def _is_whole_days(
    leads: ir.Table, clock: Clock, stamp: str, stages: Sequence[str]
) -> ir.BooleanValue | bool:
    """Return whether the time to the as-of date is whole days: as the time to a stage would be."""
    is_dated = any(f"{stage}_at" in clock.dated for stage in stages)
    return is_dated or clock.precision.is_date(leads, stamp)


def _on_work_clock(leads: ir.Table, clock: Clock) -> ir.Table:
    """Add durations in working time, as differences of the work clock, and due times."""
    calendar, precision = team_calendar(leads, clock), clock.precision
    holds = HOLDS if has_holds(leads) else ()
    stages = ("mql", "contacted", *EXITS, *holds, "as_of")
    leads = leads.mutate(as_of_at=ibis.literal(micros(clock.as_of.at)))
    for stage in stages:
        leads = add_work_clock(
            leads, column=f"{stage}_at", name=f"{stage}_clock", calendar=calendar
        )
    if precision.has_dates:
        days = {f"{s}_on": precision.day(leads, f"{s}_at") for s in STAMPED[1:]}
        days |= {f"{hold}_on": precision.local.day(leads[f"{hold}_at"]) for hold in holds}
        days["as_of_on"] = precision.as_of_day(leads, "mql_at", clock.as_of)
        leads = leads.mutate(**days)
        for stage in stages:
            leads = add_day_clock(
                leads, column=f"{stage}_on", name=f"{stage}_day", calendar=calendar
            )

    def worked(end: str, *, is_date: ir.BooleanValue | bool) -> ir.IntegerValue:
        return in_days(
            is_date=is_date,
            days=lambda: leads[f"{end}_day"] - leads["mql_day"],
            exact=leads[f"{end}_clock"] - leads["mql_clock"],
        )

    def until(stage: str) -> ir.IntegerValue:
        return worked(stage, is_date=precision.is_date(leads, "mql_at", f"{stage}_at"))

    def so_far(*stages: str) -> ir.IntegerValue:
        return worked("as_of", is_date=_is_whole_days(leads, clock, "mql_at", stages))

    def held(stage: str) -> ir.IntegerValue | int:
        return _held(leads, clock, stage, unit="work_") if has_holds(leads) else 0

    def held_so_far(*stages: str) -> ir.IntegerValue | int:
        return _held_so_far(leads, clock, stages, unit="work_") if has_holds(leads) else 0

    raw = {
        "exit": (earliest(*map(until, EXITS)), so_far(*EXITS)),
        "contact": (until("contacted"), so_far("contacted")),
    }
    is_date = precision.is_date(leads, "mql_at")
    if holds:
        waits: dict[str, ir.IntegerValue] = {h: worked(h, is_date=is_date) for h in holds}
        leads = leads.mutate(**_hold_times(leads, waits, is_date=is_date, unit="work_"))
    leads = leads.mutate(
        work_exit_us=earliest(*(until(stage) - held(stage) for stage in EXITS)),
        work_contact_us=until("contacted") - held("contacted"),
        work_waited_us=so_far(*EXITS) - held_so_far(*EXITS),
        work_contact_waited_us=so_far("contacted") - held_so_far("contacted"),
    )
    return _due_on_work_clock(leads, clock, raw, calendar)


def _due_on_work_clock(
    leads: ir.Table,
    clock: Clock,
    raw: Mapping[str, tuple[ir.IntegerValue, ir.IntegerValue]],
    calendar: WorkCalendar,
) -> ir.Table:
    """Add the due times of promises in working time, for each event that may stop them.

    ``raw`` has the working time to the event and to the as-of date, with the time on hold.
    """
    day_us = calendar.week.day_us
    sla_us = promised(leads, clock.params, lambda p: p.us if p.is_business else None)
    # The time that whole days, of which a wait from a date consists, can take.
    days_us = promised(
        leads, clock.params, lambda p: p.us // day_us * day_us if p.is_business else None
    )
    is_date = clock.precision.is_date(leads, "mql_at")
    names = {"exit": "work_due_at"}
    if has_holds(leads):
        names["contact"] = "work_contact_due_at"
    for event, name in names.items():
        held: ir.IntegerValue | int = 0
        if has_holds(leads):
            stop, waited = leads[f"work_{event}_us"], leads[_waited(event, "work_")]
            until, so_far = raw[event]
            held = held_when_due(
                leads,
                sla_us,
                spent=stop.coalesce(waited),
                held=(until - stop).coalesce(so_far - waited),
                unit="work_",
            )
        if is_date is not True:
            leads = leads.mutate(**{name: leads["mql_clock"] + sla_us + held})
            leads = add_due_at(leads, clock=name, name=name, calendar=calendar)
        if is_date is not False:
            leads = leads.mutate(_due_day=leads["mql_day"] + days_us + held)
            leads = add_closing_at(leads, clock="_due_day", name="_due_day", calendar=calendar)
            due = leads["_due_day"]
            due = due if is_date is True else is_date.ifelse(due, leads[name])
            leads = leads.mutate(**{name: due}).drop("_due_day")
    return leads


def _waited(event: str, unit: str) -> str:
    """Return the name of the wait for an event until the as-of date."""
    return f"{unit}waited_us" if event == "exit" else f"{unit}{event}_waited_us"


def team_calendar(leads: ir.Table, clock: Clock) -> WorkCalendar:
    """Return the working days of the team over the range of the timestamps."""
    stamps = [leads[f"{stage}_at"] for stage in ("mql", "contacted", *EXITS)]
    found = {f"{i}": f() for i, f in enumerate(f for s in stamps for f in (s.min, s.max))}
    row = leads.aggregate(**found).to_pyarrow().to_pylist()[0]
    return calendar_of([at for at in row.values() if at is not None], clock)


def calendar_of(stamps: Iterable[int], clock: Clock) -> WorkCalendar:
    """Return the working days of the team over the range of some timestamps."""
    seen = [instant(at).astimezone(clock.zone).date() for at in stamps]
    # A date is a day of its source's zone, which may be the day before or after.
    margin = DAY if clock.precision.has_dates else 0 * DAY
    days = sorted([*seen, clock.as_of.on])
    return work_calendar(
        parse_work_week(clock.params.work_week),
        zone=clock.zone,
        holidays=clock.params.holidays,
        first=days[0] - margin,
        last=days[-1] + margin,
        sla_us=max(promise.us for promise in clock.params.promises if promise.is_business),
    )
