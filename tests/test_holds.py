"""Time on hold: the clock stands still until the next stage event of the lead (metrics.md §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed_tables import timed_leads

from mqlkit.core.errors import SourceError
from mqlkit.leads.integers import HOUR_US
from mqlkit.leads.promises import with_promise
from mqlkit.sources.store import to_frame, to_timestamp

JAN = {"period": "2026-01", "as_of": "2026-01-31T10:00:00Z"}
# Monday 5 January: on hold from Tuesday noon to Wednesday noon, decided on Thursday.
HISTORY = """
    lead_id | at                   | stage
    held    | 2026-01-05T10:00:00Z | mql
    held    | 2026-01-06T12:00:00Z | on_hold
    held    | 2026-01-07T12:00:00Z | contacted
    held    | 2026-01-08T10:00:00Z | accepted
"""
WEEK = {"sla_clock": "business", "work_week": "Mon-Fri 09:00-17:00"}


def outcomes(leads, params, *columns):
    """Return columns of the lead table by lead; durations in hours."""
    table = with_promise(leads, params)
    frame = to_frame(table.select("lead_id", *columns).order_by("lead_id"))
    return {i: [v / HOUR_US for v in row] for i, *row in frame.itertuples(index=False)}


def hours_of_leads(made, *columns):
    """Return durations of a report in hours, by lead."""
    return outcomes(made.leads.table, made.leads.params, *columns)


def test_time_on_hold_is_not_time_in_the_stage(lead_table):
    made = lead_table(history=HISTORY, **JAN)
    assert made.value("hours_in_stage_mean") == 48
    # The calendar of conversions goes on.
    assert hours_of_leads(made, "exit_us", "stage_us", "contact_us") == {"held": [72, 48, 50]}


def test_time_on_hold_is_not_working_time(lead_table):
    # 7 + 3 hours before the hold; then 5 on Wednesday and 1 on Thursday.
    made = lead_table(history=HISTORY, **JAN, **WEEK)
    assert made.value("hours_in_stage_mean") == 16


@pytest.mark.parametrize(
    ("params", "met", "due"),
    [
        ({"sla": "48h"}, 1, "2026-01-08 10:00:00"),  # 48 hours and a day on hold
        ({"sla": "47h"}, 0, "2026-01-08 09:00:00"),
        ({"sla": "26h", "sla_stops_on": "contact"}, 1, "2026-01-07 12:00:00"),
        ({"sla": "16h", **WEEK}, 1, "2026-01-08 10:00:00"),
        ({"sla": "15h", **WEEK}, 0, "2026-01-07 17:00:00"),  # the end of a working day
    ],
)
def test_the_sla_stands_still_on_hold(lead_table, params, met, due):
    made = lead_table(history=HISTORY, **JAN, **params)
    assert made.of("sla_met", "sla_breached") == {"sla_met": met, "sla_breached": 1 - met}
    table = with_promise(made.leads.table, made.leads.params)
    assert str(to_frame(table.select(due=to_timestamp(table["due_at"])))["due"][0]) == due


def test_a_lead_on_hold_never_becomes_overdue(lead_table):
    made = lead_table(
        history="""
            lead_id | at                   | stage
            open    | 2026-01-05T10:00:00Z | mql
            open    | 2026-01-05T12:00:00Z | on_hold
            decided | 2026-01-05T10:00:00Z | mql
            decided | 2026-01-05T11:00:00Z | accepted
            decided | 2026-01-06T11:00:00Z | on_hold
        """,
        **JAN,
        sla="24h",
    )
    assert made.of("sla_met", "sla_pending", "in_stage") == {
        "sla_met": 1, "sla_pending": 1, "in_stage": 1,
    }  # fmt: skip
    assert hours_of_leads(made, "waited_us")["open"] == [2]


def test_a_hold_of_dates_is_whole_days(lead_table):
    made = lead_table(
        "lead_id | mql_at | accepted_at\na | 2026-01-05 | 2026-01-12",
        history="lead_id | at | stage\na | 2026-01-06 | on_hold\na | 2026-01-08 | contacted",
        **JAN,
    )
    assert made.value("hours_in_stage_mean") == 5 * 24


def test_holds_belong_to_the_pass_in_which_they_are(lead_table):
    made = lead_table(
        history="""
            lead_id  | at                   | stage
            recycled | 2026-01-05T10:00:00Z | mql
            recycled | 2026-01-05T12:00:00Z | on_hold
            recycled | 2026-01-06T12:00:00Z | rejected
            recycled | 2026-01-10T10:00:00Z | mql
            recycled | 2026-01-10T15:00:00Z | accepted
        """,
        **JAN,
        passes="every",
    )
    hours = sorted(to_frame(made.leads.table.select("stage_us"))["stage_us"] / HOUR_US)
    assert hours == [2, 5]


def test_on_hold_is_mapped_and_other_stages_can_be_ignored(desk):
    desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-05T10:00:00Z\n")
    rows = ["1,2026-01-05T12:00:00Z,Parked", "1,2026-01-05T20:00:00Z,Nurture"]
    rows.append("1,2026-01-06T12:00:00Z,Taken")
    desk.write("log.csv", "\n".join(["lead_id,at,stage", *rows, ""]))
    stages = {"on_hold": ["Parked"], "accepted": ["Taken"], "ignore": ["Nurture"]}
    log = {"files": ["log.csv"], "stages": stages}
    made = desk.report({"leads": {"files": ["leads.csv"]}, "history": [log]}, **JAN)
    # An ignored stage is no event, so that the hold goes on.
    assert made.value("hours_in_stage_mean") == 2
    assert made.tables.ledgers["history"].noted == {}
    with pytest.raises(SourceError, match="on_hold"):
        desk.read({"history": [{**log, "stages": {"on_hld": ["Parked"]}}]})


# --- Against a plain computation

START = datetime(2026, 1, 5, tzinfo=UTC)
AS_OF = START + timedelta(days=12)
STAGES = ["contacted", "accepted", "on_hold", "on_hold"]
EVENTS = st.lists(
    st.tuples(st.integers(1, 250), st.sampled_from(STAGES)),
    min_size=1, max_size=7, unique_by=lambda event: event[0],
).map(sorted)  # fmt: skip


def hours_of(first, last, *, is_business):
    """Return the hours from one hour to another, of working hours if ``is_business``."""
    every = [START + timedelta(hours=n) for n in range(first, last)]
    return sum(not is_business or (at.weekday() < 5 and 9 <= at.hour < 17) for at in every)


def active_hours(events, entered, end, **clock):
    """Return the hours from the MQL to an event without those on hold, hour by hour."""
    known = [(entered, "mql"), *events, (288, "as_of")]
    spans = [(a, b) for (a, stage), (b, _) in pairwise(known) if stage != "on_hold"]
    return sum(hours_of(a, min(b, end), **clock) for a, b in spans if a < end)


@given(st.lists(EVENTS, min_size=4, max_size=8), st.booleans())
def test_the_hours_are_those_of_a_plain_computation(leads, is_business):
    rows = [[f"L{n}", START.isoformat(), "mql"] for n in range(len(leads))]
    rows += [
        [f"L{n}", (START + timedelta(hours=hours)).isoformat(), stage]
        for n, events in enumerate(leads)
        for hours, stage in events
    ]
    # With a hold, so that there is one in every history.
    rows += [["held", START.isoformat(), "mql"], ["held", AS_OF.isoformat(), "on_hold"]]
    timed = timed_leads(
        {"history": [["lead_id", "at", "stage"], *rows]},
        zones={"leads": "UTC"},
        as_of=AS_OF.isoformat(),
        **(WEEK if is_business else {}),
    )
    found = outcomes(timed.table, timed.clock.params, "sla_stop_us", "sla_waited_us")
    for n, events in enumerate(leads):
        left = next((hours for hours, stage in events if stage == "accepted"), None)
        ends = [left, 288]
        expected = [
            None if end is None else active_hours(events, 0, end, is_business=is_business)
            for end in ends
        ]
        stop, waited = found[f"L{n}"]
        assert waited == expected[1]
        assert (None if stop != stop else stop) == expected[0]
