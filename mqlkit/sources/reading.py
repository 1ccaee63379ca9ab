"""From files to one typed table with its ledger.

A clean table is read once, without record numbers, which cost as much again. Only where rows
must be set aside or merged is it read again with them, so that each of those rows can be named by
its line. A small table gets them at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir

from mqlkit.engine import session_zone
from mqlkit.errors import SourceError, missing_columns, nearest, report
from mqlkit.sources.files import Export, open_export
from mqlkit.sources.ledger import Ledger, SetAside, check_share, locate
from mqlkit.sources.spec import COLUMNS, TableSpec
from mqlkit.sources.staging import Reader, Staged, Typing, header_of, stage

SMALL_TABLE = 100_000


@dataclass
class Read:
    """A table as read: typed rows, its ledger, its files and the rows read from each."""

    table: ir.Table
    ledger: Ledger
    exports: list[Export]
    rows: list[int]
    unmapped: list[str] = field(default_factory=list)


def open_exports(reader: Reader, spec: TableSpec) -> list[Export]:
    """Return the files of a table, with their headers known and nothing else read."""
    return [open_export(p, spec, workdir=reader.workdir, root=reader.root) for p in spec.files]


def read_table(
    reader: Reader,
    spec: TableSpec,
    typing: Typing,
    *,
    key: str | None = None,
    exports: list[Export] | None = None,
) -> Read:
    """Read all files of a table.

    Parameters
    ----------
    reader, spec, typing
        The engine, the files and the types.
    key
        Column whose values must differ for a table to be called clean (``lead_id``); None reads
        with record numbers at once, to find duplicates.
    exports
        The files, where they are open already.

    Returns
    -------
    Read
        Its table holds the typed columns of the rows used and ``_order``, the place of the row
        (only where it was read with record numbers).

    Raises
    ------
    SourceError
        When a column is missing, no file has a row, or too many rows cannot be used.
    """
    exports = exports or open_exports(reader, spec)
    _check_columns(spec, exports, typing)
    typing.check(exports)
    with session_zone(reader.backend, spec.timezone):
        if key is not None and sum(e.n_lines for e in exports) > SMALL_TABLE:
            staged = stage(reader, spec, exports, typing, numbered=False)
            if rows := _clean_rows(staged, key, exports):
                counts = [e.n_lines - 1 for e in exports]
                return _finish(reader, spec, staged, Ledger(read=rows), exports, counts, typing)
        staged = stage(reader, spec, exports, typing, numbered=True)
    ledger, counts = _settle(staged, exports)
    return _finish(reader, spec, staged, ledger, exports, counts, typing)


def _clean_rows(staged: Staged, key: str, exports: list[Export]) -> int:
    """Return how many rows there are if each is used as it is, else 0."""
    table = staged.table
    seen = table.aggregate(
        rows=table.count(), faults=table["_fault"].count(), keys=table[key].nunique()
    ).to_pyarrow()
    rows, faults, keys = (int(seen[name][0].as_py()) for name in ("rows", "faults", "keys"))
    lines = sum(e.n_lines for e in exports)
    is_clean = faults == 0 and keys == rows and lines == rows + len(exports)
    return rows if is_clean and not any(staged.rejected) else 0


def _settle(staged: Staged, exports: list[Export]) -> tuple[Ledger, list[int]]:
    """Name every row that is not used, drop it from ``staged``, and count the rows of each file."""
    fault = staged.table["_fault"]
    asides = staged.table.filter(fault.notnull()).select("_file", "_record", reason=fault)
    ledger = Ledger()
    spans = _spans(staged.table, len(exports))
    reasons: list[dict[int, str]] = [{} for _ in exports]
    for row in asides.to_pyarrow().to_pylist():
        record = row["_record"] - spans[row["_file"]][0] + 1
        reasons[row["_file"]][record] = row["reason"]
    counts = []
    for number, export in enumerate(exports):
        rows = spans[number][1]
        located = _locate(export, reasons[number], staged.rejected[number], rows)
        ledger.rows += located
        counts.append(rows + len(located) - len(reasons[number]))
    ledger.set_aside = Counter(row.reason for row in ledger.rows)
    ledger.read = sum(counts)
    staged.table = staged.table.filter(fault.isnull())
    return ledger, counts


def _spans(table: ir.Table, files: int) -> list[tuple[int, int]]:
    """Return the first record number and the rows of each file."""
    counts = table.group_by("_file").aggregate(first=table["_record"].min(), rows=table.count())
    spans = {row["_file"]: (row["first"], row["rows"]) for row in counts.to_pyarrow().to_pylist()}
    return [spans.get(number, (0, 0)) for number in range(files)]


def _locate(
    export: Export, reasons: Mapping[int, str], rejected: Mapping[int, str], rows: int
) -> list[SetAside]:
    if not reasons and not rejected and export.n_lines == rows + 1:
        return []
    return locate(
        export.text_path,
        name=export.name,
        delimiter=export.delimiter,
        n_columns=len(export.header),
        reasons=reasons,
        rejected=rejected,
    )


def _finish(
    reader: Reader,
    spec: TableSpec,
    staged: Staged,
    ledger: Ledger,
    exports: list[Export],
    counts: list[int],
    typing: Typing,
) -> Read:
    if ledger.read == ledger.set_aside["blank"]:
        raise SourceError(
            report(
                f"{spec.names}: has a header and no rows.",
                expected=f"rows of {spec.table}",
                fix=f"export it again, or take it out of {spec.place} in source.yaml",
            )
        )
    check_share(ledger, place=spec.place, most=reader.max_set_aside)
    table = staged.table
    if "_record" in table.columns:
        place = table["_file"].cast("int64") * (1 << 40) + table["_record"]
        table = table.mutate(_order=place).drop("_file", "_record")
    mapped = {header_of(spec, n) for n in typing.columns}
    unmapped = [h for e in exports for h in e.header if h.casefold() not in mapped]
    return Read(table.drop("_fault"), ledger, exports, counts, list(dict.fromkeys(unmapped)))


def _check_columns(spec: TableSpec, exports: list[Export], typing: Typing) -> None:
    faults = []
    for export in exports:
        theirs = {h.casefold() for h in export.header}
        missing = [n for n in typing.needed if header_of(spec, n) not in theirs]
        if missing:
            words = missing_columns(
                f"{export.name}:1",
                missing={n: spec.columns.get(n, n) for n in missing},
                needed=len(typing.needed),
                found=export.header,
                table=spec.place,
            )
            faults.append(words)
    everywhere = {h.casefold() for e in exports for h in e.header}
    for ours, header in spec.columns.items():
        if header.strip().casefold() not in everywhere and ours not in typing.needed:
            all_headers = list(dict.fromkeys(h for e in exports for h in e.header))
            close = nearest(header, all_headers)
            faults.append(
                report(
                    f"{spec.names}:1: has no column {header!r} ({spec.place}.columns.{ours}).",
                    found=f"nearest here: {close!r}" if close else ", ".join(all_headers[:8]),
                    fix="mend the name in source.yaml",
                )
            )
    if faults:
        raise SourceError("\n".join(faults))


def known_columns(spec: TableSpec, exports: Sequence[Export]) -> list[str]:
    """Return every column name that a table's files offer, ours for those mapped."""
    ours = {theirs.strip().casefold(): name for name, theirs in spec.columns.items()}
    ours.update({c: c for c in COLUMNS[spec.table] if c not in spec.columns})
    return list(dict.fromkeys(ours.get(h.casefold(), h) for e in exports for h in e.header))
