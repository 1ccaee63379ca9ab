"""The page in a real browser without a network: drawn, alive, accessible, and text stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from runs import mqlkit_run, once, write_yaml

from mqlkit.core.names import TOTAL
from mqlkit.core.text import bucket_name
from mqlkit.metrics.cost import cost_per_mql
from mqlkit.metrics.tidy import pick

pytestmark = pytest.mark.browser

# Marks of the data; axes and legends are in other roles.
MARKS = ".role-mark path[d], .role-mark line, .role-mark text"
ALL_AT_LAG = """([chart, lag]) => {
    const bars = [...document.querySelectorAll(`${chart} [aria-roledescription=bar]`)];
    return bars.every((b) => b.getAttribute("aria-label").endsWith(`Lag (days): ${lag}`));
}"""
WIDTHS = (1280, 820, 390)


def labels(page, chart, role="bar"):
    """Return what a chart's marks say of themselves, as pairs by name."""
    found = page.locator(f"{chart} [aria-roledescription='{role}']").evaluate_all(
        "marks => marks.map((m) => m.getAttribute('aria-label'))"
    )
    return [dict(part.split(": ", 1) for part in text.split("; ")) for text in found]


def chart_of(page, selector):
    """Return the id of the one chart that holds something."""
    found = page.locator(f"figure.chart:has({selector})")
    assert found.count() == 1
    return f"#{found.get_attribute('id')}"


def described(page, start):
    """Return the id of the one chart whose description starts so."""
    found = page.locator(f'figure.chart[aria-label^="{start}"]')
    assert found.count() == 1, start
    return f"#{found.get_attribute('id')}"


# --- the page as a file -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_html(sample_run):
    return sample_run.html("mql_report")


def executable(html):
    return re.findall(r"<script>(.*?)</script>", html, re.DOTALL)


def test_there_is_one_script_and_the_policy_allows_no_other(sample_html):
    (script,) = executable(sample_html)
    assert len(re.findall(r"<script\b", sample_html)) == 2  # the other one holds the charts' data
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', sample_html)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "connect-src" not in rules


def test_nothing_in_the_file_points_outside(sample_html):
    without_script = sample_html.replace(executable(sample_html)[0], "")
    assert not re.findall(r"(?:src|href|action|data)\s*=\s*[\"']?(?:https?:)?//", without_script)
    assert not re.findall(r"@import|url\((?!data:)", without_script)


def test_the_data_of_the_charts_is_json_that_ends_no_script(sample_html):
    (charts,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>',
                           sample_html, re.DOTALL)  # fmt: skip
    assert "<" not in charts
    assert len(json.loads(charts)["charts"]) == len(
        re.findall('<figure class="chart"', sample_html)
    )


# --- the sample ---------------------------------------------------------------------------------


def test_every_chart_is_drawn_and_the_page_is_quiet(shared_page, sample_run):
    it = shared_page(sample_run, "mql_report")
    figures = it.page.locator("figure.chart")
    assert figures.count() >= 10
    for figure in figures.all():
        assert figure.locator(MARKS).count() > 0, figure.get_attribute("aria-label")
    assert it.said == []
    assert it.asked == [it.page.url]
    assert it.dialogs == []


def test_no_axis_is_titled_with_a_name_of_the_code(shared_page, sample_run):
    page = shared_page(sample_run, "mql_report").page
    axes = page.locator("[aria-roledescription=axis]").evaluate_all(
        "axes => axes.map((a) => a.getAttribute('aria-label'))"
    )
    titles = {t for axis in axes for t in re.findall(r"titled '([^']+)'", axis)}
    assert titles == {
        "MQLs", "MQL→SQL conversion", "SLA attainment", "Time in stage, days",
        "Time since MQL, days", "Still open", "Cost per MQL, EUR", "Percentage points",
        "Share of the leads of a stage",
    }  # fmt: skip


