"""Charts of MQL→SQL conversion: by cohort, in the period, by segment, by cohort age."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from mqlkit.core.names import BOTH, FLOW, TOTAL
from mqlkit.core.text import bucket_name, counted
from mqlkit.metrics.tidy import breakdown_of, constant, largest_segments, pick, series
from mqlkit.views.charts.base import (
    ACROSS,
    BOTTOM,
    MOST_ROWS,
    Chart,
    at_the_right,
    bucket_axis,
    dots_by,
    drawn_rows,
    finished,
    grain_of,
    height_of,
    in_case,
    layered,
    left_out,
    name_axis,
    per_bucket,
    span_of,
    tip,
    value_labels,
    with_intervals,
)
from mqlkit.views.labels import within
from mqlkit.views.theme import BAR, BLUE, GRAY, LIGHT_BLUE, MUTED, ORANGE


def cohorts(rows: pd.DataFrame, *, view: str = BOTH) -> Chart | None:
    """Draw MQL→SQL conversion per cohort with its interval, and the in-period ratio.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`: both, cohort or flow.
    """
    if view == FLOW:
        return _flow(rows)
    cohort = with_intervals(rows, "efficiency", "charts.efficiency.cohorts")
    if cohort.empty or cohort["value"].isna().all():
        return None
    cohort["is_young"] = ["immature" in flags for flags in cohort["flags"]]
    flows = ["efficiency_flow", "efficiency_projected", "sqls_in_period", "mqls"]
    wide = per_bucket(rows, flows, "charts.efficiency.cohorts")
    merged = cohort.drop(columns="flags").merge(wide.drop(columns=["when", "is_open"]), on="bucket")
    what = f"MQL→SQL conversion{within(rows)}"
    tips = [
        alt.Tooltip("bucket:N", title="Cohort"),
        tip("value", what, ".1%"),
        tip("low", "95% from", ".1%"),
        tip("high", "95% to", ".1%"),
        tip("n", "MQLs"),
        tip("efficiency_projected", f"Projected{within(rows)}", ".1%"),
    ]
    base = alt.Chart().encode(x=bucket_axis())
    y = alt.Y("value:Q", title=what, axis=alt.Axis(format="%"))
    layers = [
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        base.mark_point(size=90, filled=True, opacity=1, stroke=BLUE, strokeWidth=2).encode(
            y=y,
            fill=alt.FillValue(BLUE, condition=in_case("datum.is_young", "white")),
            tooltip=tips,
        ),
    ]
    line = ""
    if view == BOTH:
        line = "; the dashed line is the in-period SQL/MQL ratio"
        tips.append(tip("efficiency_flow", "In-period ratio", ".1%"))
        dashes = base.mark_line(color=GRAY, strokeDash=[4, 3], strokeWidth=1.5)
        layers.insert(1, dashes.encode(y=alt.Y("efficiency_flow:Q")))
    words = line
    if merged["is_young"].any():
        young = alt.Chart(drawn_rows(merged[merged["is_young"]])).encode(x=bucket_axis())
        tick = young.mark_tick(color=ORANGE, thickness=2, size=ACROSS)
        layers.insert(-1, tick.encode(y=alt.Y("efficiency_projected:Q"), tooltip=tips))
        words = "; immature cohorts are hollow, with their projection as an orange line" + line
    flow = merged[merged["efficiency_flow"].notna()]
    if view == BOTH and len(flow):
        layers.append(at_the_right("in-period", "efficiency_flow", flow, color=MUTED))
    grain, span = grain_of(merged), span_of(merged["value"], ".0%")
    return finished(
        layered(merged, *layers),
        f"{what} per {grain} of entry, {span}, with 95% intervals{words}.",
        grain=grain,
    )


def conversion_by(rows: pd.DataFrame, *, by: str | None = None, view: str = BOTH) -> Chart | None:
    """Draw MQL→SQL conversion of the whole period by breakdown value, with intervals.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    by
        A breakdown column; the main one when left out.
    view
        One of `names.VIEWS`; ``both`` shows the cohorts.
    """
    by = breakdown_of(rows, by)
    if view == FLOW:
        return _flow_by(rows, by=by)
    title = f"MQL→SQL conversion{within(rows)}"
    return dots_by(rows, "efficiency", by=by, title=title, color=BLUE)


TITLE = "In-period SQL/MQL ratio"
METRICS = ["efficiency_flow", "sqls_in_period", "mqls"]
TIPS = [
    tip("efficiency_flow", "In-period ratio", ".1%"),
    tip("sqls_in_period", "SQLs"),
    tip("mqls", "MQLs"),
]


def _flow(rows: pd.DataFrame) -> Chart | None:
    """Draw the in-period ratio per bucket; a bucket in progress is hollow."""
    wide = per_bucket(rows, METRICS, "charts.efficiency.cohorts")
    if wide["efficiency_flow"].isna().all():
        return None
    base = alt.Chart().encode(x=bucket_axis())
    y = alt.Y("efficiency_flow:Q", title=TITLE, axis=alt.Axis(format="%"))
    fill = alt.FillValue(BLUE, condition=in_case("datum.is_open", "white"))
    point = base.mark_point(size=90, filled=True, opacity=1, stroke=BLUE, strokeWidth=2)
    labels = value_labels(base, "efficiency_flow", "efficiency_flow", ".0%", buckets=len(wide))
    tips = [alt.Tooltip("bucket:N", title="Bucket"), *TIPS]
    return finished(
        layered(
            wide,
            base.mark_line(color=BLUE).encode(y=y),
            point.encode(y=alt.Y("efficiency_flow:Q"), fill=fill, tooltip=tips),
            *labels,
        ),
        f"SQLs dated in each {grain_of(wide)}, from any cohort, per MQL of that {grain_of(wide)}: "
        f"{span_of(wide['efficiency_flow'], '.0%')}.",
        grain=grain_of(wide),
    )


def _flow_by(rows: pd.DataFrame, *, by: str) -> Chart | None:
    """Draw the in-period ratio of the whole period by segment."""
    parts = {metric: pick(rows, metric, by=by) for metric in METRICS}
    values = {m: p[p["bucket"] == TOTAL].set_index("name")["value"] for m, p in parts.items()}
    wide = pd.DataFrame(values).dropna(subset=["efficiency_flow"])
    if wide.empty:
        return None
    shown = wide.loc[largest_segments(wide["mqls"], MOST_ROWS)]
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
    words = f"SQLs dated in the period per MQL of the period, by {by}{left_out(wide, shown)}."
    return finished(chart, words, height=height_of(len(shown)), by=by)


MOST_COHORTS = 6


def cohort_age(rows: pd.DataFrame) -> Chart | None:
    """Draw conversion by cohort age, and the age at which nine in ten conversions have happened.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    """
    growth = series(rows, "conversion_by_age", "bucket")
    if growth.empty or not growth["sqls"].any():
        return None
    every = list(growth["bucket"].unique())
    latest = every[-MOST_COHORTS:]
    frame = growth[growth["bucket"].isin(latest)].round(6)
    frame = frame.assign(when=frame["bucket"].map(bucket_name))
    names = [bucket_name(c) for c in latest]
    tips = [
        alt.Tooltip("bucket:N", title="Cohort"),
        tip("age_days", "Days since MQL"),
        tip("share", "MQL→SQL conversion", ".1%"),
        tip("sqls", "SQLs"),
        tip("mqls", "MQLs"),
    ]
    base = alt.Chart().encode(
        x=alt.X("age_days:Q", title="Days since MQL", axis=alt.Axis(tickCount=8)),
        y=alt.Y("share:Q", title="MQL→SQL conversion", axis=alt.Axis(format="%")),
        color=alt.Color("when:N", sort=names, title=None, legend=alt.Legend(columns=3)),
    )
    last = frame.groupby("bucket", sort=False).tail(1)
    layers = [
        base.mark_line(interpolate="step-after"),
        base.mark_point(size=90, opacity=0).encode(tooltip=tips),
        alt.Chart(drawn_rows(last))
        .mark_point(size=70, filled=True, opacity=1)
        .encode(
            x=alt.X("age_days:Q"),
            y=alt.Y("share:Q"),
            color=alt.Color("when:N", sort=names),
            tooltip=tips,
        ),
    ]
    words, line = _maturity(rows)
    some = f"; the latest {len(latest)} of {len(every)}" if len(latest) < len(every) else ""
    return finished(
        layered(frame, *layers, *line),
        "MQL→SQL conversion by cohort age. A line ends at the age of the cohort's youngest lead. "
        f"{words}{some}.",
    )


def _maturity(rows: pd.DataFrame) -> tuple[str, list[alt.Chart]]:
    """Return how long conversion takes in words, and as a line where it is known."""
    if constant(rows, "is_rising", False):
        return "Conversion takes longer than the data can show", []
    days, limit = float(constant(rows, "maturity_days")), within(rows)
    label = "within_days" if limit else "mature"
    mark = alt.Chart({"values": [{"age_days": days, "label": label}]})
    rule = mark.mark_rule(color=ORANGE, strokeDash=[4, 3], strokeWidth=2)
    text = mark.mark_text(align="left", dx=5, dy=-8, color=ORANGE, fontWeight="bold")
    line = [
        rule.encode(x=alt.X("age_days:Q")),
        text.encode(x=alt.X("age_days:Q"), y=BOTTOM, text=alt.Text("label:N")),
    ]
    # As in the verdict, and never 0 days.
    age = counted(math.ceil(days), "day")
    if limit:
        return f"The dashed line is the age of {age} up to which SQLs count", line
    return f"After {age}, the dashed line, nine in ten conversions have happened", line
