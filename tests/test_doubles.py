"""Money and leads that an export holds twice, and currencies that contradict each other."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError

LEADS = {"leads": {"files": ["leads.csv"]}}


def spend_of(desk, text, **block):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.csv", text)
    return desk.read({**LEADS, "spend": {"files": ["spend.csv"], **block}})


@pytest.mark.parametrize("name", ["Total", "Grand Total", "Summe", "Gesamt", "sum"])
def test_a_dated_row_with_the_label_of_a_total_is_excluded(desk, name):
    rows = f"2026-01-05;A;10,5\n2026-01-05;B;20,5\n2026-01-05;{name};31,0\n"
    tables = spend_of(desk, f"date;channel;amount\n{rows}", currency="EUR")
    assert sorted(tables.spend["channel"]) == ["A", "B"]
    assert tables.ledgers["spend"].set_aside == {"total_row": 1}


@pytest.mark.parametrize("name", ["Search Total", "Total Search", "Alle gesamt"])
def test_a_channel_called_a_total_that_adds_up_to_the_others_is_refused(desk, name):
    rows = f"2026-01-05;A;10,5\n2026-01-05;B;20,5\n2026-01-05;{name};31,0\n"
    with pytest.raises(SourceError) as caught:
        spend_of(desk, f"date;channel;amount\n{rows}", currency="EUR")
    assert str(caught.value) == (
        f"spend.csv: the rows of channel {name!r} add up to all others.\n"
        "  Expected: each amount once\n"
        f"  Found:    31.00 of channel {name!r}, 31.00 of others\n"
        "  Fix:      take them out if they are totals, or give them a channel"
    )


def test_a_channel_called_a_total_may_be_one(desk):
    rows = "2026-01-05,A,10.5\n2026-01-05,Total Wine,31\n"
    assert len(spend_of(desk, f"date,channel,amount\n{rows}", currency="EUR").spend) == 2


@pytest.mark.parametrize(
    ("amount", "currency"), [("$100.50", "EUR"), ("¥99.50", "EUR"), ("$5", "GBP"), ("¥5", "USD")]
)
def test_a_sign_of_several_currencies_contradicts_others(desk, amount, currency):
    with pytest.raises(SourceError) as caught:
        spend_of(desk, f"date,amount\n2026-01-05,{amount}\n", currency=currency)
    lines = str(caught.value).splitlines()
    assert lines[0] == ("spend.csv: the amounts are in another currency than the one stated.")
    assert lines[1:3] == [f"  Expected: {currency}", f"  Found:    {amount[0]!r}"]


@pytest.mark.parametrize(
    ("amount", "currency"), [("$5", "USD"), ("$5", "CAD"), ("¥5", "JPY"), ("A$5", "AUD")]
)
def test_a_sign_of_several_currencies_fits_each(desk, amount, currency):
    assert spend_of(desk, f"date,amount\n2026-01-05,{amount}\n", currency=currency).currency


def test_a_currency_in_small_letters_is_the_same(desk):
    text = "date,amount,currency\n2026-01-05,5,eur\n2026-01-06,6,EUR\n"
    assert spend_of(desk, text).currency == "EUR"


@pytest.mark.parametrize(
    "word", ["SUM", "TTL", "Average", "Grand-total", "Summa", "Grand Total:", "avg."]
)
def test_the_last_row_of_a_table_of_leads_is_no_lead(desk, word):
    desk.write("leads.csv", f"lead_id,mql_at,amount\nA,2026-01-05,5\nSUMO,2026-01-06,\n{word},,5\n")
    tables = desk.read(LEADS)
    assert sorted(tables.leads.to_pyarrow()["lead_id"].to_pylist()) == ["A", "SUMO"]
    assert tables.ledgers["leads"].set_aside == {"total_row": 1}


def test_a_total_in_one_of_two_files_is_found_by_its_days(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    head = "date_from,date_to,channel,amount\n"
    january, february = "2026-01-01,2026-01-31", "2026-02-01,2026-02-28"
    desk.write("s1.csv", f"{head}{january},,300.50\n{january},A,100.25\n{january},B,200.25\n")
    desk.write("s2.csv", f"{head}{february},A,50\n{february},B,60\n")
    described = {
        "leads": {"files": ["leads.csv"]},
        "spend": {"files": ["s1.csv", "s2.csv"], "currency": "EUR"},
    }
    with pytest.raises(SourceError, match="without a channel add up to all others"):
        desk.read(described)
