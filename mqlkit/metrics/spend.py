"""The spend of the leads that a report keeps: filtered, by segment and in a window of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.text import listed
from mqlkit.leads.cache import COHORT, DATA
from mqlkit.leads.table import SEGMENT, LeadTable
from mqlkit.stats.daily import Days, SpendLine, day_numbers

# The lead columns that spend has values of, each with its column of the spend.
SPEND_COLUMNS = {"source": "channel", "campaign": "campaign"}
Where = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class Spent:
    """Spend in the window of each row of a grid.

    Attributes
    ----------
    amount
        Spend; NaN where it is not known.
    flags
        Why it is not known, or not that of the leads kept: a mask of the rows for each flag.
    """

    amount: npt.NDArray[np.float64]
    flags: Mapping[str, npt.ArrayLike]


def kept_spend(spend: pd.DataFrame | None, where: Where) -> pd.DataFrame | None:
    """Return the spend on the leads that a report keeps; None where no spend has their values.

    Spend can be filtered by source and by campaign. By any other column it stays the spend on all
    leads, and `unfiltered_by` names the column.
    """
    known = {SPEND_COLUMNS[c]: values for c, values in where.items() if c in SPEND_COLUMNS}
    if spend is None or not known:
        return spend
    is_kept = np.ones(len(spend), dtype=bool)
    for column, values in known.items():
        is_kept &= spend[column].isin([str(value) for value in values]).to_numpy()
    # The other rows stay, with nothing in them: they say which days the data covers.
    return spend.assign(amount=spend["amount"].where(is_kept, 0)) if is_kept.any() else None


def unfiltered_by(where: Where) -> list[str]:
    """Return the columns of a filter that spend cannot be filtered by."""
    return [column for column in where if column not in SPEND_COLUMNS]


def basis_of(where: Where) -> str:
    """Return which spend is that of a report, in words, where not all of a filter applies to it."""
    known = [column for column in where if column in SPEND_COLUMNS]
    return f"spend filtered by {' and '.join(known)} only" if known else "total spend"


def without_spend(spend: pd.DataFrame, where: Where) -> dict[str, list[str]]:
    """Return the values that a filter keeps and no spend has, by lead column.

    Their leads count and what they cost is not known: neither is the cost of them with others.
    """
    missing = {}
    for column in SPEND_COLUMNS.keys() & where.keys():
        there = set(spend[SPEND_COLUMNS[column]].dropna())
        missing[column] = [str(v) for v in where[column] if str(v) not in there]
    return {column: values for column, values in sorted(missing.items()) if values}


def spend_terms(spend: pd.DataFrame | None, where: Where) -> dict[str, str]:
    """Return what a page says about the spend of a filter.

    Returns
    -------
    dict of str to str
        ``unfiltered_by`` (columns of the filter that spend has no values of; empty where the spend
        is that of the leads), ``spend_basis`` (which spend it is then) and ``unspent`` (the values
        kept that no spend has).
    """
    missing = {} if spend is None else without_spend(spend, where)
    return {
        "unfiltered_by": listed(unfiltered_by(where)),
        "spend_basis": basis_of(where),
        "unspent": " and ".join(f"{SPEND_COLUMNS[c]} {listed(v)}" for c, v in missing.items()),
    }


def spent_in(leads: LeadTable, *, spend: pd.DataFrame, lag: int) -> Spent:
    """Return the spend of each row of the grid of `LeadTable.counts`.

    Parameters
    ----------
    leads
        The lead table.
    spend
        ``date_from``, ``date_to``, ``channel``, ``campaign``, ``amount``.
    lag
        Days that the window of each bucket is moved back by.
    """
    grid = leads.counts
    begins, ends = (day_numbers(grid[edge]) - lag for edge in ("start", "end"))
    amount = np.full(len(grid), np.nan)
    has_channel = np.zeros(len(grid), dtype=bool)
    places = grid.groupby(SEGMENT).indices
    for by, name in leads.segments:
        part = _of_segment(spend, by, name)
        if part is not None:
            rows = places[by, name]
            amount[rows] = SpendLine.of(part).between(begins[rows], ends[rows])
            has_channel[rows] = True
    for column in without_spend(spend, leads.params.where):
        # By that column itself, each value has its own spend.
        has_channel &= (grid["by"] == column).to_numpy()
    covered = SpendLine.of(spend).covers(begins, ends)
    amount[~covered | ~has_channel] = np.nan
    flags = {"spend-not-covered": ~covered, "no-spend-channel": ~has_channel}
    return Spent(amount, {**flags, **filter_flag(leads)})


def filter_flag(leads: LeadTable) -> dict[str, bool]:
    """Return the flag of spend that is not filtered like the leads."""
    return {"spend-not-filtered": bool(unfiltered_by(leads.params.where))}


def total_spent(
    leads: LeadTable, spend: pd.DataFrame, begins: Days, ends: Days
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the spend of all leads in windows of days, NaN where it is not known.

    Returns
    -------
    tuple of numpy.ndarray
        Spend, and whether the spend data covers the window; in the shape of the windows.
    """
    line = SpendLine.of(spend)
    covered = line.covers(begins, ends)
    is_known = covered & (not without_spend(spend, leads.params.where))
    return np.where(is_known, line.between(begins, ends), np.nan), covered


def _of_segment(spend: pd.DataFrame, by: str, name: str) -> pd.DataFrame | None:
    """Return the spend of a segment; None where no spend has its name."""
    if not by:
        return spend
    if by not in SPEND_COLUMNS:
        return None
    part = spend[spend[SPEND_COLUMNS[by]] == name]
    return part if len(part) else None


def mqls_without_spend(leads: LeadTable, spend: pd.DataFrame | None) -> int:
    """Return the MQLs of the period whose source no spend names; 0 where spend has no channels.

    They count in the cost of all leads. With a filter, other words say what a cost is based on.
    """
    channels = [] if spend is None else sorted(spend["channel"].dropna().unique())
    if not channels or leads.params.where:
        return 0

    def counted() -> int:
        has_spend = leads.cohort["source"].isin(channels).fill_null(False)
        return int(leads.cohort.filter(~has_spend).count().to_pyarrow().as_py())

    return leads.cache.get("unspent", leads.params, counted, depends_on=(*DATA, *COHORT))


def unnamed_channels(leads: LeadTable, spend: pd.DataFrame) -> pd.DataFrame:
    """Return spend in channels that no lead names as its source: ``channel``, ``amount``."""
    other = spend[~spend["channel"].isin(leads.sources())]
    sums = other.groupby(other["channel"].fillna("(none)"))["amount"].sum().reset_index()
    return sums[sums["amount"] != 0].sort_values(
        ["amount", "channel"], ascending=[False, True], ignore_index=True
    )
