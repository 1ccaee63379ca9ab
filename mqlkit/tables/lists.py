"""Lists as tables: late leads, counts, the ledger, files, parameters, the glossary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from mqlkit.tables.parts import Table, titled
from mqlkit.terms import FLAGS, METRICS, SET_ASIDE_REASONS
from mqlkit.wording import NOTHING, count, counted, day, duration, listed, moment, money, percent

LISTED_BREACHES = 25
LAG_STEP = 10


def tabulate_breaches(breaches: pd.DataFrame, *, day_hours: float = 24) -> Table | None:
    """Set the leads that were let lie the longest, of ``breaches["of"]`` in all."""
    if breaches.empty:
        return None
    top, n = breaches.head(LISTED_BREACHES), int(breaches["of"].iloc[0])
    frame = pd.DataFrame(
        {
            "Lead": top["lead_id"],
            "Owner": top["owner"].fillna(NOTHING),
            "Source": top["source"].fillna(NOTHING),
            "Entered": [moment(t) for t in top["entered"]],
            "Due": [moment(t) for t in top["due"]],
            "Late by": [duration(h, day_hours=day_hours) for h in top["hours_late"]],
            "Still open": ["yes" if is_open else "no" for is_open in top["is_open"]],
        }
    )
    title = f"The {len(top)} of {count(n)} late leads that waited longest"
    if n <= LISTED_BREACHES:
        title = "The late leads, those that waited longest first"
    left = ["Lead", "Owner", "Source", "Entered", "Due", "Still open"]
    return titled(title, frame, left=left)


def tabulate_counts(title: str, counts: pd.DataFrame) -> Table | None:
    """Set a frame of names with counts (and shares)."""
    if counts.empty:
        return None
    name = counts.columns[0]
    frame = pd.DataFrame({name.capitalize(): counts[name], "Leads": counts["leads"].map(count)})
    if "share" in counts:
        frame["Share"] = counts["share"].map(percent)
    return titled(title, frame, left=[name.capitalize()])


def tabulate_reasons(reasons: pd.DataFrame) -> Table | None:
    """Set rejections by reason."""
    return tabulate_counts("Rejections by reason", reasons)


def tabulate_responses(responses: pd.DataFrame) -> Table | None:
    """Set MQLs by time to the first contact."""
    return tabulate_counts("MQLs by time to first contact", responses)


def tabulate_channels(channels: pd.DataFrame | None, *, currency: str) -> Table | None:
    """Set the spend in channels that no lead names."""
    if channels is None or channels.empty:
        return None
    amounts = [money(a, currency) for a in channels["amount"]]
    frame = pd.DataFrame({"Channel": channels["channel"], "Spend": amounts})
    return titled("Spend in channels that no lead names", frame, left=["Channel"])


def tabulate_cost_by_lag(
    lag_costs: pd.DataFrame | None, *, lag_days: int, currency: str
) -> Table | None:
    """Set the cost per MQL of the whole period for every tenth lag and the one in use."""
    if lag_costs is None or lag_costs.empty:
        return None
    is_shown = (lag_costs["lag_days"] % LAG_STEP == 0) | (lag_costs["lag_days"] == lag_days)
    part = lag_costs[is_shown]
    frame = pd.DataFrame(
        {
            "Lag": [counted(d, "day") for d in part["lag_days"]],
            "Spend from": [day(d) for d in part["from"]],
            "to": [day(d) for d in part["to"]],
            "Spend": [money(v, currency) for v in part["spend"]],
            "MQLs": part["mqls"].map(count),
            "Cost per MQL": [money(v, currency) for v in part["cost"]],
            "": ["in use" if d == lag_days else "" for d in part["lag_days"]],
        }
    )
    left = ["Lag", "Spend from", "to", ""]
    return titled("Cost per MQL by lag", frame, left=left, is_open=True)


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
