"""Chart of mix shift and rate effect."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.core.text import bucket_name
from mqlkit.metrics.mix import MIX_COLUMNS, is_comparable, largest
from mqlkit.metrics.tidy import breakdown_of, require
from mqlkit.views.charts.base import (
    MOST_SEGMENTS,
    Chart,
    finished,
    height_of,
    layered,
    name_axis,
    tip,
)
from mqlkit.views.labels import within
from mqlkit.views.theme import BLUE, GRAY, INK, LIGHT_BLUE

CAUSES = {"mix": "Mix shift", "rate": "Rate effect"}


def effects(mix: pd.DataFrame) -> Chart | None:
    """Draw the mix-shift and the rate effect of each segment on a change of conversion.

    Parameters
    ----------
    mix
        `Report.mix`.
    """
    require(mix, MIX_COLUMNS, "charts.mix.effects")
    if not is_comparable(mix):
        return None
    by = breakdown_of(mix, None)
    now, then = (bucket_name(mix[c].iloc[0]) for c in ("bucket", "against"))
    tall = _tall(largest(mix, MOST_SEGMENTS, rest=f"(other {by}s)"))
    tips = [
        alt.Tooltip("name:N", title=by.capitalize()),
        alt.Tooltip("cause:N", title="Effect"),
        tip("points", "Points", "+.1f"),
        tip("low", "95% from", "+.1f"),
        tip("high", "95% to", "+.1f"),
    ]
    scale = alt.Scale(domain=list(CAUSES.values()), range=[LIGHT_BLUE, BLUE])
    base = alt.Chart().encode(
        y=alt.Y("name:N", sort=None, title=None, axis=name_axis()),
        yOffset=alt.YOffset("cause:N", sort=None),
        tooltip=tips,
    )
    x = alt.X("points:Q", title="Percentage points", axis=alt.Axis(format="~f", tickCount=6))
    chart = layered(
        tall,
        base.mark_bar(cornerRadiusEnd=2).encode(
            x=x, color=alt.Color("cause:N", scale=scale, title=None, sort=None)
        ),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        alt.Chart({"values": [{"zero": 0}]}).mark_rule(color=GRAY).encode(x=alt.X("zero:Q")),
    )
    return finished(
        chart,
        f"Change of MQL→SQL conversion{within(mix)} from {then} to {now} by {by}, in percentage "
        "points: mix shift from its share of the MQLs, rate effect from its own conversion rate. "
        "The last pair of bars is the total, with 95% intervals.",
        height=height_of(tall["name"].nunique()),
        by=by,
    )


def _tall(parts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per segment and effect, in percentage points."""
    sides = [
        pd.DataFrame(
            {
                "name": parts["name"].fillna("(all)"),
                "cause": label,
                "points": 100 * parts[cause],
                "low": 100 * parts[f"{cause}_low"],
                "high": 100 * parts[f"{cause}_high"],
            }
        )
        for cause, label in CAUSES.items()
    ]
    return pd.concat(sides).sort_index(kind="stable").round(6).reset_index(drop=True)
