"""Timestamps and money as integers, so that every engine computes the same.

A timestamp is the number of microseconds since 1970 in UTC, money the number of millionths. Engines
compare, add, subtract and take remainders of them. What they differ in, such as time zones, comes
as tables of numbers from Python.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.periods import to_utc

MICRO = 1_000_000
HOUR_US = 3_600 * MICRO
DAY_US = 24 * HOUR_US
EPOCH, TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# More whole days than there are from 1970 back to any timestamp.
AGES_US = 100_000 * DAY_US
# Greater than any timestamp or duration.
NONE = 1 << 62


def micros(at: datetime) -> int:
    """Return a timestamp (aware, or naive UTC) in microseconds.

    >>> micros(datetime(1970, 1, 2))
    86400000000
    """
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH) // TICK


def instant(us: int) -> datetime:
    """Return the aware UTC timestamp of a number of microseconds."""
    return EPOCH + us * TICK


def day_us(day: date) -> int:
    """Return the days since 1970, in microseconds."""
    return (day - EPOCH.date()) // TICK


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
    edge. A tree of comparisons takes each row the logarithm of the number of edges.
    """
    if not edges:
        return ibis.literal(places[0], type="int64")
    middle = len(edges) // 2
    below = step(value, edges[:middle], places[: middle + 1])
    above = step(value, edges[middle + 1 :], places[middle + 1 :])
    return (value < edges[middle]).ifelse(below, above)


@dataclass(frozen=True)
class LocalTime:
    """The offsets of a time zone from UTC.

    Attributes
    ----------
    changes
        When the offset changes, in microseconds.
    offsets
        Offset before the first change, and from each change on, in microseconds.
    """

    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    def day(self, at: ir.IntegerValue) -> ir.IntegerValue:
        """Return the local day of a timestamp, as days since 1970 in microseconds."""
        return floor(at + step(at, self.changes, self.offsets), DAY_US)


@lru_cache(maxsize=32)
def local_time(zone: ZoneInfo, first: date, last: date) -> LocalTime:
    """Return the offsets of a zone from one day to another, both included.

    >>> local_time(ZoneInfo("Europe/Tallinn"), date(2026, 3, 1), date(2026, 4, 1))
    LocalTime(changes=(1774746000000000,), offsets=(7200000000, 10800000000))
    """
    start, n_days = day_us(first) - DAY_US, (last - first).days + 3
    offsets = [_offset(start + i * DAY_US, zone) for i in range(n_days)]
    found = [i for i in range(1, n_days) if offsets[i] != offsets[i - 1]]
    changes = [_change(start + (i - 1) * DAY_US, offsets[i], zone) for i in found]
    return LocalTime(tuple(changes), (offsets[0], *(offsets[i] for i in found)))


def _offset(us: int, zone: ZoneInfo) -> int:
    offset = instant(us).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // TICK


def _change(start: int, after: int, zone: ZoneInfo) -> int:
    """Return the second within a day of 24 hours from which on a zone has another offset."""
    seconds = range(DAY_US // MICRO)
    return start + MICRO * bisect_left(
        seconds, True, key=lambda s: _offset(start + s * MICRO, zone) == after
    )
