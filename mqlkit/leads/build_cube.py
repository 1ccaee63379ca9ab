"""Builds the cube with a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import prod

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.names import MISSING
from mqlkit.core.params import ReportParams
from mqlkit.leads.build import MQL_DAY, TimedLeads, named
from mqlkit.leads.cache import ResultCache
from mqlkit.leads.cube import NEVER, LeadCube, SortedWaits, code_of
from mqlkit.leads.outcomes import (
    counted_outcomes,
    exit_event,
    is_rejected,
    noted_of,
    sla_outcomes,
    sql_age,
    sql_event,
)
from mqlkit.leads.table import added_up
from mqlkit.sources.staging import Reader
from mqlkit.sources.store import local_date, to_arrays, to_frame
from mqlkit.stats.survival import in_time

Values = Mapping[str, tuple[str, ...]]
# Up to the first number of cells, the cube has all columns. Up to the second, only those of the
# report. Beyond that there is no cube.
FEW_CELLS, MOST_CELLS = 100_000, 2_000_000
DAY_ONE = date(1970, 1, 1)
# The measures of `outcomes.counted_outcomes` that depend on ``within_days``.
RIPE = ("ripe", "ripe_sqls")


def with_codes(timed: TimedLeads, values: Values, *, reader: Reader) -> TimedLeads:
    """Store the leads in the engine, with codes of their values and the day of the MQL."""
    table = timed.table
    for column, known in values.items():
        rows = [{named(column): value, code_of(column): i} for i, value in enumerate(known)]
        schema = {named(column): "string", code_of(column): "int32"}
        table = table.left_join(ibis.memtable(rows, schema=schema), named(column))
        table = table.drop(f"{named(column)}_right")
    table = table.mutate(**{MQL_DAY: _day(table["mql_at"], timed)})
    return replace(timed, table=table).stored(reader)


def _day(stamp: ir.TimestampValue, timed: TimedLeads) -> ir.IntegerValue:
    day = local_date(stamp, str(timed.clock.zone)).delta(DAY_ONE, unit="day")
    return day.cast("int32").fill_null(NEVER)


def build_cube(
    timed: TimedLeads, values: Values, params: ReportParams, *, cache: ResultCache
) -> LeadCube | None:
    """Build the cube for a report and for later changes of its parameters.

    Parameters
    ----------
    timed
        Leads from `with_codes`.
    values
        Values of each column to break down or filter by.
    params
        Parameters of the report.
    cache
        Cache of the parts of the cube.

    Returns
    -------
    LeadCube or None
        None if the cube would be too large, or with ``redact``: which small groups are merged
        depends on the period.
    """
    timed = replace(timed, clock=replace(timed.clock, params=params))
    cells = cache.get("cells", params, lambda: _cells(timed, values))
    columns = tuple(values)
    if cells.of(columns) > FEW_CELLS:
        columns = tuple(sorted({*params.by, *params.where}))
    if params.redact or cells.of(columns) > MOST_CELLS:
        return None
    sums = _Sums(timed, columns)
    of = repr(columns)

    def all_entered() -> pd.DataFrame:
        fixed = cache.get("day_fixed", params, sums.fixed, of=of)
        by_sla = cache.get("day_sla", params, sums.by_sla, of=of)
        ripe = cache.get("day_ripe", params, sums.ripe, of=of)
        return fixed.merge(by_sla, how="left").merge(ripe, how="left").fillna(0)

    entered = cache.get("day_entered", params, all_entered, of=of)
    became_sql = cache.get("day_sqls", params, sums.became_sql, of=of)
    left = cache.get("day_left", params, sums.left, of=of)
    rejected = cache.get("day_reasons", params, sums.rejected, of=of)
    converted = cache.get("day_ages", params, sums.converted, of=of)
    waits = cache.get("waits", params, lambda: _waits(timed, values))
    return LeadCube(values, entered, became_sql, left, rejected, converted, *waits)


@dataclass(frozen=True)
class _Cells:
    """Upper bounds of the size of the cube: days, leads, and values per column."""

    days: int
    leads: int
    sizes: Mapping[str, int]

    def of(self, columns: Sequence[str]) -> int:
        return min(self.leads, self.days * prod(self.sizes[c] for c in columns))


def _cells(timed: TimedLeads, values: Values) -> _Cells:
    table = timed.table
    day = table[MQL_DAY].nullif(NEVER)
    (row,) = table.aggregate(n=table.count(), a=day.min(), b=day.max()).to_pyarrow().to_pylist()
    days = 1 if row["a"] is None else row["b"] - row["a"] + 1
    return _Cells(days, row["n"], {column: len(known) for column, known in values.items()})


@dataclass(frozen=True)
class _Sums:
    """Sums over leads by day and by the codes of some columns."""

    timed: TimedLeads
    columns: Sequence[str]

    def fixed(self) -> pd.DataFrame:
        """Return the sums that do not depend on the SLA, by day of the MQL."""
        table = self.timed.table
        measures = {**counted_outcomes(table, self.timed.clock), **noted_of(table)}
        for name in (*sla_outcomes(table, self.timed.clock), *RIPE):
            del measures[name]
        return self._of(table, table[MQL_DAY], {"leads": table[MQL_DAY].notnull(), **measures})

    def by_sla(self) -> pd.DataFrame:
        """Return the SLA outcomes of MQLs, by day of the MQL."""
        table = self._mqls()
        return self._of(table, table[MQL_DAY], sla_outcomes(table, self.timed.clock))

    def ripe(self) -> pd.DataFrame:
        """Return the MQLs older than ``within_days``, and their SQLs, by day of the MQL."""
        table = self._mqls()
        found = counted_outcomes(table, self.timed.clock)
        return self._of(table, table[MQL_DAY], {name: found[name] for name in RIPE})

    def _mqls(self) -> ir.Table:
        return self.timed.table.filter(self.timed.table["mql_at"].notnull())

    def became_sql(self) -> pd.DataFrame:
        """Return the SQLs by day of the SQL."""
        table = self.timed.table.filter(lambda t: t["mql_at"].notnull() & t["sql_at"].notnull())
        return self._of(
            table, _day(table["sql_at"], self.timed), {"flow": table["sql_us"].notnull()}
        )

    def left(self) -> pd.DataFrame:
        """Return the MQLs that left the stage, by the first day on which they are not in it."""
        table = self.timed.table.filter(lambda t: t["mql_at"].notnull() & t["exit_at"].notnull())
        # An exit before the MQL counts on the day of the MQL, so that the lead is never open.
        at = ibis.greatest(table["exit_at"], table["mql_at"])
        return self._of(table, _day(at, self.timed), {"in_stage": at.notnull()})

    def rejected(self) -> pd.DataFrame:
        """Return the rejected MQLs by reason and day of the MQL."""
        table = self.timed.table.filter(is_rejected(self.timed.table))
        reason = table["rejection_reason"].fill_null(MISSING)
        return self._counted(table.mutate(reason=reason), "reason", "leads")

    def converted(self) -> pd.DataFrame:
        """Return the SQLs by age and day of the MQL."""
        table = self.timed.table.filter(self.timed.table["sql_us"].notnull())
        return self._counted(table.mutate(age=sql_age(table)), "age", "sqls")

    def _counted(self, table: ir.Table, by: str, name: str) -> pd.DataFrame:
        table = table.mutate(day=table[MQL_DAY])
        keys = ["day", *map(code_of, self.columns), by]
        return to_frame(table.group_by(keys).aggregate(**{name: table.count()}))

    def _of(
        self, table: ir.Table, day: ir.IntegerValue, measures: Mapping[str, ir.Value]
    ) -> pd.DataFrame:
        keys = ["day", *map(code_of, self.columns)]
        groups = table.mutate(day=day).group_by(keys)
        return to_frame(groups.aggregate(**added_up(measures)).order_by(keys))


def _waits(timed: TimedLeads, columns: Iterable[str]) -> tuple[SortedWaits, SortedWaits]:
    table = timed.table
    seen = table.filter(table["is_in_order"] & table["mql_at"].notnull())
    time_in_stage = _sorted_waits(seen, *exit_event(seen), columns)
    return time_in_stage, _sorted_waits(seen, *sql_event(seen), columns)


def _sorted_waits(
    seen: ir.Table, time: ir.IntegerValue, kind: ir.IntegerValue, columns: Iterable[str]
) -> SortedWaits:
    codes = {code_of(column): seen[code_of(column)] for column in columns}
    kind = kind.cast("int8")
    found = to_arrays(seen.select(_time=time, _kind=kind, _day=seen[MQL_DAY], **codes))
    order = in_time(found["_time"], found["_kind"])
    for name in found:
        found[name] = found[name][order]
    places = {column: found[code_of(column)] for column in columns}
    return SortedWaits(found["_time"], found["_kind"], found["_day"], places)
