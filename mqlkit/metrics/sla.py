"""Outcomes against the SLA, by rule, and what lateness costs in conversions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.leads.durations import EXITS
from mqlkit.leads.outcomes import SLA_OUTCOMES
from mqlkit.leads.privacy import OTHER, large_groups
from mqlkit.leads.table import SEGMENT, TOTAL_BUCKET, LeadTable
from mqlkit.metrics.conversion import Maturity
from mqlkit.metrics.efficiency import is_immature
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import relative_risk, wilson

# Who the SLA of the report holds for, beside rules.
OTHERS = "all other leads"


def stops_on(params: ReportParams) -> tuple[str, ...]:
    """Return the stages that stop the SLA."""
    return ("contacted",) if params.sla_stops_on == "contact" else EXITS


def is_sla_recorded(leads: LeadTable) -> bool:
    """Return whether the data records any of the stages that stop the SLA."""
    return leads.is_recorded(*stops_on(leads.params))


def sla_outcome(leads: LeadTable) -> pd.DataFrame:
    """Return how many MQLs were decided on (or contacted) within the SLA.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of `SLA_OUTCOMES` and sla_attainment (metrics.md §6). All null where the data
        records none of the stages that stop the SLA.
    """
    wide = leads.counts
    if not is_sla_recorded(leads):
        return not_recorded(wide, *SLA_OUTCOMES, "sla_attainment")
    decided = wide["sla_met"] + wide["sla_breached"]
    low, high = wilson(wide["sla_met"], decided)
    rows = [metric_rows(wide, name, wide[name]) for name in SLA_OUTCOMES]
    attained = share(wide["sla_met"], decided)
    rows.append(metric_rows(wide, "sla_attainment", attained, n=decided, low=low, high=high))
    return pd.concat(rows, ignore_index=True)


def sla_lift(leads: LeadTable, *, maturity: Maturity) -> pd.DataFrame:
    """Return how much more often leads in time become SQLs than breached ones.

    Parameters
    ----------
    leads
        The lead table.
    maturity
        `conversion.sql_maturity`.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of lift_sla (metrics.md §6); n: leads in time and breached ones, of mature buckets
        only. ``within_days`` decides which buckets are mature, not which SQLs count. Null where
        the SQL is the only decision recorded: then leads in time are those that became SQLs, or
        wait for it.
    """
    wide = leads.counts
    is_known = leads.is_recorded("sql") and leads.is_recorded("accepted", "rejected")
    if not (is_known and is_sla_recorded(leads)):
        return not_recorded(wide, "lift_sla")
    is_total = wide["index"] == TOTAL_BUCKET
    is_young = is_immature(leads, wide, maturity) & ~is_total
    columns = ["sla_met_sqls", "sla_met", "sla_breached_sqls", "sla_breached"]
    mature = wide[columns].where(~is_young & ~is_total, 0)
    sums = mature.groupby([wide[column] for column in SEGMENT]).transform("sum")
    found = mature.where(~is_total, sums)
    lift, low, high = relative_risk(*(found[column] for column in columns))
    n, flags = found["sla_met"] + found["sla_breached"], {"immature": is_young}
    return metric_rows(wide, "lift_sla", lift, n=n, low=low, high=high, flags=flags)


def sla_by_rule(leads: LeadTable) -> pd.DataFrame | None:
    """Return how many of the period's MQLs each rule of ``sla_rules`` ruled, and their outcomes.

    Returns
    -------
    pandas.DataFrame or None
        ``rule`` (from 1; the last one is the SLA of all other leads), ``holds_for`` (in words),
        ``promise`` (the SLA in words), ``leads``, ``met``, ``breached``, ``pending`` and
        ``unmeasurable``, which add up to ``leads``, and ``attainment``. None without rules, or
        where the SLA is not recorded. With ``redact``, rules for fewer than 5 leads are one.
    """
    params = leads.params
    if not params.sla_rules or not is_sla_recorded(leads):
        return None
    found = leads.by_promise().reindex(range(len(params.promises)), fill_value=0).astype("int64")
    names = [*(where_words(rule["where"]) for rule in params.shown_rules), OTHERS]
    frame = pd.DataFrame(
        {
            "rule": found.index + 1,
            "holds_for": names,
            "promise": [promise.words for promise in params.promises],
            "leads": found["leads"],
            **{n: found[f"sla_{n}"] for n in ("met", "breached", "pending", "unmeasurable")},
        }
    )
    if params.redact:
        frame = _merged(frame)
    return frame.assign(attainment=share(frame["met"], frame["met"] + frame["breached"]))


def _merged(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge the rules for few leads, so that no single lead can be identified."""
    shown = frame["rule"].isin(large_groups(dict(zip(frame["rule"], frame["leads"], strict=True))))
    if shown.all():
        return frame
    few = frame[~shown].sum(numeric_only=True)
    merged = pd.DataFrame([{**few, "rule": len(frame), "holds_for": OTHER, "promise": ""}])
    return pd.concat([frame[shown], merged], ignore_index=True)


def where_words(where: Mapping[str, Sequence[str]]) -> str:
    """Format a filter.

    >>> where_words({"source": ["Demo", "Fair"], "team": ["South"]})
    'source: Demo, Fair; team: South'
    """
    return "; ".join(f"{column}: {', '.join(values)}" for column, values in where.items())
