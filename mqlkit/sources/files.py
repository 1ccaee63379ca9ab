"""One export file, made ready for the engine: its encoding, delimiter, header and digest."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mqlkit.errors import SourceError, report
from mqlkit.sources.ledger import open_text
from mqlkit.sources.spec import TableSpec

DELIMITERS = (",", ";", "\t", "|")
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CHUNK = 1 << 20
BINARY = {b"PK\x03\x04": "an Excel workbook or a zip", b"PAR1": "a parquet file"}
# UTF-8 reads plain ASCII too, and the engine reads nothing else.
UTF8_NAMES = {"auto", "utf-8", "utf8", "utf-8-sig", "ascii"}


@dataclass(frozen=True)
class Export:
    """One file of a table.

    Attributes
    ----------
    path
        The file as given.
    text_path
        The same in UTF-8, for the engine; ``path`` itself where that is UTF-8 already.
    name
        What messages and the ledger call it.
    header
        Its column names, made unique.
    header_cells
        The same as written.
    n_lines
        Physical lines, header included.
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


def open_export(path: Path, spec: TableSpec, *, workdir: Path, root: Path) -> Export:
    """Look at a file and make it ready.

    Parameters
    ----------
    path, spec
        The file and how its table is to be read.
    workdir
        A folder for the UTF-8 copy of a file in another encoding.
    root
        Folder of ``source.yaml``, against which the file is named.

    Raises
    ------
    SourceError
        When the file is empty, binary, in an unknown encoding or has no header.
    """
    name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    head = _head(path, name)
    encoding = _encoding(head, spec.encoding, name)
    text_path = path if encoding == "utf-8" else _recode(path, encoding, workdir, name)
    delimiter = _delimiter(text_path, spec.delimiter)
    written = _header(text_path, delimiter, name)
    return Export(
        path=path,
        text_path=text_path,
        name=name,
        encoding=encoding,
        delimiter=delimiter,
        header=unique([c.strip() or f"column {i}" for i, c in enumerate(written, start=1)]),
        header_cells=tuple(c.strip() for c in written),
        sha256=_sha256(path),
        n_lines=_count_lines(text_path),
    )


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file as bytes, gunzipped if it is gzipped."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _head(path: Path, name: str) -> bytes:
    try:
        with open_bytes(path) as handle:
            head = handle.read(4096)
    except (OSError, EOFError) as error:
        raise SourceError(report(f"{name}: cannot be read ({error}).")) from None
    for magic, kind in BINARY.items():
        if head.startswith(magic):
            raise SourceError(
                report(
                    f"{name}: is {kind}, whatever its name says.",
                    expected="csv, tsv, txt or csv.gz",
                    fix="save it as CSV (UTF-8)",
                )
            )
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise SourceError(
            report(f"{name}: is empty.", expected="a header line and rows", fix="export it again")
        )
    return head


def _encoding(head: bytes, given: str, name: str) -> str:
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return encoding
    if given.lower() in UTF8_NAMES:
        return "utf-8"
    try:
        codecs.lookup(given)
    except LookupError:
        raise SourceError(
            report(f"{name}: encoding {given!r} is unknown.", expected="auto, utf-8, cp1252, ...")
        ) from None
    return given.lower()


def _recode(path: Path, encoding: str, workdir: Path, name: str) -> Path:
    target = workdir / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.csv"
    try:
        with open_bytes(path) as raw, target.open("w", encoding="utf-8", newline="") as out:
            for text in codecs.iterdecode(iter(lambda: raw.read(CHUNK), b""), encoding):
                out.write(text)
    except UnicodeError as error:
        raise SourceError(
            report(
                f"{name}: is not {encoding} text ({error.args[-1]}).",
                fix="name its encoding in source.yaml, such as encoding: cp1252",
            )
        ) from None
    return target


def _delimiter(path: Path, given: str) -> str:
    if given != "auto":
        return given
    with open_text(path) as handle:
        first = next((line for line in handle if line.strip()), "")
    unquoted = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count)


def _header(path: Path, delimiter: str, name: str) -> list[str]:
    with open_text(path) as handle:
        cells = next(csv.reader(handle, delimiter=delimiter), [])
    if not any(c.strip() for c in cells):
        raise SourceError(
            report(f"{name}:1: has no header.", expected="a line of column names, as line 1")
        )
    if any("\N{REPLACEMENT CHARACTER}" in c for c in cells):
        raise SourceError(not_utf8(f"{name}:1: the header is", ", ".join(cells)))
    return cells


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


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _count_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with open_bytes(path) as handle:
        while chunk := handle.read(CHUNK):
            lines += count_line_ends(last + chunk) - count_line_ends(last)
            last = chunk[-1:]
    return lines + (last not in b"\r\n")


def count_line_ends(data: bytes) -> int:
    """Return the number of line ends, whether LF, CRLF or CR."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
