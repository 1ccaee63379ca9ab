"""Dates beside instants: durations, order, passes and the as-of date, value by value."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed_tables import timed_leads

from mqlkit.leads.integers import DAY_US
from mqlkit.metrics import lead_lists
from mqlkit.sources.store import to_frame
from mqlkit.views import tables

JAN = "2026-01"
COLUMNS = [
    "lead_id", "exit_us", "contact_us", "sql_us", "calendar_waited_us", "is_accepted_first"
]  # fmt: skip
REPORT_ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"]
SOURCE = "Europe/Tallinn"
START = datetime(2026, 3, 20, tzinfo=UTC)  # the last days of winter time
AS_OF = START + timedelta(days=20, hours=9)


# --- Rules, one by one


@pytest.mark.parametrize("timezone", REPORT_ZONES)
def test_a_date_is_a_day_of_its_source(lead_table, timezone):
    made = lead_table(
        """
            lead_id            | mql_at           | accepted_at
            the same local day | 2026-01-05 23:00 | 2026-01-05
            the day before     | 2026-01-06 00:30 | 2026-01-05
            two days later     | 2026-01-05 01:00 | 2026-01-07
        """,
        zones={"leads": SOURCE},
        timezone=timezone,
        period=JAN,
        as_of="2026-01-31",
    )
    hours = dict(to_frame(made.leads.table.select("lead_id", "exit_us")).to_numpy())
    assert hours == {
        "the same local day": 0, "the day before": -DAY_US, "two days later": 2 * DAY_US,
    }  # fmt: skip
    assert made.value("sla_unmeasurable") == 1


def test_precision_belongs_to_each_value(lead_table):
    made = lead_table(
        """
            lead_id                      | mql_at               | contacted_at         | sql_at
            the hour is known            | 2026-01-05T10:00:00Z | 2026-01-05T10:20:00Z | 2026-01-09
            contact is a date            | 2026-01-05T22:00:00Z | 2026-01-06           |
            MQL is a date                | 2026-01-05           | 2026-01-05T00:10:00Z |
            MQL is a date, no contact    | 2026-01-05           |                      |
            a date before is no response | 2026-01-05T10:00:00Z | 2026-01-04           |
        """,
        period=JAN,
        as_of="2026-01-31",
    )
    assert made.row("contacted_within_1h")[["value", "n"]].tolist() == [1, 1]
    assert made.flags("contacted_within_1h") == {"day-precision"}
    assert made.flags("lift_1h") == {"day-precision"}
    # In columns that also have times; the dates of SQLs are a column of dates.
    assert made.ledger["noted"]["date_without_time"] == 4


def test_a_row_that_loses_no_lead_has_no_flag(lead_table):
    made = lead_table(
        """
            lead_id    | mql_at               | contacted_at         | sql_at
            with times | 2026-01-05T10:00:00Z | 2026-01-05T10:20:00Z | 2026-01-09T10:00:00Z
            a date     | 2026-02-05           |                      |
        """,
        period="2026-01..2026-02",
        as_of="2026-03-31",
    )
    assert made.flags("contacted_within_1h", JAN) == set()
    assert made.flags("contacted_within_1h", "2026-02") == {"day-precision"}
    # It was not contacted, so that the lift loses nothing.
    assert made.flags("lift_1h", "2026-02") == set()


def test_a_date_and_a_time_of_one_day_are_a_tie(lead_table):
    made = lead_table(
        """
            lead_id                 | mql_at               | accepted_at | rejected_at
            rejected that morning   | 2026-01-05T10:00:00Z | 2026-01-06  | 2026-01-06T08:00:00Z
            rejected the day before | 2026-01-05T10:00:00Z | 2026-01-07  | 2026-01-06T08:00:00Z
        """,
        period=JAN,
        as_of="2026-01-31",
    )
    assert made.of("accepted", "rejected") == {"accepted": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("params", "due"),
    [
        # In time through Sunday; the third day is too late.
        ({"sla": "2d"}, "2026-01-11 23:59"),
        ({"sla": "71h"}, "2026-01-11 23:59"),
        # In time on the day itself.
        ({"sla": "8h"}, "2026-01-09 23:59"),
        # In time on Monday, the first working day after the date.
        ({"sla": "1d", "sla_clock": "business"}, "2026-01-12 17:00"),
        ({"sla": "15h", "sla_clock": "business"}, "2026-01-12 17:00"),
        ({"sla": "7h", "sla_clock": "business"}, "2026-01-09 17:00"),
    ],
)
def test_a_lead_that_is_an_mql_by_date_is_due_at_the_end_of_a_day(lead_table, params, due):
    made = lead_table(
        """
            lead_id  | mql_at              | accepted_at
            a date   | 2026-01-09          | 2026-01-14 10:00:00
            an hour  | 2026-01-09 12:00:00 | 2026-01-09 12:01:00
        """,
        zones={"leads": SOURCE},
        period=JAN,
        as_of="2026-03-31",
        **params,
    )
    (row,) = lead_lists.breach_list(made.leads).to_dict("records")
    assert (row["lead_id"], f"{row['due']:%Y-%m-%d %H:%M}") == ("a date", due)


@pytest.mark.parametrize(
    ("params", "due"),
    [({}, "2026-03-29 23:59"), ({"sla_clock": "business"}, "2026-03-31 17:00")],
)
def test_a_due_time_after_the_as_of_date_is_local(lead_table, params, due):
    # Daylight saving begins on Sunday 29 March; Friday, Monday and Tuesday are working days.
    made = lead_table(
        "lead_id | mql_at | accepted_at\nopen | 2026-03-27 |\ndone | 2026-03-02 | 2026-03-03",
        zones={"leads": SOURCE},
        period="2026-03",
        as_of="2026-03-28",
        sla="2d",
        sla_warn=0,
        **params,
    )
    (row,) = lead_lists.due_soon_list(made.leads).to_dict("records")
    assert f"{row['due']:%Y-%m-%d %H:%M}" == due


def test_lists_show_a_date_where_there_is_no_time_of_day(lead_table):
    made = lead_table(
        """
            lead_id | mql_at              | accepted_at         | sql_at
            dates   | 2026-01-09          | 2026-01-14          | 2026-01-15 08:00:00
            hours   | 2026-01-08 12:00:00 | 2026-01-12 09:30:00 | 2026-01-13
            neither | 2026-01-07 12:00:00 |                     |
        """,
        zones={"leads": SOURCE},
        period=JAN,
        as_of="2026-03-31",
    )
    late = lead_lists.breach_list(made.leads).set_index("lead_id")
    flags = late[["is_date_entered", "is_date_due"]]
    assert {name: tuple(of) for name, of in zip(flags.index, flags.to_numpy(), strict=True)} == {
        "dates": (True, True), "hours": (False, False), "neither": (False, False),
    }  # fmt: skip
    lines = lead_lists.breach_lines(made.leads).to_pandas().set_index("lead_id")
    # In time through the second day after the date.
    assert tuple(lines.loc["dates", ["entered", "due"]]) == ("2026-01-09", "2026-01-11")
    assert lines.loc["hours", "entered"].startswith("2026-01-08T12:00:00")
    every = lead_lists.mql_lines(made.leads).to_pandas().set_index("lead_id")
    assert tuple(every.loc["dates", ["entered", "decided"]]) == ("2026-01-09", "2026-01-14")
    assert every.loc["dates", "became_sql"].startswith("2026-01-15T08:00:00")
    assert every.loc["hours", "decided"].startswith("2026-01-12T09:30:00")
    assert every.loc["hours", "became_sql"] == "2026-01-13"
    table = tables.lead_lists.breaches(late.reset_index().assign(metric="breach"))
    shown = table.cells.set_index("Lead")[["Entered", "Due"]]
    assert shown.loc["dates"].tolist() == ["2026-01-09", "2026-01-11"]
    assert shown.loc["hours"].tolist() == ["2026-01-08 12:00", "2026-01-10 12:00"]


@pytest.mark.parametrize("passes", ["every", "last"])
def test_a_date_belongs_to_the_pass_that_begins_on_its_day(lead_table, passes):
    made = lead_table(
        "lead_id | accepted_at | sql_at\nrecycled | 2026-03-05 |",
        history="""
            lead_id  | at                   | stage
            recycled | 2026-02-01T10:00:00Z | mql
            recycled | 2026-02-02T10:00:00Z | rejected
            recycled | 2026-03-05T10:00:00Z | mql
        """,
        period="2026-02..2026-03",
        as_of="2026-03-31",
        passes=passes,
    )
    assert made.value("accepted") == 1
    assert made.value("rejected") == (1 if passes == "every" else 0)
    assert made.value("sla_unmeasurable") == 0


def test_lead_files_and_history_each_have_their_zone(lead_table):
    # 23:30 in UTC is the next day in Tallinn, where the leads are from.
    made = lead_table(
        """
            lead_id            | accepted_at
            next day, as in log | 2026-01-06
        """,
        history="""
            lead_id             | at                   | stage
            next day, as in log | 2026-01-05T23:30:00Z | mql
        """,
        zones={"leads": SOURCE, "history": "UTC"},
        period=JAN,
        as_of="2026-01-31",
    )
    assert made.value("hours_in_stage_mean") == 24


@pytest.mark.parametrize("timezone", REPORT_ZONES)
def test_the_age_of_a_date_is_up_to_the_day_of_as_of(lead_table, timezone):
    leads = "lead_id | mql_at\nopen | 2026-01-05\nwith a time | 2026-01-05 10:00"
    given = {"zones": {"leads": SOURCE}, "timezone": timezone, "period": JAN}

    def waited(as_of):
        table = lead_table(leads, as_of=as_of, **given).leads.table
        return dict(to_frame(table.select("lead_id", "calendar_waited_us")).to_numpy())["open"]

    assert waited("2026-01-31") == 26 * DAY_US
    # In Tallinn it is the first of February already.
    assert waited("2026-01-31T22:30:00Z") == 27 * DAY_US


@pytest.mark.parametrize("timezone", REPORT_ZONES)
def test_a_date_has_happened_by_the_day_of_as_of(lead_table, timezone):
    made = lead_table(
        """
            lead_id                      | mql_at     | accepted_at
            the day of as_of in Tallinn  | 2026-01-05 | 2026-02-01
            the day after                | 2026-01-05 | 2026-02-02
            with a time                  | 2026-01-05 | 2026-01-06 10:00
        """,
        zones={"leads": SOURCE},
        timezone=timezone,
        period=JAN,
        as_of="2026-01-31T22:30:00Z",
    )
    assert made.value("accepted") == 2
    assert made.ledger["noted"]["after_as_of"] == 1


def test_as_of_is_the_end_of_a_date_that_is_the_latest(lead_table):
    leads = "lead_id | mql_at\na | 2026-01-05 10:00\nb | {}"
    made = lead_table(leads.format("2026-01-06"), period=JAN)
    assert made.leads.as_of.at == datetime(2026, 1, 7, tzinfo=UTC)
    made = lead_table(leads.format("2026-01-04"), period=JAN)
    assert made.leads.as_of.at == datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize("timezone", REPORT_ZONES)
def test_a_date_is_whole_working_days_on_a_business_clock(lead_table, timezone):
    made = lead_table(
        """
            lead_id            | mql_at           | accepted_at
            Friday to Monday   | 2026-01-09 23:30 | 2026-01-12
            with times         | 2026-01-09 16:00 | 2026-01-12 10:00
        """,
        zones={"leads": "UTC"},
        timezone=timezone,
        period=JAN,
        as_of="2026-01-31",
        sla_clock="business",
        work_week="Mon-Fri 09:00-17:00",
    )
    table = made.leads.table.select("lead_id", "stage_us")
    assert dict(to_frame(table).to_numpy())["Friday to Monday"] == DAY_US // 3


def test_a_time_lost_in_one_pass_of_a_lead_is_not_lost_in_another(lead_table):
    made = lead_table(
        history="""
            lead_id  | at                   | stage
            recycled | 2026-02-01           | mql
            recycled | 2026-02-02T10:00:00Z | contacted
            recycled | 2026-03-05T10:00:00Z | mql
            recycled | 2026-03-05T10:30:00Z | contacted
        """,
        period="2026-02..2026-03",
        as_of="2026-03-31",
        passes="every",
    )
    assert made.values("contacted_within_1h") == {"2026-02": None, "2026-03": 1}
    assert made.flags("contacted_within_1h", "2026-03") == set()


# --- Against a plain computation


class Value:
    """A timestamp or a date of the source, compared as metrics.md §2 says."""

    def __init__(self, hours, *, is_date):
        self.at = START + timedelta(hours=hours)
        self.is_date = is_date
        self.day = self.at.astimezone(ZoneInfo(SOURCE)).date()
        self.text = f"{self.day}" if is_date else f"{self.at:%Y-%m-%dT%H:%M:%SZ}"

    def minus(self, other):
        """Return the time since another value, in microseconds."""
        if self.is_date or other.is_date:
            return (self.day - other.day) // timedelta(microseconds=1)
        return (self.at - other.at) // timedelta(microseconds=1)

    def begins(self):
        """Return when it is, or when its day begins."""
        midnight = datetime.combine(self.day, time.min, ZoneInfo(SOURCE))
        return midnight if self.is_date else self.at


VALUES = st.builds(Value, st.integers(0, 480), is_date=st.booleans())
EVENTS = st.lists(
    st.tuples(st.sampled_from(["mql", "mql", "contacted", "accepted", "rejected", "sql"]), VALUES),
    min_size=2,
    max_size=9,
)
STAGES = ("contacted", "accepted", "rejected", "sql")


def distinct(values):
    """Return the values in order, without the dates of days with a time, each day's date once."""
    timed = {v.day for v in values if not v.is_date}
    kept = {v.text: v for v in values if not v.is_date or v.day not in timed}
    return sorted(kept.values(), key=Value.begins)


