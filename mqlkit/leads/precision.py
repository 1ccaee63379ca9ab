"""The precision of timestamps: instants, and dates of the zone of the source that wrote them.

A date and an instant of the same local day are simultaneous, and a duration from or to a date is
whole days (metrics.md §2). Each value has its zone; see `local_times.zone_of`. A date is stored as
the midnight of the report's zone, so that it is in the bucket that holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.periods import AsOf
from mqlkit.leads.integers import LocalTime, day_us
from mqlkit.sources.local_times import zone_of


@dataclass(frozen=True)
class Precision:
    """The precision of the columns with timestamps.

    Attributes
    ----------
    local
        Local time of the report.
    zones, names
        Local time and name of each zone in which the sources write.
    dated, mixed
        Columns that contain only dates, and columns that contain dates and instants.
    """

    local: LocalTime
    zones: tuple[LocalTime, ...]
    names: tuple[str, ...]
    dated: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()

    @property
    def has_dates(self) -> bool:
        """Return whether there are dates beside instants, or instead of them."""
        return bool(self.dated or self.mixed)

    def is_date(self, table: ir.Table, *stamps: str) -> ir.BooleanValue | bool:
        """Return whether one of a row's timestamps is a date; a constant if no row differs."""
        if self.dated.intersection(stamps):
            return True
        found = [(table[zone_of(s)] < 0).fill_null(False) for s in stamps if s in self.mixed]
        return reduce(or_, found) if found else False

    def day(self, table: ir.Table, stamp: str) -> ir.IntegerValue:
        """Return the day of a timestamp in the zone of its source, as `LocalTime.day`."""
        at, zone = table[stamp], zone_of(stamp)
        of_date = self.local.day(at)
        if stamp in self.dated or set(self.zones) <= {self.local}:
            return of_date
        of_instant = self.by_zone(table, stamp, lambda n: self.zones[n].day(at))
        return (table[zone] < 0).ifelse(of_date, of_instant) if stamp in self.mixed else of_instant

    def by_zone(
        self, table: ir.Table, stamp: str, value: Callable[[int], ir.IntegerValue]
    ) -> ir.IntegerValue:
        """Return a value that depends on the place of a timestamp's zone."""
        *others, last = [value(n) for n in range(len(self.zones))]
        if not others:
            return last
        zone = table[zone_of(stamp)]
        return ibis.cases(
            *((zone.isin([n, ~n]), found) for n, found in enumerate(others)), else_=last
        )

    def as_of_day(self, table: ir.Table, stamp: str, as_of: AsOf) -> ir.IntegerValue:
        """Return the day of the cut-off in the zone of a timestamp, as `LocalTime.day`."""
        days = [day_us(as_of.on_in(ZoneInfo(name))) for name in self.names]
        return self.by_zone(table, stamp, lambda n: ibis.literal(days[n], "int64"))

    def between(self, table: ir.Table, start: str, end: str) -> ir.IntegerValue:
        """Return the time between two timestamps: whole days if one is a date."""
        return in_days(
            is_date=self.is_date(table, start, end),
            days=lambda: self.day(table, end) - self.day(table, start),
            exact=table[end] - table[start],
        )

    def is_no_later(self, table: ir.Table, first: str, second: str) -> ir.BooleanValue:
        """Return whether a timestamp is before another, or simultaneous; False without one."""
        return (self.between(table, first, second) >= 0).fill_null(False)


def in_days(
    *,
    is_date: ir.BooleanValue | bool,
    days: Callable[[], ir.IntegerValue],
    exact: ir.IntegerValue,
) -> ir.IntegerValue:
    """Return whole days where one end of a duration is a date, else the exact duration."""
    if is_date is False:
        return exact
    return days() if is_date is True else is_date.ifelse(days(), exact)
