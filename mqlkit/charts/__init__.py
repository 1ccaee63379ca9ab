"""Metric frames as pictures. No arithmetic beyond naming: what is drawn is what was worked out.

Each ``plot_*`` takes the tidy rows (or the frame named after it) and returns an Altair chart with
a description in words, or None where there is nothing to draw.
"""

from mqlkit.charts.changes import plot_mix_and_rate
from mqlkit.charts.cost import plot_cost_by, plot_cost_by_lag, plot_cost_per_mql
from mqlkit.charts.funnel import plot_efficiency_by, plot_hand_off, plot_stage_efficiency
from mqlkit.charts.growth import plot_cohort_growth
from mqlkit.charts.sla import (
    plot_attainment_by,
    plot_hours_histogram,
    plot_sla_attainment,
    plot_survival_curve,
)
from mqlkit.charts.volume import plot_mql_volume, plot_mqls_by_segment

__all__ = [
    "plot_attainment_by",
    "plot_cohort_growth",
    "plot_cost_by",
    "plot_cost_by_lag",
    "plot_cost_per_mql",
    "plot_efficiency_by",
    "plot_hand_off",
    "plot_hours_histogram",
    "plot_mix_and_rate",
    "plot_mql_volume",
    "plot_mqls_by_segment",
    "plot_sla_attainment",
    "plot_stage_efficiency",
    "plot_survival_curve",
]
