"""Events of the leads of a source, under the ids that the leads have."""

from __future__ import annotations

from collections.abc import Sequence

from mqlkit.sources.history import event_rows
from mqlkit.sources.ids import UNKNOWN_LEAD, match_ids, shorten_ids, strangers
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.merged_records import apply_merged
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values


def note_events_of_no_lead(
    reader: Reader, leads: str, histories: Sequence[str], ledger: Ledger
) -> None:
    """Note how many events belong to a merged record, and how many to no lead.

    Parameters
    ----------
    reader, leads, histories
        The engine, and its tables of leads and events as read.
    ledger
        That of a history.

    Raises
    ------
    SourceError
        When no event belongs to a lead.
    """
    events = reader.create(event_rows(histories), Values())
    apply_merged(reader, leads, Ledger())
    apply_merged(reader, events, ledger)
    shorten_ids(reader, leads, Ledger())
    match_ids(reader, leads, events, Ledger())
    table = reader.backend.table
    ledger.noted[UNKNOWN_LEAD] = strangers(table(leads), table(events))
