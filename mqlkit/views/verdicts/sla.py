"""Verdicts on the SLA, and since when it has been missed."""

from __future__ import annotations

import math

import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.core.text import (
    bucket_name,
    count,
    counted,
    duration,
    percent,
)
from mqlkit.metrics.changes import Run, lower_run, pace_run
from mqlkit.views.verdicts.base import BAD, GOOD, PLAIN, Totals, Verdict, _small


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


def judge_since(rows: pd.DataFrame, params: ReportParams) -> Verdict | None:
    """Return since when sales has been over the SLA on average, and has kept it less often.

    Parameters
    ----------
    rows
        Tidy rows of a report.
    params
        Its parameters. Where the SLA stops on contact the mean wait says nothing about it.

    Returns
    -------
    Verdict or None
        In the words of `pace_run` and `lower_run`; None where neither has anything to tell.
    """
    is_contact = params.sla_stops_on == "contact"
    pace = None if is_contact else pace_run(rows, sla_hours=params.sla_hours)
    lower = lower_run(rows)
    told = [*([_tell_pace(pace, params)] if pace else []), *([_tell_lower(lower)] if lower else [])]
    is_bad = bool(lower) or (pace is not None and pace.level > params.sla_hours)
    return Verdict(" ".join(told), BAD if is_bad else PLAIN) if told else None


def _tell_pace(run: Run, params: ReportParams) -> str:
    first, last, follows = (bucket_name(b) if b else "" for b in (run.first, run.last, run.follows))
    side = "over" if run.level > params.sla_hours else "within"
    now = _taken(run.level, params)
    when = f"since {first}" if follows else f"in every bucket from {first} on, the first shown"
    text = f"By the mean wait of the leads that left, sales has been {side} the SLA of"
    change = "" if math.isnan(run.before) else f", after {_taken(run.before, params)} in {follows}"
    return f"{text} {params.sla_words} {when}: {now} in {last}{change}."


def _taken(hours: float, params: ReportParams) -> str:
    words = duration(hours, day_hours=params.day_hours)
    # A mean a little over the SLA must not read as equal to it.
    is_equal = words == duration(params.sla_hours, day_hours=params.day_hours)
    unit = "hours" if params.day_hours == 24 else "working hours"
    return f"{hours:,.2f} {unit}" if is_equal else words


def _tell_lower(run: Run) -> str:
    return (
        f"In every bucket since {bucket_name(run.first)} the SLA was kept less often than before: "
        f"for {percent(run.level)} of the MQLs, against {percent(run.before)}."
    )
