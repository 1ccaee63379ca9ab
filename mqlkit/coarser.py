"""Coarser grains of a report: which there are, and which bucket lies in which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mqlkit.periods import MONTHS_IN, Calendar, add_months
from mqlkit.wording import bucket_name


def coarser_grains(grain: str) -> list[str]:
    """Return the grains whose buckets are made of whole buckets of a grain.

    >>> coarser_grains("month"), coarser_grains("week")
    (['quarter', 'half', 'year'], [])
    """
    if grain not in MONTHS_IN:
        return []
    return [other for other, months in MONTHS_IN.items() if months > MONTHS_IN[grain]]


def bucket_map(
    labels: Sequence[str], grain: str, calendar: Calendar
) -> dict[str, dict[str, list[str]]]:
    """Return for each coarser grain the bucket that each bucket lies in, with its name.

    Examples
    --------
    >>> bucket_map(["2026-03", "2026-04"], "month", Calendar())["quarter"]
    {'2026-03': ['2026-Q1', 'Q1 26'], '2026-04': ['2026-Q2', 'Q2 26']}
    """
    wider = coarser_grains(grain)
    # Weeks lie across the ends of months: they are in no coarser bucket.
    starts = {label: _start(label, grain, calendar) for label in labels} if wider else {}
    found = {}
    for coarse in wider:
        of = {
            label: calendar.label(calendar.start_of(start, coarse), coarse)
            for label, start in starts.items()
        }
        found[coarse] = {label: [wide, bucket_name(wide)] for label, wide in of.items()}
    return found


def _start(label: str, grain: str, calendar: Calendar) -> date:
    year, _, part = label.partition("-")
    if grain == "month":
        return date(int(year), int(part), 1)
    units = int(part[1:]) - 1 if part else 0
    return add_months(calendar.first_of_year(int(year)), units * MONTHS_IN[grain])
