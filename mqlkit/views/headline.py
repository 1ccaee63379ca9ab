"""The headline figures, each with its context, verdict, change and sparkline."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.periods import PREVIOUS
from mqlkit.core.text import brief, bucket_name, count, counted, exactly, money, percent
from mqlkit.metrics.changes import latest
from mqlkit.metrics.tidy import constant, pick
from mqlkit.views.sparkline import Spark
from mqlkit.views.tables.changes import NOT_COMPARED
from mqlkit.views.verdicts.base import BAD, GOOD, Totals, Verdict, immature_buckets
from mqlkit.views.verdicts.sla import SlaTerms
from mqlkit.views.verdicts.volume import goal as judge_goal

ENOUGH, IN_TIME, AT_COST = "Enough?", "Right leads, on time?", "At what cost?"
Words = Callable[[float], str]
Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Figure:
    """One headline figure.

    Attributes
    ----------
    name, value
        Label, and the formatted value of the whole period.
    context
        What the value is based on, or its interval.
    verdict
        The verdict in a few words.
    question
        Which of the three questions it answers.
    change
        The last complete bucket compared with the one before.
    spark
        The values by bucket; None if none is known.
    """

    name: str
    value: str
    context: str
    verdict: Verdict
    question: str = ""
    change: str = ""
    spark: Spark | None = None


def headline(frame: pd.DataFrame) -> list[Figure]:
    """Return the headline figures: volume, quality and speed, cost.

    Parameters
    ----------
    frame
        `Report.headline`. Figures show a change only if it has rows of changes.
    """
    rows, changes = _split(frame)
    sla, currency = SlaTerms.of(frame), constant(frame, "currency", "")
    total, day_hours = Totals(rows), sla.day_hours
    show = partial(_over_time, rows, None if changes is None else _latest_changes(changes))
    amount = partial(money, currency=currency)
    figures = [show(_volume_figure(total, rows), "mqls", count, ENOUGH, against=_goals(rows))]
    if total.is_recorded("efficiency"):
        figures.append(show(_efficiency_figure(total, rows), "efficiency", percent, IN_TIME))
    if not math.isnan(total.value("hours_in_stage_mean")):
        # An SLA on the first contact does not apply to time in stage.
        against = [] if sla.stops_on == "contact" else [sla.hours]
        words = partial(brief, day_hours=day_hours)
        figure = _waiting_figure(total, sla)
        figures.append(show(figure, "hours_in_stage_mean", words, IN_TIME, against=against))
    if total.n("sla_attainment"):
        figures.append(show(_sla_figure(total), "sla_attainment", percent, IN_TIME))
    if not math.isnan(total.value("cost_per_mql")):
        of = ("cost_per_mql", "wasted_cost")
        pairs = zip(_cost_figures(total, currency), of, strict=False)
        figures += [show(figure, metric, amount, AT_COST) for figure, metric in pairs]
    return figures


def _split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Split into tidy rows and rows of changes; None if the frame has none."""
    if "kind" not in frame:
        return frame, None
    is_change = frame["kind"].notna()
    changes = frame[is_change].astype({"is_clear": bool, "is_complete": bool})
    return frame[~is_change], changes.reset_index(drop=True)


class Point(NamedTuple):
    """One metric in one bucket."""

    bucket: str
    value: float
    flags: Sequence[str]


def _points(rows: pd.DataFrame, metric: str) -> list[Point]:
    part = pick(rows, metric)
    every = map(Point, part["bucket"], part["value"], part["flags"])
    return [point for point in every if point.bucket != TOTAL]


def _goals(rows: pd.DataFrame) -> list[float]:
    return [point.value for point in _points(rows, "goal")]


def _latest_changes(changes: pd.DataFrame) -> dict[str, Row | None]:
    """Return the change of the last complete bucket from the one before, by metric."""
    rows = latest(changes)
    found = rows[rows["kind"] == PREVIOUS].to_dict("records")
    return {**dict.fromkeys(changes["metric"]), **{row["metric"]: row for row in found}}


def _over_time(
    rows: pd.DataFrame,
    compared: Mapping[str, Row | None] | None,
    figure: Figure,
    metric: str,
    words: Words,
    question: str,
    *,
    against: Sequence[float] = (),
) -> Figure:
    """Return a figure with its change and its sparkline."""
    points = _points(rows, metric)
    values = tuple(point.value for point in points)
    marks = tuple(against) * len(values) if len(against) == 1 else tuple(against)
    known = [point for point in points if not math.isnan(point.value)]
    spark = None
    if known:
        first, last = known[0], known[-1]
        low, high = (words(end(point.value for point in known)) for end in (min, max))
        span = f"{bucket_name(first.bucket)} to {bucket_name(last.bucket)}"
        text = f"{figure.name}, {span}: {low} to {high}, latest {words(last.value)}"
        is_open = bool({"immature", "in-progress"} & {*last.flags})
        spark = Spark(values, marks if len(marks) == len(values) else (), text, is_open)
    change = "" if compared is None else _changed(compared, known, metric, words)
    return replace(figure, question=question, change=change, spark=spark)


