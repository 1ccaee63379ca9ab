"""A segment picked by a click on its mark, and told to an element outside the chart."""

from __future__ import annotations

import json

import altair as alt

from mqlkit.terms import PICK_MARK

PICK, FIELD, MARKS = "pick", "picked", "pickable"


def with_pick(chart: alt.LayerChart, *, by: str, heard_by: str | None) -> alt.LayerChart:
    """Have a click on a chart pick a segment, if somebody hears it, and return the chart.

    Vega binds the selection to an input element, and sets that to the column, `PICK_MARK` and the
    value, or to nothing where the click hits no mark.

    Parameters
    ----------
    chart
        A finished chart of layers whose rows have the segment's value as ``name``.
    by
        The column that the segments are values of.
    heard_by
        CSS selector of that element, which must be on the page before the chart.
    """
    if heard_by is None:
        return chart
    heard = alt.BindDirect(element=heard_by, event="input")
    column = json.dumps(by + PICK_MARK)
    named = {FIELD: f"isValid(datum.name) ? {column} + datum.name : null"}
    # Each layer has rows of its own, which know nothing of what is worked out above them.
    chart.layer = [layer.transform_calculate(**named) for layer in chart.layer]
    chart.layer[0].name = MARKS
    select = alt.PointSelectionConfig("point", fields=[FIELD], on="click", clear=False)
    # Altair's own methods copy all layers for a parameter.
    chart.params = [alt.TopLevelSelectionParameter(PICK, select, bind=heard, views=[MARKS])]
    chart.config = {**chart.config, "mark": {"cursor": "pointer"}}
    return chart
