"""Re-entry: merges stage history into leads and selects the passes that count."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.core.names import LATER_STAGES, STAMPS
from mqlkit.leads.integers import LocalTime
from mqlkit.sources.local_times import zone_of


def with_history(
    leads: ir.Table, events: ir.Table, passes: str, *, local: LocalTime, is_mixed: bool = True
) -> ir.Table:
    """Merge stage history into the timestamps of the leads.

    The timestamps of a lead are events too. Each entry to the MQL stage starts a pass. A later
    stage belongs to the latest pass that started before it, or else to the first pass, which is
    then out of order.

    Parameters
    ----------
    leads, events, passes
        Leads, stage changes, and which entries count.
    local, is_mixed
        Local time of the report, and whether a stage has both dates and timestamps. If so, a date
        and a timestamp on that day are one event, at the time of the timestamp.
    """
    own = [
        leads.filter(leads[f"{stage}_at"].notnull()).select(
            "lead_id", stage=ibis.literal(stage), at=leads[f"{stage}_at"],
            at_zone=leads[zone_of(f"{stage}_at")],
        )
        for stage in ("created", "mql", *LATER_STAGES)
    ]  # fmt: skip
    known = events.semi_join(leads, "lead_id").select("lead_id", "stage", "at", "at_zone")
    all_events = reduce(lambda a, b: a.union(b), own, known)
    if is_mixed:
        all_events = _without_bare_dates(all_events, local)
    all_events = all_events.drop("at_zone").distinct()
    entries = _entries(all_events.filter(all_events["stage"] == "mql"), passes)
    created = all_events.filter(all_events["stage"] == "created")
    created = created.group_by("lead_id").aggregate(created_at=created["at"].min())
    base = leads.drop(*STAMPS).left_join(created, "lead_id").drop("lead_id_right")
    base = base.left_join(entries, "lead_id").drop("lead_id_right")
    later = all_events.filter(all_events["stage"].isin(LATER_STAGES))
    found = later.left_join(entries, "lead_id").drop("lead_id_right")
    after = found["at"] >= found["mql_at"]
    inside = after & (found["at"] < found["next_at"]).fill_null(True)
    stray = found["mql_at"].isnull() | (found["is_first"] & ~after)
    found = found.filter(inside | stray)
    found = found.mutate(after=(found["at"] >= found["mql_at"]).fill_null(False))
    per_pass = found.group_by("lead_id", "mql_at").aggregate(
        **{
            f"{stage}_at": ibis.coalesce(
                found["at"].min(where=(found["stage"] == stage) & found["after"]),
                found["at"].min(where=found["stage"] == stage),
            )
            for stage in LATER_STAGES
        }
    )
    keys = [base["lead_id"] == per_pass["lead_id"], base["mql_at"].identical_to(per_pass["mql_at"])]
    joined = base.left_join(per_pass, keys)
    return joined.drop("lead_id_right", "mql_at_right", "next_at", "is_first")


def _without_bare_dates(events: ir.Table, local: LocalTime) -> ir.Table:
    """Drop dates if the same lead, stage and day also has a timestamp."""
    events = events.mutate(_on=local.day(events["at"]))
    same = ibis.window(group_by=["lead_id", "stage", "_on"])
    is_timed = (events["at_zone"] >= 0).fill_null(False)
    events = events.mutate(_has_time=is_timed.any().over(same))
    is_kept = is_timed | ~events["_has_time"]
    return events.filter(is_kept).drop("_on", "_has_time")


def _entries(entries: ir.Table, passes: str) -> ir.Table:
    """Return the entries that count: ``lead_id, mql_at, next_at, is_first``.

    Events between two entries belong to the earlier pass, so they do not put the later pass out of
    order.
    """
    if passes == "first":
        one = entries.group_by("lead_id").aggregate(mql_at=entries["at"].min())
        return one.mutate(next_at=ibis.null("int64"), is_first=ibis.literal(True))
    order = ibis.window(group_by="lead_id", order_by="at")
    each = entries.select(
        "lead_id",
        mql_at=entries["at"],
        next_at=entries["at"].lead().over(order),
        is_first=ibis.row_number().over(order) == 0,
    )
    return each.filter(each["next_at"].isnull()) if passes == "last" else each
