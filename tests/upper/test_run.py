"""`mqlkit run` in a process of its own: what it writes, what it says, how it ends."""

from __future__ import annotations

import ast
import json
import math
import re
from pathlib import Path

import nbformat
import pytest
from runs import ROOT, SHELF, WORKED, Run, command, mqlkit_run, once, snapshot, write_yaml

from mqlkit.core.names import RESULTS_VARIABLE
from mqlkit.run.batch import write_index
from mqlkit.run.notebook import USER_ERRORS, save_cell

EXPECTED = json.loads((WORKED / "expected.json").read_text(encoding="utf-8"))
OUTPUTS = (
    "html", "ipynb", "metrics.json", "breaches.csv", "set-aside.csv", "revised.csv",
    "leads.parquet", "txt",
)  # fmt: skip
WORKED_PARAMS = {
    "source": str(WORKED / "source.yaml"), "period": "2026-01..2026-02", "timezone": "UTC",
    "as_of": "2026-03-01T00:00:00Z", "lag_days": 30, "rolling": 2,
}  # fmt: skip


def names(name):
    return {f"{name}.{kind}" for kind in OUTPUTS}


def complaints(run):
    """Return the messages of a run, one after the other."""
    _, *said = re.split(r"^mqlkit: ", run.stderr, flags=re.MULTILINE)
    return [text.rstrip() for text in said]


# --- the worked example -------------------------------------------------------------------------


def test_the_worked_example_runs(worked_run):
    assert worked_run.code == 0, worked_run.stderr
    assert {p.name for p in worked_run.out.iterdir()} == {*names("params"), "index.html"}


def test_the_last_line_says_where_the_page_is(worked_run):
    assert worked_run.stdout.splitlines()[-1] == str(Path("reports") / "params.html")


def test_without_a_terminal_nothing_else_is_said(worked_run):
    assert worked_run.stderr == ""
    assert len(worked_run.stdout.splitlines()) == 1


@pytest.mark.parametrize("metric", sorted({row["metric"] for row in EXPECTED["metrics"]}))
def test_every_value_of_the_worked_example(worked_run, metric):
    found = {
        (r["metric"], r["bucket"], json.dumps(r["segment"])): r
        for r in worked_run.metrics("params")["metrics"]
    }
    for want in (row for row in EXPECTED["metrics"] if row["metric"] == metric):
        row = found.get((metric, want["bucket"], json.dumps(want["segment"])))
        if row is None:
            assert want["value"] is None, want
            continue
        for name in ("value", "n", "low", "high"):
            if want[name] is None:
                assert row[name] is None, (want, name)
            else:
                assert math.isclose(row[name], want[name], rel_tol=1e-9, abs_tol=1e-9), (want, name)


def test_the_worked_example_is_whole(worked_run):
    document = worked_run.metrics("params")
    assert len(EXPECTED["metrics"]) == 356
    assert document["lag_days_used"] == EXPECTED["lag_days_used"] == 30
    assert document["maturity_days"] == EXPECTED["maturity_days"] == 19


def test_the_executed_notebook_is_the_report_with_its_parameters(worked_run):
    notebook = worked_run.notebook("params")
    (injected,) = [c for c in notebook.cells if "injected-parameters" in c.metadata.tags]
    assert 'title = "Worked example"' in injected.source
    assert not notebook.metadata.papermill.exception
    assert all(c.execution_count for c in notebook.cells if c.cell_type == "code")


@pytest.mark.parametrize(("run", "name"), [("worked_run", "params"), ("sample_run", "mql_report")])
def test_a_page_can_be_mailed(run, name, request):
    result = request.getfixturevalue(run)
    assert result.code == 0, result.stderr
    assert (result.out / f"{name}.html").stat().st_size < 1_500_000


def test_the_page_shows_no_code(worked_run):
    html = worked_run.html("params").partition("<script")[0]
    assert "read_report" not in html
    assert "<pre" not in html


# --- the same again, and what limits do ---------------------------------------------------------


@pytest.fixture(scope="session")
def several_run(tmp_path_factory) -> Run:
    """Return a run of three reports: a mistyped one, the worked example again, a broken limit."""

    def act(cwd):
        typo = write_yaml(cwd / "typo.yaml", {"grian": "month", "source": "source.yaml"})
        limits = {"sla_attainment": "< 0.8", "mqls": "<= 10", "cost_per_mql": "> 100"}
        limit = write_yaml(
            cwd / "limit.yaml", {**WORKED_PARAMS, "title": "With limits", "fail_on": limits}
        )
        return mqlkit_run(typo, WORKED / "params.yaml", limit, cwd=cwd)

    return once(tmp_path_factory, "several", act)


