"""SQL text of one DuckDB statement: values are bound, names are quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mqlkit.core.names import LEAD_COLUMNS

ABSENT = "CAST(NULL AS VARCHAR)"
# No header can begin so: the names that reading makes never meet those of a file.
OWN = "\x1f"
FILE, RECORD = (f'"{OWN}{name}"' for name in ("file", "record"))


class Values:
    """The values that a statement binds.

    Examples
    --------
    >>> values = Values()
    >>> f"SELECT {values.bind('it is text')}", values.bound
    ('SELECT $v1', {'v1': 'it is text'})
    """

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}

    def bind(self, value: str | list[str] | list[int] | None) -> str:
        """Return the parameter that stands for a value."""
        if value is None:
            return ABSENT
        name = f"v{len(self.bound) + 1}"
        self.bound[name] = value
        return f"${name}"


def quote(name: str) -> str:
    """Return a name as an identifier.

    >>> print(quote('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def cell_names(columns: Sequence[str]) -> dict[str, str]:
    """Return the quoted name of each column's cell, which no typed column has."""
    return {column: quote(f"{OWN}cell {n}") for n, column in enumerate(columns)}


def literal(text: str) -> str:
    """Return a constant of this package as SQL; values from files are bound.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def lead_column(name: str) -> str:
    """Return the name in the table of leads of a column of the exports.

    Only canonical columns keep their names. The others are apart from these, from the columns that
    reading makes, and from each other whatever their case.
    """
    return name if name in LEAD_COLUMNS else f"{OWN}column {name.casefold()}"


def any_of(conditions: Iterable[str]) -> str:
    """Return the condition that one of several holds."""
    return " OR ".join(f"({c})" for c in conditions) or "false"


def all_of(conditions: Iterable[str]) -> str:
    """Return the condition that all of several hold."""
    return " AND ".join(f"({c})" for c in conditions) or "true"
