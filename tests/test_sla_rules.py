"""SLAs of their own for some leads: each lead against its own promise and its own clock."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams
from mqlkit.metrics import lead_lists, sla
from mqlkit.metrics.report import Report, compute_report
from mqlkit.metrics.tidy import series
from mqlkit.views import charts, tables

OUTCOMES = ("sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_due_soon")
DEMO = {"where": {"source": ["Demo"]}, "sla": "1h", "clock": "business"}
SOUTH = {"where": {"team": ["South"]}, "sla": "24h", "clock": "calendar"}
# Friday 9 January 2026 to Wednesday; the team works from nine to half past twelve and from half
# past one to six.
LEADS = """
    lead_id                           | mql_at           | contacted_at     | source | team
    30 minutes at work, over lunch    | 2026-01-09 12:15 | 2026-01-09 13:45 | Demo   | South
    an hour and a minute at work      | 2026-01-09 12:00 | 2026-01-09 14:01 | Demo   | North
    Demo and still open               | 2026-01-12 10:00 |                  | Demo   | North
    24 hours to the minute            | 2026-01-10 12:00 | 2026-01-11 12:00 | Web    | South
    over the weekend, two days late   | 2026-01-09 12:00 | 2026-01-12 12:00 | Web    | South
    contacted before the MQL          | 2026-01-09 12:00 | 2026-01-09 11:00 | Web    | South
    16 working hours to the minute    | 2026-01-09 12:00 | 2026-01-13 12:00 | Web    | North
    a minute more                     | 2026-01-09 12:00 | 2026-01-13 12:01 | Web    |
    due soon, 13 of 16 hours          | 2026-01-12 14:00 |                  | Web    | North
    not due soon, 11 of 16 hours      | 2026-01-12 16:00 |                  | Web    | North
