"""Folders named after periods, how many are kept, and old reports made again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from runs import WORKED, Run, mqlkit_run, once, write_yaml

from mqlkit.core.errors import ParamsError
from mqlkit.run.output import check_out, prune, scratch_folder

LEADS = "lead_id,created_at,mql_at,sql_at\n" + "".join(
    f"L{m}{i},2026-{m:02}-{i:02}T08:00:00Z,2026-{m:02}-{i:02}T09:00:00Z,2026-{m:02}-28T09:00:00Z\n"
    for m in (1, 2, 3)
    for i in range(1, 13)
)


@pytest.fixture(scope="session")
def monthly_run(tmp_path_factory) -> Run:
    """Return runs of one params file on growing data, and one that goes back."""

    def act(cwd):
        write_yaml(cwd / "source.yaml", {"leads": {"files": ["leads.csv"], "timezone": "UTC"}})
        params = write_yaml(
            cwd / "monthly.yaml", {"source": "source.yaml", "period": "last-month", "by": []}
        )
        (cwd / "leads.csv").write_text(LEADS.partition("L31,")[0], encoding="utf-8")

        def run_on(day):
            words = [params, "--keep", 2, "--as-of", day]
            return mqlkit_run(*words, cwd=cwd, out="reports/{period}")

        runs = [run_on("2026-02-02"), run_on("2026-03-02")]
        kept = cwd / "kept.json"
        kept.write_bytes((cwd / "reports" / "2026-01" / "monthly.metrics.json").read_bytes())
        (cwd / "leads.csv").write_text(LEADS, encoding="utf-8")
        runs.append(run_on("2026-04-02"))
        after = sorted(p.as_posix() for p in Path(cwd, "reports").glob("*/*.html"))
        (cwd / "after.json").write_text(json.dumps(after), encoding="utf-8")
        runs.append(run_on("2026-02-02"))
        assert [r.code for r in runs] == [0] * 4, [r.stderr for r in runs]
        return runs[-1]

    return once(tmp_path_factory, "monthly", act)


def test_each_period_has_its_folder_and_the_oldest_goes(monthly_run):
    after = json.loads((monthly_run.out.parent / "after.json").read_text(encoding="utf-8"))
    assert [Path(p).parent.name for p in after] == ["2026-02", "2026-03"]
    assert not list(monthly_run.out.glob(".*"))


def test_an_old_report_made_again_has_the_figures_that_it_had(monthly_run):
    then = json.loads((monthly_run.out.parent / "kept.json").read_text(encoding="utf-8"))
    again = monthly_run.out / "2026-01" / "monthly.metrics.json"
    now = json.loads(again.read_text(encoding="utf-8"))
    for same in ("metrics", "period", "as_of", "params", "lag_days_used", "maturity_days"):
        assert now[same] == then[same]
    # It is there although it is the oldest, and then one of the others has gone.
    assert {p.name for p in monthly_run.out.iterdir()} == {"2026-01", "2026-03", "index.html"}


def test_the_index_is_over_all_folders(monthly_run):
    html = (monthly_run.out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', html) == ["2026-03/monthly.html", "2026-01/monthly.html"]
    assert monthly_run.stdout == f"{Path('reports') / '2026-01' / 'monthly.html'}\n"


@pytest.mark.parametrize(
    ("out", "keep", "words"),
    [
        ("reports/{perod}", None, "--out 'reports/{perod}': there is no field 'perod'."),
        ("reports/{}", None, "--out 'reports/{}': there is no field ''."),
        ("reports", 3, "--keep 3: each run writes over the one before"),
    ],
)
def test_a_folder_that_cannot_be_named_is_refused(out, keep, words):
    with pytest.raises(ParamsError) as refused:
        check_out(Path(out), keep)
    assert str(refused.value).startswith(words)
    assert "\n  " in str(refused.value)


def test_pruning_leaves_what_is_none_of_ours(tmp_path):
    def report(folder, end, name="q"):
        (tmp_path / folder).mkdir(exist_ok=True)
        period = {"start": f"{folder[:4]}-01-01", "end": end}
        document = {"as_of": "2026-05-01T00:00:00", "period": period}
        content = json.dumps(document)
        (tmp_path / folder / f"{name}.metrics.json").write_text(content, encoding="utf-8")
        (tmp_path / folder / f"{name}.html").touch()

    report("2024", "2025-01-01")
    report("2025", "2026-01-01")
    report("2026-Q1", "2026-04-01")
    report("2024", "2025-01-01", name="q.old")
    (tmp_path / "backup").mkdir()
    for path in (tmp_path / "2024").glob("q.[hm]*"):
        (tmp_path / "backup" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "2025" / "notes.txt").touch()
    prune(tmp_path / "{period}", "q", keep=1, written=tmp_path / "2026-Q1")
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*"))
    assert left == [
        "2024/q.old.html", "2024/q.old.metrics.json", "2025/notes.txt", "2026-Q1/q.html",
        "2026-Q1/q.metrics.json", "backup/q.html", "backup/q.metrics.json",
    ]  # fmt: skip


def test_a_wrong_day_is_told_like_any_parameter(tmp_path):
    run = mqlkit_run(WORKED / "params.yaml", "--as-of", "2026-02-30", cwd=tmp_path)
    assert run.code == 2
    assert "as_of '2026-02-30' is not usable." in run.stderr


def test_runs_into_different_folders_of_one_root_wait_for_each_other(tmp_path):
    with scratch_folder(tmp_path, "q", is_patient=True, say=pytest.fail):
        assert (tmp_path / ".q.lock").exists()
