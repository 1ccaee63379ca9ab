"""Verdict on time in the MQL stage."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.text import (
    count,
    counted,
    duration,
)
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.base import Totals, Verdict, _small


def time_in_stage(rows: pd.DataFrame) -> Verdict:
    """Return the median time in stage, open MQLs included.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    total = Totals(rows)
    km, left = total.value("hours_in_stage_km_median"), total.n("hours_in_stage_mean")
    n = total.n("hours_in_stage_km_median")
    if n == 0:
        return Verdict("There is no MQL whose time in stage can be measured.")
    if math.isnan(km):
        return Verdict(
            f"Fewer than half of {counted(n, 'MQL')} have left the stage, so the median time in "
            f"stage is not known yet; {count(left)} have left."
        )
    day_hours = constant(rows, "day_hours", 24)
    plain = total.value("hours_in_stage_median")
    all_leads, those_left = (duration(hours, day_hours=day_hours) for hours in (km, plain))
    return Verdict(
        f"The median time in stage is {all_leads} with open MQLs included, and {those_left} for "
        f"the {count(left)} that left.{_small(n)}"
    )
