"""What charts by bucket show at coarser grains: the numbers of a report of that grain.

The functions that compute a report compute these too, from sums that are added up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import pandas as pd

from mqlkit.core.periods import coarser_grains
from mqlkit.leads.table import ALL_LEADS, SEGMENT, TOTAL_BUCKET, LeadTable, Segment
from mqlkit.metrics.conversion import add_up_chances
from mqlkit.metrics.efficiency import stage_efficiency
from mqlkit.metrics.families import FamilyFrames
from mqlkit.metrics.handoff import hand_off
from mqlkit.metrics.sla import sla_outcome
from mqlkit.metrics.tidy import family, metric_rows, pick
from mqlkit.metrics.volume import mql_volume

ByGrain = Mapping[str, pd.DataFrame]
# Columns of `LeadTable.grid` that are no sums.
GRID = [*SEGMENT, "index", "bucket", "start", "end", "flags"]


class CoarserFrames:
    """Family frames at the grains coarser than that of a report, as far as charts need them.

    A grain without fewer buckets is left out: it shows nothing new.

    Parameters
    ----------
    report
        The report.
    """

    def __init__(self, report: FamilyFrames) -> None:
        self._report = report
        leads = report.lead_data
        grains = coarser_grains(leads.params.grain) if report.is_for_page else []
        cuts = {grain: CoarserTable.of(leads, grain) for grain in grains}
        self._cuts = {g: cut for g, cut in cuts.items() if len(cut.buckets) < len(leads.buckets)}

    def of(self, name: str) -> ByGrain:
        """Return the frame of a family by grain; empty for a family without charts by bucket."""
        found: ByGrain = getattr(self, name, {})
        return found

    @cached_property
    def volume(self) -> ByGrain:
        """Return parts of `FamilyFrames.volume`: MQLs, open MQLs, the goal and the forecast."""
        tables, main = self._report.tables, self._report.main_breakdown
        finer = self._report.groups["volume"]

        def rows(leads: CoarserTable) -> pd.DataFrame:
            found = mql_volume(leads, goals=tables.goals, spend=tables.spend)
            return pd.concat([found, segments_by_bucket(finer, leads, by=main)], ignore_index=True)

        return self._each(rows, main_breakdown=main)

    @cached_property
    def handoff(self) -> ByGrain:
        """Return parts of `FamilyFrames.handoff`: decisions by sales."""
        return self._each(hand_off)

    @cached_property
    def efficiency(self) -> ByGrain:
        """Return parts of `FamilyFrames.efficiency`: conversion, projected, and in the period."""
        maturity = self._report.maturity

        def rows(leads: CoarserTable) -> pd.DataFrame:
            add_up_chances(leads.finer, leads, places=leads.places)
            found = stage_efficiency(leads, maturity=maturity)
            return pd.concat([found, _mqls(leads)], ignore_index=True)

        return self._each(rows)

    @cached_property
    def sla(self) -> ByGrain:
        """Return parts of `FamilyFrames.sla`: outcomes against the SLA."""
        return self._each(sla_outcome)

    @cached_property
    def cost(self) -> ByGrain:
        """Return parts of `FamilyFrames.cost`: series ``cost_by_bucket``."""

        def frame(leads: LeadTable) -> pd.DataFrame:
            costs = {"cost_by_bucket": self._report.bucket_costs(leads)}
            return family(_mqls(leads), series=costs, **self._report.cost_terms)

        return {grain: frame(cut) for grain, cut in self._cuts.items()}

    def _each(self, rows: Callable[[CoarserTable], pd.DataFrame], **constants: Any) -> ByGrain:
        """Return the rows of each grain as family frames."""
        return {grain: family(rows(cut), **constants) for grain, cut in self._cuts.items()}


def _mqls(leads: LeadTable) -> pd.DataFrame:
    return metric_rows(leads.counts, "mqls", leads.counts["mqls"])


@dataclass(frozen=True)
class CoarserTable(LeadTable):
    """A lead table without breakdowns, in buckets that consist of those of a finer one.

    Its sums are those of the finer buckets, added up. Of the buckets before the period, it has
    those that `cost.rolling_cost` needs.

    Attributes
    ----------
    finer
        The finer lead table.
    """

    finer: LeadTable = field(kw_only=True)

    @classmethod
    def of(cls, leads: LeadTable, grain: str) -> CoarserTable:
        """Return a lead table in the buckets of a coarser grain."""
        calendar, whole = leads.params.calendar, leads.whole
        buckets = tuple(calendar.cut(whole.start, whole.end, grain))
        before = tuple(calendar.before(buckets[0], grain, leads.params.rolling - 1))
        clock = replace(leads.clock, params=replace(leads.params, grain=grain, by=[]))
        known = {part.name: getattr(leads, part.name) for part in fields(LeadTable)}
        return cls(**{**known, "clock": clock, "buckets": buckets, "before": before}, finer=leads)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Return all leads as the only segment."""
        return (ALL_LEADS,)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Return `LeadTable.counts`, added up."""
        return self._added(self.finer.counts)

    @cached_property
    def flow(self) -> pd.DataFrame:
        """Return `LeadTable.flow`, added up."""
        return self._added(self.finer.flow)

    @cached_property
    def stock(self) -> pd.DataFrame:
        """Return `LeadTable.stock`: the open MQLs at the end of the last finer bucket of each."""
        finer = self.finer.stock
        finer = finer[finer["index"] != TOTAL_BUCKET]
        return self.grid(self._placed_in(finer).last().reset_index())

    @property
    def places(self) -> dict[int, int]:
        """Return the index of the bucket of each finer one, and of the period."""
        starts = [bucket.start for bucket in self.buckets]
        finer = enumerate(self.finer.buckets)
        places = {i: bisect_right(starts, bucket.start) - 1 for i, bucket in finer}
        return {**places, TOTAL_BUCKET: TOTAL_BUCKET}

    def _added(self, grid: pd.DataFrame) -> pd.DataFrame:
        return self.grid(self._placed_in(grid).sum().reset_index())

    def _placed_in(self, grid: pd.DataFrame) -> Any:
        """Return the sums of all leads of a finer grid, grouped by bucket."""
        grid = grid[grid["by"] == ""]
        measures = grid.columns.difference(GRID, sort=False)
        places = grid["index"].map(self.places).rename("bucket")
        return grid[measures].groupby([*(grid[name] for name in SEGMENT), places])


def segments_by_bucket(rows: pd.DataFrame, table: CoarserTable, *, by: str) -> pd.DataFrame:
    """Return the MQLs of each segment in the coarser buckets of a table, added up.

    Parameters
    ----------
    rows
        Tidy rows; reads mqls.
    table
        The coarser buckets.
    by
        The breakdown.
    """
    part = pick(rows, "mqls", by=by)
    index = {bucket.label: i for i, bucket in enumerate(table.finer.buckets)}
    place = part["bucket"].map(index).map(table.places).rename("index")
    found = part.groupby([*SEGMENT, place])["value"].sum().reset_index()
    grid = found.merge(table.counts[["index", "bucket", "start", "end", "flags"]], on="index")
    return metric_rows(grid, "mqls", grid["value"])
