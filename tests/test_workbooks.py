"""Workbooks and parquet: the same rows as from CSV, with the rows of the sheet as lines."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

import pandas as pd
import pytest

from mqlkit.core.errors import SourceError
from mqlkit.sources.questions import Undecided
from mqlkit.sources.sql import lead_column

NAMESPACE = "http://schemas.openxmlformats.org"
MAIN = f"{NAMESPACE}/spreadsheetml/2006/main"
LINKS = f"{NAMESPACE}/officeDocument/2006/relationships"
DATED = 22  # Excel's number for a cell with date and time


def letters(place):
    found = ""
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def cell(value, place, row):
    at = f'r="{letters(place)}{row}"'
    if value is None:
        return ""
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30)).total_seconds() / 86400  # noqa: DTZ001
        return f'<c {at} s="1"><v>{days!r}</v></c>'
    if isinstance(value, (int, float)):
        return f"<c {at}><v>{value}</v></c>"
    return f'<c {at} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def sheet(rows):
    lines = [
        f'<row r="{n}">{"".join(cell(v, p, n) for p, v in enumerate(row, 1))}</row>'
        for n, row in enumerate(rows, 1)
    ]
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def workbook(sheets, extra=()):
    """Return the bytes of a workbook with the given sheets, as Excel lays one out."""
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    package = f"{NAMESPACE}/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{package}/relationships">{links}'
            f'<Relationship Id="rId99" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
            f'<xf numFmtId="{DATED}"/></cellXfs></styleSheet>'
        ),
        **{
            f"xl/worksheets/sheet{n}.xml": rows if isinstance(rows, str) else sheet(rows)
            for n, rows in enumerate(sheets.values(), 1)
        },
        **dict(extra),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


TABLE = [
    ["MQL report"],
    [],
    ["lead_id", "mql_at", "source", "amount"],
    ["A", datetime(2026, 1, 5, 10, 30), "Web\nsite", 10.5],  # noqa: DTZ001
    [101, datetime(2026, 1, 6), "x, y", 7],  # noqa: DTZ001
    ["C", "soon", "x", None],
    [],
    ["D", "2026-01-08", "=HYPERLINK(1)", "1,234.50"],
]


def read(desk, content, name="leads.xlsx"):
    desk.write(name, content)
    tables = desk.read({"leads": {"files": [name]}})
    columns = ("lead_id", "mql_at", "source", "amount")
    rows = tables.leads.order_by("lead_id").select(*columns).to_pyarrow().to_pylist()
    return [tuple(row.values()) for row in rows], tables


@pytest.mark.parametrize("name", ["leads.xlsx", "leads.csv"])  # whatever it is called
def test_a_workbook(desk, name):
    rows, tables = read(desk, workbook({"Leads": TABLE}), name)
    assert rows == [
        ("101", datetime(2026, 1, 6), "x, y", Decimal(7)),  # noqa: DTZ001
        ("A", datetime(2026, 1, 5, 10, 30), "Web\nsite", Decimal("10.5")),  # noqa: DTZ001
        ("D", datetime(2026, 1, 8), "=HYPERLINK(1)", Decimal("1234.5")),  # noqa: DTZ001
    ]
    ledger = tables.ledgers["leads"]
    assert [(r.line, r.reason) for r in ledger.rows] == [
        (1, "not_data"), (2, "blank"), (6, "bad_date"), (7, "blank")
    ]  # fmt: skip
    assert (ledger.read, ledger.used) == (7, 3)


def test_the_last_row_of_a_workbook_can_be_set_aside(desk):
    for last in (["C", "soon", "x", None], ["Total", None, None, 17.5], [None, None, None, " "]):
        _, tables = read(desk, workbook({"Leads": [*TABLE, last]}))
        assert tables.ledgers["leads"].rows[-1].line == 9


def test_a_wide_workbook(desk):
    dates = [datetime(2025, 12, 1), datetime(2026, 1, 1)]  # noqa: DTZ001
    rows = [["channel", *dates], ["Ads", 100.5, 200.5], ["SEO", 10, "soon"]]
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.xlsx", workbook({"Budget": rows}))
    spend = {"files": ["spend.xlsx"], "currency": "EUR"}
    tables = desk.read({"leads": {"files": ["leads.csv"]}, "spend": spend})
    assert sorted(tables.spend["amount"]) == [100.5, 200.5]
    assert [(r.line, r.reason) for r in tables.ledgers["spend"].rows] == [(3, "bad_amount")]


def test_the_sheet_with_the_known_columns_is_read(desk):
    rows, tables = read(desk, workbook({"Notes": [["Dear all"], ["see Leads"]], "Leads": TABLE}))
    assert len(rows) == 3
    assert tables.exports[0][0].encoding == "xlsx, sheet 'Leads'"


def test_two_sheets_that_could_be_it_are_asked_about(desk):
    with pytest.raises(SourceError) as caught:
        read(desk, workbook({"2025": TABLE, "2026": TABLE}))
    assert str(caught.value) == (
        "leads.xlsx: 2 sheets could be the table of leads.\n"
        "  Found:    '2025', '2026'\n"
        "  Fix:      save the one that is meant as a workbook or CSV file of its own"
    )


def test_workbooks_of_the_same_name_in_two_folders(desk):
    desk.write("a/leads.xlsx", workbook({"Leads": [["lead_id", "mql_at"], ["A", "2026-01-05"]]}))
    desk.write("b/leads.xlsx", workbook({"Leads": [["lead_id", "mql_at"], ["B", "2026-01-06"]]}))
    tables = desk.read({"leads": {"files": ["*/leads.xlsx"]}})
    assert sorted(tables.leads.to_pyarrow()["lead_id"].to_pylist()) == ["A", "B"]


@pytest.mark.parametrize("place", ['r="XFD1048576"', "r='XFD1048576'", 'r = "xfd1048576"'])
def test_a_cell_in_the_last_corner_is_a_bomb(desk, place):
    far = sheet([["lead_id", "mql_at"]]).replace(
        "</sheetData>", '<row r="1048576"><c ' + place + "><v>1</v></c></row></sheetData>"
    )
    with pytest.raises(SourceError, match="1,048,576 rows by 16,384 columns"):
        read(desk, workbook({"Leads": far}))


def test_a_workbook_that_unpacks_without_end(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.workbooks.MOST_BYTES", 1 << 20)
    content = workbook({"Leads": TABLE}, extra={"xl/media/x.bin": "0" * (1 << 21)}.items())
    with pytest.raises(SourceError, match="is too large for a workbook"):
        read(desk, content)


@pytest.mark.parametrize("end", [30, -100, 400])
def test_a_workbook_cut_off(desk, end):
    with pytest.raises(SourceError, match="is a damaged workbook"):
        read(desk, workbook({"Leads": TABLE})[:end])


def test_a_zip_that_is_no_workbook(desk):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("leads.csv", "lead_id,mql_at\n")
    with pytest.raises(SourceError, match="is a zip archive, and no workbook"):
        read(desk, out.getvalue())


def test_parquet(desk):
    frame = pd.DataFrame(
        {
            "lead_id": ["A", "B"],
            "created_at": [datetime(2026, 1, 5, 10, tzinfo=UTC), None],
            "mql_at": pd.to_datetime(
                [datetime(2026, 1, 6, 10, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC)]
            ),
            "source": ["Müller", None],
            "amount": [Decimal("10.50"), None],
        }
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    rows, tables = read(desk, out.getvalue(), "leads.parquet")
    assert rows == [
        ("A", datetime(2026, 1, 6, 10), "Müller", Decimal("10.5")),  # noqa: DTZ001
        ("B", datetime(2026, 1, 7), None, None),  # noqa: DTZ001
    ]
    assert tables.exports[0][0].encoding == "parquet"


def test_a_broken_parquet_file(desk):
    with pytest.raises(SourceError, match="is a damaged parquet file"):
        read(desk, b"PAR1 and then nothing", "leads.parquet")


def amounts_of(desk, amounts):
    rows = [["lead_id", "mql_at", "amount"]]
    rows += [[f"L{n:02}", "2026-01-05", amount] for n, amount in enumerate(amounts)]
    desk.write("leads.xlsx", workbook({"Leads": rows}))
    leads = desk.read({"leads": {"files": ["leads.xlsx"]}}).leads
    return [float(a) for a in leads.order_by("lead_id").to_pyarrow()["amount"].to_pylist()]


def test_numbers_of_a_workbook_are_what_they_are_among_text_with_commas(desk):
    texts = [f"{n},50" for n in range(40)]
    assert amounts_of(desk, [*texts, 100.125, 7, 12.34]) == [
        *(n + 0.5 for n in range(40)), 100.125, 7, 12.34
    ]  # fmt: skip
    assert amounts_of(desk, ["0,50", 1.125, 2.25, 3.5]) == [0.5, 1.125, 2.25, 3.5]


def test_numbers_of_a_workbook_need_no_decimal_sign(desk):
    assert amounts_of(desk, [1.234, 5.678, 1e-05, -2.5]) == [1.234, 5.678, 1e-05, -2.5]


def test_numbers_of_parquet(desk):
    frame = pd.DataFrame(
        {
            "lead_id": [1.0, 2.0, 3.0, 4.0],
            "mql_at": ["2026-01-05"] * 4,
            "amount": [Decimal("1.234"), Decimal("5.678"), None, Decimal("7.000")],
            "score": [1e-05, float("nan"), 1e16, 1.5],
        }
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    desk.write("leads.parquet", out.getvalue())
    tables = desk.read({"leads": {"files": ["leads.parquet"]}}, extras=["score"])
    rows = tables.leads.order_by("lead_id").select("lead_id", "amount", lead_column("score"))
    assert [tuple(row.values()) for row in rows.to_pyarrow().to_pylist()] == [
        ("1", Decimal("1.234"), "0.00001"),
        ("2", Decimal("5.678"), None),
        ("3", None, "10000000000000000"),
        ("4", Decimal(7), "1.5000"),
    ]


def test_parquet_files_of_the_same_name_in_two_folders(desk):
    for folder, lead in (("x", "A"), ("y", "B")):
        out = io.BytesIO()
        pd.DataFrame({"lead_id": [lead], "mql_at": ["2026-01-05"]}).to_parquet(out)
        desk.write(f"{folder}/a.parquet", out.getvalue())
    tables = desk.read({"leads": {"files": ["*/a.parquet"]}})
    assert sorted(tables.leads.to_pyarrow()["lead_id"].to_pylist()) == ["A", "B"]


def test_days_of_a_workbook_that_counts_from_1904(desk):
    book = workbook({"x": []})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        about = archive.read("xl/workbook.xml").decode()
    about = about.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    rows = [["lead_id", "mql_at", "amount"], ["A", datetime(2022, 1, 5), 44000]]  # noqa: DTZ001
    extra = {"xl/workbook.xml": about}.items()
    desk.write("leads.xlsx", workbook({"x": rows}, extra))
    tables = desk.read({"leads": {"files": ["leads.xlsx"]}})
    # Formatted as a date, the number is one of its own count.
    assert [f"{at:%Y-%m-%d}" for at in tables.leads.to_pyarrow()["mql_at"].to_pylist()] == [
        "2026-01-06"
    ]
    with pytest.raises(SourceError) as caught:
        read(desk, workbook({"x": [*rows, ["B", 44566, 5]]}, extra))
    assert str(caught.value) == (
        "leads.xlsx:3: a date is a plain number, in a workbook that counts days from 1904.\n"
        "  Expected: cells formatted as dates\n"
        "  Found:    44566\n"
        "  Fix:      format the column as dates, and save the workbook"
    )


def test_a_workbooks_own_numbers_do_not_decide_for_its_text(desk):
    with pytest.raises(Undecided):
        amounts_of(desk, ["1.234", 100.5, "2.500"])
