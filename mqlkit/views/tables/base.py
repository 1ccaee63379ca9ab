"""The `Table` record, and tables of metrics by bucket or segment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from mqlkit.core.names import NOT_RECORDED, TOTAL
from mqlkit.core.text import NOTHING, between, bucket_name, count, counted, listed, moment, percent
from mqlkit.core.yaml_files import as_flow
from mqlkit.metrics.tidy import COLUMNS, largest_segments, pick


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
    is_ordered
        Whether the rows have an order that the text of the first column does not show.
    has_total
        Whether the last row is the total of the others.
    note
        A line below the table.
    """

    title: str
    cells: pd.DataFrame
    left: tuple[str, ...]
    is_open: bool = False
    is_ordered: bool = False
    has_total: bool = False
    note: str = ""


def titled(title: str, frame: pd.DataFrame, *, left: Sequence[str], **options: Any) -> Table:
    """Return text columns as a table; those in ``left`` are aligned left, numbers right."""
    return Table(title, frame.reset_index(drop=True), tuple(left), **options)


def more(n: int, shown: int) -> str:
    """Return the note on the rows that a table leaves out; empty if it has all of them.

    >>> more(1200, 25)
    '1,175 more, see metrics.json'
    """
    return f"{count(n - shown)} more, see metrics.json" if n > shown else ""


def table_of(frame: pd.DataFrame) -> Table:
    """Return a user's frame as an open table, with numbers to six digits."""
    named = any(name is not None for name in frame.index.names)
    shown = (frame.reset_index() if named else frame).head(MOST_ROWS)
    cells = pd.DataFrame({str(name): _texts(shown[name]) for name in shown.columns})
    left = [str(n) for n in shown.columns if not pd.api.types.is_numeric_dtype(shown[n].dtype)]
    title = f"Table of {counted(len(frame), 'row')}"
    if len(frame) > MOST_ROWS:
        title += f", the first {MOST_ROWS}"
    return titled(title, cells, left=left, is_open=True)


def _texts(column: pd.Series[Any]) -> list[str]:
    if pd.api.types.is_float_dtype(column.dtype):
        return [NOTHING if pd.isna(v) else f"{v:,.6g}" for v in column]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return [NOTHING if pd.isna(v) else moment(v) for v in column]
    return [NOTHING if pd.isna(v) is True else str(v) for v in column]


Words = Callable[[float], str]
# Rows of a user's frame, and segments of a breakdown. metrics.json has all of them.
MOST_ROWS, MOST_SEGMENTS = 100, 25


class Cell(NamedTuple):
    """One metric in one row of a table."""

    value: float
    low: float
    high: float
    flags: Sequence[str]


def _cells(
    rows: pd.DataFrame, metrics: Iterable[str], by: str | None
) -> dict[str, dict[str, Cell]]:
    """Return metrics per bucket, or per segment for the whole period."""
    part = pick(rows, *metrics, by=by)
    if by is not None:
        part = part[part["bucket"] == TOTAL]
    found: dict[str, dict[str, Cell]] = {}
    names = ("metric", "bucket" if by is None else "name", *Cell._fields)
    for metric, name, *read in zip(*(part[column] for column in names), strict=True):
        found.setdefault(metric, {})[name] = Cell(*read)
    return found


def _interval(cell: Cell, words: Words) -> str:
    if math.isnan(cell.low):
        return NOTHING
    is_share = words is percent
    return between(cell.low, cell.high) if is_share else f"{words(cell.low)} to {words(cell.high)}"


def _note(flags: Sequence[str], others: Mapping[str, Sequence[str]]) -> str:
    """Return flags in words, with those that only other columns have, by their labels."""
    own: dict[str, list[str]] = {}
    for label, more_flags in others.items():
        for flag in more_flags:
            if flag not in flags:
                own.setdefault(flag, []).append(label)
    return listed([*flags, *(f"{flag} ({', '.join(labels)})" for flag, labels in own.items())])


