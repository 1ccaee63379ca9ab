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
# Signals received in an `interruptible` block.
_received: list[int] = []


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn signals that end a run into an exception, so that the block can clean up.

    Raises
    ------
    Interrupted
        On the first signal. Further signals are ignored during the cleanup.
    """

    def stop(number: int, _: object) -> None:
        for each in earlier:
            signal.signal(each, lambda *_: None)
        _received.append(number)
        # Pending tasks are never awaited, which is not an error here.
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
        _received.clear()


def stop_if_told() -> None:
    """Raise if a signal was received; call it between two steps.

    Python ignores an exception that is raised in a callback of its own, such as a weakref callback.

    Raises
    ------
    Interrupted
        If a signal was received in an `interruptible` block.
    """
    if _received:
        raise Interrupted(_received[0])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay signals that end a run until the end of the block."""
    received: list[int] = []
    earlier = {n: signal.signal(n, lambda number, _: received.append(number)) for n in STOPPING}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Start child processes with SIGINT blocked; this process ends them after Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Send SIGTERM to this process when its parent has ended, even if that was killed."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        with suppress(OSError):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
