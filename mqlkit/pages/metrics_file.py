"""``metrics.json`` on disk: one line for each row, written and read row by row.

A report by week with two thousand owners has ten million rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

# How the line of a row of the metrics starts, and of the funnel; what that of all leads contains.
ROW, STEP, OF_ALL_LEADS = '{"metric"', '{"from"', '"segment": null'
Rows = Iterable[Mapping[str, Any]]


def write_metrics(path: Path, facts: Mapping[str, Any], rows: Rows, *, funnel: Rows = ()) -> None:
    """Write the facts of a report, the rows of its funnel and those of its metrics."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write("{\n")
        for name, value in facts.items():
            handle.write(f"{line_of(name)}: {_lines(value)},\n")
        _write_rows(handle, "funnel", funnel)
        handle.write(",\n")
        _write_rows(handle, "metrics", rows)
        handle.write("\n}\n")


def _write_rows(handle: TextIO, name: str, rows: Rows) -> None:
    handle.write(f"{line_of(name)}: [")
    separator = "\n"
    for row in rows:
        handle.write(separator + line_of(row))
        separator = ",\n"
    handle.write("\n]")


def line_of(value: object) -> str:
    """Return a row, or another value, as it is written."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(value: object) -> str:
    if not isinstance(value, list):
        return line_of(value)
    return "[\n" + ",\n".join(line_of(entry) for entry in value) + "\n]"


def is_of_all_leads(line: str) -> bool:
    """Return whether a line of the file is a row of all leads."""
    return OF_ALL_LEADS in line


def read_metrics(path: Path, *, keep: Callable[[str], bool] = is_of_all_leads) -> Any:
    """Read a report's ``metrics.json``.

    Parameters
    ----------
    path
        The file.
    keep
        Takes the line of a row and returns whether the row is wanted.

    Returns
    -------
    dict
        The document with the wanted rows. A file in another layout is returned whole.

    Raises
    ------
    OSError, ValueError
        When the file cannot be read, or is not JSON.
    """
    with path.open(encoding="utf-8") as handle:
        kept = [line for line in handle if not line.startswith((ROW, STEP)) or keep(line)]
    # The row after which others are dropped may end in a comma.
    ends = [place for place, line in enumerate(kept) if line.startswith("]")]
    for place in ends:
        kept[place - 1] = kept[place - 1].rstrip().removesuffix(",") + "\n"
    return json.loads("".join(kept))
