"""Folders named after what is in them: ``--out reports/{period}``, and how many are kept."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from glob import escape
from pathlib import Path
from typing import Any

from mqlkit.errors import ParamsError, report

FIELDS = ("period", "as_of")
FIELD = re.compile(r"\{([^{}]*)\}")
# What a run writes; the last one is what the others are found by.
KINDS = (
    "html", "ipynb", "breaches.csv", "set-aside.csv", "revised.csv", "leads.parquet", "txt",
    "metrics.json",
)  # fmt: skip


def root_of(out: Path) -> Path:
    """Return the folder that all reports of an ``--out`` are in, whatever their periods.

    >>> root_of(Path("reports/{period}/sales")).as_posix()
    'reports'
    """
    parts = out.parts
    named = next((i for i, part in enumerate(parts) if FIELD.search(part)), len(parts))
    return Path(*parts[:named])


def pattern_of(out: Path) -> str:
    """Return a pattern of the folders that an ``--out`` stands for, below its root.

    >>> pattern_of(Path("reports/{period}")), pattern_of(Path("reports"))
    ('*', '.')
    """
    return FIELD.sub("*", out.relative_to(root_of(out)).as_posix())


def check_out(out: Path, keep: int | None) -> None:
    """Check the fields of an ``--out``.

    Raises
    ------
    ParamsError
        When it has a field that there is not, or ``keep`` is given and nothing to count.
    """
    unknown = [name for name in FIELD.findall(str(out)) if name not in FIELDS]
    if unknown:
        raise ParamsError(
            report(
                f"--out {str(out)!r}: there is no field {unknown[0]!r}.",
                expected=" or ".join(f"{{{name}}}" for name in FIELDS),
            )
        )
    if keep is not None and pattern_of(out) == ".":
        raise ParamsError(
            report(
                f"--keep {keep}: each run writes over the one before, so that one is kept.",
                fix="give each its folder, such as --out reports/{period}",
            )
        )


def folder_of(out: Path, document: Mapping[str, Any]) -> Path:
    """Return the folder of a report, by its ``metrics.json``."""
    period = document["period"]
    first = date.fromisoformat(period["start"])
    last = date.fromisoformat(period["end"]) - timedelta(days=1)
    # As of the end of a day is the midnight after it.
    until = datetime.fromisoformat(document["as_of"]) - timedelta(microseconds=1)
    values = {"period": period_name(first, last), "as_of": str(until.date())}
    return Path(FIELD.sub(lambda match: values[match[1]], str(out)))


def period_name(first: date, last: date) -> str:
    """Return a period's first and last day as ``period:`` takes them, in the shortest way.

    >>> period_name(date(2026, 1, 1), date(2026, 3, 31))
    '2026-Q1'
    >>> period_name(date(2025, 7, 1), date(2026, 6, 30))
    '2025-07..2026-06'
    >>> period_name(date(2026, 1, 5), date(2026, 1, 11))
    '2026-01-05..2026-01-11'
    """
    is_months = first.day == 1 and (last + timedelta(days=1)).day == 1
    if not is_months:
        return f"{first}..{last}"
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    nth = (first.month - 1) // months + 1
    if (first.month - 1) % months == 0 and months in (3, 6, 12):
        return f"{first.year}" + {3: f"-Q{nth}", 6: f"-H{nth}", 12: ""}[months]
    return f"{first:%Y-%m}" + ("" if months == 1 else f"..{last:%Y-%m}")


def prune(out: Path, name: str, *, keep: int, written: Path) -> None:
    """Remove all but the newest reports of a name.

    Parameters
    ----------
    out, name
        Where its reports are, with a field, and their name.
    keep
        How many stay.
    written
        The folder of the one just written, which stays whatever its period.
    """
    root, ages = root_of(out), []
    for path in root.glob(f"{pattern_of(out)}/{escape(name)}.metrics.json"):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            age = (str(document["period"]["end"]), str(document["as_of"]))
        except (OSError, ValueError, KeyError, TypeError):
            # None of ours.
            continue
        if folder_of(out, document) == path.parent != written:
            ages.append((age, path.parent))
    for _, folder in sorted(ages, reverse=True)[keep - 1 :]:
        for kind in KINDS:
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
        shutil.rmtree(folder / f"{name}.figures", ignore_errors=True)
        if folder != root and not any(folder.iterdir()):
            folder.rmdir()
