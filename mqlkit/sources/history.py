"""The stage changes of a source, one row per event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis.expr.types as ir

from mqlkit.core.names import STAGES
from mqlkit.sources.cells import has_time, timestamp
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import ORDER, Values
from mqlkit.sources.staging import COUNTS, Cells, Reader, Typing
from mqlkit.sources.table import Read, read_table

if TYPE_CHECKING:
    pass


def read_history(reader: Reader, spec: TableSpec) -> Read:
    """Return a log of stage changes as read, row by row.

    A value means what source.yaml says; where that says nothing, what the format does, or the
    stage of that name.
    """

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        text = cells["stage"] if spec.stage is None else values.bind(spec.stage)
        return {
            "lead_id": cells["lead_id"],
            "at": timestamp(
                cells["at"], how.date("at"), values, zone=how.zone, day_zone=reader.day_zone
            ),
            "stage": f"CASE WHEN {cells[COUNTS]} THEN {_stage(text, spec, how, values)} END",
            "stage_text": text,
            "counts": cells[COUNTS],
            "at_timed": has_time(cells["at"], how.date("at")),
        }

    def faults(cells: Cells) -> list[tuple[str, str]]:
        return [("no_id", f"{cells['lead_id']} IS NULL"), ("bad_date", '"at" IS NULL')]

    typing = Typing(
        columns=["lead_id", "at", "stage"],
        needed=["lead_id", "at"] if spec.stage else ["lead_id", "at", "stage"],
        kinds=Kinds(["at"]),
        typed=typed,
        faults=faults,
        has_date='"at" IS NOT NULL',
        timestamps=["at"],
    )
    read = read_table(reader, spec, typing)
    read.table = read.table.drop(ORDER)
    return read


def _stage(text: str, spec: TableSpec, how: Readings, values: Values) -> str:
    """Return the stage that a value means; NULL where no mapping has it."""
    if spec.stage:
        return values.bind(spec.stage)
    stages = spec.stages or how.stages or {stage: (stage,) for stage in STAGES}
    known = " ".join(
        f"WHEN {values.bind(value.lower())} THEN {values.bind(stage)}"
        for stage, found in stages.items()
        for value in found
    )
    return f"CASE lower({text}) {known} END"


def has_stage(events: ir.Table, stage: str) -> bool:
    """Return whether any event is of a stage."""
    return bool(events.filter(events["stage"] == stage).count().to_pyarrow().as_py())


def note_stages(events: ir.Table, ledger: Ledger) -> None:
    """Note how often each stage value occurs that no mapping names."""
    unknown = events.filter(events["stage"].isnull() & events["counts"])
    counts = unknown.group_by("stage_text").aggregate(n=unknown.count()).order_by("stage_text")
    for row in counts.to_pyarrow().to_pylist():
        ledger.noted[f"stage not mapped: {row['stage_text'] or '(empty)'}"] = row["n"]
    if others := int((~events["counts"]).sum().to_pyarrow().as_py() or 0):
        ledger.noted["rows of another kind"] = others
