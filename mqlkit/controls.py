"""What a notebook works with: a report that is shown part by part, and follows its panel.

In JupyterLab the panel stands under the heading and everything below it is drawn again when the
choice changes. Headless, the same cells show the same parts once, and the parameters as a table.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from mqlkit import page
from mqlkit.alarms import judge_limits
from mqlkit.calls import Call
from mqlkit.choices import settings_table
from mqlkit.lists import LeadList
from mqlkit.numbers import Numbers, read_numbers
from mqlkit.params import ReportParams
from mqlkit.tables import tabulate_params
from mqlkit.terms import RESULTS_VARIABLE

Shown = list[tuple[Call, list[dict[str, Any]]]]


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
        self._show(lambda numbers: page.calls(numbers, draws, **self._given(numbers)))

    def show_by(self, *draws: page.Draw, most: int | None = None) -> None:
        """Show parts once for each breakdown.

        Parameters
        ----------
        *draws
            As in `show`, with an argument ``by`` for the column.
        most
            How many breakdowns to show; all of them when left out.
        """
        self._show(
            lambda numbers: page.calls_by(
                numbers, draws, numbers.params.by[:most], **self._given(numbers)
            )
        )

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

    def _given(self, _: Numbers) -> dict[str, Any]:
        """Return what drawing functions are given beside `page.FACTS`."""
        return {}

    def _show(self, calls: Callable[[Numbers], list[Call]]) -> None:
        page.show(*(part for call in calls(self.numbers) for part in page.parts_of(call)))


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

        from mqlkit.exploration import STEPS, Exploration
        from mqlkit.panel import Panel
        from mqlkit.waiting import Waiting

        waiting = Waiting(len(STEPS))
        display(waiting.box)
        try:
            self._exploration = Exploration(params, tell=waiting.tell)
        finally:
            waiting.close()
        self._output = ipywidgets.Output
        self._sections: list[Any] = []
        self._show(self._head)
        panel = Panel(self._exploration, self._redraw)
        self._ear = panel.filter.ear
        display(panel.box)
        page.wear("lab.css")
        page.run_script("panel.js")

    def _head(self, numbers: Numbers) -> list[Call]:
        heading = Call(page.heading, {"numbers": numbers})
        return [heading, *page.calls(numbers, [judge_limits])]

    @property
    def numbers(self) -> Numbers:
        """Return the numbers of the last choice that worked."""
        return self._exploration.numbers

    def _given(self, numbers: Numbers) -> dict[str, Any]:
        # The panel has the slider for the lag, and hears of a click on a segment.
        return {"lags": numbers.lag_in_use, "heard_by": self._ear}

    def show_list(self, leads: LeadList, *_: page.Draw) -> None:
        """Show a list of leads to sort and filter."""
        from mqlkit.listbox import ListBox

        box = ListBox(leads, lambda: self.numbers)
        self._sections.append(box)
        display(box.box)

    def _show(self, calls: Callable[[Numbers], list[Call]]) -> None:
        section = Section(calls, self._output())
        self._sections.append(section)
        section.show(section.drawn(self.numbers))
        display(section.output)

    def _redraw(self) -> None:
        # All or nothing: a part that fails leaves the page as it was.
        drawn = [section.drawn(self.numbers) for section in self._sections]
        for section, parts in zip(self._sections, drawn, strict=True):
            section.show(parts)


@dataclass
class Section:
    """What one cell shows, and how it is drawn again.

    Attributes
    ----------
    calls
        Returns the functions that draw it, with what they are given of a report's numbers.
    output
        The widget that it stands in.
    shown
        What is shown: each call, with its parts as the types that the notebook shows them in.
    """

    calls: Callable[[Numbers], list[Call]]
    output: Any
    shown: Shown = field(default_factory=list)

    def drawn(self, numbers: Numbers) -> Shown:
        """Return what is to be shown for other numbers; what they leave as it is stays."""
        return [(call, self._bundles(call)) for call in self.calls(numbers)]

    def _bundles(self, call: Call) -> list[dict[str, Any]]:
        known = next((bundles for c, bundles in self.shown if c.is_same(call)), None)
        if known is not None:
            return known
        return [page.bundle(part) for part in page.parts_of(call) if part is not None]

    def show(self, shown: Shown) -> None:
        """Show it; the browser hears of it only where it differs."""
        self.shown = shown
        outputs = tuple(
            {"output_type": "display_data", "data": bundle, "metadata": {}}
            for _, bundles in shown
            for bundle in bundles
        )
        if self.output.outputs != outputs:
            self.output.outputs = outputs


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
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None or os.environ.get(RESULTS_VARIABLE):
        return False
    request = kernel.get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin"))
