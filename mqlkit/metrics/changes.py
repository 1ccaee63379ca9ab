"""Each bucket against the one before and a year before, and current streaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.periods import PREVIOUS, YEAR, is_whole, label_before, split_label
from mqlkit.metrics.tidy import complete, pick, share
from mqlkit.stats.intervals import Floats, count_bounds, square_and_add, wilson

# The mean wait is left out: the rows hold no spread of it, so that no interval would be honest.
COMPARED = (
    "mqls", "acceptance_rate", "efficiency", "sla_attainment", "contacted_within_1h",
    "cost_per_mql",
)  # fmt: skip
# The leads whose outcome can still move a share.
STILL_OPEN = {"acceptance_rate": "undecided", "sla_attainment": "sla_pending"}
# Why a difference is not to be read as a change; of several, the first is named.
HOLDS = {
    "in-progress": "it is not over yet",
    "part-bucket": "one of the two lies only partly in the period",
    "immature": "the cohort is too young, and more of its MQLs can still become SQLs",
    "unsettled": "those of its leads that are still open can undo the difference",
    "small-n": "one of the two has fewer than 30 leads",
    "spend-not-covered": "the spend data does not cover both",
}
KEYS = ["metric", "name", "bucket"]
PICKED = ["metric", "name", "bucket", "start", "end", "value", "n", "low", "high", "unit", "flags"]
STEP = ["kind", "bucket", "start", "start_before", "end_before"]
COLUMNS = [
    "metric", "name", "kind", "bucket", "against", "start", "end", "start_before", "end_before",
    "value", "before", "n", "n_before",
    "difference", "low", "high", "is_clear", "is_complete", "unit", "flags",
]  # fmt: skip
Arrays = dict[str, npt.NDArray[Any]]


def changes(
    rows: pd.DataFrame,
    *,
    earlier: pd.DataFrame | None = None,
    by: str | None = None,
    metrics: Sequence[str] = COMPARED,
    bursts: float = 1.0,
) -> pd.DataFrame:
    """Return the difference of each bucket to the one before, and to the same a year before.

    Parameters
    ----------
    rows
        Tidy rows of a report.
    earlier
        Tidy rows of an earlier period under the same parameters, for what ``rows`` lack.
    by
        A breakdown column, whose values come back as ``name``; all leads when left out.
    metrics
        Those to compare, of `COMPARED`.
    bursts
        Variance of weekly MQLs by their mean, as in `count_bounds`.

    Returns
    -------
    pandas.DataFrame
        One row per metric, name, bucket and ``kind`` that has a bucket to stand
        ``against``: ``value``, ``before``, their denominators, ``difference`` and its 95 % bounds;
        ``is_clear``, whether they leave out 0 and no flag of `HOLDS` is there; ``is_complete``,
        whether the bucket is over and wholly in the period; the ``flags`` of both. New among them:
        ``part-bucket``; ``unsettled`` (no longer clear if the leads that are undecided, or pending,
        beyond their share in the other bucket all went against it); ``unequal-days`` (a count that
        is not clear per day).

    Notes
    -----
    The bounds are `square_and_add` of those of the two buckets: Wilson's for shares (Newcombe
    1998), `count_bounds` for MQLs, spend / `count_bounds` for the cost, which takes spend as given
    and knows no chance but that in the number of MQLs. The whole period is compared with nothing.
    """
    now = past = _bounded(rows, metrics, by, bursts)
    if earlier is not None:
        then = _bounded(earlier, metrics, by, bursts)
        past = {name: np.concatenate([values, then[name]]) for name, values in now.items()}
    both = _paired(now, past)
    return pd.DataFrame({**both, **_differing(both)})[COLUMNS]


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `changes` for the last bucket that is over and wholly in the period."""
    last = found["start"][found["is_complete"]].max()
    return found[np.array(found["start"] == last, dtype=bool)].reset_index(drop=True)


