"""The look of the charts: one restrained palette, good for the colour-blind and in grey."""

from __future__ import annotations

from typing import Any

INK, MUTED, LINE, FAINT = "#1f2a37", "#5b6775", "#d9dee5", "#eef1f5"
BLUE, ORANGE, GREY, LIGHT_BLUE = "#2563a8", "#c2570c", "#8a94a3", "#a9c6e5"
LIGHT_ORANGE, PALE = "#ebb988", "#cfd6de"
# Okabe & Ito's order, with the yellow left out, which print and projectors lose.
CATEGORIES = [
    "#2563a8",
    "#e08a2c",
    "#2a9d78",
    "#b0578d",
    "#6fb3e0",
    "#8a5a2b",
    "#5b6775",
    "#c2570c",
]
# JupyterLab draws this type by itself, without a network; the page's script draws it too.
CHART_TYPE = "application/vnd.vegalite.v5+json"
CHART_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


def config() -> dict[str, Any]:
    """Return the Vega-Lite configuration that all charts share."""
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "domainColor": LINE,
        "tickColor": LINE,
        "gridColor": FAINT,
        "labelPadding": 6,
    }
    return {
        "font": FONT,
        "background": "transparent",
        "padding": {"left": 4, "top": 5, "right": 16, "bottom": 4},
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False, "labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 6},
        "axisY": {"domain": False, "ticks": False, "tickCount": 5},
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "columns": 3,
            "title": None,
            "labelColor": INK,
            "labelFontSize": 12,
            "symbolType": "square",
            "symbolSize": 90,
            "labelLimit": 140,
        },
        "text": {"color": INK, "fontSize": 12},
        "bar": {"color": BLUE},
        "line": {"color": BLUE, "strokeWidth": 2.5},
        "range": {"category": CATEGORIES},
    }
