"""The one lead table: every lead as of a moment, with its durations, read once and kept.

Columns of `LeadTable.table`, one row per lead (per pass, with ``passes: every``):

``lead_id``, the breakdown columns and those of the lists
    text; a missing breakdown value is ``(missing)``.
``mql_at``, ``exit_at``, ``contacted_at``
    naive UTC stamps; ``exit_at`` is the earliest of accepted, rejected and SQL.
``mql_bucket``, ``sql_bucket``
    index of the bucket that the stamp lies in: 0 is the first of the period, those before it are
    negative; NULL without the stamp or outside all buckets.
``exit_us``, ``accepted_us``, ``rejected_us``, ``sql_us``, ``contact_us``, ``lag_us``
    microseconds from MQL to the event (``lag_us``: from net-new to MQL), calendar time; whole
    days where either end has only a date.
``stage_us``, ``stop_us``, ``waited_us``
    microseconds to the exit, to what stops the SLA, and to the as-of moment, on the chosen clock.
``is_in_order``
    whether no exit lies before the MQL stamp.
``amount``
    amount won by the as-of moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.engine import literal, local_date, local_to_instant, step, to_frame, to_naive
from mqlkit.params import ReportParams, resolve_as_of
from mqlkit.periods import AsOf, Bucket, to_utc
from mqlkit.terms import LATER_STAGES, MISSING, STAMPS, TEXT_COLUMNS

if TYPE_CHECKING:
    from mqlkit.sources.load import Tables

DAY_US = 24 * 3_600_000_000
HOUR_US = 3_600_000_000
EXITS = ("accepted", "rejected", "sql")
ALL_LEADS: Segment = ()
TOTAL_BUCKET = 1 << 20

Segment = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LeadTable:
    """The lead table and what it was cut by.

    Attributes
    ----------
    table
        See the module's docstring.
    params
        The report's parameters.
    zone
        The report's time zone.
    as_of
        The cut-off.
    buckets, earlier
        Buckets of the period, and those before it that a rolling cost needs.
    recorded
        Stamps of which the data holds any value, before ``sql_at`` stands in for an acceptance.
    dated
        Stamps that hold only dates.
    segments
        Every segment with a lead that came in, became SQL or waited in the period.
    """

    table: ir.Table
    params: ReportParams
    zone: ZoneInfo
    as_of: AsOf
    buckets: tuple[Bucket, ...]
    earlier: tuple[Bucket, ...]
    recorded: frozenset[str]
    dated: frozenset[str]
    segments: tuple[Segment, ...] = ()

    @property
    def whole(self) -> Bucket:
        """Return the period as one bucket."""
        return Bucket("total", self.buckets[0].start, self.buckets[-1].end)

    @property
    def levels(self) -> list[tuple[str, ...]]:
        """Return the breakdowns: none, each column alone, and all of them crossed."""
        by = tuple(self.params.by)
        return [(), *((c,) for c in by), *([by] if len(by) > 1 else [])]

    @property
    def is_handoff_recorded(self) -> bool:
        """Return whether the data records acceptances or rejections at all."""
        return bool({"accepted_at", "rejected_at"} & self.recorded)

    @property
    def cohort(self) -> ir.Table:
        """Return the leads that became MQLs in the period."""
        bucket = self.table["mql_bucket"]
        return self.table.filter(bucket.between(0, len(self.buckets) - 1))

    def grid(self, wide: pd.DataFrame, *, fill: float = 0) -> pd.DataFrame:
        """Return a frame with a row for every segment and bucket, and for the whole period.

        Parameters
        ----------
        wide
            Columns ``segment``, ``bucket`` (index) and values, as `totals` returns them.
        fill
            What stands where ``wide`` has no row.

        Returns
        -------
        pandas.DataFrame
            ``bucket`` (label), ``start``, ``end``, ``segment``, ``flags``, ``index`` and the values.
        """
        spans = [*enumerate(self.buckets), (TOTAL_BUCKET, self.whole)]
        frame = pd.DataFrame(
            [
                (s, i, b.label, b.start, b.end, self._progress(b))
                for s in self.segments
                for i, b in spans
            ],
            columns=["segment", "index", "bucket", "start", "end", "flags"],
        )
        values = wide.rename(columns={"bucket": "index"})
        merged = frame.merge(values, on=["segment", "index"], how="left", validate="one_to_one")
        added = [c for c in values.columns if c not in ("segment", "index")]
        merged[added] = merged[added].fillna(fill)
        return merged

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
            Integer or boolean columns by name, over ``of``; they are added up.
        of
            Leads to count; the cohort when left out.
        bucket
            Column that says in which bucket a lead counts.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment`` (pairs of column and value), ``bucket`` (index; `TOTAL_BUCKET` is
            the whole period) and the measures, int64.
        """
        leads = self.cohort if of is None else of
        by = [*self.params.by]
        sums = {name: m.cast("int64").sum().fill_null(0) for name, m in measures.items()}
        finest = leads.group_by([bucket, *by]).aggregate(**sums).cache()
        return self.by_level(
            finest,
            lambda piece: {name: piece[name].sum().cast("int64") for name in measures},
            bucket=bucket,
        )

    def by_level(
        self,
        table: ir.Table,
        aggregate: Callable[[ir.Table], Mapping[str, ir.Value]],
        *,
        bucket: str = "mql_bucket",
    ) -> pd.DataFrame:
        """Return an aggregate for every breakdown, bucket and the whole period, in one query."""
        pieces = [
            self._one_level(table, aggregate(table), level, bucket if cut else None)
            for level in self.levels
            for cut in (True, False)
        ]
        return self._segmented(to_frame(reduce(lambda a, b: a.union(b), pieces)))

    def curves(
        self, table: ir.Table, curve: Callable[[ir.Table, list[str]], ir.Table]
    ) -> pd.DataFrame:
        """Return what ``curve(table, groups)`` gives per group, for every breakdown and bucket.

        Unlike `by_level`, the groups are laid before the curve: it sees all leads of a group in
        order of time.
        """
        keys = ["level", "bucket", *(f"by_{i}" for i in range(len(self.params.by)))]
        pieces = []
        for level in self.levels:
            for cut in (True, False):
                by = {
                    f"by_{i}": table[c] if c in level else ibis.literal("")
                    for i, c in enumerate(self.params.by)
                }
                place = table["mql_bucket"].cast("int64") if cut else ibis.literal(TOTAL_BUCKET)
                laid = table.mutate(
                    level=ibis.literal(self._mask(level)), bucket=place.cast("int64"), **by
                )
                pieces.append(curve(laid, keys))
        return self._segmented(to_frame(reduce(lambda a, b: a.union(b), pieces)))

    def _mask(self, level: tuple[str, ...]) -> int:
        return sum(1 << i for i, c in enumerate(self.params.by) if c in level)

    def _segmented(self, frame: pd.DataFrame) -> pd.DataFrame:
        by = self.params.by
        names = [f"by_{i}" for i in range(len(by))]
        rows = zip(frame["level"], *(frame[n] for n in names), strict=True)
        segments = [
            tuple((by[i], v) for i, v in enumerate(values) if mask >> i & 1)
            for mask, *values in rows
        ]
        frame = frame.drop(columns=["level", *names])
        frame.insert(0, "segment", segments)
        return frame.sort_values(["bucket", "segment"], ignore_index=True)

    def _one_level(
        self,
        table: ir.Table,
        values: Mapping[str, ir.Value],
        level: tuple[str, ...],
        bucket: str | None,
    ) -> ir.Table:
        by = self.params.by
        keys = {f"by_{i}": table[c] for i, c in enumerate(by) if c in level}
        if bucket:
            keys["bucket"] = table[bucket].cast("int64")
        grouped = table.group_by(**keys).aggregate(**values) if keys else table.aggregate(**values)
        rest = {f"by_{i}": ibis.null("string") for i in range(len(by)) if f"by_{i}" not in keys}
        if not bucket:
            rest["bucket"] = ibis.literal(TOTAL_BUCKET, type="int64")
        grouped = grouped.mutate(level=ibis.literal(self._mask(level), type="int64"), **rest)
        names = ["level", "bucket", *(f"by_{i}" for i in range(len(by))), *values]
        return grouped.select(names)


