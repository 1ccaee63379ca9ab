"""Run the command line in a process of its own, or in one that keeps its kernel warm."""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKED = ROOT / "tests" / "worked_example"
SHELF = Path(__file__).parent / "notebooks"
LONGEST_RUN = 300


@dataclass(frozen=True)
class Run:
    """What a command came to, and the folder that it was to write into."""

    code: int
    stdout: str
    stderr: str
    folder: str

    @property
    def out(self) -> Path:
        return Path(self.folder) / "reports"

    def metrics(self, name: str) -> dict[str, Any]:
        return json.loads((self.out / f"{name}.metrics.json").read_text(encoding="utf-8"))

    def html(self, name: str) -> str:
        return (self.out / f"{name}.html").read_text(encoding="utf-8")

    def notebook(self, name: str) -> Any:
        return nbformat.read(self.out / f"{name}.ipynb", as_version=4)


def environment() -> dict[str, str]:
    """Return this process's environment, in which the tested tree is found first."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def command(*words: object, cwd: Path, **variables: str) -> Run:
    """Run a module of the tested tree, such as ``mqlkit``, and wait for it."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        env={**environment(), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST_RUN,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, str(cwd))


@functools.cache
def warm_process() -> subprocess.Popen[str]:
    """Return a process that runs command lines on a warm kernel; see `warm_runs`."""
    started = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("warm_runs.py"))],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    # The end of its stdin ends it.
    atexit.register(started.communicate)
    return started


def mqlkit_run(
    *params: object, cwd: Path, out: str = "reports", largest_file: int | None = None
) -> Run:
    """Run ``mqlkit run`` on a warm kernel; relative names are from ``cwd``."""
    process = warm_process()
    words = ["run", *map(str, params), "--out", out]
    request = {"words": words, "cwd": str(cwd), "largest_file": largest_file}
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    code, stdout, stderr = json.loads(process.stdout.readline())
    return Run(code, stdout, stderr, str(cwd))


def once(factory: pytest.TempPathFactory, name: str, act: Callable[[Path], Run]) -> Run:
    """Return what ``act`` came to, done once for all processes that run tests.

    A report takes seconds; under pytest-xdist each worker would make its own.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    done = folder.with_suffix(".json")
    try:
        folder.mkdir()
    except FileExistsError:
        return Run(**_awaited(done))
    try:
        result = asdict(act(folder))
    except BaseException as error:
        _write(done, {"error": repr(error)})
        raise
    _write(done, result)
    return Run(**result)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(path)


def _awaited(path: Path) -> dict[str, Any]:
    until = time.monotonic() + LONGEST_RUN
    while not path.exists():
        assert time.monotonic() < until, f"no other process has written {path.name}"
        time.sleep(0.1)
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert "error" not in result, result["error"]
    return result


def write_yaml(path: Path, content: Mapping[str, Any]) -> Path:
    """Write a params file or a source.yaml."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return all files below a folder with their bytes; folders are None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
