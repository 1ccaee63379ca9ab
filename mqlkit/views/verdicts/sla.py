"""Verdicts on SLA attainment and its trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from mqlkit.core.names import SMALL_N
from mqlkit.core.text import against_limit, bucket_name, bucket_noun
from mqlkit.metrics.changes import lower_run
from mqlkit.metrics.tidy import complete, constant
from mqlkit.views.claims import (
    BAD,
    DOWN,
    GOOD,
    NOT_RECORDED,
    PLAIN,
    UNCLEAR,
    UNKNOWN,
    Cells,
    Claim,
    Quantity,
    Sentence,
    Verdict,
    certainty_of,
    verdict,
)  # fmt: skip
from mqlkit.views.verdicts.base import few, missing_of

NO_STOPS = Sentence("The data has no {missing}, so the SLA cannot be measured.")
NONE_DUE = Sentence("No MQL has met or breached the SLA of {sla} yet.")
ATTAINED = Sentence(
    "Sales has {sla} to {act} an MQL: {attainment} of {n:MQL} met the SLA ({interval})."
)
ATTAINED_BY_RULE = Sentence(
    "Sales has {sla}, or what a rule says for its leads, to {act} an MQL: {attainment} of {n:MQL} "
    "met the SLA ({interval})."
)
LIFT = Sentence(
    "In mature buckets, leads within the SLA became SQLs {lift} times as often as breached ones "
    "({range}). This describes the data and does not prove a cause."
)
LIFT_UNCLEAR = Sentence(
    "In mature buckets, leads within the SLA became SQLs {lift} times as often as breached ones "
    "({range}): the difference is not clear."
)
NO_SQL_IN_TIME = Sentence(
    "In mature buckets, no lead within the SLA has become an SQL, so what lateness costs in "
    "conversions cannot be told."
)
NO_BREACH = Sentence("No lead breached it.")
BREACHES = Sentence("{breached:lead} breached it.")
BREACHES_OPEN = Sentence(
    "{breached:lead} breached it, of which 1 is open and overdue.",
    "{breached:lead} breached it, of which {overdue} are open and overdue.",
    by="overdue",
)
BREACHES_ALL_OPEN = Sentence(
    "{breached:lead} breached it and is still open.",
    "{breached:lead} breached it; all are open and overdue.",
    by="breached",
)
PACE = Sentence(
    "Sales takes {took} on average against an SLA of {limit}, counting the {n} that left the "
    "stage; with open MQLs included, the median is {median}."
)
PACE_OPEN = Sentence(
    "Sales takes {took} on average against an SLA of {limit}, counting the {n} that left the "
    "stage; fewer than half of all have left."
)
LATEST = Sentence("{bucket_name}, the latest complete {noun}: {attainment} of {n} ({interval}).")
LATEST_SO_FAR = Sentence(
    "{bucket_name}, the latest complete {noun}: {attainment} of {n} so far ({interval}); {pending} "
    "not due yet."
)
LOWER = Sentence(
    "SLA attainment has been lower in every {noun} since {first}: {level}, against {before} before."
)
# Fewer breaches are stated as a count, unless all of at least two leads are breached.
LEAST_BREACHES, LEAST_ALL = 5, 2


class SlaTerms(NamedTuple):
    """The SLA of a frame.

    In words, in hours, the hours of a day, the event that stops it, how many rules give some leads
    an SLA of their own, and whether time in stage is between dates.
    """

    words: str
    hours: float
    day_hours: float
    stops_on: str
    n_rules: int
    is_dated: bool

    @classmethod
    def of(cls, rows: pd.DataFrame) -> SlaTerms:
        """Return the terms that are constants of a family frame."""
        names = ("sla", "sla_hours", "day_hours", "sla_stops_on", "n_rules", "is_dated")
        return cls(*(constant(rows, name) for name in names))


def attainment(rows: pd.DataFrame) -> Verdict:
    """Return SLA attainment, breaches and time in stage, of the period and of its last bucket.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    sla = SlaTerms.of(rows)
    total = Cells(rows, day_hours=sla.day_hours, is_dated=sla.is_dated)
    if not total.is_recorded("sla_attainment"):
        return verdict(NO_STOPS.claim("sla_attainment", certainty=NOT_RECORDED, **missing_of(rows)))
    if total.n("sla_attainment") == 0:
        return verdict(NONE_DUE.claim("sla_attainment", certainty=UNKNOWN, sla=sla.words))
    return verdict(
        _attained(total, sla), _breached(total), _latest(rows, sla), _pace(total, sla),
        _lift(total), few(total.figure("sla_attainment", "n")),
    )  # fmt: skip


