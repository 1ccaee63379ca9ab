"""Each rule of the definitions on a few rows, worked by hand; a row's id says why it is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from mqlkit.core.errors import ParamsError
from mqlkit.leads import waits as levels
from mqlkit.metrics import forecast, handoff, lead_lists, response, volume, waiting
from mqlkit.metrics.goals import kept_goals
from mqlkit.metrics.report import compute_report
from mqlkit.metrics.spend import mqls_without_spend, unnamed_channels
from mqlkit.metrics.tidy import series

JAN, FEB, MAR = "2026-01", "2026-02", "2026-03"


def noted(made, *names):
    return {name: made.ledger["noted"].get(name, 0) for name in names}


def listed(frame, *columns):
    """Return the rows of a list as tuples, local stamps as text."""
    rows = frame[list(columns)].astype(object).itertuples(index=False, name=None)
    return [tuple(f"{v:%Y-%m-%d %H:%M}" if hasattr(v, "hour") else v for v in row) for row in rows]


# --- Time: zones, precision, the cut-off


def test_months_begin_and_end_at_midnight_of_the_reports_zone(lead_table):
    made = lead_table(
        """
            lead_id                 | mql_at
            last of February        | 2026-02-28T21:59:59.999999Z
            first of March, winter  | 2026-02-28T22:00:00Z
            before the clocks go on | 2026-03-29T00:59:59Z
            after the clocks go on  | 2026-03-29T01:00:00Z
            last of March, summer   | 2026-03-31T20:59:59.999999Z
            first of April          | 2026-03-31T21:00:00Z
        """,
        timezone="Europe/Tallinn",
        period="2026-02..2026-04",
    )
    assert made.values("mqls") == {FEB: 1, MAR: 4, "2026-04": 1}


def test_weeks_begin_on_monday_of_the_reports_zone(lead_table):
    made = lead_table(
        """
            lead_id          | mql_at
            Sunday evening   | 2026-03-29 23:59
            Monday morning   | 2026-03-30 00:00
        """,
        zones={"leads": "Europe/Tallinn"},  # the clocks went on that Sunday
        period="2026-03-23..2026-04-05",
        grain="week",
    )
    assert made.values("mqls") == {"2026-W13": 1, "2026-W14": 1}


def test_a_stamp_is_an_instant_in_whatever_zone_it_is_reported(lead_table):
    leads = """
        lead_id                            | mql_at
        January in both zones              | 2026-01-31 23:30
        February where it was written down | 2026-02-01 00:30
    """
    zones = {"leads": "Europe/Tallinn"}
    local = lead_table(leads, zones=zones)
    in_utc = lead_table(leads, zones=zones, timezone="UTC")
    assert local.values("mqls") == {JAN: 1, FEB: 1, MAR: 0}
    assert in_utc.values("mqls") == {JAN: 2, FEB: 0, MAR: 0}


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "UTC"])
def test_a_date_is_that_date_in_every_zone(lead_table, zone):
    made = lead_table(
        """
            lead_id        | created_at | mql_at     | sql_at
            first of month | 2026-01-30 | 2026-02-01 | 2026-03-01
        """,
        zones={"leads": "Europe/Tallinn"},
        timezone=zone,
    )
    assert made.values("mqls") == {JAN: 0, FEB: 1, MAR: 0}
    assert made.values("sqls_in_period") == {JAN: 0, FEB: 0, MAR: 1}
    assert made.value("lead_to_mql_days_mean") == 2
    assert made.maturity.days == 28
    assert made.leads.as_of.on == date(2026, 3, 1)


def test_a_duration_between_instants_is_real_time(lead_table):
    made = lead_table(
        """
            lead_id                  | mql_at           | accepted_at
            while the clocks went on | 2026-03-28 12:00 | 2026-03-29 12:00
        """,
        zones={"leads": "Europe/Tallinn"},
    )
    assert made.value("hours_in_stage_mean") == 23


def test_a_duration_between_dates_is_whole_days(lead_table):
    made = lead_table(
        """
            lead_id                  | mql_at     | accepted_at
            while the clocks went on | 2026-03-28 | 2026-03-30
        """,
        zones={"leads": "Europe/Tallinn"},
    )
    assert made.value("hours_in_stage_mean") == 48


def test_a_duration_with_one_end_that_is_a_date_is_whole_days(lead_table):
    made = lead_table(
        """
            lead_id                    | mql_at           | accepted_at | rejected_at
            the same day, not before   | 2026-01-05 23:30 | 2026-01-05  |
            the next day, an hour away | 2026-01-05 23:30 | 2026-01-06  |
            both ends are instants     | 2026-01-05 23:30 |             | 2026-01-06 00:30
        """,
        period=JAN,
    )
    assert made.leads.dated == {"accepted_at"}
    assert made.of("hours_in_stage_mean", "sla_unmeasurable") == {
        "hours_in_stage_mean": (0 + 24 + 1) / 3,
        "sla_unmeasurable": 0,
    }
    assert noted(made, "out_of_order") == {"out_of_order": 0}


def test_a_date_and_an_instant_of_the_same_day_are_a_tie(lead_table):
    # Nobody can tell which came first, and on a tie the lead is accepted.
    made = lead_table(
        """
            lead_id             | mql_at           | accepted_at | rejected_at
            rejected at ten     | 2026-01-05 20:00 | 2026-01-07  | 2026-01-07 10:00
            rejected before     | 2026-01-05 20:00 | 2026-01-07  | 2026-01-06 10:00
        """,
        period=JAN,
    )
    assert made.of("accepted", "rejected") == {"accepted": 1, "rejected": 1}


def test_time_to_as_of_is_counted_as_the_duration_would_be(lead_table):
    leads = """
        lead_id | mql_at           | accepted_at
        open    | 2026-01-28 20:00 |
        decided | 2026-01-05 20:00 | {accepted}
    """
    made = {
        accepted: lead_table(leads.format(accepted=accepted), as_of="2026-01-31", period=JAN)
        for accepted in ("2026-01-06 20:00", "2026-01-06")
    }
    waited = [lead_lists.waiting_list(m.leads)["days_waiting"].tolist() for m in made.values()]
    # Until midnight after the 31st, or from date to date.
    assert waited == [[3 + 4 / 24], [3.0]]


def test_as_of_auto_is_the_latest_stamp_of_any_stage(lead_table):
    made = lead_table(
        """
            lead_id    | mql_at           | won_at
            won        | 2026-01-05 09:00 | 2026-01-20 18:00:00.5
            the latest | 2026-01-20 17:00 |
        """,
        period=JAN,
        zones={"leads": "Europe/Tallinn"},
    )
    assert made.leads.as_of.at.isoformat() == "2026-01-20T16:00:00.500000+00:00"
    assert made.value("mqls") == 2


def test_as_of_auto_with_dates_is_the_end_of_the_latest_day(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | sql_at
            A       | 2026-01-05 | 2026-01-20T10:00:00Z
            B       | 2026-01-20 |
        """,
        period=JAN,
        timezone="Europe/Tallinn",
    )
    assert made.leads.as_of.at.isoformat() == "2026-01-20T22:00:00+00:00"


def test_relative_periods_look_back_from_the_data_and_not_from_today(lead_table):
    made = lead_table(
        """
            lead_id | mql_at
            A       | 2019-05-31
            B       | 2019-04-01
        """,
        period="last-month",
    )
    assert made.values("mqls") == {"2019-05": 1}  # May is over at the end of its last day


def test_what_happens_after_as_of_has_not_happened_yet(lead_table):
    made = lead_table(
        """
            lead_id             | mql_at           | contacted_at     | rejected_at         | sql_at
            at the very moment  | 2026-01-05 09:00 |                  | 2026-01-31T12:00:00 |
            a moment later      | 2026-01-05 09:00 |                  | 2026-01-31T12:00:01 |
            all of it later     | 2026-02-01 09:00 | 2026-02-01 10:00 | 2026-02-02 10:00    | 2026-02-03 10:00
            nothing later       | 2026-01-05 09:00 | 2026-01-06 09:00 |                     |
            SQLs are recorded   | 2025-12-05 09:00 |                  |                     | 2025-12-06 09:00
        """,  # noqa: E501
        as_of="2026-01-31T12:00:00Z",
        period="2026-01..2026-02",
    )
    assert made.values("mqls") == {JAN: 3, FEB: 0}
    assert made.of("rejected", "undecided", "sqls", bucket=JAN) == {
        "rejected": 1, "undecided": 2, "sqls": 0
    }  # fmt: skip
    assert noted(made, "after_as_of") == {"after_as_of": 5}


def test_a_day_given_as_as_of_counts_to_its_end(lead_table):
    made = lead_table(
        """
            lead_id            | mql_at
            late on that day   | 2026-01-31 23:59
            midnight after it  | 2026-02-01 00:00
        """,
        as_of="2026-01-31",
        period="2026-01..2026-02",
        zones={"leads": "Europe/Tallinn"},
    )
    assert made.values("mqls") == {JAN: 1, FEB: 0}


def test_a_later_event_does_not_make_a_column_of_dates_precise(lead_table):
    # Adding future events never changes a number, so neither does the hour that one carries.
    leads = """
        lead_id | mql_at     | accepted_at
        A       | 2026-01-05 | 2026-01-06
        B       | 2026-01-05 | {later}
    """
    before = lead_table(leads.format(later=""), as_of="2026-01-31", period=JAN)
    after = lead_table(leads.format(later="2026-02-09 10:00"), as_of="2026-01-31", period=JAN)
    assert before.leads.dated == after.leads.dated
    assert [lead_lists.waiting_list(m.leads)["days_waiting"].tolist() for m in (before, after)] == [
        [26.0], [26.0]
    ]  # fmt: skip


def test_a_later_event_does_not_make_a_stage_recorded(lead_table):
    leads = """
        lead_id | mql_at           | contacted_at | rejected_at
        A       | 2026-01-05 09:00 | {later}      | {later}
    """
    made = lead_table(leads.format(later="2026-02-09 10:00"), as_of="2026-01-31", period=JAN)
    assert made.of("undecided", "rejected", "contacted_within_1h") == {
        "undecided": None, "rejected": None, "contacted_within_1h": None
    }  # fmt: skip


def test_rows_out_of_order_count_in_volume_and_shares_and_in_no_duration(lead_table):
    made = lead_table(
        """
            lead_id               | created_at       | mql_at           | accepted_at      | sql_at
            SQL before MQL        | 2026-01-01 09:00 | 2026-01-10 09:00 |                  | 2026-01-09 09:00
            accepted before       | 2026-01-01 09:00 | 2026-01-10 09:00 | 2026-01-10 08:59 | 2026-01-14 09:00
            at the same moment    | 2026-01-01 09:00 | 2026-01-10 09:00 | 2026-01-10 09:00 |
            a day later           | 2026-01-12 09:00 | 2026-01-10 09:00 | 2026-01-11 09:00 |
        """,  # noqa: E501
        period=JAN,
    )
    assert noted(made, "out_of_order", "skipped_mql") == {"out_of_order": 2, "skipped_mql": 0}
    assert made.of("mqls", "accepted", "sqls", "efficiency", "in_stage") == {
        "mqls": 4, "accepted": 4, "sqls": 2, "efficiency": 0.5, "in_stage": 0
    }  # fmt: skip
    assert made.of("hours_in_stage_mean", "sla_met", "sla_unmeasurable") == {
        "hours_in_stage_mean": 12.0, "sla_met": 2, "sla_unmeasurable": 2
    }  # fmt: skip
    assert math.isnan(made.maturity.days)  # no in-order lead has become SQL
    # Created after it became MQL: no lag.
    assert made.row("lead_to_mql_days_mean")[["value", "n"]].tolist() == [9.0, 3.0]


