"""The notebooks in JupyterLab: "Run All" in a browser whose network ends at this machine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from conftest import HOW_TO, find_browser
from frames import headline_frame
from runs import ROOT, Run, once

from mqlkit.core.names import SHARED_COLUMNS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.lab.lead_list import BREACHES, first_page
from mqlkit.metrics.report import read_report
from mqlkit.sources.source_cache import CACHE
from mqlkit.views.headline import headline
from mqlkit.views.theme import ORANGE

pytestmark = pytest.mark.browser

# Among the charts of funnel_efficiency: MQLs by source, and their efficiency.
CELLS, DOTS = 1, 6
TOKEN = "only-for-this-test"
LONGEST_START, LONGEST_VISIT = 120, 300
NOTEBOOKS = ("mql_report", "funnel_efficiency", "sla_velocity", "cost_per_mql")
# In this notebook every control of the panel is used. In the others, only the lag.
FULL = "funnel_efficiency"
# What `use_panel` does, as parameters.
CHANGES = {
    "lag": {"lag_days": 45},
    "grain": {"grain": "quarter"},
    "sla": {"sla": "24h"},
    "filter": {"where": {"country": ["EE", "LV"]}},
}
# Cells outside the window are not drawn by default; the news would be fetched.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false", "checkForUpdates": False,
    },
}  # fmt: skip
FINISHED = """() => {
    const prompts = [...document.querySelectorAll(
        ".jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)")];
    return prompts.length > 5 && prompts.every((p) => /^\\[\\d+\\]:$/.test(p.textContent.trim()));
}"""
DRAWN = """() => {
    const charts = [...document.querySelectorAll(".jp-RenderedVegaCommon5")];
    return charts.length > 2 && charts.every((c) => c.querySelector("canvas, svg"));
}"""
EVIDENCE = """() => {
    const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
    const isPainted = (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data
        .some((value) => value > 0);
    const isGoal = (c) => {
        const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
        const near = (i) => [GOAL].every((wanted, k) => Math.abs(data[i + k] - wanted) < 12);
        let hits = 0;
        for (let i = 0; i < data.length; i += 4) hits += data[i + 3] > 100 && near(i);
        return hits > 50;
    };
    const boxes = [...document.querySelectorAll(".mk-card")].map((card) => ({
        card: card.getBoundingClientRect(),
        parts: [...card.querySelectorAll("dt, dd")].map((p) => p.getBoundingClientRect()),
    }));
    const isIn = (a, b) => a.top >= b.top && a.bottom <= b.bottom && a.left >= b.left
        && a.right <= b.right;
    return {
        spilled: boxes.filter((b) => !b.parts.every((part) => isIn(part, b.card))).length,
        has_goal: isGoal(document.querySelector(".jp-RenderedVegaCommon5 canvas")),
        names: texts(".mk-card dt"),
        values: texts(".mk-card .mk-value"),
        charts: [...document.querySelectorAll(".jp-RenderedVegaCommon5 canvas")].map((c) =>
            ({ width: c.getBoundingClientRect().width, painted: c.width > 0 && isPainted(c) })),
        sliders: document.querySelectorAll(".jp-RenderedVegaCommon5 input[type=range]").length,
        tables: document.querySelectorAll(".jp-OutputArea-output details.mk-table").length,
        alignments: [...new Set([...document.querySelectorAll("td.mk-text")].map((cell) =>
            getComputedStyle(cell).textAlign))],
        errors: [...document.querySelectorAll(".jp-OutputArea-output")].filter((o) =>
            /stderr|error/.test(o.dataset.mimeType)).map((o) => o.textContent),
    };
}""".replace("GOAL", ", ".join(str(int(ORANGE[i : i + 2], 16)) for i in (1, 3, 5)))


def wait_for(condition, *, seconds, what):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"{what} did not come in {seconds} s"
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def process(*words, **options):
    """Run a program beside the test, and end it whatever happens."""
    started = subprocess.Popen([*map(str, words)], stderr=subprocess.STDOUT, **options)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/api/status?token={TOKEN}") as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def jupyterlab(folder):
    """Serve a folder in JupyterLab, with no setting of this machine, and return its address."""
    for name, content in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    own = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data-of-jupyter",
        "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    environment |= {name: str(folder / place) for name, place in own.items()}
    port = free_port()
    words = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--allow-root",
        f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (
        (folder / "server.log").open("w") as log,
        process(*words, cwd=folder, env=environment, stdout=log) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        wait_for(
            lambda: is_up(url) or server.poll() is not None,
            seconds=LONGEST_START,
            what="the server",
        )
        assert server.poll() is None, (folder / "server.log").read_text()
        yield url


@contextlib.contextmanager
def browser(folder):
    """Return a Chromium of our own, ended when it hangs: Playwright waits for ever for a page."""
    from playwright.sync_api import Error, sync_playwright

    path = find_browser()
    if path is None:
        pytest.fail(HOW_TO)
    profile = folder / "profile"
    words = [
        path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    with process(*words, stdout=subprocess.DEVNULL) as started:
        watchdog = threading.Timer(len(NOTEBOOKS) * LONGEST_VISIT, started.kill)
        watchdog.start()
        active = profile / "DevToolsActivePort"
        port, _ = wait_for(
            lambda: active.exists() and active.read_text().split(),
            seconds=LONGEST_START, what="Chromium",
        )  # fmt: skip
        try:
            with sync_playwright() as playwright:
                yield playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        except Error as error:
            raise AssertionError(f"JupyterLab did not finish: {error}") from error
        finally:
            watchdog.cancel()


SETTLED = """() => {
    const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
    const said = texts(".mk-panel .mk-state");
    return said.length > 0 && said.every((text) => !text.includes("Working"))
        && !document.querySelector(".mk-charts-due, .mk-tables-due")
        && [...texts(".mk-words"), ...texts(".mk-card .mk-value")].join();
}"""
CONTROLS = """() => [...document.querySelectorAll(
    ".mk-panel input, .mk-panel select, .mk-panel button, .mk-panel [role=slider]")]
    .map((e) => e.getAttribute("aria-label") || [...(e.labels || [])].map((l) => l.textContent)
        .join("") || (e.tagName === "BUTTON" ? e.textContent : ""))"""
IS_PANEL_SEEN = """() => {
    const { top, bottom } = document.querySelector(".mk-panel").getBoundingClientRect();
    return top > 0 && bottom < window.innerHeight;
}"""
TEXTS = """(selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent)"""


# Pixels of lists of leads that are to be seen only by scrolling sideways.
HIDDEN = """() => [...document.querySelectorAll(".mk-list div")]
    .filter((e) => getComputedStyle(e).overflowX !== "visible")
    .reduce((sum, e) => sum + Math.max(0, e.scrollWidth - e.clientWidth - 1), 0)"""
CHART_WIDTHS = """() => [...new Set([...document.querySelectorAll(
    ".jp-RenderedVegaCommon5 canvas")].map((c) => Math.round(c.getBoundingClientRect().width)))]"""
# Where in a chart the topmost mark is: what is wide and high enough and of one color.
SPOT = """(place) => {
    const canvas = document.querySelectorAll(".jp-RenderedVegaCommon5 canvas")[place];
    if (!canvas) return null;
    canvas.scrollIntoView({ block: "center" });
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const color = (x, y) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 4).join();
    const near = [[-3, 0], [3, 0], [0, -3], [0, 3]];
    const isMark = (x, y) => data[4 * (y * width + x) + 3] > 0
        && near.every(([h, v]) => color(x + h, y + v) === color(x, y));
    const box = canvas.getBoundingClientRect();
    for (let y = 5; y < height - 5; y += 1)
        for (let x = 5; x < width - 5; x += 1)
            if (isMark(x, y))
                return [box.x + x * box.width / width, box.y + y * box.height / height];
}"""


def run_cells(page, url, name):
    """Open a notebook as an analyst does, and run all of it."""
    # In a workspace of its own: JupyterLab opens again what was open in the one before.
    page.goto(f"{url}/lab/workspaces/{name}/tree/notebooks/{name}.ipynb?token={TOKEN}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=LONGEST_START * 1000)
    # Before the kernel is there, "Run All" asks which one to take.
    wait_for(
        lambda: page.evaluate("document.body.innerText.includes('| Idle')"),
        seconds=LONGEST_START, what="the kernel",
    )  # fmt: skip
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    # Asked from here: what waits for the next frame may wait for ever in a page not looked at.
    for condition in (FINISHED, DRAWN):
        wait_for(lambda c=condition: page.evaluate(c), seconds=LONGEST_VISIT, what="Run All")


def use_panel(page, name):
    """Move the lag by keyboard, and return what the page shows after each step.

    In one notebook, change grain, SLA and a filter, make a mistake, and click on marks of sources
    too. What the panel says is cleared before each step, so that nothing old is read.
    """
    panel = page.locator(".mk-panel")

    def is_at_rest(seconds):
        before = page.evaluate(SETTLED)
        if before:
            time.sleep(seconds)
        return before and before == page.evaluate(SETTLED)

    def settled(act, rest=0.3):
        page.evaluate("for (const e of document.querySelectorAll('.mk-state')) e.remove()")
        act()
        wait_for(lambda: is_at_rest(rest), seconds=LONGEST_VISIT, what="the panel")
        return {
            "words": page.evaluate(TEXTS, ".mk-panel .mk-words"),
            "faults": page.evaluate(TEXTS, ".mk-panel .mk-fault"),
            "names": page.evaluate(TEXTS, ".mk-card dt"),
            "values": page.evaluate(TEXTS, ".mk-card .mk-value"),
        }

    def move_lag():
        panel.locator("[role=slider]").focus()
        for _ in range(14):
            page.keyboard.press("ArrowRight")

    def set_sla(value):
        panel.get_by_label("Sales has", exact=True).fill(value)
        page.keyboard.press("Enter")

    def keep_two():
        panel.get_by_label("Only leads whose", exact=True).select_option("country")
        countries = panel.get_by_label("is", exact=True)
        wait_for(
            lambda: "EE" in countries.inner_text(), seconds=LONGEST_VISIT, what="the countries"
        )
        countries.select_option(["EE", "LV"])

    def spot_at_rest(place):
        # The charts above may still be drawn again, and move those below.
        before = page.evaluate(SPOT, place)
        time.sleep(1)
        return before if before == page.evaluate(SPOT, place) else None

    def click(place):
        page.mouse.click(
            *wait_for(lambda: spot_at_rest(place), seconds=LONGEST_VISIT, what="a mark")
        )

    # A slow browser sends the last of many keys when the results of the first are there already.
    steps = {"lag": settled(move_lag, rest=1)}
    if name != FULL:
        return steps
    grain = panel.get_by_label("One bucket per", exact=True)
    steps |= {
        "grain": settled(lambda: grain.select_option("Quarter")),
        "sla": settled(lambda: set_sla("24h")),
        "filter": settled(keep_two),
        "mistake": settled(lambda: set_sla("24")),
    }
    settled(lambda: set_sla("24h"))
    places = {"bar": CELLS, "bar again": CELLS, "dot": DOTS, "dot again": DOTS}
    return steps | {step: settled(lambda p=place: click(p)) for step, place in places.items()}


def use_list(page):
    """Sort a list of leads, look for one owner, have the file written and fetch it."""
    box = page.locator(".mk-list")

    def rows():
        return [row.split("\t") for row in box.locator("tbody tr").all_inner_texts()]

    wait_for(rows, seconds=LONGEST_VISIT, what="the list")
    seen = {"title": box.locator(".mk-note").inner_text(), "longest": rows()}
    late = box.locator("th", has_text="Hours overdue").locator("button").first
    late.click()
    seen["shortest"] = rows()
    owner = seen["shortest"][0][1]
    box.get_by_label("Search:").fill(owner)
    seen["owner"], seen["theirs"] = owner, rows()
    box.get_by_role("button", name="All SLA breaches as CSV").click()
    with page.expect_download(timeout=LONGEST_VISIT * 1000) as download:
        box.locator("a[download]").click()
    seen["file"] = download.value.suggested_filename
    return seen


def widths_at(page, width):
    """Return how wide charts are once they have come to rest on another screen."""
    before = page.evaluate(CHART_WIDTHS)
    page.set_viewport_size({"width": width, "height": 1000})
    wait_for(
        lambda: page.evaluate(CHART_WIDTHS) != before, seconds=LONGEST_VISIT, what="another width"
    )

    def at_rest():
        found = page.evaluate(CHART_WIDTHS)
        time.sleep(1)
        return found if found == page.evaluate(CHART_WIDTHS) else None

    return wait_for(at_rest, seconds=LONGEST_VISIT, what="rest")


def run_again(page):
    """Run two cells a second time, and tell what they and those below show after each."""
    seen = {}
    for step, text in {"headline": "topics.headline", "panel": "mk.open(globals"}.items():
        page.evaluate("for (const e of document.querySelectorAll('.mk-card')) e.remove()")
        page.locator(".jp-CodeCell", has_text=text).locator(".cm-content").first.click()
        page.keyboard.press("Control+Enter")
        wanted = ".mk-card" if step == "headline" else ".mk-note"
        wait_for(lambda w=wanted: page.evaluate(TEXTS, w), seconds=LONGEST_VISIT, what=step)
        wait_for(lambda: page.evaluate(FINISHED), seconds=LONGEST_VISIT, what=step)
        # JupyterLab draws a widget some time after its cell has finished.
        wait_for(lambda: page.evaluate(TEXTS, ".mk-panel"), seconds=LONGEST_VISIT, what="a panel")
        seen[step] = {
            "cards": len(page.evaluate(TEXTS, ".mk-card")),
            "panels": len(page.evaluate(TEXTS, ".mk-panel")),
            "notes": page.evaluate(TEXTS, ".mk-note"),
        }
    return seen


def visit(page, url, name):
    """Run and use a notebook, and return what the page shows."""
    run_cells(page, url, name)
    seen = {**page.evaluate(EVIDENCE), "controls": page.evaluate(CONTROLS)}
    seen["is_panel_seen"] = page.evaluate(IS_PANEL_SEEN)
    seen["hidden"] = page.evaluate(HIDDEN)
    if name == "cost_per_mql":
        for title in ("Cost over time", "Cost per MQL by lag"):
            page.locator("details.mk-table summary", has_text=title).click()
    seen["steps"] = use_panel(page, name)
    seen["opened"] = page.evaluate(TEXTS, "details.mk-table[open] summary")
    # The charts are drawn again, and nothing has failed on the way.
    wait_for(lambda: page.evaluate(DRAWN), seconds=LONGEST_VISIT, what="the charts")
    if name == "sla_velocity":
        seen["list"] = use_list(page)
    seen["after"] = page.evaluate(EVIDENCE)
    if name == "cost_per_mql":
        seen["at_1920"] = widths_at(page, 1920)
        seen["rerun"] = run_again(page)
    return seen


def end_kernels(url):
    """End the kernels of the notebooks that were visited."""
    head = {"Authorization": f"token {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/sessions", headers=head)) as got:
        sessions = json.loads(got.read())
    for session in sessions:
        address = f"{url}/api/sessions/{session['id']}"
        request = urllib.request.Request(address, headers=head, method="DELETE")
        urllib.request.urlopen(request).close()


def visit_all(folder) -> Run:
    """Visit all notebooks in one JupyterLab and one browser, and return what is to be seen."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    outside: list[str] = []

    def only_here(route, request):
        if request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
            route.continue_()
        else:
            outside.append(request.url)
            route.abort()

    seen = {}
    with jupyterlab(folder) as url, browser(folder) as chromium:
        page = chromium.contexts[0].pages[0]
        page.set_default_timeout(LONGEST_VISIT * 1000)
        page.route("**/*", only_here)
        for name in NOTEBOOKS:
            page.set_viewport_size({"width": 1280, "height": 1000})
            seen[name] = {**visit(page, url, name), "outside": list(outside)}
            outside.clear()
            page.goto("about:blank")
            end_kernels(url)
    return Run(0, json.dumps(seen), "", str(folder))


