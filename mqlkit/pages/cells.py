"""Notebook outputs: verdicts, figures, charts and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from inspect import Parameter, signature
from itertools import groupby
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode
from IPython.display import display

from mqlkit.metrics.report import Numbers
from mqlkit.pages.calls import Call
from mqlkit.pages.previous import previous
from mqlkit.pages.results import scope
from mqlkit.pages.tables import table_html
from mqlkit.views.headline import Figure
from mqlkit.views.sparkline import drawn_spark
from mqlkit.views.tables.base import Table
from mqlkit.views.theme import CHART_SCHEMA, CHART_TYPE
from mqlkit.views.verdicts.base import Verdict

# The key under which an output's metadata says what kind of part it is.
METADATA = "mqlkit"
LAB_WIDTH = 760
LAB_FIT = {"type": "fit-x", "contains": "padding"}
MARKS = {"good": "✓", "bad": "!", "plain": ""}


@dataclass(frozen=True)
class Heading:
    """The head of a page, with the style of all that follows."""

    title: str
    html: str


Shape = Heading | Verdict | Table | alt.TopLevelMixin | Sequence[Figure] | str
Part = Shape | None
Draw = Callable[..., Any] | str
# What a drawing function can ask for, by the name of its argument.
FACTS: dict[str, Callable[[Numbers], Any]] = {
    "rows": lambda n: n.rows,
    "params": lambda n: n.params,
    "currency": lambda n: n.currency,
    "lag_days": lambda n: n.lag_days_used,
    "maturity": lambda n: n.maturity_days,
    "day_hours": lambda n: n.params.day_hours,
    "sla_hours": lambda n: n.params.sla_hours,
    "changes": lambda n: n.changes,
    "mix": lambda n: n.mix,
    "histogram": lambda n: n.histogram,
    "curve": lambda n: n.curve,
    "growth": lambda n: n.growth,
    "lags": lambda n: n.lags_by_grain,
    "lag_costs": lambda n: n.lag_costs,
    "breaches": lambda n: n.breaches,
    "reasons": lambda n: n.reasons,
    "responses": lambda n: n.responses,
    "channels": lambda n: n.other_channels,
    "ledgers": lambda n: n.ledgers,
    "inputs": lambda n: n.inputs,
    "resolved": lambda n: n.resolved_params,
    "names": lambda n: n.rows["metric"].unique(),
    "last": previous,
}


class Shown:
    """One output of a cell: a bundle of MIME types, and what kind of part it shows."""

    def __init__(self, bundle: dict[str, Any], *, kind: str) -> None:
        self._bundle, self._kind = bundle, kind

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle, {METADATA: {"kind": self._kind}}


def show(*parts: Part) -> None:
    """Show the parts of a section, one under the other; parts that are None are left out.

    Parameters
    ----------
    *parts
        Verdicts, lists of figures, charts, tables, or text for a note.
    """
    for part in parts:
        if part is not None:
            display(Shown(bundle(part), kind=kind_of(part)))


def calls(numbers: Numbers, draws: Sequence[Draw], **chosen: Any) -> list[Call]:
    """Return functions with what they are given of a report's numbers.

    Parameters
    ----------
    numbers
        The report's.
    draws
        Notes, and functions that return a part or a list of verdicts. Each is given those of
        `FACTS` that its arguments are called after, and as ``by``, if it cannot do without, the
        first breakdown.
    **chosen
        Arguments that win over these.
    """
    found = []
    for draw in draws:
        wanted = {} if isinstance(draw, str) else signature(draw).parameters
        given = {n: FACTS[n](numbers) for n in wanted if n in FACTS and n not in chosen}
        if "by" in wanted and wanted["by"].default is Parameter.empty:
            given["by"] = numbers.main_breakdown
        given |= {name: value for name, value in chosen.items() if name in wanted}
        found.append(Call(draw, given))
    return found


def calls_by(
    numbers: Numbers, draws: Sequence[Draw], by: Sequence[str], **chosen: Any
) -> list[Call]:
    """Return functions with what they are given, for each of some breakdowns."""
    return [c for draw in draws for b in by for c in calls(numbers, [draw], by=b, **chosen)]


def parts_of(call: Call) -> list[Part]:
    """Return what a function makes of what it is given."""
    if isinstance(call.draw, str):
        return [call.draw]
    # Altair checks each piece of a chart as it is made, in a fifth of the time of drawing; the
    # suite checks every chart whole.
    with debug_mode(False):
        part = call.draw(**call.given)
    is_many = isinstance(part, list) and all(isinstance(p, Verdict) for p in part)
    return part if is_many else [part]


def drawn(numbers: Numbers, draws: Sequence[Draw], **chosen: Any) -> list[Part]:
    """Return what functions make of a report's numbers; see `calls`."""
    return [part for call in calls(numbers, draws, **chosen) for part in parts_of(call)]


