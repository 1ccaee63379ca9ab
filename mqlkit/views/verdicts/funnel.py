"""Verdict on the funnel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.text import listed, step_name
from mqlkit.views.claims import (
    FEW,
    NOT_RECORDED,
    Claim,
    Quantity,
    Range,
    Sentence,
    Verdict,
    certainty_of,
    is_young,
    so_far,
    verdict,
)
from mqlkit.views.labels import within_days
from mqlkit.views.verdicts.base import Row

ONE_STAGE = Sentence("The data has timestamps of one stage only, so there is no funnel.")
NO_LEADS = Sentence("No lead entered a stage of the funnel in the period.")
MOVED_ON = Sentence("{step}: {share} of {n:lead} moved on{when} ({interval}).")
SLOWEST = Sentence(
    "The longest step is {step}: an estimated half of the leads are converted or lost after "
    "{median}."
)
ANY_AGE = Sentence(
    "In the funnel, conversions count however long they took, not only within {within}."
)
SMALL = Sentence("{steps}: fewer than 30 leads, do not rank or plan by them.")


def steps(rows: pd.DataFrame) -> Verdict:
    """Return how many leads of each stage moved on to the next, and which step takes longest.

    Parameters
    ----------
    rows
        `Report.funnel`.
    """
    if rows.empty:
        return verdict(ONE_STAGE.claim("funnel", certainty=NOT_RECORDED))
    whole = rows[(rows["bucket"] == TOTAL) & (rows["by"] == "") & (rows["entered"] > 0)]
    found: Sequence[Row] = whole[whole["is_next"].astype(bool)].to_dict("records")
    if not found:
        return verdict(NO_LEADS.claim("funnel"))
    return verdict(*map(_moved_on, found), _slowest(found), _any_age(rows), _small(found))


def _figure(row: Row, part: str, unit: str) -> Quantity:
    return Quantity(float(row[part]), unit, _metric(row), TOTAL, part)


def _metric(row: Row) -> str:
    return f"funnel {row['from']}-{row['to']}"


def _moved_on(row: Row) -> Claim:
    figures: dict[str, Any] = {
        "share": _figure(row, "conversion", "share"),
        "n": _figure(row, "entered", "leads"),
        "interval": Range(_figure(row, "low", "share"), _figure(row, "high", "share")),
    }
    return MOVED_ON.claim(
        _metric(row),
        certainty=certainty_of(row["entered"], is_open=is_young(row["flags"])),
        step=step_name(row["from"], row["to"]),
        when=so_far(row["flags"], row["conversion"]),
        **figures,
    )


def _slowest(found: Sequence[Row]) -> Claim | None:
    """Return the step with the longest median time; None if any of them is not known."""
    if len(found) < 2 or not all(row["hours_median"] >= 0 for row in found):
        return None
    row = max(found, key=lambda row: float(row["hours_median"]))
    median = _figure(row, "hours_median", "hours")
    name = step_name(row["from"], row["to"])
    return SLOWEST.claim(_metric(row), step=name, median=median)


def _any_age(rows: pd.DataFrame) -> Claim | None:
    """Return that the limit of a report on the age of SQLs does not apply; None without one."""
    days = within_days(rows)
    return ANY_AGE.claim("funnel", within=days) if days else None


def _small(found: Sequence[Row]) -> Claim | None:
    few = [row for row in found if row["entered"] < SMALL_N]
    if not few:
        return None
    names = listed([step_name(row["from"], row["to"]) for row in few])
    return SMALL.claim(_metric(few[0]), certainty=FEW, steps=names)
