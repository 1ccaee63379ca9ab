"""Rows that the engine could not split into cells, by the line that they stand on."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.files import Export
from mqlkit.sources.ledger import open_text
from mqlkit.sources.survey import count_line_ends

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

# The engine keeps so many bytes of a row that it cannot split.
CUT_AT = 10_000
# A quote that is never closed may swallow so many bytes; beyond, it is not worth going through.
LONGEST_TAIL = 1 << 26


def has_rejects(backend: Backend, rejects: str) -> bool:
    """Return whether there is any such row."""
    return bool(backend.raw_sql(f"SELECT count(*) FROM {rejects}").fetchall()[0][0])  # noqa: S608


def collect_rejects(
    backend: Backend, rejects: str, exports: Sequence[Export], rejected: list[dict[int, str]]
) -> None:
    """Put into ``rejected``, per file, the text of each such row by physical line."""
    query = (
        "SELECT DISTINCT file_path, line_byte_position, csv_line, error_type::VARCHAR "  # noqa: S608
        f"FROM {rejects} JOIN {rejects}_scan USING (file_id, scan_id) ORDER BY 1, 2"
    )
    found = backend.raw_sql(query).fetchall()
    for number, export in enumerate(exports):
        rows = [row[1:] for row in found if row[0] == str(export.text_path)]
        if rows:
            rejected[number] = _by_line(export, rows)


def _by_line(export: Export, rows: list[tuple[int, str, str]]) -> dict[int, str]:
    """Return rejected rows by physical line, from their place in bytes (the first one is 1)."""
    by_line: dict[int, str] = {}
    with export.text_path.open("rb") as handle:
        line, at = 1, 0
        for position, text, kind in rows:
            # The engine counts empty lines before a bad one into it.
            body = text.lstrip("\r\n")
            begins = position - 1 + len(text.encode()) - len(body.encode())
            line += count_line_ends(handle.read(begins - at))
            at = begins
            if len(text) >= CUT_AT and kind != "UNQUOTED VALUE":
                body = _whole(handle, export.delimiter)
                handle.seek(at)
            if kind == "UNQUOTED VALUE":
                # A quote that is never closed swallows whatever follows: those are rows as well.
                swallowed = handle.read(LONGEST_TAIL + 1)
                handle.seek(at)
                if len(swallowed) > LONGEST_TAIL:
                    raise SourceError(_never_closed(export, line))
                rows_behind = swallowed.decode(errors="replace").splitlines()
                by_line |= dict(enumerate(rows_behind, start=line))
            else:
                by_line[line] = body
    return by_line


def why_unreadable(export: Export) -> str:
    """Return the message for a row that makes a file unreadable; an empty text without one.

    Of a row that it cannot split, the engine keeps `CUT_AT` bytes. Where these end inside of a
    character, it cannot store them and fails.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        with open_text(export.text_path) as handle:
            for text in handle:
                taken.append(text)
                yield text

    line, n_columns = 1, len(export.header)
    try:
        for cells in csv.reader(lines(), delimiter=export.delimiter, strict=True):
            row = "".join(taken)
            if len(cells) != n_columns and len(row.encode()) > CUT_AT:
                return report(
                    f"{export.name}:{line + export.header_line - 1}: a long row is not split into "
                    f"{n_columns} cells.",
                    found=f"{len(cells)} cells in {len(row.encode()):,} bytes",
                    fix="close or remove the quote that is opened in it, or export the file again",
                )
            line += len(taken)
            taken.clear()
    except csv.Error:
        return _never_closed(export, line)
    return ""


def _never_closed(export: Export, line: int) -> str:
    return report(
        f"{export.name}:{line + export.header_line - 1}: a quote is opened and never closed.",
        found="text behind it that cannot be split into rows",
        fix="close it or take it out, or export the file again",
    )


def _whole(handle: BinaryIO, delimiter: str) -> str:
    """Return the row that begins here, of which the engine keeps the beginning only."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for raw in handle:
            taken.append(raw.decode(errors="replace"))
            yield taken[-1]

    next(csv.reader(lines(), delimiter=delimiter), None)
    return "".join(taken)
