"""Metric frames as pictures. No arithmetic beyond naming: what is drawn is what was worked out.

Each ``plot_*`` takes the tidy rows (or the frame named after it) and returns an Altair chart with
a description in words, or None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from mqlkit.terms import METRICS, TOTAL
from mqlkit.theme import BLUE, GREY, INK, LIGHT_BLUE, MUTED, ORANGE, config
from mqlkit.tidy import COLUMNS, pick
from mqlkit.wording import SYMBOLS, bucket_name

Chart = alt.Chart | alt.LayerChart | alt.VConcatChart
HEIGHT = 260
MOST_SEGMENTS = 8


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Stop where a frame lacks a column, which Altair would draw as nothing.

    Raises
    ------
    ValueError
        Naming the chart and the columns.
    """
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ValueError(f"{name} needs the columns {', '.join(missing)}, which the frame lacks.")


def _by_bucket(rows: pd.DataFrame, metrics: Sequence[str], name: str) -> pd.DataFrame:
    """Return one row per bucket with a column per metric, and its flags."""
    require(rows, COLUMNS, name)
    frames = []
    for metric in metrics:
        part = pick(rows, metric)
        part = part[part["bucket"] != TOTAL]
        if len(part):
            frames.append(part.set_index("bucket")["value"].rename(metric))
    if not frames:
        return pd.DataFrame(columns=["when", *metrics])
    wide = pd.concat(frames, axis=1).reindex(columns=list(metrics)).reset_index()
    flags = pick(rows, metrics[0]).set_index("bucket")["flags"]
    wide["is_open"] = ["in-progress" in flags[b] for b in wide["bucket"]]
    wide["when"] = wide["bucket"].map(bucket_name)
    return wide


def _x(title: str | None = None) -> alt.X:
    return alt.X("when:N", sort=None, title=title, axis=alt.Axis(ticks=False))


def _finish(chart: Chart, description: str, *, height: int = HEIGHT) -> Chart:
    sized = chart if isinstance(chart, alt.VConcatChart) else chart.properties(height=height, width="container")
    return sized.properties(description=description).configure(**config())


def _tip(field: str, title: str, fmt: str = ",.0f") -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=fmt)


def plot_mql_volume(rows: pd.DataFrame) -> Chart | None:
    """Draw MQLs per bucket as bars, the goal as a mark across each."""
    wide = _by_bucket(rows, ["mqls", "goal", "in_stage"], "plot_mql_volume")
    if wide.empty:
        return None
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        _tip("mqls", "MQLs"),
        _tip("in_stage", "Waiting at its end"),
    ]
    has_goal = bool(wide["goal"].notna().any())
    tips += [_tip("goal", "Goal", ",.1f")] if has_goal else []
    base = alt.Chart(wide).encode(x=_x())
    fill = alt.condition("datum.is_open", alt.value(LIGHT_BLUE), alt.value(BLUE))
    bars = base.mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
        y=alt.Y("mqls:Q", title="MQLs"), color=fill, tooltip=tips
    )
    layers: list[alt.Chart] = [bars]
    if len(wide) <= 16:
        layers.append(
            base.mark_text(dy=12, color="white", fontSize=11).encode(
                y="mqls:Q", text=alt.Text("mqls:Q", format=",.0f"), tooltip=tips
            )
        )
    if has_goal:
        layers.append(
            base.mark_tick(color=ORANGE, thickness=3, width=alt.RelativeBandSize(0.95)).encode(
                y="goal:Q", tooltip=tips
            )
        )
    return _finish(
        alt.layer(*layers),
        f"MQLs per {_grain(wide)}, from {_span(wide['mqls'])}"
        + (", with the goal as a line across each bar." if has_goal else "."),
    )


