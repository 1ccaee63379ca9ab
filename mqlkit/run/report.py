"""One report, headless: from a params file to the page, the files next to it and the mail."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from glob import escape
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import (
    MqlkitError,
    OpenQuestion,
    ParamsError,
    RunError,
    SourceError,
    report,
    shortened,
)
from mqlkit.core.files import why_no_file
from mqlkit.core.names import EARLIER_VARIABLE, RESULTS_VARIABLE, SHARED_COLUMNS_VARIABLE
from mqlkit.core.params import ReportParams, located, split_override
from mqlkit.metrics.limits import figures_of, limit_lines
from mqlkit.pages.revisions import REVISIONS, take_lines
from mqlkit.run.guard import as_expected
from mqlkit.run.kernel import ReportRuntime
from mqlkit.run.log import Result, RunLog, null_log
from mqlkit.run.output import folder_of, pattern_of, prune, publish, root_of, scratch_folder
from mqlkit.run.signals import stop_if_told

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

    from mqlkit.run.mail import MailServer

LIMIT_BROKEN = 3
INDEX = "index"
# Most file systems take 255 bytes; `.NAME.breaches.csv.xxxxxxxx` and the like must fit.
LONGEST_NAME = 200


@dataclass(frozen=True)
class RunOptions:
    """Options that all reports of a command share.

    Attributes
    ----------
    out
        Folder for the outputs; may contain `output.FIELDS` in braces.
    overrides
        ``name=value`` texts that win over the params files.
    timeout
        Seconds that one report may take; None for no limit.
    is_patient
        Whether to wait for another run of the same report; otherwise it is an error.
    has_figures
        Whether to write the charts as pictures too.
    keep
        How many reports of a name to keep; None for all.
    mail_to, mail_server
        Receivers of the report, and the server that sends it; None to send no mail.
    """

    out: Path
    overrides: tuple[str, ...] = ()
    timeout: float | None = None
    is_patient: bool = True
    has_figures: bool = False
    keep: int | None = None
    mail_to: tuple[str, ...] = ()
    mail_server: MailServer | None = None


@dataclass(frozen=True)
class Job:
    """A report to run.

    Attributes
    ----------
    path
        The params file, ``params/NAME.yaml``.
    params
        Its parameters, or the error in them.
    shared_columns
        Lead columns that the batch uses of the source; None if no other report uses it.
    """

    path: Path
    params: ReportParams | MqlkitError
    shared_columns: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Return the name of the report and of its files."""
        return self.path.stem

    def checked_params(self) -> ReportParams:
        """Return the parameters.

        Raises
        ------
        ParamsError, SourceError
            If they are wrong, the file has a name that no report can have, or their source does
            not exist.
        """
        _check_name(self.path)
        if isinstance(self.params, MqlkitError):
            raise self.params
        if why := why_no_file(Path(self.params.source)):
            raise SourceError(
                report(
                    f"{self.path}: source {shortened(self.params.source)}: {why}.",
                    expected="the path of a source.yaml, from the folder of the params file",
                    fix="correct `source:`",
                )
            )
        return self.params


def _check_name(path: Path) -> None:
    """Refuse a params file whose name cannot be that of a report's files."""
    name = path.stem
    if name.casefold() == INDEX:
        why = "index.html is the page that lists the reports of a folder"
    elif len(os.fsencode(name)) > LONGEST_NAME:
        why = f"it has more than {LONGEST_NAME} bytes"
    elif not name.isprintable():
        why = f"{name!r} has characters that cannot be printed"
    else:
        return
    headline = f"{path}: no report can have this name: {why}."
    raise ParamsError(report(headline, fix="rename the file"))


def read_job(path: Path, overrides: tuple[str, ...] = ()) -> Job:
    """Return the job of a params file."""
    try:
        return Job(path, ReportParams.read(path, overrides))
    except MqlkitError as error:
        return Job(path, error)


@dataclass(frozen=True)
class Outcome:
    """The files of a finished report.

    Attributes
    ----------
    html
        The page.
    document
        The content of its ``metrics.json``.
    """

    html: Path
    document: Mapping[str, Any]


