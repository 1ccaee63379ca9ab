"""Salesforce ids: the API writes 18 characters and a report 15; the first 15 agree."""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.ledger import Ledger

# What the ids of Salesforce leads begin with.
PREFIX = "00Q"
MATCHED = "ids matched on their first 15 characters"


def id_lengths(ids: ir.StringValue) -> dict[str, ir.IntegerValue]:
    """Return how long the shortest and the longest of some ids are, for `may_be_one`."""
    return {"shortest": ids.length().min(), "longest": ids.length().max()}


def may_be_one(row: Mapping[str, int]) -> bool:
    """Return whether ids that differ may be the same, one written short and one long."""
    return (row["shortest"], row["longest"]) == (15, 18)


def of_one_length(leads: ir.Table, ledger: Ledger) -> ir.Table:
    """Return leads with the first 15 characters of their ids, where some are 15 and some 18."""
    if _lengths(leads) != {15, 18}:
        return leads
    ledger.noted[MATCHED] = int(leads.count().to_pyarrow().as_py())
    return leads.mutate(lead_id=leads["lead_id"].left(15))


def with_ids_of(leads: ir.Table, events: ir.Table, ledger: Ledger) -> ir.Table:
    """Return the events with ids as long as those of the leads."""
    ours, theirs = _lengths(leads), _lengths(events)
    if ours | theirs != {15, 18} or len(ours) > 1:
        return events
    ledger.noted[MATCHED] = int(events.count().to_pyarrow().as_py())
    short = events.mutate(lead_id=events["lead_id"].left(15))
    if ours == {15}:
        return short
    whole = leads.select(whole=leads["lead_id"], start=leads["lead_id"].left(15)).distinct()
    found = short.left_join(whole, short["lead_id"] == whole["start"])
    return found.mutate(lead_id=found["whole"].coalesce(found["lead_id"])).drop("whole", "start")


def strangers(leads: ir.Table, events: ir.Table) -> int:
    """Return how many events have a lead that is not among the leads.

    Raises
    ------
    SourceError
        When that is all of them: the two tables then call the leads differently.
    """
    unknown = events.anti_join(leads, "lead_id")
    n = int(unknown.count().to_pyarrow().as_py())
    if n and n == int(events.count().to_pyarrow().as_py()):
        some = [t.select("lead_id").limit(1).to_pyarrow() for t in (events, leads)]
        ids = [table["lead_id"][0].as_py() if table.num_rows else None for table in some]
        raise SourceError(
            report(
                f"history: none of its {n} events belongs to a lead.",
                found=f"ids such as {ids[0]!r} in the history, {ids[1]!r} in the leads",
                fix="map lead_id, in both, to a column with the same ids",
            )
        )
    return n


def _lengths(table: ir.Table) -> set[int]:
    """Return how long the Salesforce ids of a table are; nothing where others are among them."""
    ids = table["lead_id"]
    seen = table.select(n=ids.length(), is_theirs=ids.startswith(PREFIX)).distinct().limit(4)
    rows = seen.to_pyarrow().to_pylist()
    return {row["n"] for row in rows} if all(row["is_theirs"] for row in rows) else set()
