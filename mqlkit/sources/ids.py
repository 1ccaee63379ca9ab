"""Ids of leads: those that a spreadsheet rounded, and those of Salesforce in two lengths.

The API of Salesforce writes 18 characters and a report 15; the first 15 agree.
"""

from __future__ import annotations

import ibis.expr.types as ir

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values

# What the ids of Salesforce leads begin with.
PREFIX = "00Q"
# Events whose lead is not among the leads.
UNKNOWN_LEAD = "unknown_lead"
MATCHED = "ids matched on their first 15 characters"
# `3.97792E+10`, and numbers of 16 digits or more with zeros behind the 15 that a spreadsheet keeps.
SCIENTIFIC = r"^[0-9](?:[.,][0-9]+[eE]\+?|[eE]\+)[0-9]{1,3}$"
LONG, ROUNDED = r"^[0-9]{16,}$", r"^[0-9]{15}0+$"
# One id in a thousand ends in so many zeros by chance.
FEWEST_ZEROS = 3


def find_rounded(reader: Reader, table: str) -> tuple[int, str] | None:
    """Return how many ids of a table a spreadsheet has rounded, and the condition for one."""
    may_be = "contains(lead_id, 'E') OR contains(lead_id, 'e')"
    is_scientific = f"(({may_be}) AND regexp_matches(lead_id, '{SCIENTIFIC}'))"
    is_rounded = f"(suffix(lead_id, '0') AND regexp_matches(lead_id, '{ROUNDED}'))"
    is_long = f"(strlen(lead_id) > 15 AND regexp_matches(lead_id, '{LONG}'))"
    query = f"""
        SELECT count(*) FILTER ({is_scientific}), count(*) FILTER ({is_rounded}),
            count(*) FILTER ({is_long}),
            sum(strlen(lead_id) - 15) FILTER ({is_rounded})
        FROM (SELECT DISTINCT lead_id FROM {table} WHERE {is_scientific} OR {is_long})
    """  # noqa: S608
    ((scientific, rounded, long, zeros),) = reader.rows(query, Values())
    is_mostly_rounded = rounded * 2 > long and zeros >= FEWEST_ZEROS
    if not scientific and not is_mostly_rounded:
        return None
    condition = f"{is_scientific} OR {is_rounded}" if is_mostly_rounded else is_scientific
    return reader.count(f"{table} WHERE {condition}"), condition


def shorten_ids(reader: Reader, leads: str, ledger: Ledger) -> None:
    """Cut the ids of a table of leads to 15 characters where some have 15 and some 18."""
    if _lengths(reader, leads) == {15, 18}:
        ledger.noted[MATCHED] = reader.count(leads)
        reader.run(f"UPDATE {leads} SET lead_id = left(lead_id, 15)")  # noqa: S608


def match_ids(reader: Reader, leads: str, events: str, ledger: Ledger) -> None:
    """Make the ids of events as long as those of the leads."""
    of_leads, of_events = _lengths(reader, leads), _lengths(reader, events)
    if of_leads | of_events != {15, 18} or len(of_leads) > 1:
        return
    ledger.noted[MATCHED] = reader.count(events)
    reader.run(f"UPDATE {events} SET lead_id = left(lead_id, 15)")  # noqa: S608
    if of_leads != {15}:
        reader.run(
            f"UPDATE {events} SET lead_id = whole.lead_id "  # noqa: S608
            f"FROM (SELECT DISTINCT lead_id FROM {leads}) AS whole "
            f"WHERE {events}.lead_id = left(whole.lead_id, 15)"
        )


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


def _lengths(reader: Reader, table: str) -> set[int]:
    """Return how long the Salesforce ids of a table are; nothing where others are among them."""
    query = (
        f"SELECT DISTINCT length(lead_id), starts_with(lead_id, '{PREFIX}') "  # noqa: S608
        f"FROM {table} LIMIT 4"
    )
    rows = reader.rows(query, Values())
    return {n for n, _ in rows} if all(has_prefix for _, has_prefix in rows) else set()
