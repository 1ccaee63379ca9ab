"""What `show` takes, and drawing again only what has changed."""

from __future__ import annotations

from dataclasses import replace

import altair as alt
import ipywidgets
import pandas as pd
import pytest
from frames import drawing
from runs import ROOT

from mqlkit.core.errors import MqlkitError
from mqlkit.core.params import ReportParams
from mqlkit.lab.exploration import Exploration
from mqlkit.lab.section import Section
from mqlkit.pages.drawings import Drawing, drawings
from mqlkit.views import charts, tables, topics, verdicts
from mqlkit.views.claims import Verdict
from mqlkit.views.tables.base import Table

BASE = ROOT / "notebooks"


@pytest.fixture(scope="module")
def exploration():
    return Exploration(ReportParams(), base=BASE)


@pytest.fixture
def report(exploration):
    assert exploration.change(ReportParams()) == {}
    return exploration.report


def test_of_another_lag_nothing_is_drawn_again_but_the_costs(exploration, report):
    drawn = []

    def record(name):
        draw = drawing(name)

        def recorded(frame):
            drawn.append(name)
            return draw(frame)

        recorded.__module__ = draw.__module__
        return recorded

    names = [
        "charts.efficiency.conversion_by", "tables.sla.outcomes", "charts.cost.per_mql_by",
        "tables.cost.per_mql",
    ]  # fmt: skip
    draws = [record(name) for name in names]
    section = Section(lambda r: drawings(r, draws), ipywidgets.Output(), is_late=False)
    section.follow(report)
    assert drawn == names
    drawn.clear()
    assert exploration.change(replace(ReportParams(), lag_days=45)) == {}
    section.follow(exploration.report)
    assert drawn == ["charts.cost.per_mql_by", "tables.cost.per_mql"]


def draw(_):
    return None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"options": {"by": "source"}}, {"options": {"by": "source"}}, True),
        ({"options": {"by": "source"}}, {"options": {"by": "owner"}}, False),
        ({"given": pd.DataFrame({"a": [1]})}, {"given": pd.DataFrame({"a": [1]})}, True),
        ({"given": pd.DataFrame({"a": [1]})}, {"given": pd.DataFrame({"a": [2]})}, False),
        ({"given": pd.DataFrame({"a": [1]})}, {"given": None}, False),
        # A report is another one after each change.
        ({"given": object()}, {"given": object()}, False),
    ],
)
def test_two_drawings_are_the_same_when_their_input_is(one, other, expected):
    assert Drawing(draw, **one).is_same(Drawing(draw, **other)) is expected
    assert not Drawing(draw, **one).is_same(Drawing(print, **one))


def parts(report, *shown):
    return [part for d in drawings(report, shown) for part in d.parts()]


def test_a_topic_is_its_verdict_chart_and_table(report):
    kinds = [type(part) for part in parts(report, topics.cost)]
    assert kinds[0] is Verdict
    assert issubclass(kinds[1], alt.TopLevelMixin)
    assert kinds[2] is Table


def test_a_topic_by_breakdown_comes_once_for_each_of_them(exploration):
    assert exploration.change(replace(ReportParams(), by=["source", "country"])) == {}
    found = drawings(exploration.report, [topics.sla_by])
    assert [(d.draw, d.options["by"]) for d in found] == [
        (draw, by)
        for draw in (charts.sla.attainment_by, tables.sla.outcomes_by)
        for by in ("source", "country")
    ]


def test_objects_of_the_users_own_are_shown(report):
    frame = pd.DataFrame({"channel": ["Web", None], "spend": [1234.5, float("nan")]})
    chart = alt.Chart(frame).mark_bar()
    table, drawn, text, own = parts(
        report, frame, chart, "A note.", lambda r: f"by {r.params.grain}"
    )
    assert table.title == "Table of 2 rows"
    assert table.cells.to_numpy().tolist() == [["Web", "1,234.5"], ["–", "–"]]
    assert table.left == ("channel",)
    assert (drawn, text, own) == (chart, "A note.", "by month")


def failing(report):
    return report.metrics["no such column"]


@pytest.mark.parametrize(
    ("shown", "kind"), [(3, "int"), (charts.sla, "module"), (lambda _: 3, "int")]
)
def test_what_cannot_be_shown_is_one_sentence(report, shown, kind):
    with pytest.raises(MqlkitError) as raised:
        parts(report, shown)
    assert str(raised.value) == (
        f"show: {kind} cannot be shown; give a topic, a drawing function, a DataFrame, an Altair "
        "chart, text or a function."
    )


def test_a_function_that_fails_is_one_sentence(report):
    with pytest.raises(MqlkitError) as raised:
        parts(report, failing)
    line = failing.__code__.co_firstlineno + 1
    assert (
        str(raised.value)
        == f"failing failed: KeyError: 'no such column' (line {line} of its cell)."
    )
    # What a notebook shows of it.
    assert raised.value._render_traceback_() == [f"MqlkitError: {raised.value}"]


def test_a_drawing_is_named_in_full_in_a_topic():
    assert repr(topics.volume) == (
        "Topic('Are there enough MQLs?': verdicts.volume.goal, verdicts.volume.forecast, "
        "charts.volume.mqls, tables.volume.mqls)"
    )


def test_every_topic_has_the_name_of_a_family_first_and_asks_a_question():
    for name in topics.__all__:
        topic = getattr(topics, name)
        assert topic.question.endswith("?") or name == "headline"
        assert {topics.is_table(d) for d in topic.draws if callable(d)} <= {True, False}
    assert verdicts.sla.attainment in topics.sla.draws
