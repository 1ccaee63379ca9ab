"""Run a report from Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mqlkit.core.params import ReportParams
from mqlkit.run.kernel import open_runtime
from mqlkit.run.report import Job, RunOptions, run_report
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
        If parameters or data are wrong; nothing is written.
    RunError
        If the notebook fails; it is left beside the HTML with the failing cell marked.
    """
    path = Path(params)
    changed = ReportParams.read(path).changed(changes)
    source = (path.parent / changed.source).resolve()
    job = Job(path, replace(changed, source=str(source)))
    (folder,) = by_output_folder([path], Path(out) if out else None)
    with open_runtime() as runtime:
        return run_report(job, RunOptions(folder), runtime=runtime).html
