"""Calls of drawing functions, and what of their arguments has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from mqlkit.core.params import ReportParams

VOLUME = (
    "mqls", "in_stage", "goal", "goal_attainment", "goal_gap", "goal_to_date", "needed_per_day",
)  # fmt: skip
HAND_OFF = ("mqls", "accepted", "rejected", "undecided", "acceptance_rate")
EFFICIENCY = (
    "mqls", "sqls", "efficiency", "mqls_per_sql", "sqls_in_period", "efficiency_flow",
    "efficiency_projected",
)  # fmt: skip
WAIT = (
    "hours_in_stage_mean", "hours_in_stage_median", "hours_in_stage_p90",
    "hours_in_stage_km_median",
)  # fmt: skip
SLA = (
    "mqls", "sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_unmeasurable",
    "sla_attainment",
)  # fmt: skip
COST = (
    "mqls", "spend", "cost_per_mql", "cost_per_mql_rolling", "cost_per_sql", "wasted_cost",
    "return_on_spend", "lead_to_mql_days_mean",
)  # fmt: skip
LISTS = (list, tuple, np.ndarray, pd.api.extensions.ExtensionArray)
PLAIN = (str, int, float, bool, date, ReportParams, type(None))
# The metrics that a function reads of the rows; it is given no others, so that none is forgotten
# here. One that is not named may read them all.
READS: dict[str, tuple[str, ...]] = {
    "plot_mql_volume": VOLUME,
    "plot_mqls_by_segment": VOLUME,
    "tabulate_mql_volume": VOLUME,
    "tabulate_mqls_by_segment": VOLUME,
    "plot_hand_off": HAND_OFF,
    "tabulate_hand_off": HAND_OFF,
    "plot_stage_efficiency": EFFICIENCY,
    "plot_efficiency_by": EFFICIENCY,
    "tabulate_stage_efficiency": EFFICIENCY,
    "tabulate_stage_velocity": WAIT,
    "plot_sla_attainment": SLA,
    "plot_attainment_by": SLA,
    "tabulate_sla_outcome": SLA,
    "plot_cost_by": ("cost_per_mql",),
    "tabulate_cost": COST,
}


def is_table(draw: Callable[..., Any] | str) -> bool:
    """Return whether a function sets a table, which is read after the picture it belongs to."""
    return getattr(draw, "__name__", "").startswith("tabulate_")


@dataclass
class Call:
    """One call of a drawing function.

    Attributes
    ----------
    draw
        The function, or a note.
    given
        Its arguments.
    """

    draw: Callable[..., Any] | str
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        reads = READS.get(getattr(self.draw, "__name__", ""))
        if reads and "rows" in self.given:
            rows = self.given["rows"]
            places = np.flatnonzero(rows["metric"].isin(reads).to_numpy())
            self.given = {**self.given, "rows": rows.take(places).reset_index(drop=True)}

    def is_same(self, other: Call) -> bool:
        """Return whether another call gives the same picture: same function, same arguments."""
        return self.draw == other.draw and is_equal(self.given, other.given)


def is_equal(one: object, other: object) -> bool:
    """Return whether two arguments are equal; what may have changed in its place never is.

    >>> is_equal({"a": [1, 2]}, {"a": [1, 2]}), is_equal(1, None)
    (True, False)
    """
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        return one is other or one.equals(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(is_equal(one[k], other[k]) for k in one)
    if isinstance(one, LISTS) and isinstance(other, LISTS):
        return len(one) == len(other) and all(map(is_equal, one, other))
    return isinstance(one, PLAIN) and isinstance(other, PLAIN) and one == other
