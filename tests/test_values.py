"""The value in a cell: what is one name, what is missing, and which ids and amounts are read."""

from __future__ import annotations

import io
from decimal import Decimal

import pandas as pd
import pytest
from test_workbooks import workbook

from mqlkit.core.errors import SourceError
from mqlkit.core.text import visible
from mqlkit.sources.cells import clean, money
from mqlkit.sources.dialect.numbers import NumberReading
from mqlkit.sources.questions import Undecided
from mqlkit.sources.store import connect

LEADS = {"leads": {"files": ["leads.csv"]}}


def rows_of(desk, content, extras=(), **block):
    desk.write("leads.csv", content)
    tables = desk.read({"leads": {"files": ["leads.csv"], **block}}, extras=list(extras))
    return tables.leads.order_by("lead_id").to_pyarrow().to_pylist(), tables


def leads_with(sources):
    rows = [f'L{n:02},2026-01-05,"{source}"' for n, source in enumerate(sources)]
    return "\n".join(["lead_id,mql_at,source", *rows, ""])


# --- Names


ALIKE = [
    "Paid Café",
    "Paid\N{NO-BREAK SPACE}Café",
    "Paid\N{NARROW NO-BREAK SPACE}Café",
    "Paid Cafe\N{COMBINING ACUTE ACCENT}",
    " Paid Café\N{NO-BREAK SPACE}",
    "Paid Ca\N{ZERO WIDTH SPACE}fé",
    "\N{BOM}Paid Café",
    "Paid Café\N{LEFT-TO-RIGHT MARK}",
    "Pa\N{SOFT HYPHEN}id Café",
]


def test_names_that_look_alike_are_one(desk):
    found, _ = rows_of(desk, leads_with(ALIKE))
    assert {row["source"] for row in found} == {"Paid Café"}
    assert {visible(name) for name in ALIKE} == {"Paid Café"}


@pytest.mark.parametrize(
    "name",
    [
        "paid café",  # another case
        "Paid Cafe",  # another letter
        "Paid-Café",
        "Paid  Café",
        "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} team",  # the joiner makes one picture
    ],
)
def test_names_that_look_different_stay_different(desk, name):
    found, _ = rows_of(desk, leads_with([name, ALIKE[0]]))
    assert [row["source"] for row in found] == [name, "Paid Café"]


def test_names_that_look_alike_are_one_in_a_large_table(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 0)
    found, _ = rows_of(desk, leads_with([*ALIKE, "Müller"]))
    assert [row["source"] for row in found] == ["Paid Café"] * len(ALIKE) + ["Müller"]


def test_names_of_the_parameters_are_read_as_those_of_the_data(desk):
    desk.write("leads.csv", leads_with(["Café", "Web"]))
    where = {"source": ["Cafe\N{COMBINING ACUTE ACCENT}\N{NO-BREAK SPACE}"]}
    report = desk.report(LEADS, period="2026-01", where=where)
    assert report.value("mqls") == 1


def test_both_ways_of_leaving_out_what_nothing_shows_agree():
    con = connect().con
    for text in [*ALIKE, "Müller", "\N{IDEOGRAPHIC SPACE}x", "a\N{WORD JOINER}b", "ÅÅ"]:
        ((found,),) = con.execute(
            f"SELECT {clean('cell')} FROM (SELECT $1 AS cell)", [text]
        ).fetchall()
        assert found == visible(text)


def test_names_that_differ_only_in_case_or_accents_are_noted(desk):
    rows = [("Paid Search", "Ana"), ("paid search", "ANA"), ("Web", "Ben"), ("Web", "Cid")]
    lines = [f"L{n},2026-01-05,{source},{owner}" for n, (source, owner) in enumerate(rows)]
    desk.write("leads.csv", "\n".join(["lead_id,mql_at,source,owner", *lines, ""]))
    desk.write("spend.csv", "date,amount,channel\n2026-01-05,10,Wéb\n2026-01-05,10,Other\n")
    spend = {"files": ["spend.csv"], "currency": "EUR"}
    assert desk.read({**LEADS, "spend": spend}).ledgers["leads"].noted == {
        "source: 'Web', 'Wéb' differ only in case or accents": 3,
        "source: 'Paid Search', 'paid search' differ only in case or accents": 2,
        # Redacted reports have ledgers too.
        "owner: names that differ only in case or accents": 2,
    }
    # Each stays a segment of its own.
    assert (
        desk.report(
            LEADS, period="2026-01", by=["source"], where={"source": ["Paid Search"]}
        ).value("mqls")
        == 1
    )


