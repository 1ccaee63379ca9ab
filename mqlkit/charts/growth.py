"""The picture of maturity: cohorts at the same age."""

from __future__ import annotations

import altair as alt
import pandas as pd

from mqlkit.charts.parts import BOTTOM, Chart, drawn_rows, finished, layered, require, tip
from mqlkit.funnel import GROWTH_COLUMNS
from mqlkit.theme import ORANGE
from mqlkit.wording import bucket_name, counted

MOST_COHORTS = 6


def plot_cohort_growth(growth: pd.DataFrame, *, maturity: float) -> Chart | None:
    """Draw the share of SQLs of each cohort by its age, and the age at which most are in.

    Parameters
    ----------
    growth
        What `funnel.cohort_growth` returns.
    maturity
        Days after which most of those that will convert have.
    """
    require(growth, GROWTH_COLUMNS, "plot_cohort_growth")
    if growth.empty or not growth["sqls"].any():
        return None
    every = list(growth["bucket"].unique())
    cohorts = every[-MOST_COHORTS:]
    frame = growth[growth["bucket"].isin(cohorts)].round(6)
    frame = frame.assign(when=frame["bucket"].map(bucket_name))
    names = [bucket_name(c) for c in cohorts]
    tips = [
        alt.Tooltip("bucket:N", title="MQLs of"),
        tip("age_days", "Days since the MQL"),
        tip("share", "Became SQL", ".1%"),
        tip("sqls", "SQLs"),
        tip("mqls", "MQLs"),
    ]
    base = alt.Chart().encode(
        x=alt.X("age_days:Q", title="Days since the MQL", axis=alt.Axis(tickCount=8)),
        y=alt.Y("share:Q", title="MQLs that became SQL", axis=alt.Axis(format="%")),
        color=alt.Color("when:N", sort=names, title=None, legend=alt.Legend(columns=3)),
    )
    last = frame.groupby("bucket", sort=False).tail(1)
    ripe = {"age_days": float(maturity), "label": "nine in ten are in"}
    mark = alt.Chart({"values": [ripe]})
    chart = layered(
        frame,
        base.mark_line(interpolate="step-after"),
        base.mark_point(size=90, opacity=0).encode(tooltip=tips),
        alt.Chart(drawn_rows(last))
        .mark_point(size=70, filled=True, opacity=1)
        .encode(
            x=alt.X("age_days:Q"),
            y=alt.Y("share:Q"),
            color=alt.Color("when:N", sort=names),
            tooltip=tips,
        ),
        mark.mark_rule(color=ORANGE, strokeDash=[4, 3], strokeWidth=2).encode(
            x=alt.X("age_days:Q")
        ),
        mark.mark_text(align="left", dx=5, dy=-8, color=ORANGE, fontWeight="bold").encode(
            x=alt.X("age_days:Q"), y=BOTTOM, text=alt.Text("label:N")
        ),
    )
    some = f"; the latest {len(cohorts)} of {len(every)}" if len(cohorts) < len(every) else ""
    return finished(
        chart,
        "Share of each cohort's MQLs that became SQL, by days since the MQL: cohorts at the same "
        "age. A line ends where the cohort's youngest lead is; after "
        f"{counted(round(maturity), 'day')}, the dashed line, nine in ten of the conversions are "
        f"in{some}.",
    )
