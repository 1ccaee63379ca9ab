"""What docs/schedule.md gives to paste: run as a scheduler would, as far as one is here."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
import yaml
from frames import headline_frame
from papermill.cli import papermill
from runs import ROOT, WORKED
from test_lab import TOKEN, jupyterlab

from mqlkit.core.params import ReportParams
from mqlkit.core.yaml_files import TextDatesLoader
from mqlkit.metrics.report import read_report
from mqlkit.run import cli
from mqlkit.run.mail import NAMES, PREFIX
from mqlkit.views.headline import headline

PAPER = (ROOT / "docs" / "schedule.md").read_text(encoding="utf-8")
HOME = "/srv/leads"
LONGEST_JOB = 300


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAPER, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return every command line of mqlkit in the paper."""
    found = re.findall(r"mqlkit run (.*)", "\n".join(re.findall(r"```.*?```", PAPER, re.DOTALL)))
    # What comes after it belongs to the shell, or to the Python that it is a text of.
    return [line.partition(">")[0].removesuffix('",').strip() for line in found]


@pytest.fixture
def workspace(tmp_path):
    """Return the workspace that the paper speaks of, on the worked example."""
    home = tmp_path / "leads"
    (home / "params").mkdir(parents=True)
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    for path in WORKED.glob("*.csv"):
        shutil.copy(path, home)
    shutil.copy(WORKED / "source.yaml", home)
    params = yaml.load(blocks("yaml")[0], TextDatesLoader)
    # The paper's own, on the day after the example ends.
    params |= {"as_of": "2026-03-01", "timezone": "UTC"}
    (home / "params" / "mql_report.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (home / ".venv" / "bin").mkdir(parents=True)
    script = home / ".venv" / "bin" / "mqlkit"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m mqlkit "$@"\n')
    script.chmod(0o755)
    return home


def bare(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as cron does: by sh, with a short PATH, no terminal and little else."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "SHELL": "/bin/sh", "LOGNAME": "x"}
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def test_crons_line_runs_in_its_bare_environment(workspace):
    (_, line) = blocks("crontab")[0].splitlines()
    job = re.fullmatch(r"0 6 1 \* \* (.*)", line)[1].replace(HOME, str(workspace))
    done = bare(job, workspace)
    # The example breaks the paper's limit, and that is all there is to mail.
    assert done.returncode == 3
    assert done.stdout == ""
    said = r"mqlkit: params/mql_report.yaml: sla_attainment is 0\.\d+, and fail_on says < 0\.8\.\n"
    assert re.fullmatch(said, done.stderr)
    assert (workspace / "reports" / "2026-02" / "mql_report.html").is_file()
    assert (workspace / "reports" / "index.html").is_file()


def test_papermills_line_names_what_is_there(workspace):
    # Papermill alone is run in `test_run`.
    (line,) = blocks("sh")
    program, *words = shlex.split(line)
    context = papermill.make_context(program, words)
    given = context.params
    assert (workspace / given["notebook_path"]).is_file()
    assert [(workspace / path).is_file() for path in given["parameters_file"]] == [True]
    assert given["output_path"] == "out.ipynb"


def ask(url: str, path: str, content: dict | None = None):
    """Ask the server something, or have it make something of some content."""
    body = None if content is None else json.dumps(content).encode()
    head = {"Authorization": f"token {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/{path}", body, head)) as answer:
        return json.loads(answer.read() or "null")


def submit(url: str, notebook: str, **more: object) -> str:
    """Create a job as the form of JupyterLab does, and return its id."""
    (environment,) = ask(url, "scheduler/runtime_environments")
    job = {"name": notebook, "input_uri": notebook, "output_formats": ["ipynb"], **more}
    job["runtime_environment_name"] = environment["name"]
    return ask(url, "scheduler/jobs", job)["job_id"]


def finished(url: str, job_id: str):
    """Wait for a job's end, and return it."""
    # Before it has begun, a job is called STOPPED.
    until = time.monotonic() + LONGEST_JOB
    while (job := ask(url, f"scheduler/jobs/{job_id}"))["status"] not in ("COMPLETED", "FAILED"):
        assert time.monotonic() < until, job
        time.sleep(0.2)
    return job


def downloaded(url: str, job_id: str, home: Path):
    """Download a job's notebook as a person would, and return it."""
    ask(url, f"scheduler/jobs/{job_id}/download_files")
    until = time.monotonic() + LONGEST_JOB
    while not (job := ask(url, f"scheduler/jobs/{job_id}"))["downloaded"]:
        assert time.monotonic() < until, job
        time.sleep(0.2)
    (path,) = (f["file_path"] for f in job["job_files"] if f["file_format"] == "ipynb")
    return nbformat.read(home / path, as_version=4)


def run_job(url: str, notebook: str, home: Path, **more: object):
    """Run a job to its end; return how it ended and its notebook as executed."""
    for _ in range(3):
        job = submit(url, notebook, **more)
        status, executed = finished(url, job)["status"], downloaded(url, job, home)
        if any(cell.get("execution_count") for cell in executed.cells):
            return status, executed
        # Its kernel did not get up: another process was quicker to take the port found for it.
    raise AssertionError(f"{notebook} was never begun")


def outputs(notebook) -> str:
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    parts = (out for cell in cells for out in cell.outputs)
    return "\n".join(p.get("text") or p.get("data", {}).get("text/html", "") for p in parts)


def test_jupyterlabs_scheduler_runs_the_notebook(workspace):
    if sys.version_info >= (3, 14):
        # Nobody gets it there (jupyter-server/jupyter-scheduler#611), and the paper says so.
        assert find_spec("jupyter_scheduler") is None
        assert "on Python 3.14 it does not start" in PAPER
        return
    _, _, table = PAPER.partition("| parameter name | parameter value |")
    lines = re.findall(r"^\| `(\w+)` \| `(.*)` \|$", table, re.MULTILINE)
    given = {name: value.replace(HOME, str(workspace)) for name, value in lines}
    assert list(given) == ["source", "period", "as_of", "timezone"]
    # The day after the example ends.
    given |= {"as_of": '"2026-03-01"', "timezone": '"UTC"'}
    with jupyterlab(workspace) as url:
        done, charts = run_job(url, "notebooks/mql_report.ipynb", workspace, parameters=given)
    assert done == "COMPLETED"
    params = {name: ast.literal_eval(value) for name, value in given.items()}
    numbers = read_report(ReportParams.from_mapping(params))
    figures = headline(
        headline_frame(numbers.metrics, params=numbers.params, currency=numbers.currency)
    )
    shown = re.findall(r'class="mk-value"[^>]*>([^<]*)<', outputs(charts))
    assert shown == [figure.value for figure in figures]
    # Nothing lies in the workspace that a person has not asked for.
    assert {p.name for p in (workspace / "notebooks").iterdir()} == {
        p.name for p in (ROOT / "notebooks").iterdir()
    }


@pytest.mark.parametrize("code", [0, 3])
def test_the_cell_to_schedule_runs_crons_command_and_fails_with_it(workspace, code):
    (cell,) = blocks("text")
    magic, command = cell.splitlines()
    assert magic == "%%bash"
    assert f" {command} > /dev/null" in blocks("crontab")[0]
    (workspace / ".venv" / "bin" / "mqlkit").write_text(f"#!/bin/sh\nexit {code}\n")
    words = [sys.executable, "-m", "IPython", "-c", cell.replace(HOME, str(workspace))]
    done = subprocess.run(words, cwd=workspace, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if code else 0)
    assert (f"returned non-zero exit status {code}" in done.stdout + done.stderr) == bool(code)


def test_every_command_is_understood():
    assert len(commands()) == 5
    for line in commands():
        cli._parser().parse_args(["run", *shlex.split(line)])


def test_the_params_are_accepted():
    ReportParams.from_mapping(yaml.load(blocks("yaml")[0], TextDatesLoader))


def test_the_units_and_the_workflow_can_be_read():
    mail, service, timer = (configparser.ConfigParser(strict=True) for _ in range(3))
    mail.read_string("[mail]\n" + blocks("ini")[0])
    assert set(mail["mail"]) <= set(NAMES)
    for parser, text in zip((service, timer), blocks("ini")[1:], strict=True):
        parser.optionxform = str
        parser.read_string(text)
    # systemd only warns of a key that it does not know, and goes without.
    assert {name: set(service[name]) for name in service.sections()} == {
        "Unit": {"Description"},
        "Service": {"Type", "User", "WorkingDirectory", "EnvironmentFile", "ExecStart"},
    }
    assert {name: set(timer[name]) for name in timer.sections()} == {
        "Unit": {"Description"},
        "Timer": {"OnCalendar", "Persistent"},
        "Install": {"WantedBy"},
    }
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"] == "*-*-01 06:00"
    workflow = yaml.safe_load(blocks("yaml")[1])
    assert [next(iter(step)) for step in workflow["jobs"]["reports"]["steps"]] == [
        "uses", "uses", "run", "run", "uses"
    ]  # fmt: skip


def test_airflow_is_given_what_there_is():
    (text,) = blocks("python")
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    given = {
        c.func.id: {k.arg: ast.literal_eval(k.value) for k in c.keywords}
        for c in calls
        if c.func.id.endswith("Operator")
    }
    ReportParams.from_mapping(given["PapermillOperator"]["parameters"])
    assert (ROOT / Path(given["PapermillOperator"]["input_nb"]).relative_to(HOME)).is_file()
    # The shell's words are the same as cron's.
    (_, line) = blocks("crontab")[0].splitlines()
    assert given["BashOperator"]["bash_command"] in line
    assert given["BashOperator"]["cwd"] == HOME


def test_the_variables_are_those_of_the_code():
    documented = re.findall(r"^\| `(MQLKIT_SMTP_\w+)` \|", PAPER, re.MULTILINE)
    assert set(documented) == {f"{PREFIX}{name.upper()}" for name in (*NAMES, "file")}