@pytest.fixture(scope="session")
def look(tmp_path_factory):
    """Return a function that tells what is to be seen in a notebook; all are visited once."""

    def at(name):
        return json.loads(once(tmp_path_factory, "lab", visit_all).stdout)[name]

    return at


@pytest.fixture
def seen(look):
    return look("mql_report")


@pytest.fixture(scope="module")
def figures_of():
    """Return a function that gives the headline of parameters; the data is read once."""
    known = {}

    def figures(params):
        key = repr(params)
        if key not in known:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(SHARED_COLUMNS_VARIABLE, json.dumps(["source", "country", "owner"]))
                numbers = read_report(params, base=ROOT / "notebooks")
            frame = headline_frame(
                numbers.metrics, params=numbers.params, currency=numbers.currency
            )
            known[key] = {figure.name: figure.value for figure in headline(frame)}
        return known[key]

    yield figures
    CACHE.clear()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_numbers_follow_the_panel(look, figures_of, name):
    steps = look(name)["steps"]
    by = ["owner"] if name == "sla_velocity" else ["source"]
    params = replace(ReportParams(), by=by)
    changes = CHANGES if name == FULL else {"lag": CHANGES["lag"]}
    for step, change in changes.items():
        params = replace(params, **change)
        shown = dict(zip(steps[step]["names"], steps[step]["values"], strict=True))
        assert shown == figures_of(params), step
        assert steps[step]["faults"] == []
        assert "moved back by 45 days" in steps[step]["words"][0]


