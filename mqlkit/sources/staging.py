"""From files to typed rows in DuckDB, in three layers of SQL: cells, typed columns, faults.

Each layer is a table, so that DuckDB computes each expression once, and reads each file once. A
record is numbered by the ``rowid`` of its cells, which is its place in the files: DuckDB keeps the
order of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby

from mqlkit.core.errors import ResourceError, SourceError, report
from mqlkit.sources.cells import placeholder_kind, rewritten
from mqlkit.sources.dialect.dates import is_pattern
from mqlkit.sources.dialect.decide import Batch, Kinds, Readings, decide
from mqlkit.sources.files import Export
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.local_times import Piece, in_range, settle
from mqlkit.sources.non_data_rows import FIRST, NAME, no_data
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.reader import Reader
from mqlkit.sources.rejects import collect_rejects, why_unreadable
from mqlkit.sources.rows import (
    cell_of,
    first_cell,
    hash_of_row,
    is_counted,
    only_name,
    scan,
    why_odd,
)
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FILE, OWN, RECORD, Values, any_of, cell_names, quote
from mqlkit.sources.store import EngineError, OutOfMemory, one_thread

# Quoted column of each clean cell, by canonical column.
Cells = Mapping[str, str]
# Among the cells: whether the row is of a kind that counts.
COUNTS = f"{OWN}counts"
ODD, ROW = (quote(f"{OWN}{name}") for name in ("odd", "row"))
# Whether a row may have a fault.
SUSPECT = quote(f"{OWN}suspect")
MANY_COLUMNS = 1000
NO_SPACE = "no space left"


@dataclass(frozen=True)
class PlainRows:
    """Rows of a large table, read in one scan.

    Attributes
    ----------
    table
        Name of a table with the typed columns of every record that could be split into cells.
    odd_lines
        Physical lines, of the one file, that must be read with care.
    n_dates
        Number of dates in the other rows, by column. All of them are ISO 8601.
    n_ambiguous
        Number of local times in the other rows that occur twice or never.
    """

    table: str
    odd_lines: list[int]
    n_dates: dict[str, int]
    n_ambiguous: int


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
    may_be_total
        Whether a row can be a total though it has a date; one that begins with a total's label and
        has no date always can.
    timestamps
        The typed columns that are timestamps, coded as in `local_times`.
    is_empty
        Whether a row says nothing: neither when nor how much.
    is_odd
        Whether a row without fault must be looked at, since it may be a total.
    check
        Raises where the files' headers cannot do, before any row is read.
    settle
        Raises where the rows excluded are too many for this table, before ``max_set_aside`` does.
    read_plain
        Reads large plain files in one scan; None where many rows need more than that.
    """

    columns: Sequence[str]
    needed: Sequence[str]
    kinds: Kinds
    typed: Callable[[Cells, Readings, Values], Mapping[str, str]]
    faults: Callable[[Cells], Sequence[tuple[str, str]]]
    has_date: str
    may_be_total: Callable[[Cells], str] = lambda _: "false"
    timestamps: Sequence[str] = ()
    is_empty: Callable[[Cells], str] = lambda _: "false"
    is_odd: Callable[[Cells], str] = lambda _: "false"
    check: Callable[[Sequence[Export]], None] = lambda _: None
    settle: Callable[[Ledger], None] = lambda _: None
    read_plain: Callable[[Reader, Batch], PlainRows | None] | None = None


@dataclass
class Staged:
    """Typed rows, and those that are not used.

    Attributes
    ----------
    table
        Name of the table of typed columns, with `FILE` and `RECORD`, the number of the row among
        those read together. `drop_rows` takes rows out.
    faults
        File, record and reason of each row that is not used.
    spans
        First record and number of rows of each file.
    rejected
        Per file, the text of each row that could not be split, by physical line of its text.
    batches
        The files with the same header together, with how their columns were read.
    n_ambiguous
        Number of local times that occur twice or never.
    """

    table: str
    faults: list[tuple[int, int, str]]
    spans: list[tuple[int, int]]
    rejected: list[dict[int, str]]
    batches: list[Batch]
    n_ambiguous: int


