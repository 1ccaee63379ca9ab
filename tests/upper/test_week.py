"""A week of a schedule: exports that grow, one that is corrupt, one day without data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from runs import Run, mqlkit_run, once, write_yaml

HEAD = "lead_id,created_at,mql_at,source\n"
FEBRUARY = "".join(f"F{i},2026-02-{i:02}T08:00:00Z,2026-02-{i:02}T09:00:00Z,Web\n" for i in (3, 9))
DAYS = range(1, 8)
CORRUPT, EMPTY, LATE = 3, 5, 7
# What a portal answers when the session is over, in place of the export.
NO_EXPORT = "<!DOCTYPE html><html><body>Please sign in</body></html>\n"
LATE_LEAD = "F9b,2026-02-08T08:00:00Z,2026-02-10T09:00:00Z,Event\n"


def leads_of(day: int) -> str:
    """Return the export of a day of March; two leads came in on each but one."""
    rows = [
        f"M{d}{i},2026-03-{d:02}T0{i}:00:00Z,2026-03-{d:02}T0{i}:30:00Z,Web\n"
        for d in range(1, day + 1)
        for i in (1, 2)
        if d != EMPTY
    ]
    return HEAD + FEBRUARY + "".join(rows) + (LATE_LEAD if day >= LATE else "")


def expected(day: int) -> dict[str, int]:
    return {"2026-02": 2 + (day >= LATE), "2026-03": 2 * day - 2 * (day >= EMPTY)}


@pytest.fixture(scope="session")
def week(tmp_path_factory) -> Run:
    """Return the week; what each day came to stands in ``week.json``."""

    def act(cwd):
        write_yaml(cwd / "source.yaml", {"leads": {"files": ["leads.csv"], "timezone": "UTC"}})
        params = write_yaml(
            cwd / "daily.yaml",
            {"source": "source.yaml", "period": "2026-02..2026-03", "timezone": "UTC"},
        )
        runs = []
        for day in DAYS:
            text = NO_EXPORT if day == CORRUPT else leads_of(day)
            (cwd / "leads.csv").write_text(text, encoding="utf-8")
            words = [params, "--keep", 5, "--as-of", f"2026-03-0{day}"]
            runs.append(mqlkit_run(*words, cwd=cwd, out="reports/{as_of}"))
        said = [[run.code, run.stdout, run.stderr] for run in runs]
        (cwd / "week.json").write_text(json.dumps(said), encoding="utf-8")
        return runs[-1]

    return once(tmp_path_factory, "week", act)


def said(week: Run, day: int) -> list:
    return json.loads((Path(week.folder) / "week.json").read_text(encoding="utf-8"))[day - 1]


def test_every_good_day_ends_well_and_says_nothing_but_the_place(week):
    for day in DAYS:
        if day not in (CORRUPT, LATE):
            place = Path("reports") / f"2026-03-0{day}" / "daily.html"
            assert said(week, day) == [0, f"{place}\n", ""]


def test_the_corrupt_day_is_noticed(week):
    code, shown, words = said(week, CORRUPT)
    assert (code, shown) == (2, "")
    assert "leads.csv" in words
    assert "Traceback" not in words


def test_a_late_lead_in_a_closed_month_is_noticed(week):
    code, _, words = said(week, LATE)
    assert code == 0
    first, *_, last = words.splitlines()
    assert "daily.yaml: since the last report: MQLs of 2026-02: reported as 2, now 3" in first
    assert last.endswith("files that differ: 'leads.csv'.")


def test_every_report_that_is_kept_is_right(week):
    left = {p.name for p in week.out.iterdir()}
    days = [day for day in DAYS if day != CORRUPT][-5:]
    assert left == {"index.html", *(f"2026-03-0{day}" for day in days)}
    for day in days:
        path = week.out / f"2026-03-0{day}" / "daily.metrics.json"
        rows = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        mqls = {r["bucket"]: r["value"] for r in rows if r["metric"] == "mqls" and not r["segment"]}
        assert mqls == {**expected(day), "total": sum(expected(day).values())}


def test_the_index_has_the_newest_first(week):
    html = (week.out / "index.html").read_text(encoding="utf-8")
    found = re.findall(r'href="2026-03-0(\d)/daily.html"', html)
    assert found == ["7", "6", "5", "4", "2"]
