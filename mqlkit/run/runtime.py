"""Resources shared by reports of one batch: a warm kernel and the chart bundle."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mqlkit.core.names import SHARED_COLUMNS_VARIABLE
from mqlkit.run.kernel import WarmKernel
from mqlkit.run.output import own_folder

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

# The kernel goes first where there are fewer processors than processes: it is waited for.
MAKE_SCRIPT = """
import os, sys
if hasattr(os, "nice"):
    os.nice(10)
from mqlkit.pages.bundle import page_script
sys.stdout.write(page_script())
"""


class Press:
    """What it takes to print a report, got ready once for several.

    Parameters
    ----------
    folder
        For temporary files; see `lock.own_folder`.
    shared
        Lead columns that several reports use of a source, by its path; None for a single report.
    """

    def __init__(self, folder: Path, shared: Mapping[str, Sequence[str]] | None = None) -> None:
        self._shared = shared
        self._kernel = WarmKernel(folder)
        self._script = folder / "page.js"
        self._helper: subprocess.Popen[bytes] | None = None

    def kernel(self, environment: Mapping[str, str | None], source: str) -> AsyncKernelManager:
        """Return a kernel for one report; see `kernel.WarmKernel.start`."""
        columns = (self._shared or {}).get(source)
        shared = None if columns is None else json.dumps(columns)
        kernel = self._kernel.start({SHARED_COLUMNS_VARIABLE: shared, **environment})
        if self._helper is None:
            # In a process of its own: it takes a second, and the kernel needs one to get up.
            with self._script.open("wb") as out:
                self._helper = subprocess.Popen(  # noqa: S603 - this very Python
                    [sys.executable, "-X", "utf8", "-c", MAKE_SCRIPT],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    # What it fails at is done here once more, and told then.
                    stderr=subprocess.DEVNULL,
                    # Ctrl-C is for this process, which then ends that one.
                    start_new_session=True,
                )
        return kernel

    def keep_kernel(self) -> None:
        """Take the kernel for sound: the next report, if there is one, may have it."""
        if self._shared is None:
            self._kernel.dismiss()
        else:
            self._kernel.keep()

    def drop_kernel(self) -> None:
        """Kill the kernel: nobody knows what state it is in."""
        self._kernel.stop()

    def script(self) -> str:
        """Return the chart library and the page's own script as one text."""
        if self._helper is not None and self._helper.wait() == 0:
            return self._script.read_text(encoding="utf-8")
        # The disk may have been full.
        from mqlkit.pages.bundle import page_script

        return page_script()

    def close(self) -> None:
        """End what runs."""
        self._kernel.stop()
        if self._helper is not None:
            self._helper.kill()
            self._helper.wait()


@contextmanager
def open_press(shared: Mapping[str, Sequence[str]] | None = None) -> Iterator[Press]:
    """Return a press, closed with the block; see `Press`."""
    with own_folder() as folder:
        press = Press(folder, shared)
        try:
            yield press
        finally:
            press.close()
