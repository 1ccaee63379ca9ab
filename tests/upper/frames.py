"""Tidy frames written by hand: what a metric function would return, one row after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.metrics.tidy import metric_rows

SPANS = {
    "2026-01": (date(2026, 1, 1), date(2026, 2, 1)),
    "2026-02": (date(2026, 2, 1), date(2026, 3, 1)),
    "2026-03": (date(2026, 3, 1), date(2026, 4, 1)),
    "2026-Q1": (date(2026, 1, 1), date(2026, 4, 1)),
    "2026-Q2": (date(2026, 4, 1), date(2026, 7, 1)),
    TOTAL: (date(2026, 1, 1), date(2026, 4, 1)),
}
WORD_JOINER = "\u2060"


def row(
    metric: str,
    value: float | None,
    *,
    bucket: str = TOTAL,
    n: float | None = None,
    low: float | None = None,
    high: float | None = None,
    flags: Sequence[str] = (),
    **segment: str,
) -> pd.DataFrame:
    """Return one tidy row; None is null, and fewer than 30 leads are flagged as always."""
    start, end = SPANS[bucket] if bucket in SPANS else _month(bucket)
    grid = pd.DataFrame({"bucket": [bucket], "start": [start], "end": [end]})
    grid["by"], grid["name"] = next(iter(segment.items()), ("", ""))
    grid["flags"] = pd.Series([tuple(flags)], dtype=object)
    numbers = {name: [math.nan if v is None else v] for name, v in
               {"value": value, "n": n, "low": low, "high": high}.items()}  # fmt: skip
    value_given = numbers.pop("value")
    return metric_rows(grid, metric, value_given, **numbers)


def _month(label: str) -> tuple[date, date]:
    start = date.fromisoformat(f"{label}-01")
    return start, date(start.year + start.month // 12, start.month % 12 + 1, 1)


def rows(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return tidy rows one under the other."""
    return pd.concat(parts, ignore_index=True)


def totals(**values: float | Mapping[str, Any] | None) -> pd.DataFrame:
    """Return rows of all leads over the whole period, by metric."""
    return rows(*(row(m, **v) if isinstance(v, Mapping) else row(m, v) for m, v in values.items()))


def plain(text: str) -> str:
    """Return a text without the marks that keep an interval on one line."""
    return text.replace(WORD_JOINER, "")
