"""Pictures of question 1: MQLs against the goal, and who brings them."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.charts.parts import (
    MOST_SEGMENTS,
    Chart,
    bucket_axis,
    finished,
    grain_of,
    legend_of,
    per_bucket,
    require,
    span_of,
    tip,
)
from mqlkit.charts.picking import with_pick
from mqlkit.terms import TOTAL
from mqlkit.theme import BLUE, LIGHT_BLUE, ORANGE
from mqlkit.tidy import COLUMNS, pick
from mqlkit.wording import bucket_name


def plot_mql_volume(rows: pd.DataFrame) -> Chart | None:
    """Draw MQLs per bucket as bars, the goal as a mark across each."""
    wide = per_bucket(rows, ["mqls", "goal", "in_stage"], "plot_mql_volume")
    if wide.empty:
        return None
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        tip("mqls", "MQLs"),
        tip("in_stage", "Waiting at its end"),
    ]
    has_goal = bool(wide["goal"].notna().any())
    tips += [tip("goal", "Goal", ",.1f")] if has_goal else []
    base = alt.Chart(wide).encode(x=bucket_axis())
    fill = alt.condition("datum.is_open", alt.value(LIGHT_BLUE), alt.value(BLUE))
    bars = base.mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
        y=alt.Y("mqls:Q", title="MQLs"), color=fill, tooltip=tips
    )
    layers: list[alt.Chart] = [bars]
    if len(wide) <= 16:
        layers.append(
            base.mark_text(dy=-9, color="white", fontSize=11).encode(
                y=alt.datum(0), text=alt.Text("mqls:Q", format=",.0f"), tooltip=tips
            )
        )
    if has_goal:
        layers.append(base.mark_tick(color=ORANGE, thickness=3).encode(y="goal:Q", tooltip=tips))
    return finished(
        alt.layer(*layers),
        f"MQLs per {grain_of(wide)}, from {span_of(wide['mqls'])}"
        + (", with the goal as a line across each bar." if has_goal else "."),
    )


def plot_mqls_by_segment(
    rows: pd.DataFrame, *, by: str, heard_by: str | None = None
) -> Chart | None:
    """Draw MQLs per bucket stacked by the values of a breakdown; the legend picks one out.

    ``heard_by`` as in `picking.with_pick`.
    """
    require(rows, COLUMNS, "plot_mqls_by_segment")
    part = pick(rows, "mqls", by=by)
    part = part[part["bucket"] != TOTAL]
    if part.empty:
        return None
    part = _largest(part, by)
    part["when"] = part["bucket"].map(bucket_name)
    legend = legend_of(list(part["name"]))
    pick_one = alt.selection_point(
        name=f"pick_{_slug(by)}", fields=["name"], bind="legend", toggle="true"
    )
    chart = (
        alt.Chart(part)
        .mark_bar()
        .encode(
            x=bucket_axis(),
            y=alt.Y("value:Q", title="MQLs"),
            color=alt.Color("name:N", sort=None, title=None, legend=legend),
            order=alt.Order("rank:Q"),
            opacity=alt.condition(pick_one, alt.value(1), alt.value(0.15)),
            tooltip=[
                alt.Tooltip("bucket:N", title="Bucket"),
                alt.Tooltip("name:N", title=by.capitalize()),
                tip("value", "MQLs"),
            ],
        )
        .add_params(pick_one)
    )
    drawn = finished(chart, f"MQLs per {grain_of(part)}, stacked by {by}.")
    return with_pick(drawn, by=by, heard_by=heard_by)


def _largest(part: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return MQLs per bucket and value, the largest values first and the many small ones as one."""
    sums = part.groupby("name")["value"].sum().sort_values(ascending=False)
    kept = list(sums.index if len(sums) <= MOST_SEGMENTS else sums.index[: MOST_SEGMENTS - 1])
    rank = {name: place for place, name in enumerate(kept)}
    named = part.assign(
        name=part["name"].where(part["name"].isin(kept), f"(other {by}s)"),
        rank=part["name"].map(rank).fillna(len(kept)).astype(int),
    )
    summed = named.groupby(["start", "bucket", "rank", "name"])["value"].sum().reset_index()
    return summed.drop(columns="start")


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text)
