"""Working days and working hours of the sales team."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mqlkit.core.errors import ParamsError, report

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = r"((?:[01]?\d|2[0-3]):[0-5]\d|24:00)"
WANTED = "weekdays and hours, such as 'Mon-Fri 09:00-17:00' or 'Mon,Tue,Thu 10:00-24:00'"


@dataclass(frozen=True)
class WorkWeek:
    """Working days (Monday = 0) and local working hours; closing at 00:00 is the end of the day."""

    weekdays: tuple[int, ...]
    opens: time
    closes: time

    @property
    def day_us(self) -> int:
        """Return the length of a working day in microseconds, by local time."""
        opens_at, closes_at = (datetime.combine(date.min, t) for t in (self.opens, self.closes))
        return (closes_at - opens_at) // TICK % (DAY // TICK) or DAY // TICK


def parse_work_week(text: str) -> WorkWeek:
    """Parse a work week, or raise ParamsError.

    Examples
    --------
    >>> parse_work_week("Sun-Tue,Thu 08:30-24:00")
    WorkWeek(weekdays=(0, 1, 3, 6), opens=datetime.time(8, 30), closes=datetime.time(0, 0))
    """
    try:
        return _read_week("".join(text.casefold().replace("\N{EN DASH}", "-").split()))
    except ValueError as found:
        headline = f"work_week: {text!r} cannot be read."
        raise ParamsError(report(headline, expected=WANTED, found=str(found))) from None


def _read_week(text: str) -> WorkWeek:
    match = re.fullmatch(f"([a-z,-]+){CLOCK}-{CLOCK}", text)
    if match is None:
        raise ValueError("no weekdays followed by hours from 00:00 to 24:00")
    if match[2].zfill(5) >= match[3].zfill(5):
        raise ValueError(f"hours that begin at {match[2]} and end at {match[3]}")
    days = {day for part in match[1].split(",") for day in _read_weekdays(part)}
    hours = (time(int(t[:-3]) % 24, int(t[-2:])) for t in match.group(2, 3))
    return WorkWeek(tuple(sorted(days)), *hours)


def _read_weekdays(part: str) -> list[int]:
    names = part.split("-")
    ends = [k for n in names for k, day in enumerate(WEEKDAYS) if len(n) > 2 and day.startswith(n)]
    if len(ends) != len(names) or len(ends) > 2:
        raise ValueError(f"{part!r}, which is neither a weekday nor a range of them")
    # A range can cross the end of the week, such as Sun-Thu.
    return [(ends[0] + k) % 7 for k in range((ends[-1] - ends[0]) % 7 + 1)]
