"""Working time between two instants, or two dates, for every lead at once.

Working time since the start of the calendar is a piecewise linear function of time.
`add_work_clock` evaluates it at each timestamp, so that working time between two timestamps is a
difference; `add_due_at` evaluates its inverse. The piece that a lead needs comes from one hash join
with a small table. Timestamps and durations are integers; see `leads.integers`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from itertools import accumulate, chain
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.errors import ParamsError, listed, report
from mqlkit.core.work_week import WorkWeek
from mqlkit.leads.integers import TICK, day_us, micros

DAY = timedelta(days=1)
PIECE_US = 1 << 35  # 9.5 hours: shorter than most nights, so it meets few windows
Piece = tuple[int, list[tuple[int, int]]]  # base, and two numbers for each breakpoint


@dataclass(frozen=True, eq=False)
class WorkCalendar:
    """The `working_hours` from ``first`` to ``last``, and that range as instants."""

    week: WorkWeek
    first: date
    last: date
    starts_at: datetime
    ends_at: datetime
    hours: pd.DataFrame

    def breakpoints(self) -> tuple[list[int], list[int], list[int]]:
        """Return opening and closing times, and cumulative working time, all since the start."""
        opens = ((self.hours["opens_at"] - self.starts_at) // TICK).tolist()
        closes = ((self.hours["closes_at"] - self.starts_at) // TICK).tolist()
        worked = self.hours["worked_before"].tolist()
        return opens, closes, [*worked, worked[-1] + closes[-1] - opens[-1] if worked else 0]


def working_hours(
    week: WorkWeek, *, zone: ZoneInfo, holidays: str | None, first: date, last: date
) -> pd.DataFrame:
    """Return the working hours of a team, one row per window.

    The team works while local time is within the hours. An hour that a daylight-saving change
    skips is not worked and one that it repeats is worked twice; hours that begin or end in a
    repeated hour do so at its first occurrence. A night shift belongs to the day on which it
    begins, and is not worked if that day is a holiday.

    Parameters
    ----------
    week, zone
        Hours and time zone of the team.
    holidays
        Country of the ``holidays`` package, with or without subdivision (``EE``, ``US-CA``); None
        for none. Days off in lieu count; half holidays and moved working days do not.
    first, last
        Local dates on which windows begin, both included.

    Returns
    -------
    pandas.DataFrame
        ``day`` (local date), ``opens_at``, ``closes_at`` (instants), ``worked_before`` (int64,
        microseconds worked in the rows above).

    Examples
    --------
    >>> from mqlkit.core.work_week import parse_work_week
    >>> working_hours(parse_work_week("Mon-Fri 09:00-17:00"), zone=ZoneInfo("Europe/Tallinn"),
    ...               holidays="EE", first=date(2026, 12, 23), last=date(2026, 12, 28))
             day            opens_at           closes_at  worked_before
    0 2026-12-23 2026-12-23 07:00:00 2026-12-23 15:00:00              0
    1 2026-12-28 2026-12-28 07:00:00 2026-12-28 15:00:00    28800000000
    """
    off = _days_off(holidays, range(first.year, last.year + 1)) if holidays else ()
    rows = [
        (day, *(_first_shown(day, minute, zone) for minute in window))
        for day in pd.date_range(first, last).date
        if day not in off
        for window in week.windows[day.weekday()]
    ]
    # A change can take all hours of a day (Samoa had no 30 December 2011 at all).
    rows = [row for row in rows if row[1] < row[2]]
    worked = accumulate(((closes - opens) // TICK for _, opens, closes in rows), initial=0)
    frame = pd.DataFrame(rows, columns=["day", "opens_at", "closes_at"]).astype("datetime64[us]")
    return frame.assign(worked_before=list(worked)[:-1]).astype({"worked_before": "int64"})


def _days_off(code: str, years: range) -> set[date]:
    # Imported here so that reports on the calendar clock do not load the package.
    from holidays import country_holidays, list_supported_countries
    from holidays.registry import COUNTRIES

    countries = list_supported_countries(include_aliases=True).items()
    codes = [(country, part) for country, parts in countries for part in (None, *parts)]
    known = {"-".join(filter(None, pair)).upper(): pair for pair in codes}
    if code.upper() not in known:
        names = {name.upper(): alpha2 for name, alpha2, *_ in COUNTRIES.values()}
        alike = [other for other in (*known, *names) if ("-" in other) == ("-" in code)]
        close = get_close_matches(code.upper(), alike, n=3, cutoff=0)
        expected = "a country of the holidays package, with or without subdivision, or null"
        fix = f"the nearest codes are {listed([names.get(name, name) for name in close])}"
        raise ParamsError(report(f"holidays: {code!r} is unknown.", expected=expected, fix=fix))
    return set(country_holidays(*known[code.upper()], years=years))


def _first_shown(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the first instant (naive) at which the local clock has reached a minute of a day."""
    local = datetime.combine(day, time.min) + timedelta(minutes=minute)
    late, early = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # Only a skipped time has fold 0 after fold 1, with the change in between (PEP 495).
    # pandas' nonexistent="shift_forward" is an hour late in zones west of Greenwich.
    while late - early > TICK:
        middle = early + (late - early) // 2
        reached = middle.astimezone(zone).replace(tzinfo=None) >= local
        early, late = (early, middle) if reached else (middle, late)
    return late.replace(tzinfo=None)