def test_the_headline_shows_the_numbers_of_the_run(shared_page, sample_run):
    page = shared_page(sample_run, "mql_report").page
    names = page.locator(".mk-card dt").all_inner_texts()
    values = page.locator(".mk-card .mk-value").all_inner_texts()
    shown = dict(zip(names, values, strict=True))
    total = {
        r["metric"]: r["value"]
        for r in sample_run.metrics("mql_report")["metrics"]
        if r["segment"] is None and r["bucket"] == TOTAL
    }
    assert shown["MQLs"] == f"{total['mqls']:,}"
    assert shown["MQL→SQL conversion"] == f"{total['efficiency']:.1%}"
    assert shown["SLA attainment"] == f"{total['sla_attainment']:.1%}"
    assert shown["Cost per MQL"] == f"€{total['cost_per_mql']:.2f}"
    assert shown["Wasted on breaches"] == f"€{total['wasted_cost']:,.0f}"


def test_a_tooltip_says_what_is_under_the_pointer(shared_page, sample_run):
    page = shared_page(sample_run, "mql_report").page
    chart = described(page, "MQLs per month, from")
    tip = page.locator("#vg-tooltip-element")
    assert not tip.count() or not tip.is_visible()
    bar = page.locator(f"{chart} [aria-roledescription=bar]").nth(2)
    wanted = labels(page, chart)[2]
    bar.hover()
    tip.wait_for(state="visible")
    cells = tip.locator("td").all_inner_texts()
    shown = dict(zip(cells[::2], cells[1::2], strict=True))
    assert shown["Bucket"] == wanted["Bucket"] == "2025-09"
    assert shown["MQLs"] == wanted["MQLs"]
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.mouse.move(0, 0)
    tip.wait_for(state="hidden")


def by_bucket(page, chart, role, name):
    """Return the numbers that a chart's marks name, by bucket; those of nothing are left out."""
    return {
        mark["Bucket"]: float(mark[name].replace("−", "-"))
        for mark in labels(page, chart, role)
        if mark[name] not in ("null", "NaN", "undefined")
    }


def per_bucket(rows, metric):
    part = pick(rows, metric)
    part = part[(part["bucket"] != TOTAL) & part["value"].notna()]
    return dict(zip(part["bucket"], part["value"], strict=True))


def test_the_cost_starts_at_the_numbers_of_the_run(shared_page, sample_run):
    page = shared_page(sample_run, "mql_report").page
    document = sample_run.metrics("mql_report")
    chart = chart_of(page, "input[type=range]")
    assert page.locator(f"{chart} input").input_value() == str(document["lag_days_used"])
    for role, name, metric in (("bar", "Cost per MQL, EUR", "cost_per_mql"),
                               ("point", "rolling", "cost_per_mql_rolling")):  # fmt: skip
        wanted = {
            r["bucket"]: r["value"]
            for r in document["metrics"]
            if r["metric"] == metric and r["segment"] is None and r["bucket"] != TOTAL
        }
        assert by_bucket(page, chart, role, name) == pytest.approx(wanted, abs=1e-3)


def test_the_slider_recomputes_the_cost(shared_page, worked_run, worked):
    page = shared_page(worked_run, "params").page
    chart = chart_of(page, "input[type=range]")
    slider = page.locator(f"{chart} input")
    assert slider.input_value() == "30"
    for lag in (0, 10, 31, 45, 62, 90):
        report = cost_per_mql(worked.lead_data, spend=worked.tables.spend, lag=lag)
        slider.fill(str(lag))
        page.wait_for_function(ALL_AT_LAG, arg=[chart, lag])
        drawn = by_bucket(page, chart, "bar", "Cost per MQL, EUR")
        assert drawn == pytest.approx(per_bucket(report, "cost_per_mql"), abs=1e-3), lag
        rolling = by_bucket(page, chart, "point", "rolling")
        assert rolling == pytest.approx(per_bucket(report, "cost_per_mql_rolling"), abs=1e-3), lag
        assert page.locator(f"{chart} .vega-bind").inner_text().split()[-1] == str(lag)


def test_the_slider_answers_to_the_keyboard(shared_page, worked_run):
    page = shared_page(worked_run, "params").page
    chart = chart_of(page, "input[type=range]")
    page.locator(f"{chart} input").fill("30")
    page.wait_for_function(ALL_AT_LAG, arg=[chart, 30])
    page.locator(f"{chart} input").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(ALL_AT_LAG, arg=[chart, 31])


