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
from mqlkit.core.text import brief, bucket_name, count, exactly, money, percent
from mqlkit.metrics.changes import latest
from mqlkit.metrics.tidy import complete, constant, pick
from mqlkit.views.claims import (
    BAD,
    GOOD,
    PLAIN,
    SIGNED_RANGE,
    Cells,
    Quantity,
    Range,
    Verdict,
    is_young,
)
from mqlkit.views.labels import are, within_days
from mqlkit.views.sparkline import Spark
from mqlkit.views.tables.changes import NOT_COMPARED
from mqlkit.views.verdicts.base import immature_buckets
from mqlkit.views.verdicts.sla import SlaTerms, attainment, status_of
from mqlkit.views.verdicts.volume import goal, short_words

MEDIAN = "hours_in_stage_km_median"
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
    total = Cells(rows, currency=currency, day_hours=sla.day_hours, is_dated=sla.is_dated)
    show = partial(_over_time, rows, None if changes is None else _latest_changes(changes))
    amount = partial(money, currency=currency)
    figures = [show(_volume_figure(total, rows), "mqls", count, ENOUGH, against=_goals(rows))]
    if total.is_recorded("efficiency"):
        figures.append(show(_efficiency_figure(total, rows), "efficiency", percent, IN_TIME))
    if total.n(MEDIAN):
        # An SLA on the first contact, or by rule, does not apply to time in stage.
        against = [] if sla.stops_on == "contact" or sla.n_rules else [sla.hours]
        words = partial(brief, day_hours=sla.day_hours, is_dated=sla.is_dated)
        figures.append(show(_waiting_figure(total), MEDIAN, words, IN_TIME, against=against))
    if total.n("sla_attainment"):
        figures.append(show(_sla_figure(total, frame), "sla_attainment", percent, IN_TIME))
    if not math.isnan(total.value("cost_per_mql")):
        of = ("cost_per_mql", "wasted_cost")
        pairs = zip(_cost_figures(total, frame), of, strict=False)
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
    is_complete: bool


def _points(rows: pd.DataFrame, metric: str) -> list[Point]:
    part = pick(rows, metric)
    is_complete = part["bucket"].isin(complete(rows, metric)["bucket"])
    every = map(Point, part["bucket"], part["value"], part["flags"], is_complete)
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
        is_open = is_young(last.flags)
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
    over = [point for point in known if point.is_complete][-2:]
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
    if "part-bucket" in row["flags"] and row["is_complete"]:
        return f"{start}; {then} lies only partly in the period"
    if why:
        return f"{start}, {why} to compare" if why.startswith("too ") else f"{start} ({why})"
    if not row["is_clear"]:
        unit = "points" if row["unit"] == "share" else row["unit"]
        currency = row["currency"]
        low, high = (Quantity(row[end], unit, currency=currency) for end in ("low", "high"))
        return f"{start}, no clear change from {then} ({Range(low, high, SIGNED_RANGE)})"
    size = abs(row["difference"])
    extent = f"{size * 100:.1f} points" if row["unit"] == "share" else words(size)
    return f"{start}, {'up' if row['difference'] > 0 else 'down'} by {extent} from {then}"


def _volume_figure(total: Cells, rows: pd.DataFrame) -> Figure:
    mqls, wanted = total.figure("mqls"), total.value("goal")
    if math.isnan(wanted):
        has_part = pick(rows, "goal")["value"].notna().any()
        context = "the goals cover only part of the period" if has_part else "no goal is set"
        return Figure("MQLs", count(mqls.value), context, Verdict("No goal for the period"))
    judged = goal(rows)
    context = f"{percent(mqls.value / wanted)} of {exactly(wanted)}" if wanted else "goal of 0"
    return Figure("MQLs", count(mqls.value), context, Verdict(short_words(judged), judged.tone))


def _efficiency_figure(total: Cells, rows: pd.DataFrame) -> Figure:
    n = total.n("efficiency")
    young = immature_buckets(rows)
    within = within_days(rows)
    still = "Can still change" if within else "Can still rise"
    note = "Too few to judge" if n < SMALL_N else still if young else "Mature"
    name = f"MQL→SQL within {within}" if within else "MQL→SQL conversion"
    if not n:
        early = f"the {within} of no MQL {are(within)} over"
        context = early if total.value("mqls") > 0 else "no MQLs"
        return Figure(name, "Not known yet", context, Verdict(note))
    context = _confidence(total.interval("efficiency"))
    return Figure(name, percent(total.value("efficiency")), context, Verdict(note))


def _confidence(interval: Range) -> str:
    return f"{interval} with 95% confidence"


def _waiting_figure(total: Cells) -> Figure:
    """Return the median with open MQLs included; the mean leaves out the longest waits."""
    median, mean = total.figure(MEDIAN), total.figure("hours_in_stage_mean")
    few = total.n(MEDIAN) < SMALL_N
    left = total.figure("hours_in_stage_mean", "n")
    is_known = not math.isnan(median.value)
    shown = partial(brief, day_hours=median.day_hours, is_dated=median.is_dated)
    mean_words = "" if math.isnan(mean.value) else f"; mean {shown(mean.value)}"
    return Figure(
        f"Median {'' if median.day_hours == 24 else 'working '}time in stage",
        shown(median.value) if is_known else "Not reached",
        f"{left:MQL} left{mean_words}",
        Verdict("Too few to judge" if few else "Open MQLs included"),
    )


def _sla_figure(total: Cells, frame: pd.DataFrame) -> Figure:
    breached = total.figure("sla_breached")
    is_few = total.n("sla_attainment") < SMALL_N
    words = "Too few to judge" if is_few else "SLA met"
    tone = attainment(frame).tone
    verdict = Verdict(f"{breached:SLA breach}" if breached.value else words, tone)
    return Figure(
        "SLA attainment",
        percent(total.value("sla_attainment")),
        _confidence(total.interval("sla_attainment")),
        verdict,
    )


def _cost_figures(total: Cells, frame: pd.DataFrame) -> list[Figure]:
    spend, wasted = total.figure("spend"), total.figure("wasted_cost")
    is_filtered = "spend-not-filtered" not in total.flags("cost_per_mql")
    over = f"{spend} over {total.figure('mqls'):MQL}"
    basis = constant(frame, "spend_basis", "") or "total spend"
    figures = [
        Figure(
            "Cost per MQL",
            total.figure("cost_per_mql").words,
            over if is_filtered else f"{basis} ÷ filtered leads: {over}",
            Verdict("An average, for trends" if is_filtered else "Spend is not filtered"),
        )
    ]
    if not math.isnan(wasted.value):
        figures.append(_waste_figure(total, spend, wasted))
    return figures


def _waste_figure(total: Cells, spend: Quantity, wasted: Quantity) -> Figure:
    breached = total.figure("sla_breached")
    verdict = Verdict("None", GOOD if status_of(total) == GOOD else PLAIN)
    if "spend-not-filtered" in total.flags("wasted_cost"):
        verdict = Verdict("Spend is not filtered")
    elif wasted.value > 0 and spend.value:
        tone = BAD if status_of(total) == BAD else PLAIN
        verdict = Verdict(f"{percent(wasted.value / spend.value)} of spend", tone)
    return Figure("Wasted on breaches", wasted.words, f"{breached:SLA breach} × cost", verdict)
