"""The headline figures: which there are, what they say, and their verdicts."""

from __future__ import annotations

import math
import re

import pytest
from frames import headline_frame, plain, row, rows, totals

from mqlkit.core.params import ReportParams
from mqlkit.metrics.changes import changes
from mqlkit.views.headline import AT_COST, ENOUGH, IN_TIME, headline
from mqlkit.views.sparkline import Spark, drawn_spark

BASE = {
    "mqls": 100,
    "efficiency": {"value": 0.25, "n": 100, "low": 0.175, "high": 0.343},
    "hours_in_stage_mean": {"value": 20, "n": 90},
    "hours_in_stage_km_median": {"value": 22, "n": 100},
    "sla_breached": 0,
    "sla_attainment": {"value": 1, "n": 90, "low": 0.96, "high": 1},
}
SPENT = {"spend": 9_000, "cost_per_mql": 90, "wasted_cost": 0}


def figures(frame, *, currency="EUR", **params):
    """Return the figures as text: value, context, verdict and tone by name."""
    given = ReportParams.from_mapping(params)
    return {
        f.name: (f.value, plain(f.context), f.verdict.text, f.verdict.tone)
        for f in headline(headline_frame(frame, params=given, currency=currency))
    }


def figure(name, changes, **params):
    chance = changes.get("mqls_range")
    cells = {metric: cell for metric, cell in changes.items() if metric != "mqls_range"}
    frame = totals(**{**BASE, **cells})
    if chance:
        ends = row("mqls", None, low=chance[0], high=chance[1]).assign(metric="mqls_range")
        frame = rows(frame, ends)
    return figures(frame, **params)[name]


def test_all_figures_in_their_order():
    assert list(figures(totals(**BASE, **SPENT))) == [
        "MQLs", "MQL→SQL conversion", "Median time in stage", "SLA attainment", "Cost per MQL",
        "Wasted on breaches",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        ({"hours_in_stage_km_median": {"value": None, "n": 0}}, {"Median time in stage"}),
        ({"sla_attainment": {"value": None, "n": 0}}, {"SLA attainment"}),
        ({"sla_attainment": None, "sla_breached": None}, {"SLA attainment"}),
        ({"cost_per_mql": None, "wasted_cost": None}, {"Cost per MQL", "Wasted on breaches"}),
        ({"wasted_cost": None}, {"Wasted on breaches"}),
        ({"efficiency": {"value": None, "flags": ["not-recorded"]}}, {"MQL→SQL conversion"}),
    ],
    ids=[
        "no MQL in order",
        "nothing due",
        "no SLA recorded",
        "no spend",
        "no SLA to waste by",
        "no SQL recorded",
    ],
)  # fmt: skip
def test_a_number_that_is_null_has_no_figure(missing, gone):
    whole = figures(totals(**BASE, **SPENT))
    part = figures(totals(**{**BASE, **SPENT, **missing}))
    assert set(whole) - set(part) == gone


def test_without_spend_there_are_no_rows_of_cost_and_no_figures():
    assert list(figures(totals(**BASE), currency="")) == [
        "MQLs", "MQL→SQL conversion", "Median time in stage", "SLA attainment",
    ]  # fmt: skip


def open_now(chance, **values):
    """Return numbers of a period in progress, and what chance could make of its MQLs."""
    cells = {name: {"value": v, "flags": ["in-progress"]} for name, v in values.items()}
    return {**cells, "mqls_range": chance}


def against(mqls, goal):
    return {
        "mqls": mqls, "goal": goal, "goal_gap": mqls - goal,
        "goal_attainment": mqls / goal if goal else None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        pytest.param(
            {}, ("100", "no goal is set", "No goal for the period", "plain"), id="no goal"
        ),
        pytest.param(against(100, 101), ("100", "99.0% of 101", "1 too few", "bad"), id="missed"),
        pytest.param(against(100, 100), ("100", "100.0% of 100", "Enough", "good"), id="exact"),
        pytest.param(against(100, 99), ("100", "101.0% of 99", "Enough", "good"), id="exceeded"),
        pytest.param(
            against(1234, 2468),
            ("1,234", "50.0% of 2,468", "1,234 too few", "bad"),
            id="thousands",
        ),
        pytest.param(
            open_now((29, 40.4), mqls=40, goal=100, goal_to_date=40.5, needed_per_day=2),
            ("40", "40.0% of 100", "Behind pace", "bad"),
            id="in progress, behind",
        ),
        pytest.param(
            open_now((29, 54), mqls=40, goal=100, goal_to_date=40.5, needed_per_day=2),
            ("40", "40.0% of 100", "On pace, within chance", "plain"),
            id="in progress, within chance",
        ),
        pytest.param(
            open_now((40.6, 66), mqls=52, goal=100, goal_to_date=40.5, needed_per_day=2),
            ("52", "52.0% of 100", "Ahead of pace", "good"),
            id="in progress, ahead",
        ),
        pytest.param(
            open_now((80, 120), mqls=100, goal=100, goal_to_date=40, needed_per_day=0),
            ("100", "100.0% of 100", "Goal reached", "good"),
            id="in progress, reached",
        ),
    ],
)
def test_volume(changes, shown):
    assert figure("MQLs", changes) == shown


