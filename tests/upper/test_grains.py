"""Charts by bucket at coarser grains: their frames are those of reports of these grains."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from runs import ROOT

from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams
from mqlkit.lab.exploration import Exploration
from mqlkit.metrics.report import compute_report, read_report
from mqlkit.metrics.tidy import pick, series
from mqlkit.pages import cells
from mqlkit.pages.drawings import drawings
from mqlkit.views import charts, topics
from mqlkit.views.theme import CHART_TYPE

SAMPLE = ReportParams.read(ROOT / "params" / "mql_report.yaml")
FAMILIES = {
    "volume": ("mqls", "in_stage", "goal", "mqls_forecast", "goal_probability"),
    "handoff": ("accepted", "rejected", "undecided"),
    "efficiency": ("efficiency", "efficiency_flow", "efficiency_projected", "sqls_in_period"),
    "sla": ("sla_attainment",),
}
COARSER = ("quarter", "half", "year")
# Parameters, the grains of the page, and the one that is compared.
CASES = [
    ({}, COARSER, "quarter"),
    # A quarter is cut at both ends, and owners with few MQLs are joined.
    ({"period": "2025-08..2026-05", "by": ["owner"], "redact": True}, COARSER, "quarter"),
    ({"grain": "quarter", "within_days": 14, "where": {"country": ["EE"]}}, COARSER[1:], "year"),
    # A bucket is running.
    ({"period": "2025-07..2026-09", "fiscal_year_start": 4}, COARSER, "half"),
]


def told(frame, metric, by):
    part = pick(frame, metric, by=by)
    part = part[part["bucket"] != TOTAL].sort_values(["bucket", "name"]).reset_index(drop=True)
    return part[["bucket", "start", "end", "name", "value", "n", "low", "high", "flags"]]


def assert_same(found, wanted):
    # Without breakdowns, pandas takes all of the names for text of its own type.
    pd.testing.assert_frame_equal(found, wanted, rtol=0, atol=1e-11, check_dtype=False)


@pytest.mark.parametrize(("params", "grains", "grain"), CASES)
def test_frames_at_a_coarser_grain_are_those_of_a_report_of_it(params, grains, grain):
    report = read_report(replace(SAMPLE, **params))
    for family in [*FAMILIES, "cost"]:
        assert tuple(report.coarser.of(family)) == grains
    other = read_report(replace(SAMPLE, **{**params, "grain": grain}))
    for family, metrics in FAMILIES.items():
        found, wanted = report.coarser.of(family)[grain], getattr(other, family)
        for metric in metrics:
            for by in ("", other.main_breakdown) if metric == "mqls" else ("",):
                assert_same(told(found, metric, by), told(wanted, metric, by))
    costs = [series(frame, "cost_by_bucket", "bucket") for frame in
             (report.coarser.of("cost")[grain], other.cost)]  # fmt: skip
    # The slider of the page may have fewer positions than that of the other report.
    lags = costs[0]["lag_days"].unique()
    assert_same(costs[0], costs[1][costs[1]["lag_days"].isin(lags)].reset_index(drop=True))


def spec_of(report, draw):
    (drawing,) = drawings(report, [draw])
    (part,) = drawing.parts()
    return cells.bundle(part)[CHART_TYPE]


def test_a_chart_has_the_parts_that_differ_at_coarser_grains():
    report = read_report(SAMPLE)
    spec = spec_of(report, charts.sla.attainment)
    assert list(spec["usermeta"]["grains"]) == ["quarter", "half", "year"]
    year = spec["usermeta"]["grains"]["year"]
    assert set(year) == {"data", "datasets", "description", "layer"}
    assert year["description"].startswith("SLA attainment per year, ")
    (rows,) = year["datasets"].values()
    assert [row["bucket"] for row in rows] == ["2025", "2026"]


LEADS = """
lead_id | mql_at     | accepted_at
a       | 2026-01-05 | 2026-01-06
b       | 2026-02-05 |
"""
SPEND = """
date_from  | date_to    | amount
2026-01-10 | 2026-12-31 | 1096
"""


def test_a_chart_without_anything_at_a_coarser_grain_is_null_there(lead_table):
    made = lead_table(LEADS, spend=SPEND, period="2026-01..2026-02", lag_days=0)
    # Spend covers February, and neither January nor the two months.
    spec = spec_of(compute_report(made.leads, made.tables), charts.cost.per_mql)
    assert spec["usermeta"]["grains"] == {"quarter": None, "half": None, "year": None}


def test_weeks_and_single_buckets_have_no_coarser_grain(lead_table):
    for params in ({"grain": "week"}, {"grain": "month", "period": "2026-01"}, {"grain": "year"}):
        made = lead_table(LEADS, **params)
        assert compute_report(made.leads, made.tables).coarser.of("volume") == {}, params


def test_the_panel_draws_one_grain():
    explored = Exploration(SAMPLE, base=ROOT)
    assert explored.report.coarser.of("volume") == {}
    charts_of = [d.parts() for d in drawings(explored.report, [topics.volume])]
    assert all("grains" not in cells.bundle(p).get(CHART_TYPE, {}).get("usermeta", {})
               for parts in charts_of for p in parts)  # fmt: skip
