"""The control panel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from mqlkit.core.errors import MqlkitError
from mqlkit.core.names import BOTH
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY
from mqlkit.core.promises import BUSINESS
from mqlkit.core.text import counted
from mqlkit.lab.busy import Debouncer
from mqlkit.lab.choices import (
    CLOCKS,
    GRAINS,
    STOPS,
    VIEWS,
    as_written,
    choose,
    in_words,
    own_period,
    params_folder,
    presets,
    write_params,
)
from mqlkit.lab.exploration import Exploration
from mqlkit.lab.filter import NOTHING, Filter
from mqlkit.lab.widgets import (
    SuppressEvents,
    alert,
    button,
    close,
    day_picker,
    dropdown,
    hidden_input,
    message,
    number,
    row,
    slider,
    status,
    text,
)
from mqlkit.metrics.cost import LONGEST_LAG

OWN_DATES = "own dates"
LEFT = "Not applied: the page still shows the last valid settings."
FAULTY = (
    "period", "lag_days", "rolling", "sla", "within_days", "work_week", "by", "where", "page",
)  # fmt: skip


class Panel:
    """The widgets of one exploration.

    Parameters
    ----------
    exploration
        The data, and the report with the last valid settings.
    redraw
        Called when the report has changed; returns an iterator that draws a part of the page at
        each step and yields its fault, or an empty text.

    Attributes
    ----------
    box
        The panel to display.
    room
        The width in pixels that the page has for charts, set by `panel.js`.
    view
        Which conversion is shown, one of `names.VIEWS`.
    """

    def __init__(self, exploration: Exploration, redraw: Callable[[], Iterable[str]]) -> None:
        self._exploration = exploration
        self._redraw = redraw
        self._is_measured, self.view = True, BOTH
        self._quiet, self._debouncer = SuppressEvents(), Debouncer()
        # The parts of the page that are not drawn yet.
        self._parts: Iterator[str] = iter(())
        self._faults = {name: message() for name in FAULTY}
        self._words, self._state, self._saved = message(), message(), message()
        self._make_period()
        self._make_cost()
        self._make_sla()
        self._make_breakdown()
        self._make_file()
        self._set(exploration.started)
        self._watch()
        self.box = self._laid_out()

    def _make_period(self) -> None:
        periods = presets(self._exploration.started, self._exploration.offer)
        self.period = dropdown("Period", {**periods, "Own dates": OWN_DATES})
        self.start = day_picker("From", "170px")
        self.end = day_picker("to end of", "195px")
        self.grain = dropdown("One bucket per", GRAINS)

    def _make_cost(self) -> None:
        self.lag = slider("Lag: days from net-new to MQL", LONGEST_LAG)
        self.measured = button("Measured", "Use the mean days from net-new to MQL in the data")
        self.rolling = number("Rolling cost over", 120)

    def _make_sla(self) -> None:
        self.sla = text("Sales has", "48h", "140px")
        self.stops = dropdown("until it", STOPS)
        self.clock = dropdown("Clock", CLOCKS)
        self.within = text("SQLs within days", "all", "180px")
        self.week = text("Working hours", ReportParams().work_week, "330px")

    def _make_breakdown(self) -> None:
        offer, started = self._exploration.offer, self._exploration.started
        columns = {"nothing": NOTHING, **{c: c for c in offer.values}}
        names = ["Break down by", *["then by"] * max(1, len(started.by) - 1)]
        self.by = [dropdown(name, columns) for name in names]
        self.efficiency = dropdown("MQL→SQL conversion", VIEWS)
        self.filter = Filter(offer.values, changed=self._changed)

    def _make_file(self) -> None:
        self.room = hidden_input("Width for charts", "mk-room")
        self.reset = button("Reset", "Back to the settings that the notebook started with")
        self.name = text("Save as params/", "my_report", "260px")
        self.save = button(
            "Save", "Write these settings to a params file, for runs without a notebook"
        )

    def _laid_out(self) -> widgets.VBox:
        faults = self._faults
        rows = [
            row(self.period, self.start, self.end, self.grain),
            faults["period"],
            row(self.lag, self.measured, self.rolling),
            faults["lag_days"], faults["rolling"],
            row(self.sla, self.stops, self.clock, self.within, self.week),
            faults["sla"], faults["within_days"], faults["work_week"],
            row(*self.by, self.efficiency),
            faults["by"],
            self.filter.row,
            faults["where"],
            self._words,
            faults["page"],
            row(self.reset, self.name, self.save, self._state, self.room),
            self._saved,
        ]  # fmt: skip
        box = widgets.VBox(rows)
        box.add_class("mk-panel")
        return box

    def close(self) -> None:
        """Remove the panel and drop its current work."""
        self._debouncer.stop()
        close(self.box)

    def _set(self, params: ReportParams) -> None:
        """Set the widgets to some parameters."""
        with self._quiet:
            periods = {period for _, period in self.period.options}
            self.period.value = params.period if params.period in periods else OWN_DATES
            self.grain.value = params.grain
            self._is_measured = params.lag_days == "auto"
            self.rolling.value = params.rolling
            self.sla.value, self.stops.value = params.sla, params.sla_stops_on
            self.clock.value, self.week.value = params.sla_clock, params.work_week
            self._show_week()
            self.within.value = "" if params.within_days is None else str(params.within_days)
            for index, widget in enumerate(self.by):
                widget.value = params.by[index] if index < len(params.by) else NOTHING
            self.filter.show(params.where)
            self.efficiency.value = BOTH
        self._show_numbers()

    def _show_numbers(self) -> None:
        """Show the resolved settings: dates, lag, sentences."""
        report = self._exploration.report
        with self._quiet:
            whole = report.lead_data.whole
            self.start.value, self.end.value = whole.start, whole.end - DAY
            self.lag.max = max(LONGEST_LAG, self.lag.max, report.lag_days_used)
            self.lag.value = report.lag_days_used
            self.measured.description = f"Measured: {counted(report.measured_lag, 'day')}"
        self._words.value = f'<p class="mk-words">{escape(in_words(report, view=self.view))}</p>'

    @property
    def _has_work_clock(self) -> bool:
        rules = self._exploration.started.sla_rules
        return BUSINESS in {self.clock.value, *(rule.get("clock") for rule in rules)}

    def _show_week(self, _: object = None) -> None:
        """Show the working hours only where something is counted in them."""
        self.week.layout.display = None if self._has_work_clock else "none"

    def _watch(self) -> None:
        plain = [self.period, self.grain, self.rolling, self.sla, self.stops, self.clock]
        for widget in (*plain, self.within, self.week, *self.by, self.efficiency):
            widget.observe(self._changed, "value")
        self.clock.observe(self._show_week, "value")
        for widget in (self.start, self.end):
            widget.observe(self._dated, "value")
        self.lag.observe(self._lagged, "value")
        self.measured.on_click(self._measure)
        self.reset.on_click(self._start_again)
        self.save.on_click(self._write)

    def _changed(self, _: object = None) -> None:
        """Apply the settings after a pause without other changes."""
        if self._quiet:
            return
        self._state.value = status("Working …")
        self._debouncer.do(self._work)

    def _dated(self, _: object) -> None:
        if not self._quiet:
            with self._quiet:
                self.period.value = OWN_DATES
            self._changed()

    def _lagged(self, _: object) -> None:
        if not self._quiet:
            self._is_measured = False
            self._changed()

    def _measure(self, _: object) -> None:
        self._is_measured = True
        self._changed()

    def _start_again(self, _: object) -> None:
        self._set(self._exploration.started)
        self._changed()

    def _chosen(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the settings of the widgets, and the faults of the dates."""
        chosen: dict[str, Any] = {
            "grain": self.grain.value,
            "lag_days": "auto" if self._is_measured else self.lag.value,
            "rolling": self.rolling.value,
            "sla": self.sla.value,
            "sla_stops_on": self.stops.value,
            "sla_clock": self.clock.value,
            "within_days": self.within.value.strip() or None,
            "by": [w.value for w in self.by if w.value],
            "where": self.filter.where,
            "period": self.period.value,
        }
        if self._has_work_clock:
            chosen["work_week"] = self.week.value
        if self.period.value != OWN_DATES:
            return chosen, {}
        period, fault = own_period(self.start.value, self.end.value)
        del chosen["period"]
        return ({**chosen, "period": period}, {}) if not fault else (chosen, {"period": fault})

    def _work(self) -> Iterator[None]:
        """Apply the settings, then draw the page part by part."""
        words = self._applied()
        # With invalid settings, the remaining parts of the last valid ones are still drawn.
        for fault in self._parts:
            if fault:
                self._faults["page"].value = alert(fault)
            yield
        self._state.value = status(words)

    def _applied(self) -> str:
        """Compute the report with the settings, or show their faults; return a message."""
        chosen, faults = self._chosen()
        try:
            params, wrong = choose(self._exploration.report.params, chosen)
            faults = {**faults, **wrong} or self._exploration.change(params)
            if not faults:
                self.view = self.efficiency.value
                self._show_numbers()
                self._parts = iter(self._redraw())
        except Exception as error:  # noqa: BLE001 - a traceback would be hidden in a log
            faults = {"period": f"This could not be calculated ({type(error).__name__}: {error})."}
        for name, place in self._faults.items():
            place.value = alert(faults[name]) if name in faults else ""
        self._saved.value = ""
        return LEFT if faults else "Done."

    def _write(self, _: object) -> None:
        folder = params_folder(Path.cwd())
        params = self._exploration.report.params
        try:
            name = self.name.value.strip()
            path = write_params(params, name, source=self._exploration.source, folder=folder)
        except (MqlkitError, OSError) as error:
            self._saved.value = alert(str(error))
            return
        self._saved.value = status(as_written(path, view=self.view))
