"""Outcomes against the SLA."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mqlkit.leads.table import LeadTable
from mqlkit.metrics.tidy import metric_rows, share
from mqlkit.stats.intervals import wilson

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
