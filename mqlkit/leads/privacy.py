"""Merges small groups, so that no single lead can be identified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FEWEST = 5
OTHER = "(other)"
UNMAPPED = "stage not mapped"


def large_groups(sizes: Mapping[Any, float]) -> list[Any]:
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


def merged_names(names: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Replace the names of small groups by a common one.

    Parameters
    ----------
    names
        Name of each group, shape (n,).
    sizes
        Leads of each group, shape (n,).
    """
    by_name: dict[Any, float] = {}
    for name, size in zip(names, sizes, strict=True):
        by_name[name] = by_name.get(name, 0) + size
    shown = large_groups(by_name)
    return np.array([name if name in shown else OTHER for name in names], dtype=object)


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
