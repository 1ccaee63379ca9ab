"""Run a report from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mqlkit.core.params import ReportParams
from mqlkit.run.report import Manner, run_report
from mqlkit.run.runtime import open_press
from mqlkit.run.workspace import by_output_folder


def run(params: str | Path, *, out: str | Path | None = None, **changes: Any) -> Path:
    """Run a report as ``mqlkit run`` does, and return the path of its HTML.

    Parameters
    ----------
    params
        A params file, such as ``params/q1.yaml``.
    out
        Folder for the outputs; ``reports/`` of the workspace of ``params`` when left out.
    **changes
        Parameters that replace those of the file, such as ``lag_days=45``.

    Returns
    -------
    pathlib.Path
        The HTML. ``metrics.json`` and the CSV files are beside it.

    Raises
    ------
    ParamsError, SourceError
        When parameters or data are wrong; nothing is written.
    RunError
        When the notebook fails; it is left beside the HTML with the failing cell marked.
    """
    # Checked here, where a fault can name the argument.
    ReportParams.read(Path(params)).changed(changes)
    overrides = tuple(f"{name}={json.dumps(value)}" for name, value in changes.items())
    ((folder, _),) = by_output_folder([Path(params)], Path(out) if out else None).items()
    with open_press() as press:
        return run_report(Path(params), Manner(folder, overrides), press=press).html
