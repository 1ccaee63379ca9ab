"""Builds the lead table from the tables read: as of a date, with durations and buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.core.errors import ParamsError, listed, report
from mqlkit.core.names import LAST_ALONE, LEAD_COLUMNS, MISSING, STAMPS, TEXT_COLUMNS
from mqlkit.core.params import ReportParams, resolve_as_of
from mqlkit.core.periods import DAY, AsOf, Bucket, to_utc
from mqlkit.leads.as_of import (
    TimestampSummary,
    is_last_alone,
    known_by,
    summarize_timestamps,
)
from mqlkit.leads.cube import CubeTable, LeadCube
from mqlkit.leads.durations import Clock, add_durations, due_on_calendar
from mqlkit.leads.outcomes import noted_of
from mqlkit.leads.privacy import merge_small
from mqlkit.leads.reentry import with_history
from mqlkit.leads.table import LeadTable, breakdown
from mqlkit.sources.cells import MONEY
from mqlkit.sources.ids import strangers
from mqlkit.sources.staging import Reader
from mqlkit.sources.store import literal, step

if TYPE_CHECKING:
    from mqlkit.sources.tables import Tables

COLUMNS = (
    "lead_id", "created_at", "mql_at", "contacted_at", "exit_at", "sql_at", "due_at", "amount",
    "mql_bucket", "sql_bucket", "exit_us", "accepted_us", "rejected_us", "sql_us", "contact_us",
    "lag_us", "calendar_waited_us", "stage_us", "stop_us", "waited_us", "sla_waited_us",
    "is_in_order", "is_accepted_first",
)  # fmt: skip
# A year has 52 or 53 weeks.
BUCKETS_A_YEAR = {"week": 53, "month": 12, "quarter": 4, "half": 2, "year": 1}
# Prefix of column names. No header of an export starts with it.
NAMED = "\x1f"
# The local day of the MQL; added by `build_cube.with_codes`.
MQL_DAY = "mql_day"


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
    is_expensive
        Whether recomputing the table is expensive: it contains a join or a business clock.
    is_last_alone
        Whether the as-of date comes from a single lead, long after all others.
    """

    table: ir.Table
    clock: Clock
    seen: TimestampSummary
    after_as_of: int
    is_expensive: bool
    is_last_alone: bool = False

    def stored(self, reader: Reader) -> TimedLeads:
        """Materialize the table in the engine."""
        made = [c for c in (*COLUMNS, *TEXT_COLUMNS, MQL_DAY) if c in self.table.columns]
        extra = [c for c in self.table.columns if c.startswith(NAMED)]
        table = reader.store(self.table.select(*made, *extra))
        return replace(self, table=table, is_expensive=False)