def test_only_some_of_many_names_are_named(desk):
    names = [name for n in range(9) for name in (f"Ads {n}", f"ads {n}")]
    _, tables = rows_of(desk, leads_with(names))
    noted = tables.ledgers["leads"].noted
    assert len(noted) == 4
    assert noted["source: more names that differ only in case or accents"] == 12


# --- Missing values


def test_further_words_for_a_missing_value(desk):
    content = "lead_id,mql_at,sql_at,source\nA,2026-01-05,TBD,none\nB,2026-01-06,TBD ,Nonesuch\n"
    found, tables = rows_of(desk, content, missing=["TBD", "none"])
    assert [(row["sql_at"], row["source"]) for row in found] == [(None, None), (None, "Nonesuch")]
    assert tables.ledgers["leads"].used == 2


def test_further_words_for_a_missing_value_in_a_large_table(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 0)
    content = "lead_id,mql_at,source\nA,2026-01-05 10:00:00,none\nB,2026-01-06 10:00:00,Web\n"
    found, _ = rows_of(desk, content, missing=["none"])
    assert [row["source"] for row in found] == [None, "Web"]


# --- Ids


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(["3.97792E+10", "3.97793E+10"], id="scientific"),
        pytest.param(["1E+17", "A-1"], id="one of several"),
        pytest.param(["3,97792E+10", "5"], id="with a decimal comma"),
        pytest.param(["1.23457e17", "5"], id="without a plus sign"),
        pytest.param(["123456789012345000", "123456789012346000"], id="15 digits and zeros"),
    ],
)
def test_ids_that_a_spreadsheet_rounded_are_refused(desk, ids):
    rows = "".join(f'"{id_}",2026-01-05\n' for id_ in ids)
    desk.write("leads.csv", f"lead_id,mql_at\nX0,2026-01-05\n{rows}")
    with pytest.raises(SourceError, match=r"^leads\.csv:3: \d ids? of leads (is|are) rounded"):
        desk.read(LEADS)


def test_rounded_ids_are_refused_in_a_large_table_and_in_a_history(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 0)
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05 10:00:00\n1.2E+17,2026-01-06 10:00:00\n")
    with pytest.raises(SourceError, match=r"^leads\.csv:3: 1 id of leads is rounded"):
        desk.read(LEADS)
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05 10:00:00\n")
    desk.write("log.csv", "lead_id,at,stage\n1.2E+17,2026-01-06,sql\n")
    with pytest.raises(SourceError, match=r"^log\.csv:2: 1 id of leads is rounded"):
        desk.read({**LEADS, "history": [{"files": ["log.csv"]}]})


def test_rounded_ids_of_a_workbook_and_of_parquet(desk):
    frame = pd.DataFrame({"lead_id": [123456789012345678.0, 5.0], "mql_at": "2026-01-05"})
    out = io.BytesIO()
    frame.to_parquet(out)
    desk.write("leads.parquet", out.getvalue())
    desk.write("leads.xlsx", workbook({"Leads": [list(frame), *frame.values.tolist()]}))
    for name in ("leads.parquet", "leads.xlsx"):
        with pytest.raises(SourceError, match=r":2: 1 id of leads is rounded"):
            desk.read({"leads": {"files": [name]}})


