"""The lead table: all leads as of a date, with their durations.

Columns of `LeadTable.table`, one row per lead (per pass, with ``passes: every``):

``lead_id``, the text columns and, as `breakdown` names them, the breakdowns
    text; a missing breakdown value is ``(missing)``.
``mql_at``, ``exit_at``, ``contacted_at``
    naive UTC timestamps; ``exit_at`` is the earliest of accepted, rejected and SQL.
``mql_bucket``, ``sql_bucket``
    index of the bucket that contains the timestamp: 0 is the first of the period, earlier ones
    are negative. NULL without a timestamp, or outside of all buckets.
``exit_us``, ``accepted_us``, ``rejected_us``, ``sql_us``, ``contact_us``, ``lag_us``
    microseconds from MQL to the event (``lag_us``: from net-new to MQL), calendar time; whole
    days if either end has only a date.
``stage_us``, ``stop_us``, ``waited_us``, ``sla_waited_us``
    microseconds to the exit, to the event that stops the SLA, and to the as-of date (with the
    precision of each), on the chosen clock. ``calendar_waited_us``: to the as-of date in
    calendar time.
``due_at``
    due time of the SLA; NULL on a business clock if timestamps are dates.
``is_in_order``
    whether no exit is before the MQL.
``amount``
    amount won by the as-of date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.names import MISSING
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import AsOf, Bucket, to_utc
from mqlkit.leads.durations import Clock
from mqlkit.leads.outcomes import counted_outcomes, is_rejected, sql_age
from mqlkit.sources.store import literal, to_frame

ALL_LEADS: Segment = ("", "")
TOTAL_BUCKET = 1 << 20
# A breakdown column and one of its values.
Segment = tuple[str, str]
SEGMENT = ["by", "name"]


def breakdown(index: int) -> str:
    """Return the column of a breakdown in the lead table; no header of an export has this name."""
    return f"\x1fby_{index}"


def added_up(measures: Mapping[str, ir.Value]) -> dict[str, ir.Value]:
    """Return the sums of integer or boolean columns."""
    # Exact integer sums, then floats: weeks of ten million leads in microseconds exceed 64 bits.
    return {n: m.cast("int64").sum().cast("float64").fill_null(0) for n, m in measures.items()}


@dataclass(frozen=True)
class LeadTable:
    """The lead table, its clock and its buckets.

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
    recorded
        Columns of timestamps with any value, before ``sql_at`` is used as an acceptance.
    """

    table: ir.Table
    clock: Clock
    buckets: tuple[Bucket, ...]
    before: tuple[Bucket, ...]
    first_mql: date | None
    recorded: frozenset[str]

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
    def is_handoff_recorded(self) -> bool:
        """Return whether the data records acceptances or rejections at all."""
        return bool({"accepted_at", "rejected_at"} & self.recorded)

    @property
    def cohort(self) -> ir.Table:
        """Return the leads that became MQLs in the period."""
        return self.between(self.buckets[0], self.buckets[-1])

    def between(self, first: Bucket, last: Bucket, column: str = "mql_at") -> ir.Table:
        """Return the leads with a timestamp from the first to the last of some buckets."""
        start, end = (literal(to_utc(day, self.zone)) for day in (first.start, last.end))
        at = self.table[column]
        return self.table.filter((at >= start) & (at < end))

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Return the grid with the sums of `outcomes.counted_outcomes`."""
        return self.grid(self.counted)

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Return the SQLs dated in each bucket, of any cohort: the grid's columns and ``flow``."""
        return self.grid(self.flowing)

    @cached_property
    def stock(self) -> pd.DataFrame:
        """Return the open MQLs at the end of each bucket: the grid's columns and ``in_stage``."""
        return self.grid(self.waiting)

    @cached_property
    def entered(self) -> dict[int, int]:
        """Return the MQLs of each bucket by its index, those before the period included."""
        known = self.between((*self.before, *self.buckets)[0], self.buckets[-1])
        rows = known.group_by("mql_bucket").aggregate(n=known.count()).to_pyarrow().to_pylist()
        return {row["mql_bucket"]: row["n"] for row in rows}

    def entered_in(self, buckets: Sequence[Bucket]) -> list[int]:
        """Return the number of MQLs in each bucket, for any buckets."""
        at = self.table["mql_at"]
        edges = [[literal(to_utc(day, self.zone)) for day in (b.start, b.end)] for b in buckets]
        sums = {f"{i}": ((at >= a) & (at < b)).sum().fill_null(0) for i, (a, b) in enumerate(edges)}
        known = self.between(buckets[0], buckets[-1])
        return list(known.aggregate(**sums).to_pyarrow().to_pylist()[0].values())

    def reasons(self) -> pd.DataFrame:
        """Return the period's rejected MQLs by reason: ``reason``, ``leads``."""
        rejected = self.cohort.filter(is_rejected(self.cohort))
        reason = rejected["rejection_reason"].fill_null(MISSING)
        return to_frame(rejected.group_by(reason=reason).aggregate(leads=rejected.count()))

    def sql_ages(self) -> pd.DataFrame:
        """Return the cohort's SQLs by ``bucket`` (index) and `sql_age` (``age``): ``sqls``."""
        done = self.cohort.filter(lambda t: t["sql_us"].notnull())
        groups = done.group_by(bucket="mql_bucket", age=sql_age(done))
        return to_frame(groups.aggregate(sqls=done.count()))

    def sources(self) -> set[str]:
        """Return the sources of all leads, including leads that are not MQLs."""
        return set(self.table.select("source").distinct().to_pyarrow()["source"].to_pylist())

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Return the segments with an MQL, an SQL or an open MQL in the period."""
        if not self.params.by:
            return (ALL_LEADS,)
        found = [self.counted, self.flowing, self.waiting[self.waiting["in_stage"] > 0]]
        seen = {pair for frame in found for pair in zip(frame["by"], frame["name"], strict=True)}
        return tuple(dict.fromkeys([ALL_LEADS, *sorted(seen)]))

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Return `counts` where they are not zero: ``by``, ``name``, ``bucket`` (index), sums."""
        return self.totals(counted_outcomes(self.cohort, self.clock))

    @cached_property
    def flowing(self) -> pd.DataFrame:
        """Return `flow` where it is not zero."""
        dated = self.between(self.buckets[0], self.buckets[-1], "sql_at")
        dated = dated.filter(dated["mql_at"].notnull())
        return self.totals({"flow": dated["sql_us"].notnull()}, of=dated, bucket="sql_bucket")

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """Return the open MQLs at the end of each bucket, where not zero."""
        table = self.table.filter(self.table["mql_at"].notnull())
        ends = [literal(to_utc(b.end, self.zone)) for b in self.buckets]
        entered, left = table["mql_at"], table["exit_at"]
        stock = {
            f"{i}": (entered < end) & (left.isnull() | (left >= end)) for i, end in enumerate(ends)
        }
        wide = self.totals(stock, of=table).query("bucket == @TOTAL_BUCKET").drop(columns="bucket")
        tall = wide.melt(id_vars=SEGMENT, var_name="bucket", value_name="in_stage")
        return tall.assign(bucket=tall["bucket"].astype("int64"))

    def grid(self, wide: pd.DataFrame, *, fill: float = 0) -> pd.DataFrame:
        """Return a frame with a row for every segment and bucket, and for the whole period.

        Parameters
        ----------
        wide
            Columns ``by``, ``name``, ``bucket`` (index) and values, as `totals` returns them.
        fill
            Value for cells without a row in ``wide``.

        Returns
        -------
        pandas.DataFrame
            ``bucket`` (label), ``start``, ``end``, ``by``, ``name``, ``flags``, ``index``, values.
        """
        cells, keys = self._cells, [*SEGMENT, "bucket"]
        rows = zip(cells["by"], cells["name"], cells["index"], strict=True)
        place = {cell: i for i, cell in enumerate(rows)}
        places = [place.get(cell, -1) for cell in zip(*(wide[key] for key in keys), strict=True)]
        found = wide.drop(columns=keys).set_axis(places).loc[lambda rows: rows.index >= 0]
        return pd.concat([cells, found.reindex(cells.index).fillna(fill)], axis=1)

    @cached_property
    def _cells(self) -> pd.DataFrame:
        """Return the grid without values."""
        spans = [*enumerate(self.buckets), (TOTAL_BUCKET, self.whole)]
        return pd.DataFrame(
            [
                (*s, i, b.label, b.start, b.end, self._progress(b))
                for s in self.segments
                for i, b in spans
            ],
            columns=[*SEGMENT, "index", "bucket", "start", "end", "flags"],
        )

    def _progress(self, bucket: Bucket) -> tuple[str, ...]:
        is_over = to_utc(bucket.end, self.zone) <= self.as_of.at
        return () if is_over else ("in-progress",)

    def totals(
        self,
        measures: Mapping[str, ir.Value],
        *,
        of: ir.Table | None = None,
        bucket: str = "mql_bucket",
    ) -> pd.DataFrame:
        """Return sums of measures for every breakdown, bucket and the whole period.

        Parameters
        ----------
        measures
            Integer or boolean columns of ``of``, by name.
        of
            Leads to count; by default the cohort.
        bucket
            Column with the bucket of each lead.

        Returns
        -------
        pandas.DataFrame
            Columns ``by`` and ``name`` (a breakdown column and its value, empty for all leads),
            ``bucket`` (index; `TOTAL_BUCKET` is the whole period) and the measures.
        """
        leads = self.cohort if of is None else of
        keys = [*map(breakdown, range(len(self.params.by))), bucket]
        finest = to_frame(leads.group_by(keys).aggregate(**added_up(measures)).order_by(keys))
        return self.rolled_up(finest.rename(columns={bucket: "bucket"}), [*measures])

    def rolled_up(self, finest: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
        """Return the result of `totals` from sums by all breakdowns and ``bucket``."""
        cuts = [(by, is_whole) for by in (None, *self.params.by) for is_whole in (False, True)]
        laid = [self._laid(finest, by, is_whole=is_whole) for by, is_whole in cuts]
        frame = pd.concat(laid, ignore_index=True)
        return frame.groupby(["bucket", *SEGMENT])[[*measures]].sum().reset_index()

    def _laid(self, finest: pd.DataFrame, by: str | None, *, is_whole: bool) -> pd.DataFrame:
        """Return sums with the segment of one breakdown."""
        name = "" if by is None else finest[breakdown(self.params.by.index(by))]
        cut = TOTAL_BUCKET if is_whole else finest["bucket"]
        return finest.assign(bucket=cut, by=by or "", name=name)
