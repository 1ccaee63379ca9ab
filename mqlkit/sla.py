"""Question 2c: does sales keep its word? Outcomes against the SLA, and the leads it let lie."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from mqlkit.durations import HOUR_US
from mqlkit.engine import iso_local, safe_text, to_frame
from mqlkit.estimators import wilson
from mqlkit.leads import TOTAL_BUCKET, LeadTable
from mqlkit.outcomes import sla_outcomes
from mqlkit.tidy import metric_rows, share

LATEST_FIRST = (ibis.desc("hours_late"), "mql_at", "lead_id")
OUTCOMES = ("sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_unmeasurable")


def sla_outcome(leads: LeadTable) -> pd.DataFrame:
    """Return how many MQLs were decided on (or contacted) within the SLA.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of sla_met, sla_breached, sla_past_due, sla_pending, sla_unmeasurable and
        sla_attainment (metrics.md §6). All null where the SLA stops on contact and the data
        records no contact.
    """
    wide = leads.counts
    if leads.params.sla_stops_on == "contact" and "contacted_at" not in leads.recorded:
        none = np.full(len(wide), np.nan)
        names = (*OUTCOMES, "sla_attainment")
        return pd.concat([metric_rows(wide, name, none) for name in names], ignore_index=True)
    decided = wide["sla_met"] + wide["sla_breached"]
    low, high = wilson(wide["sla_met"], decided)
    rows = [metric_rows(wide, name, wide[name]) for name in OUTCOMES]
    attained = share(wide["sla_met"], decided)
    rows.append(metric_rows(wide, "sla_attainment", attained, n=decided, low=low, high=high))
    return pd.concat(rows, ignore_index=True)


def breaches(leads: LeadTable) -> ir.Table:
    """Return every breached lead of the period, in no order.

    Returns
    -------
    ibis.Table
        ``lead_id``, ``owner``, ``source``, ``mql_at``, ``due_at`` (naive UTC), ``hours_late`` (on
        the chosen clock), ``is_open`` (whether it still waits).
    """
    cohort = leads.cohort
    late = cohort.filter(sla_outcomes(cohort, leads.clock)["sla_breached"])
    taken = late["stop_us"].coalesce(late["sla_waited_us"])
    return late.select(
        "lead_id",
        "owner",
        "source",
        "mql_at",
        "due_at",
        hours_late=(taken - leads.clock.sla_us) / HOUR_US,
        is_open=late["stop_us"].isnull(),
    )


def breach_list(leads: LeadTable, *, longest: int | None = None) -> pd.DataFrame:
    """Return the breached leads of the period, or the ``longest`` of them, the latest ones first.

    Returns
    -------
    pandas.DataFrame
        As `breaches`, with ``entered`` and ``due`` as local stamps, and ``of``: how many there are.
    """
    frame = to_frame(breaches(leads).order_by(*LATEST_FIRST).limit(longest))
    names = {"mql_at": "entered", "due_at": "due"}
    local = {c: frame[c].dt.tz_localize("UTC").dt.tz_convert(leads.zone) for c in names}
    counted = leads.counts
    n = int(counted["sla_breached"][counted["index"] == TOTAL_BUCKET].iloc[0])
    return frame.assign(**local, of=n).rename(columns=names)


def breach_lines(leads: LeadTable) -> ir.Table:
    """Return `breaches` as a CSV file has them: local ISO stamps, and no cell that is a formula.

    There is a line per late lead, so that they are written by the engine and never come to Python.
    """
    late, zone = breaches(leads), str(leads.zone)
    late = late.mutate(
        entered=iso_local(late["mql_at"], zone),
        due=iso_local(late["due_at"], zone),
        id_text=safe_text(late["lead_id"]),
    )
    # Sorted last: the engine does not keep the order of a table that it selects from.
    late = late.order_by(*LATEST_FIRST)
    return late.select(
        lead_id=late["id_text"],
        owner=safe_text(late["owner"]),
        source=safe_text(late["source"]),
        entered=late["entered"],
        due=late["due"],
        hours_late=late["hours_late"].round(4),
        is_open=late["is_open"].ifelse("yes", "no"),
    )
