"""One row of an export: its cells by our names, and whether it is a row of the table at all.

The columns of raw rows are called ``c0``, ``c1``, … by their place: a header is never a name in a
statement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mqlkit.sources.cells import NOTHING, WHITESPACE, clean
from mqlkit.sources.files import Export
from mqlkit.sources.formats import always_filled
from mqlkit.sources.sql import ABSENT, Values, all_of, any_of, literal
from mqlkit.sources.text import LOST

SEPARATOR = "'\x1f'"
# What a second header may have and the first has not: it came from the top of another file.
MARKS = '[\N{BOM}"]'
# Cells that say how much or when, and no name: digits with the letters of a unit, or a currency.
CURRENCIES = (
    "EUR|USD|GBP|JPY|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|RSD|TRY|UAH|GEL|CNY|INR|BRL|MXN|ARS"
    "|CLP|COP|PEN|CAD|AUD|NZD|SGD|HKD|KRW|TWD|THB|IDR|MYR|PHP|VND|ZAR|AED|SAR|ILS|EGP|NGN|KES"
)
NO_NAME = (
    rf"^[^\p{{L}}]*(?:[A-Z]{{0,3}}\p{{Sc}})?[^\p{{L}}]*[0-9][^\p{{L}}]*(?:[KkMmTZ]|[A-Z]{{2,3}})?[^\p{{L}}]*$"
    rf"|^[^\p{{L}}]*(?:{CURRENCIES})?[^\p{{L}}]*$|^[0-9-]+T[0-9:.]+Z?$|^(?:{CURRENCIES})\W*[0-9][^\p{{L}}]*$"
)


def scan(files: Sequence[Export], rejects: str, values: Values, *, is_clean: bool = True) -> str:
    """Return the scan of files with one header: ``c0``, ``c1``, … as text, and ``file``.

    Parameters
    ----------
    files
        The files.
    rejects
        Name of the table that gets the rows that cannot be split into cells.
    values
        The values that the statement binds.
    is_clean
        Whether cells are cleaned afterwards; if not, words for a missing value are NULL at once.
    """
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(files[0].header)))
    nothing = [*NOTHING, *files[0].missing]
    missing = "" if is_clean else f", nullstr={values.bind(nothing)}"
    return (
        f"read_csv({values.bind([str(e.text_path) for e in files])}, header=true, "
        f"auto_detect=false, compression='none', columns={{{columns}}}, "
        f"delim={values.bind(files[0].delimiter)}, quote='\"', escape='\"', filename='file', "
        f"ignore_errors=true, store_rejects=true, rejects_limit=0, "
        f"rejects_table='{rejects}', rejects_scan='{rejects}_scan'{missing})"
    )


def column_of(export: Export, header: str) -> str:
    """Return the name of a header's column in the scan."""
    return f"c{export.header.index(header)}"


def cell_of(export: Export, name: str, values: Values) -> str:
    """Return the clean cell of a canonical column; NULL where the file has none."""
    header = export.header_of(name)
    known = export.recognized
    cell = clean(column_of(export, header)) if header else ABSENT
    if header and export.missing:
        is_missing = f"list_contains({values.bind(list(export.missing))}, {cell})"
        cell = f"CASE WHEN NOT {is_missing} THEN {cell} END"
    if header is None and name in known.format.json:
        cell = _from_json(export, name, values)
    if name == "currency" and known.currency:
        cell = f"coalesce({cell}, {values.bind(known.currency)})"
    return cell


def _from_json(export: Export, name: str, values: Values) -> str:
    """Return the first of some keys of the JSON object in a column."""
    written, *keys = export.recognized.format.json[name]
    header = export.like(written)
    if header is None:
        return ABSENT
    cell = column_of(export, header)
    sound = f"CASE WHEN json_valid({cell}) THEN {cell} END"
    paths = [values.bind(f'$."{key}"') for key in keys]
    found = [clean(f"json_extract_string({sound}, {path})") for path in paths]
    return f"coalesce({', '.join(found)})"


