"""A segment picked by a click on its mark, and told to an element outside the chart."""

from __future__ import annotations

import json
from typing import Any

import altair as alt

from mqlkit.charts.parts import Chart
from mqlkit.terms import PICK_MARK

PICK, FIELD = "pick", "picked"


def with_pick(chart: Chart, *, by: str, heard_by: str | None) -> Chart:
    """Return a chart of which a click picks a segment; as it is where nobody hears it.

    Vega binds the selection to an input element, and sets that to the column, `PICK_MARK` and the
    value, or to nothing where the click hits no mark.

    Parameters
    ----------
    chart
        A finished chart whose rows have the segment's value as ``name``.
    by
        The column that the segments are values of.
    heard_by
        CSS selector of that element, which must be on the page before the chart.
    """
    if heard_by is None:
        return chart
    heard = alt.BindDirect(element=heard_by, event="input")
    pick = alt.selection_point(name=PICK, fields=[FIELD], on="click", clear=False, bind=heard)
    column = json.dumps(by + PICK_MARK)
    named = {FIELD: f"isValid(datum.name) ? {column} + datum.name : null"}
    if isinstance(chart, alt.LayerChart):
        # Each layer has rows of its own, which know nothing of what is worked out above them.
        told: Any = chart.copy(deep=False)
        told.layer = [layer.transform_calculate(**named) for layer in chart.layer]
    else:
        told = chart.transform_calculate(**named)
    heard_chart: Chart = told.add_params(pick).configure_mark(cursor="pointer")
    return heard_chart
