"""The kernel of headless runs: started before there is anything to run in it, and used again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient

# jsonschema, which papermill and Altair import, builds a grammar for a check of `iri` formats that
# no schema here asks for: a second in every process. It takes the module's absence quietly.
WITHOUT_IRI = "__import__('sys').modules.setdefault('rfc3987_syntax', None)"
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from jupyter_client.utils import run_sync  # type: ignore[attr-defined]  # noqa: E402

from mqlkit.run.signals import uninterrupted  # noqa: E402

# A report makes its objects once and ends: looking for garbage among them again and again is slow.
RARELY = "__import__('gc').set_threshold(50_000, 50, 50)"
AHEAD = "import mqlkit.lab.report, mqlkit.views.topics"
# A notebook finds nothing of the one before it but the modules that both import.
AFRESH = """
import os
os.environ.update({environment!r})
for name in {absent!r}:
    os.environ.pop(name, None)
os.chdir({folder!r})
get_ipython().reset(new_session=True)
import gc
gc.collect()
from mqlkit.sources.source_cache import CACHE
CACHE.drop_derived()
"""
LONGEST_RESET = 30
# The path of a socket has room for 104 bytes on macOS, and some for a number.
LONGEST_PLACE = 95
# How long a kernel has to answer once it is wanted; on a busy machine it takes its time.
LONGEST_START = 120


class WarmKernel:
    """A kernel that imports the kit while this process imports papermill.

    Parameters
    ----------
    folder
        Where it keeps its temporary files; whoever owns the folder removes them, since a kernel
        is not asked to tidy up but killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manager: AsyncKernelManager | None = None
        self._is_used = False

    def start(self, environment: Mapping[str, str | None]) -> AsyncKernelManager:
        """Return a kernel that starts, or one that is up and knows nothing any more.

        Parameters
        ----------
        environment
            Variables that the notebook is to find, or not to find where they are None.
        """
        given = {name: value for name, value in environment.items() if value is not None}
        absent = [name for name, value in environment.items() if value is None]
        if self._manager is not None:
            if self._is_used and _is_cleared(self._manager, given, absent):
                return self._manager
            self.stop()
        # A signal while it starts would leave a kernel that nobody knows of.
        with uninterrupted():
            self._manager = self._started(given, absent)
        return self._manager

    def keep(self) -> None:
        """Take the kernel for sound: the next notebook may have it."""
        self._is_used = True

    def dismiss(self) -> None:
        """Kill the kernel without waiting for its end, which `stop` then finds has come."""
        if self._manager is not None and self._manager.provisioner is not None:
            run_sync(self._manager.provisioner.kill)()

    def stop(self) -> None:
        """Kill the kernel, if there is one."""
        manager, self._manager, self._is_used = self._manager, None, False
        if manager is not None:
            run_sync(manager.shutdown_kernel)(now=True)

    def _started(self, given: Mapping[str, str], absent: list[str]) -> AsyncKernelManager:
        kernel = AsyncKernelManager(
            kernel_name="python3",
            connection_file=str(self._folder / "kernel.json"),
            **_line(self._folder),
        )
        arguments = [f"--IPKernelApp.exec_lines={line}" for line in (WITHOUT_IRI, RARELY, AHEAD)]
        # The kernel's own warnings are not for the reader of a report, and neither is its history.
        arguments += ["--log-level=CRITICAL", "--HistoryManager.hist_file=:memory:"]
        inherited = {n: v for n, v in os.environ.items() if n not in absent}
        environment = {**inherited, "TMPDIR": str(self._folder), **given}
        run_sync(kernel.start_kernel)(extra_arguments=arguments, env=environment)
        return kernel


def _line(folder: Path) -> dict[str, str]:
    """Return how to speak to a kernel in a folder: by files in it where the system can.

    A port is found free, and may be taken by another kernel before this one listens on it.
    """
    place = folder / "k"
    if os.name != "posix" or len(os.fsencode(place)) > LONGEST_PLACE:
        return {}
    return {"transport": "ipc", "ip": str(place)}


def _is_cleared(kernel: AsyncKernelManager, given: dict[str, str], absent: list[str]) -> bool:
    """Return whether a kernel that is up could be emptied for the next notebook."""
    client: AsyncKernelClient = kernel.client()
    client.start_channels()
    code = AFRESH.format(environment=given, absent=absent, folder=str(Path.cwd()))
    try:
        run_sync(client.wait_for_ready)(timeout=LONGEST_RESET)
        reply = run_sync(client.execute_interactive)(
            code, silent=True, allow_stdin=False, timeout=LONGEST_RESET
        )
    except (RuntimeError, TimeoutError):
        return False
    finally:
        client.stop_channels()
    return bool(reply["content"]["status"] == "ok")
