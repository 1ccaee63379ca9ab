"""A change of conversion, split into mix shift and rate effect."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import PREVIOUS, label_before
from mqlkit.metrics.changes import HOLDS, changes
from mqlkit.metrics.tidy import pick, share
from mqlkit.stats.intervals import Floats, square_and_add, wilson

METRIC = "efficiency"
MIX_COLUMNS = [
    "name", "is_total", "bucket", "against", "n", "n_before", "share", "share_before", "value",
    "before", "mix", "rate", "difference", "low", "high", "mix_low", "mix_high", "rate_low",
    "rate_high", "flags",
]  # fmt: skip


def efficiency_mix_and_rate(
    rows: pd.DataFrame,
    *,
    by: str,
    bucket: str | None = None,
    against: str | None = None,
    earlier: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the change of efficiency, split into the mix of segments and the rate within each.

    Parameters
    ----------
    rows
        Tidy rows of a report that is broken down by ``by``.
    by
        The breakdown column.
    bucket, against
        Labels of two buckets. When left out: the last bucket that can be compared as it stands
        (over, whole, mature, not small), and the one before ``bucket``.
    earlier
        Tidy rows of an earlier period, for an ``against`` that ``rows`` lack.

    Returns
    -------
    pandas.DataFrame
        One row per value of ``by`` with an MQL in either bucket (``name``), the largest effect
        first, and a last one for all (``is_total``): ``n`` and ``n_before`` leads, their ``share``
        of all, efficiency (``value``, ``before``), ``mix`` + ``rate`` = ``difference``, as shares;
        for all of them also the 95 % bounds of the three, and the ``flags`` of both buckets. Empty
        where a bucket is missing or has no lead whose outcome counts.

    Notes
    -----
    See `mix_and_rate`. The bounds are `square_and_add` on Wilson's; those of mix and rate take the
    shares of the segments as given.
    """
    rows = rows[rows["metric"] == METRIC]
    bucket = bucket or _last_comparable(changes(rows, earlier=earlier, metrics=[METRIC]))
    against = against or label_before(bucket, kind=PREVIOUS) if bucket else None
    if bucket is None or against is None:
        return pd.DataFrame(columns=MIX_COLUMNS)
    sources = rows if earlier is None else pd.concat([rows, earlier], ignore_index=True)
    parts = _segments(pick(sources, METRIC, by=by), bucket, against)
    if not (parts["n"].sum() and parts["n_before"].sum()):
        return pd.DataFrame(columns=MIX_COLUMNS)
    split = _split(parts)
    overall = pick(sources, METRIC)
    flags = [*_flags(overall, bucket), *_flags(overall, against)]
    named = pd.concat([split.reset_index(names="name"), _total(split)], ignore_index=True)
    noted = pd.Series([*([()] * len(split)), tuple(dict.fromkeys(flags))], dtype=object)
    named = named.assign(bucket=bucket, against=against, flags=noted)
    return named.reindex(columns=MIX_COLUMNS)


