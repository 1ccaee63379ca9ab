"""Builds the lead table from the tables read: as of a date, with durations and buckets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.errors import ParamsError, listed, report
from mqlkit.core.names import (
    FUNNEL_STAGES,
    LAST_ALONE,
    MISSING,
    ON_HOLD,
    STAGES,
    STAMPS,
    TEXT_COLUMNS,
)
from mqlkit.core.params import ReportParams, resolve_as_of
from mqlkit.core.periods import DAY, MOST_BUCKETS, AsOf, Bucket, coarser_grains
from mqlkit.leads.as_of import (
    TimestampSummary,
    is_last_alone,
    known_by,
    summarize_timestamps,
)
from mqlkit.leads.build_cube import CubeQueries, with_codes
from mqlkit.leads.cache import CLOCK, DATA, ResultCache, key_of
from mqlkit.leads.columns import NAMED, matching, named, raw
from mqlkit.leads.durations import Clock, add_durations, calendar_of
from mqlkit.leads.holds import add_holds
from mqlkit.leads.integers import MICRO, instant
from mqlkit.leads.outcomes import noted_of
from mqlkit.leads.promises import RULE
from mqlkit.leads.reentry import with_history
from mqlkit.leads.table import LeadTable
from mqlkit.sources.ids import UNKNOWN_LEAD, strangers
from mqlkit.sources.local_times import zone_of
from mqlkit.sources.reader import SHARED, TABLE, Reader
from mqlkit.sources.sql import lead_column
from mqlkit.sources.store import to_micros

if TYPE_CHECKING:
    from mqlkit.sources.source_cache import SharedTables
    from mqlkit.sources.tables import Tables

COLUMNS = (
    "lead_id", *STAMPS, *(zone_of(stamp) for stamp in STAMPS), "exit_at", "amount",
    "exit_us", "accepted_us", "rejected_us", "sql_us", "contact_us", "lag_us",
    "calendar_waited_us", "calendar_contact_waited_us", "stage_us", "waited_us",
    "unheld_exit_us", "unheld_contact_us", "unheld_waited_us", "unheld_contact_waited_us",
    "work_exit_us", "work_contact_us", "work_waited_us", "work_contact_waited_us", "work_due_at",
    "work_contact_due_at", "first_hold_us", "last_hold_us", "first_held_us",
    "is_in_order", "is_accepted_first", "is_contact_dated", RULE,
)  # fmt: skip
# Durations of more leads are computed in each query.
MOST_STORED = 2_000_000
# A year has 52 or 53 weeks.
BUCKETS_A_YEAR = {"week": 53, "month": 12, "quarter": 4, "half": 2, "year": 1}


@dataclass(frozen=True)
class TimedLeads:
    """All leads as of the as-of date, with durations, before any filter or bucket.

    Attributes
    ----------
    table
        Timestamps, durations, text columns, and the columns to break down or filter by under the
        names of `named`.
    clock
        The clock of the durations.
    seen
        Summary of the timestamps up to the as-of date.
    after_as_of
        Number of timestamps after the as-of date.
    n_strangers
        Number of leads that only the stage history has.
    is_expensive
        Whether recomputing the table is expensive: it contains a join or a business clock.
    is_last_alone
        Whether the as-of date comes from a single lead, long after all others.
    """

    table: ir.Table
    clock: Clock
    seen: TimestampSummary
    after_as_of: int
    n_strangers: int
    is_expensive: bool
    is_last_alone: bool = False

    def as_view(self, reader: Reader) -> TimedLeads:
        """Write the table once, as a view in the engine."""
        return replace(self, table=reader.layer(self.table))

    def with_codes(self, values: Mapping[str, tuple[str, ...]]) -> TimedLeads:
        """Add the codes of columns to break down or filter by; see `build_cube.with_codes`."""
        table, codes = with_codes(self.table, values)
        return replace(self, table=table.mutate(**codes))

    def stored(self, reader: Reader, *, kind: str = TABLE) -> TimedLeads:
        """Materialize the table in the engine; see `Reader.store`."""
        made = [c for c in (*COLUMNS, *TEXT_COLUMNS) if c in self.table.columns]
        extra = [c for c in self.table.columns if c.startswith(NAMED)]
        table = reader.store(self.table.select(*made, *extra), kind=kind)
        return replace(self, table=table, is_expensive=False)


def lead_table(
    tables: Tables,
    params: ReportParams,
    *,
    zone: ZoneInfo,
    reader: Reader,
    shared: SharedTables | None = None,
) -> LeadTable:
    """Return the lead table as of the as-of date.

    Parameters
    ----------
    tables
        The tables read. The ledger of the leads receives the notes ``after_as_of``,
        ``skipped_mql``, ``out_of_order`` and ``overturned``.
    params, zone
        Parameters and time zone of the report.
    reader
        The engine that read the tables.
    shared
        With it, leads with their durations are stored for other reports on the same tables.
    """

    def with_durations(columns: Sequence[str]) -> TimedLeads:
        return leads_with_durations(tables, params, zone=zone, reader=reader, columns=columns)

    if shared is None or params.as_of == "now":
        timed = with_durations(params.lead_columns)
    else:
        key = timed_by(params)
        if key not in shared.derived:
            timed = with_durations(shared.columns)
            shared.derived[key] = timed.stored(reader, kind=SHARED)
        timed = shared.derived[key]
    first = _first_mql(timed) if params.where else None
    timed = replace(timed, table=matching(timed.table, params.where))
    # Very many leads do not fit into memory: subtracting again is then faster than reading back.
    is_stored = timed.is_expensive or tables.leads.count().to_pyarrow().as_py() <= MOST_STORED
    timed = timed.stored(reader) if is_stored else timed.as_view(reader)
    values = values_of(timed.table, params.by)
    return table_of(timed, tables, params, values=values, first_mql=first)


def timed_by(params: ReportParams) -> tuple[str, ...]:
    """Return the values of the parameters that durations depend on."""
    due = () if params.sla_clock == "calendar" else ("sla",)
    return key_of(params, (*DATA, *CLOCK, "sla_rules", *due))


def values_of(table: ir.Table, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the values of columns to break down or filter by, in order."""
    found = {}
    for column in columns:
        values = table.select(named(column)).distinct().to_pyarrow()[named(column)]
        found[column] = tuple(sorted(values.to_pylist()))
    return found


