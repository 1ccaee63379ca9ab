"""Bare exports sorted into tables by their headers: a source without a ``source.yaml``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mqlkit.engine import connect
from mqlkit.errors import SourceError, report
from mqlkit.sources.files import Export, open_export
from mqlkit.sources.spec import TABLES, SourceSpec, TableSpec
from mqlkit.sources.tabular import kind_of

# Enough for a preamble and some rows. A header is told from these; the rows are read later.
HEAD_BYTES = 1 << 18
# What of mqlkit's own names makes a header one of a table: one of each group.
OWN_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "leads": (("lead_id",),),
    "history": (("lead_id",), ("at",)),
    "spend": (("amount",), ("date", "date_from")),
    "goals": (("month",), ("mqls",)),
}


@dataclass(frozen=True)
class Sorted:
    """An export, with the table and the format that it is taken for."""

    path: Path
    table: str
    format: str


def sort_exports(paths: Sequence[Path], *, root: Path) -> SourceSpec:
    """Return a source made of bare exports.

    Parameters
    ----------
    paths
        The exports; those of one table and format become one block.
    root
        Folder that the files are named from.

    Returns
    -------
    SourceSpec
        What no table can be told of is taken for leads: most exports are.

    Raises
    ------
    SourceError
        When an export does not exist, or is nothing that can be read.
    """
    if missing := [str(p) for p in paths if not p.is_file()]:
        raise SourceError("\n".join(report(f"{m}: there is no such file.") for m in missing))
    sorted_ = [_table_of(path) for path in paths]
    leads = [s for s in sorted_ if s.table == "leads"]
    histories: dict[str, list[Sorted]] = {}
    for each in sorted_:
        if each.table == "history":
            histories.setdefault(each.format, []).append(each)
    only = {t: _block(t, t, [s for s in sorted_ if s.table == t]) for t in ("spend", "goals")}
    return SourceSpec(
        path=root / "source.yaml",
        leads=_block("leads", "leads", leads),
        history=tuple(
            block
            for number, group in enumerate(histories.values())
            if (block := _block("history", f"history[{number}]", group))
        ),
        spend=only["spend"],
        goals=only["goals"],
    )


def _block(table: str, place: str, exports: Sequence[Sorted]) -> TableSpec | None:
    if not exports:
        return None
    return TableSpec(table, place, tuple(s.path.resolve() for s in exports))


def _table_of(path: Path) -> Sorted:
    """Return which table an export is, by the headers that it has."""
    with tempfile.TemporaryDirectory() as scratch:
        workdir = Path(scratch)
        head = _head_of(path, workdir)
        found = []
        for rank, table in enumerate(TABLES):
            if export := _opened(head, table, workdir):
                size = (_sureness(export, table), len(export.recognised.columns), -rank)
                found.append((size, export.recognised.format.name, table))
    (sureness, _, _), name, table = max(found, default=((0, 0, 0), "auto", "leads"))
    # The look at the whole file says what is wrong with one that nothing can be told of.
    return Sorted(path, table, name) if sureness else Sorted(path, "leads", "auto")


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
    if export.recognised.format.name != "plain":
        return 2
    there = set(export.recognised.columns)
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
