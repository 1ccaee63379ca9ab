"""The DuckDB connection and its SQL functions.

Timestamps are naive ``timestamp`` columns that mean UTC, exact to the microsecond.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from mqlkit.core.names import FORMULA_STARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd
    from ibis.backends.duckdb import Backend

EngineError = duckdb.Error
Instant = dt.Timestamp("UTC")
Texts = dt.Array(dt.string)
SMALL = "decimal(38, 12)"
MEMORY = "1150MiB"
SAVED = "saved"
# A time, a space, and more.
NAMES_ZONE = "%:% %"
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001


@ibis.udf.scalar.builtin
def epoch_us(at: Instant) -> dt.int64:  # type: ignore[valid-type]
    """Return microseconds since 1970 (DuckDB)."""


@ibis.udf.scalar.builtin
def make_timestamp(microseconds: dt.int64) -> dt.timestamp:
    """Return the naive UTC stamp of microseconds since 1970 (DuckDB)."""


@ibis.udf.scalar.builtin(name="timezone")
def local_to_instant(zone: dt.string, local: dt.timestamp) -> Instant:  # type: ignore[valid-type]
    """Return the instant of a local stamp in a zone (DuckDB)."""


@ibis.udf.scalar.builtin(name="timezone")
def instant_to_local(zone: dt.string, at: Instant) -> dt.timestamp:  # type: ignore[valid-type]
    """Return the local stamp of an instant in a zone (DuckDB)."""


def connect() -> Backend:
    """Return a fresh in-memory DuckDB that talks UTC.

    What does not fit into `MEMORY` goes to a folder of its own, gone with the connection: ten
    million leads need little more than one.
    """
    folder = TemporaryDirectory(prefix="mqlkit-", ignore_cleanup_errors=True)
    backend = ibis.duckdb.connect(memory_limit=MEMORY, temp_directory=folder.name)
    weakref.finalize(backend, folder.cleanup)
    backend.raw_sql("SET TimeZone = 'UTC'")
    backend.raw_sql("SET enable_progress_bar = false")
    return backend


def save_tables(backend: Backend, path: Path, tables: Mapping[str, ir.Table]) -> None:
    """Write tables to a file that other processes can read from."""
    backend.attach(path, SAVED)
    for name, table in tables.items():
        backend.create_table(name, table, database=f"{SAVED}.main")
    backend.detach(SAVED)


def attach_tables(backend: Backend, path: Path, names: Iterable[str]) -> dict[str, ir.Table]:
    """Return the tables of a file by name; nobody writes to it any more."""
    backend.attach(path, SAVED, read_only=True)
    return {name: backend.table(name, database=(SAVED, "main")) for name in names}


@contextmanager
def session_zone(backend: Backend, zone: str) -> Iterator[None]:
    """Read stamps without an offset as local to ``zone`` while the block runs."""
    backend.raw_sql(f"SET TimeZone = '{zone}'")  # a checked IANA name
    try:
        yield
    finally:
        backend.raw_sql("SET TimeZone = 'UTC'")


def parse_instant(text: ir.StringValue) -> ir.TimestampValue:
    """Return ISO text as naive UTC; NULL where it is no stamp.

    Text without an offset is local to the session's zone.
    """
    # The engine would read `today` and `epoch` as well: only what starts with a digit is a stamp.
    # Once it has read the name of a zone, it stays in that zone for the rows that follow.
    is_safe = (text >= "0") & (text < ":") & ~text.like(NAMES_ZONE)
    written = is_safe.ifelse(text, ibis.null("string"))
    return to_naive(written.try_cast(Instant))


def plain_instant(text: ir.StringValue) -> ir.TimestampValue:
    """Return ISO text as naive UTC, without any precaution: `epoch` is a stamp too."""
    return make_timestamp(epoch_us(text.try_cast(Instant)))


@ibis.udf.scalar.builtin
def try_strptime(text: dt.string, patterns: Texts) -> dt.timestamp:  # type: ignore[valid-type]
    """Return text read by the first pattern that fits, NULL where none does (DuckDB)."""


def parse_local(text: ir.StringValue, patterns: list[str], zone: str) -> ir.TimestampValue:
    """Return text in one of some strptime patterns, local to ``zone``, as naive UTC."""
    return to_naive(local_to_instant(zone, try_strptime(text, patterns)))


@ibis.udf.scalar.builtin(name="try_strptime")
def try_strptime_zoned(text: dt.string, patterns: Texts) -> Instant:  # type: ignore[valid-type]
    """Return text read by patterns that name a zone or offset, which is an instant (DuckDB)."""


def parse_zoned(text: ir.StringValue, patterns: list[str]) -> ir.TimestampValue:
    """Return text in one of some strptime patterns, each with ``%z`` or ``%Z``, as naive UTC."""
    return to_naive(try_strptime_zoned(text, patterns))


def fits_pattern(text: ir.StringValue, pattern: str) -> ir.BooleanValue:
    """Return whether text is a stamp in a strptime pattern."""
    has_zone = "%z" in pattern or "%Z" in pattern
    read = try_strptime_zoned if has_zone else try_strptime
    return read(text, [pattern]).notnull()


def to_naive(instant: ir.TimestampValue) -> ir.TimestampValue:
    """Return an instant as a naive UTC stamp."""
    return make_timestamp(epoch_us(instant))


def in_range(stamp: ir.TimestampValue) -> ir.TimestampValue:
    """Return a naive stamp; NULL outside 1900 to 2200.

    To be used on a column, not on an expression: it names its argument three times.
    """
    lowest, highest = (ibis.timestamp(t) for t in (EARLIEST, LATEST))
    return stamp.between(lowest, highest).ifelse(stamp, ibis.null("timestamp"))


def literal(at: datetime) -> ir.TimestampScalar:
    """Return an aware or naive-UTC datetime as a literal in the engine's own stamps."""
    return ibis.timestamp(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at)