def test_a_goal_met_for_the_period_does_not_hide_the_latest_month():
    months = (("2026-01", 150, 100), ("2026-02", 99, 100))
    parts = [
        row(metric, value, bucket=bucket)
        for bucket, mqls, goal in months
        for metric, value in against(mqls, goal).items()
    ]
    ranges = [row("mqls", None, bucket=bucket, low=0, high=999) for bucket, *_ in months]
    ranges = [part.assign(metric="mqls_range") for part in ranges]
    frame = rows(totals(**{**BASE, **against(249, 200)}), *parts, *ranges)
    shown = ("249", "124.5% of 200", "Below the goal in Feb 2026", "plain")
    assert figures(frame)["MQLs"] == shown


def test_a_goal_of_nothing_is_no_error():
    # A month in which no MQL was planned; 0 / 0 is not a share.
    value, _, verdict, tone = figure("MQLs", against(100, 0))
    assert (value, verdict, tone) == ("100", "Enough", "good")


@pytest.mark.parametrize(
    ("cell", "young", "shown"),
    [
        pytest.param(
            {"value": 0.25, "n": 30, "low": 0.1268, "high": 0.4336},
            False,
            ("25.0%", "12.7–43.4% with 95% confidence", "Mature", "plain"),
            id="thirty",
        ),
        pytest.param(
            {"value": 0.25, "n": 29, "low": 0.1268, "high": 0.4336},
            True,
            ("25.0%", "12.7–43.4% with 95% confidence", "Too few to judge", "plain"),
            id="twenty-nine",
        ),
        pytest.param(
            {"value": 0.25, "n": 30, "low": 0.1268, "high": 0.4336},
            True,
            ("25.0%", "12.7–43.4% with 95% confidence", "Can still rise", "plain"),
            id="young",
        ),
        pytest.param(
            {"value": None, "n": 0},
            False,
            ("Not known yet", "no MQLs", "Too few to judge", "plain"),
            id="none",
        ),
    ],
)
def test_efficiency(cell, young, shown):
    flags = ["immature"] if young else []
    bucket = row("efficiency", 0.2, bucket="2026-03", n=40, flags=flags)
    frame = rows(totals(**{**BASE, "mqls": cell["n"], "efficiency": cell}), bucket)
    assert figures(frame)["MQL→SQL conversion"] == shown


@pytest.mark.parametrize(
    ("median", "mean", "shown"),
    [
        pytest.param(
            {"value": 48, "n": 30},
            {"value": 20, "n": 28},
            ("2.0 d", "28 MQLs left; mean 20.0 h", "Open MQLs included", "plain"),
            id="the mean of those that left is lower",
        ),
        pytest.param(
            {"value": None, "n": 40},
            {"value": 20, "n": 19},
            ("Not reached", "19 MQLs left; mean 20.0 h", "Open MQLs included", "plain"),
            id="not half have left",
        ),
        pytest.param(
            {"value": 47.9, "n": 29},
            {"value": 47.9, "n": 29},
            ("47.9 h", "29 MQLs left; mean 47.9 h", "Too few to judge", "plain"),
            id="few",
        ),
        pytest.param(
            {"value": None, "n": 1},
            {"value": None, "n": 0},
            ("Not reached", "0 MQLs left", "Too few to judge", "plain"),
            id="one, still open",
        ),
    ],
)
def test_velocity(median, mean, shown):
    cells = {"hours_in_stage_km_median": median, "hours_in_stage_mean": mean}
    assert figure("Median time in stage", cells) == shown


def test_a_wait_in_working_days_is_called_so():
    changes = {"hours_in_stage_km_median": {"value": 20, "n": 40}}
    name = "Median working time in stage"
    assert figure(name, changes, sla="2d", sla_clock="business")[0] == "2.5 d"


def test_the_wait_for_a_decision_is_not_held_against_an_sla_on_contact():
    params = {"sla": "1h", "sla_stops_on": "contact"}
    _, _, verdict, tone = figure("Median time in stage", {}, **params)
    assert "SLA" not in verdict
    assert tone == "plain"


@pytest.mark.parametrize(
    ("late", "shown"),
    [
        (0, ("100.0%", "96.0–100.0% with 95% confidence", "SLA met", "good")),
        (1, ("100.0%", "96.0–100.0% with 95% confidence", "1 SLA breach", "plain")),
        (4, ("100.0%", "96.0–100.0% with 95% confidence", "4 SLA breaches", "plain")),
        (5, ("100.0%", "96.0–100.0% with 95% confidence", "5 SLA breaches", "bad")),
        (1200, ("100.0%", "96.0–100.0% with 95% confidence", "1,200 SLA breaches", "bad")),
    ],
)
def test_sla(late, shown):
    assert figure("SLA attainment", {"sla_breached": late}) == shown