def plot_mqls_by_segment(rows: pd.DataFrame, *, by: str) -> Chart | None:
    """Draw MQLs per bucket stacked by the values of a breakdown; the legend picks one out."""
    require(rows, COLUMNS, "plot_mqls_by_segment")
    part = pick(rows, "mqls", by=by)
    part = part[part["bucket"] != TOTAL]
    if part.empty:
        return None
    part = _largest(part, by)[["bucket", "name", "value"]]
    part = part.groupby(["bucket", "name"], as_index=False, sort=False)["value"].sum()
    part["when"] = part["bucket"].map(bucket_name)
    pick_one = alt.selection_point(name=f"pick_{_slug(by)}", fields=["name"], bind="legend")
    chart = (
        alt.Chart(part)
        .mark_bar()
        .encode(
            x=_x(),
            y=alt.Y("value:Q", title="MQLs"),
            color=alt.Color("name:N", sort=None, title=None),
            opacity=alt.condition(pick_one, alt.value(1), alt.value(0.15)),
            tooltip=[
                alt.Tooltip("bucket:N", title="Bucket"),
                alt.Tooltip("name:N", title=by.capitalize()),
                _tip("value", "MQLs"),
            ],
        )
        .add_params(pick_one)
    )
    return _finish(chart, f"MQLs per {_grain(part)}, stacked by {by}.")


def plot_hand_off(rows: pd.DataFrame) -> Chart | None:
    """Draw what sales decided on each bucket's MQLs, as stacked bars."""
    kinds = {"accepted": "Accepted", "rejected": "Rejected", "undecided": "Undecided"}
    wide = _by_bucket(rows, list(kinds), "plot_hand_off")
    if wide.empty or wide["accepted"].isna().all():
        return None
    tall = wide.melt(id_vars=["bucket", "when"], value_vars=list(kinds), var_name="kind", value_name="leads")
    tall["kind"] = tall["kind"].map(kinds)
    tall["order"] = tall["kind"].map({k: i for i, k in enumerate(kinds.values())})
    colour = alt.Scale(domain=list(kinds.values()), range=[BLUE, ORANGE, "#c9d0d9"])
    chart = (
        alt.Chart(tall)
        .mark_bar()
        .encode(
            x=_x(),
            y=alt.Y("leads:Q", title="MQLs"),
            color=alt.Color("kind:N", scale=colour, title=None, sort=None),
            order="order:Q",
            tooltip=[
                alt.Tooltip("bucket:N", title="Bucket"),
                alt.Tooltip("kind:N", title="Decision"),
                _tip("leads", "MQLs"),
            ],
        )
    )
    return _finish(chart, f"MQLs accepted, rejected and undecided per {_grain(wide)}.")


def plot_stage_efficiency(rows: pd.DataFrame) -> Chart | None:
    """Draw efficiency by cohort with its interval, young cohorts hollow, and by flow."""
    cohort = _intervals(rows, "efficiency", "plot_stage_efficiency")
    if cohort.empty or cohort["value"].isna().all():
        return None
    cohort["is_young"] = ["immature" in flags for flags in cohort["flags"]]
    wide = _by_bucket(rows, ["efficiency_flow", "efficiency_projected"], "plot_stage_efficiency")
    merged = cohort.drop(columns="flags").merge(wide.drop(columns=["when", "is_open"]), on="bucket")
    tips = [
        alt.Tooltip("bucket:N", title="Cohort"),
        _tip("value", "Efficiency", ".1%"),
        _tip("low", "95% from", ".1%"),
        _tip("high", "95% to", ".1%"),
        _tip("n", "MQLs"),
        _tip("efficiency_projected", "Projected", ".1%"),
        _tip("efficiency_flow", "By flow", ".1%"),
    ]
    base = alt.Chart(merged).encode(x=_x())
    y = alt.Y("value:Q", title="MQLs that became SQL", axis=alt.Axis(format="%"))
    layers = [
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(y="low:Q", y2="high:Q"),
        base.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.5).encode(y="efficiency_flow:Q"),
        base.mark_tick(color=ORANGE, thickness=2, width=alt.RelativeBandSize(0.5))
        .encode(y="efficiency_projected:Q", tooltip=tips)
        .transform_filter("datum.is_young"),
        base.mark_point(size=90, filled=True, opacity=1, stroke=BLUE, strokeWidth=2).encode(
            y=y,
            fill=alt.condition("datum.is_young", alt.value("white"), alt.value(BLUE)),
            tooltip=tips,
        ),
    ]
    return _finish(
        alt.layer(*layers),
        f"Share of MQLs that became SQL per {_grain(merged)} of entry, {_span(merged['value'], '.0%')}, "
        "with 95% intervals; young cohorts are hollow and carry their projection; the dashed line "
        "is the flow.",
    )


