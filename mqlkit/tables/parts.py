"""A table with its title, in the shape that all tables share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from great_tables import GT


@dataclass(frozen=True)
class Table:
    """A table with its title, folded away or open."""

    title: str
    body: GT
    is_open: bool = False


def titled(title: str, frame: pd.DataFrame, *, left: Sequence[str], is_open: bool = False) -> Table:
    """Return text columns as a table; those in ``left`` are aligned left, figures right."""
    right = [c for c in frame.columns if c not in left]
    body = GT(frame.reset_index(drop=True), id=_slug(title)).cols_align("left", columns=list(left))
    return Table(title, body.cols_align("right", columns=right) if right else body, is_open)


def _slug(title: str) -> str:
    return "table-" + "".join(c if c.isalnum() else "-" for c in title.lower())
