"""Lists of leads: what they show, in which order, how much of them, and the file with all."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from frames import of, terms, totals
from runs import ROOT

from mqlkit.core.names import FORMULA
from mqlkit.core.params import ReportParams
from mqlkit.lab import lead_list as lists
from mqlkit.lab import report as controls
from mqlkit.lab.exploration import Exploration
from mqlkit.lab.lead_list import BREACHES, MQLS, ListBox, first_page, write_list
from mqlkit.lab.report import open_with
from mqlkit.metrics.lead_lists import mql_list
from mqlkit.metrics.report import compute_report, read_report
from mqlkit.pages import cells as page
from mqlkit.views import topics, verdicts

BASE = ROOT / "notebooks"
EVIL = [
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "</td><td>",
    # Full-width signs, and signs behind what is not shown.
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "\u200b=1", "\u2060\u00a0=1", "\u3000@1",
]  # fmt: skip
LEADS = """
    lead_id      | mql_at           | accepted_at      | rejected_at      | sql_at           | owner
    accepted     | 2026-01-05 10:00 | 2026-01-06 09:00 |                  |                  | Ana
    sql-at-once  | 2026-01-07 10:00 |                  |                  | 2026-01-07 12:00 | Ana
    rejected     | 2026-01-06 10:00 |                  | 2026-01-20 10:00 |                  |
    open-late    | 2026-02-01 10:00 |                  |                  |                  | Ben
    open-in-time | 2026-02-27 23:00 |                  |                  |                  | Ben
    before       | 2025-12-31 10:00 |                  |                  |                  | Ben
    out-of-order | 2026-01-04 10:00 | 2026-01-01 09:00 |                  |                  | Ben
