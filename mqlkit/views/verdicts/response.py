"""Verdict on speed to lead."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.metrics import HBR
from mqlkit.views.claims import (
    NOT_RECORDED,
    UNCLEAR,
    UNKNOWN,
    Cells,
    Claim,
    Sentence,
    Verdict,
    certainty_of,
    verdict,
)  # fmt: skip
from mqlkit.views.verdicts.base import few, missing_of

NO_CONTACTS = Sentence("The data has no {missing}, so there is no speed to lead.")
ONLY_DATES = Sentence(
    "The data has dates without a time of day, so speed to lead cannot be measured."
)
NO_HOUR_OVER = Sentence("There is no MQL whose first hour is over.")
CONTACTED = Sentence("Sales contacted {share} of {n:MQL} within one hour ({interval}).")
LIFT = Sentence(
    "These became SQLs {lift} times as often as MQLs contacted later ({range}). This describes the "
    "data and does not prove a cause."
)
LIFT_UNCLEAR = Sentence(
    "These became SQLs {lift} times as often as MQLs contacted later ({range}): the difference is "
    "not clear."
)
NO_FAST_SQL = Sentence(
    "None of those contacted within the hour has become an SQL, so how much the first hour is "
    "worth cannot be told."
)


def speed(rows: pd.DataFrame) -> Verdict:
    """Return speed to lead, and the conversion lift of contact within one hour.

    Parameters
    ----------
    rows
        `Report.response`.
    """
    metric = "contacted_within_1h"
    total = Cells(rows)
    if not total.is_recorded(metric):
        missing = missing_of(rows)
        return verdict(NO_CONTACTS.claim(metric, certainty=NOT_RECORDED, **missing))
    if math.isnan(total.value(metric)):
        sentence = ONLY_DATES if "day-precision" in total.flags(metric) else NO_HOUR_OVER
        return verdict(sentence.claim(metric, certainty=UNKNOWN))
    n = total.figure(metric, "n")
    contacted = CONTACTED.claim(
        metric,
        certainty=certainty_of(n.value),
        share=total.figure(metric),
        n=n,
        interval=total.interval(metric),
    )
    return verdict(contacted, _lift(total), few(n))


def _lift(total: Cells) -> Claim | None:
    lift, interval = total.figure("lift_1h"), total.interval("lift_1h")
    if math.isnan(lift.value):
        return None
    if math.isnan(interval.low.value):
        return NO_FAST_SQL.claim("lift_1h", certainty=UNKNOWN, lift=lift)
    if interval.holds(1):
        return LIFT_UNCLEAR.claim("lift_1h", certainty=UNCLEAR, lift=lift, range=interval)
    certainty = certainty_of(total.n("lift_1h"))
    return LIFT.claim("lift_1h", certainty=certainty, lift=lift, range=interval)


REFERENCE = (
    "For reference, not as a forecast: of 2,241 US companies 37% answered a web lead within an "
    "hour, 16% in 1–24 hours, 24% later, 23% never; those who tried within an hour were nearly "
    f"seven times as likely to qualify the lead as those an hour later ({HBR})."
)
