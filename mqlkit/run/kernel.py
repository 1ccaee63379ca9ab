"""The kernel of headless runs: started early, and kept for the next report of a batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from time import monotonic

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.utils import run_sync  # type: ignore[attr-defined]
from jupyter_core.paths import jupyter_path

from mqlkit.run.output import temporary_folder
from mqlkit.run.signals import uninterrupted

# papermill and Altair import jsonschema, which takes a second to build a grammar for `iri` formats.
# No schema here uses them, and jsonschema works without the module.
NO_IRI_GRAMMAR = "__import__('sys').modules.setdefault('rfc3987_syntax', None)"
# A report allocates its objects once and ends, so that few of them are garbage.
RELAX_GC = "__import__('gc').set_threshold(50_000, 50, 50)"
PRELOAD = "import mqlkit.lab.report, mqlkit.views.topics"
# What the notebook before has left in the kernel, except imported modules and the source read.
RESET_CODE = """
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
RESET_SECONDS = 30
# On a busy machine a kernel can take long to start.
START_SECONDS = 120
# macOS limits the path of a socket to 104 bytes; the kernel appends a number.
MAX_PATH_BYTES = 95


class KernelClient(AsyncKernelClient):
    """A client that is ready with the first answer of the kernel.

    The one of jupyter_client waits until the kernel has sent nothing for 0.2 seconds.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels.

        Parameters
        ----------
        timeout
            In seconds; None for `START_SECONDS`.

        Raises
        ------
        RuntimeError
            If it has died, or does not answer in time.
        """
        deadline = monotonic() + (timeout or START_SECONDS)
        while monotonic() < deadline:
            self.kernel_info()
            with suppress(Empty):
                await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=0.2)
                return
            if not await self.is_alive():
                raise RuntimeError("Kernel died")
        raise RuntimeError(f"Kernel did not answer in {timeout} seconds")


class ReportRuntime:
    """A kernel for one report, or for the reports of a batch one after the other.

    It imports the package while this process imports papermill.

    Parameters
    ----------
    folder
        Folder for the kernel's temporary files. The kernel is killed, not asked to clean up; the
        owner of the folder removes them.
    is_kept
        Whether the kernel is kept for the next report.
    """

    def __init__(self, folder: Path, *, is_kept: bool) -> None:
        self._folder, self._is_kept = folder, is_kept
        self._manager: AsyncKernelManager | None = None
        self._is_reusable = False

    def kernel(self, environment: Mapping[str, str | None]) -> AsyncKernelManager:
        """Return a kernel that is starting, or the kept one without the variables of its notebook.

        Parameters
        ----------
        environment
            Environment variables of the notebook; None for those that must not be set.
        """
        given = {name: value for name, value in environment.items() if value is not None}
        absent = [name for name, value in environment.items() if value is None]
        if self._manager is not None:
            if self._is_reusable and _is_reset(self._manager, given, absent):
                return self._manager
            self.discard()
        # A signal at this point would leave a kernel that nothing stops.
        with uninterrupted():
            self._manager = self._start(given, absent)
        return self._manager

    def release(self) -> None:
        """Keep the kernel for the next report, or kill it without waiting for its end."""
        if self._is_kept:
            self._is_reusable = True
        elif self._manager is not None and self._manager.provisioner is not None:
            run_sync(self._manager.provisioner.kill)()

    def discard(self) -> None:
        """Kill the kernel, if there is one: after a failure its state is unknown."""
        manager, self._manager, self._is_reusable = self._manager, None, False
        if manager is not None:
            run_sync(manager.shutdown_kernel)(now=True)

    def _start(self, given: Mapping[str, str], absent: list[str]) -> AsyncKernelManager:
        kernel = AsyncKernelManager(
            kernel_name="python3",
            connection_file=str(self._folder / "kernel.json"),
            client_factory=KernelClient,
            # Its own list of folders imports IPython.
            kernel_spec_manager=KernelSpecManager(kernel_dirs=jupyter_path("kernels")),
            **_transport(self._folder),
        )
        lines = (NO_IRI_GRAMMAR, RELAX_GC, PRELOAD)
        arguments = [f"--IPKernelApp.exec_lines={line}" for line in lines]
        # The reader of a report must not see the kernel's own warnings. No history is kept.
        arguments += ["--log-level=CRITICAL", "--HistoryManager.hist_file=:memory:"]
        inherited = {n: v for n, v in os.environ.items() if n not in absent}
        environment = {**inherited, "TMPDIR": str(self._folder), **given}
        run_sync(kernel.start_kernel)(extra_arguments=arguments, env=environment)
        _use_own_group(kernel.provisioner)
        return kernel


def _use_own_group(provisioner: object) -> None:
    """Send signals for a kernel to its own process group.

    The kernel leads a session of its own. Jupyter may ask for its group before it has started one,
    and would then kill the group of this process with it.
    """
    if isinstance(provisioner, LocalProvisioner) and os.name == "posix":
        provisioner.pgid = provisioner.pid


@contextmanager
def open_runtime(*, is_kept: bool = False) -> Iterator[ReportRuntime]:
    """Return a runtime that ends with the block; see `ReportRuntime`."""
    with temporary_folder() as folder:
        runtime = ReportRuntime(folder, is_kept=is_kept)
        try:
            yield runtime
        finally:
            runtime.discard()


def _transport(folder: Path) -> dict[str, str]:
    """Return the settings for sockets in a folder; none where the system cannot use them.

    A free port could be taken by another kernel before this one listens on it.
    """
    place = folder / "k"
    if os.name != "posix" or len(os.fsencode(place)) > MAX_PATH_BYTES:
        return {}
    return {"transport": "ipc", "ip": str(place)}


def _is_reset(kernel: AsyncKernelManager, given: dict[str, str], absent: list[str]) -> bool:
    """Return whether a running kernel could be reset for the next notebook."""
    client: AsyncKernelClient = kernel.client()
    client.start_channels()
    code = RESET_CODE.format(environment=given, absent=absent, folder=str(Path.cwd()))
    try:
        run_sync(client.wait_for_ready)(timeout=RESET_SECONDS)
        reply = run_sync(client.execute_interactive)(
            code, silent=True, allow_stdin=False, timeout=RESET_SECONDS
        )
    except (RuntimeError, TimeoutError):
        return False
    finally:
        client.stop_channels()
    return bool(reply["content"]["status"] == "ok")
