"""The metric catalogue: unit, label, definition and source of every number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One number of the report: its unit, its name in words, its definition and where that is from.

    ``unit`` is one of leads, share, ratio, hours, days, money, money/lead, leads/day.
    """

    unit: str
    label: str
    definition: str
    source: str = "mqlkit"


WILSON = "Wilson 1927, J. Am. Stat. Assoc. 22:209"
TYPE_7 = "Hyndman & Fan 1996, Am. Stat. 50:361, type 7"
KAPLAN_MEIER = "Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457"
AALEN_JOHANSEN = "Aalen & Johansen 1978, Scand. J. Stat. 5:141"
HBR = "Oldroyd, McElheran, Elkington, Harvard Business Review, March 2011"
METRICS: dict[str, Metric] = {
    "mqls": Metric("leads", "MQLs", "leads that entered the MQL stage in the bucket"),
    "in_stage": Metric(
        "leads", "MQLs waiting", "leads in the MQL stage at the bucket's end, entered at any time"
    ),
    "goal": Metric("leads", "Goal", "MQLs agreed for the bucket; monthly goals, shared by the day"),
    "goal_attainment": Metric("ratio", "Goal attainment", "mqls / goal"),
    "goal_gap": Metric("leads", "Gap to goal", "mqls − goal"),
    "goal_to_date": Metric(
        "leads", "Goal to date", "goal × share of the bucket that is over, while in progress"
    ),
    "needed_per_day": Metric(
        "leads/day", "Needed per day", "(goal − mqls) / days left, while in progress"
    ),
    "accepted": Metric("leads", "Accepted", "MQLs whose first decision by sales was to accept"),
    "rejected": Metric("leads", "Rejected", "MQLs whose first decision by sales was to reject"),
    "undecided": Metric("leads", "Undecided", "MQLs without a decision by the as-of moment"),
    "acceptance_rate": Metric(
        "share", "Acceptance rate", "accepted / (accepted + rejected)", WILSON
    ),
    "sqls": Metric("leads", "SQLs", "the bucket's MQLs that have become SQL by the as-of moment"),
    "efficiency": Metric(
        "share", "Efficiency", "sqls / mqls of the cohort; within N days where asked for", WILSON
    ),
    "mqls_per_sql": Metric("ratio", "MQLs per SQL", "mqls / sqls"),
    "sqls_in_period": Metric("leads", "SQLs dated in the bucket", "SQLs of any cohort, by sql_at"),
    "efficiency_flow": Metric(
        "ratio", "Efficiency (flow)", "sqls_in_period / mqls; may pass 100 %"
    ),
    "efficiency_projected": Metric(
        "share",
        "Efficiency, projected",
        "cumulative incidence of SQL at maturity_days; rejection competes, open leads are censored",
        AALEN_JOHANSEN,
    ),
    "hours_in_stage_mean": Metric(
        "hours", "Velocity (mean)", "mean hours in the MQL stage of the leads that left it"
    ),
    "hours_in_stage_median": Metric(
        "hours", "Velocity (median)", "median hours in the MQL stage of the leads that left", TYPE_7
    ),
    "hours_in_stage_p90": Metric(
        "hours", "Velocity (90th percentile)", "90th percentile of the same hours", TYPE_7
    ),
    "hours_in_stage_km_median": Metric(
        "hours",
        "Velocity (median, all leads)",
        "smallest time by which half have left, leads still waiting counted as censored",
        KAPLAN_MEIER,
    ),
    "sla_met": Metric("leads", "Within SLA", "MQLs that sales stopped the clock for in time"),
    "sla_breached": Metric("leads", "SLA breached", "stopped too late, or overdue and still open"),
    "sla_past_due": Metric("leads", "Past due", "overdue and still open; part of sla_breached"),
    "sla_pending": Metric("leads", "Pending", "not stopped and not due yet"),
    "sla_unmeasurable": Metric("leads", "Unmeasurable", "stages out of order"),
    "sla_attainment": Metric("share", "SLA attainment", "met / (met + breached)", WILSON),
    "contacted_within_1h": Metric(
        "share", "Contacted within 1 h", "MQLs contacted within one calendar hour", WILSON
    ),
    "lift_1h": Metric(
        "ratio",
        "Lift of the first hour",
        "SQL rate of MQLs contacted within the hour / SQL rate of those contacted later",
        "Katz et al. 1978, Biometrics 34:469 (log method)",
    ),
    "lead_to_mql_days_mean": Metric(
        "days", "Lag", "mean days from net-new to MQL of the bucket's MQLs"
    ),
    "spend": Metric("money", "Spend", "spend dated in the bucket, moved back by the lag"),
    "cost_per_mql": Metric("money/lead", "Cost per MQL", "spend / mqls"),
    "cost_per_mql_rolling": Metric(
        "money/lead", "Cost per MQL, rolling", "sum of spend / sum of mqls over the last k buckets"
    ),
    "cost_per_sql": Metric("money/lead", "Cost per SQL", "spend / sqls"),
    "wasted_cost": Metric("money", "Wasted cost", "sla_breached × cost_per_mql"),
    "return_on_spend": Metric(
        "ratio", "Return on spend", "amount won from the cohort by the as-of moment / spend"
    ),
}
