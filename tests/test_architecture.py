"""How the code is laid out: who may use which package, what is imported when, how long a file is.

The floors themselves are a table of CONTRIBUTING.md, and `test_docs` holds it against the imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mqlkit"
LONGEST_FILE = 300

# What touches every lead begins as an Ibis expression; from the numbers upwards there is no engine.
FULL_PASSES = {
    "engine", "estimators", "worktime", "sources", "moment", "durations", "outcomes",
    "leads", "levels", "assemble", "redaction",
    "volume", "funnel", "velocity", "sla", "cost", "roster", "behind", "prepare",
}  # fmt: skip
OWNERS: dict[str, set[str]] = {
    "duckdb": {"engine"},
    "ibis": FULL_PASSES,
    "ibis.backends": {"engine", "sources"},
    "altair": {"charts", "page", "controls"},
    "vl_convert": {"dress", "figures"},
    "great_tables": {"tables"},
    "pyarrow": {"tables"},
    "papermill": {"report", "execute"},
    "nbconvert": {"html"},
    "nbformat": {"html", "report", "execute"},
    "nbclient": {"report", "execute"},
    "jupyter_client": {"kernel", "execute", "press", "report"},
    "ipywidgets": {"controls", "filtering", "labelled", "listbox", "panel", "waiting"},
    "itables": {"listbox"},
    "IPython": {"page", "controls", "cells"},
    "holidays": {"worktime"},
    "yaml": {"params"},
    "python_calamine": {"sources"},
    "tqdm": {"progress", "examine"},
    "filelock": {"lock"},
}
JUPYTER = {
    "IPython", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "nbclient", "nbconvert",
    "nbformat", "papermill", "traitlets", "itables", "anywidget",
}  # fmt: skip


def modules():
    """Return every module's dotted name below the package, with its file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


MODULES = modules()


@cache
def imports_of(name):
    """Return what a module imports, anywhere in it, those for type checkers included."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            module = node.module or ""
            # `from mqlkit import leads` imports a module, `import __version__` from it does not.
            below = {f"{module}.{alias.name}" for alias in node.names}
            ours = {full for full in below if full.removeprefix("mqlkit.") in MODULES}
            found |= ours or {module}
    return found


def ours(name):
    """Return the modules of the package that a module imports."""
    return {full.removeprefix("mqlkit.") for full in imports_of(name) if full.startswith("mqlkit.")}


def place(name):
    return name.split(".")[0]


def test_the_package_itself_imports_nothing():
    assert imports_of("") == {"__future__"}


@pytest.mark.parametrize("folder", ["sources", "charts", "tables"])
def test_there_is_no_circle_inside_a_folder(folder):
    inside = {
        n: {o for o in ours(n) if place(o) == folder} - {n} for n in MODULES if place(n) == folder
    }
    settled: set[str] = set()
    while inside:
        free = {name for name, needs in inside.items() if needs <= settled}
        assert free, f"a circle among {sorted(inside)}"
        settled |= free
        inside = {name: needs for name, needs in inside.items() if name not in free}


@pytest.mark.parametrize("package", OWNERS)
def test_each_package_of_others_has_its_owners(package):
    users = {
        name
        for name in MODULES
        if any(full == package or full.startswith(f"{package}.") for full in imports_of(name))
    }
    assert {place(name) for name in users} <= OWNERS[package], sorted(users)


def test_every_package_of_others_that_is_used_is_known_here():
    everywhere = {"numpy", "pandas", "mqlkit", *sys.stdlib_module_names}
    used = {full.split(".")[0] for name in MODULES for full in imports_of(name)}
    assert used - everywhere <= set(OWNERS)


@pytest.mark.parametrize("name", ["terms", "errors", "wording", "periods", "workweek", "checks"])
def test_the_lowest_floors_know_no_frames(name):
    assert not {"pandas", "numpy", "ibis"} & {full.split(".")[0] for full in imports_of(name)}


@pytest.mark.parametrize("module", ["mqlkit", "mqlkit.cli", "mqlkit.numbers"])
def test_importing_the_package_starts_no_jupyter(module):
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert not JUPYTER & set(found.stdout.split())


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_too_long(name):
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_FILE, "split it where it answers two questions"


@pytest.mark.parametrize("name", [n for n in MODULES if place(n) not in ("cli", "controls")])
def test_only_the_command_line_prints(name):
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    assert not [f"line {c.lineno}" for c in calls if c.func.id == "print"]


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_called_utils(name):
    assert not {"utils", "helpers", "misc", "common"} & set(name.split("."))
