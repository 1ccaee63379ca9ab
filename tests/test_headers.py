"""Headers that repeat, are blank, or have a canonical name: every column can be named."""

from __future__ import annotations

import pytest

from mqlkit.run.check import examine
from mqlkit.sources.files import unique
from mqlkit.sources.sql import lead_column

TWICE = (
    "Record ID - Contact,Create Date,Became a Marketing Qualified Lead Date,Create Date\n"
    "9001,2026-01-04 10:00,2026-01-05 10:00,2026-01-09 10:00\n"
)


def leads_of(desk, text, *, extras=(), **block):
    desk.write("leads.csv", text)
    source = {"leads": {"files": ["leads.csv"], "timezone": "UTC", **block}}
    return desk.read(source, extras=list(extras))


def values_of(tables, name):
    known = name if name in tables.leads.columns else lead_column(name)
    return [str(v) for v in tables.leads.order_by("lead_id").to_pyarrow()[known].to_pylist()]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a", "a"], ("a", "a (2)", "a (3)")),
        (["Date", "date ", '"Date"'], ("Date", "date  (2)", '"Date" (3)')),  # the same but for case
        (["a", "a", "a (2)"], ("a", "a (3)", "a (2)")),  # a name that the file itself has
        (["a (2)", "a", "a"], ("a (2)", "a", "a (3)")),
        (["a", "b"], ("a", "b")),
    ],
)
def test_names_become_unique(names, expected):
    assert unique(names) == expected


def test_names_of_ten_thousand_equal_columns_are_unique_at_once():
    assert len(set(unique(["x"] * 10_000))) == 10_000


def test_of_two_columns_with_one_name_the_first_is_meant(desk):
    tables = leads_of(desk, TWICE)
    assert values_of(tables, "created_at") == ["2026-01-04 10:00:00"]
    # It is said, as both may have been meant.
    note = "files with several columns 'Create Date', of which the first is read"
    assert tables.ledgers["leads"].noted[note] == 1


def test_the_second_column_of_a_name_can_be_read(desk):
    tables = leads_of(desk, TWICE, columns={"created_at": "Create Date (2)"})
    assert values_of(tables, "created_at") == ["2026-01-09 10:00:00"]
    assert tables.ledgers["leads"].noted.total() == 0


def test_the_second_column_of_a_name_can_be_a_breakdown(desk):
    text = "lead_id,mql_at,team,Team\n1,2026-01-05 10:00,North,South\n"
    tables = leads_of(desk, text, extras=["team", "Team (2)"])
    assert (values_of(tables, "team"), values_of(tables, "Team (2)")) == (["North"], ["South"])


def test_a_blank_header_is_named_by_its_place(desk):
    text = "lead_id,mql_at,,\n1,2026-01-05 10:00,North,South\n"
    tables = leads_of(desk, text, columns={"owner": "column 4"}, extras=["column 3"])
    assert (values_of(tables, "owner"), values_of(tables, "column 3")) == (["South"], ["North"])


def test_ours_wins_over_a_column_of_the_file_with_our_name(desk):
    text = "lead_id,mql_at,source,origin\n1,2026-01-05 10:00,import,Web\n"
    tables = leads_of(desk, text, columns={"source": "origin"}, extras=["source (file)"])
    assert (values_of(tables, "source"), values_of(tables, "source (file)")) == (
        ["Web"],
        ["import"],
    )


@pytest.mark.parametrize(
    "name",
    ["channel", "stage", "currency", "month", "date", "mqls", "at", "date_from", "file", "record",
     "row", "fault", "first", "counts", "name", "odd", "_order", "rowid", "select", "c0", "🙂",
     "a\"b"],
)  # fmt: skip
def test_a_lead_column_may_have_any_name(desk, name):
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"lead_id,mql_at,{quoted}\n1,2026-01-05 10:00,a\n2,2026-01-06 10:00,b\n"
    assert values_of(leads_of(desk, text, extras=[name]), name) == ["a", "b"]


def test_check_names_the_columns_behind_a_repeated_header(desk):
    desk.write("contacts.csv", TWICE)
    _, (look,) = examine([desk.folder / "contacts.csv"])
    assert "Create Date (2)" in look.unmapped
    assert (
        "contacts.csv: 2 columns are called 'Create Date'. The first is meant; the others can be "
        "named as 'Create Date (2)'." in look.notes
    )
