"""The settings of the control panel, in words and as a params file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from mqlkit.core.checks import CHECKS
from mqlkit.core.errors import ParamsError
from mqlkit.core.names import BOTH, COHORT, FLOW
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import DAY, add_months
from mqlkit.core.promises import BUSINESS
from mqlkit.core.text import counted, day, listed
from mqlkit.core.yaml_files import as_yaml
from mqlkit.metrics.report import Report
from mqlkit.metrics.sla import where_words

PRESETS = {
    "Last month": "last-month",
    "Last quarter": "last-quarter",
    "Last half-year": "last-half",
    "Last year": "last-year",
    "Last 12 months": "last-12-months",
    "This quarter": "this-quarter",
    "Year to date": "year-to-date",
}
GRAINS = {
    "Week": "week", "Month": "month", "Quarter": "quarter", "Half-year": "half", "Year": "year",
}  # fmt: skip
CLOCKS = {"Nights and weekends too": "calendar", "Working hours only": "business"}
# Which conversion is shown: only on the panel, a report shows both.
VIEWS = {"by cohort and in-period": BOTH, "by cohort": COHORT, "in-period": FLOW}
VIEW_WORDS = {
    BOTH: "",
    COHORT: " Conversion is by cohort only: SQLs count in the bucket of their MQL.",
    FLOW: " Conversion is in-period only: SQLs count in the bucket of their own date; headline and "
    "changes stay by cohort.",
}
STOPS = {"accepts or rejects": "decision", "first contacts": "contact"}
# The parameters that the panel sets, and that a table lists if there is no panel.
SETTINGS = (
    "period", "grain", "lag_days", "rolling", "sla", "sla_clock", "sla_stops_on", "work_week",
    "within_days", "by", "where",
)  # fmt: skip
FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")
TASKS = {"decision": "to accept or reject an MQL", "contact": "to contact an MQL"}


@dataclass(frozen=True)
class Offer:
    """The choices that the data offers.

    Attributes
    ----------
    values
        Columns with few values, and their values.
    first, last
        Date of the first MQL (None without any), and as-of date.
    spend_from
        First day with spend; None without spend.
    """

    values: dict[str, tuple[str, ...]]
    first: date | None
    last: date
    spend_from: date | None


def choose(params: ReportParams, chosen: Mapping[str, Any]) -> tuple[ReportParams, dict[str, str]]:
    """Return the parameters with some replaced, and the faults by parameter.

    Examples
    --------
    >>> choose(ReportParams(), {"sla": "2d"})[0].sla
    '2d'
    >>> choose(ReportParams(), {"sla": "48"})[1]
    {'sla': "sla '48' is not a duration with a unit; write for example “48h” or “2d”."}
    """
    values, faults = {}, {}
    for name, value in chosen.items():
        try:
            values[name] = CHECKS[name](value, name)
        except ParamsError as error:
            faults[name] = as_sentence(error)
    return (params if faults else replace(params, **values)), faults


def as_sentence(error: Exception) -> str:
    r"""Return an error as one sentence to show next to a control.

    >>> as_sentence(ParamsError("lag_days 3.5 is not usable.\n  Expected: a whole number"))
    'lag_days 3.5 is not usable; expected: a whole number.'
    """
    first, *others = str(error).splitlines()
    parts = dict(re.match(r"\s*(\w*):?\s*(.*)", line).groups() for line in others)  # type: ignore[union-attr, misc]
    advice = parts.get("Fix") or ("expected: " + parts["Expected"] if "Expected" in parts else "")
    text = "; ".join(part for part in (first.rstrip("."), advice) if part)
    return re.sub(r'"([^"]*)"', "“\\1”", text) + "."


def period_of(start: date, end: date) -> str:
    """Format a period as users write it, with both days included.

    >>> period_of(date(2026, 1, 1), date(2026, 3, 31))
    '2026-01..2026-03'
    >>> period_of(date(2026, 1, 5), date(2026, 2, 1))
    '2026-01-05..2026-02-01'
    """
    is_whole = start.day == 1 and (end + DAY).day == 1
    pattern = "%Y-%m" if is_whole else "%Y-%m-%d"
    return f"{start:{pattern}}..{end:{pattern}}"


def own_period(start: date | None, end: date | None) -> tuple[str, str]:
    """Return the period from one day to another, and its fault; each empty if there is none."""
    if start is None or end is None:
        return "", "The period needs a first and a last day."
    if end < start:
        return "", "The period ends before it starts: choose an earlier first day."
    return period_of(start, end), ""


def presets(params: ReportParams, offer: Offer) -> dict[str, str]:
    """Return the periods to choose from; the one that the report started with comes first."""
    found = dict(PRESETS)
    if offer.first is not None:
        found["All the data"] = period_of(add_months(offer.first, 0), offer.last)
    if params.period in found.values():
        return found
    return {f"As started: {params.period}": params.period, **found}


def lag_faults(report: Report, offer: Offer) -> dict[str, str]:
    """Return the fault of a lag that moves every bucket before the first spend."""
    if offer.spend_from is None:
        return {}
    longest = (report.lead_data.buckets[-1].start - offer.spend_from).days
    if report.lag_days_used <= max(longest, 0):
        return {}
    lag, since = counted(report.lag_days_used, "day"), day(offer.spend_from)
    fault = f"With a lag of {lag}, no bucket has spend: spend data begins on {since}"
    advice = f"; use at most {counted(longest, 'day')}" if longest >= 0 else ""
    return {"lag_days": f"{fault}{advice}."}


def in_words(report: Report, *, view: str = BOTH) -> str:
    """Return the settings of the page in sentences; ``view`` is one of `names.VIEWS`."""
    params, leads = report.params, report.lead_data
    grain = {"half": "half-year"}.get(params.grain, params.grain)
    span = f"{day(leads.whole.start)} – {day(leads.whole.end - DAY)}"
    sentences = [f"{span}, by {grain}, as of {day(leads.as_of.on)}."]
    if report.tables.spend is not None:
        how = " (measured)" if params.lag_days == "auto" else ""
        sentences.append(
            f"Spend is moved back by {counted(report.lag_days_used, 'day')}{how}; the rolling "
            f"cost spans {counted(params.rolling, grain)}."
        )
    sentences += _sla_in_words(params)
    if params.within_days is not None:
        sentences.append(f"SQLs count within {counted(params.within_days, 'day')} of the MQL.")
    if params.by:
        sentences.append(f"Broken down by {listed(params.by)}.")
    sentences += [f"Only {column}: {listed(kept)}." for column, kept in params.shown_where.items()]
    if report.tables.goals is None and "goals" in report.tables.ledgers:
        sentences.append("Goals are left out: none is set for exactly these leads.")
    return " ".join(sentences) + VIEW_WORDS[view]


def _sla_in_words(params: ReportParams) -> list[str]:
    clock = "" if params.sla_clock == BUSINESS else ", nights and weekends included"
    pairs = zip(params.promises, params.shown_rules, strict=False)
    rules = [f"{promise.words} for {where_words(rule['where'])}" for promise, rule in pairs]
    others = f"; by rule, {' and '.join(rules)}" if rules else ""
    found = [f"Sales has {params.sla_words} {TASKS[params.sla_stops_on]}{clock}{others}."]
    if params.has_work_clock:
        off = f", without the public holidays of {params.holidays}" if params.holidays else ""
        found.append(f"Working hours are {params.work_week}{off}.")
    return found


def settings_table(report: Report) -> dict[str, Any]:
    """Return the settings of the page by parameter."""
    resolved = report.resolved_params
    return {name: resolved[name] for name in SETTINGS}


def params_text(params: ReportParams, *, source: Path, folder: Path) -> str:
    """Return the params file of a report for ``folder``.

    It contains the parameters that differ from the defaults, and a few that are always written.
    """
    standard, always = ReportParams(), {"report", "title", "source", "period", "grain", "sla"}
    values = {**params.to_dict(), "source": Path(os.path.relpath(source, folder)).as_posix()}
    kept = {
        name: value
        for name, value in values.items()
        if name in always or value != getattr(standard, name)
    }
    return f"# Chosen in JupyterLab, on the panel of {params.report}.\n{as_yaml(kept)}"


def params_folder(start: Path) -> Path:
    """Return the folder of params files: next to the notebooks, or in the working folder."""
    return start.parent / "params" if start.name == "notebooks" else start / "params"


def write_params(params: ReportParams, name: str, *, source: Path, folder: Path) -> Path:
    """Write ``NAME.yaml`` and return its path.

    Raises
    ------
    ParamsError
        If the name is not valid, or the file exists with other content.
    """
    if not FILE_NAME.fullmatch(name):
        raise ParamsError(f"{name!r} is not a valid file name; use letters, digits, - and _.")
    path = folder / f"{name}.yaml"
    text = params_text(params, source=source, folder=folder)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise ParamsError(f"{path.name} already exists; choose another name.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def as_written(path: Path, *, view: str) -> str:
    """Return the message after a params file was written."""
    words = f"Written. To run it, in {path.parents[1]}: {command(path)}"
    both = " The report shows conversion by cohort and in-period; only the panel shows one alone."
    return words if view == BOTH else f"{words}.{both}"


def command(path: Path) -> str:
    """Return the command that runs a params file, from the folder above its own.

    >>> command(Path("/data/params/my_report.yaml"))
    'mqlkit run params/my_report.yaml'
    """
    return f"mqlkit run {path.parent.name}/{path.name}"
