"""One report, headless: a params file in, the executed notebook, its numbers and one page out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from mqlkit.dress import page_script
from mqlkit.errors import ParamsError, RunError, SourceError, report
from mqlkit.kernel import kernel_ahead
from mqlkit.params import ReportParams
from mqlkit.workspace import kit_notebooks


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
    folders = [
        params_path.parent / "notebooks",
        params_path.parent.parent / "notebooks",
        Path.cwd() / "notebooks",
        kit_notebooks(),
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
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        return _run_into(out, notebook, name, params)
    finally:
        if is_new and not any(out.iterdir()):
            out.rmdir()


def _run_into(out: Path, notebook: Path, name: str, params: ReportParams) -> Outcome:
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=out) as scratch, _helper() as helper:
        folder = Path(scratch)
        executed = folder / f"{name}.ipynb"
        with kernel_ahead(folder / name) as kernel:
            # The kernel needs a second to get up: time to import what takes long, and to have the
            # chart library put together.
            from mqlkit.execute import execute
            from mqlkit.html import render

            script = helper.submit(page_script)
            try:
                node = execute(notebook, executed, params, kernel)
            except RunError:
                _move([executed], out)
                raise
        made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        html = folder / f"{name}.html"
        html.write_text(render(node, params, script=script.result(), made_at=made_at), "utf-8")
        results = sorted(folder.glob(f"{name}.*.*"))
        if not (folder / f"{name}.metrics.json").is_file():
            raise RunError(
                report(
                    f"{notebook.name}: wrote no numbers.",
                    expected="a last cell with save_results(numbers)",
                    fix="add it, as in mql_report.ipynb",
                )
            )
        written = _move([*results, executed, html], out)
    return Outcome(name=name, html=out / html.name, written=written)


def _helper() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _move(paths: Iterable[Path], out: Path) -> list[Path]:
    moved = []
    for path in paths:
        if path.exists():
            path.replace(out / path.name)
            moved.append(out / path.name)
    return moved
