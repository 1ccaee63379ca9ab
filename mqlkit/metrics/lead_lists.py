"""Lists of leads: SLA breaches and MQLs, for the page and for CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.leads.durations import EXITS
from mqlkit.leads.integers import HOUR_US
from mqlkit.leads.outcomes import is_accepted, is_rejected, sla_outcomes
from mqlkit.leads.promises import promised, with_promise
from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.metrics.sla import is_sla_recorded
from mqlkit.sources.store import iso_local, safe_text, to_frame, to_timestamp

LATEST_FIRST = (ibis.desc("mql_at"), "lead_id")
IS_DATE = "is_date_"
STAMPS = {"mql_at": "entered", "exit_at": "decided", "sql_at": "became_sql"}


def mqls(leads: LeadTable) -> ir.Table:
    """Return every MQL of the period, in no order.

    Returns
    -------
    ibis.Table
        ``lead_id``, ``owner``, ``source``, ``mql_at``, ``exit_at``, ``sql_at`` (naive UTC),
        ``decision`` (accepted, rejected, none yet, not recorded) and ``sla`` (met, breached,
        overdue, pending, not measurable: out of order, or nothing that stops the SLA is recorded),
        and ``is_date_entered``, ``is_date_decided``, ``is_date_became_sql`` (whether these have no
        time of day).
    """
    undecided = "none yet" if leads.is_recorded(*EXITS) else "not recorded"
    cohort = with_promise(leads.cohort, leads.params, leads.clock.precision)
    outcome = sla_outcomes(cohort, leads.clock)
    is_unknown = ibis.literal(not is_sla_recorded(leads))
    return cohort.select(
        "lead_id",
        "owner",
        "source",
        **{stamp: to_timestamp(cohort[stamp]) for stamp in STAMPS},
        **_date_columns(cohort, leads, STAMPS),
        decision=ibis.cases(
            (is_accepted(cohort), "accepted"), (is_rejected(cohort), "rejected"), else_=undecided
        ),
        sla=ibis.cases(
            (is_unknown, "not measurable"),
            (outcome["sla_met"], "met"),
            (outcome["sla_past_due"], "overdue"),
            (outcome["sla_breached"], "breached"),
            (outcome["sla_pending"], "pending"),
            else_="not measurable",
        ),
    )


def _date_columns(
    table: ir.Table, leads: LeadTable, stamps: Mapping[str, str]
) -> dict[str, ir.BooleanValue]:
    """Return ``is_date_NAME`` for each timestamp: whether it is a date without a time of day."""

    def is_date(stamp: str) -> ir.BooleanValue | bool:
        precision = leads.clock.precision
        if stamp == "due_at":
            return precision.is_date(table, "mql_at")
        if stamp != "exit_at" or not precision.has_dates:
            return precision.is_date(table, stamp)
        # The exit is one of these; a tie with a date is a date.
        exits = [f"{stage}_at" for stage in EXITS]
        parts = [(table[e] == table["exit_at"]) & precision.is_date(table, e) for e in exits]
        return reduce(or_, [part.fill_null(False) for part in parts])

    found = {f"{IS_DATE}{name}": is_date(stamp) for stamp, name in stamps.items()}
    return {name: ibis.literal(d) if isinstance(d, bool) else d for name, d in found.items()}


def mql_list(leads: LeadTable, *, longest: int | None = None) -> pd.DataFrame:
    """Return the MQLs of the period, or the ``longest`` latest of them, the latest first.

    Returns
    -------
    pandas.DataFrame
        As `mqls`, with ``entered``, ``decided`` and ``became_sql`` as local stamps, and ``of``:
        how many there are.
    """
    frame = to_frame(mqls(leads).order_by(*LATEST_FIRST).limit(longest))
    counted = leads.counts
    n = int(counted["mqls"][counted["index"] == TOTAL_BUCKET].iloc[0])
    return _local(frame, leads.zone, STAMPS).assign(of=n)


def mql_lines(leads: LeadTable) -> ir.Table:
    """Return `mqls` as a CSV file has them: local ISO stamps, and no cell that is a formula.

    As `sla.breach_lines`, written by the engine.
    """
    table, zone = mqls(leads), str(leads.zone)
    # ClassifiedExport last, as the engine wants it, and by what is not in the file.
    table = table.mutate(
        id_text=safe_text(table["lead_id"]),
        **{name: _written(table, c, name, zone) for c, name in STAMPS.items()},
    ).order_by(*LATEST_FIRST)
    return table.select(
        lead_id=table["id_text"],
        owner=safe_text(table["owner"]),
        source=safe_text(table["source"]),
        entered=table["entered"],
        decided=table["decided"],
        became_sql=table["became_sql"],
        decision=table["decision"],
        sla=table["sla"],
    )


def _written(table: ir.Table, stamp: str, name: str, zone: str) -> ir.StringValue:
    """Return a timestamp as local ISO text: a date where it has no time of day."""
    text = iso_local(table[stamp], zone)
    return table[f"{IS_DATE}{name}"].ifelse(text.left(len("2026-01-31")), text)


ENTERED_AND_DUE = {"mql_at": "entered", "due_at": "due"}
WORST_FIRST = (ibis.desc("hours_late"), "mql_at", "lead_id")


def breaches(leads: LeadTable) -> ir.Table:
    """Return every breached lead of the period, in no order.

    Returns
    -------
    ibis.Table
        ``lead_id``, ``owner``, ``source``, ``mql_at``, ``due_at`` (naive UTC), ``hours_late`` (on
        the clock of the lead's SLA), ``day_hours`` (hours of a day on it), ``is_open`` (whether it
        still waits), ``is_date_entered`` and ``is_date_due`` (whether these have no time of day).
        ``due_at`` is null where the lead was on hold more than twice around it. No row where
        nothing that stops the SLA is recorded.
    """
    late = _with_outcome(leads, "sla_breached")
    return late.select(
        "lead_id",
        "owner",
        "source",
        mql_at=to_timestamp(late["mql_at"]),
        due_at=to_timestamp(late["due_at"]),
        hours_late=(late["sla_stop_us"].coalesce(late["sla_waited_us"]) - late["promise_us"])
        / HOUR_US,
        day_hours=_day_hours(late, leads.params),
        is_open=late["sla_stop_us"].isnull(),
        **_date_columns(late, leads, ENTERED_AND_DUE),
    )


def _with_outcome(leads: LeadTable, outcome: str) -> ir.Table:
    """Return the leads of the period with an outcome against the SLA, with their promise."""
    cohort = with_promise(leads.cohort, leads.params, leads.clock.precision)
    is_known = ibis.literal(is_sla_recorded(leads))
    return cohort.filter(is_known & sla_outcomes(cohort, leads.clock)[outcome])


def _day_hours(table: ir.Table, params: ReportParams) -> ir.FloatingValue:
    return promised(table, params, lambda promise: promise.day_us) / HOUR_US


def due_soon(leads: LeadTable) -> ir.Table:
    """Return every open lead of the period that is due soon, in no order.

    Returns
    -------
    ibis.Table
        ``lead_id``, ``owner``, ``source``, ``mql_at``, ``due_at`` (naive UTC), ``hours_left``
        until then on the clock of the lead's SLA; ``day_hours``, ``is_date_entered`` and
        ``is_date_due`` as in `breaches`.
    """
    waiting = _with_outcome(leads, "sla_due_soon")
    return waiting.select(
        "lead_id",
        "owner",
        "source",
        mql_at=to_timestamp(waiting["mql_at"]),
        due_at=to_timestamp(waiting["due_at"]),
        hours_left=(waiting["promise_us"] - waiting["sla_waited_us"]) / HOUR_US,
        day_hours=_day_hours(waiting, leads.params),
        **_date_columns(waiting, leads, ENTERED_AND_DUE),
    )


def due_soon_list(leads: LeadTable) -> pd.DataFrame:
    """Return the open leads that are due soon, the next one first.

    Returns
    -------
    pandas.DataFrame
        As `due_soon`, with ``entered`` and ``due`` as local stamps.
    """
    frame = to_frame(due_soon(leads).order_by("due_at", "lead_id"))
    return _local(frame, leads.zone, ENTERED_AND_DUE)


def _local(frame: pd.DataFrame, zone: ZoneInfo, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame with naive UTC stamps as local ones, renamed."""
    local = {c: frame[c].dt.tz_localize("UTC").dt.tz_convert(zone) for c in names}
    return frame.assign(**local).rename(columns=dict(names))


