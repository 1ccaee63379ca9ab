"""One row of an export: its cells by our names, and whether it is a row of the table at all."""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir

from mqlkit.sources.cells import NOTHING, all_of, any_of, clean
from mqlkit.sources.files import Export
from mqlkit.sources.store import json_text
from mqlkit.sources.text import LOST


def cell_of(raw: ir.Table, export: Export, name: str) -> ir.StringValue:
    """Return the clean cell of a column of ours; NULL where the file has none."""
    header = export.header_of(name)
    known = export.recognised
    cell = clean(raw[header]) if header else ibis.null("string")
    if header is None and name in known.format.json:
        cell = _from_json(raw, export, name)
    if name == "currency" and known.currency:
        cell = cell.coalesce(ibis.literal(known.currency))
    return cell


def _from_json(raw: ir.Table, export: Export, name: str) -> ir.StringValue:
    """Return the first of some keys of the JSON object in a column."""
    theirs, *keys = export.recognised.format.json[name]
    header = export.like(theirs)
    if header is None:
        return ibis.null("string")
    return ibis.coalesce(*(clean(json_text(raw[header], key)) for key in keys))


def is_counted(raw: ir.Table, export: Export) -> ir.BooleanValue:
    """Return whether a row is of a kind that counts; the format tells which are."""
    kinds = []
    for mapping in export.recognised.format.rows:
        headers = {export.like(theirs): values for theirs, values in mapping.items()}
        if None not in headers:
            fits = [
                clean(raw[h]).lower().isin([v.lower() for v in vs]) for h, vs in headers.items()
            ]
            kinds.append(all_of([fit.fill_null(False) for fit in fits]))
    return any_of(kinds) if kinds else ibis.literal(True)


def why_odd(raw: ir.Table, export: Export) -> ir.StringValue:
    """Return why a row is no data whatever it means: blank, the header again, broken text."""
    key = next(iter(export.recognised.columns.values()), export.header_cells[0])
    cell = raw[export.header[export.header_cells.index(key)]].fill_null("")
    row = _joined(raw, export)
    # One cell is looked at first: joining all of them costs, and is hardly ever needed.
    is_blank = (cell < "!") & row.re_search(r"^[\s\x1f]*$")
    trimmed = row.strip().re_replace(r"\s*\x1f\s*", "\x1f")
    is_header = (cell.startswith(key) | (cell < "!")) & (
        trimmed == "\x1f".join(filter(None, export.header_cells))
    )
    odd = [(is_blank, "blank"), (is_header, "repeated_header")]
    if export.is_damaged:
        odd.append((row.contains(LOST), "bad_row"))
    return ibis.cases(*odd)


def _joined(raw: ir.Table, export: Export) -> ir.StringValue:
    """Return the cells of a row as one text, without those that are NULL.

    Nothing is done to each cell first: with thousands of columns the engine would take minutes.
    """
    return ibis.literal("\x1f").join([raw[header] for header in export.header])


def first_cell(raw: ir.Table, export: Export) -> ir.StringValue:
    """Return the first cell of a row that says something."""
    nothing = "|".join(re.escape(word) for word in NOTHING if word)
    first = rf"^(?:\s*(?:{nothing})?\s*\x1f)*\s*([^\x1f]+)"
    return _joined(raw, export).re_extract(first, 1).strip().nullif("")
