"""Rows of spend that are of a week, month, quarter or year, as the header of their date says."""

from __future__ import annotations

from collections.abc import Sequence

from mqlkit.sources.files import Export
from mqlkit.sources.formats import fold
from mqlkit.sources.sql import FILE
from mqlkit.sources.title_period import title_period

# Headers in the languages of the ad platforms.
HEADERS = {
    "week": "week woche semaine semana settimana tydzień vecka viikko uge uke nädal неделя 週 주",
    "month": "month monat mois mes mese maand miesiąc mês månad måned kuukausi kuu месяц 月 월",
    "quarter": "quarter quartal trimestre kwartaal kwartał kvartal kvartali kvartaal 四半期",
    "year": "year jahr année an año anno jaar rok ano år vuosi aasta год 年",
}
SPAN_OF = {word: span for span, words in HEADERS.items() for word in words.split()}
# From the first day of a span to its last.
LENGTHS = {
    "week": "INTERVAL 6 DAY",
    "month": "INTERVAL 1 MONTH - INTERVAL 1 DAY",
    "quarter": "INTERVAL 3 MONTH - INTERVAL 1 DAY",
    "year": "INTERVAL 1 YEAR - INTERVAL 1 DAY",
}


def span_of(export: Export) -> str | None:
    """Return the span of each row: ``week``, ``month``, ``quarter``, ``year``; None for a day."""
    return SPAN_OF.get(fold(export.recognized.columns.get("date", "")))


def spread(first: str, last: str, exports: Sequence[Export]) -> tuple[str, str]:
    """Return the first and last day of each row as SQL, of its whole week, month or the like.

    Parameters
    ----------
    first, last
        What the date of the row says.
    exports
        The files of the table. A report that states its period in the title has no other days.
    """
    spans = {n: span for n, export in enumerate(exports) if (span := span_of(export))}
    if not spans:
        return first, last
    both = {n: _ends(first, span, exports[n]) for n, span in spans.items()}
    firsts = " ".join(f"WHEN {n} THEN {start}" for n, (start, _) in both.items())
    lasts = " ".join(f"WHEN {n} THEN {end}" for n, (_, end) in both.items())
    return f"CASE {FILE} {firsts} ELSE {first} END", f"CASE {FILE} {lasts} ELSE {last} END"


def _ends(first: str, span: str, export: Export) -> tuple[str, str]:
    # A week begins on the day that is written: on a Monday or a Sunday.
    start = first if span == "week" else f"CAST(date_trunc('{span}', {first}) AS DATE)"
    end = f"CAST({start} + {LENGTHS[span]} AS DATE)"
    period = title_period(text for _, text in export.before)
    if period is None:
        return start, end
    begins, stops = (f"DATE '{day}'" for day in period)
    is_inside = f"{start} <= {stops} AND {end} >= {begins}"
    return (
        f"CASE WHEN {is_inside} THEN greatest({start}, {begins}) ELSE {start} END",
        f"CASE WHEN {is_inside} THEN least({end}, {stops}) ELSE {end} END",
    )
