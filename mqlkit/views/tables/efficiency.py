"""Table of MQL→SQL conversion."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.names import BOTH, COHORT, FLOW
from mqlkit.core.text import count, percent
from mqlkit.metrics.tidy import breakdown_of
from mqlkit.views.labels import within
from mqlkit.views.tables.base import Table, _decimal, _wide


def cohorts(rows: pd.DataFrame, *, view: str = BOTH) -> Table | None:
    """Tabulate MQL→SQL conversion per cohort.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`: both, cohort or flow.
    """
    return _conversion(rows, None, view)


def conversion_by(rows: pd.DataFrame, *, by: str | None = None, view: str = BOTH) -> Table | None:
    """Tabulate MQL→SQL conversion by breakdown value.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    by
        A breakdown column; the main one when left out.
    view
        One of `names.VIEWS`.
    """
    return _conversion(rows, breakdown_of(rows, by), view)


def _conversion(rows: pd.DataFrame, by: str | None, view: str) -> Table | None:
    if view == FLOW:
        metrics = {
            "mqls": ("MQLs", count),
            "sqls_in_period": ("SQLs in the period" if by else "SQLs in the bucket", count),
            "efficiency_flow": ("In-period ratio", percent),
        }
        title = f"In-period SQL/MQL ratio by {by}" if by else "In-period SQL/MQL ratio"
        return _wide(rows, title, metrics, by=by, notes="efficiency_flow")
    limit = within(rows)
    any_age = " at any age" if limit else ""
    return _wide(
        rows,
        f"MQL→SQL conversion{limit} by {by or 'cohort'}",
        {
            "mqls": ("MQLs", count),
            "sqls": (f"SQLs{any_age}", count),
            "efficiency": (f"Conversion{limit}", percent),
            "mqls_per_sql": (f"MQLs per SQL{any_age}", _decimal),
            "efficiency_projected": (f"Projected{limit}", percent),
            **({} if view == COHORT else {"efficiency_flow": ("In-period ratio", percent)}),
        },
        by=by,
        interval="efficiency",
        notes="efficiency",
    )
