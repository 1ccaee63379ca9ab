"""One report, headless: a params file in, the executed notebook, its numbers and one page out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import mqlkit
from mqlkit.errors import ParamsError, RunError, SourceError, report
from mqlkit.html import page_script, render
from mqlkit.params import ReportParams

RESULTS_VARIABLE = "MQLKIT_RESULTS"
USER_ERRORS = {"ParamsError": ParamsError, "SourceError": SourceError}


@dataclass(frozen=True)
class Outcome:
    """What a run has written."""

    name: str
    html: Path
    written: list[Path] = field(default_factory=list)


def find_notebook(name: str, params_path: Path) -> Path:
    """Return the notebook of a report: beside the params, in the working folder, or the kit's own.

    Raises
    ------
    ParamsError
        When there is none of that name.
    """
    package = Path(mqlkit.__file__).parent
    folders = [
        params_path.parent / "notebooks",
        params_path.parent.parent / "notebooks",
        Path.cwd() / "notebooks",
        package / "notebooks",
        package.parent / "notebooks",
    ]
    for folder in folders:
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    known = sorted({p.stem for folder in folders for p in folder.glob("*.ipynb")})
    raise ParamsError(
        report(
            f"{params_path}: there is no notebook {name!r}.",
            found=", ".join(known) or "no notebook at all",
            fix="mend `report:`",
        )
    )


def run_report(params_path: Path, out: Path, overrides: Iterable[str] = ()) -> Outcome:
    """Run one report.

    Parameters
    ----------
    params_path
        ``params/NAME.yaml``.
    out
        Folder of the outputs, made if needed. Each file is written beside its place and moved in
        whole, so that a failed run leaves what was there.
    overrides
        ``name=value`` texts that win over the file.

    Raises
    ------
    ParamsError, SourceError
        When parameters or data are wrong; nothing is written.
    RunError
        When the notebook fails; it is left in ``out`` with the failing cell marked.
    """
    params = ReportParams.read(params_path, overrides)
    if not Path(params.source).is_file():
        raise SourceError(
            report(
                f"{params_path}: source {params.source!r}: there is no such file.",
                expected="the path of a source.yaml, from the folder of the params file",
                fix="mend `source:`",
            )
        )
    notebook = find_notebook(params.report, params_path)
    name = params_path.stem
    out.mkdir(parents=True, exist_ok=True)
    # The chart library takes a second to put together, and the kernel leaves this process idle.
    Thread(target=page_script, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=out) as scratch:
        folder = Path(scratch)
        executed = folder / f"{name}.ipynb"
        try:
            node = _execute(notebook, executed, params)
        except RunError:
            _move([executed], out)
            raise
        made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        html = folder / f"{name}.html"
        text = render(node, title=params.title, language=params.language, made_at=made_at)
        html.write_text(text, encoding="utf-8")
        results = sorted(folder.glob(f"{name}.*.*"))
        written = _move([*results, executed, html], out)
    return Outcome(name=name, html=out / html.name, written=written)


def _move(paths: Iterable[Path], out: Path) -> list[Path]:
    moved = []
    for path in paths:
        if path.exists():
            path.replace(out / path.name)
            moved.append(out / path.name)
    return moved


def _execute(notebook: Path, executed: Path, params: ReportParams) -> Any:
    """Run a notebook through papermill; its results go beside ``executed``."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    given = {name: value for name, value in params.to_dict().items() if name != "report"}
    os.environ[RESULTS_VARIABLE] = str(executed.with_suffix(""))
    try:
        return papermill.execute_notebook(
            str(notebook),
            str(executed),
            parameters={"report": params.report, **given},
            kernel_name="python3",
            progress_bar={"desc": params.title, "unit": "cell"},
            # The kernel's own warnings are not for the reader of a report.
            extra_arguments=["--log-level=ERROR"],
        )
    except PapermillExecutionError as error:
        if error.ename in USER_ERRORS:
            raise USER_ERRORS[error.ename](error.evalue) from None
        raise RunError(
            report(
                f"{notebook.name}: cell {error.exec_count} failed: {error.ename}: {error.evalue}",
                fix=f"open {executed.name} in the output folder; the failing cell is marked",
            )
        ) from error
    finally:
        os.environ.pop(RESULTS_VARIABLE, None)
