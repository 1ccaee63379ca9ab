"""All tables of a ``source.yaml``: leads, stage events, spend and goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.errors import ParamsError, SourceError, report, unknown_name
from mqlkit.core.names import LEAD_COLUMNS, STAGES, STAMPS, TEXT_COLUMNS
from mqlkit.sources.cells import all_of, any_of, has_time, money, stamp
from mqlkit.sources.decisions import Kinds, Readings
from mqlkit.sources.goals import read_goals
from mqlkit.sources.ids import of_one_length, with_ids_of
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.oddities import UNLIKELY_ID
from mqlkit.sources.plain import read_plain_leads
from mqlkit.sources.reading import Read, known_columns, open_exports, read_table
from mqlkit.sources.spec import SourceSpec, TableSpec
from mqlkit.sources.spend import read_spend
from mqlkit.sources.staging import COUNTS, Cells, Reader, Typing
from mqlkit.sources.store import local_date
from mqlkit.sources.wanted import Wanted

if TYPE_CHECKING:
    from mqlkit.sources.files import Export


@dataclass
class Tables:
    """Everything a report is made from, typed, with its ledgers.

    Attributes
    ----------
    leads
        One row per lead: ``lead_id``, the seven stamps (naive UTC), each with ``{stamp}_timed``
        (whether it has a time of day), ``amount``, the text columns and those asked for.
    events
        Stage changes ``lead_id, stage, at, at_timed``, or None without a history.
    spend
        ``date_from, date_to, channel, amount``, one row per range and channel, both ends included.
    goals
        ``month, source, mqls``; a missing source is ``""``.
    shelf
        Where reports on the same tables leave each other what they have worked out.
    """

    leads: ir.Table
    events: ir.Table | None
    spend: pd.DataFrame | None
    goals: pd.DataFrame | None
    currency: str | None
    columns: list[str]
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    exports: list[tuple[Export, TableSpec, int]] = field(default_factory=list)
    shelf: Path | None = None


def load(
    reader: Reader,
    source: SourceSpec,
    *,
    extras: Sequence[str],
    is_all_wanted: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Tables:
    """Read every table that ``source.yaml`` names.

    Parameters
    ----------
    reader, source
        The engine and the description of the files.
    extras
        Lead columns wanted beside the canonical ones, for breakdowns and filters.
    is_all_wanted
        Whether every other column that there is comes along.
    tell
        Is told what is being read.

    Raises
    ------
    SourceError
        When a file cannot be used; see `read_table`.
    ParamsError
        When an extra column is in no file.
    """
    ledgers: dict[str, Ledger] = {}
    exports: list[tuple[Export, TableSpec, int]] = []

    def keep(read: Read, spec: TableSpec) -> Read:
        known = ledgers.get(spec.table)
        ledgers[spec.table] = _added(known, read.ledger) if known else read.ledger
        exports.extend((e, spec, n) for e, n in zip(read.exports, read.rows, strict=True))
        return read

    events = None
    if source.history:
        tell("Reading the stage history")
        pieces = [(keep(read_history(reader, spec), spec), spec) for spec in source.history]
        events = reader.store(reduce(lambda a, b: a.union(b), [p.table for p, _ in pieces]))
        _note_stages(events, ledgers["history"])
    has_mql = events is not None and _has_stage(events, "mql")
    if source.leads:
        tell("Reading the leads")
        wanted = Wanted(extras, is_all=is_all_wanted)
        leads, columns = _read_leads(reader, source.leads, wanted, keep, has_mql=has_mql)
        if events is not None:
            events = reader.store(with_ids_of(leads, events, ledgers["history"]))
    else:
        leads, columns = _leads_of(events, ledgers), list(LEAD_COLUMNS)
    unknown = [c for c in extras if c not in leads.columns]
    if unknown:
        raise ParamsError(
            "\n".join(unknown_name("by/where", "column", c, columns) for c in unknown)
        )
    spend = goals = currency = None
    if source.spend:
        tell("Reading the spend")
        read, spend, currency = read_spend(reader, source.spend)
        keep(read, source.spend)
    if source.goals:
        read, goals = read_goals(reader, source.goals)
        keep(read, source.goals)
    return Tables(
        leads=leads,
        events=None if events is None else events.filter(events["stage"].notnull()),
        spend=spend,
        goals=goals,
        currency=currency,
        columns=columns,
        ledgers=ledgers,
        exports=exports,
    )


def _added(a: Ledger, b: Ledger) -> Ledger:
    return Ledger(a.read + b.read, a.set_aside + b.set_aside, a.noted + b.noted, a.rows + b.rows)


def read_leads(
    reader: Reader,
    spec: TableSpec,
    extras: Sequence[str],
    *,
    has_mql: bool,
    exports: list[Export] | None = None,
) -> Read:
    """Return the leads as read, row by row; ``mql_at`` may be missing where ``has_mql``."""
    others = [c for c in extras if c not in LEAD_COLUMNS]
    texts = [*TEXT_COLUMNS, *others]

    def typed(cells: Cells, how: Readings) -> dict[str, ir.Value]:
        read_stamp = partial(stamp, zone=how.zone, day_zone=reader.day_zone)
        stamps = {s: read_stamp(cells[s], how.date(s)) for s in STAMPS}
        times = {f"{s}_timed": has_time(cells[s], how.date(s)) for s in STAMPS}
        amount = {"amount": money(cells["amount"], how.number("amount"))}
        return {"lead_id": cells["lead_id"], **stamps, **times, **amount} | {
            t: cells[t] for t in texts
        }

    def faults(cells: Cells, values: ir.Table) -> list[tuple[str, ir.BooleanValue]]:
        bad = [cells[s].notnull() & values[s].isnull() for s in STAMPS]
        bad_amount = cells["amount"].notnull() & values["amount"].isnull()
        return [
            ("no_id", cells["lead_id"].isnull()),
            ("bad_date", any_of(bad)),
            ("bad_amount", bad_amount),
        ]

    def has_date(values: ir.Table) -> ir.BooleanValue:
        return any_of([values[s].notnull() for s in STAMPS])

    def is_odd(cells: Cells, _: ir.Table) -> ir.BooleanValue:
        # A total or a footer fills the first column alone, which may be that of the id.
        return all_of([cells[s].isnull() for s in STAMPS]) & cells["lead_id"].re_search(UNLIKELY_ID)

    columns = [*LEAD_COLUMNS, *others]
    typing = Typing(
        columns=columns,
        needed=["lead_id"] if has_mql else ["lead_id", "mql_at"],
        kinds=Kinds(STAMPS, ["amount"]),
        typed=typed,
        faults=faults,
        has_date=has_date,
        is_odd=is_odd,
        read_plain=partial(read_plain_leads, columns=columns),
    )
    return read_table(reader, spec, typing, key="lead_id", exports=exports)


def _read_leads(
    reader: Reader, spec: TableSpec, wanted: Wanted, keep: Any, *, has_mql: bool
) -> tuple[ir.Table, list[str]]:
    exports = open_exports(reader, spec)
    columns = known_columns(exports)
    others = wanted.of(columns)
    texts = [*TEXT_COLUMNS, *others]
    read = keep(read_leads(reader, spec, others, has_mql=has_mql, exports=exports), spec)
    missing = [c for c in others if c.casefold() not in {k.casefold() for k in columns}]
    if missing:
        raise ParamsError(
            "\n".join(unknown_name("by/where", "column", c, columns) for c in missing)
        )
    table = read.table
    if "_order" in table.columns:
        table = reader.store(table)
        merged = _merge(of_one_length(table, read.ledger), texts, reader.day_zone)
        table = reader.store(merged)
        if merged := read.ledger.used - int(table.count().to_pyarrow().as_py()):
            read.ledger.noted["merged"] = merged
    return table, columns


def _merge(table: ir.Table, texts: Sequence[str], zone: str) -> ir.Table:
    """Return one row per lead: earliest stamp per stage, last non-empty other value."""
    order = table["_order"]
    columns: dict[str, Any] = {}
    for stamp_column in STAMPS:
        at, is_timed = table[stamp_column], table[f"{stamp_column}_timed"]
        first, timed = at.min(), at.min(where=is_timed)
        # A date and a stamp of that day are one event, and the stamp knows when.
        is_that_day = (local_date(timed, zone) <= local_date(first, zone)).fill_null(False)
        columns[stamp_column] = is_that_day.ifelse(timed, first)
        columns[f"{stamp_column}_timed"] = is_that_day
    columns |= {c: table[c].argmax(order, where=table[c].notnull()) for c in ("amount", *texts)}
    return table.group_by("lead_id").aggregate(**columns)


def _leads_of(events: ir.Table | None, ledgers: Mapping[str, Ledger]) -> ir.Table:
    """Return the leads that a history alone knows, with no stamps and no other columns."""
    if events is None:
        raise SourceError(report(f"{ledgers}: no leads."))
    ids = events.select("lead_id").distinct()
    stamps = {s: ibis.null("timestamp") for s in STAMPS}
    stamps |= {f"{s}_timed": ibis.null("boolean") for s in STAMPS}
    texts = {t: ibis.null("string") for t in TEXT_COLUMNS}
    return ids.mutate(**stamps, amount=ibis.null("decimal(38, 6)"), **texts)


def read_history(reader: Reader, spec: TableSpec) -> Read:
    """Return a log of stage changes as read, row by row.

    A value means what source.yaml says; where that says nothing, what the format does, or the
    stage of that name.
    """

    def typed(cells: Cells, how: Readings) -> dict[str, ir.Value]:
        text = cells["stage"] if spec.stage is None else ibis.literal(spec.stage)
        stages = spec.stages or how.stages or {stage: (stage,) for stage in STAGES}
        folded = text.lower()
        known = [
            (folded == value.lower(), ibis.literal(ours))
            for ours, values in stages.items()
            for value in values
        ]
        stage = ibis.literal(spec.stage) if spec.stage else ibis.cases(*known)
        return {
            "lead_id": cells["lead_id"],
            "at": stamp(cells["at"], how.date("at"), zone=how.zone, day_zone=reader.day_zone),
            "stage": cells[COUNTS].ifelse(stage, ibis.null("string")),
            "stage_text": text,
            "counts": cells[COUNTS],
            "at_timed": has_time(cells["at"], how.date("at")),
        }

    def faults(cells: Cells, values: ir.Table) -> list[tuple[str, ir.BooleanValue]]:
        return [("no_id", cells["lead_id"].isnull()), ("bad_date", values["at"].isnull())]

    typing = Typing(
        columns=["lead_id", "at", "stage"],
        needed=["lead_id", "at"] if spec.stage else ["lead_id", "at", "stage"],
        kinds=Kinds(["at"]),
        typed=typed,
        faults=faults,
        has_date=lambda values: values["at"].notnull(),
    )
    read = read_table(reader, spec, typing)
    read.table = read.table.drop("_order")
    return read


def _has_stage(events: ir.Table, stage: str) -> bool:
    return bool(events.filter(events["stage"] == stage).count().to_pyarrow().as_py())


def _note_stages(events: ir.Table, ledger: Ledger) -> None:
    """Note how often each stage value occurs that no mapping names."""
    unknown = events.filter(events["stage"].isnull() & events["counts"])
    counts = unknown.group_by("stage_text").aggregate(n=unknown.count()).order_by("stage_text")
    for row in counts.to_pyarrow().to_pylist():
        ledger.noted[f"stage not mapped: {row['stage_text'] or '(empty)'}"] = row["n"]
    if others := int((~events["counts"]).sum().to_pyarrow().as_py() or 0):
        ledger.noted["rows of another kind"] = others
