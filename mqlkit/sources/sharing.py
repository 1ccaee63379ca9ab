"""Which sources several reports of a batch use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

PLAN = "plan.json"


def write_plan(folder: Path, columns: Mapping[Path, Sequence[str]]) -> None:
    """Leave word which sources several reports use, and which columns of the leads they want.

    Parameters
    ----------
    folder
        Where readings are kept.
    columns
        By ``source.yaml``.
    """
    plan = {str(path): list(names) for path, names in columns.items()}
    (folder / PLAN).write_text(json.dumps(plan), encoding="utf-8")


def columns_wanted(folder: Path, source: Path) -> list[str] | None:
    """Return the columns that several reports want of a source; None where it is used once."""
    plan: dict[str, list[str]] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    return plan.get(str(source))
