"""Limits: which figures break them, in the lines on stderr and in the banner of the page."""

from __future__ import annotations

import json

import pytest

from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams
from mqlkit.metrics.limits import figures_of, limit_lines
from mqlkit.metrics.report import read_report
from mqlkit.pages.document import metrics_document
from mqlkit.views import verdicts

LEADS = """\
lead_id,mql_at,accepted_at
A1,2026-01-05T09:00:00Z,2026-01-06T09:00:00Z
A2,2026-01-05T09:00:00Z,2026-01-16T09:00:00Z
A3,2026-01-12T09:00:00Z,2026-01-13T09:00:00Z
A4,not a date,
"""
LIMITS = {
    "sla_attainment": "< 0.8",
    "cost_per_mql": "> 1",
    "rows_set_aside": "> 0.2",
}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    (folder / "leads.csv").write_text(LEADS, encoding="utf-8")
    (folder / "source.yaml").write_text("leads: {files: [leads.csv]}\n", encoding="utf-8")
    given = {"source": str(folder / "source.yaml"), "period": "2026-01", "max_set_aside": 0.5}
    limits = {"fail_on": LIMITS, "warn_on": {"mqls": ">= 3"}}
    return read_report(ReportParams.from_mapping({**given, "by": [], **limits}))


def test_the_lines_name_what_is_broken_and_pass_over_what_is_not_known(numbers):
    figures = figures_of(json.loads(json.dumps(metrics_document(numbers))))
    assert figures.get("cost_per_mql") is None
    assert limit_lines(LIMITS, figures, kind="fail_on") == [
        "sla_attainment is 0.666667, and fail_on says < 0.8.",
        "rows_set_aside is 0.25, and fail_on says > 0.2.",
    ]


def test_the_banner_says_the_same(numbers):
    found = verdicts.data_quality.limits(numbers.data_quality)
    assert [(v.text, v.tone) for v in found] == [
        ("Limit broken: SLA attainment is 66.7% (fail_on: < 0.8).", "bad"),
        ("Limit broken: Rows that cannot be used is 25.0% (fail_on: > 0.2).", "bad"),
        ("Warning: MQLs is 3 (warn_on: >= 3).", "bad"),
    ]


@pytest.mark.parametrize("name", ["fail_on", "warn_on"])
def test_a_limit_on_nothing_is_refused_with_the_nearest(name):
    with pytest.raises(ParamsError, match=f"{name}: metric 'rows_setaside' is unknown") as refused:
        ReportParams.from_mapping({name: {"rows_setaside": "> 0.1"}})
    assert "did you mean 'rows_set_aside'?" in str(refused.value)
