"""A list of leads to sort, filter and download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as widgets
import pandas as pd
from itables.widget import ITable

from mqlkit.core.text import NOTHING, count, moment
from mqlkit.lab.widgets import alert, button, close, message, status
from mqlkit.leads.cache import CLOCK, COHORT, DATA, SLA
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.lead_lists import IS_DATE, breach_lines, breach_list, mql_lines, mql_list
from mqlkit.metrics.report import Report
from mqlkit.sources.store import EngineError, write_for_excel

# A browser sorts and filters this many without a pause; the CSV file has no limit.
MOST_ROWS = 2_000


@dataclass(frozen=True)
class LeadList:
    """A list of leads.

    Attributes
    ----------
    name
        Its name in the `ResultCache` and in the file name.
    noun, nouns
        What it lists, singular and plural.
    order
        Its order, in words.
    find
        Returns the first rows as a frame, with the total number as column ``of``.
    lines
        Returns all rows for the file, which the engine writes.
    headers
        Columns of that frame, with their headings.
    """

    name: str
    noun: str
    nouns: str
    order: str
    find: Callable[..., pd.DataFrame]
    lines: Callable[[LeadTable], Any]
    headers: Mapping[str, str]


BREACHES = LeadList(
    name="breaches",
    noun="SLA breach",
    nouns="SLA breaches",
    order="longest first",
    find=breach_list,
    lines=breach_lines,
    headers={
        "lead_id": "Lead", "owner": "Owner", "source": "Source", "entered": "Entered", "due": "Due",
        "hours_late": "Hours overdue", "is_open": "Open",
    },
)  # fmt: skip
MQLS = LeadList(
    name="mqls",
    noun="MQL",
    nouns="MQLs",
    order="latest first",
    find=mql_list,
    lines=mql_lines,
    headers={
        "lead_id": "Lead", "owner": "Owner", "source": "Source", "entered": "Entered",
        "decided": "Decided", "decision": "Decision", "became_sql": "Became SQL", "sla": "SLA",
    },
)  # fmt: skip


LISTS = {leads.name: leads for leads in (BREACHES, MQLS)}


@dataclass(frozen=True)
class Page:
    """The visible part of a list.

    Attributes
    ----------
    title
        The total number, and how many are shown.
    cells
        Text, and numbers with one decimal place, by heading.
    """

    title: str
    cells: pd.DataFrame


def first_page(report: Report, leads: LeadList) -> Page:
    """Return the first `MOST_ROWS` rows of a list, cached by the parameters it depends on."""
    found = report.lead_data.cache.get(
        f"list of {leads.name}",
        report.params,
        lambda: leads.find(report.lead_data, longest=MOST_ROWS),
        depends_on=[*DATA, *COHORT, *CLOCK, *SLA],
        of=MOST_ROWS,
    )
    n = int(found["of"].iloc[0]) if len(found) else 0
    return Page(_title(leads, n), _cells(found, leads))


def _title(leads: LeadList, n: int) -> str:
    if not n:
        return f"No {leads.nouns}"
    counted = f"{count(n)} {leads.noun if n == 1 else leads.nouns}"
    if n <= MOST_ROWS:
        return f"{counted}, {leads.order}"
    return f"{counted}, {leads.order}: the first {count(MOST_ROWS)}; the CSV file has all of them"


def _cells(found: pd.DataFrame, leads: LeadList) -> pd.DataFrame:
    shown: dict[str, Any] = {}
    for column, header in leads.headers.items():
        cells = found[column]
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            dates = found[f"{IS_DATE}{column}"]
            shown[header] = [
                NOTHING if pd.isna(at) else moment(at, is_date=is_date)
                for at, is_date in zip(cells, dates, strict=True)
            ]
        elif cells.dtype == bool:
            shown[header] = ["yes" if is_so else "no" for is_so in cells]
        elif cells.dtype == float:
            shown[header] = cells.round(1)
        else:
            shown[header] = cells.fillna(NOTHING)
    return pd.DataFrame(shown)


def write_list(report: Report, leads: LeadList, *, folder: Path) -> Path:
    """Write all leads of a list to a CSV file and return its path.

    The engine writes the file, so memory does not grow with the number of leads. An existing file
    is replaced once the new one is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.params.report}.{leads.name}.csv"
    part = path.with_suffix(".part")
    write_for_excel(leads.lines(report.lead_data), part)
    return part.replace(path)


FOLDER = "lists"
LOOK: dict[str, Any] = {
    "classes": "compact stripe",
    "style": "table-layout:auto;width:100%;margin:0",
    "lengthMenu": [10, 25, 100],
    "layout": {
        "topStart": "pageLength", "topEnd": "search", "bottomStart": "info", "bottomEnd": "paging",
    },
    # Filter a column by text or by values.
    "columnControl": ["order", ["search", "spacer", "searchList"]],
    "ordering": {"indicators": False},
    "showIndex": False,
    # The number of rows is limited already.
    "maxBytes": 0,
    "allow_html": False,
}  # fmt: skip


class ListBox:
    """A list of leads that follows the panel.

    Parameters
    ----------
    leads
        The list.
    report
        Returns the report with the current settings.

    Attributes
    ----------
    box
        The widget to display.
    is_late
        A list is drawn after charts and verdicts.
    """

    is_late = True

    def __init__(self, leads: LeadList, report: Callable[[], Report]) -> None:
        self._leads, self._report = leads, report
        self._title, self._state = message(), widgets.Output()
        page = first_page(report(), leads)
        self._table = ITable(page.cells, **LOOK)
        self._page = page
        self.save = button(
            f"All {leads.nouns} as CSV", "Write all of them to a file, and get a link to it"
        )
        self.save.on_click(self._write)
        self._title.value = self._words(page)
        self._foot = widgets.HBox([self.save, self._state])
        self.box = widgets.VBox([self._title, self._table, self._foot])
        self.box.add_class("mk-list")

    def follow(self, report: Report) -> None:
        """Show the list of another report; the browser is updated only if it differs."""
        self._show(first_page(report, self._leads))

    def fit(self, width: int) -> None:
        """Do nothing: the page sets the width of tables."""

    def fail(self, fault: str) -> None:
        """Show a fault in place of the list."""
        self._show(Page(fault, self._page.cells.head(0)))

    def leave(self, words: str) -> None:
        """Show a text or nothing in place of the list, which no longer follows the panel."""
        self._title.value = status(words) if words else ""
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
        self._say(status("Writing …"))
        try:
            path = write_list(self._report(), self._leads, folder=Path.cwd() / FOLDER)
        except (OSError, EngineError) as error:
            self._say(alert(f"The file could not be written: {error}"))
            return
        link = f'<a href="{quote(f"{FOLDER}/{path.name}")}" download>{escape(path.name)}</a>'
        self._say(f'<p class="mk-state" role="status">Written: {link}</p>')

    def _say(self, text: str) -> None:
        data = {"text/html": text}
        self._state.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
