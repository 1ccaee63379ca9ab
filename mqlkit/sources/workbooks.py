"""Workbooks as text: each sheet copied to CSV, within limits that no honest workbook meets."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.survey import CHUNK

# A million rows of twenty columns is about a gigabyte of XML; a bomb unpacks to any size.
MOST_BYTES = 1 << 30
# The cells are laid out as a rectangle: one in the last row and column would fill the memory.
MOST_CELLS = 25_000_000
# From here on a cell's number may be another than the one written into it.
EXACT = 1 << 53
FROM_1904 = re.compile(rb"""\bdate1904\s*=\s*["'](?:1|true)["']""")
DAY_NUMBER = re.compile(r"\d{5}(?:\.\d+)?")
PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{1,3})([0-9]{1,7})\b""")


@dataclass(frozen=True)
class Sheet:
    """One sheet that holds something, and its copy: one record per row, from row 1.

    ``is_1904`` is set where the workbook counts its days from 1904.
    """

    name: str
    copy: Path
    n_rows: int
    is_1904: bool = False


def sheets_of(path: Path, *, name: str, copy: Path) -> list[Sheet]:
    """Copy every visible sheet of a workbook that holds something to CSV, numbered from ``copy``.

    Raises
    ------
    SourceError
        When it is no workbook, is damaged, or unpacks to more than an export can hold.
    """
    try:
        _check_size(path, name)
        is_1904 = _is_1904(path)
        book = CalamineWorkbook.from_path(path)
        found = []
        for number, about in enumerate(book.sheets_metadata):
            if about.visible != SheetVisibleEnum.Visible:
                continue
            sheet = book.get_sheet_by_name(about.name)
            if sheet.height:
                target = copy.with_name(f"{copy.stem}-{number}.csv")
                found.append(Sheet(about.name, target, _write(target, sheet.iter_rows()), is_1904))
    except (CalamineError, zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise SourceError(
            report(f"{name}: is a damaged workbook ({error}).", fix="export it again")
        ) from None
    return found


def _check_size(path: Path, name: str) -> None:
    """Refuse a workbook by what its directory says it unpacks to, then by where its cells are."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise SourceError(
                report(
                    f"{name}: is a zip archive, and no workbook.",
                    expected="csv, tsv, txt, csv.gz, xlsx or parquet",
                    fix="unpack it, and name the files in it",
                )
            )
        unpacked = sum(e.file_size for e in entries)
        if unpacked > MOST_BYTES:
            raise SourceError(_too_large(name, f"{unpacked / 2**30:.1f} GiB once unpacked"))
        for entry in entries:
            if entry.filename.startswith("xl/worksheets/sheet"):
                width, height = _reach(archive, entry)
                if width * height > MOST_CELLS:
                    raise SourceError(_too_large(name, f"{height:,} rows by {width:,} columns"))


def _is_1904(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return FROM_1904.search(archive.read("xl/workbook.xml")) is not None


def check_days(copy: Path, places: Sequence[int], name: str) -> None:
    """Refuse days of a workbook that counts from 1904, where they are not formatted as dates.

    Raises
    ------
    SourceError
        With the row of the first such day.
    """
    with copy.open(encoding="utf-8", newline="") as handle:
        for row, cells in enumerate(csv.reader(handle), start=1):
            found = [cells[p] for p in places if p < len(cells) and DAY_NUMBER.fullmatch(cells[p])]
            if found:
                raise SourceError(
                    report(
                        f"{name}:{row}: a date is a plain number, in a workbook that counts days "
                        "from 1904.",
                        expected="cells formatted as dates",
                        found=found[0],
                        fix="format the column as dates, and save the workbook",
                    )
                )


def _too_large(name: str, found: str) -> str:
    return report(
        f"{name}: is too large for a workbook.",
        found=found,
        fix="save the sheet as CSV (UTF-8); its size has no limit",
    )


def _reach(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return the last column and row of a sheet, whatever it says of itself."""
    width = height = 0
    rest = b""
    with archive.open(entry) as handle:
        while chunk := handle.read(CHUNK):
            for letters, row in set(PLACE.findall(rest + chunk)):
                height = max(height, int(row))
                width = max(width, _column(letters))
            rest = chunk[-64:]
    return width, height


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _write(copy: Path, rows: Iterable[Sequence[Any]]) -> int:
    """Write rows as CSV, and return how many there are: what the sheet says is one less."""
    height = 0
    with copy.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        for row in rows:
            writer.writerow([_text(c) for c in row])
            height += 1
    return height


def _text(cell: Any) -> str:
    """Return a cell as an export would write it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if abs(cell) >= EXACT:
            return repr(cell).upper()
        return str(int(cell)) if cell.is_integer() else _number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _number(cell: float) -> str:
    """Return a fraction with four decimals or more, so that its point is not taken for thousands.

    >>> _number(100.125), _number(1e-05)
    ('100.1250', '0.00001')
    """
    whole, _, decimals = f"{Decimal(repr(cell)):f}".partition(".")
    return f"{whole}.{decimals:0<4}"
