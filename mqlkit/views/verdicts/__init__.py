"""Verdicts: family frames in, sentences out; nothing is computed."""

from mqlkit.views.verdicts import (
    changes,
    cost,
    data_quality,
    efficiency,
    funnel,
    handoff,
    lead_lists,
    method,
    mix,
    previous,
    response,
    sla,
    volume,
    waiting,
)

__all__ = [
    "changes",
    "cost",
    "data_quality",
    "efficiency",
    "funnel",
    "handoff",
    "lead_lists",
    "method",
    "mix",
    "previous",
    "response",
    "sla",
    "volume",
    "waiting",
]
