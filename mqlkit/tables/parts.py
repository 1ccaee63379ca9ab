"""A table with its title, in the shape that all tables share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pyarrow as pa
from great_tables import GT


@dataclass(frozen=True, eq=False)
class Table:
    """A table with its title, folded away or open.

    Attributes
    ----------
    cells
        Text columns under their headings.
    left
        Those aligned left; figures are aligned right.
    """

    title: str
    cells: pd.DataFrame
    left: tuple[str, ...]
    is_open: bool = False

    @cached_property
    def body(self) -> GT:
        """Return the table set."""
        right = [c for c in self.cells.columns if c not in self.left]
        texts = {name: column.tolist() for name, column in self.cells.items()}
        with warnings.catch_warnings():
            # It sets cell by cell, in a third of the time that it takes with pandas, and calls
            # that experimental; the suite compares the two.
            warnings.filterwarnings("ignore", "PyArrow Table support", UserWarning)
            body = GT(pa.table(texts), id=_slug(self.title))
        body = body.cols_align("left", columns=list(self.left))
        return body.cols_align("right", columns=right) if right else body


def titled(title: str, frame: pd.DataFrame, *, left: Sequence[str], is_open: bool = False) -> Table:
    """Return text columns as a table; those in ``left`` are aligned left, figures right."""
    return Table(title, frame.reset_index(drop=True), tuple(left), is_open)


def _slug(title: str) -> str:
    return "table-" + "".join(c if c.isalnum() else "-" for c in title.lower())
