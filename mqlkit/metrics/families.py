"""Family frames: what the charts, tables and verdicts of a topic are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from mqlkit.core.needs import need_of
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY
from mqlkit.leads.cache import CLOCK, COHORT, DATA, SLA
from mqlkit.leads.durations import EXITS
from mqlkit.leads.privacy import without_words
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import WaitTimes, time_in_stage
from mqlkit.metrics.changes import changes
from mqlkit.metrics.conversion import Maturity
from mqlkit.metrics.cost import (
    LONGEST_LAG,
    cost_by_lag,
    measured_lag,
    rolling_cost,
)
from mqlkit.metrics.data_quality import data_quality, flagged
from mqlkit.metrics.efficiency import cohort_growth
from mqlkit.metrics.forecast import Backtest, backtest, closed_buckets
from mqlkit.metrics.funnel import funnel
from mqlkit.metrics.handoff import rejection_reasons
from mqlkit.metrics.lead_lists import breach_list
from mqlkit.metrics.mix import efficiency_mix_and_rate
from mqlkit.metrics.response import response_times
from mqlkit.metrics.sla import sla_by_rule
from mqlkit.metrics.spend import basis_of, mqls_without_spend, spend_terms, unnamed_channels
from mqlkit.metrics.tidy import family, of_all_leads, pick, shown, with_text
from mqlkit.metrics.volume import mqls_range, weekly_mqls
from mqlkit.metrics.waiting import hours_histogram, survival_curve
from mqlkit.sources.format_words import in_formats
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.tables import Tables
from mqlkit.stats.daily import Days
from mqlkit.stats.intervals import LEAST_WEEKS, burst_factor

SLIDER_ROWS = 4_000
LISTED_BREACHES = 25
SIDES = ("rejected", "accepted")


@dataclass(frozen=True, repr=False, eq=False)
class FamilyFrames:
    """The numbers of one report as tidy frames, each computed when it is first asked for.

    `metrics` has every number; of segments, the frames of the families have those that pages show:
    the whole period, and MQLs by bucket.

    Attributes
    ----------
    params
        The parameters as given; `resolved_params` has what ``auto`` and ``last-quarter`` became.
    lead_data, tables
        The clean leads, and all tables that were read.
    groups
        Tidy rows by family.
    before
        The compared metrics of all leads in the year before the period; None where no MQL is that
        old.
    lag_days_used
        The lag of the report in whole days.
    maturity
        How long the conversion to SQL takes.
    base
        Folder that a relative ``source`` starts from.
    is_for_page
        Whether frames hold what the controls of a page show: costs at every lag, and coarser
        grains (`Report.coarser`).
    """

    params: ReportParams
    lead_data: LeadTable
    tables: Tables
    groups: Mapping[str, pd.DataFrame]
    before: pd.DataFrame | None
    lag_days_used: int
    maturity: Maturity
    base: Path | None = None
    is_for_page: bool = True

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Every number of the report, tidy.

        Returns
        -------
        pandas.DataFrame
            ``metric`` (a name in the glossary), ``bucket`` (such as ``2026-01``; ``total`` is the
            period), ``start``, ``end`` (first day, and the day after the last one), ``by`` and
            ``name`` (breakdown column and value; both empty for all leads), ``value``, ``n`` (its
            denominator), ``low`` and ``high`` (95% interval), ``unit``, ``flags`` (a tuple). Null
            is NaN. Shares are in [0, 1], durations in hours.
        """
        return with_text(pd.concat(self.groups.values(), ignore_index=True))

    @property
    def measured_lag(self) -> int:
        """Return the mean lag of the period's MQLs in whole days, whichever lag is used."""
        return measured_lag(self.groups["lag"])

    @property
    def currency(self) -> str:
        """Return the currency of the spend; empty without spend."""
        return self.tables.currency or ""

    @property
    def main_breakdown(self) -> str:
        """Return the first breakdown; the source where there is none."""
        return next(iter(self.params.by), "source")

    @property
    def ledgers(self) -> dict[str, Ledger]:
        """Return the ledger of each table."""
        ledgers = self.tables.ledgers
        if not self.params.redact:
            return ledgers
        return {t: replace(k, noted=Counter(without_words(k.noted))) for t, k in ledgers.items()}

    def _once(
        self, name: str, compute: Callable[[], pd.DataFrame], *depends_on: str
    ) -> pd.DataFrame:
        """Return a frame of the cohort, from the cache if its parameters are unchanged."""
        choice = (*DATA, *COHORT, *depends_on)
        return self.lead_data.cache.get(name, self.params, compute, depends_on=choice)

    def _rows(self, *groups: str, by_bucket: str = "", **metrics: str) -> pd.DataFrame:
        """Return the rows that pages show of some groups, and of ``metrics`` of others by group.

        Of segments, these are the values of the whole period and those ``by_bucket`` of a metric.
        """
        others = ((metric, self.groups[group]) for metric, group in metrics.items())
        parts = [of[of["metric"] == metric] for metric, of in others]
        parts += [self.groups[group] for group in groups if group in self.groups]
        return pd.concat([shown(part, by_bucket) for part in parts], ignore_index=True)

    @cached_property
    def weekly_mqls(self) -> Days:
        """The MQLs of the last 52 whole weeks up to the as-of date, the oldest first."""
        return weekly_mqls(self.lead_data)

    @property
    def phi(self) -> float:
        """Return the variance of weekly MQLs by their mean (§8); 1 where they are too few weeks."""
        return burst_factor(self.weekly_mqls)

    @property
    def is_phi_known(self) -> bool:
        """Return whether there are enough weeks for `phi`."""
        return len(self.weekly_mqls) >= LEAST_WEEKS

    @cached_property
    def forecast_backtest(self) -> Backtest | None:
        """How the forecast would have done in closed buckets (§3); None without a running one."""
        return backtest(self.lead_data)

    @cached_property
    def volume(self) -> pd.DataFrame:
        """Family frame of MQLs, open MQLs, the goal and the forecast (metrics.md §3).

        Series: ``mqls_range``. Constants: ``currency``; ``main_breakdown``; ``closed_buckets``
        (number of closed buckets that the forecast can use; null where no bucket is running, and
        no forecast below `FEWEST`), ``backtest_hits``, ``backtest_trials``; ``is_phi_known`` (false
        where intervals hold only if leads come in independently).
        """
        rows, tested = self._rows("volume", by_bucket="mqls"), self.forecast_backtest
        return family(
            rows,
            series={"mqls_range": mqls_range(rows, bursts=self.phi)},
            currency=self.currency,
            main_breakdown=self.main_breakdown,
            closed_buckets=closed_buckets(self.lead_data),
            backtest_hits=tested.hits if tested else 0,
            backtest_trials=tested.trials if tested else 0,
            is_phi_known=self.is_phi_known,
        )

    @cached_property
    def handoff(self) -> pd.DataFrame:
        """Family frame of decisions by sales (§4), and series ``rejection_reasons``."""
        reasons = rejection_reasons(self.lead_data)
        return family(
            self._rows("handoff", mqls="volume"),
            series={"rejection_reasons": reasons},
            missing=self._missing("handoff"),
            is_sql_recorded=self.lead_data.is_recorded("sql"),
            unrecorded=next((s for s in SIDES if not self.lead_data.is_recorded(s)), "none"),
        )

    @cached_property
    def efficiency(self) -> pd.DataFrame:
        """Family frame of MQL→SQL conversion (§4), and series ``conversion_by_age``.

        Constants: ``maturity_days``, ``horizon_days``, ``is_rising``, ``within_days`` (-1: none),
        ``main_breakdown``.
        """
        growth = cohort_growth(self.lead_data, maturity=self.maturity)
        return family(
            self._rows("efficiency", mqls="volume"),
            series={"conversion_by_age": growth},
            maturity_days=self.maturity.days,
            horizon_days=self.maturity.horizon_days,
            is_rising=self.maturity.is_rising,
            missing=self._missing("efficiency"),
            **self._terms,
        )

    @cached_property
    def funnel(self) -> pd.DataFrame:
        """What became of the leads of each stage, from created to won; see `funnel.funnel`.

        Constants: ``main_breakdown``, and ``within_days`` (-1: none), which no step depends on.
        """
        found = self._once("funnel", lambda: funnel(self.lead_data), "grain", "by", "redact")
        return found.assign(**self._terms)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """Family frame of time in stage in hours (§5), and series ``survival``, ``histogram``.

        Constants: those of `sla`; ``day_hours`` is 24, or the hours of a working day, and
        ``is_dated`` whether stages have dates without times.
        """
        leads = self.lead_data
        series: dict[str, pd.DataFrame | None] = {}
        if leads.is_recorded(*EXITS):
            series["survival"] = self._once(
                "curve", lambda: survival_curve(self._time_in_stage), *CLOCK
            )
            series["histogram"] = self._once(
                "histogram", lambda: hours_histogram(self._time_in_stage, leads.clock), *CLOCK, *SLA
            )
        return family(
            self._rows("waiting"),
            series=series,
            **{**self._sla_terms, "missing": self._missing("waiting")},
        )

    @cached_property
    def _time_in_stage(self) -> WaitTimes:
        return time_in_stage(self.lead_data)

    @cached_property
    def response(self) -> pd.DataFrame:
        """Family frame of speed to lead (§7), and series ``contact_times``."""
        times = response_times(self.lead_data)
        return family(
            self._rows("response"),
            series={"contact_times": times},
            missing=self._missing("response"),
        )

    @cached_property
    def sla(self) -> pd.DataFrame:
        """Family frame of SLA outcomes (§6) with hours_in_stage_mean, and series ``sla_rules``.

        Constants: ``sla`` (in words), ``sla_hours``, ``day_hours``, ``sla_stops_on``,
        ``n_rules`` (SLAs beside that of the report), ``main_breakdown``.
        """
        rows = self._rows(
            "sla",
            mqls="volume",
            hours_in_stage_mean="waiting",
            hours_in_stage_km_median="waiting",
        )
        rules = {"sla_rules": sla_by_rule(self.lead_data)}
        return family(rows, series=rules, main_breakdown=self.main_breakdown, **self._sla_terms)

    @property
    def _sla_terms(self) -> dict[str, Any]:
        params = self.params
        return {
            "sla": params.sla_words,
            "sla_hours": params.sla_hours,
            "day_hours": params.day_hours,
            "is_dated": self.lead_data.is_stage_dated,
            "sla_stops_on": params.sla_stops_on,
            "n_rules": len(params.sla_rules),
            "missing": self._missing("response" if params.sla_stops_on == "contact" else "sla"),
        }

    @property
    def _terms(self) -> dict[str, Any]:
        """Return the main breakdown, and within how many days an SQL counts (-1: any)."""
        days = self.params.within_days
        return {"main_breakdown": self.main_breakdown, "within_days": -1 if days is None else days}

    def _missing(self, topic: str) -> str:
        """Return the columns that a section lacks, in words; empty if it lacks none."""
        there = {*self.lead_data.recorded, *(["spend"] if self.tables.spend is not None else [])}
        known = [export.recognized.format for export, *_ in self.tables.exports]
        why = partial(self.tables.missing_words, is_quoting=not self.params.redact)
        notes = {f"{s}_at": why(s) for s in self.lead_data.missing_stages if why(s)}
        lacking = need_of(topic).lacking(there)
        return " and no ".join(in_formats(group, known, notes=notes) for group in lacking)

    @cached_property
    def cost(self) -> pd.DataFrame:
        """Family frame of spend and cost per MQL (§8), and series by lag.

        Series ``cost_by_bucket`` (per bucket and lag) and ``cost_by_lag`` (of the period).
        Constants: ``currency``, ``lag_days``, ``is_lag_measured``, ``main_breakdown``,
        ``unspent_mqls`` (`mqls_without_spend`) and those of `spend.spend_terms`.
        """
        return family(
            self._rows("lag", "cost", mqls="volume"),
            series={
                "cost_by_bucket": self.bucket_costs(self.lead_data),
                "cost_by_lag": self._period_costs(),
            },
            is_lag_measured=self.params.lag_days == "auto",
            main_breakdown=self.main_breakdown,
            unspent_mqls=mqls_without_spend(self.lead_data, self.tables.spend),
            **self.cost_terms,
        )

    @property
    def cost_terms(self) -> dict[str, Any]:
        """Return the constants of `cost` that charts by bucket need."""
        return {
            "currency": self.currency,
            "lag_days": self.lag_days_used,
            **spend_terms(self.tables.spend, self.params.where),
        }

    def bucket_costs(self, leads: LeadTable) -> pd.DataFrame | None:
        """Return cost per bucket of a lead table: for each lag of the slider, or for one lag."""
        if (spend := self.tables.spend) is None:
            return None
        used = self.lag_days_used
        lags: Sequence[int] = [used]
        if self.is_for_page:
            # A fine grain gets a coarser slider: the page must not grow with the buckets.
            step = 1 + LONGEST_LAG * len(self.lead_data.buckets) // SLIDER_ROWS
            lags = range(used % step, max(LONGEST_LAG, used) + 1, step)
        return rolling_cost(leads, spend=spend, lags=lags)

    def _period_costs(self) -> pd.DataFrame | None:
        if (spend := self.tables.spend) is None:
            return None
        every = range(max(LONGEST_LAG, self.lag_days_used) + 1)
        return cost_by_lag(self.lead_data, spend=spend, lags=every)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Each bucket compared with the one before and a year before; see `changes.changes`.

        Constants: ``currency``, ``within_days`` (-1: none), ``is_phi_known`` (false where the
        intervals of counts and costs hold only if leads come in independently).
        """
        found = changes(of_all_leads(self.groups.values()), earlier=self.before, bursts=self.phi)
        return found.assign(currency=self.currency, **self._terms, is_phi_known=self.is_phi_known)

    @cached_property
    def mix(self) -> pd.DataFrame:
        """The last change of conversion as mix shift and rate effect, by the main breakdown.

        Columns as in `mix.efficiency_mix_and_rate`. Constants: ``main_breakdown``,
        ``within_days``.
        """
        found = efficiency_mix_and_rate(self.groups["efficiency"], by=self.main_breakdown)
        return found.assign(**self._terms)

    @cached_property
    def lead_lists(self) -> pd.DataFrame:
        """Family frame of sla_breached, and series ``breach``: the worst 25 SLA breaches.

        Columns of the series as in `lead_lists.breach_list`. Constant: ``is_redacted`` (then no
        lead is listed).
        """
        longest = 0 if self.params.redact else LISTED_BREACHES
        found = self._once(
            "breaches", lambda: breach_list(self.lead_data, longest=longest), *CLOCK, *SLA, "redact"
        )
        return family(
            pick(self.groups["sla"], "sla_breached"),
            series={"breach": found},
            is_redacted=self.params.redact,
            missing=self._sla_terms["missing"],
        )

    @cached_property
    def data_quality(self) -> pd.DataFrame:
        """What the numbers are based on, one row per fact; see `data_quality.data_quality`."""
        return data_quality(
            ledgers=self.ledgers,
            inputs=self.tables.inputs_with_assumptions,
            resolved=self.resolved_params,
            metrics=flagged(self.groups.values()),
            params=self.params,
            channels=self._other_channels,
            currency=self.currency,
        )

    @property
    def _other_channels(self) -> pd.DataFrame | None:
        if (spend := self.tables.spend) is None:
            return None
        return self._once("channels", lambda: unnamed_channels(self.lead_data, spend))

    @cached_property
    def headline(self) -> pd.DataFrame:
        """The metrics of all leads and the rows of `changes` (these have a ``kind``).

        Constants: those of `sla`, ``currency``, ``spend_basis``.
        """
        rows = of_all_leads(self.groups.values())
        both = family(rows, series={"mqls_range": mqls_range(rows, bursts=self.phi)})
        compared = self.changes.drop(columns=["currency", *self._terms, "is_phi_known"])
        both = pd.concat([both, compared], ignore_index=True)
        terms = {"currency": self.currency, "spend_basis": basis_of(self.params.where)}
        return both.assign(**terms, **self._terms, **self._sla_terms)

    @property
    def resolved_params(self) -> dict[str, Any]:
        """Return the parameters with the values that ``auto`` and relative periods stand for."""
        leads = self.lead_data
        return {
            **self.params.with_paths(lambda path: Path(path).name).to_dict(),
            "where": self.params.shown_where,
            "sla_rules": self.params.shown_rules,
            "period": f"{leads.whole.start}..{leads.whole.end - DAY}",
            "timezone": str(leads.zone),
            "as_of": leads.as_of.at.astimezone(leads.zone).isoformat(),
            "lag_days": self.lag_days_used,
        }

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return what identifies each file that was read."""
        return self.tables.inputs