def breach_list(leads: LeadTable, *, longest: int | None = None) -> pd.DataFrame:
    """Return the breached leads of the period, or the ``longest`` of them, the latest ones first.

    Returns
    -------
    pandas.DataFrame
        As `breaches`, with ``entered`` and ``due`` as local stamps, and ``of``: how many there are.
    """
    frame = to_frame(breaches(leads).order_by(*WORST_FIRST).limit(longest))
    frame = _local(frame, leads.zone, ENTERED_AND_DUE)
    counted = leads.counts
    n = int(counted["sla_breached"][counted["index"] == TOTAL_BUCKET].iloc[0])
    return frame.assign(of=n)


def breach_lines(leads: LeadTable) -> ir.Table:
    """Return `breaches` as a CSV file has them: local ISO stamps, and no cell that is a formula.

    There is a line per late lead, so that they are written by the engine and never come to Python.
    """
    late, zone = breaches(leads), str(leads.zone)
    late = late.mutate(
        **{name: _written(late, stamp, name, zone) for stamp, name in ENTERED_AND_DUE.items()},
        id_text=safe_text(late["lead_id"]),
    )
    # ClassifiedExport last: the engine does not keep the order of a table that it selects from.
    late = late.order_by(*WORST_FIRST)
    return late.select(
        lead_id=late["id_text"],
        owner=safe_text(late["owner"]),
        source=safe_text(late["source"]),
        entered=late["entered"],
        due=late["due"],
        hours_late=late["hours_late"].round(4),
        is_open=late["is_open"].ifelse("yes", "no"),
    )


def waiting_list(leads: LeadTable) -> pd.DataFrame:
    """Return the leads that are MQLs at the as-of moment, those waiting longest first.

    Returns
    -------
    pandas.DataFrame
        ``lead_id``, ``owner``, ``source``, ``entered`` (local stamp), ``days_waiting``. No row
        where no decision is recorded.
    """
    table, is_known = leads.table, ibis.literal(leads.is_recorded(*EXITS))
    waiting = table.filter(is_known & table["mql_at"].notnull() & table["exit_at"].isnull())
    waiting = waiting.mutate(mql_at=to_timestamp(waiting["mql_at"]))
    frame = to_frame(
        waiting.select("lead_id", "owner", "source", "mql_at", "waited_us").order_by(
            "mql_at", "lead_id"
        )
    )
    entered = frame["mql_at"].dt.tz_localize("UTC").dt.tz_convert(leads.zone)
    return pd.DataFrame(
        {
            "lead_id": frame["lead_id"],
            "owner": frame["owner"],
            "source": frame["source"],
            "entered": entered,
            "days_waiting": frame["waited_us"] / 86_400e6,
        }
    )
