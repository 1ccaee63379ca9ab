"""A question of `mqlkit new`: what it decides, its evidence and its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# A lower level is settled, and the files read again, before the next is asked about.
TABLE, OPENING, COLUMNS, VALUES, STAGES, LAST = range(6)
LEVELS = {"encoding": OPENING, "delimiter": OPENING, "format": OPENING, "columns": COLUMNS}
DECIDES = {
    "timezone": "the moment that these times mean, and with it days, waits and the SLA",
    "dates": "which day these dates are",
    "decimal": "whether the sign is a decimal sign or separates thousands",
    "encoding": "which letters names and sources are written with",
    "delimiter": "where a row is split into cells",
    "format": "which columns are read, and how",
    "currency": "the currency of all costs",
    "stages": "which step of the funnel these events are",
    "table": "what its rows are read as",
    "lead_id": "which rows and events belong to the same lead",
    "mql_at": "when a lead became an MQL: every number depends on it",
    "created_at": "when the lead was created; for the lag between spend and MQLs",
    "accepted_at": "when sales accepted it; for the acceptance rate and the SLA",
    "rejected_at": "when sales rejected it; for the acceptance rate and the SLA",
    "sql_at": "when it became sales-qualified; for the MQL→SQL conversion rate",
    "contacted_at": "when sales first contacted it; for speed to lead",
    "won_at": "when the deal was won; for the funnel and the return on spend",
    "owner": "who works on it; for the SLA by owner",
    "source": "where it came from; for breakdowns and the cost per source",
    "channel": "the source that an amount is for; for the cost per source",
    "at": "when a lead changed its stage",
    "stage": "which stage the lead entered",
    "date": "the day that an amount is for",
    "amount": "what was spent",
    "month": "the month that a goal is for",
    "mqls": "the number of MQLs wanted",
}
OTHER = "what the data leaves open"


@dataclass(frozen=True)
class Choice:
    """One answer.

    Attributes
    ----------
    text
        The answer as shown and as it may be typed.
    given
        What it adds to the block in source.yaml; empty for nothing.
    note
        What it means, or values that it would be read from.
    """

    text: str
    given: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Prompt:
    """A question with its answers.

    Attributes
    ----------
    place, key
        The block of source.yaml, and the setting: ``columns.mql_at``, ``stages.Nurture``.
    level
        When it is asked.
    text, decides, evidence
        The question, what the answer decides, and values from the file.
    choices
        The answers, the likeliest first.
    typed
        Turns another answer into what it adds; None if there is no other. Raises `SourceError`.
    hint
        What else may be typed.
    """

    place: str
    key: str
    level: int
    text: str
    decides: str
    evidence: tuple[str, ...]
    choices: tuple[Choice, ...]
    typed: Callable[[str], Mapping[str, Any]] | None = None
    hint: str = ""