def test_the_panel_names_the_filters(look):
    assert "Only country: EE and LV." in look(FULL)["steps"]["filter"]["words"][0]


def test_a_mistake_leaves_the_page_as_it_was(look):
    steps = look(FULL)["steps"]
    (fault,) = steps["mistake"]["faults"]
    assert fault.startswith("sla '24' is not a duration with a unit")
    assert steps["mistake"]["values"] == steps["filter"]["values"]


@pytest.mark.parametrize("name", ["funnel_efficiency", "sla_velocity"])
def test_a_list_has_all_its_columns_on_a_small_screen(look, name):
    assert look(name)["hidden"] == 0


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_after_run_all_the_panel_is_in_view(look, name):
    # JupyterLab goes to the last cell.
    assert look(name)["is_panel_seen"]


def test_a_table_stays_as_open_as_it_was(look):
    # "Cost over time" is closed at first and was opened, "Cost per MQL by lag" the other way round.
    assert look("cost_per_mql")["opened"] == ["Cost over time"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_control_says_what_it_is(look, name):
    controls = look(name)["controls"]
    assert len(controls) >= 19
    assert all(controls)
    # The tab key takes them in the order of the questions: when, what lag, what SLA, whose.
    order = ["Period", "Lag: days from net-new to MQL", "Sales has", "Break down by", "Save"]
    assert [c for c in controls if c in order] == order


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_ends_without_an_error(look, name):
    seen = look(name)
    for moment in (seen, seen["after"]):
        assert moment["errors"] == []
        assert all(chart["painted"] for chart in moment["charts"])
        assert moment["spilled"] == 0


@pytest.mark.parametrize("mark", ["bar", "dot"])
def test_a_click_on_a_source_keeps_it_alone_and_a_second_brings_all_back(look, figures_of, mark):
    steps = look(FULL)["steps"]
    (words,) = steps[mark]["words"]
    source = re.search(r"Only source: ([\w ]+)\.", words)[1]
    params = ReportParams()
    for change in CHANGES.values():
        params = replace(params, **change)
    alone = replace(params, where={**params.where, "source": [source]})
    for step, chosen in ((mark, alone), (f"{mark} again", params)):
        shown = dict(zip(steps[step]["names"], steps[step]["values"], strict=True))
        assert shown == figures_of(chosen)
    assert "Only source" not in steps[f"{mark} again"]["words"][0]


def test_late_leads_are_sorted_looked_up_and_taken_along(look):
    seen = look("sla_velocity")["list"]
    params = replace(ReportParams(), by=["owner"], **CHANGES["lag"])
    listed = first_page(read_report(params, base=ROOT / "notebooks"), BREACHES)
    assert seen["title"] == listed.title
    late = [float(row[5]) for row in seen["longest"]]
    assert late == list(listed.cells["Hours overdue"])[:10]
    assert [float(row[5]) for row in seen["shortest"]] == sorted(listed.cells["Hours overdue"])[:10]
    assert {row[1] for row in seen["theirs"]} == {seen["owner"]}
    assert seen["file"] == "sla_velocity.breaches.csv"


def test_charts_have_the_room_of_a_wide_screen(look):
    seen = look("cost_per_mql")
    assert {round(chart["width"]) for chart in seen["charts"]} == {760}
    assert seen["at_1920"] == [1120]


def test_a_cell_run_again_replaces_what_it_showed(look):
    # JupyterLab tells which cell it runs; no other program is asked here.
    rerun = look("cost_per_mql")["rerun"]
    assert (rerun["headline"]["cards"], rerun["headline"]["panels"]) == (6, 1)
    assert (rerun["panel"]["cards"], rerun["panel"]["panels"]) == (0, 1)
    assert {n.partition(":")[0] for n in rerun["panel"]["notes"]} == {"The panel was replaced"}


def test_every_chart_is_drawn(seen, sample_run):
    assert len(seen["charts"]) >= 10
    for chart in seen["charts"]:
        assert chart["painted"], seen["charts"]
        assert chart["width"] > 300, seen["charts"]
    # The lag is moved on the panel.
    assert seen["sliders"] == 0


def test_the_headline_shows_the_numbers_of_the_parameters(seen, figures_of):
    shown = dict(zip(seen["names"], seen["values"], strict=True))
    assert shown == figures_of(ReportParams())


def test_the_goal_is_drawn_here_too(seen):
    # JupyterLab has an older Vega-Lite than the page, and draws nothing where it knows no better.
    assert seen["has_goal"]


def test_the_headline_is_set_in_cards(seen):
    # JupyterLab has rules of its own for lists of definitions, which the cards are.
    assert seen["spilled"] == 0


def test_tables_are_set_as_on_the_page(seen):
    assert seen["tables"] >= 15
    # JupyterLab sets every table to the right, unless told otherwise by a closer rule.
    assert seen["alignments"] == ["left"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_was_asked_of_another_machine(look, name):
    assert look(name)["outside"] == []
