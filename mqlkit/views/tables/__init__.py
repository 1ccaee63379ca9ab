"""Frames as tables; nothing is computed."""

from mqlkit.views.tables.base import Table
from mqlkit.views.tables.changes import tabulate_changes
from mqlkit.views.tables.cost import tabulate_channels, tabulate_cost, tabulate_cost_by_lag
from mqlkit.views.tables.data_quality import (
    tabulate_flags,
    tabulate_glossary,
    tabulate_inputs,
    tabulate_ledger,
    tabulate_params,
)
from mqlkit.views.tables.efficiency import tabulate_stage_efficiency
from mqlkit.views.tables.handoff import tabulate_counts, tabulate_hand_off, tabulate_reasons
from mqlkit.views.tables.lead_lists import tabulate_breaches
from mqlkit.views.tables.mix import tabulate_mix_and_rate
from mqlkit.views.tables.response import tabulate_responses
from mqlkit.views.tables.sla import tabulate_sla_outcome
from mqlkit.views.tables.volume import tabulate_mql_volume, tabulate_mqls_by_segment
from mqlkit.views.tables.waiting import tabulate_curve, tabulate_hours, tabulate_stage_velocity

__all__ = [
    "Table",
    "tabulate_breaches",
    "tabulate_changes",
    "tabulate_channels",
    "tabulate_cost",
    "tabulate_cost_by_lag",
    "tabulate_counts",
    "tabulate_curve",
    "tabulate_flags",
    "tabulate_glossary",
    "tabulate_hand_off",
    "tabulate_hours",
    "tabulate_inputs",
    "tabulate_ledger",
    "tabulate_mix_and_rate",
    "tabulate_mql_volume",
    "tabulate_mqls_by_segment",
    "tabulate_params",
    "tabulate_reasons",
    "tabulate_responses",
    "tabulate_sla_outcome",
    "tabulate_stage_efficiency",
    "tabulate_stage_velocity",
]