def test_buckets_come_in_their_order(shared_page, sample_run):
    page = shared_page(sample_run, "mql_report").page
    buckets = [f"2025-{m:02}" for m in range(7, 13)] + [f"2026-{m:02}" for m in range(1, 7)]
    bars = labels(page, described(page, "MQLs per month, from"))
    assert [bar["Bucket"] for bar in bars] == buckets
    assert [bar["when"] for bar in bars] == [bucket_name(b) for b in buckets]


# How many charts are drawn when the browser is free to show the first.
FIRST_SHOWN = """() => {
    window.firstShown = new Promise((tell) => new MutationObserver((seen) => {
        if (seen.some((s) => s.attributeName === "data-drawn"))
            setTimeout(() => tell(document.querySelectorAll("[data-drawn]").length));
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-drawn"] }));
}"""


def test_the_first_chart_does_not_wait_for_the_last(chromium, sample_run):
    page = chromium.new_context(offline=True).new_page()
    page.add_init_script(f"({FIRST_SHOWN})()")
    page.goto((sample_run.out / "mql_report.html").as_uri(), wait_until="commit")
    assert page.evaluate("window.firstShown") <= 2
    page.context.close()


# --- on every screen ----------------------------------------------------------------------------


def errors(it):
    """Return what the page complained of: a policy that was broken is among it."""
    return [text for text in it.said if text.startswith("error")]


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


# How a page is laid out, with its tables folded and open; afterwards they are as they were.
LAYOUT = """() => {
    const isWider = () => document.documentElement.scrollWidth > window.innerWidth;
    // Text at the edge of a chart would be cut off without a sign of it.
    const cut = () => [...document.querySelectorAll("figure.chart svg")].flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("text")].filter((text) => {
            const box = text.getBoundingClientRect();
            const isOut = box.left < frame.left - 1 || box.right > frame.right + 1
                || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
            return isOut && text.getAttribute("opacity") !== "0";
        }).map((text) => `${text.textContent} in: ${svg.closest("figure").ariaLabel}`);
    });
    // Labels of one axis that lie on each other.
    const overlaps = [...document.querySelectorAll(".chart .role-axis-label")].flatMap((axis) => {
        const texts = [...axis.querySelectorAll("text")]
            .filter((t) => t.getAttribute("opacity") > 0);
        const boxes = texts.map((t) => t.getBoundingClientRect());
        return boxes.flatMap((a, i) => boxes.slice(i + 1).some((b) =>
            a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
            ? [`${texts[i].textContent} in: ${axis.closest("figure").ariaLabel}`] : []);
    });
    const folded = { is_wider: isWider(), cut: cut(), overlaps };
    const closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((d) => { d.open = true; });
    // A column so narrow that each word has a line of its own makes a row as tall as the screen.
    const tall = [...document.querySelectorAll("td")].filter((cell) =>
        cell.getBoundingClientRect().height > 200).map((cell) => cell.textContent);
    const open = { is_wider: isWider(), cut: cut(), tall };
    closed.forEach((d) => { d.open = false; });
    return { folded, open };
}"""


