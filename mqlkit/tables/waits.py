"""What the pictures of volume by segment and of the wait show, as tables."""

from __future__ import annotations

import pandas as pd

from mqlkit.tables.parts import Table, titled
from mqlkit.terms import LAST_BIN, TOTAL
from mqlkit.tidy import COLUMNS, pick
from mqlkit.wording import NOTHING, between, bucket_name, count, duration, percent

MOST_SEGMENTS = 25


def tabulate_mqls_by_segment(rows: pd.DataFrame, *, by: str) -> Table | None:
    """Set MQLs per value of a breakdown and bucket, the values with the most first."""
    _require(rows, COLUMNS, "tabulate_mqls_by_segment")
    part = pick(rows, "mqls", by=by)
    if part.empty:
        return None
    wide = part.pivot(index="name", columns="bucket", values="value").fillna(0)
    wide = wide[list(dict.fromkeys(part["bucket"]))]
    wide = wide.sort_values(TOTAL, ascending=False, kind="stable")
    shown = wide.head(MOST_SEGMENTS)
    frame = pd.DataFrame({by.capitalize(): list(shown.index)})
    for bucket in shown.columns:
        name = "Whole period" if bucket == TOTAL else bucket_name(bucket)
        frame[name] = [count(n) for n in shown[bucket]]
    title = f"MQLs by {by}"
    if len(shown) < len(wide):
        title += f", the {len(shown)} with the most of {count(len(wide))}"
    return titled(title, frame, left=[by.capitalize()])


def tabulate_hours(histogram: pd.DataFrame, *, day_hours: float = 24) -> Table | None:
    """Set MQLs by time in the stage, and which of them are late or still wait."""
    columns = ["bin", "hours_from", "hours_to", "outcome", "leads"]
    _require(histogram, columns, "tabulate_hours")
    if histogram.empty:
        return None
    kinds = ["within SLA", "late", "still waiting"]
    spans = histogram.groupby("bin")[["hours_from", "hours_to"]].first()
    wide = histogram.pivot_table(index="bin", columns="outcome", values="leads", aggfunc="sum")
    wide = wide.reindex(columns=kinds).fillna(0)
    frame = pd.DataFrame(
        {
            "Waited from": [duration(h, day_hours=day_hours) for h in spans["hours_from"]],
            "to": [
                duration(h, day_hours=day_hours) if i < LAST_BIN else NOTHING
                for i, h in zip(spans.index.astype(int), spans["hours_to"], strict=True)
            ],
        }
    )
    for kind in kinds:
        frame[kind[0].upper() + kind[1:]] = [count(n) for n in wide[kind]]
    return titled("MQLs by time in the stage", frame, left=["Waited from", "to"])


def tabulate_curve(curve: pd.DataFrame, *, sla_hours: float, day_hours: float = 24) -> Table | None:
    """Set the share of MQLs still waiting after each half of the SLA, up to eight times it."""
    columns = ["hours", "waiting", "low", "high", "at_risk"]
    _require(curve, columns, "tabulate_curve")
    if len(curve) < 3:
        return None
    times = [sla_hours * k / 2 for k in range(1, 17) if sla_hours * k / 2 <= curve["hours"].max()]
    # A step holds until the next one.
    steps = [int(curve["hours"].searchsorted(t, side="right")) - 1 for t in times]
    if not steps:
        return None
    shown = curve.iloc[steps]
    frame = pd.DataFrame(
        {
            "After": [duration(t, day_hours=day_hours) for t in times],
            "Still waiting": [percent(s) for s in shown["waiting"]],
            "95% interval": [
                NOTHING if pd.isna(low) else between(low, high)
                for low, high in zip(shown["low"], shown["high"], strict=True)
            ],
        }
    )
    return titled("Share of MQLs still waiting", frame, left=["After"])


def _require(frame: pd.DataFrame, columns: list[str], name: str) -> None:
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ValueError(f"{name} needs the columns {', '.join(missing)}, which the frame lacks.")
