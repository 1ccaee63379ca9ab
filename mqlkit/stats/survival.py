"""Kaplan–Meier and Aalen–Johansen estimators for many groups at once.

Between two leads that were last seen waiting, the products of both estimators telescope: such a
*stretch* of exits takes one step as well as one for every time, and there are far fewer of them.
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
    def stretches(self) -> Stretches:
        """Return the stretches of all groups."""
        waits, full = np.flatnonzero(self.kind == 0), np.flatnonzero(self.size)
        ends = self.first + self.size
        # One begins with each group, and one after each that waits: where both do, the latter
        # lies behind the last lead of its group, and is none.
        at = np.searchsorted(waits + 1, self.first[full], side="right")
        begin = np.insert(waits + 1, at, self.first[full])
        group = np.insert(self.group[waits], at, full)
        following = np.append(waits, len(self.kind))
        next_wait = np.insert(following[1:], at, following[at])
        is_any = begin < ends[group]
        begin, group, next_wait = begin[is_any], group[is_any], next_wait[is_any]
        exits = np.minimum(next_wait, ends[group]) - begin
        is_last = np.append(group[1:] != group[:-1], True)[: len(group)]
        return Stretches(group, begin, ends[group] - begin, exits, is_last)

    def quantile(self, share: float) -> Floats:
        """Return a quantile of the times of each group's exits, interpolated; NaN without any."""
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
        """Return the smallest time at which at most half of a group are left waiting; NaN: none."""
        parts, found = self.stretches, np.full(self.groups, np.nan)
        half = 0.5 + EDGE
        crossing = np.flatnonzero((parts.exits > 0) & (parts.after(parts.exits) <= half))
        groups, earliest = np.unique(parts.group[crossing], return_index=True)
        within = parts.taken(crossing[earliest])
        # The exit that reaches it, but for an ulp or two.
        exits = np.ceil(within.there * (1 - half / within.before)).astype(np.int64) + 1
        for _ in range(2):
            exits -= (exits > 1) & (within.after(exits - 1) <= half)
        exits = np.clip(exits, 1, within.exits)
        found[groups] = self.time[within.begin + exits - 1]
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
        # A term of Greenwood's sum is 1 / (n - d) - 1 / n: they telescope as well.
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
        parts = self.stretches
        # Those of a group that are over by then come first in it.
        over = self.first + np.bincount(self.group[self.time <= until], minlength=self.groups)
        exits = np.clip(over[parts.group] - parts.begin, 0, parts.exits)
        moving = np.flatnonzero(exits)
        parts, exits = parts.taken(moving), exits[moving]
        wanted = np.append(0, np.cumsum(self.kind == 1))
        d1 = (wanted[parts.begin + exits] - wanted[parts.begin]).astype(float)
        group, d, n, s = parts.group, exits.astype(float), parts.there.astype(float), parts.before

        def total(values: Floats) -> Floats:
            return np.bincount(group, values, minlength=self.groups).astype(float)

        reached = _earlier(s * d1 / n, group) + s * d1 / n
        hazard = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
        own = s * d1 / n**2
        found = total(s * d1 / n)
        spread = found**2 * total(hazard) - 2 * found * total(hazard * reached)
        spread += total(hazard * reached**2) + total(s**2 * (n - d1) / n * d1 / n**2)
        return found, spread - 2 * (found * total(own) - total(own * reached))


@dataclass(frozen=True, eq=False)
class Stretches:
    """The stretches of some waits, group by group.

    Attributes
    ----------
    group
        Number of each stretch's group, ascending.
    begin
        Row of its first lead.
    there
        How many of the group are there when it begins.
    exits
        How many of them leave in it, before one is last seen waiting.
    is_last
        Whether it is the last of its group.
    """

    group: Ints
    begin: Ints
    there: Ints
    exits: Ints
    is_last: npt.NDArray[np.bool_]

    @cached_property
    def before(self) -> Floats:
        """Return the survival up to the beginning of each stretch."""
        left = np.where(self.is_last, self.there, self.there - self.exits)
        return np.exp(_earlier(np.log(left / self.there), self.group))

    def after(self, exits: Ints) -> Floats:
        """Return the Kaplan–Meier estimate after some exits of each stretch."""
        return self.before * ((self.there - exits) / self.there)

    def taken(self, at: Ints) -> Stretches:
        """Return some of the stretches, in an order of one's own, with the survival before each."""
        taken = Stretches(
            self.group[at], self.begin[at], self.there[at], self.exits[at], self.is_last[at]
        )
        vars(taken)["before"] = self.before[at]
        return taken

    def row_of(self, exits: Ints) -> Ints:
        """Return the rows of some exits, which are counted from 0 through all groups."""
        so_far = np.cumsum(self.exits)
        at = np.searchsorted(so_far, exits, side="right")
        row: Ints = self.begin[at] + exits - (so_far - self.exits)[at]
        return row

    def each_exit(self) -> tuple[Ints, Ints]:
        """Return for each exit its stretch, and its number in it, from 1."""
        at = np.repeat(np.arange(len(self.exits)), self.exits)
        nth = np.arange(1, len(at) + 1) - (np.cumsum(self.exits) - self.exits)[at]
        return at, nth


def _earlier(values: Floats, group: Ints) -> Floats:
    """Return for each value the sum of those before it in its group; ``group`` ascends."""
    so_far = np.append(0.0, np.cumsum(values))[:-1]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(np.append(first, len(values)))
    earlier: Floats = so_far - np.repeat(so_far[first], sizes)
    return earlier
