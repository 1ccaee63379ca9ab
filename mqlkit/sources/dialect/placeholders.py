"""Days that programs write where there is none: the first and last that they know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mqlkit.core.text import MONTH_NAMES

Day = tuple[int, int, int]
# MySQL, .NET, SQL Server, Excel and its predecessors, Unix (also as seen from west of Greenwich).
PLACEHOLDERS: tuple[Day, ...] = (
    (0, 0, 0), (1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 0), (1900, 1, 1),
    (1969, 12, 31), (1970, 1, 1), (9999, 12, 31),
)  # fmt: skip
# The same as days of Excel, and as seconds and milliseconds since 1970.
NUMBER_PLACEHOLDERS = (
    "0", "1", "25569", "2958465", "-2208988800", "-2208988800000", "253402214400", "253402300799",
    "253402214400000", "253402300799000", "253402300799999",
)  # fmt: skip
# So many in a column, or one in so many, are no coincidence.
FEWEST, SHARE = 3, 100
TIME = r"(?:[T ,].*)?"


def are_missing(n: int, *, total: int) -> bool:
    """Return whether placeholders of a column are missing values.

    >>> are_missing(2, total=200), are_missing(2, total=201), are_missing(3, total=10**6)
    (True, False, True)
    """
    return n > 0 and (n >= FEWEST or n * SHARE >= total)


def days_pattern(days: Iterable[Day]) -> str:
    """Return the regex of texts that are one of some days, at any time, in any way of writing."""
    return f"(?i)^(?:{'|'.join(way for day in days for way in _ways(*day))}){TIME}$"


def _ways(year: int, month: int, day: int) -> Iterable[str]:
    sep = "[-/.]"
    whole = f"{year:04}"
    yield f"{whole}{sep}0?{month}{sep}0?{day}"
    yield f"{whole}{month:02}{day:02}"
    years = (whole, whole[2:]) if year in (1969, 1970) else (whole,)
    for written in years:
        yield f"0?{day}{sep}0?{month}{sep}{written}"
        yield f"0?{month}{sep}0?{day}{sep}{written}"
        if month:
            name = MONTH_NAMES[month - 1]
            yield f"0?{day}[ /.-]{name}[a-z]*[ /.,-]+{written}"
            yield f"{name}[a-z]*[ -]0?{day}[ ,-]+{written}"


def days_in(texts: Iterable[str]) -> list[Day]:
    """Return the texts that are days in ISO 8601."""
    found = []
    for text in texts:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            continue
        found.append((day.year, day.month, day.day))
    return found
