"""Open JupyterLab on a workspace: ``mqlkit lab``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mqlkit.core.errors import RunError, report
from mqlkit.run.workspace import check_workspace, workspace_above


def open_lab(folder: Path | None, options: Sequence[str] = ()) -> None:
    """Run JupyterLab on a workspace until it is stopped.

    Parameters
    ----------
    folder
        The workspace, or None for the nearest one at or above the working folder.
    options
        Options of ``jupyter lab``, such as ``--no-browser``.

    Raises
    ------
    ParamsError
        If the folder is not a workspace.
    RunError
        If JupyterLab is not installed.
    """
    workspace = folder or workspace_above(Path()) or Path()
    check_workspace(workspace)
    if find_spec("jupyterlab") is None:
        raise RunError(
            report(
                "JupyterLab is not installed in this environment.",
                fix='pip install "mqlkit[lab]"; in a clone of the repository, make lab',
            )
        )
    from jupyterlab.labapp import main  # type: ignore[import-untyped]

    main([*lab_options(workspace), *options])


def lab_options(workspace: Path) -> list[str]:
    """Return the options with which JupyterLab shows the notebooks of a workspace."""
    root = workspace.absolute()
    return [f"--ServerApp.root_dir={root}", "--LabApp.default_url=/lab/tree/notebooks"]
