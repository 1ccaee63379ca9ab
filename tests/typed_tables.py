"""Typed tables from text, equal to what reading the text as exports returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from mqlkit.core.names import LEAD_COLUMNS, STAMPS, TEXT_COLUMNS
from mqlkit.core.params import ReportParams
from mqlkit.leads.build import TimedLeads, leads_with_durations
from mqlkit.sources.goals import AMOUNTS
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.local_times import zone_of
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import lead_column
from mqlkit.sources.store import connect
from mqlkit.sources.tables import Tables

# Header first.
Rows = Sequence[Sequence[str]]
TIMESTAMP = pa.timestamp("us")
MONEY = pa.decimal128(38, 6)


class SharedReader(Reader):
    """A reader on the one connection of this process."""

    shared = connect()
    numbers = count(1)

    def __init__(self, day_zone: str) -> None:
        super().__init__(self.shared, Path(), Path(), max_set_aside=1.0, day_zone=day_zone)

    def name(self, kind: str) -> str:
        """Return a name that no other reader on the connection has."""
        self.tables = next(self.numbers)
        return super().name(kind)


def typed_tables(
    reader: Reader,
    given: Mapping[str, Rows],
    *,
    zones: Mapping[str, str],
    extras: Sequence[str] = (),
) -> Tables:
    """Return the tables of a report.

    Parameters
    ----------
    reader
        Stores the tables. Its ``day_zone`` is the zone of the report.
    given
        Rows by table: ``leads``, ``history``, ``spend``, ``goals``. Columns are named as in the
        canonical tables. Dates are ISO 8601, and an empty cell is missing.
    zones
        Zone of timestamps without an offset, by table; of the history, that of the leads if it has
        none.
    extras
        Lead columns wanted beside the canonical ones.
    """
    columns = {name: _columns(rows) for name, rows in given.items()}
    events = None
    if "history" in columns:
        events = _events(reader, columns["history"], zones.get("history", zones["leads"]))
    leads = columns.get("leads") or {"lead_id": sorted(set(columns["history"]["lead_id"]))}
    return Tables(
        leads=_stored(reader, _leads(reader, leads, zones["leads"], extras)),
        events=None if events is None else _stored(reader, events),
        spend=_spend(columns["spend"]) if "spend" in columns else None,
        goals=_goals(columns["goals"]) if "goals" in columns else None,
        currency="EUR" if "spend" in columns else None,
        others=[c for c in extras if c not in LEAD_COLUMNS],
        columns=list(given["leads"][0] if "leads" in given else LEAD_COLUMNS),
        zones=tuple(reader.zones),
        ledgers={name: Ledger(read=len(rows) - 1) for name, rows in given.items()},
    )


def timed_leads(
    given: Mapping[str, Rows], *, zones: Mapping[str, str], **params: Any
) -> TimedLeads:
    """Return leads with their durations, as a report computes them, without its numbers.

    Parameters
    ----------
    given, zones
        As in `typed_tables`.
    params
        Parameters of the report.
    """
    chosen = ReportParams.from_mapping({"by": [], **params})
    reader = SharedReader(chosen.timezone or zones["leads"])
    tables = typed_tables(reader, given, zones=zones)
    zone = ZoneInfo(reader.day_zone)
    return leads_with_durations(tables, chosen, zone=zone, reader=reader, columns=[])


def _columns(rows: Rows) -> dict[str, list[str | None]]:
    header, *rest = rows
    return {
        name: [cell or None for cell in cells]
        for name, cells in zip(header, zip(*rest, strict=True), strict=True)
    }


def _stored(reader: Reader, table: pa.Table):
    name = reader.name("table")
    reader.backend.con.register("given", table)
    reader.backend.con.execute(f"CREATE TABLE {name} AS FROM given")
    reader.backend.con.unregister("given")
    return reader.backend.table(name)


def _leads(
    reader: Reader, columns: Mapping[str, list[str | None]], zone: str, extras: Sequence[str]
) -> pa.Table:
    ids = columns["lead_id"]
    assert len(set(ids)) == len(ids), "one row per lead"
    missing = [None] * len(ids)
    found = {"lead_id": pa.array(ids, "string")}
    for stamp in STAMPS:
        cells = columns.get(stamp, missing)
        found |= _stamps(reader, stamp, cells, zone)
    amounts = [cell and Decimal(cell) for cell in columns.get("amount", missing)]
    found["amount"] = pa.array(amounts, MONEY)
    texts = [*TEXT_COLUMNS, *(c for c in extras if c not in LEAD_COLUMNS)]
    found |= {lead_column(t): pa.array(columns.get(t, missing), "string") for t in texts}
    return pa.table(found)


def _events(reader: Reader, columns: Mapping[str, list[str | None]], zone: str) -> pa.Table:
    found = {name: pa.array(columns[name], "string") for name in ("lead_id", "stage")}
    return pa.table(found | _stamps(reader, "at", columns["at"], zone))


def _stamps(
    reader: Reader, stamp: str, cells: Sequence[str | None], zone: str
) -> dict[str, pa.Array]:
    """Return a column of timestamps and its zones; midnights alone are dates."""
    number, has_time = reader.zone_number(zone), any(map(_has_clock, cells))
    timed = [has_time and cell is not None and ":" in cell for cell in cells]
    zones = [ZoneInfo(zone if is_timed else reader.day_zone) for is_timed in timed]
    at = [_instant(*pair) for pair in zip(cells, zones, strict=True)]
    places = [number if is_timed else ~number for is_timed in timed]
    known = [None if cell is None else place for cell, place in zip(cells, places, strict=True)]
    return {stamp: pa.array(at, TIMESTAMP), zone_of(stamp): pa.array(known, "int8")}


def _spend(columns: Mapping[str, list[str | None]]) -> pd.DataFrame:
    """Return amounts by range, channel and campaign; a ``date`` is a range of one day."""
    ends = ("date", "date") if "date" in columns else ("date_from", "date_to")
    first, last = ([date.fromisoformat(cell) for cell in columns[end]] for end in ends)
    names = [columns.get(c, [None] * len(first)) for c in ("channel", "campaign")]
    amounts = map(Decimal, columns["amount"])
    sums: dict[tuple[date, date, str | None, str | None], Decimal] = defaultdict(Decimal)
    for *key, amount in zip(first, last, *names, amounts, strict=True):
        sums[*key] += amount
    keys = ["date_from", "date_to", "channel", "campaign"]
    frame = pd.DataFrame(list(sums), columns=keys)
    frame = frame.assign(amount=[float(amount) for amount in sums.values()])
    frame = frame.astype({"channel": "str", "campaign": "str"})
    return frame.sort_values(keys, ignore_index=True)


def _goals(columns: Mapping[str, list[str | None]]) -> pd.DataFrame:
    months = pd.to_datetime(columns["month"], format="%Y-%m").astype("datetime64[us]")
    by = next((c for c in columns if c not in ("month", *AMOUNTS)), "")
    names = [
        "" if name in (None, "all") else name for name in columns.get(by, [None] * len(months))
    ]
    missing = [None] * len(months)
    frame = pd.DataFrame(
        {
            "month": months,
            "by": [by if name else "" for name in names],
            "name": names,
            **{a: [float(c or "nan") for c in columns.get(a, missing)] for a in AMOUNTS},
        }
    )
    return frame.sort_values(["month", "name"], ignore_index=True)


def _has_clock(cell: str | None) -> bool:
    """Return whether a cell has a time of day, other than a local midnight."""
    return cell is not None and ":" in cell and datetime.fromisoformat(cell).timetz() != time.min


def _instant(cell: str | None, zone: ZoneInfo) -> datetime | None:
    """Return a timestamp, or the midnight of a date, as naive UTC."""
    if cell is None:
        return None
    at = datetime.fromisoformat(cell)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
