"""The lead table of a report: its leads, and their sums by segment and bucket.

Columns of `LeadTable.table`, one row per lead (per pass, with ``passes: every``):

``lead_id``, the text columns and, as `build_cube.named`, the columns to break down or filter by
    text; a missing value of the latter is ``(missing)``.
``mql_at``, ``exit_at``, ``contacted_at``
    timestamps, as in `leads.integers`; ``exit_at`` is the earliest of accepted, rejected and SQL.
``exit_us``, ``accepted_us``, ``rejected_us``, ``sql_us``, ``contact_us``, ``lag_us``
    microseconds from MQL to the event (``lag_us``: from net-new to MQL), calendar time; whole
    days if either end has only a date.
``unheld_exit_us``, ``unheld_contact_us``, ``unheld_waited_us``, ``unheld_contact_waited_us``
    in calendar time without the time on hold; only if some leads were on hold. Durations in working
    time and ``stage_us``, ``waited_us`` leave it out.
``calendar_waited_us``, ``calendar_contact_waited_us``
    microseconds to the as-of date, with the precision of the exit and of the contact.
``stage_us``, ``waited_us``
    microseconds to the exit, and to the as-of date, on the clock of the report.
``work_exit_us``, ``work_contact_us``, ``work_waited_us``, ``work_contact_waited_us``
    microseconds of working time, if anything is counted in it; ``work_due_at``: due time of a
    promise in working time. The SLA of each lead: `promises.with_promise`.
``first_hold_us``, ``last_hold_us``, ``first_held_us``, ``work_contact_due_at``
    only if some leads were on hold: time without holds until the first and the last hold of the
    pass begin, and the time on hold before the last (NULL if there are more than two), in calendar
    time; the due time if it is the contact that stops the SLA.
``is_in_order``
    whether no exit is before the MQL.
``amount``
    amount won by the as-of date, in millionths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.core.periods import AsOf, Bucket, to_utc
from mqlkit.leads.cache import CLOCK, COHORT, DATA, SLA, Result, ResultCache
from mqlkit.leads.cube import (
    DAY,
    Days,
    Ints,
    LeadCube,
    bucket_of,
    code_of,
    end_of,
    measures_of,
)
from mqlkit.leads.durations import EXITS, Clock
from mqlkit.leads.integers import DAY_US, start_us
from mqlkit.leads.outcomes import SLA_OUTCOMES
from mqlkit.leads.privacy import merged_names
from mqlkit.leads.promises import RULE

ALL_LEADS: Segment = ("", "")
TOTAL_BUCKET = 1 << 20
# A breakdown column and one of its values.
Segment = tuple[str, str]
SEGMENT = ["by", "name"]
Placing = Callable[[Days, Sequence[Bucket]], Ints]


@dataclass(frozen=True)
class LeadTable:
    """The leads of a report, its clock, its buckets and its cube.

    Attributes
    ----------
    table
        See the module's docstring.
    clock
        Parameters, time zone and cut-off of the report, and the columns with only dates.
    buckets, before
        Buckets of the period, and buckets of at least a year before it.
    first_mql
        Local date of the first MQL; None without any.
    data_start
        Local date of the first MQL of the data, before ``where``; None without any.
    recorded
        Columns of timestamps with any value by the as-of date, before ``where``.
    cube
        Sums and waits of the leads.
    cache
        Results that were computed on the same data.
    missing_stages
        Why each stage is not recorded (`Tables.why_missing`), of those that are not.
    """

    table: ir.Table
    clock: Clock
    buckets: tuple[Bucket, ...]
    before: tuple[Bucket, ...]
    first_mql: date | None
    data_start: date | None
    recorded: frozenset[str]
    cube: LeadCube
    cache: ResultCache = field(default_factory=ResultCache)
    missing_stages: Mapping[str, str] = field(default_factory=dict)

    @property
    def params(self) -> ReportParams:
        """Return the report's parameters."""
        return self.clock.params

    @property
    def zone(self) -> ZoneInfo:
        """Return the report's time zone."""
        return self.clock.zone

    @property
    def as_of(self) -> AsOf:
        """Return the cut-off."""
        return self.clock.as_of

    @property
    def dated(self) -> frozenset[str]:
        """Return the columns that contain only dates."""
        return self.clock.dated

    @property
    def whole(self) -> Bucket:
        """Return the period as one bucket."""
        return Bucket("total", self.buckets[0].start, self.buckets[-1].end)

    @property
    def earlier(self) -> tuple[Bucket, ...]:
        """Return the buckets before the period that a rolling cost needs."""
        return self.before[len(self.before) - self.params.rolling + 1 :]

    @property
    def is_stage_dated(self) -> bool:
        """Return whether time in stage is between dates: it has no hours then."""
        exits = {f"{stage}_at" for stage in EXITS} & self.recorded
        return "mql_at" in self.dated or (bool(exits) and exits <= self.dated)

    def is_recorded(self, *stages: str) -> bool:
        """Return whether the data has a timestamp of any of these stages, before any filter."""
        return any(f"{stage}_at" in self.recorded for stage in stages)

    @property
    def cohort(self) -> ir.Table:
        """Return the leads that became MQLs in the period."""
        return self.between(self.buckets[0], self.buckets[-1])

    def between(self, first: Bucket, last: Bucket, column: str = "mql_at") -> ir.Table:
        """Return the leads with a timestamp from the first to the last of some buckets."""
        start, end = (start_us(day, self.zone) for day in (first.start, last.end))
        at = self.table[column]
        return self.table.filter((at >= start) & (at < end))

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Return the grid with the sums of leads that became MQLs in each bucket."""
        depends_on = (*CLOCK, *SLA, "within_days")
        return self._once("counts", lambda: self.grid(self._entered), *depends_on)

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Return the SQLs dated in each bucket, of any cohort: the grid's columns and ``flow``."""
        return self._once("flow", lambda: self.grid(self._became_sql))

    @cached_property
    def squared_amounts(self) -> pd.DataFrame:
        """Return the grid with the sums of squared amounts, in squared millionths: ``squares``."""

        def squares() -> pd.DataFrame:
            return self.grid(self._sums(self.cube.squares, bucket_of, has_total=True))

        return self._once("squared_amounts", squares)

    @cached_property
    def stock(self) -> pd.DataFrame:
        """Return the open MQLs at the end of each bucket: the grid's columns and ``in_stage``."""
        return self._once("stock", lambda: self.grid(self._open))

    def _once(self, name: str, compute: Callable[[], Result], *depends_on: str) -> Result:
        """Return a result of these buckets, from the cache if its parameters are unchanged."""
        choice = [*DATA, *COHORT, "grain", "by", "redact", *depends_on]
        buckets = (self.buckets[0].start, self.buckets[-1].end)
        return self.cache.get(name, self.params, compute, depends_on=choice, of=buckets)

    def entered_in(self, buckets: Sequence[Bucket]) -> list[int]:
        """Return the number of MQLs in each bucket."""
        found = self._placed(self.cube.sums_of("").entered, buckets)
        mqls = found.groupby("bucket")["mqls"].sum()
        return [int(mqls.get(i, 0)) for i in range(len(buckets))]

    def mqls_between(self, instants: Sequence[int], *, by: str = "") -> pd.DataFrame:
        """Return the MQLs by the number of instants up to them: ``name``, ``place``, ``mqls``.

        Parameters
        ----------
        instants
            In microseconds, in order. MQLs before the first are left out.
        by
            A breakdown, whose values are in ``name``; all leads when left out.
        """
        frame = self.cube.matching(self.cube.between(by, tuple(instants)))
        names = self.names_of(by)[frame[code_of(by)]] if by else np.full(len(frame), "")
        keys = [pd.Series(names, frame.index, name="name"), frame["place"]]
        return frame["mqls"].groupby(keys).sum().reset_index()

    def reasons(self) -> pd.DataFrame:
        """Return the period's rejected MQLs by reason: ``reason``, ``leads``."""
        found = self._placed(self.cube.rejected(), [self.whole])
        return found.groupby("reason")["leads"].sum().reset_index()

    def by_promise(self) -> pd.DataFrame:
        """Return the period's ``leads`` and SLA outcomes by promise (index) of `sla_rules`."""
        found = self._placed(self.cube.ruled(), [self.whole])
        return found.groupby(RULE)[["leads", *SLA_OUTCOMES]].sum()

    def sql_ages(self) -> pd.DataFrame:
        """Return the cohort's SQLs by ``bucket`` (index) and ``age`` in days: ``sqls``."""
        found = self._placed(self.cube.converted(), self.buckets)
        found = found.assign(age=found["age"] // DAY_US)
        return found.groupby(["bucket", "age"])["sqls"].sum().reset_index()

    def sources(self) -> set[str]:
        """Return the sources of all leads, including leads that are not MQLs."""
        return set(self.table.select("source").distinct().to_pyarrow()["source"].to_pylist())

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Return the segments with an MQL, an SQL or an open MQL in the period."""
        return self._once("segments", self._find_segments)

    def _find_segments(self) -> tuple[Segment, ...]:
        is_open = self._open["in_stage"] > 0
        found = pd.concat([self._entered, self._became_sql, self._open[is_open]])[SEGMENT]
        seen = found.drop_duplicates().itertuples(index=False, name=None)
        return tuple(dict.fromkeys([ALL_LEADS, *sorted(seen)]))

    @cached_property
    def _entered(self) -> pd.DataFrame:
        return self._sums(lambda by: self.cube.sums_of(by).entered, bucket_of, has_total=True)

    @cached_property
    def _became_sql(self) -> pd.DataFrame:
        return self._sums(lambda by: self.cube.sums_of(by).became_sql, bucket_of, has_total=True)

    @cached_property
    def _open(self) -> pd.DataFrame:
        """Return the open MQLs at the end of each bucket: entered before it, and not left."""

        def changes(by: str) -> pd.DataFrame:
            sums = self.cube.sums_of(by)
            left = sums.left.assign(in_stage=-sums.left["in_stage"])
            entered = sums.entered.assign(in_stage=sums.entered["mqls"])
            return pd.concat([entered[left.columns], left], ignore_index=True)

        found = self._sums(changes, end_of, has_total=False)
        wide = found.pivot(index=SEGMENT, columns="bucket", values="in_stage")
        wide = wide.reindex(columns=range(len(self.buckets))).fillna(0).cumsum(axis=1)
        return wide.melt(value_name="in_stage", ignore_index=False).reset_index()

    def _sums(
        self, sums: Callable[[str], pd.DataFrame], place: Placing, *, has_total: bool
    ) -> pd.DataFrame:
        """Return sums of the cube by segment and bucket, and over the period.

        Parameters
        ----------
        sums
            Returns the daily sums of a breakdown.
        place
            Returns the bucket of each day.
        has_total
            Whether `TOTAL_BUCKET` has the sums over all buckets.

        Returns
        -------
        pandas.DataFrame
            ``by``, ``name``, ``bucket`` (index) and sums, without the segments and buckets that
            have none.
        """
        frames = []
        for by in ("", *self.params.by):
            frame = self.cube.matching(sums(by))
            places = place(frame[DAY].to_numpy(), self.buckets)
            inside = frame[places >= 0]
            names = self.names_of(by)[inside[code_of(by)]] if by else np.full(len(inside), "")
            keys = [pd.Series(names, inside.index), pd.Series(places[places >= 0], inside.index)]
            found = inside[measures_of(frame)].groupby(keys).sum()
            found = found.rename_axis(["name", "bucket"]).reset_index()
            frames.append(found.assign(by=by))
        found = pd.concat(frames, ignore_index=True)
        if not has_total:
            return found
        total = found.drop(columns="bucket").groupby(SEGMENT).sum().reset_index()
        return pd.concat([found, total.assign(bucket=TOTAL_BUCKET)], ignore_index=True)

    def names_of(self, by: str) -> npt.NDArray[Any]:
        """Return the name of the segment of each code of a breakdown."""
        names = self.cube.names[by]
        return merged_names(names, self._mqls_by_code(by)) if self.params.redact else names

    def _mqls_by_code(self, by: str) -> npt.NDArray[Any]:
        """Return the period's MQLs of each code of a breakdown."""
        found = self._placed(self.cube.sums_of(by).entered, [self.whole])
        counts = found["mqls"].to_numpy(dtype=float)
        return np.bincount(found[code_of(by)], counts, minlength=len(self.cube.names[by]))

    def _placed(self, frame: pd.DataFrame, buckets: Sequence[Bucket]) -> pd.DataFrame:
        """Return the rows of a frame of the cube that match, with their ``bucket``."""
        kept = self.cube.matching(frame)
        kept = kept.assign(bucket=bucket_of(kept[DAY].to_numpy(), buckets))
        return kept[kept["bucket"] >= 0]

    def grid(
        self, sums: pd.DataFrame, *, fill: float = 0, segments: Sequence[Segment] | None = None
    ) -> pd.DataFrame:
        """Return a frame with a row for every segment and bucket, and for the whole period.

        Parameters
        ----------
        sums
            Columns ``by``, ``name``, ``bucket`` (index) and values.
        fill
            Value for cells without a row in ``sums``.
        segments
            Segments to return, if not `segments`.

        Returns
        -------
        pandas.DataFrame
            ``bucket`` (label), ``start``, ``end``, ``by``, ``name``, ``flags``, ``index``, values.
        """
        cells = self._cells if segments is None else self._cells_of(segments)
        found = cells[[*SEGMENT, "index"]].merge(
            sums.rename(columns={"bucket": "index"}), how="left", on=[*SEGMENT, "index"]
        )
        return pd.concat([cells, found.drop(columns=[*SEGMENT, "index"]).fillna(fill)], axis=1)

    @cached_property
    def _cells(self) -> pd.DataFrame:
        return self._cells_of(self.segments)

    def _cells_of(self, segments: Sequence[Segment]) -> pd.DataFrame:
        """Return the grid without values; its labels are codes, since there may be millions."""
        spans = [*enumerate(self.buckets), (TOTAL_BUCKET, self.whole)]
        of = np.repeat(np.arange(len(segments)), len(spans))
        at = np.tile(np.arange(len(spans)), len(segments))
        labels: dict[str, list[Any]] = {
            "by": [by for by, _ in segments],
            "name": [name for _, name in segments],
            "bucket": [bucket.label for _, bucket in spans],
            "start": [bucket.start for _, bucket in spans],
            "end": [bucket.end for _, bucket in spans],
        }
        columns: dict[str, Any] = {
            column: pd.Categorical(of_each).take(of if column in SEGMENT else at)
            for column, of_each in labels.items()
        }
        flags = pd.Series([self._progress(bucket) for _, bucket in spans], dtype=object)
        columns["index"] = np.array([index for index, _ in spans]).take(at)
        return pd.DataFrame(columns | {"flags": flags.to_numpy().take(at)})

    def _progress(self, bucket: Bucket) -> tuple[str, ...]:
        is_over = to_utc(bucket.end, self.zone) <= self.as_of.at
        return () if is_over else ("in-progress",)