def test_a_bad_report_does_not_stop_the_others_and_the_highest_code_counts(several_run):
    assert several_run.code == 3
    written = {p.name for p in several_run.out.iterdir()}
    assert written == {*names("params"), *names("limit"), "index.html"}
    assert several_run.stdout.splitlines() == [
        str(Path("reports") / "params.html"), str(Path("reports") / "limit.html"),
    ]  # fmt: skip


def test_broken_limits_are_named_with_their_figures_and_others_are_not(several_run):
    typo, *limits = complaints(several_run)
    assert "'grian'" in typo
    place = f"{several_run.folder}/limit.yaml"
    assert limits == [
        f"{place}: sla_attainment is 0.555556, and fail_on says < 0.8.",
        f"{place}: cost_per_mql is 759.091, and fail_on says > 100.",
    ]


def test_a_report_whose_limit_is_broken_is_written_all_the_same(several_run):
    assert several_run.metrics("limit")["metrics"]
    assert "With limits" in several_run.html("limit")


@pytest.mark.parametrize("kind", ["metrics.json", "breaches.csv", "set-aside.csv"])
def test_two_runs_write_the_same_bytes(worked_run, several_run, kind):
    first, second = (r.out / f"params.{kind}" for r in (worked_run, several_run))
    assert first.read_bytes() == second.read_bytes()


def test_two_runs_write_the_same_page_but_for_its_time_stamp(worked_run, several_run):
    made = r"Made \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC"
    first, second = (re.sub(made, "", r.html("params")) for r in (worked_run, several_run))
    assert first == second
    assert len(re.findall(made, worked_run.html("params"))) == 1


def test_the_index_leads_to_every_report(several_run):
    html = (several_run.out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<a href="([^"]+)">([^<]+)</a>', html) == [
        ("params.html", "Worked example"), ("limit.html", "With limits"),
    ]  # fmt: skip
    assert "default-src 'none'" in html
    assert "<script" not in html


def test_the_index_has_the_latest_period_first_and_stays_text(tmp_path):
    def report(name, end, title="Q"):
        period = {"start": "2026-01-01", "end": end, "grain": "month"}
        content = {
            "title": title, "as_of": "2026-06-30T00:00:00+00:00", "period": period,
            "metrics": [], "ledger": {}, "params": {},
        }  # fmt: skip
        (tmp_path / f"{name}.metrics.json").write_text(json.dumps(content), encoding="utf-8")
        (tmp_path / f"{name}.html").write_text("", encoding="utf-8")

    report("old", "2026-02-01")
    report("new", "2026-04-01", title="<script>alert(1)</script>")
    (tmp_path / "new.html").touch()
    (tmp_path / "gone.metrics.json").write_text((tmp_path / "old.metrics.json").read_text())
    html = write_index(tmp_path).read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', html) == ["new.html", "old.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html


@pytest.mark.parametrize("foreign", ["", "{}", "[]", "not json"])
def test_a_file_that_is_none_of_ours_does_not_stop_the_index(tmp_path, foreign):
    (tmp_path / "other.metrics.json").write_text(foreign, encoding="utf-8")
    (tmp_path / "other.html").write_text("", encoding="utf-8")
    assert "other.html" not in write_index(tmp_path).read_text(encoding="utf-8")


# --- papermill by itself ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def papermill_run(tmp_path_factory) -> Run:
    """Return a run by papermill's own command of the notebook and a cell that saves its results."""

    def act(cwd):
        (cwd / "reports").mkdir()
        notebook = nbformat.read(ROOT / "notebooks" / "mql_report.ipynb", as_version=4)
        notebook.cells.append(save_cell())
        nbformat.write(notebook, cwd / "mql_report.ipynb")
        words = ["mql_report.ipynb", "reports/params.ipynb", "-f", WORKED / "params.yaml"]
        saved = {RESULTS_VARIABLE: str(cwd / "reports" / "params")}
        return command("papermill", *words, "--cwd", WORKED, cwd=cwd, **saved)

    return once(tmp_path_factory, "papermill", act)


@pytest.mark.parametrize("kind", ["metrics.json", "breaches.csv", "set-aside.csv"])
def test_papermill_alone_saves_the_same_bytes(worked_run, papermill_run, kind):
    assert papermill_run.code == 0, papermill_run.stderr
    first, second = (r.out / f"params.{kind}" for r in (worked_run, papermill_run))
    assert first.read_bytes() == second.read_bytes()


