"""Large exports of leads in one scan, where hardly any cell needs cleaning.

Cleaning every cell costs as much again as parsing it. Here cells are taken as they are, and rows
that need more are only marked: the caller reads these few again through the layers of `staging`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from mqlkit.core.names import STAMPS
from mqlkit.sources.cells import MONEY, to_naive
from mqlkit.sources.dialect.decide import PLAIN_NUMBER, Batch
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
from mqlkit.sources.staging import SUSPECT, PlainRows, Reader
from mqlkit.sources.store import NAMES_ZONE, session_zone

# Whether a row needs a careful reading: 1, or 2 where it is because of its amount.
ODD = quote(f"{OWN}odd")
# DuckDB takes the word `epoch` for a timestamp; no lead is that old.
EARLIEST = "TIMESTAMP '1970-01-02'"
LATEST = "TIMESTAMP '2200-01-01'"
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
    cells = ", ".join(f"{column_of(export, header)} AS {names[c]}" for c, header in headers.items())
    rows = scan(batch.exports, rejects, values, is_clean=False)
    typed = ", ".join(_typed(c, names.get(c)) for c in columns)
    # A date without a time begins at midnight in the report's zone, not where it was written.
    needs_time = {batch.zone, reader.day_zone} != {"UTC"}
    query = f"""
        WITH cells AS (SELECT {cells} FROM {rows}),
        typed AS (SELECT *, {typed} FROM cells)
        SELECT * EXCLUDE ({", ".join(names.values())}),
            {_is_odd(names, needs_time=needs_time)} AS {ODD}
        FROM typed
    """  # noqa: S608
    with session_zone(reader.backend, batch.zone):
        name = reader.create(query, values)
    stamps = [c for c in headers if c in STAMPS]
    query = f"""
        SELECT count(*), count(DISTINCT hash(lead_id)), min(length(lead_id)), max(length(lead_id)),
            {", ".join(f"count({s})" for s in stamps)}
        FROM {name} WHERE {ODD} = 0
    """  # noqa: S608
    ((rows, leads, shortest, longest, *n_dates),) = reader.rows(query, Values())
    odd_lines = _odd_lines(reader, name, rejects, batch)
    lines = sum(e.n_lines - 1 for e in batch.exports)
    if odd_lines is None or rows != leads or rows + len(odd_lines) != lines:
        reader.run(f"DROP TABLE {name}")
        return None
    if (shortest, longest) == (15, 18):
        return None
    return PlainRows(name, odd_lines, dict(zip(stamps, n_dates, strict=True)))


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
    if column in STAMPS:
        at = to_naive(f"TRY_CAST({cell or 'NULL'} AS TIMESTAMPTZ)")
        timed = f"contains({cell}, ':')" if cell else "CAST(NULL AS BOOLEAN)"
        return f"{at} AS {name}, {timed} AS {quote(f'{column}_timed')}"
    if column == "amount":
        return f"TRY_CAST({cell or 'NULL'} AS {MONEY}) AS {name}"
    return f"{cell or ABSENT} AS {name}"


def _is_odd(cells: Mapping[str, str], *, needs_time: bool) -> str:
    """Return whether a careful reading might take a row otherwise; see `ODD`."""
    is_amount_odd = "false"
    odd = [f"{cells['lead_id']} IS NULL"]
    stamps = [c for c in cells if c in STAMPS]
    in_range = f"BETWEEN {EARLIEST} AND {LATEST}"
    odd += [f"{cells[s]} IS NOT NULL AND coalesce({s} NOT {in_range}, true)" for s in stamps]
    odd += [f"{cells[s]} LIKE '{NAMES_ZONE}'" for s in stamps]
    odd += [f"NOT {quote(f'{s}_timed')}" for s in stamps if needs_time]
    # Without any date it may be a total.
    odd.append(all_of(f"{quote(s)} IS NULL" for s in stamps))
    for column, cell in cells.items():
        if column == "amount":
            shape = literal(f"^(?:{PLAIN_NUMBER.pattern})$")
            is_amount_odd = f"NOT regexp_matches({cell}, {shape})"
        elif column not in STAMPS:
            odd.append(f"{cell} < '!' OR right({cell}, 1) < '!'")
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