"""


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


@pytest.fixture(scope="module")
def few(lead_table):
    """Return the numbers of seven leads, each with what became of it for its id."""
    made = lead_table(LEADS, period="2026-01..2026-02", as_of="2026-03-01 00:00")
    return compute_report(made.leads, made.tables)


@pytest.fixture(scope="module")
def evil(new_desk):
    desk = new_desk()
    stamps = "2026-01-05,2026-01-09"
    lines = [f'"{text}{i}",{stamps},"{text}","{text}"' for i, text in enumerate(EVIL)]
    desk.write("leads.csv", "\n".join(["lead_id,mql_at,accepted_at,owner,source", *lines, ""]))
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01", as_of="2026-03-01")
    return compute_report(made.leads, made.tables)


def test_every_mql_of_the_period_with_its_dates_the_latest_first(few):
    shown = first_page(few, MQLS)
    assert shown.title == "6 MQLs, latest first"
    assert shown.cells.values.tolist() == [
        ["open-in-time", "Ben", "–", "2026-02-27 23:00", "–", "none yet", "–", "pending"],
        ["open-late", "Ben", "–", "2026-02-01 10:00", "–", "none yet", "–", "overdue"],
        ["sql-at-once", "Ana", "–", "2026-01-07 10:00", "2026-01-07 12:00", "accepted",
         "2026-01-07 12:00", "met"],
        ["rejected", "–", "–", "2026-01-06 10:00", "2026-01-20 10:00", "rejected", "–", "breached"],
        ["accepted", "Ana", "–", "2026-01-05 10:00", "2026-01-06 09:00", "accepted", "–", "met"],
        ["out-of-order", "Ben", "–", "2026-01-04 10:00", "2026-01-01 09:00", "accepted", "–",
         "not measurable"],
    ]  # fmt: skip


def test_without_contacts_an_sla_until_contact_is_not_measurable(lead_table):
    made = lead_table(LEADS, period="2026-01", sla_stops_on="contact")
    assert set(mql_list(made.leads)["sla"]) == {"not measurable"}


def test_late_leads_are_those_of_the_report(few):
    shown = first_page(few, BREACHES)
    assert shown.title == "2 SLA breaches, longest first"
    assert list(shown.cells["Lead"]) == ["open-late", "rejected"]
    assert list(shown.cells["Hours overdue"]) == [614.0, 288.0]
    assert list(shown.cells["Open"]) == ["yes", "no"]


def test_a_list_without_leads_says_so_and_has_a_file(lead_table, tmp_path):
    made = lead_table("lead_id | mql_at | sql_at\non-time | 2026-01-05 | 2026-01-06")
    numbers = compute_report(made.leads, made.tables)
    shown = first_page(numbers, BREACHES)
    assert (shown.title, len(shown.cells)) == ("No SLA breaches", 0)
    assert len(read_csv(write_list(numbers, BREACHES, folder=tmp_path))) == 1
    assert "No SLA breaches" in ListBox(BREACHES, lambda: numbers)._title.value


def test_why_a_page_lists_no_late_lead():
    late = totals(sla_breached=3)
    redacted = replace(ReportParams(), redact=True)
    assert verdicts.lead_lists.breaches(of(late, **terms(ReportParams()))) is None
    assert verdicts.lead_lists.breaches(of(late, **terms(redacted))).text.startswith(
        "3 MQLs breached the SLA. A redacted page"
    )
    for frame in (totals(sla_breached=0), totals(sla_breached=None)):
        for params in (ReportParams(), redacted):
            text = "No MQL of the period is known to have breached the SLA."
            assert verdicts.lead_lists.breaches(of(frame, **terms(params))).text == text
    unknown = totals(sla_breached={"value": None, "flags": ["not-recorded"]})
    shown = verdicts.lead_lists.breaches(of(unknown, missing="sql_at", **terms(ReportParams())))
    assert shown.text == "The data has no sql_at, so no SLA breach is known."


def test_a_long_list_is_bounded_in_words_and_the_file_is_not(few, monkeypatch, tmp_path):
    monkeypatch.setattr(lists, "MOST_ROWS", 2)
    numbers = compute_report(few.lead_data, few.tables)
    shown = first_page(numbers, MQLS)
    assert shown.title == ("6 MQLs, latest first: the first 2; the CSV file has all of them")
    assert len(shown.cells) == 2
    assert len(read_csv(write_list(numbers, MQLS, folder=tmp_path))) == 7


def test_the_file_of_mqls(few, tmp_path):
    path = write_list(few, MQLS, folder=tmp_path / "new")
    assert path.name == "mql_report.mqls.csv"
    header, latest, *_ = read_csv(path)
    assert header == [
        "lead_id", "owner", "source", "entered", "decided", "became_sql", "decision", "sla",
    ]  # fmt: skip
    assert latest == [
        "open-in-time", "Ben", "", "2026-02-27T23:00:00+00:00", "", "", "none yet", "pending",
    ]  # fmt: skip
    assert write_list(few, MQLS, folder=tmp_path / "new") == path
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("leads", [BREACHES, MQLS], ids=lambda leads: leads.name)
def test_no_formula_reaches_a_spreadsheet(evil, leads, tmp_path):
    _, *rows = read_csv(write_list(evil, leads, folder=tmp_path))
    assert len(rows) == len(EVIL)
    assert not [c for row in rows for c in row if re.search(FORMULA, c)]
    n_escaped = len([row for row in rows if row[0].startswith("'")])
    assert n_escaped == len(EVIL) - 2


def test_a_file_opens_in_excel_as_utf_8(few, tmp_path):
    for leads in (BREACHES, MQLS):
        assert write_list(few, leads, folder=tmp_path).read_bytes().startswith(b"\xef\xbb\xbflead")


@pytest.mark.parametrize("leads", [BREACHES, MQLS], ids=lambda leads: leads.name)
def test_text_of_the_data_is_no_markup_in_the_table(evil, leads):
    box = ListBox(leads, lambda: evil)
    cells = [cell for row in json.loads(box._table._dt_args["data_json"]) for cell in row]
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in str(cell) for cell in cells)
    assert not [cell for cell in cells if isinstance(cell, str) and {"<", ">"} & set(cell)]


def test_the_list_follows_the_panel_and_writes_its_choice(tmp_path, monkeypatch):
    exploration = Exploration(ReportParams(), base=BASE)
    box = ListBox(BREACHES, lambda: exploration.report)
    before = box._table._dt_args
    box.follow(exploration.report)
    assert box._table._dt_args is before
    params = replace(ReportParams(), sla="12h", where={"country": ["EE"]})
    assert exploration.change(params) == {}
    box.follow(exploration.report)
    expected = first_page(read_report(params, base=BASE), BREACHES)
    assert expected.title in box._title.value
    assert len(json.loads(box._table._dt_args["data_json"])) == len(expected.cells)
    monkeypatch.chdir(tmp_path)
    box.save.click()
    (written,) = box._state.outputs
    assert 'href="lists/mql_report.breaches.csv" download' in written["data"]["text/html"]
    assert len(read_csv(tmp_path / "lists" / "mql_report.breaches.csv")) == len(expected.cells) + 1


def test_a_file_that_cannot_be_written_is_told_beside_the_button(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").write_text("no folder")
    box = ListBox(MQLS, lambda: few)
    box.save.click()
    (said,) = box._state.outputs
    assert 'role="alert">The file could not be written' in said["data"]["text/html"]


def test_without_a_panel_a_page_shows_what_stands_for_the_list(monkeypatch):
    found = []
    monkeypatch.chdir(BASE)
    monkeypatch.setattr(page, "display", lambda part: found.append(part._repr_mimebundle_()))
    view = open_with(ReportParams())
    found.clear()
    view.show(topics.mqls)
    assert not found
    view.show(topics.breaches)
    assert len(found) == 1


def test_with_a_panel_the_list_itself_is_shown(monkeypatch):
    found = []
    monkeypatch.chdir(BASE)
    monkeypatch.setattr(controls, "is_watched", lambda: True)
    monkeypatch.setattr(page, "display", lambda _: None)
    monkeypatch.setattr(controls, "display", found.append)
    view = open_with(ReportParams())
    view.show(topics.breaches)
    assert "mk-list" in found[-1]._dom_classes
    pd.testing.assert_frame_equal(found[-1].children[1].df, first_page(view.report, BREACHES).cells)
