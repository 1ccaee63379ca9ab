"""The public face: what `import mqlkit as mk` offers, and what it loads."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import mqlkit as mk
from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams
from mqlkit.lab.exploration import Exploration

WORKED = Path(__file__).parent / "worked_example" / "params.yaml"
SAMPLE = Path(__file__).parents[1] / "params" / "mql_report.yaml"


@pytest.fixture(scope="module")
def report():
    return mk.Report.read(WORKED)


@pytest.fixture(scope="module")
def sample():
    return mk.Report.read(SAMPLE, period="2026-Q1", by=["source"])


def test_the_public_names_are_these_only():
    assert dir(mk) == [
        "Report", "__version__", "charts", "open", "run", "tables", "topics", "verdicts",
    ]  # fmt: skip
    for name in dir(mk):
        assert getattr(mk, name) is not None
    with pytest.raises(AttributeError, match="module 'mqlkit' has no attribute 'nothing'"):
        _ = mk.nothing


def test_the_import_loads_neither_jupyter_nor_pandas():
    code = "import sys, json, mqlkit; print(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    heavy = {"pandas", "numpy", "altair", "ibis", "duckdb", "IPython", "ipywidgets", "papermill"}
    assert not heavy & {name.partition(".")[0] for name in json.loads(shown)}


def test_a_report_in_five_lines(report):
    lines = repr(report).splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Report: ")
    assert "11 MQLs" in lines[3]


def test_every_number_is_tidy(report):
    assert list(report.metrics.columns) == [
        "metric", "bucket", "start", "end", "by", "name", "value", "n", "low", "high", "unit",
        "flags",
    ]  # fmt: skip
    assert report.value("mqls") == 11
    assert report.value("mqls", bucket="2026-01") == 5
    assert report.value("mqls", by="source", name="Web") == 7


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        ("sla_attainmnt", {}, "metric 'sla_attainmnt' is unknown.*did you mean 'sla_attainment'"),
        ("mqls", {"bucket": "2026-1"}, "bucket '2026-1' is unknown.*did you mean '2026-01'"),
        ("mqls", {"by": "surce"}, "by 'surce' is unknown"),
        ("mqls", {"by": "source", "name": "Wb"}, "name 'Wb' is unknown.*did you mean 'Web'"),
    ],
)
def test_a_number_that_does_not_exist_is_an_error_with_the_nearest(
    report, metric, options, message
):
    with pytest.raises(ParamsError, match=f"(?s){message}"):
        report.value(metric, **options)


def test_parameters_can_be_changed_when_reading_and_later(sample):
    assert sample.params.period == "2026-Q1"
    other = sample.with_params(by=["campaign"], where={"country": ["EE"]}, lag_days=45)
    assert (other.params.by, other.lag_days_used) == (["campaign"], 45)
    assert 0 < other.value("mqls") < sample.value("mqls")
    assert set(other.metrics["by"]) == {"", "campaign"}
    assert sample.params.by == ["source"]
    with pytest.raises(ParamsError, match="parameter 'lag' is unknown"):
        sample.with_params(lag=45)


def test_leads_have_all_columns_local_times_and_hours(sample):
    leads = sample.leads()
    assert {"team", "country", "owner", "campaign"} <= {*leads.columns}
    assert str(leads["mql_at"].dtype) == "datetime64[us, Europe/Tallinn]"
    in_period = leads[leads["mql_at"].between("2026-01-01", "2026-03-31 23:59:59.999+02:00")]
    assert len(in_period) == sample.value("mqls")
    assert in_period["sql_at"].notna().sum() == sample.value("sqls")
    assert (in_period["sla"] == "met").sum() == sample.value("sla_met")
    assert in_period["sla"].isin(["breached", "overdue"]).sum() == sample.value("sla_breached")
    done = in_period[in_period["is_in_order"] & in_period["hours_in_stage"].notna()]
    assert done["hours_in_stage"].mean() == pytest.approx(sample.value("hours_in_stage_mean"))
    elapsed = (done["exit_at"] - done["mql_at"]).dt.total_seconds() / 3600
    assert done["hours_in_stage"].to_numpy() == pytest.approx(elapsed.to_numpy())
    # One that waits has no time in stage yet, and one that left does not wait.
    assert not (leads["hours_in_stage"].notna() & leads["hours_waited"].notna()).any()


def test_leads_are_the_same_however_the_report_was_opened(sample):
    explored = Exploration(sample.params).report
    pd.testing.assert_frame_equal(explored.leads(), sample.leads())
    table = sample.lead_table()
    assert table.count().execute() == len(sample.leads())
    assert list(table.columns) == list(sample.leads().columns)


def test_a_filter_keeps_its_leads_and_an_export_column_keeps_its_name(tmp_path):
    (tmp_path / "leads.csv").write_text(
        "lead_id,mql_at,accepted_at,Country,sla\n"
        "of Estonia,2026-01-05 10:00,,EE,gold\n"
        "of Latvia,2026-01-06 10:00,2026-01-06 11:00,LV,\n"
        "no MQL yet,,,EE,silver\n",
        encoding="utf-8",
    )
    (tmp_path / "source.yaml").write_text("leads: {files: [leads.csv]}\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(
        "{source: source.yaml, period: 2026-01, as_of: 2026-01-31, by: [], where: {Country: [EE]}}",
        encoding="utf-8",
    )
    leads = mk.Report.read(tmp_path / "p.yaml").leads()
    assert leads["lead_id"].tolist() == ["of Estonia", "no MQL yet"]
    # A column of the export that has the name of a canonical column.
    assert leads["sla (file)"].tolist() == ["gold", "silver"]
    assert leads["sla"].isna().tolist() == [False, True]
    assert leads["sla"].iloc[0] == "overdue"
    assert leads["Country"].tolist() == ["EE", "EE"]


# Columns of other tables, columns that reading, the lead table and the cube make, words of
# statements, and names that must be quoted.
NAMES_TAKEN = (
    *("channel", "stage", "currency", "month", "date", "at", "mqls", "date_from", "entry", "pass"),
    *("mql_at_timed", "exit_us", "stage_us", "due_at", "exit_at", "mql_bucket", "sql_bucket"),
    *("mql_day", "sla", "hours_to_sql", "is_in_order", "by_0", "code_0", "n", "kind", "wait"),
    *("file", "row", "record", "fault", "first", "counts", "odd", "line", "order", "c0", "cell 0"),
    *("rowid", "filename", "select", "index", "by", "name", "bucket", "total", "_x", "_", "1"),
    *('a"b', "it's", "a, b", "%s", "$v1", "{x}", "a.b", "Größe", "sla (file)", "lead_id (2)"),
)


@pytest.mark.parametrize("write", [str, str.title])
def test_a_column_of_the_leads_may_have_any_name(tmp_path, write):
    names = list(dict.fromkeys(map(write, NAMES_TAKEN)))
    leads = [("1", "Web"), ("2", "Event"), ("3", "Web")]
    with (tmp_path / "leads.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["lead_id", "mql_at", *names])
        for lead, value in leads:
            rows.writerow([lead, f"2026-01-0{lead} 10:00", *(f"{value} {n}" for n in names)])
    (tmp_path / "source.yaml").write_text("leads: {files: [leads.csv]}\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text("source: source.yaml\nperiod: 2026-01\nas_of: 2026-02-01\n")
    some = names[:: len(names) // 8]
    report = mk.Report.read(tmp_path / "p.yaml", by=some)
    found = report.metrics.query("metric == 'mqls' and bucket == 'total' and by != ''")
    counts = dict(zip(zip(found["by"], found["name"], strict=True), found["value"], strict=True))
    assert counts == {(n, f"{v} {n}"): k for n in some for v, k in (("Web", 2), ("Event", 1))}
    # A name that the table of leads has already gets a suffix there, and stays a column.
    frame = report.leads()
    shown = {tuple(frame[c]) for c in frame.columns}
    assert shown >= {tuple(f"{value} {n}" for _, value in leads) for n in names}
    assert len({c.casefold() for c in frame.columns}) == len(frame.columns)
    filtered = report.with_params(where={n: [f"Event {n}"] for n in names}, by=[])
    assert filtered.leads()["lead_id"].tolist() == ["2"]
    offered = Exploration(filtered.params, base=tmp_path).offer.values
    assert {n: offered[n] for n in names} == {n: (f"Event {n}", f"Web {n}") for n in names}


def test_a_run_returns_the_path_of_its_html(tmp_path):
    html = mk.run(WORKED, out=tmp_path / "reports", lag_days=10)
    assert html == tmp_path / "reports" / "params.html"
    document = json.loads(html.with_suffix(".metrics.json").read_text(encoding="utf-8"))
    assert document["lag_days_used"] == 10
    with pytest.raises(ParamsError, match="parameter 'lag' is unknown"):
        mk.run(WORKED, out=tmp_path, lag=10)


def test_a_chart_takes_the_frame_of_its_family_and_nothing_else(sample):
    assert mk.charts.efficiency.cohorts(sample.efficiency) is not None
    assert mk.tables.sla.outcomes_by(sample.sla, by="source").title == "SLA outcomes by source"
    assert mk.verdicts.sla.attainment(sample.sla).tone in ("good", "bad")


def test_params_of_a_notebook_open_a_static_report(monkeypatch):
    monkeypatch.chdir(SAMPLE.parents[1] / "notebooks")
    report = mk.open({**ReportParams().to_dict(), "other": 3})
    assert report.value("mqls") == 655
    assert "leads" in dir(report)
    assert repr(report).startswith("Report: MQL report")


def test_the_cell_that_opens_a_report_can_be_run_again(monkeypatch):
    monkeypatch.chdir(SAMPLE.parents[1] / "notebooks")
    cell = {**ReportParams().to_dict(), "report": "sla_velocity"}
    # The variable of the notebook replaces the parameter of the same name.
    cell["report"] = mk.open(cell)
    again = mk.open(cell)
    assert again.params == cell["report"].params
    assert again.params.report == "sla_velocity"
