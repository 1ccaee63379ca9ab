"""Rewrite the tables that come from the code: ``python docs/update_tables.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import FLAGS
from mqlkit.sources.formats import formats

DOCS = Path(__file__).parent
TABLE = re.compile(r"(?<=<!-- table: )(\w+)( -->\n).*?(?=<!-- end table -->)", re.DOTALL)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def metrics() -> str:
    """Return the table of metrics."""
    rows = [(f"`{name}`", m.label, m.unit, m.definition) for name, m in METRICS.items()]
    return markdown(("metric", "label", "unit", "definition"), rows)


def sources() -> str:
    """Return the table of publications, each with the metrics that follow it."""
    cited = dict.fromkeys(m.source for m in METRICS.values() if m.source != "mqlkit")
    rows = [
        (source, ", ".join(f"`{name}`" for name, m in METRICS.items() if m.source == source))
        for source in cited
    ]
    return markdown(("source", "metrics"), rows)


def flags() -> str:
    """Return the table of flags."""
    return markdown(("flag", "means"), [(f"`{flag}`", means) for flag, means in FLAGS.items()])


def export_formats() -> str:
    """Return the table of export formats, as `mqlkit formats` lists them."""
    rows = [(f"`{f.name}`", f.title, f.table, ", ".join(f.languages)) for f in formats().values()]
    return markdown(("format", "export", "table", "languages"), rows)


def format_facts() -> str:
    """Return the table of where the facts of each format are from, and what is not confirmed."""
    rows = [
        (f"`{f.name}`", f"{f.based_on}.", " ".join(f.unconfirmed))
        for f in formats().values()
        if f.name != "plain"
    ]
    return markdown(("format", "based on", "not confirmed"), rows)


TABLES = {
    "metrics": metrics,
    "sources": sources,
    "flags": flags,
    "formats": export_formats,
    "format_facts": format_facts,
}


def updated(text: str) -> str:
    """Return a page with its generated tables as they should be."""
    return TABLE.sub(lambda match: f"{match[1]}{match[2]}\n{TABLES[match[1]]()}\n", text)


if __name__ == "__main__":
    for page in DOCS.glob("*.md"):
        page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")
