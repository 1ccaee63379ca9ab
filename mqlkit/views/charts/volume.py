"""Charts of MQLs against the goal and by segment."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import bucket_name
from mqlkit.metrics.tidy import COLUMNS, breakdown_of, largest_segments, pick, require
from mqlkit.views.charts.base import (
    ACROSS,
    MOST_LABELS,
    MOST_SEGMENTS,
    Chart,
    at_the_right,
    bucket_axis,
    finished,
    grain_of,
    height_of,
    if_wide,
    in_case,
    layered,
    name_axis,
    per_bucket,
    span_of,
    tip,
)
from mqlkit.views.theme import BAR, BLUE, LIGHT_BLUE, ORANGE


def mqls(rows: pd.DataFrame) -> Chart | None:
    """Draw MQLs per bucket as bars, with the goal as a line across each, and the forecast.

    Parameters
    ----------
    rows
        `Report.volume`.
    """
    wide = per_bucket(rows, ["mqls", "goal", "in_stage"], "charts.volume.mqls")
    if wide.empty:
        return None
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        tip("mqls", "MQLs"),
    ]
    tips += [tip("in_stage", "Open MQLs at its end")] if wide["in_stage"].notna().any() else []
    has_goal = bool(wide["goal"].notna().any())
    tips += [tip("goal", "Goal", ",.1f")] if has_goal else []
    forecast = _forecast(rows)
    if len(forecast):
        wide = wide.join(forecast, on="bucket")
        tips += [tip(*line) for line in FORECAST_TIPS]
    base = alt.Chart().encode(x=bucket_axis())
    fill = alt.ColorValue(BAR, condition=in_case("datum.is_open", LIGHT_BLUE))
    bars = base.mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
        y=alt.Y("mqls:Q", title="MQLs"), color=fill, tooltip=tips
    )
    layers: list[alt.Chart] = [bars, *(_forecast_marks(base, tips) if len(forecast) else [])]
    if len(wide) <= MOST_LABELS:
        layers.append(
            base.mark_text(dy=-9, fontSize=11).encode(
                y=alt.datum(0),
                text=alt.Text("mqls:Q", format=",.0f"),
                opacity=if_wide(len(wide)),
                tooltip=tips,
            )
        )
    if has_goal:
        layers.append(
            base.mark_tick(color=ORANGE, thickness=3, opacity=1, size=ACROSS).encode(
                y=alt.Y("goal:Q"), tooltip=tips
            )
        )
        known = wide[wide["goal"].notna()]
        layers.append(at_the_right("Goal", "goal", known, color=ORANGE))
    grain = grain_of(wide)
    words = f"MQLs per {grain}, from {span_of(wide['mqls'])}"
    words += ", with the goal as a line across each bar" if has_goal else ""
    end = "; the dashed bar is the forecast of the running one, with its 80% interval"
    words += end if len(forecast) else ""
    return finished(layered(wide, *layers), f"{words}.", grain=grain)


FORECAST = {"value": "forecast", "low": "forecast_low", "high": "forecast_high"}
FORECAST_TIPS = (
    ("forecast", "Forecast", ",.1f"),
    ("forecast_low", "80% from", ",.1f"),
    ("forecast_high", "80% to", ",.1f"),
)


def _forecast(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the forecast by bucket; without rows where there is none."""
    part = pick(rows, "mqls_forecast")
    part = part[part["value"].notna()].set_index("bucket")
    return part[[*FORECAST]].rename(columns=FORECAST)


def _forecast_marks(base: alt.Chart, tips: list[alt.Tooltip]) -> list[alt.Chart]:
    """Return the outline up to the forecast and its interval, of the running bucket alone."""
    outline = base.mark_bar(fillOpacity=0, stroke=BLUE, strokeDash=[4, 3], strokeWidth=1.5)
    interval = base.mark_rule(color=BLUE, strokeWidth=2)
    return [
        outline.encode(y=alt.Y("forecast:Q"), tooltip=tips),
        interval.encode(y=alt.Y("forecast_low:Q"), y2=alt.Y2("forecast_high:Q"), tooltip=tips),
    ]


def mqls_by(rows: pd.DataFrame, *, by: str | None = None) -> Chart | None:
    """Draw MQLs per bucket and segment as a heatmap.

    Parameters
    ----------
    rows
        `Report.volume`.
    by
        A breakdown column; the main one when left out.
    """
    require(rows, COLUMNS, "charts.volume.mqls_by")
    by = breakdown_of(rows, by)
    part = pick(rows, "mqls", by=by)
    part = part[part["bucket"] != TOTAL]
    if part.empty:
        return None
    part = _largest(part, by)
    part["when"] = part["bucket"].map(bucket_name)
    base = alt.Chart().encode(
        x=bucket_axis(),
        y=alt.Y("name:N", sort=None, title=None, axis=name_axis()),
        tooltip=[
            alt.Tooltip("bucket:N", title="Bucket"),
            alt.Tooltip("name:N", title=by.capitalize()),
            tip("value", "MQLs"),
        ],
    )
    # Light enough for the labels.
    shade = alt.Scale(domainMin=0, range=[0.04, 0.55])
    layers = [
        base.mark_rect(color=BLUE, stroke="white", strokeWidth=1).encode(
            fillOpacity=alt.FillOpacity("value:Q", scale=shade, legend=None)
        )
    ]
    buckets = part["bucket"].nunique()
    if buckets <= MOST_LABELS:
        layers.append(
            base.mark_text(fontSize=11).encode(
                text=alt.Text("value:Q", format=",.0f"), opacity=if_wide(buckets)
            )
        )
    first, last = part["name"].iloc[0], part["name"].iloc[-1]
    spread = f"from {first} with the most to {last}" if first != last else f"all from {first}"
    grain = grain_of(part)
    return finished(
        layered(part, *layers),
        f"MQLs per {grain} and {by}, {spread}; darker is more.",
        height=height_of(part["name"].nunique(), each=26),
        by=by,
        grain=grain,
    )


def _largest(part: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return MQLs per bucket and segment, the largest first and the smallest combined as one."""
    sums = part.groupby("name")["value"].sum()
    kept = largest_segments(sums, MOST_SEGMENTS - (len(sums) > MOST_SEGMENTS))
    rank = {name: place for place, name in enumerate(kept)}
    named = part.assign(
        name=part["name"].where(part["name"].isin(kept), f"(other {by}s)"),
        rank=part["name"].map(rank).fillna(len(kept)).astype(int),
    )
    summed = named.groupby(["start", "bucket", "rank", "name"])["value"].sum().reset_index()
    return summed.drop(columns="start")
