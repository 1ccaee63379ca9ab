"""Working time against tables worked by hand, and against a clock that steps minute by minute."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlkit.core.errors import ParamsError
from mqlkit.core.work_week import WorkWeek, parse_work_week
from mqlkit.leads.business_hours import (
    PIECE_US,
    WorkCalendar,
    add_day_clock,
    add_due_at,
    add_work_clock,
    work_calendar,
    working_hours,
)
from mqlkit.leads.integers import instant, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Stamps = Sequence[str | datetime | None]
    Span = tuple[date, date]
    # Zone, span, weekdays, windows in minutes, stamps after the start, SLA.
    Case = tuple[str, Span, tuple[int, ...], list[tuple[int, int]], list[timedelta], int]

US = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR_US = 3_600_000_000
OFFICE = "Mon-Fri 09:00-17:00"
TALLINN, NEW_YORK = "Europe/Tallinn", "America/New_York"


def calendar_of(
    text: str, zone: str, first: str, last: str, *, holidays: str | None = None, sla_us: int = 0
) -> WorkCalendar:
    return work_calendar(
        parse_work_week(text),
        zone=ZoneInfo(zone),
        holidays=holidays,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        sla_us=sla_us,
    )


def lead_table(**columns: Stamps) -> Any:
    """Return a table of naive UTC stamps (datetimes, ISO text or None), in the order given."""
    stamps = {
        name: [
            None if pd.isna(at) else micros(at.to_pydatetime()) for at in map(pd.Timestamp, values)
        ]
        for name, values in columns.items()
    }
    size = len(next(iter(stamps.values())))
    table = pa.table(
        {"n": range(size), **stamps}, schema=pa.schema([(c, pa.int64()) for c in ("n", *stamps)])
    )
    return ibis.memtable(table)


def column_of(table: Any, name: str) -> list[Any]:
    return list(table.order_by("n").select(name).to_pyarrow()[name].to_pylist())


def clocks(stamps: Stamps, calendar: WorkCalendar) -> list[Any]:
    table = lead_table(at=stamps)
    return column_of(add_work_clock(table, column="at", name="clock", calendar=calendar), "clock")


def dues(stamps: Stamps, calendar: WorkCalendar, sla_us: int) -> list[Any]:
    table = add_work_clock(lead_table(at=stamps), column="at", name="clock", calendar=calendar)
    table = table.mutate(clock=table["clock"] + sla_us)
    due = add_due_at(table, clock="clock", name="due", calendar=calendar)
    return [us if us is None else instant(us).replace(tzinfo=None) for us in column_of(due, "due")]


def hours_between(pairs: list[tuple[str, str]], calendar: WorkCalendar) -> list[float]:
    starts, ends = (clocks(stamps, calendar) for stamps in zip(*pairs, strict=True))
    return [(end - start) / HOUR_US for start, end in zip(starts, ends, strict=True)]


def week_of(windows: dict[str, str]) -> WorkWeek:
    """Return a work week from weekdays and hours; an hour from 24 on is of the day after."""
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    found: list[tuple[tuple[int, int], ...]] = [()] * 7
    for days, hours in windows.items():
        spans = [[60 * int(t[:2]) + int(t[3:]) for t in span.split("-")] for span in hours.split()]
        for day in days.split():
            found[names.index(day)] = tuple((begin, end) for begin, end in spans)
    return WorkWeek(tuple(found))


# --- The work week as users write it


@pytest.mark.parametrize(
    ("text", "windows", "day", "week"),
    [
        ("Mon-Fri 09:00-17:00", {"Mon Tue Wed Thu Fri": "09:00-17:00"}, 8, 40),
        ("Sun-Thu 08:30-16:30", {"Sun Mon Tue Wed Thu": "08:30-16:30"}, 8, 40),
        ("Mon,Tue,Thu 10:00-14:00", {"Mon Tue Thu": "10:00-14:00"}, 4, 12),
        ("Mon-Fri 00:00-24:00", {"Mon Tue Wed Thu Fri": "00:00-24:00"}, 24, 120),
        ("Mon-Fri 16:00-24:00", {"Mon Tue Wed Thu Fri": "16:00-24:00"}, 8, 40),
        ("Mon-Wed, Fri 9:00 - 17:15", {"Mon Tue Wed Fri": "09:00-17:15"}, 8.25, 33),
        ("  monday–FRIDAY 09:00–17:00\n", {"Mon Tue Wed Thu Fri": "09:00-17:00"}, 8, 40),
        ("Sat 10:00-10:01", {"Sat": "10:00-10:01"}, 1 / 60, 1 / 60),
        ("Fri-Fri,Fri 09:00-17:00", {"Fri": "09:00-17:00"}, 8, 8),
        # Several windows a day: in any order, with or without a comma, in one group or in two.
        (
            "Mon-Fri 09:00-12:30 13:30-18:00, Sat 10:00-14:00",
            {"Mon Tue Wed Thu Fri": "09:00-12:30 13:30-18:00", "Sat": "10:00-14:00"}, 8, 44,
        ),
        ("Mon 13:00-17:00, 9:00-12:00", {"Mon": "09:00-12:00 13:00-17:00"}, 7, 7),
        ("Mon 9:00-12:00; Mon,Tue 13:00-17:00",
         {"Mon": "09:00-12:00 13:00-17:00", "Tue": "13:00-17:00"}, 7, 11),
        # Shifts that meet do not overlap.
        ("Mon 09:00-13:00 13:00-17:00", {"Mon": "09:00-13:00 13:00-17:00"}, 8, 8),
        # Night shifts end on the day after, also from Sunday to Monday.
        ("Fri-Sun 22:00-06:00", {"Fri Sat Sun": "22:00-30:00"}, 8, 24),
        ("Sun 20:00-00:00, Mon 00:00-02:00", {"Sun": "20:00-24:00", "Mon": "00:00-02:00"}, 4, 6),
        ("Sun 22:00-06:00, Mon 06:00-07:00", {"Sun": "22:00-30:00", "Mon": "06:00-07:00"}, 8, 9),
    ],
)  # fmt: skip
def test_work_week_is_read(text: str, windows: dict[str, str], day: float, week: float) -> None:
    found = parse_work_week(text)
    assert found == week_of(windows)
    assert (found.day_us, found.week_us) == (day * HOUR_US, week * HOUR_US)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("Mon-Fri", "'Mon-Fri' without hours after it"),
        ("09:00-17:00", "'09:00-17:00' without weekdays before it"),
        ("Mon-Fri 9-17", "'9-17', which is neither weekdays nor hours from 00:00 to 24:00"),
        (
            "Mon-Fri 09:00-24:01",
            "'09:00-24:01', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        (
            "Mon-Fri 09:60-17:00",
            "'09:60-17:00', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        (
            "Mon-Fri 09:00-17:00 CET",
            "'CET', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        ("Mon-Fri 22:00", "'22:00', which is neither weekdays nor hours from 00:00 to 24:00"),
        (
            "Mon-Fri 09:00-12:30 13:30",
            "'13:30', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        ("Mon-Fri 09:00-17:00, Sat", "'Sat' without hours after it"),
        ("Mon-Fri 9-25", "'9-25', which is neither weekdays nor hours from 00:00 to 24:00"),
        (
            "Mon-Fri 09:00 - 17:00 18 - 25",
            "'18-25', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        (
            "Mon-Fri9:00-25:00",
            "'Mon-Fri9:00-25:00', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        (
            "Mon-Fry 09:00-17:00 9am-5pm",
            "'Mon-Fry', which is neither weekdays nor hours from 00:00 to 24:00",
        ),
        ("Mon-Fri 09:00-17:00,", "no weekdays followed by hours from 00:00 to 24:00"),
        ("Mon-Fri 00:00-00:00", "hours that begin at 00:00 and end at 00:00"),
        # Which of the two holds is not for the reader to guess.
        ("Mon-Fri 09:00-17:00, Fri 09:00-15:00", "hours of Friday that overlap with earlier ones"),
        ("Mon 09:00-13:00 12:59-17:00", "hours of Monday that overlap with earlier ones"),
        ("Mon 22:00-06:00, Tue 05:00-13:00", "hours of Tuesday that overlap with earlier ones"),
        ("Sun 22:00-06:00, Mon 05:00-13:00", "hours of Monday that overlap with earlier ones"),
        ("Mon-Fri 9:00-09:00", "hours that begin at 9:00 and end at 09:00"),
        ("Mon-Fri 24:00-08:00", "hours that begin at 24:00 and end at 08:00"),
        ("Mo-Fr 09:00-17:00", "'mo-fr', which is neither a weekday nor a range of them"),
        ("Mon,,Tue 09:00-17:00", "'', which is neither a weekday nor a range of them"),
        (
            "Mon-Wed-Fri 09:00-17:00",
            "'mon-wed-fri', which is neither a weekday nor a range of them",
        ),
        ("Mon Tue 09:00-17:00", "'montue', which is neither a weekday nor a range of them"),
    ],
)
def test_a_bad_work_week_says_what_was_found_and_what_is_expected(text: str, found: str) -> None:
    with pytest.raises(ParamsError) as raised:
        parse_work_week(text)
    assert str(raised.value) == (
        f"work_week: {text!r} cannot be read.\n"
        "  Expected: weekdays and hours, such as 'Mon-Fri 09:00-12:30 13:30-18:00, "
        "Sat 10:00-14:00' or 'Mon,Tue,Thu 22:00-06:00'\n"
        f"  Found:    {found}"
    )


# --- The table of working days


def days_of(
    text: str, zone: str, first: str, last: str, holidays: str | None = None
) -> list[tuple[str, str, str, float]]:
    frame = working_hours(
        parse_work_week(text),
        zone=ZoneInfo(zone),
        holidays=holidays,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
    )
    return [
        (
            f"{row.day:%m-%d}",
            f"{row.opens_at:%d %H:%M}",
            f"{row.closes_at:%d %H:%M}",
            row[4] / HOUR_US,
        )
        for row in frame.itertuples()
    ]


@pytest.mark.parametrize(
    ("text", "zone", "first", "last", "rows"),
    [
        # The Baltic clock goes forward on Sunday 29 March: the office opens an hour earlier in UTC.
        (
            OFFICE, TALLINN, "2026-03-27", "2026-03-30",
            [("03-27", "27 07:00", "27 15:00", 0), ("03-30", "30 06:00", "30 14:00", 8)],
        ),
        # Working Sundays around the clock: the day of the change has 23 hours, in autumn 25.
        (
            "Sat-Mon 00:00-24:00", TALLINN, "2026-03-28", "2026-03-30",
            [
                ("03-28", "27 22:00", "28 22:00", 0),
                ("03-29", "28 22:00", "29 21:00", 24),
                ("03-30", "29 21:00", "30 21:00", 47),
            ],
        ),
        (
            "Sat-Mon 00:00-24:00", NEW_YORK, "2026-10-31", "2026-11-02",
            [
                ("10-31", "31 04:00", "01 04:00", 0),
                ("11-01", "01 04:00", "02 05:00", 24),
                ("11-02", "02 05:00", "03 05:00", 49),
            ],
        ),
        # New York skips 02:00 to 03:00 on 8 March: hours from 02:30 begin as the clock shows 03:00.
        (
            "Sun 02:30-06:00", NEW_YORK, "2026-03-08", "2026-03-08",
            [("03-08", "08 07:00", "08 10:00", 0)],
        ),
        # Hours inside the skipped hour do not take place; the next Sunday's do.
        (
            "Sun 02:10-02:50", NEW_YORK, "2026-03-08", "2026-03-15",
            [("03-15", "15 06:10", "15 06:50", 0)],
        ),
        # It repeats 01:00 to 02:00 on 1 November: 01:30 is the first one.
        (
            "Sun 01:30-06:00", NEW_YORK, "2026-11-01", "2026-11-01",
            [("11-01", "01 05:30", "01 11:00", 0)],
        ),
        (
            "Sun 00:00-01:30", NEW_YORK, "2026-11-01", "2026-11-01",
            [("11-01", "01 04:00", "01 05:30", 0)],
        ),
        # Cairo's midnight of 24 April does not exist, Havana's of 1 November comes twice.
        (
            "Thu-Fri 00:00-24:00", "Africa/Cairo", "2026-04-23", "2026-04-24",
            [("04-23", "22 22:00", "23 22:00", 0), ("04-24", "23 22:00", "24 21:00", 24)],
        ),
        (
            "Sat-Sun 00:00-24:00", "America/Havana", "2026-10-31", "2026-11-01",
            [("10-31", "31 04:00", "01 04:00", 0), ("11-01", "01 04:00", "02 05:00", 24)],
        ),
        # Samoa went over the date line: no Friday 30 December 2011.
        (
            OFFICE, "Pacific/Apia", "2011-12-29", "2012-01-02",
            [("12-29", "29 19:00", "30 03:00", 0), ("01-02", "01 19:00", "02 03:00", 8)],
        ),
        ("Sat 09:00-17:00", "UTC", "2026-01-05", "2026-01-09", []),
        # A row per window; Saturday has its own.
        (
            "Mon-Fri 09:00-12:30 13:30-18:00, Sat 10:00-14:00", "UTC", "2026-01-09", "2026-01-11",
            [
                ("01-09", "09 09:00", "09 12:30", 0),
                ("01-09", "09 13:30", "09 18:00", 3.5),
                ("01-10", "10 10:00", "10 14:00", 8),
            ],
        ),
        # The night in which New York skips 02:00 to 03:00, and the one in which it repeats an hour.
        (
            "Sat 22:00-06:00", NEW_YORK, "2026-03-07", "2026-03-07",
            [("03-07", "08 03:00", "08 10:00", 0)],
        ),
        (
            "Sat 22:00-06:00", NEW_YORK, "2026-10-31", "2026-10-31",
            [("10-31", "01 02:00", "01 11:00", 0)],
        ),
    ],
)  # fmt: skip
def test_working_days_by_hand(
    text: str, zone: str, first: str, last: str, rows: list[tuple[str, str, str, float]]
) -> None:
    assert days_of(text, zone, first, last) == rows


def test_working_days_have_exact_types() -> None:
    for last in ("2026-01-09", "2026-01-03"):  # with rows, and without
        days = calendar_of(OFFICE, TALLINN, "2026-01-03", last).hours.iloc[:1]
        assert days.dtypes.astype(str).to_dict() == {
            "day": "datetime64[us]",
            "opens_at": "datetime64[us]",
            "closes_at": "datetime64[us]",
            "worked_before": "int64",
        }


@pytest.mark.parametrize(
    ("code", "first", "last", "expected"),
    [
        (None, "2026-12-23", "2026-12-28", ["12-23", "12-24", "12-25", "12-28"]),
        ("EE", "2026-12-23", "2026-12-28", ["12-23", "12-28"]),
        ("ee", "2026-12-23", "2026-12-28", ["12-23", "12-28"]),
        # César Chávez Day is California's alone.
        ("US", "2026-03-30", "2026-04-01", ["03-30", "03-31", "04-01"]),
        ("US-CA", "2026-03-30", "2026-04-01", ["03-30", "04-01"]),
        # 4 July 2026 is a Saturday, taken off on Friday; so is 1 January 2028, the year before.
        ("US", "2026-07-02", "2026-07-06", ["07-02", "07-06"]),
        ("US", "2027-12-30", "2027-12-31", ["12-30"]),
        ("DE-Augsburg", "2025-08-07", "2025-08-11", ["08-07", "08-11"]),
    ],
)
def test_holidays_are_not_worked(
    code: str | None, first: str, last: str, expected: list[str]
) -> None:
    assert [row[0] for row in days_of(OFFICE, "UTC", first, last, code)] == expected


def test_a_night_shift_falls_away_with_the_day_on_which_it_begins() -> None:
    # 24 to 26 December are holidays in Estonia: the shift of the 23rd is worked into the 24th, the
    # one of the 26th, which would end on Sunday, is not.
    found = days_of("Mon-Sat 22:00-06:00", "UTC", "2026-12-22", "2026-12-28", "EE")
    assert [row[:3] for row in found] == [
        ("12-22", "22 22:00", "23 06:00"),
        ("12-23", "23 22:00", "24 06:00"),
        ("12-28", "28 22:00", "29 06:00"),
    ]


@pytest.mark.parametrize(
    ("code", "nearest"),
    [
        ("Estonia", "'EE', 'TO', 'SI'"),
        ("US-CX", "'US-TX', 'US-SC', 'US-NC'"),
    ],
)
def test_an_unknown_country_names_the_nearest(code: str | None, nearest: str) -> None:
    with pytest.raises(ParamsError) as raised:
        days_of(OFFICE, "UTC", "2026-01-01", "2026-01-02", code)
    assert str(raised.value) == (
        f"holidays: {code!r} is unknown.\n"
        "  Expected: a country of the holidays package, with or without subdivision, or null\n"
        f"  Fix:      the nearest codes are {nearest}"
    )


def test_holidays_that_leave_no_room_for_the_sla_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every_day = pd.date_range("2026-01-02", "2026-12-31").date
    monkeypatch.setattr("holidays.country_holidays", lambda *args, **options: set(every_day))
    with pytest.raises(ParamsError) as raised:
        calendar_of(OFFICE, "UTC", "2026-01-01", "2026-01-05", holidays="EE", sla_us=1)
    assert str(raised.value) == (
        "work_week and holidays leave no time for the SLA.\n"
        "  Found:    0 working days from 2026-01-06 to 2026-03-06"
    )


# --- Working time between instants


def test_the_worked_case() -> None:
    """Friday 16:00 to Monday 16:00 is 8 hours of a 09:00-17:00 clock."""
    calendar = calendar_of(OFFICE, "UTC", "2026-01-09", "2026-01-12")
    assert hours_between([("2026-01-09 16:00", "2026-01-12 16:00")], calendar) == [8.0]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-01-09 09:00", "2026-01-09 17:00", 8),  # from opening to closing
        ("2026-01-09 02:00", "2026-01-09 09:00", 0),  # the night before counts nothing
        ("2026-01-09 02:00", "2026-01-09 09:30", 0.5),
        ("2026-01-09 17:00", "2026-01-12 09:00", 0),  # from closing to the next opening
        ("2026-01-09 16:59:59.999999", "2026-01-12 09:00:00.000001", 2 / HOUR_US),
        ("2026-01-10 12:00", "2026-01-11 12:00", 0),  # inside a weekend
        ("2026-01-10 12:00", "2026-01-12 12:00", 3),
        ("2026-01-09 12:00", "2026-01-09 12:00", 0),
        ("2026-01-12 16:00", "2026-01-09 16:00", -8),  # out of order stays visible
        ("2026-01-05 00:00", "2026-01-19 00:00", 80),  # two weeks
        ("2026-01-05 00:00", "2026-01-05 13:21:12.345678", 4.35342935501),
    ],
)
def test_working_time_on_utc(start: str, end: str, hours: float) -> None:
    calendar = calendar_of(OFFICE, "UTC", "2026-01-05", "2026-01-19")
    assert hours_between([(start, end)], calendar) == [pytest.approx(hours, rel=1e-9)]


@pytest.mark.parametrize(
    ("text", "zone", "start", "end", "hours"),
    [
        # Friday 16:00 in Tallinn is 14:00 UTC in winter, Monday 10:00 is 07:00 UTC in summer.
        (OFFICE, TALLINN, "2026-03-27 14:00", "2026-03-30 07:00", 2),
        # New York: Friday 16:00 is 20:00 UTC in summer, Monday 10:00 is 15:00 UTC in winter.
        (OFFICE, NEW_YORK, "2026-10-30 20:00", "2026-11-02 15:00", 2),
        # Around the clock, Sunday from midnight to midnight: 23 and 25 hours.
        ("Mon-Sun 00:00-24:00", TALLINN, "2026-03-28 22:00", "2026-03-29 21:00", 23),
        ("Mon-Sun 00:00-24:00", NEW_YORK, "2026-11-01 04:00", "2026-11-02 05:00", 25),
        # The hour that is skipped falls into the working hours of a night shift, or is repeated.
        ("Sun 00:00-06:00", NEW_YORK, "2026-03-08 00:00", "2026-03-09 00:00", 5),
        ("Sun 00:00-06:00", NEW_YORK, "2026-11-01 00:00", "2026-11-02 00:00", 7),
        # Auckland's Monday begins on Sunday in UTC: 09:00 is 20:00 UTC.
        (OFFICE, "Pacific/Auckland", "2026-01-11 19:00", "2026-01-11 21:30", 1.5),
    ],
)
def test_working_time_over_a_change_of_clocks(
    text: str, zone: str, start: str, end: str, hours: float
) -> None:
    calendar = calendar_of(text, zone, "2026-01-01", "2026-12-31")
    assert hours_between([(start, end)], calendar) == [hours]


@pytest.mark.parametrize(
    ("text", "start", "end", "hours"),
    [
        # Friday from 16:00, four hours of Saturday, Monday until 16:00.
        ("Mon-Fri 09:00-17:00, Sat 10:00-14:00", "2026-01-09 16:00", "2026-01-12 16:00", 12),
        ("Mon-Fri 09:00-17:00, Sat 10:00-14:00", "2026-01-10 12:00", "2026-01-12 17:00", 10),
        # Lunch is not worked.
        ("Mon-Fri 09:00-13:00 14:00-18:00", "2026-01-09 12:30", "2026-01-09 14:15", 0.75),
        ("Mon-Fri 09:00-13:00 14:00-18:00", "2026-01-09 13:00", "2026-01-09 14:00", 0),
        ("Mon-Fri 09:00-13:00 14:00-18:00", "2026-01-05 00:00", "2026-01-12 00:00", 40),
        # The first day of the data begins within the shift of the day before.
        ("Mon-Sun 22:00-06:00", "2026-01-05 01:00", "2026-01-05 07:00", 5),
        ("Sun 22:00-06:00", "2026-01-05 01:00", "2026-01-12 03:00", 10),
    ],
)
def test_working_time_in_several_windows(text: str, start: str, end: str, hours: float) -> None:
    calendar = calendar_of(text, "UTC", "2026-01-05", "2026-01-19")
    assert hours_between([(start, end)], calendar) == [hours]


def test_holidays_stop_the_clock() -> None:
    calendar = calendar_of(OFFICE, TALLINN, "2026-12-01", "2026-12-31", holidays="EE")
    # Wednesday 23 December 16:00 to Monday 28 December 10:00 in Tallinn.
    assert hours_between([("2026-12-23 14:00", "2026-12-28 08:00")], calendar) == [2]


def test_what_is_not_covered_is_null() -> None:
    calendar = calendar_of("Mon-Fri 09:00-21:00", NEW_YORK, "2026-01-05", "2026-01-09")
    inside = [calendar.starts_at, calendar.ends_at]
    outside = [calendar.starts_at - US, calendar.ends_at + US, None, "1969-01-01", "2150-01-01"]
    assert calendar.starts_at == datetime.fromisoformat("2026-01-05T05:00")
    assert clocks([*inside, *outside], calendar)[0] == 0
    assert clocks([*inside, *outside], calendar)[1] > 0
    assert clocks([*inside, *outside], calendar)[2:] == [None] * 5


def test_no_working_days_at_all_are_no_working_time(monkeypatch: pytest.MonkeyPatch) -> None:
    every_day = pd.date_range("2026-01-01", "2026-12-31").date
    monkeypatch.setattr("holidays.country_holidays", lambda *args, **options: set(every_day))
    calendar = calendar_of(OFFICE, "UTC", "2026-01-01", "2026-01-05", holidays="EE")
    assert clocks(["2026-01-01 12:00"], calendar) == [0]
    assert dues(["2026-01-01 12:00"], calendar, 1) == [None]


# --- Due times


@pytest.mark.parametrize(
    ("stamp", "hours", "due"),
    [
        ("2026-01-09 16:00", 8, "2026-01-12 16:00"),
        ("2026-01-09 16:00", 1, "2026-01-09 17:00"),  # at closing, not at Monday's opening
        ("2026-01-09 16:00", 1 + 1 / HOUR_US, "2026-01-12 09:00:00.000001"),
        ("2026-01-09 09:00", 8, "2026-01-09 17:00"),
        ("2026-01-09 03:00", 16, "2026-01-12 17:00"),  # two working days from the night
        ("2026-01-09 17:00", 16, "2026-01-13 17:00"),  # two working days from closing
        ("2026-01-10 12:00", 16, "2026-01-13 17:00"),  # and from the weekend
        ("2026-01-09 12:00", 40, "2026-01-16 12:00"),
        (None, 8, None),
    ],
)
def test_due_times_on_utc(stamp: str | None, hours: float, due: str | None) -> None:
    sla_us = round(hours * HOUR_US)
    calendar = calendar_of(OFFICE, "UTC", "2026-01-05", "2026-01-12", sla_us=sla_us)
    expected = [due and datetime.fromisoformat(due)]
    assert dues([stamp], calendar, sla_us) == expected


@pytest.mark.parametrize(
    ("text", "stamp", "hours", "due"),
    [
        ("Mon-Fri 09:00-13:00 14:00-18:00", "2026-01-09 12:30", 0.5, "2026-01-09 13:00"),
        ("Mon-Fri 09:00-13:00 14:00-18:00", "2026-01-09 12:30", 1, "2026-01-09 14:30"),
        # Two of the longest days, 16 hours, over a Saturday of four.
        ("Mon-Fri 09:00-17:00, Sat 10:00-14:00", "2026-01-09 16:00", 16, "2026-01-13 12:00"),
        ("Mon-Sun 22:00-06:00", "2026-01-05 01:00", 6, "2026-01-05 23:00"),
    ],
)  # fmt: skip
def test_due_times_in_several_windows(text: str, stamp: str, hours: float, due: str) -> None:
    sla_us = round(hours * HOUR_US)
    calendar = calendar_of(text, "UTC", "2026-01-05", "2026-01-12", sla_us=sla_us)
    assert dues([stamp], calendar, sla_us) == [datetime.fromisoformat(due)]


def test_every_covered_stamp_has_a_due_time() -> None:
    for sla_us in (1, 8 * HOUR_US, 4000 * HOUR_US):
        calendar = calendar_of(
            "Tue 09:00-10:00", TALLINN, "2026-01-05", "2026-01-12", sla_us=sla_us
        )
        stamps = ["2026-01-04 22:00", "2026-01-12 21:59:59.999999"]
        assert None not in dues(stamps, calendar, sla_us)


def test_a_due_time_beyond_the_calendar_is_null() -> None:
    calendar = calendar_of(OFFICE, "UTC", "2026-01-05", "2026-01-09")
    total_us = calendar.breakpoints()[2][-1]
    assert dues(["2026-01-05"], calendar, total_us) == [calendar.hours["closes_at"].iloc[-1]]
    assert dues(["2026-01-05"], calendar, total_us + 1) == [None]


# --- Day precision


def test_working_days_between_dates() -> None:
    calendar = calendar_of(OFFICE, TALLINN, "2026-12-18", "2026-12-31", holidays="EE")
    pairs = [
        ("2026-12-18", "2026-12-18", 0),
        ("2026-12-18", "2026-12-20", 0),  # the weekend
        ("2026-12-18", "2026-12-21", 1),  # Friday to Monday
        ("2026-12-19", "2026-12-21", 1),
        ("2026-12-23", "2026-12-28", 1),  # three holidays and a Sunday
        ("2026-12-28", "2026-12-23", -1),
        (None, "2026-12-28", None),
        ("2026-12-17", "2026-12-28", None),  # before the calendar
        ("2026-12-18", "2050-12-28", None),  # after it
    ]
    table = lead_table(a=[a for a, _, _ in pairs], b=[b for _, b, _ in pairs])
    for column in "ab":
        table = add_day_clock(table, column=column, name=f"{column}_clock", calendar=calendar)
    worked = column_of(table.mutate(worked=table.b_clock - table.a_clock), "worked")
    assert worked == [n if n is None else n * 8 * HOUR_US for *_, n in pairs]


# --- Tables


def test_other_columns_and_rows_stay_as_they_are() -> None:
    calendar = calendar_of(OFFICE, "UTC", "2026-01-05", "2026-01-16", sla_us=1)
    stamps = ["2026-01-09 16:00", None, "2026-01-09 16:00", "2026-01-12 16:00"]
    leads = lead_table(a=stamps, b=stamps[::-1], c=stamps).mutate(
        key=ibis.literal("x"), base=ibis.literal(1)
    )
    table = leads
    for column in "abc":
        table = add_work_clock(table, column=column, name=f"{column}_clock", calendar=calendar)
    table = add_due_at(table, clock="b_clock", name="due", calendar=calendar)
    assert table.columns == (*leads.columns, "a_clock", "b_clock", "c_clock", "due")
    schema = table.schema()
    assert [str(schema[name]) for name in table.columns[-4:]] == ["int64"] * 4
    got, before = (t.order_by("n").to_pyarrow() for t in (table, leads))
    assert got.select(before.column_names) == before
    assert got["a_clock"].to_pylist() == got["c_clock"].to_pylist()
    assert got["a_clock"].to_pylist() == got["b_clock"].to_pylist()[::-1]


def test_an_existing_column_of_the_name_is_replaced() -> None:
    calendar = calendar_of(OFFICE, "UTC", "2026-01-09", "2026-01-12")
    leads = lead_table(at=["2026-01-09 16:00"])
    table = add_work_clock(leads, column="at", name="at", calendar=calendar)
    assert table.columns == ("n", "at")
    assert column_of(table, "at") == [7 * HOUR_US]


@pytest.mark.parametrize(
    ("add", "kind", "message"),
    [
        (add_work_clock, "date", "at must be in whole microseconds since 1970, not date"),
        (
            add_work_clock,
            "timestamp('UTC')",
            "at must be in whole microseconds since 1970, not timestamp('UTC')",
        ),
        (add_day_clock, "timestamp", "at must be in whole microseconds since 1970, not timestamp"),
    ],
)
def test_columns_of_another_type_are_refused(
    add: Callable[..., Any], kind: str, message: str
) -> None:
    calendar = calendar_of(OFFICE, "UTC", "2026-01-09", "2026-01-12")
    with pytest.raises(TypeError) as raised:
        add(ibis.table({"at": kind}, name="t"), column="at", name="clock", calendar=calendar)
    assert str(raised.value) == message


# --- Against a clock that steps minute by minute

ZONES = [
    TALLINN, NEW_YORK, "UTC", "Pacific/Auckland", "Asia/Kolkata", "America/St_Johns",
    "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Pacific/Kiritimati", "Asia/Kathmandu",
]  # fmt: skip
# All of these zones' changes in 2026 lie in one of the two.
SPANS = [(date(2026, 3, 1), date(2026, 4, 30)), (date(2026, 9, 20), date(2026, 11, 8))]


def utc_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


@cache
def wall_clock(zone: str, span: Span) -> tuple[datetime, list[tuple[int, int]]]:
    """Return the first instant, and weekday and minute of the day at each minute from there."""
    first, last = (utc_of(day, zone) for day in (span[0], span[1] + timedelta(days=1)))
    local = [
        (first + k * MINUTE).astimezone(ZoneInfo(zone)) for k in range((last - first) // MINUTE)
    ]
    return first.replace(tzinfo=None), [(at.weekday(), at.hour * 60 + at.minute) for at in local]


class SteppedClock:
    """Working time by looking at the wall clock every minute; nothing shared with the package."""

    def __init__(
        self, zone: str, span: Span, weekdays: tuple[int, ...], windows: list[tuple[int, int]]
    ) -> None:
        self.start, walls = wall_clock(zone, span)
        # Each minute belongs to its own day, and to the night shift of the day before.
        self.works = [
            (day in weekdays and any(a <= minute < b for a, b in windows))
            or ((day - 1) % 7 in weekdays and any(minute + 1440 < b for _, b in windows))
            for day, minute in walls
        ]
        self.minutes = [0, *accumulate(self.works)]

    def worked_us(self, at: datetime) -> int:
        whole, rest = divmod(at - self.start, MINUTE)
        extra = rest // US if rest and self.works[whole] else 0
        return self.minutes[whole] * 60_000_000 + extra

    def due_at(self, at: datetime, sla_us: int) -> datetime:
        whole, rest = divmod(self.worked_us(at) + sla_us, 60_000_000)
        if rest:
            # The first minute that begins with so much done and is itself worked ends it.
            begin = bisect_left(self.minutes, whole + 1) - 1
            return self.start + begin * MINUTE + rest * US
        return self.start + bisect_left(self.minutes, whole) * MINUTE


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Return up to three windows; of an odd number of edges, the last one begins a night shift."""
    # From 03:00 to 23:00: what begins or ends in a repeated hour is worked by hand above.
    edges = sorted(draw(st.lists(st.integers(180, 1380), min_size=1, max_size=6, unique=True)))
    if len(edges) % 2:
        edges.append(draw(st.one_of(st.just(1440), st.integers(1440 + 180, 1440 + edges[0]))))
    return list(zip(edges[::2], edges[1::2], strict=True))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(ZONES))
    span = draw(st.sampled_from(SPANS))
    weekdays = tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1))))
    windows = draw(st.sampled_from([[(0, 1440)], None])) or draw(hours_of_a_day())
    seconds = (span[1] - span[0]).days * 86_400
    near_edges = st.builds(
        lambda day, minute, us: timedelta(days=day, minutes=minute, microseconds=us),
        st.integers(0, (span[1] - span[0]).days - 1),
        st.sampled_from([*chain(*windows), 0, 60, 120, 180]),
        st.integers(-1, 1),
    )
    anywhere = st.integers(0, seconds * 10**6).map(lambda us: us * US)
    offsets = draw(st.lists(st.one_of(anywhere, near_edges), min_size=1, max_size=40))
    sla_us = draw(
        st.one_of(
            st.integers(1, 100 * HOUR_US),
            st.integers(1, 5).map(lambda n: n * sum(b - a for a, b in windows) * 60_000_000),
        )
    )
    return zone, span, weekdays, windows, offsets, sla_us


