"""A list of leads in JupyterLab: a table to sort and filter, and a button for the file."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as widgets
from itables.widget import ITable

from mqlkit.engine import EngineError
from mqlkit.labelled import alert, button, close, message, said
from mqlkit.lists import LeadList, Page, first_page, write_list
from mqlkit.numbers import Numbers

FOLDER = "lists"
LOOK: dict[str, Any] = {
    "classes": "compact stripe",
    "style": "table-layout:auto;width:100%;margin:0",
    "lengthMenu": [10, 25, 100],
    "layout": {
        "topStart": "pageLength", "topEnd": "search", "bottomStart": "info", "bottomEnd": "paging",
    },
    # Each column by a part of its text, or by the values it has.
    "columnControl": ["order", ["search", "spacer", "searchList"]],
    "ordering": {"indicators": False},
    "showIndex": False,
    # The list is bounded before it comes here.
    "maxBytes": 0,
    "allow_html": False,
}  # fmt: skip


class ListBox:
    """A list of leads that follows the panel.

    Parameters
    ----------
    leads
        The list.
    numbers
        Returns the numbers of the choice in force.

    Attributes
    ----------
    box
        The widget, to be displayed.
    is_late
        A list is drawn after charts and sentences.
    """

    is_late = True

    def __init__(self, leads: LeadList, numbers: Callable[[], Numbers]) -> None:
        self._leads, self._numbers = leads, numbers
        self._title, self._state = message(), widgets.Output()
        page = first_page(numbers(), leads)
        self._table = ITable(page.cells, **LOOK)
        self._page = page
        self.save = button(
            f"All {leads.noun}s as CSV", "Write all of them into a file, and get a link to it"
        )
        self.save.on_click(self._write)
        self._title.value = self._words(page)
        self._foot = widgets.HBox([self.save, self._state])
        self.box = widgets.VBox([self._title, self._table, self._foot])
        self.box.add_class("mk-list")

    def follow(self, numbers: Numbers) -> None:
        """Show it for other numbers; the browser hears of it only where it differs."""
        self._show(first_page(numbers, self._leads))

    def fit(self, width: int) -> None:
        """Leave its width to the page, which sets tables by itself."""

    def fail(self, fault: str) -> None:
        """Show what is wrong with it, in its place."""
        self._show(Page(fault, self._page.cells.head(0)))

    def leave(self, words: str) -> None:
        """Show words in its place, or nothing; it follows nothing any more."""
        self._title.value = said(words) if words else ""
        self.box.children = (self._title,)
        for widget in (self._table, self._foot):
            close(widget)

    def _show(self, page: Page) -> None:
        self._state.outputs = ()
        if page.title != self._page.title:
            self._title.value = self._words(page)
        if not page.cells.equals(self._page.cells):
            self._table.update(page.cells)
        self._page = page

    @staticmethod
    def _words(page: Page) -> str:
        return f'<p class="mk-note">{escape(page.title)}</p>'

    def _write(self, _: object) -> None:
        self._say(said("Writing …"))
        try:
            path = write_list(self._numbers(), self._leads, folder=Path.cwd() / FOLDER)
        except (OSError, EngineError) as error:
            self._say(alert(f"The file could not be written: {error}"))
            return
        link = f'<a href="{quote(f"{FOLDER}/{path.name}")}" download>{escape(path.name)}</a>'
        self._say(f'<p class="mk-state" role="status">Written: {link}</p>')

    def _say(self, text: str) -> None:
        data = {"text/html": text}
        self._state.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
