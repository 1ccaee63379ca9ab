"""The MQLs of the period one by one, each with its dates and what became of it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from mqlkit.engine import iso_local, safe_text, to_frame
from mqlkit.leads import TOTAL_BUCKET, LeadTable
from mqlkit.outcomes import is_accepted, is_rejected, sla_outcomes

LATEST_FIRST = (ibis.desc("mql_at"), "lead_id")
STAMPS = {"mql_at": "entered", "exit_at": "decided", "sql_at": "became_sql"}


def mqls(leads: LeadTable) -> ir.Table:
    """Return every MQL of the period, in no order.

    Returns
    -------
    ibis.Table
        ``lead_id``, ``owner``, ``source``, ``mql_at``, ``exit_at``, ``sql_at`` (naive UTC),
        ``decision`` (accepted, rejected, none yet) and ``sla`` (kept, late, late and open, still
        in time, not measurable: out of order, or the SLA stops on contact and none is recorded).
    """
    cohort = leads.cohort
    outcome = sla_outcomes(cohort, leads.clock)
    by_contact = leads.params.sla_stops_on == "contact"
    is_unknown = ibis.literal(by_contact and "contacted_at" not in leads.recorded)
    return cohort.select(
        "lead_id",
        "owner",
        "source",
        *STAMPS,
        decision=ibis.cases(
            (is_accepted(cohort), "accepted"), (is_rejected(cohort), "rejected"), else_="none yet"
        ),
        sla=ibis.cases(
            (is_unknown, "not measurable"),
            (outcome["sla_met"], "kept"),
            (outcome["sla_past_due"], "late and open"),
            (outcome["sla_breached"], "late"),
            (outcome["sla_pending"], "still in time"),
            else_="not measurable",
        ),
    )


def mql_list(leads: LeadTable, *, longest: int | None = None) -> pd.DataFrame:
    """Return the MQLs of the period, or the ``longest`` latest of them, the latest first.

    Returns
    -------
    pandas.DataFrame
        As `mqls`, with ``entered``, ``decided`` and ``became_sql`` as local stamps, and ``of``:
        how many there are.
    """
    frame = to_frame(mqls(leads).order_by(*LATEST_FIRST).limit(longest))
    local = {c: frame[c].dt.tz_localize("UTC").dt.tz_convert(leads.zone) for c in STAMPS}
    counted = leads.counts
    n = int(counted["mqls"][counted["index"] == TOTAL_BUCKET].iloc[0])
    return frame.assign(**local, of=n).rename(columns=STAMPS)


def mql_lines(leads: LeadTable) -> ir.Table:
    """Return `mqls` as a CSV file has them: local ISO stamps, and no cell that is a formula.

    As `sla.breach_lines`, written by the engine.
    """
    table, zone = mqls(leads), str(leads.zone)
    # Sorted last, as the engine wants it, and by what is not in the file.
    table = table.mutate(
        id_text=safe_text(table["lead_id"]),
        **{name: iso_local(table[c], zone) for c, name in STAMPS.items()},
    ).order_by(*LATEST_FIRST)
    return table.select(
        lead_id=table["id_text"],
        owner=safe_text(table["owner"]),
        source=safe_text(table["source"]),
        entered=table["entered"],
        decided=table["decided"],
        became_sql=table["became_sql"],
        decision=table["decision"],
        sla=table["sla"],
    )
