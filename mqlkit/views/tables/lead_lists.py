"""Table of the worst SLA breaches."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import NOTHING, count, duration, moment
from mqlkit.views.tables.base import Table, titled

LISTED_BREACHES = 25


def breaches(rows: pd.DataFrame) -> Table | None:
    """Tabulate the worst SLA breaches.

    Parameters
    ----------
    rows
        `Report.lead_lists`.
    """
    found = rows[rows["metric"] == "breach"]
    if found.empty:
        return None
    top, n = found.head(LISTED_BREACHES), int(found["of"].iloc[0])
    frame = pd.DataFrame(
        {
            "Lead": top["lead_id"],
            "Owner": top["owner"].fillna(NOTHING),
            "Source": top["source"].fillna(NOTHING),
            "Entered": [moment(t) for t in top["entered"]],
            "Due": [NOTHING if pd.isna(t) else moment(t) for t in top["due"]],
            "Overdue by": [
                duration(hours, day_hours=of_day)
                for hours, of_day in zip(top["hours_late"], top["day_hours"], strict=True)
            ],
            "Open": ["yes" if is_open else "no" for is_open in top["is_open"]],
        }
    )
    title = "SLA breaches, longest first"
    if n > LISTED_BREACHES:
        title = f"{title}: {len(top)} of {count(n)}"
    left = ["Lead", "Owner", "Source", "Entered", "Due", "Open"]
    return titled(title, frame, left=left)
