"""The leads behind closed figures that are not what was reported: late, edited, gone."""

from __future__ import annotations

import stat

import pandas as pd
import pytest
from runs import mqlkit_run, write_yaml

from mqlkit.metrics.report import compute_report
from mqlkit.pages import changed_leads as behind
from mqlkit.pages.changed_leads import find_changed_leads, write_leads
from mqlkit.pages.document import metrics_document
from mqlkit.pages.revisions import ChangedLead, Revision, revision_lines, revisions

HEADER = "lead_id,mql_at,accepted_at,sql_at,source"
THEN = [
    "stays,2026-01-05T09:00:00Z,2026-01-06T09:00:00Z,2026-01-20T09:00:00Z,Web",
    "ripens,2026-01-08T09:00:00Z,,,Web",
    "decided,2026-01-12T09:00:00Z,,,Web",
    "gone,2026-01-13T09:00:00Z,,,Web",
    "moved,2026-01-31T22:30:00Z,,,Web",  # in Tallinn it is February
    "renamed,2026-01-15T09:00:00Z,,,Web",
    "open,2026-02-03T09:00:00Z,,,Web",
]
NOW = [
    THEN[0],
    "ripens,2026-01-08T09:00:00Z,2026-02-11T09:00:00Z,2026-02-12T09:00:00Z,Web",
    "decided,2026-01-12T09:00:00Z,2026-01-13T09:00:00Z,2026-01-14T09:00:00Z,Web",
    "moved,2026-01-31T20:30:00Z,,,Web",
    "renamed,2026-01-15T09:00:00Z,,,Fair",
    "open,2026-02-04T09:00:00Z,,,Web",
    "late,2026-01-30T09:00:00Z,,,Web",
]
FOUND = {
    ("MQLs", "gone", "deleted"),
    ("MQLs", "late", "added later"),
    ("MQLs", "moved", "MQL was 1 Feb 2026, now 31 Jan 2026"),
    ("MQLs", "renamed", "source was Web, now Fair"),
    ("Open MQLs", "decided", "decision was empty, now 13 Jan 2026"),
    ("Open MQLs", "gone", "deleted"),
    ("Open MQLs", "late", "added later"),
    ("Open MQLs", "moved", "MQL was 1 Feb 2026, now 31 Jan 2026"),
    ("Open MQLs", "renamed", "source was Web, now Fair"),
    ("SQLs dated in the bucket", "decided", "SQL was empty, now 14 Jan 2026"),
}


@pytest.fixture
def said(desk, tmp_path):
    """Work out a report of some rows as of a day."""

    def report(rows, as_of, **given):
        desk.write("leads.csv", "\n".join([HEADER, *rows]) + "\n")
        basis = {"period": "2026-01..2026-02", "timezone": "Europe/Tallinn", "by": ["source"]}
        source = {"leads": {"files": ["leads.csv"]}}
        made = desk.report(source, **{**basis, "as_of": as_of, **given})
        return compute_report(made.leads, made.tables)

    return report


@pytest.fixture
def compared(said, tmp_path):
    """Return what a second report finds in the list of the first, and the lines it has for it."""

    def compare(first, second, **given):
        path = tmp_path / "q.leads.parquet"
        numbers = said(first, "2026-02-10", **given)
        write_leads(numbers.lead_data, path)
        then = metrics_document(numbers)
        numbers = said(second, "2026-02-28", **given)
        now = metrics_document(numbers)
        revised = revisions(then, now)
        found = find_changed_leads(revised, path, numbers.lead_data)
        return found, revision_lines(revised, then, now, found), path

    return compare


def test_each_lead_is_named_with_what_has_changed(compared):
    found, lines, _ = compared(THEN, NOW)
    assert {(row.figure, row.lead_id, row.what) for row in found} == FOUND
    # A bucket that was open when it was reported may change; so may what came after.
    assert {row.bucket for row in found} == {"2026-01"}
    *_, leads, files = lines
    assert leads == (
        "5 leads: 'decided' (decision was empty, now 13 Jan 2026), 'gone' (deleted), 'late' "
        "(added later) and 2 more; see revised.csv next to the page."
    )
    assert files.startswith("files that differ")


