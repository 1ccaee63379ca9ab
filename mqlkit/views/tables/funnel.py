"""Table of the funnel."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import NOTHING, between, count, duration, listed, percent, step_name
from mqlkit.metrics.funnel import FUNNEL_COLUMNS
from mqlkit.metrics.tidy import breakdown_of, largest_segments, require
from mqlkit.views.tables.base import Table, more, titled

# Segments of the table by breakdown; metrics.json has all of them.
MOST = 8


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
        note="Time in calendar days until leads reached the later stage or were rejected. A lead "
        "that reached it counts as converted, also after a rejection.",
    )


def steps_by(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Tabulate how many leads moved on to the next stage by breakdown value, the largest first.

    Parameters
    ----------
    rows
        `Report.funnel`.
    by
        A breakdown column; the main one when left out.
    """
    require(rows, FUNNEL_COLUMNS, "tables.funnel.steps_by")
    by = breakdown_of(rows, by)
    is_shown = (rows["bucket"] == TOTAL) & (rows["by"] == by) & rows["is_next"].astype(bool)
    found = rows[is_shown & (rows["entered"] > 0)]
    if found.empty:
        return None
    sizes = found.groupby("name", sort=False)["entered"].max()
    names = largest_segments(sizes, MOST)
    cells: dict[str, list[str]] = {by.capitalize(): names}
    marks: dict[str, list[str]] = {name: [] for name in names}
    for (start, end), part in found.groupby(["from", "to"], sort=False):
        heading = step_name(str(start), str(end))
        known = {row["name"]: row for row in part.to_dict("records")}
        cells[heading] = [_moved_on(known[n]) if n in known else NOTHING for n in names]
        for name in marks.keys() & {n for n, row in known.items() if "small-n" in row["flags"]}:
            marks[name].append(heading)
    if any(marks.values()):
        cells["Note"] = [f"small-n ({', '.join(m)})" if m else "" for m in marks.values()]
    left = [c for c in (by.capitalize(), "Note") if c in cells]
    note = more(len(sizes), len(names))
    return titled(f"Leads that moved on to the next stage by {by}", pd.DataFrame(cells),
                  left=left, is_ordered=True, note=note)  # fmt: skip


def _moved_on(row: Mapping[Hashable, Any]) -> str:
    return f"{percent(row['conversion'])} of {count(row['entered'])}"
