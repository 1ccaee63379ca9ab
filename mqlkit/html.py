"""An executed notebook as one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any

from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mqlkit import __version__
from mqlkit.dress import asset
from mqlkit.params import ReportParams
from mqlkit.theme import CHART_TYPE


@dataclass
class Charts:
    """The charts of a page, numbered as they come."""

    specs: dict[str, Any] = field(default_factory=dict)

    def add(self, spec: dict[str, Any]) -> str:
        """Keep a chart and return its id."""
        name = f"chart-{len(self.specs) + 1}"
        kept = {k: v for k, v in spec.items() if k != "$schema"}
        self.specs[name] = {**kept, "width": "container"}
        return name

    def to_json(self) -> str:
        """Return the charts as JSON that cannot end the script it stands in."""
        text = json.dumps(self.specs, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return (
            text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        )


def policy(script: str) -> str:
    """Return a Content-Security-Policy that allows this script and no request."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def render(notebook: Any, params: ReportParams, *, script: str, made_at: str) -> str:
    """Return the page of an executed notebook.

    Parameters
    ----------
    notebook
        An executed notebook (nbformat node).
    params
        The report, for the page's title and language.
    script
        What `page_script` returns.
    made_at
        The one time stamp of the page, as it is to be shown.
    """
    page = {
        "title": params.title,
        "language": params.language,
        "running_title": _css_text(params.title),
        "made_at": made_at,
        "version": __version__,
        "style": asset("page.css"),
        "script": script,
        "policy": policy(script),
        "charts": Charts(),
        "chart_type": CHART_TYPE,
    }
    with as_file(files("mqlkit") / "templates") as folder:
        exporter = TemplateExporter(
            template_name="mqlkit",
            template_file="index.html.j2",
            extra_template_basedirs=[str(folder)],
        )
        exporter.register_filter("markdown2html", _markdown)
        body, _ = exporter.from_notebook_node(notebook, resources={"page": page})
    return str(body)


def _css_text(text: str) -> str:
    r"""Return text for a string in a style sheet, every odd character by its number.

    >>> _css_text('Q1 "</style>')
    'Q1 \\22 \\3c \\2f style\\3e '
    """
    return "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text)


def _markdown(text: str) -> str:
    """Return Markdown as HTML, without the anchors that nbconvert hangs on headings."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))
