"""One export file, made ready for the engine: text in UTF-8, from its header on."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqlkit.errors import SourceError, listed, report
from mqlkit.sources.encodings import BOMS, encodings_of
from mqlkit.sources.formats import Recognised, fold, recognise
from mqlkit.sources.layout import Layout, layout_of
from mqlkit.sources.months import make_long, months_of
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.survey import CHUNK, Survey, digest_of, survey
from mqlkit.sources.tabular import as_text, kind_of
from mqlkit.terms import TABLE_COLUMNS

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

UTF8_NAMES = {"utf-8", "utf8", "utf-8-sig", "ascii"}
# An export shrinks to a tenth or so; what unpacks to more than this is no export.
MOST_UNPACKED, MOST_RATIO = 1 << 30, 250
LOST = "\N{REPLACEMENT CHARACTER}"


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
    is_damaged
        Whether characters were lost; they are U+FFFD in ``text_path``.
    sample
        The first rows.
    recognised
        Its format, and what its columns are.
    mark
        Size and time of the file when it was opened.
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
    recognised: Recognised
    mark: tuple[int, int]

    def header_of(self, ours: str) -> str | None:
        """Return the header that a column of ours stands under, made unique; None without one."""
        written = self.recognised.columns.get(ours)
        if written is not None:
            return self.header[self.header_cells.index(written)]
        # Any other column goes by the name that it has in the file.
        is_ours = any(ours in columns for columns in TABLE_COLUMNS.values())
        folded = {} if is_ours else {header.casefold(): header for header in self.header}
        return folded.get(ours.casefold())

    def like(self, theirs: str) -> str | None:
        """Return the header that is written so, but for case and the like; None without one."""
        folded = [fold(cell) for cell in self.header_cells]
        return self.header[folded.index(fold(theirs))] if fold(theirs) in folded else None


@dataclass(frozen=True)
class Text:
    """An export as UTF-8 text, its header not found yet."""

    path: Path
    encoding: str
    about: Survey
    is_damaged: bool = False
    rows: int | None = None
    layout: Layout | None = None


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
        When its encoding cannot be told.
    """
    name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    try:
        mark = mark_of(path)
        kind = kind_of(path, name)
        if kind in ("xlsx", "parquet"):
            text = _from_table(path, kind, spec, name=name, workdir=workdir, backend=backend)
        else:
            text = _from_text(path, kind, spec, name=name, workdir=workdir)
        export = _export(path, text, spec, name=name, workdir=workdir, mark=mark)
        return replace(export, sha256=export.sha256 or digest_of(path))
    except OSError as error:
        raise SourceError(report(f"{name}: cannot be read ({error}).")) from None


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
    if any(LOST in c for c in layout.header):
        raise SourceError(
            not_utf8(f"{name}:{layout.header_line}: the header is", ", ".join(layout.header))
        )
    cells = tuple(c.strip() for c in layout.header)
    is_row = text.rows is not None
    n_before = len(layout.before)
    export = Export(
        path=path,
        text_path=_cut(text.path, layout.header_line, workdir),
        name=name,
        encoding=text.encoding,
        delimiter=layout.delimiter,
        header=unique([c or f"column {i}" for i, c in enumerate(cells, start=1)]),
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
        recognised=recognise(
            cells,
            table=spec.table,
            name=spec.format,
            columns=spec.columns,
            place=spec.place,
            file=name,
        ),
        mark=mark,
    )
    return _long(export, spec, workdir)


def _long(export: Export, spec: TableSpec, workdir: Path) -> Export:
    """Return a table of months as columns made long; any other as it is."""
    dates = {"spend": ("date", "date_from"), "goals": ("month",)}.get(spec.table)
    if dates is None or any(d in export.recognised.columns for d in dates):
        return export
    months = months_of(export.header_cells, name=f"{export.name}:{export.header_line}")
    if not months:
        return export
    long = make_long(
        export.text_path,
        _copy_of(export.path, workdir, "long"),
        delimiter=export.delimiter,
        table=spec.table,
        months=months,
        first_line=export.header_line,
    )
    lines = long.lines
    if export.lines is not None:
        # Rows of a workbook: a cell with line breaks makes lines of the copy, not of the sheet.
        starts = sorted(set(lines))
        row_of = dict(zip(starts, export.lines, strict=False))
        lines = tuple(row_of[line] for line in lines)
    columns = {c: h for c, h in export.recognised.columns.items() if h in long.header}
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
        n_lines=len(lines) + 1,
        lines=lines,
        sample=long.sample,
        recognised=replace(export.recognised, columns=columns),
    )


def _from_table(
    path: Path, kind: str, spec: TableSpec, *, name: str, workdir: Path, backend: Backend
) -> Text:
    found = []
    for table in as_text(
        path, kind, name=name, copy=_copy_of(path, workdir, kind), backend=backend
    ):
        layout = layout_of(table.copy, delimiter=",", table=spec.table, columns=spec.columns)
        found.append((table, layout))
    known = [(t, at) for t, at in found if at.is_named]
    chosen = known or found
    if not chosen:
        raise SourceError(
            report(f"{name}: is empty.", expected="a header line and rows", fix="export it again")
        )
    if len(chosen) > 1:
        raise SourceError(
            report(
                f"{name}: {len(chosen)} sheets could be the table of {spec.table}.",
                found=listed([t.name for t, _ in chosen]),
                fix="save the one that is meant as a workbook or CSV file of its own",
            )
        )
    ((table, layout),) = chosen
    words = f"xlsx, sheet {table.name!r}" if kind == "xlsx" else kind
    return Text(table.copy, words, survey(table.copy), rows=table.n_rows, layout=layout)


