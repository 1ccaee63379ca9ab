"""Verdicts on SLA attainment and its trend."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from mqlkit.core.text import (
    bucket_name,
    count,
    counted,
    duration,
    percent,
)
from mqlkit.metrics.changes import Run, lower_run, pace_run
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.base import BAD, GOOD, PLAIN, Totals, Verdict, _small


class SlaTerms(NamedTuple):
    """The SLA of a frame: in words, in hours, the hours of a day, and the event that stops it."""

    words: str
    hours: float
    day_hours: float
    stops_on: str

    @classmethod
    def of(cls, rows: pd.DataFrame) -> SlaTerms:
        """Return the terms that are constants of a family frame."""
        names = ("sla", "sla_hours", "day_hours", "sla_stops_on")
        return cls(*(constant(rows, name) for name in names))


def attainment(rows: pd.DataFrame) -> Verdict:
    """Return SLA attainment, the number of breaches, and mean time in stage against the SLA.

    Parameters
    ----------
    rows
        `Report.sla`.
    """
    sla = SlaTerms.of(rows)
    total = Totals(rows)
    attained, n = total.value("sla_attainment"), total.n("sla_attainment")
    act = "contact" if sla.stops_on == "contact" else "decide on"
    if not total.is_recorded("sla_attainment"):
        return Verdict("The data records no contact by sales, so the SLA cannot be measured.")
    if n == 0:
        return Verdict(f"No MQL has met or breached the SLA of {sla.words} yet.")
    breached, open_now = total.value("sla_breached"), total.value("sla_past_due")
    share = f"{percent(attained)} met the SLA ({total.interval('sla_attainment')})"
    lost = f"{counted(breached, 'lead')} breached it" if breached else "No lead breached it"
    still = ""
    if open_now:
        still = f", of which {count(open_now)} {'is' if open_now == 1 else 'are'} open and overdue"
    return Verdict(
        f"{_pace(total, sla)} Sales has {sla.words} to {act} an MQL: {share}. "
        f"{lost}{still}.{_small(n)}".lstrip(),
        GOOD if breached == 0 else BAD,
    )


def _pace(total: Totals, sla: SlaTerms) -> str:
    mean = total.value("hours_in_stage_mean")
    if sla.stops_on == "contact" or math.isnan(mean):
        return ""
    is_days = sla.hours >= 2 * sla.day_hours
    unit, size = ("days", sla.day_hours) if is_days else ("hours", 1)
    unit = f"working {unit}" if sla.day_hours != 24 else unit
    # A mean just over the SLA must not be rounded to the SLA.
    digits = 2 if 0 < mean - sla.hours < size / 20 else 1
    limit = f"{sla.hours / size:g}"
    return f"Sales takes {mean / size:.{digits}f} {unit} on average against an SLA of {limit}."


def trend(rows: pd.DataFrame) -> Verdict | None:
    """Return since when mean time in stage has exceeded the SLA, and attainment has been lower.

    Parameters
    ----------
    rows
        `Report.sla`. Mean time in stage is left out if the SLA stops on contact.

    Returns
    -------
    Verdict or None
        See `pace_run` and `lower_run`; None if neither finds a run.
    """
    if rows.empty:
        return None
    sla = SlaTerms.of(rows)
    is_contact = sla.stops_on == "contact"
    pace = None if is_contact else pace_run(rows, sla_hours=sla.hours)
    lower = lower_run(rows)
    text = [*([_pace_run(pace, sla)] if pace else []), *([_lower_run(lower)] if lower else [])]
    is_bad = bool(lower) or (pace is not None and pace.level > sla.hours)
    return Verdict(" ".join(text), BAD if is_bad else PLAIN) if text else None


def _pace_run(run: Run, sla: SlaTerms) -> str:
    first, last, follows = (bucket_name(b) if b else "" for b in (run.first, run.last, run.follows))
    side = "over" if run.level > sla.hours else "within"
    now = _taken(run.level, sla)
    when = f"since {first}" if follows else f"in every bucket shown, from {first}"
    text = f"Mean time in stage has been {side} the SLA of {sla.words} {when}"
    change = "" if math.isnan(run.before) else f", after {_taken(run.before, sla)} in {follows}"
    return f"{text}: {now} in {last}{change}."


def _taken(hours: float, sla: SlaTerms) -> str:
    words = duration(hours, day_hours=sla.day_hours)
    # A mean just over the SLA must not look equal to it.
    is_equal = words == duration(sla.hours, day_hours=sla.day_hours)
    unit = "hours" if sla.day_hours == 24 else "working hours"
    return f"{hours:,.2f} {unit}" if is_equal else words


def _lower_run(run: Run) -> str:
    return (
        f"SLA attainment has been lower in every bucket since {bucket_name(run.first)}: "
        f"{percent(run.level)}, against {percent(run.before)} before."
    )
