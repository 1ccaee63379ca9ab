"""All numbers of one report, each computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY
from mqlkit.leads.build import lead_table, year_before
from mqlkit.leads.cache import Memory
from mqlkit.leads.privacy import without_words
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import Queue, narrowed, stays
from mqlkit.metrics.changes import changes
from mqlkit.metrics.cost import (
    LONGEST_LAG,
    bucket_costs,
    cost_by_lag,
    cost_per_mql,
    costs_by_grain,
    kept_spend,
    lag_days,
    lead_to_mql,
    measured_lag,
    rolling_cost,
    unnamed_channels,
)
from mqlkit.metrics.efficiency import (
    cohort_efficiency,
    cohort_growth,
    maturity_days,
    stage_efficiency,
)
from mqlkit.metrics.handoff import hand_off, rejection_reasons
from mqlkit.metrics.lead_lists import breach_list
from mqlkit.metrics.mix import efficiency_mix_and_rate
from mqlkit.metrics.response import response_speed, response_times
from mqlkit.metrics.sla import sla_outcome
from mqlkit.metrics.tidy import metric_rows
from mqlkit.metrics.volume import kept_goals, mql_volume
from mqlkit.metrics.waiting import hours_histogram, stage_velocity, survival_curve
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.load import Tables
from mqlkit.sources.opening import open_source

SLIDER_ROWS = 4_000
LISTED_BREACHES = 25


@dataclass(frozen=True)
class Numbers:
    """One report's numbers.

    Attributes
    ----------
    params
        As resolved.
    leads, tables
        The lead table and all that was read.
    rows
        Every metric, bucket and segment (metrics.md §9).
    before
        The compared metrics of all leads in the buckets of the year before the period; None where
        no MQL is that old.
    lag_days_used, maturity_days
        The one lag of the report, and the age at which most conversions are in (NaN: none yet).
    memory
        What has been worked out, for this report and for those before it on the same data.
    """

    params: ReportParams
    leads: LeadTable
    tables: Tables
    rows: pd.DataFrame
    before: pd.DataFrame | None
    lag_days_used: int
    maturity_days: float
    memory: Memory = field(default_factory=Memory, repr=False)

    def _once(self, name: str, work_out: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        return self.memory.recall(name, self.params, work_out)

    @property
    def measured_lag(self) -> int:
        """Return the lag that the period's MQLs show, whichever is used."""
        return measured_lag(self.rows)

    @property
    def currency(self) -> str:
        """Return the currency of the spend; empty without spend."""
        return self.tables.currency or ""

    @property
    def ledgers(self) -> dict[str, Ledger]:
        """Return the account of each table's rows."""
        ledgers = self.tables.ledgers
        if not self.params.redact:
            return ledgers
        return {t: replace(k, noted=Counter(without_words(k.noted))) for t, k in ledgers.items()}

    @cached_property
    def breaches(self) -> pd.DataFrame:
        """Return the leads that broke the SLA by most; see `sla.breach_list`."""
        longest = 0 if self.params.redact else LISTED_BREACHES
        return self._once("breaches", lambda: breach_list(self.leads, longest=longest))

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Return each bucket against the one before and a year before; see `changes.changes`."""
        return changes(self.rows, earlier=self.before)

    @cached_property
    def mix(self) -> pd.DataFrame:
        """Return the last change of efficiency as mix and rate, by the first breakdown."""
        return efficiency_mix_and_rate(self.rows, by=self.main_breakdown)

    @property
    def main_breakdown(self) -> str:
        """Return the first breakdown; the source where there is none."""
        return next(iter(self.params.by), "source")

    @cached_property
    def curve(self) -> pd.DataFrame:
        """Return the survival curve; see `velocity.survival_curve`."""
        return self._once("curve", lambda: survival_curve(self._stays))

    @cached_property
    def histogram(self) -> pd.DataFrame:
        """Return MQLs by time in the stage; see `velocity.hours_histogram`."""
        return self._once("histogram", lambda: hours_histogram(self._stays, self.leads.clock))

    @cached_property
    def _stays(self) -> Queue:
        return stays(narrowed(self.leads, [""]))

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Return the share of SQLs by the cohort's age; see `funnel.cohort_growth`."""
        return self._once("growth", lambda: cohort_growth(self.leads, maturity=self.maturity_days))

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """Return rejections by reason; see `funnel.rejection_reasons`."""
        return self._once("reasons", lambda: rejection_reasons(self.leads))

    @cached_property
    def responses(self) -> pd.DataFrame:
        """Return MQLs by time to first contact; see `velocity.response_times`."""
        return self._once("responses", lambda: response_times(self.leads))

    @cached_property
    def lag_in_use(self) -> pd.DataFrame | None:
        """Return cost per MQL by bucket at the one lag of the report; None without spend."""
        return self._costs([self.lag_days_used])

    @cached_property
    def lags(self) -> pd.DataFrame | None:
        """Return cost per MQL by lag, for the slider; None without spend."""
        # A fine grain gets a coarser slider: the page must not grow with the number of buckets.
        step = 1 + LONGEST_LAG * len(self.leads.buckets) // SLIDER_ROWS
        used = self.lag_days_used
        return self._costs(range(used % step, max(LONGEST_LAG, used) + 1, step))

    def _costs(self, lags: Sequence[int]) -> pd.DataFrame | None:
        spend = self.tables.spend
        return None if spend is None else rolling_cost(self.leads, spend=spend, lags=lags)

    @property
    def lags_by_grain(self) -> pd.DataFrame | None:
        """Return `lags` with a column ``grain``, at the grain of the report and at coarser ones."""
        if (spend := self.tables.spend) is None or (lags := self.lags) is None:
            return None
        return costs_by_grain(self.leads, spend=spend, like=lags)

    @cached_property
    def lag_costs(self) -> pd.DataFrame | None:
        """Return cost per MQL of the period by lag; see `cost.cost_by_lag`. None without spend."""
        if self.tables.spend is None:
            return None
        every = range(max(LONGEST_LAG, self.lag_days_used) + 1)
        return cost_by_lag(self.leads, spend=self.tables.spend, lags=every)

    @cached_property
    def other_channels(self) -> pd.DataFrame | None:
        """Return spend in channels that no lead names; None without spend."""
        if (spend := self.tables.spend) is None:
            return None
        return self._once("channels", lambda: unnamed_channels(self.leads, spend))

    @property
    def resolved_params(self) -> dict[str, Any]:
        """Return the parameters with what ``auto`` and relative periods came to."""
        leads = self.leads
        return {
            **self.params.to_dict(),
            "source": Path(self.params.source).name,
            "where": self.params.shown_where,
            "period": f"{leads.whole.start}..{leads.whole.end - DAY}",
            "timezone": str(leads.zone),
            "as_of": leads.as_of.at.astimezone(leads.zone).isoformat(),
            "lag_days": self.lag_days_used,
        }

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return what identifies each file that was read."""
        return [
            {
                "table": spec.table,
                "path": export.name,
                "sha256": export.sha256,
                "rows": rows,
                "encoding": export.encoding,
                "delimiter": export.delimiter,
                "format": export.recognised.format.name,
                "timezone": spec.zone_in(export.recognised.format.timezone),
            }
            for export, spec, rows in self.tables.exports
        ]


def read_numbers(params: ReportParams, *, base: Path | None = None) -> Numbers:
    """Read a report's exports and work out its numbers.

    Parameters
    ----------
    params
        The report.
    base
        Folder that a relative ``source`` starts from; the working folder when left out.

    Raises
    ------
    ParamsError, SourceError
        When the parameters do not fit the data, or the data cannot be used.
    """
    opened = open_source(params, base=base)
    leads = lead_table(opened.tables, params, zone=opened.zone, reader=opened.reader)
    return measure(leads, opened.tables)


def measure(leads: LeadTable, tables: Tables, *, memory: Memory | None = None) -> Numbers:
    """Return every number of a lead table; what ``memory`` holds is not worked out again."""
    params = leads.params
    # Now is another moment for each report: they have nothing to leave each other.
    memory = memory or Memory(shelf=None if params.as_of == "now" else tables.shelf)
    spend = kept_spend(tables.spend, params.where)
    currency = None if spend is None else tables.currency
    goals = kept_goals(tables.goals, params.where)
    tables = replace(tables, spend=spend, currency=currency, goals=goals)
    maturity = memory.recall("maturity", params, lambda: maturity_days(leads))
    steps: dict[str, Callable[[LeadTable], pd.DataFrame]] = {
        "volume": partial(mql_volume, goals=goals),
        "hand_off": hand_off,
        "efficiency": partial(stage_efficiency, maturity=maturity),
        "velocity": stage_velocity,
        "sla": sla_outcome,
        "response": response_speed,
        "lags": lead_to_mql,
    }
    for name in ("counted", "flowing", "waiting"):
        vars(leads)[name] = memory.recall(name, params, partial(getattr, leads, name))
    found = {name: memory.recall_rows(name, leads, step) for name, step in steps.items()}
    lag = lag_days(leads, found["lags"])
    if tables.spend is not None:
        found["cost"] = cost_per_mql(leads, spend=tables.spend, lag=lag)
    rows = pd.concat(found.values(), ignore_index=True)
    past = year_before(leads, lag)
    if past is not None:
        # Which of the buckets are whole depends on the lag; what is counted in them does not.
        of = past.buckets[0].label
        vars(past)["counts"] = memory.recall("before", params, lambda: past.counts, of=of)
    before = None if past is None else _compared(past, tables, maturity=maturity, lag=lag)
    return Numbers(params, leads, tables, rows, before, lag, maturity, memory)


def _compared(leads: LeadTable, tables: Tables, *, maturity: float, lag: int) -> pd.DataFrame:
    """Return the rows that `changes` compares, none of which needs more than `LeadTable.counts`."""
    rows = [
        metric_rows(leads.counts, "mqls", leads.counts["mqls"]),
        hand_off(leads),
        cohort_efficiency(leads, maturity=maturity),
        sla_outcome(leads),
        response_speed(leads),
    ]
    if tables.spend is not None:
        rows.append(bucket_costs(leads, spend=tables.spend, lag=lag))
    return pd.concat(rows, ignore_index=True)
