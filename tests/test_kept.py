"""Exports that several reports of a batch use: read once, and the same numbers for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mqlkit.core.errors import ParamsError
from mqlkit.core.names import READINGS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import read_report
from mqlkit.pages.results import as_json, metrics_document
from mqlkit.sources import source_cache
from mqlkit.sources.source_cache import write_plan

LEADS = """\
lead_id,mql_at,accepted_at,sql_at,owner,source,country
A1,2026-01-05T09:00:00Z,2026-01-06T09:00:00Z,2026-01-20T09:00:00Z,Hall,Web,EE
A2,2026-01-12T09:00:00Z,,,Moor,Event,LV
A3,2026-02-03T09:00:00Z,2026-02-09T09:00:00Z,,Hall,Web,EE
A4,not a date,,,Moor,Web,EE
"""
HISTORY = "lead_id,at,stage\nA2,2026-01-13T09:00:00Z,rejected\nA2,2026-01-14T09:00:00Z,On hold\n"
SPEND = "date,amount,channel\n2025-12-20,310.50,Web\n2026-01-10,120.25,Event\n"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Return a function that makes the params of a report, and have reports share readings."""
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "history.csv").write_text(HISTORY, encoding="utf-8")
    (tmp_path / "spend.csv").write_text(SPEND, encoding="utf-8")
    source = tmp_path / "source.yaml"
    source.write_text(
        "leads: {files: [leads.csv]}\nhistory: [{files: [history.csv]}]\n"
        "spend: {files: [spend.csv], currency: EUR}\n",
        encoding="utf-8",
    )
    (tmp_path / "kept").mkdir()
    monkeypatch.setenv(READINGS_VARIABLE, str(tmp_path / "kept"))

    def params(**given):
        basis = {"source": str(source), "period": "2026-01..2026-02", "max_set_aside": 0.5}
        return ReportParams.from_mapping({**basis, **given})

    params.source, params.folder = source, tmp_path / "kept"
    return params


@pytest.fixture
def readings(monkeypatch):
    """Return the readings that are made, as they are made."""
    made, load = [], source_cache.load

    def counted(*arguments, **named):
        made.append(named["extras"])
        return load(*arguments, **named)

    monkeypatch.setattr(source_cache, "load", counted)
    return made


def alone(params, monkeypatch):
    with monkeypatch.context() as patch:
        patch.delenv(READINGS_VARIABLE)
        return as_json(metrics_document(read_report(params)))


def shared(params):
    return as_json(metrics_document(read_report(params)))


REPORTS = [
    {},
    {"by": ["country"], "sla": "12h"},
    {"by": ["owner"], "where": {"country": ["EE"]}},
    {"grain": "quarter", "rolling": 2},
    {"as_of": "2026-01-31"},
    {"as_of": "now"},
]


def test_reports_on_one_source_read_it_once_and_are_what_they_are_alone(
    desk, readings, monkeypatch
):
    write_plan(desk.folder, {desk.source: ["source", "country", "owner"]})
    for given in REPORTS:
        if given.get("as_of") != "now":
            assert shared(desk(**given)) == alone(desk(**given), monkeypatch)
            continue
        document = json.loads(shared(desk(**given)))
        assert document["ledger"]["leads"]["read"] == 4
    assert readings == [["source", "country", "owner"]]


def test_a_second_process_finds_what_the_first_has_worked_out(desk, monkeypatch):
    write_plan(desk.folder, {desk.source: ["source"]})
    first = shared(desk())
    found = []
    monkeypatch.setattr(Path, "write_bytes", lambda self, _: found.append(self))
    assert shared(desk()) == first
    assert found == []


def test_a_file_that_has_changed_is_read_again(desk, readings, monkeypatch):
    write_plan(desk.folder, {desk.source: ["source"]})
    first = shared(desk())
    leads = desk.source.parent / "leads.csv"
    leads.write_text(LEADS + "A5,2026-02-04T09:00:00Z,,,Hall,Web,EE\n", encoding="utf-8")
    assert shared(desk()) == alone(desk(), monkeypatch) != first
    assert len(readings) == 2


def test_a_source_that_one_report_uses_is_not_kept(desk, readings):
    write_plan(desk.folder, {})
    shared(desk())
    assert readings == []
    assert [p.name for p in desk.folder.iterdir()] == ["plan.json"]


def test_a_column_that_is_nowhere_is_the_fault_of_its_own_report_alone(desk, monkeypatch):
    write_plan(desk.folder, {desk.source: ["source", "contry"]})
    with pytest.raises(ParamsError, match=r"'contry' is unknown.\n.*did you mean 'country'"):
        shared(desk(by=["contry"]))
    assert shared(desk()) == alone(desk(), monkeypatch)
