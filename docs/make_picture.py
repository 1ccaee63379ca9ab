"""Take the README's picture: ``python docs/make_picture.py reports/mql_report.html``.

Needs the Chromium that the browser tests use. Where ``pngquant`` is on the machine it makes the
file three times smaller.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "report.png"
WIDTH, SCALE = 1280, 2
NAMES = ("chromium", "chromium-browser", "google-chrome")


def take(report: Path, picture: Path) -> None:
    """Save the top of a report, down to its first chart, with the network off."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 900}, device_scale_factor=SCALE, offline=True
        )
        page.goto(report.resolve().as_uri())
        chart = page.locator("figure.chart").first
        chart.locator("svg").wait_for()
        box = chart.bounding_box() or {"y": 0, "height": 900}
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": round(box["y"] + box["height"]) + 4}
        page.screenshot(path=picture, clip=clip, full_page=True)
        browser.close()


def shrink(picture: Path) -> None:
    """Bring a screenshot of few colours down to a palette."""
    if shutil.which("pngquant"):
        quant = ["pngquant", "--force", "--strip", "--speed=1", "--ext=.png", "128", str(picture)]
        subprocess.run(quant, check=True)  # noqa: S603 - fixed arguments


if __name__ == "__main__":
    take(Path(sys.argv[1]), PICTURE)
    shrink(PICTURE)
