"""A source.yaml, found and read into an engine of its own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from mqlkit.core.errors import SourceError, report, shortened
from mqlkit.core.files import NO_FILE, why_no_file
from mqlkit.core.names import SHARED_COLUMNS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.sources.reader import Reader
from mqlkit.sources.source_cache import CACHE, SharedTables, key_of
from mqlkit.sources.spec import SourceSpec, TableSpec, read_source
from mqlkit.sources.store import connect
from mqlkit.sources.tables import Tables, load


@dataclass(frozen=True)
class Opened:
    """The tables of a source.yaml, kept in the engine that they were read with.

    Attributes
    ----------
    path
        The source.yaml.
    zone
        The report's time zone.
    shared
        What reports on the same tables share; None if no other report uses them.
    """

    path: Path
    reader: Reader
    tables: Tables
    zone: ZoneInfo
    shared: SharedTables | None = None


def open_source(
    params: ReportParams,
    *,
    base: Path | None = None,
    is_all_wanted: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Opened:
    """Read what a report's ``source`` names.

    Parameters
    ----------
    params
        The report.
    base
        Folder that a relative ``source`` starts from; the working folder when left out.
    is_all_wanted
        Whether every column of the leads is read, or only those that the report names.
    tell
        Called with what is being read.
    """
    source = _source_of(params, base or Path.cwd())
    extras = params.lead_columns
    zone = ZoneInfo(params.timezone or source.timezone)

    def read(columns: list[str]) -> tuple[Reader, Tables]:
        # Once read, the rows are in the engine; what is unpacked on the way is not needed again.
        with tempfile.TemporaryDirectory(prefix="mqlkit-") as folder:
            root = source.path.parent
            reader = Reader(connect(), Path(folder), root, params.max_set_aside, str(zone))
            return reader, load(
                reader,
                source,
                extras=columns,
                places=params.column_places,
                is_all_wanted=is_all_wanted,
                tell=tell,
            )

    found = None
    if not is_all_wanted and (shared := _shared_columns(extras)) is not None:
        key = key_of(source, shared, zone=str(zone), max_set_aside=params.max_set_aside)
        found = CACHE.get(key, shared, lambda: read(shared))
    reader, tables, shared_tables = found or (*read(extras), None)
    return Opened(source.path, reader, tables, zone, shared_tables)


def _source_of(params: ReportParams, base: Path) -> SourceSpec:
    """Return the source of a report, with its rates of exchange."""
    source = read_source(find_source(params.source, base))
    if params.rates is None:
        return source
    path = find_source(params.rates, base, name="rates", what="a CSV of currency and rate")
    # The amounts of a rate never have separators of thousands.
    rates = TableSpec("rates", "rates", (path,), format="plain", decimal=".")
    return replace(source, rates=rates)


def _shared_columns(extras: list[str]) -> list[str] | None:
    """Return the columns that the batch uses of the source; None if this report reads its own."""
    columns: list[str] | None = json.loads(os.environ.get(SHARED_COLUMNS_VARIABLE, "null"))
    return columns if columns is not None and set(extras) <= set(columns) else None


def find_source(
    written: str, base: Path, *, name: str = "source", what: str = "a source.yaml"
) -> Path:
    """Return the path of ``source.yaml``, or of another file that a parameter names.

    A notebook run by plain papermill does not know which params file it came from, so that
    ``params/`` and ``notebooks/`` below the working folder count as well.
    """
    tried = [base / written, base / "params" / written, base / "notebooks" / written]
    for path in tried:
        if not why_no_file(path):
            return path.resolve()
    raise SourceError(
        report(
            f"{name} {shortened(written)}: {why_no_file(tried[0])}.",
            expected=f"the path of {what}, beside the params file",
            found=f"nothing at {tried[0]}" if why_no_file(tried[0]) == NO_FILE else "",
            fix=f"correct `{name}:`, or give papermill --cwd with the folder of the params file",
        )
    )
