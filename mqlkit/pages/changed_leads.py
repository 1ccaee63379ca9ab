"""The leads that caused a number of a closed bucket to change.

Each run writes a list of its leads for the next run to compare with. It is read only if a number
changed. It is empty if the report is redacted or has too many leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.periods import to_utc
from mqlkit.core.text import day
from mqlkit.leads.columns import named
from mqlkit.leads.integers import start_us
from mqlkit.leads.table import TOTAL_BUCKET, LeadTable
from mqlkit.pages.revisions import ChangedLead, Revision
from mqlkit.sources.store import to_frame, to_timestamp

# Writing the list of this many leads takes about 1% of the report's time.
MOST_LEADS = 200_000
BY = "by "
STAMPS = {"mql_at": "MQL", "exit_at": "decision", "sql_at": "SQL"}
# The timestamps that a metric depends on.
MATTERS = {
    "mqls": ("mql_at",),
    "in_stage": ("mql_at", "exit_at"),
    "sqls_in_period": ("mql_at", "sql_at"),
}


def write_leads(leads: LeadTable, path: Path) -> None:
    """Write the leads of a report to a file that only its owner can read."""
    kept = _counted(leads)
    is_kept = not leads.params.redact and _size(leads) <= MOST_LEADS
    # An empty list replaces that of an earlier run.
    (kept if is_kept else kept.limit(0)).to_parquet(path)
    path.chmod(0o600)


def _size(leads: LeadTable) -> float:
    """Return the approximate number of leads that the period counts."""
    entered, waiting = leads.counts, leads.stock
    n_entered = entered["mqls"][entered["index"] == TOTAL_BUCKET].iloc[0]
    return float(n_entered + waiting["in_stage"].max())


def _counted(leads: LeadTable) -> ir.Table:
    """Return the leads that the period counts, with the columns that its numbers depend on."""
    table = leads.table
    first, last = (start_us(day, leads.zone) for day in (leads.whole.start, leads.whole.end))
    is_counted = table["exit_at"].isnull()
    for stamp in STAMPS:
        is_counted |= table[stamp] >= first
    kept = table.filter((table["mql_at"] < last) & is_counted)
    cuts = {f"{BY}{column}": kept[named(column)] for column in leads.params.by}
    stamps = {stamp: to_timestamp(kept[stamp]) for stamp in STAMPS}
    return kept.select("lead_id", **stamps, **cuts)


def find_changed_leads(
    revisions: Sequence[Revision], path: Path, leads: LeadTable
) -> list[ChangedLead]:
    """Return the leads that caused numbers of closed buckets to change.

    Parameters
    ----------
    revisions
        The numbers that changed.
    path
        The list that `write_leads` wrote for the last report.
    leads
        The leads of this report.

    Returns
    -------
    list of ChangedLead
        One for each number and lead; empty if there is no list.
    """
    wanted = [r for r in revisions if r.metric in MATTERS]
    if not wanted or leads.params.redact or not path.is_file() or _size(leads) > MOST_LEADS:
        return []
    try:
        then = pd.read_parquet(path)
    except (OSError, ValueError):
        # Truncated, or not such a list.
        return []
    if then.empty or not {"lead_id", *STAMPS} <= set(then.columns):
        return []
    now = to_frame(_counted(leads))
    return [row for r in wanted for row in _changed_in(r, then, now, leads.zone)]


def _changed_in(
    revision: Revision, then: pd.DataFrame, now: pd.DataFrame, zone: ZoneInfo
) -> Iterable[ChangedLead]:
    cuts = [c for c in now.columns if c.startswith(BY) and c in then.columns]
    seen = [_counted_in(frame, revision, zone)[["lead_id", *cuts]] for frame in (then, now)]
    before, after = (frame.value_counts(dropna=False) for frame in seen)
    moved = after.sub(before, fill_value=0)
    ids = sorted(moved[moved != 0].index.get_level_values("lead_id").unique())
    known_then, known_now = (_rows_of(frame, ids) for frame in (then, now))
    columns = [*MATTERS[revision.metric], *cuts]
    for lead in ids:
        what = _what(known_then.get(lead), known_now.get(lead), columns, zone)
        yield ChangedLead(METRICS[revision.metric].label, revision.bucket, lead, what)


def _rows_of(frame: pd.DataFrame, ids: Sequence[str]) -> dict[Any, pd.DataFrame]:
    return dict(tuple(frame[frame["lead_id"].isin(ids)].groupby("lead_id")))


def _counted_in(frame: pd.DataFrame, revision: Revision, zone: ZoneInfo) -> pd.DataFrame:
    """Return the leads that the metric counts in its bucket."""
    start, end = (
        pd.Timestamp(to_utc(pd.Timestamp(text).date(), zone)).tz_localize(None)
        for text in (revision.start, revision.end)
    )
    if revision.metric == "in_stage":
        is_out = frame["exit_at"] < end
        return frame[(frame["mql_at"] < end) & ~is_out]
    at = frame["mql_at" if revision.metric == "mqls" else "sql_at"]
    return frame[(at >= start) & (at < end)]


def _what(
    then: pd.DataFrame | None, now: pd.DataFrame | None, columns: Sequence[str], zone: ZoneInfo
) -> str:
    """Return how a lead changed."""
    if then is None:
        return "added later"
    if now is None:
        return "deleted"
    changes = []
    for column in columns:
        before, after = ([_shown(v, zone) for v in frame[column]] for frame in (then, now))
        if before != after:
            name = STAMPS.get(column, column.removeprefix(BY))
            changes.append(f"{name} was {', '.join(before)}, now {', '.join(after)}")
    return "; ".join(changes)


def _shown(value: Any, zone: ZoneInfo) -> str:
    if pd.isna(value):
        return "empty"
    if isinstance(value, pd.Timestamp):
        return day(value.tz_localize("UTC").tz_convert(zone).date())
    return str(value)
