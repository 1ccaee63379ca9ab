"""Sums of leads by day and breakdown, and sorted waits: every number is computed from these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import Bucket
from mqlkit.leads.columns import Where
from mqlkit.leads.funnel import Step
from mqlkit.stats.daily import day_numbers
from mqlkit.stats.survival import in_time

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[Any]
# Day of an event that never happened; before every bucket.
NEVER = -(1 << 20)
# Columns of a frame of sums that are no sums.
DAY, FIRST = "day", "first_mql_at"


@dataclass(frozen=True, eq=False)
class StageWaits:
    """Waits of the leads that entered a stage, in any order.

    Attributes
    ----------
    ends
        Time and kind by the stage up to which they are counted; as in `funnel.StageEvents`.
    day, codes
        As in `SortedWaits`.
    """

    ends: Mapping[str, tuple[Ints, npt.NDArray[Any]]]
    day: Days
    codes: Mapping[str, npt.NDArray[Any]]

    def until(self, end: str) -> SortedWaits:
        """Return the waits up to a stage, sorted."""
        time, kind = self.ends[end]
        order = in_time(time, kind)
        codes = {column: code[order] for column, code in self.codes.items()}
        return SortedWaits(time[order], kind[order], self.day[order], codes)


@dataclass(frozen=True, eq=False)
class SortedWaits:
    """Waits of leads in a stage, in the order of `survival.in_time`.

    Attributes
    ----------
    time, kind
        As in `survival.in_time`. The time is `funnel.OUT_OF_ORDER` for leads without a wait.
    day
        Local day on which each lead entered the stage, in days since 1970-01-01.
    codes
        Index of each value in `LeadCube.values`, by column.
    """

    time: Ints
    kind: npt.NDArray[Any]
    day: Days
    codes: Mapping[str, npt.NDArray[Any]]

    @property
    def in_order(self) -> SortedWaits:
        """Return the waits of the leads whose events are in order."""
        rows = slice(int(np.searchsorted(self.time, 0)), None)
        codes = {column: code[rows] for column, code in self.codes.items()}
        return SortedWaits(self.time[rows], self.kind[rows], self.day[rows], codes)

    def places(self, buckets: Sequence[Bucket]) -> Ints:
        """Return the index of the bucket of each lead; -1 outside of all buckets."""
        if not len(self.day):
            return np.zeros(0, dtype=np.int64)
        first, last = self.day.min(), self.day.max()
        places: Ints = bucket_of(np.arange(first, last + 1), buckets)[self.day - first]
        return places


@dataclass(frozen=True, eq=False)
class DailySums:
    """Sums over leads by ``day`` and by the codes of some columns (`code_of`).

    A day stands for itself, or for all days from it to the next edge of a bucket.

    Attributes
    ----------
    entered
        By day of the MQL: ``leads``, the sums of `outcomes.lead_outcomes`, `sla_measures`,
        `within_outcomes` and `noted_of`, and ``first_mql_at``.
    became_sql
        By day of the SQL: ``flow``.
    left
        By day of the exit: ``in_stage``.
    """

    entered: pd.DataFrame
    became_sql: pd.DataFrame
    left: pd.DataFrame


@dataclass(frozen=True, eq=False)
class LeadCube:
    """What leaves the engine: sums of leads, and waits.

    Attributes
    ----------
    values
        Values of each column that has codes. The index of a value is its code.
    names
        Name of the segment of each code, by column: the value, or `privacy.OTHER` where a breakdown
        has too many.
    folded
        Number of values that a breakdown joins under that name, by column.
    where
        Filter that the sums and waits do not have yet.
    sums
        Sums by breakdown; under ``""`` those for all breakdowns and for all leads.
    ruled
        Returns MQLs and outcomes against the SLA by promise (`promises.RULE`), day and codes.
    rejected, converted
        Return, by day of the MQL and the codes of ``where``, rejected ``leads`` by ``reason``, and
        ``sqls`` by ``age`` (`outcomes.sql_age`).
    between
        Returns, for a breakdown (``""``: all leads) and instants in order, ``mqls`` by ``place``
        (the number of instants up to the MQL) and the codes of the breakdown and of ``where``.
    step
        Returns the waits of a step of the funnel, or the time in stage of the in-order MQLs. They
        are large: read those of one stage, reduce them, and let them go.
    squares
        Returns, for a breakdown, the sums of squared amounts (``squares``, of millionths) by day of
        the MQL and the codes of the breakdown and of ``where``.
    """

    values: Mapping[str, tuple[str, ...]]
    names: Mapping[str, npt.NDArray[Any]]
    folded: Mapping[str, int]
    where: Where
    sums: Mapping[str, DailySums]
    ruled: Callable[[], pd.DataFrame]
    rejected: Callable[[], pd.DataFrame]
    converted: Callable[[], pd.DataFrame]
    between: Callable[[str, tuple[int, ...]], pd.DataFrame]
    step: Callable[[Step], SortedWaits]
    squares: Callable[[str], pd.DataFrame]

    def sums_of(self, by: str) -> DailySums:
        """Return sums with the codes of a breakdown, or any sums for all leads (``""``)."""
        return self.sums[by] if by in self.sums else next(iter(self.sums.values()))

    def matches(self, codes: Mapping[str, Any]) -> npt.NDArray[np.bool_] | bool:
        """Return which rows, given by their codes, match the filter."""
        is_match: npt.NDArray[np.bool_] | bool = True
        for column, wanted in self.where.items():
            is_wanted = np.isin(self.values[column], [str(value) for value in wanted])
            is_match = is_match & is_wanted[codes[column]]
        return is_match

    def matching(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a frame that match the filter."""
        if not self.where:
            return frame
        codes = {column: frame[code_of(column)].to_numpy() for column in self.where}
        return frame.loc[np.broadcast_to(self.matches(codes), len(frame))]

    def kept(self, waits: SortedWaits) -> tuple[Ints, npt.NDArray[Any]]:
        """Return time and kind of the waits that match the filter, in their order."""
        if not self.where:
            return waits.time, waits.kind
        rows = self.matches(waits.codes)
        return waits.time[rows], waits.kind[rows]

    def summary(self) -> dict[str, Any]:
        """Return sums over all matching leads, and ``first``, when the first became an MQL."""
        frame = self.matching(self.sums_of("").entered)
        first = frame[FIRST].min()
        return {**frame[measures_of(frame)].sum(), "first": None if pd.isna(first) else int(first)}


def code_of(column: str) -> str:
    """Return the column with the codes of a column; no header of an export has this name."""
    return f"\x1fcode\x1f{column}"


def measures_of(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a frame of the cube that are sums."""
    return [c for c in frame.columns if c not in (DAY, FIRST) and not c.startswith(code_of(""))]


def bucket_of(days: Days, buckets: Sequence[Bucket]) -> Ints:
    """Return the index of the bucket of each day; -1 outside of all buckets."""
    starts, ends = (day_numbers([getattr(b, edge) for b in buckets]) for edge in ("start", "end"))
    place = np.searchsorted(starts, days, side="right") - 1
    return np.where((place >= 0) & (days < ends[place]), place, -1)


def end_of(days: Days, buckets: Sequence[Bucket]) -> Ints:
    """Return the index of the first bucket that ends after each day; -1 after the last."""
    ends = day_numbers([b.end for b in buckets])
    place = np.searchsorted(ends, days, side="right")
    return np.where((place < len(buckets)) & (days > NEVER), place, -1)
