"""What a notebook works with: parts that follow the panel, or are shown once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from IPython.display import display

from mqlkit.core.errors import MqlkitError, report
from mqlkit.core.names import RESULTS_VARIABLE
from mqlkit.core.params import ReportParams
from mqlkit.lab import kernel_cells as cells
from mqlkit.lab.choices import settings_table
from mqlkit.lab.lead_list import LeadList
from mqlkit.lab.section import Section, width_in
from mqlkit.metrics.report import Numbers, read_numbers
from mqlkit.pages import cells as page
from mqlkit.pages.calls import Call, is_table
from mqlkit.views.tables.data_quality import tabulate_params
from mqlkit.views.verdicts.data_quality import judge_limits

Make = Callable[..., list[Call]]
# The panel is marked so until all charts, or all tables, are those of its choice. The style sheet
# then says of each of them that it may not be.
CHARTS_DUE, TABLES_DUE = "mk-charts-due", "mk-tables-due"
MADE_ANEW = "The panel was made anew: run this cell again, and it follows the new one."
GONE = report(
    "The panel of this view is gone: the cell that made it was run again, and did not end.",
    fix="run that cell once more, then this one",
)


class View:
    """A report, shown part by part.

    Attributes
    ----------
    numbers
        The numbers shown.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    @property
    def numbers(self) -> Numbers:
        """Return the numbers shown."""
        return self._numbers

    def show(self, *draws: page.Draw) -> None:
        """Show parts one under the other.

        Parameters
        ----------
        *draws
            Notes, and functions that return a verdict, a chart or a table, such as
            ``charts.plot_mql_volume``. Each is given what its arguments are called after, such as
            ``rows``, ``params`` or ``currency``; see `page.FACTS`.
        """
        self._show(page.calls, draws)

    def show_by(self, *draws: page.Draw, most: int | None = None) -> None:
        """Show parts once for each breakdown.

        Parameters
        ----------
        *draws
            As in `show`, with an argument ``by`` for the column.
        most
            How many breakdowns to show; all of them when left out.
        """

        def make(numbers: Numbers, draws: Sequence[page.Draw], **chosen: Any) -> list[Call]:
            return page.calls_by(numbers, draws, numbers.params.by[:most], **chosen)

        self._show(make, draws)

    def show_list(self, leads: LeadList, *brief: page.Draw) -> None:
        """Show a list of leads to sort and filter; without a panel, the parts that stand for it.

        Parameters
        ----------
        leads
            The list, such as ``lists.BREACHES``. It holds personal data and has no bound, so that
            no page for others shows it.
        *brief
            What such a page shows instead, as in `show`.
        """
        del leads
        self.show(*brief)

    def _show(self, make: Make, draws: Sequence[page.Draw]) -> None:
        """Show what ``make`` calls for: a function such as `page.calls`."""
        calls = make(self.numbers, draws)
        page.show(*(part for call in calls for part in page.parts_of(call)))