def lead_table(
    tables: Tables,
    params: ReportParams,
    *,
    zone: ZoneInfo,
    reader: Reader,
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
    """
    columns = [*params.by, *params.where]
    timed = leads_with_durations(tables, params, zone=zone, reader=reader, columns=columns)
    return assign_buckets(timed, tables, params, reader=reader)


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
    """
    leads, events = tables.leads, tables.events
    everything = seen = summarize_timestamps(leads, events)
    as_of = resolve_as_of(params.as_of, zone=zone, latest=seen.latest_as_of(zone))
    is_alone = params.as_of == "auto" and is_last_alone(leads, events, seen)
    if seen.goes_past(as_of):
        leads, events = known_by(leads, events, as_of)
        seen = summarize_timestamps(leads, events)
    if events is not None and "leads" in tables.ledgers:
        n = strangers(leads, events)
        tables.ledgers["history"].noted.update({"unknown_lead": n} if n else {})
    if events is not None:
        leads = with_history(
            reader.store(leads),
            reader.store(events),
            params.passes,
            zone=str(zone),
            is_mixed=seen.n_dates > 0,
        )
    clock = Clock(params, zone, as_of, seen.dated)
    # The amount of a deal is known once the deal is won.
    amount = leads["won_at"].notnull().ifelse(leads["amount"], ibis.null(MONEY))
    timed = add_durations(_chosen(leads.mutate(amount=amount), columns, extras), clock)
    is_expensive = events is not None or params.sla_clock == "business"
    return TimedLeads(
        timed, clock, seen, everything.n_timestamps - seen.n_timestamps, is_expensive, is_alone
    )


def assign_buckets(
    timed: TimedLeads,
    tables: Tables,
    params: ReportParams,
    *,
    reader: Reader,
    cube: LeadCube | None = None,
) -> LeadTable:
    """Return the leads that match the filters, with their buckets.

    Parameters
    ----------
    timed
        All leads, with durations on the clock of ``params``.
    tables, params, reader
        As in `lead_table`.
    cube
        The cube of the same leads. With it, nothing is queried.
    """
    clock = replace(timed.clock, params=params)
    zone, as_of = clock.zone, clock.as_of
    start, end = params.calendar.resolve(params.period, as_of)
    buckets = params.calendar.cut(start, end, params.grain)
    n_before = max(params.rolling - 1, BUCKETS_A_YEAR[params.grain])
    before = params.calendar.before(buckets[0], params.grain, n_before)
    leads = timed.table
    if params.sla_clock == "calendar":
        leads = leads.mutate(due_at=due_on_calendar(leads, clock))
    kept = chosen_leads(leads, params)
    if params.redact:
        at = kept["mql_at"]
        counted = (at >= literal(to_utc(start, zone))) & (at < literal(to_utc(end, zone)))
        kept = merge_small(kept, [breakdown(i) for i in range(len(params.by))], counted)
    if cube is not None:
        table, summary = kept, cube.summary(params.where)
    else:
        table = _columns(kept, params, [*before, *buckets], len(before), zone)
        # Calendar durations are subtractions: recomputing them is faster than storing them.
        table = reader.store(table) if timed.is_expensive else reader.layer(table)
        summary = _summary(table, zone)
    first = summary["first"]
    if params.where and not summary["leads"]:
        raise ParamsError(_no_lead_left(params))
    if first is not None and (end <= first or start > as_of.on):
        raise ParamsError(_no_data(params, Bucket("period", start, end), first, as_of))
    noted = tables.ledgers["leads" if "leads" in tables.ledgers else "history"].noted
    for name in noted_of(table):
        noted[name] = int(summary[name])
    noted["after_as_of"] = timed.after_as_of
    if timed.seen.n_dates:
        noted["date_without_time"] = timed.seen.n_dates
    if timed.is_last_alone:
        noted[LAST_ALONE] = 1
    recorded = frozenset(timed.seen.latest)
    found = LeadTable(table, clock, tuple(buckets), tuple(before), first, recorded)
    return found if cube is None else CubeTable(**vars(found), cube=cube)


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
    past = replace(leads, clock=clock, buckets=buckets, before=())
    if isinstance(past, CubeTable):
        return past
    table = leads.table.mutate(mql_bucket=leads.table["mql_bucket"] + len(buckets))
    return replace(past, table=table)


def _no_lead_left(params: ReportParams) -> str:
    return report(
        "where: no lead matches.",
        found="; ".join(f"{c}: {listed(v)}" for c, v in params.where.items()),
        fix="compare the values with those in the data; quote text in YAML",
    )


def _no_data(params: ReportParams, period: Bucket, first: date, as_of: AsOf) -> str:
    return report(
        f"period {params.period!r} has no data.",
        expected=f"a period that overlaps {first} .. {as_of.on}",
        found=f"{period.start} .. {period.end - DAY}",
        fix="choose another period, or check as_of",
    )


def _columns(
    leads: ir.Table, params: ReportParams, buckets: list[Bucket], earlier: int, zone: ZoneInfo
) -> ir.Table:
    """Select the columns that metrics need and add the buckets of MQL and SQL."""
    cuts = [breakdown(i) for i in range(len(params.by))]
    kept = [*COLUMNS, *(c for c in TEXT_COLUMNS if c in leads.columns), *cuts]
    return leads.mutate(
        mql_bucket=_bucket(leads["mql_at"], buckets, earlier, zone),
        sql_bucket=leads["mql_at"]
        .notnull()
        .ifelse(_bucket(leads["sql_at"], buckets, earlier, zone), ibis.null("int32")),
    ).select(*kept)


def _bucket(
    stamp: ir.TimestampValue, buckets: list[Bucket], earlier: int, zone: ZoneInfo
) -> ir.IntegerValue:
    """Return the index of the bucket that contains a timestamp; NULL outside of all buckets."""
    edges: list[ir.TimestampScalar] = []
    places: list[int | None] = [None]
    end = None
    for index, bucket in enumerate(buckets):
        if bucket.start == end:
            edges.pop(), places.pop()
        edges += [literal(to_utc(bucket.start, zone)), literal(to_utc(bucket.end, zone))]
        places += [index - earlier, None]
        end = bucket.end
    return step(stamp, edges, places)


def named(column: str) -> str:
    """Return the name in `TimedLeads.table` of a column to break down or filter by.

    The prefix keeps export columns apart from canonical columns of the same name.
    """
    return f"{NAMED}{column}"


def raw(column: str) -> str:
    """Return the name under which a column of the export stands in timed leads, as it is."""
    return f"{NAMED}{NAMED}{column}"


def _chosen(leads: ir.Table, columns: Sequence[str], extras: Sequence[str]) -> ir.Table:
    """Return our own columns, those to break down or filter by as text, and ``extras``."""
    known = {*LEAD_COLUMNS, *(f"{s}_timed" for s in STAMPS)}
    own = [c for c in leads.columns if c in known]
    text = {named(c): leads[c].cast("string").fill_null(MISSING) for c in dict.fromkeys(columns)}
    return leads.select(*own, **text, **{raw(c): leads[c] for c in extras})


def chosen_leads(timed: ir.Table, params: ReportParams) -> ir.Table:
    """Return the leads that match ``where``, with their breakdowns."""
    wanted = [timed[named(c)].isin(kept) for c, kept in params.where.items()]
    cuts = {breakdown(i): timed[named(c)] for i, c in enumerate(params.by)}
    cut = timed.mutate(**cuts) if cuts else timed
    return cut.filter(*wanted) if wanted else cut


def _summary(table: ir.Table, zone: ZoneInfo) -> dict[str, Any]:
    """Return the number of leads, the day of the first MQL and the counts of the notes."""
    counts = {name: holds.sum().fill_null(0) for name, holds in noted_of(table).items()}
    row = table.aggregate(leads=table.count(), first=table["mql_at"].min(), **counts)
    found: dict[str, Any] = row.to_pyarrow().to_pylist()[0]
    first = found["first"] and found["first"].replace(tzinfo=UTC).astimezone(zone).date()
    return {**found, "first": first}
