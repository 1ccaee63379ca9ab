"""What changed: each bucket beside the one before it and beside the same one a year before."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

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
    rows: pd.DataFrame, *, earlier: pd.DataFrame | None = None, by: str | None = None
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

    Returns
    -------
    pandas.DataFrame
        One row per metric of `COMPARED`, name, bucket and ``kind`` that has a bucket to stand
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
    now = _bounded(rows, by)
    past = now if earlier is None else pd.concat([now, _bounded(earlier, by)], ignore_index=True)
    past = past.drop_duplicates(KEYS).add_suffix("_before")
    both = pd.concat([now.assign(kind=kind) for kind in (PREVIOUS, YEAR)], ignore_index=True)
    pairs = zip(both["bucket"], both["kind"], strict=True)
    against = [label_before(bucket, kind=kind) for bucket, kind in pairs]
    both["against"] = pd.Series(against, index=both.index, dtype="str")
    keys = ["metric", "name", "against"]
    both = both.merge(past, left_on=keys, right_on=[f"{key}_before" for key in KEYS])
    in_step = [_is_in_step(pair) for pair in both.to_dict("records")]
    found = _differing(both[np.array(in_step, dtype=bool)].reset_index(drop=True))
    return found.rename(columns={"value_before": "before"})[COLUMNS]


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `changes` for the last bucket that is over and wholly in the period."""
    last = found["start"][found["is_complete"]].max()
    return found[np.array(found["start"] == last, dtype=bool)].reset_index(drop=True)


def _bounded(rows: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return the compared metrics per bucket, each with its bounds, days and open leads."""
    picked = pd.concat([_named(rows, metric, by) for metric in COMPARED], ignore_index=True)
    spend = picked["value"] * picked["n"]
    least, most = count_bounds(picked["value"].where(picked["unit"] == "leads", picked["n"]))
    units = [picked["unit"] == unit for unit in ("leads", "money/lead")]
    picked["low"] = np.select(units, [least, spend / most], picked["low"])
    picked["high"] = np.select(units, [most, spend.to_numpy() / least], picked["high"])
    spans = zip(picked["bucket"], picked["start"], picked["end"], strict=True)
    picked["is_whole"] = [is_whole(*span) for span in spans]
    picked["days"] = [(e - s).days for s, e in zip(picked["start"], picked["end"], strict=True)]
    return picked.merge(_open_leads(rows, by), on=KEYS, how="left")


def _named(rows: pd.DataFrame, metric: str, by: str | None) -> pd.DataFrame:
    part = pick(rows, metric, by=by)
    part = part[part["bucket"] != TOTAL]
    return part if by else part.assign(name="")


def _open_leads(rows: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return ``open`` leads and all ``mqls`` for the shares that the open ones can move."""
    mqls = _named(rows, "mqls", by)[["name", "bucket", "value"]].rename(columns={"value": "mqls"})
    parts = [_named(rows, still, by).assign(metric=metric) for metric, still in STILL_OPEN.items()]
    leads = pd.concat(parts, ignore_index=True)[[*KEYS, "value"]].rename(columns={"value": "open"})
    return leads.merge(mqls, on=["name", "bucket"])


def _is_in_step(pair: Mapping[Hashable, Any]) -> bool:
    """Return whether two buckets lie as their labels say; those of other fiscal years do not."""
    if pair["kind"] == YEAR and split_label(pair["bucket"])[1] != "W":
        return bool(pair["start"].month == pair["start_before"].month)
    return pair["kind"] == YEAR or bool(pair["end_before"] == pair["start"])


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
