"""Timestamps and money as integers, so that every engine computes the same.

A timestamp is the number of microseconds since 1970 in UTC, money the number of millionths. Engines
compare, add, subtract and take remainders of them. What they differ in, such as time zones, comes
as tables of numbers from Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.periods import to_utc
from mqlkit.core.zones import (
    DAY_US,
    MICRO,
    TICK,
    ZoneOffsets,
    day_us,
    instant,
    micros,
    zone_offsets,
)

__all__ = [
    "AGES_US", "DAY_US", "HOUR_US", "MICRO", "NONE", "TICK", "LocalTime", "day_us", "earliest",
    "floor", "instant", "local_time", "micros", "start_us", "step",
]  # fmt: skip

HOUR_US = 3_600 * MICRO
# More whole days than there are from 1970 back to any timestamp.
AGES_US = 100_000 * DAY_US
# Greater than any timestamp or duration.
NONE = 1 << 62
# Of each level of a tree of comparisons.
BRANCHES = 8


def start_us(day: date, zone: ZoneInfo) -> int:
    """Return when a local day begins."""
    return micros(to_utc(day, zone))


def floor(value: ir.IntegerValue, unit: int) -> ir.IntegerValue:
    """Return the greatest multiple of a unit that is not greater; ``unit`` divides a day."""
    # Engines differ in remainders of negative numbers.
    return value - (value + AGES_US) % unit


def earliest(*values: ir.IntegerValue) -> ir.IntegerValue:
    """Return the smallest value of each row that is not NULL."""
    # Engines differ in LEAST: with a NULL, some return NULL.
    return ibis.least(*(value.fill_null(NONE) for value in values)).nullif(NONE)


def step(value: ir.IntegerValue, edges: Sequence[int], places: Sequence[int]) -> ir.IntegerValue:
    """Return the place of a value between sorted edges; the last one for NULL.

    ``places`` has one entry more than there are edges: the first is for values below the first
    edge. The comparisons are a tree of up to `BRANCHES` at each level: DuckDB evaluates it, and
    Ibis compiles it, in two thirds of the time that a binary tree takes.
    """
    if not edges:
        return ibis.literal(places[0], type="int64")
    size = -(-len(places) // BRANCHES)
    cuts = range(size, len(places), size)
    below = [
        (value < edges[cut - 1], step(value, edges[cut - size : cut - 1], places[cut - size : cut]))
        for cut in cuts
    ]
    return ibis.cases(*below, else_=step(value, edges[cuts[-1] :], places[cuts[-1] :]))


class LocalTime(ZoneOffsets):
    """The offsets of a time zone, for expressions."""

    def day(self, at: ir.IntegerValue) -> ir.IntegerValue:
        """Return the local day of a timestamp, as days since 1970 in microseconds."""
        return floor(at + step(at, self.changes, self.offsets), DAY_US)

    def start(self, day: ir.IntegerValue) -> ir.IntegerValue:
        """Return when a local day begins."""
        pieces = list(self.local_pieces())
        edges = [piece.start for piece in pieces if piece.start is not None]
        return day - step(day, edges, [piece.offset for piece in pieces])


def local_time(zone: ZoneInfo, first: date, last: date) -> LocalTime:
    """Return the offsets of a zone from one day to another, both included."""
    found = zone_offsets(zone, first, last)
    return LocalTime(found.changes, found.offsets)