def _changed(
    compared: Mapping[str, Row | None], known: Sequence[Point], metric: str, words: Words
) -> str:
    """Return the last complete bucket compared with the one before, in words."""
    row = compared.get(metric)
    if row:
        return _compared(row, words)
    # Without an interval, both values are stated and the change is not judged.
    over = [point for point in known if "in-progress" not in point.flags][-2:]
    if metric in compared or len(over) < 2:
        return ""
    then, now = over
    was = f"after {words(then.value)} in {bucket_name(then.bucket)}"
    return f"{bucket_name(now.bucket)}: {words(now.value)}, {was}"


def _compared(row: Row, words: Words) -> str:
    now, then = bucket_name(row["bucket"]), bucket_name(row["against"])
    if math.isnan(row["value"]):
        return ""
    start = f"{now}: {words(row['value'])}"
    why = next((text for flag, text in NOT_COMPARED.items() if flag in row["flags"]), "")
    if why:
        return f"{start}, {why} to compare" if why.startswith("too ") else f"{start} ({why})"
    if not row["is_clear"]:
        return f"{start}, no clear change from {then}"
    size = abs(row["difference"])
    extent = f"{size * 100:.1f} points" if row["unit"] == "share" else words(size)
    return f"{start}, {'up' if row['difference'] > 0 else 'down'} by {extent} from {then}"


def _volume_figure(total: Totals, rows: pd.DataFrame) -> Figure:
    goal, mqls = total.value("goal"), total.value("mqls")
    tone = judge_goal(rows).tone
    if math.isnan(goal):
        return Figure("MQLs", count(mqls), "no goal is set", Verdict("No goal"))
    gap = mqls - goal
    words = "Enough" if tone == GOOD else f"{exactly(-gap)} too few" if gap < 0 else "Enough"
    if "in-progress" in total.flags("mqls"):
        words = "On pace" if tone == GOOD else "Behind pace"
    context = f"{percent(mqls / goal if goal else math.nan)} of {exactly(goal)}"
    return Figure("MQLs", count(mqls), context, Verdict(words, tone))


def _efficiency_figure(total: Totals, rows: pd.DataFrame) -> Figure:
    n = total.n("efficiency")
    young = immature_buckets(rows)
    note = "Too few to judge" if n < SMALL_N else "Will still rise" if young else "Mature"
    context = _confidence(total.interval("efficiency")) if n else "no MQLs"
    return Figure("MQL→SQL conversion", percent(total.value("efficiency")), context, Verdict(note))


def _confidence(interval: str) -> str:
    return f"{interval} with 95% confidence"


def _waiting_figure(total: Totals, sla: SlaTerms) -> Figure:
    mean = total.value("hours_in_stage_mean")
    n = total.n("hours_in_stage_mean")
    median = total.value("hours_in_stage_median")
    half = brief(median, day_hours=sla.day_hours)
    is_slow = mean > sla.hours
    verdict = Verdict(f"Over the SLA of {sla.words}", BAD)
    if not is_slow:
        verdict = Verdict(f"Within the SLA of {sla.words}", GOOD)
    if sla.stops_on == "contact":
        # The SLA then applies to the time until the first contact.
        verdict = Verdict("Until the decision")
    if n < SMALL_N:
        verdict = Verdict("Too few to judge")
    return Figure(
        "Mean time in stage",
        brief(mean, day_hours=sla.day_hours),
        f"of {counted(n, 'MQL')} that left" + ("" if math.isnan(median) else f"; median {half}"),
        verdict,
    )


def _sla_figure(total: Totals) -> Figure:
    breached = total.value("sla_breached")
    verdict = Verdict("SLA met", GOOD) if breached == 0 else Verdict(_breaches(breached), BAD)
    if total.n("sla_attainment") < SMALL_N:
        verdict = Verdict("Too few to judge")
    return Figure(
        "SLA attainment",
        percent(total.value("sla_attainment")),
        _confidence(total.interval("sla_attainment")),
        verdict,
    )


def _cost_figures(total: Totals, currency: str) -> list[Figure]:
    spend, wasted = total.value("spend"), total.value("wasted_cost")
    figures = [
        Figure(
            "Cost per MQL",
            money(total.value("cost_per_mql"), currency),
            f"{money(spend, currency)} over {counted(total.value('mqls'), 'MQL')}",
            Verdict("An average, for trends"),
        )
    ]
    if not math.isnan(wasted):
        is_any = wasted > 0
        figures.append(
            Figure(
                "Wasted on breaches",
                money(wasted, currency),
                f"{_breaches(total.value('sla_breached'))} × cost",
                Verdict(f"{percent(wasted / spend)} of spend", BAD)
                if is_any and spend
                else Verdict("None", GOOD),
            )
        )
    return figures


def _breaches(n: float) -> str:
    return f"{count(n)} SLA breach{'' if n == 1 else 'es'}"
