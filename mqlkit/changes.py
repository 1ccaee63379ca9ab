"""What changed: each bucket beside the one before it and beside the same one a year before."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from mqlkit.differences import count_bounds, square_and_add
from mqlkit.estimators import Floats, wilson
from mqlkit.periods import Calendar, add_months
from mqlkit.terms import TOTAL
from mqlkit.tidy import pick

PREVIOUS, YEAR = "bucket before", "year before"
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
    "unsettled": "clearly more of its leads are still open",
    "small-n": "one of the two has fewer than 30 leads",
    "spend-not-covered": "the spend data does not cover both",
}
BUCKETS_IN_YEAR = {"W": 52, "Q": 4, "H": 2}
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
        ``part-bucket``; ``unsettled`` (clearly more leads undecided, or pending, than before);
        ``unequal-days`` (a count whose change the number of days explains).

    Notes
    -----
    The bounds are `square_and_add` of those of the two buckets: Wilson's for shares (Newcombe
    1998), `count_bounds` for MQLs, and spend / `count_bounds` for the cost, which takes spend as
    given and knows no chance but that in the number of MQLs. For years the year before is the
    bucket before, and comes once. The whole period is compared with nothing.
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
    found = found.rename(columns={"value_before": "before"})
    return found[COLUMNS]


def latest(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `changes` for the last bucket that is over and wholly in the period."""
    complete = found[found["is_complete"]]
    return complete[complete["start"] == complete["start"].max()].reset_index(drop=True)


def split_label(label: str) -> tuple[int, str, int, int]:
    """Return year, letter and number of a label, and how many such buckets a year has.

    >>> split_label("2026-Q1"), split_label("2026-05"), split_label("2026")
    ((2026, 'Q', 1, 4), (2026, '', 5, 12), (2026, '', 1, 1))
    """
    year, _, part = label.partition("-")
    letter = part[:1] if part[:1] in BUCKETS_IN_YEAR else ""
    in_year = BUCKETS_IN_YEAR.get(letter, 12 if part else 1)
    return int(year), letter, int(part.removeprefix(letter) or 1), in_year


def label_before(label: str, *, kind: str = PREVIOUS) -> str:
    """Return the label of the bucket before, or of the same bucket a year before.

    A week's year is 52 weeks, so that weekdays agree; next to a year of 53 its number moves by
    one. Fiscal labels count alike and need no calendar. Empty for the year before a year.

    Examples
    --------
    >>> label_before("2026-01"), label_before("2026-Q1"), label_before("2026-W01")
    ('2025-12', '2025-Q4', '2025-W52')
    >>> label_before("2026-H1", kind=YEAR), label_before("2027-W01", kind=YEAR)
    ('2025-H1', '2026-W02')
    """
    year, letter, number, in_year = split_label(label)
    if in_year == 1:
        return f"{year - 1}" if kind == PREVIOUS else ""
    back = 1 if kind == PREVIOUS else in_year
    if letter == "W":
        monday = date.fromisocalendar(year, number, 1) - timedelta(weeks=back)
        return Calendar().label(monday, "week")
    year, place = divmod(year * in_year + number - 1 - back, in_year)
    return f"{year}-{letter}{place + 1}" if letter else f"{year}-{place + 1:02}"


def _bounded(rows: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return the compared metrics per bucket, each with bounds, days and its open leads."""
    picked = pd.concat([_named(rows, metric, by) for metric in COMPARED], ignore_index=True)
    spend = picked["value"] * picked["n"]
    least, most = count_bounds(picked["value"].where(picked["unit"] == "leads", picked["n"]))
    units = [picked["unit"] == unit for unit in ("leads", "money/lead")]
    picked["low"] = np.select(units, [least, spend / most], picked["low"])
    picked["high"] = np.select(units, [most, spend.to_numpy() / least], picked["high"])
    spans = zip(picked["bucket"], picked["start"], picked["end"], strict=True)
    picked["is_whole"] = [is_whole(*span) for span in spans]
    picked["days"] = [(e - s).days for s, e in zip(picked["start"], picked["end"], strict=True)]
    return picked.merge(_open_shares(rows, by), on=KEYS, how="left")


def _named(rows: pd.DataFrame, metric: str, by: str | None) -> pd.DataFrame:
    part = pick(rows, metric, by=by)
    part = part[part["bucket"] != TOTAL]
    return part if by else part.assign(name="")


def _open_shares(rows: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return the share of MQLs whose outcome is open, for the metrics that it can still move."""
    mqls = _named(rows, "mqls", by)[["name", "bucket", "value"]].rename(columns={"value": "mqls"})
    parts = [_named(rows, still, by).assign(metric=metric) for metric, still in STILL_OPEN.items()]
    found = pd.concat(parts, ignore_index=True)[[*KEYS, "value"]].merge(mqls, on=["name", "bucket"])
    found["open"] = found["value"] / found["mqls"].where(found["mqls"] > 0)
    found["open_low"], found["open_high"] = wilson(found["value"], found["mqls"])
    return found.drop(columns=["value", "mqls"])


def is_whole(label: str, start: date, end: date) -> bool:
    """Return whether a bucket was cut by neither end of the period."""
    _, letter, _, in_year = split_label(label)
    if letter == "W":
        return (end - start).days == 7
    return start.day == 1 and end == add_months(start, 12 // in_year)


def _is_in_step(pair: Mapping[Hashable, Any]) -> bool:
    """Return whether two buckets lie as their labels say; those of other fiscal years do not."""
    if pair["kind"] == PREVIOUS:
        return bool(pair["end_before"] == pair["start"])
    is_week = split_label(pair["bucket"])[1] == "W"
    return is_week or bool(pair["start"].month == pair["start_before"].month)


def _between(both: pd.DataFrame, name: str, *, pace: float | Floats = 1.0) -> tuple[Floats, Floats]:
    """Return the bounds of a difference, the earlier side taken ``pace`` times."""
    columns = [name, *("low", "high")] if name == "value" else [name, f"{name}_low", f"{name}_high"]
    sides = [np.stack([both[c], both[f"{c}_before"]], axis=-1) for c in columns]
    weights = np.stack(np.broadcast_arrays(np.ones(len(both)), -np.asarray(pace)), axis=-1)
    return square_and_add(weights, *sides)


def _differing(both: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of buckets with their difference, its bounds, and what stands against it."""
    is_count = (both["unit"] == "leads").to_numpy()
    low, high = _between(both, "value")
    by_day = _between(both, "value", pace=np.where(is_count, both["days"] / both["days_before"], 1))
    is_off = (low > 0) | (high < 0)
    marks = {
        "part-bucket": ~(both["is_whole"] & both["is_whole_before"]).to_numpy(),
        "unsettled": _between(both, "open")[0] > 0,
        "unequal-days": is_off & ~np.where(low > 0, by_day[0] > 0, by_day[1] < 0),
    }
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
