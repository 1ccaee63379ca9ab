"""The examples of the docs run: their commands, their files, and what the pages say comes out."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from markdown_pages import ROOT, blocks, example_files, read, tables, write_files

from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import TextDatesLoader
from mqlkit.metrics.report import read_report
from mqlkit.run import cli
from mqlkit.sources.spec import TABLES, read_source

README = read("README.md")
YOUR_DATA = read("docs/your-data.md")
# What installs, or opens a browser; `test_packaging`, `test_workspace` and `test_lab` cover them.
NOT_RUN = re.compile(r"make |mqlkit lab |python3? -m |source |conda |\.venv/bin/pre-commit ")


def commands(page: str) -> list[str]:
    """Return the distinct commands in the shell blocks of a page."""
    lines = [line for block in blocks(read(page), "sh") for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if not NOT_RUN.match(line)]


def is_params(block: str) -> bool:
    return not set(yaml.load(block, TextDatesLoader)) & set(TABLES)


SOURCE_YAML = "\n".join(b for b in blocks(YOUR_DATA, "yaml") if not is_params(b))
(PARAMS_YAML,) = (b for b in blocks(YOUR_DATA, "yaml") if is_params(b))


@pytest.fixture
def workspace(tmp_path):
    """Return the workspace that `Your data` describes."""
    folder = tmp_path / "my-leads"
    write_files(folder, example_files(YOUR_DATA))
    write_files(folder, {"source.yaml": SOURCE_YAML, "report.yaml": PARAMS_YAML})
    return folder


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Work in a copy of the repository's data, next to the exports of the README."""
    folder = tmp_path / "clone"
    for name in ("notebooks", "params", "data"):
        shutil.copytree(ROOT / name, folder / name)
    files = example_files(README)
    write_files(folder, files)
    exports = {"exports/leads-2026-01.csv": "leads.csv", "ads/spend.csv": "ads.csv"}
    write_files(folder, {name: files[original] for name, original in exports.items()})
    monkeypatch.chdir(folder)
    return folder


def run(line: str) -> int:
    """Run a command and return its exit code; of a run of the sample, check the parameters only."""
    program, *words = shlex.split(line)
    if program == "papermill":
        return 0
    assert program == "mqlkit"
    args = cli._parser().parse_args(words)
    if words[:2] == ["run", "params/mql_report.yaml"]:
        return 0 if all(ReportParams.read(path, args.overrides) for path in args.params) else 2
    return cli.main(words)


def codes(page: str) -> dict[str, int]:
    return {line: run(line) for line in commands(page)}


@pytest.fixture(scope="module")
def readme_folder(tmp_path_factory):
    """Return a folder in which the commands of the README have run."""
    folder = tmp_path_factory.mktemp("readme")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_files(Path(), example_files(README))
        assert set(codes("README.md").values()) == {0}
    return folder


@pytest.fixture(scope="module")
def readme_run(readme_folder):
    """Return the metrics.json that the commands of the README write."""
    (path,) = readme_folder.rglob("mql_report.metrics.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_readme_says_what_its_example_gives(readme_run):
    total = {
        row["metric"]: row["value"]
        for row in readme_run["metrics"]
        if row["bucket"] == "total" and row["segment"] is None
    }
    assert readme_run["period"] == {"start": "2026-01-01", "end": "2026-04-01", "grain": "month"}
    assert dict(tables(README, "number | first quarter of 2026")) == {
        "MQLs": f"{total['mqls']}, against a goal of {total['goal']:.0f}",
        "MQL→SQL conversion": f"{total['sqls']} of {total['mqls']}",
        "SLA attainment": f"{total['sla_met']} of {total['mqls']}",
        "cost per MQL": f"{total['cost_per_mql']:.2f} {readme_run['currency']}",
    }


def test_the_python_of_the_readme_gives_the_same_cost(readme_folder, monkeypatch):
    monkeypatch.chdir(readme_folder)
    (block,) = blocks(README, "python")
    *lines, last = block.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    shown = dict(tables(README, "number | first quarter of 2026"))["cost per MQL"]
    assert f"{eval(last, names):.2f} EUR" == shown


def test_every_key_of_metrics_json_is_documented(readme_run):
    page = read("docs/outputs.md")
    top, row, step = (
        re.findall(r"`(\w+)`", " ".join(cell for cell, _ in tables(part, "key | holds")))
        for part in re.split("A row of `(?:metrics|funnel)`", page)
    )
    assert set(top) == set(readme_run)
    assert set(row) == set(readme_run["metrics"][0])
    assert set(step) == set(readme_run["funnel"][0])


@pytest.mark.parametrize("page", ["docs/quickstart.md", "docs/commands.md"])
def test_the_commands_of_a_page_run(page, clone):
    assert set(codes(page).values()) == {0}


def test_the_commands_of_your_data_run(workspace, monkeypatch):
    monkeypatch.chdir(workspace.parent)
    assert set(codes("docs/your-data.md").values()) == {0}


def test_the_example_source_is_read_as_described(workspace):
    described = yaml.load(SOURCE_YAML, TextDatesLoader)
    # Together the blocks are one file: a table written twice would hide the first.
    assert len(re.findall(r"^\w+:", SOURCE_YAML, re.MULTILINE)) == len(described)
    source = read_source(workspace / "source.yaml")

    assert set(described) == set(TABLES)
    assert [len(t.files) for t in (source.leads, source.spend, source.goals, *source.history)] == [
        1
    ] * 5
    assert source.timezone == "Europe/Tallinn"
    assert [h.stage for h in source.history] == [None, "won"]


def test_the_example_source_gives_the_numbers_and_excluded_rows_described(workspace):
    numbers = read_report(ReportParams.read(workspace / "report.yaml"))

    (excluded,) = [row for ledger in numbers.ledgers.values() for row in ledger.rows]
    assert (excluded.file, excluded.line, excluded.reason) == (
        "exports/leads-2026-01.csv", 4, "duplicate"
    )  # fmt: skip
    assert numbers.ledgers["history"].noted == {"stage not mapped: On hold": 1}
    totals = numbers.metrics[numbers.metrics["bucket"] == "total"]
    totals = totals[totals["by"] == ""].set_index("metric")["value"]
    assert totals[["mqls", "accepted", "rejected", "sqls"]].tolist() == [2, 1, 1, 1]
