"""Files next to the page: metrics.json, CSV files, the headline as text."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from pathlib import Path

from mqlkit.core.names import FORMULA, LAST_ALONE, RESULTS_VARIABLE
from mqlkit.core.periods import DAY
from mqlkit.core.text import counted, day, moment
from mqlkit.leads.privacy import FEWEST
from mqlkit.metrics.lead_lists import breach_lines
from mqlkit.metrics.report import Report
from mqlkit.pages.changed_leads import write_leads
from mqlkit.pages.document import facts_of, funnel_records, records_of
from mqlkit.pages.metrics_file import write_metrics
from mqlkit.pages.previous import LEADS_KEPT, previous
from mqlkit.pages.revisions import REVISIONS, write_lines
from mqlkit.sources.store import write_for_excel
from mqlkit.views.headline import Figure, headline


def safe_cell(value: object) -> object:
    """Return a cell that no spreadsheet reads as a formula.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("Web"), safe_cell(-5.0)
    ("'=HYPERLINK(1)", 'Web', -5.0)
    """
    if isinstance(value, str) and re.search(FORMULA, value):
        return f"'{value}"
    return value


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write CSV (UTF-8 with a BOM, RFC 4180) whose cells no spreadsheet reads as formulas."""
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def save_results(report: Report) -> None:
    """Write the results to the place that `mqlkit run` sets; without one, write nothing."""
    if wanted := os.environ.get(RESULTS_VARIABLE):
        place = Path(wanted)
        write_results(report, place.parent, place.name)
        write_comparison(report, place.parent, place.name)


def write_results(report: Report, folder: Path, name: str) -> list[Path]:
    """Write the files next to a report's page.

    Returns
    -------
    list of pathlib.Path
        ``NAME.metrics.json``, ``NAME.breaches.csv``, ``NAME.set-aside.csv`` and ``NAME.txt``.
    """
    metrics = folder / f"{name}.metrics.json"
    funnel = funnel_records(report.funnel)
    # Group by group: `Report.metrics` would be a second copy of all of them.
    numbers = chain.from_iterable(map(records_of, report.groups.values()))
    write_metrics(metrics, facts_of(report), numbers, funnel=funnel)
    breaches = folder / f"{name}.breaches.csv"
    write_for_excel(breach_lines(report.lead_data), breaches)
    aside = folder / f"{name}.set-aside.csv"
    rows = [(r.file, r.line, r.reason, r.text) for t in report.ledgers.values() for r in t.rows]
    write_csv(aside, ["file", "line", "reason", "text"], rows)
    headline_text = folder / f"{name}.txt"
    headline_text.write_text(summary(report), encoding="utf-8")
    return [metrics, breaches, aside, headline_text]


def write_comparison(report: Report, folder: Path, name: str) -> None:
    """Write the files that compare reports.

    ``NAME.leads.parquet`` is for the next report. ``NAME.revised.csv`` lists the leads that caused
    numbers of closed buckets to change since the last report; the runner takes the lines about
    them from ``NAME.revisions.json``.
    """
    last = previous(report)
    changed = [] if last is None else last.changed_leads
    rows = [(lead.figure, lead.bucket, lead.lead_id, lead.what) for lead in changed]
    write_csv(folder / f"{name}.revised.csv", ["figure", "bucket", "lead_id", "what"], rows)
    write_lines([] if last is None else last.revisions, folder / f"{name}{REVISIONS}")
    write_leads(report.lead_data, folder / f"{name}{LEADS_KEPT}")


REDACTED = f"no single leads, no owners, groups of fewer than {FEWEST} shown together"


def scope(report: Report) -> list[str]:
    """Return what a report covers: period, as-of date, rows, filters and redaction."""
    leads, params = report.lead_data, report.params
    last = leads.buckets[-1].end
    is_day_end = leads.as_of.at == leads.as_of.cutoff
    as_of = moment(leads.as_of.at.astimezone(leads.zone))
    facts = [
        f"{day(leads.whole.start)} – {day(last - DAY)}",
        f"as of {f'the end of {day(leads.as_of.on)}' if is_day_end else as_of} ({leads.zone})",
        counted((report.ledgers.get("leads") or report.ledgers["history"]).used, "row"),
    ]
    if any(LAST_ALONE in ledger.noted for ledger in report.ledgers.values()):
        facts.append("a single lead has timestamps in the last month before that: check as_of")
    if params.where:
        kept = "; ".join(f"{c}: {', '.join(v)}" for c, v in params.shown_where.items())
        facts.append(f"only {kept}")
    return [*facts, REDACTED] if params.redact else facts


def summary(report: Report) -> str:
    """Return the headline as text for a mail or a chat message, one line per figure."""
    figures = headline(report.headline)
    lines = [report.params.title, ", ".join(scope(report))]
    for question, members in groupby(figures, key=lambda figure: figure.question):
        lines += ["", question, *map(_line, members)]
    # Text from the data cannot start a new line.
    text = "\n".join(" ".join(line.split()) for line in lines)
    # Some mail readers show word joiners as boxes.
    return text.replace("\u2060", "") + "\n"


def _line(figure: Figure) -> str:
    words = f"- {figure.name}: {figure.value}. {figure.verdict.text} ({figure.context})."
    return f"{words} {figure.change}." if figure.change else words
