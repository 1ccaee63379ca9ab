"""Verdict on MQLs against the goal."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.text import (
    counted,
    exactly,
    percent,
)
from mqlkit.metrics.tidy import pick
from mqlkit.views.verdicts.base import BAD, GOOD, Totals, Verdict


def goal(rows: pd.DataFrame) -> Verdict:
    """Return whether marketing produces enough MQLs, compared with the goal.

    Parameters
    ----------
    rows
        `Report.volume`.
    """
    total = Totals(rows)
    mqls, wanted = total.value("mqls"), total.value("goal")
    if math.isnan(wanted):
        has_part = pick(rows, "goal")["value"].notna().any()
        missing = "The goals do not cover the whole period." if has_part else "No goal is set."
        return Verdict(f"{counted(mqls, 'MQL')} in the period. {missing}")
    if "in-progress" in total.flags("mqls"):
        return _so_far(total, mqls, wanted)
    gap = mqls - wanted
    if gap < 0:
        return Verdict(
            f"{counted(mqls, 'MQL')}: {exactly(-gap)} short of the goal of {exactly(wanted)} "
            f"({percent(mqls / wanted)}). Marketing must produce more.",
            BAD,
        )
    more = (
        "exactly the goal"
        if gap == 0
        else f"{exactly(gap)} more than the goal of {exactly(wanted)}"
    )
    then = "the same number is enough" if gap == 0 else "fewer would have been enough"
    return Verdict(f"{counted(mqls, 'MQL')}: {more}. Marketing produces enough; {then}.", GOOD)


def _so_far(total: Totals, mqls: float, wanted: float) -> Verdict:
    so_far, needed = total.value("goal_to_date"), total.value("needed_per_day")
    if mqls >= wanted:
        return Verdict(
            f"{counted(mqls, 'MQL')} so far: the goal of {exactly(wanted)} is reached.", GOOD
        )
    words, tone = ("behind", BAD) if mqls < so_far else ("on", GOOD)
    return Verdict(
        f"{counted(mqls, 'MQL')} so far, {words} the pace of {so_far:,.1f} by now. "
        f"The goal of {exactly(wanted)} needs {needed:,.1f} a day from now on.",
        tone,
    )
