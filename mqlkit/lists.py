"""Lists of leads to sort, filter and take along: what they show, and the file with all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mqlkit.leads import LeadTable
from mqlkit.numbers import Numbers
from mqlkit.params import ReportParams
from mqlkit.roster import mql_lines, mql_list
from mqlkit.sentences import Totals, Verdict
from mqlkit.sla import breach_lines, breach_list
from mqlkit.wording import NOTHING, count, counted, moment

# A browser sorts and filters so many without a pause; the file has no bound.
MOST_ROWS = 2_000


@dataclass(frozen=True)
class LeadList:
    """A list of leads.

    Attributes
    ----------
    name
        As the parts of `Memory` and the file are called.
    noun
        One of those listed.
    order
        What stands first.
    find
        Returns the first of them, of ``of`` in all, as a frame.
    lines
        Returns all of them as the file has them; the engine writes it.
    headers
        Columns of that frame, and how they are headed.
    """

    name: str
    noun: str
    order: str
    find: Callable[..., pd.DataFrame]
    lines: Callable[[LeadTable], Any]
    headers: Mapping[str, str]


BREACHES = LeadList(
    name="breaches",
    noun="late lead",
    order="those that waited longest first",
    find=breach_list,
    lines=breach_lines,
    headers={
        "lead_id": "Lead", "owner": "Owner", "source": "Source", "entered": "Entered", "due": "Due",
        "hours_late": "Hours late", "is_open": "Still open",
    },
)  # fmt: skip
MQLS = LeadList(
    name="mqls",
    noun="MQL",
    order="the latest first",
    find=mql_list,
    lines=mql_lines,
    headers={
        "lead_id": "Lead", "owner": "Owner", "source": "Source", "entered": "Entered",
        "decided": "Decided", "decision": "Decision", "became_sql": "Became SQL", "sla": "SLA",
    },
)  # fmt: skip


def judge_breaches(rows: pd.DataFrame, params: ReportParams) -> Verdict | None:
    """Return why a page lists no late lead; None where it lists some."""
    late = Totals(rows).value("sla_breached")
    if not late > 0:
        return Verdict("No MQL of the period is known to have broken the SLA.")
    if not params.redact:
        return None
    return Verdict(
        f"{counted(late, 'MQL')} broke the SLA. A redacted page does not list them: mqlkit run "
        "writes them beside it, into the file that ends in .breaches.csv."
    )


@dataclass(frozen=True)
class Page:
    """What of a list is shown.

    Attributes
    ----------
    title
        How many there are, and how many of them are shown.
    cells
        Text, and numbers to one decimal, under their headings.
    """

    title: str
    cells: pd.DataFrame


def first_page(numbers: Numbers, leads: LeadList) -> Page:
    """Return the first `MOST_ROWS` of a list, worked out once for parameters that matter to it."""
    found = numbers.memory.recall(
        leads.name,
        numbers.params,
        lambda: leads.find(numbers.leads, longest=MOST_ROWS),
        of="list",
    )
    n = int(found["of"].iloc[0]) if len(found) else 0
    return Page(_title(leads, n), _cells(found, leads))


def _title(leads: LeadList, n: int) -> str:
    if not n:
        return f"No {leads.noun}s"
    nouns = f"{count(n)} {leads.noun}{'' if n == 1 else 's'}"
    if n <= MOST_ROWS:
        return f"{nouns}, {leads.order}"
    return (
        f"{nouns}, {leads.order}: {count(MOST_ROWS)} of them are here to sort and filter, "
        "all of them are in the CSV file"
    )


def _cells(found: pd.DataFrame, leads: LeadList) -> pd.DataFrame:
    shown: dict[str, Any] = {}
    for column, header in leads.headers.items():
        cells = found[column]
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            shown[header] = [NOTHING if pd.isna(t) else moment(t) for t in cells]
        elif cells.dtype == bool:
            shown[header] = ["yes" if is_so else "no" for is_so in cells]
        elif cells.dtype == float:
            shown[header] = cells.round(1)
        else:
            shown[header] = cells.fillna(NOTHING)
    return pd.DataFrame(shown)


def write_list(numbers: Numbers, leads: LeadList, *, folder: Path) -> Path:
    """Write all leads of a list as a CSV file and return its path.

    Their number does not matter: the engine writes them, and memory stays as it is. A file of an
    earlier choice is replaced when the new one is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{numbers.params.report}.{leads.name}.csv"
    part = path.with_suffix(".part")
    leads.lines(numbers.leads).to_csv(part)
    return part.replace(path)
