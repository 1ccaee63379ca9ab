"""Take the pictures of the docs: ``python docs/make_pictures.py``.

Runs the sample report, and two notebooks in JupyterLab. Needs the Chromium that the browser tests
use. If ``pngquant`` is installed, it makes the files three times smaller.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parent
ROOT = DOCS.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
TOKEN = "only-for-the-pictures"
PATIENCE = 400_000
# Cells outside the window are not drawn by default; the notification would cover the picture.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
SETTLED = """() => [...document.querySelectorAll(
    ".jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)")]
    .every((prompt) => /^\\[\\d+\\]:$/.test(prompt.textContent.trim()))"""


def take_report(browser: Browser, folder: Path) -> None:
    """Save the top of the sample report, down to its first chart, with the network off."""
    report = ["run", str(ROOT / "params" / "mql_report.yaml"), "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "mqlkit", *report], cwd=ROOT, check=True)
    page = browser.new_page(
        viewport={"width": 1280, "height": 900}, device_scale_factor=2, offline=True
    )
    page.goto((folder / "mql_report.html").as_uri())
    chart = page.locator("figure.chart").first
    chart.locator("svg").wait_for()
    box = chart.bounding_box() or {"y": 0, "height": 900}
    clip = {"x": 0, "y": 0, "width": 1280, "height": round(box["y"] + box["height"]) + 4}
    page.screenshot(path=DOCS / "report.png", clip=clip, full_page=True)


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serve a copy of the notebooks, with no setting of this machine, and return the address."""
    for name in ("notebooks", "params", "data"):
        shutil.copytree(ROOT / name, folder / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    own = {name: str(folder / name.lower()) for name in homes}
    for name, content in SETTINGS.items():
        path = folder / "jupyterlab_settings_dir" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    words = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    words += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *words], env={**os.environ, **own}
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/api/status?token={TOKEN}").close()
                break
            except OSError:
                sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def run_notebook(browser: Browser, url: str, name: str) -> Page:
    """Open a notebook in JupyterLab, run all cells, and hide the file browser."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    page.goto(f"{url}/lab/tree/notebooks/{name}.ipynb?reset&token={TOKEN}")
    page.get_by_text("| Idle").wait_for(timeout=PATIENCE)
    page.keyboard.press("Control+B")
    for label in ("Run", "Run All Cells"):
        page.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel").get_by_text(
            label, exact=True
        ).first.click()
    # Not by animation frames: a page that is not in front has none.
    page.wait_for_function(SETTLED, polling=500, timeout=PATIENCE)
    # The last parts of the notebook are drawn after its cells have run.
    page.wait_for_timeout(15_000)
    return page


def take_panel(browser: Browser, url: str) -> None:
    """Save the first screen of the notebook for leaders."""
    page = run_notebook(browser, url, "mql_report")
    page.screenshot(path=DOCS / "panel.png")
    page.close()


def take_list(browser: Browser, url: str) -> None:
    """Save the list of SLA breaches."""
    page = run_notebook(browser, url, "sla_velocity")
    leads = page.locator(".mk-list").first
    leads.scroll_into_view_if_needed()
    page.wait_for_timeout(2_000)
    leads.screenshot(path=DOCS / "list.png")


def shrink(picture: Path) -> None:
    """Reduce a screenshot of few colors to a palette."""
    if shutil.which("pngquant"):
        quant = ["pngquant", "--force", "--strip", "--speed=1", "--ext=.png", "128", str(picture)]
        subprocess.run(quant, check=True)


if __name__ == "__main__":
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take_report(browser, Path(scratch) / "reports")
        with jupyterlab(Path(scratch) / "lab") as url:
            take_panel(browser, url)
            take_list(browser, url)
        browser.close()
    for name in ("report.png", "panel.png", "list.png"):
        shrink(DOCS / name)
