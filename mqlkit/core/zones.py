"""Instants as integers, and the offsets of time zones from UTC as tables of edges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MICRO = 1_000_000
DAY_US = 24 * 3_600 * MICRO
EPOCH, TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a timestamp (aware, or naive UTC) in microseconds since 1970.

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


@dataclass(frozen=True)
class LocalPiece:
    """A range of local times with one offset.

    Attributes
    ----------
    start
        First local time, in microseconds; None for the first piece.
    offset
        Offset from UTC, in microseconds.
    is_ambiguous
        Whether these local times occur twice, or never.
    """

    start: int | None
    offset: int
    is_ambiguous: bool


@dataclass(frozen=True)
class ZoneOffsets:
    """The offsets of a time zone from UTC.

    Attributes
    ----------
    changes
        When the offset changes, in microseconds since 1970 in UTC.
    offsets
        Offset before the first change, and from each change on, in microseconds.
    """

    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    def local_pieces(self) -> Iterator[LocalPiece]:
        """Yield the offsets by local time.

        A local time that occurs twice is the first of the two. One that does not exist is moved
        forward by the gap. Both have the offset before the change (fold 0 of PEP 495).

        Examples
        --------
        >>> fall = zone_offsets(ZoneInfo("Europe/Tallinn"), date(2026, 10, 1), date(2026, 11, 1))
        >>> for piece in fall.local_pieces():
        ...     print(piece.start and instant(piece.start).time(), piece.offset, piece.is_ambiguous)
        None 10800000000 False
        03:00:00 10800000000 True
        04:00:00 7200000000 False
        """
        yield LocalPiece(None, self.offsets[0], is_ambiguous=False)
        for at, before, after in zip(self.changes, self.offsets, self.offsets[1:], strict=False):
            yield LocalPiece(at + min(before, after), before, is_ambiguous=True)
            yield LocalPiece(at + max(before, after), after, is_ambiguous=False)


@lru_cache(maxsize=32)
def zone_offsets(zone: ZoneInfo, first: date, last: date) -> ZoneOffsets:
    """Return the offsets of a zone from one day to another, both included.

    >>> zone_offsets(ZoneInfo("Europe/Tallinn"), date(2026, 3, 1), date(2026, 4, 1))
    ZoneOffsets(changes=(1774746000000000,), offsets=(7200000000, 10800000000))
    """
    start, n_days = day_us(first) - DAY_US, (last - first).days + 3
    offsets = [_offset(start + i * DAY_US, zone) for i in range(n_days)]
    found = [i for i in range(1, n_days) if offsets[i] != offsets[i - 1]]
    changes = [_change(start + (i - 1) * DAY_US, offsets[i], zone) for i in found]
    return ZoneOffsets(tuple(changes), (offsets[0], *(offsets[i] for i in found)))


def _offset(us: int, zone: ZoneInfo) -> int:
    offset = instant(us).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // TICK


def _change(start: int, after: int, zone: ZoneInfo) -> int:
    """Return the second within a day of 24 hours from which on a zone has another offset."""
    seconds = range(DAY_US // MICRO)
    return start + MICRO * bisect_left(
        seconds, True, key=lambda s: _offset(start + s * MICRO, zone) == after
    )
