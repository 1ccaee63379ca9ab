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

from mqlkit.core.errors import SourceError, listed, missing_columns, nearest, report
from mqlkit.sources.dialect.decide import Batch, decide, presume
from mqlkit.sources.files import Export, check_unchanged, open_export
from mqlkit.sources.formats import fold
from mqlkit.sources.ids import id_lengths, may_be_one
from mqlkit.sources.ledger import Ledger, SetAside, check_share, locate
from mqlkit.sources.non_data_rows import why_not_split
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FAULT, FILE, ORDER, RECORD
from mqlkit.sources.staging import Reader, Staged, Typing, batches_of, stage
from mqlkit.sources.wide import WHOLE, settle_wide

SMALL_TABLE = 100_000
# Noted, since the dates around them that fit either way are read as the rest of the column.
DATE_SLIPS = "date slips: day and month the other way round"


@dataclass
class Read:
    """A table as read: typed rows, its ledger, its files and the rows read from each.

    Attributes
    ----------
    batches
        The files with the same header together, with how their columns were read.
    unmapped
        Headers that nothing was read from.
    """

    table: ir.Table
    ledger: Ledger
    exports: list[Export]
    rows: list[int]
    batches: list[Batch]
    unmapped: list[str] = field(default_factory=list)


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
        Its table holds the typed columns of the rows used and ``ORDER``, the place of the row
        (only where it was read with record numbers).

    Raises
    ------
    SourceError
        When a column is missing, no file has a row, or too many rows cannot be used.
    Undecided
        When a file or a column can be read in more than one way.
    """
    exports = exports or open_exports(reader, spec)
    _check_columns(spec, exports, typing)
    typing.check(exports)
    batches = batches_of(reader, spec, exports)
    if key is not None and sum(e.n_lines for e in exports) > SMALL_TABLE:
        for batch in batches:
            batch.readings = presume(spec, batch, typing.kinds)
        if (plain := _plain_rows(reader, batches, typing)) is not None:
            counts = [e.n_lines - 1 for e in exports]
            return _finish(reader, spec, plain, Ledger(read=sum(counts)), batches, counts)
        if not all(batch.readings for batch in batches):
            batches = decide(reader.backend, spec, batches, typing.kinds)
        staged = stage(reader, spec, batches, typing, numbered=False)
        if rows := _clean_rows(staged, key, exports):
            counts = [e.n_lines - 1 for e in exports]
            return _finish(reader, spec, staged, Ledger(read=rows), batches, counts)
    if any(batch.readings is None or batch.readings.is_presumed for batch in batches):
        batches = decide(reader.backend, spec, batches, typing.kinds)
    staged = stage(reader, spec, batches, typing, numbered=True)
    ledger, counts = _settle(staged, exports)
    return _finish(reader, spec, staged, ledger, batches, counts)


def open_exports(reader: Reader, spec: TableSpec) -> list[Export]:
    """Open all files of a table; what cannot be told about them is asked at once."""
    exports: list[Export] = []
    questions: list[Question] = []
    for path in spec.files:
        try:
            exports.append(
                open_export(
                    path, spec, workdir=reader.workdir, root=reader.root, backend=reader.backend
                )
            )
        except Undecided as error:
            questions += error.questions
    if questions:
        raise Undecided(questions)
    return exports


def _plain_rows(reader: Reader, batches: Sequence[Batch], typing: Typing) -> Staged | None:
    if len(batches) > 1 or not batches[0].readings:
        return None
    table = typing.read_plain(reader, batches[0])
    return None if table is None else Staged(table, [])


def _clean_rows(staged: Staged, key: str, exports: list[Export]) -> int:
    """Return how many rows there are if each is used as it is, else 0."""
    table = staged.table
    counts = {"rows": table.count(), "faults": table[FAULT].count()}
    seen = table.aggregate(**counts, keys=table[key].nunique(), **id_lengths(table[key]))
    row = seen.to_pyarrow().to_pylist()[0]
    lines = sum(e.n_lines - 1 for e in exports)
    is_whole = row["faults"] == 0 and row["keys"] == row["rows"] == lines
    return lines if is_whole and not may_be_one(row) and not any(staged.rejected) else 0


def _settle(staged: Staged, exports: list[Export]) -> tuple[Ledger, list[int]]:
    """Name every row that is not used, drop it from ``staged``, and count the rows of each file."""
    fault = staged.table[FAULT]
    asides = staged.table.filter(fault.notnull()).select(FILE, RECORD, reason=fault)
    ledger = Ledger()
    spans = _spans(staged.table, len(exports))
    reasons: list[dict[int, str]] = [{} for _ in exports]
    for row in asides.to_pyarrow().to_pylist():
        record = row[RECORD] - spans[row[FILE]][0] + 1
        reasons[row[FILE]][record] = row["reason"]
    counts = []
    is_used = fault.isnull()
    for number, export in enumerate(exports):
        first, rows = spans[number]
        if export.wide:
            located, gone = settle_wide(export.wide, name=export.name, reasons=reasons[number])
            counts.append(len({row.line for row in export.wide}))
            is_gone = staged.table[RECORD].isin([first + n - 1 for n in gone])
            is_used &= ~((staged.table[FILE] == number) & is_gone)
        else:
            located = _locate(export, reasons[number], staged.rejected[number], rows)
            counts.append(rows + len(located) - len(reasons[number]))
        ledger.rows += located
    ledger.set_aside = Counter(row.reason for row in ledger.rows)
    ledger.read = sum(counts)
    staged.table = staged.table.filter(is_used)
    return ledger, counts


def _spans(table: ir.Table, files: int) -> list[tuple[int, int]]:
    """Return the first record number and the rows of each file."""
    counts = table.group_by(FILE).aggregate(first=table[RECORD].min(), rows=table.count())
    spans = {row[FILE]: (row["first"], row["rows"]) for row in counts.to_pyarrow().to_pylist()}
    return [spans.get(number, (0, 0)) for number in range(files)]


def _locate(
    export: Export, reasons: Mapping[int, str], rejected: Mapping[int, str], rows: int
) -> list[SetAside]:
    if not reasons and not rejected and export.n_lines == rows + 1:
        return []

    def line_of(line: int, record: int) -> int:
        if export.lines is not None:
            return export.lines[record - 1]
        return line + export.header_line - 1

    return locate(
        export.text_path,
        name=export.name,
        delimiter=export.delimiter,
        n_columns=len(export.header),
        reasons=reasons,
        rejected={
            line: (why_not_split(text, export.delimiter, export.recognized.format), text)
            for line, text in rejected.items()
        },
        line_of=line_of,
    )


def _finish(
    reader: Reader,
    spec: TableSpec,
    staged: Staged,
    ledger: Ledger,
    batches: list[Batch],
    counts: list[int],
) -> Read:
    exports = [e for batch in batches for e in batch.exports]
    check_unchanged(exports)
    if ledger.read == ledger.set_aside["blank"]:
        raise SourceError(
            report(
                f"{spec.names}: has a header and no rows.",
                expected=f"rows of {spec.table}",
                fix=f"export it again, or take it out of {spec.place} in source.yaml",
            )
        )
    counts = [n + len(export.before) for n, export in zip(counts, exports, strict=True)]
    _add_preambles(ledger, exports)
    if slips := sum(batch.slips for batch in batches):
        ledger.noted[DATE_SLIPS] = slips
    check_share(ledger, place=spec.place, most=reader.max_set_aside)
    table = staged.table
    if RECORD in table.columns:
        place = table[FILE].cast("int64") * (1 << 40) + table[RECORD]
        table = table.mutate(**{ORDER: place}).drop(FILE, RECORD)
    return Read(table.drop(FAULT), ledger, exports, counts, batches, unmapped(exports))


def _add_preambles(ledger: Ledger, exports: Sequence[Export]) -> None:
    """Account for the lines above the headers."""
    above = [
        SetAside(e.name, line, "not_data" if text.strip(' ,;|\t\r\n"') else "blank", text)
        for e in exports
        for line, text in e.before
    ]
    if above:
        order = {e.name: number for number, e in enumerate(exports)}
        ledger.rows = sorted([*above, *ledger.rows], key=lambda row: (order[row.file], row.line))
        ledger.set_aside = ledger.set_aside + Counter(row.reason for row in above)
        ledger.read += len(above)


def unmapped(exports: Sequence[Export]) -> list[str]:
    """Return the headers that nothing is read from."""
    found = []
    for export in exports:
        used = {export.header_of(ours) for ours in export.recognized.columns}
        found += [h for h in export.header if h not in used and h != WHOLE]
    return list(dict.fromkeys(found))


def _check_columns(spec: TableSpec, exports: list[Export], typing: Typing) -> None:
    faults = []
    for export in exports:
        known = export.recognized
        missing = [
            n for n in typing.needed if n not in known.columns and n not in known.format.json
        ]
        if missing:
            words = missing_columns(
                f"{export.name}:{export.header_line}",
                missing={n: spec.columns.get(n, n) for n in missing},
                needed=len(typing.needed),
                found=export.header,
                table=spec.place,
            )
            faults.append(words)
    everywhere = {fold(h) for e in exports for h in e.header_cells}
    for ours, header in spec.columns.items():
        if fold(header) not in everywhere and ours not in typing.needed:
            all_headers = list(dict.fromkeys(h for e in exports for h in e.header))
            close = nearest(header, all_headers)
            faults.append(
                report(
                    f"{spec.names}:{exports[0].header_line}: has no column {header!r} "
                    f"({spec.place}.columns.{ours}).",
                    found=f"nearest here: {close!r}" if close else listed(all_headers, 8),
                    fix="correct the name in source.yaml",
                )
            )
    if faults:
        raise SourceError("\n".join(faults))


def known_columns(exports: Sequence[Export]) -> list[str]:
    """Return every column name that a table's files offer, ours for those mapped."""
    found: list[str] = []
    for export in exports:
        ours = {export.header_of(name): name for name in export.recognized.columns}
        found += [ours.get(header, header) for header in export.header]
    return list(dict.fromkeys(found))
