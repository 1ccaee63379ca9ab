"""Verdicts on changes: clear, not clear, not comparable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from mqlkit.core.periods import DAY, PREVIOUS, YEAR
from mqlkit.core.text import bucket_name, day, listed
from mqlkit.metrics.changes import HOLDS, latest
from mqlkit.metrics.tidy import constant
from mqlkit.views.claims import (
    BAD,
    DOWN,
    GOOD,
    PLAIN,
    UNCHANGED,
    UNCLEAR,
    UNKNOWN,
    UP,
    Claim,
    Sentence,
    Verdict,
    verdict,
)  # fmt: skip
from mqlkit.views.labels import label_of, within, within_days
from mqlkit.views.verdicts.base import Row, change_claim, why_held

INDEPENDENT = (
    "The intervals of counts and costs hold if leads come in independently; the data has too few "
    "weeks to tell."
)
CHANCE = "One in twenty 95% intervals misses: of many comparisons, some look clear by chance."
NOTHING = Sentence("No complete bucket has one before it: there is nothing to compare yet.")
CLEAR = {
    UP: Sentence("{label} in {now}: {value}, up by {size} ({range}) from {then}."),
    DOWN: Sentence("{label} in {now}: {value}, down by {size} ({range}) from {then}."),
}
CLEAR_SHARE = {
    UP: Sentence("{label} in {now}: {value}, up by {size} points ({range}) from {then}."),
    DOWN: Sentence("{label} in {now}: {value}, down by {size} points ({range}) from {then}."),
}
CLEAR_COST = {
    UP: Sentence(
        "{label} in {now}: {value}, up by {size} ({range}) from {then}. The interval covers chance "
        "in the number of MQLs only."
    ),
    DOWN: Sentence(
        "{label} in {now}: {value}, down by {size} ({range}) from {then}. The interval covers "
        "chance in the number of MQLs only."
    ),
}
PER_DAY = {
    UP: Sentence(
        "MQLs in {now}: {value}, up by {size} ({range}) from {then}, which has fewer days: no "
        "clear change per day."
    ),
    DOWN: Sentence(
        "MQLs in {now}: {value}, down by {size} ({range}) from {then}, which has more days: no "
        "clear change per day."
    ),
}
QUIET = Sentence("{label}: no clear change ({signed}).")
ALL_QUIET = "No clear change from {then} to {now} in {changes}."
HELD = Sentence("{label} of {now} is not compared with {then}.")
ALL_HELD = "{now} is not compared with {then} in {labels}: {why}."
CUT = "of {bucket}, only {days} lies in the period"


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
    terms = Terms(constant(changes, "currency", ""), within_days(changes), within(changes))
    rows = latest(changes).to_dict("records")
    found: list[Verdict] = []
    for kind in (PREVIOUS, YEAR):
        found += _of_side([row for row in rows if row["kind"] == kind], terms)
    if not found:
        return [verdict(NOTHING.claim("", certainty=UNKNOWN))]
    if not constant(changes, "is_phi_known", default=True):
        found.append(Verdict(INDEPENDENT))
    return [*found, Verdict(CHANCE)] if any(row["is_clear"] for row in rows) else found


class Terms(NamedTuple):
    """What the words of a change depend on.

    The currency, and the days within which an SQL counts, alone and after a label.
    """

    currency: str
    days: str
    limit: str


def _of_side(rows: Sequence[Row], terms: Terms) -> list[Verdict]:
    free = [r for r in rows if not why_held(r["flags"]) and not math.isnan(r["difference"])]
    found = [verdict(_clear(r, terms)) for r in free if r["is_clear"]]
    found += [verdict(_by_day(r, terms.currency)) for r in free if "unequal-days" in r["flags"]]
    quiet = [r for r in free if not (r["is_clear"] or "unequal-days" in r["flags"])]
    if quiet:
        found.append(_quiet(quiet, terms))
    # What neither bucket has a value of is not recorded, and not held.
    known = [r for r in rows if not (math.isnan(r["value"]) and math.isnan(r["before"]))]
    for why in dict.fromkeys(filter(None, (_why(r, terms.days) for r in known))):
        found.append(_held([r for r in known if _why(r, terms.days) == why], why, terms.limit))
    return found


def _why(row: Row, days_within: str) -> str:
    """Return why a row is not compared; of a bucket cut by the period, which days are in it."""
    why = why_held(row["flags"], days_within)
    if why != HOLDS["part-bucket"]:
        return why
    part = "_before" if row["is_complete"] else ""
    first, last = row[f"start{part}"], row[f"end{part}"] - DAY
    bucket = bucket_name(row["against"] if part else row["bucket"])
    days = day(first) if first == last else f"{day(first)} to {day(last)}"
    return CUT.format(days=days, bucket=bucket)


def _clear(row: Row, terms: Terms) -> Claim:
    direction = UP if row["difference"] > 0 else DOWN
    is_cost, is_share = row["unit"] == "money/lead", row["unit"] == "share"
    # Whether more MQLs are good depends on the goal.
    is_better = (direction == UP) != (row["metric"] == "cost_per_mql")
    status = PLAIN if row["metric"] == "mqls" else GOOD if is_better else BAD
    sentences = CLEAR_COST if is_cost else CLEAR_SHARE if is_share else CLEAR
    return change_claim(
        row,
        sentences[direction],
        currency=terms.currency,
        limit=terms.limit,
        status=status,
        direction=direction,
    )


def _by_day(row: Row, currency: str) -> Claim:
    sentence = PER_DAY[UP if row["difference"] > 0 else DOWN]
    return change_claim(row, sentence, currency=currency, direction=UNCHANGED, certainty=UNCLEAR)


def _quiet(rows: Sequence[Row], terms: Terms) -> Verdict:
    """Return one sentence for all metrics without a clear change, each with its interval."""
    claims = [
        change_claim(
            row,
            QUIET,
            currency=terms.currency,
            limit=terms.limit,
            direction=UNCHANGED,
            certainty=UNCLEAR,
        )
        for row in rows
    ]
    labels = [_in_sentence(claim.terms["label"]) for claim in claims]
    ranges = [claim.figures["signed"] for claim in claims]
    shown = [f"{label} ({of})" for label, of in zip(labels, ranges, strict=True)]
    sides = claims[0].terms
    text = ALL_QUIET.format(then=sides["then"], now=sides["now"], changes=listed(shown))
    return Verdict(text, claims=tuple(claims))


def _held(rows: Sequence[Row], why: str, limit: str) -> Verdict:
    now, then = bucket_name(rows[0]["bucket"]), bucket_name(rows[0]["against"])
    claims = [
        HELD.claim(
            row["metric"], bucket=row["bucket"], certainty=UNKNOWN,
            label=label_of(row["metric"], limit), now=now, then=then,
        )
        for row in rows
    ]  # fmt: skip
    labels = listed([_in_sentence(claim.terms["label"]) for claim in claims])
    text = ALL_HELD.format(now=now, then=then, labels=labels, why=why)
    return Verdict(text, claims=tuple(claims))


def _in_sentence(label: str) -> str:
    """Return a label inside a sentence, in lower case except abbreviations."""
    return label if label[1].isupper() else label[0].lower() + label[1:]
