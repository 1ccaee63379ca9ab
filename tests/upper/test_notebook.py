"""The notebooks are thin: parameters as `ReportParams` has them, and calls of the package."""

from __future__ import annotations

import ast
import logging
from dataclasses import fields, replace
from pathlib import Path

import nbformat
import papermill
import pytest

from mqlkit.core.params import ReportParams

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LOGIC = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.If,
    ast.IfExp, ast.Match, ast.Try, ast.With, ast.comprehension, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Compare, ast.AugAssign,
)  # fmt: skip
# A field that may be null or a number is text to papermill, which knows one type per name.
TYPE_NAMES = {
    "str": "str", "str | None": "str", "str | int": "str", "int": "int", "int | None": "int",
    "bool": "bool", "float": "float", "list[str]": "list[str]",
    "list[dict[str, Any]]": "list[dict]",
    "dict[str, list[str]]": "dict[str, list[str]]", "dict[str, str]": "dict[str, str]",
}  # fmt: skip

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def own_defaults(path, chosen):
    """Return the defaults of the package, but for what makes a notebook itself."""
    own = {} if path.stem == "mql_report" else {"title": chosen.title, "by": chosen.by}
    return replace(ReportParams(), report=path.stem, **own)


def tags(cell):
    return set(cell.metadata.get("tags", []))


def code_cells(path):
    return [c for c in read(path).cells if c.cell_type == "code" and "parameters" not in tags(c)]


def test_papermill_finds_the_parameters_of_the_package(path, caplog):
    with caplog.at_level(logging.WARNING):
        found = papermill.inspect_notebook(str(path))
    assert not caplog.records
    assert list(found) == ReportParams.names()
    own = {n: ast.literal_eval(found[n]["default"]) for n in ("title", "by")}
    defaults = own_defaults(path, replace(ReportParams(), **own))
    for field in fields(ReportParams):
        given = found[field.name]
        assert given["help"] == field.metadata["help"]
        assert ast.literal_eval(given["default"]) == getattr(defaults, field.name)
        assert given["inferred_type_name"] == TYPE_NAMES[field.type]


def test_the_parameters_come_first_and_once(path):
    notebook = read(path)
    (cell,) = [c for c in notebook.cells if "parameters" in tags(c)]
    first = next(c for c in notebook.cells if c.cell_type == "code")
    assert cell is first
    assert not [line for line in cell.source.splitlines() if line.count("  # ") != 1]


def test_the_parameters_as_they_stand_are_usable(path):
    (cell,) = [c for c in read(path).cells if "parameters" in tags(c)]
    namespace = {}
    exec(cell.source, namespace)
    chosen = ReportParams.from_cell(namespace)
    assert chosen == own_defaults(path, chosen)


def test_cells_call_and_do_not_compute(path):
    found = [
        f"{cell.id}: {ast.unparse(node) if hasattr(node, 'lineno') else type(node).__name__}"
        for cell in code_cells(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, LOGIC)
    ]
    assert not found


def test_cells_have_at_most_three_lines(path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= 3, cell.id


def test_every_section_asks_a_question_and_answers_it_with_one_cell(path):
    cells = read(path).cells
    headings = [i for i, c in enumerate(cells) if c.cell_type == "markdown"]
    assert headings
    for i in headings:
        assert cells[i].source.startswith("## ") or cells[i].source.startswith("### ")
        assert cells[i].source.splitlines()[0].endswith("?")
        assert cells[i + 1].cell_type == "code"


def test_no_notebook_saves_its_results(path):
    # The runner does; a reader of the notebook has nothing to save.
    assert not [cell.id for cell in code_cells(path) if "save" in cell.source]


def test_the_second_cell_opens_the_report(path):
    assert code_cells(path)[0].source == "import mqlkit as mk\n\nreport = mk.open(globals())"


def test_cells_have_names_and_no_two_the_same(path):
    ids = [c.id for c in read(path).cells]
    assert len(set(ids)) == len(ids)


def test_no_output_is_kept(path):
    # JupyterLab would show a kept output before the notebook has run, without its style.
    for cell in code_cells(path):
        assert not cell.outputs, cell.id
        assert cell.execution_count is None, cell.id


def test_it_runs_in_any_python_kernel(path):
    kernel = read(path).metadata.kernelspec
    assert (kernel.name, kernel.language) == ("python3", "python")
