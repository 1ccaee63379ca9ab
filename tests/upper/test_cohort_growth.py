"""Cohorts at the same age: the share of SQLs by days since the MQL, and its picture."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from frames import of, series_of
from runs import ROOT

from mqlkit.core.params import ReportParams
from mqlkit.metrics.conversion import Maturity
from mqlkit.metrics.efficiency import GROWTH_COLUMNS, cohort_growth
from mqlkit.metrics.report import read_report
from mqlkit.metrics.tidy import pick, series
from mqlkit.views import charts

BASE = ROOT / "notebooks"
LEADS = """
    lead_id       | mql_at           | sql_at
    at-once       | 2026-01-05 10:00 | 2026-01-05 10:00
    in-a-day      | 2026-01-06 10:00 | 2026-01-07 10:00
    in-a-day-more | 2026-01-06 10:00 | 2026-01-07 10:01
    never         | 2026-01-07 10:00 |
    february      | 2026-02-20 10:00 | 2026-02-22 10:00
    in-progress   | 2026-03-01 10:00 | 2026-03-01 11:00
"""
THREE_DAYS = Maturity(days=3, horizon_days=40)
PERIOD = {"period": "2026-01..2026-03", "as_of": "2026-03-03 12:00"}


@pytest.fixture(scope="module")
def few(lead_table):
    return lead_table(LEADS, **PERIOD).leads


def test_each_cohort_as_long_as_all_of_it_is_old_enough(few):
    found = cohort_growth(few, maturity=THREE_DAYS)
    january, february = (found[found["bucket"] == b] for b in ("2026-01", "2026-02"))
    # March is not over: its youngest lead may come yet.
    assert set(found["bucket"]) == {"2026-01", "2026-02"}
    assert list(january["age_days"]) == list(range(15))
    assert list(january["share"]) == [0.25, 0.5, *[0.75] * 13]
    assert list(january["sqls"]) == [1.0, 2.0, *[3.0] * 13]
    assert set(january["mqls"]) == {4}
    # As of 3 March at noon, February has been over for two days.
    assert list(february["age_days"]) == [0, 1, 2]
    assert list(february["share"]) == [0.0, 0.0, 1.0]


def test_a_cohort_is_followed_to_the_horizon_and_to_twice_its_maturity(few):
    def oldest(days, horizon):
        return cohort_growth(few, maturity=Maturity(days, horizon))["age_days"].max()

    assert [oldest(3, 40), oldest(10, 40), oldest(10, 17.5)] == [14, 20, 18]
    # As of 3 March, January has been over for 30 days.
    assert oldest(30, 90) == 30


def test_none_converted_or_none_over_is_no_row(lead_table, few):
    assert list(cohort_growth(few, maturity=Maturity()).columns) == GROWTH_COLUMNS
    assert cohort_growth(few, maturity=Maturity()).empty
    young = lead_table(LEADS, period="2026-03", as_of="2026-03-03 12:00").leads
    assert cohort_growth(young, maturity=THREE_DAYS).empty


@pytest.mark.parametrize("days", [1, 7, 21])
def test_it_is_the_efficiency_within_so_many_days(days):
    params = replace(ReportParams(), period="2026-01..2026-05", within_days=days)
    numbers = read_report(params, base=BASE)
    rows = pick(numbers.metrics, "efficiency").set_index("bucket")["value"]
    grown = series(numbers.efficiency, "conversion_by_age", "bucket")
    grown = grown[grown["age_days"] == days].set_index("bucket")["share"]
    assert len(grown) >= 4
    pd.testing.assert_series_equal(grown, rows[grown.index], check_names=False)


def test_the_picture(few):
    spec = charts.efficiency.cohort_age(
        of(series_of("conversion_by_age", cohort_growth(few, maturity=THREE_DAYS)), maturity_days=3)
    ).to_dict()
    line, hover, last, rule, label = spec["layer"]
    assert [part["mark"]["type"] for part in spec["layer"]] == [
        "line", "point", "point", "rule", "text",
    ]  # fmt: skip
    assert line["encoding"]["x"]["title"] == "Days since MQL"
    assert line["encoding"]["y"]["title"] == "MQL→SQL conversion"
    assert line["encoding"]["color"]["sort"] == ["Jan 2026", "Feb 2026"]
    assert [t["title"] for t in hover["encoding"]["tooltip"]] == [
        "Cohort", "Days since MQL", "MQL→SQL conversion", "SQLs", "MQLs",
    ]  # fmt: skip
    ends = spec["datasets"][last["data"]["name"]]
    assert [(e["bucket"], e["age_days"], e["share"]) for e in ends] == [
        ("2026-01", 14, 0.75), ("2026-02", 2, 1.0),
    ]  # fmt: skip
    assert spec["datasets"][rule["data"]["name"]] == [{"age_days": 3, "label": "mature"}]
    assert label["encoding"]["text"]["field"] == "label"
    assert spec["description"] == (
        "MQL→SQL conversion by cohort age. A line ends at the age of the cohort's youngest lead. "
        "After 3 days, the dashed line, nine in ten conversions have happened."
    )


def test_the_line_is_the_limit_in_days_and_none_where_conversion_takes_longer(few):
    grown = series_of("conversion_by_age", cohort_growth(few, maturity=THREE_DAYS))
    limit = charts.efficiency.cohort_age(of(grown, maturity_days=9, within_days=9)).to_dict()
    drawn = [row for data in limit["datasets"].values() for row in data]
    assert {"age_days": 9, "label": "within_days"} in drawn
    words = "The dashed line is the age of 9 days up to which SQLs count."
    assert limit["description"].endswith(words)
    # -1 is no limit.
    mature = charts.efficiency.cohort_age(of(grown, maturity_days=9, within_days=-1)).to_dict()
    assert mature["description"].endswith("nine in ten conversions have happened.")
    # Less than a day is not 0 days.
    soon = charts.efficiency.cohort_age(of(grown, maturity_days=0.2)).to_dict()
    assert "After 1 day, the dashed line" in soon["description"]
    rising = charts.efficiency.cohort_age(of(grown, maturity_days=9, is_rising=True)).to_dict()
    assert [part["mark"]["type"] for part in rising["layer"]] == ["line", "point", "point"]
    assert rising["description"].endswith("Conversion takes longer than the data can show.")


def test_of_many_cohorts_the_latest_six_are_drawn(few):
    grown = cohort_growth(few, maturity=THREE_DAYS)
    january = grown[grown["bucket"] == "2026-01"]
    many = pd.concat([january.assign(bucket=f"2025-{m:02}") for m in range(1, 10)])
    spec = charts.efficiency.cohort_age(
        of(series_of("conversion_by_age", many), maturity_days=3)
    ).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["sort"][0] == "Apr 2025"
    assert spec["description"].endswith("nine in ten conversions have happened; the latest 6 of 9.")


def test_nothing_converted_is_no_picture(few):
    grown = cohort_growth(few, maturity=THREE_DAYS)
    assert (
        charts.efficiency.cohort_age(
            of(series_of("conversion_by_age", grown.assign(sqls=0.0)), maturity_days=3)
        )
        is None
    )
    assert (
        charts.efficiency.cohort_age(
            of(series_of("conversion_by_age", grown.iloc[:0]), maturity_days=3)
        )
        is None
    )
    with pytest.raises(ValueError, match="conversion_by_age needs the columns value"):
        charts.efficiency.cohort_age(
            of(series_of("conversion_by_age", grown).drop(columns="value"), maturity_days=3)
        )
