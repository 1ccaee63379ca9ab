"""metrics.json, breaches.csv and set-aside.csv: shape, sameness, and no formula in any cell."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from mqlkit import __version__
from mqlkit.core.metrics import DEFINITIONS, METRICS
from mqlkit.core.names import FLAGS, RESULTS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import compute_report, read_report
from mqlkit.pages.document import metrics_document
from mqlkit.pages.metrics_file import read_metrics, write_metrics
from mqlkit.pages.results import safe_cell, save_results, write_results

WORKED = Path(__file__).parents[1] / "worked_example"
TABLES = ("leads", "spend", "goals")


@pytest.fixture(scope="module")
def document(worked, tmp_path_factory):
    """Return metrics.json of the worked example, as any JSON reader reads it."""
    metrics, *_ = write_results(worked, tmp_path_factory.mktemp("out"), "worked")
    return json.loads(metrics.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


def test_the_files_are_named_after_the_report(worked, tmp_path):
    written = write_results(worked, tmp_path, "Q1")
    assert [p.name for p in written] == [
        "Q1.metrics.json", "Q1.breaches.csv", "Q1.set-aside.csv", "Q1.txt",
    ]  # fmt: skip
    assert sorted(tmp_path.iterdir()) == sorted(written)


def test_what_metrics_json_holds(document):
    assert list(document) == [
        "title", "as_of", "period", "params", "lag_days_used", "definitions", "maturity_days",
        "horizon_days", "folded", "phi", "forecast_backtest", "currency", "ledger", "inputs",
        "versions", "funnel", "metrics",
    ]  # fmt: skip
    assert document["title"] == "Worked example"
    assert document["as_of"] == "2026-03-01T00:00:00+00:00"
    assert document["period"] == {"start": "2026-01-01", "end": "2026-03-01", "grain": "month"}
    assert document["lag_days_used"] == 30
    assert document["maturity_days"] == 19
    assert document["definitions"] == DEFINITIONS
    assert document["phi"] == 1
    assert document["forecast_backtest"] is None
    assert document["currency"] == "EUR"


def test_parameters_are_written_as_resolved(document):
    params = document["params"]
    assert list(params) == ReportParams.names()
    assert params["period"] == "2026-01-01..2026-02-28"
    assert params["as_of"] == document["as_of"]
    assert params["timezone"] == "UTC"
    assert params["lag_days"] == 30
    assert params["source"] == "source.yaml"
    assert params["by"] == ["source"]
    assert params["within_days"] is None


LEADS = """
lead_id | created_at          | mql_at
early   | 2026-01-01 00:00:00 | 2026-01-11 12:00:00
late    | 2026-03-01 00:00:00 | 2026-03-12 00:00:00
"""


def test_auto_and_relative_parameters_come_out_as_what_they_came_to(lead_table):
    made = lead_table(LEADS, zones={"leads": "Europe/Tallinn"},
                      period="last-2-months", lag_days="auto")  # fmt: skip
    document = metrics_document(compute_report(made.leads, made.tables))
    params = document["params"]
    assert params["period"] == "2026-01-01..2026-02-28"
    assert params["as_of"] == document["as_of"] == "2026-03-12T00:00:00+02:00"
    assert params["timezone"] == "Europe/Tallinn"
    assert params["lag_days"] == document["lag_days_used"] == 10
    assert document["maturity_days"] is None
    assert document["currency"] is None


def test_the_ledger_of_each_table(document):
    assert list(document["ledger"]) == ["leads", "spend", "goals"]
    for table, rows in {"leads": 12, "spend": 5, "goals": 2}.items():
        ledger = document["ledger"][table]
        assert list(ledger) == ["read", "used", "set_aside", "noted"]
        assert ledger["read"] == ledger["used"] == rows
        assert ledger["set_aside"] == {}
    noted = document["ledger"]["leads"]["noted"]
    assert {name: n for name, n in noted.items() if n} == {"after_as_of": 1, "out_of_order": 1}


def test_each_input_is_identified(document):
    rows = {"leads": 12, "spend": 5, "goals": 2}
    assert document["inputs"] == [
        {
            "table": table,
            "path": f"{table}.csv",
            "sha256": hashlib.sha256((WORKED / f"{table}.csv").read_bytes()).hexdigest(),
            "rows": rows[table],
            "encoding": "utf-8",
            "delimiter": ",",
            "format": "plain",
            "timezone": "UTC",
        }
        for table in TABLES
    ]


def test_rows_of_a_file_are_counted_and_not_its_lines(desk):
    desk.write("leads.csv", 'lead_id,mql_at,note\n"A",2026-01-05,"two\nlines"\nB,2026-01-06,\n')
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01")
    (given,) = compute_report(made.leads, made.tables).inputs
    assert given["rows"] == made.ledger["read"] == 2


def test_an_input_says_how_it_was_read(desk):
    desk.write("leads.csv", "Lead ID,MQL Date,Lead Owner\nA,2026-01-05,Ann\n")
    source = {
        "leads": {
            "files": ["leads.csv"],
            "format": "salesforce",
            "columns": {"lead_id": "Lead ID", "mql_at": "MQL Date"},
            "timezone": "Europe/Tallinn",
        }
    }
    made = desk.report(source, period="2026-01")
    (given,) = compute_report(made.leads, made.tables).inputs
    assert (given["format"], given["timezone"]) == ("salesforce", "Europe/Tallinn")


def test_versions(document):
    engines = {name: version(name) for name in ("duckdb", "ibis-framework", "pandas")}
    assert document["versions"] == {"mqlkit": __version__, **engines}


def test_each_number_is_one_row(document, worked):
    rows = document["metrics"]
    assert len(rows) == len(worked.metrics)
    for row in rows:
        assert list(row) == [
            "metric", "bucket", "start", "end", "segment", "value", "n", "low", "high", "unit",
            "flags",
        ]  # fmt: skip
        assert row["unit"] == METRICS[row["metric"]].unit
        assert set(row["flags"]) <= set(FLAGS)
        assert row["segment"] is None or list(row["segment"]) == ["source"]
    keys = [(r["metric"], r["bucket"], json.dumps(r["segment"])) for r in rows]
    assert len(set(keys)) == len(keys)


def one(document, metric, bucket, segment=None):
    found = [r for r in document["metrics"]
             if (r["metric"], r["bucket"], r["segment"]) == (metric, bucket, segment)]  # fmt: skip
    assert len(found) == 1
    return found[0]


def test_a_row_as_it_is_written(document):
    assert one(document, "mqls", "2026-01") == {
        "metric": "mqls", "bucket": "2026-01", "start": "2026-01-01", "end": "2026-02-01",
        "segment": None, "value": 5, "n": None, "low": None, "high": None, "unit": "leads",
        "flags": [],
    }  # fmt: skip
    row = one(document, "acceptance_rate", "total", {"source": "Web"})
    assert (row["start"], row["end"]) == ("2026-01-01", "2026-03-01")
    assert row["flags"] == ["small-n"]
    assert 0 < row["low"] < row["value"] <= row["high"] <= 1


def test_each_breakdown_stands_alone(lead_table):
    leads = "lead_id | mql_at | source | owner\na | 2026-01-05 | Web |"
    made = lead_table(leads, by=["source", "owner"])
    document = metrics_document(compute_report(made.leads, made.tables))
    segments = {tuple((row["segment"] or {}).items()) for row in document["metrics"]}
    assert segments == {(), (("source", "Web"),), (("owner", "(missing)"),)}


def test_whole_numbers_have_no_point(worked, tmp_path):
    text = write_results(worked, tmp_path, "w")[0].read_text(encoding="utf-8")
    assert '"value": 5,' in text
    assert '"value": 5.0' not in text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_that_json_does_not_know(value, tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_metrics(tmp_path / "q.metrics.json", {}, [{"value": value}])


def test_the_json_says_what_the_document_says(worked, document, tmp_path):
    path = write_results(worked, tmp_path, "w")[0]
    assert json.loads(path.read_text(encoding="utf-8")) == document
    assert read_metrics(path, keep=lambda _: True) == document


def test_rows_that_are_not_wanted_are_not_read(worked, document, tmp_path):
    path = write_results(worked, tmp_path, "w")[0]
    kept = {
        name: [row for row in document[name] if row["segment"] is None]
        for name in ("funnel", "metrics")
    }
    assert all(kept.values())
    assert read_metrics(path) == {**document, **kept}
    none = {"funnel": [], "metrics": []}
    assert read_metrics(path, keep=lambda _: False) == {**document, **none}


def test_a_document_in_another_layout_is_read_whole(document, tmp_path):
    path = tmp_path / "q.metrics.json"
    for indent in (None, 2):
        path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
        assert read_metrics(path) == document
    path.write_text('{"metrics": [', encoding="utf-8")
    with pytest.raises(ValueError, match="Expecting"):
        read_metrics(path)


def test_two_runs_give_the_same_bytes_wherever_the_files_lie(worked, tmp_path):
    elsewhere = shutil.copytree(WORKED, tmp_path / "else" / "where")
    again = read_report(ReportParams.read(elsewhere / "params.yaml"))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = write_results(worked, tmp_path / "a", "w")
    second = write_results(again, tmp_path / "b", "w")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_breaches(worked, tmp_path):
    path = write_results(worked, tmp_path, "w")[1]
    assert read_csv(path) == [
        ["lead_id", "owner", "source", "entered", "due", "hours_late", "is_open"],
        ["L05", "Ana", "Web", "2026-01-31T23:30:00+00:00", "2026-02-02T23:30:00+00:00", "624.5",
         "yes"],
        ["L08", "Ben", "Web", "2026-02-20T15:00:00+00:00", "2026-02-22T15:00:00+00:00", "72.0",
         "no"],
        ["L02", "Ben", "Web", "2026-01-05T10:00:00+00:00", "2026-01-07T10:00:00+00:00", "24.0",
         "no"],
        ["L03", "Ana", "Event", "2026-01-09T16:00:00+00:00", "2026-01-11T16:00:00+00:00", "24.0",
         "no"],
    ]  # fmt: skip


def test_nothing_late_and_nothing_set_aside_are_files_with_a_header(lead_table, tmp_path):
    made = lead_table("lead_id | mql_at | sql_at\na | 2026-01-05 | 2026-01-06")
    _, breaches, aside, _ = write_results(compute_report(made.leads, made.tables), tmp_path, "w")
    assert len(read_csv(breaches)) == 1
    assert aside.read_text(encoding="utf-8-sig") == "file,line,reason,text\n"


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_made_text(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Web", "a=b", "'quoted", "", -5.0, 3, None, True])
def test_other_cells_stay_as_they_are(value):
    assert safe_cell(value) is value


def test_no_formula_reaches_a_spreadsheet(desk, tmp_path):
    # Tabs and returns at the ends of a cell are gone once it is read; the others come through.
    evil = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"]
    lines = [f'"{text}",2026-01-05,2026-01-09,"{text}","{text}"' for text in evil]
    bad = [f'"{text}",2026-13-45,,,' for text in evil]
    text = "\n".join(["lead_id,mql_at,accepted_at,owner,source", *lines, *bad, ""])
    desk.write("leads.csv", text)
    made = desk.report(
        {"leads": {"files": ["leads.csv"]}}, period="2026-01", as_of="2026-03-01", max_set_aside=1
    )
    _, breaches, aside, _ = write_results(compute_report(made.leads, made.tables), tmp_path, "w")
    late = read_csv(breaches)[1:]
    assert sorted(row[0] for row in late) == sorted(f"'{e}" for e in evil)
    for row in (*late, *read_csv(aside)[1:]):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_each_unused_row_has_its_file_line_reason_and_text(desk, tmp_path):
    desk.write(
        "a.csv",
        "lead_id,mql_at,owner\n"
        "L1,2026-01-05,Ana\n"
        ",2026-01-05,Ana\n"
        "L2,2026-02-30,Ana\n"
        "\n"
        'L3,2026-01-06,"Ana\nMaria"\n'
        "L1,2026-01-05,Ana\n"
        "L4,2026-01-07,Ana,and,more\n",
    )
    desk.write("b.csv", "lead_id,mql_at,owner\nlead_id,mql_at,owner\nL5,2026-01-05,Žofia\n")
    desk.write("spend.csv", "date,amount\n2026-01-01,much\n2026-01-01,5\n")
    description = {
        "leads": {"files": ["a.csv", "b.csv"]},
        "spend": {"files": ["spend.csv"], "currency": "EUR"},
    }
    made = desk.report(description, period="2026-01", max_set_aside=1)
    aside = write_results(compute_report(made.leads, made.tables), tmp_path, "w")[2]
    assert read_csv(aside) == [
        ["file", "line", "reason", "text"],
        ["a.csv", "3", "no_id", ",2026-01-05,Ana"],
        ["a.csv", "4", "bad_date", "L2,2026-02-30,Ana"],
        ["a.csv", "5", "blank", ""],
        ["a.csv", "8", "duplicate", "L1,2026-01-05,Ana"],
        ["a.csv", "9", "bad_row", "L4,2026-01-07,Ana,and,more"],
        ["b.csv", "2", "repeated_header", "lead_id,mql_at,owner"],
        ["spend.csv", "2", "bad_amount", "2026-01-01,much"],
    ]


def test_results_go_where_the_run_wants_them_and_nowhere_else(worked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(RESULTS_VARIABLE, raising=False)
    save_results(worked)
    assert not list(tmp_path.rglob("*"))
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path / "Q1"))
    save_results(worked)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "Q1.breaches.csv", "Q1.leads.parquet", "Q1.metrics.json", "Q1.revised.csv",
        "Q1.set-aside.csv", "Q1.txt",
    ]  # fmt: skip
