"""What an earlier report has said, and the data now says otherwise: late and edited rows.

Compared are the rows of two ``metrics.json``, by bucket and segment. A list of the leads behind
them would have to be kept from run to run: personal data that outlives its deletion in the CRM.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mqlkit.errors import listed
from mqlkit.terms import METRICS, TOTAL

# What is settled when a bucket is over; cohorts go on ripening, and that is no revision.
SETTLED = ("mqls", "sqls_in_period", "in_stage", "goal", "spend")
# Parameters that may differ between two reports that are still the same one.
FREE = frozenset(
    {"report", "title", "period", "as_of", "lag_days", "rolling", "language", "redact", "by",
     "max_set_aside", "fail_on", "warn_on", "sla", "sla_clock", "sla_stops_on", "work_week",
     "holidays", "within_days"}
)  # fmt: skip
# Two reports that are alike in these say the same.
IDENTITY = ("as_of", "period", "params", "inputs", "versions")
SHOWN = 3

Document = Mapping[str, Any]
Row = Mapping[str, Any]


def last_report(paths: Sequence[Path], now: Document) -> Document | None:
    """Return the latest of some reports that says something else and is not of a later moment.

    Parameters
    ----------
    paths
        ``metrics.json`` of earlier runs of the report; what is none is passed over.
    now
        That of the new run.
    """
    found = []
    for path in paths:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            is_same = all(document[name] == now[name] for name in IDENTITY)
            if not is_same and document["as_of"] <= now["as_of"]:
                found.append((document["as_of"], document))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(found, key=lambda each: each[0])[1] if found else None


def revised(then: Document, now: Document) -> list[str]:
    """Return a line for each figure of a closed bucket that is not what it was reported as.

    Parameters
    ----------
    then, now
        ``metrics.json`` of the last report and of this one.
    """
    try:
        return _lines(then, now)
    except (KeyError, TypeError, AttributeError):
        # Written by another version, or by hand.
        return []


def _lines(then: Document, now: Document) -> list[str]:
    if any(then["params"].get(n) != now["params"].get(n) for n in {*now["params"]} - FREE):
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
    lines = [_line(pairs) for pairs in changes.values()]
    more = len(lines) - SHOWN
    lines = [*lines[:SHOWN], *([f"and {more} more figures of closed buckets."] if more > 0 else [])]
    files = _other_files(then, now)
    return [*lines, *([f"files that differ: {listed(files)}."] if lines and files else [])]


def _has_same_lag(then: Document, now: Document) -> bool:
    same: bool = then["lag_days_used"] == now["lag_days_used"]
    return same


def _key(row: Row) -> tuple[str, str, str, str]:
    segment = json.dumps(row["segment"], sort_keys=True)
    return row["metric"], row["start"], row["end"], segment


def _line(pairs: Sequence[tuple[Row, Row]]) -> str:
    """Return a figure's line: all leads first, then the segments that it has changed in."""
    whole = [pair for pair in pairs if pair[1]["segment"] is None]
    parts = [pair for pair in pairs if pair[1]["segment"] is not None]
    (before, row), *_ = whole or parts
    label = METRICS[row["metric"]].label
    head = f"{label} of {row['bucket']}"
    if not whole:
        head += " in all are what they were, but not in each segment"
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