def plot_efficiency_by(rows: pd.DataFrame, *, by: str) -> Chart | None:
    """Draw efficiency of the whole period by the values of a breakdown, with intervals."""
    return _dots(rows, "efficiency", by=by, title="MQLs that became SQL", colour=BLUE)


def plot_sla_attainment(rows: pd.DataFrame) -> Chart | None:
    """Draw SLA attainment per bucket with its interval."""
    part = _intervals(rows, "sla_attainment", "plot_sla_attainment")
    if part.empty or part["value"].isna().all():
        return None
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        _tip("value", "Within the SLA", ".1%"),
        _tip("low", "95% from", ".1%"),
        _tip("high", "95% to", ".1%"),
        _tip("n", "MQLs measured"),
    ]
    base = alt.Chart(part.drop(columns="flags")).encode(x=_x())
    y = alt.Y("value:Q", title="Within the SLA", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    chart = alt.layer(
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(y="low:Q", y2="high:Q"),
        base.mark_line(point=alt.OverlayMarkDef(filled=True, size=80, color=BLUE)).encode(y=y, tooltip=tips),
    )
    return _finish(
        chart,
        f"Share of MQLs handled within the SLA per {_grain(part)}, {_span(part['value'], '.0%')}, "
        "with 95% intervals.",
    )


def plot_attainment_by(rows: pd.DataFrame, *, by: str) -> Chart | None:
    """Draw SLA attainment of the whole period by the values of a breakdown, with intervals."""
    return _dots(rows, "sla_attainment", by=by, title="Within the SLA", colour=BLUE)


def plot_hours_histogram(histogram: pd.DataFrame, *, sla_hours: float) -> Chart | None:
    """Draw how long MQLs waited, in quarters of the SLA, and which of them still do."""
    require(histogram, ["bin", "hours_from", "hours_to", "outcome", "leads"], "plot_hours_histogram")
    if histogram.empty:
        return None
    unit, size = ("days", 24) if sla_hours >= 48 else ("hours", 1)
    frame = histogram.assign(
        left=histogram["hours_from"] / size,
        right=histogram["hours_to"] / size,
        order=histogram["outcome"].map({"within SLA": 0, "late": 1, "still waiting": 2}),
    )
    last = float(frame["bin"].max()) * sla_hours / 4 / size
    scale = alt.Scale(
        domain=["within SLA", "late", "still waiting"], range=[BLUE, ORANGE, "#c9d0d9"]
    )
    bars = (
        alt.Chart(frame)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("left:Q", bin="binned", title=f"Time in the MQL stage, {unit}; the last bar is everything later"),
            x2="right:Q",
            y=alt.Y("sum(leads):Q", title="MQLs"),
            color=alt.Color("outcome:N", scale=scale, title=None, sort=None),
            order="order:Q",
            tooltip=[
                _tip("left", f"From ({unit})", ",.1f"),
                _tip("right", f"To ({unit})", ",.1f"),
                alt.Tooltip("outcome:N", title="Outcome"),
                _tip("leads", "MQLs"),
            ],
        )
    )
    rule = alt.Chart(pd.DataFrame({"sla": [sla_hours / size]})).mark_rule(
        color=INK, strokeDash=[4, 3], strokeWidth=1.5
    )
    return _finish(
        alt.layer(bars, rule.encode(x="sla:Q")),
        f"MQLs by time in the stage, up to {last:g} {unit} and later; the dashed line is the SLA.",
    )


