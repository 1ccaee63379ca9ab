"""Timestamps as exports write them, until the zone of each is applied.

While a table is read, a timestamp is one integer: microseconds since 1970 of an instant, of a local
time, or of the midnight of a date. Local times and dates are moved by `LOCAL` and `DATE`, beyond
any instant. Only when all rows are read is it known which columns hold nothing but midnights, which
are dates, and which changes of the zone's offset matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from mqlkit.core.periods import YEARS
from mqlkit.core.zones import DAY_US, LocalPiece, day_us, instant, zone_offsets
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values, any_of, quote

LOCAL, DATE = 1 << 60, 1 << 61
# Far beyond any timestamp, and far from the next kind.
MARGIN = 1 << 58
FIRST, LAST = (day_us(date(year, 1, 1)) for year in YEARS)
IS_LOCAL, IS_DATE = f"> {LOCAL - MARGIN}", f"> {DATE - MARGIN}"
EPOCH_ON = date(1970, 1, 1)


def zone_of(stamp: str) -> str:
    """Return the column with the zone of a timestamp.

    It has the place of the zone in `Reader.zones`, or its complement (-1 for 0) for a date.
    """
    return f"{stamp}_zone"


def in_range(code: str) -> str:
    """Return a coded timestamp; NULL outside 1900 to 2200."""
    spans = (f"{code} BETWEEN {kind + FIRST} AND {kind + LAST}" for kind in (0, LOCAL, DATE))
    return f"CASE WHEN {any_of(spans)} THEN {code} END"


@dataclass(frozen=True)
class Piece:
    """A table of typed rows with coded timestamps, and the zone of its local times."""

    table: str
    zone: str


@dataclass(frozen=True)
class _Span:
    """The first and last local time of a column, and its number of values with a time of day."""

    first: int | None
    last: int | None
    n_timed: int


def settle(reader: Reader, pieces: Sequence[Piece], stamps: Sequence[str]) -> tuple[str, int]:
    """Unite tables, with the zones of their timestamps applied.

    Parameters
    ----------
    reader, pieces
        The engine, and tables with the same columns.
    stamps
        The columns with coded timestamps.

    Returns
    -------
    str
        Name of a table in which they are naive UTC, each with its `zone_of`. A date is the midnight
        of the report's zone, so that it is in the bucket that holds it.
    int
        Number of local times that occur twice or never.
    """
    if not stamps:
        tables = [f"SELECT * FROM {piece.table}" for piece in pieces]  # noqa: S608
        return reader.create(" UNION ALL ".join(tables), Values()), 0
    spans = [_spans(reader, piece.table, stamps) for piece in pieces]
    # A column in which no value has a time of day holds dates.
    dated = {s for s in stamps if not any(span[s].n_timed for span in spans)}
    queries, n_ambiguous = [], 0
    for piece, span in zip(pieces, spans, strict=True):
        zones = [_offsets(zone, span) for zone in (piece.zone, reader.day_zone)]
        number = reader.zone_number(piece.zone)
        columns = [
            column
            for s in stamps
            for column in settled(s, number, *zones, is_date=IS_LOCAL if s in dated else IS_DATE)
        ]
        old = ", ".join(map(quote, stamps))
        queries.append(f"SELECT * EXCLUDE ({old}), {', '.join(columns)} FROM {piece.table}")  # noqa: S608
        timed = [s for s in stamps if s not in dated]
        n_ambiguous += _count_ambiguous(reader, piece.table, timed, zones[0])
    return reader.create(" UNION ALL ".join(queries), Values()), n_ambiguous


def _local(code: str) -> str:
    """Return the local time, or the midnight, of a code."""
    return f"({code} - CASE WHEN {code} {IS_DATE} THEN {DATE} ELSE {LOCAL} END)"


def local_timestamp(code: str, zone: str) -> str:
    """Return a coded timestamp as local time; NULL for a date."""
    at = f"timezone({zone}, timezone('UTC', make_timestamp({code})))"
    return (
        f"CASE WHEN {code} {IS_DATE} THEN NULL "
        f"WHEN {code} {IS_LOCAL} THEN make_timestamp({code} - {LOCAL}) ELSE {at} END"
    )


def _spans(reader: Reader, table: str, stamps: Sequence[str]) -> dict[str, _Span]:
    parts = []
    for s in map(quote, stamps):
        parts += [f"{f}({_local(s)}) FILTER ({s} {IS_LOCAL})" for f in ("min", "max")]
        has_time = f"NOT {s} {IS_LOCAL} OR {_local(s)} % {DAY_US} <> 0"
        parts.append(f"count(*) FILTER ({has_time})")
    ((*row,),) = reader.rows(f"SELECT {', '.join(parts)} FROM {table}", Values())  # noqa: S608
    return {s: _Span(*row[3 * i : 3 * i + 3]) for i, s in enumerate(stamps)}


def _offsets(zone: str, spans: dict[str, _Span]) -> tuple[LocalPiece, ...]:
    known = [us for span in spans.values() for us in (span.first, span.last) if us is not None]
    days = [instant(us).date() for us in known] or [EPOCH_ON]
    return local_offsets(zone, min(days), max(days))


@lru_cache(maxsize=32)
def local_offsets(zone: str, first: date, last: date) -> tuple[LocalPiece, ...]:
    """Return the offsets of a zone by local time, from one day to another."""
    return tuple(zone_offsets(ZoneInfo(zone), first, last).local_pieces())


def settled(
    stamp: str,
    number: int,
    own: Sequence[LocalPiece],
    days: Sequence[LocalPiece],
    *,
    is_date: str,
) -> tuple[str, str]:
    """Return the columns with a timestamp, from its code, and its `zone_of`.

    Parameters
    ----------
    stamp
        The column with the code.
    number
        Place of the zone of local times in `Reader.zones`.
    own, days
        Offsets of that zone, and of the zone of the report.
    is_date
        The comparison that tells that a code is a date.
    """
    code = quote(stamp)
    day = _local(code) if is_date == IS_LOCAL else f"({code} - {DATE})"
    local = f"({code} - {LOCAL})"
    at = (
        f"CASE WHEN {code} {is_date} THEN {day} - {_offset_at(day, days)} "
        f"WHEN {code} {IS_LOCAL} THEN {local} - {_offset_at(local, own)} ELSE {code} END"
    )
    zone = f"CASE WHEN {code} {is_date} THEN {~number} WHEN {code} IS NOT NULL THEN {number} END"
    return f"make_timestamp({at}) AS {code}", f"CAST({zone} AS TINYINT) AS {quote(zone_of(stamp))}"


def _count_ambiguous(
    reader: Reader, table: str, stamps: Sequence[str], offsets: Sequence[LocalPiece]
) -> int:
    if not stamps or not any(piece.is_ambiguous for piece in offsets):
        return 0
    n = n_ambiguous(map(quote, stamps), offsets)
    ((total,),) = reader.rows(f"SELECT sum({n}) FROM {table}", Values())  # noqa: S608
    return int(total or 0)


def n_ambiguous(codes: Iterable[str], offsets: Sequence[LocalPiece]) -> str:
    """Return the number of local times of a row that occur twice or never."""
    if not any(piece.is_ambiguous for piece in offsets):
        return "0"
    places = [(piece.start, str(int(piece.is_ambiguous))) for piece in offsets]
    found = []
    for code in codes:
        is_time = f"{code} BETWEEN {LOCAL - MARGIN} AND {LOCAL + MARGIN}"
        found.append(f"CASE WHEN {is_time} THEN {_place(f'({code} - {LOCAL})', places)} ELSE 0 END")
    return " + ".join(found) or "0"


def _offset_at(local: str, offsets: Sequence[LocalPiece]) -> str:
    """Return the offset of a zone at a local time, both in microseconds."""
    return _place(local, [(piece.start, str(piece.offset)) for piece in offsets])


def _place(value: str, places: Sequence[tuple[int | None, str]]) -> str:
    """Return what a value belongs to, by where each place starts; the first has no start."""
    if len({place for _, place in places}) == 1:
        return places[0][1]
    middle = len(places) // 2
    below, above = _place(value, places[:middle]), _place(value, places[middle:])
    return f"CASE WHEN {value} < {places[middle][0]} THEN {below} ELSE {above} END"
