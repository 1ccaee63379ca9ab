"""The funnel as chart, table and verdict: figures, order, words, and what is left out."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from frames import plain
from test_charts import embedded, encoding, marks, titles
from test_tables import cells

from mqlkit.metrics.funnel import FUNNEL_COLUMNS
from mqlkit.views import charts, tables, verdicts


def step(start, end, entered, converted, lost, *, is_next=True, flags=(), **more):
    """Return a row of the funnel of the whole period."""
    numbers = {
        "conversion": converted / entered if entered else math.nan,
        "low": 0.25, "high": 0.75, "projected": 0.6, "projected_low": 0.5, "projected_high": 0.7,
        "hours_mean": 30.0, "hours_median": 72.0, "hours_p90": 100.0,
    }  # fmt: skip
    given = {
        "from": start, "to": end, "bucket": "total", "start": None, "end": None, "by": "",
        "name": "", "entered": entered, "converted": converted, "lost": lost,
        "open": entered - converted - lost, "flags": flags, "is_next": is_next,
    }  # fmt: skip
    return {**given, **numbers, **more}


def funnel(*rows):
    return pd.DataFrame(list(rows), columns=FUNNEL_COLUMNS)


NONE = funnel()
EMPTY = funnel(step("mql", "sql", 0, 0, 0))
THREE = funnel(
    step("mql", "accepted", 400, 200, 50, flags=("immature",)),
    step("accepted", "sql", 200, 100, 0, hours_median=24.5 * 24),
    step("mql", "sql", 400, 100, 50, is_next=False),
    # Not of the whole period, and not of all leads.
    step("mql", "accepted", 400, 300, 50, bucket="2026-01"),
    step("mql", "accepted", 300, 20, 50, by="source", name="Web"),
)


def said(frame):
    return plain(verdicts.funnel.steps(frame).text)


def test_the_chart_draws_each_step_with_its_counts():
    spec = charts.funnel.steps(THREE).to_dict()
    assert marks(spec) == ["bar", "text"]
    assert titles(spec) == {"x": ["Share of the leads of a stage"], "y": []}
    found = [(row["step"], row["outcome"], row["leads"]) for row in embedded(spec)]
    assert found == [
        ("MQL → SAL", "Converted", 200), ("MQL → SAL", "Lost", 50), ("MQL → SAL", "Open", 150),
        ("SAL → SQL", "Converted", 100), ("SAL → SQL", "Lost", 0), ("SAL → SQL", "Open", 100),
        ("MQL → SQL", "Converted", 100), ("MQL → SQL", "Lost", 50), ("MQL → SQL", "Open", 250),
    ]  # fmt: skip
    assert encoding(spec)["x"]["stack"] == "normalize"
    assert encoding(spec)["y"]["sort"] is None
    # A count that does not fit into its part of the bar is not shown.
    (condition,) = [encoding(spec, 1)["opacity"]["condition"]]
    assert condition == {"test": "datum.leads * width < 40 * datum.entered", "value": 0}
    assert [t["title"] for t in encoding(spec)["tooltip"]] == [
        "Step", "Outcome", "Leads", "Of", "Conversion", "95% from", "95% to", "Projected",
    ]  # fmt: skip
    assert spec["description"].endswith("or are open, with counts.")


@pytest.mark.parametrize("frame", [NONE, EMPTY])
def test_without_a_lead_there_is_nothing_to_draw(frame):
    assert charts.funnel.steps(frame) is None
    assert tables.funnel.steps(frame) is None


def test_the_table():
    head, *lines = cells(tables.funnel.steps(THREE))
    assert head == [
        "Step", "Entered", "Converted", "Lost", "Open", "Conversion", "95% interval", "Projected",
        "Mean time", "Median, open included", "Note",
    ]  # fmt: skip
    assert lines[0] == [
        "MQL → SAL", "400", "200", "50", "150", "50.0%", "25.0–75.0%", "60.0%", "30.0 hours",
        "3.0 days", "immature",
    ]  # fmt: skip
    assert [line[0] for line in lines] == ["MQL → SAL", "SAL → SQL", "MQL → SQL"]
    assert lines[1][-2:] == ["24.5 days", ""]
    plain_rows = tables.funnel.steps(THREE.iloc[1:3])
    assert "Note" not in cells(plain_rows)[0]


def test_the_verdict_follows_the_stages_and_names_the_longest_step():
    assert said(THREE) == (
        "MQL → SAL: 50.0% of 400 leads moved on so far (25.0–75.0%). SAL → SQL: 50.0% of 200 leads "
        "moved on (25.0–75.0%). The longest step is SAL → SQL: an estimated half of the leads are "
        "converted or lost after 24.5 days."
    )


def test_a_step_of_which_half_of_the_leads_stay_open_may_be_the_longest():
    unknown = THREE.assign(hours_median=[72.0, math.nan, 72.0, 72.0, 72.0])
    assert "longest" not in said(unknown)
    assert "longest" not in said(THREE.iloc[:1])


def test_few_leads_are_named():
    few = funnel(step("mql", "accepted", 30, 20, 5), step("accepted", "sql", 29, 1, 0))
    assert said(few).endswith("SAL → SQL: fewer than 30 leads, do not rank or plan by them.")
    certainties = [claim.certainty for claim in verdicts.funnel.steps(few).claims]
    assert certainties == ["measured", "few", "measured", "few"]


def test_without_stages_or_leads_the_verdict_says_so():
    assert said(NONE) == "The data has timestamps of one stage only, so there is no funnel."
    assert said(EMPTY) == "No lead entered a stage of the funnel in the period."


def test_the_table_by_breakdown_has_the_largest_segments_with_small_ones_marked():
    frame = funnel(
        step("mql", "accepted", 430, 220, 50),
        step("mql", "accepted", 20, 10, 0, by="source", name="Event", flags=("small-n",)),
        step("mql", "accepted", 400, 200, 50, by="source", name="Web", flags=("immature",)),
        step("accepted", "sql", 200, 100, 0, by="source", name="Web"),
        # Not to the next stage, of one bucket, of nothing, and by another column.
        step("mql", "sql", 400, 100, 50, is_next=False, by="source", name="Web"),
        step("mql", "accepted", 90, 30, 50, by="source", name="Web", bucket="2026-01"),
        step("accepted", "sql", 0, 0, 0, by="source", name="Event", flags=("small-n",)),
        step("mql", "accepted", 400, 200, 50, by="owner", name="Ann"),
    )
    table = tables.funnel.steps_by(frame.assign(main_breakdown="source"))
    assert table.title == "Leads that moved on to the next stage by source"
    assert cells(table) == [
        ["Source", "MQL → SAL", "SAL → SQL", "Note"],
        ["Web", "50.0% of 400", "50.0% of 200", ""],
        ["Event", "50.0% of 20", "–", "small-n (MQL → SAL)"],
    ]
    assert cells(tables.funnel.steps_by(frame, by="owner")) == [
        ["Owner", "MQL → SAL"], ["Ann", "50.0% of 400"],
    ]  # fmt: skip
    assert tables.funnel.steps_by(frame, by="country") is None


def test_the_table_by_breakdown_is_short_and_says_what_it_leaves_out():
    names = [f"S{i:02}" for i in range(30)]
    many = [step("mql", "sql", 40 + i, 9, 9, by="source", name=n) for i, n in enumerate(names)]
    table = tables.funnel.steps_by(funnel(*many))
    assert [line[0] for line in cells(table)[1:]] == names[:-9:-1]
    assert table.note == "22 more, see metrics.json"
    assert tables.funnel.steps_by(NONE) is None
