"""Working days and working hours of the sales team."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from mqlkit.core.errors import ParamsError, report, shortened

MINUTE_US, HOUR_US, DAY_MINUTES = 60_000_000, 3_600_000_000, 1440
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = r"((?:[01]?\d|2[0-3]):[0-5]\d|24:00)"
SPAN = re.compile(f"{CLOCK}-{CLOCK}")
# Weekdays, then hours: mon-fri09:00-12:30 13:30-18:00, with or without a comma between hours.
GROUP = re.compile(rf"([a-z,-]+)((?:,?{SPAN.pattern})+)")
WANTED = (
    "weekdays and hours, such as 'Mon-Fri 09:00-12:30 13:30-18:00, Sat 10:00-14:00' or "
    "'Mon,Tue,Thu 22:00-06:00'"
)
# Start and end in minutes since local midnight; a night shift ends after 1440.
Window = tuple[int, int]


@dataclass(frozen=True)
class WorkWeek:
    """Working hours of Monday to Sunday.

    Attributes
    ----------
    windows
        For each weekday, the windows that begin on it, in order; without any on a day off.
    """

    windows: tuple[tuple[Window, ...], ...]

    @property
    def day_us(self) -> int:
        """Return the length of the longest working day in microseconds, by local time."""
        return max(self._lengths) * MINUTE_US

    @property
    def week_us(self) -> int:
        """Return the length of a working week in microseconds, by local time."""
        return sum(self._lengths) * MINUTE_US

    @property
    def has_night_shift(self) -> bool:
        """Return whether any window ends on the day after it begins."""
        return any(end > DAY_MINUTES for day in self.windows for _, end in day)

    @property
    def _lengths(self) -> list[int]:
        return [sum(end - begin for begin, end in day) for day in self.windows]


def parse_work_week(text: str) -> WorkWeek:
    """Parse a work week, or raise ParamsError.

    Examples
    --------
    >>> week = parse_work_week("Mon-Thu 08:30-12:00 13:00-17:00, Fri 22:00-06:00")
    >>> week.windows[3], week.windows[4], week.windows[5]
    (((510, 720), (780, 1020)), ((1320, 1800),), ())
    """
    plain = text.replace("\N{EN DASH}", "-")
    try:
        return _read_week("".join(plain.casefold().split()), _tokens(plain))
    except ValueError as found:
        headline = f"work_week: {shortened(text)} cannot be read."
        raise ParamsError(report(headline, expected=WANTED, found=str(found))) from None


def _tokens(text: str) -> list[str]:
    """Return weekdays and hours as they are written, without commas and blanks around dashes."""
    return [token for token in re.split(r"[\s,;]+", re.sub(r"\s*-\s*", "-", text)) if token]


def _read_week(text: str, tokens: list[str]) -> WorkWeek:
    windows: list[set[Window]] = [set() for _ in WEEKDAYS]
    # A group ends where a weekday follows a time.
    for part in re.split(r"(?<=\d)[,;]?(?=[a-z])", text):
        match = GROUP.fullmatch(part)
        if match is None:
            raise ValueError(_fault(tokens))
        hours = [_read_window(*span) for span in SPAN.findall(match[2])]
        for day in {day for names in match[1].split(",") for day in _read_weekdays(names)}:
            windows[day].update(hours)
    week = WorkWeek(tuple(tuple(sorted(day)) for day in windows))
    _refuse_overlaps(week)
    return week


def _fault(tokens: list[str]) -> str:
    """Return which token is wrong, or stands where it cannot."""
    if not tokens:
        return "nothing"
    wrong = [t for t in tokens if not (SPAN.fullmatch(t) or _is_weekdays(t) or _is_group(t))]
    if wrong:
        return f"{wrong[0]!r}, which is neither weekdays nor hours from 00:00 to 24:00"
    if SPAN.fullmatch(tokens[0]):
        return f"{tokens[0]!r} without weekdays before it"
    if _is_weekdays(tokens[-1]):
        return f"{tokens[-1]!r} without hours after it"
    return "no weekdays followed by hours from 00:00 to 24:00"


def _is_group(token: str) -> bool:
    return GROUP.fullmatch(token.casefold()) is not None


def _is_weekdays(token: str) -> bool:
    try:
        return bool(_read_weekdays(token.casefold()))
    except ValueError:
        return False


def _read_window(opens: str, closes: str) -> Window:
    begin, end = (int(t[:-3]) * 60 + int(t[-2:]) for t in (opens, closes))
    if begin in (end, DAY_MINUTES):
        raise ValueError(f"hours that begin at {opens} and end at {closes}")
    # Hours that end before they begin are a night shift.
    return begin, end if end > begin else end + DAY_MINUTES


def _read_weekdays(part: str) -> list[int]:
    names = part.split("-")
    ends = [k for n in names for k, day in enumerate(WEEKDAYS) if len(n) > 2 and day.startswith(n)]
    if len(ends) != len(names) or len(ends) > 2:
        raise ValueError(f"{part!r}, which is neither a weekday nor a range of them")
    # A range can cross the end of the week, such as Sun-Thu.
    return [(ends[0] + k) % 7 for k in range((ends[-1] - ends[0]) % 7 + 1)]


def _refuse_overlaps(week: WorkWeek) -> None:
    """Refuse hours that begin before earlier ones end, across midnight and the end of the week."""
    every = [
        (day * DAY_MINUTES + begin, day * DAY_MINUTES + end)
        for day, windows in enumerate([*week.windows, *week.windows])
        for begin, end in windows
    ]
    for (_, end), (begin, _) in pairwise(every):
        if begin < end:
            day = WEEKDAYS[begin // DAY_MINUTES % 7].capitalize()
            raise ValueError(f"hours of {day} that overlap with earlier ones")
