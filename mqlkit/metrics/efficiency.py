"""MQL→SQL conversion by cohort and by flow, projected, and by cohort age."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import to_utc
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.conversion import Maturity, projected_share
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import wilson

COHORT_METRICS = ("sqls", "efficiency", "mqls_per_sql")
GROWTH_COLUMNS = ["bucket", "age_days", "share", "sqls", "mqls"]
# A cohort is followed for at least so many days.
LEAST_FOLLOWED = 14


def stage_efficiency(leads: LeadTable, *, maturity: Maturity) -> pd.DataFrame:
    """Return the share of MQLs that became SQLs: of the cohort, of the period, and projected.

    Parameters
    ----------
    leads
        The lead table.
    maturity
        `conversion.sql_maturity`.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of sqls, efficiency, mqls_per_sql, sqls_in_period, efficiency_flow and
        efficiency_projected (metrics.md §4); null where the data records no SQL.
    """
    wide, flow = leads.counts, leads.flow["flow"]
    if not leads.is_recorded("sql"):
        return not_recorded(
            wide, *COHORT_METRICS, "sqls_in_period", "efficiency_flow", "efficiency_projected"
        )
    return pd.concat(
        [
            cohort_efficiency(leads, maturity=maturity),
            metric_rows(wide, "sqls_in_period", flow),
            metric_rows(wide, "efficiency_flow", share(flow, wide["mqls"]), n=wide["mqls"]),
            _projected(leads, maturity),
        ],
        ignore_index=True,
    )


def cohort_efficiency(leads: LeadTable, *, maturity: Maturity) -> pd.DataFrame:
    """Return tidy rows of sqls, efficiency and mqls_per_sql, all of the cohort."""
    wide = leads.counts
    if not leads.is_recorded("sql"):
        return not_recorded(wide, *COHORT_METRICS)
    low, high = wilson(wide["ripe_sqls"], wide["ripe"])
    young = {"immature": is_immature(leads, wide, maturity)}
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
                flags=young,
            ),
            metric_rows(
                wide, "mqls_per_sql", share(wide["mqls"], wide["sqls"]), n=wide["mqls"], flags=young
            ),
        ],
        ignore_index=True,
    )


def is_immature(leads: LeadTable, grid: pd.DataFrame, maturity: Maturity) -> npt.NDArray[np.bool_]:
    """Return which rows end less than the maturity before the as-of moment.

    All rows, if conversions still come at the horizon, or none has come yet.
    """
    if maturity.is_rising or np.isnan(maturity.days):
        return np.ones(len(grid), dtype=bool)
    ends = [to_utc(end, leads.zone) + timedelta(days=maturity.days) for end in grid["end"]]
    return np.array([end > leads.as_of.at for end in ends], dtype=bool)


def cohort_growth(leads: LeadTable, *, maturity: Maturity) -> pd.DataFrame:
    """Return how the share of SQLs of each cohort grows with its age.

    Two cohorts are compared at the same age. A cohort is followed as long as all of its leads are
    old enough to count: its last row is the efficiency within that many days of the MQL.

    Parameters
    ----------
    leads
        The lead table.
    maturity
        `conversion.sql_maturity`.

    Returns
    -------
    pandas.DataFrame
        ``bucket``, ``age_days`` (from 0 to the horizon, but no further than twice the maturity),
        ``share`` [0, 1], ``sqls`` within that age and ``mqls`` of the cohort. Without rows where
        no cohort is over, or no lead has converted.
    """
    until = 0
    if not np.isnan(maturity.days):
        longest = min(2 * maturity.days, maturity.horizon_days)
        until = max(LEAST_FOLLOWED, math.ceil(longest))
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


def _projected(leads: LeadTable, maturity: Maturity) -> pd.DataFrame:
    """Return tidy rows of efficiency_projected."""
    wide = leads.counts
    found = projected_share(leads, hits=wide["within_sqls"], n=wide["mqls"], maturity=maturity)
    # The order in which an engine returns leads of the same age must not show.
    value, low, high = (bound.round(12) for bound in found)
    young = {"immature": is_immature(leads, wide, maturity)}
    return metric_rows(
        wide, "efficiency_projected", value, n=wide["mqls"], low=low, high=high, flags=young
    )
