"""`mqlkit new`: a folder for reports of one's own, with a source.yaml to fill in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mqlkit.core.errors import ParamsError, SourceError
from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import yaml_text
from mqlkit.run.new import (
    REPORTS,
    create_workspace,
    next_steps,
    params_yaml,
    report_settings,
)
from mqlkit.run.source_draft import FILL_IN, draft_source
from mqlkit.sources.inspect import ColumnReport, FileReport, TableReport
from mqlkit.sources.questions import Question
from mqlkit.sources.spec import SourceSpec, TableSpec, read_source


def leads_of(folder, **look):
    """Return a source of one leads file in ``folder``, and what it holds."""
    path = folder / "exports" / "leads.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("Id,MQL_Date__c\n1,05/04/2026\n", encoding="utf-8")
    spec = TableSpec("leads", "leads", (path,), format="salesforce")
    file = FileReport("exports/leads.csv", "salesforce", "", "utf-8", ",", 1, 1)
    columns = (
        ColumnReport("lead_id", "Id", "text", (("1", "1"),)),
        ColumnReport("mql_at", "MQL_Date__c", "day first", (("05/04/2026", "2026-04-05"),)),
        ColumnReport("owner", "Lead Owner", "text", (("A. Hall", "A. Hall"),)),
    )
    found = TableReport("leads", "leads", **{"files": (file,), "columns": columns, **look})
    return SourceSpec(folder / "source.yaml", spec), [found]


def drafted(folder, source, looks):
    """Return the draft as text, and as `read_source` and YAML understand it."""
    text = draft_source(source, looks, folder=folder)
    (folder / "source.yaml").write_text(text, encoding="utf-8")
    return text, yaml.safe_load(text)


def test_what_was_recognized_is_written_and_can_be_read(tmp_path):
    text, _ = drafted(tmp_path, *leads_of(tmp_path))
    assert (
        text
        == """\
# Where the data is and how to read it. Paths are relative to this folder; `*` matches any text.
# `mqlkit check source.yaml` shows what is read and which questions are open.

leads:
  files:
    - exports/leads.csv             # rows: 1
  format: salesforce                # Salesforce leads (Data Loader, API, report)
  columns:                          # canonical name: header; # marks recognized or missing columns
    # lead_id: Id
    # mql_at: MQL_Date__c           # 05/04/2026 → 2026-04-05
    # owner: Lead Owner
    # created_at:                   # missing; first contact; needed for the lag
    # accepted_at:                  # missing; needed for acceptance rate and SLA
    # rejected_at:                  # missing; needed for acceptance rate and SLA
    # sql_at:                       # missing; needed for the MQL→SQL conversion rate
    # contacted_at:                 # missing; needed for speed to lead
    # source:                       # missing; needed for breakdowns and cost per source