def local_date(stamp: ir.TimestampValue, zone: str) -> ir.DateValue:
    """Return the local date of a naive UTC stamp."""
    if zone == "UTC":
        return stamp.date()
    return instant_to_local(zone, local_to_instant("UTC", stamp)).date()


def iso_local(stamp: ir.TimestampValue, zone: str) -> ir.StringValue:
    """Return a naive UTC stamp as local ISO text, such as ``2026-01-31T09:00:00+02:00``."""
    if zone == "UTC":
        return stamp.cast("string").replace(" ", "T") + "+00:00"
    local = instant_to_local(zone, local_to_instant("UTC", stamp))
    ahead = local.delta(stamp, unit="minute")
    minutes = ahead.abs()
    offset = ibis.literal(":").join(
        [(part.cast("string").lpad(2, "0")) for part in (minutes // 60, minutes % 60)]
    )
    return local.cast("string").replace(" ", "T") + (ahead < 0).ifelse("-", "+") + offset


def safe_text(cell: ir.StringValue) -> ir.StringValue:
    """Return text that no spreadsheet takes for a formula."""
    is_formula = cell.left(1).isin(FORMULA_STARTS)
    return is_formula.ifelse("'" + cell, cell)


def step(value: ir.Value, edges: list[Any], places: list[int | None]) -> ir.IntegerValue:
    """Return the place of a value between sorted edges, by halving; NULL for a NULL value.

    ``places`` has one entry more than there are edges: the first is below the first edge. A tree
    of comparisons costs each row the logarithm of the number of edges, and runs on every backend.
    """
    if not edges:
        return ibis.literal(places[0], type="int32")
    middle = len(edges) // 2
    below = step(value, edges[:middle], places[: middle + 1])
    above = step(value, edges[middle + 1 :], places[middle + 1 :])
    # A NULL is not below, and every tree's last place is outside all buckets.
    return (value < edges[middle]).ifelse(below, above)


@ibis.udf.scalar.builtin(name="strlen")
def n_bytes(text: dt.string) -> dt.int64:
    """Return the length of text in bytes, which costs nothing (DuckDB)."""


@ibis.udf.scalar.builtin
def list_contains(texts: Texts, text: dt.string) -> dt.boolean:  # type: ignore[valid-type]
    """Return whether text is one of a few; unlike IN it never becomes a join (DuckDB)."""


@ibis.udf.scalar.builtin
def json_valid(text: dt.string) -> dt.boolean:
    """Return whether text is JSON (DuckDB)."""


@ibis.udf.scalar.builtin
def json_extract_string(text: dt.string, path: dt.string) -> dt.string:
    """Return the text at a path of a JSON value (DuckDB)."""


def json_text(text: ir.StringValue, key: str) -> ir.StringValue:
    """Return the text under a key of a JSON object; NULL where there is none."""
    sound = json_valid(text).ifelse(text, ibis.null("string"))
    return json_extract_string(sound, f'$."{key}"')


def texts_of_parquet(backend: Backend, path: Path, copy: Path) -> int:
    """Write a parquet file as CSV, each value as text, and return its number of rows."""
    table = backend.read_parquet(path)
    texts = table.select(**{name: _as_text(table[name]) for name in table.columns})
    backend.to_csv(texts, copy)
    return int(table.count().to_pyarrow().as_py())


def _as_text(value: ir.Value) -> ir.StringValue:
    """Return a value as text; a fraction with four decimals or more, which nobody can misread."""
    text = value.cast("string")
    kind = value.type()
    if kind.is_floating():
        # Written with an exponent are very small fractions, and very large whole numbers.
        small, large = (value.try_cast(t).cast("string") for t in (SMALL, "decimal(38, 0)"))
        plain = (value.abs() < 1).ifelse(small.re_replace(r"0+$", ""), large)
        text = text.contains("e").ifelse(plain.coalesce(text), text)
        text = (text == "nan").ifelse(ibis.null("string"), text)
    elif not kind.is_decimal():
        return text
    text = text.re_replace(r"\.0*$", "")
    has_point = text.contains(".")
    wide = ibis.greatest(text.length(), text.find(".") + len(".9999"))
    return has_point.ifelse(text.rpad(wide, "0"), text)


def to_frame(table: ir.Table) -> pd.DataFrame:
    """Return a small table as pandas: text as ``str``, decimals as float, stamps as they are."""
    arrow = table.to_pyarrow()
    frame: pd.DataFrame = arrow.to_pandas()
    for field in arrow.schema:
        if str(field.type).startswith("decimal"):
            frame[field.name] = frame[field.name].astype("float64")
    return frame


def to_arrays(table: ir.Table) -> dict[str, npt.NDArray[Any]]:
    """Return columns of numbers without a NULL as arrays."""
    arrow = table.to_pyarrow()
    return {name: arrow[name].to_numpy() for name in arrow.column_names}
