"""The page without a kernel: a value picked anywhere stands out everywhere, and tables sort."""

from __future__ import annotations

import pytest

from mqlkit.core.names import TOTAL

pytestmark = pytest.mark.browser

# Of each chart of a breakdown: the values whose marks are pale, and those whose marks are not.
SHADES = """(by) => Object.entries(specs).filter(([, s]) => s.usermeta?.by === by).map(([id]) => {
    const marks = [...document.querySelectorAll(`#${id} .plot svg .role-mark > *`)]
        .filter((mark) => mark.__data__?.datum?.name !== undefined);
    const names = (isDim) => [...new Set(marks.filter((m) => m.matches(".dim") === isDim)
        .map((m) => m.__data__.datum.name))];
    return { pale: names(true), full: names(false) };
})"""
WIDTHS = """() => [...document.querySelectorAll(".plot svg")]
    .map((svg) => svg.getBoundingClientRect().width)"""
ROWS = "(table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((c) => c.innerText))"


@pytest.fixture
def shown(shared_page, sample_run):
    """Return the sample with nothing picked; no two tests sort the same table."""
    it = shared_page(sample_run, "mql_report")
    it.page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("Source", "Owner"):
        it.page.get_by_role("combobox", name=name).select_option(index=0)
    return it


def table(page, title):
    found = page.locator("details.mk-table").filter(has=page.locator(f'summary:text-is("{title}")'))
    found.locator("summary").click()
    return found


def picked_rows(page):
    return set(page.locator("tr.picked").evaluate_all("rows => rows.map((r) => r.innerText)"))


def only(shades, name):
    """Return whether every chart that knows a value shows it alone."""
    return all(s["full"] == [name] for s in shades if name in s["full"])


def test_a_source_picked_from_the_list_stands_out_in_every_chart_and_table(shown):
    page = shown.page
    assert not any(s["pale"] for s in page.evaluate(SHADES, "source"))
    page.get_by_role("combobox", name="Source").select_option("Web")
    shades = page.evaluate(SHADES, "source")
    assert len(shades) >= 5
    assert only(shades, "Web")
    assert all("Web" in s["full"] for s in shades)
    assert not any(s["pale"] for s in page.evaluate(SHADES, "owner"))
    rows = page.locator("tr.picked")
    assert rows.count() >= 4
    assert all("Web" in text for text in rows.all_text_contents())
    assert page.locator(".tools [role=status]").inner_text().startswith("Highlighted in")
    page.get_by_role("combobox", name="Source").select_option("all")
    assert page.locator(".dim, tr.picked").count() == 0
    assert page.locator(".tools [role=status]").inner_text() == ""
    assert shown.said == []


def test_the_list_has_the_values_of_the_data_and_nothing_else(shown, sample_run):
    found = shown.page.get_by_role("combobox", name="Source").locator("option")
    segments = [r["segment"] or {} for r in sample_run.metrics("mql_report")["metrics"]]
    sources = {s["source"] for s in segments if "source" in s}
    assert set(found.all_text_contents()) == {"all", *sources}


def test_a_mark_picks_its_value_and_lets_it_go(shown):
    page = shown.page
    dot = page.locator(
        'figure.chart[aria-label^="SLA attainment by owner"] [aria-roledescription=point]'
    ).first
    dot.click(force=True)
    name = page.get_by_role("combobox", name="Owner").input_value()
    assert name
    assert only(page.evaluate(SHADES, "owner"), name)
    dot.click(force=True)
    assert page.get_by_role("combobox", name="Owner").input_value() == ""
    assert page.locator(".dim").count() == 0


def test_a_cell_of_a_table_picks_its_value(shown):
    page = shown.page
    late = page.locator("details.mk-table").filter(has_text="SLA breaches, longest first").first
    late.locator("summary").click()
    cell = late.locator("tbody tr td:nth-child(2)").first
    cell.click()
    assert page.get_by_role("combobox", name="Owner").input_value() == cell.inner_text()


def test_one_pick_takes_the_place_of_another(shown):
    page = shown.page
    page.get_by_role("combobox", name="Source").select_option("Web")
    page.get_by_role("combobox", name="Owner").select_option(index=1)
    assert page.get_by_role("combobox", name="Source").input_value() == ""
    assert not any(s["pale"] for s in page.evaluate(SHADES, "source"))


def test_what_is_picked_stays_so_in_another_width(shown):
    page = shown.page
    page.get_by_role("combobox", name="Source").select_option("Web")
    before = page.evaluate(WIDTHS)
    page.set_viewport_size({"width": 820, "height": 900})
    # Charts are drawn again one by one.
    page.wait_for_function(f"(before) => ({WIDTHS})().every((w, i) => w < before[i])", arg=before)
    page.wait_for_function(f"() => ({SHADES})('source').some((s) => s.pale.length)")
    assert only(page.evaluate(SHADES, "source"), "Web")


def test_a_table_sorts_by_its_figures_up_and_down(shown, sample_run):
    page = shown.page
    part = table(page, "MQL→SQL conversion by source")
    wanted = {
        r["segment"]["source"]: r["value"]
        for r in sample_run.metrics("mql_report")["metrics"]
        if r["metric"] == "mqls" and r["bucket"] == TOTAL and list(r["segment"] or ()) == ["source"]
    }
    up = sorted(wanted, key=wanted.__getitem__)
    head = part.locator("th", has_text="MQLs").first
    for order, names in (("ascending", up), ("descending", up[::-1])):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == order
        rows = part.locator("table").evaluate(ROWS)
        assert [row[0] for row in rows] == names
        assert [int(row[1].replace(",", "")) for row in rows] == [wanted[n] for n in names]


def test_a_table_sorts_by_the_keyboard_and_keeps_the_total_at_its_end(shown):
    page = shown.page
    part = table(page, "MQLs and goal")
    before = part.locator("table").evaluate(ROWS)
    buttons = part.locator("th button")
    buttons.nth(4).focus()
    page.keyboard.press("Enter")
    rows = part.locator("table").evaluate(ROWS)
    gaps = [float(row[4].replace("−", "-")) for row in rows[:-1]]
    assert gaps == sorted(gaps)
    assert gaps[0] < 0
    assert rows[-1][0] == "Whole period"
    # Months in their own order, not in that of their letters.
    buttons.nth(0).focus()
    page.keyboard.press("Space")
    assert part.locator("table").evaluate(ROWS) == before


def test_durations_sort_by_their_length(shown):
    page = shown.page
    part = table(page, "Time in stage")
    part.locator("th button").nth(1).click()
    texts = [row[1] for row in part.locator("table").evaluate(ROWS)][:-1]
    hours = [float(t.split()[0]) * {"hours": 1, "days": 24}[t.split()[1]] for t in texts]
    assert hours == sorted(hours)
    assert any("days" in t for t in texts)