@pytest.mark.parametrize(
    "ids",
    [
        ["1E5", "2e10", "5E05"],  # letters and digits, no number
        ["123456789012345678", "123456789012345670"],  # a zero at the end by chance
        ["1234567890123450", "1234567890123457"],
        ["40000000000000", "100"],  # short enough to be exact
    ],
)
def test_ids_that_look_almost_rounded(desk, ids):
    found, _ = rows_of(desk, "lead_id,mql_at\n" + "".join(f"{i},2026-01-05\n" for i in ids))
    assert {row["lead_id"] for row in found} == set(ids)


# --- Encodings


def test_bytes_that_are_other_letters_in_another_encoding_are_asked_about(desk):
    content = leads_with(["Fuar\N{LATIN SMALL LETTER DOTLESS I} İzmir", "Şirket"]).encode("cp1254")
    with pytest.raises(Undecided) as caught:
        rows_of(desk, content)
    (question,) = caught.value.questions
    assert question.answers == ("encoding: cp1252", "encoding: cp1254")
    found, _ = rows_of(desk, content, encoding="cp1254")
    assert [row["source"] for row in found] == [
        "Fuar\N{LATIN SMALL LETTER DOTLESS I} İzmir",
        "Şirket",
    ]


@pytest.mark.parametrize(
    ("encoding", "sources"),
    [
        ("cp1254", ["Müşteri", "Şirket", "ağaç"]),
        ("cp1257", ["Õie", "Žanna", "Šveits"]),
        ("cp1257", ["Žemaitis", "Kęstutis", "Ąžuolas"]),
    ],
)
def test_turkish_and_baltic_texts_are_read(desk, encoding, sources):
    found, _ = rows_of(desk, leads_with(sources).encode(encoding))
    assert [row["source"] for row in found] == sources


def test_every_encoding_is_among_the_choices_where_none_fits(desk):
    with pytest.raises(Undecided) as caught:
        rows_of(desk, leads_with(["\x81\x8d"]).encode("latin-1"))
    (question,) = caught.value.questions
    assert {"encoding: cp1254", "encoding: cp1257"} <= set(question.answers)


# --- Amounts


@pytest.mark.parametrize(
    ("decimal", "text", "amount"),
    [
        # Negative in accounting: in brackets, or with the sign behind.
        (".", "(12.34)", "-12.34"),
        (".", "$(12.34)", "-12.34"),
        (".", "($12.34)", "-12.34"),
        (".", "(12.34) USD", "-12.34"),
        (".", "USD (1,234.50)", "-1234.50"),
        (".", "(-5)", "-5"),
        (".", "12.34-", "-12.34"),
        (".", "12.34 \N{MINUS SIGN}", "-12.34"),
        (",", "1.234,50-", "-1234.50"),
        # The sign in other places and characters.
        (".", "-$12.34", "-12.34"),
        (".", "$-12.34", "-12.34"),
        (".", "\N{NON-BREAKING HYPHEN}12.34", "-12.34"),
        (".", "\N{EN DASH}12.34", "-12.34"),
        # Thousands.
        (".", "1'234.50", "1234.50"),
        (".", "1\N{RIGHT SINGLE QUOTATION MARK}234.50", "1234.50"),
        (".", "1\N{NARROW NO-BREAK SPACE}234.50", "1234.50"),
        (",", "1\N{THIN SPACE}234,50 €", "1234.50"),
        (",", "R$ 435.000", "435000"),
        (".", "$342.09K", "342090"),
        (".", "$(1.2K)", "-1200"),
        (".", "1,23,456.70", "123456.70"),
        (".", "CHF 1'200.-", "1200"),
        # No numbers.
        (".", "(5", None),
        (".", "5)", None),
        (".", "--5", None),
        (".", "-(5)", None),
        (".", "EUR EUR 5", None),
        (".", "5 EUR each", None),
    ],
)
def test_amounts_as_people_write_them(decimal, text, amount):
    query = f"SELECT {money('cell', NumberReading(decimal))} FROM (SELECT $1 AS cell)"
    ((found,),) = connect().con.execute(query, [text]).fetchall()
    assert found == (None if amount is None else Decimal(amount))