def work_calendar(
    week: WorkWeek, *, zone: ZoneInfo, holidays: str | None, first: date, last: date, sla_us: int
) -> WorkCalendar:
    """Return the calendar for the clocks, which are null outside of it.

    ``first`` and ``last`` are the local dates of the first and the last timestamp. The calendar
    extends beyond ``last`` by the SLA, ``sla_us``, so that each timestamp has a due time.
    """
    # The night shift of the day before can still be at work on the first day.
    first -= DAY if week.has_night_shift else 0 * DAY
    # Twice the weeks needed, to allow for holidays.
    end = last + timedelta(days=60, weeks=2 * sla_us // week.week_us)
    hours = working_hours(week, zone=zone, holidays=holidays, first=first, last=end)
    starts_at, ends_at = (_first_shown(day, 0, zone) for day in (first, end + DAY))
    calendar = WorkCalendar(week, first, end, starts_at, ends_at, hours)
    *_, worked = calendar.breakpoints()
    later = hours["day"] > pd.Timestamp(last)
    if worked[-1] - worked[int((~later).sum())] < sla_us:
        found = f"{hours['day'][later].nunique()} working days from {last + DAY} to {end}"
        raise ParamsError(report("work_week and holidays leave no time for the SLA.", found=found))
    return calendar


def add_work_clock(table: ir.Table, *, column: str, name: str, calendar: WorkCalendar) -> ir.Table:
    """Return the table with ``name``: the microseconds worked from the calendar's start.

    The difference of two such columns is the working time between their timestamps. Null where the
    timestamp in ``column`` is null or outside ``starts_at`` to ``ends_at``, both included.

    Examples
    --------
    >>> from mqlkit.core.work_week import parse_work_week
    >>> from mqlkit.leads.integers import HOUR_US
    >>> week = parse_work_week("Mon-Fri 09:00-17:00")
    >>> calendar = work_calendar(week, zone=ZoneInfo("UTC"), holidays=None, sla_us=0,
    ...                          first=date(2026, 1, 9), last=date(2026, 1, 12))
    >>> friday = micros(datetime(2026, 1, 9))
    >>> stamps = [friday + hours * HOUR_US for hours in (16, 35, 88)]
    >>> leads = ibis.memtable([{"mql_at": s} for s in stamps], schema={"mql_at": "int64"})
    >>> clocked = add_work_clock(leads, column="mql_at", name="clock", calendar=calendar)
    >>> (clocked.clock / 3_600_000_000).execute().tolist()
    [7.0, 8.0, 15.0]
    """
    _need_integers(table, column)
    opens, closes, worked = calendar.breakpoints()
    end_us = (calendar.ends_at - calendar.starts_at) // TICK
    pieces: list[Piece] = []
    for begin in range(0, end_us + 1, PIECE_US):
        days = slice(bisect_right(closes, begin), bisect_left(opens, begin + PIECE_US))
        base = worked[days.start] - sum(opens[days])
        pieces.append((base, list(zip(opens[days], closes[days], strict=True))))
    at_us = table[column] - micros(calendar.starts_at)
    joined, at, clock, pairs = _find_piece(table, at_us, PIECE_US, end_us, pieces)
    clock += sum(_clipped(at, opening, closing) for opening, closing in pairs)
    return _keep(table, joined, name, clock)


def add_due_at(table: ir.Table, *, clock: str, name: str, calendar: WorkCalendar) -> ir.Table:
    """Return the table with ``name``: the instant at which the work clock shows a time.

    ``clock`` is a column from `add_work_clock` with an SLA added to it. An SLA that ends with a
    window of working hours ends at its closing time, not at the next opening. Null where the clock
    is null or the calendar too short.
    """
    opens, _, worked = calendar.breakpoints()
    offsets = [opening - before for opening, before in zip(opens, worked, strict=False)] or [0]
    length = 1 << calendar.week.day_us.bit_length() - 1
    pieces: list[Piece] = []
    for begin in range(0, worked[-1] + 1, length):
        low = max(bisect_left(worked, begin) - 1, 0)
        later = range(low + 1, bisect_left(worked, begin + length, hi=len(offsets)))
        pieces.append((offsets[low], [(worked[k], offsets[k] - offsets[k - 1]) for k in later]))
    joined, at, offset, pairs = _find_piece(table, table[clock], length, worked[-1], pieces)
    offset += sum((at > before).ifelse(gap, 0) for before, gap in pairs)
    return _keep(table, joined, name, at + offset + micros(calendar.starts_at))


def add_day_clock(table: ir.Table, *, column: str, name: str, calendar: WorkCalendar) -> ir.Table:
    """Return the table with ``name``: working days up to and including a date, as microseconds.

    For day precision: the difference of two is the working days in (d1, d2] times ``week.day_us``,
    the longest one, whatever the length of each.
    ``column`` is a local day, as `LocalTime.day` returns it. Null where it is null or outside
    ``first`` to ``last``.
    """
    _need_integers(table, column)
    every = pd.date_range(calendar.first, calendar.last)
    worked = every.isin(calendar.hours["day"]).cumsum() * calendar.week.day_us
    rows = [(day_us(day), us) for day, us in zip(every.date, worked.tolist(), strict=True)]
    small = ibis.memtable(rows, schema={"_mqlkit_on": "int64", "_mqlkit_clock": "int64"})
    joined = table.left_join(small, table[column] == small["_mqlkit_on"])
    return _keep(table, joined, name, joined["_mqlkit_clock"])


def add_closing_at(table: ir.Table, *, clock: str, name: str, calendar: WorkCalendar) -> ir.Table:
    """Return the table with ``name``: the end of the working day at which the clock shows a time.

    ``clock`` is a column from `add_day_clock` with whole working days added to it. Null where the
    clock is null, no working day has come yet or the calendar is too short.
    """
    closes = calendar.hours.groupby("day")["closes_at"].max()
    ends = ((closes - calendar.starts_at) // TICK + micros(calendar.starts_at)).tolist()
    rows = [(n * calendar.week.day_us, end) for n, end in enumerate(ends, start=1)]
    small = ibis.memtable(rows, schema={"_mqlkit_clock": "int64", "_mqlkit_end": "int64"})
    joined = table.left_join(small, table[clock] == small["_mqlkit_clock"])
    return _keep(table, joined, name, joined["_mqlkit_end"])


def _need_integers(table: ir.Table, column: str) -> None:
    if not (kind := table[column].type()).is_integer():
        raise TypeError(f"{column} must be in whole microseconds since 1970, not {kind}")


def _clipped(at: ir.IntegerValue, least: ir.IntegerValue, most: ir.IntegerValue) -> ir.IntegerValue:
    return (at < least).ifelse(least, (at > most).ifelse(most, at))


def _keep(table: ir.Table, joined: ir.Table, name: str, value: ir.Value) -> ir.Table:
    return joined.select(*(c for c in table.columns if c != name), value.name(name))


def _find_piece(
    table: ir.Table, at: ir.IntegerValue, length: int, end: int, pieces: list[Piece]
) -> tuple[ir.Table, ir.Value, ir.Value, list[tuple[ir.Value, ir.Value]]]:
    """Return the table joined with the piece of ``at``: at, base, pairs, null outside 0..end.

    ``length`` is that of a piece, in the unit of ``at``.
    """
    breakpoints = max(len(pairs) for _, pairs in pieces)
    names = [f"_mqlkit_{part}" for part in ("key", "base", *range(2 * breakpoints))]
    # Pad with pairs of zeros, which add nothing to either clock.
    padded = [(base, pairs + [(0, 0)] * (breakpoints - len(pairs))) for base, pairs in pieces]
    rows = [(i * length, base, *chain(*pairs)) for i, (base, pairs) in enumerate(padded)]
    small = ibis.memtable(rows, schema=dict.fromkeys(names, "int64"))
    inside = at.between(0, end).ifelse(at - at % length, ibis.null("int64"))
    # Separate columns: Ibis 12 cannot join on an expression over a previous join.
    left = table.mutate(_mqlkit_at=at, _mqlkit_piece=inside)
    joined = left.left_join(small, left["_mqlkit_piece"] == small["_mqlkit_key"])
    at, base, *numbers = (joined[name] for name in ("_mqlkit_at", *names[1:]))
    return joined, at, base, list(zip(numbers[::2], numbers[1::2], strict=True))