def leads_with_durations(
    tables: Tables,
    params: ReportParams,
    *,
    zone: ZoneInfo,
    reader: Reader,
    columns: Sequence[str],
    extras: Sequence[str] = (),
) -> TimedLeads:
    """Return every lead with its durations.

    Parameters
    ----------
    tables, params, zone, reader
        As in `lead_table`.
    columns
        Those to break down or filter by; see `named`.
    extras
        Further columns to keep as they are; see `raw`.

    Raises
    ------
    ParamsError
        If the as-of date is before all timestamps.
    """
    leads = _with_integers(tables.leads, columns, extras)
    events = tables.events
    if events is not None:
        events = events.mutate(at=to_micros(events["at"]))
    everything = seen = summarize_timestamps(leads, events)
    as_of = resolve_as_of(params.as_of, zone=zone, latest=seen.latest_as_of(zone))
    is_alone = params.as_of == "auto" and is_last_alone(leads, events, seen)
    if seen.goes_past(as_of):
        leads, events = known_by(leads, events, as_of, zone, tables.zones)
        seen = summarize_timestamps(leads, events)
        if everything.first is not None and not seen.recorded:
            first = instant(everything.first).astimezone(zone).date()
            raise ParamsError(_nothing_by(params, first, as_of))
    is_joined = events is not None and "leads" in tables.ledgers
    n_strangers = strangers(leads, events) if is_joined else 0
    precision = seen.precision(zone, as_of, tables.zones)
    clock = Clock(params, zone, as_of, precision)
    if events is not None:
        leads, events = reader.store(leads), reader.store(events)
        leads = with_history(
            leads, events, params.passes, precision=precision, hold=_hold(seen, clock)
        )
    elif not precision.has_dates:
        leads = leads.drop(*(zone_of(stamp) for stamp in STAMPS))
    # The amount of a deal is known once the deal is won.
    amount = leads["won_at"].notnull().ifelse(leads["amount"], ibis.null("int64"))
    timed = add_durations(leads.mutate(amount=amount), clock)
    is_expensive = events is not None or params.has_work_clock
    n_after = everything.n_timestamps - seen.n_timestamps
    return TimedLeads(timed, clock, seen, n_after, n_strangers, is_expensive, is_alone)