def test_papermill_alone_shows_the_same(worked_run, papermill_run):
    first, second = (
        [[o.data for o in c.outputs] for c in r.notebook("params").cells if c.cell_type == "code"]
        for r in (worked_run, papermill_run)
    )
    assert first == second


# --- notebooks broken on purpose ----------------------------------------------------------------

EARLIER = "what an earlier run has written"
SYNTAX = "title = (\n"


def shelf_run(factory, name, *more) -> Run:
    """Run a notebook of the shelf where an earlier run has left its outputs."""

    def act(cwd):
        folder = cwd / "notebooks"
        folder.mkdir()
        for path in SHELF.glob("*.ipynb"):
            (folder / path.name).write_bytes(path.read_bytes())
        raises = (SHELF / "raises.ipynb").read_text(encoding="utf-8")
        bad = raises.replace('rows[\\"Event\\"]', "title = (")
        assert bad != raises
        (folder / "bad_syntax.ipynb").write_text(bad, encoding="utf-8")
        old = raises.replace('rows[\\"Event\\"]', "from mqlkit.params import ReportParams")
        (folder / "outdated.ipynb").write_text(old, encoding="utf-8")
        huge = raises.replace('rows[\\"Event\\"]', "raise MemoryError")
        (folder / "huge.ipynb").write_text(huge, encoding="utf-8")
        (folder / "no_json.ipynb").write_text('{"cells": [', encoding="utf-8")
        (cwd / "reports").mkdir()
        for kind in OUTPUTS:
            if kind != "metrics.json":
                (cwd / "reports" / f"{name}.{kind}").write_text(EARLIER, encoding="utf-8")
        params = [
            write_yaml(
                cwd / "params" / f"{n}.yaml",
                {"report": n, "title": n, "source": str(WORKED / "source.yaml")},
            )
            for n in (name, *more)
        ]
        return mqlkit_run(*params, cwd=cwd)

    return once(factory, f"shelf-{name}", act)


@pytest.fixture(scope="session")
def raises_run(tmp_path_factory) -> Run:
    return shelf_run(tmp_path_factory, "raises", "bad_syntax", "outdated", "huge")


def test_a_notebook_that_fails_ends_with_1_and_names_the_cell(raises_run):
    assert raises_run.code == 1
    raises, syntax, outdated, huge = complaints(raises_run)
    assert raises.splitlines()[:2] == [
        "raises.ipynb: cell 4 failed: KeyError: 'Event'",
        "  Fix:      open raises.ipynb in the output folder; the failing cell is marked",
    ]
    assert syntax.startswith("bad_syntax.ipynb: cell 4 failed: SyntaxError: ")
    assert outdated == (
        "outdated.ipynb was written for an earlier version of mqlkit; "
        "`mqlkit new . --update` rewrites it and keeps the old one as .bak."
    )
    assert huge == (
        "huge.ipynb: there is too little memory for this report.\n"
        "  Fix:      leave something out: a breakdown of `by` with very many values, or leads by a "
        "filter in `where`; or take a coarser `grain` or a shorter `period`"
    )
    assert raises_run.stdout == ""
    assert "Traceback" not in raises_run.stderr


def test_the_notebook_that_failed_is_left_with_its_cell_marked(raises_run):
    cells = raises_run.notebook("raises").cells
    failed = [c for c in cells if c.metadata.get("papermill", {}).get("exception")]
    assert [c.id for c in failed] == ["breaks"]
    assert failed[0].outputs[-1].ename == "KeyError"
    marks = [i for i, c in enumerate(cells) if "papermill-error-cell-tag" in c.metadata.tags]
    assert cells.index(failed[0]) - 1 in marks
    after = next(c for c in cells if c.id == "after")
    assert not after.outputs


def test_a_failed_run_leaves_every_other_output_as_it_was(raises_run):
    left = snapshot(raises_run.out)
    assert {n for n in left if n.startswith("raises.")} == names("raises") - {"raises.metrics.json"}
    for kind in ("html", "breaches.csv", "set-aside.csv"):
        assert left[f"raises.{kind}"] == EARLIER.encode()
    assert left["raises.ipynb"] != EARLIER.encode()
    assert "bad_syntax.html" not in left
    assert not [n for n in left if n.startswith(".")]