def test_leads_that_skipped_the_stage_are_in_no_cohort(lead_table):
    made = lead_table(
        """
            lead_id | mql_at           | accepted_at      | sql_at
            skipped |                  | 2026-01-05 09:00 | 2026-01-06 09:00
            neither |                  |                  |
            usual   | 2026-01-05 09:00 |                  | 2026-01-06 09:00
        """,
        period=JAN,
    )
    assert noted(made, "skipped_mql") == {"skipped_mql": 1}
    assert made.of("mqls", "sqls", "sqls_in_period", "accepted") == {
        "mqls": 1, "sqls": 1, "sqls_in_period": 1, "accepted": 1
    }  # fmt: skip


# --- Volume against the goal


def test_who_is_an_mql_at_each_moment(lead_table):
    made = lead_table(
        """
            lead_id                   | mql_at           | accepted_at      | rejected_at      | sql_at
            waiting from before       | 2025-11-03 09:00 |                  |                  |
            left in February          | 2026-01-10 09:00 | 2026-02-05 09:00 |                  |
            leaves as January ends    | 2026-01-10 09:00 |                  | 2026-02-01 00:00 |
            enters as February begins | 2026-02-01 00:00 |                  |                  |
            out of order              | 2026-01-15 09:00 |                  |                  | 2026-01-14 09:00
            in after the period       | 2026-03-05 09:00 |                  |                  |
        """,  # noqa: E501
        period="2026-01..2026-02",
    )
    assert made.values("mqls") == {JAN: 3, FEB: 1}
    assert made.values("in_stage") == {JAN: 3, FEB: 2}
    assert made.of("mqls", "in_stage") == {
        "mqls": 4,
        "in_stage": 2,
    }  # the total's end is February's


def test_the_list_of_those_who_wait(lead_table):
    made = lead_table(
        """
            lead_id  | mql_at           | accepted_at      | owner | source
            shorter  | 2026-01-30 12:00 |                  | Ben   |
            longest  | 2025-11-01 00:00 |                  | Ana   | Web
            decided  | 2026-01-10 09:00 | 2026-01-11 09:00 | Ana   | Web
            lead     |                  |                  | Ana   | Web
        """,
        as_of="2026-02-01T00:00:00Z",
        timezone="Europe/Tallinn",
    )
    found = lead_lists.waiting_list(made.leads).astype(object)
    assert listed(found, "lead_id", "owner", "entered", "days_waiting") == [
        ("longest", "Ana", "2025-11-01 02:00", 92.0),
        ("shorter", "Ben", "2026-01-30 14:00", 1.5),
    ]


GOALS = """
    month   | mqls
    2026-01 | 62
    2026-02 | 28
    2026-03 | 31
"""
ONE_A_MONTH = """
    lead_id   | mql_at
    January   | 2026-01-05
    February  | 2026-02-05
    March     | 2026-03-05
"""


def test_goals_by_month(lead_table):
    made = lead_table(ONE_A_MONTH, goals=GOALS, as_of="2026-04-30")
    assert made.values("goal") == {JAN: 62, FEB: 28, MAR: 31}
    assert made.values("goal_gap") == {JAN: -61, FEB: -27, MAR: -30}
    assert made.of("goal", "goal_attainment", "goal_gap") == {
        "goal": 121, "goal_attainment": 3 / 121, "goal_gap": -118
    }  # fmt: skip
    assert "goal_to_date" not in set(made.family("volume")["metric"])  # nothing is in progress


def test_goals_are_for_the_leads_that_they_were_set_for():
    names, mqls = ["", "Web", "Event"], [9.0, 5.0, 4.0]
    frame = pd.DataFrame({"by": ["", "source", "source"], "name": names, "mqls": mqls})

    def kept(**where):
        found = kept_goals(frame, where)
        return None if found is None else found["mqls"].tolist()

    assert kept() == [9, 5, 4]
    assert kept(source=["Web"]) == [5]
    assert kept(source=["Event", "Web"]) == [5, 4]
    # The goal of the leads kept is the sum of those kept, as it is for all leads.
    assert kept(source=["Web", "Radio"]) == [5]
    # There is no goal for these: that of all leads is not theirs.
    assert kept(source=["Radio"]) is None
    assert kept(owner=["Ann"]) is None
    assert kept(source=["Web"], owner=["Ann"]) is None
    assert kept_goals(None, {"source": ["Web"]}) is None


def test_goals_by_any_lead_column(lead_table):
    made = lead_table(
        """
            lead_id             | mql_at     | sql_at     | team
            North in January    | 2026-01-05 | 2026-02-05 | North
            South in January    | 2026-01-06 |            | South
            South in February   | 2026-02-07 | 2026-02-09 | South
            no goal for West    | 2026-01-08 |            | West
        """,
        goals="""
            month   | team  | mqls | sqls
            2026-01 | North | 4    | 1
            2026-01 | South | 2    |
            2026-02 | North | 3    | 2
            2026-02 | South | 1    | 1
            2026-02 | all   | 9    |
        """,
        by=["team"],
        period="2026-01..2026-02",
        as_of="2026-02-28",
    )
    # The row of all wins in February; its empty cell does not, and the segments' goals add up.
    assert made.values("goal") == {JAN: 6, FEB: 9}
    assert made.values("goal_sqls") == {JAN: 1, FEB: 3}
    assert made.values("goal_sqls_attainment") == {JAN: 0, FEB: 2 / 3}
    assert made.value("goal", team="South") == 3
    # An empty cell is no goal.
    assert made.values("goal_sqls", team="South") == {JAN: None, FEB: 1}
    assert made.values("goal_sqls_gap", team="North") == {JAN: -1, FEB: -1}
    assert len(made.rows("goal", team="West")) == 0


def test_planned_spend_is_compared_with_that_of_its_own_days(lead_table):
    made = lead_table(
        ONE_A_MONTH,
        spend="""
            date_from  | date_to    | amount | channel
            2025-12-01 | 2025-12-31 | 999    | Web
            2026-01-01 | 2026-01-31 | 310    | Web
            2026-02-01 | 2026-02-28 | 280    | Web
        """,
        goals="""
            month   | mqls | spend
            2026-01 | 10   | 300
            2026-02 | 10   | 300
            2026-03 | 10   | 300
        """,
        lag_days=31,
        as_of="2026-03-31",
    )
    assert made.value("spend", JAN) == 999
    assert made.values("goal_spend_gap") == {JAN: 10, FEB: -20, MAR: None}
    assert made.values("goal_spend_attainment") == {JAN: 310 / 300, FEB: 280 / 300, MAR: None}
    assert "spend-not-covered" in made.flags("goal_spend_gap", MAR)


def test_goals_of_longer_buckets_are_sums(lead_table):
    made = lead_table(ONE_A_MONTH, goals=GOALS, as_of="2026-04-30")
    for grain, label in (("quarter", "2026-Q1"), ("half", "2026-H1"), ("year", "2026")):
        assert made.again(grain=grain).values("goal") == {label: 121}


def test_goals_of_weeks_and_clipped_buckets_are_taken_by_the_day(lead_table):
    weeks = lead_table(
        ONE_A_MONTH, goals=GOALS, grain="week", period="2026-01-19..2026-02-03", as_of="2026-04-30"
    )
    # Two a day in January, one in February.
    assert weeks.values("goal") == {"2026-W04": 14, "2026-W05": 13, "2026-W06": 2}
    months = weeks.again(grain="month", period="2026-01-21..2026-02-07")
    assert months.values("goal") == {JAN: 22, FEB: 7}


def test_a_bucket_with_a_month_that_has_no_goal_has_none(lead_table):
    made = lead_table(ONE_A_MONTH, goals="month | mqls\n2026-01 | 62\n", as_of="2026-04-30")
    assert made.values("goal") == {JAN: 62, FEB: None, MAR: None}
    assert made.of("goal", "goal_attainment", "goal_gap") == {
        "goal": None, "goal_attainment": None, "goal_gap": None
    }  # fmt: skip


def test_a_goal_of_nothing_has_no_attainment(lead_table):
    made = lead_table(ONE_A_MONTH, goals="month | mqls\n2026-01 | 0\n", period=JAN)
    assert made.of("goal", "goal_attainment", "goal_gap") == {
        "goal": 0, "goal_attainment": None, "goal_gap": 1
    }  # fmt: skip


