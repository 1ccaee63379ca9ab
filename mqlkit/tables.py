"""Metric frames as tables: sorted, formatted, escaped; nothing worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from great_tables import GT

from mqlkit.terms import FLAGS, METRICS, SET_ASIDE_REASONS, TOTAL
from mqlkit.tidy import COLUMNS, pick
from mqlkit.wording import (
    NOTHING,
    between,
    bucket_name,
    count,
    duration,
    listed,
    moment,
    money,
    percent,
)

LISTED_BREACHES = 25

Words = Callable[[float], str]


@dataclass(frozen=True)
class Table:
    """A table with its title, folded away or open."""

    title: str
    body: GT
    is_open: bool = False


def _table(title: str, frame: pd.DataFrame, *, left: Sequence[str], is_open: bool = False) -> Table:
    """Return text columns as a table; those in ``left`` are aligned left, figures right."""
    right = [c for c in frame.columns if c not in left]
    body = GT(frame.reset_index(drop=True), id=_slug(title)).cols_align("left", columns=list(left))
    return Table(title, body.cols_align("right", columns=right) if right else body, is_open)


def _slug(title: str) -> str:
    return "table-" + "".join(c if c.isalnum() else "-" for c in title.lower())


def _column(rows: pd.DataFrame, metric: str, words: Words, by: str | None) -> pd.Series[Any]:
    part = pick(rows, metric, by=by)
    key = "bucket"
    if by is not None:
        part, key = part[part["bucket"] == TOTAL], "name"
    return pd.Series([words(v) for v in part["value"]], index=part[key], dtype=object)


def _interval(rows: pd.DataFrame, metric: str, by: str | None) -> pd.Series[Any]:
    part = pick(rows, metric, by=by)
    key = "bucket"
    if by is not None:
        part, key = part[part["bucket"] == TOTAL], "name"
    texts = [
        NOTHING if pd.isna(low) else between(low, high)
        for low, high in zip(part["low"], part["high"], strict=True)
    ]
    return pd.Series(texts, index=part[key], dtype=object)


def _notes(rows: pd.DataFrame, metric: str, by: str | None) -> pd.Series[Any]:
    part = pick(rows, metric, by=by)
    key = "bucket"
    if by is not None:
        part, key = part[part["bucket"] == TOTAL], "name"
    return pd.Series([listed(flags) for flags in part["flags"]], index=part[key], dtype=object)


def _wide(
    rows: pd.DataFrame,
    title: str,
    metrics: Mapping[str, tuple[str, Words]],
    *,
    by: str | None = None,
    interval: str | None = None,
    notes: str | None = None,
    is_open: bool = False,
) -> Table | None:
    """Return a table of metrics per bucket, or per value of a breakdown; None if all is null."""
    missing = [c for c in COLUMNS if c not in rows.columns]
    if missing:
        raise ValueError(f"the table {title!r} needs the columns {', '.join(missing)}.")
    columns = {label: _column(rows, m, words, by) for m, (label, words) in metrics.items()}
    columns = {label: c for label, c in columns.items() if len(c)}
    if interval and len(pick(rows, interval, by=by)):
        columns["95% interval"] = _interval(rows, interval, by)
    if notes and len(pick(rows, notes, by=by)):
        columns["Note"] = _notes(rows, notes, by)
    if not columns:
        return None
    frame = pd.DataFrame(columns).fillna(NOTHING)
    figures = frame.drop(columns="Note", errors="ignore")
    if (figures == NOTHING).all(axis=None):
        return None
    first = by.capitalize() if by else "Bucket"
    names = frame.index if by else [_bucket(b) for b in frame.index]
    frame.insert(0, first, list(names))
    if "Note" in frame and (frame["Note"] == "").all():
        frame = frame.drop(columns="Note")
    return _table(title, frame, left=[c for c in (first, "Note") if c in frame], is_open=is_open)


def _bucket(label: str) -> str:
    return "Whole period" if label == TOTAL else bucket_name(label)


def _decimal(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:,.1f}"


def _signed(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:+,.0f}".replace("-", "−")


def tabulate_mql_volume(rows: pd.DataFrame) -> Table | None:
    """Set MQLs against the goal, per bucket."""
    return _wide(
        rows,
        "MQLs and goal",
        {
            "mqls": ("MQLs", count),
            "goal": ("Goal", _decimal),
            "goal_attainment": ("Attainment", percent),
            "goal_gap": ("Gap", _signed),
            "in_stage": ("Waiting at the end", count),
        },
        notes="mqls",
    )


def tabulate_hand_off(rows: pd.DataFrame) -> Table | None:
    """Set what sales decided, per bucket."""
    if pick(rows, "accepted")["value"].isna().all():
        return None
    return _wide(
        rows,
        "Decisions by sales",
        {
            "mqls": ("MQLs", count),
            "accepted": ("Accepted", count),
            "rejected": ("Rejected", count),
            "undecided": ("Undecided", count),
            "acceptance_rate": ("Acceptance", percent),
        },
        interval="acceptance_rate",
        notes="acceptance_rate",
    )


def tabulate_stage_efficiency(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Set efficiency per cohort, or by the values of a breakdown."""
    return _wide(
        rows,
        f"Efficiency by {by}" if by else "Efficiency by cohort",
        {
            "mqls": ("MQLs", count),
            "sqls": ("SQLs", count),
            "efficiency": ("Efficiency", percent),
            "mqls_per_sql": ("MQLs per SQL", _decimal),
            "efficiency_projected": ("Projected", percent),
            "efficiency_flow": ("By flow", percent),
        },
        by=by,
        interval="efficiency",
        notes="efficiency",
    )


