"""Shared parts of charts: frames by bucket, axes, tooltips, labels and selection."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

import altair as alt
import pandas as pd

from mqlkit.core.names import PICK_MARK, TOTAL
from mqlkit.core.text import bucket_name
from mqlkit.metrics.tidy import COLUMNS, largest_segments, pick, require
from mqlkit.views.labels import label_of, within
from mqlkit.views.theme import GRAY, INK, LIGHT_BLUE, MUTED, config

Chart = alt.Chart | alt.LayerChart
Drawn = TypeVar("Drawn", alt.Chart, alt.LayerChart)
HEIGHT = 260
# Segments with several marks each, and with one row each.
MOST_SEGMENTS, MOST_ROWS = 8, 24
# With more buckets the labels would overlap.
MOST_LABELS = 16
WIDTH_OF_LABEL = 24
# Positions at the edges of a chart; Altair has no types for these.
TOP: Any = alt.YValue(0)  # type: ignore[no-untyped-call]
BOTTOM: Any = alt.YValue("height")  # type: ignore[no-untyped-call]
RIGHT: Any = alt.XValue("width")  # type: ignore[no-untyped-call]
# The length of a tick across a bucket. The Vega-Lite of JupyterLab draws short ones by default.
ACROSS = alt.ExprRef("bandwidth('x')")


def per_bucket(rows: pd.DataFrame, metrics: Sequence[str], name: str) -> pd.DataFrame:
    """Return one row per bucket, with a column per metric."""
    require(rows, COLUMNS, name)
    part = pick(rows, *metrics)
    part = part[part["bucket"] != TOTAL]
    places = list(zip(part["metric"], part["bucket"], strict=True))
    values = dict(zip(places, part["value"], strict=True))
    flags = dict(zip(places, part["flags"], strict=True))
    buckets = list(dict.fromkeys(part["bucket"]))
    columns = {m: [values.get((m, bucket), math.nan) for bucket in buckets] for m in metrics}
    return pd.DataFrame(
        {
            "bucket": buckets,
            **columns,
            "is_open": ["in-progress" in flags.get((metrics[0], bucket), ()) for bucket in buckets],
            "when": [bucket_name(bucket) for bucket in buckets],
        }
    )


def drawn_rows(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a frame as Vega-Lite data, with null for unknown numbers.

    Altair does the same, but again for each layer that uses the frame, and far more slowly.

    >>> drawn_rows(pd.DataFrame({"when": ["Jan 2026", "Feb 2026"], "goal": [99.5, math.nan]}))
    {'values': [{'when': 'Jan 2026', 'goal': 99.5}, {'when': 'Feb 2026', 'goal': None}]}
    """
    columns = [
        [None if isinstance(v, float) and not math.isfinite(v) else v for v in values.tolist()]
        for _, values in frame.items()
    ]
    names = [str(name) for name in frame.columns]
    return {"values": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]}


class Layers(alt.LayerChart):
    """Layers of a chart, without Altair's search for what they share.

    `alt.LayerChart` copies each layer three times whenever a chart is created or copied, to find
    shared data, sizes and parameters.
    """

    def __init__(self, **parts: Any) -> None:
        alt.TopLevelLayerSpec.__init__(self, **parts)

    def add_params(self, *params: alt.Parameter) -> Any:
        """Return an `alt.LayerChart` with the parameters, which assigns them to layers."""
        return alt.LayerChart(**self._kwds).add_params(*params)


def layered(frame: pd.DataFrame, *layers: alt.Chart) -> alt.LayerChart:
    """Return a layered chart; layers without data of their own use the frame."""
    return Layers(data=drawn_rows(frame), layer=list(layers))


def at_the_right(words: str, y: str, where: pd.DataFrame, *, color: str) -> alt.Chart:
    """Return a label right of the last bucket, at the height of one of its columns."""
    last = alt.Chart(drawn_rows(where.tail(1)))
    mark = last.mark_text(align="left", dx=6, color=color, fontSize=11)
    label: alt.Chart = mark.encode(x=RIGHT, y=alt.Y(f"{y}:Q"), text=alt.TextValue(words))
    return label


