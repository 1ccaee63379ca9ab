"""Table of SLA outcomes."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import count, percent
from mqlkit.views.tables.base import Table, _wide


def tabulate_sla_outcome(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Set SLA outcomes per bucket, or by the values of a breakdown."""
    return _wide(
        rows,
        f"SLA by {by}" if by else "SLA over time",
        {
            "sla_met": ("In time", count),
            "sla_breached": ("Late", count),
            "sla_past_due": ("Late and open", count),
            "sla_pending": ("Not due yet", count),
            "sla_unmeasurable": ("Unmeasurable", count),
            "sla_attainment": ("Attainment", percent),
        },
        by=by,
        interval="sla_attainment",
        notes="sla_attainment",
    )
