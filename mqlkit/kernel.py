"""The kernel of a headless run, started before there is anything to run in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# jsonschema, which papermill and Altair import, builds a grammar for a check of `iri` formats that
# no schema here asks for: a second in every process. It takes the module's absence quietly.
WITHOUT_IRI = "__import__('sys').modules.setdefault('rfc3987_syntax', None)"
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from jupyter_client.utils import run_sync  # type: ignore[attr-defined]  # noqa: E402

from mqlkit.terms import RESULTS_VARIABLE  # noqa: E402

# A report makes its objects once and ends: looking for garbage among them again and again is slow.
RARELY = "__import__('gc').set_threshold(50_000, 50, 50)"
AHEAD = "import mqlkit.charts, mqlkit.controls, mqlkit.numbers, mqlkit.tables"


@contextmanager
def kernel_ahead(results: Path) -> Iterator[AsyncKernelManager]:
    """Start a kernel that imports the kit while this process imports papermill; stop it after.

    Parameters
    ----------
    results
        Where the notebook's results go: folder and stem.
    """
    kernel = AsyncKernelManager(kernel_name="python3")
    arguments = [f"--IPKernelApp.exec_lines={line}" for line in (WITHOUT_IRI, RARELY, AHEAD)]
    # The kernel's own warnings are not for the reader of a report.
    arguments.append("--log-level=CRITICAL")
    environment = {**os.environ, RESULTS_VARIABLE: str(results)}
    run_sync(kernel.start_kernel)(extra_arguments=arguments, env=environment)
    try:
        yield kernel
    finally:
        run_sync(kernel.shutdown_kernel)(now=True)
