"""Conversion by cohort, in-period, or both: what each view shows and does not show."""

from __future__ import annotations

import pytest
from frames import of, row, rows, totals
from runs import ROOT
from test_charts import column, embedded, encoding, layers, marks, per_bucket, titles, tooltip
from test_tables import cells

from mqlkit.core.names import COHORT, FLOW
from mqlkit.core.names import VIEWS as NAMES
from mqlkit.lab.choices import VIEW_WORDS, VIEWS, as_written, in_words
from mqlkit.metrics.tidy import pick
from mqlkit.views import charts, tables, verdicts
from mqlkit.views.charts.base import with_selection

FLOW_TIPS = [
    ("efficiency_flow", "In-period ratio", ".1%"),
    ("sqls_in_period", "SQLs", ",.0f"),
    ("mqls", "MQLs", ",.0f"),
]


def test_by_cohort_the_flow_is_left_out(worked):
    spec = charts.efficiency.cohorts(worked.metrics, view=COHORT).to_dict()
    assert marks(spec) == ["rule", "tick", "point"]
    assert "In-period ratio" not in [title for _, title, _ in tooltip(spec, 2)]
    assert spec["description"] == (
        "MQL→SQL conversion per month of entry, 33% to 40%, with 95% intervals; immature cohorts "
        "are hollow, with their projection as an orange line."
    )
    assert "In-period ratio" not in cells(tables.efficiency.cohorts(worked.metrics, view=COHORT))[0]
    assert verdicts.efficiency.flow(worked.metrics, view=COHORT) is None


def test_by_flow_it_stands_alone(worked):
    spec = charts.efficiency.cohorts(worked.metrics, view=FLOW).to_dict()
    assert marks(spec) == ["line", "point", "text", "text"]
    assert titles(spec) == {"x": [], "y": ["In-period SQL/MQL ratio"]}
    assert tooltip(spec, 1)[1:] == FLOW_TIPS
    for metric in ("efficiency_flow", "sqls_in_period", "mqls"):
        assert column(embedded(spec), metric) == per_bucket(worked.metrics, metric)
    assert spec["description"] == (
        "SQLs dated in each month, from any cohort, per MQL of that month: 20% to 50%."
    )
    assert verdicts.efficiency.conversion(of(worked.metrics, maturity_days=30), view=FLOW) is None


def test_the_flow_of_each_source(worked):
    drawn = charts.efficiency.conversion_by(worked.metrics, by="source", view=FLOW)
    spec = with_selection(drawn, by="source", target=".target").to_dict()
    assert marks(spec) == ["bar", "text"]
    assert tooltip(spec) == [("name", "Source", None), *FLOW_TIPS]
    flow = pick(worked.metrics, "efficiency_flow", by="source")
    flow = flow[flow["bucket"] == "total"].set_index("name")["value"]
    data = embedded(spec)
    assert column(data, "name") == ["(missing)", "Event", "Web"]
    assert column(data, "efficiency_flow") == list(flow[column(data, "name")])
    assert encoding(spec)["y"]["sort"] is None
    # A click picks a source here too.
    assert all(part["transform"][0]["as"] == "picked" for part in layers(spec))
    assert spec["description"] == "SQLs dated in the period per MQL of the period, by source."


def test_tables_of_the_flow(worked):
    assert cells(tables.efficiency.cohorts(worked.metrics, view=FLOW)) == [
        ["Bucket", "MQLs", "SQLs in the bucket", "In-period ratio", "Note"],
        ["Jan 2026", "5", "1", "20.0%", "small-n"],
        ["Feb 2026", "6", "3", "50.0%", "small-n"],
        ["Whole period", "11", "4", "36.4%", "small-n"],
    ]
    table = tables.efficiency.conversion_by(worked.metrics, by="source", view=FLOW)
    assert table.title == "In-period SQL/MQL ratio by source"
    assert cells(table)[-1] == ["Web", "7", "2", "28.6%", "small-n"]


def test_without_sqls_in_the_data_there_is_no_flow():
    frame = rows(
        row("efficiency_flow", None, bucket="2026-01", n=5),
        row("efficiency_flow", None, n=5),
        row("efficiency_flow", None, n=5, source="Web"),
        row("mqls", 5, bucket="2026-01"),
        row("mqls", 5, source="Web"),
    )
    assert charts.efficiency.cohorts(frame, view=FLOW) is None
    assert charts.efficiency.conversion_by(frame, by="source", view=FLOW) is None
    assert verdicts.efficiency.flow(frame) is None


@pytest.mark.parametrize(
    ("sqls", "mqls", "flow", "numbers"),
    [
        (4, 11, 4 / 11, "36.4%: 4 SQLs dated in the period, per 11 MQLs"),
        (1, 1, 1, "100.0%: 1 SQL dated in the period, per 1 MQL"),
        (3, 2, 1.5, "150.0%: 3 SQLs dated in the period, per 2 MQLs"),
    ],
)
def test_the_flow_in_words(sqls, mqls, flow, numbers):
    frame = totals(sqls_in_period=sqls, efficiency_flow={"value": flow, "n": mqls})
    assert verdicts.efficiency.flow(frame).text == (
        f"The in-period ratio is {numbers} of the period. The SQLs may come from earlier MQLs, so "
        "this ratio rises when the number of MQLs falls."
    )


def test_the_panel_says_in_words_which_one_it_shows(worked):
    assert set(VIEWS.values()) == set(VIEW_WORDS) == set(NAMES)
    both = in_words(worked)
    assert in_words(worked, view=FLOW) == (
        f"{both} Conversion is in-period only: SQLs count in the bucket of their own date; "
        "headline and changes stay by cohort."
    )
    assert in_words(worked, view=COHORT).startswith(f"{both} Conversion is by cohort only")


def test_of_a_file_that_is_saved_it_is_said_that_it_shows_both():
    path = ROOT / "params" / "mine.yaml"
    plain = f"Written. To run it, in {ROOT}: mqlkit run params/mine.yaml"
    assert as_written(path, view="both") == plain
    assert as_written(path, view=FLOW) == (
        f"{plain}. The report shows conversion by cohort and in-period; only the panel shows one "
        "alone."
    )
