"""Workbooks as text: each sheet copied to CSV, within limits that no honest workbook meets."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mqlkit.core.errors import FULL, SourceError, report
from mqlkit.sources.sheets import MOST_CELLS, copy_sheets
from mqlkit.sources.survey import CHUNK

# A million rows of twenty columns is about a gigabyte of XML; a bomb unpacks to any size.
MOST_BYTES = 1 << 30
# Raised by what is no zip archive, is cut off, or has a password.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, KeyError,
    OverflowError,
)  # fmt: skip
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
        copies = copy_sheets(path, copy)
    except MemoryError:
        raise SourceError(_too_large(name, "more cells than fit into memory")) from None
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        raise SourceError(
            report(f"{name}: is a damaged workbook ({error}).", fix="export it again")
        ) from None
    return [Sheet(title, Path(place), rows, is_1904) for title, place, rows in copies]


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
            if entry.filename.startswith("xl/worksheets/"):
                width, height = _reach(archive, entry)
                if width * height > MOST_CELLS:
                    raise SourceError(_too_large(name, f"{height:,} rows by {width:,} columns"))


def _is_1904(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as handle:
        return FROM_1904.search(handle.read(CHUNK)) is not None


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
