"""Table of SLA outcomes."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import count, percent
from mqlkit.metrics.tidy import breakdown_of
from mqlkit.views.tables.base import Table, _wide


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


def _outcomes(rows: pd.DataFrame, by: str | None) -> Table | None:
    return _wide(
        rows,
        f"SLA outcomes by {by}" if by else "SLA outcomes over time",
        {
            "sla_met": ("Met", count),
            "sla_breached": ("Breached", count),
            "sla_past_due": ("of which overdue", count),
            "sla_pending": ("Not due yet", count),
            "sla_unmeasurable": ("Unmeasurable", count),
            "sla_attainment": ("SLA attainment", percent),
        },
        by=by,
        interval="sla_attainment",
        notes="sla_attainment",
    )
