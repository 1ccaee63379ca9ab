"""What was read, kept on disk: exports that several reports of a batch use are read once."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from mqlkit.core.errors import MqlkitError
from mqlkit.sources.files import mark_of
from mqlkit.sources.spec import SourceSpec
from mqlkit.sources.staging import Reader
from mqlkit.sources.store import attach_tables, connect, save_tables
from mqlkit.sources.tables import Tables, load

POLL_SECONDS = 0.05


def tables_of(
    reader: Reader, source: SourceSpec, *, extras: Sequence[str], folder: Path
) -> Tables | None:
    """Return the tables of a source that several reports use, read by the first of them.

    Parameters
    ----------
    reader, source, extras
        As in `load.load`.
    folder
        Where readings are kept, with the plan.

    Returns
    -------
    Tables or None
        None where only this report uses the source, or where what the others want of it cannot be
        read: each then reads for itself, and gets its own error.
    """
    wanted = columns_wanted(folder, source.path)
    if wanted is None or not set(extras) <= set(wanted):
        return None
    try:
        name = _key(reader, source, wanted)
    except OSError:
        return None
    rest, stored = folder / f"{name}.tables", folder / f"{name}.duckdb"
    shelf = folder / name
    with FileLock(folder / f"{name}.lock", poll_interval=POLL_SECONDS):
        shelf.mkdir(exist_ok=True)
        if not rest.exists():
            rest.write_bytes(_kept(reader, source, wanted, stored))
    content: tuple[Tables, list[str]] | None = pickle.loads(rest.read_bytes())  # noqa: S301 - own
    if content is None:
        return None
    tables, names = content
    found = attach_tables(reader.backend, stored, names)
    return replace(tables, leads=found["leads"], events=found.get("events"), shelf=shelf)


def _key(reader: Reader, source: SourceSpec, wanted: Sequence[str]) -> str:
    """Return what a reading depends on, as a name: files that have changed are read again."""
    marks = [mark_of(path) for spec in source.tables for path in spec.files]
    about = (source, marks, list(wanted), reader.day_zone, reader.max_set_aside)
    return sha256(repr(about).encode()).hexdigest()[:24]


def _kept(reader: Reader, source: SourceSpec, wanted: Sequence[str], stored: Path) -> bytes:
    """Read a source, keep its large tables in a file, and return the rest; None for a failure."""
    # In an engine of its own: what reading leaves in it goes with it.
    own = replace(reader, backend=connect())
    try:
        tables = load(own, source, extras=wanted)
    except MqlkitError:
        return pickle.dumps(None)
    large = {"leads": tables.leads}
    large |= {} if tables.events is None else {"events": tables.events}
    save_tables(own.backend, stored, large)
    own.backend.disconnect()
    return pickle.dumps((replace(tables, leads=None, events=None), list(large)))


PLAN = "plan.json"


def write_plan(folder: Path, columns: Mapping[Path, Sequence[str]]) -> None:
    """Leave word which sources several reports use, and which columns of the leads they want.

    Parameters
    ----------
    folder
        Where readings are kept.
    columns
        By ``source.yaml``.
    """
    plan = {str(path): list(names) for path, names in columns.items()}
    (folder / PLAN).write_text(json.dumps(plan), encoding="utf-8")


def columns_wanted(folder: Path, source: Path) -> list[str] | None:
    """Return the columns that several reports want of a source; None where it is used once."""
    plan: dict[str, list[str]] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    return plan.get(str(source))