def test_goals_by_source(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | source
            A       | 2026-01-05 | Web
            B       | 2026-01-06 | Web
            C       | 2026-01-07 | Event
            D       | 2026-01-08 | Mail
        """,
        goals="""
            month   | mqls | source
            2026-01 | 4    | Web
            2026-01 | 2    | Event
        """,
        by=["source"],
        period=JAN,
    )
    assert made.value("goal_attainment", source="Web") == 0.5
    assert made.value("goal_attainment", source="Event") == 0.5
    assert len(made.rows("goal", source="Mail")) == 0
    assert made.value("goal") == 6  # nobody gave one for all, so it is theirs together


def test_a_bucket_in_progress(lead_table):
    made = lead_table(
        """
            lead_id   | mql_at
            January   | 2026-01-05
            February  | 2026-02-05
            as well   | 2026-02-06
        """,
        goals=GOALS,
        as_of="2026-02-14",  # 14 of 28 days are over
        period="2026-01..2026-02",
    )
    assert {b: made.flags("mqls", b) for b in (JAN, FEB, "total")} == {
        JAN: set(), FEB: {"in-progress"}, "total": {"in-progress"}
    }  # fmt: skip
    assert made.values("goal_to_date") == {FEB: 14}
    assert made.values("needed_per_day") == {FEB: 26 / 14}
    assert made.of("goal_to_date", "needed_per_day") == {
        "goal_to_date": pytest.approx(90 * 45 / 59), "needed_per_day": 87 / 14
    }  # fmt: skip


def monthly(*, first_half: Sequence[int], second_half: Sequence[int], start: str = "2025-07"):
    """Return leads with so many MQLs on the 5th and on the 25th of consecutive months."""
    months = pd.period_range(start, periods=len(first_half), freq="M").strftime("%Y-%m")
    rows = [["lead_id", "mql_at", "source"]]
    for month, early, late in zip(months, first_half, second_half, strict=True):
        rows += [[f"{month} early {i}", f"{month}-05 09:00", "Web"] for i in range(early)]
        rows += [[f"{month} late {i}", f"{month}-25 09:00", "Ads"] for i in range(late)]
    return rows


def test_a_running_month_goes_on_as_those_before(lead_table):
    made = lead_table(
        monthly(first_half=[1, 2, 0, 4, 1, 3, 2], second_half=[3, 5, 4, 4, 3, 5, 0]),
        goals="month | mqls\n2026-01 | 7\n",
        as_of="2026-01-15",
        period=JAN,
    )
    # After the middle of the six months before came 4 on average, s² = 4/5: with k = 6,
    # s√(1 + 1/6) = 0.966092, and t(5; 0.9) = 1.475884.
    row = made.row("mqls_forecast", JAN)
    wanted = [6, 6, 6 - 0.966092 * 1.475884, 6 + 0.966092 * 1.475884]
    assert row[["value", "n", "low", "high"]].tolist() == pytest.approx(wanted, abs=1e-5)
    # The goal of 7 is 1 more: P(T5 ≥ 1 / 0.966092)
    probability = made.value("goal_probability", JAN)
    assert probability == pytest.approx(student.sf(1 / 0.9660917830792959, 5))
    assert len(made.rows("mqls_forecast")) == 1  # none of the whole period
    # The source that came late has nothing yet, and is not below that.
    ads = made.again(by=["source"], where={})
    assert ads.value("mqls_forecast", JAN, source="Web") == 2
    assert ads.row("mqls_forecast", JAN, source="Web")[["low", "high"]].tolist() == [2, 2]
    # A filter gives the number of the segment, and its months count from the data's first.
    kept = made.again(where={"source": ["Web"]})
    assert kept.value("mqls_forecast", JAN) == 2
    assert kept.row("mqls_forecast", JAN)["n"] == 6


def test_a_goal_that_is_reached_is_certain(lead_table):
    made = lead_table(
        monthly(first_half=[1, 2, 0, 4, 1, 3, 2], second_half=[3, 5, 4, 4, 3, 5, 0]),
        goals="month | mqls\n2026-01 | 2\n",
        as_of="2026-01-15",
        period=JAN,
    )
    assert made.value("goal_probability", JAN) == 1


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        pytest.param({"period": "2025-12"}, [], id="no bucket is running"),
        pytest.param({"period": "2026-01-01..2026-01-20"}, [], id="the running one is cut"),
        pytest.param({"grain": "quarter", "period": "2026-Q1"}, [None], id="two closed quarters"),
        pytest.param({"as_of": "2025-12-31", "period": "2025-12..2026-01"}, [], id="not begun"),
        pytest.param({"as_of": "2026-01-01T00:00:00Z", "period": JAN}, [12.0], id="just begun"),
    ],
)
def test_where_there_is_a_forecast(lead_table, params, rows):
    leads = monthly(first_half=[6] * 7, second_half=[6] * 6 + [0])
    made = lead_table(leads, **{"as_of": "2026-01-15", "period": JAN, **params})
    found = made.rows("mqls_forecast")["value"].astype(object)
    assert found.where(found.notna(), None).tolist() == rows


def test_the_forecast_is_tested_on_the_buckets_before(lead_table):
    made = lead_table(
        # Of eight closed months two have six before them: 4 lies inside, 30 does not.
        monthly(
            first_half=[1, 1, 1, 1, 1, 1, 1, 1, 2],
            second_half=[3, 5, 4, 4, 3, 5, 4, 30, 0],
            start="2025-05",
        ),
        as_of="2026-01-15",
        period=JAN,
    )
    assert forecast.backtest(made.leads) == forecast.Backtest(hits=1, trials=2)
    assert forecast.backtest(made.again(period="2025-12").leads) is None
    assert forecast.closed_buckets(made.leads) == 8


def test_weekly_mqls_are_of_whole_weeks(lead_table):
    made = lead_table(
        """
            lead_id                              | mql_at
            the week of the first MQL counts     | 2025-12-31 09:00
            the Sunday before midnight in Tallinn| 2026-01-11 21:30
            Monday in Tallinn                    | 2026-01-11 22:30
            the week is not over                 | 2026-01-20 09:00
        """,
        as_of="2026-01-24",
        timezone="Europe/Tallinn",
        period=JAN,
    )
    assert volume.weekly_mqls(made.leads).tolist() == [1, 1, 1]
    assert volume.weekly_mqls(made.again(as_of="2026-01-25").leads).tolist() == [1, 1, 1, 1]


def test_a_goal_already_passed_needs_less_than_nothing(lead_table):
    made = lead_table(
        "lead_id | mql_at\nA | 2026-02-05\nB | 2026-02-06\n",
        goals="month | mqls\n2026-02 | 1\n",
        as_of="2026-02-14",
        period=FEB,
    )
    assert made.value("needed_per_day") == -1 / 14


def test_days_left_are_days_of_the_calendar(lead_table):
    # The clocks go on during the 29th, and three days are left all the same.
    made = lead_table(
        ONE_A_MONTH, goals=GOALS, as_of="2026-03-28", period=MAR, timezone="Europe/Tallinn"
    )
    assert made.of("goal_to_date", "needed_per_day") == {
        "goal_to_date": pytest.approx(28), "needed_per_day": pytest.approx(10)
    }  # fmt: skip


def test_a_bucket_that_ends_with_as_of_is_over(lead_table):
    made = lead_table(ONE_A_MONTH, as_of="2026-01-31", period=JAN)
    assert made.flags("mqls", JAN) == set()
    assert made.again(as_of="2026-01-31T23:59:59Z").flags("mqls", JAN) == {"in-progress"}


def test_longer_buckets_and_fiscal_years(lead_table):
    made = lead_table(
        """
            lead_id       | mql_at
            last of 2025  | 2025-12-31 23:59
            first of 2026 | 2026-01-01 00:00
            last of March | 2026-03-31 23:59
            outside       | 2026-04-01 00:00
        """,
        period="2025-10..2026-03",
    )
    for grain, fiscal, counts in [
        ("quarter", 1, {"2025-Q4": 1, "2026-Q1": 2}),
        ("half", 1, {"2025-H2": 1, "2026-H1": 2}),
        ("year", 1, {"2025": 1, "2026": 2}),
        ("quarter", 4, {"2026-Q3": 1, "2026-Q4": 2}),  # the year that ends in March 2026
        ("half", 4, {"2026-H2": 3}),
        ("year", 4, {"2026": 3}),
    ]:
        assert made.again(grain=grain, fiscal_year_start=fiscal).values("mqls") == counts


def test_a_clipped_period_leaves_out_what_lies_outside_of_it(lead_table):
    made = lead_table(
        """
            lead_id         | mql_at
            the day before  | 2026-01-04 23:59
            first day       | 2026-01-05 00:00
            last day        | 2026-02-14 23:59
            the day after   | 2026-02-15 00:00
        """,
        period="2026-01-05..2026-02-14",
    )
    assert made.values("mqls") == {JAN: 1, FEB: 1}
    row = made.row("mqls", JAN)
    assert (row["start"], row["end"]) == (date(2026, 1, 5), date(2026, 2, 1))


# --- Hand-off and efficiency

DECISIONS = """
    lead_id                  | mql_at           | accepted_at      | rejected_at      | sql_at           | rejection_reason
    accepted                 | 2026-01-05 09:00 | 2026-01-06 09:00 |                  |                  |
    rejected                 | 2026-01-05 09:00 |                  | 2026-01-06 09:00 |                  | Not a fit
    undecided                | 2026-01-05 09:00 |                  |                  |                  |
    SQL and nothing else     | 2026-01-05 09:00 |                  |                  | 2026-01-08 09:00 |
    tie                      | 2026-01-05 09:00 | 2026-01-06 09:00 | 2026-01-06 09:00 |                  | Duplicate
    overturned               | 2026-01-05 09:00 | 2026-01-09 09:00 | 2026-01-06 09:00 |                  | Not a fit
    rejected and SQL         | 2026-01-05 09:00 |                  | 2026-01-06 09:00 | 2026-01-20 09:00 |
    turned down after all    | 2026-01-05 09:00 | 2026-01-06 09:00 | 2026-01-07 09:00 |                  | Budget
    accepted, then SQL       | 2026-01-05 09:00 | 2026-01-06 09:00 |                  | 2026-01-08 09:00 |
"""  # noqa: E501


def test_the_first_decision_counts(lead_table):
    made = lead_table(DECISIONS, period=JAN)
    assert made.of("mqls", "accepted", "rejected", "undecided", "acceptance_rate") == {
        "mqls": 9, "accepted": 5, "rejected": 3, "undecided": 1, "acceptance_rate": 5 / 8
    }  # fmt: skip
    assert noted(made, "overturned") == {"overturned": 2}
    assert made.of("sqls", "efficiency") == {"sqls": 3, "efficiency": 3 / 9}
    # Everybody who left took a day, but for the SQL that nobody accepted before.
    assert made.of("hours_in_stage_mean") == {"hours_in_stage_mean": (7 * 24 + 72) / 8}


def test_rejections_by_reason(lead_table):
    made = lead_table(DECISIONS, period=JAN)
    assert handoff.rejection_reasons(made.leads).to_dict("list") == {
        "reason": ["Not a fit", "(missing)"], "leads": [2, 1]
    }  # fmt: skip


def test_a_hand_off_nobody_records_is_null_and_not_zero(lead_table):
    made = lead_table(
        """
            lead_id | mql_at           | sql_at
            SQL     | 2026-01-05 09:00 | 2026-01-06 09:00
            open    | 2026-01-05 09:00 |
        """,
        period=JAN,
    )
    assert made.of("accepted", "rejected", "undecided", "acceptance_rate") == dict.fromkeys(
        ["accepted", "rejected", "undecided", "acceptance_rate"]
    )
    # The exit is then the SQL alone.
    assert made.of("hours_in_stage_mean", "in_stage", "sla_met", "efficiency") == {
        "hours_in_stage_mean": 24, "in_stage": 1, "sla_met": 1, "efficiency": 0.5
    }  # fmt: skip


def test_efficiency_within_some_days(lead_table):
    made = lead_table(
        """
            lead_id                    | mql_at              | sql_at
            on the last moment         | 2026-01-05 00:00:00 | 2026-01-12 00:00:00
            a second too late          | 2026-01-05 00:00:00 | 2026-01-12 00:00:01
            never, its days just over  | 2026-01-24 00:00:00 |
            SQL, its days not over     | 2026-01-24 00:00:01 | 2026-01-25 00:00:00
            before it was MQL          | 2026-01-08 00:00:00 | 2026-01-07 00:00:00
        """,
        as_of="2026-01-31T00:00:00Z",
        period=JAN,
        within_days=7,
    )
    row = made.row("efficiency")
    assert row[["value", "n"]].tolist() == [2 / 4, 4]
    assert made.value("sqls") == 4  # by as_of, however long it took


def test_flow_counts_the_sqls_of_the_bucket_whatever_their_cohort(lead_table):
    made = lead_table(
        """
            lead_id                | mql_at     | sql_at
            before the period      | 2025-11-05 | 2026-02-01
            from the month before  | 2026-01-05 | 2026-02-28
            of the same month      | 2026-02-05 | 2026-02-06
            still open             | 2026-02-05 |
            without an MQL date    |            | 2026-02-07
            after the period       | 2026-02-08 | 2026-03-01
        """,
        period="2026-01..2026-02",
        as_of="2026-03-31",
    )
    assert made.values("sqls_in_period") == {JAN: 0, FEB: 3}
    assert made.values("efficiency_flow") == {JAN: 0, FEB: 1}
    assert made.of("sqls_in_period", "efficiency_flow", "sqls", "efficiency") == {
        "sqls_in_period": 3, "efficiency_flow": 3 / 4, "sqls": 3, "efficiency": 3 / 4
    }  # fmt: skip


def test_flow_may_pass_a_hundred_percent(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | sql_at
            A       | 2025-11-05 | 2026-01-05
            B       | 2025-12-05 | 2026-01-06
            C       | 2026-01-06 |
        """,
        period=JAN,
    )
    assert made.value("efficiency_flow") == 2


