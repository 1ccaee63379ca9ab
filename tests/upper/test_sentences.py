"""Every verdict, whole, on both sides of each threshold."""

from __future__ import annotations

from collections import Counter

import pytest
from frames import of, plain, row, rows, terms, totals

from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams
from mqlkit.metrics.data_quality import data_quality
from mqlkit.sources.ledger import Ledger
from mqlkit.views import verdicts
from mqlkit.views.verdicts.response import REFERENCE

SMALL = "Based on only {}: do not rank or plan by it."


def said(verdict):
    return plain(verdict.text), verdict.tone


def running(mqls, goal, *, to_date, needed, chance):
    """Return a period that is not over, and what chance could make of its MQLs."""
    flags = ["in-progress"]
    return rows(
        totals(
            mqls={"value": mqls, "flags": flags},
            goal={"value": goal, "flags": flags},
            goal_to_date={"value": to_date, "flags": flags},
            needed_per_day={"value": needed, "flags": flags},
        ),
        chance_of(TOTAL, *chance),
    )


def chance_of(bucket, low, high):
    """Return the row of the series mqls_range."""
    return row("mqls", None, bucket=bucket, low=low, high=high).assign(metric="mqls_range")


def over(mqls, goal):
    """Return a period that is over."""
    return totals(mqls=mqls, goal=goal, goal_gap=mqls - goal, goal_attainment=mqls / goal)


def months(*pairs, chance=(0, 1000)):
    """Return MQLs and goals of months, and of the period."""
    parts = []
    for month, (mqls, goal) in zip(("2026-01", "2026-02", "2026-03"), pairs, strict=False):
        found = {
            "mqls": mqls,
            "goal": goal,
            "goal_gap": mqls - goal,
            "goal_attainment": mqls / goal,
        }
        parts += [row(metric, value, bucket=month) for metric, value in found.items()]
        parts.append(chance_of(month, *chance))
    return rows(*parts, over(sum(m for m, _ in pairs), sum(g for _, g in pairs)))


@pytest.mark.parametrize(
    ("frame", "text", "tone"),
    [
        pytest.param(
            totals(mqls=120),
            "120 MQLs in the period. No goal is set.",
            "plain",
            id="no goals at all",
        ),
        pytest.param(
            totals(mqls=1, goal=None),
            "1 MQL in the period. No goal is set.",
            "plain",
            id="no goal for these leads",
        ),
        pytest.param(
            rows(totals(mqls=5, goal=None), row("goal", 3, bucket="2026-01")),
            "5 MQLs in the period. The goals do not cover the whole period.",
            "plain",
            id="a month without a goal",
        ),
        pytest.param(
            over(1099, 1100),
            "1,099 MQLs: 1 short of the goal of 1,100 (99.9%). Marketing must produce more.",
            "bad",
            id="missed by one",
        ),
        pytest.param(
            rows(over(1099, 1100), chance_of("total", 1035, 1166)),
            "1,099 MQLs: 1 short of the goal of 1,100 (99.9%). Marketing must produce more. A gap "
            "of this size is within chance.",
            "plain",
            id="missed within chance",
        ),
        pytest.param(
            rows(over(900, 1100), chance_of("total", 843, 961)),
            "900 MQLs: 200 short of the goal of 1,100 (81.8%). Marketing must produce more.",
            "bad",
            id="missed by more than chance",
        ),
        pytest.param(
            over(1100, 1100),
            "1,100 MQLs: exactly the goal. Marketing produces enough; the same number is enough.",
            "good",
            id="exact",
        ),
        pytest.param(
            over(1101, 1100),
            "1,101 MQLs: 1 more than the goal of 1,100. Marketing produces enough; fewer would "
            "have been enough.",
            "good",
            id="exceeded by one",
        ),
        pytest.param(
            over(0, 30),
            "0 MQLs: 30 short of the goal of 30 (0.0%). Marketing must produce more.",
            "bad",
            id="none",
        ),
        pytest.param(
            over(2, 3),
            "2 MQLs: 1 short of the goal of 3 (66.7%). Marketing must produce more.",
            "plain",
            id="a goal too small for an alarm",
        ),
        pytest.param(
            totals(mqls={"value": 58, "flags": ["in-progress"]}),
            "58 MQLs in the period so far. No goal is set.",
            "plain",
            id="no goal, in progress",
        ),
        pytest.param(
            running(49, 100, to_date=50.3, needed=2.5, chance=(37, 65)),
            "49 MQLs so far, and 50.3 at an even pace: the difference is within chance. The goal "
            "of 100 needs 2.5 a day from now on.",
            "plain",
            id="in progress, behind within chance",
        ),
        pytest.param(
            running(37, 100, to_date=50.3, needed=2.5, chance=(27, 50.2)),
            "37 MQLs so far, behind the even pace of 50.3 by now. "
            "The goal of 100 needs 2.5 a day from now on.",
            "bad",
            id="in progress, clearly behind",
        ),
        pytest.param(
            running(70, 100, to_date=50.3, needed=2.5, chance=(50.4, 88)),
            "70 MQLs so far, ahead of the even pace of 50.3 by now. "
            "The goal of 100 needs 2.5 a day from now on.",
            "good",
            id="in progress, clearly ahead",
        ),
        pytest.param(
            running(99, 100, to_date=50, needed=0.05, chance=(80, 120)),
            "99 MQLs so far, ahead of the even pace of 50 by now. "
            "The goal of 100 needs 0.1 a day from now on.",
            "good",
            id="in progress, one short of the goal",
        ),
        pytest.param(
            running(100, 100, to_date=50, needed=0, chance=(80, 120)),
            "100 MQLs so far: the goal of 100 is reached.",
            "good",
            id="in progress, reached",
        ),
        pytest.param(
            months((150, 100), (99, 100)),
            "249 MQLs: 49 more than the goal of 200. Marketing produces enough; fewer would have "
            "been enough. Feb 2026, the latest complete month: 99 MQLs against a goal of 100 "
            "(99.0%). For the period the goal is met, but not in the latest complete month.",
            "plain",
            id="the latest month is short within chance",
        ),
        pytest.param(
            months((150, 100), (99, 100), chance=(0, 99.9)),
            "249 MQLs: 49 more than the goal of 200. Marketing produces enough; fewer would have "
            "been enough. Feb 2026, the latest complete month: 99 MQLs against a goal of 100 "
            "(99.0%). For the period the goal is met, but not in the latest complete month.",
            "bad",
            id="the latest month is clearly short",
        ),
        pytest.param(
            months((99, 100), (99, 100), (99, 100)),
            "297 MQLs: 3 short of the goal of 300 (99.0%). Marketing must produce more. Mar 2026, "
            "the latest complete month: 99 MQLs against a goal of 100 (99.0%). Each of the last 3 "
            "complete months was below its goal.",
            "bad",
            id="three months in a row",
        ),
        pytest.param(
            months((50, 100), (100, 100)),
            "150 MQLs: 50 short of the goal of 200 (75.0%). Marketing must produce more. Feb 2026, "
            "the latest complete month: 100 MQLs against a goal of 100 (100.0%). For the period "
            "the goal is missed, but not in the latest complete month.",
            "bad",
            id="the latest month meets its goal",
        ),
    ],
)
def test_volume(frame, text, tone):
    assert said(verdicts.volume.goal(frame)) == (text, tone)