def lead_table(
    tables: Tables,
    params: ReportParams,
    *,
    source_zone: str,
    store: Callable[[ir.Table], ir.Table],
    worktime: Callable[[ir.Table, LeadTable], ir.Table] | None = None,
) -> LeadTable:
    """Return the lead table as of the report's moment.

    Parameters
    ----------
    tables
        What was read; its lead ledger gets the notes (``after_as_of``, ``skipped_mql``,
        ``out_of_order``, ``overturned``).
    params, source_zone
        The report and the zone of the exports.
    store
        Keeps a table in the engine.
    """
    zone = ZoneInfo(params.timezone or source_zone)
    recorded, dated = _precision(tables)
    leads = _anchor_dates(tables.leads, dated, source_zone, str(zone))
    events = tables.events
    as_of = resolve_as_of(params.as_of, zone=zone, latest=_latest(leads, events, dated, zone))
    leads, events, late = _as_of(leads, events, as_of)
    if events is not None:
        leads = _with_history(store(leads), store(events), params.passes)
    leads = _where(leads, params)
    calendar = params.calendar
    start, end = calendar.resolve(params.period, as_of)
    buckets = calendar.cut(start, end, params.grain)
    frame = LeadTable(
        table=leads,
        params=params,
        zone=zone,
        as_of=as_of,
        buckets=tuple(buckets),
        earlier=tuple(calendar.before(buckets[0], params.grain, params.rolling - 1)),
        recorded=frozenset(recorded),
        dated=frozenset(dated),
    )
    table = store(_measured(leads, frame))
    noted = tables.ledgers["leads" if "leads" in tables.ledgers else "history"].noted
    noted.update(after_as_of=late, **_notes(table))
    measured = replace(frame, table=table)
    return replace(measured, segments=_segments(measured))


