"""Daily counts and sorted waits, from which any period, grain or filter is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.periods import Bucket
from mqlkit.leads.table import SEGMENT, TOTAL_BUCKET, LeadTable, breakdown
from mqlkit.stats.daily import day_numbers

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[Any]
Where = Mapping[str, Sequence[str]]
Placing = Callable[[Days, Sequence[Bucket]], Ints]
# Day of an event that never happened; before every bucket.
NEVER = -(1 << 31)


@dataclass(frozen=True, eq=False)
class SortedWaits:
    """Waits of all in-order MQLs, in the order of `survival.in_time`.

    Attributes
    ----------
    time, kind
        As in `survival.in_time`.
    day
        Local day of each MQL, in days since 1970-01-01.
    codes
        Index of each value in `LeadCube.values`, by column.
    """

    time: Ints
    kind: npt.NDArray[Any]
    day: Days
    codes: Mapping[str, npt.NDArray[Any]]

    def places(self, buckets: Sequence[Bucket]) -> Ints:
        """Return the index of the bucket of each lead; -1 outside of all buckets."""
        if not len(self.day):
            return np.zeros(0, dtype=np.int64)
        first, last = self.day.min(), self.day.max()
        places: Ints = bucket_of(np.arange(first, last + 1), buckets)[self.day - first]
        return places


@dataclass(frozen=True, eq=False)
class LeadCube:
    """Sums of leads by day and breakdown, and sorted waits.

    Attributes
    ----------
    values
        Values of each column to break down or filter by.
    entered, became_sql, left
        Sums over leads by ``day`` (of the MQL, of the SQL, of the exit) and by the codes of some
        columns (`code_of`). ``entered``: ``leads`` and the sums of `outcomes.counted_outcomes`
        and `outcomes.noted_of`. ``became_sql``: ``flow``. ``left``: ``in_stage``.
    rejected, converted
        By day of the MQL and the same codes: rejected ``leads`` by ``reason``, ``sqls`` by
        ``age`` (`outcomes.sql_age`).
    time_in_stage, time_to_sql
        Waits of the in-order MQLs: time in stage, and time to SQL or rejection.
    """

    values: Mapping[str, tuple[str, ...]]
    entered: pd.DataFrame
    became_sql: pd.DataFrame
    left: pd.DataFrame
    rejected: pd.DataFrame
    converted: pd.DataFrame
    time_in_stage: SortedWaits
    time_to_sql: SortedWaits

    def matches(self, codes: Mapping[str, Any], where: Where) -> npt.NDArray[np.bool_] | bool:
        """Return which rows, given by their codes, match a filter."""
        is_match: npt.NDArray[np.bool_] | bool = True
        for column, wanted in where.items():
            is_wanted = np.isin(self.values[column], [str(value) for value in wanted])
            is_match = is_match & is_wanted[codes[column]]
        return is_match

    def time_to_sql_quantile(self, where: Where, share: float) -> float:
        """Return a quantile of time to SQL of the leads that match a filter; NaN without any."""
        waits = self.time_to_sql
        times = waits.time[(waits.kind == 1) & self.matches(waits.codes, where)]
        return float(np.quantile(times, share)) if len(times) else float("nan")

    def matching(self, frame: pd.DataFrame, where: Where) -> pd.DataFrame:
        """Return the rows of a frame that match a filter."""
        codes = {column: frame[code_of(column)].to_numpy() for column in where}
        is_kept = self.matches(codes, where)
        return frame.loc[np.broadcast_to(is_kept, len(frame))]

    def by_bucket(self, frame: pd.DataFrame, places: Ints, by: Sequence[str]) -> pd.DataFrame:
        """Return the sums of a frame by breakdowns and bucket.

        Parameters
        ----------
        frame
            Rows of one of the frames above.
        places
            Bucket of each row, from `bucket_of`; rows with -1 are dropped.
        by
            The breakdowns.

        Returns
        -------
        pandas.DataFrame
            Input of `LeadTable.rolled_up`.
        """
        rows = np.flatnonzero(places >= 0)
        codes = {breakdown(i): frame[code_of(c)].to_numpy()[rows] for i, c in enumerate(by)}
        sums = frame[measures_of(frame)].iloc[rows]
        found = sums.groupby([*codes.values(), places[rows]]).sum()
        found = found.rename_axis([*codes, "bucket"]).reset_index()
        for name, column in zip(codes, by, strict=True):
            found[name] = np.array(self.values[column], dtype=object)[found[name]]
        return found

    def summary(self, where: Where) -> dict[str, Any]:
        """Return the counts of the notes and the day of the first MQL."""
        frame = self.matching(self.entered, where)
        days = frame["day"][frame["mqls"] > 0]
        first = None if days.empty else np.datetime64(int(days.min()), "D").item()
        return {**frame[measures_of(frame)].sum(), "first": first}


@dataclass(frozen=True)
class CubeTable(LeadTable):
    """A lead table whose sums come from a cube instead of queries.

    Its `table` has no bucket columns.

    Attributes
    ----------
    cube
        The cube of all leads, before any filter.
    """

    cube: LeadCube

    @cached_property
    def entered(self) -> dict[int, int]:
        """Return the MQLs of each bucket by its index, those before the period included."""
        mqls = self.entered_in([*self.before, *self.buckets])
        return {i - len(self.before): n for i, n in enumerate(mqls)}

    def entered_in(self, buckets: Sequence[Bucket]) -> list[int]:
        """Return the number of MQLs in each bucket, for any buckets."""
        mqls = self._placed(self.cube.entered, buckets).groupby("bucket")["mqls"].sum()
        return [int(mqls.get(i, 0)) for i in range(len(buckets))]

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Return `counts` where they are not zero: ``by``, ``name``, ``bucket`` (index), sums."""
        return self._rolled(self.cube.entered)

    @cached_property
    def flowing(self) -> pd.DataFrame:
        """Return `flow` where it is not zero."""
        return self._rolled(self.cube.became_sql)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """Return the open MQLs at the end of each bucket."""
        entered = self.cube.entered.assign(in_stage=self.cube.entered["mqls"])
        left = self.cube.left.assign(in_stage=-self.cube.left["in_stage"])
        changes = pd.concat([entered[left.columns], left], ignore_index=True)
        sums = self._rolled(changes, end_of)
        sums = sums[sums["bucket"] != TOTAL_BUCKET]
        wide = sums.pivot(index=SEGMENT, columns="bucket", values="in_stage")
        wide = wide.reindex(columns=range(len(self.buckets))).fillna(0).cumsum(axis=1)
        return wide.melt(value_name="in_stage", ignore_index=False).reset_index()

    def reasons(self) -> pd.DataFrame:
        """Return the period's rejected MQLs by reason: ``reason``, ``leads``."""
        found = self._placed(self.cube.rejected, [self.whole])
        return found.groupby("reason")["leads"].sum().reset_index()

    def sql_ages(self) -> pd.DataFrame:
        """Return the cohort's SQLs by ``bucket`` (index) and ``age``: ``sqls``."""
        found = self._placed(self.cube.converted, self.buckets)
        return found.groupby(["bucket", "age"])["sqls"].sum().reset_index()

    def sources(self) -> set[str]:
        """Return the sources of all leads, including leads that are not MQLs."""
        code = code_of("source")
        if code not in self.cube.entered:
            return super().sources()
        found = self.cube.matching(self.cube.entered, self.params.where)[code].unique()
        return {self.cube.values["source"][i] for i in found}

    def _placed(self, frame: pd.DataFrame, buckets: Sequence[Bucket]) -> pd.DataFrame:
        """Return the rows of a frame of the cube that match, with their ``bucket``."""
        kept = self.cube.matching(frame, self.params.where)
        kept = kept.assign(bucket=bucket_of(kept["day"].to_numpy(), buckets))
        return kept[kept["bucket"] >= 0]

    def _rolled(self, frame: pd.DataFrame, place: Placing | None = None) -> pd.DataFrame:
        """Return daily sums in the form of `totals`."""
        kept = self.cube.matching(frame, self.params.where)
        places = (place or bucket_of)(kept["day"].to_numpy(), self.buckets)
        return self.rolled_up(self.cube.by_bucket(kept, places, self.params.by), measures_of(frame))


def code_of(column: str) -> str:
    """Return the column with the codes of a column; no header of an export has this name."""
    return f"\x1f\x1f{column}"


def measures_of(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a frame of the cube that are sums."""
    return [name for name in frame.columns if name != "day" and not name.startswith(code_of(""))]


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