def _bounded(rows: pd.DataFrame, metrics: Sequence[str], by: str | None, bursts: float) -> Arrays:
    """Return metrics per bucket, each with its bounds, days and open leads."""
    part = pick(rows, *metrics, "mqls", *STILL_OPEN.values(), by=by)
    every = {name: part[name].to_numpy() for name in PICKED}
    keys = list(zip(*(every[key] for key in KEYS), strict=True))
    known = dict(zip(keys, every["value"], strict=True))
    is_bucket = every["bucket"] != TOTAL
    at = [np.flatnonzero(is_bucket & (every["metric"] == metric)) for metric in metrics]
    found = {name: values[np.concatenate(at)] for name, values in every.items()}
    keys = list(zip(*(found[key] for key in KEYS), strict=True))
    # The leads whose outcome can still move the share, and all that they are of.
    still_open = [known.get((STILL_OPEN.get(m, ""), n, b), math.nan) for m, n, b in keys]
    mqls = [known.get(("mqls", n, b), math.nan) for _, n, b in keys]
    spans = list(zip(found["bucket"], found["start"], found["end"], strict=True))
    is_count, is_cost = found["unit"] == "leads", found["unit"] == "money/lead"
    spend = found["value"] * found["n"]
    least, most = count_bounds(np.where(is_count, found["value"], found["n"]), bursts=bursts)
    with np.errstate(divide="ignore", invalid="ignore"):
        dear = spend / least
    return {
        **found,
        "low": np.select([is_count, is_cost], [least, spend / most], found["low"]),
        "high": np.select([is_count, is_cost], [most, dear], found["high"]),
        "open": np.array(still_open, dtype=float),
        "mqls": np.array(mqls, dtype=float),
        "is_whole": np.array([is_whole(*span) for span in spans], dtype=bool),
        "days": np.array([(end - start).days for _, start, end in spans], dtype=float),
    }


def _paired(now: Arrays, past: Arrays) -> Arrays:
    """Return each bucket with the ones that it stands against, whose arrays end in ``_before``."""
    places = list(zip(*(past[key] for key in KEYS), strict=True))
    first = {key: at for at, key in reversed([*enumerate(places)])}
    pairs = [
        (kind, against, at, first[metric, name, against])
        for kind in (PREVIOUS, YEAR)
        for at, (metric, name, bucket) in enumerate(places[: len(now["value"])])
        if (metric, name, against := label_before(bucket, kind=kind)) in first
    ]
    kinds, labels, own, other = zip(*pairs, strict=True) if pairs else ((), (), (), ())
    both = {"kind": np.array(kinds, dtype=object), "against": np.array(labels, dtype=object)}
    both |= {name: values[np.array(own, dtype=int)] for name, values in now.items()}
    both |= {f"{name}_before": values[np.array(other, dtype=int)] for name, values in past.items()}
    steps = zip(*(both[name] for name in STEP), strict=True)
    is_in_step = np.array([_is_in_step(*step) for step in steps], dtype=bool)
    return {name: values[is_in_step] for name, values in both.items()}


def _is_in_step(kind: str, bucket: str, start: date, start_before: date, end_before: date) -> bool:
    """Return whether two buckets lie as their labels say; those of other fiscal years do not."""
    if kind == YEAR and split_label(bucket)[1] != "W":
        return start.month == start_before.month
    return kind == YEAR or end_before == start


def _between(both: Arrays, *, pace: float | Floats = 1.0) -> tuple[Floats, Floats]:
    """Return the bounds of the difference, the earlier side taken ``pace`` times."""
    sides = [np.stack([both[c], both[f"{c}_before"]], axis=-1) for c in ("value", "low", "high")]
    size = len(both["value"])
    weights = np.stack(np.broadcast_arrays(np.ones(size), -np.asarray(pace)), axis=-1)
    return square_and_add(weights, *sides)


