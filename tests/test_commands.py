"""`mqlkit check` and `mqlkit new` from end to end: what is printed, written and returned."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import read_report
from mqlkit.run.cli import main
from mqlkit.run.source_draft import FILL_IN

ROOT = Path(__file__).parents[1]
LEADS = """\
"Lead ID","Lead Owner","Lead Source","Create Date","MQL Date","SQL Date"
"00Q1","Hall","Web","1/2/2026","1/15/2026","1/30/2026"
"00Q2","Hall","Web","1/13/2026","2/15/2026","2/28/2026"
"00Q3","Moor","Event","1/14/2026","3/31/2026","3/31/2026"
"Grand Totals (3 records)"
"""
ADS = """\
Campaign report
Day,Campaign,Currency code,Cost
2026-01-01,Web,EUR,"1,020.50"
Total: Account,--,EUR,"1,020.50"
"""
UNDECIDED = "Record Id,Lead Owner,Created Time,MQL Date\n1,Hall,01/02/2026 10:00,03/04/2026 11:00\n"


@pytest.fixture
def exports(tmp_path, monkeypatch):
    """Stand in a folder with exports."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("leads.csv").write_text(LEADS, encoding="utf-8")
    Path("ads.csv").write_text(ADS, encoding="utf-8")
    Path("undecided.csv").write_text(UNDECIDED, encoding="utf-8")
    Path("what.csv").write_text("Color,Size\nred,3\n", encoding="utf-8")
    return tmp_path


def test_exports_are_sorted_into_tables_and_shown(exports, capsys):
    assert main(["check", "leads.csv", "ads.csv"]) == 0
    shown = capsys.readouterr().out
    assert "format salesforce: it has 'Lead ID', 'Lead Source'" in shown
    assert "1/15/2026 → 2026-01-15" in shown
    assert "5 rows read" not in shown
    assert "4 rows read = 3 used + 1 excluded" in shown
    assert "format google-ads: it has 'Day', 'Cost', 'Campaign', 'Currency code'" in shown
    assert "1,020.50 → 1020.5" in shown
    assert shown.endswith("Nothing is open: a report can run.\n")
    assert sorted(p.name for p in exports.iterdir()) == [
        "ads.csv", "leads.csv", "undecided.csv", "what.csv"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("ads.csv", ADS, "What does an MQL cost?            needs mql_at"),
        ("goals.csv", "month,mqls\n2026-01,3\n", "month   month        ISO 8601"),
        # Rates are a parameter of a report, and no table.
        ("rates.csv", "currency,rate\nUSD,0.9\n", "Name the file in the parameter `rates`"),
    ],
)
def test_what_is_not_about_leads_is_shown_without_saying_that_a_report_can_run(
    exports, capsys, name, text, shown
):
    (exports / name).write_text(text, encoding="utf-8")
    assert main(["check", name]) == 0
    found = capsys.readouterr().out
    assert shown in found
    assert "a report can run" not in found
    assert "a report needs leads or a history too" in found


def test_what_must_be_decided_is_asked_and_returns_2(exports, capsys):
    assert main(["check", "undecided.csv"]) == 2
    shown = capsys.readouterr().out
    assert "    dates: dmy\n    dates: mdy\n" in shown
    assert "    timezone: Europe/Tallinn   (or yours)\n" in shown
    assert shown.endswith("2 questions to answer in source.yaml before a report can run.\n")


def test_an_export_that_fits_into_no_table_is_said(exports, capsys):
    assert main(["check", "leads.csv", "what.csv"]) == 2
    assert "what.csv: its table is not recognized." in capsys.readouterr().out


@pytest.mark.parametrize("other", ["leads.csv", "ads.csv"])
def test_rates_are_said_to_belong_to_a_parameter(exports, capsys, other):
    (exports / "rates.csv").write_text("Currency,rate,date_from\nUSD,0.9,\n")
    assert main(["check", other, "rates.csv"]) == 0
    shown = capsys.readouterr().out
    assert "Name the file in the parameter `rates` of a report." in " ".join(shown.split())
    assert "not recognized" not in shown


@pytest.mark.parametrize("others", [[], ["ads.csv"]])
def test_where_no_other_holds_leads_it_is_taken_for_them(exports, capsys, others):
    assert main(["check", "what.csv", *others]) == 2
    assert "2 of the 2 columns needed are missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv"], "nothing.csv: there is no such file."),
        (["nothing.yaml"], "nothing.yaml: there is no such file."),
        (["source.yaml", "leads.csv"], "source.yaml: is given together with other files."),
    ],
)
def test_what_cannot_be_looked_at_is_an_error(exports, capsys, arguments, words):
    assert main(["check", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_workspace_runs_as_it_was_laid_down(exports, capsys):
    assert main(["new", "mine", "leads.csv", "ads.csv"]) == 0
    assert "mqlkit run mine/params/mql_report.yaml" in capsys.readouterr().out
    assert FILL_IN not in Path("mine/source.yaml").read_text(encoding="utf-8")
    assert main(["check", "mine/source.yaml"]) == 0
    numbers = read_report(ReportParams.read(Path("mine/params/mql_report.yaml")))
    totals = numbers.metrics[numbers.metrics["bucket"] == "total"].set_index("metric")["value"]
    assert totals["mqls"].iloc[0] == 3
    assert numbers.params.by == ["source", "owner"]
    assert numbers.currency == "EUR"


def test_filling_in_the_lines_settles_it(exports, capsys):
    assert main(["new", "mine", "undecided.csv"]) == 0
    assert "2 lines to fill in:" in capsys.readouterr().out
    source = Path("mine/source.yaml")
    assert main(["check", str(source)]) == 2
    text = source.read_text(encoding="utf-8")
    filled = {"  dates:": "  dates: dmy", "  timezone:": "  timezone: Europe/Tallinn"}
    for asked, answer in filled.items():
        text = text.replace(f"{asked} ", f"{answer} ")
    source.write_text(text, encoding="utf-8")
    assert main(["check", str(source)]) == 0
    assert "03/04/2026 11:00 → 2026-04-03 11:00" in capsys.readouterr().out


def test_a_second_time_nothing_is_written_over(exports, capsys):
    assert main(["new", "mine"]) == 0
    before = Path("mine/source.yaml").read_bytes()
    assert main(["new", "mine", "leads.csv"]) == 2
    assert "already exist" in capsys.readouterr().err
    assert Path("mine/source.yaml").read_bytes() == before


def test_a_terminal_that_lacks_a_letter_gets_a_question_mark(exports):
    command = [sys.executable, "-m", "mqlkit", "check", "leads.csv"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert ran.returncode == 0
    assert b"1/15/2026 ? 2026-01-15" in ran.stdout


def test_a_reader_who_has_seen_enough_gets_no_traceback(exports):
    command = f"{sys.executable} -m mqlkit check leads.csv | {sys.executable} -c 'input()'"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, shell=True, capture_output=True, env=environment, check=False)
    assert ran.stderr == b""


def test_it_all_works_from_a_wheel_outside_the_repository(exports):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(exports / "w")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (exports / "w").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(exports / "site")

    def mqlkit(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(exports / "site")}
        command = [sys.executable, "-m", "mqlkit", *arguments]
        ran = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=exports, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    mqlkit("new", "mine", "leads.csv", "ads.csv")
    mqlkit("check", "mine/source.yaml")
    shutil.rmtree(exports / "w")
    assert mqlkit("run", "mine/params/mql_report.yaml", "--out", "out").endswith(
        f"{Path('out') / 'mql_report.html'}\n"
    )
    assert (exports / "out" / "mql_report.metrics.json").is_file()
