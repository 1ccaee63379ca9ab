"""Numbers of closed buckets that differ from an earlier report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mqlkit.core.errors import listed
from mqlkit.core.metrics import METRICS
from mqlkit.core.names import TOTAL
from mqlkit.pages.metrics_file import ROW, is_of_all_leads, line_of, read_metrics

# Metrics that are final when a bucket ends. Cohorts mature later, which is not a revision.
SETTLED = ("mqls", "sqls_in_period", "in_stage", "goal", "spend")
SETTLED_ROWS = tuple(f'{ROW}: "{name}"' for name in SETTLED)
# Parameters that may differ between two runs of the same report.
MAY_DIFFER = frozenset(
    {"report", "title", "period", "as_of", "lag_days", "rolling", "language", "redact", "by",
     "max_set_aside", "fail_on", "warn_on", "sla", "sla_clock", "sla_stops_on", "work_week",
     "sla_rules", "sla_warn",
     "holidays", "within_days"}
)  # fmt: skip
# Two reports with equal values of these are the same.
IDENTITY = ("as_of", "period", "params", "inputs", "versions")
SHOWN = 3
# Suffix of the file in which the kernel passes the lines about revisions to the runner.
REVISIONS = ".revisions.json"
Document = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Revision:
    """A number of a closed bucket that differs from the last report.

    Attributes
    ----------
    metric, bucket, start, end
        The metric, and the bucket's label and days, as in ``metrics.json``.
    pairs
        The rows that differ, each as reported before and now: for all leads, for each segment.
    """

    metric: str
    bucket: str
    start: str
    end: str
    pairs: Sequence[tuple[Row, Row]]


@dataclass(frozen=True)
class ChangedLead:
    """A lead that caused a number of a closed bucket to change.

    Attributes
    ----------
    figure, bucket, lead_id
        The label of the metric, the bucket's label, and the lead.
    what
        How the lead changed.
    """

    figure: str
    bucket: str
    lead_id: str
    what: str


def last_report(paths: Sequence[Path], now: Document) -> tuple[Path, Document] | None:
    """Return the latest report that differs from the new one and has no later as-of date.

    Of its rows, it has those of all leads and those that `revisions` compares and that differ.

    Parameters
    ----------
    paths
        ``metrics.json`` of earlier runs of the report; other files are ignored.
    now
        The content of the new run's.
    """
    found = []
    for path in paths:
        try:
            document = read_metrics(path)
            is_same = all(document[name] == now[name] for name in IDENTITY)
            is_same &= has_same_definitions(document, now)
            if not is_same and document["as_of"] <= now["as_of"]:
                found.append((document["as_of"], path, document, _has_same_scope(document, now)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    if not found:
        return None
    _, path, document, is_comparable = max(found, key=lambda each: each[0])
    if is_comparable:
        document = read_metrics(path, keep=_differs_from(now))
    return path, document


def has_same_definitions(then: Document, now: Document) -> bool:
    """Return whether the numbers of two reports have the same definitions."""
    # The first reports did not say under which definitions they were made.
    return bool(then.get("definitions", "") == now["definitions"])


def _differs_from(now: Document) -> Callable[[str], bool]:
    """Return whether a line is of all leads, or of a compared metric and not among those of now.

    Millions of rows may be the same, and need not be kept.
    """
    known = {hash(line_of(row)) for row in now["metrics"]}

    def differs(line: str) -> bool:
        is_new = line.startswith(SETTLED_ROWS) and hash(line.rstrip(",\n")) not in known
        return is_new or is_of_all_leads(line)

    return differs


def revisions(then: Document, now: Document) -> list[Revision]:
    """Return the numbers of closed buckets that differ from the last report.

    Parameters
    ----------
    then, now
        ``metrics.json`` of the last report and of this one.
    """
    try:
        return _found(then, now)
    except (KeyError, TypeError, AttributeError):
        # Written by another version or edited.
        return []


def revision_lines(
    found: Sequence[Revision], then: Document, now: Document, changed: Sequence[ChangedLead] = ()
) -> list[str]:
    """Return a line for each of `revisions`, and lines for the leads and files that caused them.

    Parameters
    ----------
    found
        The revisions.
    then, now
        As in `revisions`.
    changed
        The leads that caused them, if known.
    """
    lines = [_line(each.pairs) for each in found]
    if not lines:
        return []
    more = len(lines) - SHOWN
    lines = [*lines[:SHOWN], *([f"and {more} more numbers of closed buckets."] if more > 0 else [])]
    files = _other_files(then, now)
    rest = [f"files that differ: {listed(files)}."] if files else []
    return [*lines, *_leads_line(changed), *rest]


def write_lines(lines: Sequence[str], path: Path) -> None:
    """Write the lines about revisions for the runner; without any, write nothing."""
    if lines:
        path.write_text(json.dumps(lines), encoding="utf-8")


def take_lines(path: Path) -> list[str]:
    """Return the lines about revisions that the kernel wrote, and remove the file."""
    if not path.is_file():
        return []
    lines: list[str] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return lines


def _leads_line(changed: Sequence[ChangedLead]) -> list[str]:
    what = {row.lead_id: row.what for row in reversed(changed)}
    named = [f"{lead!r} ({words})" for lead, words in sorted(what.items())]
    if not named:
        return []
    nouns = "1 lead" if len(named) == 1 else f"{len(named):,} leads"
    more = f" and {len(named) - SHOWN:,} more" if len(named) > SHOWN else ""
    return [f"{nouns}: {', '.join(named[:SHOWN])}{more}; see revised.csv next to the page."]


def _found(then: Document, now: Document) -> list[Revision]:
    if not _has_same_scope(then, now):
        return []
    settled = [name for name in SETTLED if name != "spend" or _has_same_lag(then, now)]
    changes: dict[tuple[str, str, str], list[tuple[Row, Row]]] = {}
    known = {_key(row): row for row in then["metrics"] if row["metric"] in settled}
    for row in now["metrics"]:
        before = known.get(_key(row))
        if before is None or row["bucket"] == TOTAL or "in-progress" in before["flags"]:
            continue
        if before["value"] != row["value"]:
            changes.setdefault(_key(row)[:3], []).append((before, row))
    return [
        Revision(metric, pairs[0][1]["bucket"], start, end, pairs)
        for (metric, start, end), pairs in changes.items()
    ]


def _has_same_scope(then: Document, now: Document) -> bool:
    """Return whether the numbers of closed buckets of two reports should be the same."""
    fixed = {*now["params"]} - MAY_DIFFER
    is_same = all(then["params"].get(name) == now["params"].get(name) for name in fixed)
    return is_same and has_same_definitions(then, now)


def _has_same_lag(then: Document, now: Document) -> bool:
    same: bool = then["lag_days_used"] == now["lag_days_used"]
    return same


def _key(row: Row) -> tuple[str, str, str, str]:
    segment = json.dumps(row["segment"], sort_keys=True)
    return row["metric"], row["start"], row["end"], segment


def _line(pairs: Sequence[tuple[Row, Row]]) -> str:
    """Return the line of one number: all leads first, then the segments that changed."""
    whole = [pair for pair in pairs if pair[1]["segment"] is None]
    parts = [pair for pair in pairs if pair[1]["segment"] is not None]
    (before, row), *_ = whole or parts
    label = METRICS[row["metric"]].label
    head = f"{label} of {row['bucket']}"
    if not whole:
        head += ": total unchanged, but segments changed"
    else:
        head += f": reported as {_shown(before)}, now {_shown(row)}"
    named = [f"{_name(row)} {_shown(before)} → {_shown(row)}" for before, row in parts]
    rest = f", and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"{head} ({', '.join(named[:SHOWN])}{rest})." if named else f"{head}."


def _shown(row: Row) -> str:
    return "nothing" if row["value"] is None else f"{row['value']:,.10g}"


def _name(row: Row) -> str:
    return ", ".join(f"{column} {value}" for column, value in row["segment"].items())


def _other_files(then: Document, now: Document) -> list[str]:
    known = {entry["path"]: entry["sha256"] for entry in then["inputs"]}
    return [e["path"] for e in now["inputs"] if known.get(e["path"]) != e["sha256"]]
