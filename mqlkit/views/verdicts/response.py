"""Verdict on speed to lead."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.metrics import HBR
from mqlkit.core.text import (
    counted,
    percent,
)
from mqlkit.metrics.tidy import pick
from mqlkit.views.verdicts.base import Totals, Verdict, _small


def speed(rows: pd.DataFrame) -> Verdict:
    """Return speed to lead, and the conversion lift of contact within one hour.

    Parameters
    ----------
    rows
        `Report.response`.
    """
    total = Totals(rows)
    n = total.n("contacted_within_1h")
    if math.isnan(total.value("contacted_within_1h")):
        if "day-precision" in total.flags("contacted_within_1h"):
            return Verdict(
                "The data has dates without a time of day, so speed to lead cannot be measured."
            )
        if total.is_recorded("contacted_within_1h"):
            return Verdict("There is no MQL whose first hour is over.")
        return Verdict("The data records no contact by sales, so there is no speed to lead.")
    text = (
        f"Sales contacted {percent(total.value('contacted_within_1h'))} of "
        f"{counted(n, 'MQL')} within one hour ({total.interval('contacted_within_1h')})."
    )
    lift = total.value("lift_1h")
    if not math.isnan(lift):
        row = pick(rows, "lift_1h").iloc[-1]
        text += (
            f" These became SQLs {lift:.1f} times as often as MQLs contacted later"
            f" ({row['low']:.1f}–{row['high']:.1f}). This describes the data and does not prove "
            "a cause."
        )
    return Verdict(text + _small(n))


REFERENCE = (
    "For reference, not as a forecast: of 2,241 US companies 37% answered a web lead within an "
    "hour, 16% in 1–24 hours, 24% later, 23% never; those who tried within an hour were nearly "
    f"seven times as likely to qualify the lead as those an hour later ({HBR})."
)
