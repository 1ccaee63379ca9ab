"""The shapes of the values in the columns of a table, counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mqlkit.sources.cells import parse_instant, placeholder_kind, rewritten
from mqlkit.sources.dialect.evidence import Shape
from mqlkit.sources.dialect.written_dates import Rewriting
from mqlkit.sources.sql import FILE, Values, literal

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

MOST_SHAPES = 1000
DIGITS, NINES = "0123456789", "9999999999"
NUMERIC_DAY = r"^(\d\d?)[./-](\d\d?)[./-](\d\d\d\d|\d\d)(?:\D|$)"
ISO_DAY = r"^\d{4}-\d\d-(\d\d)"
MIDNIGHT = r"[T ](?:0?0:00(?::00(?:[.,]0+)?)?|12:00(?::00)? ?[Aa][Mm])$"

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
    *,
    rewriting: Rewriting | None = None,
    missing: Sequence[str] = (),
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
    rewriting
        How the dates are rewritten first.
    missing
        Further texts that are no value.
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
        f"is_date AND try_strptime(written, {values.bind([pattern])}) IS NOT NULL"
        if pattern
        else "false"
    )
    text = "written"
    if rewriting:
        date = rewritten("written", rewriting, values, pattern)
        text = f"CASE WHEN is_date THEN {date} ELSE written END"
    # A zero that begins a fraction tells that the sign behind it is the decimal one.
    number = r"regexp_replace(text, '(^|[^0-9.,])0([.,])', '\1o\2', 'g')"
    numbers = [
        f"CASE WHEN is_date AND NOT is_iso THEN TRY_CAST("
        f"nullif(regexp_extract(text, {literal(NUMERIC_DAY)}, {group}), '') AS INTEGER) END"
        for group in (1, 2, 3)
    ]
    day_text = f"regexp_extract(text, {literal(ISO_DAY)}, 1)"
    day = f"CASE WHEN is_iso THEN TRY_CAST({day_text} AS INTEGER) END"
    query = f"""
        WITH texts AS ({" UNION ALL ".join(pieces)}),
        dated AS (
            SELECT file, "column", text AS written,
                list_contains({values.bind(list(dates))}, "column") AS is_date
            FROM texts WHERE text IS NOT NULL
        ),
        rewritten AS (SELECT *, {text} AS text FROM dated),
        parsed AS (
            SELECT *, is_date AND {parse_instant("text")} IS NOT NULL AS is_iso,
                CASE WHEN is_date THEN {placeholder_kind("text", missing)} ELSE 0 END AS kind
            FROM rewritten
        ),
        shaped AS (
            SELECT file, "column", written, is_iso, kind, {is_in_pattern} AS fits_pattern,
                translate(CASE WHEN is_date THEN text ELSE {number} END, '{DIGITS}', '{NINES}')
                    AS shape,
                {numbers[0]} AS first, {numbers[1]} AS second, {numbers[2]} AS third, {day} AS day,
                is_date AND contains(text, ':') AND NOT regexp_matches(text, {literal(MIDNIGHT)})
                    AS is_timed
            FROM parsed
        )
        SELECT file, "column", shape, count(*) AS n, is_iso, fits_pattern,
            count(*) FILTER (WHERE first > 12), count(*) FILTER (WHERE second > 12),
            count(*) FILTER (WHERE first <> second), count(*) FILTER (WHERE first < 10),
            count(*) FILTER (WHERE third < 10), count(*) FILTER (WHERE day > 12),
            count(*) FILTER (WHERE is_timed), kind, min(written), max(written)
        FROM shaped GROUP BY file, "column", shape, is_iso, fits_pattern, kind
        QUALIFY row_number() OVER (
            PARTITION BY file, "column" ORDER BY count(*) DESC, shape, is_iso, fits_pattern, kind
        ) <= {MOST_SHAPES}
        ORDER BY file, "column", n DESC, shape, is_iso, fits_pattern, kind
    """  # noqa: S608
    by_place: dict[Place, list[Shape]] = {}
    found = backend.con.execute(query, values.bound).fetchall()
    for file, column, *about, low, high in found:
        examples = tuple(dict.fromkeys((low, high)))
        by_place.setdefault((column, paths[file]), []).append(
            replace(Shape(*about), examples=examples)
        )
    return by_place