def drawn_by(
    numbers: Numbers, draws: Sequence[Draw], by: Sequence[str], **chosen: Any
) -> list[Part]:
    """Return what functions make of a report's numbers, for each of some breakdowns."""
    return [part for call in calls_by(numbers, draws, by, **chosen) for part in parts_of(call)]


def kind_of(part: Shape) -> str:
    """Return the kind of a part: where the page puts it."""
    if isinstance(part, alt.TopLevelMixin):
        return "chart"
    if isinstance(part, Verdict | str):
        return "words"
    return "table" if isinstance(part, Table) else "other"


def bundle(part: Shape) -> dict[str, Any]:
    """Return a part as the types that a notebook can show it in."""
    if isinstance(part, Heading):
        return _html(part.html, part.title)
    if isinstance(part, alt.TopLevelMixin):
        spec = part.to_dict(validate=False)
        # A width that follows its container never comes to rest in JupyterLab, and hangs the tab.
        # This one, axes and all, has room on a screen of 1280 beside the list of files.
        spec |= {"$schema": CHART_SCHEMA, "width": LAB_WIDTH, "autosize": LAB_FIT}
        return {CHART_TYPE: spec, "text/plain": spec.get("description", "chart")}
    if isinstance(part, Verdict):
        return _html(_verdict(part), part.text)
    if isinstance(part, Table):
        return _html(table_html(part), part.title)
    if isinstance(part, str):
        return _html(f'<p class="mk-note">{escape(part)}</p>', part)
    return _html(_figures(part), "; ".join(f"{f.name} {f.value}" for f in part))


def _html(text: str, plain: str) -> dict[str, Any]:
    return {"text/html": text, "text/plain": plain}


def _verdict(verdict: Verdict) -> str:
    mark = MARKS[verdict.tone]
    sign = f'<span class="mk-mark" aria-hidden="true">{mark}</span>' if mark else ""
    return f'<p class="mk-verdict mk-{verdict.tone}">{sign}{escape(verdict.text)}</p>'


def _figures(figures: Sequence[Figure]) -> str:
    """Return the figures as cards, under the questions that they answer."""
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
    return f'<p class="mk-ask">{escape(question)}</p>' if question else ""


def _card(figure: Figure) -> str:
    mark = MARKS[figure.verdict.tone]
    sign = f'<span class="mk-mark" aria-hidden="true">{mark}</span>' if mark else ""
    change = f'<span class="mk-change">{escape(figure.change)}</span>' if figure.change else ""
    return (
        f'<div class="mk-card mk-{figure.verdict.tone}"><dt>{escape(figure.name)}</dt>'
        f'<dd><span class="mk-value">{escape(figure.value)}</span>'
        f'<span class="mk-word">{sign}{escape(figure.verdict.text)}</span>'
        f"{drawn_spark(figure.spark) if figure.spark else ''}{change}"
        f'<span class="mk-context">{escape(figure.context)}</span></dd></div>'
    )


def style_sheet() -> str:
    """Return the style sheet of the page."""
    return (files("mqlkit.pages") / "templates" / "report.css").read_text(encoding="utf-8")


def wear(name: str) -> None:
    """Lay a style sheet of the template folder over the page."""
    text = (files("mqlkit.pages") / "templates" / name).read_text(encoding="utf-8")
    display(Shown({"text/html": f"<style>{text}</style>", "text/plain": ""}, kind="asset"))


def run_script(name: str) -> None:
    """Run a script of the template folder in the page."""
    text = (files("mqlkit.pages") / "templates" / name).read_text(encoding="utf-8")
    display(Shown({"application/javascript": f"{{{text}}}", "text/plain": ""}, kind="asset"))


def heading(numbers: Numbers) -> Heading:
    """Return the title of the page, what it covers and as of when."""
    head = (
        f'<header class="mk-head"><h1>{escape(numbers.params.title)}</h1>'
        f"<p>{' · '.join(escape(f) for f in scope(numbers))}</p></header>"
    )
    style = f"<style>{style_sheet()}</style>"
    return Heading(numbers.params.title, style + head)
