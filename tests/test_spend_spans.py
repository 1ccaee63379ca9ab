"""Spend of weeks, months and quarters: the amount is of all their days, not of the first."""

from __future__ import annotations

import pytest

from mqlkit.run.check import examine

GOOGLE = "{0},Campaign,Currency code,Cost\n{1},Search,EUR,280.00\n"


def spans_of(desk, text, **block):
    """Return first and last day and amount of each row."""
    desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-05\n")
    desk.write("spend.csv", text)
    spend = {"files": ["spend.csv"], **block}
    tables = desk.read({"leads": {"files": ["leads.csv"]}, "spend": spend})
    rows = tables.spend.itertuples(index=False)
    return [(r.date_from.isoformat(), r.date_to.isoformat(), r.amount) for r in rows]


@pytest.mark.parametrize(
    ("header", "cell", "first", "last"),
    [
        ("Month", "2026-02", "2026-02-01", "2026-02-28"),
        ("Month", "2026-02-01", "2026-02-01", "2026-02-28"),
        ("Month", "Feb 2026", "2026-02-01", "2026-02-28"),
        ("Month", "February 2026", "2026-02-01", "2026-02-28"),
        ("Monat", "2026-02-01", "2026-02-01", "2026-02-28"),
        ("Week", "2026-02-23", "2026-02-23", "2026-03-01"),  # a week may cross months
        ("Week", "2026-02-22", "2026-02-22", "2026-02-28"),  # and begin on a Sunday
        ("Semaine", "2026-02-23", "2026-02-23", "2026-03-01"),
        ("Quarter", "2026-01-01", "2026-01-01", "2026-03-31"),
        ("Day", "2026-02-01", "2026-02-01", "2026-02-01"),
    ],
)
def test_an_amount_is_of_the_whole_segment_of_a_google_ads_report(desk, header, cell, first, last):
    assert spans_of(desk, GOOGLE.format(header, cell)) == [(first, last, 280.0)]


@pytest.mark.parametrize(
    ("header", "cell", "title", "first", "last"),
    [
        ("Month", "2025-07-01", "July 8, 2025 - August 31, 2025", "2025-07-08", "2025-07-31"),
        ("Week", "2026-02-23", "January 1, 2026 - February 28, 2026", "2026-02-23", "2026-02-28"),
        ("Month", "2026-02", "January 1, 2025 - December 31, 2025", "2026-02-01", "2026-02-28"),
    ],
)
def test_a_report_has_no_days_outside_the_period_in_its_title(
    desk, header, cell, title, first, last
):
    text = f'Campaign report\n"{title}"\n{GOOGLE.format(header, cell)}'
    assert spans_of(desk, text) == [(first, last, 280.0)]


def test_a_day_beside_a_month_is_the_date(desk):
    text = "Month,Day,Campaign,Currency code,Cost\n2026-02-01,2026-02-03,Search,EUR,28\n"
    assert spans_of(desk, text) == [("2026-02-03", "2026-02-03", 28.0)]


def test_a_column_of_months_may_be_named_in_source_yaml(desk):
    text = "Month,Costs\n2026-02-01,28\n"
    columns = {"date": "Month", "amount": "Costs"}
    found = spans_of(desk, text, columns=columns, currency="EUR")
    assert found == [("2026-02-01", "2026-02-28", 28.0)]


def test_files_of_days_and_of_months_are_one_table(desk):
    desk.write("leads.csv", "lead_id,mql_at\n1,2026-01-05\n")
    desk.write("a.csv", GOOGLE.format("Day", "2026-01-05"))
    desk.write("b.csv", GOOGLE.format("Month", "2026-02-01"))
    source = {"leads": {"files": ["leads.csv"]}, "spend": {"files": ["a.csv", "b.csv"]}}
    rows = desk.read(source).spend.itertuples(index=False)
    assert [(str(r.date_from)[:10], str(r.date_to)[:10]) for r in rows] == [
        ("2026-01-05", "2026-01-05"),
        ("2026-02-01", "2026-02-28"),
    ]


def test_check_says_of_how_many_days_a_row_is(desk):
    desk.write("spend.csv", GOOGLE.format("Month", "2026-02-01"))
    _, (look,) = examine([desk.folder / "spend.csv"])
    assert (
        "spend.csv: each row is of a whole month, and is spread evenly over its days." in look.notes
    )


def test_a_card_of_the_overview_page_is_spend(desk):
    desk.write(
        "card.csv", "Date,Clicks,Impressions,Avg. CPC,Cost\n2026-01-05,26,75,US$1.92,US$50.00\n"
    )
    _, (look,) = examine([desk.folder / "card.csv"])
    assert (look.table, look.files[0].format) == ("spend", "google-ads")
