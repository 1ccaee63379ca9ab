"""The content of ``metrics.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator
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


def metrics_document(report: Report) -> dict[str, Any]:
    """Return the content of ``metrics.json``."""
    return {**facts_of(report), "metrics": list(records_of(report.metrics))}


def facts_of(report: Report) -> dict[str, Any]:
    """Return all entries of ``metrics.json`` except the metrics."""
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
    for start in range(0, len(rows), CHUNK):
        yield from _records(rows.iloc[start : start + CHUNK])


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {name: rows[name].tolist() for name in rows.columns}
    for name in ("start", "end"):
        columns[name] = [str(day) for day in columns[name]]
    for name in ("value", "n", "low", "high"):
        columns[name] = [_plain(value) for value in columns[name]]
    segments = zip(columns.pop("by"), columns.pop("name"), strict=True)
    columns["segment"] = [{by: name} if by else None for by, name in segments]
    cells = zip(*(columns[name] for name in RECORD), strict=True)
    return [dict(zip(RECORD, values, strict=True)) for values in cells]
