"""Stage histories: entries to MQL, recycled leads, and how they join the leads' own stamps."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.leads.integers import instant

RECYCLED = """
    lead_id  | at               | stage
    recycled | 2026-01-05 09:00 | mql
    recycled | 2026-01-07 09:00 | contacted
    recycled | 2026-01-10 09:00 | rejected
    recycled | 2026-03-02 09:00 | mql
    recycled | 2026-03-03 09:00 | contacted
    recycled | 2026-03-12 09:00 | rejected
    once     | 2026-02-02 09:00 | mql
    once     | 2026-02-03 09:00 | accepted
"""


def stamps(made, *columns):
    """Return lead, entry and the columns asked for; stamps as text, durations in hours."""
    table = made.leads.table.order_by("lead_id", "mql_at")
    rows = table.select("lead_id", "mql_at", *columns).to_pyarrow().to_pylist()
    return [(row["lead_id"], *(shown(row[c], c) for c in ("mql_at", *columns))) for row in rows]


def shown(value, column):
    if value is None:
        return None
    return value / 3_600_000_000 if column.endswith("_us") else f"{instant(value):%Y-%m-%d %H:%M}"


# --- What a history is read from


def test_a_history_alone_is_enough(lead_table):
    made = lead_table(
        history="""
            lead_id | at               | stage
            sold    | 2025-12-30 09:00 | created
            sold    | 2026-01-05 09:00 | mql
            sold    | 2026-01-06 09:00 | accepted
            sold    | 2026-01-20 09:00 | sql
            skipped | 2026-01-21 09:00 | sql
            waiting | 2026-02-05 09:00 | mql
        """,
        by=["source"],
    )
    assert stamps(made, "accepted_us", "sql_us", "lag_us") == [
        ("skipped", None, None, None, None),
        ("sold", "2026-01-05 09:00", 24.0, 360.0, 144.0),
        ("waiting", "2026-02-05 09:00", None, None, None),
    ]
    assert made.ledger["noted"]["skipped_mql"] == 1
    assert made.values("mqls", source="(missing)") == {"2026-01": 1, "2026-02": 1, "2026-03": 0}


def test_stages_are_named_by_the_users_words_whatever_their_case(read_lead_table):
    made = read_lead_table(
        history="""
            LeadId | CreatedDate      | NewValue
            A      | 2026-01-05 09:00 | Marketing Qualified
            A      | 2026-01-06 09:00 | Nurture
            A      | 2026-01-07 09:00 | RECYCLED
            B      | 2026-01-05 09:00 | mql
            B      | 2026-01-06 09:00 | Nurture
            B      | 2026-01-08 09:00 |
        """,
        source={
            "history": {
                "columns": {"lead_id": "LeadId", "at": "CreatedDate", "stage": "NewValue"},
                "stages": {"mql": ["MQL", "Marketing Qualified"], "rejected": ["Recycled"]},
            }
        },
        as_of="2026-03-31",
    )
    assert stamps(made, "rejected_us") == [
        ("A", "2026-01-05 09:00", 48.0),
        ("B", "2026-01-05 09:00", None),
    ]
    noted = made.ledger["noted"]
    assert {name: n for name, n in noted.items() if "stage" in name} == {
        "stage not mapped: Nurture": 2,
        "stage not mapped: (empty)": 1,
    }


def test_every_row_of_a_file_can_be_one_stage(read_lead_table):
    made = read_lead_table(
        """
            lead_id | mql_at     | amount
            won     | 2026-01-05 | 900
            open    | 2026-01-06 | 300
        """,
        history="""
            mql_id | won_date
            won    | 2026-02-05
        """,
        source={"history": {"stage": "won", "columns": {"lead_id": "mql_id", "at": "won_date"}}},
        spend="""
            date       | amount | channel
            2025-01-01 | 0      | Web
            2026-01-01 | 300    | Web
            2026-12-31 | 0      | Web
        """,
        lag_days=0,
    )
    # What a won deal is worth counts when it is won, wherever that is written down.
    assert made.value("return_on_spend") == 3.0


def test_two_histories_are_one(new_desk):
    desk = new_desk()
    desk.write("log.csv", "lead_id,at,stage\nA,2026-01-05,mql\nB,2026-01-06,mql\nB,soon,mql\n")
    desk.write("sql.csv", "id,when\nA,2026-01-09\nA,2026-01-09\n")
    made = desk.report(
        {
            "history": [
                {"files": ["log.csv"]},
                {"files": ["sql.csv"], "stage": "sql", "columns": {"lead_id": "id", "at": "when"}},
            ]
        },
        period="2026-01",
        max_set_aside=1,
    )
    assert stamps(made, "sql_us") == [
        ("A", "2026-01-05 00:00", 96.0),
        ("B", "2026-01-06 00:00", None),
    ]
    ledger = made.tables.ledgers["history"]
    assert [(row.file, row.line, row.reason) for row in ledger.rows] == [
        ("log.csv", 4, "bad_date"),
        ("sql.csv", 3, "duplicate"),
    ]
    assert (ledger.read, ledger.used) == (5, 3)


# --- Passes


def test_the_first_pass_takes_each_later_stage_at_its_first(lead_table):
    made = lead_table(history=RECYCLED, passes="first")
    assert stamps(made, "contact_us", "rejected_us", "accepted_us") == [
        ("once", "2026-02-02 09:00", None, None, 24.0),
        ("recycled", "2026-01-05 09:00", 48.0, 120.0, None),
    ]
    assert made.values("mqls") == {"2026-01": 1, "2026-02": 1, "2026-03": 0}


def test_the_last_pass_takes_what_came_after_it(lead_table):
    made = lead_table(history=RECYCLED, passes="last")
    assert stamps(made, "contact_us", "rejected_us", "accepted_us") == [
        ("once", "2026-02-02 09:00", None, None, 24.0),
        ("recycled", "2026-03-02 09:00", 24.0, 240.0, None),
    ]
    assert made.values("mqls") == {"2026-01": 0, "2026-02": 1, "2026-03": 1}


def test_every_pass_is_a_row_of_its_own(lead_table):
    made = lead_table(history=RECYCLED, passes="every")
    assert stamps(made, "contact_us", "rejected_us", "accepted_us") == [
        ("once", "2026-02-02 09:00", None, None, 24.0),
        ("recycled", "2026-01-05 09:00", 48.0, 120.0, None),
        ("recycled", "2026-03-02 09:00", 24.0, 240.0, None),
    ]
    assert made.of("mqls", "rejected", "accepted") == {"mqls": 3, "rejected": 2, "accepted": 1}


def test_a_later_stage_belongs_to_the_latest_pass_that_began_before_it(lead_table):
    made = lead_table(
        history="""
            lead_id  | at               | stage
            recycled | 2026-01-05 09:00 | mql
            recycled | 2026-01-20 09:00 | mql
            recycled | 2026-01-20 09:00 | accepted
            recycled | 2026-01-25 09:00 | mql
            recycled | 2026-01-28 09:00 | sql
        """,
        passes="every",
        as_of="2026-01-31",
    )
    assert stamps(made, "accepted_us", "sql_us") == [
        ("recycled", "2026-01-05 09:00", None, None),
        ("recycled", "2026-01-20 09:00", 0.0, None),  # accepted at the moment of the entry
        ("recycled", "2026-01-25 09:00", 72.0, 72.0),
    ]


@pytest.mark.parametrize("passes", ["first", "last", "every"])
def test_an_event_before_the_only_entry_makes_the_row_out_of_order(lead_table, passes):
    made = lead_table(
        history="""
            lead_id | at               | stage
            early   | 2026-01-03 09:00 | sql
            early   | 2026-01-05 09:00 | mql
            twice   | 2026-01-03 09:00 | accepted
            twice   | 2026-01-05 09:00 | mql
            twice   | 2026-01-06 09:00 | accepted
        """,
        passes=passes,
        as_of="2026-01-31",
    )
    assert stamps(made, "accepted_us", "sql_us") == [
        ("early", "2026-01-05 09:00", -48.0, -48.0),
        ("twice", "2026-01-05 09:00", 24.0, None),  # the first at or after the entry
    ]
    assert made.ledger["noted"]["out_of_order"] == 1


def test_a_decision_that_was_overturned_after_recycling(lead_table):
    made = lead_table(
        history="""
            lead_id  | at         | stage
            recycled | 2026-01-05 | mql
            recycled | 2026-01-10 | rejected
            recycled | 2026-03-02 | mql
            recycled | 2026-03-05 | accepted
        """,
        passes="first",
    )
    assert made.of("mqls", "rejected", "accepted") == {"mqls": 1, "rejected": 1, "accepted": 0}
    assert made.ledger["noted"]["overturned"] == 1


# --- Leads and history together


def test_the_earliest_stamp_of_a_stage_wins(lead_table):
    made = lead_table(
        """
            lead_id     | created_at       | mql_at           | accepted_at      | source
            from leads  | 2026-01-02 09:00 | 2026-01-05 09:00 | 2026-01-06 09:00 | Web
            from log    | 2026-01-02 09:00 | 2026-01-05 09:00 | 2026-01-08 09:00 | Web
            not in log  | 2026-01-02 09:00 | 2026-01-05 09:00 | 2026-01-07 09:00 | Event
            no stamps   |                  |                  |                  | Event
        """,
        history="""
            lead_id    | at               | stage
            from leads | 2026-01-05 12:00 | mql
            from leads | 2026-01-07 09:00 | accepted
            from log   | 2026-01-04 09:00 | mql
            from log   | 2026-01-06 09:00 | accepted
            from log   | 2025-12-31 09:00 | created
            no stamps  | 2026-01-05 09:00 | mql
        """,
        by=["source"],
    )
    assert stamps(made, "accepted_us", "lag_us") == [
        ("from leads", "2026-01-05 09:00", 24.0, 72.0),
        ("from log", "2026-01-04 09:00", 48.0, 96.0),
        ("no stamps", "2026-01-05 09:00", None, None),
        ("not in log", "2026-01-05 09:00", 48.0, 72.0),
    ]
    assert made.value("mqls", source="Event") == 2


def test_leads_need_no_mql_column_where_the_history_has_the_stage(lead_table):
    made = lead_table(
        """
            lead_id | source
            A       | Web
        """,
        history="""
            lead_id | at         | stage
            A       | 2026-01-05 | mql
        """,
        by=["source"],
    )
    assert made.value("mqls", source="Web") == 1


def test_an_entry_written_down_twice_is_one_pass(lead_table):
    made = lead_table(
        """
            lead_id | mql_at
            A       | 2026-01-05T09:00:00Z
        """,
        history="""
            lead_id | at                        | stage
            A       | 2026-01-05T11:00:00+02:00 | mql
        """,
        passes="every",
    )
    assert made.value("mqls") == 1


def test_events_after_as_of_are_blanked_in_both(lead_table):
    made = lead_table(
        """
            lead_id | mql_at           | accepted_at
            A       | 2026-01-05 09:00 | 2026-02-10 09:00
        """,
        history="""
            lead_id | at               | stage
            A       | 2026-02-11 09:00 | sql
            B       | 2026-02-12 09:00 | mql
            A       | 2026-01-31 09:00 | contacted
        """,
        as_of="2026-02-01",
    )
    assert stamps(made, "accepted_us", "sql_us", "contact_us") == [
        ("A", "2026-01-05 09:00", None, None, 624.0)
    ]
    assert made.ledger["noted"]["after_as_of"] == 3


def test_a_stage_only_the_history_records_is_recorded(lead_table):
    made = lead_table(
        """
            lead_id | mql_at
            A       | 2026-01-05
            B       | 2026-01-06
        """,
        history="""
            lead_id | at         | stage
            A       | 2026-01-07 | rejected
        """,
    )
    assert made.of("accepted", "rejected", "undecided") == {
        "accepted": 0, "rejected": 1, "undecided": 1
    }  # fmt: skip


# --- Zones and precision


def test_a_date_in_a_history_stays_the_date_it_is(lead_table):
    # Midnight in Tallinn is still 31 January in New York.
    made = lead_table(
        history="""
            lead_id | at         | stage
            A       | 2026-02-01 | mql
            A       | 2026-02-04 | sql
        """,
        zones={"history": "Europe/Tallinn"},
        timezone="America/New_York",
    )
    assert made.values("mqls") == {"2026-01": 0, "2026-02": 1, "2026-03": 0}
    assert made.values("sqls_in_period") == {"2026-01": 0, "2026-02": 1, "2026-03": 0}
    assert made.leads.as_of.on.isoformat() == "2026-02-04"


def test_a_history_may_be_in_a_zone_of_its_own(lead_table):
    made = lead_table(
        """
            lead_id | mql_at
            A       | 2026-01-05 09:00
        """,
        history="""
            lead_id | at               | stage
            A       | 2026-01-05 09:00 | sql
        """,
        zones={
            "leads": "Europe/Tallinn",  # 07:00 UTC
            "history": "America/New_York",  # 14:00 UTC
        },
    )
    assert stamps(made, "sql_us") == [("A", "2026-01-05 07:00", 7.0)]


def test_dates_of_a_history_in_a_zone_of_its_own_stay_too(lead_table):
    made = lead_table(
        """
            lead_id | mql_at
            A       | 2026-02-01
        """,
        history="""
            lead_id | at         | stage
            A       | 2026-02-03 | sql
        """,
        zones={
            "leads": "America/New_York",
            "history": "Asia/Tokyo",  # its midnight is 2 February in New York
        },
    )
    assert stamps(made, "sql_us") == [("A", "2026-02-01 05:00", 48.0)]


def test_a_stage_is_timed_if_one_of_its_sources_is(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | sql_at
            A       | 2026-01-05 | 2026-01-07
        """,
        history="""
            lead_id | at               | stage
            B       | 2026-01-05 09:00 | mql
            A       | 2026-01-08       | won
        """,
    )
    assert made.leads.dated == {"sql_at", "won_at"}


