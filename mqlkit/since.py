"""Since when: the bucket from which on sales has been over its SLA, or has kept it less often."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlkit.differences import is_whole, square_and_add
from mqlkit.estimators import Floats, wilson
from mqlkit.params import ReportParams
from mqlkit.sentences import BAD, PLAIN, Verdict
from mqlkit.terms import SMALL_N, TOTAL
from mqlkit.tidy import pick
from mqlkit.wording import bucket_name, duration, percent


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


def complete(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a metric of all leads in the buckets that are over and wholly in the period."""
    part = pick(rows, metric)
    part = part[part["bucket"] != TOTAL]
    spans = zip(part["bucket"], part["start"], part["end"], part["flags"], strict=True)
    kept = [is_whole(b, s, e) and "in-progress" not in f for b, s, e, f in spans]
    return part[np.array(kept, dtype=bool)].reset_index(drop=True)


def pace_run(rows: pd.DataFrame, *, sla_hours: float) -> Run | None:
    """Return the run of buckets whose mean wait lies on the same side of the SLA as the last one's.

    A bucket that fewer than 30 leads left breaks the run; None where the last one is such.

    Parameters
    ----------
    rows
        Tidy rows; reads hours_in_stage_mean.
    sla_hours
        The SLA on the same clock.

    Returns
    -------
    Run or None
        ``level`` is the mean of the last bucket, ``before`` that of the bucket before the run.
    """
    waits = complete(rows, "hours_in_stage_mean")
    # 1 is over, 0 within, -1 too few to tell.
    sides = np.where(waits["n"] >= SMALL_N, waits["value"] > sla_hours, -1)
    if not len(sides) or sides[-1] < 0:
        return None
    others = np.flatnonzero(sides != sides[-1])
    first = int(others[-1]) + 1 if len(others) else 0
    is_known = first > 0 and sides[first - 1] >= 0
    before = float(waits["value"].iloc[first - 1]) if is_known else math.nan
    return _run(waits, first, float(waits["value"].iloc[-1]), before)


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


def judge_since(rows: pd.DataFrame, params: ReportParams) -> Verdict | None:
    """Return since when sales has been over the SLA on average, and has kept it less often.

    Parameters
    ----------
    rows
        Tidy rows of a report.
    params
        Its parameters. Where the SLA stops on contact the mean wait says nothing about it.

    Returns
    -------
    Verdict or None
        In the words of `pace_run` and `lower_run`; None where neither has anything to tell.
    """
    is_contact = params.sla_stops_on == "contact"
    pace = None if is_contact else pace_run(rows, sla_hours=params.sla_hours)
    lower = lower_run(rows)
    told = [*([_tell_pace(pace, params)] if pace else []), *([_tell_lower(lower)] if lower else [])]
    is_bad = bool(lower) or (pace is not None and pace.level > params.sla_hours)
    return Verdict(" ".join(told), BAD if is_bad else PLAIN) if told else None


def _tell_pace(run: Run, params: ReportParams) -> str:
    first, last, follows = (bucket_name(b) if b else "" for b in (run.first, run.last, run.follows))
    side = "over" if run.level > params.sla_hours else "within"
    now = _taken(run.level, params)
    when = f"since {first}" if follows else f"in every bucket from {first} on, the first shown"
    text = f"By the mean wait of the leads that left, sales has been {side} the SLA of"
    change = "" if math.isnan(run.before) else f", after {_taken(run.before, params)} in {follows}"
    return f"{text} {params.sla_words} {when}: {now} in {last}{change}."


def _taken(hours: float, params: ReportParams) -> str:
    words = duration(hours, day_hours=params.day_hours)
    # A mean a little over the SLA must not read as equal to it.
    is_equal = words == duration(params.sla_hours, day_hours=params.day_hours)
    unit = "hours" if params.day_hours == 24 else "working hours"
    return f"{hours:,.2f} {unit}" if is_equal else words


def _tell_lower(run: Run) -> str:
    return (
        f"In every bucket since {bucket_name(run.first)} the SLA was kept less often than before: "
        f"for {percent(run.level)} of the MQLs, against {percent(run.before)}."
    )