def batches_of(reader: Reader, spec: TableSpec, exports: Sequence[Export]) -> list[Batch]:
    """Return the files of a table, neighbors with the same header together."""
    found: list[Batch] = []
    first = 0
    for _, alike in groupby(exports, key=_layout_of):
        files = list(alike)
        fixed = files[0].recognized.format.timezone
        is_known = bool(spec.zone_given) or fixed == "UTC"
        zone, name = spec.zone_in(fixed), reader.name("table")
        found.append(Batch(files, first, name, zone, is_zone_known=is_known))
        first += len(files)
    return found


def _layout_of(export: Export) -> tuple[object, ...]:
    known = export.recognized
    return export.header, export.delimiter, known.columns, known.currency, bool(export.wide)


def stage(reader: Reader, spec: TableSpec, batches: Sequence[Batch], typing: Typing) -> Staged:
    """Read the files of a table into typed rows, and find the rows that are not used.

    Raises
    ------
    SourceError
        When the engine cannot read a file, or has too little memory or disk space.
    Undecided
        When a column can be read in more than one way.
    """
    exports = [e for batch in batches for e in batch.exports]
    with engine_errors(spec, exports):
        for batch in batches:
            _store_cells(reader, batch, typing)
        spans = _spans(reader, batches, len(exports))
        names = cell_names(typing.columns)
        parts = decide(reader.backend, reader.clocks, spec, batches, typing.kinds, names)
        for part in parts:
            _prepare_dates(reader, part, spec, typing)
        pieces = [_typed_rows(reader, part, typing) for part in parts]
        faults = [
            _faults(reader, part, typed, typing) for part, typed in zip(parts, pieces, strict=True)
        ]
        found = reader.create(" UNION ALL ".join(faults), Values())
        if not spec.keep_duplicates:
            _add_duplicates(reader, batches, found, typing)
        rows = reader.rows(f"SELECT * FROM {found} ORDER BY ALL", Values())  # noqa: S608
        for piece in pieces:
            _drop_faults(reader, piece, found)
        zoned = [Piece(piece, part.zone) for part, piece in zip(parts, pieces, strict=True)]
        table, n_ambiguous = settle(reader, zoned, typing.timestamps)
        rejected: list[dict[int, str]] = [{} for _ in exports]
        for batch in batches:
            collect_rejects(reader.backend, batch.rejects, exports, rejected)
            reader.run(f"DROP TABLE {batch.cells}")
    return Staged(table, rows, spans, rejected, parts, n_ambiguous)


def questions_of(
    reader: Reader, spec: TableSpec, batches: Sequence[Batch], typing: Typing
) -> tuple[Question, ...]:
    """Return what is open about the columns that there are, in files that lack others."""
    with engine_errors(spec, [e for batch in batches for e in batch.exports]):
        for batch in batches:
            _store_cells(reader, batch, typing)
        try:
            names = cell_names(typing.columns)
            decide(reader.backend, reader.clocks, spec, batches, typing.kinds, names)
        except Undecided as error:
            return error.questions
    return ()


@contextmanager
def engine_errors(spec: TableSpec, exports: Sequence[Export]) -> Iterator[None]:
    """Raise errors of the engine as errors of the source, or of the machine."""
    try:
        yield
    except EngineError as error:
        first = str(error).splitlines()[0]
        if isinstance(error, OutOfMemory) or NO_SPACE in first.casefold():
            raise ResourceError(
                report(
                    f"{spec.names}: there is too little memory or disk space to read it.",
                    fix="free space in the folder for temporary files, or set TMPDIR to a larger "
                    "one; or read fewer files",
                )
            ) from error
        words = next(filter(None, map(why_unreadable, exports)), "")
        raise SourceError(
            words
            or report(
                f"{spec.names}: cannot be read as a table.",
                fix="open it in a text editor and look for broken quotes, or export it again",
            )
        ) from error


