"""Files of one table of which some lack a column, and columns that lack values."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.run.check import examine, findings
from mqlkit.run.missing_table import missing_lines
from mqlkit.sources.missing_values import MissingValues, Share
from mqlkit.sources.sql import lead_column

JAN = "lead_id,mql_at,sql_at,owner\nA,2026-01-05,2026-01-07,Ana\n"
TWO = {"files": ["jan.csv", "feb.csv"]}


def leads_of(desk, *texts, extras=(), **block):
    names = [f"{n}.csv" for n in ("jan", "feb", "mar", "apr", "may")[: len(texts)]]
    for name, text in zip(names, texts, strict=True):
        desk.write(name, text)
    return desk.read({"leads": {"files": names, **block}}, extras=list(extras))


def refusal(desk, *texts, **block):
    with pytest.raises(SourceError) as caught:
        leads_of(desk, *texts, **block)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_stage_that_one_file_calls_otherwise_stops_the_run(desk):
    feb = "lead_id,mql_at,SQL date,owner\nB,2026-02-05,2026-02-07,Ben\n"
    assert refusal(desk, JAN, feb) == (
        "feb.csv:1: lacks 1 column that other files of leads have: sql_at.\n"
        "  Expected: 'sql_at' as in jan.csv\n"
        "  Found:    not read: 'SQL date'\n"
        "  Fix:      if they are the same, name both below leads: `columns: {sql_at: [sql_at, SQL "
        "date]}`; `columns_missing: allow` below leads: in source.yaml takes it for empty"
    )


@pytest.mark.parametrize(
    ("first", "second", "column", "alike"),
    [
        ("owner", "Owner Name", "owner", "Owner Name"),
        ("source", "Sources", "source", "Sources"),
        ("accepted_at", "Acceptd", "accepted_at", "Acceptd"),
        ("Lead Owner", "Lead Ownr", "owner", "Lead Ownr"),  # named under columns
        ("rejection_reason", "Phone", "rejection_reason", "Phone"),  # nothing is alike: all unread
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_every_canonical_column_counts_whichever_file_lacks_it(
    desk, first, second, column, alike, is_first
):
    value = "2026-01-09" if "_at" in column else "x"
    texts = [
        f"lead_id,mql_at,{header}\n{n},2026-01-0{n} 10:00,{value}\n"
        for n, header in ((1, first), (2, second))
    ]
    block = {"columns": {column: first}} if first != column else {}
    words = refusal(desk, *(texts if is_first else texts[::-1]), **block)
    assert words.startswith(f"{'feb' if is_first else 'jan'}.csv:1: lacks 1 column")
    assert f"have: {column}." in words
    assert f"not read: {alike!r}" in words


def test_all_files_and_columns_are_named_at_once(desk):
    bare = "lead_id,mql_at\n{0},2026-02-05\n"
    words = refusal(desk, JAN, *(bare.format(n) for n in "BCDE"))
    assert words.count("lacks 2 columns that other files of leads have: sql_at, owner.") == 3
    assert words.endswith("and 1 more files")


def test_a_mapped_column_of_the_users_own_counts_too(desk):
    texts = ("lead_id,mql_at,Land\nA,2026-01-05,EE\n", "lead_id,mql_at,Nation\nB,2026-01-06,LV\n")
    assert "have: country." in refusal(desk, *texts, columns={"country": "Land"})


def test_the_loss_can_be_accepted_and_is_noted(desk):
    tables = leads_of(desk, JAN, "lead_id,mql_at\nB,2026-02-05\n", columns_missing="allow")
    noted = tables.ledgers["leads"].noted
    assert (noted["no column sql_at"], noted["no column owner"]) == (1, 1)


def test_both_headers_can_be_named(desk):
    feb = "lead_id,mql_at,SQL date,owner\nB,2026-02-05,2026-02-07,Ben\n"
    tables = leads_of(desk, JAN, feb, columns={"sql_at": ["sql_at", "SQL date"]})
    found = tables.leads.order_by("lead_id").to_pyarrow()["sql_at"].to_pylist()
    assert [str(at)[:10] for at in found] == ["2026-01-07", "2026-02-07"]
    assert tables.ledgers["leads"].noted.total() == 0


def test_of_several_headers_named_one_must_be_there(desk):
    words = refusal(desk, JAN, columns={"sql_at": ["SQL on", "SQL date"]})
    assert "has no column 'SQL on' (leads.columns.sql_at)" in words


def test_a_breakdown_that_some_files_lack_is_noted(desk):
    feb = "lead_id,mql_at,sql_at,owner,team\nB,2026-02-05,,Ben,North\n"
    tables = leads_of(desk, JAN, feb, extras=["team"])
    assert tables.leads.order_by("lead_id").to_pyarrow()[lead_column("team")].to_pylist() == [
        None,
        "North",
    ]
    assert tables.ledgers["leads"].noted["no column team"] == 1


def test_files_of_the_same_columns_in_another_order_are_alike(desk):
    tables = leads_of(desk, JAN, "owner,sql_at,mql_at,lead_id\nBen,,2026-02-05,B\n")
    assert tables.ledgers["leads"].used == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("deny", "allow"), (True, "allow"), (["allow"], "one value, not a list or a mapping")],
)
def test_only_one_word_accepts_it(desk, value, expected):
    words = refusal(desk, JAN, columns_missing=value)
    assert "leads: columns_missing " in words
    assert f"Expected: {expected}" in words


# --- Shares of missing values


def look_of(desk, **texts):
    for name, text in texts.items():
        desk.write(f"{name}.csv", text)
    _, looks = examine([desk.folder / f"{name}.csv" for name in texts])
    return looks[0], [" ".join(line.split()) for line in findings(looks, columns=120)]


def rows_of(month, *, owners, sqls, n=20):
    """Return n leads of a month, of which the first have an owner and an SQL."""
    return "lead_id,mql_at,sql_at,owner\n" + "".join(
        f"{month}{i},2026-{month:02}-{i + 1:02} 10:00,"
        f"{f'2026-{month:02}-28 10:00' if i < sqls else ''},{'Ana' if i < owners else ''}\n"
        for i in range(n)
    )


def test_shares_are_shown_by_file_and_jumps_are_marked(desk):
    look, shown = look_of(
        desk, jan=rows_of(1, owners=19, sqls=10), feb=rows_of(2, owners=4, sqls=0)
    )
    by_column = {each.column: each for each in look.missing}
    assert by_column["owner"].by_file == (
        Share("jan.csv", 20, 1 - 19 / 20),
        Share("feb.csv", 20, 0.8),
    )
    assert "owner 42% 5% 80%" in shown
    assert "Check: owner is missing: 5% in jan.csv, 80% in feb.csv." in shown
    assert "Check: owner is missing: 5% in 2026-01, 80% in 2026-02." in shown
    assert "Check: sql_at is missing: 50% in jan.csv, 100% in feb.csv." in shown
    # The youngest leads may still become SQLs.
    assert not any("sql_at is missing" in line and "2026-02." in line for line in shown)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (rows_of(2, owners=17, sqls=8), "small differences"),
        (rows_of(2, owners=20, sqls=2), "fewer SQLs, as in every young cohort"),
        (rows_of(2, owners=0, sqls=0, n=9), "too few rows"),
    ],
)
def test_what_is_no_jump(desk, second, why):
    _, shown = look_of(desk, jan=rows_of(1, owners=19, sqls=10), feb=second)
    assert not any(line.startswith("Check:") for line in shown), why


def test_a_month_without_a_stage_in_the_middle_is_marked(desk):
    text = "".join(
        rows_of(m, owners=20, sqls=0 if m == 3 else 10).split("\n", m > 1)[-1] for m in range(1, 7)
    )
    look, _ = look_of(desk, year=text)
    (sql,) = [each for each in look.missing if each.column == "sql_at"]
    assert [(a.name, b.name) for a, b in sql.jumps] == [
        ("2026-02", "2026-03"),
        ("2026-03", "2026-04"),
    ]


def test_many_files_show_the_extremes():
    files = tuple(Share(f"f{n}.csv", 50, n / 10) for n in range(10))
    lines = list(missing_lines([MissingValues("owner", 0.45, files)], 100))
    assert " ".join(lines[1].split()) == "missing values all rows fewest most"
    assert " ".join(lines[2].split()) == "owner 45% 0% in f0.csv 90% in f9.csv"


def test_nothing_is_said_of_columns_without_a_gap():
    assert list(missing_lines([MissingValues("owner", 0.0, (Share("a.csv", 9, 0.0),))], 100)) == []


def test_large_tables_are_counted_by_file_too(desk, monkeypatch):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", 0)
    look, _ = look_of(desk, jan=rows_of(1, owners=19, sqls=10), feb=rows_of(2, owners=4, sqls=0))
    by_column = {each.column: [round(s.share, 2) for s in each.by_file] for each in look.missing}
    assert by_column == {
        "lead_id": [0.0, 0.0],
        "mql_at": [0.0, 0.0],
        "sql_at": [0.5, 1.0],
        "owner": [0.05, 0.8],
    }
