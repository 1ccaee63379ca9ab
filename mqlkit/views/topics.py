"""Topics of a report: each a question with the verdicts, charts and tables that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mqlkit.views import charts, tables, verdicts
from mqlkit.views import headline as figures

Draw = Callable[..., Any]
VIEWS = "mqlkit.views."
# Lead lists that the control panel shows instead of the drawings of a topic.
BREACHES, MQLS = "breaches", "mqls"


@dataclass(frozen=True)
class Topic:
    """One question and its answers.

    Attributes
    ----------
    question
        The question, used as a heading.
    draws
        Drawing functions and notes, in the order of the page.
    is_by
        Whether they are drawn once per breakdown of the report.
    lead_list
        A list of leads that the control panel shows instead; empty for none.
    """

    question: str
    draws: tuple[Draw | str, ...]
    is_by: bool = False
    lead_list: str = ""

    def __repr__(self) -> str:
        """Return the question and the drawings."""
        names = [name_of(draw) for draw in self.draws if callable(draw)]
        return f"Topic({self.question!r}: {', '.join(names)})"


def family_of(draw: Draw) -> str | None:
    """Return the family frame that a drawing function takes; None for a user's function.

    >>> family_of(charts.sla.attainment)
    'sla'
    """
    module = str(getattr(draw, "__module__", ""))
    return module.rpartition(".")[2] if module.startswith(VIEWS) else None


def is_table(draw: object) -> bool:
    """Return whether a drawing is a table, which is drawn after charts and verdicts."""
    return str(getattr(draw, "__module__", "")).startswith(f"{VIEWS}tables.")


def name_of(draw: Draw) -> str:
    """Return the public name of a drawing function.

    >>> name_of(charts.sla.attainment)
    'charts.sla.attainment'
    """
    name = getattr(draw, "__name__", repr(draw))
    return f"{draw.__module__.removeprefix(VIEWS)}.{name}" if family_of(draw) else str(name)


def _topic(question: str, *draws: Draw | str, is_by: bool = False, lead_list: str = "") -> Topic:
    return Topic(question, draws, is_by, lead_list)


c, t, v = charts, tables, verdicts
headline = _topic("Headline", figures.headline)
volume = _topic(
    "Are there enough MQLs?", v.volume.goal, v.volume.forecast, c.volume.mqls, t.volume.mqls
)
volume_by = _topic("Where do MQLs come from?", c.volume.mqls_by, t.volume.mqls_by)
handoff = _topic(
    "What does sales decide?",
    v.handoff.acceptance, c.handoff.decisions, t.handoff.decisions, t.handoff.reasons,
)  # fmt: skip
funnel = _topic(
    "Where do leads leave the funnel?",
    v.funnel.steps, c.funnel.steps, t.funnel.steps, t.funnel.steps_by,
)  # fmt: skip
efficiency = _topic(
    "How many MQLs become SQLs?",
    v.efficiency.conversion, v.efficiency.flow, c.efficiency.cohorts, t.efficiency.cohorts,
)  # fmt: skip
efficiency_by = _topic(
    "Which MQLs become SQLs?",
    c.efficiency.conversion_by, t.efficiency.conversion_by, is_by=True,
)  # fmt: skip
cohort_age = _topic("Which cohorts are mature?", c.efficiency.cohort_age)
mix = _topic("Mix shift, or lower conversion?", v.mix.effects, c.mix.effects, t.mix.effects)
sla = _topic(
    "Is sales meeting the SLA?",
    v.sla.attainment, v.sla.trend, c.sla.attainment, t.sla.rules, t.sla.outcomes,
)  # fmt: skip
sla_by = _topic("Who meets the SLA?", c.sla.attainment_by, t.sla.outcomes_by, is_by=True)
waiting = _topic(
    "How long are MQLs in the stage?",
    v.waiting.time_in_stage, c.waiting.histogram, t.waiting.histogram, c.waiting.survival,
    t.waiting.survival, t.waiting.time_in_stage,
)  # fmt: skip
response = _topic(
    "How fast is the first contact?",
    v.response.speed, v.response.REFERENCE, t.response.contact_times,
)  # fmt: skip
cost = _topic("What does an MQL cost?", v.cost.per_mql, c.cost.per_mql, t.cost.per_mql)
cost_by = _topic("Which source costs most?", c.cost.per_mql_by, t.cost.per_mql_by)
cost_by_lag = _topic("How does the lag change the cost?", c.cost.by_lag, t.cost.by_lag)
changes = _topic("What has changed?", v.changes.comparisons, t.changes.comparisons)
previous = _topic("What has changed since the last report?",
                  v.previous.revisions, t.previous.headline)  # fmt: skip
breaches = _topic(
    "Which leads breached the SLA?",
    v.lead_lists.breaches, t.lead_lists.breaches, lead_list=BREACHES,
)  # fmt: skip
mqls = _topic("Which leads are the MQLs?", lead_list=MQLS)
channels = _topic("Which spend has no matching source?", t.data_quality.channels)
data_quality = _topic(
    "How reliable are these numbers?",
    v.data_quality.ledger, t.data_quality.ledger, t.data_quality.channels, t.data_quality.flags,
    t.data_quality.inputs,
)  # fmt: skip
limits = _topic("Which limits are broken?", v.data_quality.limits)
method = _topic(
    "How are the numbers computed?",
    *v.method.METHOD, t.data_quality.params, t.data_quality.glossary,
)  # fmt: skip

__all__ = [
    "breaches", "changes", "channels", "cohort_age", "cost", "cost_by", "cost_by_lag",
    "data_quality", "efficiency", "efficiency_by", "funnel", "handoff", "headline", "limits",
    "method", "mix", "mqls", "previous", "response", "sla", "sla_by", "volume", "volume_by",
    "waiting",
]  # fmt: skip
