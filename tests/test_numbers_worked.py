"""The worked examples: few leads that meet every rule of the definitions, worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mqlkit.metrics.report import Report
from mqlkit.pages.document import facts_of

FOLDERS = {name: Path(__file__).parent / name for name in ("worked_example", "worked_example_2")}
EXPECTED = {
    name: json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, folder in FOLDERS.items()
}
NUMBERS = ["value", "n", "low", "high"]
STEPS = [
    "entered", "converted", "lost", "open", "conversion", "low", "high", "projected",
    "projected_low", "projected_high", "hours_mean", "hours_median", "hours_p90",
]  # fmt: skip
CHANGES = ["value", "before", "difference", "low", "high"]
# The example says nothing on the maturity of costs, which the definitions ask for (§8).
OWN_MATURITY = {"cost_per_sql", "return_on_spend"}


def cases(part, *keys):
    """Return the examples with the rows of a part, grouped by some of their keys."""
    return [
        pytest.param(name, key, id=f"{name}-{'-'.join(key)}")
        for name, expected in EXPECTED.items()
        for key in dict.fromkeys(tuple(row[k] for k in keys) for row in expected[part])
    ]


def wanted_in(name, part, keys, key):
    rows = [row for row in EXPECTED[name][part] if tuple(row[k] for k in keys) == key]
    assert rows
    return rows


def same(got, row, columns):
    wanted = [np.nan if row[column] is None else row[column] for column in columns]
    np.testing.assert_allclose(
        np.array(got, dtype=float), wanted, rtol=1e-9, atol=1e-9, err_msg=str(row)
    )


def segment_of(row):
    return next(iter((row["segment"] or {}).items()), ("", ""))


@pytest.fixture(scope="module")
def reports():
    return {name: Report.read(folder / "params.yaml") for name, folder in FOLDERS.items()}


@pytest.fixture(scope="module")
def metrics(reports):
    return {
        name: report.metrics.set_index(["metric", "bucket", "by", "name"])
        for name, report in reports.items()
    }


@pytest.mark.parametrize(("name", "key"), cases("metrics", "metric"))
def test_every_metric(metrics, name, key):
    found = metrics[name]
    for row in wanted_in(name, "metrics", ["metric"], key):
        place = (*key, row["bucket"], *segment_of(row))
        if place not in found.index:
            assert row["value"] is None, row
            continue
        same(found.loc[place, NUMBERS], row, NUMBERS)
        flags = {*found.loc[place, "flags"]} - ({"immature"} if key[0] in OWN_MATURITY else set())
        assert "flags" not in row or flags == {*row["flags"]}, row


@pytest.mark.parametrize(("name", "key"), cases("funnel", "from", "to"))
def test_every_step_of_the_funnel(reports, name, key):
    found = reports[name].funnel.set_index(["from", "to", "bucket", "by", "name"])
    for row in wanted_in(name, "funnel", ["from", "to"], key):
        step = found.loc[(*key, row["bucket"], *segment_of(row))]
        same(step[STEPS], row, STEPS)
        assert {*step["flags"]} == {*row["flags"]}, row


@pytest.mark.parametrize("row", EXPECTED["worked_example_2"]["changes"], ids=lambda r: r["metric"])
def test_every_change_against_the_bucket_before(reports, row):
    found = reports["worked_example_2"].changes
    is_it = (found["metric"] == row["metric"]) & (found["bucket"] == row["bucket"])
    (change,) = found[is_it & (found["kind"] == row["against"])][CHANGES].to_numpy()
    same(change, row, CHANGES)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_figures_of_the_whole_report(reports, name):
    document = facts_of(reports[name])
    for key in ("lag_days_used", "maturity_days", "horizon_days", "forecast_backtest", "phi"):
        if key in EXPECTED[name]:
            assert document[key] == pytest.approx(EXPECTED[name][key], rel=1e-9)


def test_what_the_ledger_notes_and_how_many_leads_each_rule_judges(reports):
    report, expected = reports["worked_example_2"], EXPECTED["worked_example_2"]
    noted = report.ledgers["leads"].noted
    assert {name: noted[name] for name in expected["noted"]} == expected["noted"]
    assert expected["sla_rules"] == [3, 7, 10]
    rules = report.sla[report.sla["metric"] == "sla_rules"]
    assert [int(n) for n in rules["n"]] == expected["sla_rules"]


def test_the_business_clock_over_a_weekend():
    # L03 entered on Friday 16:00 and was decided on Monday 16:00; L04 from Thursday 12:00 to
    # midnight: 8 and 5 working hours, 72 and 12 on the calendar.
    week = {"sla_clock": "business", "work_week": "Mon-Fri 09:00-17:00"}
    for params, hours in (({}, 42), (week, 6.5)):
        report = Report.read(FOLDERS["worked_example"] / "params.yaml", **params)
        found = report.value("hours_in_stage_mean", bucket="2026-01", by="source", name="Event")
        assert found == hours
