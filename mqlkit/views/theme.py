"""Colors and Vega-Lite configuration of the charts."""

from __future__ import annotations

from typing import Any

# One blue for measured values, one orange for goals and SLA breaches. Bars are light enough for
# labels in INK and dark enough for a white background (3:1, WCAG 1.4.11).
INK, MUTED, LINE, FAINT = "#1f2a37", "#56616e", "#d5dbe3", "#eaeef3"
BLUE, ORANGE, GRAY, LIGHT_BLUE = "#2563a8", "#963700", "#7a8594", "#a9c6e5"
BAR, LIGHT_ORANGE, PALE = "#6094cb", "#efc39a", "#d3dae2"
# The color that replaces each color on a dark screen; print is always light.
DARK = {
    INK: "#e6eaf0",
    MUTED: "#a9b4c1",
    LINE: "#3d4854",
    FAINT: "#28313b",
    BLUE: "#7db4ee",
    ORANGE: "#f0975a",
    GRAY: "#93a0af",
    LIGHT_BLUE: "#33557c",
    BAR: "#33679f",
    LIGHT_ORANGE: "#a8683a",
    PALE: "#4a5664",
    "white": "#12171e",
}
# JupyterLab renders this type without a network; the script of the page renders it too.
CHART_TYPE = "application/vnd.vegalite.v5+json"
CHART_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


def dark_charts() -> str:
    """Return the style rules that replace the colors of charts on a dark screen.

    The colors are attributes of SVG elements, which any rule of a style sheet overrides.
    """
    rules = "".join(
        f'.plot svg [{place}="{light}"]{{{place}:{dark}}}'
        for light, dark in DARK.items()
        for place in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme: dark){{{rules}}}"


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
        "padding": {"left": 2, "top": 6, "right": 8, "bottom": 2},
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False, "labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 6},
        # Horizontal titles above the axis.
        "axisY": {
            "domain": False,
            "ticks": False,
            "tickCount": 5,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleBaseline": "bottom",
            "titleX": -34,
            "titleY": -10,
        },
        "legend": {
            "orient": "top",
            "offset": 24,
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
        "bar": {"color": BAR},
        "line": {"color": BLUE, "strokeWidth": 2.5},
    }
