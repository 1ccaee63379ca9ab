"""From files to typed rows in the engine, each file parsed once.

Three layers: the clean cells, the typed columns, and what is wrong with the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from mqlkit.errors import SourceError
from mqlkit.sources.cells import clean
from mqlkit.sources.files import Export, count_line_ends, not_utf8, open_bytes
from mqlkit.sources.spec import TableSpec

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Cells = Mapping[str, ir.StringValue]
# No header can be called this.
FILE_NAME = "\x1ffile"


@dataclass
class Reader:
    """What reading needs and shares: the engine, folders, the report's limits and zone."""

    backend: Backend
    workdir: Path
    root: Path
    max_set_aside: float
    day_zone: str
    tables: int = 0

    def name(self, kind: str) -> str:
        """Return a name nothing else in the engine has."""
        self.tables += 1
        return f"{kind}_{self.tables}"

    def store(self, table: ir.Table) -> ir.Table:
        """Return the table, computed and kept in the engine."""
        return self.backend.create_table(self.name("table"), table)

    def layer(self, table: ir.Table) -> ir.Table:
        """Return the table as a view.

        Ibis writes an expression out wherever it is used; a view keeps it written once.
        """
        return self.backend.create_view(self.name("view"), table)

    def drop(self, numbers: range) -> None:
        """Drop what was stored or layered under these numbers, the latest first."""
        for number in reversed(numbers):
            self.backend.drop_view(f"view_{number}", force=True)
            self.backend.drop_table(f"table_{number}", force=True)


@dataclass(frozen=True)
class Typing:
    """How raw cells become a typed row.

    Attributes
    ----------
    columns
        Names of the cells wanted, ours.
    needed
        Those without which there is no table.
    typed
        Cells by name in, typed columns by name out.
    faults
        Cells and typed columns in, reasons with conditions out; the first that holds sets the row
        aside.
    check
        Raises where the files' headers cannot do, before any row is read.
    """

    columns: Sequence[str]
    needed: Sequence[str]
    typed: Callable[[Cells], Mapping[str, ir.Value]]
    faults: Callable[[Cells, ir.Table], Sequence[tuple[str, ir.BooleanValue]]]
    check: Callable[[Sequence[Export]], None] = lambda _: None


@dataclass
class Staged:
    """Typed rows, and those that could not be split into cells.

    Attributes
    ----------
    table
        The typed columns and ``_fault``, why the row is not used; if numbered also ``_file`` and
        ``_record``, its number among the rows read together.
    rejected
        Per file, the text of each row that could not be split, by physical line.
    """

    table: ir.Table
    rejected: list[dict[int, str]]


def stage(
    reader: Reader, spec: TableSpec, exports: Sequence[Export], typing: Typing, *, numbered: bool
) -> Staged:
    """Read the files of a table into typed rows.

    Files with the same header are read as one, so that a year in twelve exports costs one plan.
    """
    pieces = []
    rejected: list[dict[int, str]] = []
    for _, alike in groupby(exports, key=lambda e: (e.header, e.delimiter)):
        batch = list(alike)
        rejects = reader.name("rejects")
        raw = _raw(reader.backend, batch, rejects)
        pieces.append(
            (_typed(reader, spec, batch, typing, raw, len(rejected), numbered=numbered), rejects)
        )
        rejected += [{} for _ in batch]
    rows = reduce(lambda a, b: a.union(b), [piece for piece, _ in pieces])
    if numbered and not spec.keep_duplicates:
        rows = _mark_duplicates(rows)
    table = reader.store(rows.drop("_row") if numbered else rows)
    for _, rejects in pieces:
        _collect_rejects(reader.backend, rejects, exports, rejected)
    return Staged(table, rejected)


def _mark_duplicates(rows: ir.Table) -> ir.Table:
    """Return the rows with the fault ``duplicate`` where an equal one without fault came before."""
    order = ibis.window(group_by=["_row", "_fault"], order_by=["_file", "_record"])
    is_again = rows["_fault"].isnull() & (ibis.row_number().over(order) > 0)
    return rows.mutate(_fault=is_again.ifelse("duplicate", rows["_fault"]))


