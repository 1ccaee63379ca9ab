"""The filter of the control panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from mqlkit.core.names import MISSING, PICK_MARK
from mqlkit.lab.widgets import Quiet, button, dropdown, ear, row, said, several

NOTHING = ""
HINT = '<p class="mk-hint">or click one in a chart</p>'


class Filter:
    """Which leads to keep.

    Parameters
    ----------
    values
        The columns to filter by, with their values.
    changed
        Called when somebody has chosen otherwise.

    Attributes
    ----------
    where
        The values kept, by column; as the parameter of that name.
    row
        The widgets.
    ear
        CSS selector of the input element that charts tell of a click; see `charts.picking`.
    """

    def __init__(self, values: Mapping[str, Sequence[str]], *, changed: Callable[[], None]) -> None:
        self.where: dict[str, list[str]] = {}
        self._values, self._changed = values, changed
        self._quiet = Quiet()
        columns = {column: column for column in values} or {"–": NOTHING}
        self.column = dropdown("Only leads whose", columns)
        self.kept = several("is", "Ctrl or Shift adds to the choice; none keeps all leads")
        self.every = button("Keep all leads", "Clear all filters")
        self._picked = self._made_ear()
        self._hint = widgets.HTML(HINT)
        self.row = row(self.column, self.kept, self.every, self._hint, self._picked)
        self._show_values()
        self.column.observe(self._columned, "value")
        self.kept.observe(self._kept, "value")
        self.every.on_click(self._keep_all)
        self._picked.observe(self._clicked, "value")

    def _made_ear(self) -> widgets.Text:
        """Return the element that hears of clicks."""
        picked = ear("Picked in a chart", "mk-picked")
        # Another notebook in the same window has one too.
        name = f"mk-ear-{picked.model_id}"
        picked.add_class(name)
        self.ear = f".{name} input"
        return picked

    def show(self, where: Mapping[str, Sequence[str]]) -> None:
        """Show other values kept."""
        self.where = {column: list(kept) for column, kept in where.items()}
        with self._quiet:
            if self.where:
                self.column.value = next(iter(self.where))
            self._show_values()

    def pick(self, column: str, value: str) -> None:
        """Keep one value of a column alone; all of them where it was alone already."""
        where = {name: kept for name, kept in self.where.items() if name != column}
        is_alone = self.where.get(column) == [value]
        self.where = where if is_alone else {**where, column: [value]}
        with self._quiet:
            self.column.value = column
            self._show_values()
        self._changed()

    def _offer(self, column: str, group: str) -> None:
        """Say why a click on several segments drawn as one keeps none, and offer the values."""
        with self._quiet:
            self.column.value = column
            self._show_values()
        self._hint.value = said(f"“{group}” is several values of {column}: choose them in the list")

    def _show_values(self) -> None:
        """Offer the values of the column to filter by, with those kept marked."""
        self._hint.value = HINT
        # Who chooses looks for a value first, and only then for none.
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
        values = self._values.get(column, ())
        if value in values:
            self.pick(column, value)
        elif values:
            self._offer(column, value)
        # The next click is heard, whichever it is.
        self._picked.value = ""
