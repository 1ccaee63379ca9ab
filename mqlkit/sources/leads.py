"""The leads of a source: rows read from exports, then one row per lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from mqlkit.core.errors import ParamsError, SourceError, report, unknown_name
from mqlkit.core.names import LEAD_COLUMNS, STAMPS, TEXT_COLUMNS
from mqlkit.sources.cells import MONEY, local_day, money, timestamp
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.fast_path import ODD, read_plain_leads
from mqlkit.sources.ids import shorten_ids
from mqlkit.sources.local_times import zone_of
from mqlkit.sources.merged_records import apply_merged, find_merged, merge_columns
from mqlkit.sources.missing_columns import columns_of, note_missing, refuse_missing
from mqlkit.sources.non_data_rows import UNLIKELY_ID
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import (
    ABSENT,
    FILE,
    RECORD,
    Values,
    all_of,
    any_of,
    lead_column,
    literal,
    quote,
)
from mqlkit.sources.staging import SUSPECT, Cells, Typing
from mqlkit.sources.table import Read, known_columns, open_exports, read_table

if TYPE_CHECKING:
    from mqlkit.sources.files import Export


@dataclass(frozen=True)
class Wanted:
    """Columns of the exports without a canonical name: those named, or all.

    Attributes
    ----------
    named
        Columns that the report names.
    is_all
        Whether every column is wanted.
    places
        The parameter that names a column.
    """

    named: Sequence[str]
    is_all: bool
    places: Mapping[str, str] = field(default_factory=dict)

    def of(self, columns: Sequence[str]) -> list[str]:
        """Return those wanted of the columns that there are."""
        named = [c for c in self.named if c not in LEAD_COLUMNS]
        further = columns if self.is_all else []
        others = [*named, *(c for c in further if c not in ("", *LEAD_COLUMNS))]
        first = {lead_column(c): c for c in reversed(others)}
        return [c for c in dict.fromkeys(others) if first[lead_column(c)] == c]


def refuse_unknown(wanted: Wanted, missing: Sequence[str], columns: Sequence[str]) -> None:
    """Stop where columns that a report names are in no export; ``columns`` are those there are."""
    if missing:
        texts = [c for c in columns if c not in LEAD_COLUMNS or c in TEXT_COLUMNS]
        words = (
            unknown_name(wanted.places.get(c, "by/where"), "column", c, texts) for c in missing
        )
        raise ParamsError("\n".join(words))


def read_leads(
    reader: Reader,
    spec: TableSpec,
    extras: Sequence[str],
    *,
    has_mql: bool,
    exports: list[Export] | None = None,
) -> Read:
    """Return the leads as read, row by row; ``mql_at`` may be missing where ``has_mql``."""
    exports = exports or open_exports(reader, spec)
    merges = merge_columns(exports)
    others = list(dict.fromkeys([*extras, *merges]))
    texts = [*TEXT_COLUMNS, *others]

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        found = {"lead_id": cells["lead_id"]}
        for s in STAMPS:
            found[s] = timestamp(cells[s], how.date(s), values)
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

    columns = [*LEAD_COLUMNS, *others]
    typing = Typing(
        columns=columns,
        needed=["lead_id"] if has_mql else ["lead_id", "mql_at"],
        kinds=Kinds(STAMPS, ["amount"]),
        typed=typed,
        faults=faults,
        has_date=any_of(f"{quote(s)} IS NOT NULL" for s in STAMPS),
        timestamps=STAMPS,
        may_be_total=lambda cells: f"{cells['lead_id']} IS NULL",
        is_odd=is_odd,
        check=partial(refuse_missing, spec),
        # Rows of merged records are not different leads.
        read_plain=None if merges else partial(read_plain_leads, columns=columns),
    )
    read = read_table(reader, spec, typing, exports=exports)
    find_merged(reader, read.table, {lead_column(name): kind for name, kind in merges.items()})
    for name in set(merges) - set(extras):
        reader.run(f"ALTER TABLE {read.table} DROP COLUMN {quote(lead_column(name))}")
    there = [*columns_of(spec, read.exports), *extras]
    note_missing(read.exports, read.rows, dict.fromkeys(there), read.ledger)
    return read


def lead_table(
    reader: Reader,
    spec: TableSpec,
    wanted: Wanted,
    keep: Callable[[Read, TableSpec], Read],
    *,
    has_mql: bool,
) -> tuple[str, list[str], list[str]]:
    """Return the table of leads, its columns without a canonical name, and all of the exports."""
    exports = open_exports(reader, spec)
    columns = known_columns(exports)
    others = wanted.of(columns)
    texts = [*TEXT_COLUMNS, *map(lead_column, others)]
    read = keep(read_leads(reader, spec, others, has_mql=has_mql, exports=exports), spec)
    missing = [c for c in others if not any(e.header_of(c) for e in exports)]
    refuse_unknown(wanted, missing, columns)
    if not read.is_numbered:
        reader.run(f"ALTER TABLE {read.table} DROP COLUMN {ODD}")
        return read.table, others, columns
    apply_merged(reader, read.table, read.ledger)
    shorten_ids(reader, read.table, read.ledger)
    table = _merged(reader, read.table, texts)
    if n_merged := read.ledger.used - reader.count(table):
        read.ledger.noted["merged"] = n_merged
    return table, others, columns


def _merged(reader: Reader, table: str, texts: Sequence[str]) -> str:
    """Create one row per lead: earliest stamp per stage, of the rest the value of the latest row.

    The latest row is that with the latest timestamp; of several, the greatest value counts. The
    order of files and rows says nothing about which is newer.
    """
    values, latest = Values(), f"greatest({', '.join(map(quote, STAMPS))})"
    merged = []
    day_zone, zones = values.bind(reader.day_zone), values.bind(reader.zones)
    for stamp in STAMPS:
        zone = zone_of(stamp)
        date, at = (f"min({stamp}) FILTER ({zone} {kind} 0)" for kind in ("<", ">="))
        of_date, of_at = (f"arg_min({zone}, {stamp}) FILTER ({zone} {k} 0)" for k in ("<", ">="))
        # A date and a timestamp of that day are one event, and the timestamp knows when.
        day = local_day(at, f"list_extract({zones}, {of_at} + 1)")
        is_date = f"{date} IS NOT NULL AND coalesce({local_day(date, day_zone)} < {day}, true)"
        merged.append(f"CASE WHEN {is_date} THEN {date} ELSE {at} END AS {stamp}")
        merged.append(f"CASE WHEN {is_date} THEN {of_date} ELSE {of_at} END AS {zone}")
    others = map(quote, dict.fromkeys(("amount", *texts)))
    newest = f"coalesce({latest}, TIMESTAMP '-infinity')"
    merged += [
        f"struct_extract(max({{'at': {newest}, 'value': {name}}}) "
        f"FILTER (WHERE {name} IS NOT NULL), 'value') AS {name}"
        for name in others
    ]
    query = f"""
        WITH repeated AS (SELECT lead_id FROM {table} GROUP BY lead_id HAVING count(*) > 1)
        SELECT * EXCLUDE ({FILE}, {RECORD}, {SUSPECT})
        FROM {table} ANTI JOIN repeated USING (lead_id)
        UNION ALL BY NAME
        SELECT lead_id, {", ".join(merged)}
        FROM {table} SEMI JOIN repeated USING (lead_id) GROUP BY lead_id
    """  # noqa: S608
    return reader.create(query, values)


def leads_of(reader: Reader, events: str | None) -> str:
    """Create the leads that a history alone knows, with no stamps and no other columns."""
    if events is None:
        raise SourceError(report("There are no leads."))
    columns = [
        f"CAST(NULL AS TIMESTAMP) AS {s}, CAST(NULL AS TINYINT) AS {zone_of(s)}" for s in STAMPS
    ]
    columns += [f"CAST(NULL AS {MONEY}) AS amount", *(f"{ABSENT} AS {t}" for t in TEXT_COLUMNS)]
    query = f"SELECT DISTINCT lead_id, {', '.join(columns)} FROM {events}"  # noqa: S608
    return reader.create(query, Values())
