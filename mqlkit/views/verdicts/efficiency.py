"""Verdicts on MQL→SQL conversion, by cohort and in the period."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.names import BOTH, COHORT, FLOW, SMALL_N
from mqlkit.core.text import bucket_name, bucket_noun, counted, listed
from mqlkit.metrics.tidy import complete, constant
from mqlkit.views.claims import (
    ESTIMATED,
    NOT_RECORDED,
    SO_FAR,
    UNKNOWN,
    Cells,
    Claim,
    Quantity,
    Sentence,
    Verdict,
    certainty_of,
    is_young,
    so_far,
    verdict,
)  # fmt: skip
from mqlkit.views.labels import are, within, within_days
from mqlkit.views.verdicts.base import few, immature_buckets, missing_of

NO_SQLS = Sentence("The data has no {missing}, so there is no MQL→SQL conversion rate.")
NO_MQLS = Sentence("There are no MQLs to compute a conversion rate from.")
NONE_OVER = Sentence("The {within} of no MQL {are} over yet, so there is no conversion rate.")
CONVERTED = Sentence("{share} of {n:MQL}{over} became SQLs{when} ({interval}), or one in {ratio}.")
ALL_CONVERTED = Sentence(
    "The only MQL{over} became an SQL{when} ({interval}).",
    "All of {n:MQL}{over} became SQLs{when} ({interval}).",
    by="n",
)
NONE_CONVERTED = Sentence(
    "The only MQL{over} did not become an SQL{when} ({interval}).",
    "None of {n:MQL}{over} became an SQL{when} ({interval}).",
    by="n",
)
# From this share on, "one in" says nothing.
MOST = 0.5
EXTREMES = {0.0: NONE_CONVERTED, 1.0: ALL_CONVERTED}
YOUNG = Sentence(
    "Nine in ten conversions take up to {maturity}: {buckets} is immature, and its rate can still "
    "rise.",
    "Nine in ten conversions take up to {maturity}: {buckets} are immature, and their rates can "
    "still rise.",
    by="n_buckets",
)
NOT_OVER = Sentence(
    "In {buckets}, the {within} of some MQLs {are} not over yet, and the rate can still change."
)
STILL_RISING = Sentence(
    "After {horizon}, as far as the data shows, conversions are still coming: conversion takes "
    "longer than the data can show, and no {noun} counts as mature."
)
PROJECTED = Sentence(
    "If young cohorts go on as older ones did, {share} become SQLs within {horizon} (95% "
    "prediction interval {interval})."
)
LATEST = Sentence("{bucket_name}, the latest mature {noun}: {share} of {n}{when} ({interval}).")
CONVERTED_MOST = Sentence("{share} of {n:MQL}{over} became SQLs{when} ({interval}).")
IN_PERIOD = Sentence(
    "The in-period ratio is {ratio}: {sqls:SQL} dated in the period, per {mqls:MQL} of the period. "
    "The SQLs may come from earlier MQLs, so this ratio rises when the number of MQLs falls."
)


def conversion(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the MQL→SQL conversion rate, which cohorts are immature, and what they may become.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for ``flow``.
    """
    if view == FLOW:
        return None
    total = Cells(rows)
    if not total.is_recorded("efficiency"):
        return verdict(NO_SQLS.claim("efficiency", certainty=NOT_RECORDED, **missing_of(rows)))
    if total.n("efficiency") == 0:
        days = within_days(rows)
        is_early = bool(days) and total.value("mqls") > 0
        sentence = NONE_OVER if is_early else NO_MQLS
        return verdict(sentence.claim("efficiency", certainty=UNKNOWN, within=days, are=are(days)))
    return verdict(
        _converted(total, rows), _immature(rows), _latest(rows), _projected(total, rows),
        few(total.figure("efficiency", "n")),
    )  # fmt: skip


def when_of(cells: Cells, rows: pd.DataFrame) -> str:
    """Return how a conversion rate is limited in time: within how many days, and so far."""
    return within(rows) or so_far(cells.flags("efficiency"), cells.value("efficiency"))


