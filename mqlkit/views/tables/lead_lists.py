"""Table of the worst SLA breaches."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import NOTHING, count, duration, moment
from mqlkit.metrics.lead_lists import IS_DATE
from mqlkit.views.tables.base import Table, titled

LISTED_BREACHES = 25
NO_DUE_TIME = "The due time of a lead that was on hold more than twice around it is not known."


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
            "Entered": _moments(top, "entered"),
            "Due": _moments(top, "due"),
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
    note = NO_DUE_TIME if top["due"].isna().any() else ""
    return titled(title, frame, left=left, note=note)


def _moments(leads: pd.DataFrame, name: str) -> list[str]:
    """Return timestamps as text; those without a time of day, such as a due day, as dates."""
    dates = leads.get(f"{IS_DATE}{name}", pd.Series(False, index=leads.index))
    return [
        NOTHING if pd.isna(at) else moment(at, is_date=bool(is_date))
        for at, is_date in zip(leads[name], dates, strict=True)
    ]
