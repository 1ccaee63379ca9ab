"""Tables: family frames in, `Table` records out; nothing is computed."""

from mqlkit.views.tables import (
    changes,
    cost,
    data_quality,
    efficiency,
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
    "handoff",
    "lead_lists",
    "mix",
    "previous",
    "response",
    "sla",
    "volume",
    "waiting",
]
