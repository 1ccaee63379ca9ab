"""The DuckDB connection and its SQL functions.

Timestamps are naive ``timestamp`` columns that mean UTC, exact to the microsecond.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from mqlkit.core.names import BOM, FORMULA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd
    from ibis.backends.duckdb import Backend

EngineError = duckdb.Error
OutOfMemory = duckdb.OutOfMemoryException
Instant = dt.Timestamp("UTC")
SMALL = "decimal(38, 12)"
MEMORY = "1150MiB"
# A time, a space, and more.
NAMES_ZONE = "%:% %"
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001


@ibis.udf.scalar.builtin(name="timezone")
def local_to_instant(zone: dt.string, local: dt.timestamp) -> Instant:  # type: ignore[valid-type]
    """Return the instant of a local stamp in a zone (DuckDB)."""


@ibis.udf.scalar.builtin(name="timezone")
def instant_to_local(zone: dt.string, at: Instant) -> dt.timestamp:  # type: ignore[valid-type]
    """Return the local stamp of an instant in a zone (DuckDB)."""


@ibis.udf.scalar.builtin(name="epoch_us")
def to_micros(at: dt.timestamp) -> dt.int64:
    """Return the microseconds since 1970 of a naive UTC timestamp (DuckDB)."""


@ibis.udf.scalar.builtin(name="make_timestamp")
def to_timestamp(us: dt.int64) -> dt.timestamp:
    """Return the naive UTC timestamp of microseconds since 1970 (DuckDB)."""


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


@contextmanager
def session_zone(backend: Backend, zone: str) -> Iterator[None]:
    """Read stamps without an offset as local to ``zone`` while the block runs."""
    backend.raw_sql(f"SET TimeZone = '{zone}'")  # a checked IANA name
    try:
        yield
    finally:
        backend.raw_sql("SET TimeZone = 'UTC'")


@contextmanager
def one_thread(backend: Backend) -> Iterator[None]:
    """Run the queries of the block in one thread."""
    backend.raw_sql("SET threads = 1")
    try:
        yield
    finally:
        backend.raw_sql("RESET threads")


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
    return cell.re_search(FORMULA).ifelse("'" + cell, cell)


def write_for_excel(table: ir.Table, path: Path) -> None:
    """Write a table as CSV in UTF-8 with a BOM."""
    first = table.columns[0]
    table.rename({f"{BOM}{first}": first}).to_csv(path)


def texts_of_parquet(backend: Backend, path: Path, copy: Path) -> int:
    """Write a parquet file as CSV, each value as text, and return its number of rows."""
    table = backend.read_parquet(path)
    texts = table.select(**{name: _as_text(table[name]) for name in table.columns})
    backend.to_csv(texts, copy)
    return int(table.count().to_pyarrow().as_py())


def _as_text(value: ir.Value) -> ir.StringValue:
    """Return a value as text; a fraction with four decimals or more, which are no thousands."""
    text = value.cast("string")
    kind = value.type()
    if kind.is_floating():
        # Written with an exponent are very small fractions, and very large whole numbers. More than
        # 15 digits need not be those that were written: they keep the exponent, which shows that.
        small, large = (value.try_cast(t).cast("string") for t in (SMALL, "decimal(38, 0)"))
        exact = large.re_search(r"^-?[0-9]{1,15}0*$").ifelse(large, text)
        plain = (value.abs() < 1).ifelse(small.re_replace(r"0+$", ""), exact)
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
    return arrow_to_frame(table.to_pyarrow())


def arrow_to_frame(arrow: Any) -> pd.DataFrame:
    """Return an Arrow table as `to_frame` does."""
    frame: pd.DataFrame = arrow.to_pandas()
    for field in arrow.schema:
        if str(field.type).startswith("decimal"):
            frame[field.name] = frame[field.name].astype("float64")
    return frame


def to_arrays(table: ir.Table) -> dict[str, npt.NDArray[Any]]:
    """Return columns of numbers without a NULL as arrays."""
    arrow, found = table.to_pyarrow(), {}
    # Each column is let go once it is copied, because columns are large.
    for name in arrow.column_names:
        found[name] = arrow[name].to_numpy()
        arrow = arrow.drop_columns([name])
    return found


def any_of(conditions: list[ir.BooleanValue]) -> ir.BooleanValue:
    """Return whether one of several conditions holds."""
    return reduce(lambda a, b: a | b, conditions)
