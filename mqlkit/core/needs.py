"""What each section of a report needs of the data: one list for ``check`` and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Need:
    """What a section needs.

    Attributes
    ----------
    topic
        The section, as named in `views.topics`.
    question
        Its heading.
    groups
        Columns of the leads, or tables, of which the section needs one of each group.
    adds
        What adds to it, and in which words.
    instead
        A column that is enough in place of the last group, and the parameter that it takes.
    """

    topic: str
    question: str
    groups: tuple[tuple[str, ...], ...]
    adds: Mapping[str, str] = field(default_factory=dict)
    instead: tuple[str, str] | None = None

    def lacking(self, there: Iterable[str]) -> list[tuple[str, ...]]:
        """Return the groups of which nothing is there."""
        return [group for group in self.groups if not {*group} & {*there}]

    def otherwise(self, there: Iterable[str]) -> str:
        """Return what would do in place of the last group, in words; empty if nothing would.

        >>> need_of("sla").otherwise(["mql_at"])
        'contacted_at with sla_stops_on: contact'
        >>> need_of("sla").otherwise(["mql_at", "contacted_at"])
        'sla_stops_on: contact'
        """
        if self.instead is None:
            return ""
        column, setting = self.instead
        return setting if column in there else f"{column} with {setting}"


MQL, SQL = ("mql_at",), ("sql_at",)
HANDOFF = ("accepted_at", "rejected_at")
DECISION = (*HANDOFF, "sql_at")
CONTACT = ("contacted_at",)
LATER = ("created_at", "accepted_at", "sql_at", "won_at")
NEEDS = (
    Need("volume", "Are there enough MQLs?", (MQL,), {"goals": "goals, to compare with"}),
    Need(
        "handoff",
        "What does sales decide?",
        (MQL, HANDOFF),
        {name: name for name in (*HANDOFF, "rejection_reason")},
    ),
    Need(
        "funnel",
        "Where do leads leave the funnel?",
        (MQL, LATER),
        {name: name for name in LATER},
    ),
    Need("efficiency", "How many MQLs become SQLs?", (MQL, SQL)),
    Need(
        "sla",
        "Is sales meeting the SLA?",
        (MQL, DECISION),
        {"owner": "owner, for breaches by owner"},
        instead=("contacted_at", "sla_stops_on: contact"),
    ),
    Need("waiting", "How long are MQLs in the stage?", (MQL, DECISION)),
    Need("response", "How fast is the first contact?", (MQL, CONTACT)),
    Need(
        "cost",
        "What does an MQL cost?",
        (MQL, ("spend",)),
        {"created_at": "created_at, to measure the lag (or give lag_days)"},
    ),
    Need("breakdowns", "Breakdowns", (("source", "owner", "campaign"),)),
)


def need_of(topic: str) -> Need:
    """Return what a section needs."""
    return next(need for need in NEEDS if need.topic == topic)


def one_of(names: Iterable[str]) -> str:
    """Join names of which one is enough.

    >>> one_of(["accepted_at", "rejected_at", "sql_at"])
    'accepted_at, rejected_at or sql_at'
    """
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
