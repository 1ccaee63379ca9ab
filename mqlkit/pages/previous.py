"""The last report of the same name, to compare with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from glob import glob
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from mqlkit.core.names import EARLIER_VARIABLE
from mqlkit.core.periods import DAY
from mqlkit.core.text import as_of_day, day
from mqlkit.metrics.limits import figures_of
from mqlkit.metrics.report import Report
from mqlkit.metrics.tidy import of_all_leads
from mqlkit.pages.changed_leads import find_changed_leads
from mqlkit.pages.document import facts_of, records_of
from mqlkit.pages.revisions import (
    SETTLED,
    ChangedLead,
    has_same_definitions,
    last_report,
    revision_lines,
    revisions,
)
from mqlkit.views.claims import Cells

COMPARED = (
    "mqls", "goal_attainment", "efficiency", "hours_in_stage_mean", "sla_attainment",
    "sla_breached", "cost_per_mql", "wasted_cost",
)  # fmt: skip
LEADS_KEPT = ".leads.parquet"


@dataclass(frozen=True)
class Previous:
    """The last report.

    Attributes
    ----------
    document
        Its ``metrics.json``.
    changed_leads
        The leads that caused numbers of closed buckets to change.
    revisions
        Lines about these numbers.
    is_comparable
        Whether its numbers have the definitions of this report.
    """

    document: Mapping[str, Any]
    changed_leads: list[ChangedLead]
    revisions: list[str]
    is_comparable: bool


class Settled:
    """The rows of a report that `revisions` compares, as records; there may be millions.

    Parameters
    ----------
    report
        The report.
    """

    def __init__(self, report: Report) -> None:
        groups = report.groups.values()
        self._parts = [rows[rows["metric"].isin(SETTLED)] for rows in groups]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the records."""
        return chain.from_iterable(map(records_of, self._parts))


def previous(report: Report) -> Previous | None:
    """Return the last report of the same name; None if there is none.

    `mqlkit run` sets the variable that says where earlier reports are.
    """
    pattern = os.environ.get(EARLIER_VARIABLE)
    # Path.glob accepts no absolute pattern.
    paths = [Path(found) for found in sorted(glob(pattern))] if pattern else []  # noqa: PTH207
    if not paths:
        return None
    now = {**facts_of(report), "metrics": Settled(report)}
    found = last_report(paths, now)
    if found is None:
        return None
    path, document = found
    kept = path.with_name(path.name.replace(".metrics.json", LEADS_KEPT))
    revised = revisions(document, now)
    changed = find_changed_leads(revised, kept, report.lead_data)
    lines = revision_lines(revised, document, now, changed)
    return Previous(document, changed, lines, has_same_definitions(document, now))


def previous_frame(report: Report) -> pd.DataFrame:
    """Return the numbers of the last report and of this one.

    Returns
    -------
    pandas.DataFrame
        ``record`` (``number``, ``revision``, or alone ``definitions`` where the last report has
        other definitions), ``name`` (a metric), ``before``, ``value``, ``text`` (a line about a
        changed number of a closed bucket), and constants ``scope`` (what the last report covers),
        ``currency``, ``day_hours``, ``within_days`` (-1: none). Empty without a last report.
    """
    last = previous(report)
    facts: list[dict[str, Any]] = []
    facts += [] if last is None else [{"record": "revision", "text": r} for r in last.revisions]
    if last is not None and not last.is_comparable:
        facts = [{"record": "definitions"}]
    elif last is not None:
        then, now = figures_of(last.document), Cells(of_all_leads(report.groups.values()))
        facts += [
            {"record": "number", "name": name, "before": then[name], "value": now.value(name)}
            for name in COMPARED
            if then.get(name) is not None and not pd.isna(now.value(name))
        ]
    frame = pd.DataFrame(facts, columns=["record", "name", "before", "value", "text"])
    scope = "" if last is None else _scope(last.document)
    within = report.params.within_days
    return frame.assign(
        scope=scope,
        currency=report.currency,
        day_hours=report.params.day_hours,
        within_days=-1 if within is None else within,
    )


def _scope(document: Mapping[str, Any]) -> str:
    period = document["period"]
    first, end = (date.fromisoformat(period[name]) for name in ("start", "end"))
    as_of = day(as_of_day(document["as_of"]))
    return f"{day(first)} – {day(end - DAY)}, as of {as_of}"
