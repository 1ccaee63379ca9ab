"""`make docs` builds the site, needs no network to show it, and stops at what does not exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_pages import ROOT


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    words = ["-q", "-W", "--keep-going", "-d", str(site.with_name("doctrees"))]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(source), str(site)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = build(ROOT / "docs", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site):
    pages = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")}
    assert pages <= {path.name for path in site.glob("*.html")}


def test_the_site_loads_nothing_from_the_network(site):
    loaded = [
        f"{page.name}: {url}"
        for page in site.glob("*.html")
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page.read_text("utf-8"))
        for url in re.findall(r'(?:src|href)="((?:https?:)?//[^"]+)"', tag)
    ]
    assert loaded == []


def test_the_gallery_opens_the_reports(site):
    page = (site / "gallery.html").read_text(encoding="utf-8")
    assert 'href="_static/gallery/mql_report.html"' in page


def test_unknown_things_stop_the_build(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("conf.py", "check_commands.py"):
        shutil.copy(ROOT / "docs" / name, docs)
    shutil.copytree(ROOT / "docs" / "_templates", docs / "_templates")
    shutil.copy(ROOT / "Makefile", tmp_path)
    text = "[gone](gone.md) [lost](#lost) `mqlkit fly` `mqlkit run --fast` `make coffee`"
    (docs / "index.md").write_text(f"# Page\n\n{text}\n", encoding="utf-8")
    done = build(docs, tmp_path / "site")
    assert done.returncode != 0
    for fault in ("gone.md", "'lost'", "mqlkit fly", "mqlkit run --fast", "make coffee"):
        assert fault in done.stderr
