"""Local times: those that occur twice or never, midnights and dates, in every way of reading."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed_tables import SharedReader

from mqlkit.core.zones import instant, micros, zone_offsets
from mqlkit.sources.local_times import LOCAL, Piece, settle
from mqlkit.sources.sql import Values

ZONES = [
    "UTC", "Europe/Tallinn", "Europe/London", "America/New_York", "America/Sao_Paulo",
    "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
]  # fmt: skip
SHIFTS = st.one_of(
    st.integers(-12, 12).map(lambda n: timedelta(minutes=15 * n)),
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
START = datetime(2010, 1, 1)  # noqa: DTZ001
TALLINN = {"timezone": "Europe/Tallinn"}
# In Tallinn, 03:00 to 04:00 occurs twice on 26 October 2025, and never on 29 March 2026.
LEADS = """lead_id,mql_at,sql_at
twice: the first,2025-10-26 03:30:00,2025-10-26 04:00:00
the second has an offset,2025-10-26 03:30:00+02:00,2025-10-26T01:30:00Z
just before and after,2025-10-26 02:59:59,2025-10-26 04:00:00
never: an hour later,2026-03-29 03:30:00,2026-03-29 04:30:00
just before and after the gap,2026-03-29 02:59:59,2026-03-29 04:00:00
a date,2025-10-26,2026-03-29
"""
EXPECTED = {
    "twice: the first": ("2025-10-26 00:30:00", "2025-10-26 02:00:00"),
    "the second has an offset": ("2025-10-26 01:30:00", "2025-10-26 01:30:00"),
    "just before and after": ("2025-10-25 23:59:59", "2025-10-26 02:00:00"),
    "never: an hour later": ("2026-03-29 01:30:00", "2026-03-29 01:30:00"),
    "just before and after the gap": ("2026-03-29 00:59:59", "2026-03-29 01:00:00"),
    "a date": ("2025-10-25 21:00:00", "2026-03-28 22:00:00"),
}


def stamps(table, *columns):
    rows = table.to_pyarrow().to_pylist()
    return {row["lead_id"]: tuple(str(row[c]) for c in columns) for row in rows}


@st.composite
def times_near_changes(draw):
    """Return a zone and local times, most of them near a change of its offset."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    changes = zone_offsets(zone, date(2008, 1, 1), date(2014, 1, 1)).changes or (0,)
    near = st.sampled_from(changes).map(lambda us: instant(us).astimezone(zone))
    shifts = draw(st.lists(SHIFTS, min_size=2, max_size=20))
    return zone, [draw(near).replace(tzinfo=None) + shift for shift in shifts]


@given(times_near_changes())
def test_local_times_are_those_of_the_standard_library(drawn):
    zone, times = drawn
    times = [START + timedelta(hours=1), *times]  # so that midnights are not dates
    reader = SharedReader("UTC")
    codes = [LOCAL + micros(t) for t in times]
    table = reader.create(f"SELECT unnest({codes}) AS at", Values())
    settled, n_ambiguous = settle(reader, [Piece(table, str(zone))], ["at"])
    found = [at for at, _ in reader.rows(f"FROM {settled}", Values())]
    folds = [[t.replace(tzinfo=zone, fold=fold) for fold in (0, 1)] for t in times]
    assert found == [first.astimezone(UTC).replace(tzinfo=None) for first, _ in folds]
    assert n_ambiguous == sum(a.utcoffset() != b.utcoffset() for a, b in folds)


@pytest.mark.parametrize("size", [100_000, 0], ids=["with care", "in one scan"])
def test_a_local_time_that_occurs_twice_is_the_first(desk, monkeypatch, size):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", size)
    desk.write("leads.csv", LEADS)
    tables = desk.read({"leads": {"files": ["leads.csv"], **TALLINN}})
    assert stamps(tables.leads, "mql_at", "sql_at") == EXPECTED
    assert tables.ledgers["leads"].noted == {"ambiguous_local_time": 2}


