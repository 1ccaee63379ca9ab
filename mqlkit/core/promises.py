"""How long sales has for an MQL: the SLA of the report, and rules with an SLA of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from mqlkit.core.checks import HOURS_IN, sla_words, split_sla
from mqlkit.core.work_week import HOUR_US, parse_work_week

BUSINESS = "business"


@dataclass(frozen=True)
class Promise:
    """The time that sales has for some leads.

    Attributes
    ----------
    sla
        A duration with a unit, such as ``48h``.
    clock
        ``calendar`` or ``business``.
    work_week
        Working hours of the business clock, as users write them.
    where
        The leads that it holds for: values by column. Empty for all leads.
    """

    sla: str
    clock: str
    work_week: str
    where: Mapping[str, Sequence[str]]

    @property
    def is_business(self) -> bool:
        """Return whether only working time counts."""
        return self.clock == BUSINESS

    @property
    def day_us(self) -> int:
        """Return the microseconds of a day: of 24 hours, or of the longest working day."""
        return parse_work_week(self.work_week).day_us if self.is_business else 24 * HOUR_US

    @property
    def day_hours(self) -> float:
        """Return the hours of a day: 24, or those of the longest working day."""
        return self.day_us / HOUR_US

    @property
    def hours(self) -> float:
        """Return the duration in hours of the clock."""
        number, unit = split_sla(self.sla)
        if unit in HOURS_IN:
            return number * HOURS_IN[unit]
        if unit == "d":
            return number * self.day_hours
        is_business = self.is_business
        return number * (parse_work_week(self.work_week).week_us / HOUR_US if is_business else 168)

    @property
    def us(self) -> int:
        """Return the duration in microseconds of the clock."""
        return round(self.hours * HOUR_US)

    def warn_us(self, share: float) -> int:
        """Return the shortest wait that is at least a share of the SLA, in microseconds.

        >>> Promise("10h", "calendar", "", {}).warn_us(0.7) / 3_600_000_000
        7.0
        """
        # In decimals, because 0.7 of ten hours are seven.
        exact = Decimal(str(share)) * self.us
        return int(exact.to_integral_value(rounding=ROUND_CEILING))

    @property
    def words(self) -> str:
        """Return the duration as text, such as ``2 working days``."""
        return sla_words(self.sla, self.clock)