@pytest.mark.parametrize(
    ("currency", "value", "context"),
    [("EUR", "€90", "€9,000 over 100 MQLs"), ("SEK", "90 SEK", "9,000 SEK over 100 MQLs")],
)
def test_cost(currency, value, context):
    shown = figures(totals(**BASE, **SPENT), currency=currency)["Cost per MQL"]
    assert shown == (value, context, "An average, for trends", "plain")


@pytest.mark.parametrize(
    ("late", "wasted", "shown"),
    [
        (0, 0, ("€0", "0 SLA breaches × cost", "None", "good")),
        (1, 90, ("€90", "1 SLA breach × cost", "1.0% of spend", "plain")),
        (5, 450, ("€450", "5 SLA breaches × cost", "5.0% of spend", "bad")),
    ],
)
def test_waste(late, wasted, shown):
    changes = {**SPENT, "sla_breached": late, "wasted_cost": wasted}
    assert figure("Wasted on breaches", changes) == shown


# --- the buckets behind a figure -----------------------------------------------------------------

MONTHS = ("2026-01", "2026-02")


def monthly(metric, *values, **options):
    return [row(metric, v, bucket=b, **options) for b, v in zip(MONTHS, values, strict=True)]


def card(name, *parts, **params):
    """Return one figure with its change and its picture."""
    frame = rows(totals(**BASE, **SPENT), *parts)
    given = ReportParams.from_mapping(params)
    found = headline(headline_frame(frame, params=given, currency="EUR", changes=changes(frame)))
    return next(f for f in found if f.name == name)


def test_each_figure_answers_one_of_the_three_questions():
    found = headline(headline_frame(totals(**BASE, **SPENT), params=ReportParams(), currency="EUR"))
    assert [f.question for f in found] == [ENOUGH, IN_TIME, IN_TIME, IN_TIME, AT_COST, AT_COST]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((100, 104), "Feb 2026: 104, no clear change from Jan 2026 (−24 to +32)"),
        ((100, 200), "Feb 2026: 200, up by 100 from Jan 2026"),
        ((200, 100), "Feb 2026: 100, down by 100 from Jan 2026"),
    ],
)
def test_a_figure_tells_its_last_bucket_beside_the_one_before(values, said):
    assert card("MQLs", *monthly("mqls", *values)).change == said


def test_what_is_not_to_be_compared_is_not():
    parts = [
        *monthly("mqls", 100, 100),
        row("efficiency", 0.4, bucket="2026-01", n=100, low=0.31, high=0.5),
        row("efficiency", 0.1, bucket="2026-02", n=100, low=0.06, high=0.17, flags=["immature"]),
    ]
    figure = card("MQL→SQL conversion", *parts)
    assert figure.change == "Feb 2026: 10.0% (immature)"
    assert figure.spark.is_open


def test_a_median_wait_has_no_interval_and_is_told_without_a_judgement():
    parts = [*monthly("mqls", 100, 100), *monthly("hours_in_stage_km_median", 20, 30, n=90)]
    figure = card("Median time in stage", *parts, sla="48h")
    assert figure.change == "Feb 2026: 30.0 h, after 20.0 h in Jan 2026"
    assert figure.spark.against == (48, 48)


def test_the_picture_has_the_buckets_and_the_goal_and_says_so():
    figure = card("MQLs", *monthly("mqls", 90, 110), *monthly("goal", 100, None))
    assert figure.spark.values == (90, 110)
    assert figure.spark.against[0] == 100
    assert figure.spark.words == "MQLs, Jan 2026 to Feb 2026: 90 to 110, latest 110"
    drawn = drawn_spark(figure.spark)
    assert 'aria-label="MQLs, Jan 2026 to Feb 2026: 90 to 110, latest 110"' in drawn
    assert "nan" not in drawn


def test_one_bucket_is_no_picture_and_no_change():
    figure = card("MQLs", row("mqls", 100, bucket="2026-01"))
    assert drawn_spark(figure.spark) == ""
    assert figure.change == ""


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ((1, 2, math.nan, 4, 5), ["4.0,24.0 32.0,19.0", "88.0,9.0 116.0,4.0"]),
        ((0, 0, 0), ["4.0,14.0 60.0,14.0 116.0,14.0"]),
    ],
    ids=["a gap", "all zero"],
)
def test_a_line_is_broken_where_nothing_is_known(values, lines):
    drawn = drawn_spark(Spark(values, (), "x"))
    assert re.findall(r'mk-line" points="([^"]+)"', drawn) == lines
