"""Frames as sentences."""

from mqlkit.views.verdicts.base import Verdict
from mqlkit.views.verdicts.changes import judge_changes
from mqlkit.views.verdicts.cost import judge_cost
from mqlkit.views.verdicts.data_quality import judge_ledgers, judge_limits
from mqlkit.views.verdicts.efficiency import judge_efficiency, judge_flow
from mqlkit.views.verdicts.handoff import judge_hand_off
from mqlkit.views.verdicts.method import METHOD
from mqlkit.views.verdicts.mix import judge_mix_and_rate
from mqlkit.views.verdicts.response import REFERENCE, judge_response
from mqlkit.views.verdicts.sla import judge_since, judge_sla
from mqlkit.views.verdicts.volume import judge_volume
from mqlkit.views.verdicts.waiting import judge_velocity

__all__ = [
    "METHOD",
    "REFERENCE",
    "Verdict",
    "judge_changes",
    "judge_cost",
    "judge_efficiency",
    "judge_flow",
    "judge_hand_off",
    "judge_ledgers",
    "judge_limits",
    "judge_mix_and_rate",
    "judge_response",
    "judge_since",
    "judge_sla",
    "judge_velocity",
    "judge_volume",
]
