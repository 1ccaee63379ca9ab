"""Verdict on the hand-off to sales."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.text import (
    count,
    counted,
    percent,
)
from mqlkit.views.verdicts.base import Totals, Verdict, _small


def acceptance(rows: pd.DataFrame) -> Verdict:
    """Return the acceptance rate, and how many MQLs sales accepted and rejected.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    total = Totals(rows)
    accepted, rejected = total.value("accepted"), total.value("rejected")
    if math.isnan(accepted):
        return Verdict(
            "The data records neither acceptances nor rejections, so there is no acceptance rate. "
            "A lead leaves the MQL stage when it becomes an SQL."
        )
    n = total.n("acceptance_rate")
    if n == 0:
        return Verdict("Sales has not decided on any of the MQLs yet.")
    undecided = total.value("undecided")
    text = (
        f"Sales accepted {counted(accepted, 'MQL')} (SAL) and rejected {count(rejected)}: an "
        f"acceptance rate of {percent(total.value('acceptance_rate'))} "
        f"({total.interval('acceptance_rate')}). {counted(undecided, 'MQL')} "
        f"{'is' if undecided == 1 else 'are'} undecided."
    )
    return Verdict(text + _small(n))
