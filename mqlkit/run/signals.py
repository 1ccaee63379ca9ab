"""Signals as errors."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, parent_process

from mqlkit.core.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM)
# The signals that have come to the block that can be interrupted.
_came: list[int] = []


@contextmanager
def interruptible() -> Iterator[None]:
    """Have signals that end a run tidy up first.

    Raises
    ------
    Interrupted
        Where the block stands when the first of them comes; those that follow are ignored while
        it tidies up.
    """

    def stop(number: int, _: object) -> None:
        for each in earlier:
            signal.signal(each, lambda *_: None)
        _came.append(number)
        # What was waited for when the signal came is never heard of again, and that is no error.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
        raise Interrupted(number)

    earlier = {number: signal.getsignal(number) for number in STOPPING}
    try:
        for number in STOPPING:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        _came.clear()


def stop_if_told() -> None:
    """Raise again what a signal has raised where nobody hears it; to be called between two steps.

    Python passes over an error in a callback of its own, such as the one after each import.

    Raises
    ------
    Interrupted
        Where a signal has come to an `interruptible` block.
    """
    if _came:
        raise Interrupted(_came[0])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back that end a run, until the block is done."""
    came: list[int] = []
    earlier = {n: signal.signal(n, lambda number, _: came.append(number)) for n in STOPPING}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def deaf_children() -> Iterator[None]:
    """Have processes that are started in the block deaf to Ctrl-C: they are ended by this one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Stop this process, as SIGTERM does, when the one that started it has ended, however."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        with suppress(OSError):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
