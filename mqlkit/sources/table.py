"""From files to one typed table with its ledger.

Large plain files are read in one scan, where no row needs more than that. All others go through
the layers of `staging`, which name each row that is not used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mqlkit.core.errors import SourceError, listed, missing_columns, nearest, report
from mqlkit.core.names import AMBIGUOUS_LOCAL_TIME
from mqlkit.core.text import counted
from mqlkit.sources.dialect.decide import Batch, looks_plain
from mqlkit.sources.fast_path import has_distinct_ids, replace_odd
from mqlkit.sources.files import Export, check_unchanged, open_export, pick_lines
from mqlkit.sources.formats import fold
from mqlkit.sources.ids import find_rounded
from mqlkit.sources.ledger import Ledger, SetAside, check_share, locate
from mqlkit.sources.non_data_rows import why_not_split
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import FILE, RECORD, Values
from mqlkit.sources.staging import (
    Staged,
    Typing,
    batches_of,
    drop_rows,
    engine_errors,
    questions_of,
    stage,
)
from mqlkit.sources.wide import WHOLE, settle_wide

SMALL_TABLE = 100_000
# Noted, since the dates around them that fit either way are read as the rest of the column.
DATE_SLIPS = "date slips: day and month the other way round"


@dataclass
class Read:
    """A table as read: its name in the engine, its ledger, its files and the rows read from each.

    Attributes
    ----------
    batches
        The files with the same header together, with how their columns were read.
    is_numbered
        Whether the table has `FILE` and `RECORD`. Otherwise each row is another lead.
    unmapped
        Headers that nothing was read from.
    """

    table: str
    ledger: Ledger
    exports: list[Export]
    rows: list[int]
    batches: list[Batch]
    is_numbered: bool = True
    unmapped: list[str] = field(default_factory=list)


def read_table(
    reader: Reader,
    spec: TableSpec,
    typing: Typing,
    *,
    exports: list[Export] | None = None,
) -> Read:
    """Read all files of a table.

    Parameters
    ----------
    reader, spec, typing
        The engine, the files and the types.
    exports
        The files, where they are open already.

    Returns
    -------
    Read
        Its table holds the typed columns of the rows used.

    Raises
    ------
    SourceError
        When a column is missing, no file has a row, or too many rows cannot be used.
    Undecided
        When a file or a column can be read in more than one way.
    """
    exports = exports or open_exports(reader, spec)
    batches = batches_of(reader, spec, exports)
    if faults := _missing(spec, exports, typing):
        if questions := questions_of(reader, spec, batches, typing):
            raise Undecided(questions, faults=faults)
        raise SourceError("\n".join(faults))
    typing.check(exports)
    if plain := _read_plain(reader, spec, batches, typing):
        return _finish(reader, spec, typing, plain)
    staged = stage(reader, spec, batches, typing)
    if "lead_id" in typing.columns:
        _check_ids(reader, staged, exports)
    ledger, counts = _settle(reader, staged, exports)
    _note_ambiguous(ledger, staged.n_ambiguous)
    read = Read(staged.table, ledger, exports, counts, staged.batches)
    return _finish(reader, spec, typing, read)


def open_exports(reader: Reader, spec: TableSpec) -> list[Export]:
    """Open all files of a table; all questions about them are raised at once."""
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


def _read_plain(
    reader: Reader, spec: TableSpec, batches: Sequence[Batch], typing: Typing
) -> Read | None:
    """Read large plain files in one scan, and odd rows with care; None where that cannot be."""
    if typing.read_plain is None or len(batches) > 1:
        return None
    (batch,) = batches
    counts = [e.n_lines - 1 for e in batch.exports]
    if sum(counts) < SMALL_TABLE or batch.exports[0].recognized.format.in_every_row:
        return None
    if not looks_plain(spec, batch.exports, typing.kinds):
        return None
    with engine_errors(spec, batch.exports):
        plain = typing.read_plain(reader, batch)
    if plain is None or find_rounded(reader, plain.table):
        return None
    ledger = Ledger(read=sum(counts))
    read = Read(plain.table, ledger, batch.exports, counts, [batch], is_numbered=False)
    _note_ambiguous(ledger, plain.n_ambiguous)
    if not plain.odd_lines:
        return read
    picked = pick_lines(batch.exports[0], plain.odd_lines, reader.workdir)
    (rest,) = batches_of(reader, spec, [picked])
    staged = stage(reader, spec, [replace(rest, n_dates=plain.n_dates)], typing)
    of_rest, _ = _settle(reader, staged, [picked])
    ledger.rows, ledger.set_aside, read.batches = of_rest.rows, of_rest.set_aside, staged.batches
    _note_ambiguous(ledger, staged.n_ambiguous)
    replace_odd(reader, plain.table, staged.table)
    return read if has_distinct_ids(reader, plain.table) else None


def _check_ids(reader: Reader, staged: Staged, exports: Sequence[Export]) -> None:
    """Refuse ids that a spreadsheet has rounded: several leads may have become one."""
    found = find_rounded(reader, staged.table)
    if found is None:
        return
    n, is_rounded = found
    query = f"""
        SELECT {FILE}, {RECORD}, lead_id FROM {staged.table} WHERE {is_rounded} ORDER BY ALL LIMIT 3
    """  # noqa: S608
    rows = reader.rows(query, Values())
    file = rows[0][0]
    export, (first, n_rows) = exports[file], staged.spans[file]
    reasons = {record - first + 1: "rounded" for number, record, _ in rows if number == file}
    lines = _locate(export, reasons, staged.rejected[file], n_rows)
    place = next(row.line for row in lines if row.reason == "rounded")
    raise SourceError(
        report(
            f"{export.name}:{place}: {counted(n, 'id')} of leads "
            f"{'is' if n == 1 else 'are'} rounded, as spreadsheets do with long numbers.",
            expected="ids with all of their digits",
            found=listed(list(dict.fromkeys(str(lead) for _, _, lead in rows))),
            fix="export the file again and do not save it from a spreadsheet, or format the column "
            "of the ids as text before the ids are put into it",
        )
    )


def _note_ambiguous(ledger: Ledger, n: int) -> None:
    """Note the local times that occur twice or never."""
    if n:
        ledger.noted[AMBIGUOUS_LOCAL_TIME] += n


def _settle(reader: Reader, staged: Staged, exports: list[Export]) -> tuple[Ledger, list[int]]:
    """Name every row that is not used, and count the rows of each file."""
    ledger = Ledger()
    reasons: list[dict[int, str]] = [{} for _ in exports]
    for file, record, reason in staged.faults:
        reasons[file][record - staged.spans[file][0] + 1] = reason
    counts = []
    for number, export in enumerate(exports):
        first, rows = staged.spans[number]
        if export.wide:
            located, gone = settle_wide(export.wide, name=export.name, reasons=reasons[number])
            counts.append(len({row.line for row in export.wide}))
            drop_rows(reader, staged.table, [(number, first + n - 1) for n in gone])
        else:
            located = _locate(export, reasons[number], staged.rejected[number], rows)
            counts.append(rows + len(located) - len(reasons[number]))
        ledger.rows += located
    ledger.set_aside = Counter(row.reason for row in ledger.rows)
    ledger.read = sum(counts)
    return ledger, counts


def _locate(
    export: Export, reasons: Mapping[int, str], rejected: Mapping[int, str], rows: int
) -> list[SetAside]:
    if not reasons and not rejected and export.n_lines == rows + 1:
        return []

    def line_of(line: int, record: int) -> int:
        if export.lines is not None:
            is_line_each = len(export.lines) == export.n_lines - 1
            return export.lines[line - 2 if is_line_each else record - 1]
        return line + export.header_line - 1

    above = {text.strip() for _, text in export.before}
    known = export.recognized.format
    return locate(
        export.text_path,
        name=export.name,
        delimiter=export.delimiter,
        n_columns=len(export.header),
        reasons=reasons,
        more_lines=export.n_lines - rows - 1,
        rejected={
            line: (why_not_split(text, export.delimiter, known, above=above), text)
            for line, text in rejected.items()
        },
        line_of=line_of,
    )


def _finish(reader: Reader, spec: TableSpec, typing: Typing, read: Read) -> Read:
    """Account for what is above the headers, and check the whole."""
    ledger, exports = read.ledger, read.exports
    check_unchanged(exports)
    if ledger.read == ledger.set_aside["blank"]:
        raise SourceError(
            report(
                f"{spec.names}: has a header and no rows.",
                expected=f"rows of {spec.table}",
                fix=f"export it again, or take it out of {spec.place} in source.yaml",
            )
        )
    read.rows = [n + len(export.before) for n, export in zip(read.rows, exports, strict=True)]
    _add_preambles(ledger, exports)
    if contradictions := sum(batch.contradictions for batch in read.batches):
        ledger.noted[DATE_SLIPS] = contradictions
    for batch in read.batches:
        ledger.noted.update(batch.placeholders)
    _note_repeated(ledger, exports)
    typing.settle(ledger)
    check_share(ledger, place=spec.place, most=reader.max_set_aside)
    read.unmapped = unmapped(exports)
    return read


def _note_repeated(ledger: Ledger, exports: Sequence[Export]) -> None:
    """Note the columns that are read from the first of several with the same header."""
    for export in exports:
        for header in set(export.recognized.columns.values()) & export.repeated.keys():
            ledger.noted[f"files with several columns {header!r}, of which the first is read"] += 1


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


def _missing(spec: TableSpec, exports: list[Export], typing: Typing) -> list[str]:
    """Return a message for each column that is needed or mapped, and in none of the files."""
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
    everywhere = {fold(h) for e in exports for h in e.header}
    for ours, header in spec.columns.items():
        is_there = not everywhere.isdisjoint(map(fold, spec.headers_of(ours)))
        if not is_there and ours not in typing.needed:
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
    return faults


def known_columns(exports: Sequence[Export]) -> list[str]:
    """Return every column name that a table's files offer, ours for those mapped."""
    return list(dict.fromkeys(name for e in exports for name in e.offered.values()))