def passes_of(events):
    """Return each pass with the first event of each stage that belongs to it."""
    entries = distinct([v for stage, v in events if stage == "mql"])
    for n, (entry, after) in enumerate(pairwise([*entries, None])):
        found = {"mql": entry}
        for stage in STAGES:
            values = distinct([v for s, v in events if s == stage])
            inside = [
                v for v in values if v.minus(entry) >= 0 and not (after and v.minus(after) >= 0)
            ]
            stray = [v for v in values if n == 0 and v.minus(entry) < 0]
            if inside or stray:
                found[stage] = (inside or stray)[0]
        yield found


def outcome(found):
    """Return the durations of a pass, and whether it was accepted first."""
    entry = found["mql"]
    spans = {s: found[s].minus(entry) for s in STAGES if s in found}
    exits = [spans[s] for s in ("accepted", "rejected", "sql") if s in spans]
    accepted = [found[s] for s in ("accepted", "sql") if s in found]
    as_of_day = AS_OF.astimezone(ZoneInfo(SOURCE)).date()
    waited = as_of_day - entry.day if entry.is_date else AS_OF - entry.at
    is_first = None
    if accepted or "rejected" in found:
        is_first = "rejected" not in found or any(found["rejected"].minus(v) >= 0 for v in accepted)
    return (
        min(exits, default=None), spans.get("contacted"), spans.get("sql"),
        waited // timedelta(microseconds=1), is_first,
    )  # fmt: skip


