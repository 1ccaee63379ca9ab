"""A report on data read once: every choice gives the numbers of a run of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import cycle

import numpy as np
import pandas as pd
import pytest
from runs import ROOT

from mqlkit.core.errors import ParamsError
from mqlkit.core.names import SHARED_COLUMNS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.lab import exploration
from mqlkit.lab.exploration import Exploration
from mqlkit.leads import build_cube
from mqlkit.metrics.report import read_report
from mqlkit.sources.source_cache import CACHE

BASE = ROOT / "notebooks"
FRAMES = (
    "metrics", "volume", "handoff", "efficiency", "funnel", "waiting", "response", "sla", "cost",
    "changes", "mix", "lead_lists", "headline",
)  # fmt: skip
# One after the other, each on top of those before: what is kept must not be kept too long.
CHOICES = [
    {"lag_days": 45, "rolling": 9},
    {"sla": "24h", "within_days": 14},
    {"grain": "quarter", "rolling": 20},
    {"sla": "12h"},
    {"where": {"country": ["EE", "LV"]}, "by": ["country", "team"]},
    {"sla_clock": "business", "within_days": None},
    {
        "sla": "2d",
        "lag_days": "auto",
        "sla_rules": [
            {"where": {"team": ["Baltics"]}, "sla": "8h", "clock": "calendar"},
            {"where": {"country": ["LV"], "source": ["Web"]}, "sla": "1d", "clock": "business"},
        ],
    },
    {"sla_clock": "calendar", "sla_stops_on": "contact", "period": "2025-10..2026-03"},
    # Some breakdowns are known by then, and others are not.
    {"by": ["source", "country"], "sla_rules": []},
    {"by": ["team", "source"]},
]


@pytest.fixture(scope="module")
def explored():
    return Exploration(ReportParams(), base=BASE)


@pytest.fixture(scope="module")
def defaults():
    return read_report(ReportParams(), base=BASE)


def equal(found, expected, *, frames=FRAMES):
    # The panel has the slider for the lag.
    found = replace(found, is_for_page=True)
    for name in frames:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), obj=name)
    channels = [r.data_quality.query("record == 'channel'") for r in (found, expected)]
    pd.testing.assert_frame_equal(*(c.reset_index(drop=True) for c in channels))
    assert found.lag_days_used == expected.lag_days_used
    assert (found.phi, found.forecast_backtest) == (expected.phi, expected.forecast_backtest)
    assert found.ledgers["leads"].noted == expected.ledgers["leads"].noted


@pytest.fixture
def read_once(monkeypatch):
    """Return a function that shares what reports read, as a batch does; their numbers differ."""
    yield lambda *columns: monkeypatch.setenv(SHARED_COLUMNS_VARIABLE, json.dumps(columns))
    CACHE.clear()


def test_each_choice_gives_the_numbers_of_its_own_run(explored, defaults, read_once):
    read_once("source", "country", "team", "owner")
    params = ReportParams()
    for choice in CHOICES:
        params = replace(params, **choice)
        assert explored.change(params) == {}
        equal(explored.report, read_report(params, base=BASE))
    assert explored.change(ReportParams()) == {}
    equal(explored.report, defaults)


ODD_CHOICES = [
    {"where": {"owner": ["Ana", ""]}, "grain": "week"},
    {"by": ["owner", "source"], "period": "2018-10-20..2018-11-19", "grain": "month"},
    {"where": {"source": ["Web"], "owner": ["Ben"]}, "by": [], "sla": "5h", "within_days": 9},
    {"where": {}, "sla_clock": "business", "by": ["source"], "rolling": 5},
    {"period": "2018-12..2019-02", "fiscal_year_start": 4, "grain": "quarter", "redact": True},
    {"redact": False, "where": {"source": ["(missing)"]}, "sla_stops_on": "contact"},
]


@pytest.fixture
def odd_params(desk):
    """Return a report on leads around a midnight that its zone skips, some out of order."""
    at = np.random.default_rng(3)
    stamps = ["created_at", "mql_at", "contacted_at", "accepted_at", "rejected_at", "sql_at"]
    hours = (
        at.integers(-900, 1900, 240)[:, None]
        + at.normal(0, 200, (240, 6))
        + [0, 90, 99, 150, 160, 300]
    )
    when = pd.Timestamp("2018-11-01", tz="UTC") + pd.to_timedelta(hours.ravel().round(2), unit="h")
    texts = when.strftime("%Y-%m-%dT%H:%M:%SZ").to_numpy().reshape(hours.shape)
    texts[at.random(hours.shape) < [0.1, 0.15, 0.3, 0.5, 0.6, 0.6]] = ""
    # A lead that comes in the very hour that does not exist, and one the hour before.
    texts[:2, 1] = ["2018-11-04T03:00:00Z", "2018-11-04T02:59:59Z"]
    leads = pd.DataFrame(texts, columns=stamps)
    leads.insert(0, "lead_id", range(240))
    leads["source"] = at.choice(["Web", "Event", "Fair", ""], 240, p=[0.6, 0.3, 0.01, 0.09])
    leads["owner"] = at.choice(["Ana", "Ben", ""], 240)
    desk.write("leads.csv", leads.to_csv(index=False))
    source = desk.describe({"leads": {"files": ["leads.csv"], "timezone": "UTC"}})
    return replace(
        ReportParams(),
        source=str(source),
        timezone="America/Sao_Paulo",
        period="2018-09..2019-02",
        as_of="2019-02-10",
        by=["source"],
        grain="month",
    )


# From sums by day crossed by all columns, by those of the report, and by each breakdown alone.
SIZES = {"all": (10**6, 10**6), "own": (0, 10**6), "each": (0, 0)}


def limit_cells(monkeypatch, few, most):
    monkeypatch.setattr(build_cube, "FEW_CELLS", few)
    monkeypatch.setattr(build_cube, "MOST_CELLS", most)


def test_odd_leads_give_the_numbers_of_their_own_run(monkeypatch, odd_params):
    explored = {}
    for name, sizes in SIZES.items():
        limit_cells(monkeypatch, *sizes)
        explored[name] = Exploration(odd_params)
    params = odd_params
    # Runs take turns in what they count by, too.
    for choice, run_sizes in zip(({}, *ODD_CHOICES), cycle(SIZES.values()), strict=False):
        params = replace(params, **choice)
        limit_cells(monkeypatch, *run_sizes)
        expected = read_report(params)
        for name, sizes in SIZES.items():
            limit_cells(monkeypatch, *sizes)
            assert explored[name].change(params) == {}
            equal(explored[name].report, expected, frames=("metrics", "waiting", "efficiency"))


def test_with_too_many_values_each_breakdown_has_its_own_sums(monkeypatch, odd_params, read_once):
    read_once("source", "owner")
    limit_cells(monkeypatch, *SIZES["each"])
    monkeypatch.setattr(build_cube, "MOST_VALUES", 1)
    explored, params = Exploration(odd_params), odd_params
    for choice in ODD_CHOICES:
        params = replace(params, **choice)
        assert explored.change(params) == {}
        equal(explored.report, read_report(params), frames=("metrics", "waiting", "efficiency"))


def test_a_change_of_the_cut_asks_the_engine_nothing(monkeypatch, explored):
    assert explored.change(ReportParams()) == {}

    def refuse(*_, **__):
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(type(explored._opened.reader.backend), "to_pyarrow", refuse)
    for choice in ({"grain": "half"}, {"period": "2026-Q1"}, {"where": {"source": ["Event"]}}):
        assert explored.change(replace(ReportParams(), **choice)) == {}


def test_no_file_is_read_again(monkeypatch):
    explored = Exploration(ReportParams(), base=BASE)

    def refuse(*_, **__):
        raise AssertionError("a file was read again")

    monkeypatch.setattr(exploration, "open_source", refuse)
    monkeypatch.setattr("mqlkit.sources.table.open_export", refuse)
    for choice in ({"lag_days": 10}, {"grain": "year"}, {"passes": "every"}, {"by": ["team"]}):
        assert explored.change(replace(ReportParams(), **choice)) == {}


def test_the_engine_keeps_one_table_of_leads(explored):
    backend = explored._opened.reader.backend

    def kept():
        names = backend.raw_sql("SELECT table_name FROM information_schema.tables").fetchall()
        return {name for (name,) in names if name.startswith(("table_", "view_"))}

    assert explored.change(replace(ReportParams(), grain="quarter")) == {}
    before = len(kept())
    for grain in ("year", "week"):
        assert explored.change(replace(ReportParams(), grain=grain)) == {}
        assert explored.change(replace(ReportParams(), grain=grain, passes="every")) == {}
        assert explored.change(replace(ReportParams(), where={"country": ["XX"]}))
    assert explored.change(replace(ReportParams(), grain="quarter")) == {}
    assert len(kept()) == before


@pytest.mark.parametrize(
    ("choice", "faults"),
    [
        (
            {"where": {"country": ["XX"]}},
            {"where": "No lead has all of these values."},
        ),
        (
            {"period": "2019"},
            {"period": "There is no data in this period, only from 3 Jan 2025 to 6 Jul 2026."},
        ),
        (
            {"lag_days": 600, "period": "2026-Q1"},
            {
                "lag_days": "With a lag of 600 days, no bucket has spend: spend data begins on "
                "1 Nov 2024; use at most 485 days."
            },
        ),
    ],
)
def test_a_mistake_is_told_and_the_last_numbers_stay(explored, defaults, choice, faults):
    assert explored.change(ReportParams()) == {}
    before = explored.report
    assert explored.change(replace(ReportParams(), **choice)) == faults
    assert explored.report is before
    # What is worked out only when it is looked at still has its tables.
    equal(explored.report, defaults)


def test_columns_with_few_values_are_on_offer(explored):
    values = explored.offer.values
    assert next(iter(values)) == "source"
    assert values["country"] == ("EE", "FI", "LT", "LV")
    assert "(missing)" in values["team"]
    assert "lead_id" not in values
    assert "campaign" not in values


def test_a_column_is_named_as_the_report_names_it(desk):
    desk.write(
        "leads.csv",
        "lead_id,created_at,mql_at,Country,country_code,Mood\n"
        "1,2026-01-01 09:00,2026-01-05 09:00,EE,x,\n"
        "2,2026-01-02 09:00,2026-01-06 09:00,LV,y,\n",
    )
    source = desk.describe({"leads": {"files": ["leads.csv"]}})
    params = replace(
        ReportParams(), source=str(source), period="2026-01", by=["country", "mql_at"],
    )  # fmt: skip
    explored = Exploration(params)
    pd.testing.assert_frame_equal(explored.report.metrics, read_report(params).metrics)
    # A column that is always empty is nothing to choose from.
    assert list(explored.offer.values) == ["country", "mql_at", "country_code"]
    with pytest.raises(ParamsError, match="country_cod"):
        Exploration(replace(params, by=["country_cod"]))
