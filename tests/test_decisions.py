"""How a column is read: decided once, from all of its values, or asked about."""

from __future__ import annotations

import duckdb
import pytest

from mqlkit.core.errors import MqlkitError, SourceError
from mqlkit.sources.inspect import inspect_source
from mqlkit.sources.questions import Undecided
from mqlkit.sources.spec import read_source

LEADS = {"leads": {"files": ["leads.csv"]}}


def rows_of(header, texts):
    lines = [f'L{number},"{text}"' for number, text in enumerate(texts)]
    return "\n".join([f"lead_id,{header}", *lines, ""])


def stamps_of(desk, texts, **block):
    desk.write("leads.csv", rows_of("mql_at", texts))
    tables = desk.read({"leads": {"files": ["leads.csv"], **block}})
    frame = tables.leads.order_by("lead_id").to_pyarrow()
    return [str(at) for at in frame["mql_at"].to_pylist()]


def amounts_of(desk, texts, **block):
    lines = [f'L{n};2026-01-05;"{text}"' for n, text in enumerate(texts)]
    separator = block.pop("separator", ",")
    content = "\n".join(["lead_id;mql_at;amount", *lines, ""]).replace(";", separator)
    desk.write("leads.csv", content)
    tables = desk.read({"leads": {"files": ["leads.csv"], **block}})
    frame = tables.leads.order_by("lead_id").to_pyarrow()
    return [None if a is None else f"{a.normalize():f}" for a in frame["amount"].to_pylist()]


@pytest.mark.parametrize(
    ("texts", "stamps"),
    [
        (["1/31/2026", "2/3/2026"], ["2026-01-31 00:00:00", "2026-02-03 00:00:00"]),
        (["31.01.2026", "03.02.2026"], ["2026-01-31 00:00:00", "2026-02-03 00:00:00"]),
        (["31-01-2026", "3-2-2026"], ["2026-01-31 00:00:00", "2026-02-03 00:00:00"]),
        (
            ["3/5/2026 2:15:33 PM", "12/31/2026 12:00:00 AM"],
            ["2026-03-05 14:15:33", "2026-12-31 00:00:00"],
        ),
        (
            ["3/4/2025, 10:22 AM", "3/14/2025, 10:22\u202fPM"],
            ["2025-03-04 10:22:00", "2025-03-14 22:22:00"],
        ),
        (["05-Mar-2026", "15-Apr-2026"], ["2026-03-05 00:00:00", "2026-04-15 00:00:00"]),
        (
            ["15 Apr, 2021 00:03:00", "1 May, 2021 10:00:00"],
            ["2021-04-15 00:03:00", "2021-05-01 10:00:00"],
        ),
        (["January 5, 2026", "March 15, 2026"], ["2026-01-05 00:00:00", "2026-03-15 00:00:00"]),
        (
            ["2019-07-12 09:50:36 UTC", "2019-07-12T09:50Z", "2019-07-12T09:50+0200"],
            ["2019-07-12 09:50:36", "2019-07-12 09:50:00", "2019-07-12 07:50:00"],
        ),
        (["45292", "45292.5"], ["2024-01-01 00:00:00", "2024-01-01 12:00:00"]),
        (["1767225600000", "1767312000500"], ["2026-01-01 00:00:00", "2026-01-02 00:00:00.500000"]),
        (["20260105", "20260231"], ["2026-01-05 00:00:00"]),  # there is no 31 February
        (["03/03/2026", "04/04/2026"], ["2026-03-03 00:00:00", "2026-04-04 00:00:00"]),
        (["2026-01-05", "13/01/2026"], ["2026-01-05 00:00:00", "2026-01-13 00:00:00"]),
    ],
)
def test_dates_in_every_style(desk, texts, stamps):
    assert stamps_of(desk, texts) == stamps


def test_a_column_that_can_be_read_both_ways_is_asked_about(desk):
    with pytest.raises(Undecided) as caught:
        stamps_of(desk, ["5/3/2026", "3/5/2026", "4/6/2026"])
    assert str(caught.value) == (
        "leads.csv: column 'mql_at': each of its 3 dates can be read day first and month first.\n"
        "  Found:    '3/5/2026', '5/3/2026'\n"
        "  Fix:      add the line `dates: dmy` or `dates: mdy` below leads: in source.yaml"
    )
    assert stamps_of(desk, ["5/3/2026"], dates="mdy") == ["2026-05-03 00:00:00"]


