"""A bar that shows how far long work has come, and what is being done."""

from __future__ import annotations

import ipywidgets as widgets

from mqlkit.labelled import close, said


class Waiting:
    """A bar with words, for as long as the work takes.

    Parameters
    ----------
    steps
        How many there are.

    Attributes
    ----------
    box
        The widget, to be displayed.
    """

    def __init__(self, steps: int) -> None:
        layout = widgets.Layout(width="320px")
        self._bar = widgets.IntProgress(min=0, max=steps, layout=layout)
        self._words = widgets.HTML()
        self.box = widgets.HBox([self._bar, self._words])
        self.box.layout.align_items = "center"

    def tell(self, words: str) -> None:
        """Say what is being done now; what was said before is done."""
        if self._words.value:
            self._bar.value = min(self._bar.value + 1, self._bar.max)
        self._words.value = said(f"{words} …")

    def close(self) -> None:
        """Take the bar away."""
        close(self.box)
