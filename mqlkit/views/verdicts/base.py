"""A verdict, and the totals that verdicts are based on."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mqlkit.core.names import SMALL_N
from mqlkit.core.text import between, bucket_name, count, counted, money, percent
from mqlkit.metrics.changes import HOLDS
from mqlkit.metrics.tidy import pick

GOOD, BAD, PLAIN = "good", "bad", "plain"
Row = Mapping[Hashable, Any]
READ = ("value", "n", "low", "high", "flags")


@dataclass(frozen=True)
class Verdict:
    """One statement of the page with its tone: good, bad or plain."""

    text: str
    tone: str = PLAIN


class Totals:
    """The rows of all leads over the whole period, by metric."""

    def __init__(self, rows: pd.DataFrame, bucket: str = "total") -> None:
        found = rows[(rows["bucket"] == bucket) & (rows["by"] == "")]
        read = zip(*(found[name] for name in ("metric", *READ)), strict=True)
        self._rows = {metric: dict(zip(READ, of, strict=True)) for metric, *of in read}

    def value(self, metric: str) -> float:
        """Return a value; NaN if it is null or missing."""
        return float(self._rows[metric]["value"]) if metric in self._rows else math.nan

    def n(self, metric: str) -> float:
        """Return a denominator; 0 if there is none."""
        n = float(self._rows[metric]["n"]) if metric in self._rows else math.nan
        return 0.0 if math.isnan(n) else n

    def is_recorded(self, metric: str) -> bool:
        """Return whether the data records a metric; if so, it has a denominator, even if 0."""
        return metric in self._rows and not math.isnan(self._rows[metric]["n"])

    def interval(self, metric: str) -> str:
        """Return the interval of a share; empty if it has none."""
        row = self._rows.get(metric)
        return "" if row is None or math.isnan(row["low"]) else between(row["low"], row["high"])

    def flags(self, metric: str) -> Sequence[str]:
        """Return the flags of a metric."""
        return tuple(self._rows[metric]["flags"]) if metric in self._rows else ()


def _small(n: float) -> str:
    warning = f" Based on only {counted(n, 'lead')}: do not rank or plan by it."
    return "" if n >= SMALL_N else warning


def why_held(flags: Sequence[str]) -> str:
    """Return why two buckets are not comparable, in words; empty if they are.

    >>> why_held(("small-n", "immature"))
    'it is too young, and more of its MQLs will still become SQLs'
    """
    return next((words for flag, words in HOLDS.items() if flag in flags), "")


def figure(value: float, unit: str, currency: str) -> str:
    """Format a value by its unit."""
    if unit == "share":
        return percent(value)
    return count(value) if unit == "leads" else money(value, currency)


def moved(row: Row, currency: str) -> str:
    """Format a change whose interval excludes 0: ``up by 6.1 points (2.0 to 10.2)``."""
    ends = sorted(abs(row[name]) for name in ("low", "high"))
    size, *bounds = (_size(x, row["unit"], currency) for x in (abs(row["difference"]), *ends))
    noun = " points" if row["unit"] == "share" else ""
    return f"{'up' if row['difference'] > 0 else 'down'} by {size}{noun} ({' to '.join(bounds)})"


def _size(value: float, unit: str, currency: str) -> str:
    # A change that is not 0 must not be rounded to 0.
    least = {"share": 0.001, "leads": 1}.get(unit, 0.01)
    if 0 < value < least / 2:
        return f"<{_size(least, unit, currency)}"
    return f"{value * 100:.1f}" if unit == "share" else figure(value, unit, currency)


def immature_buckets(rows: pd.DataFrame) -> list[str]:
    """Return the names of the buckets whose conversion rate can still rise."""
    cohorts = pick(rows, "efficiency")
    return [
        bucket_name(b)
        for b, flags in zip(cohorts["bucket"], cohorts["flags"], strict=True)
        if "immature" in flags and b != "total"
    ]