@pytest.mark.parametrize("goal", [100.3, 99.7])
def test_a_goal_with_a_fraction_is_never_missed_or_passed_by_nothing(goal):
    # Weeks share a month's goal by the day, so that goals have fractions.
    text = verdicts.volume.goal(over(100, goal)).text
    assert "0 short" not in text
    assert "0 more" not in text


def lacking(*metrics, missing):
    """Return a frame of metrics whose stage is not recorded."""
    cells = {metric: {"value": None, "flags": ["not-recorded"]} for metric in metrics}
    return of(totals(**cells), missing=missing)


def handed(accepted, rejected, undecided, **interval):
    n = accepted + rejected
    rate = {"value": accepted / n if n else None, "n": n, **interval}
    return totals(accepted=accepted, rejected=rejected, undecided=undecided, acceptance_rate=rate)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        pytest.param(
            lacking("accepted", missing="accepted_at or rejected_at"),
            "The data has no accepted_at or rejected_at, so there is no acceptance rate. A lead "
            "leaves the MQL stage when it becomes an SQL.",
            id="not recorded",
        ),
        pytest.param(
            of(lacking("accepted", missing="accepted_at or rejected_at"), is_sql_recorded=False),
            "The data has no accepted_at or rejected_at, so there is no acceptance rate.",
            id="no SQL recorded either",
        ),
        pytest.param(
            handed(0, 0, 7), "Sales has not decided on any of the MQLs yet.", id="none decided"
        ),
        pytest.param(
            handed(20, 10, 1, low=0.488, high=0.808),
            "Sales accepted 20 MQLs (SAL) and rejected 10: an acceptance rate of 66.7% "
            "(48.8–80.8%). 1 MQL is undecided.",
            id="thirty decided, one undecided",
        ),
        pytest.param(
            handed(20, 9, 0, low=0.5077, high=0.8272),
            "Sales accepted 20 MQLs (SAL) and rejected 9: an acceptance rate of 69.0% "
            "(50.8–82.7%). 0 MQLs are undecided. " + SMALL.format("29 leads"),
            id="twenty-nine decided",
        ),
        pytest.param(
            handed(1, 0, 2, low=0.2065, high=1.0),
            "Sales accepted 1 MQL (SAL) and rejected 0: an acceptance rate of 100.0% "
            "(20.6–100.0%). 2 MQLs are undecided. " + SMALL.format("1 lead"),
            id="one decided",
        ),
    ],
)
def test_hand_off(frame, text):
    assert said(verdicts.handoff.acceptance(frame)) == (text, "plain")


def converted(share, n, *young, low=0.1, high=0.3, projected=(None, None, None)):
    """Return the conversion of a quarter, with the immature buckets."""
    parts = [
        row("efficiency", share, bucket=b, n=n, low=low, high=high,
            flags=["immature"] if b in young else [])
        for b in ("2026-01", "2026-02", "2026-03")
    ]  # fmt: skip
    flags = ["immature"] if young else []
    whole = row("efficiency", share, n=n, low=low, high=high, flags=flags)
    value, *ends = projected
    future = row("efficiency_projected", value, n=n, low=ends[0], high=ends[1])
    return rows(*parts, whole, future)


LAST = "{}, the latest mature month: {}."