def _hold(seen: TimestampSummary, clock: Clock) -> Callable[[ir.Table], ir.Table] | None:
    """Return what adds the time on hold to events; None if no lead is on hold."""
    if f"{ON_HOLD}_at" not in seen.recorded:
        return None
    stamps = [at for at in (seen.first, *seen.latest.values()) if at is not None]
    calendar = calendar_of(stamps, clock) if clock.params.has_work_clock else None
    return partial(add_holds, clock=clock, calendar=calendar)


def table_of(
    timed: TimedLeads,
    tables: Tables,
    params: ReportParams,
    *,
    values: Mapping[str, tuple[str, ...]],
    cache: ResultCache | None = None,
    first_mql: int | None = None,
) -> LeadTable:
    """Return the lead table of a report.

    Parameters
    ----------
    timed
        All leads, or the leads that match the filter, with durations on the clock of ``params``.
    tables, params
        As in `lead_table`.
    values
        Values of the columns to break down or filter by.
    cache
        With it, ``timed`` has all leads, and what reports on other parameters can use is kept.
    first_mql
        When the first lead of the data became an MQL, where ``timed`` has only some leads.
    """
    clock = replace(timed.clock, params=params)
    start, end = params.calendar.resolve(params.period, clock.as_of)
    period = Bucket("total", start, end)
    buckets, before = _buckets(params, period)
    is_shared = cache is not None
    cache = cache or ResultCache()
    cube = CubeQueries(
        timed.table,
        clock,
        values,
        where=params.where if is_shared else {},
        stages=tuple(s for s in FUNNEL_STAGES if f"{s}_at" in timed.seen.recorded),
        period=period,
        edges=None if is_shared else _edges(params, period),
        cache=cache,
    ).cube()
    table = timed.table
    summary = cube.summary()
    first = _local_day(summary["first"], clock)
    earliest = first_mql if first_mql is not None else summary["first"]
    if is_shared and params.where:
        earliest = cache.get("first_mql", params, lambda: _first_mql(timed), depends_on=DATA)
    if params.where and not summary["leads"]:
        raise ParamsError(_no_lead_left(params))
    if start > clock.as_of.on or (first is not None and end <= first):
        raise ParamsError(_no_data(params, period, first, clock.as_of))
    _note(timed, tables, summary)
    return LeadTable(
        matching(table, params.where) if is_shared else table,
        clock,
        buckets,
        before,
        first,
        _local_day(earliest, clock),
        timed.seen.recorded,
        cube,
        cache,
        missing_stages={
            stage: tables.why_missing(stage)
            for stage in STAGES
            if f"{stage}_at" not in timed.seen.recorded
        },
    )


def _first_mql(timed: TimedLeads) -> int | None:
    first: int | None = timed.table["mql_at"].min().to_pyarrow().as_py()
    return first


def _local_day(us: int | None, clock: Clock) -> date | None:
    return None if us is None else instant(us).astimezone(clock.zone).date()


def _buckets(params: ReportParams, period: Bucket) -> tuple[tuple[Bucket, ...], tuple[Bucket, ...]]:
    """Return the buckets of the period, and those before it."""
    buckets = params.calendar.cut(period.start, period.end, params.grain)
    if len(buckets) > MOST_BUCKETS:
        raise ParamsError(_too_many_buckets(params, len(buckets)))
    n_before = max(params.rolling - 1, BUCKETS_A_YEAR[params.grain])
    return tuple(buckets), tuple(params.calendar.before(buckets[0], params.grain, n_before))


