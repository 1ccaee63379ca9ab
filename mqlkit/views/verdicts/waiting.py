"""Verdict on time in the MQL stage."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.metrics.tidy import constant
from mqlkit.views.claims import (
    NOT_RECORDED,
    SO_FAR,
    UNKNOWN,
    Cells,
    Sentence,
    Verdict,
    certainty_of,
    verdict,
)  # fmt: skip
from mqlkit.views.verdicts.base import few, missing_of

NO_EXITS = Sentence("The data has no {missing}, so time in stage is not known.")
NO_MQL = Sentence("There is no MQL whose time in stage can be measured.")
NOT_HALF = Sentence(
    "The only MQL has not left the stage yet.",
    "Fewer than half of {n:MQL} have left the stage, so the median time in stage is not known yet; "
    "{left} {have} left.",
    by="n",
)
MEDIAN = Sentence(
    "The median time in stage is {all_leads} with open MQLs included, and {those_left} for the "
    "{left} that left."
)


ALL_LEFT = Sentence(
    "The only MQL left the stage after {all_leads}.",
    "The median time in stage is {all_leads}; all {n:MQL} have left.",
    by="n",
)


def time_in_stage(rows: pd.DataFrame) -> Verdict:
    """Return the median time in stage, open MQLs included.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    metric = "hours_in_stage_km_median"
    day_hours, is_dated = constant(rows, "day_hours", 24), bool(constant(rows, "is_dated", 0))
    total = Cells(rows, day_hours=day_hours, is_dated=is_dated)
    median, n = total.figure(metric), total.figure(metric, "n")
    left = total.figure("hours_in_stage_mean", "n")
    if not total.is_recorded(metric):
        return verdict(NO_EXITS.claim(metric, certainty=NOT_RECORDED, **missing_of(rows)))
    if total.n(metric) == 0:
        return verdict(NO_MQL.claim(metric, certainty=UNKNOWN))
    have = "has" if left.value == 1 else "have"
    if math.isnan(median.value):
        return verdict(NOT_HALF.claim(metric, certainty=SO_FAR, n=n, left=left, have=have))
    sentence = ALL_LEFT if left.value == n.value else MEDIAN
    return verdict(
        sentence.claim(
            metric,
            certainty=certainty_of(n.value),
            all_leads=median,
            n=n,
            those_left=total.figure("hours_in_stage_median"),
            left=left,
        ),
        few(n),
    )
