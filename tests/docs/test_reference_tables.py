"""The tables of the docs agree with the code."""

from __future__ import annotations

import argparse
import re
from dataclasses import MISSING, fields

import pytest
import update_tables
import yaml
from markdown_pages import PAGES, ROOT, names, read, tables

from mqlkit.core.errors import ParamsError, RunError, SourceError
from mqlkit.core.names import SET_ASIDE_REASONS
from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import TextDatesLoader
from mqlkit.run import cli
from mqlkit.run.output import KINDS
from mqlkit.run.report import LIMIT_BROKEN

PARAMETERS = read("docs/parameters.md")
OUTPUTS = read("docs/outputs.md")
COMMANDS = read("docs/commands.md")


def subparsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = [
        action
        for action in cli._parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(commands.choices)


@pytest.mark.parametrize("page", PAGES)
def test_generated_tables_are_up_to_date(page):
    text = read(page)
    assert update_tables.updated(text) == text, "Fix: python docs/update_tables.py"


def test_every_generated_table_is_on_a_page():
    shown = re.findall(r"<!-- table: (\w+) -->\n\n\|", "".join(map(read, PAGES)))
    assert sorted(shown) == sorted(update_tables.TABLES)


def test_parameters_and_their_defaults_are_those_of_the_code():
    rows = tables(PARAMETERS, "name | default | meaning")
    documented = [
        (name.strip("`"), yaml.load(default.strip("`"), TextDatesLoader))
        for name, default, _ in rows
    ]
    assert documented == [
        (f.name, f.default if f.default is not MISSING else f.default_factory())
        for f in fields(ReportParams)
    ]
    assert all(meaning for _, _, meaning in rows)


def test_values_in_the_table_of_parameters_are_accepted():
    for cell, _, meaning in tables(PARAMETERS, "name | default | meaning"):
        name = cell.strip("`")
        if name in {"report", "title", "source", "period"}:
            continue
        for value in re.findall(r"`([^`]+)`", meaning):
            if value not in ReportParams.names() and (name, value) != ("where", '"NO"'):
                ReportParams.from_mapping({name: yaml.load(value, TextDatesLoader)})


def test_values_of_the_period_are_accepted():
    cells = [cell for cell, _ in tables(PARAMETERS, "value | covers")]
    for value in re.findall(r"`([^`]+)`", " ".join(cells)):
        ReportParams.from_mapping({"period": value})


def test_reasons_for_excluding_a_row_are_those_that_the_readers_give():
    documented = set(names(tables(read("docs/your-data.md"), "reason | the row has")))
    assert documented <= set(SET_ASIDE_REASONS)
    given = {
        reason
        for path in (ROOT / "mqlkit" / "sources").rglob("*.py")
        for reason in SET_ASIDE_REASONS
        # In Python or in SQL.
        if re.search(rf"""["']{reason}["']""", path.read_text(encoding="utf-8"))
    }
    assert documented == given


def test_exit_codes_are_those_of_the_code():
    rows = tables(COMMANDS, "code | means")
    assert [int(code) for code, _ in rows] == [0, RunError.exit_code, 2, LIMIT_BROKEN]
    assert {ParamsError.exit_code, SourceError.exit_code} == {2}


def test_every_command_has_a_section():
    assert set(re.findall(r"^## mqlkit (\w+)$", COMMANDS, re.MULTILINE)) == set(subparsers())


def test_every_option_of_run_is_documented():
    documented = [cell.strip("`").split()[0] for cell, _ in tables(COMMANDS, "option | does")]
    known = set(subparsers()["run"]._option_string_actions) - {"-h", "--help"}
    assert sorted(documented) == sorted(known)


def test_every_output_file_is_documented():
    documented = set(names(tables(OUTPUTS, "file | holds")))
    assert documented == {"index.html", "NAME.figures/", *(f"NAME.{kind}" for kind in KINDS)}


def test_notebooks_are_those_of_the_repository():
    documented = names(tables(read("docs/jupyterlab.md"), "notebook | answers"))
    assert sorted(documented) == sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_gallery_has_every_sample_report():
    shown = re.findall(r"\(gallery:(\w+)\)", read("docs/gallery.md"))
    assert sorted(shown) == sorted(path.stem for path in (ROOT / "params").glob("*.yaml"))


@pytest.mark.parametrize("section", ["Added", "Numbers"])
def test_the_changelog_has_unreleased_changes(section):
    unreleased = read("CHANGELOG.md").partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert re.search(rf"^### {section}\n\n(\*\*.+\*\*\n\n)?- \S", unreleased, re.MULTILINE)
