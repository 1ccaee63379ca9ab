"""What docs/schedule.md gives to paste: run as a scheduler would, as far as one is here."""

from __future__ import annotations

import ast
import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from runs import ROOT, WORKED

from mqlkit import cli
from mqlkit.mail import NAMES, PREFIX
from mqlkit.params import ReportParams, TextDatesLoader

PAPER = (ROOT / "docs" / "schedule.md").read_text(encoding="utf-8")
HOME = "/srv/leads"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAPER, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return every command line of mqlkit in the paper."""
    found = re.findall(r"mqlkit run (.*)", "\n".join(re.findall(r"```.*?```", PAPER, re.DOTALL)))
    return [line.partition(">")[0].strip() for line in found]


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
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m mqlkit.cli "$@"\n')
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


def test_papermills_line_runs(workspace):
    (line,) = blocks("sh")
    words = [sys.executable, "-m", *shlex.split(line)]
    done = subprocess.run(words, cwd=workspace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert nbformat.read(workspace / "out.ipynb", as_version=4).cells[-1].execution_count


def test_every_command_is_understood():
    assert len(commands()) == 3
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
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"] == "*-*-01 06:00"
    workflow = yaml.safe_load(blocks("yaml")[1])
    assert [next(iter(step)) for step in workflow["jobs"]["reports"]["steps"]] == [
        "uses", "uses", "run", "run", "uses"
    ]  # fmt: skip


def test_the_parameters_for_airflow_are_parameters():
    (text,) = blocks("python")
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    (operator,) = [c for c in calls if getattr(c.func, "id", "") == "PapermillOperator"]
    (given,) = [ast.literal_eval(k.value) for k in operator.keywords if k.arg == "parameters"]
    ReportParams.from_mapping(given)


def test_the_variables_are_those_of_the_code():
    documented = re.findall(r"^\| `(MQLKIT_SMTP_\w+)` \|", PAPER, re.MULTILINE)
    assert set(documented) == {f"{PREFIX}{name.upper()}" for name in (*NAMES, "file")}
