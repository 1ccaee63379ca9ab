"""Question 2b: how long leads wait in the MQL stage, those still waiting included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.durations import HOUR_US, Clock
from mqlkit.estimators import relative_risk, survival_band, wilson
from mqlkit.leads import TOTAL_BUCKET, LeadTable
from mqlkit.levels import Queue, at_levels, stays
from mqlkit.survival import EDGE, Floats, Waits
from mqlkit.terms import LAST_BIN
from mqlkit.tidy import metric_rows, share

CURVE_POINTS = 240


def stage_velocity(leads: LeadTable) -> pd.DataFrame:
    """Return hours in the MQL stage: of the leads that left, and of all by Kaplan–Meier.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of hours_in_stage_mean, _median, _p90 (n: leads that left) and
        hours_in_stage_km_median (n: all in-order MQLs), metrics.md §5.
    """
    found = at_levels(leads, stays(leads), _times)
    grid = leads.grid(found, fill=np.nan)
    wide = leads.counts
    hours: dict[str, npt.ArrayLike] = {
        "mean": share(wide["stage_us"], wide["left"]) / HOUR_US,
        "median": grid["median"] / HOUR_US,
        "p90": grid["p90"] / HOUR_US,
    }
    rows = [
        metric_rows(wide, f"hours_in_stage_{name}", value, n=wide["left"])
        for name, value in hours.items()
    ]
    km = grid["km"] / HOUR_US
    rows.append(metric_rows(wide, "hours_in_stage_km_median", km, n=wide["in_order"]))
    return pd.concat(rows, ignore_index=True)


def _times(waits: Waits) -> dict[str, Floats]:
    quantiles = {"median": waits.quantile(0.5), "p90": waits.quantile(0.9)}
    return {**quantiles, "km": waits.median()}


def survival_curve(queue: Queue) -> pd.DataFrame:
    """Return the share of MQLs still waiting by hours in the stage, with its 95 % band.

    Parameters
    ----------
    queue
        What `levels.stays` returns.

    Returns
    -------
    pandas.DataFrame
        ``hours``, ``waiting`` (share), ``low``, ``high``, ``at_risk`` (leads), of the whole
        period's MQLs; at most some 240 steps, the first one at 0 hours.
    """
    n = len(queue.time)
    waits = Waits(np.zeros(n, dtype=np.int16), queue.time, queue.kind, groups=1)
    # Every step is computed; the picture takes those that change it.
    frame = waits.steps(tiers=CURVE_POINTS)
    survival = frame["survival"].to_numpy(dtype=float)
    low, high = survival_band(survival, frame["greenwood"].to_numpy(dtype=float))
    curve = pd.DataFrame(
        {
            "hours": frame["time"] / HOUR_US,
            "waiting": np.where(survival < EDGE, 0.0, survival),
            "low": np.where(np.isnan(low), survival, low),
            "high": np.where(np.isnan(high), survival, high),
            "at_risk": frame["at_risk"],
        }
    )
    start = pd.DataFrame(
        {"hours": [0.0], "waiting": [1.0], "low": [1.0], "high": [1.0], "at_risk": [n]}
    )
    return pd.concat([start, curve], ignore_index=True).round(12)


def response_speed(leads: LeadTable) -> pd.DataFrame:
    """Return how fast sales first tried to reach the MQLs, and what the first hour is worth.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of contacted_within_1h and lift_1h (metrics.md §7). Both need the hour: null and
        flagged ``day-precision`` where a stamp has only dates, null without contact stamps.
    """
    wide = leads.counts
    if not _tells_hours(leads):
        is_dated = "contacted_at" in leads.recorded
        none, flags = np.full(len(wide), np.nan), {"day-precision": is_dated}
        names = ("contacted_within_1h", "lift_1h")
        return pd.concat(
            [metric_rows(wide, m, none, flags=flags) for m in names], ignore_index=True
        )
    n = wide["fast"] + wide["slow"] + wide["hour_over"]
    low, high = wilson(wide["fast"], n)
    within = share(wide["fast"], n)
    lift, least, most = relative_risk(
        wide["fast_sqls"], wide["fast"], wide["slow_sqls"], wide["slow"]
    )
    return pd.concat(
        [
            metric_rows(wide, "contacted_within_1h", within, n=n, low=low, high=high),
            metric_rows(wide, "lift_1h", lift, n=wide["fast"] + wide["slow"], low=least, high=most),
        ],
        ignore_index=True,
    )


def _tells_hours(leads: LeadTable) -> bool:
    """Return whether contacts are recorded, and to the hour."""
    is_recorded = "contacted_at" in leads.recorded
    return is_recorded and not {"mql_at", "contacted_at"} & leads.dated


def response_times(leads: LeadTable) -> pd.DataFrame:
    """Return the period's MQLs by time to the first contact: ``within``, ``leads``, ``share``.

    Empty where the data does not tell the hour.
    """
    if not _tells_hours(leads):
        return pd.DataFrame(columns=["within", "leads", "share"])
    counts = leads.counts
    n = counts[counts["index"] == TOTAL_BUCKET].iloc[0]
    found = {
        "1 h": n["fast"],
        "1–24 h": n["within_day"],
        "over 24 h": n["slow"] - n["within_day"],
        "not yet": n["mqls"] - n["fast"] - n["slow"] - n["early"],
        "before MQL": n["early"],
    }
    shown = [name for name, leads in found.items() if leads > 0 or name != "before MQL"]
    sizes = np.array([found[name] for name in shown])
    shares = share(sizes, np.full(len(sizes), sizes.sum()))
    return pd.DataFrame({"within": shown, "leads": sizes.astype("int64"), "share": shares})


def hours_histogram(queue: Queue, clock: Clock) -> pd.DataFrame:
    """Return the period's in-order MQLs by time in the stage, in quarters of the SLA.

    Parameters
    ----------
    queue
        What `levels.stays` returns.
    clock
        How it was counted, and the SLA.

    Returns
    -------
    pandas.DataFrame
        ``bin`` (0 is up to a quarter of the SLA; `terms.LAST_BIN` is everything later),
        ``hours_from``, ``hours_to``, ``outcome`` (``within SLA``, ``late``, ``still waiting``)
        and ``leads``.
    """
    quarter = clock.sla_us // 4
    # A wait of exactly one SLA is within it, so that a bin takes in its upper end.
    place = ((queue.time - 1) // quarter).clip(0, LAST_BIN)
    names = ["late", "still waiting", "within SLA"]
    outcome = np.where(queue.kind == 0, 1, np.where(queue.time <= 4 * quarter, 2, 0))
    cell = np.bincount(place * len(names) + outcome)
    found = np.flatnonzero(cell)
    bins, hours = found // len(names), quarter / HOUR_US
    return pd.DataFrame(
        {
            "bin": bins,
            "outcome": [names[i] for i in found % len(names)],
            "leads": cell[found],
            "hours_from": bins * hours,
            "hours_to": (bins + 1) * hours,
        }
    )