@pytest.mark.parametrize(
    ("frame", "given", "text"),
    [
        pytest.param(
            lacking("efficiency", missing="sql_at"),
            {},
            "The data has no sql_at, so there is no MQL→SQL conversion rate.",
            id="not recorded",
        ),
        pytest.param(
            totals(mqls=0, efficiency={"value": None, "n": 0}),
            {"within_days": 2},
            "There are no MQLs to compute a conversion rate from.",
            id="no MQL",
        ),
        pytest.param(
            totals(mqls=9, efficiency={"value": None, "n": 0}),
            {"within_days": 2},
            "The 2 days of no MQL are over yet, so there is no conversion rate.",
            id="too early",
        ),
        pytest.param(
            totals(efficiency={"value": 0.2, "n": 30, "low": 0.095, "high": 0.3731}),
            {},
            "20.0% of 30 MQLs became SQLs (9.5–37.3%), or one in 5.0.",
            id="mature, just enough leads",
        ),
        pytest.param(
            totals(efficiency={"value": 0.2, "n": 25, "low": 0.0886, "high": 0.3913}),
            {},
            "20.0% of 25 MQLs became SQLs (8.9–39.1%), or one in 5.0. " + SMALL.format("25 leads"),
            id="few leads",
        ),
        pytest.param(
            totals(efficiency={"value": 0, "n": 1200, "low": 0.0, "high": 0.0032}),
            {},
            "None of 1,200 MQLs became an SQL (0.0–0.3%).",
            id="no SQL",
        ),
        pytest.param(
            totals(
                efficiency={
                    "value": 0, "n": 1200, "low": 0.0, "high": 0.0032, "flags": ["in-progress"]
                }
            ),
            {},
            "None of 1,200 MQLs became an SQL so far (0.0–0.3%).",
            id="no SQL so far",
        ),
        pytest.param(
            totals(efficiency={"value": 0, "n": 60, "low": 0.0, "high": 0.0602}),
            {"within_days": 2},
            "None of 60 MQLs became an SQL within 2 days (0.0–6.0%).",
            id="none within two days",
        ),
        pytest.param(
            converted(0.25, 400, "2026-03", low=0.2101, high=0.2946),
            {"maturity_days": 16.2},
            "25.0% of 400 MQLs became SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 17 days: Mar 2026 is immature, and its rate can still rise. "
            + LAST.format("Feb 2026", "25.0% of 400 (21.0–29.5%)"),
            id="one young month",
        ),
        pytest.param(
            converted(0.25, 400, "2026-03", low=0.2101, high=0.2946),
            {"maturity_days": 30, "within_days": 30},
            "25.0% of 400 MQLs became SQLs within 30 days (21.0–29.5%), or one in 4.0. In Mar "
            "2026, the 30 days of some MQLs are not over yet, and the rate can still change. Feb "
            "2026, the latest mature month: 25.0% of 400 within 30 days (21.0–29.5%).",
            id="within days, one young month",
        ),
        pytest.param(
            totals(mqls=17, efficiency={"value": 0, "n": 1, "low": 0.0, "high": 0.7934}),
            {"within_days": 7},
            "The only MQL whose 7 days are over did not become an SQL within 7 days (0.0–79.3%). "
            + SMALL.format("1 lead"),
            id="the days of the other MQLs are not over",
        ),
        pytest.param(
            totals(mqls=60, efficiency={"value": 0.2, "n": 40, "low": 0.105, "high": 0.3476}),
            {"within_days": 1},
            "20.0% of 40 MQLs whose 1 day is over became SQLs within 1 day (10.5–34.8%), or one in "
            "5.0.",
            id="the one day of some MQLs is not over",
        ),
        pytest.param(
            totals(mqls=9, efficiency={"value": None, "n": 0}),
            {"within_days": 1},
            "The 1 day of no MQL is over yet, so there is no conversion rate.",
            id="too early for one day",
        ),
        pytest.param(
            converted(1.0, 40, "2026-01", "2026-02", "2026-03", low=0.9124, high=1.0),
            {"is_rising": True, "horizon_days": 4.0},
            "All of 40 MQLs became SQLs (91.2–100.0%).",
            id="nothing can rise where all have converted",
        ),
        pytest.param(
            totals(efficiency={"value": 0, "n": 60, "low": 0.0, "high": 0.0602}),
            {"within_days": 0},
            "None of 60 MQLs became an SQL within 0 days (0.0–6.0%).",
            id="within no day",
        ),
        pytest.param(
            converted(0.25, 400, "2026-02", "2026-03", low=0.2101, high=0.2946),
            {"maturity_days": 16.2},
            "25.0% of 400 MQLs became SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 17 days: Feb 2026 and Mar 2026 are immature, and their rates "
            "can still rise. " + LAST.format("Jan 2026", "25.0% of 400 (21.0–29.5%)"),
            id="two young months",
        ),
        pytest.param(
            converted(
                0.25, 400, "2026-01", "2026-02", "2026-03", low=0.2101, high=0.2946,
                projected=(0.31, 0.27, 0.35),
            ),
            {"maturity_days": 16.2, "horizon_days": 44.7},
            "25.0% of 400 MQLs became SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 17 days: Jan 2026, Feb 2026 and Mar 2026 are immature, and "
            "their rates can still rise. If young cohorts go on as older ones did, 31.0% become "
            "SQLs within 45 days (95% prediction interval 27.0–35.0%).",
            id="all young, with a projection",
        ),
        pytest.param(
            converted(
                0.25, 400, "2026-01", "2026-02", "2026-03", low=0.2101, high=0.2946,
                projected=(0.25, 0.25, 0.25),
            ),
            {"maturity_days": 16.2, "horizon_days": 44.7, "is_rising": True},
            "25.0% of 400 MQLs became SQLs so far (21.0–29.5%), or one in 4.0. After 45 days, as "
            "far as the data shows, conversions are still coming: conversion takes longer than "
            "the data can show, and no month counts as mature.",
            id="longer than the data can show, nothing left to project",
        ),
    ],
)  # fmt: skip
def test_efficiency(frame, given, text):
    assert said(verdicts.efficiency.conversion(of(frame, **given))) == (text, "plain")