def mix_and_rate(
    shares: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    shares_before: npt.ArrayLike,
    before: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    r"""Return what each segment's share of all, and what its own rate, adds to a change.

    Parameters
    ----------
    shares, value
        The segments' shares of all, which add up to 1, and their rates; NaN where one is empty.
    shares_before, before
        The same before the change.

    Returns
    -------
    mix, rate
        One per segment; together they add up to the change of the overall rate.

    Notes
    -----
    .. math:: \Delta P = \sum \Delta s_i (\bar p_i - \bar P) + \sum \bar s_i \Delta p_i

    with bars for the mean of before and after: the same backwards in time, nothing left over, the
    Shapley value of the two causes. Kitagawa, E. M. (1955), Components of a difference between two
    rates, J. Am. Stat. Assoc. 50:1168-1194. The overall mean adds nothing to the sum; with it a
    segment that grew counts as negative mix where it is weaker than the whole. A segment that is
    empty on one side has no change of rate: all of it is mix.

    Examples
    --------
    A weak segment grows from half to three quarters of all, and both convert as before.

    >>> mix_and_rate([0.75, 0.25], [0.1, 0.5], shares_before=[0.5, 0.5], before=[0.1, 0.5])
    (array([-0.0375, -0.0625]), array([0., 0.]))
    """
    s, p, s0, p0 = (np.asarray(x, dtype=float) for x in (shares, value, shares_before, before))
    p, p0 = np.where(np.isnan(p), p0, p), np.where(np.isnan(p0), p, p0)
    overall = ((s * p).sum() + (s0 * p0).sum()) / 2
    return (s - s0) * ((p + p0) / 2 - overall), (s + s0) / 2 * (p - p0)


def is_comparable(parts: pd.DataFrame) -> bool:
    """Return whether there is a split, and no flag of `HOLDS` against reading it as final."""
    return len(parts) > 0 and not HOLDS.keys() & {*parts["flags"].iloc[-1]}


def largest(parts: pd.DataFrame, most: int, *, rest: str) -> pd.DataFrame:
    """Return the segments with the largest effect, those beyond ``most`` summed up as ``rest``."""
    n_segments = len(parts) - 1
    if n_segments <= most:
        return parts
    other = parts.iloc[most - 1 : n_segments]
    summed = parts.iloc[[most - 1]].assign(name=rest, value=np.nan, before=np.nan)
    for column in ("n", "n_before", "share", "share_before", "mix", "rate", "difference"):
        summed[column] = other[column].sum()
    kept = [parts.iloc[: most - 1], summed, parts.iloc[[-1]]]
    return pd.concat(kept, ignore_index=True)


def _last_comparable(found: pd.DataFrame) -> str | None:
    columns = ("kind", "bucket", "difference", "flags")
    free = [
        bucket
        for kind, bucket, size, flags in zip(*(found[c] for c in columns), strict=True)
        if kind == PREVIOUS and not (math.isnan(size) or HOLDS.keys() & {*flags})
    ]
    return free[-1] if free else None


def _segments(found: pd.DataFrame, bucket: str, against: str) -> pd.DataFrame:
    """Return the segments with a lead in either bucket: their leads and rates in both."""
    places = zip(found["name"], found["bucket"], strict=True)
    known = dict(zip(places, zip(found["n"], found["value"], strict=True), strict=True))
    nothing = (0.0, math.nan)
    parts = [
        (name, *known.get((name, bucket), nothing), *known.get((name, against), nothing))
        for name in sorted(set(found["name"]))
    ]
    columns = ["name", "n", "value", "n_before", "before"]
    shown = pd.DataFrame(parts, columns=columns).set_index("name")
    return shown[shown["n"] + shown["n_before"] > 0]


def _flags(overall: pd.DataFrame, bucket: str) -> tuple[str, ...]:
    return next((tuple(f) for f in overall["flags"][overall["bucket"] == bucket]), ())


def _split(parts: pd.DataFrame) -> pd.DataFrame:
    """Return segments with their shares, mix and rate, the largest effect first."""
    parts = parts.copy()
    parts["share"] = parts["n"] / parts["n"].sum()
    parts["share_before"] = parts["n_before"] / parts["n_before"].sum()
    parts["mix"], parts["rate"] = mix_and_rate(
        parts["share"], parts["value"], shares_before=parts["share_before"], before=parts["before"]
    )
    parts["difference"] = parts["mix"] + parts["rate"]
    parts["is_total"] = False
    size = parts["mix"].abs() + parts["rate"].abs()
    return parts.loc[size.sort_values(ascending=False, kind="stable").index]


def _total(split: pd.DataFrame) -> pd.DataFrame:
    """Return the row of all segments, with the bounds of the change and of its two parts."""
    n = split[["n", "n_before"]].to_numpy(dtype=float)
    hits = np.rint(np.nan_to_num(split[["value", "before"]].to_numpy(dtype=float)) * n)
    all_n, all_hits = n.sum(axis=0), hits.sum(axis=0)
    grown = (split["share"] - split["share_before"]).to_numpy(dtype=float)
    middle = split[["share", "share_before"]].to_numpy(dtype=float).mean(axis=1)
    row: dict[str, object] = {"is_total": True, "share": 1.0, "share_before": 1.0}
    row["n"], row["n_before"] = all_n
    row["value"], row["before"] = all_hits / all_n
    row |= {name: split[name].sum() for name in ("mix", "rate", "difference")}
    row["low"], row["high"] = square_and_add([1, -1], all_hits / all_n, *wilson(all_hits, all_n))
    for name, weights in (("mix", [grown / 2, grown / 2]), ("rate", [middle, -middle])):
        row[f"{name}_low"], row[f"{name}_high"] = _linear(np.stack(weights, axis=-1), hits, n)
    return pd.DataFrame([row])


def _linear(weights: Floats, hits: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of a weighted sum of the segments' rates before and after."""
    # The one rate of a segment that is empty on the other side stands for both.
    own = np.where(n > 0, weights + np.where(n[:, ::-1] > 0, 0, weights[:, ::-1]), 0)
    low, high = wilson(hits, n)
    rates = (np.nan_to_num(x).ravel() for x in (share(hits, n), low, high))
    return square_and_add(own.ravel(), *rates)