def _at_worst(both: Arrays) -> tuple[Floats, Floats]:
    """Return the bounds of the difference if the open leads in excess all went against it."""
    usual = share(both["open_before"], both["mqls_before"])
    spare = np.nan_to_num(np.maximum(both["open"] - usual * both["mqls"], 0))
    n, is_up = both["n"] + spare, both["value"] > both["value_before"]
    hits = both["value"] * both["n"] + np.where(is_up, 0, spare)
    low, high = wilson(hits, n)
    return _between({**both, "value": share(hits, n), "low": low, "high": high})


def _differing(both: Arrays) -> Arrays:
    """Return the difference of pairs of buckets, its bounds, and what stands against it."""
    is_count = both["unit"] == "leads"
    low, high = _between(both)
    is_off = (low > 0) | (high < 0)
    by_day = _between(both, pace=np.where(is_count, both["days"] / both["days_before"], 1))
    marks = {"part-bucket": ~(both["is_whole"] & both["is_whole_before"])}
    for name, can, (least, most) in (
        ("unsettled", ~np.isnan(both["open"]), _at_worst(both)),
        ("unequal-days", is_count, by_day),
    ):
        marks[name] = can & is_off & ~np.where(low > 0, least > 0, most < 0)
    flags = [
        tuple(dict.fromkeys([*own, *other, *(name for name, mask in marks.items() if mask[i])]))
        for i, (own, other) in enumerate(zip(both["flags"], both["flags_before"], strict=True))
    ]
    is_held = np.array([bool({*HOLDS, "unequal-days"} & {*names}) for names in flags], dtype=bool)
    is_over = np.array(["in-progress" not in own for own in both["flags"]], dtype=bool)
    return {
        "before": both["value_before"],
        "difference": both["value"] - both["value_before"],
        "low": low,
        "high": high,
        "is_clear": is_off & ~is_held,
        "is_complete": both["is_whole"] & is_over,
        "flags": pd.Series(flags, dtype=object).to_numpy(),
    }


@dataclass(frozen=True)
class Run:
    """Buckets without a gap up to the last complete one, and how they stand to those before.

    Attributes
    ----------
    first, last
        Labels of its first and its last bucket.
    follows
        Label of the bucket before it; empty where the run begins with the period.
    level, before
        The figure of the run, and of what it is compared with; NaN where there is nothing.
    """

    first: str
    last: str
    follows: str
    level: float
    before: float


def lower_run(rows: pd.DataFrame) -> Run | None:
    """Return the longest run of buckets that keep the SLA less often than all before them.

    Every bucket of the run is lower than all buckets before the run together, so that the 95 %
    interval of the difference leaves out 0 (Newcombe 1998). None where there is no such run, or one
    of its buckets has fewer than 30 leads.

    Parameters
    ----------
    rows
        Tidy rows; reads sla_attainment.

    Returns
    -------
    Run or None
        ``level`` and ``before`` are the attainment of the run, and of all buckets before it.
    """
    shares = complete(rows, "sla_attainment")
    n = shares["n"].fillna(0).to_numpy(dtype=float)
    met = np.rint(np.nan_to_num(shares["value"].to_numpy(dtype=float)) * n)
    for first in range(1, len(n)):
        met_before, n_before = met[:first].sum(), n[:first].sum()
        if n_before < SMALL_N or (n[first:] < SMALL_N).any():
            continue
        if (_highest_difference(met[first:], n[first:], met_before, n_before) < 0).all():
            level = met[first:].sum() / n[first:].sum()
            return _run(shares, first, level, met_before / n_before)
    return None


def _run(part: pd.DataFrame, first: int, level: float, before: float) -> Run:
    labels = [str(label) for label in part["bucket"]]
    return Run(labels[first], labels[-1], labels[first - 1] if first else "", level, before)


def _highest_difference(hits: Floats, n: Floats, all_hits: float, all_n: float) -> Floats:
    """Return the upper 95 % bound of each share less that of another group."""
    top = np.stack([hits, np.full_like(hits, all_hits)], axis=-1)
    bottom = np.stack([n, np.full_like(n, all_n)], axis=-1)
    return square_and_add([1, -1], top / bottom, *wilson(top, bottom))[1]
