"""Table of MQL→SQL conversion."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.names import BOTH, COHORT, FLOW
from mqlkit.core.text import count, percent
from mqlkit.views.tables.base import Table, _decimal, _wide


def tabulate_stage_efficiency(
    rows: pd.DataFrame, *, by: str | None = None, view: str = BOTH
) -> Table | None:
    """Set efficiency per cohort, or by the values of a breakdown; ``view`` as `terms.VIEWS`."""
    if view == FLOW:
        metrics = {
            "mqls": ("MQLs", count),
            "sqls_in_period": ("SQLs dated in it", count),
            "efficiency_flow": ("By flow", percent),
        }
        title = f"Efficiency by {by}, by flow" if by else "Efficiency by flow"
        return _wide(rows, title, metrics, by=by, notes="efficiency_flow")
    return _wide(
        rows,
        f"Efficiency by {by}" if by else "Efficiency by cohort",
        {
            "mqls": ("MQLs", count),
            "sqls": ("SQLs", count),
            "efficiency": ("Efficiency", percent),
            "mqls_per_sql": ("MQLs per SQL", _decimal),
            "efficiency_projected": ("Projected", percent),
            **({} if view == COHORT else {"efficiency_flow": ("By flow", percent)}),
        },
        by=by,
        interval="efficiency",
        notes="efficiency",
    )
