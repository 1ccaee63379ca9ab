"""Pictures of question 2a: the hand-off and efficiency."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.charts.flow import plot_flow, plot_flow_by
from mqlkit.charts.parts import (
    Chart,
    adds_up,
    at_the_right,
    bucket_axis,
    dots_by,
    drawn_rows,
    finished,
    grain_of,
    in_case,
    layered,
    per_bucket,
    span_of,
    tip,
    with_intervals,
)
from mqlkit.charts.picking import with_pick
from mqlkit.terms import BOTH, FLOW
from mqlkit.theme import BAR, BLUE, GREY, LIGHT_BLUE, LIGHT_ORANGE, MUTED, ORANGE, PALE


def plot_hand_off(rows: pd.DataFrame) -> Chart | None:
    """Draw what sales decided on each bucket's MQLs, as stacked bars."""
    kinds = {"accepted": "Accepted", "rejected": "Rejected", "undecided": "Undecided"}
    wide = per_bucket(rows, list(kinds), "plot_hand_off")
    if wide.empty or wide["accepted"].isna().all():
        return None
    tall = pd.DataFrame(
        [
            {"bucket": bucket, "when": when, "kind": label, "leads": leads, "order": order}
            for order, (name, label) in enumerate(kinds.items())
            for bucket, when, leads in zip(wide["bucket"], wide["when"], wide[name], strict=True)
        ]
    )
    colour = alt.Scale(domain=list(kinds.values()), range=[BAR, LIGHT_ORANGE, PALE])
    chart: alt.Chart = (
        alt.Chart(drawn_rows(tall))
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            x=bucket_axis(),
            y=alt.Y("leads:Q", title="MQLs"),
            color=alt.Color("kind:N", scale=colour, title=None, sort=None),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("bucket:N", title="Bucket"),
                alt.Tooltip("kind:N", title="Decision"),
                tip("leads", "MQLs"),
            ],
        )
    )
    words = "MQLs accepted, rejected and undecided per {grain}."
    return finished(
        chart,
        words.format(grain=grain_of(wide)),
        adds=adds_up(words, sum=["leads"], keys=["kind", "order"]),
    )


def plot_stage_efficiency(rows: pd.DataFrame, *, view: str = BOTH) -> Chart | None:
    """Draw efficiency by cohort with its interval, young cohorts hollow, and by flow.

    ``view`` is one of `terms.VIEWS`.
    """
    if view == FLOW:
        return plot_flow(rows)
    cohort = with_intervals(rows, "efficiency", "plot_stage_efficiency")
    if cohort.empty or cohort["value"].isna().all():
        return None
    cohort["is_young"] = ["immature" in flags for flags in cohort["flags"]]
    flows = ["efficiency_flow", "efficiency_projected", "sqls_in_period", "mqls"]
    wide = per_bucket(rows, flows, "plot_stage_efficiency")
    merged = cohort.drop(columns="flags").merge(wide.drop(columns=["when", "is_open"]), on="bucket")
    tips = [
        alt.Tooltip("bucket:N", title="Cohort"),
        tip("value", "Efficiency", ".1%"),
        tip("low", "95% from", ".1%"),
        tip("high", "95% to", ".1%"),
        tip("n", "MQLs"),
        tip("efficiency_projected", "Projected", ".1%"),
    ]
    base = alt.Chart().encode(x=bucket_axis())
    y = alt.Y("value:Q", title="MQLs that became SQL", axis=alt.Axis(format="%"))
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
        line = "; the dashed line is the flow"
        tips.append(tip("efficiency_flow", "By flow", ".1%"))
        dashes = base.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.5)
        layers.insert(1, dashes.encode(y=alt.Y("efficiency_flow:Q")))
    words = line
    if merged["is_young"].any():
        young = alt.Chart(drawn_rows(merged[merged["is_young"]])).encode(x=bucket_axis())
        tick = young.mark_tick(color=ORANGE, thickness=2)
        layers.insert(-1, tick.encode(y=alt.Y("efficiency_projected:Q"), tooltip=tips))
        words = "; young cohorts are hollow, with their projection as an orange line" + line
    flow = merged[merged["efficiency_flow"].notna()]
    if view == BOTH and len(flow):
        layers.append(at_the_right("by flow", "efficiency_flow", flow, colour=MUTED))
    start = "Share of MQLs that became SQL per {grain} of entry, {span}, with 95% intervals"
    return finished(
        layered(merged, *layers),
        start.format(grain=grain_of(merged), span=span_of(merged["value"], ".0%")) + words + ".",
        adds=adds_up(
            # Projections do not add up: a coarser grain goes without.
            f"{start}; young cohorts are hollow{line}.",
            shares=[["value", "n", "low", "high"]],
            ratios=[["efficiency_flow", "sqls_in_period", "mqls"]],
            any=["is_young"],
            span="value",
        ),
    )


def plot_efficiency_by(
    rows: pd.DataFrame, *, by: str, view: str = BOTH, heard_by: str | None = None
) -> Chart | None:
    """Draw efficiency of the whole period by the values of a breakdown, with intervals.

    ``view`` is one of `terms.VIEWS`: both stand for the cohort here. ``heard_by`` as in
    `picking.with_pick`.
    """
    if view == FLOW:
        return plot_flow_by(rows, by=by, heard_by=heard_by)
    drawn = dots_by(rows, "efficiency", by=by, title="MQLs that became SQL", colour=BLUE)
    return None if drawn is None else with_pick(drawn, by=by, heard_by=heard_by)