def check_layout(page, *, tall=()):
    """Check that nothing is scrolled sideways, cut off, or lies on something else."""
    assert page.evaluate(LAYOUT) == {
        "folded": {"is_wider": False, "cut": [], "overlaps": []},
        "open": {"is_wider": False, "cut": [], "tall": list(tall)},
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_or_has_to_be_scrolled_sideways(shared_page, sample_run, width):
    check_layout(shared_page(sample_run, "mql_report", width=width).page)


def serious_faults(page):
    """Return the violations of accessibility that axe calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {[n['html'][:120] for n in v['nodes'][:3]]}"
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_page, sample_run, theme):
    page = open_page(sample_run, "mql_report", color_scheme=theme).page
    page.get_by_role("combobox", name="Source").select_option("Web")
    assert serious_faults(page) == []
    open_all(page)
    assert serious_faults(page) == []


def test_without_scripts_there_are_still_the_words_and_the_tables(open_page, sample_run):
    page = open_page(sample_run, "mql_report", java_script_enabled=False).page
    assert page.locator(".mk-verdict").first.is_visible()
    tables = page.locator("details.mk-table")
    assert tables.count() >= 15
    assert page.get_by_text("Rows read, used and excluded").is_visible()
    folded = tables.filter(has_text="MQLs and goal").first
    assert not folded.locator("table").is_visible()
    folded.locator("summary").click()
    assert folded.locator("table").is_visible()
    assert "Jul 2025" in folded.inner_text()


# --- other data ---------------------------------------------------------------------------------

EVIL = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><script>alert(2)</script>",
    "comment": "<!-- <script>",
    "template": "{{7*7}}",
    "interpolation": "${alert(3)}",
    "handler": "'\"><img src=x onerror=alert(4)>",
    "markdown": "[x](javascript:alert(5)) **b** $a$",
    "right to left": "שיווק מכירות אלקטרוני",
    "ideographs": "株式会社マーケティング部",
    "long": "W" * 80,
    "many words": " ".join(["A long name with many words"] * 3)[:80],
}
TITLE = "Q1 <script>alert(6)</script> {{7*7}} & ${x}"


@pytest.fixture(scope="session")
def odd_run(tmp_path_factory):
    """Return a run of two invented reports: hostile names; and dates of two stages and no more."""

    def act(cwd):
        stamps = "created_at,mql_at,contacted_at,accepted_at,rejected_at"
        lines = [f"lead_id,{stamps},rejection_reason,sql_at,owner,source"]
        spend = ["date,amount,channel"]
        for i, text in enumerate(EVIL.values()):
            cell = '"' + text.replace('"', '""') + '"'
            spend.append(f"2025-12-{i + 1:02},{100 + i},{cell}")
            for k in range(2):
                day = f"2026-01-{i + 2 + k:02}"
                late = f"2026-02-{i + 2:02}"
                tail = f"{late}T10:00:00Z,,,{late}T12:00:00Z" if k else f",{late}T11:00:00Z,{cell},"
                lines.append(f"{cell[:-1]}{k}\",{day}T08:00:00Z,{day}T09:00:00Z,{day}T09:30:00Z,"
                             f"{tail},{cell},{cell}")  # fmt: skip
        spend += ["2025-11-01,1,Brand", "2026-03-31,1,Brand"]
        hostile = cwd / "hostile"
        write_yaml(hostile / "source.yaml", {
            "leads": {"files": ["leads.csv"]},
            "spend": {"files": ["spend.csv"], "currency": "EUR"},
        })  # fmt: skip
        (hostile / "leads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (hostile / "spend.csv").write_text("\n".join(spend) + "\n", encoding="utf-8")
        first = write_yaml(hostile / "hostile.yaml", {
            "title": TITLE, "source": "source.yaml", "period": "2026-01..2026-02",
            "as_of": "2026-03-31", "by": ["source", "owner"],
        })  # fmt: skip

        bare = cwd / "bare"
        origins = ["organic_search", "paid_search", "social", ""]
        leads = [f"m{i:03},2026-{1 + i % 3:02}-{1 + i % 27:02},page{i % 7},{origins[i % 4]}"
                 for i in range(120)]  # fmt: skip
        deals = [f"m{i:03},2026-{2 + i % 3:02}-{1 + i % 27:02},seller{i}" for i in range(0, 120, 9)]
        write_yaml(bare / "source.yaml", {
            "leads": {"files": ["mqls.csv"], "columns": {
                "lead_id": "mql_id", "mql_at": "first_contact_date", "source": "origin"}},
            "history": [{"files": ["deals.csv"], "stage": "sql",
                         "columns": {"lead_id": "mql_id", "at": "won_date"}}],
        })  # fmt: skip
        (bare / "mqls.csv").write_text(
            "\n".join(["mql_id,first_contact_date,landing_page_id,origin", *leads, ""])
        )
        (bare / "deals.csv").write_text("\n".join(["mql_id,won_date,seller_id", *deals, ""]))
        second = write_yaml(bare / "bare.yaml", {
            "title": "Two dates", "source": "source.yaml", "period": "2026-01..2026-03",
            "sla": "14d", "by": ["source"], "lag_days": 0,
        })  # fmt: skip
        return mqlkit_run(first, second, cwd=cwd)

    return once(tmp_path_factory, "odd", act)


def test_names_of_the_data_run_nothing(shared_page, odd_run):
    assert odd_run.code == 0, odd_run.stderr
    it = shared_page(odd_run, "hostile")
    open_all(it.page)
    assert it.dialogs == []
    assert errors(it) == []
    assert it.asked == [it.page.url]
    assert it.page.locator("main script, main img, main a:not(.contents a)").count() == 0
    assert it.page.locator("script").count() == 2


def test_names_of_the_data_are_shown_as_they_are(shared_page, odd_run):
    page = shared_page(odd_run, "hostile").page
    assert page.locator("h1").inner_text() == TITLE
    assert page.title() == TITLE
    open_all(page)
    cells = set(page.locator("td").all_inner_texts())
    assert {text: text in cells for text in EVIL.values()} == dict.fromkeys(EVIL.values(), True)
    assert "49" not in cells


def test_names_of_the_data_are_in_the_charts(shared_page, odd_run):
    page = shared_page(odd_run, "hostile").page
    names = set(page.locator("figure.chart svg text").all_text_contents())
    for kind in ("template", "interpolation", "right to left", "ideographs"):
        assert EVIL[kind] in names
    # Longer ones are shortened, and say so.
    assert any(EVIL["script"].startswith(n.removesuffix("…")) for n in names if len(n) > 10)
    assert any(EVIL["long"].startswith(n.removesuffix("…")) for n in names if len(n) > 10)


def test_hostile_names_in_a_tooltip_are_text(shared_page, odd_run):
    it = shared_page(odd_run, "hostile")
    page = it.page
    chart = described(page, "MQL→SQL conversion rate by source")
    tip = page.locator("#vg-tooltip-element")
    for point in page.locator(f"{chart} [aria-roledescription=point]").all():
        point.hover(force=True)
        tip.wait_for(state="visible")
        assert tip.locator("script, img").count() == 0
    assert it.dialogs == []
    assert errors(it) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_do_not_widen_the_page(shared_page, odd_run, width):
    found = shared_page(odd_run, "hostile", width=width).page.evaluate(LAYOUT)
    assert [found[tables]["is_wider"] for tables in ("folded", "open")] == [False, False]
    assert found["open"]["cut"] == []


def test_what_the_data_lacks_is_said_in_words(shared_page, odd_run):
    page = shared_page(odd_run, "bare").page
    text = page.locator("main").inner_text()
    assert "so there is no acceptance rate" in text
    assert "The data has no contacted_at" in text
    assert "No spend is known" in text
    assert "No goal is set" in text


def test_what_the_data_lacks_is_no_chart_and_no_table(shared_page, odd_run):
    it = shared_page(odd_run, "bare")
    page = it.page
    descriptions = page.locator("figure.chart").evaluate_all("f => f.map((c) => c.ariaLabel)")
    assert not [d for d in descriptions if "accepted" in d or "Cost" in d]
    assert len(descriptions) >= 5
    for figure in page.locator("figure.chart").all():
        assert figure.locator(MARKS).count() > 0, figure.get_attribute("aria-label")
    tables = page.locator("details.mk-table summary").all_inner_texts()
    for missing in ("Cost", "Decisions", "Rejections", "contact"):
        assert not [t for t in tables if missing in t], tables
    assert it.said == []
    assert page.locator(".mk-card dt").all_inner_texts() == [
        "MQLs", "MQL→SQL conversion", "Median time in stage", "SLA attainment",
    ]  # fmt: skip


# Of what stands on paper, what is wider than it.
OFF_PAPER = """() => {
    const end = document.querySelector("main").getBoundingClientRect().right + 1;
    return [...document.querySelectorAll("main table, main svg, .mk-card")]
        .filter((part) => part.getBoundingClientRect().right > end)
        .map((part) => part.closest("details, figure, dl")?.textContent.slice(0, 60));
}"""


def test_nothing_is_wider_than_paper(open_page, sample_run):
    # A4 less its margins, in pixels.
    page = open_page(sample_run, "mql_report", width=688).page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    open_all(page)
    # Charts are drawn again for the width of the paper.
    page.wait_for_function(f"() => !({OFF_PAPER})().length")
    assert not page.locator(".tools").is_visible()
    assert not page.locator(".vega-bind").is_visible()
