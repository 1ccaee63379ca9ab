"""Run a notebook with papermill and save it even if it fails."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import papermill
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import write_ipynb

import mqlkit
from mqlkit.core.errors import (
    FULL,
    OpenQuestion,
    ParamsError,
    ResourceError,
    RunError,
    SourceError,
    disk_words,
    report,
)
from mqlkit.core.params import ReportParams
from mqlkit.run.guard import COLORS, LEAVE_OUT, MEMORY_ERRORS, TOO_LITTLE_MEMORY, unexpected
from mqlkit.run.kernel import START_SECONDS
from mqlkit.run.log import RunLog
from mqlkit.run.signals import stop_if_told

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

# What the kernel raises about parameters and data, by the name of its class: this process does not
# load the classes of the readers.
USER_ERRORS = {
    "ParamsError": ParamsError,
    "SourceError": SourceError,
    "SeveralCurrenciesError": SourceError,
    "Undecided": OpenQuestion,
    "ResourceError": ResourceError,
}
# Raised for other reasons than a failing cell: a dead kernel, an invalid notebook.
BREAKDOWNS = (RuntimeError, TimeoutError, ValueError, OSError)
ENGINE = "mqlkit"
# A line of a traceback in a notebook: File ~/mqlkit/core/text.py:12, in ...
FRAME = re.compile(r"^File (\S[^\n]*?):\d+,? ", re.MULTILINE)
KIT = Path(mqlkit.__file__).parent
# Notebooks of earlier versions save their results themselves.
OLD_SAVE = "save_results("
SAVE = "from mqlkit.lab.report import save_opened\n\nsave_opened(globals())"
# Errors of the database about a full disk contain these words.
FULL_WORDS = tuple(os.strerror(number) for number in FULL)


class CellCount:
    """A progress bar for papermill that counts cells and reports them to the log.

    Parameters
    ----------
    log
        Receives an event ``cell`` for each finished cell.
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self.n = 0

    def update(self, n: int) -> None:
        """Add finished cells."""
        self.n += n
        self.refresh()

    def refresh(self) -> None:
        """Report the count to the log."""
        stop_if_told()
        self._log("cell", done=self.n)

    def close(self) -> None:
        """Do nothing: there is no bar to close."""


