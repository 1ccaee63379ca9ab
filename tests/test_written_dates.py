"""Dates as programs and people write them in many languages: the same instant, or a question."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from babel import Locale
from babel.dates import format_date, format_datetime
from hypothesis import given
from hypothesis import strategies as st
from test_workbooks import workbook

from mqlkit.core.errors import SourceError
from mqlkit.sources.dialect.languages import LANGUAGES, language
from mqlkit.sources.dialect.placeholders import PLACEHOLDERS, days_pattern
from mqlkit.sources.questions import Undecided

LEADS = {"leads": {"files": ["leads.csv"]}}


def table_of(texts, header="lead_id,mql_at"):
    rows = [f'L{n:02},"{text}"' for n, text in enumerate(texts)]
    return "\n".join([header, *rows, ""])


def read(desk, content, **block):
    desk.write("leads.csv", content)
    return desk.read({"leads": {"files": ["leads.csv"], "timezone": "UTC", **block}})


def instants(desk, texts, **block):
    """Return the times that texts are read as, without seconds where these are 0."""
    table = read(desk, table_of(texts), **block).leads.order_by("lead_id").to_pyarrow()
    return [str(at).removesuffix(":00") for at in table["mql_at"].to_pylist()]


def question(desk, content, **block):
    with pytest.raises(Undecided) as caught:
        read(desk, content, **block)
    (found,) = caught.value.questions
    return found


# --- Words, ordinals, signs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05. Jan. 2026 14:03", "2026-01-05 14:03"),
        ("15. März 2026 09:00", "2026-03-15 09:00"),
        ("15 Mrz 2026", "2026-03-15 00:00"),  # as a German spreadsheet shortens it
        ("05 de jan. de 2026", "2026-01-05 00:00"),
        ("segunda-feira, 5 de janeiro de 2026 às 14:03", "2026-01-05 14:03"),
        ("2026年1月5日 14:03", "2026-01-05 14:03"),
        ("2026年1月5日(月)", "2026-01-05 00:00"),
        ("2026年1月5日 午後2時15分", "2026-01-05 14:15"),
        ("2026/1/5 下午2:15", "2026-01-05 14:15"),
        ("2026년 1월 5일 오후 2:15", "2026-01-05 14:15"),
        ("2026. 1. 5. 오후 2:15", "2026-01-05 14:15"),
        ("5 янв. 2026 г.", "2026-01-05 00:00"),  # noqa: RUF001
        ("пн, 5 янв. 2026 г., 14:03", "2026-01-05 14:03"),  # noqa: RUF001
        ("1er janv. 2026", "2026-01-01 00:00"),
        ("lundi 5 janvier 2026 à 14h30", "2026-01-05 14:30"),
        ("mar., 3 mar. 2026", "2026-03-03 00:00"),  # Tuesday and March
        ("5 ene 2026 2:15 p. m.", "2026-01-05 14:15"),
        ("5. juuni 2026", "2026-06-05 00:00"),
        ("5 Ağustos 2026 14:03", "2026-08-05 14:03"),
        ("5. tammikuuta 2026 klo 14.03", "2026-01-05 14:03"),
        ("2026. január 5. 14:03", "2026-01-05 14:03"),
        ("2026. gada 5. janv.", "2026-01-05 00:00"),
        ("1st Mar 2026", "2026-03-01 00:00"),
        ("Mon, 5 Jan 2026", "2026-01-05 00:00"),
        ("Monday, January 5, 2026 at 2:15 PM GMT+2", "2026-01-05 12:15"),
        ("Mon Jan 05 2026 10:00:00 GMT+0200 (EET)", "2026-01-05 08:00"),  # JavaScript
        ("2026-01-05T10:00:00+02:00[Europe/Helsinki]", "2026-01-05 08:00"),  # Java
        ("Mon, 05 Jan 2026 10:00:00 +0200", "2026-01-05 08:00"),  # mail
        ("13/01/2026  2:15 p.m.", "2026-01-13 14:15"),  # two blanks
        ("5 Jan 2026 2 PM", "2026-01-05 14:00"),
        ("25. 1. 2026 14:03", "2026-01-25 14:03"),
        ("25. 01. 2026. 14:03", "2026-01-25 14:03"),
        ("5 Jan 26", "2026-01-05 00:00"),
        ("05-Jan-26 10:00 PM", "2026-01-05 22:00"),
    ],
)
def test_a_date_with_words(desk, text, expected):
    # The second value says that nothing but the words decides.
    assert instants(desk, [text, ""])[0] == expected


@pytest.mark.parametrize(
    "text",
    ["5 Janvember 2026", "32 Jan 2026", "5 Jan", "Jan 5 Feb 2026", "soon", "5 Jan 2026 25:00"],
)
def test_words_that_are_no_date(desk, text):
    ledger = read(desk, table_of([text, "2026-01-05"])).ledgers["leads"]
    assert [(row.line, row.reason) for row in ledger.rows] == [(2, "bad_date")]


def test_names_that_are_other_months_in_other_languages_are_asked_about(desk):
    content = table_of(["5 lipca 2026", "7 lis 2026"])
    assert instants(desk, ["5 lipca 2026", "7 lis 2026"]) == [
        "2026-07-05 00:00",
        "2026-11-07 00:00",
    ]
    content = table_of(["7 lis 2026", "8 lis 2026"])  # November in Polish, October in Croatian
    assert {"dates: pl", "dates: hr"} <= set(question(desk, content).answers)
    assert instants(desk, ["7 lis 2026"], dates="hr") == ["2026-10-07 00:00"]


def test_a_pattern_in_source_yaml_is_tried_before_words(desk):
    texts = ["05 Jan 2026", "5. märts 2026"]
    assert instants(desk, texts, dates="%d %b %Y") == ["2026-01-05 00:00", "2026-03-05 00:00"]


@pytest.mark.parametrize("zone", ["EST", "CEST", "America/New_York"])
def test_the_name_of_a_zone_is_refused(desk, zone):
    with pytest.raises(SourceError) as caught:
        read(desk, table_of([f"5 Jan 2026 2:15 PM {zone}", "5 Jan 2026 2:15 PM UTC"]))
    first, *others = str(caught.value).splitlines()
    assert first == f"leads.csv: column 'mql_at': 1 timestamp names its time zone, {zone!r}."
    assert others[-1].endswith("(leads.timezone: Europe/Tallinn)")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon, 5 Jan 2026", ("2026-01-05", "2026-01-05")),
        ("janv. 2026", ("2026-01-01", "2026-01-31")),
        ("fevereiro de 2026", ("2026-02-01", "2026-02-28")),
    ],
)
def test_spend_of_a_day_or_a_month_with_a_name(desk, text, days):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.csv", f'date,channel,amount\n"{text}",Web,5\n')
    spend = desk.read({**LEADS, "spend": {"files": ["spend.csv"], "currency": "EUR"}}).spend
    assert [
        (str(a), str(b)) for a, b in zip(spend["date_from"], spend["date_to"], strict=True)
    ] == [days]


def test_a_month_is_no_date_of_a_lead(desk):
    ledger = read(desk, table_of(["janv. 2026", "2026-01-05"])).ledgers["leads"]
    assert [(row.line, row.reason) for row in ledger.rows] == [(2, "bad_date")]


def test_no_language_has_one_word_for_two_months():
    for code in LANGUAGES:
        known = language(code)
        numbers = {word.month for word in known.words.values() if word.month}
        assert numbers in (set(range(1, 13)), set()), code  # none where months are numbers


STAMPS = st.integers(0, 20 * 366 * 24 * 60).map(
    lambda minutes: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
# Written with another calendar or other digits, or without a year.
LOCALES = [code for code in LANGUAGES if code != "ga"]


@given(
    st.lists(STAMPS, min_size=1, max_size=6, unique=True),
    st.sampled_from(LOCALES),
    st.sampled_from(["medium", "long", "full"]),
    st.booleans(),
)
def test_dates_of_any_language_are_read(new_desk, stamps, code, width, has_time):
    locale = Locale.parse(code)

    def written(at):
        day = format_date(at, width, locale=locale)
        return f"{day} {format_datetime(at, 'HH:mm', locale=locale)}" if has_time else day

    texts = [written(at) for at in stamps]
    try:
        found = instants(new_desk(), texts)
    except Undecided:
        return
    shown = "%Y-%m-%d %H:%M" if has_time else "%Y-%m-%d 00:00"
    assert found == [at.strftime(shown) for at in stamps], texts


PATTERNS = [
    "%m/%d/%y %H:%M", "%d.%m.%y", "%d/%m/%y %I:%M %p", "%a, %d %b %Y", "%d-%b-%y", "%b %d, %Y",
    "%a %b %d %Y %H:%M:%S GMT+0000 (UTC)", "%d %B %Y  %H:%M", "%Y/%m/%d %H:%M", "%d. %m. %Y",
]  # fmt: skip


@given(st.lists(STAMPS, min_size=1, max_size=8, unique=True), st.sampled_from(PATTERNS))
def test_any_pattern_gives_the_same_instants_or_a_question(new_desk, stamps, pattern):
    try:
        found = instants(new_desk(), [at.strftime(pattern) for at in stamps])
    except Undecided:
        return
    is_timed = "%M" in pattern
    shown = "%Y-%m-%d %H:%M" if is_timed else "%Y-%m-%d 00:00"
    assert found == [at.strftime(shown) for at in stamps]


# --- Years of two digits


@pytest.mark.parametrize(
    ("texts", "dates", "expected"),
    [
        (["2/5/24 1:51", "12/24/24 12:39"], "auto", ["2024-02-05 01:51", "2024-12-24 12:39"]),
        (["2/5/24 1:51", "3/5/24 1:51"], "mdy", ["2024-02-05 01:51", "2024-03-05 01:51"]),
        (["25.01.26", "06.01.26"], "auto", ["2026-01-25 00:00", "2026-01-06 00:00"]),
        (["05.02.24"], "dmy", ["2024-02-05 00:00"]),
        (["26/01/05"], "ymd", ["2026-01-05 00:00"]),
        (["31.12.69", "31.12.68"], "dmy", ["1969-12-31 00:00", "2068-12-31 00:00"]),
    ],
)
def test_years_of_two_digits(desk, texts, dates, expected):
    padding = ["25/11/2024"] * 300 if "31.12.69" in texts else []  # 1969 is no placeholder
    assert instants(desk, [*texts, *padding], dates=dates)[: len(texts)] == expected


@pytest.mark.parametrize(
    ("texts", "answers"),
    [
        (["2/5/24", "3/4/24"], {"dates: dmy", "dates: mdy"}),
        (
            ["26/01/02", "25/01/03"],
            {"dates: ymd", "dates: dmy"},
        ),  # 2 January 2026, or 26 January 2002
    ],
)
def test_years_of_two_digits_that_decide_nothing(desk, texts, answers):
    assert set(question(desk, table_of(texts)).answers) == answers


# --- One order for the whole file


def test_an_undecided_column_takes_the_order_of_another(desk):
    content = "lead_id,created_at,mql_at\nA,1/31/2026,2/3/2026\nB,1/30/2026,2/4/2026\n"
    tables = read(desk, content)
    at = tables.leads.order_by("lead_id").to_pyarrow()["mql_at"].to_pylist()
    assert [str(t) for t in at] == ["2026-02-03 00:00:00", "2026-02-04 00:00:00"]


def test_columns_that_contradict_each_other_decide_nothing_for_a_third(desk):
    content = (
        "lead_id,created_at,accepted_at,mql_at\n"
        "A,1/31/2026,31/1/2026,2/3/2026\nB,1/30/2026,30/1/2026,2/4/2026\n"
    )
    found = question(desk, content)
    assert "column 'mql_at'" in found.text
    assert set(found.answers) == {'dates: "%d/%m/%Y"', 'dates: "%m/%d/%Y"'}


# --- Placeholders


@pytest.mark.parametrize(
    "text",
    [
        "0000-00-00", "0000-00-00 00:00:00", "1970-01-01", "1970-01-01T00:00:00Z", "01/01/1970",
        "1970-01-01 02:00", "1969-12-31 19:00:00", "1900-01-01", "01.01.1900", "01.01.1753",
        "1753-01-01 00:00:00.000", "9999-12-31", "12/31/9999", "31.12.9999 23:59", "Jan 1, 1970",
        "1 January 1900", "0001-01-01", "1899-12-30", "1/0/1900", "1/1/70",
    ],
)  # fmt: skip
def test_placeholders_are_missing_values_in_any_way_of_writing(desk, text):
    content = "lead_id,mql_at,sql_at\nA,2026-01-05,2026-01-15\n"
    content += "".join(f'L{n},2026-01-06,"{text}"\n' for n in range(3))
    tables = read(desk, content)
    assert tables.leads.to_pyarrow()["sql_at"].null_count == 3
    ledger = tables.ledgers["leads"]
    assert ledger.used == 4
    assert ledger.noted == {f"sql_at: {text}, read as missing": 3}


@pytest.mark.parametrize(
    ("n", "total", "is_missing"),
    [(1, 100, True), (1, 101, False), (2, 201, False), (3, 1000, True)],
)
def test_a_few_placeholders_in_a_long_column_stay(desk, n, total, is_missing):
    texts = ["1970-01-01"] * n + ["2026-01-05"] * (total - n)
    tables = read(desk, table_of(texts))
    assert tables.leads.to_pyarrow()["mql_at"].null_count == (n if is_missing else 0)
    assert bool(tables.ledgers["leads"].noted) == is_missing


def test_placeholders_of_a_large_table(desk, monkeypatch):
    texts = ["1970-01-01 00:00:00", "0000-00-00", "9999-12-31", *["2026-01-05 10:00:00"] * 60]
    found = []
    for size in (0, 100_000):
        monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", size)
        tables = read(desk, table_of(texts))
        rows = tables.leads.order_by("lead_id").to_pyarrow()["mql_at"].to_pylist()
        found.append((rows, tables.ledgers["leads"].to_dict()))
    assert found[0] == found[1]
    assert found[0][0][:3] == [None] * 3


def test_placeholders_among_excel_days_and_milliseconds(desk):
    for texts in (["46027", "46028", "0", "1"], ["1767607200000", "1767607200001", "0", "0"]):
        table = read(desk, table_of(texts)).leads.order_by("lead_id").to_pyarrow()
        assert [at is None for at in table["mql_at"].to_pylist()] == [False, False, True, True]


def test_days_that_the_user_calls_missing(desk):
    content = table_of(["2026-01-05", "1980-01-01 00:00", "1/1/1980", "TBD", "2026-01-25"])
    tables = read(desk, content, missing=["1980-01-01", "TBD"])
    table = tables.leads.order_by("lead_id").to_pyarrow()
    assert [at is None for at in table["mql_at"].to_pylist()] == [False, True, True, True, False]


def test_no_real_day_is_a_placeholder():
    pattern = re.compile(days_pattern(PLACEHOLDERS))
    for text in ("2026-01-01", "1970-01-02", "01/01/2026", "11/11/1970", "2000-01-01", "1/1/00"):
        assert not pattern.match(text)


# --- Dates of which a spreadsheet converted a part


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_half_converted_column_is_asked_about(desk, kind):
    texts = ["13/01/2026", "2026-05-01 00:00:00", "25/01/2026", "2026-07-01 00:00:00"]
    if kind == "xlsx":
        rows = [["lead_id", "mql_at"]]
        rows += [[f"L{n}", datetime.fromisoformat(t) if t[0] == "2" and "-" in t else t]
                 for n, t in enumerate(texts)]  # fmt: skip
        desk.write("leads.xlsx", workbook({"Leads": rows}))
        with pytest.raises(Undecided) as caught:
            desk.read({"leads": {"files": ["leads.xlsx"], "timezone": "UTC"}})
        (found,) = caught.value.questions
    else:
        found = question(desk, table_of(texts))
    exchanged = "%Y-%d-%m" + (" %H:%M:%S" if kind == "csv" else "")
    assert found.answers == ("dates: dmy", f'dates: "{exchanged}"')
    assert instants(desk, texts, dates="dmy")[1] == "2026-05-01 00:00"
    assert instants(desk, texts, dates="%Y-%d-%m %H:%M:%S") == [
        "2026-01-13 00:00", "2026-01-05 00:00", "2026-01-25 00:00", "2026-01-07 00:00"
    ]  # fmt: skip


def test_dates_of_two_systems_are_not_half_converted(desk):
    # Days above 12 among the year-month-day ones: no spreadsheet has exchanged them.
    texts = ["13/01/2026", "2026-05-21", "25/01/2026", "2026-07-01"]
    assert instants(desk, texts)[1::2] == ["2026-05-21 00:00", "2026-07-01 00:00"]


# --- Times with and without an offset


def test_times_with_and_without_an_offset_need_a_zone(desk):
    content = (
        "lead_id,mql_at,accepted_at\n"
        "1,2026-01-31T23:30:00+05:00,2026-02-01 00:30:00\n"
        "2,2026-01-31T22:00:00+05:00,2026-01-31 22:45:00\n"
    )
    assert question(desk, content, timezone=None).answers == ("timezone: Europe/Tallinn",)
    tables = read(desk, content, timezone="Asia/Karachi")
    table = tables.leads.order_by("lead_id").to_pyarrow().to_pylist()
    waits = [row["accepted_at"] - row["mql_at"] for row in table]
    assert waits == [timedelta(hours=1), timedelta(minutes=45)]


@pytest.mark.parametrize("size", [0, 100_000])
def test_a_large_table_needs_a_zone_as_well(desk, monkeypatch, size):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", size)
    plain = "".join(f"P{n},2026-01-05T10:00:00Z,2026-01-06T10:00:00Z\n" for n in range(40))
    content = f"lead_id,mql_at,sql_at\n{plain}A,2026-01-05T10:00:00Z,2026-01-06 10:00:00\n"
    assert question(desk, content, timezone=None).answers == ("timezone: Europe/Tallinn",)


def test_a_history_with_offsets_beside_leads_without(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05 10:00\n")
    desk.write("log.csv", "lead_id,at,stage\nA,2026-01-06T10:00:00Z,sql\n")
    source = {"leads": {"files": ["leads.csv"]}, "history": [{"files": ["log.csv"]}]}
    with pytest.raises(Undecided) as caught:
        desk.read(source)
    assert [q.place for q in caught.value.questions] == ["leads"]
    source["leads"]["timezone"] = "UTC"
    assert desk.read(source).ledgers["leads"].used == 1


def test_dates_and_midnights_beside_an_offset_need_no_zone(desk):
    content = (
        "lead_id,created_at,mql_at,sql_at\n"
        "A,2026-01-04,2026-01-05 00:00:00,2026-01-06T10:00:00Z\n"
        "B,2026-01-04,2026-01-06 00:00:00,2026-01-07T10:00:00Z\n"
    )
    assert read(desk, content, timezone=None).ledgers["leads"].used == 2


def test_a_column_of_midnights_holds_dates(desk):
    content = "lead_id,mql_at,contacted_at\n" + "".join(
        f"{n},{day} 00:00:00,{day} 00:00:00\n" for n, day in enumerate(["2026-01-05", "2026-01-06"])
    )
    desk.write("leads.csv", content)
    source = {"leads": {"files": ["leads.csv"], "timezone": "UTC"}}
    report = desk.report(source, period="2026-01", sla_stops_on="contact")
    assert report.leads.dated == {"mql_at", "contacted_at"}
    assert report.value("contacted_within_1h") is None


def test_an_offset_is_kept_whatever_the_zone(desk):
    at = datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=2)))
    found = instants(
        desk, [at.isoformat(), at.strftime("%d %b %Y %H:%M %z")], timezone="Asia/Tokyo"
    )
    assert found == ["2026-01-05 08:00"] * 2
