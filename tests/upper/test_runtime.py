"""Code that a run executes in other processes, where an error is silent."""

from __future__ import annotations

import subprocess
import sys

from mqlkit.pages.bundle import page_script
from mqlkit.run.kernel import AHEAD
from mqlkit.run.runtime import MAKE_SCRIPT


def test_the_helper_process_writes_the_scripts_of_the_page():
    words = [sys.executable, "-X", "utf8", "-c", MAKE_SCRIPT]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == page_script()


def test_the_modules_that_the_kernel_preloads_exist():
    subprocess.run([sys.executable, "-c", AHEAD], check=True)
