"""Small groups merged, so that no single lead can be recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

FEWEST = 5
OTHER = "(other)"
UNMAPPED = "stage not mapped"


def large_groups(sizes: Mapping[Any, int]) -> list[Any]:
    """Return the groups that are shown; all others are merged, and are then enough themselves.

    >>> large_groups({"Web": 90, "Event": 6, "Fair": 3, "Radio": 1})
    ['Web']
    >>> large_groups({"Web": 90, "Event": 6, "Fair": 5})
    ['Web', 'Event', 'Fair']
    """
    shown = sorted((name for name, n in sizes.items() if n >= FEWEST), key=lambda s: -sizes[s])
    merged = sum(n for name, n in sizes.items() if name not in shown)
    # The rest of four leads could be told from the total: the smallest group goes with it.
    return shown[:-1] if 0 < merged < FEWEST else shown


def merge_small(leads: ir.Table, columns: Sequence[str], counted: ir.BooleanValue) -> ir.Table:
    """Return leads with the values of some columns that few leads have as one value.

    Parameters
    ----------
    leads
        One row per lead.
    columns
        Text columns.
    counted
        Which of the leads count.
    """
    merged = {}
    for column in columns:
        groups = leads.filter(counted).group_by(group=column).aggregate(n=ibis._.count())
        sizes = {row["group"]: row["n"] for row in groups.to_pyarrow().to_pylist()}
        is_large = leads[column].isin(large_groups(sizes))
        merged[column] = is_large.ifelse(leads[column], OTHER)
    return leads.mutate(**merged) if merged else leads


def without_words(noted: Mapping[str, int]) -> dict[str, int]:
    """Return the notes of a ledger, those that quote a cell counted together.

    >>> without_words({"merged": 2, "stage not mapped: called Ann": 1, "stage not mapped: x": 3})
    {'merged': 2, 'stage not mapped': 4}
    """
    found: dict[str, int] = {}
    for name, n in noted.items():
        kept = UNMAPPED if name.startswith(UNMAPPED) else name
        found[kept] = found.get(kept, 0) + n
    return found
