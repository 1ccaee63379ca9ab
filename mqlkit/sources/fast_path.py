"""Large exports of leads in one scan, where hardly any cell needs cleaning.

Cleaning every cell costs as much again as parsing it. Here cells are taken as they are, and rows
that need more are only marked: the caller reads these few again through the layers of `staging`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from mqlkit.core.names import STAMPS
from mqlkit.sources.cells import MONEY, may_look_alike, plain_timestamp, visible
from mqlkit.sources.dialect.decide import PLAIN_NUMBER, Batch
from mqlkit.sources.files import Export
from mqlkit.sources.local_times import (
    DATE,
    IS_DATE,
    LOCAL,
    MARGIN,
    local_offsets,
    n_ambiguous,
    settled,
    zone_of,
)
from mqlkit.sources.reader import Reader
from mqlkit.sources.rejects import collect_rejects, has_rejects
from mqlkit.sources.rows import column_of, scan
from mqlkit.sources.sql import (
    ABSENT,
    FILE,
    OWN,
    RECORD,
    Values,
    all_of,
    any_of,
    cell_names,
    lead_column,
    literal,
    quote,
)
from mqlkit.sources.staging import SUSPECT, PlainRows
from mqlkit.sources.store import NAMES_ZONE

# Whether a row needs a careful reading: 1, or 2 where it is because of its amount.
ODD = quote(f"{OWN}odd")
# Number of local times in a row that occur twice or never.
AMBIGUOUS = quote(f"{OWN}ambiguous")
# Whether a row has a timestamp without an offset, and whether it has one with an offset.
HAS_LOCAL, HAS_OFFSET = (quote(f"{OWN}{name}") for name in ("local", "offset"))
# DuckDB takes the word `epoch` for a timestamp; no lead is that old. The query has the changes of
# the zones between these days.
EARLIEST, LATEST = date(1970, 1, 2), date(2050, 1, 1)
MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?\s*$")
# With more rows to read again, it is quicker to read all of them so.
MOST_ODD = 10_000


def read_plain_leads(reader: Reader, batch: Batch, columns: Sequence[str]) -> PlainRows | None:
    """Return the leads of files with one header; None where many cells need cleaning.

    Parameters
    ----------
    reader, batch
        The engine and the files; their first rows have shown nothing but ISO 8601.
    columns
        The canonical and other columns wanted.

    Returns
    -------
    PlainRows or None
        Rows that are not odd are leads that differ.
    """
    rejects, values, export = reader.name("rejects"), Values(), batch.exports[0]
    headers = {c: header for c in columns if (header := export.header_of(c))}
    names = cell_names(list(headers))
    stamps = [c for c in headers if c in STAMPS]
    cells = ", ".join(f"{column_of(export, header)} AS {names[c]}" for c, header in headers.items())
    codes = ", ".join(f"{_code(names[s])} AS {quote(s)}" for s in stamps)
    typed = ", ".join(_typed(c, names.get(c)) for c in columns if c not in STAMPS)
    own, days = (local_offsets(zone, EARLIEST, LATEST) for zone in (batch.zone, reader.day_zone))
    number = reader.zone_number(batch.zone)
    clocks = [c for s in stamps for c in settled(s, number, own, days, is_date=IS_DATE)]
    absent = [c for s in STAMPS if s not in stamps for c in _absent(s)]
    query = f"""
        WITH cells AS (SELECT {cells} FROM {scan(batch.exports, rejects, values, is_clean=False)}),
        coded AS (SELECT *, {codes} FROM cells),
        typed AS (
            SELECT * EXCLUDE ({", ".join(map(quote, stamps))}), {", ".join([*clocks, *absent])},
                {typed}, {n_ambiguous(map(quote, stamps), own)} AS {AMBIGUOUS},
                {_kinds_of_times(stamps, batch)}
            FROM coded
        )
        SELECT * EXCLUDE ({", ".join(names.values())}), {_is_odd(names)} AS {ODD} FROM typed
    """  # noqa: S608
    name = reader.create(query, values)
    n_stamps = ", ".join(f"count({s})" for s in stamps)
    query = f"""
        SELECT count(*), count(DISTINCT hash(lead_id)), min(length(lead_id)), max(length(lead_id)),
            sum({AMBIGUOUS}), bool_or({HAS_LOCAL}), bool_or({HAS_OFFSET}), {n_stamps}
        FROM {name} WHERE {ODD} = 0
    """  # noqa: S608
    ((rows, leads, shortest, longest, ambiguous, has_local, has_offset, *n_dates),) = reader.rows(
        query, Values()
    )
    odd_lines = _odd_lines(reader, name, rejects, batch)
    lines = sum(e.n_lines - 1 for e in batch.exports)
    doubtful = [s for s in stamps if not _has_clock(export, headers[s])]
    if (
        odd_lines is None
        or rows != leads
        or rows + len(odd_lines) != lines
        or _holds_midnights(reader, name, doubtful, batch.zone)
        or (has_local and (has_offset or reader.clocks.has_offsets))
    ):
        reader.run(f"DROP TABLE {name}")
        return None
    if (shortest, longest) == (15, 18):
        return None
    for column in (AMBIGUOUS, HAS_LOCAL, HAS_OFFSET):
        reader.run(f"ALTER TABLE {name} DROP COLUMN {column}")
    reader.clocks.has_offsets |= bool(has_offset)
    if has_local:
        reader.clocks.local.setdefault("leads", (export.name, ()))
    counts = dict(zip(stamps, n_dates, strict=True))
    return PlainRows(name, odd_lines, counts, int(ambiguous or 0))


def _code(cell: str) -> str:
    """Return an ISO 8601 cell as a code of `local_times`."""
    at = plain_timestamp(cell)
    return f"CASE WHEN contains({cell}, ':') THEN {at} ELSE {at} + {DATE - LOCAL} END"


def _kinds_of_times(stamps: Sequence[str], batch: Batch) -> str:
    """Return whether a row has times without and with an offset, where that is to be known."""
    local = offset = "false"
    if not batch.is_zone_known:
        local = any_of(f"{s} BETWEEN {LOCAL - MARGIN} AND {LOCAL + MARGIN}" for s in stamps)
        offset = any_of(f"{s} < {LOCAL - MARGIN}" for s in stamps)
    return f"coalesce({local}, false) AS {HAS_LOCAL}, coalesce({offset}, false) AS {HAS_OFFSET}"


def _absent(stamp: str) -> Iterator[str]:
    yield f"CAST(NULL AS TIMESTAMP) AS {quote(stamp)}"
    yield f"CAST(NULL AS TINYINT) AS {quote(zone_of(stamp))}"


def _has_clock(export: Export, header: str) -> bool:
    """Return whether the first rows show a time of day in a column."""
    place = export.header.index(header)
    cells = [row[place] for row in export.sample if len(row) == len(export.header)]
    return any(":" in cell and not MIDNIGHT.search(cell) for cell in cells)


def _holds_midnights(reader: Reader, table: str, stamps: Sequence[str], zone: str) -> bool:
    """Return whether a column has midnights and no other time of day, so that they may be dates."""
    if not stamps:
        return False
    values = Values()
    parts = []
    for s in stamps:
        clock = f"CAST(timezone({values.bind(zone)}, timezone('UTC', {quote(s)})) AS TIME)"
        parts.append(f"bool_and({clock} = TIME '00:00') FILTER ({quote(zone_of(s))} >= 0)")
    (row,) = reader.rows(f"SELECT {', '.join(parts)} FROM {table} WHERE {ODD} = 0", values)  # noqa: S608
    return any(row)


def _odd_lines(reader: Reader, table: str, rejects: str, batch: Batch) -> list[int] | None:
    """Return the lines of rows that are odd or cannot be split; None where these are too many."""
    query = f"SELECT rowid, {ODD} FROM {table} WHERE {ODD} > 0 ORDER BY rowid LIMIT {MOST_ODD + 1}"  # noqa: S608
    odd = reader.rows(query, Values())
    if not odd and not has_rejects(reader.backend, rejects):
        return []
    if len(batch.exports) > 1 or len(odd) > MOST_ODD or any(kind > 1 for _, kind in odd):
        return None
    rejected: list[dict[int, str]] = [{}]
    collect_rejects(reader.backend, rejects, batch.exports, rejected)
    lines = sorted(rejected[0])
    # Number of the line of the first record, had it no rejected lines before it.
    shifted = [line - n for n, line in enumerate(lines)]
    found = [record + 2 + bisect_right(shifted, record + 2) for record, _ in odd]
    return sorted([*lines, *found]) if len(lines) <= MOST_ODD else None


def _typed(column: str, cell: str | None) -> str:
    name = quote(lead_column(column))
    if column == "amount":
        return f"TRY_CAST({cell or 'NULL'} AS {MONEY}) AS {name}"
    return f"{cell or ABSENT} AS {name}"


def _is_odd(cells: Mapping[str, str]) -> str:
    """Return whether a careful reading might take a row otherwise; see `ODD`."""
    is_amount_odd = "false"
    odd = [f"{cells['lead_id']} IS NULL"]
    stamps = [c for c in cells if c in STAMPS]
    in_range = f"BETWEEN TIMESTAMP '{EARLIEST}' AND TIMESTAMP '{LATEST}'"
    odd += [f"{cells[s]} IS NOT NULL AND coalesce({s} NOT {in_range}, true)" for s in stamps]
    odd += [f"{cells[s]} LIKE '{NAMES_ZONE}'" for s in stamps]
    # Without any date it may be a total.
    odd.append(all_of(f"{quote(s)} IS NULL" for s in stamps))
    for column, cell in cells.items():
        if column == "amount":
            shape = literal(f"^(?:{PLAIN_NUMBER.pattern})$")
            is_amount_odd = f"NOT regexp_matches({cell}, {shape})"
        elif column not in STAMPS:
            odd.append(f"{cell} < '!' OR right({cell}, 1) < '!'")
            odd.append(f"CASE WHEN {may_look_alike(cell)} THEN {cell} <> {visible(cell)} END")
    is_odd = any_of(f"coalesce({holds}, false)" for holds in odd)
    return f"CAST(CASE WHEN {is_amount_odd} THEN 2 WHEN {is_odd} THEN 1 ELSE 0 END AS TINYINT)"


def replace_odd(reader: Reader, table: str, rest: str) -> None:
    """Put rows that were read with care in the place of the odd rows of plain leads."""
    reader.run(f"DELETE FROM {table} WHERE {ODD} > 0")  # noqa: S608
    rows = f"SELECT * EXCLUDE ({FILE}, {RECORD}, {SUSPECT}) FROM {rest}"  # noqa: S608
    reader.run(f"INSERT INTO {table} BY NAME {rows}")


def has_distinct_ids(reader: Reader, table: str) -> bool:
    """Return whether each row of a table is another lead."""
    query = f"""
        SELECT count(*), count(DISTINCT lead_id), min(length(lead_id)), max(length(lead_id))
        FROM {table}
    """  # noqa: S608
    ((rows, leads, shortest, longest),) = reader.rows(query, Values())
    return bool(rows == leads and (shortest, longest) != (15, 18))