def in_case(test: str, value: str | int) -> dict[str, str | int]:
    """Return the condition of a channel: its value where an expression is true."""
    return {"test": test, "value": value}


def if_wide(buckets: int) -> Any:
    """Return the opacity of one label per bucket: 0 if the labels would touch."""
    return alt.OpacityValue(1, condition=in_case(f"width < {WIDTH_OF_LABEL * buckets}", 0))


def value_labels(base: alt.Chart, field: str, y: str, fmt: str, *, buckets: int) -> list[alt.Chart]:
    """Return labels above the marks of a layer, with a white outline against lines behind them."""
    text = alt.Text(f"{field}:Q", format=fmt)
    place = base.encode(y=alt.Y(f"{y}:Q"), text=text, opacity=if_wide(buckets))
    outline = place.mark_text(dy=-6, fontSize=11, baseline="bottom", stroke="white", strokeWidth=3)
    return [outline, place.mark_text(dy=-6, fontSize=11, baseline="bottom")]


def bucket_axis() -> alt.X:
    """Return the axis of buckets in the order of their labels.

    By default, Vega puts the buckets of the first layer first.
    """
    order = alt.EncodingSortField("bucket", op="min")
    # The year is below the month, so that twelve months fit side by side.
    axis = alt.Axis(ticks=False, labelExpr="split(datum.label, ' ')")
    return alt.X("when:N", sort=order, title=None, axis=axis)


def finished(chart: Drawn, description: str, *, height: int = HEIGHT, **usermeta: Any) -> Drawn:
    """Set the size, the description and the shared configuration of a chart, and return it.

    ``usermeta`` is for the page: ``by``, the breakdown whose values the chart shows and that can be
    highlighted; ``grain``, of a chart by bucket, which can be shown at a coarser one.
    """
    # Altair's methods copy every layer of the chart.
    chart.height, chart.width, chart.description = height, "container", description
    chart.usermeta = usermeta or alt.Undefined
    chart.config = config()
    return chart


def tip(field: str, title: str, fmt: str = ",.0f") -> alt.Tooltip:
    """Return a tooltip line for a number."""
    return alt.Tooltip(f"{field}:Q", title=title, format=fmt)


def with_intervals(rows: pd.DataFrame, metric: str, name: str) -> pd.DataFrame:
    """Return a metric per bucket with its interval and flags; ``name`` is the chart's."""
    require(rows, COLUMNS, name)
    part = pick(rows, metric)
    part = part[part["bucket"] != TOTAL]
    columns = ["bucket", "value", "low", "high", "n", "flags"]
    return part[columns].assign(when=part["bucket"].map(bucket_name))


