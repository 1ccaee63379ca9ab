"""The engine and what else reading shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlkit.sources.clocks import Clocks
from mqlkit.sources.sql import Values
from mqlkit.sources.store import arrow_to_frame

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from ibis.backends.duckdb import Backend

# Kinds of tables in the engine: of one report, or of several.
TABLE, SHARED = "table", "shared"


@dataclass
class Reader:
    """What reading needs and shares: the engine, folders, the report's limits and zone.

    ``zones`` has the zones in which the sources write their timestamps, ``clocks`` which of them
    have an offset, ``merged`` the ids of merged records with the surviving ones.
    """

    backend: Backend
    workdir: Path
    root: Path
    max_set_aside: float
    day_zone: str
    tables: int = 0
    zones: list[str] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)

    def name(self, kind: str) -> str:
        """Return a name nothing else in the engine has."""
        self.tables += 1
        return f"{kind}_{self.tables}"

    def zone_number(self, zone: str) -> int:
        """Return the place of a zone in ``zones``."""
        if zone not in self.zones:
            self.zones.append(zone)
        return self.zones.index(zone)

    def store(self, table: ir.Table, *, kind: str = TABLE) -> ir.Table:
        """Return the table, computed and kept in the engine; `drop` keeps those of `SHARED`."""
        return self.backend.create_table(self.name(kind), table)

    def layer(self, table: ir.Table) -> ir.Table:
        """Return the table as a view.

        Ibis writes an expression out wherever it is used; a view keeps it written once.
        """
        return self.backend.create_view(self.name("view"), table)

    def create(self, query: str, values: Values) -> str:
        """Create a table from a query and return its name."""
        name = self.name("table")
        self.backend.con.execute(f"CREATE TABLE {name} AS {query}", values.bound)
        return name

    def run(self, statement: str) -> None:
        """Run a statement."""
        self.backend.con.execute(statement)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self.rows(f"SELECT count(*) FROM {table}", Values())[0][0])  # noqa: S608

    def frame(self, query: str) -> pd.DataFrame:
        """Return the rows of a small query as pandas."""
        return arrow_to_frame(self.backend.con.execute(query).to_arrow_table())

    def rows(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        found: list[tuple[Any, ...]] = self.backend.con.execute(query, values.bound).fetchall()
        return found

    def drop(self, numbers: range) -> None:
        """Drop what was stored or layered under these numbers, the latest first."""
        for number in reversed(numbers):
            self.backend.drop_view(f"view_{number}", force=True)
            self.backend.drop_table(f"table_{number}", force=True)
