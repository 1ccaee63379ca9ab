"""Waits that have not all come to an end: Kaplan–Meier and Aalen–Johansen, for many groups at once.

Between two leads that were last seen waiting, the products of both estimators telescope: such a
*stretch* of exits takes one step as well as one for every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Tens of millions of leads have a row each: half as wide, they take half the memory.
ROW = np.int32
Rows = npt.NDArray[np.int32]

# Products of shares that make one half exactly may miss it by an ulp or two.
EDGE = 1e-12


def in_time(time: npt.NDArray[Any], kind: npt.NDArray[Any]) -> Ints:
    """Return the order of some leads by time; one that still waits comes after exits at its time.

    Parameters
    ----------
    time
        To what ended the wait, or to the moment it was last seen: whole numbers below 2**62.
    kind
        What ended it, from 1; 0 where the lead still waits.
    """
    return np.argsort(2 * time + (kind == 0), kind="stable")


@dataclass(frozen=True, eq=False)
class Waits:
    """Leads in the order of `in_time`, within their groups.

    Attributes
    ----------
    group
        Number of each lead's group, ascending.
    time, kind
        As `in_time` has them.
    groups
        How many groups there are; some may be empty.
    """

    group: npt.NDArray[Any]
    time: npt.NDArray[Any]
    kind: npt.NDArray[Any]
    groups: int

    @classmethod
    def of(
        cls, group: npt.NDArray[Any], time: npt.NDArray[Any], kind: npt.NDArray[Any], *, groups: int
    ) -> Waits:
        """Return leads that are in the order of `in_time` put into their groups."""
        # Numbers of two bytes are sorted in one go.
        number = group.astype(np.int16 if groups < 1 << 15 else np.int32)
        order = np.argsort(number, kind="stable")
        return cls(number[order], time[order], kind[order], groups)

    @cached_property
    def size(self) -> Ints:
        """Return the leads of each group."""
        return np.bincount(self.group, minlength=self.groups)

    @cached_property
    def first(self) -> Ints:
        """Return the row of each group's first lead."""
        return np.cumsum(self.size) - self.size

    @cached_property
    def there(self) -> Rows:
        """Return how many of its group are there when a lead's turn comes, itself included."""
        ends = (self.first + self.size).astype(ROW)
        there: Rows = ends[self.group] - np.arange(len(self.group), dtype=ROW)
        return there

    @cached_property
    def begun(self) -> Rows:
        """Return the row with which each lead's stretch begins."""
        after = np.zeros(len(self.group) + 1, dtype=ROW)
        waits = np.flatnonzero(self.kind == 0)
        after[waits + 1] = waits + 1
        begun: Rows = self.first.astype(ROW)[self.group]
        return np.maximum(np.maximum.accumulate(after)[:-1], begun, out=begun)

    @cached_property
    def start(self) -> Rows:
        """Return how many were there at the beginning of each lead's stretch."""
        start: Rows = self.there[self.begun]
        return start

    @cached_property
    def before(self) -> Floats:
        """Return the survival up to the beginning of each lead's stretch."""
        ends = np.flatnonzero(self.kind == 0)
        # Where a stretch ends, those are left that are there for the lead that ends it.
        logs = self._earlier(ends, np.log(self.there[ends] / self.start[ends]))
        return np.exp(logs, out=logs)

    def _earlier(self, rows: Ints, values: Floats) -> Floats:
        """Return for each lead the sum of the values that some rows before it have in its group."""
        so_far = np.zeros(len(self.group) + 1)
        so_far[rows + 1] = values
        np.cumsum(so_far, out=so_far)
        earlier: Floats = so_far[:-1]
        earlier -= so_far[self.first][self.group]
        return earlier

    @cached_property
    def survival(self) -> Floats:
        """Return the Kaplan–Meier estimate after each exit; that of a time is that of its last."""
        return self.before * ((self.there - 1) / self.start)

    def quantile(self, share: float) -> Floats:
        """Return a quantile of the times of each group's exits, interpolated; NaN without any."""
        has_left = self.kind > 0
        time = self.time[has_left].astype(float)
        size = np.bincount(self.group[has_left], minlength=self.groups)
        first, found = np.cumsum(size) - size, np.full(self.groups, np.nan)
        full = size > 0
        place = share * (size[full] - 1)
        low = np.floor(place).astype(np.int64)
        lower, upper = (time[first[full] + i] for i in (low, np.ceil(place).astype(np.int64)))
        found[full] = lower + (upper - lower) * (place - low)
        return found

    def median(self) -> Floats:
        """Return the smallest time at which at most half of a group are left waiting; NaN: none."""
        found = np.full(self.groups, np.nan)
        half = np.flatnonzero((self.kind > 0) & (self.survival <= 0.5 + EDGE))
        groups, earliest = np.unique(self.group[half], return_index=True)
        found[groups] = self.time[half[earliest]]
        return found

    def steps(self, *, tiers: int | None = None) -> pd.DataFrame:
        r"""Return the Kaplan–Meier curve of each group, one row per distinct time of an exit.

        Parameters
        ----------
        tiers
            Of the rows whose survival lies between two of so many steps to 1 only the first is
            wanted; None for all rows.

        Returns
        -------
        pandas.DataFrame
            ``group``, ``time``, ``at_risk``, ``left``, ``survival`` in [0, 1] and ``greenwood``,
            the sum in Greenwood's variance; NaN where nobody is left.

        Notes
        -----
        .. math:: S(t) = \prod_{t_i \le t} (1 - d_i / n_i), \quad
                  \widehat{Var} = S(t)^2 \sum d_i / (n_i (n_i - d_i))

        Leads censored at a time of an event count as at risk there. Kaplan, E. L. & Meier, P.
        (1958), J. Am. Stat. Assoc. 53:457-481.
        """
        exits = np.flatnonzero(self.kind > 0)
        group, time = self.group[exits], self.time[exits]
        is_last = np.append((np.diff(group) != 0) | (np.diff(time) != 0), True)[: len(exits)]
        left = np.diff(np.flatnonzero(is_last), prepend=-1)
        rows = exits[is_last]
        if tiers is not None:
            tier = np.floor(self.survival[rows] * tiers)
            is_first = (np.diff(tier, prepend=-1) != 0) | (
                np.diff(self.group[rows], prepend=-1) != 0
            )
            left, rows = left[is_first], rows[is_first]
        after, start = self.there[rows] - 1, self.start[rows]
        # A term of Greenwood's sum is 1 / (n - d) - 1 / n: they telescope as well.
        ends = np.flatnonzero(self.kind == 0)
        terms = self._earlier(ends, 1 / self.there[ends] - 1 / self.start[ends])
        return pd.DataFrame(
            {
                "group": self.group[rows],
                "time": self.time[rows],
                "at_risk": after + left,
                "left": left,
                "survival": self.survival[rows],
                "greenwood": terms[rows] + 1 / np.where(after > 0, after, np.nan) - 1 / start,
            }
        )

    def incidence(self, until: float) -> tuple[Floats, Floats]:
        r"""Return the Aalen–Johansen cumulative incidence of exits of kind 1 at a time.

        Exits of other kinds compete.

        Returns
        -------
        incidence, variance
            Of each group, the former in [0, 1]; both 0 where nobody has left by then.

        Notes
        -----
        .. math:: F_1(t) = \sum_{t_i \le t} S(t_{i-1}) d_{1i} / n_i

        where S is the survival from all kinds. Variance as in Marubini, E. & Valsecchi, M. G.
        (1995), Analysing Survival Data from Clinical Trials, section 10.3. Aalen, O. O. &
        Johansen, S. (1978), Scand. J. Stat. 5:141-150.
        """
        exits = np.flatnonzero((self.kind > 0) & (self.time <= until))
        begun = self.begun[exits]
        ends = np.flatnonzero(np.append(np.diff(begun) != 0, True)[: len(exits)])
        group, rows = self.group[exits][ends], begun[ends]
        d = np.diff(ends, prepend=-1).astype(float)
        d1 = np.diff(np.cumsum(self.kind[exits] == 1, dtype=ROW)[ends], prepend=0).astype(float)
        n, s = self.start[rows].astype(float), self.before[rows]

        def total(values: Floats) -> Floats:
            return np.bincount(group, values, minlength=self.groups).astype(float)

        reached = _cumulated(s * d1 / n, group)
        hazard = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
        own = s * d1 / n**2
        found = total(s * d1 / n)
        spread = found**2 * total(hazard) - 2 * found * total(hazard * reached)
        spread += total(hazard * reached**2) + total(s**2 * (n - d1) / n * d1 / n**2)
        return found, spread - 2 * (found * total(own) - total(own * reached))


def _cumulated(values: Floats, group: npt.NDArray[Any]) -> Floats:
    """Return the running sum within each group; ``group`` ascends."""
    so_far = np.cumsum(values)
    first = np.flatnonzero(np.append(True, np.diff(group) != 0)[: len(values)])
    sizes = np.diff(np.append(first, len(values)))
    return so_far - np.repeat((so_far - values)[first], sizes)