def _segments(leads: LeadTable) -> tuple[Segment, ...]:
    table = leads.table
    last = len(leads.buckets) - 1
    waiting = table["exit_at"].isnull() | (
        table["exit_at"] >= literal(to_utc(leads.buckets[0].end, leads.zone))
    )
    entered = table["mql_at"] < literal(to_utc(leads.buckets[-1].end, leads.zone))
    active = table.filter(
        table["mql_bucket"].between(0, last)
        | table["sql_bucket"].between(0, last)
        | (entered & waiting)
    )
    found = leads.totals({"n": active["mql_at"].notnull()}, of=active)
    return tuple(dict.fromkeys([ALL_LEADS, *sorted(found["segment"])]))


def _precision(tables: Tables) -> tuple[set[str], set[str]]:
    """Return the stamps that are recorded at all, and those of them that hold only dates."""
    counts = tables.leads.aggregate(**{s: tables.leads[s].count() for s in STAMPS}).to_pyarrow()
    recorded = {s for s in STAMPS if counts[s][0].as_py()}
    if tables.events is not None:
        stages = tables.events.select("stage").distinct().to_pyarrow()["stage"].to_pylist()
        recorded |= {f"{stage}_at" for stage in stages}
    return recorded, recorded - tables.timed


def _anchor_dates(leads: ir.Table, dated: set[str], source: str, target: str) -> ir.Table:
    """Return the leads with plain dates at midnight of the report's zone.

    A date has no zone: cut in another one, it must stay the date that it is.
    """
    if source == target:
        return leads
    return leads.mutate(**{
        s: to_naive(local_to_instant(target, local_date(leads[s], source).cast("timestamp")))
        for s in dated
    })


def _latest(
    leads: ir.Table, events: ir.Table | None, dated: set[str], zone: ZoneInfo
) -> AsOf | None:
    """Return the cut-off by the latest stamp of any stage."""
    highest = leads.aggregate(**{s: leads[s].max() for s in STAMPS}).to_pyarrow().to_pylist()[0]
    found = [(s, at) for s, at in highest.items() if at is not None]
    if events is not None:
        by_stage = events.group_by("stage").aggregate(at=events["at"].max()).to_pyarrow()
        found += [(f"{row['stage']}_at", row["at"]) for row in by_stage.to_pylist()]
    cuts = []
    for name, naive in found:
        at = naive.replace(tzinfo=UTC)
        is_day = name in dated
        cuts.append(
            AsOf.end_of(at.astimezone(zone).date(), zone) if is_day else AsOf.stamp(at, zone)
        )
    return max(cuts, key=lambda cut: cut.cutoff, default=None)


