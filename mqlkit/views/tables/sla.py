"""Table of SLA outcomes."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import NOTHING, count, percent
from mqlkit.metrics.tidy import breakdown_of, series
from mqlkit.views.tables.base import Table, _wide, titled


def outcomes(rows: pd.DataFrame) -> Table | None:
    """Tabulate SLA outcomes per bucket.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    return _outcomes(rows, None)


def outcomes_by(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Tabulate SLA outcomes by breakdown value.

    Parameters
    ----------
    rows
        `Report.sla`.
    by
        A breakdown column; the main one when left out.
    """
    return _outcomes(rows, breakdown_of(rows, by))


def rules(rows: pd.DataFrame) -> Table | None:
    """Tabulate how many MQLs each SLA rule holds for, and their outcomes.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    found = series(rows, "sla_rules")
    if found.empty:
        return None
    frame = pd.DataFrame(
        {
            "Leads": found["holds_for"],
            "SLA": found["promise"],
            "MQLs": found["leads"].map(count),
            "Met": found["met"].map(count),
            "Breached": found["breached"].map(count),
            "Not due yet": found["pending"].map(count),
            "Unmeasurable": found["unmeasurable"].map(count),
            "SLA attainment": [NOTHING if pd.isna(v) else percent(v) for v in found["attainment"]],
        }
    )
    note = "An MQL is judged by the first rule that fits it."
    return titled("SLA by rule", frame, left=["Leads", "SLA"], is_ordered=True, note=note)


def _outcomes(rows: pd.DataFrame, by: str | None) -> Table | None:
    return _wide(
        rows,
        f"SLA outcomes by {by}" if by else "SLA outcomes over time",
        {
            "sla_met": ("Met", count),
            "sla_breached": ("Breached", count),
            "sla_past_due": ("of which overdue", count),
            "sla_pending": ("Not due yet", count),
            "sla_due_soon": ("of which due soon", count),
            "sla_unmeasurable": ("Unmeasurable", count),
            "sla_attainment": ("SLA attainment", percent),
        },
        by=by,
        interval="sla_attainment",
        notes="sla_attainment",
    )
