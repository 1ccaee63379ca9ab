"""Charts: family frames in, Altair charts out; nothing is computed."""

from mqlkit.views.charts import (
    cost,
    efficiency,
    funnel,
    handoff,
    mix,
    sla,
    volume,
    waiting,
)

__all__ = [
    "cost",
    "efficiency",
    "funnel",
    "handoff",
    "mix",
    "sla",
    "volume",
    "waiting",
]