def _certainty(cells: Cells) -> str:
    return certainty_of(cells.n("efficiency"), is_open=is_young(cells.flags("efficiency")))


def _converted(total: Cells, rows: pd.DataFrame) -> Claim:
    usual = CONVERTED if total.value("efficiency") < MOST else CONVERTED_MOST
    sentence = EXTREMES.get(total.value("efficiency"), usual)
    return sentence.claim(
        "efficiency",
        certainty=_certainty(total),
        share=total.figure("efficiency"),
        n=total.figure("efficiency", "n"),
        interval=total.interval("efficiency"),
        ratio=total.inverse("efficiency"),
        when=when_of(total, rows),
        over=_over(total, rows),
    )


def _over(cells: Cells, rows: pd.DataFrame) -> str:
    """Return which MQLs count where those that are too young for a limit in days do not."""
    days = within_days(rows)
    is_part = bool(days) and cells.n("efficiency") < cells.value("mqls")
    return f" whose {days} {are(days)} over" if is_part else ""


def _immature(rows: pd.DataFrame) -> Claim | None:
    """Return which buckets can still rise, or that the data is too short to tell."""
    young, maturity = immature_buckets(rows), constant(rows, "maturity_days", math.nan)
    if days := within_days(rows):
        not_over = NOT_OVER.claim(
            "efficiency", certainty=SO_FAR, buckets=listed(young), within=days, are=are(days)
        )
        return not_over if young else None
    if constant(rows, "is_rising", False):
        if constant(rows, "horizon_days") < 1 or not young:
            return None
        horizon = counted(round(constant(rows, "horizon_days")), "day")
        noun = bucket_noun(str(rows["bucket"].iloc[0]))
        return STILL_RISING.claim("efficiency", certainty=SO_FAR, horizon=horizon, noun=noun)
    if not young or math.isnan(maturity):
        return None
    return YOUNG.claim(
        "efficiency", certainty=SO_FAR, maturity=counted(math.ceil(maturity), "day"),
        buckets=listed(young), n_buckets=Quantity(len(young)),
    )  # fmt: skip


def _latest(rows: pd.DataFrame) -> Claim | None:
    """Return the conversion rate of the latest mature bucket, if it has enough leads."""
    found = complete(rows, "efficiency")
    is_mature = ["immature" not in flags for flags in found["flags"]]
    mature = found[is_mature]
    if len(found) < 2 or mature.empty or not mature["n"].iloc[-1] >= SMALL_N:
        return None
    bucket = str(mature["bucket"].iloc[-1])
    cells = Cells(rows, bucket)
    return LATEST.claim(
        "efficiency", bucket=bucket, certainty=_certainty(cells),
        bucket_name=bucket_name(bucket), noun=bucket_noun(bucket),
        share=cells.figure("efficiency"), n=cells.figure("efficiency", "n"),
        when=when_of(cells, rows),
        interval=cells.interval("efficiency"),
    )  # fmt: skip


def _projected(total: Cells, rows: pd.DataFrame) -> Claim | None:
    """Return what the period is expected to become, where leads can still convert."""
    share, interval = total.figure("efficiency_projected"), total.interval("efficiency_projected")
    if math.isnan(share.value) or interval.high.value == interval.low.value:
        return None
    horizon = counted(round(constant(rows, "horizon_days", 0)), "day")
    return PROJECTED.claim(
        "efficiency_projected", certainty=ESTIMATED, share=share, interval=interval, horizon=horizon
    )


def flow(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the in-period SQL/MQL ratio and its limits.

    Parameters
    ----------
    rows
        `Report.efficiency`.
    view
        One of `names.VIEWS`; None is returned for ``cohort``.
    """
    total = Cells(rows)
    ratio = total.figure("efficiency_flow", unit="share")
    if view == COHORT or math.isnan(ratio.value):
        return None
    return verdict(
        IN_PERIOD.claim(
            "efficiency_flow",
            ratio=ratio,
            sqls=total.figure("sqls_in_period"),
            mqls=total.figure("efficiency_flow", "n"),
        )
    )