"""


@pytest.fixture(scope="module")
def ruled(lead_table):
    return lead_table(
        LEADS,
        zones={"leads": "Europe/Tallinn"},
        as_of="2026-01-14T10:00:00+02:00",
        period="2026-01",
        sla="2d",
        sla_clock="business",
        sla_stops_on="contact",
        sla_rules=[DEMO, SOUTH],
        work_week="Mon-Fri 09:00-12:30 13:30-18:00",
    )


def test_each_lead_is_judged_by_the_first_rule_that_fits(ruled):
    assert ruled.of(*OUTCOMES) == {
        "sla_met": 3, "sla_breached": 4, "sla_past_due": 1, "sla_pending": 2, "sla_due_soon": 1
    }  # fmt: skip


def test_rules_in_another_order_judge_other_leads(ruled):
    # The first lead now has 24 calendar hours, which it meets as well; the Demo leads of team
    # North keep their hour.
    other = ruled.again(sla_rules=[{**SOUTH, "sla": "1h"}, DEMO])
    assert other.value("sla_met") == 1
    assert other.value("sla_breached") == 6


def test_lateness_and_due_times_are_on_the_clock_of_each_promise(ruled):
    found = lead_lists.breach_list(ruled.leads).set_index("lead_id")
    assert {
        lead: (f"{row['due']:%d %H:%M}", round(row["hours_late"], 4), row["is_open"])
        for lead, row in found.iterrows()
    } == {
        # Half an hour before lunch, half an hour after.
        "an hour and a minute at work": ("09 14:00", 0.0167, False),
        # 1.5 + 4.5 working hours on Monday, 8 on Tuesday and 1 on Wednesday, less the hour.
        "Demo and still open": ("12 11:00", 15, True),
        "over the weekend, two days late": ("10 12:00", 48, False),
        "a minute more": ("13 12:00", 0.0167, False),
    }


def test_the_open_leads_that_are_due_soon_are_listed(ruled):
    (row,) = lead_lists.due_soon_list(ruled.leads).to_dict("records")
    # 4 hours of Monday, 8 of Tuesday and 1 of Wednesday, until Wednesday at 14:00.
    assert (row["lead_id"], f"{row['due']:%d %H:%M}") == ("due soon, 13 of 16 hours", "14 14:00")
    assert (row["hours_left"], row["day_hours"]) == (3, 8)


def test_how_many_leads_each_rule_ruled(ruled):
    found = sla.sla_by_rule(ruled.leads)
    columns = ["holds_for", "promise", "leads", "met", "breached", "pending", "unmeasurable"]
    assert found[columns].to_numpy().tolist() == [
        ["source: Demo", "1 working hour", 3, 1, 2, 0, 0],
        ["team: South", "24 hours", 3, 1, 1, 0, 1],
        ["all other leads", "2 working days", 4, 1, 1, 2, 0],
    ]
    assert found["attainment"].tolist() == [1 / 3, 0.5, 0.5]
    # A filter and a rule that fits no lead.
    web = ruled.again(where={"source": ["Web"]})
    assert sla.sla_by_rule(web.leads)["leads"].tolist() == [0, 3, 4]
    assert sla.sla_by_rule(ruled.again(sla_rules=[]).leads) is None
    assert sla.sla_by_rule(ruled.again(sla_stops_on="decision").leads) is None


def test_a_redacted_page_merges_the_rules_for_few_leads(lead_table):
    rows = [f"{i} | 2026-01-05 | 2026-01-06 | {'Demo' if i < 3 else 'Web'}" for i in range(20)]
    made = lead_table(
        "\n".join(["lead_id | mql_at | accepted_at | source", *rows]),
        period="2026-01",
        redact=True,
        sla_rules=[DEMO, {"where": {"source": ["Fair"]}, "sla": "1h"}],
    )
    found = sla.sla_by_rule(made.leads)
    # Three leads could be derived from the total, so they are merged with the next larger group.
    assert found[["holds_for", "promise", "leads"]].to_numpy().tolist() == [["(other)", "", 20]]


def test_time_in_stage_stays_on_the_clock_of_the_report(lead_table):
    made = lead_table(
        """
            lead_id          | mql_at           | accepted_at      | source
            Friday to Monday | 2026-01-09 16:00 | 2026-01-12 16:00 | Web
        """,
        period="2026-01",
        sla_clock="business",
        sla_rules=[{"where": {"source": ["Web"]}, "sla": "71h", "clock": "calendar"}],
    )
    assert made.value("hours_in_stage_mean") == 8
    # 72 hours of the calendar.
    assert made.value("sla_breached") == 1
    assert made.again(sla_rules=[]).value("sla_met") == 1


def test_a_rule_without_a_clock_takes_that_of_the_report(lead_table):
    made = lead_table(
        """
            lead_id          | mql_at           | accepted_at      | source
            Friday to Monday | 2026-01-09 16:00 | 2026-01-12 16:00 |
        """,
        period="2026-01",
        sla_rules=[{"where": {"source": ["(missing)"]}, "sla": "8h"}],
    )
    assert made.value("sla_breached") == 1
    assert made.again(sla_clock="business").value("sla_met") == 1


def test_a_rule_judges_as_a_report_on_its_leads_alone(ruled):
    demo = ruled.again(where=DEMO["where"], sla="1h", sla_rules=[])
    others = ruled.again(where={"source": ["Web"]}, sla_rules=[SOUTH])
    both = {name: demo.value(name) + others.value(name) for name in OUTCOMES}
    assert ruled.of(*OUTCOMES) == both


def test_the_share_from_which_a_lead_is_due_soon_can_be_chosen(ruled):
    # Elapsed: 14 h 00 on Monday to Wednesday 10:00 is 4 + 8 + 1 hours, from 16:00 two less.
    shares = {warn: ruled.again(sla_warn=warn).value("sla_due_soon") for warn in (0, 0.6875, 0.82)}
    assert shares == {0: 2, 0.6875: 2, 0.82: 0}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"where": {"source": ["Demo"]}, "sla": "1h"},
            (
                "sla_rules {'where': {'source': ['Demo']}, 'sla': '1h'} is not usable.\n"
                "  Expected: a list of rules, such as [{where: {source: [Demo]}, sla: 1h}]"
            ),
        ),
        (
            ["1h"],
            (
                "sla_rules, rule 1 '1h' is not usable.\n"
                "  Expected: where and sla, as in [{where: {source: [Demo]}, sla: 1h}]"
            ),
        ),
        (
            [DEMO, {**SOUTH, "hours": 8}],
            ("sla_rules, rule 2: key 'hours' is unknown.\n  Fix:      one of where, sla, clock"),
        ),
        (
            [{"sla": "1h"}],
            (
                "sla_rules, rule 1 has no where.\n"
                "  Expected: where and sla, as in [{where: {source: [Demo]}, sla: 1h}]\n"
                "  Fix:      the SLA of all other leads is the parameter sla"
            ),
        ),
        (
            [{**DEMO, "sla": 1}],
            (
                "sla_rules, rule 1 '1' is not a duration with a unit.\n"
                "  Expected: a number above zero and min, h, d or w\n"
                '  Fix:      write for example "48h" or "2d"'
            ),
        ),
        (
            [{**DEMO, "clock": "work"}],
            (
                "sla_rules, rule 1, clock: choice 'work' is unknown.\n"
                "  Fix:      one of calendar, business"
            ),
        ),
        (
            [{**DEMO, "where": ["Demo"]}],
            (
                "sla_rules, rule 1, where ['Demo'] is not usable.\n"
                "  Expected: columns with lists of values, such as {country: [EE, LV]}"
            ),
        ),
    ],
)
def test_rules_that_cannot_be_used(rules, message):
    with pytest.raises(ParamsError) as raised:
        ReportParams.from_mapping({"sla_rules": rules})
    assert str(raised.value) == f"parameters: {message}"


def test_rules_are_kept_in_one_form():
    given = [{"where": {"size": 10}, "sla": "1 H", "clock": "Business"}, {**SOUTH, "clock": None}]
    params = ReportParams.from_mapping({"sla_rules": given})
    assert params.sla_rules == [
        {"where": {"size": ["10"]}, "sla": "1 h", "clock": "business"},
        {"where": {"team": ["South"]}, "sla": "24h"},
    ]
    assert ReportParams.from_mapping({"sla_rules": None}).sla_rules == []


def test_a_rule_on_a_column_that_no_file_has(read_lead_table):
    with pytest.raises(ParamsError) as raised:
        read_lead_table(
            LEADS, sla_rules=[DEMO, {**SOUTH, "where": {"taem": ["South"], "size": ["10"]}}]
        )
    assert str(raised.value) == (
        "sla_rules, rule 2: column 'taem' is unknown.\n"
        "  Fix:      did you mean 'team'?\n"
        "sla_rules, rule 2: column 'size' is unknown.\n"
        # Neither the id nor the timestamps of a lead, which no rule can fit.
        "  Fix:      one of source, team"
    )


def test_a_report_names_the_line_of_what_does_not_fit_its_data(desk):
    desk.write("leads.csv", "lead_id,mql_at,source\nA,2026-01-05 10:00,Web\n")
    source = desk.describe({"leads": {"files": ["leads.csv"]}})
    params = desk.write(
        "q1.yaml", f"source: {source.name}\nby: [source]\nwhere: {{sources: [Web]}}\n"
    )
    with pytest.raises(ParamsError) as raised:
        Report.read(params)
    assert str(raised.value) == (
        f"{params}:3: where: column 'sources' is unknown.\n  Fix:      did you mean 'source'?"
    )
    with pytest.raises(ParamsError) as raised:
        Report.read(params, where={"country": ["EE"]})
    assert str(raised.value).startswith(f"{params}: where: column 'country' is unknown.")


def test_a_page_without_personal_data_hides_who_a_rule_is_for():
    rules = [{"where": {"owner": ["Ana"], "source": ["Demo"]}, "sla": "1h"}]
    params = ReportParams.from_mapping({"sla_rules": rules, "redact": True})
    assert params.shown_rules == [
        {"where": {"owner": ["(redacted)"], "source": ["Demo"]}, "sla": "1h"}
    ]


@pytest.mark.parametrize(
    ("given", "outcomes", "line"),
    [
        # One SLA on the decision, which is when a lead leaves the stage.
        ({}, {"within SLA": 1, "after SLA": 1, "open": 1}, "; the dashed line is the SLA."),
        # Some leads have an SLA of their own: the color of all others would be wrong for them.
        (
            {"sla_rules": [{"where": {"source": ["Demo"]}, "sla": "1h"}]},
            {"left": 2, "open": 1},
            "; the dashed line is the SLA of leads without a rule.",
        ),
        # A contact does not end the stage.
        ({"sla_stops_on": "contact"}, {"left": 2, "open": 1}, "by time in stage."),
    ],
)
def test_time_in_stage_is_colored_by_the_sla_only_where_all_leads_have_the_same(
    lead_table, given, outcomes, line
):
    made = lead_table(
        """
            lead_id | mql_at           | contacted_at     | accepted_at      | source
            a day   | 2026-01-09 12:00 | 2026-01-09 13:00 | 2026-01-10 12:00 | Demo
            3 days  | 2026-01-09 12:00 | 2026-01-09 13:00 | 2026-01-12 12:00 | Web
            open    | 2026-01-09 12:00 | 2026-01-09 13:00 |                  | Web
        """,
        period="2026-01", as_of="2026-01-15", sla="2d", **given,
    )  # fmt: skip
    waiting = compute_report(made.leads, made.tables).waiting
    bins = series(waiting, "histogram")
    assert bins.groupby("outcome")["leads"].sum().to_dict() == outcomes
    chart = charts.waiting.histogram(waiting).to_dict()
    assert chart["description"].endswith(line)
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == list(outcomes)
    assert len(chart["layer"]) == (1 if "contact" in given.values() else 3)
    shown = tables.waiting.histogram(waiting).cells.columns
    assert list(shown[2:]) == [name[0].upper() + name[1:] for name in outcomes]
