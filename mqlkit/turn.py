"""One report's turn in a batch: run, held against its limits, told to the log, never raised."""

from __future__ import annotations

import json
import operator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from mqlkit.checks import COMPARISON
from mqlkit.errors import MqlkitError
from mqlkit.params import ReportParams
from mqlkit.press import Press
from mqlkit.progress import Result
from mqlkit.report import Manner, Outcome, run_report
from mqlkit.runlog import RunLog

LIMIT_BROKEN = 3
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


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
    limits = ReportParams.read(path, manner.overrides).fail_on
    broken = broken_limits(limits, _metrics(outcome)) if limits else []
    for line in broken:
        log("limit", text=f"{path}: {line}")
    return LIMIT_BROKEN if broken else 0


def _metrics(outcome: Outcome) -> dict[str, Any]:
    document = json.loads(outcome.html.with_suffix(".metrics.json").read_text(encoding="utf-8"))
    return {
        row["metric"]: row["value"]
        for row in document["metrics"]
        if row["segment"] is None and row["bucket"] == "total"
    }


def broken_limits(limits: dict[str, str], totals: dict[str, Any]) -> list[str]:
    """Return a line for each limit that the figures of the whole period break.

    >>> broken_limits({"sla_attainment": "< 0.8"}, {"sla_attainment": 0.75})
    ['sla_attainment is 0.75, and fail_on says < 0.8.']
    """
    lines = []
    for metric, limit in limits.items():
        match = COMPARISON.fullmatch(limit)
        value = totals.get(metric)
        if match and value is not None and COMPARE[match[1]](value, float(match[2])):
            lines.append(f"{metric} is {value:.6g}, and fail_on says {limit}.")
    return lines
