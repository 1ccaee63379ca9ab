"""How long a conversion takes, and how much of a young cohort is still to convert."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from mqlkit.leads.cache import DATA
from mqlkit.leads.integers import DAY_US
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import by_segment, time_to_sql
from mqlkit.stats.incidence import Incidence, expected_share, horizon
from mqlkit.stats.survival import Floats, Waits, sums_of

MATURE_SHARE = 0.9


@dataclass(frozen=True)
class Maturity:
    """How long a conversion takes (metrics.md §4), by all leads of the data that match the filter.

    Attributes
    ----------
    days
        Days after which nine in ten of the conversions up to the horizon have happened; NaN if
        there is none. With ``within_days``, these days.
    horizon_days
        Age up to which the data shows conversions; NaN without a lead. With ``within_days``, these
        days.
    is_rising
        Whether conversions still come at the horizon. Then no cohort counts as mature.
    error
        Relative standard error of the share that converts by the horizon; NaN if none does.
    """

    days: float = np.nan
    horizon_days: float = np.nan
    is_rising: bool = False
    error: float = np.nan


def sql_maturity(leads: LeadTable) -> Maturity:
    """Return how long the conversion to SQL takes; without values if no SQL is recorded."""
    if not leads.is_recorded("sql"):
        return Maturity()
    choice = [*DATA, "where", "within_days"]
    return leads.cache.get(
        "sql_maturity", leads.params, lambda: _maturity(leads), depends_on=choice
    )


def _maturity(leads: LeadTable) -> Maturity:
    within, found = leads.params.within_days, _incidence(leads)
    error = math.sqrt(found.variance) / found.value if found.value else math.nan
    if within is not None:
        return Maturity(within, within, error=error)
    if not found.until:
        return Maturity()
    days = found.time_of(MATURE_SHARE) / DAY_US
    return Maturity(days, found.until / DAY_US, found.is_rising, error)


def _incidence(leads: LeadTable) -> Incidence:
    """Return the incidence of SQL among all in-order MQLs, up to the horizon."""
    time, kind = leads.cube.kept(leads.cube.time_to_sql())
    within = leads.params.within_days
    until = horizon(time) if within is None else within * DAY_US
    return Incidence.of(time, kind, until=until)


def projected_share(
    leads: LeadTable, *, hits: npt.ArrayLike, n: npt.ArrayLike, maturity: Maturity
) -> tuple[Floats, Floats, Floats]:
    """Return the share of each cohort that is expected to be SQL by the horizon.

    Parameters
    ----------
    leads
        The lead table.
    hits, n
        SQLs so far and MQLs, in the rows of `LeadTable.grid`.
    maturity
        `sql_maturity`.

    Returns
    -------
    share, low, high
        As in `incidence.expected_share`, which assumes that young cohorts go on as older ones did.
    """
    incidence = cache(lambda: _incidence(leads))

    def chances(waits: Waits) -> dict[str, Floats]:
        is_open = waits.kind == 0
        chance = incidence().chances(waits.time[is_open])
        group = waits.group[is_open]
        return {
            "expected": sums_of(chance, group, waits.groups),
            "spread": sums_of(chance * (1 - chance), group, waits.groups),
        }

    if np.isnan(maturity.error):
        none = np.full(np.shape(n), np.nan)
        return none, none, none
    found = by_segment(leads, time_to_sql, chances, depends_on=[*DATA, "within_days"])
    grid = leads.grid(found)
    return expected_share(
        hits, n, expected=grid["expected"], spread=grid["spread"], error=maturity.error
    )
