"""Tables: each takes the frame of its family and returns a `Table`."""

from mqlkit.views.tables import (
    changes,
    cost,
    data_quality,
    efficiency,
    funnel,
    handoff,
    lead_lists,
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
    "mix",
    "previous",
    "response",
    "sla",
    "volume",
    "waiting",
]
