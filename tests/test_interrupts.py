"""Signals that end a run, and where nobody hears them."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

from mqlkit.core.errors import Interrupted
from mqlkit.run.signals import interruptible, stop_if_told, uninterrupted


def passed_over(number):
    """Have a signal come where nobody hears of it, and go on."""
    with interruptible():
        stop_if_told()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        stop_if_told()


def held_back(done):
    with interruptible(), uninterrupted():
        signal.raise_signal(signal.SIGTERM)
        done.append("all of it")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_passed_over_stops_the_run_at_its_next_step(number):
    with pytest.raises(Interrupted) as stopped:
        passed_over(number)
    assert stopped.value.exit_code == 128 + number


def test_a_run_knows_nothing_of_the_signal_that_stopped_the_one_before():
    with suppress(KeyboardInterrupt), interruptible():
        signal.raise_signal(signal.SIGTERM)
    stop_if_told()
    with interruptible():
        stop_if_told()


def test_a_signal_is_held_back_until_a_block_is_done():
    done = []
    with pytest.raises(Interrupted):
        held_back(done)
    assert done == ["all of it"]
