"""The shapes of the values in the columns of a table, counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from mqlkit.sources.cells import parse_instant
from mqlkit.sources.dialect.evidence import Shape
from mqlkit.sources.sql import FILE, Values, literal

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

MOST_SHAPES = 1000
DIGITS, NINES = "0123456789", "9999999999"
NUMERIC_DAY = r"^(\d\d?)[./-](\d\d?)[./-]\d{4}"

# A canonical column, and the path of the file that it is in.
Place = tuple[str, str]
# A table of cells, and the quoted column of each canonical column wanted.
CellsOf = tuple[str, Mapping[str, str]]


def shapes_of(
    backend: Backend,
    tables: Sequence[CellsOf],
    paths: Sequence[str],
    dates: Collection[str],
    pattern: str | None,
) -> dict[Place, list[Shape]]:
    """Return the shapes of all values of some columns, by canonical column and path of the file.

    Parameters
    ----------
    backend
        The engine.
    tables
        The tables of cells, with the canonical columns wanted from them.
    paths
        The path of each file, by its number in the tables.
    dates
        Those of the columns that are dates.
    pattern
        The pattern of dates in source.yaml.
    """
    values = Values()
    pieces = [
        f'SELECT {FILE} AS file, {values.bind(column)} AS "column", {cell} AS text FROM {table}'  # noqa: S608
        for table, cells in tables
        for column, cell in cells.items()
    ]
    if not pieces:
        return {}
    is_in_pattern = (
        f"is_date AND try_strptime(text, {values.bind([pattern])}) IS NOT NULL"
        if pattern
        else "false"
    )
    # A zero that begins a fraction tells that the sign behind it is the decimal one.
    number = r"regexp_replace(text, '(^|[^0-9.,])0([.,])', '\1o\2', 'g')"
    numbers = [
        f"CASE WHEN is_date AND NOT is_iso THEN TRY_CAST("
        f"nullif(regexp_extract(text, {literal(NUMERIC_DAY)}, {group}), '') AS INTEGER) END"
        for group in (1, 2)
    ]
    query = f"""
        WITH texts AS ({" UNION ALL ".join(pieces)}),
        dated AS (
            SELECT *, list_contains({values.bind(list(dates))}, "column") AS is_date
            FROM texts WHERE text IS NOT NULL
        ),
        parsed AS (
            SELECT *, is_date AND {parse_instant("text")} IS NOT NULL AS is_iso FROM dated
        ),
        shaped AS (
            SELECT file, "column", text, is_iso, {is_in_pattern} AS fits_pattern,
                translate(CASE WHEN is_date THEN text ELSE {number} END, '{DIGITS}', '{NINES}')
                    AS shape,
                {numbers[0]} AS first, {numbers[1]} AS second
            FROM parsed
        )
        SELECT file, "column", shape, count(*) AS n, is_iso, fits_pattern,
            count(*) FILTER (WHERE first > 12), count(*) FILTER (WHERE second > 12),
            count(*) FILTER (WHERE first <> second), min(text), max(text)
        FROM shaped GROUP BY file, "column", shape, is_iso, fits_pattern
        QUALIFY row_number() OVER (
            PARTITION BY file, "column" ORDER BY count(*) DESC, shape, is_iso, fits_pattern
        ) <= {MOST_SHAPES}
        ORDER BY file, "column", n DESC, shape, is_iso, fits_pattern
    """  # noqa: S608
    by_place: dict[Place, list[Shape]] = {}
    found = backend.con.execute(query, values.bound).fetchall()
    for file, column, text, n, is_iso, fits_pattern, first, second, differing, low, high in found:
        examples = tuple(dict.fromkeys((low, high)))
        shape = Shape(text, n, is_iso, fits_pattern, first, second, differing, examples)
        by_place.setdefault((column, paths[file]), []).append(shape)
    return by_place
