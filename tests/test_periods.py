"""Periods as users write them, and the buckets they are cut into."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mqlkit.core.periods import AsOf, Bucket, Calendar, add_months, spend_window, to_utc

TALLINN = ZoneInfo("Europe/Tallinn")
END_OF_MAY = AsOf.end_of(date(2026, 5, 31), ZoneInfo("UTC"))
MID_MAY = AsOf.end_of(date(2026, 5, 20), ZoneInfo("UTC"))


def days(first, after):
    return date.fromisoformat(first), date.fromisoformat(after)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-01..2026-03", "2026-01-01", "2026-04-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-q4", "2026-10-01", "2027-01-01"),
        ("2026-H2", "2026-07-01", "2027-01-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2025-Q4..2026-Q1", "2025-10-01", "2026-04-01"),
        ("2025..2026-02-14", "2025-01-01", "2026-02-15"),
        # Both ends included.
        ("2026-01-05..2026-02-14", "2026-01-05", "2026-02-15"),
        ("2026-02-28", "2026-02-28", "2026-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        # 2026 has 53 ISO weeks; its last one ends in 2027.
        ("2026-W01", "2025-12-29", "2026-01-05"),
        ("2026-W53", "2026-12-28", "2027-01-04"),
    ],
)
def test_periods_that_stand_in_the_calendar(text, first, after):
    assert Calendar().resolve(text, END_OF_MAY) == days(first, after)


@pytest.mark.parametrize(
    ("text", "as_of", "first", "after"),
    [
        ("last-month", MID_MAY, "2026-04-01", "2026-05-01"),
        ("last-month", END_OF_MAY, "2026-05-01", "2026-06-01"),  # May is over
        ("last-quarter", END_OF_MAY, "2026-01-01", "2026-04-01"),
        ("last-half", END_OF_MAY, "2025-07-01", "2026-01-01"),
        ("last-year", END_OF_MAY, "2025-01-01", "2026-01-01"),
        ("last-week", MID_MAY, "2026-05-11", "2026-05-18"),  # the 20th is a Wednesday
        ("last-12-months", MID_MAY, "2025-05-01", "2026-05-01"),
        ("last-12-months", END_OF_MAY, "2025-06-01", "2026-06-01"),
        ("last-2-halves", END_OF_MAY, "2025-01-01", "2026-01-01"),
        ("Last-Quarter", MID_MAY, "2026-01-01", "2026-04-01"),
        ("this-quarter", MID_MAY, "2026-04-01", "2026-07-01"),
        ("this-year", MID_MAY, "2026-01-01", "2027-01-01"),
        ("year-to-date", MID_MAY, "2026-01-01", "2026-05-21"),
    ],
)
def test_relative_periods_look_back_from_as_of(text, as_of, first, after):
    assert Calendar().resolve(text, as_of) == days(first, after)


@pytest.mark.parametrize(
    ("stamp", "first"),
    [
        pytest.param(datetime(2026, 5, 31, 21, tzinfo=UTC), "2026-05-01", id="midnight in Tallinn"),
        pytest.param(datetime(2026, 5, 31, 20, tzinfo=UTC), "2026-04-01", id="an hour before it"),
    ],
)
def test_a_month_is_over_when_it_is_over_in_the_reports_zone(stamp, first):
    found, _ = Calendar().resolve("last-month", AsOf.stamp(stamp, TALLINN))
    assert found == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        # Named after the calendar year it ends in: April 2025 to March 2026 is 2026.
        ("2026", "2025-04-01", "2026-04-01"),
        ("2026-Q1", "2025-04-01", "2025-07-01"),
        ("2026-Q4", "2026-01-01", "2026-04-01"),
        ("2026-H2", "2025-10-01", "2026-04-01"),
        ("last-quarter", "2026-01-01", "2026-04-01"),
        ("last-half", "2025-10-01", "2026-04-01"),
        ("last-year", "2025-04-01", "2026-04-01"),
        ("year-to-date", "2026-04-01", "2026-05-21"),
    ],
)
def test_a_fiscal_year_from_april(text, first, after):
    assert Calendar(fiscal_year_start=4).resolve(text, MID_MAY) == days(first, after)


def labels(calendar, text, grain):
    buckets = calendar.cut(*calendar.resolve(text, MID_MAY), grain)
    return [(b.label, b.start.isoformat(), b.end.isoformat()) for b in buckets]


def test_months():
    assert labels(Calendar(), "2025-12..2026-02", "month") == [
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2026-01", "2026-01-01", "2026-02-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
    ]


def test_quarters_halves_and_years():
    assert labels(Calendar(), "2026-H1", "quarter") == [
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-Q2", "2026-04-01", "2026-07-01"),
    ]
    assert labels(Calendar(), "2025-H2..2026-H1", "half") == [
        ("2025-H2", "2025-07-01", "2026-01-01"),
        ("2026-H1", "2026-01-01", "2026-07-01"),
    ]
    assert labels(Calendar(), "2026", "year") == [("2026", "2026-01-01", "2027-01-01")]


def test_fiscal_quarters_halves_and_years_carry_the_year_they_end_in():
    calendar = Calendar(fiscal_year_start=10)
    assert [label for label, _, _ in labels(calendar, "2026", "quarter")] == [
        "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"
    ]  # fmt: skip
    assert labels(calendar, "2026", "half") == [
        ("2026-H1", "2025-10-01", "2026-04-01"),
        ("2026-H2", "2026-04-01", "2026-10-01"),
    ]
    assert labels(calendar, "2026", "year") == [("2026", "2025-10-01", "2026-10-01")]
    assert labels(calendar, "2026-Q1", "month")[0][0] == "2025-10"  # months keep their own year


def test_weeks_are_iso_weeks_and_the_outer_ones_are_clipped():
    assert labels(Calendar(), "2026-01", "week") == [
        ("2026-W01", "2026-01-01", "2026-01-05"),  # begins on 29 December
        ("2026-W02", "2026-01-05", "2026-01-12"),
        ("2026-W03", "2026-01-12", "2026-01-19"),
        ("2026-W04", "2026-01-19", "2026-01-26"),
        ("2026-W05", "2026-01-26", "2026-02-01"),  # ends with its Saturday
    ]


def test_a_week_carries_the_year_that_iso_gives_it():
    assert [label for label, _, _ in labels(Calendar(), "2024-12-30..2025-01-05", "week")] == [
        "2025-W01"
    ]


def test_clipped_months_and_quarters_keep_their_label():
    assert labels(Calendar(), "2026-01-05..2026-02-14", "month") == [
        ("2026-01", "2026-01-05", "2026-02-01"),
        ("2026-02", "2026-02-01", "2026-02-15"),
    ]
    assert labels(Calendar(), "2026-02..2026-03", "quarter") == [
        ("2026-Q1", "2026-02-01", "2026-04-01")
    ]


def test_buckets_before_the_period_are_whole():
    first = Bucket("2026-02", date(2026, 2, 15), date(2026, 3, 1))
    assert Calendar().before(first, "month", 2) == [
        Bucket("2025-12", date(2025, 12, 1), date(2026, 1, 1)),
        Bucket("2026-01", date(2026, 1, 1), date(2026, 2, 1)),
    ]
    assert Calendar().before(first, "month", 0) == []


def test_the_day_of_a_daylight_saving_change_has_23_hours():
    start, end = (to_utc(date(2026, 3, day), TALLINN) for day in (29, 30))
    assert (end - start).total_seconds() == 23 * 3600


def test_months_are_added_over_the_end_of_the_year():
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 1)
    assert add_months(date(2026, 1, 31), -1) == date(2025, 12, 1)


def test_spend_is_looked_for_a_lag_earlier():
    # As in the definitions: 2 December up to and including 1 March.
    window = spend_window(Bucket("2026-Q1", date(2026, 1, 1), date(2026, 4, 1)), lag_days=30)
    assert window == (date(2025, 12, 2), date(2026, 3, 2))
