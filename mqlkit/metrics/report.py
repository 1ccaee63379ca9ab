"""All numbers of one report, each computed once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.errors import ParamsError, unknown_name
from mqlkit.core.metrics import METRICS
from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams, located
from mqlkit.core.periods import DAY
from mqlkit.core.text import counted, day
from mqlkit.leads.build import lead_table, year_before
from mqlkit.leads.durations import Clock
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.conversion import Maturity, sql_maturity
from mqlkit.metrics.cost import (
    bucket_costs,
    cost_per_mql,
    lag_days,
    lead_to_mql,
)
from mqlkit.metrics.efficiency import cohort_efficiency, stage_efficiency
from mqlkit.metrics.families import FamilyFrames
from mqlkit.metrics.goals import kept_goals
from mqlkit.metrics.grains import CoarserFrames
from mqlkit.metrics.handoff import hand_off
from mqlkit.metrics.lead_export import export_table, exported_leads
from mqlkit.metrics.response import response_speed
from mqlkit.metrics.sla import sla_lift, sla_outcome
from mqlkit.metrics.spend import kept_spend
from mqlkit.metrics.tidy import metric_rows, pick
from mqlkit.metrics.volume import mql_volume
from mqlkit.metrics.waiting import stage_velocity
from mqlkit.sources.opening import open_source
from mqlkit.sources.tables import Tables


class Report(FamilyFrames):
    """The numbers of one report.

    Open one with `Report.read`. Its attributes are those of `FamilyFrames`.
    """

    @classmethod
    def read(cls, path: str | Path, **params: Any) -> Report:
        """Read the exports of a params file and compute the report.

        Parameters
        ----------
        path
            A params file, such as ``params/q1.yaml``. A relative ``source`` in it starts from its
            folder.
        **params
            Parameters that replace those of the file, such as ``lag_days=45``.

        Returns
        -------
        Report
            Its numbers are the same as those of ``mqlkit run``.

        Raises
        ------
        ParamsError
            When a parameter is unknown, wrong, or does not fit the data.
        SourceError
            When the exports or their description cannot be used.
        """
        chosen = ReportParams.read(Path(path)).changed(params)
        try:
            return read_report(chosen)
        except ParamsError as error:
            raise located(error, Path(path), params) from None

    def with_params(self, **params: Any) -> Report:
        """Return the report on the same source with some parameters changed.

        Parameters
        ----------
        **params
            Parameters by name, such as ``by=["campaign"]`` or ``where={"country": ["EE"]}``. A
            breakdown or filter can be any column of the export.

        Raises
        ------
        ParamsError
            When a parameter is unknown, wrong, or does not fit the data.
        """
        return read_report(self.params.changed(params), base=self.base)

    @cached_property
    def coarser(self) -> CoarserFrames:
        """What charts by bucket show at coarser grains; nothing where no page is made."""
        return CoarserFrames(self)

    def lead_table(self) -> ir.Table:
        """Return the lead table as an Ibis expression, one row per lead and pass.

        Returns
        -------
        ibis.Table
            The columns of `leads`. Timestamps are naive UTC; durations are hours.
        """
        return self._export[0]

    def leads(self) -> pd.DataFrame:
        """Return the lead table, one row per lead and pass, with all columns of the export.

        Returns
        -------
        pandas.DataFrame
            ``lead_id``; ``created_at``, ``mql_at``, ``contacted_at``, ``accepted_at``,
            ``rejected_at``, ``sql_at``, ``won_at``, ``exit_at`` (first decision) and ``due_at``
            (end of the SLA) in the time zone of the report; ``amount`` of deals that are won;
            ``rejection_reason``, ``owner``, ``source``, ``campaign``; ``hours_to_contact``,
            ``hours_to_accepted``, ``hours_to_rejected``, ``hours_to_sql`` and ``days_to_mql`` in
            calendar time; ``hours_in_stage`` (until the decision) and ``hours_waited`` (until the
            as-of date) on the clock of the SLA; ``is_in_order`` (no decision before the MQL);
            ``sla`` (met, breached, overdue, pending, unmeasurable; null where nothing that stops
            the SLA is recorded); then every other column of the
            export. Rows outside the period are included; ``where`` applies. NaN or NaT: not known,
            or not yet.

        Notes
        -----
        The export is read again with all of its columns, once per report.
        """
        return exported_leads(*self._export)

    @cached_property
    def _export(self) -> tuple[ir.Table, Clock]:
        as_of = self.lead_data.as_of.at.isoformat()
        params = replace(self.params, as_of=as_of) if self.params.as_of == "now" else self.params
        return export_table(params, base=self.base)

    def value(self, metric: str, *, bucket: str = TOTAL, by: str = "", name: str = "") -> float:
        """Return one number.

        Parameters
        ----------
        metric
            Its name in the glossary, such as ``sla_attainment``.
        bucket
            A bucket such as ``2026-01``; the period when left out.
        by, name
            A breakdown of the report and one of its values; all leads when left out.

        Returns
        -------
        float
            NaN where the data does not tell it.

        Raises
        ------
        ParamsError
            When there is no such metric, bucket or breakdown value in the report.
        """
        if metric not in METRICS:
            raise ParamsError(unknown_name("report.value", "metric", metric, list(METRICS)))
        rows = self.metrics[self.metrics["metric"] == metric]
        for column, wanted in (("bucket", bucket), ("by", by), ("name", name)):
            known = [str(label) for label in rows[column].unique()]
            if known and wanted not in known:
                raise ParamsError(unknown_name("report.value", column, wanted, known))
            rows = rows[rows[column] == wanted]
        return float(rows["value"].iloc[0]) if len(rows) else float("nan")

    def __repr__(self) -> str:
        """Return five lines: title, period and as-of date, rows, headline, what to ask next."""
        leads = self.lead_data
        totals = pick(self.metrics, "mqls", "sqls")
        mqls, sqls = (
            counted(float(totals["value"][totals["metric"] == name].iloc[-1]), label)
            for name, label in (("mqls", "MQL"), ("sqls", "SQL"))
        )
        read = ", ".join(
            f"{name} {counted(ledger.used, 'row')}" for name, ledger in self.ledgers.items()
        )
        span = f"{day(leads.whole.start)} – {day(leads.whole.end - DAY)}, by {self.params.grain}"
        return (
            f"Report: {self.params.title}\n"
            f"  period: {span}, as of {day(leads.as_of.on)} ({leads.zone})\n"
            f"  read:   {read}\n"
            f"  found:  {mqls}, {sqls}, by {', '.join(self.params.by) or 'no breakdown'}\n"
            "  see:    report.metrics, report.value(metric), report.leads(), mk.charts"
        )


def read_report(params: ReportParams, *, base: Path | None = None) -> Report:
    """Read a report's exports and compute its numbers.

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
    leads = lead_table(
        opened.tables, params, zone=opened.zone, reader=opened.reader, shared=opened.shared
    )
    return replace(compute_report(leads, opened.tables), base=base)


