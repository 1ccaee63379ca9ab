"""Table of speed to lead."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import count, percent
from mqlkit.metrics.tidy import series
from mqlkit.views.tables.base import Table, titled


def contact_times(rows: pd.DataFrame) -> Table | None:
    """Tabulate MQLs by time to the first contact.

    Parameters
    ----------
    rows
        `Report.response`.
    """
    times = series(rows, "contact_times")
    if times.empty:
        return None
    frame = pd.DataFrame(
        {
            "Within": times["within"],
            "Leads": times["leads"].map(count),
            "Share": times["share"].map(percent),
        }
    )
    return titled("MQLs by time to first contact", frame, left=["Within"], is_ordered=True)
