"""One notebook through papermill, saved whatever happens."""

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

from mqlkit.core.errors import FULL, ParamsError, RunError, SourceError, disk_words, report
from mqlkit.core.params import ReportParams
from mqlkit.run.kernel import LONGEST_START
from mqlkit.run.log import RunLog
from mqlkit.run.signals import stop_if_told

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

USER_ERRORS = {"ParamsError": ParamsError, "SourceError": SourceError}
# What papermill and its kernel raise beside a failing cell: a dead kernel, a notebook that is none.
BREAKDOWNS = (RuntimeError, TimeoutError, ValueError, OSError)
ENGINE = "mqlkit"
# Notebooks of earlier versions save their results themselves.
OLD_SAVE = "save_results("
SAVE = "from mqlkit.lab.report import save_opened\n\nsave_opened(globals())"
# The engine says it in its own words, with these in them.
FULL_WORDS = tuple(os.strerror(number) for number in FULL)


class CellCount:
    """What papermill takes for its progress bar: counts cells, and tells the log.

    Parameters
    ----------
    log
        Gets an event ``cell`` for each cell that is done.
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self.n = 0

    def update(self, n: int) -> None:
        """Count cells that are done."""
        self.n += n
        self.refresh()

    def refresh(self) -> None:
        """Tell the count."""
        stop_if_told()
        self._log("cell", done=self.n)

    def close(self) -> None:
        """Do nothing: a count needs no closing."""


class KeepingEngine(Engine):  # type: ignore[misc]
    """Papermill in a kernel that runs; a notebook that breaks down is written all the same."""

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
        # What the client has to say is said in the errors that it raises.
        silent = logging.getLogger(__name__)
        silent.setLevel(logging.CRITICAL + 1)
        client = PapermillNotebookClient(
            nb_man,
            km=kernel,
            kernel_name=kernel_name,
            log=silent,
            startup_timeout=LONGEST_START,
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
    """Run a notebook in a kernel that runs.

    Parameters
    ----------
    notebook, executed
        The notebook, and where it is written as executed.
    params, kernel
        The report, and where to run it.
    timeout
        Seconds after which it is stopped; None for never.
    log
        Gets an event ``started`` and one for each cell.

    Returns
    -------
    nbformat.NotebookNode
        The executed notebook.

    Raises
    ------
    ParamsError, SourceError
        When the notebook's own reading of parameters or data raised them.
    RunError
        When a cell fails or the kernel breaks down; ``executed`` is left where it could be.
    """
    # Relative paths: the executed notebook is mailed on, and whose home it was made in is nobody's.
    given = {**params.to_dict(), "source": os.path.relpath(params.source)}
    papermill_engines.register(ENGINE, KeepingEngine)
    try:
        return papermill.execute_notebook(
            os.path.relpath(notebook),
            os.path.relpath(executed),
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
        what = f"cell {error.exec_count} failed: {error.ename}: {error.evalue}"
        raise RunError(_words(notebook, executed, what)) from error
    except CellTimeoutError as error:
        what = f"was not done after {timeout:g} seconds, and was stopped (--timeout)."
        raise RunError(_words(notebook, executed, what)) from error
    except BREAKDOWNS as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise RunError(disk_words(executed.parent.parent, error)) from error
        what = str(error).partition("\n")[0]
        if what == "Kernel died":
            what = "the kernel died: it was killed, perhaps for want of memory, or it crashed."
        raise RunError(_words(notebook, executed, what)) from error


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
        fix = "open the notebook in JupyterLab, and mend or replace it"
    return report(f"{notebook.name}: {what}", fix=fix)


def is_whole(executed: Path) -> bool:
    """Return whether a notebook could be written to its end."""
    try:
        json.loads(executed.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