def compute_report(leads: LeadTable, tables: Tables, *, is_for_page: bool = True) -> Report:
    """Compute every number of a lead table."""
    params = leads.params
    spend = kept_spend(tables.spend, params.where)
    currency = None if spend is None else tables.currency
    goals = kept_goals(tables.goals, params.where)
    tables = replace(tables, spend=spend, currency=currency, goals=goals)
    maturity = sql_maturity(leads)
    groups = {
        "volume": mql_volume(leads, goals=goals, spend=spend),
        "handoff": hand_off(leads),
        "efficiency": stage_efficiency(leads, maturity=maturity),
        "waiting": stage_velocity(leads),
        "sla": pd.concat(
            [sla_outcome(leads), sla_lift(leads, maturity=maturity)], ignore_index=True
        ),
        "response": response_speed(leads),
        "lag": lead_to_mql(leads),
    }
    lag = lag_days(leads, groups["lag"])
    if spend is not None:
        groups["cost"] = cost_per_mql(leads, spend=spend, lag=lag)
    past = year_before(leads, lag)
    before = None if past is None else _compared(past, tables, maturity=maturity, lag=lag)
    return Report(params, leads, tables, groups, before, lag, maturity, is_for_page=is_for_page)


def _compared(leads: LeadTable, tables: Tables, *, maturity: Maturity, lag: int) -> pd.DataFrame:
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