@pytest.mark.parametrize("name", ["kernel_dies", "forgets_results", "no_json"])
def test_a_notebook_that_breaks_the_run_does_not_stop_the_others(tmp_path_factory, name):
    run = shelf_run(tmp_path_factory, name, "nowhere")
    assert "Traceback" not in run.stderr
    broken, missing = complaints(run)
    assert name in broken
    assert "Fix:" in broken
    assert missing.splitlines()[0].endswith("nowhere.yaml: there is no notebook 'nowhere'.")
    assert run.code == 2
    assert (run.out / f"{name}.html").read_text(encoding="utf-8") == EARLIER
    assert not [n for n in snapshot(run.out) if n.startswith(".")]


def test_a_kernel_that_dies_leaves_the_notebook_too(tmp_path_factory):
    run = shelf_run(tmp_path_factory, "kernel_dies", "nowhere")
    ids = [c.id for c in run.notebook("kernel_dies").cells]
    assert "dies" in ids


# --- bad input ----------------------------------------------------------------------------------

GOOD_LEADS = "lead_id,mql_at,sql_at\n" + "".join(
    f"L{i:02},2026-01-{i:02}T09:00:00Z,\n" for i in range(1, 13)
)
GOOD_PARAMS = {"source": "source.yaml", "period": "2026-01", "by": []}


def bad_input(*, leads: str | None = GOOD_LEADS, source=None, words=(), line=None, **params):
    """Return one wrong report: what differs from a right one, and what must be said of it."""
    return {"leads": leads, "source": source, "params": params, "words": words, "line": line}


