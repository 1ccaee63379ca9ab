"""The stage changes of a source, one row per event."""

from __future__ import annotations

from collections.abc import Sequence

from mqlkit.core.names import HISTORY_STAGES, IGNORE
from mqlkit.core.text import visible
from mqlkit.sources.cells import timestamp
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.merged_records import IDS, find_merged
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import Values, literal
from mqlkit.sources.staging import COUNTS, Cells, Typing
from mqlkit.sources.table import Read, read_table

NOT_MAPPED = "stage not mapped"
BY_NAME = {stage: (stage,) for stage in HISTORY_STAGES}


def read_history(reader: Reader, spec: TableSpec) -> Read:
    """Return a log of stage changes as read, row by row.

    A value means what source.yaml says; where that says nothing, what the format does, or the
    stage of that name.
    """

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        text = cells["stage"] if spec.stage is None else values.bind(spec.stage)
        return {
            "lead_id": cells["lead_id"],
            "at": timestamp(cells["at"], how.date("at"), values),
            "stage": f"CASE WHEN {cells[COUNTS]} THEN {_stage(text, spec, how, values)} END",
            "stage_text": text,
            "counts": cells[COUNTS],
            IDS: cells[IDS],
        }

    def faults(cells: Cells) -> list[tuple[str, str]]:
        return [("no_id", f"{cells['lead_id']} IS NULL"), ("bad_date", '"at" IS NULL')]

    typing = Typing(
        columns=["lead_id", "at", "stage", IDS],
        needed=["lead_id", "at"] if spec.stage else ["lead_id", "at", "stage"],
        kinds=Kinds(["at"]),
        typed=typed,
        faults=faults,
        has_date='"at" IS NOT NULL',
        timestamps=["at"],
        may_be_total=lambda cells: f"{cells['lead_id']} IS NULL",
    )
    read = read_table(reader, spec, typing)
    find_merged(reader, read.table, {IDS: IDS})
    return read


def _stage(text: str, spec: TableSpec, how: Readings, values: Values) -> str:
    """Return the stage that a value means; NULL where no mapping has it."""
    if spec.stage:
        return values.bind(spec.stage)
    stages = {**spec.stages}
    if not {*stages} - {IGNORE}:
        # Values to ignore say nothing about the others.
        stages |= how.stages or BY_NAME
    known = " ".join(
        f"WHEN {values.bind(visible(value).lower())} THEN {values.bind(stage)}"
        for stage, found in stages.items()
        for value in found
    )
    return f"CASE lower({text}) {known} END"


def event_rows(tables: Sequence[str]) -> str:
    """Return the query for the events of several tables read."""
    return " UNION ALL ".join(
        f'SELECT lead_id, "at", stage, at_zone, stage_text, counts FROM {table}'  # noqa: S608
        for table in tables
    )


def has_stage(reader: Reader, events: str, stage: str) -> bool:
    """Return whether any event is of a stage."""
    return reader.count(f"{events} WHERE stage = {literal(stage)}") > 0


def note_stages(reader: Reader, events: str, ledger: Ledger) -> None:
    """Note how often each stage value occurs that no mapping names."""
    query = f"""
        SELECT stage_text, count(*) FROM {events} WHERE stage IS NULL AND counts
        GROUP BY stage_text ORDER BY stage_text
    """  # noqa: S608
    for text, n in reader.rows(query, Values()):
        ledger.noted[f"{NOT_MAPPED}: {text or '(empty)'}"] = n
    if others := reader.count(f"{events} WHERE NOT counts"):
        ledger.noted["rows of another kind"] = others
