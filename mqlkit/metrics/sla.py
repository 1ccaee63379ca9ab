"""Outcomes against the SLA."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.leads.durations import EXITS
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import wilson

OUTCOMES = (
    "sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_due_soon", "sla_unmeasurable",
)  # fmt: skip


def stops_on(params: ReportParams) -> tuple[str, ...]:
    """Return the stages that stop the SLA."""
    return ("contacted",) if params.sla_stops_on == "contact" else EXITS


def sla_outcome(leads: LeadTable) -> pd.DataFrame:
    """Return how many MQLs were decided on (or contacted) within the SLA.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of `OUTCOMES` and sla_attainment (metrics.md §6). All null where the data records
        none of the stages that stop the SLA.
    """
    wide = leads.counts
    if not leads.is_recorded(*stops_on(leads.params)):
        return not_recorded(wide, *OUTCOMES, "sla_attainment")
    decided = wide["sla_met"] + wide["sla_breached"]
    low, high = wilson(wide["sla_met"], decided)
    rows = [metric_rows(wide, name, wide[name]) for name in OUTCOMES]
    attained = share(wide["sla_met"], decided)
    rows.append(metric_rows(wide, "sla_attainment", attained, n=decided, low=low, high=high))
    return pd.concat(rows, ignore_index=True)
