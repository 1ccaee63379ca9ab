"""Totals, second headers and titles among the rows: none is data, and no name is taken for one."""

from __future__ import annotations

import pytest

from mqlkit.sources.totals import is_label, is_total

HEAD = "lead_id,mql_at,source\n1,2026-01-05 10:00,Web\n"
SPEND = "date,status,campaign,currency,amount\n2026-01-05,On,Search,EUR,300\n"


def spend_of(desk, text):
    """Return the amounts used, and the reason for each excluded row by line."""
    desk.write("leads.csv", HEAD)
    desk.write("spend.csv", text)
    tables = desk.read({"leads": {"files": ["leads.csv"]}, "spend": {"files": ["spend.csv"]}})
    ledger = tables.ledgers["spend"]
    return sorted(tables.spend["amount"]), {row.line: row.reason for row in ledger.rows}


@pytest.mark.parametrize(
    "row",
    [
        "2026-01-05,Total: Campaigns, --, --,300",  # the label after a date, as Google writes it
        " --,Total: Campaigns, --,EUR,300",  # without one
        "2026-01-05,,Total: Search,EUR,300",  # in the column of the name
        "2026-01-05,,Total,EUR,300",
        "2026-01-05,Gesamt: Konto,,EUR,300",
        "2026-01-05,Total : compte,,EUR,300",
        "2026-01-05,Totaal: account,,EUR,300",
        "2026-01-05,Totale,,EUR,300",
        "2026-01-05,Summe,,EUR,300",
        "2026-01-05,合計,,EUR,300",
        "2026-01-05,合計\N{FULLWIDTH COLON}アカウント,,EUR,300",
        "2026-01-05,Итого: аккаунт,,EUR,300",
        "2026-01-05,Grand total,Grand total,EUR,300",  # the same label twice
        "2026-01-05,Total campaigns,,EUR,300",
        "2026-01-05,Total (2 campaigns),,EUR,300",
        "Total,,Search,EUR,300",  # in place of the date: of one campaign
        "Gesamt,,,,300",
        ",,Search Total,EUR,300",  # as Excel adds subtotals, which have no date
        ",,Total Search,EUR,300",
        ",Total,EUR,300",  # a cell too few
    ],
)  # fmt: skip
def test_a_total_carries_its_label_in_any_cell(desk, row):
    assert spend_of(desk, SPEND + row + "\n") == ([300.0], {3: "total_row"})


@pytest.mark.parametrize(
    "row",
    [
        "2026-01-05,,Total Wine,EUR,50",  # a name that begins like a label
        "2026-01-05,On,Total Wine,EUR,50",
        "2026-01-05,On,Total,EUR,50",  # another text cell: no total
        "2026-01-06,Total,Search,EUR,50",
        "2026-01-05,,Summer sale,EUR,50",
        "2026-01-05,,Sumatra,EUR,50",
        "2026-01-05,,Totals & more,EUR,50",
    ],
)
def test_a_name_like_a_total_is_data(desk, row):
    assert spend_of(desk, SPEND + row + "\n") == ([50.0, 300.0], {})


def test_a_campaign_dated_by_the_title_may_be_called_like_a_total(desk):
    title = '"January 1, 2026 - January 31, 2026"\n'
    rows = (
        "Campaign,Currency code,Cost\nSearch,EUR,300\nTotal Wine,EUR,50\nTotal: Campaigns,EUR,350\n"
    )
    assert spend_of(desk, title + rows) == ([50.0, 300.0], {1: "not_data", 5: "total_row"})


def test_a_broken_date_makes_no_total(desk):
    _, reasons = spend_of(desk, SPEND + "2026-02-31,,Total Wine,EUR,50\n")
    assert reasons == {3: "bad_date"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2026-01-06 10:00,Total", "total_row"),  # no id, so no lead
        ("Total,,", "total_row"),
        ("2,2026-01-06 10:00,Total", None),  # a source may have any name
        ("2,2026-01-06 10:00,Total: Web", None),
        (",2026-01-06 10:00,Web", "no_id"),
    ],
)
def test_a_lead_is_no_total(desk, row, reason):
    desk.write("leads.csv", HEAD + row + "\n")
    ledger = desk.read({"leads": {"files": ["leads.csv"]}}).ledgers["leads"]
    assert {r.line: r.reason for r in ledger.rows} == ({3: reason} if reason else {})


def test_goals_of_a_source_called_like_a_total_are_its_own(desk):
    desk.write("leads.csv", HEAD)
    desk.write("goals.csv", "month,mqls,source\n2026-01,5,Total Wine\n2026-01,9,Total\n")
    goals = desk.read({"leads": {"files": ["leads.csv"]}, "goals": {"files": ["goals.csv"]}}).goals
    assert dict(zip(goals["name"], goals["mqls"], strict=True)) == {"Total Wine": 5.0, "": 9.0}


@pytest.mark.parametrize(
    "second",
    [
        "lead_id,mql_at,source",
        "\ufefflead_id,mql_at,source",  # the byte-order mark of the second file
        '"lead_id","mql_at","source"',
        '\ufeff"lead_id","mql_at","source"',
        " lead_id , mql_at , source ",
    ],
)
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_the_header_of_a_file_joined_by_hand_is_no_row(desk, second, start):
    desk.write("leads.csv", f"{start}{HEAD}{second}\n2,2026-01-06 10:00,Web\n")
    tables = desk.read({"leads": {"files": ["leads.csv"]}})
    ledger = tables.ledgers["leads"]
    assert {r.line: r.reason for r in ledger.rows} == {3: "repeated_header"}
    assert ledger.used == 2


def test_the_title_of_a_file_joined_by_hand_is_no_row(desk):
    one = f"Campaign report\n1 January 2026\n{SPEND}"
    amounts, reasons = spend_of(desk, one + one.replace("300", "20"))
    assert amounts == [20.0, 300.0] or amounts == [320.0]
    assert reasons == dict.fromkeys((1, 2, 5, 6), "not_data") | {7: "repeated_header"}


@pytest.mark.parametrize(
    "word", ["Toplam", "Razem: konto", "Kokku", "Yhteensä", "総計", "Összesen:"]
)
def test_labels_are_known_in_many_languages(word):
    assert is_label(word)
    assert is_total(word)
