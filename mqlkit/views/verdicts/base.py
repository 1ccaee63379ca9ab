"""A verdict: one statement with its tone, and the totals that verdicts read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mqlkit.core.names import SMALL_N
from mqlkit.core.text import (
    between,
    counted,
)

GOOD, BAD, PLAIN = "good", "bad", "plain"
READ = ("value", "n", "low", "high", "flags")


@dataclass(frozen=True)
class Verdict:
    """One statement of the page; its tone (good, bad, plain) is marked by more than colour."""

    text: str
    tone: str = PLAIN


class Totals:
    """The rows of all leads over the whole period, by metric."""

    def __init__(self, rows: pd.DataFrame, bucket: str = "total") -> None:
        found = rows[(rows["bucket"] == bucket) & (rows["by"] == "")]
        read = zip(*(found[name] for name in ("metric", *READ)), strict=True)
        self._rows = {metric: dict(zip(READ, of, strict=True)) for metric, *of in read}

    def value(self, metric: str) -> float:
        """Return a value; NaN where it is null or missing."""
        return float(self._rows[metric]["value"]) if metric in self._rows else math.nan

    def n(self, metric: str) -> float:
        """Return a denominator; 0 where there is none."""
        n = float(self._rows[metric]["n"]) if metric in self._rows else math.nan
        return 0.0 if math.isnan(n) else n

    def is_recorded(self, metric: str) -> bool:
        """Return whether the data could tell a metric at all: then it has a denominator, if 0."""
        return metric in self._rows and not math.isnan(self._rows[metric]["n"])

    def interval(self, metric: str) -> str:
        """Return the interval of a share; empty where it has none."""
        row = self._rows.get(metric)
        return "" if row is None or math.isnan(row["low"]) else between(row["low"], row["high"])

    def flags(self, metric: str) -> Sequence[str]:
        """Return the flags of a metric."""
        return tuple(self._rows[metric]["flags"]) if metric in self._rows else ()


def _small(n: float) -> str:
    warning = f" With only {counted(n, 'lead')} this says little; do not rank or plan by it."
    return "" if n >= SMALL_N else warning
