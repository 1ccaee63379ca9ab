"""Question 2a: is our qualification right? Hand-off to sales and efficiency MQL→SQL."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from mqlkit.durations import DAY_US
from mqlkit.engine import to_frame
from mqlkit.estimators import incidence, share_band, wilson
from mqlkit.leads import LeadTable
from mqlkit.periods import to_utc
from mqlkit.terms import MISSING
from mqlkit.tidy import metric_rows, share


def hand_off(leads: LeadTable) -> pd.DataFrame:
    """Return how sales decided on each bucket's MQLs, by the first decision.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of accepted, rejected, undecided and acceptance_rate (metrics.md §4); null where
        the data records neither an acceptance nor a rejection.
    """
    cohort = leads.cohort
    accepted = is_accepted(cohort)
    rejected = is_rejected(cohort)
    wide = leads.grid(
        leads.totals(
            {"accepted": accepted, "rejected": rejected, "mqls": cohort["mql_at"].notnull()}
        )
    )
    if not leads.is_handoff_recorded:
        unknown = np.full(len(wide), np.nan)
        names = ("accepted", "rejected", "undecided", "acceptance_rate")
        return pd.concat([metric_rows(wide, name, unknown) for name in names], ignore_index=True)
    decided = wide["accepted"] + wide["rejected"]
    low, high = wilson(wide["accepted"], decided)
    return pd.concat(
        [
            metric_rows(wide, "accepted", wide["accepted"]),
            metric_rows(wide, "rejected", wide["rejected"]),
            metric_rows(wide, "undecided", wide["mqls"] - decided),
            metric_rows(
                wide,
                "acceptance_rate",
                share(wide["accepted"], decided),
                n=decided,
                low=low,
                high=high,
            ),
        ],
        ignore_index=True,
    )


def is_accepted(table: ir.Table) -> ir.BooleanValue:
    """Return whether the first decision was to accept; on a tie it was."""
    accepted, rejected = table["accepted_us"], table["rejected_us"]
    return accepted.notnull() & (rejected.isnull() | (accepted <= rejected)).fill_null(True)


def is_rejected(table: ir.Table) -> ir.BooleanValue:
    """Return whether the first decision was to reject."""
    accepted, rejected = table["accepted_us"], table["rejected_us"]
    return rejected.notnull() & (accepted.isnull() | (rejected < accepted)).fill_null(True)


def rejection_reasons(leads: LeadTable) -> pd.DataFrame:
    """Return the period's rejected MQLs by reason, most frequent first: ``reason``, ``leads``."""
    cohort = leads.cohort
    rejected = cohort.filter(is_rejected(cohort))
    reason = rejected["rejection_reason"].fill_null(MISSING)
    counts = rejected.group_by(reason=reason).aggregate(leads=rejected.count())
    return to_frame(counts.order_by(ibis.desc("leads"), "reason"))


def maturity_days(leads: LeadTable) -> float:
    """Return the 90th percentile of days from MQL to SQL of all in-order leads that converted.

    NaN where none has. A cohort younger than this still has conversions to come.
    """
    table = leads.table
    done = table.filter(
        table["sql_us"].notnull() & table["is_in_order"] & table["mql_at"].notnull()
    )
    found = done.aggregate(p90=done["sql_us"].quantile(0.9)).to_pyarrow()["p90"][0].as_py()
    return float("nan") if found is None else float(found) / DAY_US


