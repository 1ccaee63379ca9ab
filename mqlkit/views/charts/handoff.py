"""Chart of the hand-off to sales."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.views.charts.base import (
    Chart,
    bucket_axis,
    drawn_rows,
    finished,
    grain_of,
    per_bucket,
    tip,
)
from mqlkit.views.theme import BAR, LIGHT_ORANGE, PALE


def decisions(rows: pd.DataFrame) -> Chart | None:
    """Draw accepted, rejected and undecided MQLs per bucket as stacked bars.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    kinds = {"accepted": "Accepted (SAL)", "rejected": "Rejected", "undecided": "Undecided"}
    wide = per_bucket(rows, list(kinds), "charts.handoff.decisions")
    if wide.empty or wide["accepted"].isna().all():
        return None
    tall = pd.DataFrame(
        [
            {"bucket": bucket, "when": when, "kind": label, "leads": leads, "order": order}
            for order, (name, label) in enumerate(kinds.items())
            for bucket, when, leads in zip(wide["bucket"], wide["when"], wide[name], strict=True)
        ]
    )
    color = alt.Scale(domain=list(kinds.values()), range=[BAR, LIGHT_ORANGE, PALE])
    chart: alt.Chart = (
        alt.Chart(drawn_rows(tall))
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            x=bucket_axis(),
            y=alt.Y("leads:Q", title="MQLs"),
            color=alt.Color("kind:N", scale=color, title=None, sort=None),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("bucket:N", title="Bucket"),
                alt.Tooltip("kind:N", title="Decision"),
                tip("leads", "MQLs"),
            ],
        )
    )
    grain = grain_of(wide)
    return finished(chart, f"MQLs accepted, rejected and undecided per {grain}.", grain=grain)
