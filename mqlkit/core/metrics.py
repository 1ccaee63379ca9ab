"""The metric catalog: unit, label, definition and source of every metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric: unit, label, definition, and the publication that defines it.

    ``unit`` is one of leads, share, ratio, hours, days, money, money/lead, leads/day.
    """

    unit: str
    label: str
    definition: str
    source: str = "mqlkit"


# Changes when a definition does: numbers under other definitions are not compared.
DEFINITIONS = "2"
WILSON = "Wilson 1927, J. Am. Stat. Assoc. 22:209"
TYPE_7 = "Hyndman & Fan 1996, Am. Stat. 50:361, type 7"
KAPLAN_MEIER = "Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457"
AALEN_JOHANSEN = "Aalen & Johansen 1978, Scand. J. Stat. 5:141"
HBR = "Oldroyd, McElheran, Elkington, Harvard Business Review, March 2011"
HAHN = "Hahn & Meeker 1991, Statistical Intervals, 4.7"
METRICS: dict[str, Metric] = {
    "mqls": Metric("leads", "MQLs", "leads that became MQLs in the bucket"),
    "in_stage": Metric(
        "leads", "Open MQLs", "open MQLs at the end of the bucket, whenever they became MQLs"
    ),
    "goal": Metric(
        "leads", "Goal", "target for MQLs in the bucket; monthly goals are prorated by day"
    ),
    "goal_attainment": Metric("ratio", "Goal attainment", "mqls / goal"),
    "goal_gap": Metric("leads", "Gap to goal", "mqls − goal"),
    "goal_to_date": Metric(
        "leads", "Goal to date", "goal × elapsed share of the bucket, while it is in progress"
    ),
    "needed_per_day": Metric(
        "leads/day", "Needed per day", "(goal − mqls) / days left, while the bucket is in progress"
    ),
    "mqls_forecast": Metric(
        "leads",
        "MQLs, forecast",
        "mqls so far + the mean of what came after the same elapsed share of the up to 12 buckets "
        "before, at least 6; with an 80 % prediction interval",
        HAHN,
    ),
    "goal_probability": Metric(
        "share",
        "Probability of the goal",
        "share of the t distribution of mqls_forecast at or above the goal; 1 once it is reached",
        HAHN,
    ),
    "goal_sqls": Metric(
        "leads", "Goal for SQLs", "target for SQLs dated in the bucket; prorated as goal"
    ),
    "goal_sqls_attainment": Metric("ratio", "Goal attainment, SQLs", "sqls_in_period / goal_sqls"),
    "goal_sqls_gap": Metric("leads", "Gap to goal, SQLs", "sqls_in_period − goal_sqls"),
    "goal_spend": Metric(
        "money", "Planned spend", "target for spend dated in the bucket; prorated as goal"
    ),
    "goal_spend_attainment": Metric(
        "ratio", "Spend of plan", "spend dated in the bucket, without the lag / goal_spend"
    ),
    "goal_spend_gap": Metric(
        "money", "Over planned spend", "spend dated in the bucket, without the lag − goal_spend"
    ),
    "accepted": Metric("leads", "Sales-accepted leads (SAL)", "MQLs that sales accepted first"),
    "rejected": Metric("leads", "Rejected", "MQLs that sales rejected first"),
    "undecided": Metric(
        "leads", "Undecided", "MQLs that sales had not decided on by the as-of date"
    ),
    "acceptance_rate": Metric(
        "share", "Acceptance rate", "accepted / (accepted + rejected)", WILSON
    ),
    "sqls": Metric("leads", "SQLs", "MQLs of the bucket that became SQLs by the as-of date"),
    "efficiency": Metric(
        "share",
        "MQL→SQL conversion rate",
        "sqls / mqls of the cohort; with within_days, SQLs within N days",
        WILSON,
    ),
    "mqls_per_sql": Metric("ratio", "MQLs per SQL", "mqls / sqls"),
    "sqls_in_period": Metric(
        "leads", "SQLs dated in the bucket", "SQLs by sql_at, from any cohort"
    ),
    "efficiency_flow": Metric(
        "ratio", "In-period SQL/MQL ratio", "sqls_in_period / mqls; can exceed 100 %"
    ),
    "efficiency_projected": Metric(
        "share",
        "MQL→SQL conversion rate, projected",
        "SQLs so far and the chance of each open lead to be one by the horizon, / mqls",
        AALEN_JOHANSEN,
    ),
    "hours_in_stage_mean": Metric(
        "hours", "Time in stage (mean)", "mean time in stage of the MQLs that left the stage"
    ),
    "hours_in_stage_median": Metric(
        "hours",
        "Time in stage (median)",
        "median time in stage of the MQLs that left the stage",
        TYPE_7,
    ),
    "hours_in_stage_p90": Metric(
        "hours",
        "Time in stage (90th percentile)",
        "90th percentile of time in stage of the MQLs that left the stage",
        TYPE_7,
    ),
    "hours_in_stage_km_median": Metric(
        "hours",
        "Time in stage (median, open MQLs included)",
        "shortest time by which half of the MQLs left the stage; open MQLs are censored",
        KAPLAN_MEIER,
    ),
    "sla_met": Metric(
        "leads", "SLA met", "MQLs that sales decided on, or contacted, within the SLA"
    ),
    "sla_breached": Metric(
        "leads", "SLA breaches", "MQLs decided on or contacted after the SLA, and open overdue MQLs"
    ),
    "sla_past_due": Metric("leads", "Overdue", "open MQLs past the SLA; part of sla_breached"),
    "sla_pending": Metric("leads", "Not due yet", "open MQLs within the SLA"),
    "sla_due_soon": Metric(
        "leads", "Due soon", "open MQLs with at least sla_warn of the SLA used; part of sla_pending"
    ),
    "sla_unmeasurable": Metric(
        "leads", "Unmeasurable", "MQLs decided on, or contacted, before they became MQLs"
    ),
    "sla_attainment": Metric(
        "share", "SLA attainment", "sla_met / (sla_met + sla_breached)", WILSON
    ),
    "lift_sla": Metric(
        "ratio",
        "Conversion lift within the SLA",
        "conversion rate of MQLs within the SLA / of breached ones, over mature buckets",
        "Katz et al. 1978, Biometrics 34:469 (log method)",
    ),
    "contacted_within_1h": Metric(
        "share",
        "Contacted within 1 h",
        "speed to lead: share of MQLs contacted within one calendar hour",
        WILSON,
    ),
    "lift_1h": Metric(
        "ratio",
        "Conversion lift of contact within 1 h",
        "conversion rate of MQLs contacted within 1 h / conversion rate of MQLs contacted later",
        "Katz et al. 1978, Biometrics 34:469 (log method)",
    ),
    "lead_to_mql_days_mean": Metric(
        "days", "Lag", "mean days from net-new to MQL, for MQLs of the bucket"
    ),
    "spend": Metric("money", "Spend", "spend in the window of the bucket, moved back by the lag"),
    "cost_per_mql": Metric("money/lead", "Cost per MQL", "spend / mqls"),
    "cost_per_mql_rolling": Metric(
        "money/lead",
        "Cost per MQL, rolling",
        "total spend / total mqls of the last k buckets; null where days between them are missing",
    ),
    "cost_per_sql": Metric("money/lead", "Cost per SQL", "spend / sqls"),
    "wasted_cost": Metric("money", "Wasted cost", "sla_breached × cost_per_mql"),
    "return_on_spend": Metric(
        "ratio",
        "Return on spend",
        "amount won from the cohort by the as-of date / spend; interval from 30 MQLs on",
        "Oehlert 1992, Am. Stat. 46:27 (delta method)",
    ),
}
