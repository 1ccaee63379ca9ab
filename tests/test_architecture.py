"""How the code is laid out: what each folder may use, what is imported when, how long a file is.

That folders import in one direction only is checked by import-linter (`make lint`).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mqlkit"
LONGEST_FILE = 450
FOLDERS = {"core", "stats", "sources", "leads", "metrics", "views", "pages", "lab", "run"}
# Every third-party package, and the folders that may import it.
OWNERS: dict[str, set[str]] = {
    "numpy": FOLDERS - {"core"},
    "pandas": FOLDERS - {"core"},
    "duckdb": {"sources"},
    "ibis": {"sources", "leads", "metrics", "pages"},
    "ibis.backends": {"sources"},
    "altair": {"views", "pages"},
    "babel": {"sources"},
    "vl_convert": {"pages"},
    "papermill": {"run"},
    "nbconvert": {"pages"},
    "nbformat": {"pages", "run"},
    "nbclient": {"run"},
    "jupyter_client": {"run"},
    "jupyter_core": {"run"},
    "ipywidgets": {"lab"},
    "itables": {"lab"},
    "IPython": {"pages", "lab"},
    "jinja2": {"pages"},
    "jupyterlab": {"run"},
    "holidays": {"leads"},
    "yaml": {"core"},
    "python_calamine": {"sources"},
    "tqdm": {"run"},
    "filelock": {"run"},
    "platformdirs": {"pages", "run"},
}
JUPYTER = {
    "IPython", "ipykernel", "ipywidgets", "jupyter_client", "jupyter_core", "nbclient", "nbconvert",
    "nbformat", "papermill", "traitlets", "itables", "anywidget",
}  # fmt: skip
VAGUE = {"utils", "helpers", "misc", "common"}


def modules() -> dict[str, Path]:
    """Return the path of every module, by its dotted name below the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@cache
def imports_of(name: str) -> frozenset[str]:
    """Return the modules that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return frozenset(found)


def folder_of(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def uses(name: str, package: str) -> bool:
    return any(full == package or full.startswith(f"{package}.") for full in imports_of(name))


def test_only_the_public_face_is_flat():
    flat = {path.name for path in PACKAGE.glob("*.py")}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert flat == {"__init__.py", "__main__.py"}
    assert folders == FOLDERS


def test_there_is_no_import_cycle_inside_a_folder():
    for folder in FOLDERS:
        names = {name for name in MODULES if folder_of(name) == folder}
        open_ = {
            n: {o for o in names - {n} if uses(n, f"mqlkit.{o}") and f"mqlkit.{o}" in imports_of(n)}
            for n in names
        }
        while open_:
            free = {name for name, needs in open_.items() if not needs & open_.keys()}
            assert free, f"a cycle among {sorted(open_)}"
            open_ = {name: needs for name, needs in open_.items() if name not in free}


def test_each_third_party_package_is_used_by_its_folders_only():
    strays = [
        f"{name} imports {package}"
        for package, owners in OWNERS.items()
        for name in MODULES
        if uses(name, package) and folder_of(name) not in owners
    ]
    assert strays == []


def test_every_third_party_package_in_use_is_listed():
    listed = {"mqlkit", *sys.stdlib_module_names, *OWNERS}
    used = {full.split(".")[0] for name in MODULES for full in imports_of(name)}
    assert used - listed == set()


@pytest.mark.parametrize("module", ["mqlkit", "mqlkit.metrics.report"])
def test_importing_the_package_loads_no_jupyter(module):
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert not JUPYTER & set(found.stdout.split())


def test_no_file_is_too_long():
    lengths = {n: p.read_text(encoding="utf-8").count("\n") for n, p in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_only_the_command_line_prints():
    printing = [
        f"{name}:{node.lineno}"
        for name in MODULES
        if name != "run.cli"
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert printing == []


def test_no_module_has_a_vague_name():
    assert [name for name in MODULES if VAGUE & set(name.split("."))] == []
