"""Exports that several reports of a batch use: read once, and the same numbers for each."""

from __future__ import annotations

import json

import pytest

from mqlkit.core.errors import ParamsError
from mqlkit.core.names import SHARED_COLUMNS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import read_report
from mqlkit.pages.document import metrics_document
from mqlkit.sources import opening
from mqlkit.sources.opening import open_source
from mqlkit.sources.source_cache import CACHE

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
def desk(tmp_path):
    """Return a function that makes the params of a report."""
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "history.csv").write_text(HISTORY, encoding="utf-8")
    (tmp_path / "spend.csv").write_text(SPEND, encoding="utf-8")
    source = tmp_path / "source.yaml"
    source.write_text(
        "leads: {files: [leads.csv]}\nhistory: [{files: [history.csv]}]\n"
        "spend: {files: [spend.csv], currency: EUR}\n",
        encoding="utf-8",
    )

    def params(**given):
        basis = {"source": str(source), "period": "2026-01..2026-02", "max_set_aside": 0.5}
        return ReportParams.from_mapping({**basis, **given})

    params.source = source
    yield params
    CACHE.clear()


@pytest.fixture
def share(monkeypatch):
    """Return a function that makes reports share what is read of their source."""
    return lambda columns: monkeypatch.setenv(SHARED_COLUMNS_VARIABLE, json.dumps(columns))


@pytest.fixture
def readings(monkeypatch):
    """Return the columns of each reading, as they are made."""
    made, load = [], opening.load

    def counted(*arguments, **named):
        made.append(named["extras"])
        return load(*arguments, **named)

    monkeypatch.setattr(opening, "load", counted)
    return made


def stored(reader):
    """Return the names of the tables and views that a reader has made."""
    names = "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
    found = {name for (name,) in reader.backend.con.execute(names).fetchall()}
    return {name for name in found if name.startswith(("table_", "view_"))}


def alone(params, monkeypatch):
    with monkeypatch.context() as patch:
        patch.delenv(SHARED_COLUMNS_VARIABLE)
        return numbers(params)


def numbers(params):
    return json.dumps(metrics_document(read_report(params)))


REPORTS = [
    {},
    {"by": ["country"], "sla": "12h"},
    {"by": ["owner"], "where": {"country": ["EE"]}},
    {"grain": "quarter", "rolling": 2},
    {"as_of": "2026-01-31"},
    {"as_of": "now"},
]


def test_reports_on_one_source_read_it_once_and_are_what_they_are_alone(
    desk, share, readings, monkeypatch
):
    columns = ["source", "country", "owner"]
    share(columns)
    for given in REPORTS:
        found = numbers(desk(**given))
        assert readings.pop() == columns if given == REPORTS[0] else readings == []
        CACHE.drop_derived()
        if given.get("as_of") == "now":
            assert json.loads(found)["ledger"]["leads"]["read"] == 4
        else:
            assert found == alone(desk(**given), monkeypatch)
            readings.clear()


def test_a_report_leaves_nothing_in_the_engine(desk, share):
    share(["source"])
    reader = open_source(desk()).reader
    before = stored(reader)
    first = numbers(desk())
    assert stored(reader) > before
    CACHE.drop_derived()
    assert stored(reader) == before
    assert numbers(desk()) == first


def test_a_file_that_has_changed_is_read_again(desk, share, readings, monkeypatch):
    share(["source"])
    first = numbers(desk())
    leads = desk.source.parent / "leads.csv"
    leads.write_text(LEADS + "A5,2026-02-04T09:00:00Z,,,Hall,Web,EE\n", encoding="utf-8")
    second = numbers(desk())
    assert readings == [["source"], ["source"]]
    assert second == alone(desk(), monkeypatch) != first


def test_a_source_that_one_report_uses_is_not_kept(desk, readings):
    numbers(desk())
    numbers(desk())
    assert readings == [["source"], ["source"]]


def test_a_column_that_is_nowhere_is_the_fault_of_its_own_report_alone(
    desk, share, readings, monkeypatch
):
    share(["source", "contry"])
    with pytest.raises(ParamsError, match=r"'contry' is unknown.\n.*did you mean 'country'"):
        numbers(desk(by=["contry"]))
    assert numbers(desk()) == alone(desk(), monkeypatch)
    # Together, which is tried once; the report that fails; the other, twice.
    assert readings == [["source", "contry"], ["contry"], ["source"], ["source"]]
