"""Tables of time in the MQL stage."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mqlkit.core.names import LAST_BIN
from mqlkit.core.text import NOTHING, between, count, duration, percent
from mqlkit.metrics.tidy import constant, series
from mqlkit.views.tables.base import Table, _wide, titled


def time_in_stage(rows: pd.DataFrame) -> Table | None:
    """Tabulate time in stage per bucket.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    words = partial(duration, day_hours=constant(rows, "day_hours", 24))
    return _wide(
        rows,
        "Time in stage",
        {
            "hours_in_stage_mean": ("Mean", words),
            "hours_in_stage_median": ("Median", words),
            "hours_in_stage_km_median": ("Median, open MQLs included", words),
            "hours_in_stage_p90": ("90th percentile", words),
        },
        notes="hours_in_stage_mean",
    )


def histogram(rows: pd.DataFrame) -> Table | None:
    """Tabulate MQLs by time in stage and outcome.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    bins = series(rows, "histogram")
    if bins.empty:
        return None
    day_hours = constant(rows, "day_hours", 24)
    has_sla = "left" not in set(bins["outcome"])
    kinds = ["within SLA", "after SLA", "open"] if has_sla else ["left", "open"]
    spans = bins.groupby("bin")[["hours_from", "hours_to"]].first()
    wide = bins.pivot_table(index="bin", columns="outcome", values="leads", aggfunc="sum")
    wide = wide.reindex(columns=kinds).fillna(0)
    frame = pd.DataFrame(
        {
            "From": [duration(h, day_hours=day_hours) for h in spans["hours_from"]],
            "to": [
                duration(h, day_hours=day_hours) if i < LAST_BIN else NOTHING
                for i, h in zip(spans.index.astype(int), spans["hours_to"], strict=True)
            ],
        }
    )
    for kind in kinds:
        frame[kind[0].upper() + kind[1:]] = [count(n) for n in wide[kind]]
    return titled("MQLs by time in stage", frame, left=["From", "to"], is_ordered=True)


def survival(rows: pd.DataFrame) -> Table | None:
    """Tabulate the share of MQLs still open after each half of the SLA, up to eight times it.

    Parameters
    ----------
    rows
        `Report.waiting`.
    """
    curve = series(rows, "survival", "low", "high")
    if len(curve) < 3:
        return None
    sla_hours, day_hours = constant(rows, "sla_hours"), constant(rows, "day_hours", 24)
    times = [sla_hours * k / 2 for k in range(1, 17) if sla_hours * k / 2 <= curve["hours"].max()]
    # A step holds until the next one.
    steps = [int(curve["hours"].searchsorted(t, side="right")) - 1 for t in times]
    if not steps:
        return None
    shown = curve.iloc[steps]
    frame = pd.DataFrame(
        {
            "After": [duration(t, day_hours=day_hours) for t in times],
            "Still open": [percent(s) for s in shown["waiting"]],
            "95% interval": [
                NOTHING if pd.isna(low) else between(low, high)
                for low, high in zip(shown["low"], shown["high"], strict=True)
            ],
        }
    )
    return titled("Share of MQLs still open", frame, left=["After"], is_ordered=True)
