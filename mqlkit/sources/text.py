"""An export of any kind as UTF-8 text with one kind of line end, before its table is looked for."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqlkit.core.errors import SourceError, listed, report, shortened
from mqlkit.sources.encodings import BOMS, encodings_of
from mqlkit.sources.layout import Layout, layout_of
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.store import EngineError, texts_of_parquet
from mqlkit.sources.survey import CHUNK, Survey, survey
from mqlkit.sources.workbooks import Sheet, sheets_of

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

UTF8_NAMES = {"utf-8", "utf8", "utf-8-sig", "ascii"}
# An export shrinks to a tenth or so; what unpacks to more than this is no export.
MOST_UNPACKED, MOST_RATIO = 1 << 30, 250
NUL = re.compile("\0+")
LOST = "\N{REPLACEMENT CHARACTER}"
KINDS = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet", b"\x1f\x8b": "gzip"}
UNPACK = "unpack it, and name the file in it"
REFUSED = {
    b"\xd0\xcf\x11\xe0": (
        "an old Excel workbook (xls)",
        # One with a password begins with the same bytes.
        "save it as xlsx or CSV (UTF-8), without a password",
    ),
    b"%PDF": ("a PDF", "export it as CSV or xlsx"),
    b"{": ("JSON", "export it as CSV or xlsx"),
    b"SQLite format 3": ("an SQLite database", "export its table as CSV"),
    b"BZh": ("a bzip2 archive", UNPACK),
    b"\xfd7zXZ": ("an xz archive", UNPACK),
    b"\x28\xb5\x2f\xfd": ("a Zstandard archive", UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", UNPACK),
    b"Rar!": ("a RAR archive", UNPACK),
}
HTML = (b"<html", b"<!doctype html", b"<table", b"<?xml", b"<head", b"<meta", b"<style")


def kind_of(path: Path, name: str) -> str:
    """Return ``text``, ``gzip``, ``xlsx`` or ``parquet``, from the first bytes.

    Raises
    ------
    SourceError
        When it is something else that is known, and cannot be read as a table.
    """
    with path.open("rb") as handle:
        head = handle.read(1024)
    for magic, kind in KINDS.items():
        if head.startswith(magic):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(HTML):
        raise SourceError(
            _refused(name, "an HTML table", "open it in Excel and save it as xlsx or CSV (UTF-8)")
        )
    for magic, (what, fix) in REFUSED.items():
        if head.startswith(magic):
            raise SourceError(_refused(name, what, fix))
    return "text"


def _refused(name: str, what: str, fix: str) -> str:
    return report(
        f"{name}: is {what}, whatever its name says.",
        expected="csv, tsv, txt, csv.gz, xlsx or parquet",
        fix=fix,
    )


def as_text(path: Path, kind: str, *, name: str, copy: Path, backend: Backend) -> Sequence[Sheet]:
    """Return the tables of a workbook or parquet file, copied to CSV.

    Raises
    ------
    SourceError
        When the file is damaged.
    """
    if kind == "xlsx":
        return sheets_of(path, name=name, copy=copy)
    try:
        rows = texts_of_parquet(backend, path, copy)
    except EngineError as error:
        raise SourceError(
            report(f"{name}: is a damaged parquet file.", fix="export it again")
        ) from error
    return [Sheet(path.name, copy, rows + 1)]


@dataclass(frozen=True)
class Text:
    """An export as UTF-8 text, its header not found yet."""

    path: Path
    encoding: str
    about: Survey
    is_damaged: bool = False
    rows: int | None = None
    layout: Layout | None = None
    is_1904: bool = False


def text_of_table(
    path: Path, kind: str, spec: TableSpec, *, name: str, workdir: Path, backend: Backend
) -> Text:
    """Return the one table of a workbook or parquet file as text.

    Raises
    ------
    SourceError
        When the file is empty or damaged, or has several tables that could be meant.
    """
    found = []
    for table in as_text(path, kind, name=name, copy=copy_of(path, workdir, kind), backend=backend):
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
    about = survey(table.copy)
    return Text(table.copy, words, about, rows=table.n_rows, layout=layout, is_1904=table.is_1904)


def text_of_file(path: Path, kind: str, spec: TableSpec, *, name: str, workdir: Path) -> Text:
    """Return a text file, gzipped or not, as sound UTF-8 text.

    Raises
    ------
    SourceError
        When the file is empty or damaged.
    Undecided
        When its encoding is unclear.
    """
    plain = path
    if kind == "gzip":
        plain = _unpacked(path, name, workdir)
        if (inner := kind_of(plain, name)) != "text":
            article = "an" if inner == "xlsx" else "a"
            raise SourceError(
                report(
                    f"{name}: is {article} {inner} file within a gzip file.",
                    expected="csv, tsv, txt, csv.gz, xlsx or parquet",
                    fix="unpack it once",
                )
            )
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
        plain = _recoded(plain, encoding, copy_of(path, workdir, "utf-8"), name)
        again = survey(plain)
        about = replace(again, sha256=about.sha256)
        is_sound = not about.has_nul
    if not is_sound or about.is_mixed:
        plain = _normalized(plain, copy_of(path, workdir, "normalized"))
    return Text(plain, encoding, about, is_damaged=not is_sound)


def _unpacked(path: Path, name: str, workdir: Path) -> Path:
    """Unpack a gzip file, which must be whole, and no bomb."""
    copy = copy_of(path, workdir, "unpacked")
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
    likely = found or ["cp1252", "cp1250", "cp1251", "cp1254", "cp1257", "cp932"]
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
        # Some codecs are not of text, such as base64.
        bytes(4).decode(encoding)
    except (LookupError, ValueError):
        raise SourceError(
            report(
                f"{name}: encoding {shortened(encoding)} is unknown.",
                expected="auto, utf-8, cp1252, ...",
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


def _normalized(plain: Path, copy: Path) -> Path:
    """Copy a text with one kind of line end, and a mark in the place of every lost character."""
    with (
        plain.open(encoding="utf-8-sig", errors="replace", newline=None) as raw,
        copy.open("w", encoding="utf-8", newline="") as out,
    ):
        while text := raw.read(CHUNK):
            # After a crash, files can end in long runs of NUL: each run becomes one character.
            out.write(NUL.sub(LOST, text))
    return copy


def copy_of(path: Path, workdir: Path, kind: str) -> Path:
    """Return where the copy of a file goes; no other file's copy goes there."""
    return workdir / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}-{kind}.csv"
