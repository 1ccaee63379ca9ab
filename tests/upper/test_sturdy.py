"""What a run leaves when it is stopped, killed, starved or met by another run."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from runs import ROOT, SHELF, WORKED, mqlkit_run, snapshot, write_yaml

from mqlkit.core.errors import disk_words
from mqlkit.run.output import TEMP_PREFIX, publish, scratch_folder, temporary_folder

OUTPUTS = (
    "html", "ipynb", "metrics.json", "breaches.csv", "set-aside.csv", "revised.csv",
    "leads.parquet", "txt",
)  # fmt: skip
WHOLE = {*(f"params.{kind}" for kind in OUTPUTS), "index.html"}
PATIENCE = 180
DIED = "the kernel died: it crashed or was killed, possibly out of memory."


def begin(
    cwd: Path, *words: object, params: Path = WORKED / "params.yaml", **more: object
) -> subprocess.Popen[str]:
    """Start a run of the worked example with a folder for temporary files of its own."""
    (cwd / "tmp").mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    arguments = [params, *words, "--out", "reports"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, "-m", "mqlkit", "run", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(cwd / "tmp")},
        **{**pipes, **more},
    )


def wait_for(condition, what: str):
    """Wait until a condition holds, and return what it came to."""
    until = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def alive(processes) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def waiting(folder: Path, name: str = "params"):
    """Hold the lock of a report."""
    with scratch_folder(folder, name, is_patient=True, say=pytest.fail) as scratch:
        yield scratch


# --- two runs of one report ---------------------------------------------------------------------


def test_a_second_run_waits_says_for_whom_and_then_runs(tmp_path):
    (tmp_path / "reports").mkdir()
    with waiting(tmp_path / "reports"):
        run = begin(tmp_path, params=brief(tmp_path))
        said = run.stderr.readline()
        assert run.poll() is None
    _, rest = run.communicate(timeout=PATIENCE)
    assert said.startswith(f"mqlkit: params: waiting for another run of this report (process "
                           f"{os.getpid()} on ")  # fmt: skip
    assert run.returncode == 0, rest
    assert rest == ""
    assert {p.name for p in (tmp_path / "reports").iterdir()} == WHOLE


def test_or_it_says_that_it_does_not_wait(tmp_path):
    with waiting(tmp_path / "reports"):
        before = snapshot(tmp_path / "reports")
        run = mqlkit_run(WORKED / "params.yaml", "--no-wait", cwd=tmp_path)
        assert snapshot(tmp_path / "reports") == before
    assert run.code == 1
    first, *rest = run.stderr.splitlines()
    assert first.startswith(
        f"mqlkit: params: another run is making this report (process {os.getpid()}"
    )
    assert rest == ["  Fix:      wait for it to end, or leave out --no-wait"]


def test_other_reports_of_the_folder_are_not_held_up(tmp_path):
    with waiting(tmp_path), waiting(tmp_path, "params.old"), waiting(tmp_path, "other"):
        assert len(list(tmp_path.glob(".*.lock"))) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_lock_without_a_holder_is_nobodys(tmp_path):
    (tmp_path / ".params.lock").touch()
    (tmp_path / ".params.run").mkdir()
    (tmp_path / ".params.run" / "holder.json").write_text('{"pid": 1}', encoding="utf-8")
    with waiting(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


# --- stopped and killed -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing_behind(tmp_path, number):
    run = begin(tmp_path)
    kernel = tmp_path / "tmp"
    wait_for(lambda: list(kernel.glob(f"{TEMP_PREFIX}*/kernel.json")), "the kernel")
    time.sleep(random.Random(number).uniform(0, 2))
    offspring = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(number)
    shown, said = run.communicate(timeout=PATIENCE)
    assert (run.returncode, shown) == (128 + number, "")
    assert said == "mqlkit: stopped; no report is half written.\n"
    assert offspring
    assert alive(offspring) == []
    assert not (tmp_path / "reports").exists()
    assert list(kernel.iterdir()) == []


def check_whole(folder: Path) -> None:
    """Check that no output is half a file, and that a report is all of one run or on its way."""
    for path in folder.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    for path in folder.glob("*.ipynb"):
        json.loads(path.read_text(encoding="utf-8"))
    for path in folder.glob("*.html"):
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), path


def brief(cwd: Path) -> Path:
    """Return the params of a report that runs as all do, and draws little."""
    notebook = nbformat.read(ROOT / "notebooks" / "mql_report.ipynb", as_version=4)
    notebook.cells = notebook.cells[:3]
    (cwd / "notebooks").mkdir(exist_ok=True)
    nbformat.write(notebook, cwd / "notebooks" / "brief.ipynb")
    given = yaml.safe_load((WORKED / "params.yaml").read_text(encoding="utf-8"))
    given |= {"report": "brief", "source": str(WORKED / "source.yaml")}
    return write_yaml(cwd / "params.yaml", given)


# States of a run, in their order, by the files that show that it has been reached.
STATES = {
    "temporary folder made": f"tmp/{TEMP_PREFIX}*/",
    "report locked": "reports/.params.lock",
    "scratch folder signed": "reports/.params.run/holder.json",
    "kernel started": f"tmp/{TEMP_PREFIX}*/kernel.json",
    "first cell begun": "reports/.params.run/params.ipynb",
    "numbers written": "reports/.params.run/params.metrics.json",
}
# The page is rendered at once after that: the run may have ended before it is seen here.
SHORT_STATE = "numbers written"


def is_reached(run: subprocess.Popen[str], cwd: Path, state: str) -> bool:
    """Wait until a run has reached a state or has ended, and return whether it is in the state."""
    while not any(cwd.glob(STATES[state])):
        if run.poll() is not None:
            return False
        time.sleep(0.001)
    return True


def family(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the process of a run and those that it has started."""
    parent = psutil.Process(run.pid)
    return [parent, *parent.children(recursive=True)]