@settings(max_examples=60, deadline=None)
@given(cases())
def test_equals_the_stepped_clock_to_the_microsecond(case: Case) -> None:
    zone, span, weekdays, windows, offsets, sla_us = case
    slow = SteppedClock(zone, span, weekdays, windows)
    calendar = work_calendar(
        WorkWeek(tuple(tuple(windows) if day in weekdays else () for day in range(7))),
        zone=ZoneInfo(zone), holidays=None, first=span[0], last=span[1], sla_us=sla_us,
    )  # fmt: skip
    # A calendar with a night shift starts a day earlier.
    assert (calendar.starts_at < slow.start) == (windows[-1][1] > 1440)
    # Local offsets turned into instants, with a second reading where the clock repeats itself.
    begin = datetime.combine(span[0], time.min)
    stamps = [
        (begin + offset).replace(tzinfo=ZoneInfo(zone), fold=n % 2).astimezone(UTC)
        for n, offset in enumerate(offsets)
    ]
    stamps = [max(at.replace(tzinfo=None), slow.start) for at in stamps]
    pieces = [calendar.starts_at + k * PIECE_US * US + (k % 3 - 1) * US for k in range(3, 100, 7)]
    stamps += [at for at in pieces if at >= slow.start]
    first, *found = clocks([slow.start, *stamps], calendar)
    assert [us - first for us in found] == [slow.worked_us(at) for at in stamps]
    # The stepped clock ends with the span, the calendar goes on.
    room = [at for at in stamps if slow.worked_us(at) + sla_us <= slow.minutes[-1] * 60_000_000]
    if room:
        assert dues(room, calendar, sla_us) == [slow.due_at(at, sla_us) for at in room]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.integers(0, 364 * 86_400 * 10**6), min_size=2))
