"""Chart of the funnel."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import step_name
from mqlkit.metrics.funnel import FUNNEL_COLUMNS
from mqlkit.metrics.tidy import require
from mqlkit.views.charts.base import (
    Chart,
    finished,
    height_of,
    in_case,
    layered,
    name_axis,
    tip,
)
from mqlkit.views.theme import BAR, LIGHT_ORANGE, PALE

OUTCOMES = {"converted": "Converted", "lost": "Lost", "open": "Open"}
# Pixels that the count of a part needs.
WIDTH_OF_COUNT = 40


def steps(rows: pd.DataFrame) -> Chart | None:
    """Draw the converted, lost and open leads of each step, over the whole period.

    Parameters
    ----------
    rows
        `Report.funnel`.
    """
    require(rows, FUNNEL_COLUMNS, "charts.funnel.steps")
    whole = rows[(rows["bucket"] == TOTAL) & (rows["by"] == "") & (rows["entered"] > 0)]
    if whole.empty:
        return None
    tall = pd.DataFrame(
        [
            {
                "step": step_name(row["from"], row["to"]),
                "outcome": label,
                "leads": row[name],
                "entered": row["entered"],
                "order": order,
                "conversion": row["conversion"],
                "low": row["low"],
                "high": row["high"],
                "projected": row["projected"],
            }
            for row in whole.to_dict("records")
            for order, (name, label) in enumerate(OUTCOMES.items())
        ]
    )
    color = alt.Scale(domain=list(OUTCOMES.values()), range=[BAR, LIGHT_ORANGE, PALE])
    share = alt.Axis(format="%", tickCount=6)
    base = alt.Chart().encode(
        y=alt.Y("step:N", sort=None, title=None, axis=name_axis()),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("step:N", title="Step"),
            alt.Tooltip("outcome:N", title="Outcome"),
            tip("leads", "Leads"),
            tip("entered", "Of"),
            tip("conversion", "Conversion", ".1%"),
            tip("low", "95% from", ".1%"),
            tip("high", "95% to", ".1%"),
            tip("projected", "Projected", ".1%"),
        ],
    )
    is_narrow = f"datum.leads * width < {WIDTH_OF_COUNT} * datum.entered"
    chart = layered(
        tall,
        base.mark_bar(stroke="white", strokeWidth=1).encode(
            x=alt.X(
                "leads:Q", stack="normalize", title="Share of the leads of a stage", axis=share
            ),
            color=alt.Color("outcome:N", scale=color, title=None, sort=None),
        ),
        base.mark_text(fontSize=11).encode(
            x=alt.X("leads:Q", stack="normalize", bandPosition=0.5),
            text=alt.Text("leads:Q", format=",.0f"),
            opacity=alt.OpacityValue(1, condition=in_case(is_narrow, 0)),
            detail=alt.Detail("outcome:N"),
        ),
    )
    return finished(
        chart,
        "Leads that entered a stage in the period: how many reached a later stage, were lost to a "
        "rejection, or are open, with counts.",
        height=height_of(len(whole)),
    )