def test_mqls_per_sql_is_the_division_the_other_way_round(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | sql_at
            A       | 2026-01-05 | 2026-01-06
            B       | 2026-01-05 | 2026-01-06
            C       | 2026-01-05 |
            D       | 2026-02-05 |
        """,
        period="2026-01..2026-02",
    )
    assert made.values("mqls_per_sql") == {JAN: 1.5, FEB: None}


def days_to_sql(*days, first="2026-01-01"):
    """Return leads of one cohort, an SQL each after so many days."""
    entered = pd.Timestamp(first)
    rows = [[f"day {d}", f"{entered}", f"{entered + pd.Timedelta(days=d)}"] for d in days]
    return [["lead_id", "mql_at", "sql_at"], *rows]


def test_maturity_is_when_nine_in_ten_of_the_conversions_up_to_the_horizon_have_come(lead_table):
    rows = days_to_sql(*range(1, 12))
    # Out of order: in no duration.
    rows += [["not yet", "2026-01-01 00:00", ""], ["early", "2026-01-09 00:00", "2026-01-08 00:00"]]
    # The cohort lies outside of the period.
    made = lead_table(rows, period="2026-03", as_of="2026-03-31")
    # A tenth of 12 leads, rounded up, is 2: two have been there for 11 days. 0.9 × 11/12 < 10/12.
    assert (made.maturity.days, made.maturity.horizon_days) == (10, 11)
    # 3 of the 11 came after 8.8 days.
    assert made.maturity.is_rising


def test_a_cohort_is_immature_until_its_days_are_over(lead_table):
    rows = [*days_to_sql(10, first="2025-12-01"), ["young", "2026-01-15 00:00", ""]]
    last = lead_table(rows, period=JAN, as_of="2026-02-10T23:59:59Z")
    over = last.again(as_of="2026-02-11T00:00:00Z")
    for metric in ("sqls", "efficiency", "mqls_per_sql", "efficiency_projected"):
        assert last.flags(metric) == {"immature"}
        assert over.flags(metric) == set()


def test_while_conversions_still_come_at_the_horizon_every_cohort_is_immature(lead_table):
    made = lead_table(days_to_sql(1, 9, 10), period=JAN, as_of="2027-01-31")
    # F is 2/3 by day 8 of 10, and 1 at the end.
    assert (made.maturity.days, made.maturity.is_rising) == (10, True)
    assert made.flags("efficiency") == {"immature"}
    # With `within_days` the days decide, and every lead has had them.
    within = made.again(within_days=9)
    assert (within.maturity.days, within.maturity.horizon_days) == (9, 9)
    assert within.flags("efficiency") == set()


def test_where_nothing_has_converted_every_cohort_is_immature(lead_table):
    made = lead_table(
        """
            lead_id         | mql_at           | sql_at           | source
            open            | 2026-01-10 09:00 |                  | Web
            SQL             | 2026-01-10 09:00 | 2026-01-11 09:00 | Event
            SQL before MQL  | 2026-01-10 09:00 | 2026-01-09 09:00 | Web
        """,
        period=JAN,
        as_of="2027-01-31",
        where={"source": ["Web"]},
    )
    # The SQL out of order counts, but tells nothing about the time it takes.
    assert made.of("sqls", "efficiency", "efficiency_projected") == {
        "sqls": 1, "efficiency": 0.5, "efficiency_projected": None
    }  # fmt: skip
    assert made.flags("efficiency") == {"immature"}
    assert math.isnan(made.maturity.days)


def test_without_any_sql_in_the_data_conversion_is_not_recorded(lead_table):
    made = lead_table(
        """
            lead_id  | mql_at           | contacted_at     | accepted_at
            accepted | 2026-01-05 09:00 | 2026-01-05 09:30 | 2026-01-06 09:00
        """,
        period=JAN,
        as_of="2026-03-31",
    )
    names = (
        "sqls", "efficiency", "mqls_per_sql", "sqls_in_period", "efficiency_flow",
        "efficiency_projected", "lift_1h",
    )  # fmt: skip
    for name in names:
        row = made.row(name)
        assert row[["value", "n", "low", "high"]].isna().all()
        assert row["flags"] == ("not-recorded",)
    assert math.isnan(made.maturity.days)
    assert math.isnan(made.maturity.horizon_days)
    assert made.value("accepted") == 1
    # Decided before the filter: another country has SQLs, and this one has none yet.
    both = lead_table(
        """
            lead_id  | mql_at     | accepted_at | sql_at     | source
            accepted | 2026-01-05 | 2026-01-06  |            | Web
            SQL      | 2026-01-05 | 2026-01-06  | 2026-01-07 | Event
        """,
        period=JAN,
        as_of="2026-03-31",
        where={"source": ["Web"]},
    )
    assert both.of("sqls", "efficiency") == {"sqls": 0, "efficiency": 0}


def test_the_projection_gives_each_open_lead_its_chance(lead_table):
    made = lead_table(
        """
            lead_id                | mql_at           | rejected_at      | sql_at
            SQL after 2 days       | 2026-01-05 00:00 |                  | 2026-01-07 00:00
            open for 3 days        | 2026-01-28 00:00 |                  |
            rejected after 4 days  | 2026-01-05 00:00 | 2026-01-09 00:00 |
            SQL after 6 days       | 2026-01-05 00:00 |                  | 2026-01-11 00:00
            10 days, the horizon   | 2025-12-05 00:00 |                  | 2025-12-15 00:00
            10 days again          | 2025-12-05 00:00 |                  | 2025-12-15 00:00
        """,
        as_of="2026-01-31T00:00:00Z",
        period=JAN,
    )
    assert (made.maturity.days, made.maturity.horizon_days) == (10, 10)
    # S is 5/6 after 2 days, 5/8 after 4, 5/12 after 6. F(10) = 1/6 + 5/8 × 1/3 + 5/12 = 19/24.
    # The open lead: (19/24 − 1/6) / (5/6) = 3/4.
    row = made.row("efficiency_projected")
    assert row[["value", "n"]].tolist() == [(2 + 0.75) / 4, 4]
    assert made.value("efficiency") == 0.5
    # December has nothing left to come.
    assert made.again(period="2025-12").row("efficiency_projected")[
        ["value", "low", "high"]
    ].tolist() == [1, 1, 1]


def test_the_projection_within_some_days_is_of_all_mqls_and_of_those_days(lead_table):
    made = lead_table(
        """
            lead_id               | mql_at           | sql_at
            SQL after 2 days      | 2026-01-05 00:00 | 2026-01-07 00:00
            SQL after 6 days      | 2026-01-05 00:00 | 2026-01-11 00:00
            open and too old      | 2026-01-05 00:00 |
            open for a day        | 2026-01-30 00:00 |
            SQL in less           | 2026-01-30 00:00 | 2026-01-30 12:00
        """,
        as_of="2026-01-31T00:00:00Z",
        period=JAN,
        within_days=5,
    )
    # Three leads have had their 5 days, and one of them is an SQL within them.
    assert made.row("efficiency")[["value", "n"]].tolist() == [1 / 3, 3]
    # F(0.5) = 1/5 and S = 4/5; F(2) = 1/5 + 4/5 × 1/3. A day old: (4/15) / (4/5) = 1/3.
    row = made.row("efficiency_projected")
    assert row[["value", "n"]].tolist() == [pytest.approx((2 + 1 / 3) / 5), 5]
    assert made.value("sqls") == 3


def test_the_lead_that_sets_the_maturity_is_mature(lead_table):
    # 703545 s are 8.14 days, and that many days times 86400 are a hair less than 703545 s.
    entered = pd.Timestamp("2026-01-05")
    rows = [
        ["lead_id", "mql_at", "sql_at"],
        ["the only one", f"{entered}", f"{entered + pd.Timedelta(seconds=703_545)}"],
        ["open", f"{entered}", ""],
    ]
    made = lead_table(rows, period=JAN, as_of="2026-02-28")
    assert made.value("efficiency_projected") == 0.5


def test_shares_carry_their_denominator_and_wilsons_interval(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | accepted_at | rejected_at | sql_at
            A       | 2026-01-05 | 2026-01-06  |             | 2026-01-07
            B       | 2026-01-05 | 2026-01-06  |             |
            C       | 2026-01-05 | 2026-01-06  |             |
            D       | 2026-01-05 |             | 2026-01-06  |
            E       | 2026-01-05 |             |             |
        """,
        period="2026-01..2026-02",
        as_of="2026-03-31",
    )
    # Wilson 1927, 3 of 4.
    row = made.row("acceptance_rate", JAN)
    assert row[["value", "n"]].tolist() == [0.75, 4]
    assert row[["low", "high"]].tolist() == pytest.approx([0.3006418423, 0.9544127392])
    # Nobody came in in February: null, never 0 and never an error.
    for metric in ("acceptance_rate", "efficiency", "sla_attainment", "mqls_per_sql"):
        empty = made.row(metric, FEB)
        assert empty["n"] == 0
        assert empty[["value", "low", "high"]].isna().all(), metric


# --- Velocity


def after(entered, *hours):
    """Return leads that were accepted so many hours after they came in; None waits."""
    at = pd.Timestamp(entered)
    rows = [
        [f"{n}: {h}", f"{at}Z", "" if h is None else f"{at + pd.Timedelta(hours=h)}Z"]
        for n, h in enumerate(hours)
    ]
    return [["lead_id", "mql_at", "accepted_at"], *rows]