def _edges(params: ReportParams, period: Bucket) -> tuple[date, ...]:
    """Return the days at which buckets start or end: of this grain, and of coarser ones."""
    grains = [params.grain, *coarser_grains(params.grain)]
    cuts = [_buckets(replace(params, grain=grain), period) for grain in grains]
    days = {day for cut in cuts for part in cut for b in part for day in (b.start, b.end)}
    return tuple(sorted(days))


def _note(timed: TimedLeads, tables: Tables, summary: Mapping[str, Any]) -> None:
    """Write into the ledger what is noteworthy about the leads."""
    if timed.n_strangers:
        tables.ledgers["history"].noted[UNKNOWN_LEAD] = timed.n_strangers
    noted = tables.ledgers["leads" if "leads" in tables.ledgers else "history"].noted
    for name in noted_of(timed.table):
        noted[name] = int(summary[name])
    noted["after_as_of"] = timed.after_as_of
    if timed.seen.n_dates:
        noted["date_without_time"] = timed.seen.n_dates
    if timed.is_last_alone:
        noted[LAST_ALONE] = 1


def year_before(leads: LeadTable, lag: int) -> LeadTable | None:
    """Return the leads in the buckets of the year before the period, as far as these are complete.

    An export that starts on some day lacks the leads created before that day. MQLs are therefore
    incomplete until one lag after the first MQL.
    """
    if leads.first_mql is None:
        return None
    whole = leads.first_mql + timedelta(days=max(lag, 1))
    buckets = tuple(b for b in leads.before if b.start >= whole)
    if not buckets:
        return None
    clock = replace(leads.clock, params=replace(leads.params, by=[]))
    return replace(leads, clock=clock, buckets=buckets, before=())


def _no_lead_left(params: ReportParams) -> str:
    return report(
        "where: no lead matches.",
        found="; ".join(f"{c}: {listed(v)}" for c, v in params.where.items()),
        fix="compare the values with those in the data; quote text in YAML",
    )


def _nothing_by(params: ReportParams, first: date, as_of: AsOf) -> str:
    return report(
        f"period {params.period!r} has no data, because as_of is before all timestamps.",
        expected=f"an as_of from {first} on",
        found=str(as_of.on),
        fix="correct as_of, or leave it out: auto is the latest timestamp of the data",
    )


def _no_data(params: ReportParams, period: Bucket, first: date | None, as_of: AsOf) -> str:
    there = f"that overlaps {first} .. {as_of.on}" if first else f"that starts by {as_of.on}"
    return report(
        f"period {params.period!r} has no data.",
        expected=f"a period {there}",
        found=f"{period.start} .. {period.end - DAY}",
        fix="choose another period, or check as_of",
    )


def _too_many_buckets(params: ReportParams, n_buckets: int) -> str:
    return report(
        f"period {params.period!r} has {n_buckets:,} buckets by {params.grain}.",
        expected=f"at most {MOST_BUCKETS:,}",
        fix="choose a shorter period or a coarser grain",
    )


def _with_integers(leads: ir.Table, columns: Sequence[str], extras: Sequence[str]) -> ir.Table:
    """Return leads with integers for timestamps and money, and text to break down or filter by."""
    stamps = {s: to_micros(leads[s]) for s in STAMPS}
    amount = (leads["amount"] * MICRO).round().cast("int64")
    found = {c: leads[lead_column(c)] for c in (*columns, *extras)}
    text = {named(c): found[c].cast("string").fill_null(MISSING) for c in columns}
    return leads.select(
        "lead_id",
        *(c for c in TEXT_COLUMNS if c in leads.columns),
        *(zone_of(s) for s in STAMPS),
        **stamps,
        amount=amount,
        **text,
        **{raw(c): found[c] for c in extras},
    )
