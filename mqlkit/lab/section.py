"""The parts that one cell shows, and how they are redrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mqlkit.metrics.report import Report
from mqlkit.pages import cells as page
from mqlkit.pages.drawings import Drawing
from mqlkit.views.charts.base import with_selection
from mqlkit.views.theme import CHART_TYPE
from mqlkit.views.verdicts.base import Verdict

Shown = list[tuple[Drawing, list[dict[str, Any]]]]
# Widths of a chart, in pixels: the first has room on a screen of 1280 beside the list of files, the
# last is that of the panel. Few, so that a chart is not drawn again for every pixel.
WIDTHS = (page.LAB_WIDTH, 940, 1120)
# Beside a chart stands the button of its menu.
BESIDE = 60


def width_in(room: int) -> int:
    """Return the width of charts where there are so many pixels; the least where there are fewer.

    >>> width_in(832), width_in(1180), width_in(3000)
    (760, 1120, 1120)
    """
    return max((w for w in WIDTHS if w + BESIDE <= room), default=WIDTHS[0])


@dataclass
class Section:
    """What stands together in one cell, and how it is drawn again.

    Attributes
    ----------
    draw
        Returns the drawings of a report.
    box
        The widget that it stands in.
    is_late
        Whether it is drawn after all that is not.
    target
        CSS selector of the input element that a click on a chart sets; empty for none.
    shown
        Each drawing, with its parts as the types that a notebook shows.
    width
        Of its charts, in pixels.
    """

    draw: Callable[[Report], list[Drawing]]
    box: Any
    is_late: bool
    target: str = ""
    shown: Shown = field(default_factory=list)
    width: int = page.LAB_WIDTH

    def follow(self, report: Report) -> None:
        """Show it for another report; a drawing of equal input is not drawn again."""
        self._show([(drawing, self._bundles(drawing)) for drawing in self.draw(report)])

    def fit(self, width: int) -> None:
        """Set its charts so wide, without making them again."""
        self.width = width
        self._show(self.shown)

    def fail(self, fault: str) -> None:
        """Show what is wrong with it, in its place."""
        self._show([(Drawing(fault), [page.bundle(Verdict(fault, "bad"))])])

    def leave(self, words: str) -> None:
        """Show words in its place, or nothing; it follows nothing any more."""
        self._show([(Drawing(words), [page.bundle(words)])] if words else [])

    def _bundles(self, drawing: Drawing) -> list[dict[str, Any]]:
        known = next((bundles for d, bundles in self.shown if d.is_same(drawing)), None)
        if known is not None:
            return known
        return [page.bundle(self._selectable(part)) for part in drawing.parts()]

    def _selectable(self, part: Any) -> Any:
        """Return a chart by breakdown value with a selection; any other part as it is."""
        meta = getattr(part, "usermeta", None)
        by = meta.get("by") if isinstance(meta, dict) else None
        return with_selection(part, by=by, target=self.target) if by and self.target else part

    def _show(self, shown: Shown) -> None:
        """Show it; the browser hears of it only where it differs."""
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
