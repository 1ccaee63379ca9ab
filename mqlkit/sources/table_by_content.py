"""Which table an export of no known format is, by what its columns hold."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from mqlkit.core.names import IGNORE
from mqlkit.sources.candidates import TELLING, UnreadColumn, name_score, unread_columns
from mqlkit.sources.files import Export
from mqlkit.sources.ledger import open_text
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.stage_values import likely_stage
from mqlkit.sources.wide import month_of

# Whose id a lead id is. That of a customer, or an id alone, may be that of an advertiser too.
LEAD = (
    r"lead|contact|prospect|record|person|mql|kontakt|interessent|datensatz|piste|contatto|e-?mail"
)
CUSTOMER = r"customer|client|deal|kunde|klient|opportunit"
ID_WORD = r"\b(id|nr|no|key|uuid|guid|kennung|nummer|number)\b|id$|e-?mail"
OTHER_IDS = re.compile(
    r"campaign|account|keyword|group|\bads?\b|invoice|order|kampagne|transaction"
)
# An amount as written: with cents or a sign of a currency.
MONEY = re.compile(r"\d[.,]\d\d\b(?!\d)|[€$£¥]")
ROWS = 5_000
# A log has at least this share of rows of an id that occurs again, with another stage.
REPEATED = 0.25
# Of the values of a column of stages, this share at least sounds like one.
SOUNDING = 0.5
MOST_STAGES = 40


@dataclass(frozen=True)
class Content:
    """An export with what its columns hold."""

    export: Export
    columns: Sequence[UnreadColumn]

    def of(self, *kinds: str) -> list[UnreadColumn]:
        """Return the columns of some kinds."""
        return [column for column in self.columns if column.kind in kinds]


def content_of(reader: Reader, export: Export, spec: TableSpec) -> Content:
    """Return what all columns of an export hold, those of a known name too."""
    bare = replace(export, recognized=replace(export.recognized, columns={}))
    return Content(export, list(unread_columns(reader, [bare], spec)))


def table_by_content(content: Content) -> str:
    """Return the table that an export is; empty text where nothing tells.

    An id that repeats with a stage and a date is a history, any other id of a person the leads.
    Without one, a date and an amount are spend, and a month and a number are goals.
    """
    dates = content.of("date")
    numbers = [c for c in content.of("number") if not re.search(ID_WORD, _words(c.header))]
    ids = [column for column in content.of("text", "number") if _is_id(column.header)]
    if dates and any(is_log(content, column.header) for column in ids):
        return "history"
    amounts = [c for c in numbers if name_score(c.header, "amount") >= TELLING]
    if dates and amounts and not any(column.is_distinct or _is_lead(column) for column in ids):
        return "spend"
    if ids or any("@" in cell for column in content.of("text") for cell in column.examples):
        return "leads"
    months = [column for column in content.columns if _holds_months(column)]
    if months and numbers:
        return "goals"
    is_log_of_others = any(is_log(content, c.header) for c in content.of("text", "number"))
    if dates and is_log_of_others:
        return "history"
    is_money = len(numbers) == 1 and any(map(MONEY.search, numbers[0].examples))
    return "spend" if dates and is_money else ""


def _words(header: str) -> str:
    return re.sub(r"[_-]|(?<=[a-z])(?=[A-Z])", " ", header).casefold().strip()


def _is_id(header: str) -> bool:
    name = _words(header)
    is_id = bool(re.search(ID_WORD, name)) and not OTHER_IDS.search(name)
    return is_id and bool(re.search(f"{LEAD}|{CUSTOMER}", name) or re.fullmatch(ID_WORD, name))


def _is_lead(column: UnreadColumn) -> bool:
    return bool(re.search(LEAD, _words(column.header)))


def _holds_months(column: UnreadColumn) -> bool:
    """Return whether the values are months, or days below a header that says month."""
    found = [month_of(text) for text in column.examples]
    is_named = name_score(column.header, "month") >= TELLING and column.kind == "date"
    return bool(found) and (all(month and month[0] for month in found) or is_named)


def is_log(content: Content, of_id: str) -> bool:
    """Return whether rows of the same id have different stages in some other column."""
    stages = [
        c.header for c in content.of("text") if c.header != of_id and _holds_stages(content, c)
    ]
    for stage in stages:
        seen: dict[str, list[str]] = defaultdict(list)
        for id_, value in _cells(content.export, of_id, stage):
            if id_:
                seen[id_].append(value)
        moved = [values for values in seen.values() if len({*values}) > 1]
        rows = sum(map(len, seen.values()))
        if rows and sum(map(len, moved)) >= REPEATED * rows and len(seen) > 1:
            return True
    return False


def _holds_stages(content: Content, column: UnreadColumn) -> bool:
    values = {value for (value,) in _cells(content.export, column.header) if value}
    if not 0 < len(values) <= MOST_STAGES:
        return False
    sounding = sum(likely_stage(value) != IGNORE for value in values)
    return sounding >= SOUNDING * len(values) or (
        sounding > 0 and name_score(column.header, "stage") >= TELLING
    )


def _cells(export: Export, *headers: str) -> Iterator[tuple[str, ...]]:
    """Yield the first cells of some columns, row by row."""
    places = [export.header.index(header) for header in headers]
    with open_text(export.text_path) as handle:
        rows = csv.reader(handle, delimiter=export.delimiter)
        for row in islice(rows, 1, ROWS):
            if len(row) == len(export.header):
                yield tuple(row[place].strip() for place in places)
