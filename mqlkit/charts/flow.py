"""Pictures of efficiency by flow: the SQLs dated in a bucket per MQL of that bucket."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.charts.parts import (
    MOST_SEGMENTS,
    Chart,
    bucket_axis,
    figures,
    finished,
    grain_of,
    height_of,
    in_case,
    layered,
    name_axis,
    per_bucket,
    span_of,
    tip,
)
from mqlkit.charts.picking import with_pick
from mqlkit.terms import TOTAL
from mqlkit.theme import BAR, BLUE
from mqlkit.tidy import pick

TITLE = "SQLs dated in it per MQL of it"
METRICS = ["efficiency_flow", "sqls_in_period", "mqls"]
TIPS = [
    tip("efficiency_flow", "By flow", ".1%"),
    tip("sqls_in_period", "SQLs dated in it"),
    tip("mqls", "MQLs of it"),
]


def plot_flow(rows: pd.DataFrame) -> Chart | None:
    """Draw the flow per bucket; a bucket in progress is hollow."""
    wide = per_bucket(rows, METRICS, "plot_stage_efficiency")
    if wide["efficiency_flow"].isna().all():
        return None
    base = alt.Chart().encode(x=bucket_axis())
    y = alt.Y("efficiency_flow:Q", title=TITLE, axis=alt.Axis(format="%"))
    fill = alt.FillValue(BLUE, condition=in_case("datum.is_open", "white"))
    point = base.mark_point(size=90, filled=True, opacity=1, stroke=BLUE, strokeWidth=2)
    labels = figures(base, "efficiency_flow", "efficiency_flow", ".0%", buckets=len(wide))
    tips = [alt.Tooltip("bucket:N", title="Bucket"), *TIPS]
    return finished(
        layered(
            wide,
            base.mark_line(color=BLUE).encode(y=y),
            point.encode(y=alt.Y("efficiency_flow:Q"), fill=fill, tooltip=tips),
            *labels,
        ),
        f"SQLs dated in each {grain_of(wide)} per MQL of that {grain_of(wide)}, "
        f"{span_of(wide['efficiency_flow'], '.0%')}, whenever they were MQLs.",
    )


def plot_flow_by(rows: pd.DataFrame, *, by: str, heard_by: str | None) -> Chart | None:
    """Draw the flow of the whole period by the values of a breakdown.

    ``heard_by`` as in `picking.with_pick`.
    """
    parts = {metric: pick(rows, metric, by=by) for metric in METRICS}
    values = {m: p[p["bucket"] == TOTAL].set_index("name")["value"] for m, p in parts.items()}
    wide = pd.DataFrame(values).dropna(subset=["efficiency_flow"])
    if wide.empty:
        return None
    shown = wide.sort_values("mqls", ascending=False).head(3 * MOST_SEGMENTS)
    shown = shown.sort_values("efficiency_flow", ascending=False).rename_axis("name").reset_index()
    base = alt.Chart().encode(y=alt.Y("name:N", sort=None, title=None, axis=name_axis()))
    x = alt.X("efficiency_flow:Q", title=TITLE, axis=alt.Axis(format="%", tickCount=6))
    chart = layered(
        shown,
        base.mark_bar(color=BAR, cornerRadiusEnd=2).encode(
            x=x, tooltip=[alt.Tooltip("name:N", title=by.capitalize()), *TIPS]
        ),
        base.mark_text(align="left", dx=5).encode(
            x=alt.X("efficiency_flow:Q"), text=alt.Text("efficiency_flow:Q", format=".0%")
        ),
    )
    of = f"; the {len(shown)} largest of {len(wide)}." if len(shown) < len(wide) else "."
    words = f"SQLs dated in the period per MQL of the period, by {by}{of}"
    drawn = finished(chart, words, height=height_of(len(shown)), by=by)
    return with_pick(drawn, by=by, heard_by=heard_by)