def _from_text(path: Path, kind: str, spec: TableSpec, *, name: str, workdir: Path) -> Text:
    plain = _unpacked(path, name, workdir) if kind == "gzip" else path
    about = survey(plain)
    with plain.open("rb") as handle:
        head = handle.read(CHUNK)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise SourceError(
            report(f"{name}: is empty.", expected="a header line and rows", fix="export it again")
        )
    encoding = _encoding(plain, head, about, spec, name)
    is_sound = about.is_utf8 and not about.has_nul
    if encoding != "utf-8":
        plain = _recoded(plain, encoding, _copy_of(path, workdir, "utf-8"), name)
        again = survey(plain)
        about = replace(again, sha256=about.sha256)
        is_sound = not about.has_nul
    if not is_sound or about.is_mixed:
        plain = _mended(plain, _copy_of(path, workdir, "mended"))
    return Text(plain, encoding, about, is_damaged=not is_sound)


def _unpacked(path: Path, name: str, workdir: Path) -> Path:
    """Unpack a gzip file, which must be whole, and no bomb."""
    copy = _copy_of(path, workdir, "unpacked")
    most = max(MOST_UNPACKED, MOST_RATIO * path.stat().st_size)
    written = 0
    try:
        with gzip.open(path, "rb") as packed, copy.open("wb") as out:
            while chunk := packed.read(CHUNK):
                written += out.write(chunk)
                if written > most:
                    raise SourceError(
                        report(
                            f"{name}: unpacks to more than {MOST_RATIO} times its size.",
                            expected="an export, which a gzip makes some ten times smaller",
                            fix="unpack it and look at it",
                        )
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            report(f"{name}: cannot be read ({error}).", fix="download or export it again")
        ) from None
    return copy


def _encoding(plain: Path, head: bytes, about: Survey, spec: TableSpec, name: str) -> str:
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return encoding
    given = spec.encoding.lower()
    if given in UTF8_NAMES:
        return "utf-8"
    if given != "auto":
        return _known(given, name)
    if about.is_utf8 and not about.has_nul:
        return "utf-8"
    found = encodings_of(plain, has_nul=about.has_nul)
    if len(found) == 1:
        return found[0]
    raise Undecided([_which_encoding(plain, found, spec, name)])


def _which_encoding(plain: Path, found: Sequence[str], spec: TableSpec, name: str) -> Question:
    likely = found or ["cp1252", "iso-8859-2", "cp1251", "cp932"]
    with plain.open("rb") as handle:
        odd = next((line for line in handle if not line.isascii()), b"").strip()
    at = next((n for n, byte in enumerate(odd) if byte > 127), 0)
    piece = odd[max(at - 15, 0) : at + 15]
    shown = tuple(f"{e}: {piece.decode(e, 'replace')}" for e in likely)
    return Question(
        spec.place,
        f"{name}: is not UTF-8 text, and its encoding cannot be told from its bytes.",
        tuple(f"encoding: {e}" for e in likely),
        shown,
    )


def _known(encoding: str, name: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise SourceError(
            report(
                f"{name}: encoding {encoding!r} is unknown.", expected="auto, utf-8, cp1252, ..."
            )
        ) from None
    return encoding


def _recoded(plain: Path, encoding: str, copy: Path, name: str) -> Path:
    try:
        with plain.open("rb") as raw, copy.open("w", encoding="utf-8", newline="") as out:
            for text in codecs.iterdecode(iter(lambda: raw.read(CHUNK), b""), encoding):
                out.write(text)
    except UnicodeError as error:
        raise SourceError(
            report(
                f"{name}: is not {encoding} text ({error.args[-1]}).",
                fix="name its encoding in source.yaml, such as encoding: cp1252",
            )
        ) from None
    return copy


def _mended(plain: Path, copy: Path) -> Path:
    """Copy a text with one kind of line end, and a mark in the place of every lost character."""
    with (
        plain.open(encoding="utf-8-sig", errors="replace", newline=None) as raw,
        copy.open("w", encoding="utf-8", newline="") as out,
    ):
        while text := raw.read(CHUNK):
            out.write(text.replace("\0", LOST))
    return copy


def _cut(text: Path, header_line: int, workdir: Path) -> Path:
    """Return a text from its header on."""
    if header_line == 1:
        return text
    copy = _copy_of(text, workdir, "table")
    with (
        text.open(encoding="utf-8-sig", newline="") as raw,
        copy.open("w", encoding="utf-8", newline="") as out,
    ):
        for _ in range(header_line - 1):
            raw.readline()
        shutil.copyfileobj(raw, out, CHUNK)
    return copy


def _copy_of(path: Path, workdir: Path, kind: str) -> Path:
    return workdir / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}-{kind}.csv"


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
    seen: dict[str, int] = {}
    out = []
    for name in names:
        folded = name.casefold()
        seen[folded] = seen.get(folded, 0) + 1
        out.append(name if seen[folded] == 1 else f"{name} ({seen[folded]})")
    return tuple(out)