@pytest.mark.parametrize(
    ("twice", "never"),
    [
        ("26.10.2025 03:30", "29.03.2026 03:30"),  # a pattern
        ("10/26/2025 3:30 AM", "3/29/2026 3:30 AM"),
        ("2025-10-26T03:30", "2026-03-29T03:30"),  # ISO 8601 that DuckDB reads once tidied
        ("45956.1458333333", "46110.1458333333"),  # days of Excel
    ],
)
def test_however_it_is_written(desk, twice, never):
    rows = f"lead_id,mql_at\ntwice,{twice}\nnever,{never}\n"
    desk.write("leads.csv", rows)
    tables = desk.read({"leads": {"files": ["leads.csv"], **TALLINN}})
    expected = {"twice": "2025-10-26 00:30:00", "never": "2026-03-29 01:30:00"}
    assert {i: at[:19] for i, (at,) in stamps(tables.leads, "mql_at").items()} == expected
    assert tables.ledgers["leads"].noted["ambiguous_local_time"] == 2


def test_a_history_is_read_alike_and_an_instant_is_never_ambiguous(desk):
    desk.write("log.csv", "lead_id,at,stage\na,2025-10-26 03:30,mql\nb,2025-10-26T03:30Z,mql\n")
    desk.write("late.csv", "lead_id,at\na,1792800000\n")  # seconds since 1970 have no local time
    history = [
        {"files": ["log.csv"], **TALLINN},
        {"files": ["late.csv"], "stage": "sql", **TALLINN},
    ]
    tables = desk.read({"history": history})
    assert stamps(tables.events.filter(tables.events["stage"] == "mql"), "at") == {
        "a": ("2025-10-26 00:30:00",),
        "b": ("2025-10-26 03:30:00",),
    }
    assert tables.ledgers["history"].noted == {"ambiguous_local_time": 1}


def test_rows_that_are_set_aside_do_not_count(desk):
    desk.write("leads.csv", "lead_id,mql_at\na,2025-10-26 03:30\n,2025-10-26 03:30\n")
    tables = desk.read({"leads": {"files": ["leads.csv"], **TALLINN}})
    assert tables.ledgers["leads"].noted == {"ambiguous_local_time": 1}
    assert tables.ledgers["leads"].set_aside == {"no_id": 1}


# --- Midnights


@pytest.mark.parametrize("size", [100_000, 0], ids=["with care", "in one scan"])
@pytest.mark.parametrize(
    ("cells", "is_dated"),
    [
        (["2026-01-05 00:00:00", "2026-01-06 00:00:00"], True),
        (["2026-01-05T00:00:00.000000", "2026-01-06 00:00:00"], True),
        (["2026-01-05 00:00:00", "2026-01-06"], True),  # a date has no time of day either
        (["2026-01-05 00:00:00", "2026-01-06 00:00:01"], False),
        (["2026-01-05 00:00:00", "2026-01-06T00:00:00Z"], False),  # an instant
        (["2026-01-05T00:00:00+02:00", "2026-01-06T00:00:00+02:00"], False),
    ],
)
def test_a_column_of_midnights_holds_dates(desk, monkeypatch, size, cells, is_dated):
    monkeypatch.setattr("mqlkit.sources.table.SMALL_TABLE", size)
    rows = [f"L{n},{cell}" for n, cell in enumerate(cells)]
    desk.write("leads.csv", "\n".join(["lead_id,mql_at", *rows, ""]))
    tables = desk.read({"leads": {"files": ["leads.csv"], **TALLINN}})
    zones = stamps(tables.leads, "mql_at_zone")
    assert ({z for (z,) in zones.values()} == {"-1"}) is is_dated


def test_midnights_of_twelve_hours_are_dates_too(desk):
    desk.write("leads.csv", "lead_id,mql_at\na,1/13/2026 12:00 AM\nb,1/14/2026 12:00 AM\n")
    leads = desk.read({"leads": {"files": ["leads.csv"], **TALLINN}}).leads
    assert stamps(leads, "mql_at", "mql_at_zone")["a"] == ("2026-01-12 22:00:00", "-1")


def test_one_file_with_times_makes_the_midnights_of_another_times(desk):
    desk.write("a.csv", "lead_id,mql_at\na,2026-01-05 00:00:00\n")
    desk.write("b.csv", "lead_id,mql_at\nb,2026-01-06 10:00:00\n")
    leads = desk.read({"leads": {"files": ["a.csv", "b.csv"], **TALLINN}}).leads
    assert stamps(leads, "mql_at", "mql_at_zone")["a"] == ("2026-01-04 22:00:00", "0")