def stage_efficiency(leads: LeadTable, *, maturity: float) -> pd.DataFrame:
    """Return the share of MQLs that became SQLs: of the cohort, of the period, and projected.

    Parameters
    ----------
    leads
        The lead table; reads ``mql_bucket``, ``sql_bucket`` and the durations.
    maturity
        Days after which most of those that will convert have (`maturity_days`).

    Returns
    -------
    pandas.DataFrame
        Tidy rows of sqls, efficiency, mqls_per_sql, sqls_in_period, efficiency_flow and
        efficiency_projected (metrics.md §4).
    """
    within = leads.params.within_days
    cohort = leads.cohort
    is_sql = cohort["sql_us"].notnull()
    measures = {"mqls": cohort["mql_at"].notnull(), "sqls": is_sql}
    if within is not None:
        is_over = cohort["waited_us"] >= within * DAY_US
        measures |= {
            "hits": is_over & is_sql & (cohort["sql_us"] <= within * DAY_US),
            "base": is_over,
        }
    wide = leads.grid(
        leads.totals(measures).merge(_flow(leads), on=["segment", "bucket"], how="outer")
    )
    hits, base = ("sqls", "mqls") if within is None else ("hits", "base")
    low, high = wilson(wide[hits], wide[base])
    young = {"immature": is_immature(leads, wide, maturity)}
    ripe = young if within is None else {"immature": is_immature(leads, wide, within)}
    return pd.concat(
        [
            metric_rows(wide, "sqls", wide["sqls"], flags=young),
            metric_rows(
                wide,
                "efficiency",
                share(wide[hits], wide[base]),
                n=wide[base],
                low=low,
                high=high,
                flags=ripe,
            ),
            metric_rows(
                wide, "mqls_per_sql", share(wide["mqls"], wide["sqls"]), n=wide["mqls"], flags=young
            ),
            metric_rows(wide, "sqls_in_period", wide["flow"]),
            metric_rows(wide, "efficiency_flow", share(wide["flow"], wide["mqls"]), n=wide["mqls"]),
            _projected(leads, maturity),
        ],
        ignore_index=True,
    )


def is_immature(leads: LeadTable, grid: pd.DataFrame, days: float) -> np.ndarray:
    """Return which rows end less than ``days`` before the as-of moment; none if ``days`` is NaN."""
    if np.isnan(days):
        return np.zeros(len(grid), dtype=bool)
    ends = [to_utc(end, leads.zone) + timedelta(days=days) for end in grid["end"]]
    return np.array([end > leads.as_of.at for end in ends], dtype=bool)


def _flow(leads: LeadTable) -> pd.DataFrame:
    """Return the SQLs dated in each bucket, of any cohort."""
    table = leads.table
    dated = table.filter(table["sql_bucket"].between(0, len(leads.buckets) - 1))
    return leads.totals({"flow": dated["sql_us"].notnull()}, of=dated, bucket="sql_bucket")


def _projected(leads: LeadTable, maturity: float) -> pd.DataFrame:
    """Return the Aalen–Johansen estimate of the share that will be SQL at maturity.

    A lead that was rejected and is SQL all the same counts as SQL, as in the efficiency that
    this projects.
    """
    cohort = leads.cohort.filter(lambda t: t["is_in_order"])
    is_sql = cohort["sql_us"].notnull()
    kind = is_sql.ifelse(1, cohort["rejected_us"].notnull().ifelse(2, 0))
    seen = cohort.mutate(
        _kind=kind,
        _time=ibis.coalesce(cohort["sql_us"], cohort["rejected_us"], cohort["waited_us"]),
    )
    counted = leads.totals({"n": seen["mql_at"].notnull()}, of=seen)
    if np.isnan(maturity):
        grid = leads.grid(counted)
        return metric_rows(grid, "efficiency_projected", np.full(len(grid), np.nan), n=grid["n"])
    laid, by = leads.at_levels(seen)
    found = leads.segmented(
        incidence(laid, time="_time", kind="_kind", until=maturity * DAY_US, by=by)
    )
    grid = leads.grid(counted.merge(found, on=["segment", "bucket"], how="left"))
    value = np.where(grid["n"] > 0, grid["incidence"].round(12), np.nan)
    low, high = share_band(value, grid["variance"].to_numpy(dtype=float))
    return metric_rows(
        grid, "efficiency_projected", value, n=grid["n"], low=low.round(12), high=high.round(12)
    )