def kept(met, late, *, still_open=0, mean=None, median=None, low=0.1, high=0.9, bucket=TOTAL):
    n = met + late
    cells = {
        "sla_met": {"value": met},
        "sla_breached": {"value": late},
        "sla_past_due": {"value": still_open},
        "sla_pending": {"value": 0},
        "sla_attainment": {"value": met / n if n else None, "n": n, "low": low, "high": high},
        "hours_in_stage_mean": {"value": mean, "n": n - still_open},
        "hours_in_stage_km_median": {"value": median, "n": n},
    }
    return rows(*(row(metric, bucket=bucket, **of) for metric, of in cells.items()))


PACE = (
    "Sales takes {} on average against an SLA of {}, counting the {} that left the stage; with "
    "open MQLs included, the median is {}."
)


def chosen(**given):
    return ReportParams.from_mapping(given)


@pytest.mark.parametrize(
    ("frame", "params", "text", "tone"),
    [
        pytest.param(
            lacking("sla_attainment", missing="accepted_at, rejected_at or sql_at"),
            {"sla": "48h"},
            "The data has no accepted_at, rejected_at or sql_at, so the SLA cannot be measured.",
            "plain",
            id="not recorded",
        ),
        pytest.param(
            kept(0, 0),
            {"sla": "48h"},
            "No MQL has met or breached the SLA of 48 hours yet.",
            "plain",
            id="nothing measured",
        ),
        pytest.param(
            kept(40, 0, mean=20, median=18, low=0.9124, high=1),
            {"sla": "48h"},
            "Sales has 48 hours to decide on an MQL: 100.0% of 40 MQLs met the SLA (91.2–100.0%). "
            "No lead breached it. " + PACE.format("20.0 hours", "2 days", 40, "18.0 hours"),
            "good",
            id="kept",
        ),
        pytest.param(
            kept(29, 0, low=0.883, high=1),
            {"sla": "48h"},
            "Sales has 48 hours to decide on an MQL: 100.0% of 29 MQLs met the SLA (88.3–100.0%). "
            "No lead breached it. " + SMALL.format("29 leads"),
            "plain",
            id="kept, too few leads for praise",
        ),
        pytest.param(
            kept(36, 4, mean=48, median=30, low=0.769, high=0.9604),
            {"sla": "2d"},
            "Sales has 2 days to decide on an MQL: 90.0% of 40 MQLs met the SLA (76.9–96.0%). 4 "
            "leads breached it. " + PACE.format("2.0 days", "2 days", 40, "30.0 hours"),
            "plain",
            id="four breaches are a count",
        ),
        pytest.param(
            kept(35, 5, mean=48.1, median=30, low=0.7389, high=0.9454),
            {"sla": "2d"},
            "Sales has 2 days to decide on an MQL: 87.5% of 40 MQLs met the SLA (73.9–94.5%). 5 "
            "leads breached it. " + PACE.format("2.004 days", "2 days", 40, "30.0 hours"),
            "bad",
            id="five are bad; a mean a little over the SLA does not look equal to it",
        ),
        pytest.param(
            kept(0, 1, low=0, high=0.7935),
            {"sla": "90min"},
            "Sales has 90 minutes to decide on an MQL: 0.0% of 1 MQL met the SLA (0.0–79.3%). 1 "
            "lead breached it. " + SMALL.format("1 lead"),
            "plain",
            id="the only lead",
        ),
        pytest.param(
            kept(0, 2, still_open=2, low=0, high=0.6576),
            {"sla": "90min"},
            "Sales has 90 minutes to decide on an MQL: 0.0% of 2 MQLs met the SLA (0.0–65.8%). 2 "
            "leads breached it; all are open and overdue. " + SMALL.format("2 leads"),
            "bad",
            id="all of two",
        ),
        pytest.param(
            kept(10, 30, mean=72, low=0.1419, high=0.4019),
            {"sla": "2d"},
            "Sales has 2 days to decide on an MQL: 25.0% of 40 MQLs met the SLA (14.2–40.2%). 30 "
            "leads breached it. Sales takes 3.0 days on average against an SLA of 2 days, counting "
            "the 40 that left the stage; fewer than half of all have left.",
            "bad",
            id="late, and half are still open",
        ),
        pytest.param(
            kept(10, 30, still_open=1, mean=5, median=6, low=0.1419, high=0.4019),
            {"sla": "4h"},
            "Sales has 4 hours to decide on an MQL: 25.0% of 40 MQLs met the SLA (14.2–40.2%). 30 "
            "leads breached it, of which 1 is open and overdue. "
            + PACE.format("5.0 hours", "4 hours", 39, "6.0 hours"),
            "bad",
            id="in hours, one still open",
        ),
        pytest.param(
            kept(30, 10, mean=500, median=500, low=0.5981, high=0.8581),
            {"sla": "1h", "sla_stops_on": "contact"},
            "Sales has 1 hour to contact an MQL: 75.0% of 40 MQLs met the SLA (59.8–85.8%). 10 "
            "leads breached it.",
            "bad",
            id="contact: the wait for a decision says nothing",
        ),
        pytest.param(
            kept(10, 30, mean=24, median=20, low=0.1419, high=0.4019),
            {"sla": "2d", "sla_clock": "business"},
            "Sales has 2 working days to decide on an MQL: 25.0% of 40 MQLs met the SLA "
            "(14.2–40.2%). 30 leads breached it. "
            + PACE.format("3.0 working days", "2 working days", 40, "2.5 working days"),
            "bad",
            id="working days of eight hours",
        ),
        pytest.param(
            kept(10, 30, mean=5, median=4.9, low=0.1419, high=0.4019),
            {"sla": "4.92308h"},
            "Sales has 4.9 hours to decide on an MQL: 25.0% of 40 MQLs met the SLA (14.2–40.2%). "
            "30 leads breached it. " + PACE.format("5.0 hours", "4.9 hours", 40, "4.9 hours"),
            "bad",
            id="an SLA with many digits",
        ),
        pytest.param(
            rows(
                kept(36, 4, low=0.769, high=0.9604),
                kept(20, 0, bucket="2026-01", low=0.83, high=1),
                kept(16, 4, bucket="2026-02", low=0.584, high=0.9193),
            ),
            {"sla": "4h"},
            "Sales has 4 hours to decide on an MQL: 90.0% of 40 MQLs met the SLA (76.9–96.0%). 4 "
            "leads breached it. Feb 2026, the latest complete month: 80.0% of 20 (58.4–91.9%).",
            "plain",
            id="the latest month, four breaches",
        ),
        pytest.param(
            rows(
                kept(36, 5, low=0.769, high=0.9604),
                kept(20, 0, bucket="2026-01", low=0.83, high=1),
                kept(15, 5, bucket="2026-02", low=0.531, high=0.8881),
                row("sla_pending", 1, bucket="2026-02"),
            ),
            {"sla": "4h"},
            "Sales has 4 hours to decide on an MQL: 87.8% of 41 MQLs met the SLA (76.9–96.0%). 5 "
            "leads breached it. Feb 2026, the latest complete month: 75.0% of 20 so far "
            "(53.1–88.8%); 1 not due yet.",
            "bad",
            id="the latest month, with a lead that is not due yet",
        ),
        pytest.param(
            kept(30, 10, mean=72, median=30, low=0.5981, high=0.8581),
            {"sla": "2d", "sla_rules": [{"where": {"source": ["Demo"]}, "sla": "1h"}]},
            "Sales has 2 days, or what a rule says for its leads, to decide on an MQL: 75.0% of 40 "
            "MQLs met the SLA (59.8–85.8%). 10 leads breached it.",
            "bad",
            id="with rules, the mean has no limit of its own",
        ),
        pytest.param(
            rows(
                kept(36, 4, low=0.769, high=0.9604),
                totals(lift_sla={"value": 2.3, "n": 38, "low": 1.5, "high": 3.4}),
            ),
            {"sla": "48h"},
            "Sales has 48 hours to decide on an MQL: 90.0% of 40 MQLs met the SLA (76.9–96.0%). "
            "4 leads breached it. In mature buckets, leads within the SLA became SQLs 2.3 times as "
            "often as breached ones (1.5 to 3.4). This describes the data and does not prove a "
            "cause.",
            "plain",
            id="what lateness costs in conversions",
        ),
        pytest.param(
            rows(kept(36, 4, low=0.769, high=0.9604), totals(lift_sla={"value": 0, "n": 38})),
            {"sla": "48h"},
            "Sales has 48 hours to decide on an MQL: 90.0% of 40 MQLs met the SLA (76.9–96.0%). "
            "4 leads breached it. In mature buckets, no lead within the SLA has become an SQL, so "
            "what lateness costs in conversions cannot be told.",
            "plain",
            id="a ratio of 0 has no interval",
        ),
    ],
)
def test_sla(frame, params, text, tone):
    assert said(verdicts.sla.attainment(of(frame, **terms(chosen(**params))))) == (text, tone)