def _wide(
    rows: pd.DataFrame,
    title: str,
    metrics: Mapping[str, tuple[str, Words]],
    *,
    by: str | None = None,
    interval: str | None = None,
    notes: str | None = None,
    notes_of: Sequence[str] = (),
    is_open: bool = False,
) -> Table | None:
    """Return a table of metrics per bucket, or per value of a breakdown; None if all is null.

    ``notes`` is the metric whose flags are those of a row; further flags of the metrics
    ``notes_of`` are shown with their label.
    """
    missing = [c for c in COLUMNS if c not in rows.columns]
    if missing:
        raise ValueError(f"the table {title!r} needs the columns {', '.join(missing)}.")
    found = {m: cells for m, cells in _cells(rows, metrics, by).items() if _is_recorded(cells)}
    columns = {
        label: {name: words(cell.value) for name, cell in found[metric].items()}
        for metric, (label, words) in metrics.items()
        if metric in found
    }
    if not columns:
        return None
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    if interval in found:
        label, words = metrics[interval]
        heading = "95% interval" if words is percent else f"{label}, 95% interval"
        columns[heading] = {n: _interval(cell, words) for n, cell in found[interval].items()}
    if notes in found:
        also = {metrics[m][0]: found[m] for m in notes_of if m in found}
        columns["Note"] = {
            name: _note(cell.flags, _flags_of(also, name)) for name, cell in found[notes].items()
        }
    note = ""
    if by:
        note, names = more(len(names), MOST_SEGMENTS), _largest(rows, by, names)
    first = by.capitalize() if by else "Bucket"
    texts = {label: [c.get(name, NOTHING) for name in names] for label, c in columns.items()}
    if all(text == NOTHING for label, those in texts.items() if label != "Note" for text in those):
        return None
    if not any(texts.get("Note", [])):
        texts.pop("Note", None)
    frame = pd.DataFrame(texts)
    frame.insert(0, first, names if by else [_bucket(name) for name in names])
    return titled(
        title,
        frame,
        left=[c for c in (first, "Note") if c in frame],
        is_open=is_open,
        is_ordered=not by,
        has_total=names[-1] == TOTAL,
        note=note,
    )


def _flags_of(columns: Mapping[str, Mapping[str, Cell]], name: str) -> dict[str, Sequence[str]]:
    """Return the flags of the known values in a row, by the label of their column."""
    cells = {label: column[name] for label, column in columns.items() if name in column}
    return {label: cell.flags for label, cell in cells.items() if not math.isnan(cell.value)}


def _is_recorded(cells: Mapping[str, Cell]) -> bool:
    return any(NOT_RECORDED not in cell.flags for cell in cells.values())


def _largest(rows: pd.DataFrame, by: str, names: list[str]) -> list[str]:
    """Return the values of a breakdown with the most MQLs, in the order of a table's rows."""
    mqls = pick(rows, "mqls", by=by)
    sizes = mqls[mqls["bucket"] == TOTAL].set_index("name")["value"].reindex(names).fillna(0)
    kept = set(largest_segments(sizes, MOST_SEGMENTS))
    return [name for name in names if name in kept]


def _bucket(label: str) -> str:
    return "Whole period" if label == TOTAL else bucket_name(label)


def _decimal(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:,.1f}"


def _signed(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:+,.0f}".replace("-", "−")


def settings_table(
    resolved: Mapping[str, Any], *, title: str = "Parameters of this report"
) -> Table:
    """Return parameters by name as a table."""
    values = [_as_written(value) for value in resolved.values()]
    frame = pd.DataFrame({"Parameter": list(resolved), "Value": values})
    return titled(title, frame, left=["Parameter", "Value"])


def _as_written(value: Any) -> str:
    """Format the value of a parameter as users write it."""
    if value is None or value in ({}, []):
        return "null" if value is None else NOTHING
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return as_flow(value)
    if isinstance(value, list):
        return listed([str(v) for v in value])
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_as_written(v)}" for name, v in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
