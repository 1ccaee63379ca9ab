"""Limits set on figures, and which of them are broken."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from mqlkit.core.checks import COMPARISON, SET_ASIDE
from mqlkit.core.metrics import METRICS
from mqlkit.core.names import UNUSABLE_REASONS

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def figures_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what limits can be set on, from a report's ``metrics.json``."""
    totals = {
        row["metric"]: row["value"]
        for row in document["metrics"]
        if row["segment"] is None and row["bucket"] == "total"
    }
    return {**totals, SET_ASIDE: share_set_aside(document["ledger"])}


def share_set_aside(ledger: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the largest share of a table's rows that cannot be used, as max_set_aside counts.

    >>> share_set_aside({"leads": {"read": 200, "set_aside": {"bad_date": 3, "blank": 9}}})
    0.015
    """
    shares = (
        sum(table["set_aside"].get(reason, 0) for reason in UNUSABLE_REASONS) / table["read"]
        for table in ledger.values()
        if table["read"]
    )
    return max(shares, default=0.0)


def broken(limits: Mapping[str, str], figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that break a limit; one that is not known breaks none.

    >>> broken({"sla_attainment": "< 0.8", "mqls": "< 10"}, {"sla_attainment": 0.75, "mqls": 11})
    {'sla_attainment': 0.75}
    """
    found = {}
    for name, limit in limits.items():
        match, value = COMPARISON.fullmatch(limit), figures.get(name)
        if match and value is not None and COMPARE[match[1]](value, float(match[2])):
            found[name] = value
    return found


def limit_lines(limits: Mapping[str, str], figures: Mapping[str, Any], *, kind: str) -> list[str]:
    """Return a line for each limit that is broken.

    Parameters
    ----------
    limits, figures
        The limits by name, and the figures of the whole period.
    kind
        The parameter that they stand in.

    Examples
    --------
    >>> limit_lines({"sla_attainment": "< 0.8"}, {"sla_attainment": 0.75}, kind="fail_on")
    ['sla_attainment is 0.75, and fail_on says < 0.8.']
    """
    return [
        f"{name} is {value:.6g}, and {kind} says {limits[name]}."
        for name, value in broken(limits, figures).items()
    ]


def label_of(name: str) -> str:
    """Return what a figure is called on the page."""
    return "Rows that cannot be used" if name == SET_ASIDE else METRICS[name].label


def is_share(name: str) -> bool:
    """Return whether a figure is a share, shown as a percentage."""
    return name == SET_ASIDE or METRICS[name].unit == "share"
