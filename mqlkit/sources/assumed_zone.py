"""The zone that times without an offset are read in, and whether anything says so."""

from __future__ import annotations

from collections.abc import Sequence

from mqlkit.sources.files import Export
from mqlkit.sources.spec import TableSpec

WITH_TIMES = ("leads", "history")


def zone_of_times(spec: TableSpec, exports: Sequence[Export]) -> str:
    """Return the zones of the times of a table, in words; empty for a table of days."""
    if spec.table not in WITH_TIMES:
        return ""
    return " and ".join(sorted({spec.zone_in(fixed) for fixed in _fixed(exports)}))


def is_zone_assumed(spec: TableSpec, exports: Sequence[Export]) -> bool:
    """Return whether neither source.yaml nor the format of the files says anything of a zone."""
    is_fixed = _fixed(exports) == {"UTC"}
    return spec.table in WITH_TIMES and bool(exports) and not spec.zone_given and not is_fixed


def _fixed(exports: Sequence[Export]) -> set[str | None]:
    """Return the zones in which the formats of the files write their times."""
    return {export.recognized.format.timezone for export in exports}