# --- A date and a stamp of the same day are one event


def hours_to_acceptance(made):
    return made.value("hours_in_stage_mean")


def test_of_a_date_and_a_stamp_of_that_day_the_stamp_counts(desk):
    desk.write("dates.csv", "lead_id,mql_at,accepted_at\na,2026-01-05,\n")
    desk.write("stamps.csv", "lead_id,mql_at,accepted_at\na,2026-01-05 18:00,2026-01-05 20:00\n")
    made = desk.report(
        {"leads": {"files": ["dates.csv", "stamps.csv"]}}, period="2026-01", sla="4h"
    )
    assert made.of("sla_met", "sla_breached") == {"sla_met": 1, "sla_breached": 0}
    assert hours_to_acceptance(made) == 2


def test_nor_does_the_date_make_a_pass_of_its_own(desk):
    desk.write("leads.csv", "lead_id,mql_at,accepted_at\na,2026-01-05,2026-01-05 20:00\n")
    desk.write("log.csv", "lead_id,at,stage\na,2026-01-05 18:00,mql\n")
    made = desk.report(
        {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["log.csv"]}]},
        period="2026-01",
        passes="every",
    )
    assert made.value("mqls") == 1
    assert hours_to_acceptance(made) == 2


def test_an_earlier_date_still_wins_and_is_counted_as_one_without_a_time(desk):
    desk.write("leads.csv", "lead_id,mql_at\na,2026-01-05\na,2026-01-06 18:00\nb,2026-01-07 9:00\n")
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01")
    assert made.ledger["noted"]["date_without_time"] == 1
    table = made.leads.table.filter(made.leads.table["lead_id"] == "a").to_pyarrow()
    assert f"{instant(table['mql_at'][0].as_py()):%Y-%m-%d %H:%M}" == "2026-01-05 00:00"