def plot_survival_curve(curve: pd.DataFrame, *, sla_hours: float) -> Chart | None:
    """Draw the share of MQLs still waiting by time in the stage, with its band and the SLA."""
    require(curve, ["hours", "waiting", "low", "high", "at_risk"], "plot_survival_curve")
    if len(curve) < 3:
        return None
    unit, size = ("days", 24) if sla_hours >= 48 else ("hours", 1)
    seen = curve[curve["hours"] <= max(8 * sla_hours, 4 * 24)]
    frame = seen.assign(time=seen["hours"] / size)
    base = alt.Chart(frame).encode(x=alt.X("time:Q", title=f"Time since MQL, {unit}"))
    tips = [
        _tip("time", f"After ({unit})", ",.1f"),
        _tip("waiting", "Still waiting", ".1%"),
        _tip("low", "95% from", ".1%"),
        _tip("high", "95% to", ".1%"),
        _tip("at_risk", "Leads observed"),
    ]
    y = alt.Y("waiting:Q", title="Still waiting", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    mark = pd.DataFrame({"sla": [sla_hours / size], "label": ["SLA"], "top": [1.0]})
    chart = alt.layer(
        base.mark_area(interpolate="step-after", color=LIGHT_BLUE, opacity=0.6).encode(
            y=alt.Y("low:Q"), y2="high:Q"
        ),
        base.mark_line(interpolate="step-after", color=BLUE).encode(y=y, tooltip=tips),
        alt.Chart(mark).mark_rule(color=ORANGE, strokeDash=[4, 3], strokeWidth=2).encode(x="sla:Q"),
        alt.Chart(mark)
        .mark_text(align="left", dx=5, dy=8, color=ORANGE, fontWeight="bold")
        .encode(x="sla:Q", y="top:Q", text="label:N"),
    )
    return _finish(
        chart,
        "Share of MQLs still waiting by time since they became MQLs, with its 95% band; the dashed "
        "line is the SLA.",
    )


def plot_cost_per_mql(lags: pd.DataFrame | None, *, lag_days: int, currency: str) -> Chart | None:
    """Draw cost per MQL per bucket and its rolling average, with a slider for the lag."""
    if lags is None:
        return None
    require(lags, ["lag_days", "bucket", "cost", "rolling"], "plot_cost_per_mql")
    if lags["cost"].isna().all():
        return None
    frame = lags[["lag_days", "bucket", "cost", "rolling"]].round(4)
    frame = frame.assign(when=frame["bucket"].map(bucket_name))
    step = int(sorted(frame["lag_days"].unique())[1]) if frame["lag_days"].nunique() > 1 else 1
    slider = alt.binding_range(
        min=0, max=int(frame["lag_days"].max()), step=min(step, 1) if step == 1 else 1, name="Lag in days "
    )
    lag = alt.param(name="lag", value=lag_days, bind=slider)
    money = f"{SYMBOLS.get(currency, '')},.0f" if currency == "USD" else ",.0f"
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        _tip("cost", f"Cost per MQL ({currency})", money),
        _tip("rolling", f"Rolling ({currency})", money),
        _tip("lag_days", "Lag (days)"),
    ]
    base = alt.Chart(frame).encode(x=_x()).transform_filter("datum.lag_days == lag")
    y = alt.Y("cost:Q", title=f"Cost per MQL, {currency}")
    chart = alt.layer(
        base.mark_bar(color=LIGHT_BLUE, cornerRadiusTopLeft=2, cornerRadiusTopRight=2).encode(
            y=y, tooltip=tips
        ),
        base.mark_line(color=BLUE, point=alt.OverlayMarkDef(filled=True, size=60, color=BLUE)).encode(
            y="rolling:Q", tooltip=tips
        ),
    ).add_params(lag)
    now = frame[frame["lag_days"] == lag_days]["cost"]
    return _finish(
        chart,
        f"Cost per MQL per {_grain(frame)} as bars, {_span(now)} {currency}, and its rolling average "
        "as a line; the slider moves the spend window by the lag.",
    )


