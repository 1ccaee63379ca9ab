"""How long a conversion takes, and how much of a young cohort is still to convert."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.leads.cache import COHORT, DATA
from mqlkit.leads.cube import SortedWaits
from mqlkit.leads.funnel import OPEN, Step
from mqlkit.leads.integers import DAY_US
from mqlkit.leads.table import SEGMENT, LeadTable
from mqlkit.leads.waits import WaitTimes, of_cohort, sums_by_segment
from mqlkit.stats.incidence import Incidence, expected_share, horizon
from mqlkit.stats.survival import Floats

MATURE_SHARE = 0.9
MQL_TO_SQL = Step("mql", "sql")


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

    @classmethod
    def of(cls, incidence: Incidence, within: int | None) -> Maturity:
        """Return how long the conversion takes of which the incidence is that up to the horizon."""
        error = math.sqrt(incidence.variance) / incidence.value if incidence.value else math.nan
        if within is not None:
            return cls(within, within, error=error)
        if not incidence.until:
            return cls()
        days = incidence.time_of(MATURE_SHARE) / DAY_US
        return cls(days, incidence.until / DAY_US, incidence.is_rising, error)


def sql_maturity(leads: LeadTable) -> Maturity:
    """Return how long the conversion to SQL takes; without values if no SQL is recorded."""
    if not leads.is_recorded("sql"):
        return Maturity()
    return maturity_of(leads, MQL_TO_SQL, within=leads.params.within_days)


def maturity_of(leads: LeadTable, step: Step, *, within: int | None = None) -> Maturity:
    """Return how long a step of the funnel takes.

    Parameters
    ----------
    leads
        The lead table.
    step
        The step.
    within
        Days after which nothing counts.
    """
    return leads.cache.get(
        "maturity",
        leads.params,
        lambda: Maturity.of(incidence_of(leads, leads.cube.step(step), within=within), within),
        depends_on=[*DATA, "where"],
        of=(step, within),
    )


def incidence_of(leads: LeadTable, waits: SortedWaits, *, within: int | None = None) -> Incidence:
    """Return the incidence of conversion among all leads in order, up to the horizon."""
    time, kind = leads.cube.kept(waits.in_order)
    until = horizon(time) if within is None else within * DAY_US
    return Incidence.of(time, kind, until=until)


def chances_of(incidence: Incidence, waits: WaitTimes) -> dict[str, Floats]:
    """Return the chance p of each lead to convert yet, and p (1 − p).

    Their sums, ``expected`` and ``spread``, are what `incidence.expected_share` takes.
    """
    chance = np.zeros(len(waits.time))
    is_open = (waits.kind == OPEN) & (waits.time >= 0)
    chance[is_open] = incidence.chances(waits.time[is_open])
    return {"expected": chance, "spread": chance * (1 - chance)}


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
        As in `incidence.expected_share`. NaN if no lead has converted.
    """
    grid = leads.grid(_chances(leads, lambda: _expected_sqls(leads)))
    return expected_share(
        hits, n, expected=grid["expected"], spread=grid["spread"], error=maturity.error
    )


def add_up_chances(leads: LeadTable, coarser: LeadTable, *, places: Mapping[int, int]) -> None:
    """Let `projected_share` of coarser buckets add up the chances of finer ones.

    The waits of all leads need not be read again.

    Parameters
    ----------
    leads
        The lead table.
    coarser
        The same leads in coarser buckets, by no breakdown.
    places
        The index of the coarser bucket of each bucket.
    """
    if not leads.is_recorded("sql"):
        return

    def added() -> pd.DataFrame:
        found = _chances(leads, lambda: _expected_sqls(leads))
        found = found[found["by"] == ""]
        found = found.assign(bucket=found["bucket"].map(places))
        return found.groupby([*SEGMENT, "bucket"]).sum().reset_index()

    _chances(coarser, added)


def _chances(leads: LeadTable, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return what `_expected_sqls` does, from the cache if its parameters are unchanged."""
    choice = [*DATA, *COHORT, "grain", "by", "redact", "within_days"]
    return leads.cache.get("expected_sqls", leads.params, compute, depends_on=choice)


def _expected_sqls(leads: LeadTable) -> pd.DataFrame:
    """Return the sums of the chances of open leads to become SQLs."""
    waits, within = leads.cube.step(MQL_TO_SQL), leads.params.within_days
    cohort = of_cohort(leads, waits)
    return sums_by_segment(
        leads, cohort, chances_of(incidence_of(leads, waits, within=within), cohort)
    )
