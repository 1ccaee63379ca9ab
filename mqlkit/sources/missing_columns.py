"""Files of one table of which some lack a column that others have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mqlkit.core.errors import SourceError, listed, nearest, report
from mqlkit.core.text import counted
from mqlkit.core.yaml_files import yaml_text
from mqlkit.sources.files import Export
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.spec import ALLOW, TableSpec

# Files that are named; who renames a column does so for all exports that follow.
SHOWN = 3


def columns_of(spec: TableSpec, exports: Sequence[Export]) -> list[str]:
    """Return our columns that any file has: recognized, or named in source.yaml."""
    columns = dict.fromkeys([*(c for e in exports for c in e.recognized.columns), *spec.columns])
    return [column for column in columns if any(has_column(e, column) for e in exports)]


def has_column(export: Export, column: str) -> bool:
    """Return whether a file has a column."""
    return export.header_of(column) is not None or column in export.recognized.format.json


def refuse_missing(spec: TableSpec, exports: Sequence[Export]) -> None:
    """Stop where a file lacks a column that another has, unless source.yaml allows it.

    Taken for empty values, the column would say that nothing happened: that no lead became an SQL.

    Raises
    ------
    SourceError
        With each such file, its columns, and the unread headers that look like them.
    """
    if spec.is_missing_allowed:
        return
    columns = columns_of(spec, exports)
    found = [(e, [c for c in columns if not has_column(e, c)]) for e in exports]
    words = [_words(spec, export, lacking, exports) for export, lacking in found if lacking]
    if words:
        more = [f"and {len(words) - SHOWN} more files"] if len(words) > SHOWN else []
        raise SourceError("\n".join([*words[:SHOWN], *more]))


def _words(
    spec: TableSpec, export: Export, lacking: Sequence[str], exports: Sequence[Export]
) -> str:
    used = {export.header_of(ours) for ours in export.recognized.columns}
    unread = [header for header in export.header if header not in used]
    owners = {ours: next(e for e in exports if has_column(e, ours)) for ours in lacking}
    written = {ours: owner.header_of(ours) or ours for ours, owner in owners.items()}
    alike = {c: h for c in lacking if (h := nearest(written[c], unread) or nearest(c, unread))}
    both = (f"{c}: [{yaml_text(written[c])}, {yaml_text(h)}]" for c, h in alike.items())
    same = f"if they are the same, name both below {spec.place}: `columns: {{{', '.join(both)}}}`"
    allowed = f"`columns_missing: {ALLOW}` below {spec.place}: in source.yaml takes it for empty"
    return report(
        f"{export.name}:{export.header_line}: lacks {counted(len(lacking), 'column')} that other "
        f"files of {spec.place} have: {', '.join(lacking)}.",
        expected=", ".join(f"{written[c]!r} as in {owners[c].name}" for c in lacking[:SHOWN]),
        found=f"not read: {listed(list(alike.values()) or unread, 6)}" if unread else "",
        fix=f"{same if alike else 'export the file with these columns'}; {allowed}",
    )


def note_missing(
    exports: Sequence[Export], rows: Sequence[int], columns: Iterable[str], ledger: Ledger
) -> None:
    """Note of each column how many rows are in files that lack it."""
    for column in columns:
        lacking = [n for e, n in zip(exports, rows, strict=True) if not has_column(e, column)]
        if lacking:
            ledger.noted[f"no column {column}"] = sum(lacking)
