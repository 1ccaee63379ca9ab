"""Notebook outputs: verdicts, figures, charts and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

import altair as alt
from IPython.display import display

from mqlkit.core.names import WORD_JOINER
from mqlkit.core.text import SYMBOLS
from mqlkit.metrics.report import Report
from mqlkit.pages.assets import METADATA, asset
from mqlkit.pages.drawings import GrainedChart, Heading
from mqlkit.pages.results import scope
from mqlkit.pages.tables import table_html
from mqlkit.views.claims import Verdict
from mqlkit.views.headline import Figure
from mqlkit.views.sparkline import drawn_spark
from mqlkit.views.tables.base import Table
from mqlkit.views.theme import CHART_SCHEMA, CHART_TYPE

LAB_WIDTH = 760
LAB_FIT = {"type": "fit-x", "contains": "padding"}
# Parts of a chart that are the same at every grain.
ALIKE = ("$schema", "config", "usermeta", "width")
# A sign before a currency; before a digit, no browser breaks a line.
SIGN = re.compile(f"([+−])(?=[{''.join(SYMBOLS.values())}])")
PROPERTIES = {
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__",
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
    "toString", "valueOf",
}  # fmt: skip
MARKS = {"good": "✓", "bad": "!", "plain": ""}


Shape = Heading | Verdict | Table | alt.TopLevelMixin | GrainedChart | Sequence[Figure] | str


class Shown:
    """One output of a cell: a MIME bundle, and the kind of its part as metadata."""

    def __init__(self, bundle: dict[str, Any], *, kind: str) -> None:
        self._bundle, self._kind = bundle, kind

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle, {METADATA: {"kind": self._kind}}


def show(*parts: Shape) -> None:
    """Display parts in order."""
    for part in parts:
        display(Shown(bundle(part), kind=kind_of(part)))


def kind_of(part: Shape) -> str:
    """Return the kind of a part, which decides its place on the page."""
    if isinstance(part, alt.TopLevelMixin | GrainedChart):
        return "chart"
    if isinstance(part, Verdict | str):
        return "words"
    return "table" if isinstance(part, Table) else "other"


def bundle(part: Shape) -> dict[str, Any]:
    """Return a part as a MIME bundle."""
    if isinstance(part, Heading):
        return _html(part.html, part.title)
    if isinstance(part, GrainedChart | alt.TopLevelMixin):
        return _drawn(part)
    if isinstance(part, Verdict):
        return _html(_verdict(part), part.text)
    if isinstance(part, Table):
        return _html(table_html(part), part.title)
    if isinstance(part, str):
        return _html(f'<p class="mk-note">{escape(part)}</p>', part)
    return _html(_figures(part), "; ".join(f"{f.name} {f.value}" for f in part))


def _drawn(part: GrainedChart | alt.TopLevelMixin) -> dict[str, Any]:
    spec = _grained(part) if isinstance(part, GrainedChart) else part.to_dict(validate=False)
    spec = _without_properties(spec)
    # In JupyterLab, a chart as wide as its container resizes forever and hangs the tab. This
    # width fits a screen of 1280 px next to the file browser.
    spec["$schema"] = CHART_SCHEMA
    if spec.get("width") == "container":
        spec |= {"width": LAB_WIDTH, "autosize": LAB_FIT}
    return {CHART_TYPE: spec, "text/plain": spec.get("description", "chart")}


def _without_properties(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a chart whose values are no names of properties that every JavaScript object has.

    Vega groups rows in plain objects, in which a name such as ``constructor`` is there already. A
    word joiner behind it, which is not shown, makes it another name.
    """
    grains = [part for part in spec.get("usermeta", {}).get("grains", {}).values() if part]
    datasets = [rows for part in (spec, *grains) for rows in part.get("datasets", {}).values()]
    texts = {v for rows in datasets for row in rows for v in row.values() if isinstance(v, str)}
    found: dict[str, Any] = spec if PROPERTIES.isdisjoint(texts) else _joined(spec)
    return found


