"""Exports of every shape: what is read, what is set aside, and on which line it stood."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from mqlkit.core.errors import ParamsError, SourceError
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import read_source
from mqlkit.sources.sql import lead_column
from mqlkit.sources.store import connect
from mqlkit.sources.tables import load

LEADS = {"leads": {"files": ["leads.csv"]}}
TWO_LEADS = "lead_id,mql_at,source\nA,2026-01-05 10:00,Müller\nB,2026-01-06 10:00,Õie\n"


def read_leads(desk, content, *, most=1.0, **block):
    """Read one leads file and return its table and ledger."""
    desk.write("leads.csv", content)
    tables = desk.read({"leads": {"files": ["leads.csv"], **block}}, most=most)
    return tables.leads, tables.ledgers["leads"]


def column(table, name):
    known = name if name in table.columns else lead_column(name)
    return table.order_by("lead_id").to_pyarrow()[known].to_pylist()


def instants(table, name):
    """Return stamps in UTC, as text."""
    return [str(at) for at in column(table, name)]


def aside(ledger):
    """Return the rows set aside, after checking that the account closes."""
    assert ledger.read == ledger.used + sum(ledger.set_aside.values())
    assert len(ledger.rows) == sum(ledger.set_aside.values())
    return [(row.line, row.reason, row.text) for row in ledger.rows]


def refusal(desk, content, **block):
    with pytest.raises(SourceError) as caught:
        read_leads(desk, content, **block)
    return str(caught.value)


# --- Encodings, delimiters, compression


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "auto"),
        ("utf-8-sig", "auto"),  # with a BOM
        ("utf-16", "auto"),  # with a BOM, as Excel writes it
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings(desk, encoding, named):
    table, ledger = read_leads(desk, TWO_LEADS.encode(encoding, "replace"), encoding=named)
    assert column(table, "source")[0] == "Müller"
    assert (ledger.read, ledger.used, aside(ledger)) == (2, 2, [])


def test_an_unnamed_encoding_is_asked_for_and_not_guessed(desk):
    rows = "lead_id,mql_at,source\nA,2026-01-05,Müller\nB,2026-01-06,Õie\nC,2026-01-07,Web\n"
    message = refusal(desk, rows.encode("cp1252"))
    # What is Õie in Estonia would be Őie in Hungary.
    assert message == (
        "leads.csv: is not UTF-8 text, and its encoding cannot be told from its bytes.\n"
        "  Found:    'cp1252: A,2026-01-05,Müller', 'cp1250: A,2026-01-05,Müller'\n"
        "  Fix:      add the line `encoding: cp1252` or `encoding: cp1250` below leads: in "
        "source.yaml"
    )


def test_an_unnamed_encoding_whose_text_is_the_same_in_all_that_fit(desk):
    desk.write("leads.csv", "lead_id,mql_at,Größe\nA,2026-01-05,10\n".encode("cp1252"))
    tables = desk.read(LEADS, extras=["Größe"])
    assert column(tables.leads, "Größe") == ["10"]


@pytest.mark.parametrize(
    ("delimiter", "named"),
    [(",", "auto"), (";", "auto"), ("\t", "auto"), ("|", "auto"), ("\t", "tab"), ("~", "~")],
)
def test_delimiters(desk, delimiter, named):
    table, _ = read_leads(desk, TWO_LEADS.replace(",", delimiter), delimiter=named)
    assert column(table, "source") == ["Müller", "Õie"]


def test_a_delimiter_inside_a_quoted_header_does_not_count(desk):
    content = 'lead_id;mql_at;"size, small, medium, large"\nA;2026-01-05;small\n'
    table, _ = read_leads(desk, content)
    assert column(table, "lead_id") == ["A"]


def test_a_gzipped_file_has_lines_like_any_other(desk):
    desk.write("leads.csv.gz", gzip.compress((TWO_LEADS + "C\nD,nonsense,Web\n").encode()))
    tables = desk.read({"leads": {"files": ["leads.csv.gz"]}})
    assert aside(tables.ledgers["leads"]) == [
        (4, "bad_row", "C"),
        (5, "bad_date", "D,nonsense,Web"),
    ]


def test_a_text_file_may_be_called_as_if_it_were_gzipped(desk):
    desk.write("leads.csv.gz", TWO_LEADS)
    assert column(desk.read({"leads": {"files": ["leads.csv.gz"]}}).leads, "lead_id") == ["A", "B"]


def test_headers_match_whatever_their_case_and_space(desk):
    content = " LEAD_ID ,Mql At,SOURCE\nA,2026-01-05,Web\n"
    table, _ = read_leads(desk, content, columns={"mql_at": "mql at"})
    assert column(table, "source") == ["Web"]


def test_a_header_that_occurs_twice_keeps_both_columns(desk):
    content = "lead_id,mql_at,Status,Status\nA,2026-01-05,new,old\n"
    desk.write("leads.csv", content)
    tables = desk.read(LEADS, extras=["Status", "Status (2)"])
    assert column(tables.leads, "Status") == ["new"]
    assert column(tables.leads, "Status (2)") == ["old"]


# --- Rows that cannot be used, and their lines


def test_every_reason_with_its_line(desk):
    content = (
        "lead_id,mql_at,source,amount\n"
        "A,2026-01-05,Web,10.50\n"
        "B,2026-01-06,Web\n"  # too few cells
        "C,2026-01-06,Web,1,2\n"  # too many
        ",2026-01-06,Web,1\n"  # no id
        "E,2026-02-30,Web,1\n"  # no such day
        "F,2026-01-06,Web,ten\n"  # no number
        "\n"  # nothing at all
        " , ,,\n"  # nothing in any cell
        "lead_id,mql_at,source,amount\n"  # two exports pasted into one
        "A,2026-01-05,Web,10.50\n"  # line 2 again
        "G,2026-01-07,Web,\n"
    )
    table, ledger = read_leads(desk, content)
    assert aside(ledger) == [
        (3, "bad_row", "B,2026-01-06,Web"),
        (4, "bad_row", "C,2026-01-06,Web,1,2"),
        (5, "no_id", ",2026-01-06,Web,1"),
        (6, "bad_date", "E,2026-02-30,Web,1"),
        (7, "bad_amount", "F,2026-01-06,Web,ten"),
        (8, "blank", ""),
        (9, "blank", " , ,,"),
        (10, "repeated_header", "lead_id,mql_at,source,amount"),
        (11, "duplicate", "A,2026-01-05,Web,10.50"),
    ]
    assert (ledger.read, ledger.used) == (11, 2)
    assert column(table, "lead_id") == ["A", "G"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_lines_are_physical_whatever_ends_them(desk, end):
    lines = [
        "lead_id,mql_at,source",
        "A,2026-01-05,Web",
        "B,2026-01-06",  # 3: too few cells
        "",  # 4
        "",  # 5
        "C,2026-01-06",  # 6: too few cells, after two blank lines
        "D,nonsense,Web",  # 7
        "E,2026-01-07,Web",
        "F,2026-01-08,Web,Web",  # 9: too many cells
        "",  # 10: at the end
    ]
    table, ledger = read_leads(desk, end.join([*lines, ""]))
    assert aside(ledger) == [
        (3, "bad_row", "B,2026-01-06"),
        (4, "blank", ""),
        (5, "blank", ""),
        (6, "bad_row", "C,2026-01-06"),
        (7, "bad_date", "D,nonsense,Web"),
        (9, "bad_row", "F,2026-01-08,Web,Web"),
        (10, "blank", ""),
    ]
    assert column(table, "lead_id") == ["A", "E"]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_lines_after_quoted_line_breaks(desk, end):
    lines = [
        "lead_id,mql_at,source",
        '"A",2026-01-05,"Web',  # 2
        'site, ""new"""',
        'B,nonsense,"two',  # 4
        "",
        'breaks"',
        "",  # 7
        '"C",2026-01-06,"a',  # 8
        'b"',
        'D,"2026',  # 10: too few cells, with a break
        '"',
        "E,2026-02-30,Web",  # 12
    ]
    table, ledger = read_leads(desk, end.join([*lines, ""]))
    assert aside(ledger) == [
        (4, "bad_date", f'B,nonsense,"two{end}{end}breaks"'),
        (7, "blank", ""),
        (10, "bad_row", f'D,"2026{end}"'),
        (12, "bad_date", "E,2026-02-30,Web"),
    ]
    assert column(table, "source") == [f'Web{end}site, "new"', f"a{end}b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_move_the_lines(desk, encoding):
    content = "lead_id,mql_at,source\nA,2026-01-05,Õie\nB\nC,nonsense,Õie\n"
    _, ledger = read_leads(desk, content.encode(encoding))
    assert aside(ledger) == [(3, "bad_row", "B"), (4, "bad_date", "C,nonsense,Õie")]


def test_a_file_without_a_last_line_end(desk):
    _, ledger = read_leads(desk, "lead_id,mql_at\nA,2026-01-05\nB,nonsense")
    assert aside(ledger) == [(3, "bad_date", "B,nonsense")]


def test_a_file_cut_off_in_the_middle_of_a_row(desk):
    _, ledger = read_leads(desk, "lead_id,mql_at,source\nA,2026-01-05,Web\nB,2026-01")
    assert aside(ledger) == [(3, "bad_row", "B,2026-01")]


def test_a_file_cut_off_inside_a_quote(desk):
    _, ledger = read_leads(desk, 'lead_id,mql_at,source\nA,2026-01-05,Web\nB,2026-01-06,"We\n')
    ((line, reason, text),) = aside(ledger)
    assert (line, reason, text.rstrip()) == (3, "bad_row", 'B,2026-01-06,"We')


def test_a_line_of_spaces_is_blank(desk):
    _, ledger = read_leads(desk, "lead_id,mql_at\nA,2026-01-05\n   \nB,2026-01-06\n")
    assert aside(ledger) == [(3, "blank", "   ")]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("lead_id, mql_at,source", id="with a space after a comma"),
        pytest.param("lead_id,mql_at,note,note", id="with a name twice"),
        pytest.param('"lead_id","mql_at","source"', id="quoted"),
    ],
)
def test_a_repeated_header_is_known_whatever_its_form(desk, header):
    more = ",Web" * (header.count(",") - 1)
    content = f"{header}\nA,2026-01-05{more}\n{header}\nB,2026-01-06{more}\n"
    _, ledger = read_leads(desk, content)
    assert aside(ledger) == [(3, "repeated_header", header)]


