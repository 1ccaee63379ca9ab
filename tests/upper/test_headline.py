"""The headline figures: which there are, what they say, and their verdicts."""

from __future__ import annotations

import pytest
from frames import plain, row, rows, totals

from mqlkit.headline import headline
from mqlkit.params import ReportParams

BASE = {
    "mqls": 100,
    "efficiency": {"value": 0.25, "n": 100, "low": 0.175, "high": 0.343},
    "hours_in_stage_mean": {"value": 20, "n": 90},
    "sla_breached": 0,
    "sla_attainment": {"value": 1, "n": 90, "low": 0.96, "high": 1},
}
SPENT = {"spend": 9_000, "cost_per_mql": 90, "wasted_cost": 0}


def figures(frame, *, currency="EUR", **params):
    """Return the figures as text: value, context, verdict and tone by name."""
    given = ReportParams.from_mapping(params)
    return {
        f.name: (f.value, plain(f.context), f.verdict.text, f.verdict.tone)
        for f in headline(frame, given, currency=currency)
    }


def figure(name, changes, **params):
    return figures(totals(**{**BASE, **changes}), **params)[name]


def test_all_figures_in_their_order():
    assert list(figures(totals(**BASE, **SPENT))) == [
        "MQLs", "MQL → SQL", "Mean wait", "SLA attainment", "Cost per MQL", "Wasted on late leads",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        ({"hours_in_stage_mean": {"value": None, "n": 0}}, {"Mean wait"}),
        ({"sla_attainment": {"value": None, "n": 0}}, {"SLA attainment"}),
        ({"sla_attainment": None, "sla_breached": None}, {"SLA attainment"}),
        ({"cost_per_mql": None, "wasted_cost": None}, {"Cost per MQL", "Wasted on late leads"}),
        ({"wasted_cost": None}, {"Wasted on late leads"}),
    ],
    ids=["nobody left", "nothing due", "no SLA recorded", "no spend", "no SLA to waste by"],
)
def test_a_number_that_is_null_has_no_figure(missing, gone):
    whole = figures(totals(**BASE, **SPENT))
    part = figures(totals(**{**BASE, **SPENT, **missing}))
    assert set(whole) - set(part) == gone


def test_without_spend_there_are_no_rows_of_cost_and_no_figures():
    assert list(figures(totals(**BASE), currency="")) == [
        "MQLs", "MQL → SQL", "Mean wait", "SLA attainment",
    ]  # fmt: skip


def open_now(**values):
    return {name: {"value": v, "flags": ["in-progress"]} for name, v in values.items()}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        pytest.param({}, ("100", "no goal given", "Goal not known", "plain"), id="no goal"),
        pytest.param({"goal": 101}, ("100", "99.0% of 101", "1 too few", "bad"), id="missed"),
        pytest.param({"goal": 100}, ("100", "100.0% of 100", "Enough", "good"), id="exact"),
        pytest.param({"goal": 99}, ("100", "101.0% of 99", "Enough", "good"), id="exceeded"),
        pytest.param(
            {"mqls": 1234, "goal": 2468},
            ("1,234", "50.0% of 2,468", "1,234 too few", "bad"),
            id="thousands",
        ),
        pytest.param(
            open_now(mqls=40, goal=100, goal_to_date=40.5, needed_per_day=2),
            ("40", "40.0% of 100", "Behind the pace", "bad"),
            id="in progress, behind",
        ),
        pytest.param(
            open_now(mqls=40, goal=100, goal_to_date=40, needed_per_day=2),
            ("40", "40.0% of 100", "On pace", "good"),
            id="in progress, on pace",
        ),
    ],
)
def test_volume(changes, shown):
    assert figure("MQLs", changes) == shown


def test_a_goal_of_nothing_is_no_error():
    # A month in which no MQL was planned; 0 / 0 is not a share.
    value, _, verdict, tone = figure("MQLs", {"goal": 0})
    assert (value, verdict, tone) == ("100", "Enough", "good")


