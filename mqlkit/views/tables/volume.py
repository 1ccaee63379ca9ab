"""Tables of MQLs against the goal and by segment."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import bucket_name, count, percent
from mqlkit.metrics.tidy import COLUMNS, breakdown_of, pick, require
from mqlkit.views.tables.base import Table, _decimal, _signed, _wide, titled


def mqls(rows: pd.DataFrame) -> Table | None:
    """Tabulate MQLs and the goal per bucket.

    Parameters
    ----------
    rows
        `Report.volume`.
    """
    return _wide(
        rows,
        "MQLs and goal",
        {
            "mqls": ("MQLs", count),
            "goal": ("Goal", _decimal),
            "goal_attainment": ("Attainment", percent),
            "goal_gap": ("Gap", _signed),
            "in_stage": ("Open at the end", count),
        },
        notes="mqls",
    )


MOST_SEGMENTS = 25


def mqls_by(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Tabulate MQLs per breakdown value and bucket, the largest values first.

    Parameters
    ----------
    rows
        `Report.volume`.
    by
        A breakdown column; the main one when left out.
    """
    require(rows, COLUMNS, "tables.volume.mqls_by")
    by = breakdown_of(rows, by)
    part = pick(rows, "mqls", by=by)
    if part.empty:
        return None
    wide = part.pivot(index="name", columns="bucket", values="value").fillna(0)
    wide = wide[list(dict.fromkeys(part["bucket"]))]
    wide = wide.sort_values(TOTAL, ascending=False, kind="stable")
    shown = wide.head(MOST_SEGMENTS)
    frame = pd.DataFrame({by.capitalize(): list(shown.index)})
    for bucket in shown.columns:
        name = "Whole period" if bucket == TOTAL else bucket_name(bucket)
        frame[name] = [count(n) for n in shown[bucket]]
    title = f"MQLs by {by}"
    if len(shown) < len(wide):
        title += f", the {len(shown)} with the most of {count(len(wide))}"
    return titled(title, frame, left=[by.capitalize()])