@given(st.lists(EVENTS, min_size=8, max_size=8), st.sampled_from(REPORT_ZONES))
def test_passes_and_durations_are_those_of_a_plain_computation(leads, timezone):
    # A time for each stage, so that no column has only dates.
    times = [("mql", Value(0, is_date=False)), *((s, Value(1, is_date=False)) for s in STAGES)]
    leads = [times, *leads]
    history = [[f"L{n}", v.text, stage] for n, events in enumerate(leads) for stage, v in events]
    table = timed_leads(
        {"history": [["lead_id", "at", "stage"], *history]},
        zones={"leads": SOURCE},
        timezone=timezone,
        as_of=f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}",
        passes="every",
    ).table
    rows = table.filter(table["mql_at"].notnull()).select(COLUMNS).to_pyarrow().to_pylist()
    found = [tuple(row.values()) for row in rows if row["lead_id"] != "L0"]
    expected = [
        (f"L{n}", *outcome(each))
        for n, events in enumerate(leads)
        for each in passes_of(events)
        if n
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


@given(
    st.lists(st.tuples(VALUES, st.sampled_from(STAGES), VALUES), min_size=5, max_size=12),
    st.sampled_from(REPORT_ZONES),
)
def test_the_zone_of_the_report_never_changes_an_outcome_of_dates(leads, timezone):
    rows = [
        [f"L{n}", f"{entry.day}", *(f"{at.day}" if s == stage else "" for s in STAGES)]
        for n, (entry, stage, at) in enumerate(leads)
    ]
    header = ["lead_id", "mql_at", *(f"{stage}_at" for stage in STAGES)]
    given = {"leads": [header, *rows]}
    found = [
        timed_leads(given, zones={"leads": SOURCE}, timezone=zone, as_of="2026-04-12")
        .table.select(COLUMNS)
        .order_by("lead_id")
        .to_pyarrow()
        for zone in (SOURCE, timezone)
    ]
    assert found[0] == found[1]
