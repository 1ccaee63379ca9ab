"""Claims that several verdicts share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.text import bucket_name
from mqlkit.metrics.changes import HOLDS
from mqlkit.metrics.tidy import constant, pick
from mqlkit.views.claims import (
    FEW,
    SIGNED_RANGE,
    SIZE_RANGE,
    Claim,
    Quantity,
    Range,
    Sentence,
)
from mqlkit.views.labels import are, label_of

Row = Mapping[Hashable, Any]
ENDS = ("low", "difference", "high")
ONLY = Sentence("Based on only {n:lead}: do not rank or plan by it.")


def few(n: Quantity) -> Claim | None:
    """Return that a share is of few leads; None from 30 leads on."""
    if n.value >= SMALL_N:
        return None
    return ONLY.claim(n.metric, bucket=n.bucket, certainty=FEW, n=n)


def missing_of(rows: pd.DataFrame) -> dict[str, str]:
    """Return the term ``missing`` of a sentence: the columns that the data lacks.

    Parameters
    ----------
    rows
        A family frame with the constant ``missing``.
    """
    return {"missing": constant(rows, "missing", "") or "timestamps of the stages it needs"}


def immature_buckets(rows: pd.DataFrame) -> list[str]:
    """Return the names of the buckets with leads whose conversion rate can still rise."""
    cohorts = pick(rows, "efficiency")
    cohorts = cohorts[(cohorts["bucket"] != TOTAL) & (cohorts["value"] != 1)]
    empty = {*pick(rows, "mqls").query("value == 0")["bucket"]}
    return [
        bucket_name(bucket)
        for bucket, flags in zip(cohorts["bucket"], cohorts["flags"], strict=True)
        if "immature" in flags and bucket not in empty
    ]


TOO_YOUNG = "the {} of some of its MQLs {} not over yet"


def why_held(flags: Sequence[str], within: str = "") -> str:
    """Return why two buckets are not comparable, in words; empty if they are.

    ``within`` is the days within which an SQL counts, in words.

    >>> why_held(("small-n", "immature"))
    'the cohort is too young, and more of its MQLs can still become SQLs'
    """
    found = next((flag for flag in HOLDS if flag in flags), "")
    if found == "immature" and within:
        return TOO_YOUNG.format(within, are(within))
    return HOLDS.get(found, "")


def change_claim(
    row: Row, sentence: Sentence, *, currency: str, limit: str = "", **given: Any
) -> Claim:
    """Return a claim on the difference of a row of `Report.changes` or `Report.mix`.

    Parameters
    ----------
    row
        ``metric``, ``bucket``, ``against``, ``value``, ``difference``, ``low``, ``high``, ``unit``.
    sentence
        Its places: ``label``, ``now``, ``then``, ``value``, ``size``, ``range`` (of the size) and
        ``signed`` (the interval with signs).
    currency
        Currency of the report.
    limit
        What `labels.within` returns.
    **given
        As in `Sentence.claim`.
    """
    low, difference, high = (_difference(row, part, currency) for part in ENDS)
    ends = sorted((low, high), key=lambda figure: abs(figure.value))
    size, near, far = (replace(figure, value=abs(figure.value)) for figure in (difference, *ends))
    return sentence.claim(
        row["metric"], bucket=row["bucket"], label=label_of(row["metric"], limit),
        now=bucket_name(row["bucket"]), then=bucket_name(row["against"]),
        value=Quantity(row["value"], row["unit"], row["metric"], row["bucket"], currency=currency),
        size=size, range=Range(near, far, SIZE_RANGE), signed=Range(low, high, SIGNED_RANGE),
        limit=limit, **given,
    )  # fmt: skip


def _difference(row: Row, part: str, currency: str) -> Quantity:
    unit = "points" if row["unit"] == "share" else row["unit"]
    return Quantity(row[part], unit, row["metric"], row["bucket"], f"change {part}", currency)