@contextmanager
def suspended(run: subprocess.Popen[str]):
    """Stop the processes of a run while the block runs."""
    processes = family(run)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    yield
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def copy_files(source: Path, target: Path) -> None:
    """Copy what a kill would leave: files and folders, but no sockets."""

    def others(folder: str, names: list[str]) -> list[str]:
        paths = (Path(folder, name) for name in names)
        return [path.name for path in paths if not path.is_file() and not path.is_dir()]

    shutil.copytree(source, target, ignore=others)


def test_after_a_kill_in_any_state_the_next_run_succeeds(tmp_path, worked_run):
    params = brief(tmp_path)
    shutil.copytree(worked_run.out, tmp_path / "reports")
    before = snapshot(tmp_path / "reports")
    assert set(before) == WHOLE
    # A kill leaves the files as they are at that moment, and no holder of their locks.
    run = begin(tmp_path, params=params)
    left = [tmp_path.with_name(f"{tmp_path.name}-{number}") for number in range(len(STATES))]
    for state, folder in zip(STATES, left, strict=True):
        if is_reached(run, tmp_path, state):
            with suspended(run):
                copy_files(tmp_path, folder)
    _, said = run.communicate(timeout=PATIENCE)
    assert (run.returncode, said) == (0, "")
    seen = []
    for state, folder in zip(STATES, left, strict=True):
        if state == SHORT_STATE and not folder.exists():
            continue
        check_whole(folder / "reports")
        found = set(snapshot(folder / "reports"))
        assert set(before) <= found, state
        if found in seen:
            continue
        seen.append(found)
        again = mqlkit_run("params.yaml", cwd=folder)
        assert (again.code, again.stderr) == (0, ""), state
        assert {p.name for p in again.out.iterdir()} == WHOLE, state


