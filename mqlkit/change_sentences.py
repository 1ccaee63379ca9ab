"""Verdicts on change: what is clear, what is not, what cannot be compared yet, and since when."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mqlkit.changes import HOLDS, PREVIOUS, YEAR, is_whole, latest
from mqlkit.differences import square_and_add
from mqlkit.estimators import wilson
from mqlkit.params import ReportParams
from mqlkit.sentences import BAD, GOOD, PLAIN, Verdict
from mqlkit.terms import METRICS, SMALL_N, TOTAL
from mqlkit.tidy import pick
from mqlkit.wording import bucket_name, count, duration, listed, money, percent

Row = Mapping[Hashable, Any]

# More MQLs are neither good nor bad by themselves: that is for the goal to say.
BETTER = {"mqls": 0, "cost_per_mql": -1}
CHANCE = (
    "Such intervals miss in one case of twenty: of many comparisons, some look clear by chance."
)


def judge_changes(found: pd.DataFrame, *, currency: str = "") -> list[Verdict]:
    """Return what changed in the last complete bucket, and what did not or cannot be told.

    Parameters
    ----------
    found
        What `changes.changes` returns for all leads.
    currency
        Of the spend.

    Returns
    -------
    list of Verdict
        Against the bucket before and, where there is one, against the year before: one per clear
        change, one for all that shows none, one per number that cannot be compared.
    """
    rows = latest(found).to_dict("records")
    sides = [[row for row in rows if row["kind"] == kind] for kind in (PREVIOUS, YEAR)]
    told = [verdict for side in sides for verdict in _judge_side(side, currency)]
    if not told:
        return [Verdict("No bucket is over and has another before it: nothing to compare yet.")]
    return [*told, Verdict(CHANCE)] if any(row["is_clear"] for row in rows) else told


def _judge_side(rows: Sequence[Row], currency: str) -> list[Verdict]:
    held = [row for row in rows if held_by(row["flags"])]
    free = [row for row in rows if not held_by(row["flags"]) and not math.isnan(row["difference"])]
    said = [row for row in free if row["is_clear"] or "unequal-days" in row["flags"]]
    quiet = [_inside(METRICS[row["metric"]].label) for row in free if row not in said]
    told = [_judge_clear(row, currency) for row in said]
    if quiet:
        told.append(Verdict(f"{_pair(free[0])}: no clear change in {listed(quiet)}."))
    return told + [_judge_held(row) for row in held]


def held_by(flags: Sequence[str]) -> str:
    """Return in words why two buckets cannot be compared; empty where they can.

    >>> held_by(("small-n", "immature"))
    'it is too young, and more of its MQLs will still become SQLs'
    """
    return next((words for flag, words in HOLDS.items() if flag in flags), "")
