"""Records that a CRM has merged: rows and events of the merged id belong to the surviving one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mqlkit.sources.files import Export
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values, quote

# Columns of the ids merged into the record of a row, and of the record that it was merged into.
IDS, INTO = "merged_ids", "merged_into"
HEADERS = {
    IDS: (
        "Merged contact IDs",
        "Merged record IDs",
        "Merged vids",
        "hs_merged_object_ids",
        "hs_calculated_merged_vids",
        "property_hs_merged_object_ids",
        "property_hs_calculated_merged_vids",
    ),
    INTO: ("MasterRecordId", "Master Record ID", "master_record_id"),
}
NOTED = "merged_record"


def merge_columns(exports: Sequence[Export]) -> dict[str, str]:
    """Return the columns that identify merged records, by name, each with `IDS` or `INTO`."""
    found: dict[str, str] = {}
    for export in exports:
        for kind, headers in HEADERS.items():
            there = [export.header_of(kind), *(export.like(header) for header in headers)]
            found |= {export.offered[header]: kind for header in there if header}
    return found


def find_merged(reader: Reader, table: str, columns: Mapping[str, str]) -> None:
    """Add to ``reader.merged`` what the rows of a table tell.

    Parameters
    ----------
    reader, table
        The engine, and a table with ``lead_id``.
    columns
        Names of its columns, each with `IDS` or `INTO`.
    """
    for column, kind in columns.items():
        query = f"""
            SELECT DISTINCT lead_id, {quote(column)} FROM {table}
            WHERE {quote(column)} IS NOT NULL ORDER BY ALL
        """  # noqa: S608
        for lead, text in reader.rows(query, Values()):
            others = ids_in(text)
            pairs = [(lead, other) for other in others[:1]]
            if kind == IDS:
                pairs = [(other, lead) for other in others]
            reader.merged.update((old, new) for old, new in pairs if old != new)


def ids_in(text: str) -> list[str]:
    """Return the ids that a cell lists.

    >>> ids_in("351:1594636789273;352:1594636789273"), ids_in("[400, 401]"), ids_in("00Q1 00Q2")
    (['351', '352'], ['400', '401'], ['00Q1', '00Q2'])
    """
    # HubSpot writes the time behind an id.
    parts = re.split(r"[\s;,|\[\]\"']+", text)
    return [part.split(":", maxsplit=1)[0] for part in parts if part]


def apply_merged(reader: Reader, table: str, ledger: Ledger) -> None:
    """Give the rows of merged records the id of the surviving one, and note how many there are."""
    survivors = dict(_survivors(reader.merged))
    if not survivors:
        return
    values = Values()
    old, new = values.bind([*survivors]), values.bind([*survivors.values()])
    pairs = f"(SELECT unnest({old}) AS old, unnest({new}) AS new)"
    is_merged = f"{table}.lead_id = pairs.old"
    query = f"SELECT count(*) FROM {table} JOIN {pairs} AS pairs ON {is_merged}"  # noqa: S608
    ((n,),) = reader.rows(query, values)
    if n:
        ledger.noted[NOTED] += n
        reader.backend.con.execute(
            f"UPDATE {table} SET lead_id = pairs.new FROM {pairs} AS pairs WHERE {is_merged}",  # noqa: S608
            values.bound,
        )


def _survivors(merged: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each merged id with the one that is left in the end."""
    for old in merged:
        seen, new = {old}, merged[old]
        while new in merged and new not in seen:
            seen.add(new)
            new = merged[new]
        # A circle tells nothing.
        if new not in seen:
            yield old, new
