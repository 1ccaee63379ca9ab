"""Workspaces, which are folders that contain ``notebooks/``: find them, open JupyterLab on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from mqlkit.core.errors import ParamsError, report


def workspace_above(folder: Path) -> Path | None:
    """Return the nearest workspace at or above a folder, as an absolute path."""
    place = folder.resolve()
    return next((p for p in (place, *place.parents) if (p / "notebooks").is_dir()), None)


def check_workspace(folder: Path) -> None:
    """Refuse a folder that is not a workspace.

    Raises
    ------
    ParamsError
        If it does not hold ``notebooks/``.
    """
    if not (folder / "notebooks").is_dir():
        raise ParamsError(
            report(
                f"{folder}: is not a workspace.",
                expected="a folder that holds notebooks/",
                fix=f"mqlkit new {folder} creates a workspace",
            )
        )


def by_output_folder(params: Iterable[Path], out: Path | None) -> dict[Path, list[Path]]:
    """Return params files by the folder for their outputs.

    Parameters
    ----------
    params
        The params files.
    out
        The folder for all of them; None for ``reports`` in the workspace of each, or in the folder
        of a params file without a workspace.

    Returns
    -------
    dict of pathlib.Path to list of pathlib.Path
        Folders below the working folder are relative to it.
    """
    folders: dict[Path, list[Path]] = {}
    for path in params:
        folders.setdefault(out or _default_output_folder(path), []).append(path)
    return folders


def _default_output_folder(params: Path) -> Path:
    folder = (workspace_above(params.parent) or params.parent.resolve()) / "reports"
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


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
        If the folder is not a workspace, or JupyterLab is not installed.
    """
    workspace = folder or workspace_above(Path()) or Path()
    check_workspace(workspace)
    if find_spec("jupyterlab") is None:
        raise ParamsError(
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
