"""An executed notebook as one self-contained HTML file, without network requests."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mqlkit import __version__
from mqlkit.core.params import ReportParams
from mqlkit.pages.assets import METADATA, asset, page_script, template
from mqlkit.views.theme import CHART_TYPE, dark_charts


@dataclass
class Charts:
    """The charts of a page, numbered in order, and the data that the page's script needs."""

    params: ReportParams
    specs: dict[str, Any] = field(default_factory=dict)

    def add(self, spec: dict[str, Any]) -> str:
        """Add a chart and return its id."""
        name = f"chart-{len(self.specs) + 1}"
        kept = {k: v for k, v in spec.items() if k != "$schema"}
        self.specs[name] = {**_with_packed_rows(kept), "width": "container"}
        return name

    def to_json(self) -> str:
        """Return the charts as JSON that is safe inside a script element."""
        page = {"charts": self.specs, "grain": self.params.grain}
        text = json.dumps(page, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return (
            text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        )


def _with_packed_rows(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a chart with its rows packed, and those of its coarser grains."""
    packed = {name: _packed(rows) for name, rows in spec.get("datasets", {}).items()}
    found = {**spec, "datasets": packed}
    meta = spec.get("usermeta", {})
    if "grains" in meta:
        coarser = {g: part and _with_packed_rows(part) for g, part in meta["grains"].items()}
        found["usermeta"] = {**meta, "grains": coarser}
    return found


def _packed(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows with each column name only once, which halves the charts' data."""
    columns = list(rows[0]) if rows else []
    return {"columns": columns, "rows": [list(row.values()) for row in rows]}


@dataclass
class Block:
    """A group on the page: charts, the sentences next to them, and the tables below."""

    charts: list[Any] = field(default_factory=list)
    words: list[Any] = field(default_factory=list)
    tables: list[Any] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Return the layout of the block."""
        if self.charts:
            return "pair" if self.words else "solo" if len(self.charts) == 1 else "many"
        return "words" if self.words else "plain"

    def takes(self, kind: str) -> bool:
        """Return whether the next part, of this kind, belongs to this block."""
        if kind == "tables":
            return not self.other
        if self.tables or self.other:
            return False
        # A sentence has one chart; charts without a sentence share a row.
        return not self.charts or (kind == "charts" and not self.words)


def blocks(outputs: Any) -> list[Block]:
    """Return the outputs of a cell, grouped for the page."""
    found: list[Block] = []
    for output in outputs:
        if output.output_type not in ("display_data", "execute_result"):
            continue
        kind = _kind(output)
        if kind == "other" or not found or not found[-1].takes(kind):
            found.append(Block())
        getattr(found[-1], kind).append(output.data)
    return found


def _kind(output: Any) -> str:
    """Return the list of `Block` that an output belongs to; a user's own chart is a chart."""
    kind = output.metadata.get(METADATA, {}).get("kind", "other")
    if CHART_TYPE in output.data:
        kind = "chart"
    return {"chart": "charts", "words": "words", "table": "tables"}.get(kind, "other")


def shown_cells(notebook: Any) -> list[Any]:
    """Return the cells of a notebook without headings that have no output.

    A part that the data is not sufficient for has no output.
    """
    cells = list(notebook.cells)
    after = [*cells[1:], None]
    return [
        cell
        for cell, answer in zip(cells, after, strict=True)
        if cell.cell_type != "markdown"
        or answer is None
        or answer.cell_type != "code"
        or cell.source.startswith("## ")
        or blocks(answer.outputs)
    ]


def sections(notebook: Any) -> list[tuple[str, str]]:
    """Return id and title of each section of a notebook.

    A section starts with a level 2 heading in the first line of a Markdown cell.
    """
    titles = [
        cell.source.splitlines()[0].removeprefix("## ")
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.source.startswith("## ")
    ]
    return [(f"section-{i}", title) for i, title in enumerate(titles, 1)]


def policy(script: str) -> str:
    """Return a Content-Security-Policy that allows this script and no request."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


class Page:
    """The page of a report, to be rendered when the notebook has been executed.

    The template is compiled and the script is made beforehand, while the kernel works.

    Parameters
    ----------
    params
        The report, for the page's title and language.
    """

    def __init__(self, params: ReportParams) -> None:
        self._params = params
        self._script = page_script()
        self._template = template("page.html.j2", markdown=_markdown, blocks=blocks)

    def render(self, notebook: Any, *, made_at: str) -> str:
        """Return the page as HTML.

        Parameters
        ----------
        notebook
            The executed notebook (nbformat node).
        made_at
            The time shown in the footer, the only one on the page.
        """
        page = {
            "title": self._params.title,
            "language": self._params.language,
            "running_title": _css_text(self._params.title),
            "made_at": made_at,
            "version": __version__,
            "style": asset("page.css") + dark_charts(),
            "cells": shown_cells(notebook),
            "sections": sections(notebook),
            "script": self._script,
            "policy": policy(self._script),
            "charts": Charts(self._params),
            "chart_type": CHART_TYPE,
        }
        return self._template.render(page=page)


def _css_text(text: str) -> str:
    r"""Return text escaped for a string in a style sheet.

    >>> _css_text('Q1 "</style>')
    'Q1 \\22 \\3c \\2f style\\3e '
    """
    return "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text)


def _markdown(text: str) -> str:
    """Return Markdown as HTML, without nbconvert's anchors on headings."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))
