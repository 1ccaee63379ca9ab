"""The last report: its headline beside this one's, and what has changed since."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from glob import glob
from pathlib import Path
from typing import Any

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import EARLIER_VARIABLE
from mqlkit.core.periods import DAY
from mqlkit.core.text import NOTHING, brief, count, cut_off_day, day, money, percent
from mqlkit.metrics.limits import figures_of
from mqlkit.metrics.report import Numbers
from mqlkit.pages.changed_leads import leads_behind
from mqlkit.pages.document import facts_of, records_of
from mqlkit.pages.revisions import SETTLED, Behind, last_report, revised, revisions
from mqlkit.views.tables.base import Table, titled
from mqlkit.views.verdicts.base import BAD, Totals, Verdict

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
    behind
        The leads behind figures of closed buckets that are not what they were reported as.
    revisions
        What there is to say of these figures, in lines.
    """

    document: Mapping[str, Any]
    behind: list[Behind]
    revisions: list[str]


def previous(numbers: Numbers) -> Previous | None:
    """Return what the last report of the same name said; None where there is none.

    `mqlkit run` tells the kernel where earlier reports are; elsewhere nobody does.
    """
    pattern = os.environ.get(EARLIER_VARIABLE)
    # Path.glob takes no absolute pattern.
    paths = [Path(found) for found in sorted(glob(pattern))] if pattern else []  # noqa: PTH207
    if not paths:
        return None
    settled = numbers.rows[numbers.rows["metric"].isin(SETTLED)]
    now = {**facts_of(numbers), "metrics": records_of(settled)}
    found = last_report(paths, now)
    if found is None:
        return None
    path, document = found
    kept = path.with_name(path.name.replace(".metrics.json", LEADS_KEPT))
    behind = leads_behind(revisions(document, now), kept, numbers.leads)
    return Previous(document, behind, revised(document, now, behind))


def judge_since_last(last: Previous | None) -> list[Verdict]:
    """Return a sentence for each closed figure that the last report had otherwise."""
    lines = last.revisions if last else []
    return [Verdict(f"Not as in the last report: {line}", BAD) for line in lines]


def tabulate_since_last(
    last: Previous | None, rows: pd.DataFrame, *, currency: str, day_hours: float
) -> Table | None:
    """Set the headline figures of the last report beside those of this one.

    Parameters
    ----------
    last
        What `previous` returns.
    rows
        All tidy rows of this report.
    currency, day_hours
        Of the spend; the hours of a day on the report's clock.
    """
    if last is None:
        return None
    then, total = figures_of(last.document), Totals(rows)
    lines = []
    for name in COMPARED:
        before, now = then.get(name), total.value(name)
        if before is None or pd.isna(now):
            continue
        words = [_words(name, v, currency, day_hours) for v in (before, now)]
        change = _change(name, now - before, currency, day_hours)
        lines.append((METRICS[name].label, *words, change))
    if not lines:
        return None
    frame = pd.DataFrame(lines, columns=["Number", "Last report", "This one", "Change"])
    return titled(f"Since the last report: {_scope(last.document)}", frame, left=["Number"])


def _scope(document: Mapping[str, Any]) -> str:
    period = document["period"]
    first, end = (date.fromisoformat(period[name]) for name in ("start", "end"))
    as_of = day(cut_off_day(document["as_of"]))
    return f"{day(first)} – {day(end - DAY)}, as of {as_of}"


def _words(name: str, value: float, currency: str, day_hours: float) -> str:
    unit = METRICS[name].unit
    if unit in ("share", "ratio"):
        return percent(value)
    if unit == "hours":
        return brief(value, day_hours=day_hours)
    return money(value, currency) if unit.startswith("money") else count(value)


def _change(name: str, difference: float, currency: str, day_hours: float) -> str:
    if not difference:
        return NOTHING
    sign = "+" if difference > 0 else "−"
    if METRICS[name].unit in ("share", "ratio"):
        return f"{sign}{abs(difference) * 100:.1f} points"
    return f"{sign}{_words(name, abs(difference), currency, day_hours)}"
