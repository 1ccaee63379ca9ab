"""A report in a notebook, with a control panel or static."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from IPython.display import display

from mqlkit.core.errors import MqlkitError
from mqlkit.core.errors import report as message
from mqlkit.core.names import RESULTS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.lab import kernel_cells as cells
from mqlkit.lab.choices import settings_table
from mqlkit.lab.section import Section, width_in
from mqlkit.metrics.report import Report, read_report
from mqlkit.pages import cells as page
from mqlkit.pages.drawings import Drawing, drawings
from mqlkit.pages.results import save_results
from mqlkit.views.tables.base import settings_table as as_table
from mqlkit.views.topics import Topic, is_table
from mqlkit.views.verdicts.data_quality import limits

# The panel has these classes until all charts, or all tables, show its settings. The style sheet
# dims the parts that may show earlier settings.
CHARTS_DUE, TABLES_DUE = "mk-charts-due", "mk-tables-due"
REPLACED = "The panel was replaced: run this cell again to follow the new one."
GONE = message(
    "The panel of this report was removed: the cell that opened it was run again and failed.",
    fix="run that cell again, then this one",
)


class LabReport:
    """A report in a notebook.

    Attributes and methods of `Report` (``metrics``, ``leads``, ``value``, ``sla``, …) are those
    of `report`.

    Parameters
    ----------
    report
        The numbers to show.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._notebook = report.params.report

    @property
    def notebook(self) -> str:
        """Return the name of the notebook, the parameter ``report``."""
        return self._notebook

    @property
    def report(self) -> Report:
        """Return the report with the settings of the panel."""
        return self._report

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of `report`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.report, name)

    def __dir__(self) -> list[str]:
        """Return the public names of this class and of `report`."""
        names = {*dir(type(self)), *dir(self.report)}
        return sorted(name for name in names if not name.startswith("_"))

    def __repr__(self) -> str:
        """Return the five lines of `Report`."""
        return repr(self.report)

    def show(self, *shown: Any) -> None:
        """Show topics, drawings or your own objects, one below the other.

        Parameters
        ----------
        *shown
            A topic (``mk.topics.sla``), a drawing function (``mk.charts.sla.attainment``), a
            DataFrame, an Altair chart, text, or a function that takes the report and returns one
            of these. With a control panel, topics and functions follow it.

        Raises
        ------
        MqlkitError
            If something cannot be shown, or a function fails. A notebook shows one sentence.
        """
        page.show(*(part for d in drawings(self.report, shown) for part in d.parts()))


