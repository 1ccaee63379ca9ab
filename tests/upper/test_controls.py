"""What a notebook works with: parts shown once without a panel, and drawn again with one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from html import unescape

import ipywidgets
import pandas as pd
import pytest
from frames import drawing, drawings_of
from runs import ROOT

from mqlkit.core.names import MISSING, PICK_MARK, RESULTS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.lab import busy as pacing
from mqlkit.lab import kernel_cells as cells
from mqlkit.lab import panel
from mqlkit.lab import report as controls
from mqlkit.lab.exploration import Exploration
from mqlkit.lab.filter import HINT
from mqlkit.lab.panel import Panel
from mqlkit.lab.report import LabReport, LiveReport, is_watched, open_with
from mqlkit.metrics.report import read_report
from mqlkit.pages import cells as page
from mqlkit.pages.drawings import drawings
from mqlkit.views import charts, headline, tables, verdicts
from mqlkit.views.charts.base import grain_of
from mqlkit.views.claims import Verdict
from mqlkit.views.theme import CHART_TYPE

BASE = ROOT / "notebooks"
# Nothing to show on the sample.
SILENT = (
    "verdicts.data_quality.limits", "verdicts.lead_lists.breaches", "verdicts.previous.revisions",
    "tables.previous.headline", "tables.sla.rules", "verdicts.sla.trend",
    "verdicts.volume.forecast",
)  # fmt: skip


@pytest.fixture(scope="module")
def exploration():
    return Exploration(ReportParams(), base=BASE)


@pytest.fixture
def redrawn():
    return []


@pytest.fixture
def shown(exploration, redrawn):
    assert exploration.change(ReportParams()) == {}

    def redraw():
        redrawn.append(exploration.report.params)
        return []

    return Panel(exploration, redraw)


@pytest.fixture
def notebook(monkeypatch):
    """Run what follows as a cell does in `notebooks/`, and return what it displays."""
    found = []
    monkeypatch.chdir(BASE)
    monkeypatch.setattr(page, "display", lambda part: found.append(part._repr_mimebundle_()))
    monkeypatch.setattr(controls, "display", found.append)
    return found


def every(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from every(child)


def text(widget):
    return unescape(widget.value.partition(">")[2].partition("<")[0])


def test_every_control_has_a_label(shown):
    controls_ = [w for w in every(shown.box) if not isinstance(w, ipywidgets.Box | ipywidgets.HTML)]
    assert len(controls_) >= 18
    assert all(w.description for w in controls_)
    assert len({w.description for w in controls_}) == len(controls_)
    assert all(w.tooltip for w in controls_ if isinstance(w, ipywidgets.Button))


def test_it_shows_what_it_was_started_with(exploration):
    params = replace(
        ReportParams(),
        period="2026-Q1", grain="quarter", lag_days=20, rolling=2, sla="1d", sla_clock="business",
        sla_stops_on="contact", within_days=30, by=["owner", "team", "country"],
        where={"country": ["EE"]},
    )  # fmt: skip
    assert exploration.change(params) == {}
    begun = Exploration.__new__(Exploration)
    begun.__dict__.update({**exploration.__dict__, "started": params})
    panel_ = Panel(begun, list)
    assert (panel_.period.value, panel_.grain.value) == ("2026-Q1", "quarter")
    assert (panel_.start.value, panel_.end.value) == (date(2026, 1, 1), date(2026, 3, 31))
    assert (panel_.lag.value, panel_.rolling.value) == (20, 2)
    assert (panel_.sla.value, panel_.clock.value, panel_.stops.value) == (
        "1d", "business", "contact",
    )  # fmt: skip
    assert panel_.within.value == "30"
    assert [w.value for w in panel_.by] == ["owner", "team", "country"]
    assert (panel_.filter.column.value, panel_.filter.kept.value) == ("country", ("EE",))


def test_each_control_sets_its_parameter(shown, redrawn):
    chosen = {}
    for widget, value, parameter, expected in [
        (shown.lag, 45, "lag_days", 45),
        (shown.rolling, 2, "rolling", 2),
        (shown.grain, "quarter", "grain", "quarter"),
        (shown.sla, "24h", "sla", "24h"),
        (shown.stops, "contact", "sla_stops_on", "contact"),
        (shown.within, "14", "within_days", 14),
        (shown.by[1], "team", "by", ["source", "team"]),
        (shown.period, "last-half", "period", "last-half"),
        (shown.start, date(2026, 2, 1), "period", "2026-02..2026-06"),
    ]:
        widget.value = value
        chosen[parameter] = expected
        assert redrawn[-1] == replace(ReportParams(), **chosen)
    shown.filter.column.value = "country"
    assert len(redrawn) == 9
    shown.filter.kept.value = ("EE", "LV")
    assert redrawn[-1].where == {"country": ["EE", "LV"]}
    shown.filter.every.click()
    assert redrawn[-1].where == {}
    shown.measured.click()
    assert redrawn[-1].lag_days == "auto"
    shown.reset.click()
    assert redrawn[-1] == ReportParams()
    assert shown.period.value == "last-quarter"


@pytest.mark.parametrize(
    ("control", "value", "fault", "sentence"),
    [
        ("sla", "48", "sla", "sla '48' is not a duration with a unit"),
        ("within", "soon", "within_days", "within_days 'soon' is not usable"),
        ("start", date(2026, 8, 1), "period", "The period ends before it starts"),
        ("end", None, "period", "The period needs a first and a last day."),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_beside_its_control(
    shown, redrawn, exploration, control, value, fault, sentence
):
    before = exploration.report
    getattr(shown, control).value = value
    # The last good page stays, and nothing else is called wrong.
    assert not redrawn
    assert exploration.report is before
    said = {name: text(place) for name, place in shown._faults.items() if place.value}
    assert list(said) == [fault]
    assert said[fault].startswith(sentence)
    shown.reset.click()
    assert not [place for place in shown._faults.values() if place.value]


def test_what_no_one_thought_of_is_told_without_a_traceback(shown, exploration, monkeypatch):
    def fail(_):
        raise RuntimeError("the engine <is> gone")

    monkeypatch.setattr(exploration, "change", fail)
    shown.rolling.value = 7
    assert "RuntimeError: the engine &lt;is&gt; gone" in shown._faults["period"].value


def test_of_many_changes_the_last_one_alone_is_worked_out(shown, redrawn, monkeypatch):
    monkeypatch.setattr(pacing, "PAUSE_SECONDS", 0.02)

    async def drag():
        for days in range(20, 60):
            shown.lag.value = days
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run(drag())
    assert [params.lag_days for params in redrawn] == [59]


def test_a_click_in_a_chart_keeps_one_value_and_a_second_brings_all_back(shown, redrawn):
    def click(column, value):
        shown.filter._picked.value = f"{column}{PICK_MARK}{value}"
        # The same click is heard again.
        assert shown.filter._picked.value == ""

    click("country", "EE")
    assert redrawn[-1].where == {"country": ["EE"]}
    assert (shown.filter.column.value, shown.filter.kept.value) == ("country", ("EE",))
    click("source", "Web")
    assert redrawn[-1].where == {"country": ["EE"], "source": ["Web"]}
    assert "Only country: EE. Only source: Web." in shown._words.value
    click("source", "Event")
    assert redrawn[-1].where == {"country": ["EE"], "source": ["Event"]}
    click("source", "Event")
    assert redrawn[-1].where == {"country": ["EE"]}
    # The ground of a chart, and what nobody offers.
    n = len(redrawn)
    for column, value in [("", ""), ("lead_id", "L1")]:
        click(column, value)
        assert shown.filter._hint.value == HINT
    # A group of small ones: the values that it may stand for are offered.
    click("source", "(other <sources>)")
    assert shown.filter.column.value == "source"
    words = "“(other &lt;sources&gt;)” is several values of source: choose from the list"
    assert words in shown.filter._hint.value
    assert len(redrawn) == n
    shown.filter.kept.value = ("Event", "Web")
    assert redrawn[-1].where == {"country": ["EE"], "source": ["Event", "Web"]}
    assert shown.filter._hint.value == HINT


def test_leads_without_a_value_are_offered_last(shown):
    shown.filter.column.value = "team"
    values = list(shown.filter.kept.options)
    assert values == [*sorted(set(values) - {MISSING}), MISSING]


def test_the_slider_is_not_told_where_it_was(shown):
    # Told late, it would go back there, and what it was moved to last would never be heard of.
    assert shown.lag.trait_metadata("value", "echo_update") is False
    assert shown.lag.trait_metadata("value", "sync") is True
    assert shown.rolling.trait_metadata("value", "echo_update") is None


def test_two_notebooks_do_not_hear_each_others_clicks(exploration):
    first, second = (Panel(exploration, list).filter.target for _ in range(2))
    assert first != second


def test_working_hours_are_set_where_they_count(shown, redrawn):
    assert shown.week.layout.display == "none"
    shown.clock.value = "business"
    assert shown.week.layout.display is None
    shown.week.value = "Mon-Thu 10:00-14:00, Fri 22:00-02:00"
    expected = {"sla_clock": "business", "work_week": "Mon-Thu 10:00-14:00, Fri 22:00-02:00"}
    assert redrawn[-1] == replace(ReportParams(), **expected)
    shown.week.value = "Mon-Thu"
    assert text(shown._faults["work_week"]) == (
        "work_week: 'Mon-Thu' cannot be read; expected: weekdays and hours, such as 'Mon-Fri "
        "09:00-12:30 13:30-18:00, Sat 10:00-14:00' or 'Mon,Tue,Thu 22:00-06:00'."
    )
    # Hours that do not count can stay as they are.
    shown.clock.value = "calendar"
    assert text(shown._faults["work_week"]) == ""
    assert redrawn[-1] == replace(ReportParams(), work_week=expected["work_week"])


def test_the_choice_is_saved_as_a_params_file(shown, tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    shown.sla.value = "24h"
    shown.name.value = "mine"
    shown.save.click()
    assert ReportParams.read(tmp_path / "params" / "mine.yaml").sla == "24h"
    assert text(shown._saved) == f"Written. To run it, in {tmp_path}: mqlkit run params/mine.yaml"
    shown.name.value = "not a name"
    shown.save.click()
    assert "is not a valid file name" in shown._saved.value


@pytest.mark.parametrize("layer", [charts, tables, verdicts], ids=lambda m: m.__name__)
def test_every_drawing_takes_the_frame_of_its_family(exploration, layer):
    assert exploration.change(ReportParams()) == {}
    for name in drawings_of(layer):
        (found,) = drawings(exploration.report, [drawing(name)])
        assert found.parts() or name in SILENT


def test_without_a_reader_the_parts_come_once_and_the_choice_as_a_table(notebook):
    view = open_with(ReportParams())
    assert type(view) is LabReport
    head, settings = (data["text/html"] for data, _ in notebook)
    assert "<h1>MQL report</h1>" in head
    assert "Settings of this page" in settings
    assert "lag_days" in settings
    view.show(verdicts.data_quality.ledger)
    assert len(notebook) == 2 + len(view.report.ledgers)
    assert all(set(data) == {"text/html", "text/plain"} for data, _ in notebook)


def test_with_a_reader_the_parts_follow_the_panel(notebook, monkeypatch):
    monkeypatch.setattr(controls, "is_watched", lambda: True)
    view = open_with(ReportParams())
    assert type(view) is LiveReport
    view.show(headline.headline)
    view.show(charts.efficiency.conversion_by)
    cards, chart = notebook[-2:]
    still = list(chart.outputs)
    (box,) = [part for part in notebook if isinstance(part, ipywidgets.VBox)]
    (sla,) = [w for w in every(box) if getattr(w, "description", "") == "Sales has"]
    sla.value = "24h"
    expected = read_report(replace(ReportParams(), sla="24h"))
    figures = headline.headline(expected.headline)
    (output,) = cards.outputs
    assert output["data"] == page.bundle(figures)
    # What the change does not touch is not sent again.
    assert list(chart.outputs) == still
    pd.testing.assert_frame_equal(view.report.metrics, expected.metrics)


def test_efficiency_is_shown_as_the_panel_says_and_saved_as_both(view, notebook, monkeypatch):
    written = []
    monkeypatch.setattr(panel, "write_params", lambda params, *_, **__: written.append(params) or
                        BASE.parent / "params" / "mine.yaml")  # fmt: skip
    view.show(charts.efficiency.cohorts)
    chart = notebook[-1]
    both = chart.outputs
    control(notebook, "MQL→SQL conversion").value = "flow"
    assert "SQLs dated in each month" in chart.outputs[0]["data"]["text/plain"]
    assert "Conversion is in-period only" in said(notebook)
    control(notebook, "Save").click()
    assert "only the panel shows one alone" in said(notebook)
    assert written == [ReportParams()]
    # A mistake elsewhere leaves what is shown, and what is said of it.
    control(notebook, "Sales has").value = "soon"
    control(notebook, "MQL→SQL conversion").value = "cohort"
    assert "in-period only" in said(notebook)
    control(notebook, "Reset").click()
    assert control(notebook, "MQL→SQL conversion").value == "both"
    assert chart.outputs == both


@pytest.fixture
def view(notebook, monkeypatch):
    """Return the view of a notebook that somebody looks at; nothing but its head is shown."""
    monkeypatch.setattr(controls, "is_watched", lambda: True)
    return open_with(ReportParams())


def control(notebook, label):
    """Return a widget of the panel by its label."""
    (box,) = [p for p in notebook if isinstance(p, ipywidgets.VBox)]
    (found,) = [w for w in every(box) if getattr(w, "description", "") == label]
    return found


def said(notebook):
    (box,) = [p for p in notebook if isinstance(p, ipywidgets.VBox)]
    return " ".join(w.value for w in every(box) if isinstance(w, ipywidgets.HTML))


def tabulate_grain(rows):
    return Verdict(f"table by {grain_of(rows)}")


def plot_grain(report):
    return Verdict(f"chart by {report.params.grain}")


# A table is known by its layer.
tabulate_grain.__module__ = tables.volume.__name__


def test_a_part_that_fails_says_so_in_its_place_and_on_the_panel(view, notebook):
    def fragile(report):
        if report.params.grain == "year":
            raise ValueError("no <years> here")
        return Verdict(report.params.grain)

    view.show(fragile)
    view.show(plot_grain)
    part, other = notebook[-2:]
    control(notebook, "One bucket per").value = "year"
    line = fragile.__code__.co_firstlineno + 2
    fault = f"fragile failed: ValueError: no &lt;years&gt; here (line {line} of its cell)."
    assert fault in part.outputs[0]["data"]["text/html"]
    assert f'role="alert">{fault}' in said(notebook)
    assert "Done." in said(notebook)
    # All else belongs to the choice that the panel shows.
    assert "chart by year" in str(other.outputs)
    assert view.report.params.grain == "year"
    control(notebook, "One bucket per").value = "quarter"
    assert "quarter" in str(part.outputs)
    assert "fragile failed" not in said(notebook) + str(part.outputs)


def test_tables_come_last_and_what_is_not_drawn_yet_says_so(view, notebook):
    view.show(tabulate_grain, plot_grain, tabulate_grain)
    view.show(plot_grain)
    parts = notebook[-4:]
    assert view._exploration.change(replace(ReportParams(), grain="year")) == {}
    box = next(p for p in notebook if "mk-panel" in getattr(p, "_dom_classes", ()))
    seen = []
    for fault in view._redraw():
        drawn = [i for i, p in enumerate(parts) if "by year" in str(p.outputs)]
        seen.append((drawn, [due for due in box._dom_classes if due.endswith("-due")]))
        assert fault == ""
    both, tables_ = ["mk-charts-due", "mk-tables-due"], ["mk-tables-due"]
    # The heading comes first.
    assert seen == [
        ([], both), ([1], both), ([1, 3], both), ([0, 1, 3], tables_), ([0, 1, 2, 3], tables_),
    ]  # fmt: skip
    assert box._dom_classes == ("mk-panel",)
    assert [p._dom_classes for p in parts[:2]] == [("mk-late",), ("mk-early",)]


def test_a_change_is_heard_between_two_parts_and_the_rest_is_dropped(view, notebook, monkeypatch):
    monkeypatch.setattr(pacing, "PAUSE_SECONDS", 0)
    drawn = []

    def plot_slowly(report):
        drawn.append(report.params.grain)
        if report.params.grain == "quarter":
            # Heard once this part is drawn, as what a kernel is sent in the meantime.
            loop.call_soon(setattr, grain, "value", "year")
        return Verdict(report.params.grain)

    def tabulate_slowly(rows):
        drawn.append(f"table {grain_of(rows)}")
        return Verdict("table")

    tabulate_slowly.__module__ = tables.volume.__name__
    view.show(plot_slowly, tabulate_slowly)
    grain = control(notebook, "One bucket per")
    drawn.clear()

    async def change():
        nonlocal loop
        loop = asyncio.get_running_loop()
        grain.value = "quarter"
        while "Done." not in said(notebook):
            await asyncio.sleep(0.01)

    loop = None
    asyncio.run(change())
    assert drawn == ["quarter", "year", "table year"]


def test_after_a_mistake_the_rest_of_the_last_choice_is_drawn(view, notebook, monkeypatch):
    monkeypatch.setattr(pacing, "PAUSE_SECONDS", 0)

    def plot_and_err(report):
        if report.params.grain == "quarter":
            loop.call_soon(setattr, control(notebook, "Sales has"), "value", "soon")
        return Verdict(report.params.grain)

    view.show(plot_and_err, tabulate_grain)
    table = notebook[-1]

    async def change():
        nonlocal loop
        loop = asyncio.get_running_loop()
        control(notebook, "One bucket per").value = "quarter"
        while "Not applied" not in said(notebook):
            await asyncio.sleep(0.01)

    loop = None
    asyncio.run(change())
    assert "table by quarter" in str(table.outputs)


class Kernel:
    def __init__(self, content):
        self.content = content

    def get_parent(self, _):
        return {"content": self.content}


@pytest.mark.parametrize(
    ("content", "wanted", "expected"),
    [
        ({"allow_stdin": True}, "", True),
        ({"allow_stdin": False}, "", False),
        ({}, "", False),
        ({"allow_stdin": True}, "reports/q1", False),
    ],
)
def test_a_panel_is_for_those_who_can_use_it(monkeypatch, content, wanted, expected):
    shell = type("Shell", (), {"kernel": Kernel(content)})
    monkeypatch.setattr(cells, "get_ipython", lambda: shell)
    monkeypatch.setenv(RESULTS_VARIABLE, wanted)
    assert is_watched() is expected


def test_outside_a_notebook_nobody_watches():
    assert is_watched() is False


def test_charts_fit_the_room_there_is_without_being_made_again(view, notebook):
    made = []

    def plot_once(report):
        made.append(report.params.grain)
        return charts.volume.mqls(report.volume)

    def width(part):
        return part.outputs[0]["data"][CHART_TYPE]["width"]

    view.show(plot_once)
    view.show(plot_grain)
    chart, other = notebook[-2:]
    room = control(notebook, "Width for charts")
    # 832 is what a screen of 1280 leaves; a hidden notebook has none.
    for told, expected in [
        ("832", 760), ("1052", 940), ("1473", 1120), ("1474", 1120), ("", 1120), ("wide", 1120),
        ("300", 760), ("5000", 1120),
    ]:  # fmt: skip
        room.value = told
        assert width(chart) == expected
    assert len(made) == 1
    assert other.outputs == ({
        "output_type": "display_data", "metadata": {},
        "data": page.bundle(Verdict("chart by month")),
    },)  # fmt: skip
    # What is drawn or shown later fits too.
    control(notebook, "One bucket per").value = "quarter"
    assert width(chart) == 1120
    view.show(charts.waiting.histogram)
    assert width(notebook[-1]) == 1120