def test_a_table_of_one_column(desk):
    desk.write("leads.csv", "lead_id\nA\n\nB\nA\n")
    desk.write("history.csv", "lead_id,at,stage\nA,2026-01-05,mql\n")
    tables = desk.read({**LEADS, "history": [{"files": ["history.csv"]}]})
    assert aside(tables.ledgers["leads"]) == [(3, "blank", ""), (5, "duplicate", "A")]


def test_each_input_says_how_many_rows_it_has(desk):
    content = 'lead_id,mql_at,source\nA,2026-01-05,"Web\nsite"\nB,nonsense,Web\n'
    desk.write("leads.csv", content)
    tables = desk.read(LEADS)
    ((export, _, rows),) = tables.exports
    assert (export.name, export.encoding, export.delimiter) == ("leads.csv", "utf-8", ",")
    assert rows == tables.ledgers["leads"].read == 2  # not 3, the physical lines below the header


# --- Duplicates and merged leads


def test_overlapping_exports_are_one_lead(desk):
    first = (
        "lead_id,mql_at,accepted_at,owner,amount\n"
        "A,2026-01-05,2026-01-09,Ana,10\n"  # earliest MQL; the latest timestamp, so its amount
        "B,2026-01-06,,Ben,\n"
    )
    second = (
        "lead_id,mql_at,accepted_at,owner,amount\n"
        "A,2026-01-07,2026-01-08,,20\n"  # the earlier acceptance
        "B,2026-01-06,,Ben,\n"  # equal in every cell: a duplicate, not a merge
        "C,2026-01-08,,Cid,\n"
    )
    desk.write("jan.csv", first)
    desk.write("feb.csv", second)
    tables = desk.read({"leads": {"files": ["jan.csv", "feb.csv"]}})
    ledger = tables.ledgers["leads"]
    assert [(r.file, r.line, r.reason) for r in ledger.rows] == [("feb.csv", 3, "duplicate")]
    assert (ledger.read, ledger.used, ledger.noted["merged"]) == (5, 4, 1)  # leads = used - merged
    assert column(tables.leads, "lead_id") == ["A", "B", "C"]
    assert instants(tables.leads, "mql_at")[0] == "2026-01-05 00:00:00"
    assert instants(tables.leads, "accepted_at")[0] == "2026-01-08 00:00:00"
    assert column(tables.leads, "owner") == ["Ana", "Ben", "Cid"]
    assert [None if a is None else float(a) for a in column(tables.leads, "amount")] == [
        10.0, None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "owner"),
    [
        (["A,2026-01-05,2026-01-09,Ana", "A,2026-01-05,2026-01-08,Ben"], "Ana"),  # the later event
        (["A,2026-01-05,,Ben", "A,2026-01-06,,Ana"], "Ana"),  # though Ben is greater
        (["A,2026-01-05,2026-01-09,", "A,2026-01-05,2026-01-08,Ben"], "Ben"),  # empty is no value
        (["A,2026-01-05,,Ana", "A,2026-01-05,,Ben"], "Ben"),  # at the same time: the greatest text
    ],
)
@pytest.mark.parametrize("files", [["a.csv", "b.csv"], ["b.csv", "a.csv"]])
def test_the_value_of_the_row_with_the_latest_timestamp_wins(desk, rows, owner, files):
    for name, row in zip(("a.csv", "b.csv"), rows, strict=True):
        desk.write(name, f"lead_id,mql_at,accepted_at,owner\n{row}\n")
    tables = desk.read({"leads": {"files": files}})
    assert column(tables.leads, "owner") == [owner]