def _as_of(
    leads: ir.Table, events: ir.Table | None, as_of: AsOf
) -> tuple[ir.Table, ir.Table | None, int]:
    """Return leads and events without what has not happened yet, and how much that was."""
    cutoff = literal(as_of.cutoff)
    late = leads.aggregate(
        n=reduce(lambda a, b: a + b, [(leads[s] >= cutoff).sum().fill_null(0) for s in STAMPS])
    )
    n = int(late.to_pyarrow()["n"][0].as_py() or 0)
    none = ibis.null("timestamp")
    blanked = leads.mutate(**{s: (leads[s] < cutoff).ifelse(leads[s], none) for s in STAMPS})
    # What a won deal is worth is known when it is won.
    amount = blanked["won_at"].notnull().ifelse(blanked["amount"], ibis.null("decimal(38, 6)"))
    blanked = blanked.mutate(amount=amount)
    if events is None:
        return blanked, None, n
    n += int(events.filter(events["at"] >= cutoff).count().to_pyarrow().as_py())
    return blanked, events.filter(events["at"] < cutoff).select("lead_id", "stage", "at"), n


def _with_history(leads: ir.Table, events: ir.Table, passes: str) -> ir.Table:
    """Return the leads with the stamps of their stage history worked in.

    A lead's own stamps are events like any other. Its entries to MQL are its passes; a later
    stage belongs to the latest of them that began before it, or to the first, where it keeps the
    stamp that makes the row out of order.
    """
    own = [
        leads.filter(leads[f"{stage}_at"].notnull()).select(
            "lead_id", stage=ibis.literal(stage), at=leads[f"{stage}_at"]
        )
        for stage in ("created", "mql", *LATER_STAGES)
    ]
    known = events.semi_join(leads, "lead_id")
    all_events = reduce(lambda a, b: a.union(b), own, known).distinct()
    entries = _entries(all_events.filter(all_events["stage"] == "mql"), passes)
    created = all_events.filter(all_events["stage"] == "created")
    created = created.group_by("lead_id").aggregate(created_at=created["at"].min())
    base = leads.drop(*STAMPS).left_join(created, "lead_id").drop("lead_id_right")
    base = base.left_join(entries, "lead_id").drop("lead_id_right")
    later = all_events.filter(all_events["stage"].isin(LATER_STAGES))
    found = later.left_join(entries, "lead_id").drop("lead_id_right")
    after = found["at"] >= found["mql_at"]
    inside = after & (found["at"] < found["next_at"]).fill_null(True)
    stray = found["mql_at"].isnull() | (found["is_first"] & ~after)
    found = found.filter(inside | stray)
    found = found.mutate(after=(found["at"] >= found["mql_at"]).fill_null(False))
    per_pass = found.group_by("lead_id", "mql_at").aggregate(**{
        f"{stage}_at": ibis.coalesce(
            found["at"].min(where=(found["stage"] == stage) & found["after"]),
            found["at"].min(where=found["stage"] == stage),
        )
        for stage in LATER_STAGES
    })
    keys = [base["lead_id"] == per_pass["lead_id"], base["mql_at"].identical_to(per_pass["mql_at"])]
    joined = base.left_join(per_pass, keys)
    return joined.drop("lead_id_right", "mql_at_right", "next_at", "is_first")


def _entries(entries: ir.Table, passes: str) -> ir.Table:
    """Return the entries that count: ``lead_id, mql_at, next_at, is_first``."""
    if passes != "every":
        at = entries["at"]
        one = entries.group_by("lead_id").aggregate(
            mql_at=at.min() if passes == "first" else at.max()
        )
        return one.mutate(next_at=ibis.null("timestamp"), is_first=ibis.literal(True))
    order = ibis.window(group_by="lead_id", order_by="at")
    return entries.select(
        "lead_id",
        mql_at=entries["at"],
        next_at=entries["at"].lead().over(order),
        is_first=ibis.row_number().over(order) == 0,
    )


