"""The SLA that holds for each lead: of the first rule that fits it, else of the report."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from mqlkit.core.params import ReportParams
from mqlkit.core.promises import Promise
from mqlkit.leads.columns import matches

RULE = "sla_rule"


def with_rule(leads: ir.Table, params: ReportParams) -> ir.Table:
    """Add ``sla_rule``, the index of each lead's promise in `ReportParams.promises`, if many."""
    *rules, _ = params.promises
    if not rules:
        return leads
    fitting = [(matches(leads, rule.where), _place(n)) for n, rule in enumerate(rules)]
    return leads.mutate(**{RULE: ibis.cases(*fitting, else_=_place(len(rules)))})


def with_promise(leads: ir.Table, params: ReportParams) -> ir.Table:
    """Add what the outcome against the SLA is computed from.

    Parameters
    ----------
    leads
        Leads with durations, and with `with_rule`.
    params
        The report; its SLA, the event that stops it and the warning can differ from those that
        durations were computed with.

    Returns
    -------
    ibis.Table
        With ``promise_us``, ``warn_us`` (the SLA, and the wait from which a lead is due soon),
        ``sla_stop_us``, ``sla_waited_us`` (time to the event that stops the SLA, and to the as-of
        date), all on the clock of the lead's promise, and ``due_at``.
    """
    event = "contact" if params.sla_stops_on == "contact" else "exit"
    waited = {"contact": "contact_waited_us", "exit": "waited_us"}[event]

    def stop(promise: Promise) -> ir.IntegerValue:
        name = f"{event}_us"
        return leads[f"work_{name}" if promise.is_business else on_clock(leads, name)]

    def wait(promise: Promise) -> ir.IntegerValue:
        return leads[f"work_{waited}" if promise.is_business else on_clock(leads, waited)]

    def due(promise: Promise) -> ir.IntegerValue:
        if promise.is_business:
            return leads["work_due_at"]
        held = (leads[f"{event}_us"] - stop(promise)).coalesce(
            leads[f"calendar_{waited}"] - wait(promise)
        )
        is_held = f"unheld_{event}_us" in leads.columns
        return leads["mql_at"] + promise.us + (held if is_held else 0)

    return leads.mutate(
        promise_us=promised(leads, params, lambda promise: promise.us),
        warn_us=promised(leads, params, lambda promise: promise.warn_us(params.sla_warn)),
        sla_stop_us=promised(leads, params, stop),
        sla_waited_us=promised(leads, params, wait),
        due_at=promised(leads, params, due),
    )


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