@pytest.mark.parametrize(
    ("frame", "options", "text"),
    [
        pytest.param(
            totals(hours_in_stage_km_median={"value": None, "n": 0}),
            {},
            "There is no MQL whose time in stage can be measured.",
            id="no MQL",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 9, "n": 19},
                hours_in_stage_km_median={"value": None, "n": 40},
            ),
            {},
            "Fewer than half of 40 MQLs have left the stage, so the median time in stage is not "
            "known yet; 19 have left.",
            id="not half have left",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 9, "n": 1},
                hours_in_stage_km_median={"value": None, "n": 40},
            ),
            {},
            "Fewer than half of 40 MQLs have left the stage, so the median time in stage is not "
            "known yet; 1 has left.",
            id="one has left",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 9, "n": 1},
                hours_in_stage_km_median={"value": 9, "n": 1},
            ),
            {},
            "The only MQL left the stage after 9.0 hours. " + SMALL.format("1 lead"),
            id="the only one has left",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 60, "n": 31},
                hours_in_stage_median={"value": 47.9, "n": 31},
                hours_in_stage_km_median={"value": 48, "n": 40},
            ),
            {},
            "The median time in stage is 2.0 days with open MQLs included, and 47.9 hours for the "
            "31 that left.",
            id="hours below two days, days from there",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 1, "n": 20},
                hours_in_stage_median={"value": 0.75, "n": 20},
                hours_in_stage_km_median={"value": 1, "n": 29},
            ),
            {},
            "The median time in stage is 1.0 hours with open MQLs included, and 45 minutes for "
            "the 20 that left. " + SMALL.format("29 leads"),
            id="minutes, few leads",
        ),
        pytest.param(
            totals(
                hours_in_stage_mean={"value": 20, "n": 40},
                hours_in_stage_median={"value": 15.9, "n": 40},
                hours_in_stage_km_median={"value": 20, "n": 41},
            ),
            {"day_hours": 8},
            "The median time in stage is 2.5 working days with open MQLs included, and 15.9 "
            "working hours for the 40 that left.",
            id="working days",
        ),
    ],
)
def test_velocity(frame, options, text):
    assert said(verdicts.waiting.time_in_stage(of(frame, **options))) == (text, "plain")