def test_few_leads_are_all_named(compared):
    _, lines, _ = compared(THEN, [*THEN, NOW[-1]])
    assert "1 lead: 'late' (added later); see revised.csv next to the page." in lines


def test_a_lead_that_comes_in_twice_is_compared_pass_by_pass(desk, tmp_path):
    desk.write("leads.csv", "lead_id,source\ntwice,Web\n")
    source = {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["history.csv"]}]}
    given = {"period": "2026-01..2026-02", "timezone": "UTC", "passes": "every"}
    documents, path = [], tmp_path / "q.leads.parquet"
    for days, as_of in (((5, 9), "2026-02-10"), ((5, 20), "2026-02-28")):
        rows = "".join(f"twice,2026-01-{d:02}T09:00:00Z,mql\n" for d in days)
        desk.write("history.csv", f"lead_id,at,stage\n{rows}")
        made = desk.report(source, **given, as_of=as_of)
        numbers = compute_report(made.leads, made.tables)
        documents.append(metrics_document(numbers))
        if len(documents) == 1:
            write_leads(numbers.lead_data, path)
    # As many MQLs as before: nothing to tell of.
    assert find_changed_leads(revisions(*documents), path, numbers.lead_data) == []
    one = Revision("mqls", "2026-01", "2026-01-01", "2026-02-01", [])
    (other,) = (Revision("mqls", "the day", "2026-01-09", "2026-01-10", []),)
    assert find_changed_leads([one], path, numbers.lead_data) == []
    (row,) = find_changed_leads([other], path, numbers.lead_data)
    assert row.what == "MQL was 5 Jan 2026, 9 Jan 2026, now 5 Jan 2026, 20 Jan 2026"


def test_the_list_is_for_its_owner_alone(compared):
    _, _, path = compared(THEN, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(pd.read_parquet(path)) == len(THEN)


def test_redacted_no_lead_is_kept_or_named(compared):
    found, lines, path = compared(THEN, NOW, redact=True)
    assert found == []
    assert lines
    assert not any("leads:" in line for line in lines)
    assert pd.read_parquet(path).empty


def test_of_too_many_leads_no_list_is_kept(compared, monkeypatch):
    monkeypatch.setattr(behind, "MOST_LEADS", 3)
    found, _, path = compared(THEN, NOW)
    assert found == []
    assert pd.read_parquet(path).empty


def test_a_list_that_is_none_is_passed_over(said, tmp_path):
    path = tmp_path / "q.leads.parquet"
    then = metrics_document(said(THEN, "2026-02-10"))
    numbers = said(NOW, "2026-02-28")
    found = revisions(then, metrics_document(numbers))
    for content in (b"", b"PAR1", b"no parquet at all"):
        path.write_bytes(content)
        assert find_changed_leads(found, path, numbers.lead_data) == [], content


def test_a_run_names_them_on_the_page_on_stderr_and_in_a_file(desk, tmp_path):
    desk.describe({"leads": {"files": ["leads.csv"]}})
    given = {"period": "2026-01..2026-02", "source": str(tmp_path / "source.yaml")}
    write_yaml(tmp_path / "q.yaml", given)
    evil = "=<b>&1,2026-01-30T09:00:00Z,,,Web"
    for rows, day in ((THEN, "2026-02-10"), ([*THEN, evil], "2026-02-28")):
        desk.write("leads.csv", "\n".join([HEADER, *rows]) + "\n")
        done = mqlkit_run("q.yaml", "--as-of", day, cwd=tmp_path)
        assert done.code == 0, done.stderr
    assert "1 lead: '=<b>&1' (added later); see revised.csv next to the page." in done.stderr
    assert "1 lead: &#x27;=&lt;b&gt;&amp;1&#x27; (added later)" in done.html("q")
    rows = (done.out / "q.revised.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows == [
        "figure,bucket,lead_id,what",
        "MQLs,2026-01,'=<b>&1,added later",
        "Open MQLs,2026-01,'=<b>&1,added later",
    ]
    assert ChangedLead("MQLs", "2026-01", "=<b>&1", "added later").lead_id not in str(
        done.metrics("q")
    )
