"""What the tests of the upper floors share: numbers, runs, a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from runs import LONGEST_RUN, ROOT, WORKED, Run, command, mqlkit_run, once

from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import Report, read_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW_TO = (
    "No Chromium was found. To get one: apt install chromium, brew install --cask chromium, or "
    "choco install chromium; CHROMIUM=/path/to/it names one elsewhere."
)
ALL_DRAWN = """() => {
    const charts = [...document.querySelectorAll("figure.chart")];
    return charts.every((c) => c.querySelector(".plot[data-drawn=yes] > svg"));
}"""
# Notebooks that fail on purpose: `--nbval` collects the others.
collect_ignore = ["notebooks"]
NOT_RUN = pytest.StashKey[list[str]]()


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine."""
    named = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out where there is no browser; in CI they fail instead."""
    here = Path(__file__).parent
    without = [i for i in items if i.get_closest_marker("browser") and here in i.path.parents]
    if not without or find_browser() or os.environ.get("CI", "").lower() == "true":
        return
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]
    config.stash[NOT_RUN] = [item.nodeid for item in without]
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker == "gw0":
        # Only warnings reach the terminal from a worker before its first test.
        warn(config, not_run(config.stash[NOT_RUN]))


def warn(config: pytest.Config, text: str) -> None:
    """Add a line to the summary of warnings, whatever the warning filters make of it."""
    import warnings

    message = warnings.WarningMessage(pytest.PytestWarning(text), pytest.PytestWarning, __file__, 0)
    config.hook.pytest_warning_recorded.call_historic(
        kwargs={"warning_message": message, "nodeid": "", "when": "collect", "location": None}
    )


def not_run(tests: list[str]) -> str:
    """Return the browser tests that were left out, and how to have them run."""
    files = sorted({test.partition("::")[0] for test in tests})
    return f"{len(tests)} browser tests NOT RUN, in {', '.join(files)}. {HOW_TO}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the tests that were not run."""
    if tests := config.stash.get(NOT_RUN, None):
        terminalreporter.section("browser tests not run", yellow=True)
        terminalreporter.write_line(not_run(tests))


@pytest.fixture(scope="session")
def worked() -> Report:
    """Return the numbers of the worked example."""
    return read_report(ReportParams.read(WORKED / "params.yaml"))


@pytest.fixture(scope="session")
def worked_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of the worked example, in a process of its own."""
    words = ["mqlkit", "run", WORKED / "params.yaml", "--out", "reports"]
    return once(tmp_path_factory, "worked", lambda cwd: command(*words, cwd=cwd))


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of the sample, as `make report` runs it."""
    params = ROOT / "params" / "mql_report.yaml"
    return once(tmp_path_factory, "sample", lambda cwd: mqlkit_run(params, cwd=cwd))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a headless Chromium.

    Of a module, not of the session: Playwright keeps an event loop running, and other tests want
    their own.
    """
    path = find_browser()
    if path is None:
        pytest.fail(HOW_TO)
    from playwright.sync_api import sync_playwright

    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page, and what it did while it was open."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


def opened(chromium: Any, run: Run, name: str, *, width: int = 1280, **options: Any) -> Opened:
    """Open a report in a context of its own, without a network."""
    context = chromium.new_context(
        offline=True, viewport={"width": width, "height": 900}, **options
    )
    context.set_default_timeout(LONGEST_RUN * 1000)
    it = Opened(context.new_page())

    def dismiss(dialog: Any) -> None:
        it.dialogs.append(dialog.message)
        dialog.dismiss()

    it.page.on("console", lambda m: it.said.append(f"{m.type}: {m.text}"))
    it.page.on("pageerror", lambda e: it.said.append(f"error: {e}"))
    it.page.on("request", lambda r: it.asked.append(r.url))
    it.page.on("dialog", dismiss)
    it.page.goto((run.out / f"{name}.html").as_uri())
    if options.get("java_script_enabled", True):
        it.page.wait_for_function(ALL_DRAWN)
    return it


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Return a function that opens a report for one test, which may change the page."""
    pages: list[Opened] = []

    def open_one(run: Run, name: str, **options: Any) -> Opened:
        pages.append(opened(chromium, run, name, **options))
        return pages[-1]

    yield open_one
    for it in pages:
        it.page.context.close()


@pytest.fixture(scope="module")
def shared_page(chromium: Any) -> Callable[..., Opened]:
    """Return a function that opens a report once per width for all tests of a module.

    A test leaves the page as it found it, or what it changed is seen by no other test.
    """
    pages: dict[tuple[str, str, int], Opened] = {}

    def page_of(run: Run, name: str, *, width: int = 1280) -> Opened:
        key = (run.folder, name, width)
        if key not in pages:
            pages[key] = opened(chromium, run, name, width=width)
        return pages[key]

    return page_of