def answered(share, n, *, lift=None, low=None, high=None):
    return totals(
        contacted_within_1h={"value": share, "n": n, "low": 0.2, "high": 0.4},
        lift_1h={"value": lift, "n": n, "low": low, "high": high},
    )


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        pytest.param(
            lacking("contacted_within_1h", "lift_1h", missing="contacted_at"),
            "The data has no contacted_at, so there is no speed to lead.",
            id="not recorded",
        ),
        pytest.param(
            totals(
                contacted_within_1h={"value": None, "flags": ["day-precision"]},
                lift_1h={"value": None, "flags": ["day-precision"]},
            ),
            "The data has dates without a time of day, so speed to lead cannot be measured.",
            id="only dates",
        ),
        pytest.param(
            answered(0.3, 30),
            "Sales contacted 30.0% of 30 MQLs within one hour (20.0–40.0%).",
            id="no SQL to compare",
        ),
        pytest.param(
            answered(0.3, 40, lift=1.62, low=0.95, high=2.76),
            "Sales contacted 30.0% of 40 MQLs within one hour (20.0–40.0%). These became SQLs "
            "1.6 times as often as MQLs contacted later (0.9 to 2.8): the difference is "
            "not clear.",
            id="with a lift within chance",
        ),
        pytest.param(
            answered(0.3, 40, lift=1.62, low=1.1, high=2.76),
            "Sales contacted 30.0% of 40 MQLs within one hour (20.0–40.0%). These became SQLs "
            "1.6 times as often as MQLs contacted later (1.1 to 2.8). This describes the data and "
            "does not prove a cause.",
            id="with a lift",
        ),
        pytest.param(
            answered(0.3, 40, lift=0),
            "Sales contacted 30.0% of 40 MQLs within one hour (20.0–40.0%). None of those "
            "contacted within the hour has become an SQL, so how much the first hour is worth "
            "cannot be told.",
            id="a rate of 0 has no interval",
        ),
        pytest.param(
            answered(0.0, 1),
            "Sales contacted 0.0% of 1 MQL within one hour (20.0–40.0%). " + SMALL.format("1 lead"),
            id="one lead",
        ),
    ],
)
def test_response(frame, text):
    assert said(verdicts.response.speed(frame)) == (text, "plain")


def test_a_period_without_mqls_is_not_called_a_lack_of_records():
    # Contacts are recorded (n is 0, not null); there is only nobody to be contacted.
    text = verdicts.response.speed(totals(contacted_within_1h={"value": None, "n": 0})).text
    assert "records no contact" not in text


def test_the_reference_is_named_with_its_source_and_is_no_forecast():
    assert REFERENCE == (
        "For reference, not as a forecast: of 2,241 US companies 37% answered a web lead within "
        "an hour, 16% in 1–24 hours, 24% later, 23% never; those who tried within an hour were "
        "nearly seven times as likely to qualify the lead as those an hour later (Oldroyd, "
        "McElheran, Elkington, Harvard Business Review, March 2011)."
    )


def cost(spend, mqls, *, lag=30.2):
    return totals(
        mqls=mqls,
        lead_to_mql_days_mean={"value": lag, "n": mqls},
        spend=spend,
        cost_per_mql=None if spend is None or not mqls else spend / mqls,
    )


BASIS = (
    "This is based on averages, on one lag for all leads and on correlation in time: use it for "
    "large trends, not for single leads."
)


