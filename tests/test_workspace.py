"""Workspaces: notebooks, `mqlkit new --update`, `mqlkit lab`, and where reports are written."""

from __future__ import annotations

import ast
import json
from datetime import date
from pathlib import Path

import pytest

from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams
from mqlkit.run.cli import main
from mqlkit.run.new import REPORTS, create_workspace, kit_notebooks, update_workspace
from mqlkit.run.workspace import by_output_folder, lab_options
from mqlkit.sources.inspect import ColumnReport, TableReport
from mqlkit.sources.spec import SourceSpec


def cells_of(path):
    """Return the values of the parameters cell of a notebook, and its code cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (parameters,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    lines = ast.parse("".join(parameters["source"])).body
    values = {ast.unparse(line.target): ast.literal_eval(line.value) for line in lines}
    return values, [c for c in cells if c["cell_type"] == "code"]


def create_with_owner(folder):
    """Create a workspace for leads with an owner and no source, of the first quarter of 2026."""
    look = TableReport(
        "leads",
        "leads",
        columns=(ColumnReport("owner", "Owner", "text", ()),),
        mql_days=(date(2026, 1, 2), date(2026, 3, 31)),
    )
    create_workspace(folder, SourceSpec(folder / "source.yaml", None), [look])


# --- Notebooks


def test_each_notebook_of_the_kit_has_a_params_file():
    assert sorted(REPORTS) == sorted(p.stem for p in kit_notebooks().glob("*.ipynb"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_notebook_has_the_values_of_its_params_file_and_no_output(tmp_path, name):
    create_with_owner(tmp_path)
    values, cells = cells_of(tmp_path / "notebooks" / f"{name}.ipynb")
    params = ReportParams.read(tmp_path / "params" / f"{name}.yaml")
    assert params.source == str(tmp_path.resolve() / "source.yaml")
    assert values == {**params.to_dict(), "source": "../source.yaml"}
    assert values["period"] == "2026-Q1"
    assert "source" not in values["by"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in cells)


def test_comments_and_other_cells_of_a_notebook_stay(tmp_path):
    create_with_owner(tmp_path)
    for name in REPORTS:
        kit, own = (
            json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
            for folder in (kit_notebooks(), tmp_path / "notebooks")
        )
        assert [c["source"] for c in own[1:]] == [c["source"] for c in kit[1:]]
        comments = [[line.partition("  # ")[2] for line in c[0]["source"]] for c in (kit, own)]
        assert comments[0] == comments[1]


def test_an_update_rewrites_changed_notebooks_and_keeps_them(tmp_path):
    create_workspace(tmp_path, None, [])
    notebooks = tmp_path / "notebooks"
    first = notebooks / "mql_report.ipynb"
    new = first.read_text(encoding="utf-8")
    first.write_text("old", encoding="utf-8")
    (notebooks / "mine.ipynb").write_text("mine", encoding="utf-8")
    assert list(update_workspace(tmp_path)) == [
        f"wrote {first}; the old one is mql_report.ipynb.bak",
        *(f"{notebooks / name}.ipynb is up to date" for name in list(REPORTS)[1:]),
    ]
    assert first.read_text(encoding="utf-8") == new
    first.write_text("older", encoding="utf-8")
    list(update_workspace(tmp_path))
    assert (notebooks / "mql_report.ipynb.bak").read_text(encoding="utf-8") == "old"
    assert (notebooks / "mql_report.ipynb.bak2").read_text(encoding="utf-8") == "older"
    assert (notebooks / "mine.ipynb").read_text(encoding="utf-8") == "mine"


def test_an_update_takes_the_parameters_of_the_params_files(tmp_path):
    create_workspace(tmp_path, None, [])
    text = "source: ../data/crm.yaml\nperiod: 2026-Q1\nwhere: {country: [EE, LV]}\nsla: 24h\n"
    (tmp_path / "params" / "mql_report.yaml").write_text(text, encoding="utf-8")
    list(update_workspace(tmp_path))
    values, _ = cells_of(tmp_path / "notebooks" / "mql_report.ipynb")
    assert values["source"] == "../data/crm.yaml"
    assert values["where"] == {"country": ["EE", "LV"]}
    assert (values["period"], values["sla"]) == ("2026-Q1", "24h")


def test_an_update_adds_missing_params_files_with_the_settings_of_another(tmp_path):
    create_workspace(tmp_path, None, [])
    text = "source: ../data/crm.yaml\nperiod: 2026-Q1\nsla: 24h\nby: [team]\n"
    (tmp_path / "params" / "mql_report.yaml").write_text(text, encoding="utf-8")
    missing = tmp_path / "params" / "sla_velocity.yaml"
    missing.unlink()
    assert f"wrote {missing}" in list(update_workspace(tmp_path))
    params = ReportParams.read(missing)
    assert (params.report, params.title) == ("sla_velocity", "SLA and time in stage")
    assert params.source == str((tmp_path / "data" / "crm.yaml").resolve())
    assert (params.period, params.sla, params.by) == ("2026-Q1", "24h", ["team"])
    assert "# as in mql_report.yaml" in missing.read_text(encoding="utf-8")
    values, _ = cells_of(tmp_path / "notebooks" / "sla_velocity.ipynb")
    assert (values["source"], values["sla"]) == ("../data/crm.yaml", "24h")


def test_an_update_of_a_workspace_without_params_files_adds_all(tmp_path):
    (tmp_path / "notebooks").mkdir()
    list(update_workspace(tmp_path))
    found = {path.stem: ReportParams.read(path) for path in tmp_path.glob("params/*.yaml")}
    assert found.keys() == REPORTS.keys()
    assert {p.source for p in found.values()} == {str((tmp_path / "source.yaml").resolve())}


def test_an_update_needs_a_workspace(tmp_path):
    with pytest.raises(ParamsError) as error:
        list(update_workspace(tmp_path))
    assert str(error.value) == (
        f"{tmp_path}: is not a workspace.\n"
        "  Expected: a folder that holds notebooks/\n"
        f"  Fix:      mqlkit new {tmp_path} creates a workspace"
    )


def test_the_command_updates_a_workspace(tmp_path, capsys):
    assert main(["new", str(tmp_path)]) == 0
    (tmp_path / "notebooks" / "mql_report.ipynb").unlink()
    assert main(["new", "--update", str(tmp_path), "leads.csv"]) == 2
    assert "--update rewrites the notebooks only" in capsys.readouterr().err
    assert main(["new", str(tmp_path), "--update"]) == 0
    assert f"wrote {tmp_path / 'notebooks' / 'mql_report.ipynb'}\n" in capsys.readouterr().out


# --- Output folders


def test_reports_are_written_to_the_workspace_of_their_params_file(tmp_path, monkeypatch):
    (tmp_path / "mine" / "notebooks").mkdir(parents=True)
    (tmp_path / "mine" / "params" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    inside = [Path("mine/params/a.yaml"), Path("mine/params/deep/b.yaml")]
    alone = Path("c.yaml")
    assert by_output_folder([*inside, alone], None) == {
        Path("mine/reports"): inside, Path("reports"): [alone]
    }  # fmt: skip
    assert by_output_folder([*inside, alone], Path("out")) == {Path("out"): [*inside, alone]}


def test_an_output_folder_outside_the_working_folder_is_absolute(tmp_path, monkeypatch):
    (tmp_path / "mine" / "notebooks").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    params = Path("../mine/q1.yaml")
    assert by_output_folder([params], None) == {tmp_path.resolve() / "mine" / "reports": [params]}


# --- JupyterLab


def test_lab_needs_a_workspace(tmp_path, capsys):
    assert main(["lab", str(tmp_path)]) == 2
    assert f"{tmp_path}: is not a workspace." in capsys.readouterr().err


def test_lab_says_what_to_install(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr("mqlkit.run.workspace.find_spec", lambda _: None)
    assert main(["lab", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "mqlkit: JupyterLab is not installed in this environment.\n"
        '  Fix:      pip install "mqlkit[lab]"; in a clone of the repository, make lab\n'
    )


def test_lab_opens_the_nearest_workspace(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "deep")
    started = []
    monkeypatch.setattr("jupyterlab.labapp.main", started.append)
    assert main(["lab"]) == 0
    assert main(["lab", str(tmp_path), "--", "--no-browser"]) == 0
    options = lab_options(tmp_path.resolve())
    assert started == [options, [*options, "--no-browser"]]
    assert f"--ServerApp.root_dir={tmp_path.resolve()}" in options
