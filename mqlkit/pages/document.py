"""The content of ``metrics.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd

from mqlkit import __version__
from mqlkit.core.metrics import DEFINITIONS
from mqlkit.metrics.report import Report

# Rows that are records at the same time.
CHUNK = 10_000
ENGINES = ("duckdb", "ibis-framework", "pandas")
RECORD = (
    "metric", "bucket", "start", "end", "segment", "value", "n", "low", "high", "unit", "flags",
)  # fmt: skip
FUNNEL_NUMBERS = (
    "conversion", "low", "high", "projected", "projected_low", "projected_high", "hours_mean",
    "hours_median", "hours_p90",
)  # fmt: skip
FUNNEL_RECORD = (
    "from", "to", "bucket", "start", "end", "segment", "entered", "converted", "lost", "open",
    *FUNNEL_NUMBERS, "flags",
)  # fmt: skip


def metrics_document(report: Report) -> dict[str, Any]:
    """Return the content of ``metrics.json``."""
    return {
        **facts_of(report),
        "funnel": list(funnel_records(report.funnel)),
        "metrics": list(records_of(report.metrics)),
    }


def facts_of(report: Report) -> dict[str, Any]:
    """Return all entries of ``metrics.json`` except the funnel and the metrics."""
    leads, tested = report.lead_data, report.forecast_backtest
    return {
        "title": report.params.title,
        "as_of": leads.as_of.at.astimezone(leads.zone).isoformat(),
        "period": {
            "start": leads.whole.start.isoformat(),
            "end": leads.whole.end.isoformat(),
            "grain": report.params.grain,
        },
        "params": report.resolved_params,
        "lag_days_used": report.lag_days_used,
        "definitions": DEFINITIONS,
        "maturity_days": _plain(report.maturity.days),
        "horizon_days": _plain(report.maturity.horizon_days),
        "folded": leads.cube.folded,
        "phi": _plain(report.phi),
        "forecast_backtest": None if tested is None else asdict(tested),
        "currency": report.tables.currency,
        "ledger": {table: ledger.to_dict() for table, ledger in report.ledgers.items()},
        "inputs": report.inputs,
        "versions": {"mqlkit": __version__, **{name: version(name) for name in ENGINES}},
    }


def _plain(value: float) -> float | int | None:
    """Return a number for JSON: None for NaN and infinity, whole numbers as int."""
    if value is None or math.isnan(value) or math.isinf(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else float(value)


def records_of(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield tidy rows as records of ``metrics.json``."""
    return _records(rows, RECORD, numbers=("value", "n", "low", "high"))


def funnel_records(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of `Report.funnel` as records of ``metrics.json``."""
    return _records(rows, FUNNEL_RECORD, numbers=FUNNEL_NUMBERS)


def _records(
    rows: pd.DataFrame, fields: Sequence[str], *, numbers: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for start in range(0, len(rows), CHUNK):
        chunk = rows.iloc[start : start + CHUNK]
        columns: dict[str, list[Any]] = {name: chunk[name].tolist() for name in chunk.columns}
        for name in ("start", "end"):
            columns[name] = [str(day) for day in columns[name]]
        for name in numbers:
            columns[name] = [_plain(value) for value in columns[name]]
        segments = zip(columns.pop("by"), columns.pop("name"), strict=True)
        columns["segment"] = [{by: name} if by else None for by, name in segments]
        for cells in zip(*(columns[name] for name in fields), strict=True):
            yield dict(zip(fields, cells, strict=True))
