"""The lead table, put together from what was read: as of a moment, with durations and buckets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from mqlkit.durations import Clock, add_durations
from mqlkit.engine import literal, step
from mqlkit.errors import ParamsError, listed, report
from mqlkit.leads import ALL_LEADS, LeadTable, Segment, breakdown
from mqlkit.moment import known_by, latest_moment, stamp_precision
from mqlkit.outcomes import is_rejected
from mqlkit.params import ReportParams, resolve_as_of
from mqlkit.periods import DAY, AsOf, Bucket, to_utc
from mqlkit.sources.cells import MONEY
from mqlkit.sources.history import with_history
from mqlkit.terms import LEAD_COLUMNS, MISSING, STAMPS, TEXT_COLUMNS

if TYPE_CHECKING:
    from mqlkit.sources.load import Tables


COLUMNS = (
    "lead_id", "created_at", "mql_at", "contacted_at", "exit_at", "sql_at", "due_at", "amount",
    "mql_bucket", "sql_bucket", "exit_us", "accepted_us", "rejected_us", "sql_us", "contact_us",
    "lag_us", "calendar_waited_us", "stage_us", "stop_us", "waited_us", "sla_waited_us",
    "is_in_order", "is_accepted_first",
)  # fmt: skip


def lead_table(
    tables: Tables,
    params: ReportParams,
    *,
    zone: ZoneInfo,
    store: Callable[[ir.Table], ir.Table],
) -> LeadTable:
    """Return the lead table as of the report's moment.

    Parameters
    ----------
    tables
        What was read; the ledger of the leads gets the notes (``after_as_of``, ``skipped_mql``,
        ``out_of_order``, ``overturned``).
    params, zone
        The report and its time zone.
    store
        Keeps a table in the engine.
    """
    leads, events = tables.leads, tables.events
    latest = latest_moment(leads, events, stamp_precision(leads, events)[1], zone)
    as_of = resolve_as_of(params.as_of, zone=zone, latest=latest)
    leads, events, late = known_by(leads, events, as_of)
    recorded, dated = stamp_precision(leads, events)
    if events is not None and "leads" in tables.ledgers:
        strangers = events.anti_join(leads, "lead_id").count().to_pyarrow().as_py()
        tables.ledgers["history"].noted.update({"unknown_lead": strangers} if strangers else {})
    if events is not None:
        leads = with_history(store(leads), store(events), params.passes)
    clock = Clock(params, zone, as_of, frozenset(dated))
    # What a deal is worth is known when it is won.
    amount = leads["won_at"].notnull().ifelse(leads["amount"], ibis.null(MONEY))
    leads = add_durations(_where(leads.mutate(amount=amount), params), clock)
    start, end = params.calendar.resolve(params.period, as_of)
    buckets = params.calendar.cut(start, end, params.grain)
    earlier = params.calendar.before(buckets[0], params.grain, params.rolling - 1)
    table = store(_columns(leads, params, [*earlier, *buckets], len(earlier), zone))
    noted = tables.ledgers["leads" if "leads" in tables.ledgers else "history"].noted
    noted.update(after_as_of=late, **_notes(table))
    _check_span(table, params, Bucket("period", start, end), as_of, zone)
    found = LeadTable(
        table=table,
        clock=clock,
        buckets=tuple(buckets),
        earlier=tuple(earlier),
        recorded=frozenset(recorded),
    )
    return replace(found, segments=_segments(found))


def _check_span(
    table: ir.Table, params: ReportParams, period: Bucket, as_of: AsOf, zone: ZoneInfo
) -> None:
    """Stop where the parameters leave nothing to report on.

    Raises
    ------
    ParamsError
        When no lead passes ``where``, or the period lies wholly before the first MQL or after the
        data's end.
    """
    row = table.aggregate(n=table.count(), first=table["mql_at"].min()).to_pyarrow().to_pylist()[0]
    if params.where and not row["n"]:
        raise ParamsError(
            report(
                "where: no lead is left.",
                found="; ".join(f"{c}: {listed(v)}" for c, v in params.where.items()),
                fix="compare the values with the data's; text in quotes stays text in YAML",
            )
        )
    if row["first"] is None:
        return
    first = row["first"].replace(tzinfo=UTC).astimezone(zone).date()
    if period.end <= first or period.start > as_of.on:
        raise ParamsError(
            report(
                f"period {params.period!r} has no data.",
                expected=f"a period that meets {first} .. {as_of.on}",
                found=f"{period.start} .. {period.end - DAY}",
                fix="choose another period, or check as_of",
            )
        )


def _columns(
    leads: ir.Table, params: ReportParams, buckets: list[Bucket], earlier: int, zone: ZoneInfo
) -> ir.Table:
    """Return the columns that the numbers need, with the bucket of each stamp."""
    none = ibis.null("timestamp")
    sql_at = leads["mql_at"].notnull().ifelse(leads["sql_at"], none)
    cuts = [breakdown(i) for i in range(len(params.by))]
    kept = [*COLUMNS, *(c for c in TEXT_COLUMNS if c in leads.columns), *cuts]
    return leads.mutate(
        mql_bucket=_bucket(leads["mql_at"], buckets, earlier, zone),
        sql_bucket=_bucket(sql_at, buckets, earlier, zone),
    ).select(*kept)


def _bucket(
    stamp: ir.TimestampValue, buckets: list[Bucket], earlier: int, zone: ZoneInfo
) -> ir.IntegerValue:
    """Return the index of the bucket that a stamp lies in; NULL before, after and between them."""
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


def _where(leads: ir.Table, params: ReportParams) -> ir.Table:
    """Return the leads wanted, with the breakdowns under names that no export can have."""
    text = {c: leads[c].cast("string").fill_null(MISSING) for c in {*params.by, *params.where}}
    known = {*LEAD_COLUMNS, *(f"{s}_timed" for s in STAMPS)}
    own = [c for c in leads.columns if c in known]
    cut = leads.select(
        *own,
        **{breakdown(i): text[c] for i, c in enumerate(params.by)},
        _kept=reduce(
            lambda a, b: a & b,
            (text[c].isin(kept) for c, kept in params.where.items()),
            ibis.literal(True),
        ),
    )
    return cut.filter(cut["_kept"]).drop("_kept")


def _notes(table: ir.Table) -> dict[str, int]:
    counted: dict[str, Any] = {
        "skipped_mql": (table["mql_at"].isnull() & table["sql_at"].notnull()).sum(),
        "out_of_order": (table["mql_at"].notnull() & ~table["is_in_order"]).sum(),
        "overturned": (is_rejected(table) & table["accepted_us"].notnull()).sum(),
    }
    row = table.aggregate(**counted).to_pyarrow().to_pylist()[0]
    return {name: int(value or 0) for name, value in row.items()}
