"""Data that no page was made for: next to none of it, far too much, nothing but zeros, weeks."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from runs import mqlkit_run, once, write_yaml
from test_page import LAYOUT, errors

pytestmark = pytest.mark.browser

LARGEST_PAGE = 1_500_000
NAMES = [
    "שיווק מכירות אלקטרוני",
    "株式会社マーケティング部",
    "تسويق",
    "W" * 80,
    "A very long name of a person with many words that goes on until it is eighty long",
]
# Every object of JavaScript has a property of this name.
PROPERTIES = ["constructor", "__proto__", "toString", "hasOwnProperty"]
STAMP = "%Y-%m-%dT%H:%M:%SZ"
CASES = ("one", "many", "zero", "weeks", "properties")


def report(folder, name, lines, spend=(), goals=(), **params):
    """Write the exports of a report and its params file."""
    source = {"leads": {"files": ["leads.csv"], "timezone": "UTC"}}
    tables = {"leads": lines}
    if spend:
        tables["spend"] = ["date,amount,channel", *spend]
        source["spend"] = {"files": ["spend.csv"], "currency": "EUR"}
    if goals:
        tables["goals"] = ["month,mqls", *goals]
        source["goals"] = {"files": ["goals.csv"]}
    write_yaml(folder / name / "source.yaml", source)
    for table, text in tables.items():
        (folder / name / f"{table}.csv").write_text("\n".join([*text, ""]), encoding="utf-8")
    content = {"source": f"{name}/source.yaml", "title": name, **params}
    return write_yaml(folder / f"{name}.yaml", content)


def many_leads(owners, sources=NAMES):
    chance = random.Random(5)
    yield "lead_id,created_at,mql_at,contacted_at,accepted_at,rejected_at,sql_at,owner,source"
    for i in range(2000):
        at = datetime(2025, 7, 1, 9, tzinfo=UTC) + timedelta(days=chance.randrange(360))
        left = at + timedelta(hours=chance.expovariate(1 / 40))
        is_accepted, is_sql = chance.random() < 0.6, chance.random() < 0.5
        stamps = [at - timedelta(days=20), at, at + timedelta(hours=1),
                  left if is_accepted else None, None if is_accepted else left,
                  left + timedelta(days=9) if is_accepted and is_sql else None]  # fmt: skip
        cells = [f"{t:{STAMP}}" if t else "" for t in stamps]
        yield ",".join([f"b{i}", *cells, owners[i % len(owners)], sources[i % len(sources)]])


def each_day(amount, channels):
    first = datetime(2025, 4, 1, tzinfo=UTC)
    days = (first + timedelta(days=i) for i in range(460))
    return [f"{day:%Y-%m-%d},{amount},{channels[i % len(channels)]}" for i, day in enumerate(days)]


@pytest.fixture(scope="session")
def worst_run(tmp_path_factory):
    """Return a run of all cases."""

    def act(cwd):
        year = {"period": "2025-07..2026-06", "as_of": "2026-07-15"}
        one = [f"a{i},2026-01-{1 + i % 28:02}T08:00:00Z,{'2026-02-01T09:00:00Z' * (i % 4 == 0)},Web"
               for i in range(60)]  # fmt: skip
        zero = [f"c{i},2025-{7 if i % 2 else 12:02}-{1 + i % 28:02}T09:00:00Z,,,,Web,N. Oak"
                for i in range(80)]  # fmt: skip
        # Decisions are recorded, and there are none in the period.
        stamps = "2025-06-20T09:00:00Z,2025-06-21T09:00:00Z,,2025-06-24T09:00:00Z"
        zero.append(f"before,{stamps},Web,N. Oak")
        months = [f"{2025 + m // 12}-{m % 12 + 1:02},0" for m in range(6, 18)]
        many = list(many_leads([*NAMES, *(f"Owner {i:03}" for i in range(395))]))
        spend = each_day(100, NAMES[:3])
        params = [
            report(cwd, "one", ["lead_id,mql_at,sql_at,source", *one],
                   period="2026-01", as_of="2026-03-31"),
            report(cwd, "many", many, spend, ["2025-07,300", "2025-08,300"],
                   by=["source", "owner"], fiscal_year_start=4, **year),
            report(cwd, "zero",
                   ["lead_id,mql_at,accepted_at,rejected_at,sql_at,source,owner", *zero],
                   each_day(0, ["Web"]), months, by=["source", "owner"], **year),
            report(cwd, "properties", list(many_leads(PROPERTIES, PROPERTIES)),
                   each_day(100, PROPERTIES), by=["source", "owner"], **year),
            report(cwd, "weeks", many, spend, grain="week", **year),
        ]  # fmt: skip
        return mqlkit_run(*params, cwd=cwd)

    return once(tmp_path_factory, "worst", act)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_stands(shared_page, worst_run, case, width):
    assert worst_run.code == 0, worst_run.stderr
    it = shared_page(worst_run, case, width=width)
    assert errors(it) == []
    found = it.page.evaluate(LAYOUT)
    assert found["folded"] == {"is_wider": False, "cut": [], "overlaps": []}
    assert not found["open"]["is_wider"]


@pytest.mark.parametrize("case", CASES)
def test_the_page_can_be_mailed(worst_run, case):
    assert len(worst_run.html(case).encode()) < LARGEST_PAGE


# A label has its month and its year on a line each.
AXIS = """(chart) => [...document.querySelectorAll(`${chart} .role-axis-label text`)]
    .map((text) => [...text.children].map((line) => line.textContent).join(" "))
    .filter((text) => /^[A-Z][a-z]{2} \\d{4}$/.test(text))"""


def test_buckets_of_nothing_stay_in_their_place(shared_page, worst_run):
    page = shared_page(worst_run, "zero", width=1440).page
    months = ["Jul 2025", "Aug 2025", "Sep 2025", "Oct 2025", "Nov 2025", "Dec 2025",
              "Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026", "May 2026", "Jun 2026"]  # fmt: skip
    for start in ("MQLs per month, from", "MQL→SQL conversion per", "SLA attainment per"):
        chart = page.locator(f'figure.chart[aria-label^="{start}"]').get_attribute("id")
        assert page.evaluate(AXIS, f"#{chart}") == months, start


def test_a_question_without_an_answer_is_no_heading(shared_page, worst_run):
    page = shared_page(worst_run, "one", width=1440).page
    for section in page.locator("h3").all():
        assert section.evaluate("h => h.nextElementSibling?.matches('.block')")
    assert page.get_by_text("More of the weak").count() == 0


def test_weeks_have_no_coarser_grain(shared_page, worst_run):
    page = shared_page(worst_run, "weeks", width=1440).page
    assert page.get_by_role("combobox", name="Source").count() == 1
    assert page.get_by_role("combobox", name="Charts by").count() == 0


def test_names_of_properties_are_drawn_as_any_other(shared_page, worst_run):
    page = shared_page(worst_run, "properties", width=1440).page
    for by in ("Source", "Owner"):
        for name in PROPERTIES:
            page.get_by_role("combobox", name=by, exact=True).select_option(name)
            assert page.locator(".plot .dim").count() > 0, name
            page.get_by_role("combobox", name=by, exact=True).select_option("")
    drawn = page.locator("figure.chart .plot[data-drawn]").count()
    assert drawn == page.locator("figure.chart .plot").count() > 5


def test_names_of_any_script_can_be_picked(shared_page, worst_run):
    page = shared_page(worst_run, "many", width=1440).page
    for name in NAMES:
        page.get_by_role("combobox", name="Source").select_option(name)
        assert page.locator(".plot .dim").count() > 0, name
