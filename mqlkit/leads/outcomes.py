"""Outcomes of each lead, as conditions and amounts whose sums over groups are the metrics."""

from __future__ import annotations

import ibis.expr.types as ir

from mqlkit.leads.durations import Clock
from mqlkit.leads.integers import DAY_US, HOUR_US, floor, micros

SLA_OUTCOMES = (
    "sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_due_soon", "sla_unmeasurable",
)  # fmt: skip


def is_accepted(leads: ir.Table) -> ir.BooleanValue:
    """Return whether sales accepted first; a tie counts as accepted."""
    return leads["is_accepted_first"].fill_null(False)


def is_rejected(leads: ir.Table) -> ir.BooleanValue:
    """Return whether sales rejected first."""
    return (~leads["is_accepted_first"]).fill_null(False)


def noted_of(leads: ir.Table) -> dict[str, ir.BooleanValue]:
    """Return the conditions of the notes in the ledger, by name."""
    return {
        "skipped_mql": leads["mql_at"].isnull() & leads["sql_at"].notnull(),
        "out_of_order": leads["mql_at"].notnull() & ~leads["is_in_order"],
        "overturned": is_rejected(leads) & leads["accepted_us"].notnull(),
    }


def sla_outcomes(leads: ir.Table, clock: Clock) -> dict[str, ir.BooleanValue]:
    """Return the conditions of `SLA_OUTCOMES`, by metric name.

    Every MQL is exactly one of met, breached, pending and unmeasurable. Past due is a subset of
    breached, due soon of pending.

    Parameters
    ----------
    leads
        The lead table with `promises.with_promise`.
    clock
        The clock of the report.
    """
    stop, waited, promise = (leads[c] for c in ("sla_stop_us", "sla_waited_us", "promise_us"))
    # Order is a matter of the calendar: outside working hours, the other clock stands still.
    is_contact = clock.params.sla_stops_on == "contact"
    is_out_of_order = leads["contact_us"] < 0 if is_contact else ~leads["is_in_order"]
    is_measured = ~is_out_of_order.fill_null(False)
    is_open = is_measured & stop.isnull()
    is_late = is_measured & (stop > promise).fill_null(False)
    is_overdue = is_open & (waited > promise)
    is_pending = is_open & (waited <= promise)
    return {
        "sla_met": is_measured & (stop <= promise).fill_null(False),
        "sla_breached": is_late | is_overdue,
        "sla_past_due": is_overdue,
        "sla_pending": is_pending,
        "sla_due_soon": is_pending & (waited >= leads["warn_us"]),
        "sla_unmeasurable": ~is_measured,
    }


def sla_measures(leads: ir.Table, clock: Clock) -> dict[str, ir.BooleanValue]:
    """Return `sla_outcomes`, and the SQLs of the leads in time and of the breached ones."""
    outcomes, is_sql = sla_outcomes(leads, clock), leads["sql_us"].notnull()
    sqls = {f"{name}_sqls": outcomes[name] & is_sql for name in ("sla_met", "sla_breached")}
    return {**outcomes, **sqls}


def lead_outcomes(leads: ir.Table, clock: Clock) -> dict[str, ir.Value]:
    """Return the measures that are summed over leads, by name.

    Parameters
    ----------
    leads
        The lead table.
    clock
        The clock of the report.

    Returns
    -------
    dict
        ``mqls``; ``accepted``, ``rejected``; ``sqls``; ``in_order``, ``left`` and ``stage_us``
        (their sum); ``fast``, ``slow`` and ``hour_over`` (contacted within the hour, later, not
        contacted and the hour over) with ``fast_sqls`` and ``slow_sqls``; ``within_day`` (of the
        slow, within 24 hours), ``early`` (contacted before the MQL), ``reached_by_date`` and
        ``open_by_date`` (contacted, or not, where the MQL or the contact is a date, so that the
        hour is unknown); ``lagged`` and ``lag_us`` (leads with a lag, its
        sum); ``won`` and ``amount`` (in millionths). Those that depend on the SLA and on
        ``within_days``: `sla_measures`, `within_outcomes`.
    """
    is_sql = leads["sql_us"].notnull()
    has_lag = (leads["lag_us"] >= 0).fill_null(False)
    left = leads["is_in_order"] & leads["stage_us"].notnull()
    return {
        "mqls": leads["mql_at"].notnull(),
        "accepted": is_accepted(leads),
        "rejected": is_rejected(leads),
        "sqls": is_sql,
        "in_order": leads["is_in_order"],
        "left": left,
        "stage_us": left.ifelse(leads["stage_us"], 0),
        **_response(leads, clock),
        "lagged": has_lag,
        "lag_us": has_lag.ifelse(leads["lag_us"], 0),
        "won": leads["amount"].notnull(),
        "amount": leads["amount"].fill_null(0),
    }


def within_outcomes(leads: ir.Table, clock: Clock) -> dict[str, ir.BooleanValue]:
    """Return the SQLs within ``within_days``, and the MQLs for which these days are over.

    ``within_sqls`` of all MQLs; ``ripe``, the MQLs whose days are over; ``ripe_sqls`` of these.
    """
    days = clock.params.within_days
    if days is None:
        is_sql = leads["sql_us"].notnull()
        return {"within_sqls": is_sql, "ripe": leads["mql_at"].notnull(), "ripe_sqls": is_sql}
    is_ripe = leads["calendar_waited_us"] >= days * DAY_US
    is_sql = (leads["sql_us"] <= days * DAY_US).fill_null(False)
    return {"within_sqls": is_sql, "ripe": is_ripe, "ripe_sqls": is_ripe & is_sql}


def _response(leads: ir.Table, clock: Clock) -> dict[str, ir.BooleanValue]:
    contact, is_sql = leads["contact_us"], leads["sql_us"].notnull()
    is_early, is_timed = (contact < 0).fill_null(False), ~leads["is_contact_dated"]
    is_reached = (contact >= 0).fill_null(False) & is_timed
    fast = is_reached & (contact <= HOUR_US).fill_null(False)
    slow = is_reached & ~fast
    hour_ago = micros(clock.as_of.at) - HOUR_US
    return {
        "fast": fast,
        "slow": slow,
        "within_day": slow & (contact <= DAY_US).fill_null(False),
        "early": is_early,
        "hour_over": contact.isnull() & (leads["mql_at"] <= hour_ago) & is_timed,
        "reached_by_date": (contact >= 0).fill_null(False) & ~is_timed,
        "open_by_date": leads["mql_at"].notnull() & contact.isnull() & ~is_timed,
        "fast_sqls": fast & is_sql,
        "slow_sqls": slow & is_sql,
    }


def sql_age(leads: ir.Table) -> ir.IntegerValue:
    """Return the time from MQL to SQL, rounded up to whole days; 0 for an SQL before its MQL."""
    age = floor(leads["sql_us"] + DAY_US - 1, DAY_US)
    return (age < 0).ifelse(0, age)