def dots_by(
    rows: pd.DataFrame, metric: str, *, by: str, title: str, color: str
) -> alt.LayerChart | None:
    """Draw a share by segment as dots with intervals, and the overall share as a line."""
    require(rows, COLUMNS, metric)
    part = pick(rows, metric, by=by)
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    if part.empty:
        return None
    label = label_of(metric, within(rows))
    part = part.set_index("name", drop=False)
    shown = part.loc[largest_segments(part["n"], MOST_ROWS)]
    shown = shown.sort_values("value", ascending=False)[
        ["name", "value", "low", "high", "n", "flags"]
    ]
    shown["is_small"] = ["small-n" in flags for flags in shown.pop("flags")]
    # The interval of a few leads would compress all others, so it is clipped.
    sure = shown[~shown["is_small"]] if not shown["is_small"].all() else shown
    reach = min(1.0, float(max(sure["high"].max(), shown["value"].max())) * 1.05)
    shown["end"] = shown["high"].clip(upper=reach)
    tips = [
        alt.Tooltip("name:N", title=by.capitalize()),
        tip("value", label, ".1%"),
        tip("low", "95% from", ".1%"),
        tip("high", "95% to", ".1%"),
        tip("n", "Leads"),
    ]
    base = alt.Chart().encode(y=alt.Y("name:N", sort=None, title=None, axis=name_axis()))
    # Room for the labels right of the intervals.
    room: list[Any] = [0, alt.ExprRef("width - 36")]
    scale = alt.Scale(domain=[0, reach], clamp=True, range=room)
    x = alt.X("value:Q", title=title, axis=alt.Axis(format="%", tickCount=6), scale=scale)
    fill = alt.FillValue(color, condition=in_case("datum.is_small", "white"))
    total = pick(rows, metric)
    overall = total[total["bucket"] == TOTAL][["value"]]
    line = alt.Chart(drawn_rows(overall)).encode(x=alt.X("value:Q"))
    figure = base.encode(x=alt.X("end:Q", scale=scale), text=alt.Text("value:Q", format=".0%"))
    beside = partial(figure.mark_text, align="left", dx=8, fontSize=11)
    chart = layered(
        shown,
        line.mark_rule(color=GRAY, strokeDash=[4, 3]),
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(
            x=alt.X("low:Q"), x2=alt.X2("high:Q")
        ),
        base.mark_point(size=90, filled=True, opacity=1, stroke=color, strokeWidth=2).encode(
            x=x, fill=fill, tooltip=tips
        ),
        # A white outline against the line of the overall share.
        beside(stroke="white", strokeWidth=3),
        beside(),
        line.mark_text(baseline="bottom", dy=-4, fontSize=11, color=MUTED).encode(
            y=TOP, text=alt.TextValue("all")
        ),
    )
    return finished(
        chart,
        f"{label} by {by}, with 95% intervals; the dashed line is the overall rate"
        + (", hollow dots have fewer than 30 leads" if shown["is_small"].any() else "")
        + f"{left_out(part, shown)}.",
        height=height_of(len(shown)),
        by=by,
    )


def left_out(every: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Return how many segments a chart leaves out, in words; empty if it shows all of them."""
    rest = len(every) - len(shown)
    return f"; the {len(shown)} largest of {len(every):,} ({rest:,} left out)" if rest else ""


def name_axis() -> alt.Axis:
    """Return the axis of the values of a breakdown."""
    return alt.Axis(labelLimit=150, ticks=False, domain=False, labelColor=INK)


def height_of(n: int, *, each: int = 34) -> int:
    """Return the height of a chart with ``n`` named rows."""
    return max(90, each * n)


def grain_of(frame: pd.DataFrame) -> str:
    """Return the name of the grain of the buckets, from their labels."""
    label = str(frame["bucket"].iloc[0])
    part = label.partition("-")[2][:1]
    return {"": "year", "Q": "quarter", "H": "half-year", "W": "week"}.get(part, "month")


def span_of(values: pd.Series[Any], fmt: str = ",.0f") -> str:
    """Return the range of the values in words."""
    known = values.dropna()
    return f"{known.min():{fmt}} to {known.max():{fmt}}" if len(known) else "none"


PICK, FIELD, MARKS = "pick", "picked", "pickable"


def with_selection(chart: alt.LayerChart, *, by: str, target: str) -> alt.LayerChart:
    """Make the segments of a chart selectable by a click, and return the chart.

    Vega binds the selection to an input element. It sets the element to the column, `PICK_MARK`
    and the value, or to an empty text if the click hits no mark.

    Parameters
    ----------
    chart
        A finished chart of layers whose rows have the segment's value as ``name``.
    by
        The breakdown column.
    target
        CSS selector of the input element, which must be on the page before the chart.
    """
    binding = alt.BindDirect(element=target, event="input")
    column = json.dumps(by + PICK_MARK)
    named = {FIELD: f"isValid(datum.name) ? {column} + datum.name : null"}
    # Each layer has its own data, so a transform of the chart does not reach it.
    chart.layer = [layer.transform_calculate(**named) for layer in chart.layer]
    chart.layer[0].name = MARKS
    select = alt.PointSelectionConfig("point", fields=[FIELD], on="click", clear=False)
    # Altair's methods copy all layers for a parameter.
    chart.params = [alt.TopLevelSelectionParameter(PICK, select, bind=binding, views=[MARKS])]
    chart.config = {**chart.config, "mark": {"cursor": "pointer"}}
    return chart