def test_velocity_of_those_who_left_and_of_all(lead_table):
    made = lead_table(
        after("2026-01-05", 1, 2, 4, 10, None), period=JAN, as_of="2026-01-05T03:00:00Z"
    )
    # As of three hours in, two have left and three wait.
    assert made.of("hours_in_stage_mean", "hours_in_stage_median", "hours_in_stage_p90") == {
        "hours_in_stage_mean": 1.5, "hours_in_stage_median": 1.5, "hours_in_stage_p90": 1.9
    }  # fmt: skip
    assert made.row("hours_in_stage_mean")["n"] == 2
    km = made.row("hours_in_stage_km_median")
    assert (math.isnan(km["value"]), km["n"]) == (True, 5)  # not reached: 3 of 5 still wait

    later = made.again(as_of="2026-01-31")
    assert later.of("hours_in_stage_mean", "hours_in_stage_median", "hours_in_stage_p90") == {
        "hours_in_stage_mean": 4.25,
        "hours_in_stage_median": 3.0,
        "hours_in_stage_p90": pytest.approx(8.2),  # 4 + 0.7 × 6
    }
    assert later.value("hours_in_stage_km_median") == 4  # 2 of 5 are left


def test_the_kaplan_meier_median_is_reached_at_a_half(lead_table):
    made = lead_table(after("2026-01-05", 5, 7, None, None), period=JAN, as_of="2026-01-31")
    assert made.value("hours_in_stage_km_median") == 7


def test_velocity_with_nobody_who_left(lead_table):
    made = lead_table(after("2026-01-05", None), period=JAN, as_of="2026-01-31")
    names = ["mean", "median", "p90", "km_median"]
    assert made.of(*(f"hours_in_stage_{n}" for n in names)) == {
        f"hours_in_stage_{n}": None for n in names
    }


def test_the_survival_curve_of_the_period(lead_table):
    made = lead_table(
        after("2026-01-05", 1, 2, 2, 10, None), period=JAN, as_of="2026-01-05T06:00:00Z"
    )
    curve = waiting.survival_curve(levels.time_in_stage(made.leads))
    assert list(curve.columns) == ["hours", "waiting", "low", "high", "at_risk"]
    assert curve["hours"].tolist() == [0, 1, 2]
    assert curve["waiting"].tolist() == [1, 0.8, pytest.approx(0.4)]
    assert curve["at_risk"].tolist() == [5, 5, 4]
    assert (curve["low"] <= curve["waiting"]).all()
    assert (curve["high"] >= curve["waiting"]).all()


# --- SLA

AGAINST_48_HOURS = """
    lead_id                | mql_at              | accepted_at         | owner
    in time to the second  | 2026-01-05 09:00:00 | 2026-01-07 09:00:00 | Ana
    a second too late      | 2026-01-05 09:00:00 | 2026-01-07 09:00:01 | Ana
    a day too late         | 2026-01-05 09:00:00 | 2026-01-08 09:00:00 | Ben
    overdue and open       | 2026-01-20 09:00:00 |                     | Ana
    due this very moment   | 2026-01-29 12:00:00 |                     | Ana
    not due yet            | 2026-01-31 09:00:00 |                     | Ana
    out of order           | 2026-01-05 09:00:00 | 2026-01-05 08:00:00 | Ana
"""
SLA = ("sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_unmeasurable")


def test_sla_outcomes(lead_table):
    made = lead_table(AGAINST_48_HOURS, as_of="2026-01-31T12:00:00Z", period=JAN, sla="48h")
    assert made.of("mqls", *SLA, "sla_attainment") == {
        "mqls": 7,
        "sla_met": 1,
        "sla_breached": 3,
        "sla_past_due": 1,
        "sla_pending": 2,
        "sla_unmeasurable": 1,
        "sla_attainment": 0.25,
    }
    assert made.row("sla_attainment")["n"] == 4


def test_the_breach_list(lead_table):
    made = lead_table(
        AGAINST_48_HOURS,
        as_of="2026-01-31T12:00:00Z",
        period=JAN,
        sla="48h",
        timezone="Europe/Tallinn",
    )
    found = lead_lists.breach_list(made.leads)
    assert listed(found, "lead_id", "owner", "entered", "due", "is_open") == [
        ("overdue and open", "Ana", "2026-01-20 11:00", "2026-01-22 11:00", True),
        ("a day too late", "Ben", "2026-01-05 11:00", "2026-01-07 11:00", False),
        ("a second too late", "Ana", "2026-01-05 11:00", "2026-01-07 11:00", False),
    ]
    assert found["hours_late"].tolist() == [219, 24, 1 / 3600]
    longest = lead_lists.breach_list(made.leads, longest=1)
    assert listed(longest, "lead_id", "of") == [("overdue and open", 3)]


def test_an_sla_between_dates_is_whole_days(lead_table):
    made = lead_table(
        """
            lead_id        | mql_at     | rejected_at
            two days       | 2026-01-05 | 2026-01-07
            three days     | 2026-01-05 | 2026-01-08
            open for two   | 2026-01-29 |
            open for three | 2026-01-28 |
        """,
        as_of="2026-01-31",
        period=JAN,
        sla="2d",
    )
    assert made.of(*SLA) == {
        "sla_met": 1, "sla_breached": 2, "sla_past_due": 1, "sla_pending": 1, "sla_unmeasurable": 0
    }  # fmt: skip


def test_an_sla_that_stops_on_contact(lead_table):
    made = lead_table(
        """
            lead_id                  | mql_at           | contacted_at     | rejected_at
            called in time           | 2026-01-05 09:00 | 2026-01-05 13:00 |
            called too late          | 2026-01-05 09:00 | 2026-01-05 13:01 |
            rejected, never called   | 2026-01-05 09:00 |                  | 2026-01-05 10:00
            called before it was MQL | 2026-01-05 09:00 | 2026-01-05 08:00 |
            out of order, but called | 2026-01-05 09:00 | 2026-01-05 10:00 | 2026-01-05 08:00
            not called yet           | 2026-01-31 09:00 |                  |
        """,
        as_of="2026-01-31T12:00:00Z",
        period=JAN,
        sla="4h",
        sla_stops_on="contact",
    )
    assert made.of("mqls", *SLA) == {
        "mqls": 6,
        "sla_met": 2,
        "sla_breached": 2,
        "sla_past_due": 1,
        "sla_pending": 1,
        "sla_unmeasurable": 1,
    }


def test_a_contact_before_the_mql_is_unmeasurable_whatever_the_clock(lead_table):
    # Between the contact of the first lead, a Saturday, and its MQL no one works.
    made = lead_table(
        """
            lead_id               | mql_at           | contacted_at
            called on the weekend | 2026-01-10 12:00 | 2026-01-10 11:00
            called an hour early  | 2026-01-13 12:00 | 2026-01-13 11:00
            called in time        | 2026-01-13 12:00 | 2026-01-13 12:30
        """,
        period=JAN,
        as_of="2026-01-31",
        sla="8h",
        sla_clock="business",
        sla_stops_on="contact",
    )
    assert made.of("sla_met", "sla_unmeasurable") == {"sla_met": 1, "sla_unmeasurable": 2}


OVER_A_WEEKEND = """
    lead_id            | mql_at           | accepted_at      | contacted_at
    Friday to Monday   | 2026-01-09 16:00 | 2026-01-12 16:00 | 2026-01-10 09:00
    during the weekend | 2026-01-10 12:00 | 2026-01-12 10:00 | 2026-01-12 10:00
    too slow           | 2026-01-05 09:00 | 2026-01-07 09:30 | 2026-01-05 09:30
    open since Friday  | 2026-01-30 16:00 |                  |
"""


def test_the_business_clock_runs_only_while_the_team_works(lead_table):
    made = lead_table(
        OVER_A_WEEKEND,
        zones={"leads": "Europe/Tallinn"},
        as_of="2026-02-02T10:00:00+02:00",  # Monday at ten: two working hours after Friday at four
        period=JAN,
        sla="1d",
        sla_clock="business",
        work_week="Mon-Fri 09:00-17:00",
    )
    assert made.of(*SLA) == {
        "sla_met": 2, "sla_breached": 1, "sla_past_due": 0, "sla_pending": 1, "sla_unmeasurable": 0
    }  # fmt: skip
    # 8, 1 and 16.5 working hours.
    assert made.of("hours_in_stage_mean", "hours_in_stage_median") == {
        "hours_in_stage_mean": 8.5, "hours_in_stage_median": 8.0
    }  # fmt: skip
    assert listed(
        lead_lists.breach_list(made.leads), "lead_id", "due", "hours_late", "is_open"
    ) == [("too slow", "2026-01-05 17:00", 8.5, False)]
    # An hour is an hour of the calendar here.
    assert made.value("contacted_within_1h") == 0.25


@pytest.mark.parametrize(
    ("work_week", "hours"),
    [
        # Friday 16:00 to Monday 16:00 and Saturday 12:00 to Monday 17:00: 1 + 4 + 7 and 2 + 8.
        ("Mon-Fri 09:00-17:00, Sat 10:00-14:00", (12 + 10) / 2),
        # Lunch is not worked: 2 + 6, and 7.
        ("Mon-Fri 09:00-13:00 14:00-18:00", (8 + 7) / 2),
        # The shift of Friday ends on Saturday at 06:00: 8 + 0 + 6, and 0 + 6.
        ("Mon-Fri 22:00-06:00, Sun 22:00-04:00", (8 + 6 + 6) / 2),
    ],
)
def test_a_work_week_of_several_windows(lead_table, work_week, hours):
    made = lead_table(
        """
            lead_id          | mql_at           | accepted_at
            Friday to Monday | 2026-01-09 16:00 | 2026-01-12 16:00
            from Saturday    | 2026-01-10 12:00 | 2026-01-12 17:00
        """,
        zones={"leads": "Europe/Tallinn"},
        period=JAN,
        sla_clock="business",
        work_week=work_week,
    )
    assert made.value("hours_in_stage_mean") == hours


def test_the_business_clock_rests_on_public_holidays(lead_table):
    # 24 February is Estonia's Independence Day, a Tuesday in 2026.
    made = lead_table(
        """
            lead_id | mql_at           | accepted_at
            A       | 2026-02-23 16:00 | 2026-02-25 10:00
        """,
        zones={"leads": "Europe/Tallinn"},
        period=FEB,
        sla_clock="business",
        holidays="EE",
    )
    assert made.value("hours_in_stage_mean") == 2


def test_the_business_clock_counts_working_days_between_dates(lead_table):
    made = lead_table(
        """
            lead_id              | mql_at     | accepted_at
            Friday to Monday     | 2026-01-09 | 2026-01-12
            Saturday to Sunday   | 2026-01-10 | 2026-01-11
            Monday to Thursday   | 2026-01-12 | 2026-01-15
            open since Thursday  | 2026-01-29 |
        """,
        as_of="2026-02-01",  # a Sunday
        period=JAN,
        sla="2d",
        sla_clock="business",
    )
    assert made.value("hours_in_stage_mean") == (8 + 0 + 24) / 3
    assert made.of(*SLA) == {
        "sla_met": 2, "sla_breached": 1, "sla_past_due": 0, "sla_pending": 1, "sla_unmeasurable": 0
    }  # fmt: skip


def test_a_holiday_calendar_nobody_knows(lead_table):
    with pytest.raises(ParamsError, match="holidays: 'XX' is unknown"):
        lead_table(OVER_A_WEEKEND, period=JAN, sla_clock="business", holidays="XX")