# Each file's message must name the file, the line where there is one, and what to do.
BAD = {
    "no_source": bad_input(
        source="sources.yaml",
        words=["no_source.yaml", "sources.yaml", "there is no such file", "Fix:"],
    ),
    "no_file": bad_input(
        leads=None,
        words=["no_file/source.yaml", "there is no file 'leads.csv'", "Fix:"],
    ),
    "empty_file": bad_input(leads="", words=["leads.csv: is empty", "Fix:"]),
    "header_alone": bad_input(
        leads="lead_id,mql_at\n", words=["leads.csv", "has a header and no rows", "Fix:"]
    ),
    "no_column": bad_input(
        leads="lead_id,MQL Date\nL1,2026-01-05\n",
        words=["leads.csv:1: 1 of the 2 columns needed is missing",
               "mql_at (nearest here: 'MQL Date')", "Fix:"],
    ),
    "bad_dates": bad_input(
        leads=GOOD_LEADS.replace("2026-01-05T09:00:00Z", "2026-02-30"),
        words=["leads.csv:6:", "a date that does not exist", "L05,2026-02-30",
               "1 of 12 rows cannot be used", "max_set_aside (5%)", "Fix:"],
    ),
    "unknown_name": bad_input(
        grian="month", line=4,
        words=["'grian' is unknown", "did you mean 'grain'?", "Fix:"],
    ),
    "bad_period": bad_input(
        period="2026-13", line=2, words=["2026-13", "Expected:", "last-quarter", "Fix:"]
    ),
    "no_such_day": bad_input(
        period="2026-02-01..2026-02-30", line=2, words=["2026-02-30", "does not exist", "Fix:"]
    ),
    "no_such_as_of": bad_input(as_of="2026-02-30", line=4, words=["as_of '2026-02-30'", "Fix:"]),
    "bare_sla": bad_input(
        sla=48, line=4, words=["sla '48' is not a duration with a unit", '"48h"', "Fix:"]
    ),
    "bad_choice": bad_input(
        grain="monthly", line=4, words=["'monthly' is unknown", "did you mean 'month'?", "Fix:"]
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def bad_run(tmp_path_factory) -> Run:
    """Return one run of every bad report; the folder of the outputs does not exist."""

    def act(cwd):
        params = []
        for name, given in BAD.items():
            folder = cwd / name
            write_yaml(folder / "source.yaml", {"leads": {"files": ["leads.csv"]}})
            if given["leads"] is not None:
                (folder / "leads.csv").write_text(given["leads"], encoding="utf-8")
            content = {**GOOD_PARAMS, **given["params"]}
            content["source"] = given["source"] or "source.yaml"
            params.append(write_yaml(folder / f"{name}.yaml", content))
        before = snapshot(cwd)
        run = mqlkit_run(*params, cwd=cwd)
        assert snapshot(cwd) == before, sorted(set(snapshot(cwd)) - set(before))
        return run

    return once(tmp_path_factory, "bad", act)


def test_bad_input_ends_with_2_and_writes_nothing(bad_run):
    assert bad_run.code == 2
    assert bad_run.stdout == ""
    assert not bad_run.out.exists()


def test_each_bad_report_is_complained_of_once(bad_run):
    assert len(complaints(bad_run)) == len(BAD)
    assert "Traceback" not in bad_run.stderr


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_its_remedy(bad_run, name):
    said = dict(zip(BAD, complaints(bad_run), strict=True))[name]
    assert [word for word in BAD[name]["words"] if word not in said] == [], said


@pytest.mark.parametrize("name", [n for n in BAD if BAD[n]["line"]])
def test_a_bad_parameter_is_named_with_its_file_and_line(bad_run, name):
    said = dict(zip(BAD, complaints(bad_run), strict=True))[name]
    assert f"{name}.yaml:{BAD[name]['line']}" in said


@pytest.fixture(scope="session")
def open_run(tmp_path_factory) -> Run:
    """Return the run of a report on dates that may be day or month first."""

    def act(cwd):
        (cwd / "leads.csv").write_text("lead_id;mql_at\n1;04.01.2026\n2;05.01.2026\n")
        write_yaml(cwd / "source.yaml", {"leads": {"files": ["leads.csv"], "timezone": "UTC"}})
        return mqlkit_run(write_yaml(cwd / "open.yaml", GOOD_PARAMS), cwd=cwd)

    return once(tmp_path_factory, "open", act)


def test_a_question_found_while_the_notebook_runs_is_printed_alone_and_ends_with_2(open_run):
    assert open_run.code == 2
    assert open_run.stdout == ""
    (said,) = complaints(open_run)
    assert said.startswith("leads.csv: column 'mql_at': ")
    assert "`dates: dmy` or `dates: mdy` below leads: in source.yaml" in said
    assert "cell" not in said


def test_a_question_leaves_the_notebook_with_its_cell_marked_and_no_page(open_run):
    assert set(snapshot(open_run.out)) == {"open.ipynb"}
    failed = [
        c
        for c in open_run.notebook("open").cells
        if c.metadata.get("papermill", {}).get("exception")
    ]
    assert [c.outputs[-1].ename for c in failed] == ["Undecided"]


def test_every_error_about_parameters_data_and_the_machine_is_known_to_the_parent_process():
    kinds, found = {"ParamsError", "SourceError", "ResourceError"}, set()
    classes = [
        node
        for path in (ROOT / "mqlkit").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    while kinds != found:
        found = set(kinds)
        kinds |= {c.name for c in classes if found & {ast.unparse(base) for base in c.bases}}
    # The common base of questions is never raised itself.
    assert kinds - {"OpenQuestion"} == set(USER_ERRORS)


def test_outputs_of_an_earlier_run_survive_bad_input(tmp_path):
    params = write_yaml(tmp_path / "Q1.yaml", {**WORKED_PARAMS, "sla": 48})
    (tmp_path / "reports").mkdir()
    for kind in OUTPUTS:
        (tmp_path / "reports" / f"Q1.{kind}").write_text(EARLIER, encoding="utf-8")
    earlier = {"title": "Q1", "as_of": "2026-04-01", "period": dict.fromkeys(["start", "end"], "")}
    (tmp_path / "reports" / "Q1.metrics.json").write_text(json.dumps(earlier), encoding="utf-8")
    write_index(tmp_path / "reports")
    before = snapshot(tmp_path)
    run = mqlkit_run(params, cwd=tmp_path)
    assert run.code == 2
    assert complaints(run)[0].splitlines()[0].endswith("sla '48' is not a duration with a unit.")
    assert snapshot(tmp_path) == before


def test_figures_are_written_where_they_are_wanted_and_replace_earlier_ones(tmp_path):
    old = tmp_path / "reports" / "params.figures"
    old.mkdir(parents=True)
    (old / "99-gone.png").write_bytes(b"")
    done = mqlkit_run(WORKED / "params.yaml", "--figures", cwd=tmp_path)
    assert done.code == 0, done.stderr
    written = sorted(p.name for p in old.iterdir())
    drawn = re.search(r'<script type="application/json" id="charts">(.*?)</script>',
                      done.html("params"), re.DOTALL)  # fmt: skip
    assert len(written) == 2 * len(json.loads(drawn[1])["charts"])
    assert written[:2] == ["01-mqls-per-month.png", "01-mqls-per-month.svg"]
    assert "99-gone.png" not in written