def test_a_word_for_nothing_is_no_empty_cell(desk):
    # Equal are cells that are written alike; the two rows are one lead all the same.
    table, ledger = read_leads(desk, "lead_id,mql_at,owner\nA,2026-01-05,-\nA,2026-01-05,\n")
    assert (ledger.set_aside.total(), ledger.noted["merged"]) == (0, 1)
    assert column(table, "owner") == [None]


def test_files_with_different_columns_are_one_table(desk):
    desk.write("a.csv", "lead_id,mql_at,source\nA,2026-01-05,Web\nB,nonsense,Web\n")
    desk.write("b.csv", "owner;mql_at;lead_id\nAna;2026-01-06;C\n;2026-01-07;\n")
    tables = desk.read({"leads": {"files": ["a.csv", "b.csv"], "columns_missing": "allow"}})
    rows = tables.leads.order_by("lead_id").select("lead_id", "source", "owner").to_pyarrow()
    assert rows.to_pylist() == [
        {"lead_id": "A", "source": "Web", "owner": None},
        {"lead_id": "C", "source": None, "owner": "Ana"},
    ]
    assert [(r.file, r.line, r.reason) for r in tables.ledgers["leads"].rows] == [
        ("a.csv", 3, "bad_date"),
        ("b.csv", 3, "no_id"),
    ]


def test_equal_cells_under_other_headers_are_no_duplicate(desk):
    desk.write("a.csv", "lead_id,mql_at,source\nA,2026-01-05,Ana\n")
    desk.write("b.csv", "lead_id,mql_at,owner\nA,2026-01-05,Ana\n")  # Ana owns it, too
    tables = desk.read({"leads": {"files": ["a.csv", "b.csv"], "columns_missing": "allow"}})
    assert aside(tables.ledgers["leads"]) == []
    assert column(tables.leads, "owner") == ["Ana"]


def test_equal_rows_with_their_columns_in_another_order_are_duplicates(desk):
    desk.write("a.csv", "lead_id,mql_at,source\nA,2026-01-05,Web\n")
    desk.write("b.csv", "source,lead_id,mql_at\nWeb,A,2026-01-05\n")
    tables = desk.read({"leads": {"files": ["a.csv", "b.csv"]}})
    assert aside(tables.ledgers["leads"]) == [(2, "duplicate", "Web,A,2026-01-05")]