class LiveView(View):
    """A report that follows its panel.

    Parameters
    ----------
    params
        The report to start with.
    """

    def __init__(self, params: ReportParams) -> None:
        # Widgets are imported where somebody looks at them: a headless run starts without.
        import ipywidgets

        from mqlkit.lab.busy import Waiting
        from mqlkit.lab.exploration import STEPS, Exploration
        from mqlkit.lab.panel import Panel

        self._cell, self._is_closed = cells.running(), False
        page.run_script("top.js")
        waiting = Waiting(len(STEPS))
        display(waiting.box)
        try:
            self._exploration = Exploration(params, tell=waiting.tell)
        finally:
            waiting.close()
        self._output = ipywidgets.Output
        # Each with the cell that it stands in, whose next run replaces it.
        self._sections: list[tuple[str, Any]] = []
        self._panel = Panel(self._exploration, self._redraw)
        self._width = page.LAB_WIDTH
        self._panel.room.observe(self._fit, "value")
        self._show(self._head, [judge_limits])
        display(self._panel.box)
        page.wear("lab.css")
        page.run_script("panel.js")
        self._stop_hearing = cells.before_each(self._let_go)

    def _head(self, numbers: Numbers, draws: Sequence[page.Draw], **_: Any) -> list[Call]:
        return [Call(page.heading, {"numbers": numbers}), *page.calls(numbers, draws)]

    @property
    def numbers(self) -> Numbers:
        """Return the numbers of the last choice that worked."""
        if self._is_closed:
            raise MqlkitError(GONE)
        return self._exploration.numbers

    def show_list(self, leads: LeadList, *_: page.Draw) -> None:
        """Show a list of leads to sort and filter."""
        from mqlkit.lab.lead_list import ListBox

        box = ListBox(leads, lambda: self.numbers)
        self._add(box)

    def _show(self, make: Make, draws: Sequence[page.Draw]) -> None:
        for is_late, run in groupby(draws, is_table):
            section = Section(partial(self._calls, make, list(run)), self._output(), is_late)
            section.width = self._width
            section.follow(self.numbers)
            self._add(section)

    def _add(self, section: Any) -> None:
        section.box.add_class("mk-late" if section.is_late else "mk-early")
        display(section.box)
        self._sections.append((cells.running(), section))

    def _let_go(self, cell: str) -> None:
        """Close what a cell has shown that is about to be run again: its output is replaced."""
        from mqlkit.lab.widgets import close

        for shown_in, section in self._sections:
            if shown_in == cell:
                close(section.box)
        self._sections = [pair for pair in self._sections if pair[0] != cell]
        if cell == self._cell and not self._is_closed:
            self._is_closed = True
            self._panel.close()
            # One word for each cell, in the first of its sections.
            first = dict(reversed(self._sections))
            for shown_in, section in self._sections:
                section.leave(MADE_ANEW if section is first[shown_in] else "")
            self._exploration.close()
        if self._is_closed and not self._sections:
            self._stop_hearing()

    def _calls(self, make: Make, draws: Sequence[page.Draw], numbers: Numbers) -> list[Call]:
        # The panel has the slider for the lag, and hears of a click on a segment.
        panel = self._panel
        given = {"lags": numbers.lag_in_use, "heard_by": panel.filter.ear, "view": panel.view}
        return make(numbers, draws, **given)

    def _fit(self, change: dict[str, Any]) -> None:
        """Set charts as wide as is good in the room that the page tells of."""
        width = width_in(int(change["new"])) if change["new"].isdecimal() else self._width
        if width != self._width:
            self._width = width
            for _, section in self._sections:
                section.fit(width)

    def _redraw(self) -> Iterator[str]:
        """Draw the page again part by part, tables last; yield after each what is wrong with it.

        Wherever that is broken off, what may still be of the choice before is marked so.
        """
        sections = sorted((s for _, s in self._sections), key=attrgetter("is_late"))
        for due in (CHARTS_DUE, TABLES_DUE):
            self._panel.box.add_class(due)
        for is_late, run in groupby(sections, attrgetter("is_late")):
            for section in run:
                yield self._drawn(section)
            self._panel.box.remove_class(TABLES_DUE if is_late else CHARTS_DUE)

    def _drawn(self, section: Any) -> str:
        try:
            section.follow(self.numbers)
        except Exception as error:  # noqa: BLE001 - a function of the user's own may raise any
            fault = f"This part could not be drawn ({type(error).__name__}: {error})."
            section.fail(fault)
            return fault
        return ""


def explore(params: ReportParams) -> View:
    """Read a report's exports, show its heading and its panel, and return its view.

    Parameters
    ----------
    params
        The report to start with.
    """
    if is_watched():
        return LiveView(params)
    view = View(read_numbers(params))
    page.show(page.heading(view.numbers), *page.drawn(view.numbers, [judge_limits]))
    page.show(tabulate_params(settings_table(view.numbers), title="What this page is set to"))
    return view


def is_watched() -> bool:
    """Return whether somebody looks at the notebook who could use a panel.

    A run that is to leave results is not watched, and neither is one by papermill, nbconvert or
    nbval: what they ask a kernel to do may not ask back.
    """
    if os.environ.get(RESULTS_VARIABLE):
        return False
    return bool(cells.request().get("content", {}).get("allow_stdin"))
