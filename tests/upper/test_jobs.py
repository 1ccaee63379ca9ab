"""Several reports in one command: side by side, one after the other, and what is shared."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading

import psutil
import pytest
from runs import ROOT, WORKED, Run, command, mqlkit_run, once, write_yaml
from test_sturdy import PATIENCE, alive, begin, shelf, wait_for

from mqlkit.run.log import Result, table_of
from mqlkit.run.output import TEMP_PREFIX

KINDS = ("metrics.json", "breaches.csv", "set-aside.csv", "txt")


@pytest.fixture(scope="session")
def jobs_run(tmp_path_factory) -> Run:
    """Return a run, two at a time, of good reports, a dying and a mistyped one."""

    def act(cwd):
        content = (WORKED / "params.yaml").read_text(encoding="utf-8")
        content = content.replace("source.yaml", str(WORKED / "source.yaml"))
        for name in ("first", "second"):
            (cwd / f"{name}.yaml").write_text(content, encoding="utf-8")
        reports = [
            cwd / "first.yaml",
            shelf(cwd, "dies", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"),
            write_yaml(cwd / "typo.yaml", {"grian": "month"}),
            WORKED / "params.yaml",
            cwd / "second.yaml",
        ]
        words = ["--jobs", 2, "--log-json", "log.jsonl", "--out", "reports"]
        return command("mqlkit", "run", *reports, *words, cwd=cwd, TMPDIR=str(cwd))

    return once(tmp_path_factory, "jobs", act)


def first_lines(run: Run) -> list[str]:
    """Return the first line of each message, without the folder of its report."""
    said = re.findall(r"^mqlkit: (.*)", run.stderr, re.MULTILINE)
    return sorted(line.rpartition("/")[2] for line in said)


def test_one_that_takes_its_process_along_stops_alone(jobs_run):
    assert jobs_run.code == 2
    assert first_lines(jobs_run) == [
        "dies.yaml: the process that ran it was killed.",
        "typo.yaml:1: parameter 'grian' is unknown.",
    ]
    assert "Traceback" not in jobs_run.stderr
    assert sorted(jobs_run.stdout.split()) == [
        f"reports/{name}.html" for name in ("first", "params", "second")
    ]
    assert {p.name for p in jobs_run.out.glob("*.html")} == {
        "first.html", "params.html", "second.html", "index.html",
    }  # fmt: skip


def test_one_that_hangs_is_stopped_and_its_notebook_is_left(tmp_path):
    hangs = shelf(tmp_path, "hangs", "import time; time.sleep(600)")
    typo = write_yaml(tmp_path / "typo.yaml", {"grian": "month"})
    words = ["--jobs", 2, "--timeout", 3, "--out", "reports"]
    run = command("mqlkit", "run", hangs, typo, *words, cwd=tmp_path)
    assert run.code == 2
    assert first_lines(run) == [
        "hangs.ipynb: stopped after 3 seconds (--timeout).",
        "typo.yaml:1: parameter 'grian' is unknown.",
    ]
    assert {p.name for p in run.out.iterdir()} == {"hangs.ipynb"}


@pytest.mark.parametrize("name", ["params", "second"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_the_same_in_company_as_alone(jobs_run, worked_run, name, kind):
    alone = (worked_run.out / f"params.{kind}").read_bytes()
    assert (jobs_run.out / f"{name}.{kind}").read_bytes() == alone


def test_its_page_and_its_notebook_are_the_same_too(jobs_run, worked_run):
    made = r"Made \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC"
    pages = [re.sub(made, "", r.html(n)) for r, n in ((worked_run, "params"), (jobs_run, "second"))]
    assert pages[0] == pages[1]
    first, second = worked_run.notebook("params"), jobs_run.notebook("second")
    counts = [[c.get("execution_count") for c in nb.cells] for nb in (first, second)]
    assert counts[0] == counts[1]


def test_the_log_has_every_event_as_json(jobs_run):
    lines = (jobs_run.out.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert {e["event"] for e in events} == {"started", "cell", "written", "failed", "ended"}
    ended = {e["report"].rpartition("/")[2]: e["code"] for e in events if e["event"] == "ended"}
    assert ended == {
        "first.yaml": 0, "dies.yaml": 1, "typo.yaml": 2, "params.yaml": 0, "second.yaml": 0,
    }  # fmt: skip
    cells = [e["done"] for e in events if e["event"] == "cell" and "second" in e["report"]]
    (of,) = [e["cells"] for e in events if e["event"] == "started" and "second" in e["report"]]
    assert cells == [*range(1, of + 1)]


def test_temporary_files_are_gone(jobs_run):
    # But for those of the process that was killed, which the next run sweeps.
    left = {p.name.removesuffix(".lock") for p in jobs_run.out.parent.glob(f"{TEMP_PREFIX}*")}
    assert len(left) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopping_the_batch_stops_everything_in_it(tmp_path, number):
    hangs = shelf(tmp_path, "hangs", "import time; time.sleep(600)")
    run = begin(tmp_path, hangs, "--jobs", 2, start_new_session=True)
    wait_for(
        lambda: len(list((tmp_path / "tmp").glob(f"{TEMP_PREFIX}*/kernel.json"))) == 2, "kernels"
    )
    offspring = psutil.Process(run.pid).children(recursive=True)
    # A terminal sends Ctrl-C to all of them at once.
    (os.killpg if number == signal.SIGINT else os.kill)(run.pid, number)
    _, said = run.communicate(timeout=PATIENCE)
    if number != signal.SIGKILL:
        assert said == "mqlkit: stopped; no report is half written.\n"
        assert run.returncode == 128 + number
    wait_for(lambda: not alive(offspring), "the end of its processes")
    if number != signal.SIGKILL:
        assert not (tmp_path / "reports").exists()
    assert list((tmp_path).glob("reports/*")) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_params_files_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        write_yaml(tmp_path / folder / "q.yaml", {"period": "2026"})
    run = mqlkit_run("a/q.yaml", "b/q.yaml", cwd=tmp_path)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.splitlines() == [
        "mqlkit: 2 params files are called 'q', and so would be their reports.",
        "  Found:    'a/q.yaml', 'b/q.yaml'",
        "  Fix:      rename one, or run them into different folders with --out",
    ]
    assert not run.out.exists()


def test_in_a_terminal_each_report_has_a_bar_and_all_have_a_summary(tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = []

    def read():
        try:
            while text := os.read(ours, 4096):
                shown.append(text)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    typo = write_yaml(tmp_path / "typo.yaml", {"grian": "month"})
    words = ["run", WORKED / "params.yaml", typo, "--jobs", 2, "--out", "reports"]
    done = subprocess.run(
        [sys.executable, "-m", "mqlkit", *map(str, words)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    reader.join()
    os.close(ours)
    text = b"".join(shown).decode()
    assert done.returncode == 2
    assert re.search(r"params: +\d+%\|.*?\d+/\d+ \[", text)
    assert "mqlkit: " in text
    *_, first, second = text.replace("\r", "").rstrip().splitlines()
    assert re.fullmatch(r"done +\d+\.\d s  .*/params\.yaml", first)
    assert re.fullmatch(r"not run +\d+\.\d s  .*/typo\.yaml", second)


def test_the_summary_names_each_report():
    assert table_of([Result(WORKED / "a\x1b[2J.yaml", 3, 8.26)])[1].endswith("a\\x1b[2J.yaml")
