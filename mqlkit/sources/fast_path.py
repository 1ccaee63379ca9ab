"""Large exports of leads in one scan, where they need no mending.

Looking at every cell with care costs as much again as parsing it. Here cells are taken as they
are, and what would have to be done about them is only counted: where that is anything at all, the
caller reads the table again, with care.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import STAMPS
from mqlkit.sources.cells import MONEY, all_of, any_of
from mqlkit.sources.dialect.decide import PLAIN_NUMBER, Batch
from mqlkit.sources.ids import id_lengths, may_be_one
from mqlkit.sources.rejects import has_rejects
from mqlkit.sources.staging import Reader, read_raw
from mqlkit.sources.store import LATEST, NAMES_ZONE, plain_instant, session_zone

Cells = Mapping[str, ir.StringValue]
# The engine takes the word `epoch` for a stamp; no lead is that old.
EPOCH_IS_OVER = datetime(1970, 1, 2)  # noqa: DTZ001


def read_plain_leads(reader: Reader, batch: Batch, columns: Sequence[str]) -> ir.Table | None:
    """Return the typed leads of files with one header; None where any cell needs a closer look.

    Parameters
    ----------
    reader, batch
        The engine and the files; their first rows have shown nothing but ISO 8601.
    columns
        The columns wanted, ours.

    Returns
    -------
    ibis.Table
        A row for every line below the headers, each another lead: the columns wanted, and
        ``{stamp}_timed`` for each stamp.
    """
    rejects = reader.name("rejects")
    raw = read_raw(reader.backend, batch.exports, rejects, clean=False)
    headers = {ours: batch.exports[0].header_of(ours) for ours in columns}
    texts = {ours: raw[theirs] for ours, theirs in headers.items() if theirs}
    # A date without a time begins at midnight in the report's zone, not where it was written.
    needs_time = {batch.zone, reader.day_zone} != {"UTC"}
    with session_zone(reader.backend, batch.zone):
        cells = reader.layer(raw.select(**{f"_{ours}": text for ours, text in texts.items()}))
        typed = reader.layer(cells.mutate(**_typed({c: cells[f"_{c}"] for c in texts})))
        is_odd = _is_odd(typed, texts, needs_time=needs_time)
        table = reader.store(typed.mutate(_odd=is_odd).drop(*cells.columns))
    lines = sum(e.n_lines - 1 for e in batch.exports)
    if has_rejects(reader.backend, rejects) or not _is_plain(table, lines):
        return None
    absent = {c: _nothing(c) for c in columns if c not in texts}
    absent |= {f"{s}_timed": ibis.null("boolean") for s in STAMPS if s not in texts}
    return table.drop("_odd").mutate(**absent)


def _typed(cells: Cells) -> dict[str, ir.Value]:
    found: dict[str, ir.Value] = {}
    for column, cell in cells.items():
        found[column] = cell
        if column in STAMPS:
            found |= {column: plain_instant(cell), f"{column}_timed": cell.contains(":")}
        elif column == "amount":
            found[column] = cell.try_cast(MONEY)
    return found


def _nothing(column: str) -> ir.Value:
    kinds = {**dict.fromkeys(STAMPS, "timestamp"), "amount": MONEY}
    return ibis.null(kinds.get(column, "string"))


def _is_odd(typed: ir.Table, columns: Mapping[str, Any], *, needs_time: bool) -> ir.BooleanValue:
    """Return whether a row has anything that a careful reading might take otherwise."""
    odd = [typed["_lead_id"].isnull()]
    stamps = [c for c in columns if c in STAMPS]
    odd += [typed[f"_{s}"].notnull() & typed[s].isnull() for s in stamps]
    odd += [typed[f"_{s}"].like(NAMES_ZONE) for s in stamps]
    odd += [~typed[f"{s}_timed"] for s in stamps if needs_time]
    # Without any date it may be a total.
    odd.append(all_of([typed[s].isnull() for s in stamps]))
    for column in columns:
        cell = typed[f"_{column}"]
        if column == "amount":
            odd.append(~cell.re_search(f"^(?:{PLAIN_NUMBER.pattern})$"))
        elif column not in STAMPS:
            odd.append((cell < "!") | (cell.right(1) < "!"))
    return any_of([holds.fill_null(False) for holds in odd])


def _is_plain(table: ir.Table, lines: int) -> bool:
    stamps = [s for s in STAMPS if s in table.columns]
    found = table.aggregate(
        rows=table.count(),
        odd=table["_odd"].sum(),
        # By their hashes, which is quicker; two alike are looked at with care.
        leads=table["lead_id"].hash().nunique(),
        **id_lengths(table["lead_id"]),
        first=ibis.least(*(table[s].min() for s in stamps)),
        last=ibis.greatest(*(table[s].max() for s in stamps)),
    )
    row = found.to_pyarrow().to_pylist()[0]
    is_whole = row["odd"] == 0 and row["rows"] == row["leads"] == lines and not may_be_one(row)
    return bool(is_whole and row["first"] >= EPOCH_IS_OVER and row["last"] < LATEST)
