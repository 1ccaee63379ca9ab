"""The shapes of the values in the columns of a table, counted in one pass over its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.sources.cells import clean
from mqlkit.sources.dialect.evidence import Shape
from mqlkit.sources.store import fits_pattern, parse_instant

MOST_SHAPES = 1000
DIGITS, NINES = "0123456789", "9999999999"
NUMERIC_DAY = r"^(\d\d?)[./-](\d\d?)[./-]\d{4}"
# No header can be called this: the file that a row is from.
FILE_NAME = "\x1ffile"

# Our name of a column, and the file that it is in.
Place = tuple[str, str]


def shapes_of(
    tables: Sequence[tuple[ir.Table, Mapping[str, str]]], dates: Collection[str], told: str | None
) -> dict[Place, list[Shape]]:
    """Return the shapes of all values of some columns, by column of ours and path of the file.

    Parameters
    ----------
    tables
        Raw cells, with the header of each column of ours wanted from them.
    dates
        Those of the columns that are dates.
    told
        The pattern that dates are said to be in.
    """
    pieces = []
    for raw, headers in tables:
        if headers:
            keys = {ours: clean(raw[theirs]) for ours, theirs in headers.items()}
            cells = raw.select(**{FILE_NAME: raw[FILE_NAME]}, **keys)
            pieces.append(cells.pivot_longer(list(keys), names_to="column", values_to="text"))
    if not pieces:
        return {}
    long = reduce(lambda a, b: a.union(b), pieces)
    long = long.filter(long["text"].notnull())
    is_date = long["column"].isin(list(dates))
    # A zero that begins a fraction tells that the sign behind it is the decimal one.
    number = long["text"].re_replace(r"(^|[^0-9.,])0([.,])", r"\1o\2")
    first, second = (
        long["text"].re_extract(NUMERIC_DAY, group).nullif("").try_cast("int32") for group in (1, 2)
    )
    rows = long.mutate(
        is_iso=is_date & parse_instant(long["text"]).notnull(),
        is_told=is_date & fits_pattern(long["text"], told) if told else ibis.literal(False),
        shape=is_date.ifelse(long["text"], number).translate(DIGITS, NINES),
        first=first,
        second=second,
    )
    found = rows.group_by(FILE_NAME, "column", "shape", "is_iso", "is_told").aggregate(
        n=rows.count(),
        first_over=(rows["first"] > 12).sum().fill_null(0),
        second_over=(rows["second"] > 12).sum().fill_null(0),
        differing=(rows["first"] != rows["second"]).sum().fill_null(0),
        low=rows["text"].min(),
        high=rows["text"].max(),
    )
    order = [ibis.desc("n"), "shape", "is_iso", "is_told"]
    place = ibis.row_number().over(ibis.window(group_by=[FILE_NAME, "column"], order_by=order))
    found = found.mutate(_place=place).filter(lambda t: t["_place"] < MOST_SHAPES)
    found = found.order_by(FILE_NAME, "column", "_place").drop("_place")
    by_place: dict[Place, list[Shape]] = {}
    for row in found.to_pyarrow().to_pylist():
        place_of = row.pop("column"), row.pop(FILE_NAME)
        examples = tuple(dict.fromkeys((row.pop("low"), row.pop("high"))))
        shape = Shape(row.pop("shape"), examples=examples, **row)
        by_place.setdefault(place_of, []).append(shape)
    return by_place
