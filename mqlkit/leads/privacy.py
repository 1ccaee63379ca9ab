"""Merges small groups, so that no single lead can be identified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

FEWEST = 5
OTHER = "(other)"
UNMAPPED = "stage not mapped"


def large_groups(sizes: Mapping[Any, int]) -> list[Any]:
    """Return the groups that are shown. The others are merged into a group that is large enough.

    >>> large_groups({"Web": 90, "Event": 6, "Fair": 3, "Radio": 1})
    ['Web']
    >>> large_groups({"Web": 90, "Event": 6, "Fair": 5})
    ['Web', 'Event', 'Fair']
    """
    shown = sorted((name for name, n in sizes.items() if n >= FEWEST), key=lambda s: -sizes[s])
    merged = sum(n for name, n in sizes.items() if name not in shown)
    # A merged group below the minimum could be derived from the total: add the smallest shown one.
    return shown[:-1] if 0 < merged < FEWEST else shown


def merge_small(leads: ir.Table, columns: Sequence[str], counted: ir.BooleanValue) -> ir.Table:
    """Replace rare values of some columns by a common value.

    Parameters
    ----------
    leads
        One row per lead.
    columns
        Text columns.
    counted
        Leads to count.
    """
    merged = {}
    for column in columns:
        groups = leads.filter(counted).group_by(group=column).aggregate(n=ibis._.count())
        sizes = {row["group"]: row["n"] for row in groups.to_pyarrow().to_pylist()}
        is_large = leads[column].isin(large_groups(sizes))
        merged[column] = is_large.ifelse(leads[column], OTHER)
    return leads.mutate(**merged) if merged else leads


def without_words(noted: Mapping[str, int]) -> dict[str, int]:
    """Merge the notes of a ledger that quote cells.

    >>> without_words({"merged": 2, "stage not mapped: called Ann": 1, "stage not mapped: x": 3})
    {'merged': 2, 'stage not mapped': 4}
    """
    found: dict[str, int] = {}
    for name, n in noted.items():
        kept = UNMAPPED if name.startswith(UNMAPPED) else name
        found[kept] = found.get(kept, 0) + n
    return found
