"""Work in pieces, so that a kernel hears what the user does in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

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
