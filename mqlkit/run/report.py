"""One report, headless: a params file in, the executed notebook, its numbers and one page out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import ParamsError, RunError, SourceError, report
from mqlkit.core.names import EARLIER_VARIABLE, RESULTS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.pages.revisions import last_report, read_changed_leads, revision_lines
from mqlkit.run.log import RunLog, unheard
from mqlkit.run.output import folder_of, pattern_of, prune, publish, root_of, workplace
from mqlkit.run.runtime import Press
from mqlkit.run.signals import stop_if_told

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from mqlkit.run.mail import MailServer


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
    folders = [place / "notebooks" for place in (params_path.parent, params_path.parent.parent)]
    folders.append(Path.cwd() / "notebooks")
    near = (folder / f"{name}.ipynb" for folder in folders)
    if found := next((path for path in near if path.is_file()), None):
        return found
    # Slow to import, and few reports need it.
    from mqlkit.run.new import kit_notebooks

    folders.append(kit_notebooks())
    if (own := folders[-1] / f"{name}.ipynb").is_file():
        return own
    known = sorted({p.stem for folder in folders for p in folder.glob("*.ipynb")})
    raise ParamsError(
        report(
            f"{params_path}: there is no notebook {name!r}.",
            found=", ".join(known) or "no notebook at all",
            fix="correct `report:`",
        )
    )


@dataclass(frozen=True)
class Manner:
    """How reports are run.

    Attributes
    ----------
    out
        Folder of the outputs; `naming.FIELDS` in braces stand for what a report is about.
    overrides
        ``name=value`` texts that win over the params files.
    timeout
        Seconds that one report may take; None for any.
    is_patient
        Whether to wait for another run of the same report, or to give up at once.
    has_figures
        Whether the charts are wanted as pictures too.
    keep
        How many reports of a name to keep; None for all.
    mail_to, mail_server
        Who gets the report by mail, and where it is handed in.
    """

    out: Path
    overrides: tuple[str, ...] = ()
    timeout: float | None = None
    is_patient: bool = True
    has_figures: bool = False
    keep: int | None = None
    mail_to: tuple[str, ...] = ()
    mail_server: MailServer | None = None


def run_report(
    params_path: Path, manner: Manner, *, press: Press, log: RunLog = unheard
) -> Outcome:
    """Run one report.

    Parameters
    ----------
    params_path
        ``params/NAME.yaml``.
    manner
        How it is run. The files are made aside and moved in together, so that a failed run leaves
        what was there.
    press
        What it shares with other reports.
    log
        Is told what happens.

    Raises
    ------
    ParamsError, SourceError
        When parameters or data are wrong; nothing is written.
    RunError
        When the notebook fails; it is left in the output folder with the failing cell marked.
    """
    params = ReportParams.read(params_path, manner.overrides)
    if not Path(params.source).is_file():
        raise SourceError(
            report(
                f"{params_path}: source {params.source!r}: there is no such file.",
                expected="the path of a source.yaml, from the folder of the params file",
                fix="correct `source:`",
            )
        )
    notebook = find_notebook(params.report, params_path)
    name = params_path.stem

    def tell_wait(text: str) -> None:
        log("waiting", text=text)

    root = root_of(manner.out)
    place = workplace(root, name, is_patient=manner.is_patient, say=tell_wait)
    with place as scratch:
        earlier = f"{pattern_of(manner.out)}/{escape(name)}.metrics.json"
        told = {
            RESULTS_VARIABLE: str((scratch / name).absolute()),
            EARLIER_VARIABLE: f"{escape(str(root.absolute()))}/{earlier}",
        }
        kernel = press.kernel(told, params.source)
        # The kernel needs a second to get up: time to import what takes long.
        from mqlkit.pages.html import render

        try:
            node = _executed(notebook, scratch / f"{name}.ipynb", params, kernel, manner, log)
        except BaseException:
            press.drop_kernel()
            raise
        press.keep_kernel()
        made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        page = render(node, params, script=press.script(), made_at=made_at)
        (scratch / f"{name}.html").write_text(page, encoding="utf-8")
        if manner.has_figures:
            from mqlkit.pages.slides import write_figures

            write_figures(node, scratch / f"{name}.figures")
        document = json.loads((scratch / f"{name}.metrics.json").read_text(encoding="utf-8"))
        folder = folder_of(manner.out, document)
        if (last := last_report(sorted(root.glob(earlier)), document)) is not None:
            changed = read_changed_leads(scratch / f"{name}.revised.csv")
            for line in revision_lines(last[1], document, changed):
                log("warning", text=f"{params_path}: since the last report: {line}")
        stop_if_told()
        written = publish(scratch, root, name, folder)
        if manner.keep is not None:
            prune(manner.out, name, keep=manner.keep, written=folder)
    return Outcome(name=name, html=folder / f"{name}.html", written=written)


def _executed(
    notebook: Path,
    executed: Path,
    params: ReportParams,
    kernel: AsyncKernelManager,
    manner: Manner,
    log: RunLog,
) -> Any:
    """Return the executed notebook; one that failed is left in the output folder."""
    from mqlkit.run.notebook import execute, is_whole

    try:
        node = execute(notebook, executed, params, kernel, timeout=manner.timeout, log=log)
    except RunError:
        if is_whole(executed):
            executed.replace(root_of(manner.out) / executed.name)
        raise
    if not executed.with_suffix(".metrics.json").is_file():
        raise RunError(
            report(
                f"{notebook.name}: wrote no numbers.",
                expected="a cell with report = mk.open(globals())",
                fix="add it, as in mql_report.ipynb",
            )
        )
    return node