def _store_cells(reader: Reader, batch: Batch, typing: Typing) -> None:
    """Create the table of clean cells, with what else must be known about each row."""
    values, export = Values(), batch.exports[0]
    names = _cells_of(typing)
    cells = {names[name]: cell_of(export, name, values) for name in typing.columns}
    cells |= {ODD: why_odd(export, values), names[COUNTS]: is_counted(export, values)}
    cells |= {FIRST: first_cell(export), ROW: hash_of_row(export, values)}
    is_asked = typing.may_be_total({name: f"({cells[cell]})" for name, cell in names.items()})
    cells[NAME] = (
        "NULL"
        if export.wide
        else f"CASE WHEN {is_asked} THEN {only_name(export, typing.kinds.dates)} END"
    )
    paths = values.bind([str(e.text_path) for e in batch.exports])
    cells[FILE] = f"CAST(list_position({paths}, file) - 1 + {batch.first} AS INTEGER)"
    query = f"SELECT {_listed(cells)} FROM {scan(batch.exports, batch.rejects, values)}"  # noqa: S608
    # Each thread has buffers for all columns.
    is_wide = len(export.header) > MANY_COLUMNS
    with one_thread(reader.backend) if is_wide else nullcontext():
        reader.backend.con.execute(f"CREATE TABLE {batch.cells} AS {query}", values.bound)


def _cells_of(typing: Typing) -> dict[str, str]:
    return cell_names(typing.columns) | {COUNTS: quote(COUNTS)}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


def _numbered(batch: Batch) -> str:
    """Return the query for the cells of a batch's files, each row with its record."""
    last = batch.first + len(batch.exports) - 1
    return (
        f"(SELECT *, rowid + 1 AS {RECORD} FROM {batch.cells} "  # noqa: S608
        f"WHERE {FILE} BETWEEN {batch.first} AND {last})"
    )


def _spans(reader: Reader, batches: Sequence[Batch], n_files: int) -> list[tuple[int, int]]:
    """Return the first record number and the rows of each file."""
    spans: dict[int, tuple[int, int]] = {}
    for batch in batches:
        query = (
            f"SELECT {FILE}, min({RECORD}), count(*) FROM {_numbered(batch)} "  # noqa: S608
            f"GROUP BY {FILE}"
        )
        spans |= {file: (first, n) for file, first, n in reader.rows(query, Values())}
    return [spans.get(number, (0, 0)) for number in range(n_files)]


def _prepare_dates(reader: Reader, batch: Batch, spec: TableSpec, typing: Typing) -> None:
    """Rewrite the dates of a batch's cells, and empty those that are missing."""
    names, last = _cells_of(typing), batch.first + len(batch.exports) - 1
    pattern = spec.dates if is_pattern(spec.dates) else None
    for column, how in batch.how.dates.items():
        cell, values = names[column], Values()
        text = rewritten(cell, how.rewriting, values, pattern) if how.rewriting else cell
        kinds = "1, 2" if how.has_placeholders else "2"
        is_missing = f"{placeholder_kind(text, spec.missing)} IN ({kinds})"
        if how.rewriting or how.has_placeholders or spec.missing:
            reader.backend.con.execute(
                f"UPDATE {batch.cells} SET {cell} = CASE WHEN NOT {is_missing} THEN {text} END "  # noqa: S608
                f"WHERE {cell} IS NOT NULL AND {FILE} BETWEEN {batch.first} AND {last}",
                values.bound,
            )


def _typed_rows(reader: Reader, batch: Batch, typing: Typing) -> str:
    """Create the table of typed columns of a batch, as its readings say."""
    values, cells = Values(), _cells_of(typing)
    typed = {quote(c): sql for c, sql in typing.typed(cells, batch.how, values).items()}
    bounded = ", ".join(f"{in_range(quote(c))} AS {quote(c)}" for c in typing.timestamps)
    replaced = f" REPLACE ({bounded})" if bounded else ""
    query = f"""
        WITH parsed AS (SELECT *, {_listed(typed)} FROM {_numbered(batch)}),
        typed AS (SELECT *{replaced} FROM parsed)
        SELECT {", ".join(typed)}, {FILE}, {RECORD},
            coalesce({_may_be_faulty(batch, typing)}, false) AS {SUSPECT}
        FROM typed
    """  # noqa: S608
    return reader.create(query, values)


