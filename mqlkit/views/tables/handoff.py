"""Tables of the hand-off to sales."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import (
    count,
    percent,
)
from mqlkit.metrics.tidy import pick, series
from mqlkit.views.tables.base import MOST_SEGMENTS, Table, _wide, titled


def decisions(rows: pd.DataFrame) -> Table | None:
    """Tabulate decisions by sales per bucket.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    if pick(rows, "accepted")["value"].isna().all():
        return None
    return _wide(
        rows,
        "Decisions by sales",
        {
            "mqls": ("MQLs", count),
            "accepted": ("Accepted (SAL)", count),
            "rejected": ("Rejected", count),
            "undecided": ("Undecided", count),
            "acceptance_rate": ("Acceptance rate", percent),
        },
        interval="acceptance_rate",
        notes="acceptance_rate",
    )


def reasons(rows: pd.DataFrame) -> Table | None:
    """Tabulate rejections by reason.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    counts = series(rows, "rejection_reasons")
    if counts.empty:
        return None
    top = counts.sort_values("leads", ascending=False, kind="stable").head(MOST_SEGMENTS)
    frame = pd.DataFrame({"Reason": top["reason"], "Leads": top["leads"].map(count)})
    rest = len(counts) - len(top)
    note = f"{count(rest)} more reasons" if rest else ""
    return titled("Rejections by reason", frame, left=["Reason"], note=note)
