"""A table of text cells with its title, and how metrics by bucket become one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import NOTHING, between, bucket_name, count, listed
from mqlkit.metrics.tidy import COLUMNS, pick


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text cells with its title.

    Attributes
    ----------
    title
        What the table shows.
    cells
        One text column per heading.
    left
        The headings of the columns that hold text; the others hold numbers.
    is_open
        Whether the page shows the table unfolded.
    """

    title: str
    cells: pd.DataFrame
    left: tuple[str, ...]
    is_open: bool = False


def titled(title: str, frame: pd.DataFrame, *, left: Sequence[str], is_open: bool = False) -> Table:
    """Return text columns as a table; those in ``left`` are aligned left, figures right."""
    return Table(title, frame.reset_index(drop=True), tuple(left), is_open)


Words = Callable[[float], str]
# A page that is mailed cannot hold a row for each of a thousand owners; metrics.json does.
MOST_ROWS = 100


class Cell(NamedTuple):
    """One metric in one row of a table."""

    value: float
    low: float
    high: float
    flags: Sequence[str]


def _cells(
    rows: pd.DataFrame, metrics: Iterable[str], by: str | None
) -> dict[str, dict[str, Cell]]:
    """Return metrics per bucket, or of the whole period per value of a breakdown."""
    part = pick(rows, *metrics, by=by)
    if by is not None:
        part = part[part["bucket"] == TOTAL]
    found: dict[str, dict[str, Cell]] = {}
    names = ("metric", "bucket" if by is None else "name", *Cell._fields)
    for metric, name, *read in zip(*(part[column] for column in names), strict=True):
        found.setdefault(metric, {})[name] = Cell(*read)
    return found


def _interval(cell: Cell) -> str:
    return NOTHING if math.isnan(cell.low) else between(cell.low, cell.high)


def _wide(
    rows: pd.DataFrame,
    title: str,
    metrics: Mapping[str, tuple[str, Words]],
    *,
    by: str | None = None,
    interval: str | None = None,
    notes: str | None = None,
    is_open: bool = False,
) -> Table | None:
    """Return a table of metrics per bucket, or per value of a breakdown; None if all is null."""
    missing = [c for c in COLUMNS if c not in rows.columns]
    if missing:
        raise ValueError(f"the table {title!r} needs the columns {', '.join(missing)}.")
    found = _cells(rows, metrics, by)
    columns = {
        label: {name: words(cell.value) for name, cell in found[metric].items()}
        for metric, (label, words) in metrics.items()
        if metric in found
    }
    if not columns:
        return None
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    if interval in found:
        columns["95% interval"] = {n: _interval(cell) for n, cell in found[interval].items()}
    if notes in found:
        columns["Note"] = {name: listed(cell.flags) for name, cell in found[notes].items()}
    if by and len(names) > MOST_ROWS:
        title = f"{title}, the {MOST_ROWS} with the most MQLs of {count(len(names))}"
        names = _largest(rows, by, names)
    first = by.capitalize() if by else "Bucket"
    texts = {label: [c.get(name, NOTHING) for name in names] for label, c in columns.items()}
    if all(text == NOTHING for label, those in texts.items() if label != "Note" for text in those):
        return None
    if not any(texts.get("Note", [])):
        texts.pop("Note", None)
    frame = pd.DataFrame(texts)
    frame.insert(0, first, names if by else [_bucket(name) for name in names])
    return titled(title, frame, left=[c for c in (first, "Note") if c in frame], is_open=is_open)


def _largest(rows: pd.DataFrame, by: str, names: list[str]) -> list[str]:
    """Return the values of a breakdown with the most MQLs, in the order of a table's rows."""
    mqls = pick(rows, "mqls", by=by)
    sizes = mqls[mqls["bucket"] == TOTAL].set_index("name")["value"].reindex(names).fillna(0)
    kept = set(sizes.sort_values(ascending=False, kind="stable").index[:MOST_ROWS])
    return [name for name in names if name in kept]


def _bucket(label: str) -> str:
    return "Whole period" if label == TOTAL else bucket_name(label)


def _decimal(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:,.1f}"


def _signed(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:+,.0f}".replace("-", "−")