def test_a_killed_run_leaves_no_process_and_the_next_sweeps_its_files(tmp_path):
    params = brief(tmp_path)
    # Orphans would keep a pipe open: the next run starts while they are still there.
    run = begin(tmp_path, params=params, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert is_reached(run, tmp_path, "first cell begun")
    _, *offspring = family(run)
    assert offspring
    run.kill()
    run.wait()
    assert list((tmp_path / "tmp").iterdir())
    run = begin(tmp_path, params=params)
    _, said = run.communicate(timeout=PATIENCE)
    assert (run.returncode, said) == (0, "")
    assert {p.name for p in (tmp_path / "reports").iterdir()} == WHOLE
    wait_for(lambda: not alive(offspring), "the end of its processes")
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("moves", range(len(OUTPUTS) + 1))
def test_what_a_kill_left_half_moved_is_moved_in_by_the_next(tmp_path, monkeypatch, moves):
    names = [f"params.{kind}" for kind in OUTPUTS]
    for name in names:
        (tmp_path / name).write_text("old", encoding="utf-8")
    left, replace = moves, Path.replace

    def killed(self, target):
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    is_killed = pytest.raises(KeyboardInterrupt) if moves < len(OUTPUTS) else nullcontext()
    with is_killed, waiting(tmp_path) as scratch:
        for name in names:
            (scratch / name).write_text("new", encoding="utf-8")
        publish(scratch, tmp_path, "params", tmp_path)
    monkeypatch.undo()
    with waiting(tmp_path):
        found = {p.name: p.read_text() for p in tmp_path.glob("params.*")}
    assert found == dict.fromkeys(names, "new")
    assert len(list(tmp_path.iterdir())) == len(names)


def test_temporary_files_of_the_killed_are_swept_and_of_the_living_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / f"{TEMP_PREFIX}dead"
    dead.mkdir()
    (tmp_path / f"{TEMP_PREFIX}dead.lock").touch()
    (dead / "spilled").write_text("x", encoding="utf-8")
    # Killed before it had made its folder.
    (tmp_path / f"{TEMP_PREFIX}unborn.lock").touch()
    with temporary_folder() as first, temporary_folder() as second:
        assert {p for p in tmp_path.iterdir() if p.is_dir()} == {first, second}
        assert len(list(tmp_path.iterdir())) == 4
        # Windows neither moves nor removes a folder with an open file in it.
        assert list(first.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


# --- a report that hangs or loses its kernel ----------------------------------------------------


def shelf(cwd: Path, name: str, source: str) -> Path:
    """Return the params of a notebook whose failing cell is replaced."""
    text = (SHELF / "raises.ipynb").read_text(encoding="utf-8")
    changed = text.replace('rows[\\"Event\\"]', source)
    assert changed != text
    (cwd / "notebooks").mkdir(exist_ok=True)
    (cwd / "notebooks" / f"{name}.ipynb").write_text(changed, encoding="utf-8")
    return write_yaml(
        cwd / "params" / f"{name}.yaml",
        {"report": name, "title": name, "source": str(WORKED / "source.yaml")},
    )


def test_a_report_that_hangs_or_dies_stops_alone_and_leaves_the_last_good_one(tmp_path):
    hangs = shelf(tmp_path, "hangs", "import time; time.sleep(600)")
    dies = shelf(tmp_path, "dies", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    typo = write_yaml(tmp_path / "typo.yaml", {"grian": "month"})
    (tmp_path / "reports").mkdir()
    for name in ("hangs", "dies"):
        (tmp_path / "reports" / f"{name}.html").write_text("the last good one", encoding="utf-8")
    # The first has a warm kernel, and must reach its last cell in time on a busy machine too.
    run = mqlkit_run(dies, hangs, typo, "--timeout", 10, cwd=tmp_path)
    assert run.code == 2
    lines = [line for line in run.stderr.splitlines() if line.startswith("mqlkit: ")]
    assert lines == [
        f"mqlkit: dies.ipynb: {DIED}",
        "mqlkit: hangs.ipynb: stopped after 10 seconds (--timeout).",
        f"mqlkit: {typo}:1: parameter 'grian' is unknown.",
    ]
    assert "Traceback" not in run.stderr
    assert {p.name for p in run.out.iterdir()} == {
        "hangs.html", "hangs.ipynb", "dies.html", "dies.ipynb",
    }  # fmt: skip
    for name in ("hangs", "dies"):
        assert run.html(name) == "the last good one"
        assert run.notebook(name).cells


# --- disks and folders --------------------------------------------------------------------------


def earlier(folder: Path) -> dict[str, bytes | None]:
    """Lay down an earlier report and return it."""
    folder.mkdir()
    for kind in OUTPUTS:
        (folder / f"params.{kind}").write_text("the last good one", encoding="utf-8")
    return snapshot(folder)


def check_said_and_untouched(
    code: int, shown: str, said: str, before: dict[str, bytes | None], folder: Path
) -> None:
    """Check that a run has said that the disk is full, and that the earlier report is there."""
    assert (code, shown) == (1, "")
    assert said.startswith("mqlkit: ")
    assert "File too large" in said
    assert "free some space" in said
    assert "Traceback" not in said
    after = snapshot(folder)
    # The executed notebook may be left, but whole.
    if after["params.ipynb"] != before["params.ipynb"]:
        assert json.loads(after["params.ipynb"] or "")["cells"]
    before.pop("params.ipynb")
    after.pop("params.ipynb")
    assert after == before


# No file can grow beyond so many bytes: it fails where a full disk would.
@pytest.mark.parametrize("room", [2_000, 40_000])
def test_a_full_disk_is_said_and_leaves_the_last_good_report(tmp_path, room):
    before = earlier(tmp_path / "reports")
    run = mqlkit_run(WORKED / "params.yaml", cwd=tmp_path, largest_file=room)
    check_said_and_untouched(run.code, run.stdout, run.stderr, before, run.out)


def test_a_disk_that_is_full_from_the_start_leaves_no_temporary_files(tmp_path):
    before, room = earlier(tmp_path / "reports"), 400_000

    def starve():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    run = begin(tmp_path, preexec_fn=starve)
    shown, said = run.communicate(timeout=PATIENCE)
    check_said_and_untouched(run.returncode, shown, said, before, tmp_path / "reports")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_on_windows_a_file_that_is_open_elsewhere_is_told_as_such(tmp_path):
    # As Windows has it when a spreadsheet shows the last list of late leads.
    error = PermissionError(13, "Access is denied", ".q.done/q.csv", None, "reports/q.csv")
    error.winerror = 32
    assert disk_words(Path("reports"), error) == (
        "reports: cannot be written to (Access is denied).\n"
        "  Fix:      close the program that has reports/q.csv open, change its permissions, or "
        "name another folder with --out"
    )


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_run(tmp_path):
    before = earlier(tmp_path / "reports")
    (tmp_path / "reports").chmod(0o555)
    # Root may write anywhere, unless it gives that up.
    meek = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    words = [*meek, sys.executable, "-m", "mqlkit", "run", WORKED / "params.yaml"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [*map(str, words), "--out", "reports"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    (tmp_path / "reports").chmod(0o755)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "mqlkit: reports: cannot be written to (Permission denied).",
        "  Fix:      change its permissions, or name another folder with --out",
    ]
    assert snapshot(tmp_path / "reports") == before
