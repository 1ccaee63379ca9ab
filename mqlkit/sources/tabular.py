"""What kind of file an export is, whatever its name says; workbooks and parquet as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.store import EngineError, texts_of_parquet
from mqlkit.sources.workbooks import Sheet, sheets_of

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

KINDS = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet", b"\x1f\x8b": "gzip"}
REFUSED = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook (xls)", "save it as xlsx or CSV (UTF-8)"),
    b"%PDF": ("a PDF", "export it as CSV or xlsx"),
    b"{": ("JSON", "export it as CSV or xlsx"),
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
        words = str(error).splitlines()[0]
        raise SourceError(
            report(f"{name}: is a damaged parquet file ({words}).", fix="export it again")
        ) from None
    return [Sheet(path.name, copy, rows + 1)]
