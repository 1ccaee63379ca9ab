"""Every verdict, whole, on both sides of each threshold."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from frames import of, plain, row, rows, terms, totals

from mqlkit.core.params import ReportParams
from mqlkit.metrics.data_quality import data_quality
from mqlkit.sources.ledger import Ledger
from mqlkit.views import verdicts
from mqlkit.views.verdicts.response import REFERENCE

SMALL = "Based on only {}: do not rank or plan by it."


def said(verdict):
    return plain(verdict.text), verdict.tone


def running(mqls, goal, *, to_date, needed):
    """Return a period that is not over."""
    flags = ["in-progress"]
    return totals(
        mqls={"value": mqls, "flags": flags},
        goal={"value": goal, "flags": flags},
        goal_to_date={"value": to_date, "flags": flags},
        needed_per_day={"value": needed, "flags": flags},
    )


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
            id="a month without a goal",
        ),
        pytest.param(
            totals(mqls=1099, goal=1100),
            "1,099 MQLs: 1 short of the goal of 1,100 (99.9%). Marketing must produce more.",
            "bad",
            id="missed by one",
        ),
        pytest.param(
            totals(mqls=1100, goal=1100),
            "1,100 MQLs: exactly the goal. Marketing produces enough; the same number is enough.",
            "good",
            id="exact",
        ),
        pytest.param(
            totals(mqls=1101, goal=1100),
            "1,101 MQLs: 1 more than the goal of 1,100. Marketing produces enough; fewer would "
            "have been enough.",
            "good",
            id="exceeded by one",
        ),
        pytest.param(
            totals(mqls=0, goal=10),
            "0 MQLs: 10 short of the goal of 10 (0.0%). Marketing must produce more.",
            "bad",
            id="none",
        ),
        pytest.param(
            running(50, 100, to_date=50.5, needed=2.5),
            "50 MQLs so far, behind the pace of 50.5 by now. "
            "The goal of 100 needs 2.5 a day from now on.",
            "bad",
            id="in progress, behind",
        ),
        pytest.param(
            running(50, 100, to_date=50, needed=2.5),
            "50 MQLs so far, on the pace of 50.0 by now. "
            "The goal of 100 needs 2.5 a day from now on.",
            "good",
            id="in progress, on pace to the lead",
        ),
        pytest.param(
            running(99, 100, to_date=50, needed=0.05),
            "99 MQLs so far, on the pace of 50.0 by now. "
            "The goal of 100 needs 0.1 a day from now on.",
            "good",
            id="in progress, one short of the goal",
        ),
        pytest.param(
            running(100, 100, to_date=50, needed=0),
            "100 MQLs so far: the goal of 100 is reached.",
            "good",
            id="in progress, reached",
        ),
    ],
)
def test_volume(frame, text, tone):
    assert said(verdicts.volume.goal(frame)) == (text, tone)


@pytest.mark.parametrize("goal", [100.3, 99.7])
def test_a_goal_with_a_fraction_is_never_missed_or_passed_by_nothing(goal):
    # Weeks share a month's goal by the day, so that goals have fractions.
    text = verdicts.volume.goal(totals(mqls=100, goal=goal)).text
    assert "0 short" not in text
    assert "0 more" not in text


def handed(accepted, rejected, undecided, **interval):
    n = accepted + rejected
    rate = {"value": accepted / n if n else None, "n": n, **interval}
    return totals(accepted=accepted, rejected=rejected, undecided=undecided, acceptance_rate=rate)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        pytest.param(
            totals(accepted=None, rejected=None, undecided=None, acceptance_rate=None),
            "The data records neither acceptances nor rejections, so there is no acceptance rate. "
            "A lead leaves the MQL stage when it becomes an SQL.",
            id="not recorded",
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


def converted(share, n, *young, low=0.1, high=0.3):
    """Return the conversion of a quarter, with the immature buckets."""
    parts = [
        row("efficiency", share, bucket=b, n=n, flags=["immature"] if b in young else [])
        for b in ("2026-01", "2026-02", "2026-03")
    ]
    flags = ["immature"] if young else []
    whole = row("efficiency", share, n=n, low=low, high=high, flags=flags)
    return rows(*parts, whole, row("mqls_per_sql", 1 / share if share else None, n=n))


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        pytest.param(
            rows(row("efficiency", None, n=0), row("mqls_per_sql", None, n=0)),
            "There are no MQLs to compute a conversion rate from.",
            id="no MQL",
        ),
        pytest.param(
            converted(0.2, 30, low=0.095, high=0.3731),
            "20.0% of 30 MQLs have become SQLs so far (9.5–37.3%), or one in 5.0.",
            id="mature, just enough leads",
        ),
        pytest.param(
            converted(0.2, 25, low=0.0886, high=0.3913),
            "20.0% of 25 MQLs have become SQLs so far (8.9–39.1%), or one in 5.0. "
            + SMALL.format("25 leads"),
            id="few leads",
        ),
        pytest.param(
            converted(0.0, 1200, low=0.0, high=0.0032),
            "None of 1,200 MQLs has become an SQL (0.0–0.3%).",
            id="no SQL",
        ),
        pytest.param(
            converted(0.25, 400, "2026-03", low=0.2101, high=0.2946),
            "25.0% of 400 MQLs have become SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 16 days: Mar 2026 is immature, and the rate will still rise.",
            id="one young month",
        ),
        pytest.param(
            converted(0.25, 400, "2026-02", "2026-03", low=0.2101, high=0.2946),
            "25.0% of 400 MQLs have become SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 16 days: Feb 2026 and Mar 2026 are immature, and the rate "
            "will still rise.",
            id="two young months",
        ),
        pytest.param(
            converted(0.25, 400, "2026-01", "2026-02", "2026-03", low=0.2101, high=0.2946),
            "25.0% of 400 MQLs have become SQLs so far (21.0–29.5%), or one in 4.0. Nine in ten "
            "conversions take up to 16 days: Jan 2026, Feb 2026 and Mar 2026 are immature, and "
            "the rate will still rise.",
            id="all young",
        ),
    ],
)
def test_efficiency(frame, text):
    assert said(verdicts.efficiency.conversion(of(frame, maturity_days=16.2))) == (text, "plain")


def test_efficiency_where_conversion_takes_longer_than_the_data_or_is_not_recorded():
    young = converted(0.25, 400, "2026-03", low=0.2101, high=0.2946)
    rising = of(young, maturity_days=80.2, horizon_days=86.4, is_rising=True)
    assert said(verdicts.efficiency.conversion(rising))[0].endswith(
        "or one in 4.0. Conversion takes longer than the data can show: MQLs 86 days old still "
        "become SQLs. No cohort is mature, and the rate will still rise."
    )
    # No lead in order has converted: no duration to name.
    unknown = of(young, maturity_days=math.nan, horizon_days=math.nan, is_rising=False)
    assert said(verdicts.efficiency.conversion(unknown))[0].endswith("or one in 4.0.")
    unrecorded = rows(row("efficiency", None, flags=["not-recorded"]))
    assert said(verdicts.efficiency.conversion(unrecorded)) == (
        "The data records no SQLs, so there is no conversion rate.", "plain"
    )  # fmt: skip


def kept(met, late, *, still_open=0, mean=None, low=0.1, high=0.9):
    n = met + late
    return totals(
        sla_met=met,
        sla_breached=late,
        sla_past_due=still_open,
        sla_attainment={"value": met / n if n else None, "n": n, "low": low, "high": high},
        hours_in_stage_mean={"value": mean, "n": n - still_open},
    )


def chosen(**given):
    return ReportParams.from_mapping(given)


@pytest.mark.parametrize(
    ("frame", "params", "text", "tone"),
    [
        pytest.param(
            kept(0, 0),
            {"sla": "48h"},
            "No MQL has met or breached the SLA of 48 hours yet.",
            "plain",
            id="nothing measured",
        ),
        pytest.param(
            kept(40, 0, mean=20, low=0.9124, high=1),
            {"sla": "48h"},
            "Sales takes 0.8 days on average against an SLA of 2. Sales has 48 hours to decide on "
            "an MQL: 100.0% met the SLA (91.2–100.0%). No lead breached it.",
            "good",
            id="kept",
        ),
        pytest.param(
            kept(39, 1, mean=48, low=0.8712, high=0.9956),
            {"sla": "2d"},
            "Sales takes 2.0 days on average against an SLA of 2. Sales has 2 days to decide on an "
            "MQL: 97.5% met the SLA (87.1–99.6%). 1 lead breached it.",
            "bad",
            id="the mean is the SLA, one late",
        ),
        pytest.param(
            kept(10, 30, mean=72, low=0.1419, high=0.4019),
            {"sla": "2d"},
            "Sales takes 3.0 days on average against an SLA of 2. Sales has 2 days to decide on an "
            "MQL: 25.0% met the SLA (14.2–40.2%). 30 leads breached it.",
            "bad",
            id="late",
        ),
        pytest.param(
            kept(10, 30, still_open=1, mean=5, low=0.1419, high=0.4019),
            {"sla": "4h"},
            "Sales takes 5.0 hours on average against an SLA of 4. Sales has 4 hours to decide on "
            "an MQL: 25.0% met the SLA (14.2–40.2%). 30 leads breached it, of which 1 is open and "
            "overdue.",
            "bad",
            id="in hours, one still open",
        ),
        pytest.param(
            kept(0, 3, still_open=3, low=0, high=0.5615),
            {"sla": "90min"},
            "Sales has 90 minutes to decide on an MQL: 0.0% met the SLA (0.0–56.1%). 3 leads "
            "breached it, of which 3 are open and overdue. " + SMALL.format("3 leads"),
            "bad",
            id="nobody left, few leads",
        ),
        pytest.param(
            kept(30, 10, mean=500, low=0.5981, high=0.8581),
            {"sla": "1h", "sla_stops_on": "contact"},
            "Sales has 1 hour to contact an MQL: 75.0% met the SLA (59.8–85.8%). 10 leads "
            "breached it.",
            "bad",
            id="contact: the wait for a decision says nothing",
        ),
        pytest.param(
            kept(10, 30, mean=24, low=0.1419, high=0.4019),
            {"sla": "2d", "sla_clock": "business"},
            "Sales takes 3.0 working days on average against an SLA of 2. Sales has 2 working days "
            "to decide on an MQL: 25.0% met the SLA (14.2–40.2%). 30 leads breached it.",
            "bad",
            id="working days of eight hours",
        ),
        pytest.param(
            kept(10, 30, mean=10.5, low=0.1419, high=0.4019),
            {"sla": "8h", "sla_clock": "business"},
            "Sales takes 10.5 working hours on average against an SLA of 8. Sales has 8 working "
            "hours to decide on an MQL: 25.0% met the SLA (14.2–40.2%). 30 leads breached it.",
            "bad",
            id="working hours",
        ),
    ],
)
def test_sla(frame, params, text, tone):
    assert said(verdicts.sla.attainment(of(frame, **terms(chosen(**params))))) == (text, tone)


def test_an_sla_on_contact_says_so_where_no_contact_is_recorded():
    # "Yet" would promise that waiting helps.
    outcomes = ("sla_met", "sla_breached", "sla_past_due", "sla_attainment")
    frame = totals(**dict.fromkeys(outcomes))
    text = verdicts.sla.attainment(
        of(frame, **terms(chosen(sla="1h", sla_stops_on="contact")))
    ).text
    assert "records no contact" in text


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
                hours_in_stage_km_median={"value": 20, "n": 40},
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
            totals(contacted_within_1h=None, lift_1h=None),
            "The data records no contact by sales, so there is no speed to lead.",
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
            "1.6 times as often as MQLs contacted later (0.9–2.8). This describes the data and "
            "does not prove a cause.",
            id="with a lift",
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
            "An MQL cost 12,000 SEK: 12,000 SEK over 1 MQL, with a lag of 1 day (as set). " + BASIS,
            id="set by the user",
        ),
        pytest.param(
            cost(100, 8, lag=None),
            "USD",
            "auto",
            0,
            "An MQL cost $12.50: $100 over 8 MQLs, with a lag of 0 days (not measurable: no lead "
            "has both timestamps). " + BASIS,
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


def test_no_verdict_takes_the_numbers_of_a_segment_or_a_bucket_for_the_total():
    frame = rows(
        row("mqls", 5, source="Web"),
        row("mqls", 3, bucket="2026-01"),
        row("mqls", 8),
        row("goal", 10),
    )
    assert said(verdicts.volume.goal(frame))[0].startswith("8 MQLs: 2 short of the goal of 10")
