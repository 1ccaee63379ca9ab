"""Charts of cost per MQL."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import SYMBOLS, bucket_name
from mqlkit.metrics.tidy import (
    COLUMNS,
    breakdown_of,
    constant,
    largest_segments,
    pick,
    require,
    series,
)
from mqlkit.views.charts.base import (
    MOST_ROWS,
    RIGHT,
    Chart,
    bucket_axis,
    drawn_rows,
    finished,
    grain_of,
    height_of,
    layered,
    left_out,
    name_axis,
    span_of,
    tip,
)
from mqlkit.views.theme import BAR, BLUE, ORANGE


def per_mql(rows: pd.DataFrame) -> Chart | None:
    """Draw cost per MQL per bucket and its rolling average, with a slider where there are lags.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    lags = series(rows, "cost_by_bucket", "bucket")
    if lags["cost"].isna().all():
        return None
    lag_days, currency = int(constant(rows, "lag_days")), constant(rows, "currency", "")
    frame = lags[["lag_days", "bucket", "cost", "rolling"]].round(4)
    frame = frame.assign(when=frame["bucket"].map(bucket_name))
    days = sorted(frame["lag_days"].unique())
    slider = alt.binding_range(
        min=int(days[0]), max=int(days[-1]), step=_step(days), name="Lag in days "
    )
    money = f"{SYMBOLS.get(currency, '')},.0f" if currency == "USD" else ",.0f"
    tips = [
        alt.Tooltip("bucket:N", title="Bucket"),
        tip("cost", f"{_name(rows)} ({currency})", money),
        tip("rolling", f"Rolling ({currency})", money),
        tip("lag_days", "Lag (days)"),
    ]
    base = alt.Chart().encode(x=bucket_axis()).transform_filter("datum.lag_days == lag")
    name = _name(rows)
    y = alt.Y("cost:Q", title=f"{name}, {currency}")
    bar = base.mark_bar(color=BAR, cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
    layers = [bar.encode(y=y, tooltip=tips)]
    has_rolling = bool(frame["rolling"].notna().any())
    if has_rolling:
        point = alt.OverlayMarkDef(filled=True, size=60, color=BLUE)
        line = base.encode(y=alt.Y("rolling:Q"))
        # A white outline separates the line from the bars behind it.
        layers.append(line.mark_line(color="white", strokeWidth=6))
        layers.append(line.mark_line(color=BLUE, point=point).encode(tooltip=tips))
        last = frame.groupby("lag_days").tail(1)
        label = alt.Chart(drawn_rows(last)).transform_filter("datum.lag_days == lag")
        layers.append(
            label.mark_text(align="left", dx=6, color=BLUE, fontSize=11).encode(
                x=RIGHT, y=alt.Y("rolling:Q"), text=alt.TextValue("Rolling")
            )
        )
    now = frame[frame["lag_days"] == lag_days]["cost"]
    rolling = ", and its rolling average as a line" if has_rolling else ""
    chart = layered(frame, *layers)
    has_slider = len(days) > 1
    # Altair's method copies all layers twice for a parameter.
    bind = slider if has_slider else alt.Undefined
    chart.params = [alt.VariableParameter("lag", value=lag_days, bind=bind)]
    grain = grain_of(frame)
    words = f"{name} per {grain} as bars, {span_of(now)} {currency}{rolling}"
    words += "; the slider moves the spend window by the lag" if has_slider else ""
    return finished(chart, f"{words}.", grain=grain)


def by_lag(rows: pd.DataFrame) -> Chart | None:
    """Draw cost per MQL of the whole period by lag, with the lag in use marked.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    frame = series(rows, "cost_by_lag")[["lag_days", "spend", "cost"]].dropna()
    if frame.empty:
        return None
    frame = frame.astype({"spend": float}).round(4)
    lag_days, currency = constant(rows, "lag_days"), constant(rows, "currency", "")
    tips = [
        tip("lag_days", "Lag (days)"),
        tip("cost", f"{_name(rows)} ({currency})", ",.2f"),
        tip("spend", f"Spend ({currency})"),
    ]
    axis = alt.Axis(tickCount=6)
    base = alt.Chart().encode(x=alt.X("lag_days:Q", title="Lag, days", axis=axis))
    scale = alt.Scale(zero=False, nice=True)
    y = alt.Y("cost:Q", title=f"{_name(rows)}, {currency}", scale=scale)
    used = alt.Chart(drawn_rows(frame[frame["lag_days"] == lag_days])).encode(x=alt.X("lag_days:Q"))
    point = used.mark_point(size=110, filled=True, opacity=1, color=ORANGE)
    chart = layered(
        frame,
        base.mark_line(color=BLUE).encode(y=y),
        base.mark_point(size=140, opacity=0).encode(y=alt.Y("cost:Q"), tooltip=tips),
        point.encode(y=alt.Y("cost:Q"), tooltip=tips),
    )
    return finished(
        chart,
        f"{_name(rows)} of the whole period by the lag, {span_of(frame['cost'], ',.2f')} "
        f"{currency}; the lag in use, {lag_days} days, is marked.",
    )


def per_mql_by(rows: pd.DataFrame, *, by: str | None = None) -> Chart | None:
    """Draw cost per MQL of the whole period by breakdown value.

    Parameters
    ----------
    rows
        `Report.cost`.
    by
        A breakdown column; the main one when left out.
    """
    require(rows, COLUMNS, "charts.cost.per_mql_by")
    by, currency = breakdown_of(rows, by), constant(rows, "currency", "")
    part = pick(rows, "cost_per_mql", by=by)
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    if part.empty:
        return None
    part = part.set_index("name", drop=False)
    shown = part.loc[largest_segments(part["n"], MOST_ROWS)]
    shown = shown.sort_values("value", ascending=False)[["name", "value", "n"]]
    tips = [
        alt.Tooltip("name:N", title=by.capitalize()),
        tip("value", f"{_name(rows)} ({currency})"),
        tip("n", "MQLs"),
    ]
    base = alt.Chart().encode(y=alt.Y("name:N", sort=None, title=None, axis=name_axis()))
    chart = layered(
        shown,
        base.mark_bar(color=BAR, cornerRadiusEnd=2).encode(
            x=alt.X("value:Q", title=f"{_name(rows)}, {currency}", axis=alt.Axis(tickCount=6)),
            tooltip=tips,
        ),
        base.mark_text(align="left", dx=5).encode(
            x=alt.X("value:Q"), text=alt.Text("value:Q", format=",.0f")
        ),
    )
    words = f"{_name(rows)} by {by}{left_out(part, shown)}."
    return finished(chart, words, height=height_of(len(shown)), by=by)


def _name(rows: pd.DataFrame) -> str:
    """Return what the cost is called: that of these leads, unless spend is not filtered."""
    is_filtered = not constant(rows, "unfiltered_by", "")
    basis = constant(rows, "spend_basis", "") or "total spend"
    return "Cost per MQL" if is_filtered else f"{basis.capitalize()} ÷ filtered leads"


def _step(days: list[int]) -> int:
    """Return the distance of the slider's positions."""
    return int(days[1] - days[0]) if len(days) > 1 else 1
