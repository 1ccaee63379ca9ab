"""Table of the comparisons of the last complete bucket."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from mqlkit.core.text import NOTHING, bucket_name, count, money, percent
from mqlkit.metrics.changes import COLUMNS, latest
from mqlkit.metrics.tidy import constant, require
from mqlkit.views.labels import label_of, within
from mqlkit.views.tables.base import Table, titled

# The flags of `changes.HOLDS`, short enough for a cell.
NOT_COMPARED = {
    "in-progress": "not over yet",
    "part-bucket": "partly outside the period",
    "immature": "immature",
    "unsettled": "open leads can reverse it",
    "small-n": "too few leads",
    "spend-not-covered": "spend not covered",
}


def comparisons(changes: pd.DataFrame) -> Table | None:
    """Tabulate the last complete bucket against the one before and the same a year before.

    Parameters
    ----------
    changes
        `Report.changes`.
    """
    require(changes, COLUMNS, "tables.changes.comparisons")
    currency = constant(changes, "currency", "")
    rows = latest(changes)
    rows = rows[rows["value"].notna() | rows["before"].notna()]
    if rows.empty:
        return None
    limit = within(changes)
    frame = pd.DataFrame([_cells(row, currency, limit) for row in rows.to_dict("records")])
    title = f"Changes in {bucket_name(rows['bucket'].iloc[0])}"
    return titled(title, frame, left=["Metric", "Compared with", "Result"])


def _cells(row: Mapping[Hashable, Any], currency: str, limit: str) -> dict[str, str]:
    unit, result = row["unit"], _result(row)
    # Without a comparison, a difference would be quoted anyway.
    is_shown = result not in NOT_COMPARED.values() and not pd.isna(row["difference"])
    size, *ends = (_signed(row[c], unit, currency) for c in ("difference", "low", "high"))
    points = " points" if unit == "share" else ""
    return {
        "Metric": label_of(row["metric"], limit),
        "Compared with": bucket_name(row["against"]),
        "Then": _figure(row["before"], unit, currency),
        "Now": _figure(row["value"], unit, currency),
        "Change": f"{size}{points}" if is_shown else NOTHING,
        "95% interval": f"{' to '.join(ends)}{points}" if is_shown else NOTHING,
        "Result": result,
    }


def _result(row: Mapping[Hashable, Any]) -> str:
    for flag, words in NOT_COMPARED.items():
        if flag in row["flags"]:
            return words
    if row["is_clear"]:
        return "up" if row["difference"] > 0 else "down"
    if "unequal-days" in row["flags"]:
        return "no clear change per day"
    return NOTHING if pd.isna(row["difference"]) else "no clear change"


def _figure(value: float, unit: str, currency: str) -> str:
    if unit == "share":
        return percent(value)
    return count(value) if unit == "leads" else money(value, currency)


def _signed(value: float, unit: str, currency: str) -> str:
    if pd.isna(value):
        return NOTHING
    sign = "+" if value > 0 else "−" if value < 0 else ""
    if unit == "share":
        return f"{sign}{abs(value) * 100:.1f}"
    return f"{sign}{_figure(abs(value), unit, currency)}"