def _may_be_faulty(batch: Batch, typing: Typing) -> str:
    if batch.exports[0].wide:
        # The dates are those of the columns: a total has them as well.
        return "true"
    cells = _cells_of(typing)
    conditions = [f"{ODD} IS NOT NULL", typing.is_odd(cells), typing.is_empty(cells)]
    conditions += [holds for _, holds in typing.faults(cells)]
    return any_of(f"coalesce({holds}, false)" for holds in conditions)


def _faults(reader: Reader, batch: Batch, typed: str, typing: Typing) -> str:
    """Return the query for file, record and reason of the rows that cannot be used."""
    cells = _cells_of(typing)
    suspects = reader.create(
        f"SELECT * FROM {_numbered(batch)} JOIN {typed} USING ({FILE}, {RECORD}) "  # noqa: S608
        f"WHERE {SUSPECT}",
        Values(),
    )
    values = Values()
    branches = [(f"{ODD} IS NOT NULL", ODD)]
    branches += no_data(
        reader,
        suspects,
        batch.exports[0].recognized.format,
        dates=[cells[column] for column in typing.kinds.dates],
        # The dates of a wide table are those of its columns: a total has them as well.
        has_date="false" if batch.exports[0].wide else f"coalesce({typing.has_date}, false)",
        values=values,
    )
    branches.append((typing.is_empty(cells), "'not_data'"))
    branches += [(holds, f"'{reason}'") for reason, holds in typing.faults(cells)]
    cases = " ".join(f"WHEN {holds} THEN {reason}" for holds, reason in branches)
    query = f"""
        SELECT {FILE}, {RECORD}, CASE {cases} END AS reason FROM {suspects}
    """  # noqa: S608
    found = reader.create(query, values)
    return f"SELECT * FROM {found} WHERE reason IS NOT NULL"  # noqa: S608


def _add_duplicates(reader: Reader, batches: Sequence[Batch], faults: str, typing: Typing) -> None:
    """Add the rows without another fault that repeat an earlier one."""
    names = ", ".join([ROW, *cell_names(typing.columns).values()])
    rows = " UNION ALL ".join(
        f"SELECT {names}, {FILE}, {RECORD} FROM {_numbered(b)}"  # noqa: S608
        for b in batches
    )
    hashes = " UNION ALL ".join(f"SELECT {ROW} FROM {b.cells}" for b in batches)  # noqa: S608
    query = f"""
        INSERT INTO {faults}
        WITH repeated AS (
            SELECT {ROW} FROM ({hashes}) GROUP BY {ROW} HAVING count(*) > 1
        ),
        counted AS (
            SELECT {FILE}, {RECORD}, row_number() OVER (
                PARTITION BY {names} ORDER BY {FILE}, {RECORD}
            ) AS occurrence
            FROM ({rows}) SEMI JOIN repeated USING ({ROW})
            ANTI JOIN {faults} USING ({FILE}, {RECORD})
        )
        SELECT {FILE}, {RECORD}, 'duplicate' FROM counted WHERE occurrence > 1
    """  # noqa: S608
    reader.backend.con.execute(query)


def _drop_faults(reader: Reader, table: str, faults: str) -> None:
    """Take the rows with faults out of a table."""
    reader.run(
        f"DELETE FROM {table} USING {faults} AS faults "  # noqa: S608
        f"WHERE {table}.{FILE} = faults.{FILE} AND {table}.{RECORD} = faults.{RECORD}"
    )


def drop_rows(reader: Reader, table: str, rows: Sequence[tuple[int, int]]) -> None:
    """Take rows out of a table, by file and record."""
    if rows:
        values = Values()
        files, records = values.bind([f for f, _ in rows]), values.bind([r for _, r in rows])
        reader.backend.con.execute(
            f"DELETE FROM {table} USING "  # noqa: S608
            f"(SELECT unnest({files}) AS file, unnest({records}) AS record) AS gone "
            f"WHERE {FILE} = gone.file AND {RECORD} = gone.record",
            values.bound,
        )