def run_one(job: Job, options: RunOptions, *, runtime: ReportRuntime, log: RunLog) -> Result:
    """Run one report, check its limits, mail it, and return how it ended; errors go to the log."""
    began = monotonic()
    log = partial(log, report=str(job.path))
    code, html = 0, None
    try:
        outcome = run_report(job, options, runtime=runtime, log=log)
        html = str(outcome.html)
        remarks = _limit_remarks(job.checked_params(), outcome.document)
        for event, line in remarks:
            log(event, text=f"{job.path}: {line}")
        code = LIMIT_BROKEN if any(event == "limit" for event, _ in remarks) else 0
        log("written", html=html)
        if options.mail_server is not None:
            from mqlkit.run.mail import send_report

            lines = [line for _, line in remarks]
            send_report(
                options.mail_server, options.mail_to, outcome.html, lines, is_broken=code != 0
            )
            log("mailed", receivers=len(options.mail_to))
    except Exception as raised:  # noqa: BLE001 - one report must not stop the others
        error = as_expected(raised, str(job.path))
        if isinstance(error, ParamsError) and isinstance(job.params, ReportParams):
            won = [split_override(text)[0] for text in options.overrides]
            error = located(error, job.path, won)
        code = max(code, error.exit_code)
        log("failed", text=str(error))
        if html is None:
            code = max(code, mail_failure(job.name, str(error), options, log=log))
    seconds = round(monotonic() - began, 3)
    log("ended", code=code, seconds=seconds)
    return Result(job.path, code, seconds, html)


def mail_failure(name: str, text: str, options: RunOptions, *, log: RunLog) -> int:
    """Tell the receivers of a report that it failed, and return the exit code of that."""
    if options.mail_server is None:
        return 0
    from mqlkit.run.mail import send_failure

    try:
        send_failure(options.mail_server, options.mail_to, name, text)
    except MqlkitError as error:
        log("failed", text=str(error))
        return error.exit_code
    log("mailed", receivers=len(options.mail_to))
    return 0


def _limit_remarks(params: ReportParams, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return an event and a line for each limit that is broken."""
    if not (params.fail_on or params.warn_on):
        return []
    figures = figures_of(document)
    failing = limit_lines(params.fail_on, figures, kind="fail_on")
    warning = limit_lines(params.warn_on, figures, kind="warn_on")
    return [*(("limit", line) for line in failing), *(("warning", line) for line in warning)]


def run_report(
    job: Job, options: RunOptions, *, runtime: ReportRuntime, log: RunLog = null_log
) -> Outcome:
    """Run one report.

    Files are made in a folder of their own and moved to the outputs together: a run that fails
    leaves earlier files as they are.

    Parameters
    ----------
    job, options
        The report, and how to run it.
    runtime
        The kernel.
    log
        Receives events.

    Raises
    ------
    ParamsError, SourceError
        If parameters or data are wrong; nothing is written.
    OpenQuestion, RunError
        If the data is ambiguous or the notebook fails; it is left in the output folder with the
        failing cell marked.
    """
    params, name = job.checked_params(), job.name
    notebook = find_notebook(params.report, job.path)
    root = root_of(options.out)

    def say(text: str) -> None:
        log("waiting", text=text)

    with scratch_folder(root, name, is_patient=options.is_patient, say=say) as scratch:
        kernel = runtime.kernel(_environment(job, options.out, scratch))
        # The kernel takes a second to start: time to import what takes long.
        from mqlkit.pages.html import Page
        from mqlkit.run.verify import read_back

        page = Page(params)
        try:
            node = _executed(notebook, scratch / f"{name}.ipynb", params, kernel, options, log)
        except BaseException:
            runtime.discard()
            raise
        runtime.release()
        made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        html = page.render(node, made_at=made_at)
        (scratch / f"{name}.html").write_text(html, encoding="utf-8", newline="")
        document = read_back(scratch, name, page=html, notebook=node)
        if options.has_figures:
            from mqlkit.pages.slides import write_figures

            write_figures(node, scratch / f"{name}.figures")
        for line in take_lines(scratch / f"{name}{REVISIONS}"):
            log("warning", text=f"{job.path}: since the last report: {line}")
        folder = folder_of(options.out, document)
        stop_if_told()
        publish(scratch, root, name, folder)
        if options.keep is not None:
            prune(options.out, name, keep=options.keep, written=folder)
    return Outcome(folder / f"{name}.html", document)


def _environment(job: Job, out: Path, scratch: Path) -> dict[str, str | None]:
    """Return the environment variables of a report's notebook; see `core.names`."""
    earlier = f"{pattern_of(out)}/{escape(job.name)}.metrics.json"
    shared = job.shared_columns
    return {
        RESULTS_VARIABLE: str((scratch / job.name).absolute()),
        EARLIER_VARIABLE: f"{escape(str(root_of(out).absolute()))}/{earlier}",
        SHARED_COLUMNS_VARIABLE: None if shared is None else json.dumps(shared),
    }


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


def _executed(
    notebook: Path,
    executed: Path,
    params: ReportParams,
    kernel: AsyncKernelManager,
    options: RunOptions,
    log: RunLog,
) -> Any:
    """Return the executed notebook; one that failed is left in the output folder."""
    from mqlkit.run.notebook import execute, is_whole

    try:
        node = execute(notebook, executed, params, kernel, timeout=options.timeout, log=log)
    except (OpenQuestion, RunError):
        if is_whole(executed):
            executed.replace(root_of(options.out) / executed.name)
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
