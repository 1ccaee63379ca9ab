"""Table of the headline against that of the last report."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.text import NOTHING, brief, count, money, percent
from mqlkit.metrics.tidy import constant
from mqlkit.views.labels import label_of, within
from mqlkit.views.tables.base import Table, titled


def headline(facts: pd.DataFrame) -> Table | None:
    """Tabulate the headline against that of the last report.

    Parameters
    ----------
    facts
        What `pages.previous.previous_frame` returns.
    """
    found = facts[facts["record"] == "number"]
    if found.empty:
        return None
    currency, day_hours = constant(facts, "currency", ""), constant(facts, "day_hours", 24)
    lines = [
        (
            label_of(name, within(facts)),
            *(_words(name, value, currency, day_hours) for value in (before, now)),
            _change(name, now - before, currency, day_hours),
        )
        for name, before, now in zip(found["name"], found["before"], found["value"], strict=True)
    ]
    frame = pd.DataFrame(lines, columns=["Metric", "Last report", "This report", "Change"])
    return titled(f"Since the last report: {constant(facts, 'scope')}", frame, left=["Metric"])


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
