"""From files to typed rows in the engine, each file parsed once.

Three layers: the clean cells, the typed columns, and what is wrong with the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.cells import NOTHING, any_of
from mqlkit.sources.dialect.decide import Batch, Kinds, Readings
from mqlkit.sources.dialect.shapes import FILE_NAME
from mqlkit.sources.files import Export
from mqlkit.sources.non_data_rows import why_no_data
from mqlkit.sources.rejects import collect_rejects
from mqlkit.sources.rows import cell_of, first_cell, is_counted, why_odd
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.store import EngineError, in_range, session_zone

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Cells = Mapping[str, ir.StringValue]
# Among the cells: whether the row is of a kind that counts.
COUNTS = "_counts"


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
    kinds
        Which of them are dates and which are numbers.
    typed
        Cells by name and the way to read them in, typed columns by name out.
    faults
        Cells and typed columns in, reasons with conditions out; the first that holds sets the row
        aside.
    has_date
        Whether a row has the date that makes it one of its table.
    is_empty
        Whether a row says nothing: neither when nor how much.
    is_odd
        Whether a row without fault must be looked at, since it may be a total.
    check
        Raises where the files' headers cannot do, before any row is read.
    read_plain
        Reads a large table whose files need no mending; None where they do.
    """

    columns: Sequence[str]
    needed: Sequence[str]
    kinds: Kinds
    typed: Callable[[Cells, Readings], Mapping[str, ir.Value]]
    faults: Callable[[Cells, ir.Table], Sequence[tuple[str, ir.BooleanValue]]]
    has_date: Callable[[ir.Table], ir.BooleanValue]
    is_empty: Callable[[Cells], ir.BooleanValue] = lambda _: ibis.literal(False)
    is_odd: Callable[[Cells, ir.Table], ir.BooleanValue] = lambda *_: ibis.literal(False)
    check: Callable[[Sequence[Export]], None] = lambda _: None
    read_plain: Callable[[Reader, Batch], ir.Table | None] = lambda *_: None


@dataclass
class Staged:
    """Typed rows, and those that could not be split into cells.

    Attributes
    ----------
    table
        The typed columns and ``_fault``, why the row is not used; if numbered also ``_file`` and
        ``_record``, its number among the rows read together.
    rejected
        Per file, the text of each row that could not be split, by physical line of its text.
    """

    table: ir.Table
    rejected: list[dict[int, str]]


def _alike(export: Export) -> tuple[object, ...]:
    return export.header, export.delimiter, export.recognised.columns, bool(export.wide)


def batches_of(reader: Reader, spec: TableSpec, exports: Sequence[Export]) -> list[Batch]:
    """Return the files of a table, neighbours with the same header together."""
    found: list[Batch] = []
    first = 0
    for _, alike in groupby(exports, key=_alike):
        files = list(alike)
        rejects = reader.name("rejects")
        zone = spec.zone_in(files[0].recognised.format.timezone)
        raw = read_raw(reader.backend, files, rejects)
        found.append(Batch(files, first, rejects, raw, zone))
        first += len(files)
    return found


def stage(
    reader: Reader, spec: TableSpec, batches: Sequence[Batch], typing: Typing, *, numbered: bool
) -> Staged:
    """Read the files of a table into typed rows, each batch as its readings say.

    Raises
    ------
    SourceError
        When the engine cannot parse a file at all.
    """
    exports = [e for batch in batches for e in batch.exports]
    zones = {batch.zone for batch in batches}
    try:
        pieces = []
        for batch in batches:
            with session_zone(reader.backend, batch.zone):
                piece = _typed(reader, batch, typing, numbered=numbered)
                pieces.append(piece if len(zones) == 1 else reader.store(piece))
        rows = reduce(lambda a, b: a.union(b), pieces)
        if numbered and not spec.keep_duplicates:
            rows = _mark_duplicates(rows)
        with session_zone(reader.backend, batches[0].zone):
            table = reader.store(rows.drop("_row") if numbered else rows)
    except EngineError as error:
        raise SourceError(_engine_words(spec, error)) from None
    rejected: list[dict[int, str]] = [{} for _ in exports]
    for batch in batches:
        collect_rejects(reader.backend, batch.rejects, exports, rejected)
    return Staged(table, rejected)


def _engine_words(spec: TableSpec, error: EngineError) -> str:
    first = str(error).splitlines()[0]
    return report(
        f"{spec.names}: cannot be read as a table ({first}).",
        fix="open it in a text editor and look for broken quotes, or export it again",
    )


