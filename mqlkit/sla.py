"""Question 2c: does sales keep its word? Outcomes against the SLA, and the leads it let lie."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from mqlkit.durations import HOUR_US
from mqlkit.engine import to_frame
from mqlkit.estimators import wilson
from mqlkit.leads import LeadTable
from mqlkit.outcomes import sla_outcomes
from mqlkit.tidy import metric_rows, share

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


def breach_list(leads: LeadTable) -> pd.DataFrame:
    """Return every breached lead of the period, the latest ones first.

    Returns
    -------
    pandas.DataFrame
        ``lead_id``, ``owner``, ``source``, ``entered`` and ``due`` (local stamps), ``hours_late``
        (on the chosen clock), ``is_open`` (whether it still waits).
    """
    cohort = leads.cohort
    late = cohort.filter(sla_outcomes(cohort, leads.clock)["sla_breached"])
    taken = late["stop_us"].coalesce(late["sla_waited_us"])
    listed = late.select(
        "lead_id",
        "owner",
        "source",
        "mql_at",
        "due_at",
        hours_late=(taken - leads.clock.sla_us) / HOUR_US,
        is_open=late["stop_us"].isnull(),
    )
    frame = to_frame(listed.order_by(ibis.desc("hours_late"), "mql_at", "lead_id"))
    local = {
        name: frame[column].dt.tz_localize("UTC").dt.tz_convert(leads.zone)
        for name, column in (("entered", "mql_at"), ("due", "due_at"))
    }
    return pd.DataFrame(
        {
            "lead_id": frame["lead_id"],
            "owner": frame["owner"],
            "source": frame["source"],
            **local,
            "hours_late": frame["hours_late"],
            "is_open": frame["is_open"],
        }
    )