def days_of(desk, *contents, **block):
    """Return the day of each lead in some files, by its id."""
    names = [f"{number}.csv" for number in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        desk.write(name, content)
    rows = (
        desk.read({"leads": {"files": names, "columns_missing": "allow", **block}})
        .leads.order_by("lead_id")
        .to_pyarrow()
    )
    return [f"{at:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for at in rows["mql_at"].to_pylist()]


def questions_of(read, *args, **block):
    with pytest.raises(Undecided) as caught:
        read(*args, **block)
    return caught.value.questions


def test_a_file_of_the_same_system_may_speak_for_another(desk):
    open_one = "lead_id,mql_at\nA,01/02/2026\n"
    assert days_of(desk, open_one, "lead_id,mql_at\nB,31/01/2026\n") == [
        "2026-02-01", "2026-01-31"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        "lead_id,mql_at,source\nB,31/01/2026,Web\n",
        "lead_id;mql_at\nB;31/01/2026\n",
        "lead_id,mql_at\nB,31.01.2026\n",
        "lead_id,mql_at\nB,31/01/2026 2:15 PM\n",
    ],
    ids=["header", "delimiter", "separator", "half of the day"],
)
def test_a_file_of_another_system_speaks_for_no_other(desk, other):
    open_one = "lead_id,mql_at\nA,01/02/2026\n"
    (question,) = questions_of(days_of, desk, open_one, other)
    assert question.found == ("01/02/2026",)
    assert question.answers == ("dates: dmy", 'dates: "%m/%d/%Y"')
    # The pattern is for the file that it fits, and leaves the other alone.
    assert [d[:10] for d in days_of(desk, open_one, other, dates="%m/%d/%Y")] == [
        "2026-01-02", "2026-01-31"
    ]  # fmt: skip


def test_files_that_contradict_each_other_are_read_each_in_its_own_way(desk):
    mine, theirs = "lead_id,mql_at\nA,31/01/2026\n", "lead_id,mql_at\nB,01/31/2026\n"
    assert days_of(desk, mine, theirs) == ["2026-01-31", "2026-01-31"]
    (question,) = questions_of(days_of, desk, mine, theirs, "lead_id,mql_at\nC,03/04/2026\n")
    assert question.text.startswith("2.csv: column 'mql_at': each of its 1 dates")


def test_one_separator_says_nothing_about_another(desk):
    texts = ["31.01.2026", "30.01.2026", "3/5/2026", "4/6/2026"]
    (question,) = questions_of(stamps_of, desk, texts)
    assert question.text.endswith("each of 2 of its dates can be read day first and month first.")
    assert stamps_of(desk, texts, dates="%m/%d/%Y") == [
        "2026-01-31 00:00:00", "2026-01-30 00:00:00", "2026-03-05 00:00:00", "2026-04-06 00:00:00"
    ]  # fmt: skip


def test_an_order_that_the_dates_contradict_is_refused(desk):
    (question,) = questions_of(
        stamps_of, desk, ["01/31/2026", "01/30/2026", "01/02/2026"], dates="dmy"
    )
    assert "dates: dmy, but 2 of its 3 dates fit only month, day, year" in question.text
    assert question.answers == ("dates: mdy",)


def test_values_that_fit_neither_order_throughout_are_asked_about(desk):
    with pytest.raises(Undecided) as caught:
        stamps_of(desk, ["31/01/2026", "01/31/2026"])
    first = str(caught.value).splitlines()[0]
    assert first == (
        "leads.csv: column 'mql_at': 1 of its 2 dates fit only day first, 1 only month first."
    )


def test_a_slip_of_the_pen_does_not_change_the_order(desk):
    texts = ["31/01/2026"] * 20 + ["01/31/2026", "03/04/2026"]
    desk.write("leads.csv", rows_of("mql_at", texts))
    ledger = desk.read({"leads": {"files": ["leads.csv"]}}).ledgers["leads"]
    assert ledger.set_aside == {"bad_date": 1}
    assert ledger.noted["date slips: day and month the other way round"] == 1
    assert questions_of(stamps_of, desk, texts[1:])


TALLINN = {"timezone": "Europe/Tallinn"}


@pytest.mark.parametrize(
    ("texts", "stamps", "block"),
    [
        (["31/01/2026 10:00 +0500"], ["2026-01-31 05:00:00"], {"dates": "%d/%m/%Y %H:%M %z"}),
        (["31/01/2026 10:00 UTC"], ["2026-01-31 10:00:00"], {"dates": "%d/%m/%Y %H:%M %Z"}),
        (
            ["31/01/2026 10:00:00 UTC", "01/02/2026 10:00:00 UTC", "02/02/2026 10:00:00"],
            ["2026-01-31 10:00:00", "2026-02-01 10:00:00", "2026-02-02 08:00:00"],
            {},
        ),
        (
            ["31/01/2026 10:00+0200", "01/02/2026 10:00 -05:30", "02/02/2026 10:00"],
            ["2026-01-31 08:00:00", "2026-02-01 15:30:00", "2026-02-02 08:00:00"],
            {},
        ),
        (["2026-01-02 10:00", "05/02/2026 10:00"], ["2026-01-02 08:00:00", "2026-02-05 08:00:00"],
         {"dates": "%d/%m/%Y %H:%M"}),
    ],
)  # fmt: skip
def test_zones_and_offsets_behind_a_stamp(desk, texts, stamps, block):
    assert stamps_of(desk, texts, **TALLINN, **block) == stamps


@pytest.mark.parametrize(
    ("texts", "days", "pattern"),
    [
        (["2026-01-02", "2026-31-01", "2026-05-03"], ["2026-02-01", "2026-01-31", "2026-03-05"],
         "%Y-%d-%m"),
        (["01/02/26", "1/31/26"], ["2026-01-02", "2026-01-31"], "%m/%d/%y"),
        (["2026-01-15", "2026-01-02"], ["2026-02-01"], "%Y-%d-%m"),  # there is no month 15
        (["2026-01-15", "01/02/26"], ["2026-01-15", "2026-01-02"], "%m/%d/%y"),
        (["01/02/26", "05-Mar-2026"], ["2026-01-02", "2026-03-05"], "%m/%d/%y"),
    ],
)  # fmt: skip
def test_a_told_pattern_comes_first(desk, texts, days, pattern):
    assert stamps_of(desk, texts, dates=pattern) == [f"{day} 00:00:00" for day in days]


def test_a_told_pattern_comes_first_in_a_large_file_too(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 1)
    assert stamps_of(desk, ["2026-01-02"], dates="%Y-%d-%m") == ["2026-02-01 00:00:00"]


def test_a_told_pattern_is_for_the_columns_that_it_fits(desk):
    header = "lead_id,created_at,mql_at\n"
    assert days_of(desk, f"{header}A,01/02/26,31.01.2026\n", dates="%m/%d/%y") == ["2026-01-31"]


def test_a_pattern_that_fits_nothing_is_refused(desk):
    with pytest.raises(SourceError, match=r"no date is written as leads\.dates says"):
        stamps_of(desk, ["31/01/2026"], dates="%d.%m.%Y")


@pytest.mark.parametrize("odd", ["12345", "99999", "2026010510", "45292"])
def test_a_number_among_dates_is_no_date(desk, odd):
    assert stamps_of(desk, ["2026-01-05", "2026-01-06", odd]) == [
        "2026-01-05 00:00:00", "2026-01-06 00:00:00"
    ]  # fmt: skip


def test_numbers_that_would_be_no_dates_of_leads_are_none(desk):
    texts = ["45292", "12345", "99999", "2026010510"]
    assert stamps_of(desk, texts) == ["2024-01-01 00:00:00"]


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [
        (["R$ 435.000", "R$ 1.435.000"], ["435000", "1435000"]),
        (["$342.09K", "$1.5M"], ["342090", "1500000"]),
        (["1 234,50 €", "5,00 €"], ["1234.5", "5"]),
        (["1\u202f234,50", "1\xa0234,50"], ["1234.5", "1234.5"]),
        (["1'234.50", "1’234.50"], ["1234.5", "1234.5"]),
        (["(1,234.50)", "12.00-", "-$5.00"], ["-1234.5", "-12", "-5"]),
        (["1.234", "1.23"], ["1.234", "1.23"]),  # the second has no thousands
        (["0.123", "5.123"], ["0.123", "5.123"]),  # no number begins with 0 thousand
        (["1,234", "1,234.5"], ["1234", "1234.5"]),
        (["5 kr", "5 Kč", "7 CHF"], ["5", "5", "7"]),
        (["CHF 1'200.-", "1'200.50", "12.00-"], ["1200", "1200.5", "-12"]),
        (["1.200,-", "1 200,- kr", "-5,–"], ["1200", "1200", "-5"]),
        (["1.200.-", "7,-"], ["1200", "7"]),
        (["(1,200.-)", "1.5"], ["-1200", "1.5"]),
    ],
)
def test_numbers_in_every_style(desk, texts, amounts):
    assert amounts_of(desk, texts) == amounts


