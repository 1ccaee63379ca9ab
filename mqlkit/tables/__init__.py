"""Frames as tables: sorted, formatted, escaped; nothing worked out."""

from mqlkit.tables.changes import tabulate_changes, tabulate_mix_and_rate
from mqlkit.tables.lists import (
    tabulate_breaches,
    tabulate_channels,
    tabulate_cost_by_lag,
    tabulate_counts,
    tabulate_flags,
    tabulate_glossary,
    tabulate_inputs,
    tabulate_ledger,
    tabulate_params,
    tabulate_reasons,
    tabulate_responses,
)
from mqlkit.tables.metrics import (
    tabulate_cost,
    tabulate_hand_off,
    tabulate_mql_volume,
    tabulate_sla_outcome,
    tabulate_stage_efficiency,
    tabulate_stage_velocity,
)
from mqlkit.tables.parts import Table
from mqlkit.tables.waits import tabulate_curve, tabulate_hours, tabulate_mqls_by_segment

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
