"""Tables with a column per month: each row counts once, and totals are not counted again."""

from __future__ import annotations

import pytest

LEADS = {"leads": {"files": ["leads.csv"]}}


def spend_of(desk, text, **columns):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("budget.csv", text)
    block = {"files": ["budget.csv"], "currency": "EUR", "columns": columns}
    return desk.read({**LEADS, "spend": block})


def asides(tables, table="spend"):
    ledger = tables.ledgers[table]
    assert ledger.read == ledger.used + ledger.set_aside.total()
    return ledger.used, [(r.line, r.reason, r.text) for r in ledger.rows]


@pytest.mark.parametrize(
    ("text", "columns", "line"),
    [
        (
            "Campaign,Dec 2025,Jan 2026\nAds,100.5,200.5\nSEO,10.5,20.5\nGrand Total,111,221\n",
            {"channel": "Campaign"},
            "Grand Total,111,221",
        ),
        (
            "Team,Dec 2025,Jan 2026,Total\nAds,100.5,200.5,301\nSEO,10.5,20.5,31\nTotal,111,221,332",
            {"channel": "Team"},
            "Total,111,221,332",
        ),
        (
            "Department,2025-12,2026-01\nAds,100.5,200.5\nSEO,10.5,20.5\nTotal,111,221\n",
            {"channel": "Department"},
            "Total,111,221",
        ),
    ],
)
def test_the_total_of_a_wide_table_is_not_spent_again(desk, text, columns, line):
    tables = spend_of(desk, text, **columns)
    assert tables.spend["amount"].sum() == 332
    assert asides(tables) == (2, [(4, "total_row", line)])


def test_the_total_of_wide_goals_is_no_goal(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("goals.csv", "source,Dec 2025,Jan 2026,Total\nWeb,5,6,11\nTotal,5,6,11\n")
    tables = desk.read({**LEADS, "goals": {"files": ["goals.csv"]}})
    assert tables.goals["mqls"].sum() == 11
    assert asides(tables, "goals") == (1, [(3, "total_row", "Total,5,6,11")])


def test_a_row_of_a_wide_table_counts_once_with_its_line(desk):
    tables = spend_of(
        desk,
        "Team,Dec 2025,Jan 2026\n\nAds,1.50,2.50\nMail,soon,3.50\nAds,1.50,2.50\nAds,1.50,9\n"
        "Team,Dec 2025,Jan 2026\nHeading\nFair,1,234,5\nCut,7\n",
        channel="Team",
    )
    assert sorted(tables.spend["amount"]) == [3.0, 11.5]
    assert asides(tables) == (
        2,
        [
            (2, "blank", ""),
            (4, "bad_amount", "Mail,soon,3.50"),
            (5, "duplicate", "Ads,1.50,2.50"),
            (7, "repeated_header", "Team,Dec 2025,Jan 2026"),
            (8, "not_data", "Heading"),
            (9, "bad_row", "Fair,1,234,5"),
            (10, "bad_row", "Cut,7"),
        ],
    )
