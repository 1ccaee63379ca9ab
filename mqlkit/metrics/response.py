"""Speed to lead: time to the first contact."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import relative_risk, wilson


def response_speed(leads: LeadTable) -> pd.DataFrame:
    """Return how fast sales first tried to reach the MQLs, and what the first hour is worth.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of contacted_within_1h and lift_1h (metrics.md §7). Both need the hour: null where
        a stamp has only dates, and without contact stamps; lift_1h also without SQLs. Leads with a
        date are left out. Rows that lose a lead so are flagged ``day-precision``.
    """
    wide = leads.counts
    if not _tells_hours(leads):
        names = ("contacted_within_1h", "lift_1h")
        if not leads.is_recorded("contacted"):
            return not_recorded(wide, *names)
        none, flags = np.full(len(wide), np.nan), {"day-precision": True}
        return pd.concat(
            [metric_rows(wide, m, none, flags=flags) for m in names], ignore_index=True
        )
    n = wide["fast"] + wide["slow"] + wide["hour_over"]
    low, high = wilson(wide["fast"], n)
    within = share(wide["fast"], n)
    lift, least, most = relative_risk(
        wide["fast_sqls"], wide["fast"], wide["slow_sqls"], wide["slow"]
    )
    contacted = wide["fast"] + wide["slow"]
    lost = wide["reached_by_date"] > 0
    less = {"day-precision": lost | (wide["open_by_date"] > 0)}, {"day-precision": lost}
    lifts = metric_rows(wide, "lift_1h", lift, n=contacted, low=least, high=most, flags=less[1])
    if not leads.is_recorded("sql"):
        lifts = not_recorded(wide, "lift_1h")
    return pd.concat(
        [
            metric_rows(
                wide, "contacted_within_1h", within, n=n, low=low, high=high, flags=less[0]
            ),
            lifts,
        ],
        ignore_index=True,
    )


def _tells_hours(leads: LeadTable) -> bool:
    """Return whether contacts are recorded, and to the hour."""
    is_recorded = leads.is_recorded("contacted")
    return is_recorded and not {"mql_at", "contacted_at"} & leads.dated


def response_times(leads: LeadTable) -> pd.DataFrame:
    """Return the period's MQLs by time to the first contact: ``within``, ``leads``, ``share``.

    Empty where the data does not tell the hour.
    """
    if not _tells_hours(leads):
        return pd.DataFrame(columns=["within", "leads", "share"])
    counts = leads.counts
    n = counts[counts["index"] == TOTAL_BUCKET].iloc[0]
    found = {
        "1 h": n["fast"],
        "1–24 h": n["within_day"],
        "over 24 h": n["slow"] - n["within_day"],
        "not yet": n["mqls"] - n["fast"] - n["slow"] - n["early"] - n["reached_by_date"],
        "no time of day": n["reached_by_date"],
        "before MQL": n["early"],
    }
    always = ("1 h", "1–24 h", "over 24 h", "not yet")
    shown = [name for name, leads in found.items() if leads > 0 or name in always]
    sizes = np.array([found[name] for name in shown])
    shares = share(sizes, np.full(len(sizes), sizes.sum()))
    return pd.DataFrame({"within": shown, "leads": sizes.astype("int64"), "share": shares})
