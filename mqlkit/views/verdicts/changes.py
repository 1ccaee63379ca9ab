"""Verdicts on changes: clear, not clear, not comparable."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.periods import PREVIOUS, YEAR
from mqlkit.core.text import bucket_name, count, listed
from mqlkit.metrics.changes import latest
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.base import BAD, GOOD, PLAIN, Row, Verdict, figure, moved, why_held

CHANCE = "One in twenty 95% intervals misses: of many comparisons, some look clear by chance."


def comparisons(changes: pd.DataFrame) -> list[Verdict]:
    """Return what changed in the last complete bucket, what did not, and what is not compared.

    Parameters
    ----------
    changes
        `Report.changes`.

    Returns
    -------
    list of Verdict
        Compared with the bucket before and, if there is one, with the year before: one per clear
        change, one for all metrics without a clear change, one per reason for not comparing.
    """
    currency = constant(changes, "currency", "")
    rows = latest(changes).to_dict("records")
    found: list[Verdict] = []
    for kind in (PREVIOUS, YEAR):
        found += _judge_side([row for row in rows if row["kind"] == kind], currency)
    if not found:
        return [Verdict("No complete bucket has one before it: there is nothing to compare yet.")]
    return [*found, Verdict(CHANCE)] if any(row["is_clear"] for row in rows) else found


def _judge_side(rows: Sequence[Row], currency: str) -> list[Verdict]:
    free = [r for r in rows if not why_held(r["flags"]) and not math.isnan(r["difference"])]
    found = [_judge_clear(r, currency) for r in free if r["is_clear"]]
    found += [_judge_by_day(r) for r in free if "unequal-days" in r["flags"]]
    quiet = [r for r in free if not (r["is_clear"] or "unequal-days" in r["flags"])]
    if quiet:
        now, then = bucket_name(quiet[0]["bucket"]), bucket_name(quiet[0]["against"])
        found.append(Verdict(f"No clear change from {then} to {now} in {_labels(quiet)}."))
    for why in dict.fromkeys(filter(None, (why_held(r["flags"]) for r in rows))):
        held = [r for r in rows if why_held(r["flags"]) == why]
        now, then = bucket_name(held[0]["bucket"]), bucket_name(held[0]["against"])
        found.append(Verdict(f"{now} is not compared with {then} in {_labels(held)}: {why}."))
    return found


def _labels(rows: Sequence[Row]) -> str:
    """Return the labels of metrics for a sentence, in lower case except abbreviations."""
    labels = [METRICS[row["metric"]].label for row in rows]
    return listed([x if x[1].isupper() else x[0].lower() + x[1:] for x in labels])


def _judge_clear(row: Row, currency: str) -> Verdict:
    is_up = row["difference"] > 0
    # Whether more MQLs are good depends on the goal.
    is_better = is_up != (row["metric"] == "cost_per_mql")
    tone = PLAIN if row["metric"] == "mqls" else GOOD if is_better else BAD
    is_cost = row["unit"] == "money/lead"
    chance = " The interval covers chance in the number of MQLs only." if is_cost else ""
    return Verdict(
        f"{METRICS[row['metric']].label} in {bucket_name(row['bucket'])}: "
        f"{figure(row['value'], row['unit'], currency)}, {moved(row, currency)} from "
        f"{bucket_name(row['against'])}.{chance}",
        tone,
    )


def _judge_by_day(row: Row) -> Verdict:
    length = "fewer" if row["difference"] > 0 else "more"
    return Verdict(
        f"MQLs in {bucket_name(row['bucket'])}: {count(row['value'])}, {moved(row, '')} from "
        f"{bucket_name(row['against'])}, which has {length} days: no clear change per day."
    )
