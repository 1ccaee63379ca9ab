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
    """Return how many MQLs sales accepted and rejected.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    total = Totals(rows)
    accepted, rejected = total.value("accepted"), total.value("rejected")
    if math.isnan(accepted):
        return Verdict(
            "The data records neither acceptances nor rejections, so that the hand-off to sales "
            "cannot be judged. A lead leaves the MQL stage here when it becomes an SQL."
        )
    n = total.n("acceptance_rate")
    if n == 0:
        return Verdict("Sales has decided on none of the MQLs yet.")
    waiting = total.value("undecided")
    text = (
        f"Sales accepted {count(accepted)} and rejected {count(rejected)} of the MQLs: "
        f"{percent(total.value('acceptance_rate'))} of those decided "
        f"({total.interval('acceptance_rate')}). {counted(waiting, 'MQL')} "
        f"{'waits' if waiting == 1 else 'wait'} for a decision."
    )
    return Verdict(text + _small(n))