def _typed(
    reader: Reader,
    spec: TableSpec,
    batch: list[Export],
    typing: Typing,
    raw: ir.Table,
    first: int,
    *,
    numbered: bool,
) -> ir.Table:
    header = batch[0].header
    columns = _cells(raw, spec, header, typing.columns)
    columns["_odd"] = _odd(raw, spec, batch[0], typing.needed[0])
    if numbered:
        columns |= _place(raw, batch, first)
    cells = reader.layer(raw.select(**columns))
    by_name = {name: cells[f"_{name}"] for name in typing.columns}
    values = reader.layer(cells.mutate(**typing.typed(by_name)))
    by_name = {name: values[f"_{name}"] for name in typing.columns}
    branches = [(values["_odd"] == odd, odd) for odd in ("blank", "repeated_header")]
    branches += [(holds, reason) for reason, holds in typing.faults(by_name, values)]
    fault = ibis.cases(*((holds, ibis.literal(reason)) for holds, reason in branches))
    spent = ("_odd", *(f"_{name}" for name in typing.columns))
    return values.mutate(_fault=fault).drop(*spent)


def _raw(backend: Backend, batch: Sequence[Export], rejects: str) -> ir.Table:
    return backend.read_csv(
        [str(e.text_path) for e in batch],
        header=True,
        auto_detect=False,
        columns=dict.fromkeys(batch[0].header, "VARCHAR"),
        delim=batch[0].delimiter,
        quote='"',
        escape='"',
        filename=FILE_NAME,
        ignore_errors=True,
        store_rejects=True,
        rejects_table=rejects,
        rejects_scan=f"{rejects}_scan",
        rejects_limit=0,
    )


def _cells(
    raw: ir.Table, spec: TableSpec, header: Sequence[str], wanted: Sequence[str]
) -> dict[str, ir.StringValue]:
    """Return the clean cells as ``_name``; NULL where the file has no such column."""
    known = {name.casefold(): name for name in header}
    cells: dict[str, ir.StringValue] = {}
    for name in wanted:
        theirs = known.get(header_of(spec, name))
        cells[f"_{name}"] = clean(raw[theirs]) if theirs else ibis.null("string")
    return cells


def header_of(spec: TableSpec, name: str) -> str:
    """Return the header that a column of ours stands under, folded for comparison."""
    return spec.columns.get(name, name).strip().casefold()


def _odd(raw: ir.Table, spec: TableSpec, export: Export, first: str) -> ir.StringValue:
    """Return ``blank`` or ``repeated_header`` for rows that are no data, told by one cell first."""
    written = dict(zip(export.header, export.header_cells, strict=True))
    key = next(h for h in export.header if h.casefold() == header_of(spec, first))
    text = {h: raw[h].strip().fill_null("") for h in (key, *export.header)}
    is_blank = _all(cell == "" for cell in text.values())
    is_header = _all(cell == written[h] for h, cell in text.items())
    return ibis.cases((is_blank, "blank"), (is_header, "repeated_header"))


def _all(conditions: Any) -> ir.BooleanValue:
    return reduce(lambda a, b: a & b, conditions)


def _place(raw: ir.Table, batch: Sequence[Export], first: int) -> dict[str, ir.Value]:
    """Return the file of each row, its number in the batch, and its names and cells as one text."""
    files = [(raw[FILE_NAME] == str(e.text_path), first + i) for i, e in enumerate(batch)]
    named = sorted(batch[0].header, key=str.casefold)
    cells = [ibis.literal("\x1f".join(named)), *(raw[c].fill_null("\x1e") for c in named)]
    return {
        "_file": ibis.cases(*files).cast("int32"),
        "_record": ibis.row_number(),
        "_row": ibis.literal("\x1f").join(cells),
    }


def _collect_rejects(
    backend: Backend, rejects: str, exports: Sequence[Export], rejected: list[dict[int, str]]
) -> None:
    query = (
        "SELECT DISTINCT file_path, line_byte_position, csv_line, error_type::VARCHAR "  # noqa: S608
        f"FROM {rejects} JOIN {rejects}_scan USING (file_id, scan_id) ORDER BY 1, 2"
    )
    found = backend.raw_sql(query).fetchall()
    for number, export in enumerate(exports):
        rows = [row[1:] for row in found if row[0] == str(export.text_path)]
        if rows:
            rejected[number] = _by_line(export, rows)


def _by_line(export: Export, rows: list[tuple[int, str, str]]) -> dict[int, str]:
    """Return rejected rows by physical line, from their place in bytes (the first one is 1)."""
    broken = [text for _, text, kind in rows if kind == "INVALID ENCODING"]
    if broken:
        raise SourceError(not_utf8(f"{export.name}: {len(broken)} rows are", broken[0]))
    by_line: dict[int, str] = {}
    with open_bytes(export.text_path) as handle:
        line, at = 1, 0
        for position, text, _ in rows:
            # The engine counts empty lines before a bad one into it.
            body = text.lstrip("\r\n")
            begins = position - 1 + len(text) - len(body)
            line += count_line_ends(handle.read(begins - at))
            at = begins
            by_line[line] = body
    return by_line
