"""Frames as charts; nothing is computed."""

from mqlkit.views.charts.cost import plot_cost_by, plot_cost_by_lag, plot_cost_per_mql
from mqlkit.views.charts.efficiency import (
    plot_cohort_growth,
    plot_efficiency_by,
    plot_stage_efficiency,
)
from mqlkit.views.charts.handoff import plot_hand_off
from mqlkit.views.charts.mix import plot_mix_and_rate
from mqlkit.views.charts.sla import plot_attainment_by, plot_sla_attainment
from mqlkit.views.charts.volume import plot_mql_volume, plot_mqls_by_segment
from mqlkit.views.charts.waiting import plot_hours_histogram, plot_survival_curve

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