# --- Speed of response


def test_contacted_within_the_hour(lead_table):
    made = lead_table(
        """
            lead_id                 | mql_at              | contacted_at
            after an hour sharp     | 2026-01-05 09:00:00 | 2026-01-05 10:00:00
            a second later          | 2026-01-05 09:00:00 | 2026-01-05 10:00:01
            days later              | 2026-01-05 09:00:00 | 2026-01-08 09:00:00
            never                   | 2026-01-05 09:00:00 |
            its hour is just over   | 2026-01-31 11:00:00 |
            its hour is not over    | 2026-01-31 11:00:01 |
            called, hour not over   | 2026-01-31 11:50:00 | 2026-01-31 11:55:00
            called before it was    | 2026-01-05 09:00:00 | 2026-01-05 08:00:00
        """,
        as_of="2026-01-31T12:00:00Z",
        period=JAN,
    )
    row = made.row("contacted_within_1h")
    assert row[["value", "n"]].tolist() == [2 / 6, 6]
    assert response.response_times(made.leads)[["within", "leads"]].to_dict("list") == {
        "within": ["1 h", "1–24 h", "over 24 h", "not yet", "before MQL"],
        "leads": [2, 1, 1, 3, 1],
    }


@pytest.mark.parametrize("dated", ["mql_at", "contacted_at"])
def test_an_hour_cannot_be_told_from_dates(lead_table, dated):
    times = {"mql_at": " 09:00", "contacted_at": " 09:30"}
    times[dated] = ""
    made = lead_table(
        f"""
            lead_id | mql_at                      | contacted_at
            A       | 2026-01-05{times["mql_at"]} | 2026-01-05{times["contacted_at"]}
        """,
        period=JAN,
        as_of="2026-01-31",
    )
    for metric in ("contacted_within_1h", "lift_1h"):
        assert made.value(metric) is None
        assert made.flags(metric) == {"day-precision"}


def test_without_contacts_nothing_is_said_about_them(lead_table):
    made = lead_table("lead_id | mql_at\nA | 2026-01-05 09:00\n", period=JAN, as_of="2026-01-31")
    assert made.of("contacted_within_1h", "lift_1h") == {
        "contacted_within_1h": None, "lift_1h": None
    }  # fmt: skip
    assert made.flags("contacted_within_1h") == {"not-recorded"}


CALLED = """
    lead_id | mql_at           | contacted_at     | sql_at
    fast 1  | 2026-01-05 09:00 | 2026-01-05 09:10 | 2026-01-06 09:00
    fast 2  | 2026-01-05 09:00 | 2026-01-05 09:10 | 2026-01-06 09:00
    fast 3  | 2026-01-05 09:00 | 2026-01-05 09:10 |
    slow 1  | 2026-01-05 09:00 | 2026-01-05 19:10 | 2026-01-06 09:00
    slow 2  | 2026-01-05 09:00 | 2026-01-05 19:10 |
    slow 3  | 2026-01-05 09:00 | 2026-01-05 19:10 |
    never   | 2026-01-05 09:00 |                  | 2026-01-06 09:00
    before  | 2026-01-05 09:00 | 2026-01-05 08:10 | 2026-01-06 09:00
"""


def test_what_the_first_hour_is_worth(lead_table):
    row = lead_table(CALLED, period=JAN).row("lift_1h")
    assert row[["value", "n"]].tolist() == [2, 6]
    spread = 1.959963984540054 * math.sqrt(1 / 2 - 1 / 3 + 1 / 1 - 1 / 3)
    assert [row["low"], row["high"]] == pytest.approx(
        [2 * math.exp(-spread), 2 * math.exp(spread)], rel=1e-12
    )


def test_lift_of_an_hour_after_which_nobody_became_sql(lead_table):
    none_fast = lead_table(
        """
            lead_id | mql_at           | contacted_at     | sql_at
            fast    | 2026-01-05 09:00 | 2026-01-05 09:10 |
            slow    | 2026-01-05 09:00 | 2026-01-05 19:10 | 2026-01-06 09:00
        """,
        period=JAN,
    ).row("lift_1h")
    assert none_fast["value"] == 0  # 0 of 1 over 1 of 1; the log method gives it no interval
    assert none_fast[["low", "high"]].isna().all()
    none_slow = lead_table(
        """
            lead_id | mql_at           | contacted_at     | sql_at
            fast    | 2026-01-05 09:00 | 2026-01-05 09:10 | 2026-01-06 09:00
            slow    | 2026-01-05 09:00 | 2026-01-05 19:10 |
        """,
        period=JAN,
    ).row("lift_1h")
    assert none_slow[["value", "low", "high"]].isna().all()


# --- Cost

TWO_SOURCES = """
    lead_id | created_at | mql_at     | sql_at     | source
    A       | 2025-12-26 | 2026-01-05 | 2026-01-09 | Web
    B       | 2025-12-26 | 2026-01-05 |            | Web
    C       | 2026-01-01 | 2026-01-06 |            | Event
    D       | 2026-01-08 | 2026-01-06 |            | Mail
    E       |            | 2026-02-06 |            | Web
"""
SPEND = """
    date_from  | date_to    | amount | channel
    2025-12-01 | 2025-12-31 | 310    | Web
    2026-01-01 | 2026-01-31 | 620    | Web
    2026-02-01 | 2026-02-28 | 280    | Web
    2025-12-24 | 2025-12-24 | 100    | Event
    2026-01-10 | 2026-01-10 | 40     |
"""


def test_the_lag_is_the_mean_over_the_period_in_whole_days(lead_table):
    made = lead_table(TWO_SOURCES, period=JAN)
    # 10, 10 and 5 days; created after it became MQL is no lag.
    assert made.row("lead_to_mql_days_mean")[["value", "n"]].tolist() == [25 / 3, 3]
    assert made.lag == 8
    assert made.again(lag_days=30).lag == 30
    assert made.again(period=FEB).lag == 0  # nothing to measure it by


@pytest.mark.parametrize(("days", "lag"), [((2, 3), 2), ((3, 4), 4)])
def test_half_days_of_lag_are_rounded_to_even(lead_table, days, lag):
    rows = [["lead_id", "created_at", "mql_at"]]
    rows += [[f"{d}", f"2026-01-{10 - d:02}", "2026-01-10"] for d in days]
    assert lead_table(rows, period=JAN).lag == lag


def test_spend_is_taken_a_lag_earlier_and_spread_by_the_day(lead_table):
    made = lead_table(TWO_SOURCES, spend=SPEND, period=JAN, lag_days=10, by=["source"], rolling=1)
    # 22 December up to and including 21 January: 10 × 10 and 21 × 20, and the other channels.
    assert made.value("spend", source="Web") == pytest.approx(520)
    assert made.of("spend", "cost_per_mql", "cost_per_sql") == pytest.approx(
        {"spend": 520 + 100 + 40, "cost_per_mql": 165, "cost_per_sql": 660}
    )
    assert made.value("cost_per_mql", source="Web") == pytest.approx(260)
    assert made.value("cost_per_mql", source="Event") == 100


def test_a_quarter_with_a_lag_of_thirty_days(lead_table):
    made = lead_table(
        TWO_SOURCES,
        spend="""
            date       | amount | channel
            2025-12-01 | 1000   | Web
            2025-12-02 | 1      | Web
            2026-03-01 | 2      | Web
            2026-03-02 | 1000   | Web
        """,
        period="2026-Q1",
        grain="quarter",
        lag_days=30,
    )
    assert made.values("spend") == pytest.approx({"2026-Q1": 3})


def test_sources_and_channels(lead_table):
    made = lead_table(
        TWO_SOURCES, spend=SPEND, period="2026-01..2026-02", lag_days=0, by=["source"]
    )
    assert made.values("spend", source="Web") == pytest.approx({JAN: 620, FEB: 280})
    # A channel without spend in the window is 0; one that is never named is null.
    assert made.values("spend", source="Event") == {JAN: 0, FEB: 0}
    assert made.values("cost_per_mql", source="Event") == {JAN: 0, FEB: None}
    assert made.flags("spend", JAN, source="Event") == set()
    assert made.values("spend", source="Mail") == {JAN: None, FEB: None}
    assert made.flags("spend", JAN, source="Mail") == {"no-spend-channel"}
    assert made.flags("cost_per_mql", JAN, source="Mail") == {"no-spend-channel"}


@pytest.mark.parametrize(
    ("given", "n"),
    [
        # Of Mail, and without a source.
        ({}, 2),
        # With a filter, the cost is that of its leads, is not known, or says what it is based on.
        ({"where": {"source": ["Web"]}}, 0),
        ({"where": {"owner": ["ann"]}}, 0),
        ({"period": "2026-02"}, 0),
    ],
)
def test_mqls_of_sources_without_spend_are_counted(lead_table, given, n):
    made = lead_table(
        """
            lead_id  | mql_at     | source | owner
            spend    | 2026-01-05 | Web    | ann
            none     | 2026-01-05 | Mail   | ann
            missing  | 2026-01-06 |        | ann
            february | 2026-02-06 | Web    | ann
        """,
        spend="date | amount | channel\n2026-01-05 | 10 | Web",
        lag_days=0,
        **{"period": JAN, **given},
    )
    assert mqls_without_spend(made.leads, made.tables.spend) == n
    assert mqls_without_spend(made.leads, None) == 0
    # Spend without channels is that of all leads.
    assert mqls_without_spend(made.again().leads, made.tables.spend.assign(channel=None)) == 0


def test_spend_that_no_lead_names(lead_table):
    made = lead_table(
        TWO_SOURCES,
        spend="""
            date       | amount | channel
            2026-01-05 | 10     | Web
            2026-01-06 | 40     | Radio
            2026-01-07 | 5      | Radio
            2026-01-07 | 60     |
        """,
        lag_days=0,
        period=JAN,
    )
    assert unnamed_channels(made.leads, made.tables.spend).to_dict("list") == {
        "channel": ["(none)", "Radio"], "amount": [60, 45]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "spends"),
    [
        pytest.param("2026-01-01", "2026-02-28", {JAN: 31, FEB: 28}, id="to the day"),
        pytest.param("2026-01-02", "2026-02-28", {JAN: None, FEB: 28}, id="a day short before"),
        pytest.param("2026-01-01", "2026-02-27", {JAN: 31, FEB: None}, id="a day short after"),
    ],
)
def test_a_window_that_spend_does_not_cover_is_null_and_not_less(lead_table, first, last, spends):
    days = [[f"{d:%Y-%m-%d}", "1", "Web"] for d in pd.date_range(first, last)]
    made = lead_table(
        TWO_SOURCES,
        spend=[["date", "amount", "channel"], *days],
        period="2026-01..2026-02",
        lag_days=0,
        rolling=1,
        as_of="2026-02-28",
    )
    assert made.values("spend") == spends
    for bucket, value in spends.items():
        wanted = {"spend-not-covered"} if value is None else set()
        assert made.flags("spend", bucket) == wanted
        assert made.flags("cost_per_mql", bucket) == wanted
        assert made.flags("cost_per_mql_rolling", bucket) == wanted
    whole = sum(spends.values()) if None not in spends.values() else None
    assert made.value("spend") == whole


