"""Metric frames as tables: sorted, formatted, escaped; nothing worked out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import pandas as pd

from mqlkit.tables.parts import Table, titled
from mqlkit.terms import BOTH, COHORT, FLOW, TOTAL
from mqlkit.tidy import COLUMNS, pick
from mqlkit.wording import (
    NOTHING,
    between,
    bucket_name,
    count,
    duration,
    listed,
    money,
    percent,
)

Words = Callable[[float], str]
# A page that is mailed cannot hold a row for each of a thousand owners; metrics.json does.
MOST_ROWS = 100


class Cell(NamedTuple):
    """One metric in one row of a table."""

    value: float
    low: float
    high: float
    flags: Sequence[str]


def _cells(
    rows: pd.DataFrame, metrics: Iterable[str], by: str | None
) -> dict[str, dict[str, Cell]]:
    """Return metrics per bucket, or of the whole period per value of a breakdown."""
    part = pick(rows, *metrics, by=by)
    if by is not None:
        part = part[part["bucket"] == TOTAL]
    found: dict[str, dict[str, Cell]] = {}
    names = ("metric", "bucket" if by is None else "name", *Cell._fields)
    for metric, name, *read in zip(*(part[column] for column in names), strict=True):
        found.setdefault(metric, {})[name] = Cell(*read)
    return found


def _interval(cell: Cell) -> str:
    return NOTHING if math.isnan(cell.low) else between(cell.low, cell.high)


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
    found = _cells(rows, metrics, by)
    columns = {
        label: {name: words(cell.value) for name, cell in found[metric].items()}
        for metric, (label, words) in metrics.items()
        if metric in found
    }
    if not columns:
        return None
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    if interval in found:
        columns["95% interval"] = {n: _interval(cell) for n, cell in found[interval].items()}
    if notes in found:
        columns["Note"] = {name: listed(cell.flags) for name, cell in found[notes].items()}
    if by and len(names) > MOST_ROWS:
        title = f"{title}, the {MOST_ROWS} with the most MQLs of {count(len(names))}"
        names = _largest(rows, by, names)
    first = by.capitalize() if by else "Bucket"
    texts = {label: [c.get(name, NOTHING) for name in names] for label, c in columns.items()}
    if all(text == NOTHING for label, those in texts.items() if label != "Note" for text in those):
        return None
    if not any(texts.get("Note", [])):
        texts.pop("Note", None)
    frame = pd.DataFrame(texts)
    frame.insert(0, first, names if by else [_bucket(name) for name in names])
    return titled(title, frame, left=[c for c in (first, "Note") if c in frame], is_open=is_open)


def _largest(rows: pd.DataFrame, by: str, names: list[str]) -> list[str]:
    """Return the values of a breakdown with the most MQLs, in the order of a table's rows."""
    mqls = pick(rows, "mqls", by=by)
    sizes = mqls[mqls["bucket"] == TOTAL].set_index("name")["value"].reindex(names).fillna(0)
    kept = set(sizes.sort_values(ascending=False, kind="stable").index[:MOST_ROWS])
    return [name for name in names if name in kept]


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


def tabulate_stage_efficiency(
    rows: pd.DataFrame, *, by: str | None = None, view: str = BOTH
) -> Table | None:
    """Set efficiency per cohort, or by the values of a breakdown; ``view`` as `terms.VIEWS`."""
    if view == FLOW:
        metrics = {
            "mqls": ("MQLs", count),
            "sqls_in_period": ("SQLs dated in it", count),
            "efficiency_flow": ("By flow", percent),
        }
        title = f"Efficiency by {by}, by flow" if by else "Efficiency by flow"
        return _wide(rows, title, metrics, by=by, notes="efficiency_flow")
    return _wide(
        rows,
        f"Efficiency by {by}" if by else "Efficiency by cohort",
        {
            "mqls": ("MQLs", count),
            "sqls": ("SQLs", count),
            "efficiency": ("Efficiency", percent),
            "mqls_per_sql": ("MQLs per SQL", _decimal),
            "efficiency_projected": ("Projected", percent),
            **({} if view == COHORT else {"efficiency_flow": ("By flow", percent)}),
        },
        by=by,
        interval="efficiency",
        notes="efficiency",
    )


def tabulate_stage_velocity(rows: pd.DataFrame, *, day_hours: float = 24) -> Table | None:
    """Set the wait in the MQL stage, per bucket."""
    words = partial(duration, day_hours=day_hours)
    return _wide(
        rows,
        "Wait in the MQL stage",
        {
            "hours_in_stage_mean": ("Mean", words),
            "hours_in_stage_median": ("Median of those that left", words),
            "hours_in_stage_km_median": ("Median of all", words),
            "hours_in_stage_p90": ("90th percentile", words),
        },
        notes="hours_in_stage_mean",
    )


def tabulate_sla_outcome(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Set SLA outcomes per bucket, or by the values of a breakdown."""
    return _wide(
        rows,
        f"SLA by {by}" if by else "SLA over time",
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
    """Set spend and cost per bucket, or by the values of a breakdown; None without spend."""
    if not currency:
        return None

    def amount(value: float) -> str:
        return money(value, currency)

    return _wide(
        rows,
        f"Cost by {by}" if by else "Cost over time",
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
