"""One report of a batch, held to its limits and mailed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import MqlkitError
from mqlkit.core.params import ReportParams
from mqlkit.metrics.limits import figures_of, limit_lines
from mqlkit.run.log import Result, RunLog
from mqlkit.run.report import Manner, Outcome, run_report
from mqlkit.run.runtime import Press

if TYPE_CHECKING:
    from mqlkit.run.mail import MailServer

LIMIT_BROKEN = 3
ATTACHED = "The report is attached: one page that opens without a network."
NOT_MADE = "The last good report is where it was. All that was said stands in the scheduler's log."


def take_turn(path: Path, manner: Manner, *, press: Press, log: RunLog) -> Result:
    """Run one report and return how it ended; an error is told to the log."""
    began = monotonic()
    log = partial(log, report=str(path))
    code, html = 0, None
    try:
        outcome = run_report(path, manner, press=press, log=log)
        html = str(outcome.html)
        remarks = _held_to_limits(path, manner, outcome)
        for event, line in remarks:
            log(event, text=f"{path}: {line}")
        code = LIMIT_BROKEN if any(event == "limit" for event, _ in remarks) else 0
        log("written", html=html)
        if manner.mail_server is not None:
            _send(manner, manner.mail_server, outcome, remarks)
            log("mailed", receivers=len(manner.mail_to))
    except MqlkitError as error:
        code = max(code, error.exit_code)
        log("failed", text=str(error))
        if html is None:
            code = max(code, mail_failure(path, str(error), manner, log=log))
    seconds = round(monotonic() - began, 3)
    log("ended", code=code, seconds=seconds)
    return Result(path, code, seconds, html)


def mail_failure(path: Path, text: str, manner: Manner, *, log: RunLog) -> int:
    """Tell those who wait for a report by mail that there is none, and return the exit code.

    Parameters
    ----------
    path, text
        The params file, and the error.
    manner
        Says who is to be told; nobody where nobody gets the report.
    log
        Is told how that went.
    """
    if manner.mail_server is None:
        return 0
    from mqlkit.run.mail import letter, post, without_data

    words = [f"The report {path.stem} could not be made:", "", without_data(text), "", NOT_MADE]
    subject = f"No report: {path.stem}"
    mail = letter(manner.mail_server, manner.mail_to, subject=subject, text="\n".join(words))
    try:
        post(manner.mail_server, mail)
    except MqlkitError as error:
        log("failed", text=str(error))
        return error.exit_code
    log("mailed", receivers=len(manner.mail_to))
    return 0


def _held_to_limits(path: Path, manner: Manner, outcome: Outcome) -> list[tuple[str, str]]:
    """Return an event and a line for each limit that is broken."""
    params = ReportParams.read(path, manner.overrides)
    if not (params.fail_on or params.warn_on):
        return []
    figures = figures_of(_metrics(outcome))
    failing = limit_lines(params.fail_on, figures, kind="fail_on")
    warning = limit_lines(params.warn_on, figures, kind="warn_on")
    return [*(("limit", line) for line in failing), *(("warning", line) for line in warning)]


def _send(
    manner: Manner, server: MailServer, outcome: Outcome, remarks: Sequence[tuple[str, str]]
) -> None:
    # What speaks to servers is imported where there is somebody to write to.
    from mqlkit.run.mail import letter, post

    headline = outcome.html.with_suffix(".txt").read_text(encoding="utf-8")
    lines = [*(line for _, line in remarks), *([""] if remarks else []), headline, ATTACHED]
    is_broken = any(event == "limit" for event, _ in remarks)
    subject = f"{'Limit broken: ' if is_broken else ''}{headline.splitlines()[0]}"
    text = "\n".join(lines)
    mail = letter(server, manner.mail_to, subject=subject, text=text, page=outcome.html)
    post(server, mail)


def _metrics(outcome: Outcome) -> dict[str, Any]:
    text = outcome.html.with_suffix(".metrics.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
