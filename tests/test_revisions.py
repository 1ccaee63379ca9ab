"""Figures of closed buckets that are not what the last report said."""

from __future__ import annotations

import json

import pytest

from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import read_report
from mqlkit.pages.document import metrics_document
from mqlkit.pages.metrics_file import write_metrics
from mqlkit.pages.revisions import last_report, revision_lines, revisions

LEADS = """\
lead_id,created_at,mql_at,sql_at,source
A1,2026-01-01T09:00:00Z,2026-01-05T09:00:00Z,2026-01-20T09:00:00Z,Web
A2,2026-01-02T09:00:00Z,2026-01-12T09:00:00Z,,Event
A3,2026-02-01T09:00:00Z,2026-02-03T09:00:00Z,,Web
"""
LATE = "A4,2026-01-03T09:00:00Z,2026-01-15T09:00:00Z,,Web\n"
LATER = "A5,2026-02-14T09:00:00Z,2026-02-15T09:00:00Z,2026-02-16T09:00:00Z,Web\n"


def lines_of(then, now):
    return revision_lines(revisions(then, now), then, now)


@pytest.fixture
def report(tmp_path):
    """Return a function that makes a report's metrics.json from leads."""
    (tmp_path / "source.yaml").write_text("leads: {files: [leads.csv]}\n", encoding="utf-8")

    def make(leads, **given):
        (tmp_path / "leads.csv").write_text(leads, encoding="utf-8")
        basis = {"source": str(tmp_path / "source.yaml"), "period": "2026-01..2026-02"}
        params = ReportParams.from_mapping({"as_of": "2026-02-10", **basis, **given})
        return json.loads(json.dumps(metrics_document(read_report(params))))

    return make


def test_the_same_again_is_no_revision(report):
    assert lines_of(report(LEADS), report(LEADS)) == []


def test_a_bucket_that_was_open_may_grow_and_a_cohort_may_ripen(report):
    then = report(LEADS)
    ripe = LEADS.replace("2026-01-12T09:00:00Z,,", "2026-01-12T09:00:00Z,2026-02-20T09:00:00Z,")
    assert lines_of(then, report(ripe + LATER, as_of="2026-02-28")) == []


def test_a_late_lead_of_a_closed_bucket_is_told_with_its_segment_and_file(report):
    lines = lines_of(report(LEADS), report(LEADS + LATE, as_of="2026-02-28"))
    assert lines == [
        "MQLs of 2026-01: reported as 2, now 3 (source Web 1 → 2).",
        "Open MQLs of 2026-01: reported as 1, now 2 (source Web 0 → 1).",
        "files that differ: 'leads.csv'.",
    ]


def test_a_lead_that_has_changed_its_segment_is_told_too(report):
    (line, *_) = lines_of(report(LEADS), report(LEADS.replace(",Event", ",Web")))
    assert line.startswith("MQLs of 2026-01: total unchanged, but segments changed (")


def test_another_filter_is_another_report(report):
    then = report(LEADS)
    assert lines_of(then, report(LEADS + LATE, where={"source": ["Web"]})) == []


def test_what_is_none_of_ours_is_passed_over(report, tmp_path):
    now = report(LEADS)
    assert lines_of({}, now) == []
    assert lines_of({"params": None}, now) == []
    (tmp_path / "no.json").write_text("[1]", encoding="utf-8")
    assert last_report([tmp_path / "no.json", tmp_path / "nowhere.json"], now) is None


def test_the_last_report_is_the_latest_that_is_no_later_and_another(report, tmp_path):
    days = ("2026-02-05", "2026-02-10", "2026-02-20")
    paths = [tmp_path / f"{day}.json" for day in days]
    for path, day in zip(paths, days, strict=True):
        path.write_text(json.dumps(report(LEADS, as_of=day)), encoding="utf-8")
    found = last_report(paths, report(LEADS, as_of="2026-02-10"))
    assert found is not None
    path, document = found
    assert path.name == "2026-02-05.json"
    assert document["as_of"].startswith("2026-02-06")


def test_of_millions_of_rows_only_those_are_kept_that_differ(report, tmp_path):
    path, now = tmp_path / "then.json", report(LEADS + LATE, as_of="2026-02-28")
    then = report(LEADS)
    facts = {name: value for name, value in then.items() if name not in ("metrics", "funnel")}
    write_metrics(path, facts, then["metrics"])
    _, document = last_report([path], now)
    kept = {(row["metric"], row["bucket"]) for row in document["metrics"] if row["segment"]}
    # February was not over, and one lead came late.
    assert ("mqls", "2026-01") in kept
    assert ("sqls_in_period", "2026-01") not in kept
    assert lines_of(document, now) == lines_of(then, now)
    # With another filter, no number is compared.
    _, document = last_report([path], report(LEADS + LATE, where={"source": ["Web"]}))
    assert all(row["segment"] is None for row in document["metrics"])
