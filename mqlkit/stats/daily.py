"""Daily amounts and their sums over windows of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Days = npt.NDArray[np.int64]


def day_numbers(days: Sequence[Any] | pd.Series[Any]) -> Days:
    """Convert dates to days since 1970-01-01."""
    return np.asarray(days, dtype="datetime64[D]").astype("int64")


@dataclass(frozen=True, eq=False)
class SpendLine:
    """Cumulative spend by day.

    Attributes
    ----------
    first
        First day with spend, in days since 1970-01-01.
    so_far
        Spend before each day from the first on, and in total. Shape (days + 1,).
    """

    first: int
    so_far: npt.NDArray[np.float64]

    @classmethod
    def of(cls, spend: pd.DataFrame) -> SpendLine:
        """Build the cumulative spend of a table.

        Parameters
        ----------
        spend
            ``date_from``, ``date_to`` (both included) and ``amount``, which is spread evenly over
            the days of its row.
        """
        begins, ends = day_numbers(spend["date_from"]), day_numbers(spend["date_to"])
        days = ends - begins + 1
        first = int(begins.min())
        each = np.repeat(spend["amount"].to_numpy(dtype=float) / days, days)
        offset = np.arange(days.sum()) - np.repeat(np.cumsum(days) - days, days)
        daily = np.bincount(np.repeat(begins - first, days) + offset, weights=each)
        return cls(first, np.concatenate([[0.0], np.cumsum(daily)]))

    def between(self, begins: Days, ends: Days) -> npt.NDArray[np.float64]:
        """Return the spend of half-open windows of days, given as day numbers of the same shape.

        Examples
        --------
        >>> spend = pd.DataFrame({"date_from": ["2026-01-01"], "date_to": ["2026-01-10"],
        ...                       "amount": [50.0]})
        >>> SpendLine.of(spend).between(day_numbers(["2026-01-08"]), day_numbers(["2026-02-01"]))
        array([15.])
        """
        last = len(self.so_far) - 1
        before, after = (self.so_far[np.clip(d - self.first, 0, last)] for d in (begins, ends))
        # Differences of cumulative sums have rounding errors; no currency has nine decimals.
        return np.round(after - before, 9)

    def covers(self, begins: Days, ends: Days) -> npt.NDArray[np.bool_]:
        """Return which windows lie completely between the first and the last day with spend."""
        return (begins >= self.first) & (ends <= self.first + len(self.so_far) - 1)
