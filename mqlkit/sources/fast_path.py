"""Large exports of leads in one scan, where no cell needs cleaning.

Cleaning every cell costs as much again as parsing it. Here cells are taken as they are, and what
would have to be done about them is only counted: where that is anything at all, the caller reads
the table again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mqlkit.core.names import STAMPS
from mqlkit.sources.cells import MONEY, to_naive
from mqlkit.sources.dialect.decide import PLAIN_NUMBER, Batch
from mqlkit.sources.rejects import has_rejects
from mqlkit.sources.rows import column_of, scan
from mqlkit.sources.sql import (
    ABSENT,
    OWN,
    Values,
    all_of,
    any_of,
    cell_names,
    lead_column,
    literal,
    quote,
)
from mqlkit.sources.staging import Reader
from mqlkit.sources.store import LATEST, NAMES_ZONE, session_zone

# DuckDB takes the word `epoch` for a timestamp; no lead is that old.
ODD = f"{OWN}odd"
EPOCH_IS_OVER = datetime(1970, 1, 2)  # noqa: DTZ001


def read_plain_leads(reader: Reader, batch: Batch, columns: Sequence[str]) -> str | None:
    """Return the table of leads of files with one header; None where a cell needs cleaning.

    Parameters
    ----------
    reader, batch
        The engine and the files; their first rows have shown nothing but ISO 8601.
    columns
        The canonical and other columns wanted.

    Returns
    -------
    str or None
        Name of a table with a row for every line below the headers, each another lead: the columns
        wanted, and ``{stamp}_timed`` for each stamp.
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
            {_is_odd(names, needs_time=needs_time)} AS {quote(ODD)}
        FROM typed
    """  # noqa: S608
    with session_zone(reader.backend, batch.zone):
        name = reader.create(query, values)
    lines = sum(e.n_lines - 1 for e in batch.exports)
    if has_rejects(reader.backend, rejects) or not _is_plain(reader, name, headers, lines):
        reader.backend.con.execute(f"DROP TABLE {name}")
        return None
    return name


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
    """Return whether a row has anything that a careful reading might take otherwise."""
    odd = [f"{cells['lead_id']} IS NULL"]
    stamps = [c for c in cells if c in STAMPS]
    odd += [f"{cells[s]} IS NOT NULL AND {quote(s)} IS NULL" for s in stamps]
    odd += [f"{cells[s]} LIKE '{NAMES_ZONE}'" for s in stamps]
    odd += [f"NOT {quote(f'{s}_timed')}" for s in stamps if needs_time]
    # Without any date it may be a total.
    odd.append(all_of(f"{quote(s)} IS NULL" for s in stamps))
    for column, cell in cells.items():
        if column == "amount":
            shape = literal(f"^(?:{PLAIN_NUMBER.pattern})$")
            odd.append(f"NOT regexp_matches({cell}, {shape})")
        elif column not in STAMPS:
            odd.append(f"{cell} < '!' OR right({cell}, 1) < '!'")
    return any_of(f"coalesce({holds}, false)" for holds in odd)


def _is_plain(reader: Reader, name: str, columns: Mapping[str, str], lines: int) -> bool:
    stamps = [s for s in STAMPS if s in columns]
    # Leads by their hashes, which is quicker; two alike are read with care.
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE {quote(ODD)}), count(DISTINCT hash(lead_id)),
            min(length(lead_id)), max(length(lead_id)),
            least({", ".join(f"min({s})" for s in stamps)}),
            greatest({", ".join(f"max({s})" for s in stamps)})
        FROM {name}
    """  # noqa: S608
    ((rows, odd, leads, shortest, longest, first, last),) = reader.rows(query, Values())
    is_whole = odd == 0 and rows == leads == lines
    is_one_length = (shortest, longest) != (15, 18)
    return bool(is_whole and is_one_length and first >= EPOCH_IS_OVER and last < LATEST)
