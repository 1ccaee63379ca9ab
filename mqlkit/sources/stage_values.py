"""Stage values of a history that no mapping names: what they probably mean, and the question."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mqlkit.core.names import IGNORE
from mqlkit.core.yaml_files import as_flow
from mqlkit.sources.questions import Question
from mqlkit.sources.spec import TableSpec

# Stage values as written, each with our stage (None: not mapped) and its count.
StageCounts = Mapping[str, tuple[str | None, int]]
EMPTY = "(empty)"
# Rarer values are noted by a run, and not asked about.
ASKED_SHARE = 0.01
SHOWN = 6
# In this order: "Marketing qualified" is no SQL, and "Sales accepted" none either.
WORDS = (
    ("mql", r"\bmql\b|marketing.?qualif"),
    ("rejected", r"reject|recycl|disqualif|unqualif|declin|refus|\bdead\b|\blost\b|abgelehnt"),
    ("accepted", r"accept|\bsal\b|angenommen|assigned|\bworking\b|in pro(cess|gress)"),
    ("sql", r"\bsql\b|sales.?qualif|^qualified$|qualifiziert|opportunity|converted"),
    ("won", r"\bwon\b|customer|gewonnen|closed.?won"),
    ("on_hold", r"on.?hold|paused|waiting|snoozed"),
    ("contacted", r"contacted|attempted|\bcalled\b|connected"),
    (
        "created",
        r"^(new|open|created|captured|subscriber|lead|raw|neu|inquiry|enquiry|signed up)\b",
    ),
)


def likely_stage(value: str) -> str:
    """Return the stage that a value probably means, ``ignore`` where nothing tells.

    >>> likely_stage("Marketing Qualified"), likely_stage("Sales accepted"), likely_stage("Nurture")
    ('mql', 'accepted', 'ignore')
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", value).casefold()
    return next((stage for stage, words in WORDS if re.search(words, text)), IGNORE)


def unmapped_stages(stages: StageCounts) -> dict[str, int]:
    """Return the values that are not mapped and cover more than 1 % of the events.

    >>> unmapped_stages({"MQL": ("mql", 990), "Nurture": (None, 9), "Open": (None, 11)})
    {'Open': 11}
    """
    n_events = sum(n for _, n in stages.values())
    by_count = sorted(stages.items(), key=lambda stage: (-stage[1][1], stage[0]))
    return {
        value: n
        for value, (ours, n) in by_count
        if ours is None and n > ASKED_SHARE * n_events and value != EMPTY
    }


def stage_question(spec: TableSpec, stages: StageCounts) -> Question | None:
    """Return the question about values that are not mapped; None without such values."""
    unmapped = unmapped_stages(stages)
    if not unmapped:
        return None
    n_events = sum(n for _, n in stages.values())
    covered = sum(unmapped.values()) / n_events
    is_one = len(unmapped) == 1
    words = (
        f"{spec.names}: {len(unmapped)} stage value{'' if is_one else 's'}, in {covered:.1%} of "
        f"the events, {'has' if is_one else 'have'} no meaning yet."
    )
    shown = [f"{value} ({n:,})" for value, n in [*unmapped.items()][:SHOWN]]
    if more := len(unmapped) - len(shown):
        shown.append(f"and {more} more")
    likely = _line(stages, {value: likely_stage(value) for value in unmapped})
    ignored = _line(stages, dict.fromkeys(unmapped, IGNORE))
    answers = tuple(dict.fromkeys((likely, ignored)))
    return Question(spec.place, words, answers, tuple(shown), is_blocking=False)


def _line(stages: StageCounts, meanings: Mapping[str, str]) -> str:
    """Return the line of source.yaml for values mapped already and for new ones."""
    known = {value: ours for value, (ours, _) in stages.items() if ours is not None}
    found: dict[str, list[str]] = {}
    for value, ours in {**known, **meanings}.items():
        found.setdefault(ours, []).append(value)
    return f"stages: {as_flow(found)}"
