"""The filter of the control panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from mqlkit.core.names import MISSING, PICK_MARK, WORD_JOINER
from mqlkit.lab.widgets import SuppressEvents, button, dropdown, hidden_input, row, several, status

NOTHING = ""
HINT = '<p class="mk-hint">or click one in a chart</p>'


class Filter:
    """The columns and values that select leads.

    Parameters
    ----------
    values
        The columns to filter by, with their values.
    changed
        Called when the filter has changed.

    Attributes
    ----------
    where
        The selected values by column, as in the parameter ``where``.
    row
        The widgets.
    target
        CSS selector of the input element that a click on a chart sets; see `with_selection`.
    """

    def __init__(self, values: Mapping[str, Sequence[str]], *, changed: Callable[[], None]) -> None:
        self.where: dict[str, list[str]] = {}
        self._values, self._changed = values, changed
        self._quiet = SuppressEvents()
        columns = {column: column for column in values} or {"–": NOTHING}
        self.column = dropdown("Only leads whose", columns)
        self.kept = several("is", "Ctrl or Shift selects several; none keeps all leads")
        self.every = button("Keep all leads", "Clear all filters")
        self._picked = self._made_target()
        self._hint = widgets.HTML(HINT)
        self.row = row(self.column, self.kept, self.every, self._hint, self._picked)
        self._show_values()
        self.column.observe(self._columned, "value")
        self.kept.observe(self._kept, "value")
        self.every.on_click(self._keep_all)
        self._picked.observe(self._clicked, "value")

    def _made_target(self) -> widgets.Text:
        """Return the input element that clicks on charts set."""
        picked = hidden_input("Selected in a chart", "mk-picked")
        # Another notebook in the same window has one too.
        name = f"mk-input-{picked.model_id}"
        picked.add_class(name)
        self.target = f".{name} input"
        return picked

    def show(self, where: Mapping[str, Sequence[str]]) -> None:
        """Show other selected values."""
        self.where = {column: list(kept) for column, kept in where.items()}
        with self._quiet:
            if self.where:
                self.column.value = next(iter(self.where))
            self._show_values()

    def pick(self, column: str, value: str) -> None:
        """Select only one value of a column, or clear the column if that was the selection."""
        where = {name: kept for name, kept in self.where.items() if name != column}
        is_alone = self.where.get(column) == [value]
        self.where = where if is_alone else {**where, column: [value]}
        with self._quiet:
            self.column.value = column
            self._show_values()
        self._changed()

    def _offer(self, column: str, group: str) -> None:
        """Show the values of a column after a click on several segments combined as one."""
        with self._quiet:
            self.column.value = column
            self._show_values()
        self._hint.value = status(f"“{group}” is several values of {column}: choose from the list")

    def _show_values(self) -> None:
        """Show the values of the column to filter by, with the selected ones marked."""
        self._hint.value = HINT
        # Missing values come last.
        values = self._values.get(self.column.value, ())
        self.kept.options = sorted(values, key=MISSING.__eq__)
        self.kept.value = tuple(self.where.get(self.column.value, ()))

    def _columned(self, _: object) -> None:
        if not self._quiet:
            with self._quiet:
                self._show_values()

    def _kept(self, change: dict[str, Any]) -> None:
        if not self._quiet:
            self._hint.value = HINT
            self.where.pop(self.column.value, None)
            if change["new"]:
                self.where[self.column.value] = list(change["new"])
            self._changed()

    def _keep_all(self, _: object) -> None:
        self.show({})
        self._changed()

    def _clicked(self, change: dict[str, Any]) -> None:
        column, _, value = change["new"].partition(PICK_MARK)
        value = value.removesuffix(WORD_JOINER)
        values = self._values.get(column, ())
        if value in values:
            self.pick(column, value)
        elif values:
            self._offer(column, value)
        # An empty input makes the next click a change, even on the same mark.
        self._picked.value = ""
