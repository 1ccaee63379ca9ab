"""MQL→SQL conversion by cohort and by flow, projected, and by cohort age."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from mqlkit.core.periods import to_utc
from mqlkit.leads.cache import DATA
from mqlkit.leads.integers import DAY_US
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import by_segment, time_to_sql
from mqlkit.metrics.tidy import metric_rows, share
from mqlkit.stats.intervals import share_band, wilson
from mqlkit.stats.survival import Floats, Waits

GROWTH_COLUMNS = ["bucket", "age_days", "share", "sqls", "mqls"]
# A cohort is followed for at least so many days.
LEAST_FOLLOWED = 14


def maturity_days(leads: LeadTable) -> float:
    """Return the 90th percentile of days from MQL to SQL of all in-order leads that converted.

    NaN where none has. A cohort younger than this still has conversions to come.
    """
    return leads.cache.get(
        "maturity_days",
        leads.params,
        lambda: leads.cube.time_to_sql_quantile(0.9) / DAY_US,
        depends_on=[*DATA, "where"],
    )


def stage_efficiency(leads: LeadTable, *, maturity: float) -> pd.DataFrame:
    """Return the share of MQLs that became SQLs: of the cohort, of the period, and projected.

    Parameters
    ----------
    leads
        The lead table.
    maturity
        Days after which most of those that will convert have (`maturity_days`).

    Returns
    -------
    pandas.DataFrame
        Tidy rows of sqls, efficiency, mqls_per_sql, sqls_in_period, efficiency_flow and
        efficiency_projected (metrics.md §4).
    """
    wide, flow = leads.counts, leads.flow["flow"]
    return pd.concat(
        [
            cohort_efficiency(leads, maturity=maturity),
            metric_rows(wide, "sqls_in_period", flow),
            metric_rows(wide, "efficiency_flow", share(flow, wide["mqls"]), n=wide["mqls"]),
            _projected(leads, maturity),
        ],
        ignore_index=True,
    )


def cohort_efficiency(leads: LeadTable, *, maturity: float) -> pd.DataFrame:
    """Return tidy rows of sqls, efficiency and mqls_per_sql, all of the cohort."""
    wide = leads.counts
    low, high = wilson(wide["ripe_sqls"], wide["ripe"])
    within = leads.params.within_days
    young = {"immature": is_immature(leads, wide, maturity)}
    ripe = young if within is None else {"immature": is_immature(leads, wide, within)}
    return pd.concat(
        [
            metric_rows(wide, "sqls", wide["sqls"], flags=young),
            metric_rows(
                wide,
                "efficiency",
                share(wide["ripe_sqls"], wide["ripe"]),
                n=wide["ripe"],
                low=low,
                high=high,
                flags=ripe,
            ),
            metric_rows(
                wide, "mqls_per_sql", share(wide["mqls"], wide["sqls"]), n=wide["mqls"], flags=young
            ),
        ],
        ignore_index=True,
    )


def is_immature(leads: LeadTable, grid: pd.DataFrame, days: float) -> np.ndarray:
    """Return which rows end less than ``days`` before the as-of moment; none if ``days`` is NaN."""
    if np.isnan(days):
        return np.zeros(len(grid), dtype=bool)
    ends = [to_utc(end, leads.zone) + timedelta(days=days) for end in grid["end"]]
    return np.array([end > leads.as_of.at for end in ends], dtype=bool)


def cohort_growth(leads: LeadTable, *, maturity: float) -> pd.DataFrame:
    """Return how the share of SQLs of each cohort grows with its age.

    Two cohorts are compared at the same age. A cohort is followed as long as all of its leads are
    old enough to count: its last row is the efficiency within that many days of the MQL.

    Parameters
    ----------
    leads
        The lead table.
    maturity
        Days after which most of those that will convert have (`maturity_days`).

    Returns
    -------
    pandas.DataFrame
        ``bucket``, ``age_days`` (from 0, to twice ``maturity`` at most), ``share`` [0, 1], ``sqls``
        within that age and ``mqls`` of the cohort. Without rows where no cohort is over, or none
        of its leads has converted.
    """
    until = 0 if np.isnan(maturity) else max(LEAST_FOLLOWED, round(2 * maturity))
    entered = leads.counts[leads.counts["by"] == ""].set_index("index")["mqls"]
    # Whole days, begun ones as one: so that a day's row holds what came within it.
    found = leads.sql_ages().pivot(index="age", columns="bucket", values="sqls")
    frames = []
    for index, bucket in enumerate(leads.buckets):
        over = (leads.as_of.at - to_utc(bucket.end, leads.zone)).days
        ages = np.arange(min(over, until) + 1) if until else np.arange(0)
        if not len(ages) or not entered[index]:
            continue
        sqls = found[index] if index in found else pd.Series(dtype=float)
        within = sqls.reindex(ages).fillna(0).cumsum().to_numpy(dtype=float)
        frames.append(
            pd.DataFrame(
                {
                    "bucket": bucket.label,
                    "age_days": ages,
                    "share": within / entered[index],
                    "sqls": within,
                    "mqls": entered[index],
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=GROWTH_COLUMNS)


def _projected(leads: LeadTable, maturity: float) -> pd.DataFrame:
    """Return the Aalen–Johansen estimate of the share that will be SQL at maturity.

    Flagged ``immature`` where no lead of the bucket can be that old yet: the estimate then ends
    with the oldest of them, and is too low.
    """
    wide = leads.counts
    n = wide["in_order"]
    if np.isnan(maturity):
        return metric_rows(wide, "efficiency_projected", np.full(len(wide), np.nan), n=n)

    def incidence(waits: Waits) -> dict[str, Floats]:
        value, variance = waits.incidence(until=round(maturity * DAY_US))
        return {"incidence": value, "variance": variance}

    # What the maturity depends on is among the parameters that choose the leads.
    found = by_segment(leads, time_to_sql, incidence, depends_on=DATA)
    grid = leads.grid(found)
    value = np.where(n > 0, grid["incidence"].round(12), np.nan)
    low, high = share_band(value, grid["variance"].to_numpy(dtype=float))
    begun = [to_utc(start, leads.zone) + timedelta(days=maturity) for start in wide["start"]]
    young = {"immature": np.array([at > leads.as_of.at for at in begun], dtype=bool)}
    bounds = {"low": low.round(12), "high": high.round(12)}
    return metric_rows(wide, "efficiency_projected", value, n=n, **bounds, flags=young)
