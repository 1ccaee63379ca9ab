"""MQLs, open MQLs, and how they stand against the goal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mqlkit.leads.table import SEGMENT, LeadTable
from mqlkit.metrics.goals import goal_rows
from mqlkit.metrics.tidy import metric_rows


def mql_volume(
    leads: LeadTable, *, goals: pd.DataFrame | None = None, spend: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return MQLs, the stock of them and how they stand against the goal.

    Parameters
    ----------
    leads
        The lead table.
    goals, spend
        As in `goal_rows`; None without any.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of mqls, in_stage and, with goals, those of `goal_rows` (metrics.md §3).
    """
    counted = leads.counts
    rows = [metric_rows(counted, "mqls", counted["mqls"]), _stock(leads)]
    if goals is not None:
        rows += goal_rows(leads, goals, spend=spend)
    return pd.concat(rows, ignore_index=True)


def _stock(leads: LeadTable) -> pd.DataFrame:
    """Return who is an MQL at each bucket's end: entered before it and not left before it."""
    grid = leads.stock
    last = grid.groupby(SEGMENT)["in_stage"].transform(lambda s: s.iloc[len(leads.buckets) - 1])
    is_total = grid["bucket"] == leads.whole.label
    return metric_rows(grid, "in_stage", np.where(is_total, last, grid["in_stage"]))
