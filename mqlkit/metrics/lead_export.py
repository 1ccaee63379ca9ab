"""The lead table for analyses of one's own: every column of the export, with durations."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.names import LEAD_COLUMNS, STAMPS
from mqlkit.core.params import ReportParams
from mqlkit.leads.build import leads_with_durations
from mqlkit.leads.columns import matching, raw
from mqlkit.leads.durations import Clock
from mqlkit.leads.integers import DAY_US, HOUR_US, MICRO
from mqlkit.leads.outcomes import sla_outcomes
from mqlkit.leads.promises import with_promise
from mqlkit.metrics.sla import stops_on
from mqlkit.sources.opening import open_source
from mqlkit.sources.store import to_frame, to_timestamp

TIMES = (*STAMPS, "exit_at", "due_at")
# Calendar durations, and those on the clock of the SLA.
HOURS = {
    "hours_to_contact": "contact_us", "hours_to_accepted": "accepted_us",
    "hours_to_rejected": "rejected_us", "hours_to_sql": "sql_us", "hours_in_stage": "stage_us",
}  # fmt: skip


def export_table(params: ReportParams, *, base: Path | None = None) -> tuple[ir.Table, Clock]:
    """Read the export with all of its columns.

    Parameters
    ----------
    params
        The report.
    base
        Folder that a relative ``source`` starts from.

    Returns
    -------
    ibis.Table
        One row per lead and pass; see `Report.leads`. Timestamps are naive UTC.
    Clock
        How durations were counted.
    """
    opened = open_source(params, base=base, is_all_wanted=True)
    extras = opened.tables.others
    timed = leads_with_durations(
        opened.tables,
        params,
        zone=opened.zone,
        reader=opened.reader,
        columns=params.lead_columns,
        extras=extras,
    )
    # Stored, the sums of time on hold are integers of 64 bits again, as timestamps are.
    every = opened.reader.store(timed.table) if timed.is_expensive else timed.table
    leads = with_promise(matching(every, params.where), params, timed.clock.precision)
    table = leads.select(
        **_columns(leads, timed.clock, timed.seen.recorded), **_extras(leads, extras)
    )
    return opened.reader.store(table.order_by("mql_at", "lead_id")), timed.clock


def exported_leads(table: ir.Table, clock: Clock) -> pd.DataFrame:
    """Return `export_table` as pandas, with timestamps in the zone of the report."""
    frame = to_frame(table.order_by("mql_at", "lead_id"))
    local = {c: frame[c].dt.tz_localize("UTC").dt.tz_convert(clock.zone) for c in TIMES}
    return frame.assign(**local)


def _columns(leads: ir.Table, clock: Clock, recorded: Container[str]) -> dict[str, ir.Value]:
    is_known = any(f"{stage}_at" in recorded for stage in stops_on(clock.params))
    is_judged = leads["mql_at"].notnull() & ibis.literal(is_known)
    outcome = {name: is_judged & holds for name, holds in sla_outcomes(leads, clock).items()}
    waited = leads["exit_at"].isnull().ifelse(leads["waited_us"], ibis.null("int64"))
    return {
        "lead_id": leads["lead_id"],
        **{name: to_timestamp(leads[name]) for name in TIMES},
        "amount": leads["amount"] / MICRO,
        **{c: leads[c] for c in LEAD_COLUMNS if c not in ("lead_id", "amount", *STAMPS)},
        "days_to_mql": leads["lag_us"] / DAY_US,
        **{name: leads[column] / HOUR_US for name, column in HOURS.items()},
        "hours_waited": waited / HOUR_US,
        "is_in_order": leads["is_in_order"],
        "sla": ibis.cases(
            (outcome["sla_met"], "met"),
            (outcome["sla_past_due"], "overdue"),
            (outcome["sla_breached"], "breached"),
            (outcome["sla_pending"], "pending"),
            (outcome["sla_unmeasurable"], "unmeasurable"),
        ),
    }


def _extras(leads: ir.Table, extras: list[str]) -> dict[str, ir.Value]:
    """Return the other columns of the export; one whose name is taken gets `` (file)``."""
    names = [*TIMES, *LEAD_COLUMNS, *HOURS, "days_to_mql", "hours_waited", "is_in_order", "sla"]
    found = {}
    for name in extras:
        column = name
        while column.casefold() in names:
            column += " (file)"
        names.append(column.casefold())
        found[column] = leads[raw(name)]
    return found
