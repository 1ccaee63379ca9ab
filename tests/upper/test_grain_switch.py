"""The page's charts in coarser buckets, and at other lags: what a report of that grain says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runs import ROOT

from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams
from mqlkit.metrics.cost import cost_per_mql
from mqlkit.metrics.report import read_report
from mqlkit.metrics.tidy import pick

pytestmark = pytest.mark.browser

SLIDER = "figure.chart input[type=range]"
GRAINS = ("quarter", "half", "year")
# The rows behind the marks of a chart, as the browser has them.
DATA = """(chart) => [...document.querySelectorAll(`${chart} .plot svg .role-mark > *`)]
    .map((mark) => mark.__data__?.datum).filter((datum) => datum?.bucket)"""
SETTLED = """(words) => [...document.querySelectorAll("figure.chart")].some((f) =>
    f.ariaLabel.includes(words) && f.querySelector(".plot[data-drawn=yes] > svg"))"""


@pytest.fixture(scope="module")
def at_grain():
    """Return the numbers of the sample's report at a grain, each worked out once."""
    params = ReportParams.read(ROOT / "params" / "mql_report.yaml")
    known = {}

    def found(grain):
        if grain not in known:
            known[grain] = read_report(replace(params, grain=grain))
        return known[grain]

    return found


@pytest.fixture
def switched(shared_page, sample_run, at_grain):
    """Return a function that shows the sample at a grain, at the lag of the report."""

    def shown(grain):
        it = shared_page(sample_run, "mql_report")
        switch(it.page, grain)
        it.page.locator(SLIDER).fill(str(at_grain(grain).lag_days_used))
        return it

    return shown


def switch(page, grain):
    """Switch the charts to a grain, and wait for the last chart by bucket on the page."""
    name = "half-year" if grain == "half" else grain
    page.get_by_role("combobox", name="Charts by").select_option(grain)
    page.wait_for_function(SETTLED, arg=f"Cost per MQL per {name} as bars")


def rows_of(page, start):
    chart = page.locator(f'figure.chart[aria-label^="{start}"]')
    return page.evaluate(DATA, f"#{chart.get_attribute('id')}")


def drawn(rows, field, key=None):
    return {
        (r["bucket"], r[key]) if key else r["bucket"]: r[field]
        for r in rows
        if r.get(field) is not None
    }


def wanted(numbers, metric, field="value", by=None):
    part = pick(numbers.metrics, metric, by=by)
    part = part[(part["bucket"] != TOTAL) & part[field].notna()]
    keys = zip(part["bucket"], part["name"], strict=True) if by else part["bucket"]
    return dict(zip(keys, part[field], strict=True))


@pytest.mark.parametrize("grain", GRAINS)
def test_charts_at_a_coarser_grain_show_what_a_report_of_it_says(switched, at_grain, grain):
    it, numbers = switched(grain), at_grain(grain)
    page, name = it.page, "half-year" if grain == "half" else grain
    volume = rows_of(page, f"MQLs per {name}, from")
    for metric in ("mqls", "goal", "in_stage"):
        assert drawn(volume, metric) == pytest.approx(wanted(numbers, metric)), metric
    segments = rows_of(page, f"MQLs per {name} and source")
    assert drawn(segments, "value", "name") == wanted(numbers, "mqls", by="source")
    decisions = rows_of(page, "MQLs accepted, rejected and undecided")
    kinds = {"Accepted (SAL)": "accepted", "Rejected": "rejected", "Undecided": "undecided"}
    for kind, metric in kinds.items():
        part = [r for r in decisions if r["kind"] == kind]
        assert drawn(part, "leads") == wanted(numbers, metric), kind
    cohorts = rows_of(page, f"MQL→SQL conversion per {name}")
    kept = rows_of(page, f"SLA attainment per {name}")
    for part, metric in ((cohorts, "efficiency"), (kept, "sla_attainment")):
        for field in ("value", "low", "high", "n"):
            found = drawn(part, field)
            assert found == pytest.approx(wanted(numbers, metric, field), abs=1e-9), metric
    assert drawn(cohorts, "efficiency_flow") == pytest.approx(wanted(numbers, "efficiency_flow"))
    flags = pick(numbers.metrics, "efficiency").set_index("bucket")["flags"].drop(TOTAL)
    assert drawn(cohorts, "is_young") == {b: "immature" in f for b, f in flags.items()}
    projected = wanted(numbers, "efficiency_projected")
    young = [bucket for bucket, names in flags.items() if "immature" in names]
    for bucket in young:
        assert drawn(cohorts, "efficiency_projected")[bucket] == pytest.approx(projected[bucket])
    assert it.said == []


AT_LAG = """([chart, lag]) => [...document.querySelectorAll(`${chart} [aria-roledescription=bar]`)]
    .every((bar) => bar.__data__.datum.lag_days === lag)"""


@pytest.mark.parametrize("grain", ["month", *GRAINS])
def test_the_cost_at_every_grain_and_lag_is_that_of_a_report(switched, at_grain, grain):
    page = switched(grain).page
    numbers = at_grain(grain)
    figure = page.locator("figure.chart:has(input[type=range])")
    chart = f"#{figure.get_attribute('id')}"
    slider = figure.locator("input[type=range]")
    for lag in range(91) if grain == "month" else (0, 29, 30, 31, 62, 90):
        slider.fill(str(lag))
        page.wait_for_function(AT_LAG, arg=[chart, lag])
        rows = page.evaluate(DATA, chart)
        report = cost_per_mql(numbers.lead_data, spend=numbers.tables.spend, lag=lag)
        for field, metric in (("cost", "cost_per_mql"), ("rolling", "cost_per_mql_rolling")):
            part = pick(report, metric)
            part = part[(part["bucket"] != TOTAL) & part["value"].notna()]
            found = {b: v for b, v in drawn(rows, field).items() if v == v}
            told = dict(zip(part["bucket"], part["value"], strict=True))
            assert found == pytest.approx(told, abs=6e-5), (lag, metric)


def test_the_slider_stays_where_it_is_when_the_grain_changes(switched):
    page = switched("quarter").page
    page.locator(SLIDER).fill("45")
    switch(page, "month")
    assert page.locator(SLIDER).input_value() == "45"


def test_back_at_its_own_grain_the_page_is_as_it_was(switched):
    page = switched("year").page
    page.get_by_role("combobox", name="Charts by").select_option("month")
    page.wait_for_function(SETTLED, arg="Cost per MQL per month as bars, 69 to 127 EUR")
    assert len(rows_of(page, "MQLs per month, from 199 to 326")) >= 12
    tick = rows_of(page, "MQL→SQL conversion per month")
    assert drawn(tick, "efficiency_projected")


def test_a_pick_outlives_a_change_of_grain(switched):
    page = switched("quarter").page
    page.get_by_role("combobox", name="Source").select_option("Web")
    switch(page, "half")
    cells = page.locator('figure.chart[aria-label^="MQLs per half-year and source"] .dim')
    assert cells.count() > 0
