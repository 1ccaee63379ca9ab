"""Columns of an export in the lead table, apart from the canonical ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir

# Prefix of column names. No header of an export starts with it.
NAMED = "\x1f"
Where = Mapping[str, Sequence[str]]


def named(column: str) -> str:
    """Return the name in the engine of a column to break down or filter by.

    The prefix keeps export columns apart from canonical columns of the same name.
    """
    return f"{NAMED}{column}"


def raw(column: str) -> str:
    """Return the name under which a column of the export stands in timed leads, as it is."""
    return f"{NAMED}{NAMED}{column}"


def matching(table: ir.Table, where: Where) -> ir.Table:
    """Return the leads that match a filter."""
    wanted = _wanted(table, where)
    return table.filter(*wanted) if wanted else table


def matches(table: ir.Table, where: Where) -> ir.BooleanValue:
    """Return whether each lead matches a filter that names a column."""
    first, *others = _wanted(table, where)
    for condition in others:
        first = first & condition
    return first


def _wanted(table: ir.Table, where: Where) -> list[ir.BooleanValue]:
    return [table[named(c)].isin([str(v) for v in values]) for c, values in where.items()]
