"""Tables with a column per month: each row counts once, and totals are not counted again."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.sources.wide import month_of, months_of

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
            "Team,Dec 2025,Jan 2026,Sum\nAds,100.5,200.5,301\nSEO,10.5,20.5,31\nTotal,111,221,0",
            {"channel": "Team"},
            "Total,111,221,0",
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


def test_several_columns_below_one_month_are_refused(desk):
    text = (
        ",Jan 2026,,,Feb 2026,,\n,Budget,Actual,over Budget,Budget,Actual,over Budget\n"
        "Ads,100,90,-10,100,120,20\n"
    )
    with pytest.raises(SourceError) as caught:
        spend_of(desk, text)
    assert str(caught.value) == (
        "budget.csv:1: has several columns of the same month.\n"
        "  Expected: one column per month\n"
        "  Found:    'Jan 2026', '', '', 'Feb 2026', '', ''\n"
        "  Fix:      export the budget or the actual figures only"
    )


def test_an_empty_column_at_the_end_is_no_second_one(desk):
    tables = spend_of(desk, ",Jan 2026,Feb 2026,\nAds,100,200,300\n")
    assert tables.spend["amount"].tolist() == [100, 200]


@pytest.mark.parametrize(
    ("header", "month"),
    [
        ("Jan 2026", (2026, 1)),
        ("September 2026", (2026, 9)),
        ("Sept. 2026", (2026, 9)),
        ("Jan '05", (2005, 1)),
        ("März 2026", (2026, 3)),
        ("févr. 2026", (2026, 2)),
        ("enero de 2026", (2026, 1)),
        ("Gennaio 2026", (2026, 1)),
        ("mrt 2026", (2026, 3)),
        ("dez/2026", (2026, 12)),
        ("2026-01-01", (2026, 1)),
        ("1/2026", (2026, 1)),
        ("March", (0, 3)),
        ("Marketing 2025", None),
        ("Decor 2025", None),
        ("Mayor 2025", None),
        ("Jul-Sep 2025", None),
        ("Jui 2025", None),  # juin or juillet
        ("2026-13", None),
        ("Total", None),
    ],
)
def test_headers_that_name_a_month(header, month):
    assert month_of(header) == month


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("Jan 26,Feb 26,Mar 26", "2026-01-01"),
        ("Nov-25,Dec-25,Jan-26", "2025-11-01"),
        ("Jan-26,Dec-25", "2026-01-01"),
        ("Jan '05,Jan '06", "2005-01-01"),
    ],
)
def test_years_of_two_digits(header, first):
    assert f"{next(iter(months_of(header.split(','), name='a.csv').values()))}" == first


@pytest.mark.parametrize(
    "header",
    ["Jan 05,Jan 06,Jan 07", "Jan 24,Jan 25", "Jan 05,Feb 05", "Jan 20,Feb 27"],
)
def test_two_digits_that_may_be_days_are_refused(header):
    with pytest.raises(SourceError, match="may be days or years"):
        months_of(header.split(","), name="a.csv:1")
