"""Tables of the hand-off to sales."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import (
    count,
    percent,
)
from mqlkit.metrics.tidy import pick
from mqlkit.views.tables.base import Table, _wide, titled


def tabulate_hand_off(rows: pd.DataFrame) -> Table | None:
    """Set what sales decided, per bucket."""
    if pick(rows, "accepted")["value"].isna().all():
        return None
    return _wide(
        rows,
        "Decisions by sales",
        {
            "mqls": ("MQLs", count),
            "accepted": ("Accepted", count),
            "rejected": ("Rejected", count),
            "undecided": ("Undecided", count),
            "acceptance_rate": ("Acceptance", percent),
        },
        interval="acceptance_rate",
        notes="acceptance_rate",
    )


def tabulate_counts(title: str, counts: pd.DataFrame) -> Table | None:
    """Set a frame of names with counts (and shares)."""
    if counts.empty:
        return None
    name = counts.columns[0]
    frame = pd.DataFrame({name.capitalize(): counts[name], "Leads": counts["leads"].map(count)})
    if "share" in counts:
        frame["Share"] = counts["share"].map(percent)
    return titled(title, frame, left=[name.capitalize()])


def tabulate_reasons(reasons: pd.DataFrame) -> Table | None:
    """Set rejections by reason."""
    return tabulate_counts("Rejections by reason", reasons)