"""
    )
    source = read_source(tmp_path / "source.yaml")
    assert source.leads.format == "salesforce"
    assert source.leads.columns == {}


def test_names_and_owners_of_leads_are_not_written(tmp_path):
    text, _ = drafted(tmp_path, *leads_of(tmp_path))
    assert "Hall" not in text


def test_questions_are_lines_to_fill_in(tmp_path):
    asked = (
        Question("leads", "a", ("dates: dmy", "dates: mdy")),
        Question("leads", "b", ("dates: dmy", "dates: mdy")),
        Question("leads", "c", ("timezone: Europe/Tallinn",)),
        Question("leads", "d", ("columns: {sql_at: SQL_Date__c}", "columns: {sql_at: First SQL}")),
    )
    text, found = drafted(tmp_path, *leads_of(tmp_path, questions=asked))
    open_lines = [" ".join(line.split()) for line in text.splitlines() if FILL_IN in line]
    assert open_lines == [
        "sql_at: # <- fill in: one of SQL_Date__c, First SQL",
        "dates: # <- fill in: dmy or mdy",
        "timezone: # <- fill in: the zone of these times, such as Europe/Tallinn",
    ]
    assert found["leads"]["dates"] is None
    assert read_source(tmp_path / "source.yaml").leads.dates == "auto"


def test_a_needed_column_that_no_header_tells_is_to_be_named(tmp_path):
    look = {"columns": (), "unmapped": ("Nr", "Qualified on", "Wer")}
    text, _ = drafted(tmp_path, *leads_of(tmp_path, **look))
    assert "lead_id:                        # <- fill in: one of Nr, Qualified on, Wer" in text
    assert "mql_at:                         # <- fill in: one of Qualified on" in text


def test_a_header_that_looks_right_is_proposed_behind_a_mark(tmp_path):
    text, found = drafted(tmp_path, *leads_of(tmp_path, unmapped=("Lead Date", "SQL on", "Owner")))
    assert (
        "    # sql_at: SQL on                # this header? needed for the MQL→SQL conversion rate"
        in text
    )
    assert "    # created_at: Lead Date         # this header?" in text
    assert found["leads"]["columns"] is None


def history_of(folder, stages):
    path = folder / "log.csv"
    path.write_text("lead_id,at,stage\n1,2026-01-01,MQL\n", encoding="utf-8")
    spec = TableSpec("history", "history[0]", (path,), format="plain")
    file = FileReport("log.csv", "plain", "", "utf-8", ",", 1, 1)
    column = ColumnReport("stage", "stage", "text", (("MQL", "MQL"),))
    look = TableReport("history", "history[0]", files=(file,), columns=(column,), stages=stages)
    return spec, look


def test_stages_are_written_with_those_that_mean_nothing_yet(tmp_path):
    stages = {"MQL": ("mql", 9), "SQL, hot": ("sql", 3), "Open": (None, 7), "no": ("rejected", 1)}
    spec, look = history_of(tmp_path, stages)
    text, found = drafted(tmp_path, SourceSpec(tmp_path / "s.yaml", None, (spec,)), [look])
    assert found["history"][0]["stages"] == {
        "mql": ["MQL"], "sql": ["SQL, hot"], "rejected": ["no"]
    }  # fmt: skip
    assert "# Not mapped: Open (7)" in text
    assert read_source(tmp_path / "source.yaml").history[0].stages["sql"] == ["SQL, hot"]


def test_stages_that_nobody_knows_are_a_line_to_fill_in(tmp_path):
    spec, look = history_of(tmp_path, {"1234": (None, 9), "1236": (None, 2)})
    text, _ = drafted(tmp_path, SourceSpec(tmp_path / "s.yaml", None, (spec,)), [look])
    assert 'mql: # <- fill in: [...], of "1234" (9), "1236" (2)' in " ".join(text.split())


def test_with_an_mql_stage_in_a_history_the_leads_need_no_mql_date(tmp_path):
    source, (look,) = leads_of(tmp_path, columns=(ColumnReport("lead_id", "Id", "text", ()),))
    spec, log = history_of(tmp_path, {"MQL": ("mql", 9)})
    both = SourceSpec(source.path, source.leads, (spec,))
    text, found = drafted(tmp_path, both, [look, log])
    assert FILL_IN not in text
    assert list(found) == ["leads", "history"]


def test_what_is_broken_is_said_in_comments(tmp_path):
    text, _ = drafted(tmp_path, *leads_of(tmp_path, errors=("a.csv: is a PDF.\n  Fix: export",)))
    assert "  # To correct: a.csv: is a PDF.\n  # To correct:   Fix: export\n" in text


def test_paths_go_from_the_folder_to_the_exports(tmp_path):
    source, looks = leads_of(tmp_path)
    text = draft_source(source, looks, folder=tmp_path / "deep" / "down")
    assert "- ../../exports/leads.csv" in text


def test_nothing_in_a_header_breaks_out_of_its_place(tmp_path):
    evil = 'a: b # c\n"x"\x1b'
    look = {
        "columns": (ColumnReport("mql_at", evil, "text", ((evil, evil),)),),
        "unmapped": (evil,),
        "errors": (evil,),
    }
    _, found = drafted(tmp_path, *leads_of(tmp_path, **look))
    assert found["leads"] == {
        "files": ["exports/leads.csv"], "format": "salesforce", "columns": {"lead_id": None}
    }  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_yaml(text):
    assert yaml.safe_load(f"k: {yaml_text(text)}") == {"k": text}
    assert yaml.safe_load(f"k: [{yaml_text(text)}]") == {"k": [text]}


# --- The params file


def params_of(tmp_path, first, last, **columns):
    columns = tuple(ColumnReport(c, c, "text", ((v, v),)) for c, v in columns.items())
    path = tmp_path / "mql_report.yaml"
    days = (first, last) if first else None
    look = TableReport("leads", "leads", columns=columns, mql_days=days)
    text = params_yaml(report_settings("mql_report", [look]))
    path.write_text(text, encoding="utf-8")
    return ReportParams.read(path)


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        (date(2025, 1, 3), date(2026, 5, 20), "2026-Q1"),
        (date(2025, 1, 3), date(2026, 6, 30), "2026-Q2"),  # complete to its last day
        (date(2026, 4, 3), date(2026, 5, 20), "2026-04..2026-05"),  # no quarter is
        (date(2025, 12, 31), date(2026, 1, 1), "2025-Q4"),
        (None, None, "last-12-months"),
    ],
)
def test_the_period_is_the_last_complete_quarter(tmp_path, first, last, period):
    assert params_of(tmp_path, first, last).period == period


def test_breakdowns_are_those_that_have_values(tmp_path):
    assert params_of(tmp_path, None, None, source="Web", campaign="x").by == ["source"]
    assert params_of(tmp_path, None, None).by == []


# --- The folder


def test_a_workspace_without_exports_is_a_form(tmp_path):
    made = create_workspace(tmp_path / "mine", None, [])
    names = [p.relative_to(tmp_path / "mine").as_posix() for p in made.written]
    params = [f"params/{name}.yaml" for name in REPORTS]
    notebooks = [f"notebooks/{name}.ipynb" for name in REPORTS]
    assert names == ["source.yaml", *params, *notebooks]
    assert all(p.is_file() for p in made.written)
    assert [number for _, number, _ in made.to_fill_in] == [6, 8]
    with pytest.raises(SourceError, match="leads names no files"):
        read_source(made.written[0])
    params = ReportParams.read(made.written[1])
    assert Path(params.source) == made.written[0].resolve()


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mql_report.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ParamsError) as error:
        create_workspace(tmp_path, None, [])
    assert str(error.value) == (
        f"{tmp_path}: 1 of the files to write already exist.\n"
        f"  Found:    {tmp_path / 'params' / 'mql_report.yaml'}\n"
        "  Fix:      give another folder, or rewrite the notebooks only: "
        f"mqlkit new {tmp_path} --update"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["params"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "mine").write_text("", encoding="utf-8")
    with pytest.raises(ParamsError, match="cannot be written"):
        create_workspace(tmp_path / "mine", None, [])


def test_the_next_steps_are_said(tmp_path):
    made = create_workspace(tmp_path / "mine", None, [])
    lines = next_steps(made, tmp_path / "mine")
    assert "2 lines to fill in:" in lines
    assert lines[-3:] == [
        f"  mqlkit check {tmp_path / 'mine' / 'source.yaml'}",
        f"  mqlkit run {tmp_path / 'mine' / 'params' / 'mql_report.yaml'}",
        f"  mqlkit lab {tmp_path / 'mine'}",
    ]