def test_all_channels_together_say_which_days_are_covered(lead_table):
    made = lead_table(
        TWO_SOURCES,
        spend="""
            date       | amount | channel
            2026-01-05 | 10     | Web
            2025-12-01 | 1      | Radio
            2026-02-28 | 1      | Radio
        """,
        lag_days=0,
        period=JAN,
        by=["source"],
    )
    assert made.value("spend", source="Web") == 10


def test_the_rolling_cost_reaches_back_before_the_period(lead_table):
    leads = """
        lead_id  | mql_at
        November | 2025-11-05
        December | 2025-12-05
        as well  | 2025-12-06
        again    | 2025-12-07
        January  | 2026-01-05
        February | 2026-02-05
    """
    spend = """
        date_from  | date_to    | amount | channel
        2025-11-01 | 2025-11-30 | 100    | Web
        2025-12-01 | 2025-12-31 | 300    | Web
        2026-01-01 | 2026-01-31 | 500    | Web
        2026-02-01 | 2026-02-28 | 700    | Web
    """
    made = lead_table(leads, spend=spend, period="2026-01..2026-02", lag_days=0, rolling=3)
    # Sums over sums: (100 + 300 + 500) / 5 and (300 + 500 + 700) / 5.
    assert made.values("cost_per_mql_rolling") == pytest.approx({JAN: 180, FEB: 300})
    assert made.row("cost_per_mql_rolling", FEB)["n"] == 5
    assert made.values("cost_per_mql") == pytest.approx({JAN: 500, FEB: 700})
    # December and January would do, but October is before the first MQL in the data.
    longer = made.again(rolling=4)
    assert longer.values("cost_per_mql_rolling") == pytest.approx({JAN: None, FEB: 1600 / 6})


def test_no_rolling_cost_reaches_over_the_days_before_a_period_inside_a_bucket(lead_table):
    made = lead_table(
        """
            lead_id                   | mql_at
            January                   | 2026-01-05
            February, before the 15th | 2026-02-05
            February, in the period   | 2026-02-20
        """,
        spend="""
            date_from  | date_to    | amount | channel
            2026-01-01 | 2026-01-31 | 310    | Web
            2026-02-01 | 2026-02-28 | 280    | Web
        """,
        period="2026-02-15..2026-02-28",
        lag_days=0,
        rolling=2,
    )
    # The first half of February is in no bucket: January and its second half are no window.
    assert made.values("cost_per_mql_rolling") == {FEB: None}
    assert made.again(rolling=1).values("cost_per_mql_rolling") == {FEB: 140}
    longer = made.again(period="2026-02-15..2026-03-31", as_of="2026-03-31")
    # The window of March begins with the period.
    assert longer.values("cost_per_mql_rolling") == {FEB: None, MAR: None}
    assert "spend-not-covered" in longer.flags("cost_per_mql_rolling", MAR)
    january = made.again(period="2026-01-15..2026-02-28")
    assert january.values("cost_per_mql_rolling") == {JAN: None, FEB: pytest.approx(450 / 2)}


def test_wasted_cost_is_what_the_breached_leads_have_cost(lead_table):
    made = lead_table(
        AGAINST_48_HOURS, spend=SPEND, as_of="2026-01-31T12:00:00Z", period=JAN, lag_days=0
    )
    assert made.of("spend", "sla_breached", "wasted_cost") == {
        "spend": pytest.approx(660), "sla_breached": 3, "wasted_cost": pytest.approx(3 * 660 / 7)
    }  # fmt: skip


def test_nothing_is_wasted_where_breaches_are_not_recorded(lead_table):
    made = lead_table(
        """
            lead_id | mql_at           | accepted_at
            D1      | 2026-01-10 12:00 | 2026-01-10 13:00
            D2      | 2026-01-13 12:00 | 2026-01-13 13:00
        """,
        spend="date | amount\n2026-01-01 | 100\n2026-01-31 | 100\n",
        period=JAN,
        lag_days="auto",
        sla_stops_on="contact",
    )
    assert made.value("cost_per_mql") == 100
    for metric in ("wasted_cost", "cost_per_sql", "lead_to_mql_days_mean"):
        assert made.of(metric) == {metric: None}
        assert "not-recorded" in made.flags(metric)
    assert made.lag == 0  # created_at is not recorded


def test_the_cost_per_sql_of_a_young_cohort_will_still_fall(lead_table):
    made = lead_table(
        """
            lead_id                      | mql_at     | sql_at
            an SQL after twenty days     | 2026-01-05 | 2026-01-25
            an SQL after ten days        | 2026-02-05 | 2026-02-15
            open and old                 | 2026-01-06 |
        """,
        spend="date | amount\n2026-01-01 | 100\n2026-02-28 | 100\n",
        period="2026-01..2026-02",
        lag_days=0,
        as_of="2026-03-01",
    )
    assert {b: made.flags("cost_per_sql", b) for b in (JAN, FEB)} == {
        JAN: set(), FEB: {"immature"}
    }  # fmt: skip
    assert made.flags("cost_per_mql", FEB) == set()


def test_the_interval_of_the_return(lead_table):
    won = [["2026-01-20", "100", ""], ["2026-01-20", "300", ""]]
    lost = [["", "", "2026-01-25"]] * 38
    leads = [[f"L{i}", "2026-01-05", *after] for i, after in enumerate([*won, *lost])]
    rows = [["lead_id", "mql_at", "won_at", "amount", "rejected_at"], *leads]
    spend = "date | amount\n2026-01-01 | 0\n2026-01-31 | 200\n"
    made = lead_table(rows, spend=spend, period=JAN, as_of="2026-02-28", lag_days=0)
    # 40 leads with a mean of 10: s² = (100² + 300² - 40 · 10²) / 39 = 2461.538, and one lead in a
    # time is as likely as another: √(40 · 2461.538 + 40 · 10²) / 200 = 1.600481.
    row = made.row("return_on_spend", JAN)
    assert row[["value", "n"]].tolist() == [2, 40]
    assert row[["low", "high"]].tolist() == pytest.approx([0, 2 + 1.959964 * 1.600481], abs=1e-5)
    # Every lead is won or lost within 20 days; after ten, deals can still come.
    assert made.flags("return_on_spend", JAN) == set()
    assert made.again(as_of="2026-02-10").flags("return_on_spend", JAN) == {"immature"}
    few = lead_table(rows[:30], spend=spend, period=JAN, as_of="2026-02-28", lag_days=0)
    assert few.value("return_on_spend", JAN) == 2
    assert few.row("return_on_spend", JAN)[["low", "high"]].isna().all()


def test_the_return_on_spend(lead_table):
    made = lead_table(
        """
            lead_id         | mql_at     | won_at     | amount | source
            won             | 2026-01-05 | 2026-02-20 | 1000.5 | Web
            won later       | 2026-01-06 | 2026-03-20 | 5000   | Web
            expected        | 2026-01-07 |            | 300    | Web
            from an event   | 2026-01-08 |            |        | Event
        """,
        spend="""
            date_from  | date_to    | amount | channel
            2026-01-01 | 2026-01-31 | 100    | Web
            2026-01-01 | 2026-01-31 | 100    | Event
        """,
        as_of="2026-02-28",
        period=JAN,
        lag_days=0,
        by=["source"],
    )
    assert made.value("return_on_spend") == pytest.approx(5.0025)
    assert made.value("return_on_spend", source="Web") == pytest.approx(10.005)
    assert made.value("return_on_spend", source="Event") == 0  # it has brought in nothing


def test_without_won_deals_there_is_no_return(lead_table):
    made = lead_table(TWO_SOURCES, spend=SPEND, period=JAN, lag_days=0)
    assert "return_on_spend" not in set(made.family("cost")["metric"])


def test_sums_of_many_long_durations(lead_table):
    # A million leads of some weeks each come to as much as these.
    rows = [[f"L{n}", "1900-01-01", "2199-01-01"] for n in range(1000)]
    made = lead_table(
        [["lead_id", "created_at", "mql_at"], *rows], period="2199-01", as_of="2199-02-01"
    )
    assert made.value("lead_to_mql_days_mean") == (date(2199, 1, 1) - date(1900, 1, 1)).days


# --- Rows of the result


def test_the_form_of_a_row(lead_table):
    made = lead_table(ONE_A_MONTH, by=["source"])
    rows = made.family("volume")
    assert list(rows.columns) == [
        "metric", "bucket", "start", "end", "by", "name", "value", "n", "low", "high", "unit",
        "flags",
    ]  # fmt: skip
    for column in ("value", "n", "low", "high"):
        assert rows[column].dtype == np.float64
    first = rows.iloc[0].to_dict()
    assert (first["start"], first["end"]) == (date(2026, 1, 1), date(2026, 2, 1))
    assert (first["by"], first["name"], first["unit"], first["flags"]) == ("", "", "leads", ())
    assert rows["bucket"].unique().tolist() == [JAN, FEB, MAR, "total"]


def test_every_segment_has_a_row_for_every_bucket(lead_table):
    made = lead_table(
        """
            lead_id           | mql_at     | source
            in January only   | 2026-01-05 | Web
            no source         | 2026-03-05 |
            nobody knows      | 2026-03-05 | unknown
            before the period | 2025-03-05 | Fair
        """,
        by=["source"],
    )
    assert made.values("mqls", source="Web") == {JAN: 1, FEB: 0, MAR: 0}
    assert made.values("mqls", source="(missing)") == {JAN: 0, FEB: 0, MAR: 1}
    assert made.values("mqls", source="unknown") == {JAN: 0, FEB: 0, MAR: 1}
    assert made.values("acceptance_rate", source="Web") == {JAN: None, FEB: None, MAR: None}


