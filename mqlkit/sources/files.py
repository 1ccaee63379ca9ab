"""One export file, made ready for the engine: text in UTF-8, from its header on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mqlkit.core.errors import SourceError, report, shortened
from mqlkit.core.files import reason, why_no_file
from mqlkit.core.names import STAMPS, TABLE_COLUMNS
from mqlkit.sources.formats import Recognized, by_fold, fold, recognize
from mqlkit.sources.layout import MOST_COLUMNS, layout_of
from mqlkit.sources.ledger import open_text
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.survey import CHUNK, digest_of
from mqlkit.sources.text import LOST, Text, copy_of, kind_of, text_of_file, text_of_table
from mqlkit.sources.title_period import title_currency
from mqlkit.sources.wide import WideRow, make_long, months_of
from mqlkit.sources.workbooks import check_days

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

DATES = (*STAMPS, "at", "date", "date_from", "date_to", "month")


@dataclass(frozen=True)
class Export:
    """One file of a table.

    Attributes
    ----------
    path
        The file as given.
    text_path
        The same for the engine: UTF-8 text whose first line is the header; ``path`` itself where
        that is so already.
    name
        What messages and the ledger call it.
    header
        Its column names, made unique.
    header_cells
        The same as written.
    n_lines
        Physical lines of ``text_path``, header included.
    header_line
        Physical line of the header in the file.
    before
        The lines above the header.
    lines
        Line (row, of a workbook) of each record below the header, where ``text_path`` has other
        lines than the file.
    wide
        Of a table of months as columns, the row that each record of ``text_path`` comes from.
    is_damaged
        Whether characters were lost; they are U+FFFD in ``text_path``.
    sample
        The first rows.
    recognized
        Its format, and what its columns are.
    table
        The table that it is read for.
    mark
        Size and time of the file when it was opened.
    missing
        Further texts of cells that mean that there is no value.
    """

    path: Path
    text_path: Path
    name: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_cells: tuple[str, ...]
    sha256: str
    n_lines: int
    header_line: int
    before: tuple[tuple[int, str], ...]
    lines: Sequence[int] | None
    is_damaged: bool
    sample: tuple[tuple[str, ...], ...]
    recognized: Recognized
    table: str
    mark: tuple[int, int]
    wide: tuple[WideRow, ...] = ()
    missing: tuple[str, ...] = ()

    def header_of(self, column: str) -> str | None:
        """Return the header that a column stands under: a canonical one, or one `offered`."""
        found = self.recognized.columns.get(column)
        if found is not None or column in TABLE_COLUMNS[self.table]:
            return found
        return {name.casefold(): header for header, name in self.offered.items()}.get(
            column.casefold()
        )

    @cached_property
    def offered(self) -> dict[str, str]:
        """Return what each column is called for breakdowns and filters, by its header.

        It is the canonical one where it is read as such. A column with a canonical name that is
        not read as that is called ``source (file)``.
        """
        ours = {header: column for column, header in self.recognized.columns.items()}
        names = {}
        for header in self.header:
            is_taken = header not in ours and fold(header) in TABLE_COLUMNS[self.table]
            names[header] = f"{header} (file)" if is_taken else ours.get(header, header)
        return names

    @property
    def repeated(self) -> dict[str, tuple[str, ...]]:
        """Return the headers that occur more than once, each with what the others are called."""
        found: dict[str, tuple[str, ...]] = {}
        first: dict[str, str] = {}
        for cell, header in zip(self.header_cells, self.header, strict=True):
            meant = first.setdefault(fold(cell), header)
            if cell and meant != header:
                found[meant] = (*found.get(meant, ()), header)
        return found

    def like(self, written: str) -> str | None:
        """Return the header that is written so, but for case and the like; None without one."""
        return by_fold(self.header).get(fold(written))


def open_export(
    path: Path, spec: TableSpec, *, workdir: Path, root: Path, backend: Backend
) -> Export:
    """Look at a file and make it ready.

    Parameters
    ----------
    path, spec
        The file and how its table is to be read.
    workdir
        A folder for the UTF-8 copy of a file that is anything else.
    root
        Folder of ``source.yaml``, against which the file is named.
    backend
        The engine, which reads parquet.

    Raises
    ------
    SourceError
        When the file is empty, damaged, of no known kind or has no header.
    Undecided
        When its encoding is unclear.
    """
    name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    if why := why_no_file(path):
        raise SourceError(report(f"{name}: {why}.", expected="an export", fix="name a file"))
    try:
        mark = mark_of(path)
        kind = kind_of(path, name)
        if kind in ("xlsx", "parquet"):
            text = text_of_table(path, kind, spec, name=name, workdir=workdir, backend=backend)
        else:
            text = text_of_file(path, kind, spec, name=name, workdir=workdir)
        export = _export(path, text, spec, name=name, workdir=workdir, mark=mark)
        return replace(export, sha256=export.sha256 or digest_of(path))
    except OSError as error:
        raise SourceError(report(f"{name}: cannot be read ({reason(error)}).")) from None


def _export(
    path: Path, text: Text, spec: TableSpec, *, name: str, workdir: Path, mark: tuple[int, int]
) -> Export:
    layout = text.layout or layout_of(
        text.path, delimiter=spec.delimiter, table=spec.table, columns=spec.columns
    )
    if not layout.header_line:
        raise SourceError(
            report(f"{name}: is empty.", expected="a header line and rows", fix="export it again")
        )
    if len(layout.header) > MOST_COLUMNS:
        raise SourceError(
            report(
                f"{name}:{layout.header_line}: has more than {MOST_COLUMNS:,} columns.",
                found=f"{shortened(layout.delimiter)} between them",
                fix="export it again; or name another delimiter in source.yaml",
            )
        )
    if any(LOST in c for c in layout.header):
        raise SourceError(
            not_utf8(f"{name}:{layout.header_line}: the header is", ", ".join(layout.header))
        )
    cells = tuple(c.strip() for c in layout.header)
    header = unique([c or f"column {i}" for i, c in enumerate(cells, start=1)])
    is_row = text.rows is not None
    n_before = len(layout.before)
    export = Export(
        path=path,
        text_path=_cut(text.path, layout.header_line, workdir),
        name=name,
        encoding=text.encoding,
        delimiter=layout.delimiter,
        header=header,
        header_cells=cells,
        sha256="" if text.path != path else text.about.sha256,
        n_lines=text.about.n_lines - layout.header_line + 1,
        header_line=n_before + 1 if is_row else layout.header_line,
        before=tuple(
            (n + 1 if is_row else line, words) for n, (line, words) in enumerate(layout.before)
        ),
        lines=range(n_before + 2, (text.rows or 0) + 1) if is_row else None,
        is_damaged=text.is_damaged,
        sample=layout.sample,
        recognized=recognize(
            header,
            table=spec.table,
            name=spec.format,
            columns=spec.columns_in(header),
            place=spec.place,
            file=name,
        ),
        table=spec.table,
        mark=mark,
        missing=spec.missing,
    )
    known = export.recognized
    if spec.table == "spend" and not known.currency:
        currency = title_currency(words for _, words in export.before)
        export = replace(export, recognized=replace(known, currency=currency))
    if text.is_1904:
        dates = [h for d in DATES if d in export.recognized.columns and (h := export.header_of(d))]
        check_days(text.path, [export.header.index(h) for h in dates], name)
    return _long(export, spec, workdir)


def _long(export: Export, spec: TableSpec, workdir: Path) -> Export:
    """Return a table of months as columns made long; any other as it is."""
    dates = {"spend": ("date", "date_from"), "goals": ("month",)}.get(spec.table)
    if dates is None or any(d in export.recognized.columns for d in dates):
        return export
    name = f"{export.name}:{export.header_line}"
    months = months_of(export.header_cells, name=name, sample=export.sample)
    if not months:
        return export
    long = make_long(
        export.text_path,
        copy_of(export.path, workdir, "long"),
        delimiter=export.delimiter,
        table=spec.table,
        months=months,
        first_line=export.header_line,
    )
    rows = long.rows
    if export.lines is not None:
        # Rows of a workbook: a cell with line breaks makes lines of the copy, not of the sheet.
        starts = dict.fromkeys(row.line for row in rows)
        row_of = dict(zip(starts, export.lines, strict=True))
        rows = tuple(replace(row, line=row_of[row.line]) for row in rows)
    columns = {c: h for c, h in export.recognized.columns.items() if h in long.header}
    if spec.table == "spend" and not export.header_cells[0]:
        # The names of the rows, which a budget puts under an empty header.
        columns.setdefault("channel", long.header[0])
    columns |= {
        c: c for c in ("date_from", "date_to", "amount", "month", "mqls") if c in long.header
    }
    return replace(
        export,
        text_path=long.copy,
        header=unique(long.header),
        header_cells=long.header,
        n_lines=len(rows) + 1,
        lines=None,
        wide=rows,
        sample=long.sample,
        recognized=replace(export.recognized, columns=columns),
    )


def _cut(text: Path, header_line: int, workdir: Path) -> Path:
    """Return a text from its header on."""
    if header_line == 1:
        return text
    copy = copy_of(text, workdir, "table")
    with (
        text.open(encoding="utf-8-sig", newline="") as raw,
        copy.open("w", encoding="utf-8", newline="") as out,
    ):
        for _ in range(header_line - 1):
            raw.readline()
        shutil.copyfileobj(raw, out, CHUNK)
    return copy


def pick_lines(export: Export, lines: Sequence[int], workdir: Path) -> Export:
    """Return an export of some lines of a file in which each record is one line.

    Parameters
    ----------
    export
        The file.
    lines
        Their numbers in ``text_path``, in order.
    workdir
        Folder for the copy.
    """
    copy, wanted = copy_of(export.path, workdir, "picked"), {1, *lines}
    with open_text(export.text_path) as whole, copy.open("w", encoding="utf-8", newline="") as out:
        out.writelines(text for n, text in enumerate(whole, start=1) if n in wanted)
    numbers = [line + export.header_line - 1 for line in lines]
    return replace(export, text_path=copy, n_lines=len(lines) + 1, lines=numbers)


def mark_of(path: Path) -> tuple[int, int]:
    """Return size and time of a file."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def check_unchanged(exports: Sequence[Export]) -> None:
    """Refuse files that were written to while they were read.

    Raises
    ------
    SourceError
        With the first such file.
    """
    for export in exports:
        if not export.path.exists() or mark_of(export.path) != export.mark:
            raise SourceError(
                report(
                    f"{export.name}: changed while it was read.",
                    fix="run again when whatever writes it has finished",
                )
            )


def not_utf8(what: str, found: str) -> str:
    """Return the words for text in another encoding."""
    return report(
        f"{what} not UTF-8 text.",
        found=found[:100],
        fix="name the encoding in source.yaml, such as encoding: cp1252",
    )


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with ``(2)``, ``(3)`` behind those that occurred before, whatever their case.

    >>> unique(["id", "Status", "status"])
    ('id', 'Status', 'status (2)')
    """
    given, seen, out = {fold(name) for name in names}, set[str](), []
    last: dict[str, int] = {}
    for name in names:
        found = name
        while fold(found) in seen or (found != name and fold(found) in given):
            last[fold(name)] = last.get(fold(name), 1) + 1
            found = f"{name} ({last[fold(name)]})"
        seen.add(fold(found))
        out.append(found)
    return tuple(out)
