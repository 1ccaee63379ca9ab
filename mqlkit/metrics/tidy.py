"""Tidy frames: one row per metric, bucket and segment, as ``metrics.json`` holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import NOT_RECORDED, SMALL_N, TOTAL
from mqlkit.core.periods import is_whole

COLUMNS = [
    "metric", "bucket", "start", "end", "by", "name", "value", "n", "low", "high", "unit", "flags",
]  # fmt: skip
METRIC_NAMES = pd.CategoricalDtype([*METRICS])
UNITS = pd.CategoricalDtype(list(dict.fromkeys(metric.unit for metric in METRICS.values())))
# Types of the labels of tidy rows, where they are not codes.
LABELS: dict[str, Any] = {
    **dict.fromkeys(["metric", "bucket", "by", "name", "unit"], "str"),
    "start": object,
    "end": object,
}


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
            "metric": _repeated(metric, METRIC_NAMES, size),
            "bucket": grid["bucket"].array,
            "start": grid["start"].array,
            "end": grid["end"].array,
            "by": grid["by"].array,
            "name": grid["name"].array,
            "value": np.asarray(value, dtype=float),
            "n": count,
            "low": np.full(size, np.nan) if low is None else np.asarray(low, dtype=float),
            "high": np.full(size, np.nan) if high is None else np.asarray(high, dtype=float),
            "unit": _repeated(METRICS[metric].unit, UNITS, size),
            "flags": with_flags(grid["flags"], given),
        }
    )


def _repeated(label: str, labels: pd.CategoricalDtype, size: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.full(size, labels.categories.get_loc(label)), dtype=labels)


def with_flags(base: pd.Series[Any], given: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the flags of each row; rows with the same flags share one tuple.

    Ten million rows have a handful of different ones.

    Parameters
    ----------
    base
        Flags of each row, as tuples.
    given
        Further flags, with a mask of the rows they hold for.
    """
    codes, known = pd.factorize(base)
    for i, mask in enumerate(given.values()):
        codes = codes + len(known) * (mask.astype(np.int64) << i)
    combinations, place = np.unique(codes, return_inverse=True)
    tuples = np.empty(len(combinations), dtype=object)
    for at, combination in enumerate(combinations):
        bits, kept = divmod(int(combination), len(known))
        tuples[at] = (*known[kept], *(name for i, name in enumerate(given) if bits >> i & 1))
    return tuples[place]


def not_recorded(grid: pd.DataFrame, *metrics: str) -> pd.DataFrame:
    """Return tidy rows without numbers, for metrics that need a stage the data does not record."""
    none = np.full(len(grid), np.nan)
    flags = {NOT_RECORDED: True}
    return pd.concat([metric_rows(grid, m, none, flags=flags) for m in metrics], ignore_index=True)


# What the columns of a series are called in a family frame.
SERIES = {
    "mqls_range": {},
    "rejection_reasons": {"reason": "category", "leads": "value"},
    "conversion_by_age": {"age_days": "at", "share": "value", "mqls": "n", "sqls": "hits"},
    "survival": {"hours": "at", "waiting": "value", "at_risk": "n"},
    "histogram": {
        "bin": "step", "hours_from": "at", "hours_to": "to", "outcome": "category",
        "leads": "value",
    },
    "sla_rules": {
        "rule": "step", "holds_for": "category", "promise": "promise", "leads": "n", "met": "met",
        "breached": "breached", "pending": "pending", "unmeasurable": "unmeasurable",
        "attainment": "value",
    },
    "contact_times": {"within": "category", "leads": "n", "share": "value"},
    "cost_by_bucket": {"lag_days": "at", "cost": "value", "rolling": "rolling"},
    "cost_by_lag": {
        "lag_days": "at", "cost": "value", "mqls": "n", "spend": "spend", "from": "spend_from",
        "to": "spend_to",
    },
}  # fmt: skip
# Columns of series that are whole numbers; beside metrics without them they become floats.
WHOLE = {
    "leads", "mqls", "sqls", "age_days", "lag_days", "at_risk", "bin", "rule", "met", "breached",
    "pending", "unmeasurable",
}  # fmt: skip