class KeepingEngine(Engine):  # type: ignore[misc]
    """Papermill engine for a running kernel; also writes a notebook that fails."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        kernel: AsyncKernelManager,
        left_at: str,
        deadline: float | None,
        log: RunLog,
        **_: Any,
    ) -> Any:
        """Execute the notebook; write it to ``left_at`` before passing a breakdown on."""
        nb_man.nb.cells.append(save_cell())
        log("started", cells=len(nb_man.nb.cells))
        nb_man.pbar = CellCount(log)
        # The client's log repeats the errors that it raises.
        silent = logging.getLogger(__name__)
        silent.setLevel(logging.CRITICAL + 1)
        client = PapermillNotebookClient(
            nb_man,
            km=kernel,
            kernel_name=kernel_name,
            log=silent,
            startup_timeout=START_SECONDS,
            timeout_func=lambda _: max(1, round(deadline - monotonic())) if deadline else None,
        )
        try:
            return client.execute(cleanup_kc=False)
        except BREAKDOWNS:
            write_ipynb(nb_man.nb, left_at)
            raise
        finally:
            if client.kc is not None:
                client.kc.stop_channels()


def save_cell() -> Any:
    """Return the cell that saves the results of a run, which notebooks do not have."""
    cell = new_code_cell(SAVE, id="save-results")  # type: ignore[no-untyped-call]
    cell.metadata.tags = ["remove-output"]
    cell.metadata.papermill = {
        "exception": None, "start_time": None, "end_time": None, "duration": None,
        "status": "pending",
    }  # fmt: skip
    return cell


def execute(
    notebook: Path,
    executed: Path,
    params: ReportParams,
    kernel: AsyncKernelManager,
    *,
    timeout: float | None,
    log: RunLog,
) -> Any:
    """Run a notebook in a running kernel.

    Parameters
    ----------
    notebook, executed
        The notebook, and the path of the executed copy.
    params, kernel
        The report, and the kernel to run it in.
    timeout
        Seconds until the run is stopped; None for no limit.
    log
        Receives an event ``started`` and one for each cell.

    Returns
    -------
    nbformat.NotebookNode
        The executed notebook.

    Raises
    ------
    ParamsError, SourceError
        If the notebook raises them when it reads parameters or data; ``executed`` is written for
        an `OpenQuestion`.
    RunError
        If a cell fails or the kernel dies; ``executed`` is written if possible.
    """
    # Relative paths: the executed notebook may be sent to others and must not name local folders.
    given = params.with_paths(os.path.relpath).to_dict()
    papermill_engines.register(ENGINE, KeepingEngine)
    # It warns of every parameter that a notebook does not use.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        return papermill.execute_notebook(
            _plain(os.path.relpath(notebook)),
            _plain(os.path.relpath(executed)),
            parameters=given,
            engine_name=ENGINE,
            kernel_name="python3",
            request_save_on_cell_execute=False,
            kernel=kernel,
            left_at=str(executed),
            deadline=None if timeout is None else monotonic() + timeout,
            log=log,
            progress_bar=False,
        )
    except PapermillExecutionError as error:
        if error.ename in USER_ERRORS:
            raise USER_ERRORS[error.ename](error.evalue) from None
        if is_outdated(error):
            raise RunError(_update_words(notebook)) from None
        if error.ename in MEMORY_ERRORS:
            raise RunError(
                report(f"{notebook.name}: {TOO_LITTLE_MEMORY}.", fix=LEAVE_OUT)
            ) from error
        what = f"cell {error.exec_count} failed: {error.ename}: {error.evalue}"
        if is_of_kit(error) and not any(words in what for words in FULL_WORDS):
            trace = "\n".join(error.traceback)
            raise unexpected(
                f"{notebook.name}, cell {error.exec_count}", error.ename, trace
            ) from error
        raise RunError(_words(notebook, executed, what)) from error
    except CellTimeoutError as error:
        what = f"stopped after {timeout:g} seconds (--timeout)."
        raise RunError(_words(notebook, executed, what)) from error
    except BREAKDOWNS as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise RunError(disk_words(executed.parent.parent, error)) from error
        what = str(error).partition("\n")[0]
        if what == "Kernel died":
            what = "the kernel died: it crashed or was killed, possibly out of memory."
        raise RunError(_words(notebook, executed, what)) from error


def _plain(path: str) -> str:
    """Return a path in which papermill takes no braces for fields to fill in."""
    return path.replace("{", "{{").replace("}", "}}")


def is_of_kit(error: PapermillExecutionError) -> bool:
    """Return whether a notebook failed in the code of mqlkit that it had called."""
    frames = FRAME.findall(COLORS.sub("", "\n".join(error.traceback)))
    return any(KIT in Path(place).expanduser().parents for place in frames)


def is_outdated(error: PapermillExecutionError) -> bool:
    """Return whether a notebook failed because it was written for an earlier version of mqlkit."""
    if error.ename in ("ImportError", "ModuleNotFoundError"):
        return re.search(r"'mqlkit['.]", error.evalue) is not None
    return OLD_SAVE in error.source


def _update_words(notebook: Path) -> str:
    workspace = os.path.relpath(notebook.parent.parent)
    return (
        f"{notebook.name} was written for an earlier version of mqlkit; "
        f"`mqlkit new {workspace} --update` rewrites it and keeps the old one as .bak."
    )


def _words(notebook: Path, executed: Path, what: str) -> str:
    if any(words in what for words in FULL_WORDS):
        fix = "the disk is full: free some space, or name another folder with --out"
    elif is_whole(executed):
        fix = f"open {executed.name} in the output folder; the failing cell is marked"
    else:
        fix = "open the notebook in JupyterLab and correct or replace it"
    return report(f"{notebook.name}: {what}", fix=fix)


def is_whole(executed: Path) -> bool:
    """Return whether a notebook was written completely."""
    try:
        json.loads(executed.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
