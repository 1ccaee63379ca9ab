"""Not recorded is not zero (metrics.md §2): stages of which the data holds no timestamp."""

from __future__ import annotations

import math

import pytest

from mqlkit.core.names import NO_COLUMN, NO_MAPPING, NO_VALUE, STAGES
from mqlkit.core.params import ReportParams
from mqlkit.metrics.lead_lists import waiting_list
from mqlkit.metrics.report import read_report
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.waiting import time_in_stage

JAN = {"period": "2026-01", "as_of": "2026-01-31"}
HOURS = [f"hours_in_stage_{name}" for name in ("mean", "median", "p90", "km_median")]
ONLY_MQLS = "lead_id | mql_at\na | 2026-01-05 10:00\nb | 2026-01-06 10:00"


def test_without_a_decision_nothing_is_in_the_stage(lead_table):
    made = lead_table(ONLY_MQLS, **JAN)
    for metric in ("in_stage", *HOURS):
        assert made.value(metric) is None
        assert made.flags(metric) == {"not-recorded"}
    assert made.value("mqls") == 2
    assert waiting_list(made.leads).empty
    assert made.leads.reasons().empty


@pytest.mark.parametrize("stage", ["accepted", "rejected", "sql"])
def test_one_decision_is_a_record(lead_table, stage):
    made = lead_table(f"{ONLY_MQLS}\nc | 2026-01-07 10:00", history=f"""
        lead_id | at               | stage
        a       | 2026-01-05 12:00 | {stage}
    """, **JAN)  # fmt: skip
    assert made.of("in_stage", "hours_in_stage_mean") == {"in_stage": 2, "hours_in_stage_mean": 2}
    assert len(waiting_list(made.leads)) == 2


def test_a_stage_is_recorded_whatever_the_filter(lead_table):
    leads = """
        lead_id       | mql_at           | source | contacted_at     | sql_at
        kept          | 2026-01-05 10:00 | Web    |                  |
        filtered out  | 2026-01-05 10:00 | Event  | 2026-01-05 10:30 | 2026-01-06 10:00
    """
    made = lead_table(leads, where={"source": ["Web"]}, **JAN)
    assert made.of("contacted_within_1h", "sqls", "in_stage") == {
        "contacted_within_1h": 0, "sqls": 0, "in_stage": 1,
    }  # fmt: skip
    assert set(made.leads.missing_stages) == {"created", "accepted", "rejected", "won"}


def test_why_a_stage_is_not_recorded(desk):
    desk.write("leads.csv", "lead_id,mql_at,Contact Day,sql_at\n1,2026-01-05 10:00,,\n")
    desk.write("log.csv", "lead_id,at,stage\n1,2026-01-06 10:00,Won it\n1,2026-01-07 10:00,Taken\n")
    source = {
        "leads": {"files": ["leads.csv"], "columns": {"contacted_at": "Contact Day"}},
        "history": [{"files": ["log.csv"], "stages": {"accepted": ["Taken"], "rejected": ["No"]}}],
    }
    made = desk.report(source, **JAN)
    assert made.leads.missing_stages == {
        "contacted": NO_VALUE,  # a column under another name, without any value
        "sql": NO_VALUE,
        "rejected": NO_VALUE,  # a mapping that no event has
        "created": NO_MAPPING,  # `Won it` is not mapped, and could be any of these
        "won": NO_MAPPING,
    }


def test_a_column_that_is_not_there(desk):
    desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-05 10:00\n")
    missing = desk.report({"leads": {"files": ["leads.csv"]}}, **JAN).leads.missing_stages
    assert missing == {stage: NO_COLUMN for stage in STAGES if stage != "mql"}
    desk.write("log.csv", "lead_id,at,stage\n1,2026-01-05 10:00,MQL\n")
    made = desk.report({"history": [{"files": ["log.csv"], "stages": {"mql": ["MQL"]}}]}, **JAN)
    assert made.leads.missing_stages == missing


def test_a_section_says_why_its_stage_is_not_recorded(desk):
    desk.write("leads.csv", "lead_id,mql_at,SQL Day,accepted_at\n1,2026-01-05 10:00,,\n")
    desk.write("log.csv", "lead_id,at,stage\n1,2026-01-06 10:00,Called\n")
    source = {
        "leads": {"files": ["leads.csv"], "columns": {"sql_at": "SQL Day"}},
        "history": [{"files": ["log.csv"], "stages": {"rejected": ["No"]}}],
    }
    path = desk.describe(source)
    params = ReportParams.from_mapping({"source": str(path), "by": [], **JAN})
    report = read_report(params)
    assert constant(report.efficiency, "missing") == "sql_at (SQL Day has no values)"
    assert constant(report.handoff, "missing") == (
        "accepted_at (accepted_at has no values) or "
        "rejected_at (no event of the history is mapped to it)"
    )
    assert constant(report.response, "missing") == (
        "contacted_at (the history has stages that are not mapped: 'Called')"
    )
    redacted = read_report(params.changed({"redact": True}))
    assert constant(redacted.response, "missing") == (
        "contacted_at (the history has stages that are not mapped)"
    )


def test_a_section_that_lacks_two_things_says_so_in_one_sentence(desk):
    desk.write("leads.csv", "lead_id,created_at,mql_at\n1,2026-01-05 10:00,\n")
    path = desk.describe({"leads": {"files": ["leads.csv"]}})
    report = read_report(ReportParams.from_mapping({"source": str(path), "by": [], **JAN}))
    assert time_in_stage(report.waiting).text == (
        "The data has no mql_at (mql_at has no values) and no accepted_at, rejected_at or sql_at, "
        "so time in stage is not known."
    )


@pytest.mark.parametrize("by", [[], ["amount", "signed"]])
def test_without_an_mql_every_number_of_its_steps_is_empty(desk, by):
    rows = "1,2026-01-05 10:00,,2026-01-08 10:00,5,2026-01-09\n"
    desk.write("leads.csv", f"lead_id,created_at,mql_at,sql_at,amount,signed\n{rows}")
    path = desk.describe({"leads": {"files": ["leads.csv"]}})
    found = read_report(ReportParams.from_mapping({"source": str(path), "by": by, **JAN}))
    assert found.value("mqls") == 0
    assert math.isnan(found.value("efficiency"))
    assert len(found.funnel) > 0