def family(
    rows: pd.DataFrame,
    *,
    series: Mapping[str, pd.DataFrame | None] | None = None,
    **constants: Any,
) -> pd.DataFrame:
    """Return a family frame: metrics, series and constants in one tidy frame.

    Parameters
    ----------
    rows
        Tidy rows of the family's metrics.
    series
        Frames by name, of `SERIES`; one that is None is left out.
    **constants
        Columns with one value for all rows, such as ``currency``.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; ``at``, ``to``, ``step``, ``category`` and other columns of the series; the
        constants.
    """
    parts = [with_text(rows)]
    for name, frame in (series or {}).items():
        if frame is None or frame.empty:
            continue
        named = frame.rename(columns=SERIES.get(name, {}))
        for column, default in (("bucket", TOTAL), ("by", ""), ("name", ""), ("flags", ())):
            if column not in named:
                named[column] = pd.Series([default] * len(named), index=named.index, dtype=object)
        parts.append(named.assign(metric=name))
    return pd.concat(parts, ignore_index=True).assign(**constants)


def series(frame: pd.DataFrame, name: str, *others: str) -> pd.DataFrame:
    """Return one series of a family frame, with the names that its columns have by themselves.

    Parameters
    ----------
    frame
        A family frame.
    name
        A key of `SERIES`.
    *others
        Further columns wanted.

    Raises
    ------
    ValueError
        When the frame lacks a column.
    """
    columns = {**{column: column for column in others}, **{b: a for a, b in SERIES[name].items()}}
    part = frame[frame["metric"] == name]
    missing = [b for b in columns if b not in frame.columns]
    if missing and len(part):
        raise ValueError(f"{name} needs the columns {', '.join(missing)}, which the frame lacks.")
    found = part.reindex(columns=list(columns)).rename(columns=columns).reset_index(drop=True)
    return found.astype(dict.fromkeys(WHOLE & {*found.columns}, "int64"))


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Stop where a frame lacks a column.

    Raises
    ------
    ValueError
        With the drawing and the columns.
    """
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ValueError(f"{name} needs the columns {', '.join(missing)}, which the frame lacks.")


def constant(frame: pd.DataFrame, name: str, default: Any = None) -> Any:
    """Return a constant of a family frame; ``default`` where the frame has none or is empty.

    Raises
    ------
    ValueError
        When there is neither.
    """
    if name in frame.columns and len(frame):
        return frame[name].iloc[0]
    if default is None:
        raise ValueError(f"The frame needs the column {name}.")
    return default


def breakdown_of(frame: pd.DataFrame, by: str | None) -> str:
    """Return the breakdown to show: ``by``, or the main one of the frame."""
    return by or str(constant(frame, "main_breakdown", "source"))


def largest_segments(sizes: pd.Series[float], most: int) -> list[str]:
    """Return the names of the largest segments, largest first; ties keep their order.

    >>> largest_segments(pd.Series({"Web": 3, "Event": 8, "Ads": 3}), 2)
    ['Event', 'Web']
    """
    return list(sizes.sort_values(ascending=False, kind="stable").index[:most])


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


def with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Return tidy rows whose labels are text and dates; in the rows of a report they are codes."""
    return rows.astype(LABELS)


def shown(rows: pd.DataFrame, by_bucket: str) -> pd.DataFrame:
    """Return the rows of all leads, and those of segments that pages show.

    These are the values of the whole period and those of the metric ``by_bucket``: all of them may
    be millions.
    """
    is_shown = (rows["by"] == "") | (rows["bucket"] == TOTAL) | (rows["metric"] == by_bucket)
    return rows[is_shown]


def of_all_leads(groups: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all leads of several tidy frames; those of segments may be millions."""
    return with_text(pd.concat([rows[rows["by"] == ""] for rows in groups], ignore_index=True))


def complete(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a metric of all leads in the buckets that are over and wholly in the period."""
    part = pick(rows, metric)
    part = part[part["bucket"] != TOTAL]
    spans = zip(part["bucket"], part["start"], part["end"], part["flags"], strict=True)
    kept = [is_whole(b, s, e) and "in-progress" not in f for b, s, e, f in spans]
    return part[np.array(kept, dtype=bool)].reset_index(drop=True)


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
