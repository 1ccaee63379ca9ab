"""Kaplan–Meier estimators for many groups at once.

Between two censored leads the product of the estimator telescopes. Such a *stretch* of exits is
computed in one step instead of one step per exit time; see `Stretches`.

References
----------
.. [1] Kaplan, E. L. & Meier, P. (1958), Nonparametric estimation from incomplete observations,
   J. Am. Stat. Assoc. 53:457-481.
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
# Tolerance: a product of shares that equals one half exactly can be off by rounding.
EDGE = 1e-12


def in_time(time: npt.NDArray[Any], kind: npt.NDArray[Any]) -> Ints:
    """Return the order of leads by time; at equal times, exits come before censored leads.

    What else differs at equal times is in no order, because no estimate depends on it.

    Parameters
    ----------
    time
        Time to the exit or to censoring. Integers below 2**62, shape (n,).
    kind
        Kind of exit, from 1; 0 for censored leads. Shape (n,).
    """
    return np.argsort(2 * time + (kind == 0))


@dataclass(frozen=True, eq=False)
class Waits:
    """Waits of leads, sorted by group and, within a group, as by `in_time`.

    Attributes
    ----------
    group
        Group number of each lead, ascending. Shape (n,).
    time, kind
        As in `in_time`, shape (n,).
    groups
        Number of groups. Groups can be empty.
    """

    group: npt.NDArray[Any]
    time: npt.NDArray[Any]
    kind: npt.NDArray[Any]
    groups: int

    @classmethod
    def of(
        cls, group: npt.NDArray[Any], time: npt.NDArray[Any], kind: npt.NDArray[Any], *, groups: int
    ) -> Waits:
        """Group leads that are already in the order of `in_time`."""
        # NumPy sorts 16-bit integers with a radix sort.
        number = group.astype(np.int16 if groups < 1 << 15 else np.int32)
        order = np.argsort(number, kind="stable")
        return cls(number[order], time[order], kind[order], groups)

    @cached_property
    def size(self) -> Ints:
        """Return the number of leads in each group, shape (groups,)."""
        return np.bincount(self.group, minlength=self.groups)

    @cached_property
    def first(self) -> Ints:
        """Return the row of the first lead of each group, shape (groups,)."""
        return np.cumsum(self.size) - self.size

    @cached_property
    def stretches(self) -> Stretches:
        """Return the stretches of all groups."""
        censored, full = np.flatnonzero(self.kind == 0), np.flatnonzero(self.size)
        ends = self.first + self.size
        # A stretch starts with each group and after each censored lead. A start after the last lead
        # of a group is dropped below.
        at = np.searchsorted(censored + 1, self.first[full], side="right")
        begin = np.insert(censored + 1, at, self.first[full])
        group = np.insert(self.group[censored], at, full)
        following = np.append(censored, len(self.kind))
        next_censored = np.insert(following[1:], at, following[at])
        is_any = begin < ends[group]
        begin, group, next_censored = begin[is_any], group[is_any], next_censored[is_any]
        exits = np.minimum(next_censored, ends[group]) - begin
        is_last = np.append(group[1:] != group[:-1], True)[: len(group)]
        return Stretches(group, begin, ends[group] - begin, exits, is_last)

    def quantile(self, share: float) -> Floats:
        """Return an interpolated quantile of the exit times of each group; NaN without exits."""
        parts = self.stretches
        size = np.bincount(parts.group, parts.exits, minlength=self.groups).astype(np.int64)
        first, found = np.cumsum(size) - size, np.full(self.groups, np.nan)
        full = size > 0
        place = share * (size[full] - 1)
        low = np.floor(place).astype(np.int64)
        rows = (parts.row_of(first[full] + i) for i in (low, np.ceil(place).astype(np.int64)))
        lower, upper = (self.time[row].astype(float) for row in rows)
        found[full] = lower + (upper - lower) * (place - low)
        return found

    def median(self) -> Floats:
        """Return the Kaplan–Meier median of each group; NaN if survival stays above one half."""
        parts, found = self.stretches, np.full(self.groups, np.nan)
        half = 0.5 + EDGE
        crossing = np.flatnonzero((parts.exits > 0) & (parts.after(parts.exits) <= half))
        groups, earliest = np.unique(parts.group[crossing], return_index=True)
        within = parts.taken(crossing[earliest])
        # The exit that reaches one half, except for rounding.
        exits = np.ceil(within.there * (1 - half / within.before)).astype(np.int64) + 1
        for _ in range(2):
            exits -= (exits > 1) & (within.after(exits - 1) <= half)
        exits = np.clip(exits, 1, within.exits)
        found[groups] = self.time[within.begin + exits - 1]
        return found

    def steps(self, *, tiers: int | None = None) -> pd.DataFrame:
        r"""Return the Kaplan–Meier curve of each group, one row per distinct exit time.

        Parameters
        ----------
        tiers
            Keep only the first row in each of this many equal intervals of survival; None keeps
            all rows.

        Returns
        -------
        pandas.DataFrame
            ``group``, ``time``, ``at_risk``, ``left``, ``survival`` in [0, 1] and ``greenwood``,
            the sum in Greenwood's variance; NaN if no lead is left at risk.

        Notes
        -----
        .. math:: S(t) = \prod_{t_i \le t} (1 - d_i / n_i), \quad
                  \widehat{Var} = S(t)^2 \sum d_i / (n_i (n_i - d_i))

        Leads censored at an exit time count as at risk at that time. Estimator: [1]_.
        """
        parts = self.stretches
        at, nth = parts.each_exit()
        rows = parts.begin[at] + nth - 1
        group, time, survival = self.group[rows], self.time[rows], parts.taken(at).after(nth)
        is_last = np.append((np.diff(group) != 0) | (np.diff(time) != 0), True)[: len(rows)]
        left = np.diff(np.flatnonzero(is_last), prepend=-1)
        kept = np.flatnonzero(is_last)
        if tiers is not None:
            tier = np.floor(survival[kept] * tiers)
            is_first = (np.diff(tier, prepend=-1) != 0) | (np.diff(group[kept], prepend=-1) != 0)
            left, kept = left[is_first], kept[is_first]
        within = parts.taken(at[kept])
        after = within.there - nth[kept]
        # The terms of Greenwood's sum, 1 / (n - d) - 1 / n, telescope as well.
        ends = parts.there - parts.exits
        terms = _earlier(1 / np.where(parts.is_last, 1, ends) - 1 / parts.there, parts.group)
        return pd.DataFrame(
            {
                "group": group[kept],
                "time": time[kept],
                "at_risk": after + left,
                "left": left,
                "survival": survival[kept],
                "greenwood": terms[at[kept]]
                + 1 / np.where(after > 0, after, np.nan)
                - 1 / within.there,
            }
        )


@dataclass(frozen=True, eq=False)
class Stretches:
    """Runs of exits between censored leads, group by group.

    One group of six leads, in the order of `in_time` (x: exit, o: censored)::

        row        0   1   2   3   4   5
        kind       x   x   o   x   o   o
        stretch    0---0   .   1   .   2      begin 0, 3, 5; there 6, 3, 1; exits 2, 1, 0
        survival  5/6 4/6     4/9             d exits of n leads multiply it by (n - d) / n

    Attributes
    ----------
    group
        Group number of each stretch, ascending. All arrays have shape (stretches,).
    begin
        Row of its first lead.
    there
        Number of leads of the group at risk at its start.
    exits
        Number of exits in it, up to the next censored lead.
    is_last
        Whether it is the last stretch of its group.
    """

    group: Ints
    begin: Ints
    there: Ints
    exits: Ints
    is_last: npt.NDArray[np.bool_]

    @cached_property
    def before(self) -> Floats:
        """Return the survival at the start of each stretch."""
        left = np.where(self.is_last, self.there, self.there - self.exits)
        return np.exp(_earlier(np.log(left / self.there), self.group))

    def after(self, exits: Ints) -> Floats:
        """Return the survival after the first ``exits`` exits of each stretch."""
        return self.before * ((self.there - exits) / self.there)

    def taken(self, at: Ints) -> Stretches:
        """Select stretches by index, in any order, and keep the survival before each."""
        taken = Stretches(
            self.group[at], self.begin[at], self.there[at], self.exits[at], self.is_last[at]
        )
        vars(taken)["before"] = self.before[at]
        return taken

    def row_of(self, exits: Ints) -> Ints:
        """Return the rows of exits, given by their number over all groups, from 0."""
        so_far = np.cumsum(self.exits)
        at = np.searchsorted(so_far, exits, side="right")
        row: Ints = self.begin[at] + exits - (so_far - self.exits)[at]
        return row

    def each_exit(self) -> tuple[Ints, Ints]:
        """Return the stretch of each exit and its number in the stretch, from 1."""
        at = np.repeat(np.arange(len(self.exits)), self.exits)
        nth = np.arange(1, len(at) + 1) - (np.cumsum(self.exits) - self.exits)[at]
        return at, nth


def _earlier(values: Floats, group: Ints) -> Floats:
    """Return the sum of the earlier values of the same group; ``group`` ascends."""
    so_far = np.append(0.0, np.cumsum(values))[:-1]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(np.append(first, len(values)))
    earlier: Floats = so_far - np.repeat(so_far[first], sizes)
    return earlier
