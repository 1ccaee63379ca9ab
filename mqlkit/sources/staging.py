"""From files to typed rows in DuckDB, in three layers of SQL.

The layers are the clean cells, the typed columns, and the fault of each row. A layer names each
expression of the one before once, so that DuckDB computes it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.cells import in_range
from mqlkit.sources.dialect.decide import Batch, Kinds, Readings
from mqlkit.sources.files import Export
from mqlkit.sources.non_data_rows import why_no_data
from mqlkit.sources.rejects import collect_rejects
from mqlkit.sources.rows import cell_of, first_cell, is_counted, scan, whole_row, why_odd
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FAULT, FILE, OWN, RECORD, Values, any_of, quote
from mqlkit.sources.store import EngineError, session_zone

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

# Quoted column of each clean cell, by canonical column.
Cells = Mapping[str, str]
# Among the cells: whether the row is of a kind that counts.
COUNTS = f"{OWN}counts"
ODD, FIRST, ROW = (quote(f"{OWN}{name}") for name in ("odd", "first", "row"))
OCCURRENCE = quote(f"{OWN}occurrence")


def cell_names(columns: Sequence[str]) -> dict[str, str]:
    """Return the quoted name of each column's cell, which no typed column has."""
    return {column: quote(f"{OWN}cell {n}") for n, column in enumerate(columns)}


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

    def create(self, query: str, values: Values) -> str:
        """Create a table from a query and return its name."""
        name = self.name("table")
        self.backend.con.execute(f"CREATE TABLE {name} AS {query}", values.bound)
        return name

    def rows(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        found: list[tuple[Any, ...]] = self.backend.con.execute(query, values.bound).fetchall()
        return found

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
        Cells and readings in, SQL of the typed columns by name out.
    faults
        Reasons with conditions on cells and typed columns; the first that holds excludes the row.
    has_date
        Condition that a row has the date that makes it one of its table.
    timestamps
        The typed columns that are timestamps.
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
    typed: Callable[[Cells, Readings, Values], Mapping[str, str]]
    faults: Callable[[Cells], Sequence[tuple[str, str]]]
    has_date: str
    timestamps: Sequence[str] = ()
    is_empty: Callable[[Cells], str] = lambda _: "false"
    is_odd: Callable[[Cells], str] = lambda _: "false"
    check: Callable[[Sequence[Export]], None] = lambda _: None
    read_plain: Callable[[Reader, Batch], ir.Table | None] = lambda *_: None


@dataclass
class Staged:
    """Typed rows, and those that could not be split into cells.

    Attributes
    ----------
    table
        The typed columns and ``FAULT``, why the row is not used; if numbered also ``FILE`` and
        ``RECORD``, its number among the rows read together.
    rejected
        Per file, the text of each row that could not be split, by physical line of its text.
    """

    table: ir.Table
    rejected: list[dict[int, str]]


def _alike(export: Export) -> tuple[object, ...]:
    return export.header, export.delimiter, export.recognized.columns, bool(export.wide)


def batches_of(reader: Reader, spec: TableSpec, exports: Sequence[Export]) -> list[Batch]:
    """Return the files of a table, neighbors with the same header together."""
    found: list[Batch] = []
    first = 0
    for _, alike in groupby(exports, key=_alike):
        files = list(alike)
        zone = spec.zone_in(files[0].recognized.format.timezone)
        found.append(Batch(files, first, reader.name("rejects"), zone))
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
    before = reader.tables
    try:
        pieces = []
        for batch in batches:
            with session_zone(reader.backend, batch.zone):
                layers = _numbered_rows if numbered else _plain_rows
                pieces.append(layers(reader, batch, typing))
        name = pieces[0]
        if len(pieces) > 1 or (numbered and not spec.keep_duplicates):
            name = _united(reader, pieces, is_marked=numbered and not spec.keep_duplicates)
    except EngineError as error:
        raise SourceError(_engine_words(spec, error)) from None
    for number in range(before + 1, int(name.removeprefix("table_"))):
        reader.backend.con.execute(f"DROP TABLE IF EXISTS table_{number}")
    rejected: list[dict[int, str]] = [{} for _ in exports]
    for batch in batches:
        collect_rejects(reader.backend, batch.rejects, exports, rejected)
    return Staged(reader.backend.table(name), rejected)


def _engine_words(spec: TableSpec, error: EngineError) -> str:
    first = str(error).splitlines()[0]
    return report(
        f"{spec.names}: cannot be read as a table ({first}).",
        fix="open it in a text editor and look for broken quotes, or export it again",
    )


def _united(reader: Reader, pieces: Sequence[str], *, is_marked: bool) -> str:
    """Create one table of several; if marked, with the fault ``duplicate`` for repeated rows."""
    rows = " UNION ALL ".join(f"SELECT * FROM {piece}" for piece in pieces)  # noqa: S608
    if not is_marked:
        return reader.create(rows, Values())
    fault = quote(FAULT)
    query = f"""
        WITH rows AS ({rows}),
        counted AS (
            SELECT *, row_number() OVER (
                PARTITION BY {ROW}, {fault} ORDER BY {quote(FILE)}, {quote(RECORD)}
            ) AS {OCCURRENCE}
            FROM rows
        )
        SELECT * EXCLUDE ({ROW}, {OCCURRENCE}) REPLACE (
            CASE WHEN {fault} IS NULL AND {OCCURRENCE} > 1 THEN 'duplicate'
                ELSE {fault} END AS {fault}
        )
        FROM counted
    """  # noqa: S608
    return reader.create(query, Values())


def _typed_rows(batch: Batch, typing: Typing, values: Values, *, numbered: bool) -> str:
    """Return the query for cells and typed columns; if numbered, also for the place of each row."""
    export = batch.exports[0]
    by_name = _cells_of(typing)
    cells = {by_name[name]: cell_of(export, name, values) for name in typing.columns}
    cells |= {ODD: why_odd(export, values), quote(COUNTS): is_counted(export, values)}
    if numbered:
        cells[FIRST] = first_cell(export)
        cells |= _place(batch, values)
    typed = typing.typed(by_name, batch.how, values)
    bounded = ", ".join(f"{in_range(quote(c))} AS {quote(c)}" for c in typing.timestamps)
    replaced = f" REPLACE ({bounded})" if bounded else ""
    return f"""
        WITH cells AS (
            SELECT {_listed(cells)} FROM {scan(batch.exports, batch.rejects, values)}
        ),
        parsed AS (SELECT *, {_listed({quote(c): typed[c] for c in typed})} FROM cells)
        SELECT *{replaced} FROM parsed
    """  # noqa: S608


def _cells_of(typing: Typing) -> dict[str, str]:
    return cell_names(typing.columns) | {COUNTS: quote(COUNTS)}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


def _plain_rows(reader: Reader, batch: Batch, typing: Typing) -> str:
    """Create the typed columns and ``FAULT``, in one pass.

    What may be a total is a fault as well: the table is then read again with record numbers.
    """
    values = Values()
    rows = _typed_rows(batch, typing, values, numbered=False)
    branches = [*_odd_rows(), (typing.is_odd(_cells_of(typing)), "'total_row'")]
    branches += [(holds, f"'{reason}'") for reason, holds in typing.faults(_cells_of(typing))]
    return reader.create(_with_fault(f"({rows})", branches, typing, numbered=False), values)


def _numbered_rows(reader: Reader, batch: Batch, typing: Typing) -> str:
    """Create the typed columns, ``FAULT``, ``FILE``, ``RECORD`` and ``ROW``."""
    values = Values()
    rows = reader.create(_typed_rows(batch, typing, values, numbered=True), values)
    values = Values()
    branches = _odd_rows() + _no_data(reader, rows, batch.exports[0], typing, values)
    branches.append((typing.is_empty(_cells_of(typing)), "'not_data'"))
    branches += [(holds, f"'{reason}'") for reason, holds in typing.faults(_cells_of(typing))]
    return reader.create(_with_fault(rows, branches, typing, numbered=True), values)


def _odd_rows() -> list[tuple[str, str]]:
    return [(f"{ODD} IS NOT NULL", ODD)]


def _with_fault(
    rows: str, branches: Sequence[tuple[str, str]], typing: Typing, *, numbered: bool
) -> str:
    """Return the query for typed rows with ``FAULT``, the first of some conditions that hold."""
    cases = " ".join(f"WHEN {holds} THEN {reason}" for holds, reason in branches)
    spent = [ODD, *_cells_of(typing).values(), *([FIRST] if numbered else [])]
    return f"SELECT * EXCLUDE ({', '.join(spent)}), CASE {cases} END AS {quote(FAULT)} FROM {rows}"  # noqa: S608


def _no_data(
    reader: Reader, rows: str, export: Export, typing: Typing, values: Values
) -> list[tuple[str, str]]:
    """Return the conditions under which a row is a total or no data, by its first cell."""
    cells = _cells_of(typing)
    is_odd = any_of([typing.is_odd(cells), *(holds for _, holds in typing.faults(cells))])
    has_date = f"coalesce({typing.has_date}, false)"
    if export.wide:
        # The dates are those of the columns: a total has them as well.
        is_odd, has_date = "true", "false"
    query = (
        f"SELECT DISTINCT {FIRST}, {has_date} FROM {rows} "  # noqa: S608
        f"WHERE ({is_odd}) AND {FIRST} IS NOT NULL"
    )
    found: dict[tuple[str, bool], list[str]] = {}
    for first, dated in reader.rows(query, Values()):
        if why := why_no_data(first, export.recognized.format, has_date=dated):
            found.setdefault((why, dated), []).append(first)
    return [
        (
            f"list_contains({values.bind(firsts)}, {FIRST}) AND {has_date} = {str(dated).lower()}",
            f"'{why}'",
        )
        for (why, dated), firsts in found.items()
    ]


def _place(batch: Batch, values: Values) -> dict[str, str]:
    """Return the file of each row, its number in the batch, and its names and cells as one text."""
    paths = values.bind([str(e.text_path) for e in batch.exports])
    return {
        quote(FILE): f"CAST(list_position({paths}, file) - 1 + {batch.first} AS INTEGER)",
        quote(RECORD): "row_number() OVER ()",
        ROW: whole_row(batch.exports[0], values),
    }
