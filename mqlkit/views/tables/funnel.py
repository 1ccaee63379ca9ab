"""Table of the funnel."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import NOTHING, between, count, duration, listed, percent, step_name
from mqlkit.metrics.funnel import FUNNEL_COLUMNS
from mqlkit.metrics.tidy import require
from mqlkit.views.tables.base import Table, titled


def steps(rows: pd.DataFrame) -> Table | None:
    """Tabulate what became of the leads of each step, over the whole period.

    Parameters
    ----------
    rows
        `Report.funnel`.
    """
    require(rows, FUNNEL_COLUMNS, "tables.funnel.steps")
    whole = rows[(rows["bucket"] == TOTAL) & (rows["by"] == "") & (rows["entered"] > 0)]
    if whole.empty:
        return None
    cells: dict[str, Iterable[str]] = {
        "Step": list(map(step_name, whole["from"], whole["to"])),
        "Entered": whole["entered"].map(count),
        "Converted": whole["converted"].map(count),
        "Lost": whole["lost"].map(count),
        "Open": whole["open"].map(count),
        "Conversion": whole["conversion"].map(percent),
        "95% interval": [
            NOTHING if math.isnan(low) else between(low, high)
            for low, high in zip(whole["low"], whole["high"], strict=True)
        ],
        "Projected": whole["projected"].map(percent),
        "Mean time": whole["hours_mean"].map(duration),
        "Median, open included": whole["hours_median"].map(duration),
        "Note": whole["flags"].map(listed),
    }
    frame = pd.DataFrame({name: list(column) for name, column in cells.items()})
    if not any(frame["Note"]):
        frame = frame.drop(columns="Note")
    return titled(
        "Funnel, whole period",
        frame,
        left=[c for c in ("Step", "Note") if c in frame],
        is_ordered=True,
        note="Time in calendar days until leads reached the later stage or were rejected",
    )
