"""How dates are written: the patterns behind ``dmy``, ``mdy`` and ``ymd``."""

from __future__ import annotations

import re

from mqlkit.errors import SourceError, report

# Day and month are decided for the whole column, by the user; the separators are not.
DATE_PATTERNS = {
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"),
    "mdy": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y"),
    "ymd": ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
}
DIRECTIVES = "aAwdbBmyYHIpMSfgnjzZUWcxX%"
TIME_PATTERNS = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", ", %I:%M %p")


def date_patterns(dates: str) -> list[str]:
    """Return the strptime patterns that ``dates`` stands for.

    Raises
    ------
    SourceError
        When it is no known order and no pattern.
    """
    if dates == "auto":
        return []
    if "%" in dates and not set(re.findall(r"%-?(.)", dates)) - set(DIRECTIVES):
        return [dates]
    if dates not in DATE_PATTERNS:
        raise SourceError(
            report(
                f"dates: {dates!r} is unknown.",
                expected="auto, ymd, dmy, mdy or a pattern such as %d.%m.%Y %H:%M",
            )
        )
    return [day + time for day in DATE_PATTERNS[dates] for time in TIME_PATTERNS]
