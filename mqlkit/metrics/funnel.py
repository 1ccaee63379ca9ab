"""The funnel from created to won: what becomes of the leads of each stage, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from mqlkit.core.names import FUNNEL_STAGES, SMALL_N
from mqlkit.leads.cache import DATA
from mqlkit.leads.funnel import CONVERTED, LOST, OPEN, Step
from mqlkit.leads.integers import HOUR_US
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import WaitTimes, by_segment, of_cohort, sums_by_segment
from mqlkit.metrics.conversion import MQL_TO_SQL, Maturity, chances_of, incidence_of
from mqlkit.metrics.efficiency import is_immature
from mqlkit.metrics.tidy import share, with_flags
from mqlkit.stats.incidence import Incidence, expected_share
from mqlkit.stats.intervals import wilson
from mqlkit.stats.survival import Floats, Waits

FUNNEL_COLUMNS = [
    "from", "to", "bucket", "start", "end", "by", "name", "entered", "converted", "lost", "open",
    "conversion", "low", "high", "projected", "projected_low", "projected_high", "hours_mean",
    "hours_median", "hours_p90", "flags", "is_next",
]  # fmt: skip
STAGES = pd.Index(FUNNEL_STAGES)
PROJECTED = ("projected", "projected_low", "projected_high")


def funnel_steps(leads: LeadTable) -> list[Step]:
    """Return the steps between recorded stages.

    First those from each stage to the next, then those from the first stage to each later one, and
    MQL→SQL.
    """
    stages = _stages(leads)
    steps = [Step(*pair) for pair in pairwise(stages)]
    steps += [Step(stages[0], stage) for stage in stages[1:]]
    if {*MQL_TO_SQL} <= {*stages}:
        steps.append(MQL_TO_SQL)
    return list(dict.fromkeys(steps))


def _stages(leads: LeadTable) -> list[str]:
    return [stage for stage in FUNNEL_STAGES if leads.is_recorded(stage)]


def funnel(leads: LeadTable) -> pd.DataFrame:
    """Return what became of the leads that entered each stage of the funnel (metrics.md §9b).

    Parameters
    ----------
    leads
        The lead table.

    Returns
    -------
    pandas.DataFrame
        ``from``, ``to`` (stages), ``bucket`` (in which the leads entered the first stage),
        ``start``, ``end``, ``by``, ``name``; ``entered``, which is the sum of ``converted``,
        ``lost`` and ``open``; ``conversion`` [0, 1] with its Wilson interval ``low``, ``high``;
        ``projected`` with its prediction interval ``projected_low``, ``projected_high``; calendar
        hours until converted or lost: ``hours_mean``, ``hours_p90``, and ``hours_median``, in
        which open leads are censored (Kaplan–Meier); ``flags``; ``is_next``, whether ``to`` is the
        next recorded stage.
    """
    steps = funnel_steps(leads)
    # Steps from the same stage follow each other, because they share a query.
    frames = {step: _step(leads, step) for step in sorted(steps, key=lambda step: step.start)}
    if not steps:
        return pd.DataFrame(columns=FUNNEL_COLUMNS)
    return _stacked([frames[step] for step in steps])


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all steps; their labels stay categorical, since they may be millions."""
    known = union_categoricals([frame["name"].array for frame in frames], sort_categories=True)
    names = [frame.astype({"name": known.dtype}) for frame in frames]
    return pd.concat(names, ignore_index=True)


def _step(leads: LeadTable, step: Step) -> pd.DataFrame:
    waits = leads.cube.step(step)
    incidence, cohort = incidence_of(leads, waits), of_cohort(leads, waits)
    sums = _sums(leads, cohort, incidence)
    times = by_segment(leads, lambda _: cohort.in_order, _times, depends_on=DATA, of=step)
    found = {*zip(sums["by"], sums["name"], strict=True)}
    segments = [*leads.segments, *sorted(found - {*leads.segments})]
    counted = leads.grid(sums, segments=segments)
    hours = leads.grid(times, fill=np.nan, segments=segments)[["median", "p90"]]
    return _rows(leads, step, counted.join(hours), Maturity.of(incidence, None))


def _sums(leads: LeadTable, cohort: WaitTimes, incidence: Incidence) -> pd.DataFrame:
    """Return the counts of leads by outcome, and the sums that means and projections need."""
    is_timed = (cohort.kind != OPEN) & (cohort.time >= 0)
    values = {
        "converted": cohort.kind == CONVERTED,
        "lost": cohort.kind == LOST,
        "open": cohort.kind == OPEN,
        **chances_of(incidence, cohort),
        "timed": is_timed,
        "time": np.where(is_timed, cohort.time, 0),
    }
    return sums_by_segment(leads, cohort, values)


def _times(waits: Waits) -> dict[str, Floats]:
    return {"median": waits.median(), "p90": waits.quantile(0.9)}


def _rows(leads: LeadTable, step: Step, grid: pd.DataFrame, maturity: Maturity) -> pd.DataFrame:
    """Return the rows of a step from its sums and times."""
    entered = grid["converted"] + grid["lost"] + grid["open"]
    low, high = wilson(grid["converted"], entered)
    projected = expected_share(
        grid["converted"],
        entered,
        expected=grid["expected"],
        spread=grid["spread"],
        error=maturity.error,
    )
    flags = {
        "immature": is_immature(leads, grid, maturity),
        "small-n": (entered < SMALL_N).to_numpy(),
    }
    found = {
        "from": pd.Categorical([step.start], STAGES).repeat(len(grid)),
        "to": pd.Categorical([step.end], STAGES).repeat(len(grid)),
        **{c: grid[c] for c in ("bucket", "start", "end", "by", "name")},
        "entered": entered.astype("int64"),
        **{name: grid[name].astype("int64") for name in ("converted", "lost", "open")},
        "conversion": share(grid["converted"], entered),
        "low": low,
        "high": high,
        **dict(zip(PROJECTED, (bound.round(12) for bound in projected), strict=True)),
        "hours_mean": share(grid["time"], grid["timed"]) / HOUR_US,
        "hours_median": grid["median"] / HOUR_US,
        "hours_p90": grid["p90"] / HOUR_US,
        "flags": with_flags(grid["flags"], flags),
        "is_next": tuple(step) in set(pairwise(_stages(leads))),
    }
    return pd.DataFrame(found)