def test_two_breakdowns_each_alone(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | source | owner
            A       | 2026-01-05 | Web    | Ana
            B       | 2026-01-05 | Web    | Ben
            C       | 2026-01-05 | Web    | Ben
            D       | 2026-01-05 | Event  | Ana
        """,
        by=["source", "owner"],
        period=JAN,
    )
    counts = made.family("volume").query("metric == 'mqls' and bucket == 'total'")
    assert counts.set_index(["by", "name"])["value"].to_dict() == {
        ("", ""): 4,
        ("source", "Event"): 1,
        ("source", "Web"): 3,
        ("owner", "Ana"): 2,
        ("owner", "Ben"): 2,
    }
    velocity_rows = made.family("velocity")
    segments = [set(zip(rows["by"], rows["name"], strict=True)) for rows in (velocity_rows, counts)]
    assert segments[0] == segments[1]


@pytest.mark.parametrize("name", ["level", "Cut", "won", "Segment", "accepted", "Lead country"])
def test_a_breakdown_may_have_any_name(lead_table, name):
    # These are words that the kit uses for columns of its own.
    made = lead_table(
        f"""
            lead_id | mql_at     | accepted_at | {name}
            A       | 2026-01-05 | 2026-01-06  | yes
            B       | 2026-01-05 |             | no
            C       | 2026-01-05 |             |
        """,
        by=[name],
        period=JAN,
    )
    for value in ("yes", "no", "(missing)"):
        assert made.value("mqls", **{name: value}) == 1
    assert made.value("hours_in_stage_median", **{name: "yes"}) == 24


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"source": ["Web"]}, 2),
        ({"source": ["Web", "(missing)"]}, 3),
        ({"source": ["(missing)"], "country": ["EE"]}, 1),
    ],
)
def test_where_keeps_only_these_leads(lead_table, where, left):
    made = lead_table(
        """
            lead_id | mql_at     | source | country
            A       | 2026-01-05 | Web    | EE
            B       | 2026-01-05 | Web    |
            C       | 2026-01-05 |        | EE
            D       | 2026-01-05 | Event  | EE
        """,
        where=where,
        period=JAN,
        by=["source"],
    )
    assert made.value("mqls") == left


def test_a_filter_that_keeps_nobody(lead_table):
    with pytest.raises(ParamsError) as caught:
        lead_table(
            "lead_id | mql_at | country\nA | 2026-01-05 | EE\n",
            where={"country": ["LV", "LT"]},
        )
    assert str(caught.value) == (
        "where: no lead matches.\n"
        "  Found:    country: 'LV', 'LT'\n"
        "  Fix:      compare the values with those in the data; quote text in YAML"
    )


def test_a_filter_on_a_column_that_is_not_there(read_lead_table):
    with pytest.raises(ParamsError) as caught:
        read_lead_table(
            "lead_id | mql_at | country\nA | 2026-01-05 | EE\n", where={"countries": ["EE"]}
        )
    assert str(caught.value) == (
        "where: column 'countries' is unknown.\n  Fix:      did you mean 'country'?"
    )


@pytest.mark.parametrize(("n", "flags"), [(29, ["small-n"]), (30, [])])
def test_small_numbers_are_flagged(lead_table, n, flags):
    rows = [[f"L{i}", "2026-01-05", "2026-01-06"] for i in range(n)]
    made = lead_table([["lead_id", "mql_at", "accepted_at"], *rows], period=JAN, as_of="2026-01-31")
    assert list(made.row("acceptance_rate")["flags"]) == flags


def test_a_period_in_which_nobody_came_in(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | accepted_at | source
            before  | 2026-01-05 | 2026-01-06  | Web
            after   | 2026-03-05 | 2026-03-06  | Web
        """,
        spend=SPEND,
        period=FEB,
        by=["source"],
        lag_days=0,
    )
    assert set(made.all_rows()["by"]) == set(made.all_rows()["name"]) == {""}
    assert made.of("mqls", "in_stage", "accepted", "sla_met", "spend") == {
        "mqls": 0, "in_stage": 0, "accepted": 0, "sla_met": 0, "spend": pytest.approx(280)
    }  # fmt: skip
    assert made.of("efficiency", "efficiency_flow", "cost_per_mql", "lift_1h") == dict.fromkeys(
        ["efficiency", "efficiency_flow", "cost_per_mql", "lift_1h"]
    )


@pytest.mark.parametrize("period", ["2024-01..2024-02", "2026-04"])
def test_a_period_that_the_data_does_not_meet(lead_table, period):
    with pytest.raises(ParamsError) as caught:
        lead_table(ONE_A_MONTH, period=period)
    found = {"2026-04": "2026-04-01 .. 2026-04-30"}.get(period, "2024-01-01 .. 2024-02-29")
    assert str(caught.value) == (
        f"period {period!r} has no data.\n"
        "  Expected: a period that overlaps 2026-01-05 .. 2026-03-05\n"
        f"  Found:    {found}\n"
        "  Fix:      choose another period, or check as_of"
    )


@pytest.mark.parametrize("period", ["2026", "2024", "last-quarter"])
def test_an_as_of_before_all_data(lead_table, period):
    with pytest.raises(ParamsError) as caught:
        lead_table(ONE_A_MONTH, period=period, as_of="2024-01-01")
    assert str(caught.value) == (
        f"period {period!r} has no data, because as_of is before all timestamps.\n"
        "  Expected: an as_of from 2026-01-05 on\n"
        "  Found:    2024-01-01\n"
        "  Fix:      correct as_of, or leave it out: auto is the latest timestamp of the data"
    )


def test_a_period_after_an_as_of_by_which_nobody_was_an_mql(lead_table):
    with pytest.raises(ParamsError, match="a period that starts by 2026-01-31"):
        lead_table(
            """
                lead_id | created_at | mql_at
                A       | 2026-01-05 | 2026-03-05
            """,
            period="2026-03",
            as_of="2026-01-31",
        )


def test_data_in_which_nobody_became_an_mql(lead_table):
    made = lead_table(
        """
            lead_id | created_at | mql_at
            A       | 2026-01-05 |
        """,
        period=JAN,
        by=["source"],
        spend=SPEND,
    )
    # Without a decision it is unknown who is in the stage.
    null = ("in_stage", "sla_met", "cost_per_mql", "hours_in_stage_mean")
    assert made.of("mqls", *null) == {"mqls": 0, **dict.fromkeys(null)}
    assert len(waiting.survival_curve(levels.time_in_stage(made.leads))) == 1
    assert lead_lists.breach_list(made.leads).empty
    assert lead_lists.waiting_list(made.leads).empty
    assert handoff.rejection_reasons(made.leads).empty


# --- The year before


def test_the_year_before_the_period_is_compared_as_far_as_the_data_is_whole(lead_table):
    made = lead_table(
        """
            lead_id                           | mql_at
            the data begins inside this month | 2025-01-15
            whole from here on                | 2025-02-10
            once more                         | 2025-02-11
            not a year before                 | 2025-12-01
            in the period                     | 2026-01-10
            in the period's last month        | 2026-02-10
        """,
        period="2026-01..2026-02",
        lag_days=0,
    )
    found = compute_report(made.leads, made.tables).changes
    mqls = found[found["metric"] == "mqls"]
    assert listed(mqls, "kind", "bucket", "against", "value", "before") == [
        ("bucket before", JAN, "2025-12", 1, 1),
        ("bucket before", FEB, JAN, 1, 1),
        ("year before", FEB, "2025-02", 1, 2),
    ]


# --- Spend of a part of the leads


@pytest.mark.parametrize(
    ("where", "cost"),
    [
        ({}, 50),
        ({"source": ["Web"]}, 30),  # that of its channel
        # What was spent on Partner is not known, as for Partner alone: not recorded is not zero.
        ({"source": ["Web", "Partner"]}, None),
        ({"source": ["Partner"]}, None),
        ({"country": ["EE"]}, 50),  # nobody knows what was spent on Estonia alone
    ],
)
def test_spend_is_that_of_the_sources_kept(lead_table, where, cost):
    made = lead_table(
        """
            lead_id | mql_at     | source  | country
            A       | 2026-01-05 | Web     | EE
            B       | 2026-01-05 | Partner | EE
        """,
        spend="""
            date       | channel | amount
            2026-01-01 | Web     | 30
            2026-01-31 | Ads     | 70
        """,
        where=where,
        period=JAN,
        lag_days=0,
    )
    numbers = compute_report(made.leads, made.tables)
    rows = numbers.metrics[numbers.metrics["metric"] == "cost_per_mql"]
    rows = rows[(rows["bucket"] == "total") & (rows["by"] == "")]
    assert [*rows["value"].dropna()] == ([] if cost is None else [cost])


def test_a_kept_source_without_spend_makes_the_cost_of_all_unknown(lead_table):
    made = lead_table(
        """
            lead_id | mql_at     | source  | campaign | owner
            A       | 2026-01-05 | Web     | Spring   | Ann
            B       | 2026-01-05 | Partner | Spring   | Ann
        """,
        spend="""
            date       | channel | campaign | amount
            2026-01-01 | Web     | Spring   | 30
            2026-01-31 | Ads     | Spring   | 70
        """,
        where={"source": ["Web", "Partner"]},
        by=["source", "campaign"],
        period=JAN,
        lag_days=0,
    )
    report = compute_report(made.leads, made.tables)
    assert report.value("cost_per_mql", by="source", name="Web") == 30
    costs = report.groups["cost"]
    unknown = costs[(costs["name"] != "Web") & costs["metric"].isin(["spend", "cost_per_mql"])]
    # All leads, Partner, and the campaign, which has leads of Partner.
    assert set(unknown["name"]) == {"", "Partner", "Spring"}
    assert unknown["value"].isna().all()
    assert unknown["flags"].map(lambda flags: "no-spend-channel" in flags).all()
    assert report.cost["unspent"].iloc[0] == "channel Partner"
    assert series(report.cost, "cost_by_bucket", "bucket")["cost"].isna().all()
    # Of two columns, spend has the one: the words say which.
    both = made.again(where={"source": ["Web"], "owner": ["Ann"]})
    terms = compute_report(both.leads, made.tables).cost
    assert (terms["unfiltered_by"].iloc[0], terms["spend_basis"].iloc[0]) == (
        "owner",
        "spend filtered by source only",
    )


def test_spend_of_campaigns_is_that_of_the_leads_with_their_name(lead_table):
    made = lead_table(
        """
            lead_id               | mql_at     | source | campaign | country
            two of a campaign     | 2026-01-05 | Web    | Spring   | EE
            the other one         | 2026-01-06 | Web    | Spring   | LV
            same source           | 2026-01-07 | Web    | Summer   | EE
            spent nothing on      | 2026-01-08 | Mail   | Letter   | EE
        """,
        spend="""
            date       | channel | campaign | amount
            2026-01-01 | Web     | Spring   | 30
            2026-01-31 | Web     | Summer   | 70
            2026-01-31 | Web     |          | 20
        """,
        by=["source", "campaign", "country"],
        period=JAN,
        lag_days=0,
    )

    def costs(by, *names):
        return [made.value("cost_per_mql", **{by: name}) for name in names]

    assert costs("source", "Web", "Mail") == [40, None]
    assert costs("campaign", "Spring", "Summer", "Letter") == [15, 70, None]
    # A filter gives what the breakdown gives; spend without a campaign is of none.
    report = compute_report(made.again(where={"campaign": ["Spring"]}).leads, made.tables)
    assert report.value("cost_per_mql") == 15
    both = {"source": ["Web"], "campaign": ["Spring", "Summer"]}
    assert compute_report(made.again(where=both).leads, made.tables).value("spend") == 100
    # Spend has no country: all of it over some leads is flagged.
    some = compute_report(made.again(where={**both, "country": ["EE"]}).leads, made.tables)
    assert some.value("cost_per_mql") == 50
    known = some.groups["cost"].dropna(subset="value")
    assert set(known["metric"]) == {"spend", "cost_per_mql"}
    assert known["flags"].map(lambda flags: "spend-not-filtered" in flags).all()
    assert set(some.cost["unfiltered_by"]) == {"country"}
    assert set(report.cost["unfiltered_by"]) == {""}
