"""Work in steps, so that the kernel can respond in between, and a progress bar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import ipywidgets as widgets

from mqlkit.lab.widgets import close, status

# A series of changes, such as a key held down, ends after this pause.
PAUSE_SECONDS = 0.25


class Debouncer:
    """Runs one piece of work step by step, and drops it when the next one comes."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def do(self, work: Callable[[], Iterable[object]]) -> None:
        """Run work after a pause without other work; immediately if no event loop is running.

        Parameters
        ----------
        work
            Returns an iterator that does one step each time.
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
        """Drop the current work."""
        if self._task is not None:
            self._task.cancel()


async def _paced(work: Callable[[], Iterable[object]]) -> None:
    await asyncio.sleep(PAUSE_SECONDS)
    for _ in work():
        await asyncio.sleep(0)


class ProgressBar:
    """A progress bar with a text.

    Parameters
    ----------
    steps
        The number of steps.

    Attributes
    ----------
    box
        The widget to display.
    """

    def __init__(self, steps: int) -> None:
        layout = widgets.Layout(width="320px")
        self._bar = widgets.IntProgress(min=0, max=steps, layout=layout)
        self._words = widgets.HTML()
        self.box = widgets.HBox([self._bar, self._words])
        self.box.layout.align_items = "center"

    def start(self, words: str) -> None:
        """Show the step that starts now; the one before it is complete."""
        if self._words.value:
            self._bar.value = min(self._bar.value + 1, self._bar.max)
        self._words.value = status(f"{words} …")

    def close(self) -> None:
        """Remove the bar."""
        close(self.box)
