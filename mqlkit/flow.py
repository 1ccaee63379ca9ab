"""Efficiency by flow in words."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.sentences import Totals, Verdict
from mqlkit.terms import BOTH, COHORT
from mqlkit.wording import counted, percent


def judge_flow(rows: pd.DataFrame, *, view: str = BOTH) -> Verdict | None:
    """Return the SQLs dated in the period against its MQLs, and what that does not say.

    Parameters
    ----------
    rows
        The tidy rows of a report.
    view
        One of `terms.VIEWS`; of the cohort alone there is nothing to say here.
    """
    total = Totals(rows)
    flow = total.value("efficiency_flow")
    if view == COHORT or math.isnan(flow):
        return None
    sqls, mqls = total.value("sqls_in_period"), total.n("efficiency_flow")
    return Verdict(
        f"By flow it is {percent(flow)}: {counted(sqls, 'SQL')} dated in the period, against "
        f"{counted(mqls, 'MQL')} of the period. They may come from earlier MQLs: where MQLs fall, "
        "this rises by itself."
    )
