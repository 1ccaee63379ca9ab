"""Outputs read back before they are moved to their place: a full disk can cut off any of them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mqlkit.core.errors import RunError, report
from mqlkit.metrics.limits import figures_of
from mqlkit.pages.assets import SMALLEST_SCRIPT
from mqlkit.pages.html import blocks, shown_cells
from mqlkit.pages.metrics_file import read_metrics
from mqlkit.views.theme import CHART_TYPE

CHARTS, END = '<script type="application/json" id="charts">', "</script>"
PARQUET = b"PAR1"
# A name in the data may be longer than Python's default of 128 KiB. Windows takes 31 bits.
LONGEST_CELL = (1 << 31) - 1


def read_back(scratch: Path, name: str, *, page: str, notebook: Any) -> Mapping[str, Any]:
    """Check the files of a report, and return the content of its ``metrics.json``.

    Parameters
    ----------
    scratch, name
        The folder of the files, and the name of the report.
    page, notebook
        The HTML as it was rendered, and the executed notebook.

    Raises
    ------
    RunError
        If a file is missing, cut off, or without what belongs in it.
    """
    beside = scratch / name
    try:
        document: Mapping[str, Any] = read_metrics(Path(f"{beside}.metrics.json"))
        json.loads(Path(f"{beside}.ipynb").read_text(encoding="utf-8"))
        faults = [
            *_faults_of_page(Path(f"{beside}.html"), page, notebook),
            *_faults_of_lists(beside, document),
        ]
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise _incomplete(name, str(error)) from error
    if faults:
        raise _incomplete(name, faults[0])
    return document


def _incomplete(name: str, fault: str) -> RunError:
    return RunError(
        report(
            f"{name}: the files written are not complete; no report was published.",
            found=fault,
            fix="free space in the output folder and in the folder for temporary files, and run "
            "again",
        )
    )


def _faults_of_page(path: Path, page: str, notebook: Any) -> Iterator[str]:
    written = path.read_bytes()
    if written != page.encode() or not page.rstrip().endswith("</html>"):
        yield f"{path.name} is cut off at {len(written):,} bytes"
    _, _, rest = page.partition(CHARTS)
    embedded, _, script = rest.partition(END)
    charts = json.loads(embedded)["charts"]
    drawn = [
        data[CHART_TYPE]
        for cell in shown_cells(notebook)
        if cell.cell_type == "code" and "remove-output" not in cell.metadata.get("tags", [])
        for block in blocks(cell.outputs)
        for data in block.charts
        if CHART_TYPE in data
    ]
    if len(charts) != len(drawn):
        yield f"{path.name} has {len(charts)} of {len(drawn)} charts"
    n_rows = sum(len(rows) for spec in drawn for rows in spec.get("datasets", {}).values())
    n_kept = sum(len(t["rows"]) for spec in charts.values() for t in spec["datasets"].values())
    if n_kept != n_rows:
        yield f"{path.name} has {n_kept:,} of {n_rows:,} rows of its charts"
    if len(script) < SMALLEST_SCRIPT:
        yield f"{path.name} is without its chart library"


def _faults_of_lists(beside: Path, document: Mapping[str, Any]) -> Iterator[str]:
    ledgers = document["ledger"].values()
    excluded = sum(n for ledger in ledgers for n in ledger["set_aside"].values())
    breached = figures_of(document).get("sla_breached")
    if breached is not None and not math.isfinite(breached):
        breached = None
    for kind, expected in (("set-aside", excluded), ("breaches", breached), ("revised", None)):
        path = Path(f"{beside}.{kind}.csv")
        n_rows, is_whole = _rows_of(path)
        if not is_whole or (expected is not None and n_rows != round(expected)):
            wanted = "" if expected is None else f" of {round(expected):,}"
            yield f"{path.name} has {n_rows:,}{wanted} rows"
    leads = Path(f"{beside}.leads.parquet")
    data = leads.read_bytes()
    if not (data.startswith(PARQUET) and data.endswith(PARQUET)):
        yield f"{leads.name} is cut off at {len(data):,} bytes"


def _rows_of(path: Path) -> tuple[int, bool]:
    """Return the number of rows of a CSV file, and whether all have the cells of the header."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.reader(handle)
        width = len(next(rows, []))
        sizes = [len(row) for row in rows]
    return len(sizes), width > 0 and set(sizes) <= {width}
