"""One notebook through papermill, which leaves it behind whatever happens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import write_ipynb

from mqlkit.errors import ParamsError, RunError, SourceError, report
from mqlkit.params import ReportParams

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

USER_ERRORS = {"ParamsError": ParamsError, "SourceError": SourceError}
# What papermill and its kernel raise beside a failing cell: a dead kernel, a notebook that is none.
BREAKDOWNS = (RuntimeError, TimeoutError, ValueError, OSError)
ENGINE = "mqlkit"


class KeepingEngine(Engine):  # type: ignore[misc]
    """Papermill in a kernel that runs; a notebook that breaks down is written all the same."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, kernel: AsyncKernelManager, left_at: str, **_: Any
    ) -> Any:
        """Execute the notebook; write it to ``left_at`` before passing a breakdown on."""
        # What the notebook writes is on disk when its last cell ends: nothing is worth waiting for.
        client = PapermillNotebookClient(
            nb_man, km=kernel, kernel_name=kernel_name, shutdown_kernel="immediate"
        )
        try:
            return client.execute(cleanup_kc=True)
        except BREAKDOWNS:
            write_ipynb(nb_man.nb, left_at)
            raise


def execute(
    notebook: Path, executed: Path, params: ReportParams, kernel: AsyncKernelManager
) -> Any:
    """Run a notebook in a kernel that runs.

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
            progress_bar={"desc": params.title, "unit": "cell"},
        )
    except PapermillExecutionError as error:
        if error.ename in USER_ERRORS:
            raise USER_ERRORS[error.ename](error.evalue) from None
        what = f"cell {error.exec_count} failed: {error.ename}: {error.evalue}"
        raise RunError(_words(notebook, executed, what)) from error
    except BREAKDOWNS as error:
        raise RunError(_words(notebook, executed, str(error).partition("\n")[0])) from error


def _words(notebook: Path, executed: Path, what: str) -> str:
    is_left = executed.is_file()
    return report(
        f"{notebook.name}: {what}",
        fix=f"open {executed.name} in the output folder; the failing cell is marked"
        if is_left
        else "open the notebook in JupyterLab, and mend or replace it",
    )