def test_duplicates_can_be_kept(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.csv", "date,amount,channel\n2026-01-05,10,Web\n2026-01-05,10,Web\n")
    spend = {"files": ["spend.csv"], "currency": "EUR"}
    dropped = desk.read({**LEADS, "spend": spend})
    kept = desk.read({**LEADS, "spend": {**spend, "keep_duplicates": True}})
    assert dropped.spend["amount"].tolist() == [10.0]
    assert aside(dropped.ledgers["spend"]) == [(3, "duplicate", "2026-01-05,10,Web")]
    assert kept.spend["amount"].sum() == 20.0
    assert aside(kept.ledgers["spend"]) == []


# --- Cells


def numbered(texts, header="lead_id,mql_at"):
    """Return a file with one lead per text in its last column, L00, L01 and so on."""
    middle = ",2026-01-05" * (header.count(",") - 1)
    rows = [f'L{number:02}{middle},"{text}"' for number, text in enumerate(texts)]
    return "\n".join([header, *rows, ""])


def test_what_exports_write_where_there_is_nothing(desk):
    nothing = ["", "null", "NULL", "--", " --", "-", "n/a", "  "]
    table, ledger = read_leads(desk, numbered(nothing, "lead_id,mql_at,source"))
    assert column(table, "source") == [None] * len(nothing)
    assert ledger.used == len(nothing)


def test_words_that_are_values(desk):
    words = ["unknown", "undefined", "None", "0", "nothing"]
    table, _ = read_leads(desk, numbered(words, "lead_id,mql_at,source"))
    assert column(table, "source") == words


def test_iso_stamps(desk):
    stamps = {
        "2026-01-05": "2026-01-04 22:00:00",  # midnight in Tallinn
        "2026-01-05 10:00": "2026-01-05 08:00:00",
        "2026-01-05T10:00:00.123456": "2026-01-05 08:00:00.123456",
        "2026-07-05 10:00": "2026-07-05 07:00:00",  # summer time
        "2026-01-05T10:00:00Z": "2026-01-05 10:00:00",
        "2026-01-05T10:00:00.000+0000": "2026-01-05 10:00:00",  # Salesforce
        "2026-01-05 10:00:00+05:30": "2026-01-05 04:30:00",
        "2019-07-12 09:50:36 UTC": "2019-07-12 09:50:36",
    }
    table, _ = read_leads(desk, numbered(stamps), timezone="Europe/Tallinn")
    assert instants(table, "mql_at") == list(stamps.values())


@pytest.mark.parametrize(
    ("dates", "stamps"),
    [
        (
            "dmy",
            {
                "05/01/2026": "2026-01-05 00:00:00",
                "5.1.2026": "2026-01-05 00:00:00",
                "31-12-2026": "2026-12-31 00:00:00",
                "05.01.2026 10:30": "2026-01-05 10:30:00",
                "2026-01-05T10:30:00Z": "2026-01-05 10:30:00",  # ISO beside it
            },
        ),
        (
            "mdy",
            {
                "01/05/2026": "2026-01-05 00:00:00",
                "3/5/2026 2:15:33 PM": "2026-03-05 14:15:33",
                "3/4/2025, 10:22 AM": "2025-03-04 10:22:00",
            },
        ),
        ("ymd", {"2026/01/05": "2026-01-05 00:00:00", "20260105": "2026-01-05 00:00:00"}),
        ("%d-%b-%Y", {"05-Mar-2026": "2026-03-05 00:00:00"}),
        ("%d %b, %Y %H:%M:%S", {"15 Apr, 2021 00:03:00": "2021-04-15 00:03:00"}),
    ],
    ids=["dmy", "mdy", "ymd", "pattern", "zoho"],
)
def test_other_dates_are_read_as_the_user_says(desk, dates, stamps):
    table, _ = read_leads(desk, numbered(stamps), dates=dates, timezone="UTC")
    assert instants(table, "mql_at") == list(stamps.values())


@pytest.mark.parametrize(
    ("dates", "texts"),
    [
        ("auto", ["32/01/2026", "2026-13-01", "2026-01-05 25:00", "soon"]),
        ("auto", ["infinity", "epoch", "now", "today"]),  # what the engine would take for a date
        ("dmy", ["01/13/2026", "31/02/2026", "05/01/026"]),
        ("mdy", ["13/01/2026", "01/05/026"]),
    ],
    ids=["auto", "words", "dmy", "mdy"],
)
def test_dates_that_cannot_be_read(desk, dates, texts):
    _, ledger = read_leads(desk, numbered([*texts, "2026-01-05"]), dates=dates)
    assert [(line, reason) for line, reason, _ in aside(ledger)] == [
        (line, "bad_date") for line in range(2, len(texts) + 2)
    ]


def test_both_ways_of_reading_agree_on_a_daylight_saving_change(desk):
    # 03:30 did not exist on 29 March and was there twice on 25 October 2026 in Tallinn.
    iso = "lead_id,mql_at\nA,2026-03-29 03:30\nB,2026-10-25 03:30\n"
    dotted = "lead_id,mql_at\nA,29.03.2026 03:30\nB,25.10.2026 03:30\n"
    a, _ = read_leads(desk, iso, timezone="Europe/Tallinn")
    b, _ = read_leads(desk, dotted, timezone="Europe/Tallinn", dates="dmy")
    assert column(a, "mql_at") == column(b, "mql_at")


def test_a_pattern_that_is_none_is_refused(desk):
    message = refusal(desk, "lead_id,mql_at\nA,x\n", dates="%Q")
    assert "%Q" in message


def test_which_stamps_are_dates(desk):
    content = (
        "lead_id,created_at,mql_at,sql_at\n"
        "A,2026-01-01,2026-01-05,2026-01-06T10:00:00Z\n"
        "B,2026-01-02 08:00,2026-01-06,\n"  # one time is enough
    )
    desk.write("leads.csv", content)
    source = {"leads": {"files": ["leads.csv"], "timezone": "UTC"}}
    assert desk.report(source, period="2026-01").leads.dated == {"mql_at"}


@pytest.mark.parametrize(
    ("decimal", "amounts"),
    [
        ("auto", {"10.50": 10.5, "1 200": 1200.0, "-3": -3.0, "0": 0.0}),
        (",", {"1.234,50": 1234.5, "12,5": 12.5, "7": 7.0}),
    ],
)
def test_amounts_are_read_alike_in_leads_and_in_spend(desk, decimal, amounts):
    desk.write("leads.csv", numbered(amounts, "lead_id,mql_at,amount"))
    desk.write("spend.csv", numbered(amounts, "channel,date,amount"))
    tables = desk.read(
        {
            "leads": {"files": ["leads.csv"], "decimal": decimal},
            "spend": {"files": ["spend.csv"], "decimal": decimal, "currency": "EUR"},
        }
    )
    assert tables.spend["amount"].tolist() == list(amounts.values())
    assert [a if a is None else float(a) for a in column(tables.leads, "amount")] == list(
        amounts.values()
    )


def test_amounts_that_are_no_number(desk):
    texts = ["ten", "nan", "inf", "1.2.3", "5 EUR each"]
    _, ledger = read_leads(desk, numbered([*texts, "5"], "lead_id,mql_at,amount"))
    assert ledger.set_aside == {"bad_amount": len(texts)}


# --- Spend and goals


def read_spend(desk, content, **block):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.csv", content)
    return desk.read({**LEADS, "spend": {"files": ["spend.csv"], "currency": "EUR", **block}})


def test_spend_by_day_and_by_range(desk):
    content = (
        "Day,From,To,Cost,Campaign\n"
        "2026-01-05,,,10,Web\n"
        ",2026-01-06,2026-01-08,30,Web\n"  # three days
        "2026-01-09,,,-5,Web\n"  # a credit, kept and noted
        "2026-01-10,,,7,\n"  # in no channel
    )
    names = {"date": "Day", "date_from": "From", "date_to": "To", "amount": "Cost"}
    tables = read_spend(desk, content, columns={**names, "channel": "Campaign"})
    spend = tables.spend.drop(columns="campaign")
    rows = spend.astype({"channel": object}).itertuples(index=False, name=None)
    assert [(a.isoformat(), b.isoformat(), c if c == c else None, d) for a, b, c, d in rows] == [
        ("2026-01-05", "2026-01-05", "Web", 10.0),
        ("2026-01-06", "2026-01-08", "Web", 30.0),
        ("2026-01-09", "2026-01-09", "Web", -5.0),
        ("2026-01-10", "2026-01-10", None, 7.0),
    ]
    assert tables.currency == "EUR"
    assert tables.ledgers["spend"].noted["credit"] == 1


def test_a_total_without_a_name_is_not_added_to_what_it_totals(desk):
    rows = "date,amount,channel\n2026-01-05,10,Web\n2026-01-06,5.50,Ads\n"
    with pytest.raises(SourceError) as raised:
        read_spend(desk, rows + "2026-01-05,15.50,\n")
    assert str(raised.value) == (
        "spend.csv: the rows without a channel add up to all others.\n"
        "  Expected: each amount once\n"
        "  Found:    15.50 without a channel, 15.50 with one\n"
        "  Fix:      take them out if they are totals, or give them a channel"
    )
    assert len(read_spend(desk, rows + "2026-01-05,15.49,\n").spend) == 3


def test_spend_that_cannot_be_used(desk):
    content = (
        "date_from,date_to,amount\n"
        "2026-01-05,2026-01-04,5\n"  # ends before it starts
        "2026-01-05,,5\n"  # no end
        "2026-01-05,2026-01-05,\n"  # no amount
        "2026-01-05,2026-01-06,5\n"
    )
    ledger = read_spend(desk, content).ledgers["spend"]
    assert [(line, reason) for line, reason, _ in aside(ledger)] == [
        (2, "bad_date"),
        (3, "bad_date"),
        (4, "bad_amount"),
    ]


@pytest.mark.parametrize("text", ["0026-01-02", "01/02/026"])
def test_spend_of_the_year_26_is_no_date(desk, text):
    # Taken for the year 26, it would be lost, and stretch the days that the spend covers.
    content = f"date,amount\n{text},5\n2026-01-02,5\n"
    assert aside(read_spend(desk, content).ledgers["spend"]) == [(2, "bad_date", f"{text},5")]


@pytest.mark.parametrize(
    ("content", "block", "message"),
    [
        pytest.param(
            "amount,channel\n5,Web\n",
            {},
            "spend.csv:1: has no date.\n"
            "  Expected: a column date, or date_from and date_to\n"
            "  Found:    'amount', 'channel'\n"
            "  Fix:      map it under spend.columns in source.yaml",
            id="no date",
        ),
        pytest.param(
            "date_from,amount\n2026-01-05,5\n",
            {},
            "spend.csv:1: has no date.\n"
            "  Expected: a column date, or date_from and date_to\n"
            "  Found:    'date_from', 'amount'\n"
            "  Fix:      map it under spend.columns in source.yaml",
            id="a start without an end",
        ),
        pytest.param(
            "date,amount,currency\n2026-01-05,5,EUR\n2026-01-05,5,USD\n",
            {},
            "spend.csv: the amounts are in more than one currency.\n"
            "  Found:    'EUR', 'USD'\n"
            "  Fix:      give the parameter `rates`, a CSV of currency and rate, or read the files "
            "of one currency only",
            id="two currencies",
        ),
        pytest.param(
            "date,amount,currency\n2026-01-05,5,USD\n2026-01-06,5,\n",
            {"currency": None},
            "spend.csv: the amounts are in more than one currency.\n"
            "  Found:    'USD', '(none)'\n"
            "  Fix:      give the parameter `rates`, a CSV of currency and rate, or read the files "
            "of one currency only",
            id="a currency that is missing in a row",
        ),
        pytest.param(
            "date,amount\n2026-01-05,5\n",
            {"currency": None},
            "spend.csv: no column tells the currency.\n"
            "  Fix:      add the line `currency: EUR` below spend: in source.yaml",
            id="no currency",
        ),
    ],
)
def test_spend_that_is_refused(desk, content, block, message):
    with pytest.raises(SourceError) as caught:
        read_spend(desk, content, **block)
    assert str(caught.value) == message


def read_goals(desk, content, **block):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("goals.csv", content)
    return desk.read({**LEADS, "goals": {"files": ["goals.csv"], **block}})


def test_goals(desk):
    content = "month,mqls,source\n2026-01,10,Web\n2026-02-15,5.5,\n2026-03,1 200,Web\n"
    goals = read_goals(desk, content).goals
    assert [
        (f"{m:%Y-%m-%d}", *rest)
        for m, *rest in goals[["month", "by", "name", "mqls"]].itertuples(index=False)
    ] == [
        ("2026-01-01", "source", "Web", 10.0),
        ("2026-02-01", "", "", 5.5),
        ("2026-03-01", "source", "Web", 1200.0),
    ]


def test_goals_by_a_column_of_the_leads(desk):
    desk.write("leads.csv", "lead_id,mql_at,Team,region\nA,2026-01-05,North,EU\n")
    desk.write("goals.csv", "month,team,mqls,sqls\n2026-01,North,4,\n2026-01,All,9,2\n")
    source = {**LEADS, "goals": {"files": ["goals.csv"]}}
    goals = desk.read(source).goals
    found = goals.astype(object).where(goals.notna(), None)
    assert found.drop(columns="month").values.tolist() == [
        ["", "", 9.0, 2.0, None],
        ["Team", "North", 4.0, None, None],
    ]
    desk.write("goals.csv", "month,team,region,mqls\n2026-01,North,EU,4\n")
    with pytest.raises(SourceError) as caught:
        desk.read(source)
    assert str(caught.value) == (
        "goals.csv: the goals have 2 lead columns.\n"
        "  Expected: month, mqls and at most one lead column\n"
        "  Found:    'Team', 'region'\n"
        "  Fix:      name the one that is meant under goals.columns in source.yaml, such as "
        "{Team: Team}"
    )
    source["goals"]["columns"] = {"region": "region"}
    assert desk.read(source).goals[["by", "name"]].values.tolist() == [["region", "EU"]]
    source["goals"]["columns"] = {"area": "region"}
    with pytest.raises(SourceError, match="area"):
        desk.read(source)


def test_goals_of_a_segment_that_no_lead_has_are_noted(desk):
    # Two months of a misspelt source; owners are not named, as redacted reports have ledgers too.
    desk.write("leads.csv", "lead_id,mql_at,source,owner\nA,2026-01-05,Web,Ann\n")
    desk.write("goals.csv", "month,source,mqls\n2026-01,Wbe,4\n2026-02,Wbe,4\n2026-01,Web,4\n")
    source = {**LEADS, "goals": {"files": ["goals.csv"]}}
    assert desk.read(source).ledgers["goals"].noted == {"goals of source 'Wbe' (no such lead)": 2}
    desk.write("goals.csv", "month,owner,mqls\n2026-01,Anne,4\n2026-01,all,4\n")
    assert desk.read(source).ledgers["goals"].noted == {"goals of owner (no such lead)": 1}


def test_goals_with_a_decimal_comma(desk):
    goals = read_goals(desk, 'month,mqls\n2026-01,"10,5"\n', decimal=",").goals
    assert goals["mqls"].tolist() == [10.5]


def test_goals_that_cannot_be_used(desk):
    content = "month,mqls\nJanuary,10\n2026-01,ten\n2026-02,\n2026-03,nan\n2026-04,10\n"
    ledger = read_goals(desk, content).ledgers["goals"]
    assert [(line, reason) for line, reason, _ in aside(ledger)] == [
        (2, "bad_date"),
        (3, "bad_amount"),
        (5, "bad_amount"),  # the fourth line has no goal, which is no fault
    ]


def test_a_month_with_two_goals(desk):
    content = "month,mqls,source\n2026-01,10,Web\n2026-01,12,Web\n2026-02,1,\n2026-02-05,2,\n"
    with pytest.raises(SourceError) as caught:
        read_goals(desk, content)
    assert str(caught.value) == (
        "goals.csv: 2 months have more than one goal.\n"
        "  Found:    '2026-01 Web', '2026-02'\n"
        "  Fix:      keep one row per month and source"
    )


def test_goals_by_a_column_that_is_not_recognized(desk):
    content = "month,Sales Rep,mqls\n2026-01,Ann,10\n2026-01,Bo,12\n"
    with pytest.raises(SourceError) as caught:
        read_goals(desk, content)
    assert str(caught.value) == (
        "goals.csv: 1 month has more than one goal.\n"
        "  Found:    '2026-01'\n"
        "  Fix:      keep one row per month, or, if it is by segment, name its lead column under "
        "goals.columns in source.yaml, such as {owner: Sales Rep} (the column is not read: "
        "'Sales Rep')"
    )


def test_goals_without_a_number_get_no_advice_on_dates(desk):
    with pytest.raises(SourceError) as caught:
        read_goals(desk, "month,mqls\n2026-01,abc\n")
    fix = "correct these rows; if numbers have a decimal comma, say so in source.yaml"
    assert str(caught.value).endswith(f"Fix:      {fix} (goals.decimal: ',')")


# --- Files that are refused


def test_an_empty_file(desk):
    assert refusal(desk, b"\xef\xbb\xbf\n \n") == (
        "leads.csv: is empty.\n  Expected: a header line and rows\n  Fix:      export it again"
    )


@pytest.mark.parametrize(
    "content",
    ["lead_id,mql_at\n", "lead_id,mql_at", "lead_id,mql_at\n\n\n"],
    ids=["line end", "no line end", "blank lines"],
)
def test_a_header_and_no_rows(desk, content):
    assert refusal(desk, content) == (
        "leads.csv: has a header and no rows.\n"
        "  Expected: rows of leads\n"
        "  Fix:      export it again, or take it out of leads in source.yaml"
    )


def test_one_file_of_several_may_have_no_rows(desk):
    desk.write("a.csv", "lead_id,mql_at\n")
    desk.write("b.csv", "lead_id,mql_at\nA,2026-01-05\n")
    tables = desk.read({"leads": {"files": ["a.csv", "b.csv"]}})
    assert tables.ledgers["leads"].to_dict()["used"] == 1


def test_a_file_that_begins_with_a_blank_line(desk):
    _, ledger = read_leads(desk, "\nlead_id,mql_at\nA,2026-01-05\nB,soon\n")
    assert aside(ledger) == [(1, "blank", ""), (4, "bad_date", "B,soon")]


def test_missing_columns_with_the_nearest_here(desk):
    header = "Lead IDs,MQL Date,SAL Date,Owner,Phone,City,Zip"
    assert refusal(desk, f"{header}\nA,2026-01-05,,,,,\n") == (
        "leads.csv:1: 2 of the 2 columns needed are missing.\n"
        "  Missing:  lead_id (nearest here: 'Lead IDs'), mql_at (nearest here: 'MQL Date')\n"
        "  Found:    'Lead IDs', 'MQL Date', 'SAL Date', 'Owner' and 3 more\n"
        "  Fix:      map them under leads.columns in source.yaml"
    )


def test_a_mapped_column_that_is_missing_names_the_nearest_too(desk):
    names = {"lead_id": "Lead ID", "mql_at": "MQL Dat"}
    assert refusal(desk, "Lead ID,MQL Date\nA,2026-01-05\n", columns=names) == (
        "leads.csv:1: 1 of the 2 columns needed is missing.\n"
        "  Missing:  MQL Dat (for mql_at) (nearest here: 'MQL Date')\n"
        "  Found:    'Lead ID', 'MQL Date'\n"
        "  Fix:      map them under leads.columns in source.yaml"
    )


def test_a_mapped_column_that_could_be_left_out_is_missed_all_the_same(desk):
    content = "lead_id,mql_at,SQL Date\nA,2026-01-05,\n"
    assert refusal(desk, content, columns={"sql_at": "SQL Dat"}) == (
        "leads.csv:1: has no column 'SQL Dat' (leads.columns.sql_at).\n"
        "  Found:    nearest here: 'SQL Date'\n"
        "  Fix:      correct the name in source.yaml"
    )


def test_all_files_that_lack_a_column_are_named_at_once(desk):
    desk.write("a.csv", "id,mql_at\nA,2026-01-05\n")
    desk.write("b.csv", "lead_id,date\nA,2026-01-05\n")
    with pytest.raises(SourceError) as caught:
        desk.read({"leads": {"files": ["a.csv", "b.csv"]}})
    assert str(caught.value) == (
        "a.csv:1: 1 of the 2 columns needed is missing.\n"
        "  Missing:  lead_id\n"
        "  Found:    'id', 'mql_at'\n"
        "  Fix:      map them under leads.columns in source.yaml\n"
        "b.csv:1: 1 of the 2 columns needed is missing.\n"
        "  Missing:  mql_at\n"
        "  Found:    'lead_id', 'date'\n"
        "  Fix:      map them under leads.columns in source.yaml"
    )


def test_a_breakdown_column_that_is_in_no_file(desk):
    desk.write("leads.csv", "lead_id,mql_at,Country\nA,2026-01-05,EE\n")
    with pytest.raises(ParamsError) as caught:
        desk.read(LEADS, extras=["contry"])
    assert str(caught.value) == (
        "by/where: column 'contry' is unknown.\n  Fix:      did you mean 'Country'?"
    )


def test_not_one_row_that_can_be_used(desk):
    # Whatever share was agreed: a report on nothing misleads.
    content = "lead_id,mql_at\nA,5 January\n,2026-01-06\n"
    assert refusal(desk, content, most=1.0) == (
        "leads: 2 of 2 rows cannot be used, and none is left.\n"
        "  leads.csv:2: a date that does not exist or cannot be read (bad_date): A,5 January\n"
        "  leads.csv:3: no lead id (no_id): ,2026-01-06\n"
        "  Fix:      correct these rows; if the dates are not year-month-day, "
        "say so in source.yaml "
        "(leads.dates: dmy, mdy or a pattern such as %d.%m.%Y)"
    )


def test_more_rows_lost_than_agreed(desk):
    content = (
        "lead_id,mql_at\n"
        "A,5 January\n"
        "B,6 January\n"
        "C,7 January\n"
        "D,8 January\n"  # a fourth one is not shown
        "E,2026-01-09\n"
    )
    assert refusal(desk, content, most=0.05) == (
        "leads: 4 of 5 rows cannot be used, more than max_set_aside (5%) allows.\n"
        "  leads.csv:2: a date that does not exist or cannot be read (bad_date): A,5 January\n"
        "  leads.csv:3: a date that does not exist or cannot be read (bad_date): B,6 January\n"
        "  leads.csv:4: a date that does not exist or cannot be read (bad_date): C,7 January\n"
        "  Fix:      correct these rows; if the dates are not year-month-day, "
        "say so in source.yaml "
        "(leads.dates: dmy, mdy or a pattern such as %d.%m.%Y)"
    )


def test_the_agreed_share_itself_is_allowed(desk):
    rows = "".join(f"L{i},2026-01-05\n" for i in range(19))
    _, ledger = read_leads(desk, f"lead_id,mql_at\nX,soon\n{rows}", most=0.05)
    assert (ledger.read, ledger.used) == (20, 19)


def test_blank_lines_and_duplicates_lose_nothing(desk):
    content = "lead_id,mql_at\nA,2026-01-05\n\n\n\nA,2026-01-05\nA,2026-01-05\n"
    _, ledger = read_leads(desk, content, most=0.0)
    assert (ledger.read, ledger.used, ledger.unusable) == (6, 1, 0)


def test_a_workbook_named_csv(desk):
    assert refusal(desk, b"PK\x03\x04rest") == (
        "leads.csv: is a damaged workbook (File is not a zip file).\n  Fix:      export it again"
    )


def test_an_encoding_nobody_knows(desk):
    assert refusal(desk, TWO_LEADS, encoding="martian") == (
        "leads.csv: encoding 'martian' is unknown.\n  Expected: auto, utf-8, cp1252, ..."
    )


def test_the_wrong_encoding(desk):
    assert refusal(desk, TWO_LEADS, encoding="ascii-8bit") == (
        "leads.csv: encoding 'ascii-8bit' is unknown.\n  Expected: auto, utf-8, cp1252, ..."
    )
    assert refusal(desk, TWO_LEADS, encoding="utf-16") == (
        "leads.csv: is not utf-16 text (UTF-16 stream does not start with BOM).\n"
        "  Fix:      name its encoding in source.yaml, such as encoding: cp1252"
    )


def test_a_gzip_file_within_a_gzip_file(desk):
    desk.write("leads.csv.gz", gzip.compress(gzip.compress(TWO_LEADS.encode())))
    with pytest.raises(SourceError, match=r"is a gzip file within a gzip file\.\n(.+\n)+.+once$"):
        desk.read({"leads": {"files": ["leads.csv.gz"]}})


def test_the_only_column_needed_is_missing(desk):
    desk.write("leads.csv", TWO_LEADS)
    desk.write("spend.csv", "date,channel\n2026-01-05,x\n")
    spend = {"files": ["spend.csv"], "currency": "EUR"}
    with pytest.raises(SourceError, match=r"^spend\.csv:1: the column needed is missing\.\n"):
        desk.read({"leads": {"files": ["leads.csv"]}, "spend": spend})


def test_a_broken_archive(desk):
    desk.write("leads.csv.gz", gzip.compress(TWO_LEADS.encode())[:30])
    with pytest.raises(SourceError, match=r"^leads\.csv\.gz: cannot be read \(.+\)\.\n"):
        desk.read({"leads": {"files": ["leads.csv.gz"]}})


def test_the_ledger_of_every_table(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("history.csv", "lead_id,at,stage\nA,2026-01-06,sql\nA,soon,won\n")
    desk.write("spend.csv", "date,amount\n2026-01-05,1\n\n")
    desk.write("goals.csv", "month,mqls\n2026-01,1\n2026-01,1\n")
    tables = desk.read(
        {
            **LEADS,
            "history": [{"files": ["history.csv"]}],
            "spend": {"files": ["spend.csv"], "currency": "EUR"},
            "goals": {"files": ["goals.csv"]},
        }
    )
    accounts = {name: ledger.to_dict() for name, ledger in tables.ledgers.items()}
    assert {k: (v["read"], v["used"], v["set_aside"]) for k, v in accounts.items()} == {
        "leads": (1, 1, {}),
        "history": (2, 1, {"bad_date": 1}),
        "spend": (2, 1, {"blank": 1}),
        "goals": (2, 1, {"duplicate": 1}),
    }
    assert tables.spend["date_from"].tolist() == [date(2026, 1, 5)]


@pytest.mark.parametrize("pattern", ["../exports/leads.csv", "../exp*/leads.csv", "./../exports/*"])
def test_exports_beside_the_folder_of_the_source_are_read(desk, pattern):
    desk.write("exports/leads.csv", TWO_LEADS)
    source = desk.write("mine/source.yaml", f'leads: {{files: ["{pattern}"]}}')
    spec = read_source(source)
    reader = Reader(connect(), desk.folder, source.parent, 1.0, "UTC")
    assert load(reader, spec, extras=[]).ledgers["leads"].used == 2


def test_a_relative_path_to_the_source_will_do(desk, monkeypatch):
    desk.write("leads.csv", TWO_LEADS)
    desk.write("source.yaml", "leads: {files: [leads.csv]}")
    monkeypatch.chdir(desk.folder)
    reader = Reader(connect(), desk.folder, desk.folder, 1.0, "UTC")
    tables = load(reader, read_source(Path("source.yaml")), extras=[])
    assert tables.ledgers["leads"].used == 2


def test_the_total_of_goals_is_the_goal_of_all_leads(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("goals.csv", "month,source,mqls\n2026-01,Web,10\n2026-01,Ads,5\n2026-01,Total,15\n")
    goals = desk.read({**LEADS, "goals": {"files": ["goals.csv"]}}).goals
    assert dict(zip(goals["name"], goals["mqls"], strict=True)) == {"Ads": 5, "": 15, "Web": 10}


@pytest.mark.parametrize(
    "name",
    [
        # Columns of other tables.
        *("channel", "stage", "currency", "month", "date", "mqls", "at", "date_from"),
        # Words that the statements use.
        *("file", "record", "row", "fault", "first", "counts", "odd", "c0", "_order", "_fault"),
    ],
)
def test_a_column_of_the_leads_may_have_any_name(desk, name):
    desk.write("leads.csv", f"lead_id,mql_at,{name}\n1,2026-01-05 10:00,a\n2,2026-01-06 10:00,b\n")
    tables = desk.read(LEADS, extras=[name])
    assert column(tables.leads, name) == ["a", "b"]


@pytest.mark.parametrize(
    "odd",
    [
        "X,soon,,,",  # a date that cannot be read
        ",2026-01-05,,,",  # no id
        "X,31/12/2025,,,",  # a date in another order
        "X,45292,,,",  # a number among dates is no date
        "X,1899-12-31 10:00:00,,,",  # before 1900
        "X,epoch,,,",  # a word that DuckDB reads as a date
        "X,2026-01-05 10:00:00 Asia/Tokyo,,,",  # the name of a zone
        "X, 2026-01-05 ,,- ,Web ",  # space around cells
        'X,2026-01-05,,"1,234.50",',  # an amount with thousands
        "X,2026-01-05",  # too few cells
        "X,2026-01-05,,,,,",  # too many
        "Total,,,,",
        ",,,,",
        "lead_id,mql_at,sql_at,amount,source",
        "L3,2026-01-05,,,",  # the id of a plain row
        "L3,2026-02-04T10:00:00Z,2026-03-04T10:00:00Z,12.50,Web",  # a copy of a plain row
        "X,,,,\nX,2026-01-05 10:00,,,Web",  # two rows of one lead
        '"X\nY",2026-01-05,,,',  # a line break in a cell
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Tallinn"])
def test_a_large_table_is_read_as_a_small_one(desk, monkeypatch, odd, zone):
    # Enough that the odd row among the first ones does not count.
    days = [f"{1 + n % 28:02}T10:00:00Z" for n in range(60)]
    plain = [f"L{n},2026-02-{day},2026-03-{day},12.50,Web" for n, day in enumerate(days)]
    rows = ["lead_id,mql_at,sql_at,amount,source", *plain[:5], odd, *plain[5:], ""]
    found = []
    for size in (100_000, 0):
        monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", size)
        leads, ledger = read_leads(desk, "\n".join(rows), timezone=zone)
        table = leads.order_by("lead_id").to_pyarrow().to_pylist()
        found.append((table, ledger.to_dict(), ledger.rows))
    assert found[0] == found[1]