class LiveReport(LabReport):
    """A report that follows its control panel.

    Parameters
    ----------
    params
        The parameters to start with.
    """

    def __init__(self, params: ReportParams) -> None:
        # A headless run starts without widgets.
        import ipywidgets

        from mqlkit.lab.busy import ProgressBar
        from mqlkit.lab.exploration import STEPS, Exploration
        from mqlkit.lab.panel import Panel

        self._cell, self._is_closed = cells.running(), False
        self._notebook = params.report
        page.run_script("top.js")
        progress = ProgressBar(len(STEPS))
        display(progress.box)
        try:
            self._exploration = Exploration(params, tell=progress.start)
        finally:
            progress.close()
        self._output = ipywidgets.Output
        # Each with the id of its cell. The next run of the cell replaces it.
        self._sections: list[tuple[str, Any]] = []
        self._panel = Panel(self._exploration, self._redraw)
        self._width = page.LAB_WIDTH
        self._panel.room.observe(self._fit, "value")
        self._add_section(self._head, is_late=False)
        display(self._panel.box)
        page.inject_stylesheet("lab.css")
        page.run_script("panel.js")
        self._stop_listening = cells.before_each(self._release)

    @property
    def report(self) -> Report:
        """Return the report with the last valid settings of the panel."""
        if self._is_closed:
            raise MqlkitError(GONE)
        return self._exploration.report

    def show(self, *shown: Any) -> None:
        """Show topics, drawings or your own objects; see `LabReport.show`."""
        # Fails here rather than in the middle of the page.
        drawings(self.report, shown)
        for name, run in groupby(shown, _list_of):
            if name:
                self._add_list(name)
            else:
                self._add_drawings([*run])

    def _add_list(self, name: str) -> None:
        from mqlkit.lab.lead_list import LISTS, ListBox

        self._add(ListBox(LISTS[name], lambda: self.report))

    def _add_drawings(self, shown: Sequence[Any]) -> None:
        """Add a section for each sequence of tables and of other drawings."""
        parts = [
            Topic(one.question, (draw,), one.is_by) if isinstance(one, Topic) else one
            for one in shown
            for draw in (one.draws if isinstance(one, Topic) else (one,))
        ]
        for is_late, run in groupby(parts, _is_late):
            self._add_section(partial(self._drawings, list(run)), is_late=is_late)

    def _add_section(self, draw: Callable[[Report], list[Drawing]], *, is_late: bool) -> None:
        section = Section(draw, self._output(), is_late, target=self._panel.filter.target)
        section.width = self._width
        section.follow(self.report)
        self._add(section)

    def _head(self, report: Report) -> list[Drawing]:
        return [Drawing(page.heading(report)), *drawings(report, [limits])]

    def _drawings(self, shown: Sequence[Any], report: Report) -> list[Drawing]:
        return drawings(report, shown, view=self._panel.view)

    def _add(self, section: Any) -> None:
        section.box.add_class("mk-late" if section.is_late else "mk-early")
        display(section.box)
        self._sections.append((cells.running(), section))

    def _release(self, cell: str) -> None:
        """Close the output of a cell that will run again."""
        from mqlkit.lab.widgets import close

        for shown_in, section in self._sections:
            if shown_in == cell:
                close(section.box)
        self._sections = [pair for pair in self._sections if pair[0] != cell]
        if cell == self._cell and not self._is_closed:
            self._is_closed = True
            self._panel.close()
            # One message for each cell, in the first of its sections.
            first = dict(reversed(self._sections))
            for shown_in, section in self._sections:
                section.leave(REPLACED if section is first[shown_in] else "")
            self._exploration.close()
        if self._is_closed and not self._sections:
            self._stop_listening()

    def _fit(self, change: dict[str, Any]) -> None:
        """Set the width of charts to what the page reports."""
        width = width_in(int(change["new"])) if change["new"].isdecimal() else self._width
        if width != self._width:
            self._width = width
            for _, section in self._sections:
                section.fit(width)

    def _redraw(self) -> Iterator[str]:
        """Redraw the page part by part, tables last; yield the fault of each or an empty text.

        Until then, the page marks the parts that may show earlier settings.
        """
        sections = sorted((s for _, s in self._sections), key=attrgetter("is_late"))
        for due in (CHARTS_DUE, TABLES_DUE):
            self._panel.box.add_class(due)
        for is_late, run in groupby(sections, attrgetter("is_late")):
            for section in run:
                yield self._redrawn(section)
            self._panel.box.remove_class(TABLES_DUE if is_late else CHARTS_DUE)

    def _redrawn(self, section: Any) -> str:
        try:
            section.follow(self.report)
        except MqlkitError as error:
            fault = str(error)
        except Exception as error:  # noqa: BLE001 - one failed part must not stop the others
            fault = f"This part could not be drawn ({type(error).__name__}: {error})."
        else:
            return ""
        section.fail(fault)
        return fault


def _list_of(shown: Any) -> str:
    return shown.lead_list if isinstance(shown, Topic) else ""


def _is_late(shown: Any) -> bool:
    return is_table(shown.draws[0] if isinstance(shown, Topic) else shown)


def open_report(namespace: Mapping[str, Any]) -> LabReport:
    """Open the report of a notebook, and show its heading and its control panel.

    Parameters
    ----------
    namespace
        ``globals()`` of a notebook whose first cell sets the parameters.

    Returns
    -------
    LabReport
        With a control panel if the notebook is used interactively; static in a headless run.

    Raises
    ------
    ParamsError, SourceError
        If the parameters do not fit the data, or the data cannot be used.
    """
    given = dict(namespace)
    # `report = mk.open(globals())` replaces the parameter `report`. If the cell runs again, the
    # name refers to the report that it opened before.
    if isinstance(before := given.get("report"), LabReport):
        given["report"] = before.notebook
    return open_with(ReportParams.from_cell(given))


def open_with(params: ReportParams) -> LabReport:
    """Open a report by its parameters; see `open_report`."""
    if is_watched():
        return LiveReport(params)
    opened = LabReport(read_report(params))
    page.show(page.heading(opened.report))
    opened.show(limits)
    page.show(as_table(settings_table(opened.report), title="Settings of this page"))
    return opened


def save_opened(namespace: Mapping[str, Any]) -> None:
    """Save the results of the report that a notebook has opened, if a run requests them."""
    opened = [value for value in namespace.values() if isinstance(value, LabReport)]
    if opened:
        save_results(opened[-1].report)


def is_watched() -> bool:
    """Return whether the notebook is used interactively.

    Runs that save results are not, and neither are those of papermill, nbconvert and nbval, whose
    requests do not allow input.
    """
    if os.environ.get(RESULTS_VARIABLE):
        return False
    return bool(cells.request().get("content", {}).get("allow_stdin"))