def _joined(part: Any) -> Any:
    if isinstance(part, dict):
        # The name of a breakdown is none of its values.
        return {key: value if key == "by" else _joined(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_joined(value) for value in part]
    return part + WORD_JOINER if isinstance(part, str) and part in PROPERTIES else part


def _grained(part: GrainedChart) -> dict[str, Any]:
    """Return a chart whose metadata has, by coarser grain, the parts that differ there."""
    spec: dict[str, Any] = part.chart.to_dict(validate=False)
    coarser: dict[str, Any] = {}
    for grain, chart in part.coarser.items():
        other = {} if chart is None else chart.to_dict(validate=False)
        parts = {k: v for k, v in other.items() if k not in ALIKE and v != spec.get(k)}
        coarser[grain] = parts if other else None
    spec["usermeta"] = {**spec["usermeta"], "grains": coarser}
    return spec


def _html(text: str, plain: str) -> dict[str, Any]:
    return {"text/html": text, "text/plain": plain}


def _verdict(verdict: Verdict) -> str:
    mark = MARKS[verdict.tone]
    sign = f'<span class="mk-mark" aria-hidden="true">{mark}</span>' if mark else ""
    first, *others = verdict.sentences
    rest = f' <span class="mk-rest">{_words(" ".join(others))}</span>' if others else ""
    return f'<p class="mk-verdict mk-{verdict.tone}">{sign}{_words(first)}{rest}</p>'


def _words(text: str) -> str:
    """Escape a text in which no line breaks between a sign and an amount of money."""
    return escape(SIGN.sub("\\1\u2060", text))


def _figures(figures: Sequence[Figure]) -> str:
    """Return the figures as cards, grouped by question."""
    groups = "".join(
        f'<div class="mk-group" style="--mk-n:{len(cards)}">'
        f"{_asked(question)}"
        f'<dl class="mk-cards">{"".join(cards)}</dl></div>'
        for question, cards in (
            (question, [_card(f) for f in those])
            for question, those in groupby(figures, lambda f: f.question)
        )
    )
    return f'<div class="mk-answers">{groups}</div>'


def _asked(question: str) -> str:
    return f'<p class="mk-ask">{_words(question)}</p>' if question else ""


def _card(figure: Figure) -> str:
    mark = MARKS[figure.verdict.tone]
    sign = f'<span class="mk-mark" aria-hidden="true">{mark}</span>' if mark else ""
    change = f'<span class="mk-change">{_words(figure.change)}</span>' if figure.change else ""
    return (
        f'<div class="mk-card mk-{figure.verdict.tone}"><dt>{_words(figure.name)}</dt>'
        f'<dd><span class="mk-value">{_words(figure.value)}</span>'
        f'<span class="mk-word">{sign}{_words(figure.verdict.text)}</span>'
        f"{drawn_spark(figure.spark) if figure.spark else ''}{change}"
        f'<span class="mk-context">{_words(figure.context)}</span></dd></div>'
    )


def style_sheet() -> str:
    """Return the style sheet of the page."""
    return asset("report.css")


def inject_stylesheet(name: str) -> None:
    """Add a style sheet of the template folder to the page."""
    display(Shown({"text/html": f"<style>{asset(name)}</style>", "text/plain": ""}, kind="asset"))


def run_script(name: str) -> None:
    """Run a script of the template folder in the page."""
    display(Shown({"application/javascript": f"{{{asset(name)}}}", "text/plain": ""}, kind="asset"))


def heading(report: Report) -> Heading:
    """Return the title of the page, with period and as-of date."""
    head = (
        f'<header class="mk-head"><h1>{escape(report.params.title)}</h1>'
        f"<p>{' · '.join(escape(f) for f in scope(report))}</p></header>"
    )
    style = f"<style>{style_sheet()}</style>"
    return Heading(report.params.title, style + head)
