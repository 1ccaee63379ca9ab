"""Many reports: one after the other, an index over the folder, one exit code."""

from __future__ import annotations

import json
import operator
import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from mqlkit.checks import COMPARISON
from mqlkit.dress import plain_page
from mqlkit.errors import MqlkitError
from mqlkit.params import ReportParams
from mqlkit.report import Outcome, run_report

LIMIT_BROKEN = 3
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def run_all(params: Sequence[Path], out: Path, overrides: Sequence[str]) -> int:
    """Run reports one after the other and return the highest exit code.

    One that fails does not stop the rest; its error goes to stderr.
    """
    code = 0
    for path in params:
        try:
            outcome = run_report(path, out, overrides)
        except MqlkitError as error:
            sys.stderr.write(f"mqlkit: {error}\n")
            code = max(code, error.exit_code)
            continue
        limits = ReportParams.read(path, overrides).fail_on
        broken = broken_limits(limits, _metrics(outcome)) if limits else []
        for line in broken:
            sys.stderr.write(f"mqlkit: {path}: {line}\n")
        code = max(code, LIMIT_BROKEN if broken else 0)
        sys.stdout.write(f"{outcome.html}\n")
    if any(out.glob("*.metrics.json")):
        write_index(out)
    return code


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


def write_index(out: Path) -> Path:
    """Write ``index.html`` over the reports of a folder, the latest period first."""
    found = [entry for path in sorted(out.glob("*.metrics.json")) if (entry := _entry(path))]
    rows = "".join(
        f'<li><a href="{escape(name)}.html">{escape(str(document["title"]))}</a> '
        f"<span>{_period(document)}</span></li>"
        for _, name, document in sorted(found, key=lambda f: f[:2], reverse=True)
    )
    page = plain_page("Reports", f'<h1>Reports</h1><ul class="reports">{rows}</ul>')
    beside = out / ".index.html.new"
    beside.write_text(page, encoding="utf-8")
    return beside.replace(out / "index.html")


def _entry(path: Path) -> tuple[str, str, dict[str, Any]] | None:
    """Return period's end, name and document of a report; None for a file that is none of ours."""
    name = path.name.removesuffix(".metrics.json")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        end = f"{document['period']['end']} {document['as_of']}"
    except (ValueError, KeyError, TypeError, OSError):
        return None
    return (end, name, document) if path.with_name(f"{name}.html").is_file() else None


def _period(document: dict[str, Any]) -> str:
    period = document["period"]
    as_of = re.sub(r"T.*", "", document["as_of"])
    return escape(f"{period['start']} to {period['end']} (not included), as of {as_of}")
