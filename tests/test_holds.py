"""Time on hold: the clock stands still until the next stage event of the lead (metrics.md §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed_tables import SharedReader, timed_leads

import mqlkit as mk
from mqlkit.core.errors import SourceError
from mqlkit.leads.integers import HOUR_US
from mqlkit.leads.promises import with_promise
from mqlkit.metrics import lead_lists
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


def outcomes(leads, clock, *columns):
    """Return columns of the lead table by lead; durations in hours."""
    table = with_promise(leads, clock.params, clock.precision)
    frame = to_frame(table.select("lead_id", *columns).order_by("lead_id"))
    return {i: [v / HOUR_US for v in row] for i, *row in frame.itertuples(index=False)}


def hours_of_leads(made, *columns):
    """Return durations of a report in hours, by lead."""
    return outcomes(made.leads.table, made.leads.clock, *columns)


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
    table = with_promise(made.leads.table, made.leads.params, made.leads.clock.precision)
    assert str(to_frame(table.select(due=to_timestamp(table["due_at"])))["due"][0]) == due


MONDAY = "2026-01-05T09:00:00Z"
# A day on hold, and four days.
LONG = """
    lead_id | at                   | stage
    L       | 2026-01-05T09:00:00Z | mql
    L       | 2026-01-06T09:00:00Z | on_hold
    L       | 2026-01-07T09:00:00Z | contacted
    L       | 2026-01-08T09:00:00Z | on_hold
    L       | 2026-01-12T09:00:00Z | accepted
"""


def due_of(history, **params):
    """Return the due time of one lead."""
    rows = [[cell.strip() for cell in line.split("|")] for line in history.strip().splitlines()]
    timed = timed_leads({"history": rows}, zones={"leads": "UTC"}, **JAN, **params)
    timed = timed.stored(SharedReader("UTC"))
    table = with_promise(timed.table, timed.clock.params, timed.clock.precision)
    return str(to_frame(table.select(due=to_timestamp(table["due_at"])))["due"][0])


@pytest.mark.parametrize(
    ("params", "due"),
    [
        # Before both holds, between them, and after both: 24 + 24 hours at work until the second.
        ({"sla": "23h"}, "2026-01-06 08:00:00"),
        ({"sla": "25h"}, "2026-01-07 10:00:00"),
        ({"sla": "49h"}, "2026-01-12 10:00:00"),
        # 8 and 8 working hours.
        ({"sla": "7h", **WEEK}, "2026-01-05 16:00:00"),
        ({"sla": "9h", **WEEK}, "2026-01-07 10:00:00"),
        ({"sla": "17h", **WEEK}, "2026-01-12 10:00:00"),
        # By contact, the later hold is none of its business.
        ({"sla": "7h", "sla_stops_on": "contact", **WEEK}, "2026-01-05 16:00:00"),
        ({"sla": "23h", "sla_stops_on": "contact"}, "2026-01-06 08:00:00"),
    ],
)
def test_only_holds_before_the_due_time_move_it(params, due):
    assert due_of(LONG, **params) == due


def test_the_due_time_is_a_column_of_the_leads(tmp_path):
    rows = [",".join(cell.strip() for cell in line.split("|")) for line in LONG.split("\n")]
    (tmp_path / "log.csv").write_text("\n".join(rows).strip() + "\n")
    (tmp_path / "source.yaml").write_text("history: [{files: [log.csv]}]\n")
    (tmp_path / "p.yaml").write_text("{source: source.yaml, by: []}")
    leads = mk.Report.read(tmp_path / "p.yaml", **JAN, sla="25h").leads()
    assert leads["due_at"].tolist() == [pd.Timestamp("2026-01-07T10:00:00Z")]


@pytest.mark.parametrize(
    ("params", "due", "late"),
    [
        ({"sla": "1d"}, "2026-01-06 09:00:00", 48),
        # The end of the first working day, since the time is the same as the next opening.
        ({"sla": "1d", "sla_stops_on": "contact", **WEEK}, "2026-01-05 17:00:00", 8),
    ],
)
def test_a_hold_after_the_due_time_does_not_move_it(lead_table, params, due, late):
    contact = "2026-01-07T09:00:00Z | contacted" if "sla_stops_on" in params else ""
    made = lead_table(
        history=f"""
            lead_id | at                   | stage
            L       | 2026-01-05T09:00:00Z | mql
            {"L | " + contact if contact else ""}
            L       | 2026-01-08T09:00:00Z | on_hold
            L       | 2026-01-12T09:00:00Z | accepted
        """,
        **JAN,
        **params,
    )
    (row,) = lead_lists.breach_list(made.leads).to_dict("records")
    assert (f"{row['due']:%Y-%m-%d %X}", row["hours_late"]) == (due, late)


def test_no_due_time_where_it_is_not_known_which_of_many_holds_came_before():
    rows = [
        f"L | 2026-01-{day:02}T09:00:00Z | {stage}"
        for day, stage in zip(
            range(6, 13), ["on_hold", "contacted"] * 3 + ["accepted"], strict=True
        )
    ]
    history = "\n".join(["lead_id | at | stage", f"L | {MONDAY} | mql", *rows])
    assert due_of(history, sla="49h") == "NaT"
    assert due_of(history, sla="23h") == "2026-01-06 08:00:00"


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
    found = outcomes(timed.table, timed.clock, "sla_stop_us", "sla_waited_us")
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
