"""Tables of what the numbers rest on: rows, files, parameters, definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import FLAGS, SET_ASIDE_REASONS
from mqlkit.core.text import NOTHING, count, listed
from mqlkit.views.tables.base import Table, titled


def tabulate_ledger(ledgers: Mapping[str, Any]) -> Table:
    """Set what became of every row that was read."""
    frame = pd.DataFrame(
        [
            {
                "Table": table,
                "Rows read": count(ledger.read),
                "Used": count(ledger.used),
                "Set aside": count(ledger.set_aside.total()),
                "Why": "; ".join(
                    f"{n}: {SET_ASIDE_REASONS[r]}" for r, n in sorted(ledger.set_aside.items())
                )
                or NOTHING,
                "Noted": "; ".join(
                    f"{n}: {name.replace('_', ' ')}"
                    for name, n in sorted(ledger.noted.items())
                    if n
                )
                or NOTHING,
            }
            for table, ledger in ledgers.items()
        ]
    )
    return titled("Every row that was read", frame, left=["Table", "Why", "Noted"], is_open=True)


def tabulate_inputs(inputs: Sequence[Mapping[str, Any]]) -> Table:
    """Set the files that were read, with what identifies them."""
    delimiters = {"\t": "tab"}
    frame = pd.DataFrame(
        [
            {
                "File": i["path"],
                "Lines": count(i["rows"]),
                "Encoding": i["encoding"],
                "Delimiter": delimiters.get(i["delimiter"], i["delimiter"]),
                "Zone": i["timezone"],
                "SHA-256": i["sha256"][:12],
            }
            for i in inputs
        ]
    )
    return titled("Files read", frame, left=["File", "Encoding", "Delimiter", "Zone", "SHA-256"])


def tabulate_glossary(names: Iterable[str]) -> Table:
    """Set the definition and source of each metric named."""
    frame = pd.DataFrame(
        [
            {
                "Word": METRICS[n].label,
                "Name": n,
                "Meaning": METRICS[n].definition,
                "After": METRICS[n].source,
            }
            for n in names
        ]
    )
    return titled("Every number and its definition", frame, left=list(frame.columns))


def tabulate_params(
    resolved: Mapping[str, Any], *, title: str = "Parameters of this report"
) -> Table:
    """Set parameters and what they came to."""
    values = [_as_written(value) for value in resolved.values()]
    frame = pd.DataFrame({"Parameter": list(resolved), "Value": values})
    return titled(title, frame, left=["Parameter", "Value"])


def tabulate_flags(rows: pd.DataFrame) -> Table | None:
    """Set the meaning of each flag that occurs."""
    seen = {flag for flags in rows["flags"] for flag in flags}
    if not seen:
        return None
    frame = pd.DataFrame([{"Note": f, "Meaning": FLAGS[f]} for f in FLAGS if f in seen])
    return titled(
        "What the notes in the tables mean", frame, left=["Note", "Meaning"], is_open=True
    )


def _as_written(value: Any) -> str:
    """Return a parameter's value as users write it."""
    if value is None or value in ({}, []):
        return "null" if value is None else NOTHING
    if isinstance(value, list):
        return listed([str(v) for v in value])
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_as_written(v)}" for name, v in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
