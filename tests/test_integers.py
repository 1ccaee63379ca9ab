"""Timestamps as integers: local days, and the same expressions on every engine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibis.backends.sql.compilers import pyspark

from mqlkit.core.names import FUNNEL_STAGES
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import AsOf, Bucket
from mqlkit.leads.build_cube import LOW, CubeQueries, added_up, named
from mqlkit.leads.cache import ResultCache
from mqlkit.leads.durations import Clock, add_durations, calendar_of
from mqlkit.leads.funnel import TIME_IN_STAGE, later_stages
from mqlkit.leads.holds import add_holds
from mqlkit.leads.integers import day_us, earliest, instant, local_time, micros, step
from mqlkit.leads.precision import Precision
from mqlkit.leads.reentry import with_history

ZONES = ["UTC", "Europe/Tallinn", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia"]
SPARK_OPTIONS = SimpleNamespace(treat_nan_as_null=False)
STAMPS = ("created", "mql", "contacted", "accepted", "rejected", "sql", "won")


@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=20),  # noqa: DTZ001
)
def test_a_timestamp_belongs_to_its_local_day(name, stamps):
    zone = ZoneInfo(name)
    local = local_time(zone, min(stamps).date(), max(stamps).date())
    table = ibis.memtable([{"at": micros(at)} for at in stamps], schema={"at": "int64"})
    expected = [day_us(at.replace(tzinfo=UTC).astimezone(zone).date()) for at in stamps]
    assert table.select(day=local.day(table["at"])).to_pyarrow()["day"].to_pylist() == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [((3, 1, 2), 1), ((None, 2, 1), 1), ((2, None, None), 2), ((None, None, None), None)],
)
def test_the_earliest_of_some_is_known_whichever_is_missing(row, expected):
    schema = dict.fromkeys("abc", "int64")
    table = ibis.memtable([dict(zip("abc", row, strict=True))], schema=schema)
    found = table.select(first=earliest(table["a"], table["b"], table["c"]))
    assert found.to_pyarrow()["first"].to_pylist() == [expected]


# One level of comparisons, a full one, one more edge; two levels, and three.
@pytest.mark.parametrize("n_edges", [0, 1, 7, 8, 63, 64])
def test_a_value_has_its_place_between_edges(n_edges):
    edges, places = range(n_edges), [10 * place for place in range(n_edges + 1)]
    values = [*range(-1, n_edges + 1), None]
    table = ibis.memtable([{"at": value} for value in values], schema={"at": "int64"})
    found = table.select(place=step(table["at"], edges, places)).to_pyarrow()["place"].to_pylist()
    # On an edge belongs above it, and NULL is last.
    assert found == [*places, places[-1], places[-1]]


def queries_of(**params):
    """Return leads with durations, re-entry included, and the queries on them once stored.

    The tables are of an engine that is not there.
    """
    stamps = {f"{stage}_at": "int64" for stage in STAMPS}
    timed = {f"{stage}_at_zone": "int8" for stage in STAMPS}
    columns = ["lead_id", "rejection_reason", "owner", "source", named("source"), named("team")]
    schema = {**dict.fromkeys(columns, "string"), **stamps, **timed, "amount": "int64"}
    leads = ibis.table(schema, name="leads")
    events = ibis.table(
        {"lead_id": "string", "stage": "string", "at": "int64", "at_zone": "int8"},
        name="events",
    )
    zone, first, last = ZoneInfo("Europe/Tallinn"), date(2026, 1, 1), date(2026, 7, 1)
    local = local_time(zone, first, last)
    # A column of dates, one with some, and sources in two zones.
    precision = Precision(
        local,
        (local, local_time(ZoneInfo("UTC"), first, last)),
        (str(zone), "UTC"),
        frozenset({"sql_at"}),
        frozenset({"mql_at", "contacted_at"}),
    )
    chosen = ReportParams.from_mapping({"by": ["source"], **params})
    clock = Clock(chosen, zone, AsOf.end_of(last, zone), precision)
    calendar = calendar_of([], clock) if chosen.has_work_clock else None
    hold = partial(add_holds, clock=clock, calendar=calendar)
    passes = with_history(leads, events, chosen.passes, precision=precision, hold=hold)
    timed = add_durations(passes, clock)
    return timed, CubeQueries(
        ibis.table(timed.schema(), name="timed"),
        clock,
        {"source": ("Event", "Web")},
        where={},
        stages=FUNNEL_STAGES,
        period=Bucket("total", first, last),
        edges=(first, date(2026, 4, 1), last),
        cache=ResultCache(),
    )


class CompiledError(Exception):
    """A query, instead of its result."""


@pytest.fixture
def compile_for(monkeypatch):
    """Return a function that gives the text of each query for an engine."""

    def texts(dialect, **params):
        found = []

        def refuse(table):
            found.append(str(ibis.to_sql(table, dialect=dialect)))
            raise CompiledError

        # Ibis sets this option when it loads the backend, for which PySpark must be installed.
        monkeypatch.setattr(pyspark, "options", SimpleNamespace(pyspark=SPARK_OPTIONS))
        for name in ("to_frame", "to_arrays"):
            monkeypatch.setattr(f"mqlkit.leads.build_cube.{name}", refuse)
        timed, queries = queries_of(**params)
        columns = ("source",)
        for query in (
            lambda: refuse(timed),
            lambda: queries._entered(columns), lambda: queries._became_sql(columns),
            lambda: queries._left(columns), lambda: queries._rejected(columns),
            lambda: queries._converted(columns), lambda: queries._largest("source"),
            partial(queries._waits, TIME_IN_STAGE.start, (TIME_IN_STAGE.end,)),
            *(partial(queries._waits, start, later_stages(start, FUNNEL_STAGES))
              for start in FUNNEL_STAGES[:-1]),
            *([lambda: queries._ruled(columns)] if "sla_rules" in params else []),
        ):  # fmt: skip
            with pytest.raises(CompiledError):
                query()
        return found

    return texts


ENGINES = ["duckdb", "postgres", "pyspark", "bigquery", "snowflake", "databricks", "trino"]
RULES = [
    {"where": {"source": ["Demo"], "team": ["South"]}, "sla": "1h"},
    {"where": {"team": ["North"]}, "sla": "2d"},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "params", [{"passes": "first"}, {"passes": "every", "sla_rules": RULES}], ids=["plain", "ruled"]
)
def test_the_same_expressions_compile_for_every_engine(compile_for, engine, params):
    found = compile_for(engine, **params)
    assert len(found) == 12 + ("sla_rules" in params)
    assert all(text.startswith(("SELECT", "WITH")) for text in found)


@pytest.mark.parametrize(
    "values",
    [
        [(1 << 62) - 1] * 4,  # beyond 64 bits
        [-(1 << 62), -1, 1, -(1 << 62), -(1 << 62)],  # beyond 64 bits below zero
        [(1 << 53) + 1, 1, -7],  # no float is its first value
        [-5, None, 3],
    ],
)
def test_sums_beyond_64_bits_are_exact_sums_rounded_once(values):
    table = ibis.memtable([{"us": value} for value in values], schema={"us": "int64"})
    found = table.aggregate(**added_up({"us": table["us"]})).to_pyarrow()["us"].to_pylist()
    assert found == [float(sum(value for value in values if value is not None))]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_engine_adds_large_integers_as_integers(compile_for, engine):
    table = ibis.table({"us": "int64", "is_sql": "boolean"}, name="leads")
    compile_for(engine)
    sums = added_up({"us": table["us"], "sqls": table["is_sql"]})
    text = str(ibis.to_sql(table.aggregate(**sums), dialect=engine)).replace("\n", "")
    # One sum of floats, one of what is left over, one of a condition.
    assert len(re.findall(r"SUM\(", text)) == 3
    assert re.search(r"SUM\(CAST\(\S+us. - .*AS (DOUBLE|FLOAT64)", text)
    assert str(LOW - 1) in text


@pytest.mark.parametrize(
    "text", ["1970-01-01", "1900-01-01 00:00:00.000001", "2199-12-31 23:59:59"]
)
def test_a_timestamp_survives_being_a_number(text):
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    assert instant(micros(at)) == at
    assert micros(at + timedelta(microseconds=1)) == micros(at) + 1
