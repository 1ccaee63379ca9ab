"""Faults that nothing expects, output that cannot be printed, and files that were cut off."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError
from runs import WORKED, environment

from mqlkit.core.errors import RunError
from mqlkit.pages import assets
from mqlkit.run import guard, notebook, verify
from mqlkit.run.cli import main
from mqlkit.run.report import Job, RunOptions, run_one


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """Keep details of errors in a folder of the test."""
    monkeypatch.setattr(guard, "user_log_path", lambda *_, **__: tmp_path / "logs")
    return tmp_path / "logs"


def failing(*_args, **_options):
    raise ZeroDivisionError("with postgres://ana:hunter2@host and s3cret")


@pytest.mark.parametrize("words", [["formats"], ["check", "x.csv"], ["new", "x"], ["lab", "x"]])
def test_a_fault_in_any_command_is_one_sentence_and_a_file(logs, monkeypatch, capsys, words):
    monkeypatch.setenv("MQLKIT_SMTP_PASSWORD", "s3cret")
    for command in ("_formats", "_check", "_new", "_lab"):
        monkeypatch.setattr(f"mqlkit.run.cli.{command}", failing)
    assert main(words) == 1
    first, *others = capsys.readouterr().err.splitlines()
    assert first == (
        f"mqlkit: mqlkit {words[0]}: an error that mqlkit did not expect (ZeroDivisionError)."
    )
    assert "Traceback" not in "".join(others)
    (details,) = logs.iterdir()
    assert str(details) in others[0]
    text = details.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "test_guard.py" in text
    assert "hunter2" not in text
    assert "s3cret" not in text


def test_a_fault_of_one_report_does_not_stop_the_others(logs, monkeypatch, tmp_path):
    monkeypatch.setattr("mqlkit.run.report.run_report", failing)
    said = []
    job = Job(Path("q1.yaml"), RunError("not read"))
    result = run_one(
        job, RunOptions(tmp_path), runtime=None, log=lambda event, **f: said.append((event, f))
    )
    assert result.code == 1
    assert "q1.yaml: an error that mqlkit did not expect" in said[0][1]["text"]
    assert list(logs.iterdir())


@pytest.mark.parametrize(
    ("frames", "is_of_kit"),
    [
        (["Cell In[3], line 1", "File {kit}/core/text.py:12, in count(n)"], True),
        (["Cell In[3], line 1", "File /usr/lib/python3/json/decoder.py:337, in decode(s)"], False),
        (["Cell In[3], line 1", "KeyError: 'Event'"], False),
    ],
)
def test_a_cell_that_fails_within_mqlkit_is_told_from_one_that_fails_by_itself(frames, is_of_kit):
    lines = [frame.format(kit=notebook.KIT) for frame in frames]
    error = PapermillExecutionError(1, 3, "report.value()", "KeyError", "'Event'", lines)
    assert notebook.is_of_kit(error) == is_of_kit


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "there is too little memory"),
        (OSError(28, "No space left on device", "/tmp/x"), "the disk is full"),
    ],
)
def test_what_the_machine_lacks_is_no_fault_to_report(logs, error, words):
    made = guard.as_expected(error, "q1.yaml")
    assert words in str(made)
    assert made.exit_code == 1
    assert not logs.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["check", ""],
        ["new", ""],
        ["run", ""],
        ["run", "q.yaml", "--out", ""],
        ["run", "q.yaml", "--log-json", ""],
        ["run", "q.yaml", "--jobs", ""],
        ["run", "q.yaml", "--keep", "0"],
        ["run", "q.yaml", "--timeout", "nan"],
    ],
)
def test_an_option_without_a_value_is_refused(capsys, words):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "error: argument" in said
    assert "invalid _" not in said


def test_an_empty_as_of_is_not_left_out(capsys, tmp_path):
    assert main(["run", str(WORKED / "params.yaml"), "--as-of", "", "--out", str(tmp_path)]) == 2
    assert "as_of None is not usable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (">/dev/full", 1, "mqlkit: the output cannot be printed (No space left on device)."),
        (">&-", 0, ""),
        ("| true", 0, ""),
    ],
)
def test_output_that_cannot_be_printed(ending, code, said):
    command = f"{sys.executable} -m mqlkit formats {ending}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert (done.returncode, done.stderr.split("\n")[0]) == (code, said)


# --- Files that are not complete


@pytest.fixture
def written(worked_run, tmp_path):
    """Return a copy of a report's files, and what they were written from."""
    for path in worked_run.out.glob("params.*"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    page = (tmp_path / "params.html").read_text(encoding="utf-8")
    executed = nbformat.read(tmp_path / "params.ipynb", as_version=4)
    return tmp_path, {"page": page, "notebook": executed}


def test_complete_files_are_published(written):
    folder, made = written
    assert verify.read_back(folder, "params", **made)["title"]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("html", 0), ("html", -1), ("html", -20), ("metrics.json", 0), ("metrics.json", -3),
        ("metrics.json", 5000), ("breaches.csv", 0), ("breaches.csv", -30), ("breaches.csv", 60),
        ("set-aside.csv", 0), ("revised.csv", 0), ("leads.parquet", -1), ("leads.parquet", 0),
        ("ipynb", -5),
    ],
)  # fmt: skip
def test_a_file_that_is_cut_off_is_not_published(written, kind, kept):
    folder, made = written
    path = folder / f"params.{kind}"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match="are not complete; no report was published"):
        verify.read_back(folder, "params", **made)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"charts":{', '"charts":{},"x":{', "has 0 of"),
        ('"rows":[[', '"rows":[],"x":[[', "rows of its charts"),
    ],
)
def test_a_page_without_its_charts_is_not_published(written, before, after, words):
    folder, made = written
    changed = made["page"].replace(before, after)
    assert changed != made["page"]
    (folder / "params.html").write_text(changed, encoding="utf-8")
    with pytest.raises(RunError, match=words):
        verify.read_back(folder, "params", page=changed, notebook=made["notebook"])


def test_a_page_without_the_chart_library_is_not_published(written):
    folder, made = written
    start = made["page"].rindex("<script>")
    changed = made["page"][:start] + "<script></script>\n</body>\n</html>\n"
    (folder / "params.html").write_text(changed, encoding="utf-8")
    with pytest.raises(RunError, match="without its chart library"):
        verify.read_back(folder, "params", page=changed, notebook=made["notebook"])


def test_a_kept_script_that_is_cut_off_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "_bundled", lambda own: f"library {own}")
    whole = assets.page_script(tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(whole[:100], encoding="utf-8")
    assert assets.page_script(tmp_path) == whole == kept.read_text(encoding="utf-8")
