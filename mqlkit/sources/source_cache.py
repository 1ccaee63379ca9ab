"""Cache of the source read last: the reports of a batch that share a kernel read it once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from mqlkit.core.errors import MqlkitError
from mqlkit.sources.files import mark_of
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import SourceSpec
from mqlkit.sources.tables import Tables


@dataclass
class SharedTables:
    """What reports on the same tables share.

    Attributes
    ----------
    columns
        Lead columns that any of them uses.
    derived
        Tables derived from them, by what these depend on.
    """

    columns: Sequence[str]
    derived: dict[Hashable, Any] = field(default_factory=dict)


class SourceCache:
    """The tables read last, in the engine that read them."""

    def __init__(self) -> None:
        self._key = ""
        self._reader: Reader | None = None
        self._tables: Tables | None = None
        self._shared = SharedTables(())
        self._n_kept = 0

    def get(
        self, key: str, columns: Sequence[str], read: Callable[[], tuple[Reader, Tables]]
    ) -> tuple[Reader, Tables, SharedTables] | None:
        """Return the tables of a source and their engine, from the cache if the key is the same.

        Parameters
        ----------
        key
            Everything that the tables depend on; see `key_of`.
        columns
            Lead columns that any report uses.
        read
            Reads the tables.

        Returns
        -------
        tuple of Reader, Tables and SharedTables, or None
            None if they cannot be read.
        """
        if key != self._key:
            self.clear()
            self._key, self._shared = key, SharedTables(columns)
            with suppress(MqlkitError):
                self._keep(*read())
        if self._reader is None or self._tables is None:
            return None
        # Each report adds notes to the ledgers.
        tables = replace(self._tables, ledgers=deepcopy(self._tables.ledgers))
        return self._reader, tables, self._shared

    def _keep(self, reader: Reader, tables: Tables) -> None:
        n_read = reader.tables
        leads = reader.store(tables.leads)
        events = None if tables.events is None else reader.store(tables.events)
        reader.drop(range(1, n_read + 1))
        self._reader, self._n_kept = reader, reader.tables
        self._tables = replace(tables, leads=leads, events=events)

    def drop_derived(self) -> None:
        """Drop the tables of a report that has ended, except those that others use too."""
        if self._reader is not None:
            self._reader.drop(range(self._n_kept + 1, self._reader.tables + 1))

    def clear(self) -> None:
        """Empty the cache and free the memory of its engine."""
        if self._reader is not None:
            self._reader.backend.disconnect()
        self._key, self._reader, self._tables = "", None, None


def key_of(source: SourceSpec, columns: Sequence[str], *, zone: str, max_set_aside: float) -> str:
    """Return everything that the tables of a source depend on, its files included."""
    files = [path for spec in source.tables for path in spec.files]
    marks = [mark_of(path) if path.exists() else None for path in files]
    return repr((source, marks, list(columns), zone, max_set_aside))


# What the kernel has read. It is used only if the runner says that a batch shares a source.
CACHE = SourceCache()