def is_counted(export: Export, values: Values) -> str:
    """Return whether a row is of a kind that counts, as the format defines it."""
    kinds = []
    for mapping in export.recognized.format.rows:
        headers = {export.like(written): known for written, known in mapping.items()}
        if None not in headers:
            kinds.append(
                all_of(
                    f"coalesce(list_contains({values.bind([v.lower() for v in known])}, "
                    f"lower({clean(column_of(export, str(header)))})), false)"
                    for header, known in headers.items()
                )
            )
    return any_of(kinds) if kinds else "true"


def why_odd(export: Export, values: Values) -> str:
    """Return why a row is no data whatever it means: blank, a header, a heading, broken text."""
    place = export.header.index(next(iter(export.recognized.columns.values()), export.header[0]))
    cell, key = f"coalesce(c{place}, '')", export.header_cells[place]
    row = _joined(export)
    header = values.bind(re.sub(MARKS, "", "\x1f".join(filter(None, export.header_cells))))
    # One cell is looked at first: joining all of them costs, and is hardly ever needed.
    is_blank = rf"{cell} < '!' AND regexp_matches({row}, '^[\s\x1f]*$')"
    unmarked = f"regexp_replace({row}, {literal(MARKS)}, '', 'g')"
    trimmed = (
        rf"regexp_replace(trim({unmarked}, {literal(WHITESPACE)}), '\s*\x1f\s*', {SEPARATOR}, 'g')"
    )
    is_header = f"(contains({cell}, {values.bind(key)}) OR {cell} < '!') AND {trimmed} = {header}"
    filled = always_filled(export.recognized.format, export.header)
    is_empty = any_of(f"{clean(column_of(export, header))} IS NULL" for header in filled)
    is_broken = f" WHEN contains({row}, '{LOST}') THEN 'bad_row'" if export.is_damaged else ""
    is_heading = f" WHEN {is_empty} THEN 'not_data'" if filled else ""
    return (
        f"CASE WHEN {is_blank} THEN 'blank' WHEN {is_header} THEN 'repeated_header'"
        f"{is_broken}{is_heading} END"
    )


def _joined(export: Export) -> str:
    """Return the cells of a row as one text, without those that are NULL.

    Nothing is done to each cell first: with thousands of columns DuckDB would take minutes.
    """
    return f"concat_ws({SEPARATOR}, {', '.join(f'c{n}' for n in range(len(export.header)))})"


def first_cell(export: Export) -> str:
    """Return the first cell of a row that is not empty."""
    # Joining the cells is slow, and the first one is hardly ever empty.
    nothing = "|".join(re.escape(word) for word in NOTHING if word)
    first = rf"^(?:\s*(?:{nothing})?\s*\x1f)*\s*([^\x1f]+)"
    found = f"regexp_extract({_joined(export)}, {literal(first)}, 1)"
    return f"coalesce({clean('c0')}, nullif(trim({found}, {literal(WHITESPACE)}), ''))"


def only_name(export: Export, dates: Sequence[str]) -> str:
    """Return the text of a row that has one beside its numbers, dates and currencies; else NULL.

    Parameters
    ----------
    export
        The file.
    dates
        Canonical columns of dates, which are left out.
    """
    known = {export.header_of(name) for name in dates if name in export.recognized.columns}
    columns = [f"c{n}" for n, header in enumerate(export.header) if header not in known]
    cells = f"string_split(concat_ws({SEPARATOR}, {', '.join(columns) or 'NULL'}), {SEPARATOR})"
    trimmed = f"list_transform({cells}, lambda cell: trim(cell, {literal(WHITESPACE)}))"
    is_name = (
        f"NOT list_contains([{', '.join(map(literal, NOTHING))}], cell) "
        f"AND NOT regexp_matches(cell, {literal(NO_NAME)})"
    )
    names = f"list_distinct(list_filter({trimmed}, lambda cell: {is_name}))"
    return f"CASE WHEN len({names}) = 1 THEN {names}[1] END"


def hash_of_row(export: Export, values: Values) -> str:
    """Return a hash of the names and cells of a row, whatever the order of its columns."""
    named = sorted(export.header, key=str.casefold)
    # The hash of thousands of columns would take all memory.
    cells = ", ".join(f"coalesce({column_of(export, header)}, '\x1e')" for header in named)
    return f"hash(concat_ws({SEPARATOR}, {values.bind(chr(31).join(named))}, {cells}))"
