"""Periods and buckets.

Dates are local to the report's time zone; every range is half-open, ``[start, end)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from mqlkit.core.errors import ParamsError, report, shortened

GRAINS = ("week", "month", "quarter", "half", "year")
MONTHS_IN = {"month": 1, "quarter": 3, "half": 6, "year": 12}
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
# Valid years of timestamps, the last one excluded.
YEARS = (1900, 2200)
# Of a period: 40 years of weeks. More take minutes to compute.
MOST_BUCKETS = 2_100
EXAMPLES = (
    "2026-01..2026-03, 2026-01, 2026-Q1, 2026-H1, 2026, 2026-01-05..2026-02-14, last-month, "
    "last-quarter, last-half, last-year, last-12-months, this-quarter or year-to-date"
)


@dataclass(frozen=True)
class Bucket:
    """One bucket of the period: its label and its half-open range of local dates."""

    label: str
    start: date
    end: date

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.end - self.start).days


@dataclass(frozen=True)
class AsOf:
    """The as-of date of the data, as an instant and as a local date.

    Attributes
    ----------
    at
        UTC instant up to which the wait of open leads is counted.
    cutoff
        UTC instant; only events before it have happened. Equal to ``at`` at the end of a day. One
        microsecond later at a timestamp, so that an event at exactly that time counts.
    on
        Local date.
    """

    at: datetime
    cutoff: datetime
    on: date

    def on_in(self, zone: ZoneInfo) -> date:
        """Return the date in a zone; the end of a day is the end of that day in each."""
        return self.on if self.at == self.cutoff else self.at.astimezone(zone).date()

    @classmethod
    def end_of(cls, day: date, zone: ZoneInfo) -> AsOf:
        """Return the as-of date at the end of a local day."""
        end = to_utc(day + DAY, zone)
        return cls(at=end, cutoff=end, on=day)

    @classmethod
    def stamp(cls, at: datetime, zone: ZoneInfo) -> AsOf:
        """Return the as-of date at an instant (an aware datetime)."""
        return cls(
            at=at.astimezone(UTC), cutoff=at.astimezone(UTC) + TICK, on=at.astimezone(zone).date()
        )


def to_utc(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """Return the first day of the month ``months`` after the one of ``day``."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """Weeks, months, quarters, halves and years of a fiscal year that starts in a given month.

    A fiscal year is named after the calendar year in which it ends. A fiscal year that starts in
    January is the calendar year. Weeks are ISO 8601 weeks.
    """

    fiscal_year_start: int = 1

    def start_of(self, day: date, grain: str) -> date:
        """Return the first day of the unit that contains ``day``."""
        if grain == "week":
            return day - timedelta(days=day.weekday())
        size = MONTHS_IN[grain]
        months_in = (day.month - self.fiscal_year_start) % 12 % size
        return add_months(day, -months_in)

    def next_start(self, start: date, grain: str, units: int = 1) -> date:
        """Return the first day of the unit ``units`` after the one that begins at ``start``."""
        if grain == "week":
            return start + timedelta(weeks=units)
        return add_months(start, units * MONTHS_IN[grain])

    def label(self, start: date, grain: str) -> str:
        """Return the label of the unit that begins at ``start``."""
        if grain == "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02}"
        if grain == "month":
            return f"{start:%Y-%m}"
        year = add_months(start, 12 - self.fiscal_year_start + 1).year
        year -= self.fiscal_year_start == 1
        index = (start.month - self.fiscal_year_start) % 12
        if grain == "quarter":
            return f"{year}-Q{index // 3 + 1}"
        return f"{year}-H{index // 6 + 1}" if grain == "half" else f"{year}"

    def first_of_year(self, year: int) -> date:
        """Return the first day of the fiscal year named ``year``."""
        return date(year - (self.fiscal_year_start > 1), self.fiscal_year_start, 1)

    def cut(self, start: date, end: date, grain: str) -> list[Bucket]:
        """Split ``[start, end)`` into buckets; the first and the last are clipped."""
        buckets = []
        at = self.start_of(start, grain)
        while at < end:
            after = self.next_start(at, grain)
            buckets.append(Bucket(self.label(at, grain), max(at, start), min(after, end)))
            at = after
        return buckets

    def before(self, first: Bucket, grain: str, count: int) -> list[Bucket]:
        """Return the ``count`` whole buckets before ``first``, oldest first."""
        start = self.start_of(first.start, grain)
        begins = [self.next_start(start, grain, -k) for k in range(count, -1, -1)]
        return [Bucket(self.label(a, grain), a, min(b, first.start)) for a, b in pairwise(begins)]

    def resolve(self, text: str, as_of: AsOf) -> tuple[date, date]:
        """Resolve a period to its first day and the day after its last.

        Parameters
        ----------
        text
            Such as ``2026-Q1`` or ``last-quarter``; see ``docs/parameters.md``.
        as_of
            The as-of date, for relative periods.

        Raises
        ------
        ParamsError
            If the text is not a period, or the period ends before it starts.
        """
        relative = self._relative(text.strip().lower(), as_of)
        start, end = relative or self._absolute(text)
        if start.year < YEARS[0] or end > date(YEARS[1], 1, 1):
            raise ParamsError(
                report(
                    f"period {shortened(text)} is out of range.",
                    expected=f"years from {YEARS[0]} to {YEARS[1] - 1}",
                    fix="correct the year" if relative is None else "choose a shorter period",
                )
            )
        if end <= start:
            raise ParamsError(
                report(
                    f"period {shortened(text)} ends before it starts.",
                    found=f"{start} .. {end - DAY}",
                    fix="write the earlier one first",
                )
            )
        return start, end

    def _absolute(self, text: str) -> tuple[date, date]:
        first, _, last = text.partition("..")
        start, _ = self._unit(first.strip(), text)
        _, end = self._unit((last or first).strip(), text)
        return start, end

    def _relative(self, text: str, as_of: AsOf) -> tuple[date, date] | None:
        # The day after the last complete day. Units that end here are complete.
        over = as_of.on + DAY if as_of.at == as_of.cutoff else as_of.on
        if text == "year-to-date":
            return self.start_of(as_of.on, "year"), as_of.on + DAY
        if match := re.fullmatch(r"this-(week|month|quarter|half|year)", text):
            start = self.start_of(as_of.on, match[1])
            return start, self.next_start(start, match[1])
        match = re.fullmatch(
            r"last-(?:([1-9]\d{0,2})-)?(week|month|quarter|half|halve|year)s?", text
        )
        if not match:
            return None
        count, grain = int(match[1] or 1), match[2].replace("halve", "half")
        end = self.start_of(over, grain)
        return self.next_start(end, grain, -count), end

    def _unit(self, text: str, whole: str) -> tuple[date, date]:
        for pattern, read in self._readers():
            if match := re.fullmatch(pattern, text):
                try:
                    return read(*(int(g) for g in match.groups()))
                except (ValueError, OverflowError) as error:
                    raise ParamsError(
                        report(
                            f"period {shortened(whole)}: {shortened(text)} does not exist "
                            f"({error}).",
                            expected=EXAMPLES,
                            fix="write an existing day, week or month",
                        )
                    ) from None
        raise ParamsError(
            report(
                f"period {shortened(whole)} cannot be read.",
                expected=EXAMPLES,
                found=shortened(text),
                fix="write the period in one of these forms",
            )
        )

    def _readers(self) -> list[tuple[str, Callable[..., tuple[date, date]]]]:
        def day(y: int, m: int, d: int) -> tuple[date, date]:
            return date(y, m, d), date(y, m, d) + DAY

        def month(y: int, m: int) -> tuple[date, date]:
            return date(y, m, 1), add_months(date(y, m, 1), 1)

        def week(y: int, w: int) -> tuple[date, date]:
            start = date.fromisocalendar(y, w, 1)
            return start, start + timedelta(weeks=1)

        def part(y: int, index: int, size: int) -> tuple[date, date]:
            start = add_months(self.first_of_year(y), (index - 1) * size)
            return start, add_months(start, size)

        return [
            (r"(\d{4})-(\d{2})-(\d{2})", day),
            (r"(\d{4})-(\d{2})", month),
            (r"(\d{4})-[Ww](\d{2})", week),
            (r"(\d{4})-[Qq]([1-4])", lambda y, q: part(y, q, 3)),
            (r"(\d{4})-[Hh]([12])", lambda y, h: part(y, h, 6)),
            (r"(\d{4})", lambda y: part(y, 1, 12)),
        ]


def spend_window(bucket: Bucket, *, lag_days: int) -> tuple[date, date]:
    """Return the spend window of a bucket: its range moved back by the lag.

    Examples
    --------
    With a lag of 30 days, the first quarter takes the spend of 2 December to 1 March, both
    included.

    >>> spend_window(Bucket("2026-Q1", date(2026, 1, 1), date(2026, 4, 1)), lag_days=30)
    (datetime.date(2025, 12, 2), datetime.date(2026, 3, 2))
    """
    lag = timedelta(days=lag_days)
    return bucket.start - lag, bucket.end - lag


def coarser_grains(grain: str) -> list[str]:
    """Return the grains whose buckets consist of whole buckets of ``grain``.

    >>> coarser_grains("month"), coarser_grains("week")
    (['quarter', 'half', 'year'], [])
    """
    if grain not in MONTHS_IN:
        return []
    return [other for other, months in MONTHS_IN.items() if months > MONTHS_IN[grain]]


PREVIOUS, YEAR = "bucket before", "year before"
BUCKETS_IN_YEAR = {"W": 52, "Q": 4, "H": 2}


def split_label(label: str) -> tuple[int, str, int, int]:
    """Split a label into year, letter and number, and add the number of such buckets in a year.

    >>> split_label("2026-Q1"), split_label("2026-05"), split_label("2026")
    ((2026, 'Q', 1, 4), (2026, '', 5, 12), (2026, '', 1, 1))
    """
    year, _, part = label.partition("-")
    letter = part[:1] if part[:1] in BUCKETS_IN_YEAR else ""
    in_year = BUCKETS_IN_YEAR.get(letter, 12 if part else 1)
    return int(year), letter, int(part.removeprefix(letter) or 1), in_year


def label_before(label: str, *, kind: str = PREVIOUS) -> str:
    """Return the label of the bucket before, or of the same bucket a year before.

    For weeks, a year is 52 weeks, so that weekdays match; after a year with 53 weeks the number
    differs by one. Fiscal labels need no calendar. Empty for the year before a year.

    Examples
    --------
    >>> label_before("2026-01"), label_before("2026-Q1"), label_before("2026-W01")
    ('2025-12', '2025-Q4', '2025-W52')
    >>> label_before("2026-H1", kind=YEAR), label_before("2027-W01", kind=YEAR)
    ('2025-H1', '2026-W02')
    """
    year, letter, number, in_year = split_label(label)
    if in_year == 1:
        return f"{year - 1}" if kind == PREVIOUS else ""
    back = 1 if kind == PREVIOUS else in_year
    if letter == "W":
        monday = date.fromisocalendar(year, number, 1) - timedelta(weeks=back)
        return Calendar().label(monday, "week")
    year, place = divmod(year * in_year + number - 1 - back, in_year)
    return f"{year}-{letter}{place + 1}" if letter else f"{year}-{place + 1:02}"


def is_whole(label: str, start: date, end: date) -> bool:
    """Return whether a bucket is whole, that is, not clipped by the period."""
    _, letter, _, in_year = split_label(label)
    is_week = letter == "W" and (end - start).days == 7
    return is_week or (start.day == 1 and end == add_months(start, 12 // in_year))