# --- One lead under two ids


LONG_ID, SHORT_ID = "00Q5e000001abcdEAA", "00Q5e000001abcd"


def test_a_lead_under_ids_of_15_and_of_18_characters_is_one(desk):
    desk.write("leads.csv", f"lead_id,mql_at\n{LONG_ID},2026-01-05\n{SHORT_ID},2026-01-05\n")
    desk.write(
        "log.csv", f"lead_id,at,stage\n{LONG_ID},2026-01-06,sql\n{SHORT_ID},2026-01-07,won\n"
    )
    made = desk.report(
        {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["log.csv"]}]}, period="2026-01"
    )
    assert made.of("mqls", "sqls") == {"mqls": 1, "sqls": 1}


def test_events_of_both_lengths_find_their_lead(desk):
    desk.write("leads.csv", f"lead_id,mql_at\n{LONG_ID},2026-01-05\n")
    desk.write(
        "log.csv", f"lead_id,at,stage\n{SHORT_ID},2026-01-06,sql\n{LONG_ID},2026-01-07,won\n"
    )
    made = desk.report(
        {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["log.csv"]}]}, period="2026-01"
    )
    assert made.value("sqls") == 1
    assert "unknown_lead" not in made.tables.ledgers["history"].noted


def test_a_history_of_other_leads_is_refused(desk):
    desk.write("leads.csv", "lead_id,mql_at\n123,2026-01-05\n")
    desk.write("log.csv", "lead_id,at,stage\n123.0,2026-01-06,sql\n")
    described = {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["log.csv"]}]}
    with pytest.raises(SourceError) as raised:
        desk.report(described, period="2026-01")
    assert str(raised.value) == (
        "history: none of its 1 events belongs to a lead.\n"
        "  Found:    ids such as '123.0' in the history, '123' in the leads\n"
        "  Fix:      map lead_id, in both, to a column with the same ids"
    )