def _mark_duplicates(rows: ir.Table) -> ir.Table:
    """Return the rows with the fault ``duplicate`` where an equal one without fault came before."""
    order = ibis.window(group_by=["_row", "_fault"], order_by=["_file", "_record"])
    is_again = rows["_fault"].isnull() & (ibis.row_number().over(order) > 0)
    return rows.mutate(_fault=is_again.ifelse("duplicate", rows["_fault"]))


def _typed(reader: Reader, batch: Batch, typing: Typing, *, numbered: bool) -> ir.Table:
    """Return typed columns and ``_fault``; if numbered also place and cells of each row.

    Without numbers, what may be a total is a fault too: the table is then read again with them.
    """
    raw, export, readings = batch.raw, batch.exports[0], batch.how
    columns: dict[str, ir.Value] = {
        f"_{name}": cell_of(raw, export, name) for name in typing.columns
    }
    columns["_odd"] = why_odd(raw, export)
    columns[COUNTS] = is_counted(raw, export)
    if numbered:
        columns |= _place(raw, batch) | {"_first": first_cell(raw, export)}
    cells = reader.layer(raw.select(**columns))
    by_name = {name: cells[f"_{name}"] for name in typing.columns}
    by_name[COUNTS] = cells[COUNTS]
    values = reader.layer(cells.mutate(**typing.typed(by_name, readings)))
    stamps = [c for c in values.columns if values[c].type().is_timestamp()]
    if stamps:
        values = reader.layer(values.mutate(**{c: in_range(values[c]) for c in stamps}))
    by_name = {name: values[f"_{name}"] for name in typing.columns}
    faults = typing.faults(by_name, values)
    branches = [(values["_odd"] == odd, odd) for odd in ("blank", "repeated_header", "bad_row")]
    if numbered:
        is_odd = typing.is_odd(by_name, values) | any_of([holds for _, holds in faults])
        has_date = typing.has_date(values)
        if export.wide:
            # The dates are those of the columns: a total has them as well.
            is_odd, has_date = ibis.literal(True), ibis.literal(False)
        branches += _no_data(values, export, is_odd, has_date)
        branches.append((typing.is_empty(by_name), "not_data"))
    else:
        branches.append((typing.is_odd(by_name, values), "total_row"))
    branches += [(holds, reason) for reason, holds in faults]
    fault = ibis.cases(*((holds, ibis.literal(reason)) for holds, reason in branches))
    spent = {"_odd", COUNTS, "_first", *(f"_{name}" for name in typing.columns)}
    return values.mutate(_fault=fault).drop(*(c for c in values.columns if c in spent))


def _no_data(
    values: ir.Table, export: Export, is_odd: ir.BooleanValue, has_date: ir.BooleanValue
) -> list[tuple[ir.BooleanValue, str]]:
    """Return the conditions under which a row is a total or no data, by how it begins."""
    looked = values.filter(is_odd & values["_first"].notnull())
    begins = looked.select("_first", has_date=has_date.fill_null(False)).distinct()
    found: dict[tuple[str, bool], list[str]] = {}
    for row in begins.to_pyarrow().to_pylist():
        why = why_no_data(row["_first"], export.recognised.format, has_date=row["has_date"])
        if why:
            found.setdefault((why, row["has_date"]), []).append(row["_first"])
    return [
        (values["_first"].isin(firsts) & (has_date.fill_null(False) == dated), why)
        for (why, dated), firsts in found.items()
    ]


def read_raw(
    backend: Backend, files: Sequence[Export], rejects: str, *, clean: bool = True
) -> ir.Table:
    """Return the cells of files with one header as text, NULL at once where not to be cleaned."""
    return backend.read_csv(
        [str(e.text_path) for e in files],
        header=True,
        auto_detect=False,
        columns=dict.fromkeys(files[0].header, "VARCHAR"),
        delim=files[0].delimiter,
        quote='"',
        escape='"',
        filename=FILE_NAME,
        ignore_errors=True,
        store_rejects=True,
        rejects_table=rejects,
        rejects_scan=f"{rejects}_scan",
        rejects_limit=0,
        **({} if clean else {"nullstr": list(NOTHING)}),
    )


def _place(raw: ir.Table, batch: Batch) -> dict[str, ir.Value]:
    """Return the file of each row, its number in the batch, and its names and cells as one text."""
    exports = batch.exports
    files = [(raw[FILE_NAME] == str(e.text_path), batch.first + i) for i, e in enumerate(exports)]
    named = sorted(exports[0].header, key=str.casefold)
    cells = [ibis.literal("\x1f".join(named)), *(raw[c].fill_null("\x1e") for c in named)]
    return {
        "_file": ibis.cases(*files).cast("int32"),
        "_record": ibis.row_number(),
        "_row": ibis.literal("\x1f").join(cells),
    }
