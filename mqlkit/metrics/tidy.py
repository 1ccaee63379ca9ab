"""Tidy frames: one row per metric, bucket and segment, as ``metrics.json`` holds them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import SMALL_N

COLUMNS = [
    "metric", "bucket", "start", "end", "by", "name", "value", "n", "low", "high", "unit", "flags",
]  # fmt: skip


def metric_rows(
    grid: pd.DataFrame,
    metric: str,
    value: npt.ArrayLike,
    *,
    n: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    flags: Mapping[str, npt.ArrayLike] | None = None,
) -> pd.DataFrame:
    """Return the tidy rows of one metric.

    Parameters
    ----------
    grid
        One row per segment and bucket: ``bucket`` (label), ``start``, ``end``, ``by``, ``name``,
        and ``flags`` (a tuple) that hold for the bucket whatever the metric.
    metric
        A name of `terms.METRICS`.
    value, n, low, high
        One per row; NaN is null.
    flags
        Further flags, with a mask of the rows they hold for.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; ``by`` and ``name`` are a breakdown column and its value, both empty for all
        leads.
    """
    size = len(grid)
    count = np.full(size, np.nan) if n is None else np.asarray(n, dtype=float)
    given = {name: np.broadcast_to(np.asarray(mask), size) for name, mask in (flags or {}).items()}
    given["small-n"] = count < SMALL_N
    return pd.DataFrame(
        {
            "metric": metric,
            "bucket": grid["bucket"].to_numpy(),
            "start": grid["start"].to_numpy(),
            "end": grid["end"].to_numpy(),
            "by": grid["by"].to_numpy(),
            "name": grid["name"].to_numpy(),
            "value": np.asarray(value, dtype=float),
            "n": count,
            "low": np.full(size, np.nan) if low is None else np.asarray(low, dtype=float),
            "high": np.full(size, np.nan) if high is None else np.asarray(high, dtype=float),
            "unit": METRICS[metric].unit,
            "flags": [
                (*base, *(name for name, mask in given.items() if mask[i]))
                for i, base in enumerate(grid["flags"])
            ],
        }
    )


def pick(rows: pd.DataFrame, *metrics: str, by: str | None = None) -> pd.DataFrame:
    """Return the rows of one metric or more: of all leads, or by one breakdown column.

    Parameters
    ----------
    rows
        A tidy frame.
    *metrics
        The metrics wanted.
    by
        A breakdown column, whose values are in ``name``; all leads when left out.
    """
    is_picked = rows["metric"].isin(metrics) & (rows["by"] == (by or ""))
    return rows[is_picked].reset_index(drop=True)


def value_of(rows: pd.DataFrame, metric: str, bucket: str = "total") -> float:
    """Return one value for all leads; NaN where it is null or there is no such row."""
    found = pick(rows, metric)
    found = found[found["bucket"] == bucket]
    return float(found["value"].iloc[0]) if len(found) else float("nan")


def share(hits: npt.ArrayLike, n: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``hits / n``, NaN where ``n`` is 0."""
    top, bottom = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)
