"""Tidy frames written by hand: what a metric function would return, one row after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from inspect import signature
from types import FunctionType
from typing import Any

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams
from mqlkit.metrics.tidy import COLUMNS, family, metric_rows
from mqlkit.views import charts, tables, verdicts
from mqlkit.views.topics import name_of

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


def of(frame: pd.DataFrame, **constants: Any) -> pd.DataFrame:
    """Return a family frame: rows with constants."""
    return frame.assign(**constants)


def series_of(name: str, frame: pd.DataFrame | None) -> pd.DataFrame:
    """Return a family frame of one series alone."""
    return family(pd.DataFrame(columns=COLUMNS), series={name: frame})


def terms(params: ReportParams) -> dict[str, Any]:
    """Return what family frames hold of a report's parameters."""
    return {
        "sla": params.sla_words,
        "sla_hours": params.sla_hours,
        "day_hours": params.day_hours,
        "n_rules": len(params.sla_rules),
        "is_dated": False,
        "sla_stops_on": params.sla_stops_on,
        "is_lag_measured": params.lag_days == "auto",
        "is_redacted": params.redact,
    }


def headline_frame(
    frame: pd.DataFrame,
    *,
    params: ReportParams,
    currency: str = "",
    changes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what the headline is drawn from."""
    both = frame if changes is None else pd.concat([frame, changes], ignore_index=True)
    return both.assign(currency=currency, **terms(params))


def draw(name: str, frame: pd.DataFrame, **options: Any) -> Any:
    """Return what a drawing function draws; options it does not have are constants of the frame."""
    function = drawing(name)
    own = {n: v for n, v in options.items() if n in signature(function).parameters}
    return function(of(frame, **{n: v for n, v in options.items() if n not in own}), **own)


def drawing(name: str) -> Any:
    """Return a drawing function by its public name, such as ``charts.sla.attainment``."""
    layer, topic, function = name.split(".")
    layers = {"charts": charts, "tables": tables, "verdicts": verdicts}
    return getattr(getattr(layers[layer], topic), function)


# What drawing functions return; other public functions of a layer are parts of them.
DRAWN = ("Chart", "Table", "Verdict", "list[Verdict]")


def drawings_of(layer: Any) -> list[str]:
    """Return the public names of the drawing functions of a layer: charts, tables or verdicts."""
    return [
        name_of(value)
        for topic in layer.__all__
        for name, value in vars(getattr(layer, topic)).items()
        if isinstance(value, FunctionType)
        and value.__module__ == getattr(layer, topic).__name__
        and not name.startswith("_")
        and value.__annotations__["return"].removesuffix(" | None") in DRAWN
    ]
