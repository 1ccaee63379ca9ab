"""Since the last report: its headline beside this one's, and closed figures it had otherwise."""

from __future__ import annotations

import json

import pytest
from runs import mqlkit_run, write_yaml

from mqlkit.core.names import EARLIER_VARIABLE
from mqlkit.metrics.report import compute_report
from mqlkit.pages.document import facts_of, records_of
from mqlkit.pages.metrics_file import write_metrics
from mqlkit.pages.previous import previous, previous_frame
from mqlkit.views import tables, verdicts

HEADER = "lead_id,mql_at,accepted_at,sql_at,source"
JANUARY = ["A,2026-01-05,2026-01-06,2026-01-20,Web", "B,2026-01-06,2026-01-09,,Web"]
LATE = ["C,2026-01-30,2026-02-01,,Fair"]
FEBRUARY = ["D,2026-02-03,2026-02-04,,Web"]


@pytest.fixture
def said(desk, tmp_path):
    """Work out a report of some rows as of a day."""

    def report(rows, as_of):
        desk.write("leads.csv", "\n".join([HEADER, *rows]) + "\n")
        made = desk.report(
            {"leads": {"files": ["leads.csv"]}}, period="2026-01..2026-02", as_of=as_of
        )
        return compute_report(made.leads, made.tables)

    return report


def keep(numbers, path):
    write_metrics(path, facts_of(numbers), records_of(numbers.metrics))


def cells(table):
    return table.cells.to_numpy().tolist()


def test_the_last_report_stands_beside_this_one(said, tmp_path, monkeypatch):
    keep(said(JANUARY, "2026-01-31"), tmp_path / "q.metrics.json")
    now = said([*JANUARY, *FEBRUARY], "2026-02-28")
    monkeypatch.setenv(EARLIER_VARIABLE, str(tmp_path / "q.metrics.json"))
    frame = previous_frame(now)
    assert verdicts.previous.revisions(frame) == []
    table = tables.previous.headline(frame)
    assert table.title == "Since the last report: 1 Jan 2026 – 28 Feb 2026, as of 31 Jan 2026"
    assert cells(table)[:2] == [
        ["MQLs", "2", "3", "+1"], ["MQL→SQL conversion rate", "50.0%", "33.3%", "−16.7 points"],
    ]  # fmt: skip


@pytest.mark.parametrize("definitions", ["1", None], ids=["others", "not said"])
def test_a_report_under_other_definitions_is_not_compared(said, tmp_path, monkeypatch, definitions):
    path = tmp_path / "q.metrics.json"
    keep(said(JANUARY, "2026-02-10"), path)
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["definitions"]
    if definitions:
        document["definitions"] = definitions
    path.write_text(json.dumps(document), encoding="utf-8")
    # Under the same definitions, the late lead would be a revision of January.
    now = said([*JANUARY, *LATE], "2026-02-28")
    monkeypatch.setenv(EARLIER_VARIABLE, str(path))
    assert previous(now).revisions == []
    frame = previous_frame(now)
    (said_once,) = verdicts.previous.revisions(frame)
    assert said_once.text == (
        "The definitions of the numbers have changed since the last report (1 Jan 2026 – "
        "28 Feb 2026, as of 10 Feb 2026), so it is not compared with this one. The next report "
        "will be."
    )
    assert tables.previous.headline(frame) is None


def test_a_closed_figure_that_was_reported_otherwise_is_told(said, tmp_path, monkeypatch):
    keep(said(JANUARY, "2026-02-10"), tmp_path / "q.metrics.json")
    now = said([*JANUARY, *LATE], "2026-02-28")
    monkeypatch.setenv(EARLIER_VARIABLE, str(tmp_path / "*.metrics.json"))
    words = [verdict.text for verdict in verdicts.previous.revisions(previous_frame(now))]
    assert words[0].startswith(
        "Changed since the last report: MQLs of 2026-01: reported as 2, now 3"
    )


def test_without_an_earlier_report_nothing_is_said(said, tmp_path, monkeypatch):
    now = said(JANUARY, "2026-02-28")
    assert previous(now) is None
    monkeypatch.setenv(EARLIER_VARIABLE, str(tmp_path / "q.metrics.json"))
    assert previous(now) is None
    # The same report once more is no earlier one.
    keep(now, tmp_path / "q.metrics.json")
    assert previous(now) is None
    assert tables.previous.headline(previous_frame(now)) is None
    (tmp_path / "q.metrics.json").write_text("[]", encoding="utf-8")
    assert previous(now) is None


def test_a_run_shows_it_on_the_page_and_says_it(desk, tmp_path):
    given = {"period": "2026-01..2026-02", "source": str(tmp_path / "source.yaml")}
    write_yaml(tmp_path / "q.yaml", given)
    desk.describe({"leads": {"files": ["leads.csv"]}})
    for rows, day in ((JANUARY, "2026-02-10"), ([*JANUARY, *LATE], "2026-02-28")):
        desk.write("leads.csv", "\n".join([HEADER, *rows]) + "\n")
        done = mqlkit_run("q.yaml", "--as-of", day, cwd=tmp_path)
        assert done.code == 0, done.stderr
    page = done.html("q")
    assert "Since the last report: 1 Jan 2026 – 28 Feb 2026, as of 10 Feb 2026" in page
    assert "MQLs of 2026-01: reported as 2, now 3" in page
    assert "MQLs of 2026-01: reported as 2, now 3" in done.stderr
    # It is in no file that two runs on the same data must agree on.
    assert "Since the last" not in json.dumps(done.metrics("q"))
