"""Bare exports sorted into tables by headers and content: a source without a ``source.yaml``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mqlkit.core.errors import SourceError, report
from mqlkit.core.files import why_no_file
from mqlkit.core.names import STAMPS
from mqlkit.sources.files import Export, open_export
from mqlkit.sources.formats import fold
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TABLES, SourceSpec, TableSpec
from mqlkit.sources.store import connect
from mqlkit.sources.table_by_content import content_of, table_by_content
from mqlkit.sources.text import kind_of

# Enough for a preamble and some rows. These show the header; the rows are read later.
HEAD_BYTES = 1 << 18
# What of mqlkit's own names makes a header one of a table: one of each group.
OWN_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "leads": (("lead_id",),),
    "history": (("lead_id",), ("at",)),
    "spend": (("amount",), ("date", "date_from")),
    "goals": (("month",), ("mqls",)),
}
RATE_COLUMNS = {"currency", "rate"}


@dataclass(frozen=True)
class ClassifiedExport:
    """An export, with the table and the format that it is taken for, and its header.

    The table is empty where nothing tells it. ``is_by_content`` is set where no header does.
    """

    path: Path
    table: str
    format: str
    header: tuple[str, ...] = ()
    is_by_content: bool = False

    @property
    def is_rates(self) -> bool:
        """Return whether it has the columns of exchange rates, which are no table of a source."""
        return not self.table and {fold(header) for header in self.header} >= RATE_COLUMNS


def classify_exports(
    paths: Sequence[Path], *, root: Path, assumes_leads: bool = True
) -> tuple[SourceSpec, list[ClassifiedExport]]:
    """Return a source made of bare exports, and those that fit into no table.

    Parameters
    ----------
    paths
        The exports; those of one table are one block, histories one for each format.
    root
        Folder that the files are named from.
    assumes_leads
        Whether exports that fit into no table are taken for leads where no other holds leads.

    Returns
    -------
    tuple of SourceSpec and list of ClassifiedExport
        The source, and the exports that are in no table of it.

    Raises
    ------
    SourceError
        When an export does not exist.
    """
    if faults := [report(f"{path}: {why}.") for path in paths if (why := why_no_file(path))]:
        raise SourceError("\n".join(faults))
    sorted_exports = [_table_of(path) for path in paths]
    sorted_exports = _without_doubtful_leads(sorted_exports)
    if assumes_leads and not any(e.table in ("leads", "history") for e in sorted_exports):
        sorted_exports = [
            each if each.table or each.is_rates else replace(each, table="leads")
            for each in sorted_exports
        ]
    unknown = [each for each in sorted_exports if not each.table]
    by_table = {table: [each for each in sorted_exports if each.table == table] for table in TABLES}
    histories: dict[str, list[ClassifiedExport]] = {}
    for each in by_table["history"]:
        histories.setdefault(each.format, []).append(each)
    groups = list(histories.values())
    source = SourceSpec(
        path=root / "source.yaml",
        leads=_block("leads", by_table["leads"]),
        history=tuple(_spec("history", f"history[{n}]", group) for n, group in enumerate(groups)),
        spend=_block("spend", by_table["spend"]),
        goals=_block("goals", by_table["goals"]),
    )
    return source, unknown


def _without_doubtful_leads(exports: Sequence[ClassifiedExport]) -> list[ClassifiedExport]:
    """Return the exports; lists of people that are not all of one shape are in no table yet.

    They may be the leads of another system, or something else about the same leads.
    """
    leads = [each for each in exports if each.table == "leads"]
    if len({each.header for each in leads}) < 2:
        return [*exports]
    doubtful = [each for each in leads if each.is_by_content]
    return [replace(each, table="") if each in doubtful else each for each in exports]


def _block(table: str, exports: Sequence[ClassifiedExport]) -> TableSpec | None:
    return _spec(table, table, exports) if exports else None


def _spec(table: str, place: str, exports: Sequence[ClassifiedExport]) -> TableSpec:
    return TableSpec(table, place, tuple(each.path.resolve() for each in exports))


def _table_of(path: Path) -> ClassifiedExport:
    """Return which table an export is, by its headers, and by its content where these tell none."""
    with tempfile.TemporaryDirectory() as scratch:
        workdir = Path(scratch)
        head = _head_of(path, workdir)
        opened = {t: export for t in TABLES if (export := _opened(head, t, workdir))}
        if not opened:
            # The look at the whole file says what is wrong with it.
            return ClassifiedExport(path, "leads", "auto")
        sure = {table: _sureness(export, table) for table, export in opened.items()}
        table = max(opened, key=lambda t: (sure[t], len(opened[t].recognized.columns)))
        is_by_content = not sure[table]
        if is_by_content or (table == "leads" and _is_undated(opened[table])):
            found = _by_content(opened, workdir)
            table = found if found in opened else table if sure[table] else ""
        export = opened[table or next(iter(opened))]
    known = export.recognized.format.name
    return ClassifiedExport(path, table, known, export.header_cells, is_by_content)


def _is_undated(export: Export) -> bool:
    """Return whether an export with our names has the id of a lead, and no date of a stage."""
    has_date = any(column in STAMPS for column in export.recognized.columns)
    return export.recognized.format.name == "plain" and not has_date


def _by_content(opened: Mapping[str, Export], workdir: Path) -> str:
    reader = Reader(connect(), workdir, workdir, 1.0, "UTC")
    try:
        table, export = next(iter(opened.items()))
        return table_by_content(content_of(reader, export, TableSpec(table, table, (export.path,))))
    finally:
        reader.backend.disconnect()


def _opened(head: Path, table: str, workdir: Path) -> Export | None:
    """Return an export as it is for one table, whatever its encoding; None where it is none."""
    for encoding in ("auto", "iso-8859-1"):
        spec = TableSpec(table, table, (head,), encoding=encoding)
        try:
            return open_export(head, spec, workdir=workdir, root=workdir, backend=connect())
        except SourceError:
            continue
    return None


def _sureness(export: Export, table: str) -> int:
    """Return 2 for an export of a known format, 1 for one with mqlkit's own names, else 0."""
    if export.recognized.format.name != "plain":
        return 2
    there = set(export.recognized.columns)
    return int(all(there & set(group) for group in OWN_NAMES[table]))


def _head_of(path: Path, workdir: Path) -> Path:
    """Return the beginning of a text as a file; anything else as it is."""
    if path.stat().st_size <= HEAD_BYTES or kind_of(path, path.name) != "text":
        return path
    with path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    copy = workdir / path.name
    copy.write_bytes(head[: head.rfind(b"\n") + 1] or head)
    return copy