def status_of(cells: Cells) -> str:
    """Return the status of SLA attainment: a few breaches of many leads are not bad."""
    breached, n = cells.value("sla_breached"), cells.n("sla_attainment")
    if breached >= LEAST_BREACHES or breached == n >= LEAST_ALL:
        return BAD
    return GOOD if breached == 0 and n >= SMALL_N else PLAIN


def _attained(total: Cells, sla: SlaTerms) -> Claim:
    return (ATTAINED_BY_RULE if sla.n_rules else ATTAINED).claim(
        "sla_attainment",
        status=status_of(total),
        certainty=certainty_of(total.n("sla_attainment")),
        sla=sla.words,
        act="contact" if sla.stops_on == "contact" else "decide on",
        attainment=total.figure("sla_attainment"),
        n=total.figure("sla_attainment", "n"),
        interval=total.interval("sla_attainment"),
    )


def _breached(total: Cells) -> Claim:
    breached, overdue = total.figure("sla_breached"), total.figure("sla_past_due")
    if breached.value == 0:
        return NO_BREACH.claim("sla_breached")
    sentence = BREACHES_OPEN if overdue.value else BREACHES
    if overdue.value == breached.value:
        sentence = BREACHES_ALL_OPEN
    return sentence.claim("sla_breached", breached=breached, overdue=overdue)


def _latest(rows: pd.DataFrame, sla: SlaTerms) -> Claim | None:
    """Return attainment in the latest complete bucket, unless the period has no other."""
    found = complete(rows, "sla_attainment")
    if len(found) < 2 or not found["n"].iloc[-1] > 0:
        return None
    bucket = str(found["bucket"].iloc[-1])
    cells = Cells(rows, bucket, day_hours=sla.day_hours, is_dated=sla.is_dated)
    is_open = cells.value("sla_pending") > 0
    return (LATEST_SO_FAR if is_open else LATEST).claim(
        "sla_attainment",
        bucket=bucket,
        status=status_of(cells),
        certainty=certainty_of(cells.n("sla_attainment"), is_open=is_open),
        bucket_name=bucket_name(bucket),
        noun=bucket_noun(bucket),
        attainment=cells.figure("sla_attainment"),
        n=cells.figure("sla_attainment", "n"),
        interval=cells.interval("sla_attainment"),
        pending=cells.figure("sla_pending"),
    )


def _pace(total: Cells, sla: SlaTerms) -> Claim | None:
    """Return time in stage beside the SLA; the leads still open are in the median only."""
    mean = total.figure("hours_in_stage_mean")
    if sla.stops_on == "contact" or sla.n_rules or math.isnan(mean.value):
        return None
    median, n = total.figure("hours_in_stage_km_median"), total.figure("hours_in_stage_mean", "n")
    is_open = bool(total.value("sla_past_due") or total.value("sla_pending"))
    took, limit = against_limit(
        mean.value,
        sla.hours,
        day_hours=sla.day_hours,
        in_days="day" in sla.words,
        is_dated=sla.is_dated,
    )
    return (PACE_OPEN if math.isnan(median.value) else PACE).claim(
        "hours_in_stage_mean",
        certainty=certainty_of(n.value, is_open=is_open),
        mean=mean,
        took=took,
        limit=limit,
        n=n,
        median=median,
    )


def _lift(total: Cells) -> Claim | None:
    """Return what lateness costs in conversions; None without a mature bucket to tell it."""
    lift, interval = total.figure("lift_sla"), total.interval("lift_sla")
    if math.isnan(lift.value):
        return None
    if math.isnan(interval.low.value):
        return NO_SQL_IN_TIME.claim("lift_sla", certainty=UNKNOWN, lift=lift)
    if interval.holds(1):
        return LIFT_UNCLEAR.claim("lift_sla", certainty=UNCLEAR, lift=lift, range=interval)
    certainty = certainty_of(total.n("lift_sla"))
    return LIFT.claim("lift_sla", certainty=certainty, lift=lift, range=interval)


def trend(rows: pd.DataFrame) -> Verdict | None:
    """Return since when SLA attainment has been lower; None if it is not.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    run = lower_run(rows)
    if run is None:
        return None
    level, before = (Quantity(share, "share") for share in (run.level, run.before))
    return verdict(
        LOWER.claim(
            "sla_attainment", bucket=run.last, status=BAD, direction=DOWN, level=level,
            before=before, first=bucket_name(run.first), noun=bucket_noun(run.first),
        )
    )  # fmt: skip
