"""The headline: the few figures a leader reads, each with its context and its verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from mqlkit.params import ReportParams
from mqlkit.sentences import BAD, GOOD, Totals, Verdict, immature_buckets, judge_volume
from mqlkit.terms import SMALL_N
from mqlkit.wording import brief, count, counted, exactly, money, percent


@dataclass(frozen=True)
class Figure:
    """One headline figure: its name, value, a line of context and the verdict on it."""

    name: str
    value: str
    context: str
    verdict: Verdict


def headline(rows: pd.DataFrame, params: ReportParams, *, currency: str) -> list[Figure]:
    """Return the headline figures, in the order of the argument.

    Parameters
    ----------
    rows
        All tidy rows of the report.
    params, currency
        As in `numbers.Numbers`.
    """
    total = Totals(rows)
    figures = [_volume_figure(total, rows), _efficiency_figure(total, rows)]
    if not math.isnan(total.value("hours_in_stage_mean")):
        figures.append(_velocity_figure(total, params))
    if total.n("sla_attainment"):
        figures.append(_sla_figure(total))
    if not math.isnan(total.value("cost_per_mql")):
        figures += _cost_figures(total, currency)
    return figures


def _volume_figure(total: Totals, rows: pd.DataFrame) -> Figure:
    goal, mqls = total.value("goal"), total.value("mqls")
    tone = judge_volume(rows).tone
    if math.isnan(goal):
        return Figure("MQLs", count(mqls), "no goal given", Verdict("Goal not known"))
    gap = mqls - goal
    words = "Enough" if tone == GOOD else f"{exactly(-gap)} too few" if gap < 0 else "Enough"
    if "in-progress" in total.flags("mqls"):
        words = "On pace" if tone == GOOD else "Behind the pace"
    context = f"{percent(mqls / goal if goal else math.nan)} of {exactly(goal)}"
    return Figure("MQLs", count(mqls), context, Verdict(words, tone))


def _efficiency_figure(total: Totals, rows: pd.DataFrame) -> Figure:
    n = total.n("efficiency")
    young = immature_buckets(rows)
    note = "Too few to judge" if n < SMALL_N else "Will still rise" if young else "Mature"
    context = f"95% interval {total.interval('efficiency')}" if n else "no MQL to count"
    return Figure("MQL → SQL", percent(total.value("efficiency")), context, Verdict(note))


def _velocity_figure(total: Totals, params: ReportParams) -> Figure:
    mean = total.value("hours_in_stage_mean")
    n = total.n("hours_in_stage_mean")
    is_slow = mean > params.sla_hours
    verdict = Verdict(f"Over the SLA of {params.sla_words}", BAD)
    if not is_slow:
        verdict = Verdict(f"Within the SLA of {params.sla_words}", GOOD)
    if params.sla_stops_on == "contact":
        # The SLA is then on another wait than this one.
        verdict = Verdict("Until the decision")
    if n < SMALL_N:
        verdict = Verdict("Too few to judge")
    return Figure(
        "Mean wait",
        brief(mean, day_hours=params.day_hours),
        f"of {counted(n, 'lead')} that left",
        verdict,
    )


def _sla_figure(total: Totals) -> Figure:
    breached = total.value("sla_breached")
    kept = (
        Verdict("SLA kept", GOOD)
        if breached == 0
        else Verdict(f"{counted(breached, 'lead')} late", BAD)
    )
    if total.n("sla_attainment") < SMALL_N:
        kept = Verdict("Too few to judge")
    return Figure(
        "SLA attainment",
        percent(total.value("sla_attainment")),
        f"95% interval {total.interval('sla_attainment')}",
        kept,
    )


def _cost_figures(total: Totals, currency: str) -> list[Figure]:
    spend, wasted = total.value("spend"), total.value("wasted_cost")
    figures = [
        Figure(
            "Cost per MQL",
            money(total.value("cost_per_mql"), currency),
            f"{money(spend, currency)} spent",
            Verdict("An average, for trends"),
        )
    ]
    if not math.isnan(wasted):
        is_any = wasted > 0
        figures.append(
            Figure(
                "Wasted on late leads",
                money(wasted, currency),
                f"{counted(total.value('sla_breached'), 'late lead')} × cost",
                Verdict(f"{percent(wasted / spend)} of spend", BAD)
                if is_any and spend
                else Verdict("None", GOOD),
            )
        )
    return figures
