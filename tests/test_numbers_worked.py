"""The worked example: twelve leads that meet every rule of the definitions once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent / "worked_example"
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))

NUMBERS = [
    "entered", "converted", "lost", "open", "conversion", "low", "high", "projected",
    "projected_low", "projected_high", "hours_mean", "hours_median", "hours_p90",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(read_report):
    return read_report(HERE / "params.yaml")


@pytest.fixture(scope="module")
def found(made):
    return {(row.metric, row.bucket, row.by, row.name): row for row in made.all_rows().itertuples()}


def test_the_example_holds_what_it_is_known_to_hold():
    assert len(EXPECTED["metrics"]) == 330


@pytest.mark.parametrize("metric", dict.fromkeys(row["metric"] for row in EXPECTED["metrics"]))
def test_every_value_of_the_worked_example(found, metric):
    for want in (row for row in EXPECTED["metrics"] if row["metric"] == metric):
        by, name = next(iter((want["segment"] or {}).items()), ("", ""))
        row = found[metric, want["bucket"], by, name]
        got = [row.value, row.n, row.low, row.high]
        wanted = [np.nan if want[k] is None else want[k] for k in ("value", "n", "low", "high")]
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=f"{want}")


@pytest.mark.parametrize(
    "step", dict.fromkeys((row["from"], row["to"]) for row in EXPECTED["funnel"]), ids="-".join
)
def test_every_step_of_the_funnel_of_the_worked_example(made, step):
    rows = made.funnel.set_index(["from", "to", "bucket", "by", "name"])
    for want in (row for row in EXPECTED["funnel"] if (row["from"], row["to"]) == step):
        by, name = next(iter((want["segment"] or {}).items()), ("", ""))
        row = rows.loc[(*step, want["bucket"], by, name)]
        wanted = [np.nan if want[k] is None else want[k] for k in NUMBERS]
        got = row[NUMBERS].to_numpy(dtype=float)
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=f"{want}")
        assert set(row["flags"]) == set(want["flags"]), want


def test_lag_and_maturity(made):
    assert made.lag == EXPECTED["lag_days_used"] == 30
    assert made.maturity.days == EXPECTED["maturity_days"] == 19
    assert made.maturity.horizon_days == EXPECTED["horizon_days"]


def test_the_business_clock_over_a_weekend(made):
    # L03 entered on Friday 16:00 and was decided on Monday 16:00; L04 from Thursday 12:00 to
    # midnight: 8 and 5 working hours, 72 and 12 on the calendar.
    business = made.again(sla_clock="business", work_week="Mon-Fri 09:00-17:00")
    assert made.value("hours_in_stage_mean", "2026-01", source="Event") == 42
    assert business.value("hours_in_stage_mean", "2026-01", source="Event") == 6.5
