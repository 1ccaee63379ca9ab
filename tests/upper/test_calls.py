"""Drawing again only what has changed: what functions read, and when two calls are the same."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from runs import ROOT

from mqlkit.core.metrics import METRICS
from mqlkit.core.params import ReportParams
from mqlkit.lab.exploration import Exploration
from mqlkit.lab.section import Section
from mqlkit.pages import cells as page
from mqlkit.pages.calls import READS, Call, is_equal
from mqlkit.sources.ledger import Ledger
from mqlkit.views import charts, tables

BASE = ROOT / "notebooks"
LEDGER = Ledger()


@pytest.fixture(scope="module")
def exploration():
    return Exploration(ReportParams(), base=BASE)


def function(name):
    return getattr(charts if name.startswith("plot") else tables, name)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("by", [None, "source"])
def test_a_function_draws_the_same_of_all_rows_and_of_those_it_reads(exploration, name, by):
    assert set(READS[name]) <= set(METRICS)
    chosen = {} if by is None else {"by": by}
    (call,) = page.calls(exploration.numbers, [function(name)], **chosen)
    rows = exploration.numbers.rows
    assert len(call.given["rows"]) < len(rows)
    of_those = page.bundle(call.draw(**call.given))
    assert of_those == page.bundle(call.draw(**{**call.given, "rows": rows}))


def test_of_another_lag_nothing_is_drawn_again_but_the_costs(exploration):
    drawn = []

    def record(name):
        draw = function(name)

        def recorded(rows, *, by="source", currency="EUR"):
            drawn.append(name)
            has_currency = name in ("plot_cost_by", "tabulate_cost")
            return draw(rows, by=by, **({"currency": currency} if has_currency else {}))

        recorded.__name__ = name
        return recorded

    names = ["plot_efficiency_by", "tabulate_sla_outcome", "plot_cost_by", "tabulate_cost"]
    draws = [record(name) for name in names]
    assert exploration.change(ReportParams()) == {}
    section = Section(lambda n: page.calls(n, draws), ipywidgets.Output(), is_late=False)
    section.follow(exploration.numbers)
    assert drawn == names
    drawn.clear()
    assert exploration.change(replace(ReportParams(), lag_days=45)) == {}
    section.follow(exploration.numbers)
    assert drawn == ["plot_cost_by", "tabulate_cost"]


def draw(**_):
    return None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"by": "source"}, {"by": "source"}, True),
        ({"by": "source"}, {"by": "owner"}, False),
        ({"n": 1.0, "by": None}, {"n": 1.0, "by": None}, True),
        ({"n": None}, {"n": 1}, False),
        ({"frame": pd.DataFrame({"a": [1]})}, {"frame": pd.DataFrame({"a": [1]})}, True),
        ({"frame": pd.DataFrame({"a": [1]})}, {"frame": pd.DataFrame({"a": [2]})}, False),
        ({"frame": pd.DataFrame({"a": [1]})}, {"frame": None}, False),
        ({"names": np.array(["a"])}, {"names": np.array(["a"])}, True),
        ({"names": np.array(["a"])}, {"names": np.array(["a", "b"])}, False),
        ({"params": ReportParams()}, {"params": ReportParams()}, True),
        ({"params": ReportParams()}, {"params": ReportParams(sla="1d")}, False),
        # A ledger is noted in after the fact: the same one may not say the same.
        ({"ledgers": {"leads": LEDGER}}, {"ledgers": {"leads": LEDGER}}, False),
    ],
)
def test_two_calls_are_the_same_when_all_they_are_given_is(one, other, expected):
    assert Call(draw, one).is_same(Call(draw, other)) is expected
    assert is_equal(one, other) is expected
    assert not Call(draw, one).is_same(Call(print, one))