def plot_cost_by(rows: pd.DataFrame, *, by: str, currency: str) -> Chart | None:
    """Draw cost per MQL of the whole period by the values of a breakdown."""
    require(rows, COLUMNS, "plot_cost_by")
    part = pick(rows, "cost_per_mql", by=by)
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    if part.empty:
        return None
    part = part.sort_values("value", ascending=False)[["name", "value", "n"]]
    tips = [
        alt.Tooltip("name:N", title=by.capitalize()),
        _tip("value", f"Cost per MQL ({currency})"),
        _tip("n", "MQLs"),
    ]
    base = alt.Chart(part).encode(y=alt.Y("name:N", sort=None, title=None, axis=_names()))
    chart = alt.layer(
        base.mark_bar(color=BLUE, cornerRadiusEnd=2).encode(
            x=alt.X("value:Q", title=f"Cost per MQL, {currency}"), tooltip=tips
        ),
        base.mark_text(align="left", dx=5).encode(x="value:Q", text=alt.Text("value:Q", format=",.0f")),
    )
    return _finish(chart, f"Cost per MQL by {by}.", height=_rows_high(len(part)))


def _intervals(rows: pd.DataFrame, metric: str, name: str) -> pd.DataFrame:
    require(rows, COLUMNS, name)
    part = pick(rows, metric)
    part = part[part["bucket"] != TOTAL]
    columns = ["bucket", "value", "low", "high", "n", "flags"]
    return part[columns].assign(when=part["bucket"].map(bucket_name))


def _dots(rows: pd.DataFrame, metric: str, *, by: str, title: str, colour: str) -> Chart | None:
    """Draw a share by segment: a dot with its interval, the overall share as a line."""
    require(rows, COLUMNS, metric)
    part = pick(rows, metric, by=by)
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    if part.empty:
        return None
    shown = part.sort_values("n", ascending=False).head(3 * MOST_SEGMENTS)
    shown = shown.sort_values("value", ascending=False)[["name", "value", "low", "high", "n"]]
    tips = [
        alt.Tooltip("name:N", title=by.capitalize()),
        _tip("value", METRICS[metric].label, ".1%"),
        _tip("low", "95% from", ".1%"),
        _tip("high", "95% to", ".1%"),
        _tip("n", "Leads"),
    ]
    base = alt.Chart(shown).encode(y=alt.Y("name:N", sort=None, title=None, axis=_names()))
    x = alt.X("value:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(zero=True))
    total = pick(rows, metric)
    overall = total[total["bucket"] == TOTAL][["value"]]
    chart = alt.layer(
        alt.Chart(overall).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x="value:Q"),
        base.mark_rule(strokeWidth=5, color=LIGHT_BLUE, opacity=0.7).encode(x="low:Q", x2="high:Q"),
        base.mark_point(size=90, filled=True, opacity=1, color=colour).encode(x=x, tooltip=tips),
        base.mark_text(dy=-12, fontSize=11, color=MUTED).encode(
            x="value:Q", text=alt.Text("value:Q", format=".0%")
        ),
    )
    return _finish(
        chart,
        f"{METRICS[metric].label} by {by}, with 95% intervals; the dashed line is the share of all.",
        height=_rows_high(len(shown)),
    )


def _names() -> alt.Axis:
    return alt.Axis(labelLimit=150, ticks=False, domain=False, labelColor=INK)


def _rows_high(n: int) -> int:
    return max(90, 34 * n)


def _largest(part: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the rows with all but the largest values of a breakdown called 'other'."""
    sums = part.groupby("name")["value"].sum().sort_values(ascending=False)
    if len(sums) <= MOST_SEGMENTS:
        order = list(sums.index)
        named = part["name"]
    else:
        kept = set(sums.index[: MOST_SEGMENTS - 1])
        order = [*sums.index[: MOST_SEGMENTS - 1], f"(other {by}s)"]
        named = part["name"].where(part["name"].isin(kept), f"(other {by}s)")
    ranked = part.assign(name=named)
    return ranked.sort_values(
        "name", key=lambda s: s.map({n: i for i, n in enumerate(order)}), kind="stable"
    ).sort_values("start", kind="stable")


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text)


def _grain(frame: pd.DataFrame) -> str:
    """Return the name of the grain that the buckets' labels show."""
    label = str(frame["bucket"].iloc[0])
    part = label.partition("-")[2][:1]
    return {"": "year", "Q": "quarter", "H": "half-year", "W": "week"}.get(part, "month")


def _span(values: pd.Series[Any], fmt: str = ",.0f") -> str:
    known = values.dropna()
    return f"{known.min():{fmt}} to {known.max():{fmt}}" if len(known) else "none"
