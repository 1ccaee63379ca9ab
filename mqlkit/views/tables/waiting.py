"""Tables of time in the MQL stage."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mqlkit.core.names import LAST_BIN
from mqlkit.core.text import NOTHING, between, count, duration, percent
from mqlkit.views.tables.base import Table, _wide, titled


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
