"""What changed: each bucket beside the one before it and beside the same one a year before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from mqlkit.differences import (
    PREVIOUS,
    YEAR,
    count_bounds,
    is_whole,
    label_before,
    split_label,
    square_and_add,
)
from mqlkit.estimators import Floats, wilson
from mqlkit.terms import TOTAL
from mqlkit.tidy import pick

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
    "immature": "it is too young, and more of its MQLs will still become SQLs",
    "unsettled": "those of its leads that are still open can undo the difference",
    "small-n": "one of the two has fewer than 30 leads",
    "spend-not-covered": "the spend data does not cover both",
}
KEYS = ["metric", "name", "bucket"]
COLUMNS = [
    "metric", "name", "kind", "bucket", "against", "start", "value", "before", "n", "n_before",
    "difference", "low", "high", "is_clear", "is_complete", "unit", "flags",
]  # fmt: skip


def changes(
    rows: pd.DataFrame,
    *,
    earlier: pd.DataFrame | None = None,
    by: str | None = None,
    metrics: Sequence[str] = COMPARED,
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
    now = _bounded(rows, metrics, by)
    past = now
    if earlier is not None:
        past = pd.concat([now, _bounded(earlier, metrics, by)], ignore_index=True)
    pairs = pd.DataFrame(_pairs(now, past), columns=["kind", "against", "at", "at_before"])
    own = now.take(pairs["at"].to_numpy(dtype="int64")).reset_index(drop=True)
    other = past.take(pairs["at_before"].to_numpy(dtype="int64")).reset_index(drop=True)
    both = pd.concat([pairs[["kind", "against"]], own, other.add_suffix("_before")], axis=1)
    found = _differing(both)
    return found.rename(columns={"value_before": "before"})[COLUMNS]


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `changes` for the last bucket that is over and wholly in the period."""
    last = found["start"][found["is_complete"]].max()
    return found[np.array(found["start"] == last, dtype=bool)].reset_index(drop=True)


def _bounded(rows: pd.DataFrame, metrics: Sequence[str], by: str | None) -> pd.DataFrame:
    """Return metrics per bucket, each with its bounds, days and open leads."""
    picked = _named(rows, metrics, by)
    picked = picked.sort_values(
        "metric", key=lambda names: names.map(COMPARED.index), kind="stable"
    )
    is_count, is_cost = (picked["unit"] == unit for unit in ("leads", "money/lead"))
    spend = picked["value"] * picked["n"]
    least, most = count_bounds(picked["value"].where(is_count, picked["n"]))
    spans = list(zip(picked["bucket"], picked["start"], picked["end"], strict=True))
    return picked.assign(
        low=np.select([is_count, is_cost], [least, spend / most], picked["low"]),
        high=np.select([is_count, is_cost], [most, spend.to_numpy() / least], picked["high"]),
        is_whole=[is_whole(*span) for span in spans],
        days=[(end - start).days for _, start, end in spans],
        **_open_leads(rows, picked, by),
    )


def _named(rows: pd.DataFrame, metrics: Iterable[str], by: str | None) -> pd.DataFrame:
    part = pick(rows, *metrics, by=by)
    part = part[part["bucket"] != TOTAL]
    return part if by else part.assign(name="")


def _keys(part: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(*(part[key] for key in KEYS), strict=True))


def _open_leads(rows: pd.DataFrame, picked: pd.DataFrame, by: str | None) -> dict[str, list[float]]:
    """Return ``open`` leads and all ``mqls`` for the shares that the open ones can move."""
    counts = _named(rows, ["mqls", *STILL_OPEN.values()], by)
    known = dict(zip(_keys(counts), counts["value"], strict=True))
    keys = _keys(picked)
    return {
        "open": [known.get((STILL_OPEN.get(m, ""), n, b), math.nan) for m, n, b in keys],
        "mqls": [known.get(("mqls", n, b), math.nan) for _, n, b in keys],
    }


def _pairs(now: pd.DataFrame, past: pd.DataFrame) -> list[tuple[str, str, int, int]]:
    """Return kind, label and the two places of each bucket and the one it stands against."""
    first = {key: at for at, key in reversed([*enumerate(_keys(past))])}
    begins, ends = past["start"].tolist(), past["end"].tolist()
    found = []
    for kind in (PREVIOUS, YEAR):
        for at, (metric, name, bucket) in enumerate(_keys(now)):
            against = label_before(bucket, kind=kind)
            before = first.get((metric, name, against))
            if before is None:
                continue
            # Buckets lie as their labels say, but for those of other fiscal years.
            is_by_month = kind == YEAR and split_label(bucket)[1] != "W"
            is_next = kind == YEAR or ends[before] == begins[at]
            if begins[at].month == begins[before].month if is_by_month else is_next:
                found.append((kind, against, at, before))
    return found


def _between(both: pd.DataFrame, *, pace: float | Floats = 1.0) -> tuple[Floats, Floats]:
    """Return the bounds of the difference, the earlier side taken ``pace`` times."""
    sides = [np.stack([both[c], both[f"{c}_before"]], axis=-1) for c in ("value", "low", "high")]
    weights = np.stack(np.broadcast_arrays(np.ones(len(both)), -np.asarray(pace)), axis=-1)
    return square_and_add(weights, *sides)


def _at_worst(both: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the bounds of the difference if the open leads in excess all went against it."""
    usual = both["open_before"] / both["mqls_before"].where(both["mqls_before"] > 0)
    spare = (both["open"] - usual * both["mqls"]).clip(lower=0).fillna(0)
    n, is_up = both["n"] + spare, both["value"] > both["value_before"]
    hits = both["value"] * both["n"] + spare.where(~is_up, 0)
    low, high = wilson(hits, n)
    return _between(both.assign(value=hits / n.where(n > 0), low=low, high=high))


def _differing(both: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of buckets with their difference, its bounds, and what stands against it."""
    is_count = (both["unit"] == "leads").to_numpy()
    is_moving = both["open"].notna().to_numpy()
    low, high = _between(both)
    is_off = (low > 0) | (high < 0)
    by_day = _between(both, pace=np.where(is_count, both["days"] / both["days_before"], 1))
    marks = {"part-bucket": ~(both["is_whole"] & both["is_whole_before"]).to_numpy()}
    for name, can, (least, most) in (
        ("unsettled", is_moving, _at_worst(both)),
        ("unequal-days", is_count, by_day),
    ):
        marks[name] = can & is_off & ~np.where(low > 0, least > 0, most < 0)
    flags = [
        tuple(dict.fromkeys([*own, *other, *(name for name, mask in marks.items() if mask[i])]))
        for i, (own, other) in enumerate(zip(both["flags"], both["flags_before"], strict=True))
    ]
    is_held = np.array([bool({*HOLDS, "unequal-days"} & {*names}) for names in flags], dtype=bool)
    is_over = np.array(["in-progress" not in own for own in both["flags"]], dtype=bool)
    return both.assign(
        difference=both["value"] - both["value_before"],
        low=low,
        high=high,
        is_clear=is_off & ~is_held,
        is_complete=both["is_whole"].to_numpy(dtype=bool) & is_over,
        flags=pd.Series(flags, index=both.index, dtype=object),
    )
