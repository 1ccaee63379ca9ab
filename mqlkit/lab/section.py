"""The parts that one cell shows, and how they are redrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mqlkit.metrics.report import Numbers
from mqlkit.pages import cells as page
from mqlkit.pages.calls import Call
from mqlkit.views.theme import CHART_TYPE
from mqlkit.views.verdicts.base import Verdict

Shown = list[tuple[Call, list[dict[str, Any]]]]
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
    calls
        Returns the functions that draw it, with what they are given of a report's numbers.
    box
        The widget that it stands in.
    is_late
        Whether it is drawn after all that is not.
    shown
        What is shown: each call, with its parts as the types that the notebook shows them in.
    width
        Of its charts, in pixels.
    """

    calls: Callable[[Numbers], list[Call]]
    box: Any
    is_late: bool
    shown: Shown = field(default_factory=list)
    width: int = page.LAB_WIDTH

    def follow(self, numbers: Numbers) -> None:
        """Show it for other numbers; what they leave as it is is not drawn again."""
        self._show([(call, self._bundles(call)) for call in self.calls(numbers)])

    def fit(self, width: int) -> None:
        """Set its charts so wide, without making them again."""
        self.width = width
        self._show(self.shown)

    def fail(self, fault: str) -> None:
        """Show what is wrong with it, in its place."""
        self._show([(Call(fault), [page.bundle(Verdict(fault, "bad"))])])

    def leave(self, words: str) -> None:
        """Show words in its place, or nothing; it follows nothing any more."""
        self._show([(Call(words), [page.bundle(words)])] if words else [])

    def _bundles(self, call: Call) -> list[dict[str, Any]]:
        known = next((bundles for c, bundles in self.shown if c.is_same(call)), None)
        if known is not None:
            return known
        return [page.bundle(part) for part in page.parts_of(call) if part is not None]

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
        if CHART_TYPE not in bundle:
            return bundle
        return {**bundle, CHART_TYPE: {**bundle[CHART_TYPE], "width": self.width}}
