"""The leads of a source: rows read from exports, then one row per lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from mqlkit.core.errors import ParamsError, SourceError, report, unknown_name
from mqlkit.core.names import LEAD_COLUMNS, STAMPS, TEXT_COLUMNS
from mqlkit.sources.cells import has_time, money, timestamp
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.fast_path import read_plain_leads
from mqlkit.sources.ids import of_one_length
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.non_data_rows import UNLIKELY_ID
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import ORDER, Values, all_of, any_of, lead_column, literal, quote
from mqlkit.sources.staging import Cells, Reader, Typing
from mqlkit.sources.store import local_date
from mqlkit.sources.table import Read, known_columns, open_exports, read_table

if TYPE_CHECKING:
    from mqlkit.sources.files import Export


@dataclass(frozen=True)
class Wanted:
    """Columns of the exports without a canonical name: those named, or all."""

    named: Sequence[str]
    is_all: bool

    def of(self, columns: Sequence[str]) -> list[str]:
        """Return those wanted of the columns that there are."""
        named = [c for c in self.named if c not in LEAD_COLUMNS]
        if not self.is_all:
            return named
        others = [*named, *(c for c in columns if c not in ("", *LEAD_COLUMNS))]
        first = {lead_column(c): c for c in reversed(others)}
        return [c for c in dict.fromkeys(others) if first[lead_column(c)] == c]


def read_leads(
    reader: Reader,
    spec: TableSpec,
    extras: Sequence[str],
    *,
    has_mql: bool,
    exports: list[Export] | None = None,
) -> Read:
    """Return the leads as read, row by row; ``mql_at`` may be missing where ``has_mql``."""
    texts = [*TEXT_COLUMNS, *extras]

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        found = {"lead_id": cells["lead_id"]}
        for s in STAMPS:
            found[s] = timestamp(
                cells[s], how.date(s), values, zone=how.zone, day_zone=reader.day_zone
            )
            found[f"{s}_timed"] = has_time(cells[s], how.date(s))
        found["amount"] = money(cells["amount"], how.number("amount"))
        return found | {lead_column(t): cells[t] for t in texts}

    def faults(cells: Cells) -> list[tuple[str, str]]:
        bad = [f"{cells[s]} IS NOT NULL AND {quote(s)} IS NULL" for s in STAMPS]
        return [
            ("no_id", f"{cells['lead_id']} IS NULL"),
            ("bad_date", any_of(bad)),
            ("bad_amount", f"{cells['amount']} IS NOT NULL AND amount IS NULL"),
        ]

    def is_odd(cells: Cells) -> str:
        # A total or a footer fills the first column alone, which may be that of the id.
        no_dates = all_of(f"{cells[s]} IS NULL" for s in STAMPS)
        is_unlikely = f"regexp_matches({cells['lead_id']}, {literal(UNLIKELY_ID)})"
        return all_of([no_dates, is_unlikely])

    columns = [*LEAD_COLUMNS, *extras]
    typing = Typing(
        columns=columns,
        needed=["lead_id"] if has_mql else ["lead_id", "mql_at"],
        kinds=Kinds(STAMPS, ["amount"]),
        typed=typed,
        faults=faults,
        has_date=any_of(f"{quote(s)} IS NOT NULL" for s in STAMPS),
        timestamps=STAMPS,
        is_odd=is_odd,
        read_plain=partial(read_plain_leads, columns=columns),
    )
    return read_table(reader, spec, typing, key="lead_id", exports=exports)


def lead_table(
    reader: Reader,
    spec: TableSpec,
    wanted: Wanted,
    keep: Callable[[Read, TableSpec], Read],
    *,
    has_mql: bool,
) -> tuple[ir.Table, list[str], list[str]]:
    """Return one row per lead, the columns without a canonical name, and all of the exports."""
    exports = open_exports(reader, spec)
    columns = known_columns(exports)
    others = wanted.of(columns)
    texts = [*TEXT_COLUMNS, *map(lead_column, others)]
    read = keep(read_leads(reader, spec, others, has_mql=has_mql, exports=exports), spec)
    missing = [c for c in others if not any(e.header_of(c) for e in exports)]
    if missing:
        raise ParamsError(
            "\n".join(unknown_name("by/where", "column", c, columns) for c in missing)
        )
    table = read.table
    if ORDER in table.columns:
        table = reader.store(table)
        merged = _merge(of_one_length(table, read.ledger), texts, reader.day_zone)
        table = reader.store(merged)
        if merged := read.ledger.used - int(table.count().to_pyarrow().as_py()):
            read.ledger.noted["merged"] = merged
    return table, others, columns


def _merge(table: ir.Table, texts: Sequence[str], zone: str) -> ir.Table:
    """Return one row per lead: earliest stamp per stage, last non-empty other value."""
    order = table[ORDER]
    columns: dict[str, Any] = {}
    for stamp_column in STAMPS:
        at, is_timed = table[stamp_column], table[f"{stamp_column}_timed"]
        first, timed = at.min(), at.min(where=is_timed)
        # A date and a stamp of that day are one event, and the stamp knows when.
        is_that_day = (local_date(timed, zone) <= local_date(first, zone)).fill_null(False)
        columns[stamp_column] = is_that_day.ifelse(timed, first)
        columns[f"{stamp_column}_timed"] = is_that_day
    columns |= {c: table[c].argmax(order, where=table[c].notnull()) for c in ("amount", *texts)}
    return table.group_by("lead_id").aggregate(**columns)


def leads_of(events: ir.Table | None, ledgers: Mapping[str, Ledger]) -> ir.Table:
    """Return the leads that a history alone knows, with no stamps and no other columns."""
    if events is None:
        raise SourceError(report(f"{ledgers}: no leads."))
    ids = events.select("lead_id").distinct()
    stamps = {s: ibis.null("timestamp") for s in STAMPS}
    stamps |= {f"{s}_timed": ibis.null("boolean") for s in STAMPS}
    texts = {t: ibis.null("string") for t in TEXT_COLUMNS}
    return ids.mutate(**stamps, amount=ibis.null("decimal(38, 6)"), **texts)
