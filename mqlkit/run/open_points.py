"""Everything that is open in a draft, in the order in which it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from mqlkit.core.terminal import cut
from mqlkit.run.column_prompts import late_mql, needed_columns, optional_columns
from mqlkit.run.draft import Draft
from mqlkit.run.prompts import DECIDES, TABLE, Choice, Prompt
from mqlkit.run.value_prompts import (
    asked_by_reader,
    assumed_zone,
    delimiter,
    unmapped_stage_values,
)
from mqlkit.sources.inspect import TableReport


def open_prompts(draft: Draft, *, zone: str) -> list[Prompt]:
    """Return what is open in a draft, in the order in which it is asked.

    Parameters
    ----------
    draft
        The source so far, with what was found in its files.
    zone
        The zone of this computer, the likeliest one of times without an offset.
    """
    found = [*_tables(draft)]
    for look in draft.looks:
        found += _of_table(draft, look, zone)
    is_open = [p for p in found if not draft.is_settled(p.place, p.key)]
    return sorted(is_open or [*late_mql(draft)], key=lambda prompt: prompt.level)


def _of_table(draft: Draft, look: TableReport, zone: str) -> Iterator[Prompt]:
    yield from delimiter(look)
    yield from needed_columns(draft, look)
    yield from optional_columns(draft, look)
    for question in (q for q in look.questions if q.is_blocking):
        yield from asked_by_reader(draft, look, question, zone)
    yield from assumed_zone(draft, look, zone)
    yield from unmapped_stage_values(draft, look)


def _tables(draft: Draft) -> Iterator[Prompt]:
    for export in (export for export in draft.unknown if not export.is_rates):
        place = str(export.path)
        tables = draft.tables_for(export)
        choices = [Choice(table, {"table": table}, words) for table, words in tables]
        yield Prompt(
            place,
            "table",
            TABLE,
            f"{export.path.name}: which table is it?",
            DECIDES["table"],
            tuple(cut(header, 30) for header in export.header[:6]),
            tuple(choices),
        )
