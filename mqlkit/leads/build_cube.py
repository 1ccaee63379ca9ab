"""Builds the cube with a few queries."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache, partial
from math import prod
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlkit.core.names import MISSING
from mqlkit.core.periods import Bucket
from mqlkit.leads.cache import CLOCK, COHORT, DATA, SLA, ResultCache
from mqlkit.leads.columns import Where, matching, named
from mqlkit.leads.cube import (
    DAY,
    FIRST,
    NEVER,
    DailySums,
    LeadCube,
    SortedWaits,
    StageWaits,
    code_of,
)
from mqlkit.leads.durations import Clock
from mqlkit.leads.funnel import TIME_IN_STAGE, Step, exit_events, later_stages, stage_events
from mqlkit.leads.integers import DAY_US, day_us, start_us, step
from mqlkit.leads.outcomes import (
    is_rejected,
    lead_outcomes,
    noted_of,
    sla_measures,
    sla_outcomes,
    sql_age,
    within_outcomes,
)
from mqlkit.leads.privacy import OTHER
from mqlkit.leads.promises import RULE, with_promise
from mqlkit.sources.store import to_arrays, to_frame

Values = Mapping[str, tuple[str, ...]]
# Sums are crossed by all columns up to the first number of cells, by those of the report up to the
# second. Beyond that each breakdown has sums of its own, of filtered leads.
FEW_CELLS, MOST_CELLS = 100_000, 1_000_000
# A breakdown with more values keeps those with the most MQLs (metrics.md §9).
MOST_VALUES = 2_000
# For so many leads, all waits of a stage are read together, and the panel keeps them.
MOST_TOGETHER = 2_000_000
# A column with more values gets its codes by a join.
FEW_VALUES = 30
# The unit in which large values are added up; what is left over is less.
LOW = 1 << 30
# What the outcomes of leads depend on, by part.
PARTS = {
    "sla": (*DATA, *CLOCK, *SLA),
    "within": (*DATA, "within_days"),
    "other": (*DATA, *CLOCK),
}


def with_codes(table: ir.Table, values: Values) -> tuple[ir.Table, dict[str, ir.Value]]:
    """Return the codes of each lead's values, by `code_of`, for a query of the returned table.

    Parameters
    ----------
    table
        Leads with columns as `named`, or with their codes.
    values
        All values of each column.

    Returns
    -------
    tuple of ibis.Table and dict
        The leads, joined with the codes of columns with many values, and expressions on them: a
        query that groups by an expression needs no further layer of all columns.
    """
    for column, known in values.items():
        # Ibis compiles a chain of joins by recursion, and an export may have a hundred columns.
        if code_of(column) not in table.columns and len(known) > FEW_VALUES:
            table = _joined(table, column, known)
    return table, {code_of(column): _code(table, column, known) for column, known in values.items()}


def _joined(table: ir.Table, column: str, values: Sequence[str]) -> ir.Table:
    rows = pd.DataFrame({named(column): list(values), code_of(column): range(len(values))})
    codes = ibis.memtable(rows, schema={named(column): "string", code_of(column): "int32"})
    return table.left_join(codes, named(column)).drop(f"{named(column)}_right")


def _code(table: ir.Table, column: str, values: Sequence[str]) -> ir.Value:
    if code_of(column) in table.columns:
        return table[code_of(column)]
    pairs = [(value, ibis.literal(i, "int32")) for i, value in enumerate(values)]
    return table[named(column)].cases(*pairs) if pairs else ibis.null("int32")


def added_up(measures: Mapping[str, ir.Value]) -> dict[str, ir.Value]:
    """Return the sums of integer or boolean columns as floats, the same in any order of rows."""
    sums = {n: _count(m) if m.type().is_boolean() else _total(m) for n, m in measures.items()}
    return {name: total.fill_null(0) for name, total in sums.items()}


def _count(condition: ir.BooleanValue) -> ir.FloatingValue:
    return condition.cast("int64").sum().cast("float64")


def _total(value: ir.IntegerValue) -> ir.FloatingValue:
    """Return the sum of an integer column, rounded once."""
    # Weeks of ten million leads in microseconds exceed 64 bits, and some engines then fail. Floats
    # add multiples of LOW exactly, up to LOW * 2**53; decimals are exact too, but slower.
    low = value & (LOW - 1)
    return (value - low).cast("float64").sum() + low.sum().cast("float64")


@dataclass(frozen=True)
class CubeQueries:
    """The queries of a cube.

    Attributes
    ----------
    table
        Leads with durations, and the columns to break down or filter by as `named`.
    clock
        The clock of the report.
    values
        Values of each column to break down or filter by, in order.
    where
        Filter of the report that ``table`` does not have yet.
    stages
        Stages of the funnel that the data records.
    period
        The period of the report.
    edges
        Days that sums start from. None for sums by day, of which later reports take theirs.
    cache
        Results of earlier queries on the same data.
    kept
        Codes that a breakdown with too many values keeps, by column.
    """

    table: ir.Table
    clock: Clock
    values: Values
    where: Where
    stages: tuple[str, ...]
    period: Bucket
    edges: tuple[date, ...] | None
    cache: ResultCache
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def cube(self) -> LeadCube:
        """Return the cube of the report."""
        columns = self._crossed()
        if columns is not None:
            return self._cube({"": columns}, filtering=columns)
        by = self.clock.params.by
        return self._narrowed()._cube({c: (c,) for c in by} or {"": ()}, filtering=())

    def _crossed(self) -> tuple[str, ...] | None:
        """Return the columns whose codes all sums have; None if there are too many sums."""
        sizes = {column: len(known) for column, known in self.values.items()}
        own = tuple(dict.fromkeys([*self.clock.params.by, *self.where]))
        for columns, most in ((tuple(sizes), FEW_CELLS), (own, MOST_CELLS)):
            is_wide = any(sizes[c] > MOST_VALUES for c in columns)
            if not is_wide and self._n_days * prod(sizes[c] for c in columns) <= most:
                return columns
        return None

    @property
    def _n_days(self) -> int:
        if self.edges is not None:
            return len(self.edges) + 1
        return self.cache.get("days", self.clock.params, self._count_days, depends_on=DATA)

    def _count_days(self) -> int:
        at = self.table["mql_at"]
        (row,) = self.table.aggregate(a=at.min(), b=at.max()).to_pyarrow().to_pylist()
        return 1 if row["a"] is None else (row["b"] - row["a"]) // DAY_US + 2

    def _narrowed(self) -> CubeQueries:
        """Return queries of the matching leads, with the largest values of wide breakdowns."""
        queries = replace(self, table=matching(self.table, self.where), where={})
        wide = [c for c in self.clock.params.by if len(self.values[c]) > MOST_VALUES]
        return replace(queries, kept={column: queries._largest(column) for column in wide})

    def _largest(self, column: str) -> list[int]:
        """Return the codes of the values with the most MQLs in the period, then by name."""
        at = self.table["mql_at"]
        start, end = (start_us(d, self.clock.zone) for d in (self.period.start, self.period.end))
        table = self.table.filter((at >= start) & (at < end))
        table, codes = with_codes(table, {column: self.values[column]})
        counts = to_frame(table.group_by(code=codes[code_of(column)]).aggregate(n=table.count()))
        sizes = np.zeros(len(self.values[column]), dtype=np.int64)
        sizes[counts["code"]] = counts["n"]
        # Codes are in the order of names.
        return [int(code) for code in np.argsort(-sizes, kind="stable")[:MOST_VALUES]]

    def _cube(
        self, groupings: Mapping[str, tuple[str, ...]], *, filtering: tuple[str, ...]
    ) -> LeadCube:
        # Waits are large: those of other stages are let go.
        waits = lru_cache(maxsize=1)(self._waits)

        def step_waits(step: Step) -> SortedWaits:
            ends = self._ends_with(step)
            read = waits if len(ends) > 1 else self._waits
            return read(step.start, ends).until(step.end)

        def columns_of(by: str) -> tuple[str, ...]:
            return groupings.get(by, groupings.get("", ())) if by else filtering

        return LeadCube(
            values=self.values,
            names={column: self._names(column) for column in self.values},
            folded={c: len(self.values[c]) - len(kept) for c, kept in self.kept.items()},
            where=self.where,
            sums={by: self._sums(columns) for by, columns in groupings.items()},
            ruled=lambda: self._once(self._ruled, filtering, depends_on=PARTS["sla"]),
            rejected=lambda: self._once(self._rejected, filtering),
            converted=lambda: self._once(self._converted, filtering),
            between=lambda by, instants: self._once(
                partial(self._between, instants=instants),
                columns_of(by),
                name="between",
                of=instants,
            ),
            step=lru_cache(maxsize=1)(step_waits),
            squares=lambda by: self._once(self._squares, columns_of(by)),
        )

    def _names(self, column: str) -> npt.NDArray[Any]:
        names = np.array(self.values[column], dtype=object)
        if column in self.kept:
            names[np.setdiff1d(np.arange(len(names)), self.kept[column])] = OTHER
        return names

    def _sums(self, columns: tuple[str, ...]) -> DailySums:
        return DailySums(
            self._entered(columns),
            self._once(self._became_sql, columns),
            self._once(self._left, columns),
        )

    def _once(
        self,
        query: Callable[[tuple[str, ...]], pd.DataFrame],
        columns: tuple[str, ...],
        *,
        depends_on: Sequence[str] = DATA,
        name: str = "",
        of: Hashable = (),
    ) -> pd.DataFrame:
        """Return the result of a query, from the cache if there is one."""
        return self.cache.get(
            name or query.__name__,
            self.clock.params,
            lambda: query(columns),
            depends_on=[*depends_on, *self._choice],
            of=(columns, self.edges, of),
        )

    @property
    def _choice(self) -> Sequence[str]:
        """Return the parameters that choose the leads of ``table``."""
        return () if self.where == self.clock.params.where and not self.kept else COHORT

    def _entered(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the sums by day of the MQL."""
        if self.edges is not None:
            return self._outcomes(columns, parts=PARTS)
        # On the panel, what a changed parameter does not touch is not asked again.
        keys = [DAY, *map(code_of, columns)]
        frames = [
            self._once(partial(self._outcomes, parts=[part]), columns, depends_on=on, name=part)
            for part, on in PARTS.items()
        ]
        return pd.concat([frames[0], *(f.drop(columns=keys) for f in frames[1:])], axis=1)

    def _outcomes(self, columns: tuple[str, ...], *, parts: Iterable[str]) -> pd.DataFrame:
        """Return the sums of outcomes, for each day and codes with a lead."""
        clock = self.clock
        table = with_promise(self.table, clock.params, clock.precision)
        outcomes = {"sla": sla_measures, "within": within_outcomes, "other": lead_outcomes}
        sums: dict[str, ir.Value] = {}
        for part in parts:
            sums |= added_up(outcomes[part](table, clock))
        if "other" in parts:
            sums |= added_up(noted_of(table))
            sums |= {"leads": ibis._.count(), FIRST: table["mql_at"].min()}
        return self._grouped(table, "mql_at", sums, columns)

    def _became_sql(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the SQLs by day of the SQL."""
        table = self.table.filter(self.table["mql_at"].notnull() & self.table["sql_at"].notnull())
        return self._grouped(
            table, "sql_at", added_up({"flow": table["sql_us"].notnull()}), columns
        )

    def _left(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the MQLs that left the stage, by the first day on which they are not in it."""
        table = self.table.filter(self.table["mql_at"].notnull() & self.table["exit_at"].notnull())
        # An exit before the MQL counts on the day of the MQL, so that the lead is never open.
        is_before = table["exit_at"] < table["mql_at"]
        table = table.mutate(exit_at=is_before.ifelse(table["mql_at"], table["exit_at"]))
        return self._grouped(table, "exit_at", {"in_stage": ibis._.count()}, columns)

    def _ruled(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the outcomes against the SLA by promise and day of the MQL."""
        table = with_promise(self.table, self.clock.params, self.clock.precision)
        sums = added_up(sla_outcomes(table, self.clock)) | {"leads": ibis._.count()}
        return self._grouped(table, "mql_at", sums, columns, RULE)

    def _rejected(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the rejected MQLs by reason and day of the MQL."""
        table = self.table.filter(is_rejected(self.table))
        table = table.mutate(reason=table["rejection_reason"].fill_null(MISSING))
        return self._grouped(table, "mql_at", {"leads": ibis._.count()}, columns, "reason")

    def _converted(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the SQLs by age and day of the MQL."""
        table = self.table.filter(self.table["sql_us"].notnull())
        table = table.mutate(age=sql_age(table))
        return self._grouped(table, "mql_at", {"sqls": ibis._.count()}, columns, "age")

    def _squares(self, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the sums of squared amounts by day of the MQL."""
        table = self.table.filter(self.table["mql_at"].notnull() & self.table["amount"].notnull())
        found = self._grouped(table, "mql_at", {"n": ibis._.count()}, columns, "amount")
        # Squares of millionths exceed 64 bits: they are floats, always in the same order.
        squares = found["n"] * found["amount"].astype(float) ** 2
        keys = [DAY, *map(code_of, columns)]
        return found[keys].assign(squares=squares).groupby(keys, as_index=False).sum()

    def _between(self, columns: tuple[str, ...], *, instants: tuple[int, ...]) -> pd.DataFrame:
        """Return the MQLs by the number of instants up to the MQL."""
        at = self.table["mql_at"]
        table = self.table.filter(at.notnull() & (at >= instants[0]))
        table, codes = self._codes(table, columns)
        keys = {"place": step(table["mql_at"], instants, range(len(instants) + 1)), **codes}
        sums = table.group_by(**keys).aggregate(mqls=ibis._.count())
        return to_frame(sums.order_by(list(keys)))

    def _grouped(
        self,
        table: ir.Table,
        stamp: str,
        sums: Mapping[str, ir.Value],
        columns: Sequence[str],
        *further: str,
    ) -> pd.DataFrame:
        """Return sums by the day of a timestamp, the codes of columns and further columns."""
        table, codes = self._codes(table, columns)
        keys = {DAY: self._day(table[stamp]), **codes, **{name: table[name] for name in further}}
        found = to_frame(table.group_by(**keys).aggregate(**sums).order_by(list(keys)))
        return found.assign(**{DAY: found[DAY] // DAY_US})

    def _codes(
        self, table: ir.Table, columns: Sequence[str]
    ) -> tuple[ir.Table, dict[str, ir.Value]]:
        """Return codes as `with_codes` does, with one code for all values that are not kept."""
        table, codes = with_codes(table, {column: self.values[column] for column in columns})
        for column in {*columns} & {*self.kept}:
            code, others = codes[code_of(column)], np.flatnonzero(self._names(column) == OTHER)
            is_kept = code.isin(list(self.kept[column]))
            codes[code_of(column)] = is_kept.ifelse(code, int(others[0]))
        return table, codes

    def _day(self, stamp: ir.IntegerValue) -> ir.IntegerValue:
        """Return the local day of a timestamp, or the last edge up to it, in microseconds."""
        if self.edges is None:
            return self.clock.local.day(stamp).fill_null(NEVER * DAY_US)
        starts = [start_us(day, self.clock.zone) for day in self.edges]
        days = [day_us(day) for day in self.edges]
        found = step(stamp, starts, [days[0] - DAY_US, *days])
        return stamp.isnull().ifelse(NEVER * DAY_US, found)

    def _ends_with(self, step: Step) -> tuple[str, ...]:
        """Return the stages to which waits are read together with those of a step."""
        if step == TIME_IN_STAGE or self._n_leads > MOST_TOGETHER:
            return (step.end,)
        together = later_stages(step.start, self.stages)
        # Without a lead in its first stage, a step is not among those of the funnel.
        return together if step.end in together else (step.end,)

    @property
    def _n_leads(self) -> int:
        def count() -> int:
            return int(self.table.count().to_pyarrow().as_py())

        choice = [*DATA, *self._choice]
        return self.cache.get("leads", self.clock.params, count, depends_on=choice)

    def _waits(self, start: str, ends: tuple[str, ...]) -> StageWaits:
        """Return the waits of a stage, up to later stages or the exit.

        On the panel, they are taken from the cache if they are there.
        """
        if self.edges is not None:
            return self._query_waits(start, ends, self.clock.params.by)
        query = partial(self._query_waits, start, ends, list(self.values))
        is_in_stage = start == TIME_IN_STAGE.start
        if not is_in_stage and start != "mql" and self._n_leads > MOST_TOGETHER:
            return query()
        return self.cache.get(
            "waits",
            self.clock.params,
            query,
            depends_on=[*DATA, *(CLOCK if is_in_stage else ()), *self._choice],
            of=(start, ends),
        )

    def _query_waits(self, start: str, ends: tuple[str, ...], columns: Sequence[str]) -> StageWaits:
        if start == TIME_IN_STAGE.start:
            events = exit_events(self.table)
        else:
            events = stage_events(self.table, self.clock, start, ends)
        waits: dict[str, ir.Value] = {"day": self._day(events.at)}
        for end, (time, kind) in events.ends.items():
            waits |= {f"{end}_time": time, f"{end}_kind": kind.cast("int8")}
        table, codes = with_codes(events.table, {column: self.values[column] for column in columns})
        found = to_arrays(table.select(**waits, **codes))
        return StageWaits(
            {end: (found[f"{end}_time"], found[f"{end}_kind"]) for end in events.ends},
            (found["day"] // DAY_US).astype("int32"),
            {column: found[code_of(column)] for column in columns},
        )