@pytest.mark.parametrize(
    ("frame", "currency", "lag_days", "used", "text"),
    [
        pytest.param(
            totals(mqls=10, lead_to_mql_days_mean=30),
            "",
            "auto",
            30,
            "No spend is known for these leads, so there is no cost per MQL.",
            id="no spend",
        ),
        pytest.param(
            cost(None, 10),
            "EUR",
            "auto",
            30,
            "With a lag of 30 days (measured as the mean), the spend data does not cover the whole "
            "period. Its cost per MQL would be too low and is left out. No bucket is covered.",
            id="not covered",
        ),
        pytest.param(
            cost(500, 0, lag=None),
            "EUR",
            "auto",
            0,
            "There was spend but no MQL, so there is no cost per MQL.",
            id="no MQL",
        ),
        pytest.param(
            cost(2910.6, 30),
            "EUR",
            "auto",
            30,
            "An MQL cost €97.02: €2,911 over 30 MQLs, with a lag of 30 days (measured as the "
            "mean). " + BASIS,
            id="measured",
        ),
        pytest.param(
            cost(12000, 1),
            "SEK",
            1,
            1,
            "An MQL cost 12,000 SEK: 12,000 SEK over 1 MQL, with a lag of 1 day (as set). "
            + BASIS
            + " "
            + SMALL.format("1 lead"),
            id="set by the user",
        ),
        pytest.param(
            of(cost(2910.6, 30), unspent_mqls=7),
            "EUR",
            "auto",
            30,
            "An MQL cost €97.02: €2,911 over 30 MQLs, with a lag of 30 days (measured as the "
            "mean). " + BASIS + " The cost counts 7 MQLs whose source has no spend.",
            id="some sources without spend",
        ),
        pytest.param(
            cost(100, 8, lag=None),
            "USD",
            "auto",
            0,
            "An MQL cost $12.50: $100 over 8 MQLs, with a lag of 0 days (not measurable: no lead "
            "has both timestamps). " + BASIS + " " + SMALL.format("8 leads"),
            id="nothing to measure it by",
        ),
    ],
)
def test_cost(frame, currency, lag_days, used, text):
    verdict = verdicts.cost.per_mql(
        of(frame, **terms(chosen(lag_days=lag_days)), currency=currency, lag_days=used)
    )
    assert said(verdict) == (text, "plain")


def test_ledgers_in_their_order():
    found = verdicts.data_quality.ledger(
        data_quality(
            ledgers={
                "leads": Ledger(
                    read=6018, set_aside=Counter(no_id=1, bad_date=2), noted=Counter(merged=4)
                ),
                "spend": Ledger(read=31),
                "goals": Ledger(read=2, set_aside=Counter(duplicate=1)),
            }
        )
    )
    aside = (
        "Leads: 6,015 of 6,018 rows are used, 3 excluded (2: a date that does not exist or cannot "
        "be read; 1: no lead id)."
    )
    repeated = "Goals: 1 of 2 rows are used, 1 excluded (1: a copy of an earlier row)."
    assert [said(v) for v in found] == [
        (aside, "plain"),
        ("Spend: all 31 rows are used.", "good"),
        (repeated, "plain"),
    ]


def test_a_time_zone_that_nothing_names_is_stated():
    file = {"path": "a.csv", "rows": 2, "encoding": "utf-8", "delimiter": ",", "sha256": "0"}
    zones = {"leads": "UTC (assumed)", "history": "UTC (assumed)", "spend": "UTC"}
    inputs = [{**file, "table": table, "timezone": zone} for table, zone in zones.items()]
    assert [said(v) for v in verdicts.data_quality.ledger(data_quality(inputs=inputs))] == [
        ("No time zone is given for leads and history: times without an offset are taken for UTC.",
         "plain"),
    ]  # fmt: skip


def test_no_verdict_takes_the_numbers_of_a_segment_or_a_bucket_for_the_total():
    frame = rows(
        row("mqls", 5, source="Web"),
        row("mqls", 3, bucket="2026-01"),
        row("mqls", 8),
        row("goal", 10),
        row("goal_gap", -2),
        row("goal_attainment", 0.8),
    )
    assert said(verdicts.volume.goal(frame))[0].startswith("8 MQLs: 2 short of the goal of 10")


def forecast(value, low, high, *, goal=None, likely=None, closed=8, hits=2, trials=2):
    """Return the forecast of February, which is running."""
    cells = {
        "mqls_forecast": {"value": value, "low": low, "high": high},
        "goal": {"value": goal},
        "goal_probability": {"value": likely},
    }
    frame = rows(*(row(metric, bucket="2026-02", **cell) for metric, cell in cells.items()))
    return of(frame, closed_buckets=closed, backtest_hits=hits, backtest_trials=trials)


AHEAD = (
    "Feb 2026 is on course for 6 MQLs by its end (80% prediction interval 6 to 7), if it goes on "
    "as the 8 months before it did"
)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        pytest.param(
            forecast(6.125, 5.594, 6.656, goal=7, likely=0.026178),
            AHEAD
            + ": a probability of 2.6% to reach its goal of 7. Made at the same point of earlier "
            "months, such a forecast had the outcome inside its interval in 2 of 2.",
            id="with a goal",
        ),
        pytest.param(
            rows(
                forecast(6.125, 5.594, 6.656, goal=5, likely=1.0),
                of(row("mqls", 5, bucket="2026-02"), closed_buckets=8, backtest_hits=0),
            ).assign(backtest_trials=0),
            AHEAD + ". Its goal of 5 is reached.",
            id="the goal is reached",
        ),
        pytest.param(
            forecast(6.125, 5.594, 6.656, trials=0, hits=0), AHEAD + ".", id="nothing to test it on"
        ),
        pytest.param(
            forecast(None, None, None, closed=5, trials=0, hits=0),
            "There is no forecast for Feb 2026: it needs 6 complete months before it, and the data "
            "has 5.",
            id="too short",
        ),
    ],
)
def test_forecast(frame, text):
    assert said(verdicts.volume.forecast(frame)) == (text, "plain")


