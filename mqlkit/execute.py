"""One notebook through papermill, which leaves it behind whatever happens."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from mqlkit.errors import ParamsError, RunError, SourceError, report
from mqlkit.params import ReportParams
from mqlkit.terms import RESULTS_VARIABLE

# jsonschema, which papermill and Altair import, builds a grammar for a check of `iri` formats that
# no schema here asks for: a second in every process. It takes the module's absence quietly.
WITHOUT_IRI = "__import__('sys').modules.setdefault('rfc3987_syntax', None)"
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import papermill  # noqa: E402
from papermill.engines import NBClientEngine, papermill_engines  # noqa: E402
from papermill.exceptions import PapermillExecutionError  # noqa: E402
from papermill.iorw import write_ipynb  # noqa: E402

USER_ERRORS = {"ParamsError": ParamsError, "SourceError": SourceError}
# What papermill and its kernel raise beside a failing cell: a dead kernel, a notebook that is none.
BREAKDOWNS = (RuntimeError, TimeoutError, ValueError, OSError)
ENGINE = "mqlkit"


class KeepingEngine(NBClientEngine):  # type: ignore[misc]
    """Papermill's own engine; a notebook whose kernel breaks down is written as far as it came."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, left_at: str, **kwargs: Any
    ) -> Any:
        """Execute the notebook; write it to ``left_at`` before passing a breakdown on."""
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        except BREAKDOWNS:
            write_ipynb(nb_man.nb, left_at)
            raise


def execute(notebook: Path, executed: Path, params: ReportParams) -> Any:
    """Run a notebook; its results go beside ``executed``.

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
    os.environ[RESULTS_VARIABLE] = str(executed.with_suffix(""))
    try:
        return papermill.execute_notebook(
            os.path.relpath(notebook),
            os.path.relpath(executed),
            parameters=given,
            engine_name=ENGINE,
            kernel_name="python3",
            request_save_on_cell_execute=False,
            left_at=str(executed),
            progress_bar={"desc": params.title, "unit": "cell"},
            # The kernel's own warnings are not for the reader of a report.
            extra_arguments=["--log-level=CRITICAL", f"--IPKernelApp.exec_lines={WITHOUT_IRI}"],
        )
    except PapermillExecutionError as error:
        if error.ename in USER_ERRORS:
            raise USER_ERRORS[error.ename](error.evalue) from None
        what = f"cell {error.exec_count} failed: {error.ename}: {error.evalue}"
        raise RunError(_words(notebook, executed, what)) from error
    except BREAKDOWNS as error:
        raise RunError(_words(notebook, executed, str(error).partition("\n")[0])) from error
    finally:
        os.environ.pop(RESULTS_VARIABLE, None)


def _words(notebook: Path, executed: Path, what: str) -> str:
    is_left = executed.is_file()
    return report(
        f"{notebook.name}: {what}",
        fix=f"open {executed.name} in the output folder; the failing cell is marked"
        if is_left
        else "open the notebook in JupyterLab, and mend or replace it",
    )
