"""Exports in every encoding and shape: the same table, a question, never another value."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlkit.core.errors import SourceError
from mqlkit.sources.questions import Undecided

LEADS = {"leads": {"files": ["leads.csv"]}}
SPEND = {**LEADS, "spend": {"files": ["spend.csv"]}}
ONE_LEAD = "lead_id,mql_at\nA,2026-01-05\n"


def leads_of(desk, content, name="leads.csv", **block):
    desk.write(name, content)
    tables = desk.read({"leads": {"files": [name], **block}})
    return tables.leads.order_by("lead_id").to_pyarrow().to_pylist(), tables.ledgers["leads"]


def sources_of(desk, sources, encoding):
    rows = "".join(f"L{n},2026-01-05,{s}\n" for n, s in enumerate(sources))
    rows, _ = leads_of(desk, f"lead_id,mql_at,source\n{rows}".encode(encoding))
    return [row["source"] for row in rows]


def spend_of(desk, content, **block):
    desk.write("leads.csv", ONE_LEAD)
    desk.write("spend.csv", content)
    tables = desk.read({**LEADS, "spend": {"files": ["spend.csv"], **block}})
    spend = tables.spend.drop(columns="campaign")
    rows = spend.astype({"channel": object}).itertuples(index=False, name=None)
    found = [(str(a), str(b), c if c == c else None, d) for a, b, c, d in rows]
    return found, tables.ledgers["spend"], tables.currency


def aside(ledger):
    assert ledger.read == ledger.used + sum(ledger.set_aside.values())
    assert len(ledger.rows) == sum(ledger.set_aside.values())
    return [(row.line, row.reason) for row in ledger.rows]


# --- Encodings


@pytest.mark.parametrize(
    ("encoding", "sources"),
    [
        ("utf-8-sig", ["Müller", "Łódź", "東京"]),
        ("utf-16", ["Müller", "Łódź"]),
        ("utf-16-le", ["Müller"]),
        ("utf-16-be", ["Müller"]),
        ("cp1252", ["€ 5", "Müller", "“quoted”"]),
        ("cp1252", ["Société Générale", "à la fenêtre", "Été"]),
        ("cp1252", ["Müller", "Núñez", "François"]),  # names in three languages
        ("cp1252", ["£5", "café"]),
        ("iso-8859-1", ["coração", "São Paulo"]),
        ("iso-8859-15", ["œuvre", "Žižek"]),
        ("iso-8859-2", ["Łódź", "żółć", "gęś"]),
        ("cp1250", ["Łódź", "żółć", "gęś"]),
        ("cp1251", ["Москва", "Санкт-Петербург", "Реклама"]),
        ("koi8-r", ["Москва", "Санкт-Петербург", "Реклама"]),
        ("cp932", ["東京", "カタカナ", "ひらがな"]),
    ],
)
def test_an_encoding_that_the_bytes_tell(desk, encoding, sources):
    assert sources_of(desk, sources, encoding) == sources


@pytest.mark.parametrize("sources", [["Õie", "Müller"], ["niño", "razón"]])
def test_an_encoding_that_the_bytes_do_not_tell_is_asked_for(desk, sources):
    with pytest.raises(Undecided) as caught:
        sources_of(desk, sources, "cp1252")
    (question,) = caught.value.questions
    assert "encoding: cp1252" in question.answers


def test_latin_1_in_the_middle_of_utf_8_costs_those_rows_and_no_more(desk):
    sound = "lead_id,mql_at,source\nA,2026-01-05,Müller\nB,2026-01-05,Õie\n".encode()
    rows, ledger = leads_of(desk, sound + "X,2026-01-06,Jürgen\nY,2026-01-06,ok\n".encode("cp1252"))
    assert [r["source"] for r in rows] == ["Müller", "Õie", "ok"]
    assert aside(ledger) == [(4, "bad_row")]


# --- Bytes that break other readers


def test_nul_bytes_cost_their_row(desk):
    _, ledger = leads_of(desk, b"lead_id,mql_at,source\nA,2026-01-05,x\0y\nB,2026-01-05,z\n")
    assert aside(ledger) == [(2, "bad_row")]


def test_mixed_line_ends(desk):
    content = (
        b"lead_id,mql_at,source\r\nA,2026-01-05,x\nB,2026-01-05\r"
        b'C,2026-01-06,"two\r\nlines"\r\nD,soon,x'
    )
    rows, ledger = leads_of(desk, content)
    assert [r["lead_id"] for r in rows] == ["A", "C"]
    assert aside(ledger) == [(3, "bad_row"), (6, "bad_date")]


def test_a_cell_of_ten_megabytes(desk):
    content = b"lead_id,mql_at,source\nA,2026-01-05," + b"x" * 10_000_000 + b"\nB,soon,z\n"
    _, ledger = leads_of(desk, content + b"C,2026-01-05,z\n")
    assert aside(ledger) == [(2, "bad_row"), (3, "bad_date")]


def test_five_thousand_columns(desk):
    names = ",".join(f"c{n}" for n in range(5000))
    content = f"lead_id,mql_at,{names}\nA,2026-01-05{',' * 5000}\n,{',' * 5000}\nB\n"
    rows, ledger = leads_of(desk, content)
    assert [r["lead_id"] for r in rows] == ["A"]
    assert aside(ledger) == [(3, "blank"), (4, "bad_row")]


def test_a_quote_that_is_never_closed_costs_them_however_many_they_are(desk):
    rows = [f"{i},2026-01-05,Web" for i in range(3000)]
    rows[1500] = '1500,2026-01-05,"Web'
    desk.write("leads.csv", "\n".join(["lead_id,mql_at,source", *rows, ""]))
    ledger = desk.read({"leads": {"files": ["leads.csv"]}}).ledgers["leads"]
    assert (ledger.read, ledger.used) == (3000, 1500)
    assert [row.line for row in ledger.rows] == list(range(1502, 3002))


def test_a_quote_that_is_never_closed_costs_every_row_behind_it(desk):
    content = (
        'lead_id,mql_at,source\nA,2026-01-05,x\nB,2026-01-05,"z\nC,2026-01-05,z\nD,2026-01-05,z\n'
    )
    _, ledger = leads_of(desk, content)
    assert aside(ledger) == [(3, "bad_row"), (4, "bad_row"), (5, "bad_row")]


def test_a_gzip_bomb(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.text.MOST_UNPACKED", 1 << 20)
    packed = gzip.compress(b"lead_id,mql_at\n" + b"\n" * (1 << 24))
    with pytest.raises(SourceError, match="unpacks to more than"):
        leads_of(desk, packed, name="leads.csv.gz")


def test_a_file_that_changes_while_it_is_read(desk, monkeypatch):
    import mqlkit.sources.table as reading

    whole = reading.stage

    def grow(*args, **kwargs):
        (desk.folder / "leads.csv").write_text(ONE_LEAD + "B,2026-01-06\n", encoding="utf-8")
        return whole(*args, **kwargs)

    monkeypatch.setattr(reading, "stage", grow)
    with pytest.raises(SourceError, match=r"leads\.csv: changed while it was read"):
        leads_of(desk, ONE_LEAD)


def test_links_that_go_in_circles_and_links_to_the_same_file(desk):
    desk.write("exports/a.csv", ONE_LEAD)
    (desk.folder / "exports" / "loop").symlink_to(desk.folder)
    (desk.folder / "exports" / "self.csv").symlink_to("self.csv")
    (desk.folder / "exports" / "b.csv").symlink_to("a.csv")
    tables = desk.read({"leads": {"files": ["**/*.csv"]}})
    assert tables.ledgers["leads"].to_dict()["read"] == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html><table>", "an HTML table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook (xls)"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_what_is_no_table_is_named(desk, content, what):
    with pytest.raises(SourceError) as caught:
        leads_of(desk, content, name="leads.xls")
    assert str(caught.value).startswith(f"leads.xls: is {what}, whatever its name says.")


# --- Lines before, after and between


def test_a_salesforce_report(desk):
    content = (
        'MQL report\n"As of 2026-02-01"\n\n'
        '"Lead ID","Lead Owner","Create Date","MQL Date","Lead Source"\n'
        '"00Q1","Ana","1/31/2026 10:00 AM","2/1/2026","Web"\n'
        '"00Q2","Ben","1/3/2026 10:00 AM","2/15/2026","Web"\n'
        '"Grand Totals (2 records)","","","",""\n\n'
        '"Confidential Information - Do Not Distribute"\n'
        '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."\n'
    )
    rows, ledger = leads_of(desk, content, timezone="Europe/Tallinn")
    assert [str(r["created_at"]) for r in rows] == ["2026-01-31 08:00:00", "2026-01-03 08:00:00"]
    assert aside(ledger) == [
        (1, "not_data"), (2, "not_data"), (3, "blank"), (7, "total_row"), (8, "blank"),
        (9, "not_data"), (10, "not_data"),
    ]  # fmt: skip
    with pytest.raises(Undecided, match="its stamps have no offset"):
        leads_of(desk, content)


def test_google_ads_with_its_totals(desk):
    content = (
        'Campaign report\n"January 1, 2026 - January 31, 2026"\n'
        "Day,Campaign,Currency code,Cost\n"
        '2026-01-01,Brand,EUR,"1,234.50"\n'
        "2026-01-02,Total Recall,EUR,10.00\n"  # a campaign, not a total
        'Total: Account, --,EUR,"1,244.50"\n'
        'Total: Campaigns, --,EUR,"1,244.50"\n'
    )
    rows, ledger, currency = spend_of(desk, content)
    assert (sum(r[3] for r in rows), currency) == (1244.5, "EUR")
    assert aside(ledger) == [
        (1, "not_data"), (2, "not_data"), (6, "total_row"), (7, "total_row")
    ]  # fmt: skip


def test_google_ads_in_german_utf_16(desk):
    content = (
        "Kampagnenbericht\nTag\tKampagne\tWährungscode\tKosten\n"
        "2026-01-01\tBrand\tEUR\t1.234,50\nGesamt: Konto\t --\tEUR\t1.234,50\n"
    )
    rows, ledger, _ = spend_of(desk, content.encode("utf-16"))
    assert rows == [("2026-01-01", "2026-01-01", "Brand", 1234.5)]
    assert aside(ledger) == [(1, "not_data"), (4, "total_row")]


def test_meta_by_day_and_by_period(desk):
    ends = "Reporting starts,Reporting ends,Campaign name"
    by_day = f"{ends},Day,Amount spent (USD)\n2026-01-01,2026-01-31,Brand,2026-01-05,10.5\n"
    rows, _, currency = spend_of(desk, by_day)
    assert rows == [("2026-01-05", "2026-01-05", "Brand", 10.5)]
    assert currency == "USD"
    rows, _, _ = spend_of(desk, f"{ends},Amount spent (USD)\n2026-01-01,2026-01-31,Brand,10.5\n")
    assert rows == [("2026-01-01", "2026-01-31", "Brand", 10.5)]


@pytest.mark.parametrize(
    ("header", "cells", "days", "block"),
    [
        ("date", "2026-02", ("2026-02-01", "2026-02-28"), {}),
        ("date_from,date_to", "2026-01,2026-03", ("2026-01-01", "2026-03-31"), {}),
        ("date", "02/2026", ("2026-02-01", "2026-02-28"), {"dates": "%m/%Y"}),
        ("date", "2026-02-03", ("2026-02-03", "2026-02-03"), {}),
    ],
)
def test_spend_of_a_month_is_of_all_its_days(desk, header, cells, days, block):
    content = f"{header},channel,amount\n{cells},Brand,28\n"
    rows, _, _ = spend_of(desk, content, currency="EUR", **block)
    assert rows == [(*days, "Brand", 28.0)]


def test_quickbooks_with_group_rows(desk):
    content = (
        "Acme Inc\nTransaction Detail by Account\n\n"
        ",Date,Transaction Type,Num,Name,Memo/Description,Account,Class,Amount\n"
        "Advertising,,,,,,,,\n"
        ",01/15/2026,Expense,,G,ads,Advertising,Web,100.00\n"
        ',01/16/2026,Bill,,G,ads,Advertising,Web,"1,100.00"\n'
        'Total for Advertising,,,,,,,,"$1,200.00"\n'
        "\nAccrual Basis Saturday\n"
    )
    rows, ledger, _ = spend_of(desk, content, currency="USD")
    assert sum(r[3] for r in rows) == 1200.0
    assert aside(ledger) == [
        (1, "not_data"), (2, "not_data"), (3, "blank"), (5, "not_data"), (8, "total_row"),
        (9, "blank"), (10, "not_data"),
    ]  # fmt: skip


def test_a_budget_with_a_column_per_month(desk):
    content = (
        "Budget\n\nAccount,Jan 2026,Feb 2026,Total\n"
        "Ads,100.00,200.50,300.50\nEvents,,50.00,50.00\nGroup,,,\nTotal,100.00,250.50,350.50\n"
    )
    rows, ledger, _ = spend_of(desk, content, currency="EUR")
    assert rows == [
        ("2026-01-01", "2026-01-31", "Ads", 100.0),
        ("2026-02-01", "2026-02-28", "Ads", 200.5),
        ("2026-02-01", "2026-02-28", "Events", 50.0),
    ]
    assert aside(ledger) == [
        (1, "not_data"), (2, "blank"), (6, "not_data"), (7, "total_row")
    ]  # fmt: skip


def test_goals_with_a_column_per_month(desk):
    desk.write("leads.csv", ONE_LEAD)
    desk.write("goals.csv", "source;2026-01;2026-02\nWeb;10;12\nAds;5;\n")
    goals = desk.read({**LEADS, "goals": {"files": ["goals.csv"]}}).goals
    rows = goals[["month", "name", "mqls"]].itertuples(index=False)
    assert [(f"{m:%Y-%m}", s, n) for m, s, n in rows] == [
        ("2026-01", "Ads", 5.0), ("2026-01", "Web", 10.0), ("2026-02", "Web", 12.0)
    ]  # fmt: skip


# --- Any dialect at all

DATES = {
    "%Y-%m-%d": "iso", "%d.%m.%Y": "dmy", "%d/%m/%Y": "dmy", "%m/%d/%Y": "mdy", "%d-%b-%Y": "word",
    "%Y/%m/%d": "ymd", "%Y%m%d": "ymd",
}  # fmt: skip
NUMBERS = [(".", ""), (".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-2", "cp1251", "cp932"]
CHANNELS = st.text(alphabet="abcÄöéłñЖц東カ ,;|\t\"'", min_size=1, max_size=8).filter(
    lambda text: text.strip() == text and text.strip("\"'") and not text.startswith("'")
)
# Integers are drawn many times faster than dates, timestamps and decimals.
DAYS = st.integers(0, 1095).map(lambda days: date(2024, 1, 1) + timedelta(days))
AMOUNTS = st.integers(-9_999_900, 99_999_900).map(lambda cents: Decimal(cents).scaleb(-2))


@st.composite
def dialects(draw):
    """Return rows of spend and a file that holds them, written in some dialect."""
    rows = draw(st.lists(st.tuples(DAYS, CHANNELS, AMOUNTS), min_size=1, max_size=12, unique=True))
    style = draw(st.sampled_from(list(DATES)))
    decimal, group = draw(st.sampled_from(NUMBERS))
    before, after = draw(st.sampled_from([("", ""), ("€", ""), ("", " EUR"), ("EUR ", "")]))
    encoding = draw(st.sampled_from(ENCODINGS))
    out = io.StringIO()
    write = csv.writer(
        out,
        delimiter=draw(st.sampled_from([",", ";", "\t", "|"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    ).writerow

    def number(amount):
        text = f"{amount:,.2f}".replace(",", "G").replace(".", decimal).replace("G", group)
        return text[0] + before + text[1:] + after if amount < 0 else before + text + after

    n_before = draw(st.integers(0, 3))
    for line in range(n_before):
        write([f"Report {line}"])
    write(["date", "channel", "amount"])
    for day, channel, amount in rows:
        write([day.strftime(style), channel, number(amount)])
    n_after = draw(st.integers(0, 1))
    if n_after:
        write(["Total", "", number(sum(a for _, _, a in rows))])
    content = out.getvalue()
    return rows, content, encoding, n_before, n_after


@settings(max_examples=60)
@given(dialects())
def test_any_dialect_gives_the_same_spend_or_a_question(new_desk, dialect):
    rows, content, encoding, n_before, n_after = dialect
    try:
        written = content.encode(encoding)
    except UnicodeEncodeError:
        return
    try:
        found, ledger, _ = spend_of(new_desk(), written, currency="EUR", keep_duplicates=True)
    except Undecided:
        return
    expected: dict[tuple[str, str], Decimal] = {}
    for day, channel, amount in rows:
        expected[str(day), channel] = expected.get((str(day), channel), Decimal(0)) + amount
    assert {(a, c): round(Decimal(d), 2) for a, _, c, d in found} == expected
    assert ledger.read == len(rows) + n_before + n_after
    assert ledger.set_aside.total() == n_before + n_after


STAMPS = st.integers(0, 1095 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1) + timedelta(minutes=minutes)  # noqa: DTZ001
)
STYLES = [
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d %b, %Y %H:%M:%S",
    "serial",
]


@settings(max_examples=40)
@given(st.lists(STAMPS, min_size=1, max_size=8), st.sampled_from(STYLES))
def test_any_style_of_stamps_gives_the_same_leads_or_a_question(new_desk, stamps, style):
    def written(at):
        if style != "serial":
            return at.strftime(style)
        return repr((at - datetime(1899, 12, 30)) / timedelta(days=1))  # noqa: DTZ001

    lines = [f'L{n},"{written(at)}"' for n, at in enumerate(stamps)]
    try:
        rows, _ = leads_of(new_desk(), "\n".join(["lead_id,mql_at", *lines, ""]))
    except Undecided:
        return
    assert [row["mql_at"] for row in rows] == stamps


def test_rows_after_a_cell_of_many_lines_keep_their_lines(desk):
    long = "x\n" * 1_500_000  # more than the engine takes for one row
    content = f'lead_id,mql_at,source\n1,2026-01-05,"{long}"\n2,bad,y\n3,2026-01-06,z\n'
    desk.write("leads.csv", content)
    ledger = desk.read({"leads": {"files": ["leads.csv"]}}).ledgers["leads"]
    assert [(r.line, r.reason) for r in ledger.rows] == [(2, "bad_row"), (1_500_003, "bad_date")]
    assert (ledger.read, ledger.used) == (3, 1)