@pytest.mark.parametrize(
    "texts", [["12,34", "7"], ["1,234", "5"], ["1.234", "5"], ["5,5 kr"], ["1,234.50", "1.234,50"]]
)
def test_a_decimal_sign_that_nothing_tells_is_asked_for(desk, texts):
    with pytest.raises(Undecided) as caught:
        amounts_of(desk, texts)
    (question,) = caught.value.questions
    assert question.answers == ('decimal: "."', 'decimal: ","')


def spend_of(desk, *contents, **block):
    """Return the amounts in some files of spend, by day."""
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    names = [f"spend {number}.csv" for number in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        desk.write(name, content)
    spend = desk.read({**LEADS, "spend": {"files": names, "currency": "EUR", **block}}).spend
    return [float(amount) for amount in spend.sort_values("date_from")["amount"]]


OPEN = 'date,channel,amount\n2026-02-01,A,"1,234"\n2026-02-02,A,"2,500"\n'
EUROPEAN = "date;channel;amount\n2026-01-01;A;{}\n"


@pytest.mark.parametrize(
    "files",
    [
        (EUROPEAN.format("1.234,50"), OPEN),
        (EUROPEAN.format("10.50"), EUROPEAN.format("1.234")),
        ('date,channel,amount\n2026-01-01,A,"1.234,50"\n', OPEN),
        ('date,channel,amount\n2026-01-01,A,"1,234.50"\n2026-01-02,A,"1.234,50"\n', OPEN),
        ("date,channel,amount\n2026-01-01,A,10.50\n", OPEN.replace("1,234", "12,34")),
    ],
    ids=["delimiters", "fractions", "three digits", "split", "comma"],
)
def test_a_file_says_nothing_about_the_decimal_sign_of_one_that_is_written_otherwise(desk, files):
    questions = questions_of(spend_of, desk, *files)
    assert questions[-1].text.startswith(("spend 1.csv: column", "spend 0.csv and 1 more: column"))
    assert questions[-1].answers == ('decimal: "."', 'decimal: ","')


def test_a_file_may_speak_for_the_decimal_sign_of_its_system(desk):
    deciding = 'date,channel,amount\n2026-01-01,A,"1,234.50"\n'
    assert spend_of(desk, deciding, OPEN) == [1234.5, 1234.0, 2500.0]


def test_each_file_has_its_own_decimal_sign(desk):
    header = "date,channel,amount\n"
    assert spend_of(
        desk,
        f'{header}2026-01-01,A,"1,234.50"\nbroken\n',
        f'{header}2026-01-02,A,"1.234,50"\nbroken,"\n',
        f"{header}2026-01-03,A,7\n",
    ) == [1234.5, 1234.5, 7.0]


def test_semicolons_between_the_cells_tell_that_the_comma_is_the_decimal_sign(desk):
    assert amounts_of(desk, ["12,34"], separator=";") == ["12.34"]


def test_all_questions_of_a_table_are_asked_at_once(desk):
    desk.write("leads.csv", 'lead_id,created_at,mql_at,amount\nA,1/2/2026,1/3/2026,"12,34"\n')
    with pytest.raises(Undecided) as caught:
        desk.read(LEADS)
    assert len(caught.value.questions) == 3


def test_an_amount_in_another_currency_than_stated_is_refused(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write("spend.csv", "date,amount\n2026-01-05,5.50 €\n")
    spend = {"files": ["spend.csv"]}
    assert desk.read({**LEADS, "spend": spend}).currency == "EUR"
    with pytest.raises(SourceError, match="in another currency than the one stated"):
        desk.read({**LEADS, "spend": {**spend, "currency": "USD"}})


def test_salesforce_ids_of_15_and_18_characters_are_the_same(desk):
    short = "00Q1G00000nDnM5"
    history = f"lead_id,at,stage\n{short},2026-01-05T10:00:00Z,mql\n"
    desk.write("leads.csv", f"lead_id,created_at\n{short}UAK,2026-01-01\n")
    desk.write("history.csv", history)
    tables = desk.read({**LEADS, "history": [{"files": ["history.csv"]}]})
    assert tables.events.to_pyarrow()["lead_id"].to_pylist() == [f"{short}UAK"]
    noted = tables.ledgers["history"].noted
    assert noted["ids matched on their first 15 characters"] == 1


def test_a_look_says_what_was_decided_and_asks_the_rest(desk):
    desk.write("leads.csv", "Title\n\nlead_id,mql_at,city\nA,31/01/2026,Riga\nB,1/2/2026,\n")
    desk.write("spend.csv", "date;amount\n2026-01-05;1.234,50\n")
    path = desk.describe({**LEADS, "spend": {"files": ["spend.csv"]}})
    leads, spend = inspect_source(read_source(path))
    assert (leads.files[0].header_line, leads.files[0].rows) == (3, 4)
    assert leads.columns[1].reading == ("day, month, year (1 of 2 values cannot be month first)")
    assert leads.columns[1].examples == (
        ("1/2/2026", "2026-02-01"),
        ("31/01/2026", "2026-01-31"),
    )
    assert leads.unmapped == ("city",)
    assert (str(leads.first), str(leads.last)) == ("2026-01-31", "2026-02-01")
    assert leads.ledger.set_aside == {"not_data": 1, "blank": 1}
    assert [q.answers for q in spend.questions] == [("currency: EUR",)]
    assert spend.columns[1].examples == (("1.234,50", "1234.5"),)


@pytest.mark.parametrize(
    ("logs", "says"),
    [
        ({"log.csv": "lead_id,at,stage\n9,2026-01-06,sql\n"}, "none of its 1 events"),
        ({"log.csv": "lead_id,at,stage\n9,2026-01-06,sql\nA,2026-01-07,sql\n"}, ""),
        (
            {
                "log.csv": "lead_id,at,stage\n9,2026-01-06,sql\n",
                "more.csv": "lead_id,at,stage\nA,2026-01-06,sql\n",
            },
            "",
        ),
        ({"log.csv": "lead_id,when,stage\n9,2026-01-06,sql\n"}, "1 of the 3 columns"),
    ],
)
def test_a_look_compares_the_ids_of_leads_and_histories(desk, logs, says):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\nB,2026-01-06\n")
    for name, text in logs.items():
        desk.write(name, text)
    histories = [{"files": [name]} for name in logs]
    path = desk.describe({"leads": {"files": ["leads.csv"]}, "history": histories})
    leads, first, *others = inspect_source(read_source(path))
    assert not leads.errors
    assert not any(look.errors for look in others)
    assert [says in error for error in first.errors] == ([True] if says else [])


def test_a_day_beside_the_dates_of_the_whole_report_is_shown(desk):
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    desk.write(
        "spend.csv",
        "Campaign name,Day,Amount spent (EUR),Impressions,Reporting starts,Reporting ends\n"
        "Search,2026-01-05,10.50,3000,2026-01-01,2026-01-31\n",
    )
    path = desk.describe({**LEADS, "spend": {"files": ["spend.csv"]}})
    _, spend = inspect_source(read_source(path))
    assert {c.ours: c.header for c in spend.columns}["date"] == "Day"
    assert (spend.errors, spend.questions) == ((), ())
    assert f"{spend.first} {spend.last}" == "2026-01-05 2026-01-05"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: 1.1 GiB used"), "too little memory"),
        (duckdb.IOException("IO Error: No space left on device"), "too little memory or disk"),
        (duckdb.InvalidInputException("Invalid Input Error: quotes"), "cannot be read as a table"),
    ],
)
def test_an_error_of_the_machine_does_not_blame_the_file(desk, monkeypatch, error, words):
    def fail(*_args):
        raise error

    monkeypatch.setattr("mqlkit.sources.staging.decide", fail)
    desk.write("leads.csv", "lead_id,mql_at\nA,2026-01-05\n")
    with pytest.raises(MqlkitError, match=words) as caught:
        desk.read(LEADS)
    is_of_file = words == "cannot be read as a table"
    assert ("text editor" in str(caught.value)) == is_of_file
    # What the machine lacks is no fault of the data.
    assert caught.value.exit_code == (2 if is_of_file else 1)
    assert "Error" not in str(caught.value)
