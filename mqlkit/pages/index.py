"""The index page of a folder of reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mqlkit.core.metrics import METRICS
from mqlkit.core.text import as_of_day, count, counted, day, money, percent
from mqlkit.metrics.limits import broken, figures_of, label_of
from mqlkit.pages.assets import asset
from mqlkit.pages.metrics_file import read_metrics

SHOWN = {
    "mqls": "MQLs",
    "goal_attainment": "of the goal",
    "efficiency": "MQL→SQL conversion{}",
    "sla_attainment": "SLA attainment",
    "cost_per_mql": "Cost per MQL",
    "wasted_cost": "Wasted on breaches",
}


@dataclass(frozen=True)
class Entry:
    """One report: its path in the folder without the suffix, and its ``metrics.json``."""

    place: str
    document: Mapping[str, Any]

    @property
    def age(self) -> tuple[str, str]:
        """Return the sort key: end of the period, then as-of date."""
        return str(self.document["period"]["end"]), str(self.document["as_of"])


def overview(out: Path, pattern: str = ".") -> str:
    """Return the index page of a folder of reports.

    Parameters
    ----------
    out
        The folder.
    pattern
        Glob pattern of the reports' folders, relative to ``out``.
    """
    paths = sorted(out.glob(f"{pattern}/*.metrics.json"))
    found = [entry for path in paths if (entry := _entry(path, out))]
    found.sort(key=lambda entry: (entry.age, entry.place), reverse=True)
    items = [text for entry in found if (text := _shown(entry))]
    head = f"<h1>Reports</h1><p>{counted(len(items), 'report')}, the newest period first.</p>"
    body = f'{head}<ul class="reports">{"".join(items)}</ul>'
    return _page("Reports", body, style=asset("index.css"))


def _entry(path: Path, out: Path) -> Entry | None:
    """Return a report; None if the file is not a report's ``metrics.json`` or has no page."""
    place = path.relative_to(out).as_posix().removesuffix(".metrics.json")
    try:
        document = read_metrics(path)
    except (ValueError, OSError):
        return None
    is_ours = isinstance(document, dict) and {"title", "as_of", "period"} <= document.keys()
    return Entry(place, document) if is_ours and (out / f"{place}.html").is_file() else None


def _shown(entry: Entry) -> str:
    """Return a report as a list item; an empty text if the file is malformed."""
    document = entry.document
    try:
        period, figures = document["period"], figures_of(document)
        first = date.fromisoformat(period["start"])
        last = date.fromisoformat(period["end"]) - timedelta(days=1)
        on = as_of_day(document["as_of"])
        params, currency = document["params"], str(document.get("currency") or "")
        days = params.get("within_days")
        limit = "" if days is None else f" within {counted(days, 'day')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    facts = f"{day(first)} – {day(last)} · as of {day(on)}"
    known = [figures.get(name) for name in SHOWN]
    shown = "".join(
        f"<div><dt>{label.format(limit)}</dt>"
        f"<dd>{escape(_figure(name, value, currency))}</dd></div>"
        for (name, label), value in zip(SHOWN.items(), known, strict=True)
        if value is not None
    )
    return (
        f'<li><h2><a href="{quote(entry.place)}.html">{escape(str(document["title"]))}</a></h2>'
        f"<p>{escape(facts)}</p>{_status(params, figures)}<dl>{shown}</dl></li>"
    )


def _figure(name: str, value: float, currency: str) -> str:
    unit = METRICS[name].unit
    if unit in ("share", "ratio"):
        return percent(value)
    return money(value, currency) if unit.startswith("money") else count(value)


def _status(params: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Return the state of the limits: which are broken."""
    limits = {kind: params.get(kind) or {} for kind in ("fail_on", "warn_on")}
    over = {kind: [label_of(name) for name in broken(limits[kind], figures)] for kind in limits}
    if over["fail_on"]:
        return _mark("bad", "!", f"Limit broken: {', '.join(over['fail_on'])}")
    if over["warn_on"]:
        return _mark("bad", "!", f"Warning: {', '.join(over['warn_on'])}")
    return _mark("good", "✓", "Within limits") if any(limits.values()) else ""


def _mark(tone: str, sign: str, words: str) -> str:
    mark = f'<span class="mark" aria-hidden="true">{sign}</span>'
    return f'<p class="{tone}">{mark} {escape(words)}</p>'


def _page(title: str, body: str, *, style: str) -> str:
    """Return a page without a script, with the style sheet of the reports."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\"><title>{escape(title)}</title>"
        f"<style>{asset('page.css')}{style}</style></head><body><main>{body}</main></body></html>\n"
    )
