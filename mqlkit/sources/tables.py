"""All tables of a ``source.yaml``: leads, stage events, spend and goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.errors import listed
from mqlkit.core.names import (
    ASSUMED,
    IGNORE,
    LEAD_COLUMNS,
    NO_COLUMN,
    NO_MAPPING,
    NO_VALUE,
    TEXT_COLUMNS,
)
from mqlkit.sources.assumed_zone import is_zone_assumed
from mqlkit.sources.goals import note_strangers, read_goals
from mqlkit.sources.history import (
    BY_NAME,
    NOT_MAPPED,
    event_rows,
    has_stage,
    note_stages,
    read_history,
)
from mqlkit.sources.ids import match_ids
from mqlkit.sources.leads import Wanted, lead_table, leads_of, refuse_unknown
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.merged_records import apply_merged
from mqlkit.sources.rates import read_rates
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import SourceSpec, TableSpec
from mqlkit.sources.spellings import note_spellings
from mqlkit.sources.spend import read_spend
from mqlkit.sources.sql import Values
from mqlkit.sources.table import Read

if TYPE_CHECKING:
    from mqlkit.sources.files import Export

# Characters that are shown of a stage value.
LONGEST_VALUE = 40


@dataclass
class Tables:
    """Everything a report is made from, typed, with its ledgers.

    Attributes
    ----------
    leads
        One row per lead: ``lead_id``, the seven stamps (naive UTC), each with its
        `local_times.zone_of`, ``amount``, the text columns and ``others``, whose columns are called
        as `lead_column` says.
    others
        Columns of the exports that were asked for and have no canonical name.
    events
        Stage changes ``lead_id, stage, at, at_zone``, or None without a history.
    zones
        The zones in which the sources write their timestamps; see `local_times.zone_of`.
    spend
        ``date_from, date_to, channel, campaign, amount``, one row per range of days (both ends
        included), channel and campaign.
    goals
        As in `read_goals`: one row per month and segment.
    """

    leads: ir.Table
    events: ir.Table | None
    spend: pd.DataFrame | None
    goals: pd.DataFrame | None
    currency: str | None
    others: list[str]
    columns: list[str]
    zones: Sequence[str]
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    exports: list[tuple[Export, TableSpec, int]] = field(default_factory=list)

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return what identifies each file that was read, as in ``metrics.json``."""
        return [
            {
                "table": spec.table,
                "path": export.name,
                "sha256": export.sha256,
                "rows": rows,
                "encoding": export.encoding,
                "delimiter": export.delimiter,
                "format": export.recognized.format.name,
                "timezone": spec.zone_in(export.recognized.format.timezone),
            }
            for export, spec, rows in self.exports
        ]

    @property
    def inputs_with_assumptions(self) -> list[dict[str, Any]]:
        """Return the same, with `ASSUMED` after each time zone that nothing names."""
        assumed = [is_zone_assumed(spec, [export]) for export, spec, _ in self.exports]
        return [
            {**each, "timezone": each["timezone"] + ASSUMED * is_assumed}
            for each, is_assumed in zip(self.inputs, assumed, strict=True)
        ]

    def why_missing(self, stage: str) -> str:
        """Return why a stage without any timestamp is not recorded.

        ``no-value`` if a column or a mapping of a history is there for it, ``no-mapping`` if a
        history has stages that no mapping names, else ``no-column``.
        """
        mapped: set[str] = set()
        for export, spec, _ in self.exports:
            if spec.table == "history":
                stages = spec.stages or export.recognized.format.stages or BY_NAME
                mapped |= {spec.stage} if spec.stage else {*stages}
        if stage in mapped or ("leads" in self.ledgers and f"{stage}_at" in self.columns):
            return NO_VALUE
        return NO_MAPPING if self._not_mapped else NO_COLUMN

    @property
    def _not_mapped(self) -> list[str]:
        """Return the stage values of the history that no mapping names, the most frequent first."""
        noted = self.ledgers["history"].noted if "history" in self.ledgers else Counter[str]()
        start = f"{NOT_MAPPED}: "
        return [n.removeprefix(start) for n, _ in noted.most_common() if n.startswith(start)]

    def missing_words(self, stage: str, *, is_quoting: bool = True) -> str:
        """Return why a stage is not recorded, in words; empty if no column or history has it.

        Stage values that are not mapped are named if ``is_quoting``.
        """
        cause, column = self.why_missing(stage), f"{stage}_at"
        if cause == NO_MAPPING:
            values = [value[:LONGEST_VALUE] for value in self._not_mapped]
            named = f": {listed(values)}" if is_quoting else ""
            return f"the history has stages that are not mapped{named}"
        if cause == NO_COLUMN:
            return ""
        if "leads" not in self.ledgers or column not in self.columns:
            return "no event of the history is mapped to it"
        exports = (export for export, spec, _ in self.exports if spec.table == "leads")
        header = next((h for export in exports if (h := export.header_of(column))), column)
        return f"{header} has no values"


