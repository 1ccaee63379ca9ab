"""The page over the reports of a folder."""

from __future__ import annotations

import json
import re

import pytest

from mqlkit.pages.index import overview

TOTALS = {
    "mqls": 2910, "goal_attainment": 1.025, "efficiency": 0.279, "sla_attainment": 0.718,
    "cost_per_mql": 98.02, "wasted_cost": None,
}  # fmt: skip


def document(**changes):
    metrics = [
        {"metric": name, "segment": None, "bucket": "total", "value": value}
        for name, value in TOTALS.items()
    ]
    by_month = {"metric": "mqls", "segment": None, "bucket": "2026-01", "value": 7}
    return {
        "title": "Q1",
        "as_of": "2026-04-01T00:00:00+03:00",
        "period": {"start": "2026-01-01", "end": "2026-04-01", "grain": "month"},
        "currency": "EUR",
        "ledger": {"leads": {"read": 100, "set_aside": {"bad_date": 2}}},
        "params": {},
        "metrics": [by_month, *metrics],
        **changes,
    }


@pytest.fixture
def page_of(tmp_path):
    def write(**documents):
        for name, content in documents.items():
            (tmp_path / f"{name}.metrics.json").write_text(json.dumps(content), encoding="utf-8")
            (tmp_path / f"{name}.html").write_text("", encoding="utf-8")
        return overview(tmp_path)

    return write


def test_a_report_is_shown_with_its_figures(page_of):
    page = page_of(q1=document())
    assert '<a href="q1.html">Q1</a>' in page
    assert "1 Jan 2026 – 31 Mar 2026 · as of 31 Mar 2026" in page
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page) == [
        ("MQLs", "2,910"), ("of the goal", "102.5%"), ("MQL→SQL conversion", "27.9%"),
        ("SLA attainment", "71.8%"), ("Cost per MQL", "€98.02"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, []),
        ({"fail_on": {"sla_attainment": "< 0.5"}}, ["Within limits"]),
        ({"fail_on": {"sla_attainment": "< 0.8"}}, ["Limit broken: SLA attainment"]),
        ({"warn_on": {"rows_set_aside": "> 0.01"}}, ["Warning: Rows that cannot be used"]),
        (
            {"fail_on": {"sla_attainment": "< 0.8"}, "warn_on": {"mqls": "< 9999"}},
            ["Limit broken: SLA attainment"],
        ),
    ],
)
def test_its_status_is_that_of_its_limits(page_of, params, says):
    page = page_of(q=document(params=params))
    assert re.findall(r'<p class="(?:good|bad)">.*?</span> (.*?)</p>', page) == says


def test_the_newest_comes_first_and_of_one_period_the_latest_cut_off(page_of):
    later = document(title="later", as_of="2026-04-09T12:00:00+03:00")
    older = document(title="older", period={"start": "2025-01-01", "end": "2026-01-01"})
    page = page_of(a=document(title="first"), b=older, c=later)
    assert re.findall(r"<a href=[^>]*>(.*?)</a>", page) == ["later", "first", "older"]
    assert "3 reports" in page


def test_text_from_the_data_stays_text(page_of):
    title = "<script>alert(1)</script>"
    page = page_of(**{"a b#c": document(title=title, currency="<b>")})
    assert "<script" not in page
    assert "<b>" not in page
    assert 'href="a%20b%23c.html"' in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "spoilt", [{"period": {"start": "x", "end": "y"}}, {"metrics": None}, {"as_of": "then"}]
)
def test_a_file_that_only_looks_like_a_report_is_left_out(page_of, spoilt):
    page = page_of(good=document(), bad=document(**spoilt))
    assert "bad.html" not in page
    assert "good.html" in page
