"""The sheets of a workbook copied to CSV, in a process of its own with limited memory.

The cells of a sheet are laid out as a rectangle from the first to the last. A small file can place
one far away, or repeat a long text; the library that reads it then needs any amount of memory and
ends the process. Run as ``python -m mqlkit.sources.sheets WORKBOOK COPY``, this prints what it has
copied as JSON.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook, SheetVisibleEnum

# Below a gigabyte of XML, no sheet that a person has filled needs as much.
MOST_MEMORY = MOST_COPIED = 4 << 30
# The cells of a sheet, empty ones included.
MOST_CELLS = 25_000_000
# From here on a cell's number may be another than the one written into it.
EXACT = 1 << 53
TOO_LARGE = "it is too large"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def copy_sheets(path: Path, copy: Path) -> list[tuple[str, str, int]]:
    """Copy every visible sheet that holds something to CSV, numbered from ``copy``.

    Returns
    -------
    list of tuple
        Name of the sheet, path of its copy and number of rows.

    Raises
    ------
    MemoryError
        When a sheet is too large.
    OSError
        When a copy cannot be written.
    ValueError
        When the workbook is damaged.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - this module, by this Python
        [sys.executable, "-m", "mqlkit.sources.sheets", str(path), str(copy)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        # The process was ended by what it has read.
        raise MemoryError(TOO_LARGE) from None
    if answer.get("errno") in DISK_FULL:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "fault" in answer:
        raise ValueError(answer["fault"])
    return [(name, where, rows) for name, where, rows in answer["sheets"]]


def main() -> None:
    """Copy the sheets of a workbook and print what was copied."""
    path, copy = Path(sys.argv[1]), Path(sys.argv[2])
    _limit()
    try:
        answer: dict[str, Any] = {"sheets": list(_copied(path, copy))}
    except OSError as error:
        answer = {"errno": error.errno, "fault": str(error)}
    except Exception as error:  # noqa: BLE001 - any fault of the library is one of the workbook
        answer = {"fault": str(error)}
    sys.stdout.write(json.dumps(answer))


def _limit() -> None:
    try:
        import resource
    except ImportError:
        # Windows has no such limits.
        return
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_FSIZE, MOST_COPIED)):
        _, hard = resource.getrlimit(kind)
        bounded = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bounded, hard))


def _copied(path: Path, copy: Path) -> Iterable[tuple[str, str, int]]:
    book = CalamineWorkbook.from_path(path)
    for number, about in enumerate(book.sheets_metadata):
        if about.visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.total_height * sheet.total_width > MOST_CELLS:
            raise MemoryError
        if sheet.height:
            target = copy.with_name(f"{copy.stem}-{number}.csv")
            yield about.name, str(target), _write(target, sheet.iter_rows())


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


if __name__ == "__main__":
    main()