def tabulate_stage_velocity(rows: pd.DataFrame) -> Table | None:
    """Set the wait in the MQL stage, per bucket."""
    return _wide(
        rows,
        "Wait in the MQL stage",
        {
            "hours_in_stage_mean": ("Mean", duration),
            "hours_in_stage_median": ("Median of those that left", duration),
            "hours_in_stage_km_median": ("Median of all", duration),
            "hours_in_stage_p90": ("90th percentile", duration),
        },
        notes="hours_in_stage_mean",
    )


def tabulate_sla_outcome(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Set SLA outcomes per bucket, or by the values of a breakdown."""
    return _wide(
        rows,
        f"SLA by {by}" if by else "SLA by month of entry",
        {
            "sla_met": ("In time", count),
            "sla_breached": ("Late", count),
            "sla_past_due": ("Late and open", count),
            "sla_pending": ("Not due yet", count),
            "sla_unmeasurable": ("Unmeasurable", count),
            "sla_attainment": ("Attainment", percent),
        },
        by=by,
        interval="sla_attainment",
        notes="sla_attainment",
    )


def tabulate_cost(rows: pd.DataFrame, *, currency: str, by: str | None = None) -> Table | None:
    """Set spend and cost per bucket, or by the values of a breakdown."""

    def amount(value: float) -> str:
        return money(value, currency)

    return _wide(
        rows,
        f"Cost by {by}" if by else "Cost by month",
        {
            "spend": ("Spend", amount),
            "mqls": ("MQLs", count),
            "cost_per_mql": ("Cost per MQL", amount),
            **({} if by else {"cost_per_mql_rolling": ("Rolling", amount)}),
            "cost_per_sql": ("Cost per SQL", amount),
            "wasted_cost": ("Wasted", amount),
            "return_on_spend": ("Return", lambda v: NOTHING if pd.isna(v) else f"{v:,.1f} ×"),
            **({} if by else {"lead_to_mql_days_mean": ("Lag, days", _decimal)}),
        },
        by=by,
        notes="cost_per_mql",
    )


def tabulate_breaches(breaches: pd.DataFrame) -> Table | None:
    """Set the leads that were let lie the longest."""
    if breaches.empty:
        return None
    top = breaches.head(LISTED_BREACHES)
    frame = pd.DataFrame(
        {
            "Lead": top["lead_id"],
            "Owner": top["owner"].fillna(NOTHING),
            "Source": top["source"].fillna(NOTHING),
            "Entered": [moment(t) for t in top["entered"]],
            "Due": [moment(t) for t in top["due"]],
            "Late by": [duration(h) for h in top["hours_late"]],
            "Still open": ["yes" if is_open else "no" for is_open in top["is_open"]],
        }
    )
    title = f"The {len(top)} of {count(len(breaches))} late leads that waited longest"
    left = ["Lead", "Owner", "Source", "Entered", "Due", "Still open"]
    return _table(title, frame, left=left)


def tabulate_counts(title: str, counts: pd.DataFrame) -> Table | None:
    """Set a frame of names with counts (and shares)."""
    if counts.empty:
        return None
    name = counts.columns[0]
    frame = pd.DataFrame({name.capitalize(): counts[name], "Leads": counts["leads"].map(count)})
    if "share" in counts:
        frame["Share"] = counts["share"].map(percent)
    return _table(title, frame, left=[name.capitalize()])


def tabulate_channels(channels: pd.DataFrame | None, *, currency: str) -> Table | None:
    """Set the spend in channels that no lead names."""
    if channels is None or channels.empty:
        return None
    amounts = [money(a, currency) for a in channels["amount"]]
    frame = pd.DataFrame({"Channel": channels["channel"], "Spend": amounts})
    return _table("Spend in channels that no lead names", frame, left=["Channel"])


def tabulate_ledger(ledgers: Mapping[str, Any]) -> Table:
    """Set what became of every row that was read."""
    frame = pd.DataFrame(
        [
            {
                "Table": table,
                "Rows read": count(ledger.read),
                "Used": count(ledger.used),
                "Set aside": count(ledger.set_aside.total()),
                "Why": listed([f"{n} {SET_ASIDE_REASONS[r]}" for r, n in sorted(ledger.set_aside.items())])
                or NOTHING,
                "Noted": listed([f"{n} {name.replace('_', ' ')}" for name, n in sorted(ledger.noted.items()) if n])
                or NOTHING,
            }
            for table, ledger in ledgers.items()
        ]
    )
    return _table("Every row that was read", frame, left=["Table", "Why", "Noted"], is_open=True)


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
    return _table("Files read", frame, left=["File", "Encoding", "Delimiter", "Zone", "SHA-256"])


def tabulate_glossary(names: Iterable[str]) -> Table:
    """Set the definition and source of each metric named."""
    frame = pd.DataFrame(
        [
            {"Word": METRICS[n].label, "Name": n, "Meaning": METRICS[n].definition, "Source": METRICS[n].source}
            for n in names
        ]
    )
    return _table("Every number and its definition", frame, left=list(frame.columns))


def tabulate_params(params: Mapping[str, Any]) -> Table:
    """Set the parameters of the report."""
    values = [listed([str(v) for v in p]) if isinstance(p, list) else str(p) for p in params.values()]
    frame = pd.DataFrame({"Parameter": list(params), "Value": values})
    return _table("Parameters of this report", frame, left=["Parameter", "Value"])


def tabulate_flags(rows: pd.DataFrame) -> Table | None:
    """Set the meaning of each flag that occurs."""
    seen = {flag for flags in rows["flags"] for flag in flags}
    if not seen:
        return None
    frame = pd.DataFrame([{"Note": f, "Meaning": FLAGS[f]} for f in FLAGS if f in seen])
    return _table("What the notes in the tables mean", frame, left=["Note", "Meaning"], is_open=True)


