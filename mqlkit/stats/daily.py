"""Amounts spread over days, and their sums over windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Days = npt.NDArray[np.int64]


def day_numbers(days: Sequence[Any] | pd.Series[Any]) -> Days:
    """Return dates as whole days since 1970."""
    return np.asarray(days, dtype="datetime64[D]").astype("int64")


@dataclass(frozen=True, eq=False)
class SpendLine:
    """What had been spent before each day.

    Attributes
    ----------
    first
        Number of the first day with spend (days since 1970).
    so_far
        Spent before that day, and before each later one; one more than there are days.
    """

    first: int
    so_far: npt.NDArray[np.float64]

    @classmethod
    def of(cls, spend: pd.DataFrame) -> SpendLine:
        """Return the line of some spend.

        Parameters
        ----------
        spend
            ``date_from``, ``date_to`` (both ends included) and ``amount``, which is spread evenly
            over the days of its row.
        """
        begins, ends = day_numbers(spend["date_from"]), day_numbers(spend["date_to"])
        days = ends - begins + 1
        first = int(begins.min())
        each = np.repeat(spend["amount"].to_numpy(dtype=float) / days, days)
        offset = np.arange(days.sum()) - np.repeat(np.cumsum(days) - days, days)
        daily = np.bincount(np.repeat(begins - first, days) + offset, weights=each)
        return cls(first, np.concatenate([[0.0], np.cumsum(daily)]))

    def between(self, begins: Days, ends: Days) -> npt.NDArray[np.float64]:
        """Return the spend of half-open windows of days, as day numbers of any one shape.

        Examples
        --------
        >>> spend = pd.DataFrame({"date_from": ["2026-01-01"], "date_to": ["2026-01-10"],
        ...                       "amount": [50.0]})
        >>> SpendLine.of(spend).between(day_numbers(["2026-01-08"]), day_numbers(["2026-02-01"]))
        array([15.])
        """
        last = len(self.so_far) - 1
        before, after = (self.so_far[np.clip(d - self.first, 0, last)] for d in (begins, ends))
        # Running sums leave dust behind the ninth decimal, where no currency has anything.
        return np.round(after - before, 9)

    def covers(self, begins: Days, ends: Days) -> npt.NDArray[np.bool_]:
        """Return which windows lie wholly inside the days from the first to the last spend."""
        return (begins >= self.first) & (ends <= self.first + len(self.so_far) - 1)