def test_a_period_that_is_over_has_no_forecast():
    assert verdicts.volume.forecast(over(10, 10)) is None


@pytest.mark.parametrize(
    ("unrecorded", "ending"),
    [
        ("none", "0 MQLs are undecided."),
        ("rejected", "the acceptance rate says nothing about the leads that sales turned down."),
        ("accepted", "a lead counts as accepted when it became an SQL."),
    ],
)
def test_a_decision_of_which_one_kind_is_recorded(unrecorded, ending):
    frame = of(handed(20, 10, 0, low=0.488, high=0.808), unrecorded=unrecorded)
    assert plain(verdicts.handoff.acceptance(frame).text).endswith(ending)


def test_an_acceptance_rate_without_acceptances_and_sqls_tells_nothing():
    frame = of(handed(0, 10, 5), unrecorded="accepted", is_sql_recorded=False)
    assert (
        "The data records no acceptances and no SQLs, so the acceptance rate says nothing about "
        "the leads that sales accepted."
    ) in said(verdicts.handoff.acceptance(frame))[0]


def test_what_has_left_and_what_is_open_is_said_once():
    all_left = totals(
        hours_in_stage_mean={"value": 20, "n": 40},
        hours_in_stage_median={"value": 15.9, "n": 40},
        hours_in_stage_km_median={"value": 15.9, "n": 40},
    )
    text = "The median time in stage is 15.9 hours; all 40 MQLs have left."
    assert said(verdicts.waiting.time_in_stage(all_left)) == (text, "plain")
    all_open = kept(10, 30, still_open=30, low=0.1419, high=0.4019)
    late = verdicts.sla.attainment(of(all_open, **terms(chosen(sla="4h")))).text
    assert "30 leads breached it; all are open and overdue." in late


def test_spend_that_cannot_be_filtered_is_said_to_be_that_of_all_leads():
    cells = {"value": 31, "n": 100, "flags": ["spend-not-filtered"]}
    frame = totals(mqls=100, spend=3100, lead_to_mql_days_mean=0, cost_per_mql=cells)
    given = {"currency": "EUR", "lag_days": 0, "is_lag_measured": False, "unfiltered_by": "country"}
    text = (
        "Spend cannot be filtered by country: total spend ÷ filtered leads is €31, €3,100 over 100 "
        f"MQLs, with a lag of 0 days (as set). It is not what these leads cost. {BASIS}"
    )
    assert said(verdicts.cost.per_mql(of(frame, **given))) == (text, "plain")
    # Filtered by source too, it is not the total.
    partly = of(frame, **given, spend_basis="spend filtered by source only")
    start = "Spend cannot be filtered by country: spend filtered by source only ÷ filtered leads is"
    assert verdicts.cost.per_mql(partly).text.startswith(start)


def test_kept_leads_whose_spend_is_not_known_have_no_cost():
    flags = ["no-spend-channel"]
    frame = totals(mqls=100, spend={"value": None, "flags": flags}, lead_to_mql_days_mean=0)
    given = {"currency": "EUR", "lag_days": 0, "is_lag_measured": False, "unspent": "channel Mail"}
    text = (
        "No spend has the channel Mail, so what these leads cost is not known. To see the cost of "
        "the others, take it out of the filter."
    )
    assert said(verdicts.cost.per_mql(of(frame, **given))) == (text, "plain")


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (1, "The only MQL became an SQL (20.6–100.0%). " + SMALL.format("1 lead")),
        (3, "All of 3 MQLs became SQLs (43.9–100.0%). " + SMALL.format("3 leads")),
    ],
)
def test_all_that_convert_are_not_one_in_one(n, text):
    low = {1: 0.2065, 3: 0.4385}[n]
    frame = totals(efficiency={"value": 1, "n": n, "low": low, "high": 1})
    assert said(verdicts.efficiency.conversion(frame)) == (text, "plain")


def test_a_goal_of_nothing_has_no_attainment():
    frame = rows(
        months((5, 1), (6, 0.5)).query("bucket != '2026-02' or metric != 'goal_attainment'"),
    )
    frame.loc[(frame["bucket"] == "2026-02") & (frame["metric"] == "goal"), "value"] = 0
    text = verdicts.volume.goal(frame).text
    assert "Feb 2026, the latest complete month: 6 MQLs against a goal of 0." in text


def test_time_between_dates_has_no_minutes():
    frame = totals(
        hours_in_stage_mean={"value": 12, "n": 40},
        hours_in_stage_median={"value": 0, "n": 40},
        hours_in_stage_km_median={"value": 0, "n": 40},
    )
    text = "The median time in stage is 0.0 days; all 40 MQLs have left."
    assert said(verdicts.waiting.time_in_stage(of(frame, is_dated=True))) == (text, "plain")


def test_an_sla_in_working_hours_is_not_turned_into_days():
    given = terms(chosen(sla="48h", sla_clock="business"))
    frame = of(kept(40, 0, mean=22, median=18), **given)
    assert "Sales takes 22.0 working hours on average against an SLA of 48 working hours" in (
        verdicts.sla.attainment(frame).text
    )
