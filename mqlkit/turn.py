"""One report's turn in a batch: run, held against its limits, told to the log, never raised."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from time import monotonic

from mqlkit.errors import MqlkitError
from mqlkit.limits import figures_of, limit_lines
from mqlkit.params import ReportParams
from mqlkit.press import Press
from mqlkit.progress import Result
from mqlkit.report import Manner, Outcome, run_report
from mqlkit.runlog import RunLog

LIMIT_BROKEN = 3


def take_turn(path: Path, manner: Manner, *, press: Press, log: RunLog) -> Result:
    """Run one report and return how it ended; an error is told to the log."""
    began = monotonic()
    log = partial(log, report=str(path))
    html = None
    try:
        outcome = run_report(path, manner, press=press, log=log)
        html = str(outcome.html)
        code = _held_to_limits(path, manner, outcome, log)
        log("written", html=html)
    except MqlkitError as error:
        code = error.exit_code
        log("failed", text=str(error))
    seconds = round(monotonic() - began, 3)
    log("ended", code=code, seconds=seconds)
    return Result(path, code, seconds, html)


def _held_to_limits(path: Path, manner: Manner, outcome: Outcome, log: RunLog) -> int:
    params = ReportParams.read(path, manner.overrides)
    if not (params.fail_on or params.warn_on):
        return 0
    text = outcome.html.with_suffix(".metrics.json").read_text(encoding="utf-8")
    figures = figures_of(json.loads(text))
    failing = limit_lines(params.fail_on, figures, kind="fail_on")
    for line in failing:
        log("limit", text=f"{path}: {line}")
    for line in limit_lines(params.warn_on, figures, kind="warn_on"):
        log("warning", text=f"{path}: {line}")
    return LIMIT_BROKEN if failing else 0
