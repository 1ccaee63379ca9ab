"""The SLA that holds for each lead: of the first rule that fits it, else of the report."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from mqlkit.core.params import ReportParams
from mqlkit.core.promises import Promise
from mqlkit.leads.columns import matches
from mqlkit.leads.integers import DAY_US
from mqlkit.leads.precision import Precision, in_days

RULE = "sla_rule"


def with_rule(leads: ir.Table, params: ReportParams) -> ir.Table:
    """Add ``sla_rule``, the index of each lead's promise in `ReportParams.promises`, if many."""
    *rules, _ = params.promises
    if not rules:
        return leads
    fitting = [(matches(leads, rule.where), _place(n)) for n, rule in enumerate(rules)]
    return leads.mutate(**{RULE: ibis.cases(*fitting, else_=_place(len(rules)))})


def with_promise(leads: ir.Table, params: ReportParams, precision: Precision) -> ir.Table:
    """Add what the outcome against the SLA is computed from.

    Parameters
    ----------
    leads
        Leads with durations, and with `with_rule`.
    params
        The report; its SLA, the event that stops it and the warning can differ from those that
        durations were computed with.
    precision
        Which timestamps are dates.

    Returns
    -------
    ibis.Table
        With ``promise_us``, ``warn_us`` (the SLA, and the wait from which a lead is due soon),
        ``sla_stop_us``, ``sla_waited_us`` (time to the event that stops the SLA, and to the as-of
        date), all on the clock of the lead's promise, and ``due_at``: NULL where the SLA ran out
        between the first and the last of more than two holds.
    """
    is_held = "first_hold_us" in leads.columns
    event = "contact" if params.sla_stops_on == "contact" else "exit"
    waited = {"contact": "contact_waited_us", "exit": "waited_us"}[event]

    def stop(promise: Promise) -> ir.IntegerValue:
        name = f"{event}_us"
        return leads[f"work_{name}" if promise.is_business else on_clock(leads, name)]

    def wait(promise: Promise) -> ir.IntegerValue:
        return leads[f"work_{waited}" if promise.is_business else on_clock(leads, waited)]

    def due(promise: Promise) -> ir.IntegerValue:
        if promise.is_business:
            return leads["work_contact_due_at" if is_held and event == "contact" else "work_due_at"]
        held: ir.IntegerValue | int = 0
        if is_held:
            left, waits = stop(promise), wait(promise)
            held = held_when_due(
                leads,
                ibis.literal(promise.us, "int64"),
                spent=left.coalesce(waits),
                held=(leads[f"{event}_us"] - left).coalesce(leads[f"calendar_{waited}"] - waits),
            )
        entered = leads["mql_at"]
        # A wait from a date is whole days: it is in time until the end of the last of them.
        last_day = precision.local.day(entered) + promise.us // DAY_US * DAY_US + held
        return in_days(
            is_date=precision.is_date(leads, "mql_at"),
            days=lambda: precision.local.start(last_day + DAY_US) - 1,
            exact=entered + promise.us + held,
        )

    return leads.mutate(
        promise_us=promised(leads, params, lambda promise: promise.us),
        warn_us=promised(leads, params, lambda promise: promise.warn_us(params.sla_warn)),
        sla_stop_us=promised(leads, params, stop),
        sla_waited_us=promised(leads, params, wait),
        due_at=promised(leads, params, due),
    )


def held_when_due(
    leads: ir.Table,
    sla_us: ir.IntegerValue,
    *,
    spent: ir.IntegerValue,
    held: ir.IntegerValue,
    unit: str = "",
) -> ir.IntegerValue:
    """Return the time on hold by which the due time is later: of holds that began before it.

    Parameters
    ----------
    leads
        Leads with the columns of `durations` about holds.
    sla_us, spent
        The SLA, and what the lead has spent of it until the event that stops it or so far.
    held
        The time on hold until then.
    unit
        ``work_`` in working time.
    """
    first, last = leads[f"{unit}first_hold_us"], leads[f"{unit}last_hold_us"]
    before = ibis.cases(
        (sla_us < first, 0), (sla_us < last, leads[f"{unit}first_held_us"]), else_=held
    )
    return (spent > sla_us).ifelse(before, held)


def on_clock(leads: ir.Table, name: str) -> str:
    """Return the column of a duration in calendar time that time on hold does not count for.

    ``name`` is ``exit_us``, ``contact_us``, ``waited_us`` or ``contact_waited_us``.
    """
    if f"unheld_{name}" in leads.columns:
        return f"unheld_{name}"
    return f"calendar_{name}" if "waited" in name else name


def promised(
    leads: ir.Table,
    params: ReportParams,
    value_of: Callable[[Promise], ir.IntegerValue | int | None],
) -> ir.IntegerValue:
    """Return a value of each lead's promise; NULL where it is None."""
    values = [_value(value_of(promise)) for promise in params.promises]
    *rules, last = values
    if not rules:
        return last
    return ibis.cases(*((leads[RULE] == n, value) for n, value in enumerate(rules)), else_=last)


def _value(value: ir.IntegerValue | int | None) -> ir.IntegerValue:
    if value is None:
        return ibis.null("int64")
    return ibis.literal(value, "int64") if isinstance(value, int) else value


def _place(n: int) -> ir.IntegerValue:
    return ibis.literal(n, "int32")
