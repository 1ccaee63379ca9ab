"""Names of metrics as a report shows them: with the days within which an SQL counts."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.text import counted
from mqlkit.metrics.tidy import constant

# The metrics that the parameter `within_days` changes.
LIMITED = frozenset({"efficiency", "efficiency_projected"})


def within_days(frame: pd.DataFrame) -> str:
    """Return the days within which an SQL counts, such as ``30 days``; empty for any time.

    Parameters
    ----------
    frame
        A family frame with the constant ``within_days``, -1 for any time.
    """
    days = constant(frame, "within_days", -1)
    return counted(days, "day") if days >= 0 else ""


def are(days: str) -> str:
    """Return the verb after days.

    >>> are("1 day"), are("0 days")
    ('is', 'are')
    """
    return "is" if days == "1 day" else "are"


def within(frame: pd.DataFrame) -> str:
    """Return how a frame limits conversion, such as `` within 30 days``; empty if it does not."""
    days = within_days(frame)
    return f" within {days}" if days else ""


def label_of(metric: str, limit: str = "") -> str:
    """Return the label of a metric; ``limit`` is what `within` returns.

    >>> label_of("efficiency", " within 30 days"), label_of("mqls", " within 30 days")
    ('MQL→SQL conversion rate within 30 days', 'MQLs')
    """
    return METRICS[metric].label + (limit if metric in LIMITED else "")