def _where(leads: ir.Table, params: ReportParams) -> ir.Table:
    filled = {c: leads[c].cast("string").fill_null(MISSING) for c in {*params.by, *params.where}}
    leads = leads.mutate(**filled)
    for column, kept in params.where.items():
        leads = leads.filter(leads[column].isin(kept))
    return leads


def _measured(leads: ir.Table, frame: LeadTable) -> ir.Table:
    """Return the leads with their durations and buckets."""
    since = {f"{stage}_us": _microseconds(leads, "mql", stage, frame) for stage in EXITS}
    # An SQL was accepted, whether or not anybody wrote that down.
    since["accepted_us"] = ibis.least(since["accepted_us"], since["sql_us"])
    exit_us = ibis.least(*since.values())
    exit_at = ibis.least(*(leads[f"{stage}_at"] for stage in EXITS))
    contact_us = _microseconds(leads, "mql", "contacted", frame)
    stops_on_contact = frame.params.sla_stops_on == "contact"
    waited = _waited(leads, frame, EXITS)
    edges = [to_utc(b.start, frame.zone) for b in (*frame.earlier, *frame.buckets)]
    edges.append(to_utc(frame.buckets[-1].end, frame.zone))
    extra = [c for c in (*TEXT_COLUMNS, *frame.params.by) if c in leads.columns]
    return leads.select(
        "lead_id",
        *dict.fromkeys(extra),
        "mql_at",
        "contacted_at",
        "created_at",
        "sql_at",
        "amount",
        **since,
        exit_at=exit_at,
        exit_us=exit_us,
        stage_us=exit_us,
        contact_us=contact_us,
        stop_us=contact_us if stops_on_contact else exit_us,
        waited_us=waited,
        sla_waited_us=_waited(leads, frame, ("contacted",)) if stops_on_contact else waited,
        lag_us=_microseconds(leads, "created", "mql", frame),
        is_in_order=(exit_us >= 0).fill_null(True),
        mql_bucket=_bucket(leads["mql_at"], edges, len(frame.earlier)),
        sql_bucket=_bucket(
            leads["mql_at"].notnull().ifelse(leads["sql_at"], ibis.null("timestamp")),
            edges,
            len(frame.earlier),
        ),
    )


def _microseconds(leads: ir.Table, start: str, end: str, frame: LeadTable) -> ir.IntegerValue:
    a, b = leads[f"{start}_at"], leads[f"{end}_at"]
    if {f"{start}_at", f"{end}_at"} & frame.dated:
        zone = str(frame.zone)
        return local_date(b, zone).delta(local_date(a, zone), unit="day") * DAY_US
    return b.delta(a, unit="microsecond")


def _waited(leads: ir.Table, frame: LeadTable, stages: Sequence[str]) -> ir.IntegerValue:
    """Return the time from MQL to the as-of moment, counted as the time to ``stages`` is."""
    if {"mql_at", *(f"{s}_at" for s in stages)} & frame.dated:
        entered = local_date(leads["mql_at"], str(frame.zone))
        return ibis.date(frame.as_of.on).delta(entered, unit="day") * DAY_US
    return literal(frame.as_of.at).delta(leads["mql_at"], unit="microsecond")


def _bucket(stamp: ir.TimestampValue, edges: list[datetime], earlier: int) -> ir.IntegerValue:
    place = step(stamp, [literal(e) for e in edges]) - (earlier + 1)
    inside = stamp.between(literal(edges[0]), literal(edges[-1])) & (stamp < literal(edges[-1]))
    return inside.ifelse(place, ibis.null("int32")).cast("int32")


def _notes(table: ir.Table) -> dict[str, int]:
    rejected_first = table["rejected_us"] < table["accepted_us"]
    counted: dict[str, Any] = {
        "skipped_mql": (table["mql_at"].isnull() & table["sql_at"].notnull()).sum(),
        "out_of_order": (table["mql_at"].notnull() & ~table["is_in_order"]).sum(),
        "overturned": rejected_first.fill_null(False).sum(),
    }
    row = table.aggregate(**counted).to_pyarrow().to_pylist()[0]
    return {name: int(value or 0) for name, value in row.items()}
