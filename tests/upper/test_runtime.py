"""Code that a run executes in other processes, and what its own process imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mqlkit.pages import assets
from mqlkit.pages.assets import page_script
from mqlkit.run.kernel import PRELOAD

HEAVY = ("altair", "ibis", "IPython", "pandas")
LOADED = "import json, sys, {module}; print(json.dumps([n for n in {names} if n in sys.modules]))"


def test_the_modules_that_the_kernel_preloads_exist():
    subprocess.run([sys.executable, "-c", PRELOAD], check=True)


@pytest.mark.parametrize("module", ["run.batch", "run.notebook", "pages.html", "pages.index"])
def test_the_process_of_a_run_leaves_the_numbers_to_the_kernel(module):
    code = LOADED.format(module=f"mqlkit.{module}", names=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_script_of_the_page_is_made_once(tmp_path, monkeypatch):
    (tmp_path / "page-0123.js").write_text("outdated", encoding="utf-8")
    script = page_script(tmp_path)
    assert len(script) > 500_000
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(assets, "_bundled", None)
    assert page_script(tmp_path) == script


def test_the_script_of_the_page_needs_no_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(assets, "_bundled", lambda own: own)
    assert page_script(tmp_path / "file" / "folder").startswith(assets.asset("page.js"))
