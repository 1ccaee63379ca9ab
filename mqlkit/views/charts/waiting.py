"""Charts of time in the MQL stage."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.core.names import LAST_BIN as BINS
from mqlkit.metrics.tidy import constant, series
from mqlkit.views.charts.base import (
    TOP,
    Chart,
    finished,
    layered,
    tip,
)
from mqlkit.views.theme import BAR, BLUE, LIGHT_BLUE, ORANGE, PALE

# Outcomes with their colors. Without one SLA for all leads, none is within or after it.
OUTCOMES = {"within SLA": BAR, "after SLA": ORANGE, "open": PALE}
LEFT_OR_OPEN = {"left": BAR, "open": PALE}


def histogram(rows: pd.DataFrame) -> Chart | None:
    """Draw MQLs by time in stage, in quarters of the SLA, and by outcome.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    bins = series(rows, "histogram")
    if bins.empty:
        return None
    colors = OUTCOMES if "left" not in set(bins["outcome"]) else LEFT_OR_OPEN
    sla_hours = constant(rows, "sla_hours")
    unit, size = _unit(sla_hours, constant(rows, "day_hours", 24))
    width = sla_hours / 4 / size
    has_rest = bins["bin"].max() >= BINS
    frame = bins.drop(columns=["hours_from", "hours_to"]).assign(
        left=bins["hours_from"] / size,
        right=bins["hours_from"] / size + width,
        to=(bins["hours_to"] / size).map("{:,.1f}".format).where(bins["bin"] < BINS, "–"),
        order=bins["outcome"].map({name: place for place, name in enumerate(colors)}),
    )
    rest = f"; the bar at {BINS * width:g} {unit} is everything later" if has_rest else ""
    scale = alt.Scale(domain=list(colors), range=list(colors.values()))
    bars = (
        alt.Chart()
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "left:Q",
                bin="binned",
                title=f"Time in stage, {unit}",
                axis=alt.Axis(format="~f", tickCount=9),
                scale=alt.Scale(domainMin=0),
            ),
            x2=alt.X2("right:Q"),
            y=alt.Y("sum(leads):Q", title="MQLs"),
            color=alt.Color("outcome:N", scale=scale, title=None, sort=None),
            order=alt.Order("order:Q"),
            tooltip=[
                tip("left", f"From ({unit})", ",.1f"),
                alt.Tooltip("to:N", title=f"To ({unit})"),
                alt.Tooltip("outcome:N", title="Outcome"),
                tip("leads", "MQLs"),
            ],
        )
    )
    words, line = _sla(rows, sla_hours / size)
    return finished(layered(frame, bars, *line), f"MQLs by time in stage{rest}{words}.")


def survival(rows: pd.DataFrame) -> Chart | None:
    """Draw the share of MQLs still open by time in stage, with its interval and the SLA.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    curve = series(rows, "survival", "low", "high")
    if len(curve) < 3:
        return None
    sla_hours, day_hours = constant(rows, "sla_hours"), constant(rows, "day_hours", 24)
    unit, size = _unit(sla_hours, day_hours)
    seen = curve[curve["hours"] <= max(8 * sla_hours, 4 * day_hours)]
    frame = seen.assign(time=seen["hours"] / size)
    base = alt.Chart().encode(
        x=alt.X("time:Q", title=f"Time since MQL, {unit}", axis=alt.Axis(format="~f", tickCount=9))
    )
    tips = [
        tip("time", f"After ({unit})", ",.1f"),
        tip("waiting", "Still open", ".1%"),
        tip("low", "95% from", ".1%"),
        tip("high", "95% to", ".1%"),
        tip("at_risk", "Leads observed"),
    ]
    y = alt.Y(
        "waiting:Q",
        title="Still open",
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    words, line = _sla(rows, sla_hours / size)
    chart = layered(
        frame,
        base.mark_area(interpolate="step-after", color=LIGHT_BLUE, opacity=0.6).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        base.mark_line(interpolate="step-after", color=BLUE).encode(y=y, tooltip=tips),
        *line,
    )
    return finished(
        chart,
        "Share of MQLs still open by time since they became MQLs (Kaplan–Meier), with 95% "
        f"intervals{words}.",
    )


def _sla(rows: pd.DataFrame, sla: float) -> tuple[str, list[alt.Chart]]:
    """Return the SLA in words and as a labeled line; neither where it is on the first contact."""
    if constant(rows, "sla_stops_on", "") == "contact":
        return "", []
    of_others = " of leads without a rule" if constant(rows, "n_rules", 0) else ""
    at = alt.Chart({"values": [{"sla": sla}]}).encode(x=alt.X("sla:Q"))
    name = at.mark_text(align="left", baseline="top", dx=5, color=ORANGE, fontWeight="bold")
    line = [
        at.mark_rule(color=ORANGE, strokeDash=[4, 3], strokeWidth=2),
        name.encode(y=TOP, text=alt.TextValue("SLA")),
    ]
    return f"; the dashed line is the SLA{of_others}", line


def _unit(sla_hours: float, day_hours: float) -> tuple[str, float]:
    """Return the unit of the axis and its hours: days if the SLA is at least two days."""
    working = "" if day_hours == 24 else "working "
    is_days = sla_hours >= 2 * day_hours
    return (f"{working}days", day_hours) if is_days else (f"{working}hours", 1)