def load(
    reader: Reader,
    source: SourceSpec,
    *,
    extras: Sequence[str],
    places: Mapping[str, str] = {},
    is_all_wanted: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Tables:
    """Read every table that ``source.yaml`` names.

    Parameters
    ----------
    reader, source
        The engine and the description of the files.
    extras
        Lead columns wanted beside the canonical ones, for breakdowns, filters and SLA rules.
    places
        The parameter that names a column.
    is_all_wanted
        Whether every other column that there is comes along.
    tell
        Called with what is being read.

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

    table, events = reader.backend.table, None
    if source.history:
        tell("Reading the stage history")
        pieces = [keep(read_history(reader, spec), spec).table for spec in source.history]
        events = reader.create(event_rows(pieces), Values())
        note_stages(reader, events, ledgers["history"])
    has_mql = events is not None and has_stage(reader, events, "mql")
    wanted = Wanted(extras, is_all=is_all_wanted, places=places)
    if source.leads:
        tell("Reading the leads")
        leads, others, columns = lead_table(reader, source.leads, wanted, keep, has_mql=has_mql)
        if events is not None:
            apply_merged(reader, events, ledgers["history"])
            match_ids(reader, leads, events, ledgers["history"])
    else:
        if events is not None:
            apply_merged(reader, events, ledgers["history"])
        leads, others, columns = leads_of(reader, events), [], list(LEAD_COLUMNS)
    unknown = [c for c in extras if c not in (*LEAD_COLUMNS, *others)]
    refuse_unknown(wanted, unknown, columns)
    spend = goals = currency = spend_rows = None
    if source.spend:
        tell("Reading the spend")
        rates = None
        if source.rates:
            rates_read, rates = read_rates(reader, source.rates)
            keep(rates_read, source.rates)
        read, spend, currency = read_spend(reader, source.spend, rates)
        keep(read, source.spend)
        spend_rows = read.table
    if source.leads:
        names = [*TEXT_COLUMNS, *extras]
        note_spellings(reader, leads, names, spend_rows, ledgers["leads"])
    if source.goals:
        read, goals = read_goals(reader, source.goals, [*LEAD_COLUMNS, *columns])
        keep(read, source.goals)
        note_strangers(reader, goals, leads, ledgers["goals"])
    return Tables(
        leads=table(leads),
        events=None if events is None else table(events).filter(table(events)["stage"] != IGNORE),
        spend=spend,
        goals=goals,
        currency=currency,
        others=others,
        columns=columns,
        zones=tuple(reader.zones),
        ledgers=ledgers,
        exports=exports,
    )


def _added(a: Ledger, b: Ledger) -> Ledger:
    return Ledger(a.read + b.read, a.set_aside + b.set_aside, a.noted + b.noted, a.rows + b.rows)
