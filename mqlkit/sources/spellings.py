"""Names of one column that differ only in case or accents: they are kept apart, and noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mqlkit.core.errors import listed
from mqlkit.core.names import is_personal
from mqlkit.sources.dialect.languages import fold
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values, lead_column, quote

# A column with more names holds no segments.
MOST_NAMES = 10_000
GROUPS_SHOWN = 3
# The columns of spend whose names are those of a lead column.
OF_SPEND = {"source": ("channel",), "campaign": ("campaign",)}


def note_spellings(
    reader: Reader, leads: str, columns: Sequence[str], spend: str | None, ledger: Ledger
) -> None:
    """Note the names of leads and spend that differ only in case or accents.

    Spend of `Café` is not that of leads from `Cafe`.

    Parameters
    ----------
    reader
        The engine.
    leads
        The table of leads.
    columns
        Its columns that hold names.
    spend
        The table of spend.
    ledger
        That of the leads.
    """
    there = set(reader.backend.table(leads).columns)
    for column in columns:
        if lead_column(column) not in there:
            continue
        names = _names(reader, leads, lead_column(column))
        for other in OF_SPEND.get(column, ()) if spend else ():
            names += _names(reader, str(spend), other)
        for words, n in _notes(column, names):
            ledger.noted[words] = n


def _names(reader: Reader, table: str, column: str) -> Counter[str]:
    """Return the number of rows of each name; none where there are too many names."""
    name = quote(column)
    query = f"""
        SELECT {name}::VARCHAR, count(*) FROM {table} WHERE {name} IS NOT NULL
        GROUP BY {name} LIMIT {MOST_NAMES + 1}
    """  # noqa: S608
    rows = reader.rows(query, Values())
    return Counter(dict(rows) if len(rows) <= MOST_NAMES else {})


def alike(names: Mapping[str, int]) -> list[list[str]]:
    """Return the names that differ only in case or accents, together, the most frequent first.

    >>> alike({"Café": 5, "Web": 9, "cafe": 7, "CAFÉ": 1})
    [['cafe', 'Café', 'CAFÉ']]
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: (-names[name], name)):
        groups.setdefault(" ".join(fold(name).split()), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _notes(column: str, names: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield what is noted, with the number of rows; no name of a person."""
    groups = alike(names)
    if is_personal(column):
        groups, rest = [], groups
    else:
        groups, rest = groups[:GROUPS_SHOWN], groups[GROUPS_SHOWN:]
    for group in groups:
        words = f"{column}: {listed(group)} differ only in case or accents"
        yield words, sum(names[name] for name in group)
    if rest:
        more = "more names" if groups else "names"
        words = f"{column}: {more} that differ only in case or accents"
        yield words, sum(names[name] for group in rest for name in group)
