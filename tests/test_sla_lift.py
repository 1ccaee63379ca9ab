"""Conversion of leads in time against breached ones, over mature buckets."""

from __future__ import annotations

import math

import pytest

from mqlkit.metrics import lead_lists

# Each SQL comes within 20 days and nothing after that, so that January is mature on 1 March.
LEADS = """
    lead_id               | mql_at              | accepted_at         | rejected_at         | sql_at
    in time, SQL          | 2026-01-02 09:00:00 | 2026-01-03 09:00:00 |                     | 2026-01-12
    in time, SQL too      | 2026-01-02 09:00:00 | 2026-01-04 09:00:00 |                     | 2026-01-14
    in time, rejected     | 2026-01-05 09:00:00 |                     | 2026-01-06 09:00:00 |
    late, SQL             | 2026-01-05 09:00:00 | 2026-01-09 09:00:00 |                     | 2026-01-20
    late, rejected        | 2026-01-05 09:00:00 |                     | 2026-01-10 09:00:00 |
    late, rejected too    | 2026-01-05 09:00:00 |                     | 2026-01-11 09:00:00 |
    overdue and open      | 2026-01-06 09:00:00 |                     |                     |
    out of order          | 2026-01-06 09:00:00 | 2026-01-05 09:00:00 |                     | 2026-01-08
    in time but too young | 2026-02-20 09:00:00 | 2026-02-21 09:00:00 |                     |
    late and too young    | 2026-02-20 09:00:00 | 2026-02-24 09:00:00 |                     | 2026-02-25
"""  # noqa: E501


@pytest.fixture(scope="module")
def made(lead_table):
    return lead_table(LEADS, period="2026-01..2026-02", as_of="2026-03-01T00:00:00Z")


def test_the_lift_is_that_of_mature_buckets(made):
    # In time 2 of 3, breached 1 of 4; the log method: 8/3 · exp(± z √(1/2 − 1/3 + 1/1 − 1/4)).
    january, total = made.row("lift_sla", "2026-01"), made.row("lift_sla")
    half = math.exp(1.959963984540054 * math.sqrt(1 / 2 - 1 / 3 + 1 - 1 / 4))
    for row in (january, total):
        expected = [8 / 3, 7, 8 / 3 / half, 8 / 3 * half]
        assert row[["value", "n", "low", "high"]].tolist() == pytest.approx(expected, rel=1e-9)
        assert "immature" not in row["flags"]


def test_a_young_bucket_has_none(made):
    row = made.row("lift_sla", "2026-02")
    assert math.isnan(row["value"])
    assert row["n"] == 0
    assert "immature" in row["flags"]


def test_no_mature_bucket_no_lift(made):
    young = made.again(as_of="2026-02-10T00:00:00Z", period="2026-01..2026-01")
    assert math.isnan(young.row("lift_sla")["value"])
    assert young.row("lift_sla")["n"] == 0
    assert young.flags("lift_sla") == set()


def test_no_lift_where_the_sql_is_the_only_decision_recorded(lead_table):
    leads = "\n".join(
        f"{i} | 2026-01-02 09:00 | {sql}"
        for i, sql in enumerate(["2026-01-03 09:00", "2026-01-20 09:00", "2026-01-20 10:00", ""])
    )
    made = lead_table(f"lead_id | mql_at | sql_at\n{leads}", period="2026-01", as_of="2026-06-01")
    assert made.of("sla_met", "sla_breached") == {"sla_met": 1, "sla_breached": 3}
    assert made.value("lift_sla") is None
    assert made.flags("lift_sla") == {"not-recorded"}


def test_where_nothing_that_stops_the_sla_is_recorded_no_lead_is_late(made):
    by_contact = made.again(sla_stops_on="contact")
    assert by_contact.of("sla_breached", "sla_due_soon", "lift_sla") == {
        "sla_breached": None, "sla_due_soon": None, "lift_sla": None
    }  # fmt: skip
    assert by_contact.flags("sla_due_soon") == by_contact.flags("lift_sla") == {"not-recorded"}
    assert len(lead_lists.breach_list(made.leads)) == 5
    assert lead_lists.breach_list(by_contact.leads).empty
    assert lead_lists.due_soon_list(by_contact.leads).empty
    assert set(lead_lists.mql_list(by_contact.leads)["sla"]) == {"not measurable"}


def test_where_no_decision_is_recorded_no_lead_waits_for_one(lead_table):
    made = lead_table("lead_id | mql_at\na | 2026-01-05 09:00\nb | 2026-01-06", period="2026-01")
    listed = lead_lists.mql_list(made.leads)
    assert set(listed["decision"]) == {"not recorded"}
    assert set(listed["sla"]) == {"not measurable"}
