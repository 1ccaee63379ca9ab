"""Charts of SLA attainment."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.metrics.tidy import breakdown_of
from mqlkit.views.charts.base import (
    MOST_LABELS,
    Chart,
    bucket_axis,
    dots_by,
    finished,
    grain_of,
    layered,
    span_of,
    tip,
    value_labels,
    with_intervals,
)
from mqlkit.views.theme import BLUE, LIGHT_BLUE


def attainment(rows: pd.DataFrame) -> Chart | None:
    """Draw SLA attainment per bucket with its interval.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    part = with_intervals(rows, "sla_attainment", "charts.sla.attainment")
    if part.empty or part["value"].isna().all():
        return None
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        tip("value", "SLA attainment", ".1%"),
        tip("low", "95% from", ".1%"),
        tip("high", "95% to", ".1%"),
        tip("n", "MQLs measured"),
    ]
    base = alt.Chart().encode(x=bucket_axis())
    y = alt.Y(
        "value:Q", title="SLA attainment", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
    )
    layers = [
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        base.mark_line(point=alt.OverlayMarkDef(filled=True, size=80, color=BLUE)).encode(
            y=y, tooltip=tips
        ),
    ]
    if len(part) <= MOST_LABELS:
        layers += value_labels(base, "value", "high", ".0%", buckets=len(part))
    grain = grain_of(part)
    return finished(
        layered(part.drop(columns="flags"), *layers),
        f"SLA attainment per {grain}, {span_of(part['value'], '.0%')}, with 95% intervals.",
        grain=grain,
    )


def attainment_by(rows: pd.DataFrame, *, by: str | None = None) -> Chart | None:
    """Draw SLA attainment of the whole period by breakdown value, with intervals.

    Parameters
    ----------
    rows
        `Report.sla`.
    by
        A breakdown column; the main one when left out.
    """
    return dots_by(
        rows, "sla_attainment", by=breakdown_of(rows, by), title="SLA attainment", color=BLUE
    )
