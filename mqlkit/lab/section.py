"""The parts that one cell shows, and their redrawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mqlkit.metrics.report import Report
from mqlkit.pages import cells as page
from mqlkit.pages.drawings import Drawing
from mqlkit.views.charts.base import with_selection
from mqlkit.views.claims import Verdict
from mqlkit.views.theme import CHART_TYPE

Shown = list[tuple[Drawing, list[dict[str, Any]]]]
# Widths of a chart in pixels: the first fits a screen of 1280 next to the file browser, the last is
# that of the panel. There are few, so that a chart is not redrawn for every pixel.
WIDTHS = (page.LAB_WIDTH, 940, 1120)
# The button of the chart's menu is next to it.
MENU_WIDTH = 60


def width_in(room: int) -> int:
    """Return the width of charts for an available width in pixels.

    >>> width_in(832), width_in(1180), width_in(3000)
    (760, 1120, 1120)
    """
    return max((w for w in WIDTHS if w + MENU_WIDTH <= room), default=WIDTHS[0])


@dataclass
class Section:
    """The drawings of one cell.

    Attributes
    ----------
    draw
        Returns the drawings of a report.
    box
        The widget that contains them.
    is_late
        Whether they are drawn after all sections that are not late.
    target
        CSS selector of the input element that a click on a chart sets; empty for none.
    shown
        Each drawing with its parts as MIME bundles.
    width
        The width of the charts in pixels.
    """

    draw: Callable[[Report], list[Drawing]]
    box: Any
    is_late: bool
    target: str = ""
    shown: Shown = field(default_factory=list)
    width: int = page.LAB_WIDTH

    def follow(self, report: Report) -> None:
        """Show another report; a drawing with equal input is not drawn again."""
        self._show([(drawing, self._bundles(drawing)) for drawing in self.draw(report)])

    def fit(self, width: int) -> None:
        """Set the width of the charts without creating them again."""
        self.width = width
        self._show(self.shown)

    def fail(self, fault: str) -> None:
        """Show a fault in place of the drawings."""
        self._show([(Drawing(fault), [page.bundle(Verdict(fault, "bad"))])])

    def leave(self, words: str) -> None:
        """Show a text or nothing in place of the drawings, which no longer follow the panel."""
        self._show([(Drawing(words), [page.bundle(words)])] if words else [])

    def _bundles(self, drawing: Drawing) -> list[dict[str, Any]]:
        known = next((bundles for d, bundles in self.shown if d.is_same(drawing)), None)
        if known is not None:
            return known
        return [page.bundle(self._selectable(part)) for part in drawing.parts()]

    def _selectable(self, part: Any) -> Any:
        """Return a chart by segment with a selection; any other part unchanged."""
        meta = getattr(part, "usermeta", None)
        by = meta.get("by") if isinstance(meta, dict) else None
        return with_selection(part, by=by, target=self.target) if by and self.target else part

    def _show(self, shown: Shown) -> None:
        """Show drawings; the browser is updated only if they differ."""
        self.shown = shown
        outputs = tuple(
            {"output_type": "display_data", "data": self._fitted(bundle), "metadata": {}}
            for _, bundles in shown
            for bundle in bundles
        )
        if self.box.outputs != outputs:
            self.box.outputs = outputs

    def _fitted(self, bundle: dict[str, Any]) -> dict[str, Any]:
        if bundle.get(CHART_TYPE, {}).get("autosize") != page.LAB_FIT:
            return bundle
        return {**bundle, CHART_TYPE: {**bundle[CHART_TYPE], "width": self.width}}
