"""Verdicts: the numbers in a sentence, true to what they say and to how sure they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mqlkit.params import ReportParams
from mqlkit.sources.ledger import Ledger
from mqlkit.terms import BOTH, FLOW, HBR, SET_ASIDE_REASONS, SMALL_N
from mqlkit.tidy import pick
from mqlkit.wording import (
    between,
    bucket_name,
    count,
    counted,
    duration,
    exactly,
    listed,
    money,
    percent,
)

GOOD, BAD, PLAIN = "good", "bad", "plain"
READ = ("value", "n", "low", "high", "flags")


@dataclass(frozen=True)
class Verdict:
    """One statement of the page; its tone (good, bad, plain) is marked by more than colour."""

    text: str
    tone: str = PLAIN


class Totals:
    """The rows of all leads over the whole period, by metric."""

    def __init__(self, rows: pd.DataFrame, bucket: str = "total") -> None:
        found = rows[rows["bucket"] == bucket]
        read = zip(*(found[name] for name in ("metric", "segment", *READ)), strict=True)
        self._rows = {m: dict(zip(READ, of, strict=True)) for m, among, *of in read if not among}

    def value(self, metric: str) -> float:
        """Return a value; NaN where it is null or missing."""
        return float(self._rows[metric]["value"]) if metric in self._rows else math.nan

    def n(self, metric: str) -> float:
        """Return a denominator; 0 where there is none."""
        n = float(self._rows[metric]["n"]) if metric in self._rows else math.nan
        return 0.0 if math.isnan(n) else n

    def is_recorded(self, metric: str) -> bool:
        """Return whether the data could tell a metric at all: then it has a denominator, if 0."""
        return metric in self._rows and not math.isnan(self._rows[metric]["n"])

    def interval(self, metric: str) -> str:
        """Return the interval of a share; empty where it has none."""
        row = self._rows.get(metric)
        return "" if row is None or math.isnan(row["low"]) else between(row["low"], row["high"])

    def flags(self, metric: str) -> Sequence[str]:
        """Return the flags of a metric."""
        return tuple(self._rows[metric]["flags"]) if metric in self._rows else ()


def judge_volume(rows: pd.DataFrame) -> Verdict:
    """Return whether marketing produces enough, and by how many."""
    total = Totals(rows)
    mqls, goal = total.value("mqls"), total.value("goal")
    if math.isnan(goal):
        has_part = pick(rows, "goal")["value"].notna().any()
        missing = "The goals do not cover all of it." if has_part else "No goal is given for them."
        return Verdict(f"{counted(mqls, 'MQL')} in the period. {missing}")
    if "in-progress" in total.flags("mqls"):
        return _judge_so_far(total, mqls, goal)
    gap = mqls - goal
    if gap < 0:
        return Verdict(
            f"{counted(mqls, 'MQL')}: {exactly(-gap)} short of the goal of {exactly(goal)} "
            f"({percent(mqls / goal)}). Marketing must produce more.",
            BAD,
        )
    more = (
        "exactly the goal" if gap == 0 else f"{exactly(gap)} more than the goal of {exactly(goal)}"
    )
    then = "the same number will do" if gap == 0 else "fewer would have been enough"
    return Verdict(f"{counted(mqls, 'MQL')}: {more}. Marketing produces enough; {then}.", GOOD)


def _judge_so_far(total: Totals, mqls: float, goal: float) -> Verdict:
    so_far, needed = total.value("goal_to_date"), total.value("needed_per_day")
    if mqls >= goal:
        return Verdict(
            f"{counted(mqls, 'MQL')} so far: the goal of {exactly(goal)} is reached.", GOOD
        )
    words, tone = ("behind", BAD) if mqls < so_far else ("on", GOOD)
    return Verdict(
        f"{counted(mqls, 'MQL')} so far, {words} the pace of {so_far:,.1f} by now. "
        f"The goal of {exactly(goal)} needs {needed:,.1f} a day from here.",
        tone,
    )


def judge_hand_off(rows: pd.DataFrame) -> Verdict:
    """Return what sales made of the MQLs it was handed."""
    total = Totals(rows)
    accepted, rejected = total.value("accepted"), total.value("rejected")
    if math.isnan(accepted):
        return Verdict(
            "The data records neither acceptances nor rejections, so that the hand-off to sales "
            "cannot be judged. A lead leaves the MQL stage here when it becomes an SQL."
        )
    n = total.n("acceptance_rate")
    if n == 0:
        return Verdict("Sales has decided on none of the MQLs yet.")
    waiting = total.value("undecided")
    text = (
        f"Sales accepted {count(accepted)} and rejected {count(rejected)} of the MQLs: "
        f"{percent(total.value('acceptance_rate'))} of those decided "
        f"({total.interval('acceptance_rate')}). {counted(waiting, 'MQL')} "
        f"{'waits' if waiting == 1 else 'wait'} for a decision."
    )
    return Verdict(text + _small(n))


def judge_efficiency(rows: pd.DataFrame, *, maturity: float, view: str = BOTH) -> Verdict | None:
    """Return the share of MQLs that became SQLs, and which buckets are too young; not as a flow."""
    if view == FLOW:
        return None
    total = Totals(rows)
    n = total.n("efficiency")
    if n == 0:
        return Verdict("There is no MQL whose outcome could be counted.")
    text = (
        f"{percent(total.value('efficiency'))} of {counted(n, 'MQL')} have become SQLs so far "
        f"({total.interval('efficiency')}): one SQL from {total.value('mqls_per_sql'):,.1f} MQLs."
    )
    if total.value("efficiency") == 0:
        text = f"None of {counted(n, 'MQL')} has become an SQL ({total.interval('efficiency')})."
    young = immature_buckets(rows)
    if young:
        text += (
            f" Nine in ten of the conversions take up to {maturity:,.0f} days: {listed(young)} "
            f"{'is' if len(young) == 1 else 'are'} too young, and the share will still rise."
        )
    return Verdict(text + _small(n))


def immature_buckets(rows: pd.DataFrame) -> list[str]:
    """Return the names of the buckets whose efficiency will still rise."""
    cohorts = pick(rows, "efficiency")
    return [
        bucket_name(b)
        for b, flags in zip(cohorts["bucket"], cohorts["flags"], strict=True)
        if "immature" in flags and b != "total"
    ]


def judge_sla(rows: pd.DataFrame, params: ReportParams) -> Verdict:
    """Return whether sales keeps its word: attainment, and the mean wait against the SLA."""
    total = Totals(rows)
    attained, n = total.value("sla_attainment"), total.n("sla_attainment")
    act = "contact" if params.sla_stops_on == "contact" else "decide on"
    if not total.is_recorded("sla_attainment"):
        return Verdict("The data records no contact by sales, which the SLA is to be measured by.")
    if n == 0:
        return Verdict(f"No MQL tells yet whether sales keeps the SLA of {params.sla_words}.")
    breached, open_now = total.value("sla_breached"), total.value("sla_past_due")
    share = f"{percent(attained)} in time ({total.interval('sla_attainment')})"
    lost = f"{counted(breached, 'lead')} {'was' if breached == 1 else 'were'} let lie past the SLA"
    if not breached:
        lost = "No lead was let lie past it"
    still = f", {count(open_now)} of them still open" if open_now else ""
    return Verdict(
        f"{_pace(total, params)} Sales has {params.sla_words} to {act} an MQL: {share}. "
        f"{lost}{still}.{_small(n)}".lstrip(),
        GOOD if breached == 0 else BAD,
    )


def _pace(total: Totals, params: ReportParams) -> str:
    mean = total.value("hours_in_stage_mean")
    if params.sla_stops_on == "contact" or math.isnan(mean):
        return ""
    is_days = params.sla_hours >= 2 * params.day_hours
    unit, size = ("days", params.day_hours) if is_days else ("hours", 1)
    unit = f"working {unit}" if params.sla_clock == "business" else unit
    # A mean just over the SLA must not be rounded onto it.
    digits = 2 if 0 < mean - params.sla_hours < size / 20 else 1
    sla = f"{params.sla_hours / size:g}"
    against = f"Sales takes {mean / size:.{digits}f} {unit} on average against an SLA of {sla}"
    return f"{against}." if mean > params.sla_hours else f"{against}: within it on average."


def judge_velocity(rows: pd.DataFrame, *, day_hours: float = 24) -> Verdict:
    """Return how long half of the leads wait, those still waiting included."""
    total = Totals(rows)
    km, left = total.value("hours_in_stage_km_median"), total.n("hours_in_stage_mean")
    n = total.n("hours_in_stage_km_median")
    if n == 0:
        return Verdict("There is no MQL whose wait could be measured.")
    if math.isnan(km):
        return Verdict(
            f"Fewer than half of {counted(n, 'MQL')} have left the stage, so that the median wait "
            f"is not known yet; {count(left)} have left."
        )
    plain = total.value("hours_in_stage_median")
    all_leads, those_left = (duration(hours, day_hours=day_hours) for hours in (km, plain))
    return Verdict(
        f"Half of the MQLs have left the stage after {all_leads}, with those still waiting "
        f"counted in; among the {count(left)} that left, after {those_left}.{_small(n)}"
    )


def judge_response(rows: pd.DataFrame) -> Verdict:
    """Return how fast sales reacts, and what the first hour is worth in this data."""
    total = Totals(rows)
    n = total.n("contacted_within_1h")
    if math.isnan(total.value("contacted_within_1h")):
        if "day-precision" in total.flags("contacted_within_1h"):
            return Verdict(
                "The data has dates without a time of day, so that contact within the hour cannot "
                "be told."
            )
        if total.is_recorded("contacted_within_1h"):
            return Verdict("There is no MQL whose first hour is over.")
        return Verdict("The data records no contact by sales, so that its speed cannot be told.")
    text = (
        f"Sales tried to reach {percent(total.value('contacted_within_1h'))} of "
        f"{counted(n, 'MQL')} within one hour ({total.interval('contacted_within_1h')})."
    )
    lift = total.value("lift_1h")
    if not math.isnan(lift):
        row = pick(rows, "lift_1h").iloc[-1]
        text += (
            f" Those became SQL {lift:.1f} times as often as those contacted later"
            f" ({row['low']:.1f}–{row['high']:.1f}); that describes this team's data, and is no "
            "proof of cause."
        )
    return Verdict(text + _small(n))


REFERENCE = (
    "For reference, never as a forecast: of 2,241 US companies 37% answered a web lead within an "
    "hour, 16% in 1–24 hours, 24% later, 23% never; those who tried within an hour were nearly "
    f"seven times as likely to qualify the lead as those an hour later ({HBR})."
)


def judge_cost(
    rows: pd.DataFrame, params: ReportParams, *, currency: str, lag_days: int
) -> Verdict:
    """Return what an MQL cost, and what that rests on."""
    if not currency:
        return Verdict("No spend is known for these leads: what an MQL costs cannot be told.")
    total = Totals(rows)
    cost = total.value("cost_per_mql")
    how = "as set" if params.lag_days != "auto" else "measured as the mean"
    if params.lag_days == "auto" and math.isnan(total.value("lead_to_mql_days_mean")):
        how = "taken as none: no lead has both stamps to measure it by"
    lag = f"a lag of {counted(lag_days, 'day')} ({how})"
    has_some = bool(pick(rows, "cost_per_mql")["value"].notna().any())
    if math.isnan(total.value("spend")):
        return Verdict(
            f"With {lag}, the spend data does not cover the whole period: no cost is given for it "
            "rather than one that is too low. "
            + ("The buckets that it does cover are below." if has_some else "No bucket is covered.")
        )
    if math.isnan(cost):
        return Verdict("There was spend and no MQL, so that no cost per MQL can be given.")
    return Verdict(
        f"An MQL cost {money(cost, currency)}: {money(total.value('spend'), currency)} over "
        f"{counted(total.value('mqls'), 'MQL')}, with {lag}. It rests on averages, on one lag for "
        "all leads and on correlation in time: a guide to large trends, not a fact about one lead."
    )


def judge_ledgers(ledgers: Mapping[str, Ledger]) -> list[Verdict]:
    """Return what became of the rows of each table."""
    return [_judge_ledger(name, ledger) for name, ledger in ledgers.items()]


def _judge_ledger(name: str, ledger: Ledger) -> Verdict:
    if ledger.read == ledger.used:
        words = "the one row is" if ledger.read == 1 else f"all {count(ledger.read)} rows are"
        return Verdict(f"{name.capitalize()}: {words} used.", GOOD)
    why = [f"{n}: {SET_ASIDE_REASONS[r]}" for r, n in sorted(ledger.set_aside.items())]
    return Verdict(
        f"{name.capitalize()}: {count(ledger.used)} of {counted(ledger.read, 'row')} are used, "
        f"{count(ledger.set_aside.total())} set aside ({'; '.join(why)})."
    )


def _small(n: float) -> str:
    warning = f" With only {counted(n, 'lead')} this says little; do not rank or plan by it."
    return "" if n >= SMALL_N else warning
