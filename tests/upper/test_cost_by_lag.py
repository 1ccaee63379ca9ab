"""What the lag does: cost per MQL of the whole period by the lag, its chart and its table."""

from __future__ import annotations

from datetime import date

import pytest
from frames import of, series_of

from mqlkit.metrics.cost import cost_by_lag
from mqlkit.views import charts, tables

LEADS = """
lead_id     | created_at       | mql_at
one         | 2026-02-01 09:00 | 2026-03-01 09:00
two         | 2026-02-01 09:00 | 2026-03-31 09:00
before it   | 2026-01-01 09:00 | 2026-02-28 09:00
"""
# 10 a day in January, 20 in February, 30 in March: the windows are easy to add up.
SPEND = """
date_from  | date_to    | channel | amount
2026-01-01 | 2026-01-31 | Ads     | 310
2026-02-01 | 2026-02-28 | Ads     | 560
2026-03-01 | 2026-03-31 | Ads     | 930
"""


@pytest.fixture(scope="module")
def costs(lead_table):
    made = lead_table(LEADS, spend=SPEND, period="2026-03")
    return cost_by_lag(made.leads, spend=made.tables.spend, lags=range(61))


def test_spend_in_the_window_over_the_mqls_of_the_period(costs):
    assert costs["lag_days"].tolist() == list(range(61))
    by_lag = costs.set_index("lag_days")
    assert by_lag["mqls"].unique().tolist() == [2.0]
    # 31 days of March; one day less of it and one of February; 28 of February and 3 of January.
    assert by_lag["spend"][[0, 1, 31]].tolist() == pytest.approx([930, 920, 590])
    assert by_lag["cost"][[0, 1, 31]].tolist() == pytest.approx([465, 460, 295])
    assert by_lag.loc[31, ["from", "to"]].tolist() == [date(2026, 1, 29), date(2026, 2, 28)]


def test_a_window_that_spend_does_not_cover_has_no_cost(costs):
    by_lag = costs.set_index("lag_days")
    assert by_lag.loc[59, "from"] == date(2026, 1, 1)
    assert by_lag.loc[59, "cost"] > 0
    assert by_lag.loc[[60], ["spend", "cost"]].isna().all(axis=None)


def test_the_chart_is_the_frame_with_the_lag_in_use_marked(costs):
    spec = charts.cost.by_lag(
        of(series_of("cost_by_lag", costs), lag_days=31, currency="EUR")
    ).to_dict()
    line, _, point = spec["layer"]
    assert line["mark"]["type"] == "line"
    assert line["encoding"]["x"]["title"] == "Lag, days"
    assert line["encoding"]["y"]["title"] == "Cost per MQL, EUR"
    rows = spec["datasets"][spec["data"]["name"]]
    assert [(r["lag_days"], r["cost"]) for r in rows] == [
        (r.lag_days, round(r.cost, 4)) for r in costs.dropna().itertuples()
    ]
    (used,) = spec["datasets"][point["data"]["name"]]
    assert used == {"lag_days": 31, "spend": 590.0, "cost": 295.0}
    assert spec["description"] == (
        "Cost per MQL of the whole period by the lag, 155.00 to 465.00 EUR; the lag in use, "
        "31 days, is marked."
    )


def test_without_a_cost_there_is_no_chart(costs):
    options = {"lag_days": 0, "currency": "EUR"}
    assert charts.cost.by_lag(of(series_of("cost_by_lag", None), **options)) is None
    assert (
        charts.cost.by_lag(of(series_of("cost_by_lag", costs.assign(cost=float("nan"))), **options))
        is None
    )
    with pytest.raises(ValueError, match="cost_by_lag needs the columns value"):
        charts.cost.by_lag(of(series_of("cost_by_lag", costs).drop(columns="value"), **options))
    assert tables.cost.by_lag(of(series_of("cost_by_lag", None), **options)) is None


def test_the_table_has_every_tenth_lag_and_the_one_in_use(costs):
    cells = tables.cost.by_lag(
        of(series_of("cost_by_lag", costs), lag_days=31, currency="EUR")
    ).cells
    assert cells["Lag"].tolist() == [
        "0 days", "10 days", "20 days", "30 days", "31 days", "40 days", "50 days", "60 days",
    ]  # fmt: skip
    assert cells[cells[""] == "in use"].values.tolist() == [
        ["31 days", "29 Jan 2026", "28 Feb 2026", "€590", "2", "€295", "in use"]
    ]
    assert cells["Cost per MQL"].tolist()[-1] == "–"
