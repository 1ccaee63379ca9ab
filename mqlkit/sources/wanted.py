"""Which columns of an export come along beside those that mqlkit knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqlkit.core.names import LEAD_COLUMNS, STAMPS


@dataclass(frozen=True)
class Wanted:
    """The columns of the leads that are none of ours: those named, and perhaps all others."""

    named: Sequence[str]
    is_all: bool

    def of(self, columns: Sequence[str]) -> list[str]:
        """Return those wanted of the columns that there are."""
        named = [c for c in self.named if c not in LEAD_COLUMNS]
        if not self.is_all:
            return named
        # Names of columns that the reading makes itself.
        taken = {"", "_order", "_fault", "_file", "_record", "_row", "_odd"}
        taken |= {*LEAD_COLUMNS, *(f"{s}_timed" for s in STAMPS)}
        taken |= {f"_{c}" for c in taken} | {c.casefold() for c in named}
        first = {c.casefold(): c for c in reversed(columns) if c.casefold() not in taken}
        return [*named, *(c for c in columns if first.get(c.casefold()) == c)]
