"""The shapes of the values in the columns of a table, counted in one pass over its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from mqlkit.sources.cells import clean, parse_instant
from mqlkit.sources.dialect.evidence import Shape
from mqlkit.sources.files import Export
from mqlkit.sources.rows import column_of, scan
from mqlkit.sources.sql import Values, literal

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

MOST_SHAPES = 1000
DIGITS, NINES = "0123456789", "9999999999"
NUMERIC_DAY = r"^(\d\d?)[./-](\d\d?)[./-]\d{4}"

# Our name of a column, and the file that it is in.
Place = tuple[str, str]
# Files with one header, the name of their rejects, and the header of each column wanted.
FilesOf = tuple[Sequence[Export], str, Mapping[str, str]]


def shapes_of(
    backend: Backend, tables: Sequence[FilesOf], dates: Collection[str], told: str | None
) -> dict[Place, list[Shape]]:
    """Return the shapes of all values of some columns, by canonical column and path of the file.

    Parameters
    ----------
    backend
        The engine.
    tables
        The files, with the header of each canonical column wanted from them.
    dates
        Those of the columns that are dates.
    told
        The pattern of dates in source.yaml.
    """
    values = Values()
    pieces = [
        _texts(files, rejects, headers, values) for files, rejects, headers in tables if headers
    ]
    if not pieces:
        return {}
    fits_told = (
        f"is_date AND try_strptime(text, {values.bind([told])}) IS NOT NULL" if told else "false"
    )
    # A zero that begins a fraction tells that the sign behind it is the decimal one.
    number = r"regexp_replace(text, '(^|[^0-9.,])0([.,])', '\1o\2', 'g')"
    numbers = [
        f"TRY_CAST(nullif(regexp_extract(text, {literal(NUMERIC_DAY)}, {group}), '') AS INTEGER)"
        for group in (1, 2)
    ]
    query = f"""
        WITH texts AS ({" UNION ALL ".join(pieces)}),
        typed AS (
            SELECT *, list_contains({values.bind(list(dates))}, "column") AS is_date
            FROM texts WHERE text IS NOT NULL
        ),
        shaped AS (
            SELECT file, "column", text,
                is_date AND {parse_instant("text")} IS NOT NULL AS is_iso,
                {fits_told} AS is_told,
                translate(CASE WHEN is_date THEN text ELSE {number} END, '{DIGITS}', '{NINES}')
                    AS shape,
                {numbers[0]} AS first, {numbers[1]} AS second
            FROM typed
        )
        SELECT file, "column", shape, count(*) AS n, is_iso, is_told,
            count(*) FILTER (WHERE first > 12), count(*) FILTER (WHERE second > 12),
            count(*) FILTER (WHERE first <> second), min(text), max(text)
        FROM shaped GROUP BY file, "column", shape, is_iso, is_told
        QUALIFY row_number() OVER (
            PARTITION BY file, "column" ORDER BY count(*) DESC, shape, is_iso, is_told
        ) <= {MOST_SHAPES}
        ORDER BY file, "column", n DESC, shape, is_iso, is_told
    """  # noqa: S608
    by_place: dict[Place, list[Shape]] = {}
    found = backend.con.execute(query, values.bound).fetchall()
    for file, column, text, n, is_iso, is_told, first, second, differing, low, high in found:
        examples = tuple(dict.fromkeys((low, high)))
        shape = Shape(text, n, is_iso, is_told, first, second, differing, examples)
        by_place.setdefault((column, file), []).append(shape)
    return by_place


def _texts(
    files: Sequence[Export], rejects: str, headers: Mapping[str, str], values: Values
) -> str:
    """Return the query for the clean cells of some columns, one row each."""
    names = ", ".join(values.bind(name) for name in headers)
    cells = ", ".join(clean(column_of(files[0], header)) for header in headers.values())
    return (
        f'SELECT file, unnest([{names}]) AS "column", unnest([{cells}]) AS text '  # noqa: S608
        f"FROM {scan(files, rejects, values)}"
    )
