"""Time in the MQL stage, open MQLs included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.names import LAST_BIN
from mqlkit.leads.cache import CLOCK, DATA
from mqlkit.leads.durations import EXITS, Clock
from mqlkit.leads.integers import HOUR_US
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import WaitTimes, by_segment, time_in_stage
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import survival_band
from mqlkit.stats.survival import EDGE, Floats, Waits

CURVE_POINTS = 240
HOURS = ("mean", "median", "p90", "km_median")


def stage_velocity(leads: LeadTable) -> pd.DataFrame:
    """Return hours in the MQL stage: of the leads that left, and of all by Kaplan–Meier.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of hours_in_stage_mean, _median, _p90 (n: leads that left) and
        hours_in_stage_km_median (n: all in-order MQLs), metrics.md §5. Null where no decision is
        recorded.
    """
    if not leads.is_recorded(*EXITS):
        return not_recorded(leads.counts, *(f"hours_in_stage_{name}" for name in HOURS))
    found = by_segment(leads, time_in_stage, _times, depends_on=[*DATA, *CLOCK])
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


def survival_curve(waits: WaitTimes) -> pd.DataFrame:
    """Return the share of MQLs still open by hours in the stage, with its 95 % band.

    Parameters
    ----------
    waits
        Waits from `waits.time_in_stage`.

    Returns
    -------
    pandas.DataFrame
        ``hours``, ``waiting`` (share), ``low``, ``high``, ``at_risk`` (leads), of the whole
        period's MQLs; at most some 240 steps, the first one at 0 hours.
    """
    n = len(waits.time)
    grouped = Waits(np.zeros(n, dtype=np.int16), waits.time, waits.kind, groups=1)
    # Every step is computed; the picture takes those that change it.
    frame = grouped.steps(tiers=CURVE_POINTS)
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


def hours_histogram(waits: WaitTimes, clock: Clock) -> pd.DataFrame:
    """Return the period's in-order MQLs by time in the stage, in quarters of the SLA.

    Parameters
    ----------
    waits
        Waits from `waits.time_in_stage`.
    clock
        How it was counted, and the SLA.

    Returns
    -------
    pandas.DataFrame
        ``bin`` (0 is up to a quarter of the SLA; `terms.LAST_BIN` is everything later),
        ``hours_from``, ``hours_to``, ``outcome`` (``within SLA``, ``after SLA``, ``open``; where
        the SLA is on contact or some leads have one of their own, ``left`` instead of the first
        two) and ``leads``.
    """
    quarter = clock.sla_us // 4
    # A wait of exactly one SLA is within it, so that a bin takes in its upper end.
    place = ((waits.time - 1) // quarter).clip(0, LAST_BIN)
    is_by_sla = clock.params.is_sla_on_stage
    names = ["after SLA", "open", "within SLA" if is_by_sla else "left"]
    is_late = is_by_sla & (waits.time > 4 * quarter)
    outcome = np.where(waits.kind == 0, 1, np.where(is_late, 0, 2))
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