def test_a_week_without_pause_is_calendar_time(zone: str, offsets: list[int]) -> None:
    calendar = calendar_of("Mon-Sun 00:00-24:00", zone, "2026-01-01", "2026-12-31", sla_us=HOUR_US)
    stamps = [calendar.starts_at + us * US for us in offsets]
    assert clocks(stamps, calendar) == offsets
    assert dues(stamps, calendar, HOUR_US) == [at + timedelta(hours=1) for at in stamps]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(0, 90 * 86_400 * 10**6), min_size=1),
    st.integers(1, 60 * HOUR_US),
)
def test_a_due_time_is_the_first_instant_at_which_the_sla_is_worked(
    zone: str, offsets: list[int], sla_us: int
) -> None:
    calendar = calendar_of(
        "Mon-Thu,Sat 08:45-17:15", zone, "2026-02-01", "2026-05-10", holidays="US", sla_us=sla_us
    )
    stamps = [calendar.starts_at + us * US for us in offsets]
    due = dues(stamps, calendar, sla_us)
    start, end = clocks(stamps, calendar), clocks(due, calendar)
    assert [b - a for a, b in zip(start, end, strict=True)] == [sla_us] * len(stamps)
    before = clocks([at - US for at in due], calendar)
    assert [b - a for a, b in zip(start, before, strict=True)] == [sla_us - 1] * len(stamps)