@pytest.mark.parametrize(
    ("cell", "young", "shown"),
    [
        pytest.param(
            {"value": 0.25, "n": 30, "low": 0.1268, "high": 0.4336},
            False,
            ("25.0%", "95% interval 12.7–43.4%", "Mature", "plain"),
            id="thirty",
        ),
        pytest.param(
            {"value": 0.25, "n": 29, "low": 0.1268, "high": 0.4336},
            True,
            ("25.0%", "95% interval 12.7–43.4%", "Too few to judge", "plain"),
            id="twenty-nine",
        ),
        pytest.param(
            {"value": 0.25, "n": 30, "low": 0.1268, "high": 0.4336},
            True,
            ("25.0%", "95% interval 12.7–43.4%", "Will still rise", "plain"),
            id="young",
        ),
        pytest.param(
            {"value": None, "n": 0},
            False,
            ("–", "no MQL to count", "Too few to judge", "plain"),
            id="none",
        ),
    ],
)
def test_efficiency(cell, young, shown):
    flags = ["immature"] if young else []
    bucket = row("efficiency", 0.2, bucket="2026-03", n=40, flags=flags)
    frame = rows(totals(**{**BASE, "efficiency": cell}), bucket)
    assert figures(frame)["MQL → SQL"] == shown


@pytest.mark.parametrize(
    ("cell", "params", "shown"),
    [
        pytest.param(
            {"value": 48, "n": 30},
            {"sla": "48h"},
            ("2.0 d", "of 30 leads that left", "Within the SLA of 48 hours", "good"),
            id="the SLA itself",
        ),
        pytest.param(
            {"value": 48.1, "n": 30},
            {"sla": "2d"},
            ("2.0 d", "of 30 leads that left", "Over the SLA of 2 days", "bad"),
            id="over",
        ),
        pytest.param(
            {"value": 47.9, "n": 29},
            {"sla": "2d"},
            ("47.9 h", "of 29 leads that left", "Too few to judge", "plain"),
            id="few",
        ),
        pytest.param(
            {"value": 0.5, "n": 1},
            {"sla": "2d"},
            ("30 min", "of 1 lead that left", "Too few to judge", "plain"),
            id="one",
        ),
    ],
)
def test_velocity(cell, params, shown):
    assert figure("Mean wait", {"hours_in_stage_mean": cell}, **params) == shown


def test_a_wait_in_working_days_is_called_so():
    changes = {"hours_in_stage_mean": {"value": 20, "n": 40}}
    shown = " ".join(figure("Mean wait", changes, sla="2d", sla_clock="business")[:3])
    assert "2.5" in shown
    assert "working" in shown


def test_the_wait_for_a_decision_is_not_held_against_an_sla_on_contact():
    params = {"sla": "1h", "sla_stops_on": "contact"}
    _, _, verdict, tone = figure("Mean wait", {}, **params)
    assert "SLA" not in verdict
    assert tone == "plain"


@pytest.mark.parametrize(
    ("late", "shown"),
    [
        (0, ("100.0%", "95% interval 96.0–100.0%", "SLA kept", "good")),
        (1, ("100.0%", "95% interval 96.0–100.0%", "1 lead late", "bad")),
        (1200, ("100.0%", "95% interval 96.0–100.0%", "1,200 leads late", "bad")),
    ],
)
def test_sla(late, shown):
    assert figure("SLA attainment", {"sla_breached": late}) == shown


@pytest.mark.parametrize(
    ("currency", "value", "context"),
    [("EUR", "€90", "€9,000 spent"), ("SEK", "90 SEK", "9,000 SEK spent")],
)
def test_cost(currency, value, context):
    shown = figures(totals(**BASE, **SPENT), currency=currency)["Cost per MQL"]
    assert shown == (value, context, "An average, for trends", "plain")


@pytest.mark.parametrize(
    ("late", "wasted", "shown"),
    [
        (0, 0, ("€0", "0 late leads × cost", "None", "good")),
        (1, 90, ("€90", "1 late lead × cost", "1.0% of spend", "bad")),
    ],
)
def test_waste(late, wasted, shown):
    changes = {**SPENT, "sla_breached": late, "wasted_cost": wasted}
    assert figure("Wasted on late leads", changes) == shown