@pytest.mark.parametrize("small", [1_000_000, 0], ids=["with care", "in one scan"])
def test_ids_of_both_lengths_are_one_lead_however_large_the_table(desk, monkeypatch, small):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", small)
    desk.write(
        "leads.csv",
        f"lead_id,mql_at\n{LONG_ID},2026-01-05T09:00:00Z\n{SHORT_ID},2026-01-06T09:00:00Z\n",
    )
    tables = desk.read({"leads": {"files": ["leads.csv"]}})
    assert tables.leads.count().to_pyarrow().as_py() == 1


@pytest.mark.parametrize(("year", "as_of", "noted"), [(2031, "auto", 1), (2031, "2026-07-31", None),
                                                      (2026, "auto", None)])  # fmt: skip
def test_a_cut_off_by_a_single_lead_is_noted(desk, year, as_of, noted):
    lines = [f"L{n},2026-0{1 + n % 6}-{1 + n % 28:02},2026-06-{1 + n % 28:02}" for n in range(120)]
    rows = "\n".join(["lead_id,mql_at,sql_at", *lines, f"X,{year}-05-03,{year}-06-03"])
    desk.write("leads.csv", rows + "\n")
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01", as_of=as_of)
    assert made.ledger["noted"].get("lead_alone_in_the_last_month") == noted


def test_a_small_export_may_end_with_a_single_lead(desk):
    desk.write("leads.csv", "lead_id,mql_at\na,2026-01-05\nb,2026-06-06\n")
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01")
    assert "lead_alone_in_the_last_month" not in made.ledger["noted"]
