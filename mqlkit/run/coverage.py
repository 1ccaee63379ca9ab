"""Which sections of a report a source has enough data for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mqlkit.core.names import STAGES
from mqlkit.sources.inspect import TableReport


@dataclass(frozen=True)
class Section:
    """A section of the report: its question, and what is missing for it ("" where nothing is).

    ``is_possible`` is whether it can be written at all; some only lack a part.
    """

    question: str
    is_possible: bool
    missing: str


# Question, what it cannot do without (one of each group), what it says more with.
NEEDS: tuple[tuple[str, tuple[tuple[str, ...], ...], Mapping[str, str]], ...] = (
    (
        "Are there enough MQLs?",
        (("mql_at",),),
        {"goals": "goals, to compare with"},
    ),
    (
        "What does sales decide?",
        (("mql_at",), ("accepted_at", "rejected_at")),
        {
            "accepted_at": "accepted_at",
            "rejected_at": "rejected_at",
            "rejection_reason": "rejection_reason",
        },
    ),
    ("How many MQLs become SQLs?", (("mql_at",), ("sql_at",)), {}),
    (
        "Is sales meeting the SLA?",
        (("mql_at",), ("accepted_at", "rejected_at", "sql_at")),
        {"owner": "owner, for breaches by owner"},
    ),
    (
        "How long are MQLs in the stage?",
        (("mql_at",), ("accepted_at", "rejected_at", "sql_at")),
        {},
    ),
    ("How fast is the first contact?", (("mql_at",), ("contacted_at",)), {}),
    (
        "What does an MQL cost?",
        (("mql_at",), ("spend",)),
        {"created_at": "created_at, to measure the lag (or give lag_days)"},
    ),
    ("Breakdowns", (("source", "owner", "campaign"),), {}),
)


def sections(looks: Sequence[TableReport]) -> list[Section]:
    """Return each section of the report with what is still missing for it."""
    there = available(looks)
    found = []
    for question, groups, more in NEEDS:
        lacking = [_one_of(group) for group in groups if not there & set(group)]
        wanted = [words for name, words in more.items() if name not in there]
        missing = "; ".join(lacking or wanted)
        found.append(Section(question, not lacking, missing))
    return found


def available(looks: Sequence[TableReport]) -> set[str]:
    """Return the lead columns that have values, from leads and history, and the other tables.

    A stage that the history knows is its column: `mql` is ``mql_at``.
    """
    there: set[str] = set()
    for look in looks:
        if look.table == "leads":
            there |= {column.ours for column in look.columns if column.examples}
        elif look.table == "history":
            stages = {ours for ours, count in look.stages.values() if ours and count}
            there |= {f"{stage}_at" for stage in stages if stage in STAGES}
        elif look.columns:
            there.add(look.table)
    return there


def _one_of(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
