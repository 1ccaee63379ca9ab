"""A cell that is run again replaces what it showed, and nothing of that is worked on any more."""

from __future__ import annotations

from types import SimpleNamespace

import ipywidgets
import pytest
from IPython.core.events import EventManager
from runs import ROOT

from mqlkit.core.errors import MqlkitError
from mqlkit.core.params import ReportParams
from mqlkit.lab import kernel_cells as cells
from mqlkit.lab import report as controls
from mqlkit.lab.busy import Debouncer
from mqlkit.lab.report import open_with
from mqlkit.lab.widgets import close, slider
from mqlkit.pages import cells as page
from mqlkit.sources.store import EngineError
from mqlkit.views import topics
from mqlkit.views.claims import Verdict

GONE = (
    "The panel of this report was removed: the cell that opened it was run again and failed.\n"
    "  Fix:      run that cell again, then this one"
)


class Notebook:
    """A kernel that is told which cell it runs, as JupyterLab tells it, or not told, as others."""

    def __init__(self):
        self.events = EventManager(self, {cells.BEFORE: lambda _: None})
        self.metadata, self.shown = {}, []
        self.kernel = SimpleNamespace(get_parent=self.parent)

    def parent(self, _):
        return {"content": {"allow_stdin": True}, "metadata": self.metadata}

    def run(self, act, *, cell=None):
        """Run a cell and return the widgets that it displays."""
        self.metadata = {"cellId": cell} if cell else {}
        self.shown = []
        self.events.trigger(cells.BEFORE, SimpleNamespace(cell_id=cell))
        act()
        return [part for part in self.shown if isinstance(part, ipywidgets.Widget)]

    def show(self, part):
        self.shown.append(part)

    @property
    def listeners(self):
        return self.events.callbacks[cells.BEFORE]


@pytest.fixture
def notebook(monkeypatch):
    made = Notebook()
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setattr(cells, "get_ipython", lambda: made)
    monkeypatch.setattr(controls, "display", made.show)
    monkeypatch.setattr(page, "display", made.show)
    return made


@pytest.fixture
def views(notebook):
    """Return the views made so far, the first of them in a cell of its own."""
    found = []
    notebook.run(lambda: found.append(open_with(ReportParams())), cell="load")
    return found


def n_widgets():
    return len(ipywidgets.Widget.get_manager_state()["state"])


def note(report):
    return Verdict(f"by {report.params.grain}")


def grain_of(view):
    return view._panel.grain


def test_a_cell_run_again_replaces_what_it_showed(notebook, views):
    (view,) = views
    before = n_widgets()
    (first,) = notebook.run(lambda: view.show(note), cell="one")
    once = n_widgets()
    (other,) = notebook.run(lambda: view.show(note), cell="two")
    (second,) = notebook.run(lambda: view.show(note), cell="one")
    assert first.comm is None
    # No more widgets than of two cells: nothing of the first time is left in the kernel.
    assert n_widgets() - before == 2 * (once - before)
    grain_of(view).value = "quarter"
    assert "by month" in str(first.outputs)
    assert "by quarter" in str(second.outputs)
    assert "by quarter" in str(other.outputs)


def test_two_parts_of_one_cell_stand_side_by_side(notebook, views):
    (view,) = views
    parts = notebook.run(lambda: (view.show(note), view.show(note)), cell="one")
    grain_of(view).value = "year"
    assert ["by year" in str(part.outputs) for part in parts] == [True, True]


def test_where_no_cell_is_named_nothing_is_taken_for_another(notebook, views):
    (view,) = views
    parts = [notebook.run(lambda: view.show(note))[0] for _ in range(2)]
    grain_of(view).value = "year"
    assert ["by year" in str(part.outputs) for part in parts] == [True, True]
    assert views[0].report.params.grain == "year"


def test_a_new_panel_closes_the_one_before(notebook, views):
    (old,) = views
    part, next_ = notebook.run(lambda: (old.show(note), old.show(note)), cell="one")
    (box,) = notebook.run(lambda: old.show(topics.mqls), cell="two")
    alive, panel = n_widgets(), old._panel
    notebook.run(lambda: views.append(open_with(ReportParams())), cell="load")
    assert panel.box.comm is None
    # The two panels are alike, and of the list only the words are left.
    assert n_widgets() < alive
    for shown in (str(part.outputs), box.children[0].value):
        assert "The panel was replaced: run this cell again to follow the new one." in shown
    assert len(box.children) == 1
    # A cell says so once.
    assert next_.outputs == ()
    # Of the data of the first nothing is left in the engine, and no change is worked out any more.
    with pytest.raises(EngineError):
        old._exploration._opened.reader.backend.raw_sql("SELECT 1")
    grain_of(views[1]).value = "year"
    assert "by year" not in str(part.outputs)
    # Once its last cell is run again, nobody knows of it.
    assert len(notebook.listeners) == 2
    notebook.run(lambda: views[1].show(note), cell="one")
    notebook.run(lambda: None, cell="two")
    assert box.comm is None
    assert len(notebook.listeners) == 1


def test_without_a_new_panel_a_view_says_what_to_do(notebook, views):
    def fail():
        with pytest.raises(MqlkitError):
            open_with(ReportParams(source="nowhere.yaml"))

    notebook.run(fail, cell="load")
    for act in (lambda: views[0].show(note), lambda: views[0].show(topics.mqls)):
        with pytest.raises(MqlkitError) as raised:
            notebook.run(act, cell="one")
        assert str(raised.value) == GONE


def test_a_panel_of_another_cell_stays(notebook, views):
    notebook.run(lambda: views.append(open_with(ReportParams())), cell="load-2")
    parts = [notebook.run(lambda v=v: v.show(note), cell=f"of {i}")[0] for i, v in enumerate(views)]
    grain_of(views[0]).value = "year"
    assert ["by year" in str(part.outputs) for part in parts] == [True, False]


def test_what_is_closed_is_closed_to_the_last_style():
    before = n_widgets()
    close(ipywidgets.VBox([slider("Lag", 10), ipywidgets.HBox([ipywidgets.HTML()])]))
    assert n_widgets() == before


def test_what_was_put_off_is_dropped():
    Debouncer().stop()


def test_outside_a_notebook_no_cell_is_told_of():
    cells.before_each(lambda _: None)()
    assert cells.running() == ""


def test_no_line_breaks_between_a_sign_and_an_amount_of_money():
    html = page.bundle(Verdict("No clear change (−€46.15 to +€3.00), or −1.2 to +3.4 points."))
    shown = html["text/html"]
    assert "(−\u2060€46.15 to +\u2060€3.00), or −1.2 to +3.4 points." in shown
