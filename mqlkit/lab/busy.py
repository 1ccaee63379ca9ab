"""Work in pieces, so that a kernel can respond in between, and a progress bar for long work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import ipywidgets as widgets

from mqlkit.lab.widgets import close, said

# A run of changes, as of a key held down, is over when nothing has come for so long.
PAUSE_SECONDS = 0.25


class Pace:
    """Does one thing, piece by piece, and drops it when another one comes."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def do(self, work: Callable[[], Iterable[object]]) -> None:
        """Do something once no other thing follows it; at once where no event loop is running.

        Parameters
        ----------
        work
            Returns an iterator that does a piece of it at each step.
        """
        self.stop()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            for _ in work():
                pass
            return
        self._task = loop.create_task(_paced(work))

    def stop(self) -> None:
        """Drop what is being done."""
        if self._task is not None:
            self._task.cancel()


async def _paced(work: Callable[[], Iterable[object]]) -> None:
    await asyncio.sleep(PAUSE_SECONDS)
    for _ in work():
        await asyncio.sleep(0)


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
