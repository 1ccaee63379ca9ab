"""The goals of each month: MQLs, SQLs and spend, of all leads or by one lead column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mqlkit.core.errors import SourceError, listed, nearest, report, unknown_name
from mqlkit.core.names import LEAD_COLUMNS, MISSING, is_personal
from mqlkit.core.text import counted
from mqlkit.sources.cells import day, number
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.files import Export
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import Values, all_of, any_of, lead_column, quote
from mqlkit.sources.staging import Cells, Typing
from mqlkit.sources.table import Read, known_columns, open_exports, read_table
from mqlkit.sources.totals import is_label

AMOUNTS = ("mqls", "sqls", "spend")
# Stands in the column of the segments for all leads, as an empty cell and a total do.
ALL = "all"


def read_goals(
    reader: Reader, spec: TableSpec, lead_columns: Sequence[str] = LEAD_COLUMNS
) -> tuple[Read, pd.DataFrame]:
    """Return the goals as read, and as one row per month and segment.

    Parameters
    ----------
    reader, spec
        The engine and the files.
    lead_columns
        The columns of the leads. The file may have one of them, whose values have goals.

    Returns
    -------
    Read
        The rows as read.
    pandas.DataFrame
        ``month`` (first day), ``by`` and ``name`` (the lead column and its value; both empty for
        all leads), ``mqls``, ``sqls``, ``spend`` (NaN: no goal).

    Raises
    ------
    SourceError
        When the file has several lead columns, or a month more than one goal.
    """
    exports = open_exports(reader, spec)
    by = _segment_column(spec, exports, lead_columns)
    exports = [_with_column(export, by) for export in exports]

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        name = f"coalesce({cells[by]}, '')" if by else "''"
        return {
            "month": f"date_trunc('month', {day(cells['month'], how.date('month'), values)})",
            "name": name,
            **{column: number(cells[column], how.number(column)) for column in AMOUNTS},
        }

    def faults(cells: Cells) -> list[tuple[str, str]]:
        # An empty cell is no goal.
        unread = [f"{cells[c]} IS NOT NULL AND {c} IS NULL" for c in AMOUNTS]
        return [("bad_date", '"month" IS NULL'), ("bad_amount", any_of(unread))]

    typing = Typing(
        columns=["month", *AMOUNTS, *([by] if by else [])],
        needed=["month", "mqls"],
        kinds=Kinds(["month"], AMOUNTS),
        typed=typed,
        faults=faults,
        has_date='"month" IS NOT NULL',
        # The goal of all leads is a row of a month that says so.
        may_be_total=lambda cells: f"{cells['month']} IS NULL",
        is_empty=lambda cells: all_of(f"{cells[c]} IS NULL" for c in ("month", *AMOUNTS)),
    )
    read = read_table(reader, spec, typing, exports=exports)
    goals = reader.frame(f'SELECT "month", name, mqls, sqls, spend FROM {read.table} ORDER BY ALL')  # noqa: S608
    goals = goals[goals[[*AMOUNTS]].notna().any(axis=1)].reset_index(drop=True)
    goals["name"] = ["" if _is_of_all(name) else name for name in goals["name"]]
    goals.insert(1, "by", [by if name else "" for name in goals["name"]])
    _check_once(spec, goals, by, _hint(spec, by, read.unmapped, lead_columns))
    return read, goals.astype(dict.fromkeys(AMOUNTS, float))


def _segment_column(spec: TableSpec, exports: Sequence[Export], lead_columns: Sequence[str]) -> str:
    """Return the lead column that the goals are by: the one mapped, or found; empty without one."""
    own = ("month", *AMOUNTS)
    leads = {c.casefold(): c for c in lead_columns if c not in own}
    named = [c for c in spec.columns if c not in own]
    if unknown := [c for c in named if c not in lead_columns]:
        known = [*own, *leads.values()]
        place = f"{spec.place}.columns in source.yaml"
        raise SourceError("\n".join(unknown_name(place, "column", c, known) for c in unknown))
    offered = [c.casefold() for c in known_columns(exports)]
    found = named or list(dict.fromkeys(leads[c] for c in offered if c in leads))
    if len(found) > 1:
        raise SourceError(
            report(
                f"{spec.names}: the goals have {len(found)} lead columns.",
                expected="month, mqls and at most one lead column",
                found=listed(found, 6),
                fix=f"name the one that is meant under {spec.place}.columns in source.yaml, "
                f"such as {{{found[0]}: {found[0]}}}",
            )
        )
    return found[0] if found else ""


def _with_column(export: Export, by: str) -> Export:
    """Return an export whose column of segments counts as one that is read."""
    header = export.header_of(by) if by else None
    if header is None:
        return export
    columns = {**export.recognized.columns, by: header}
    return replace(export, recognized=replace(export.recognized, columns=columns))


def note_strangers(reader: Reader, goals: pd.DataFrame, leads: str, ledger: Ledger) -> None:
    """Note the months with a goal for a value that no lead has: it may be misspelt.

    Parameters
    ----------
    reader
        The engine.
    goals
        As in `read_goals`.
    leads
        The table of leads. Where it is without the goals' column, nothing is noted.
    ledger
        That of the goals.
    """
    of_segments = goals[goals["by"] != ""]
    by = next(iter(of_segments["by"]), "")
    column = lead_column(by)
    if not by or column not in reader.backend.table(leads).columns:
        return
    query = f"SELECT DISTINCT {quote(column)} FROM {leads}"  # noqa: S608
    known = {value for (value,) in reader.rows(query, Values())} | {MISSING}
    for name in of_segments["name"][~of_segments["name"].isin(known)]:
        # The ledger is written of redacted reports too.
        who = "" if is_personal(by) else f" {name!r}"
        ledger.noted[f"goals of {by}{who} (no such lead)"] += 1


def _is_of_all(name: str) -> bool:
    return name.strip().casefold() == ALL or is_label(name)


def _hint(spec: TableSpec, by: str, unread: Sequence[str], lead_columns: Sequence[str]) -> str:
    """Return how to name the segments' column, where none is recognized and one may be there."""
    if by or not unread:
        return ""
    column = nearest(unread[0], lead_columns) or "owner"
    words = "column is" if len(unread) == 1 else "columns are"
    return (
        f", or, if it is by segment, name its lead column under {spec.place}.columns in "
        f"source.yaml, such as {{{column}: {unread[0]}}} (the {words} not read: {listed(unread)})"
    )


def _check_once(spec: TableSpec, goals: pd.DataFrame, by: str, hint: str) -> None:
    twice = goals[goals.duplicated(["month", "name"], keep=False)]
    if twice.empty:
        return
    months = {f"{m:%Y-%m} {s}".strip() for m, s in zip(twice["month"], twice["name"], strict=True)}
    raise SourceError(
        report(
            f"{spec.names}: {counted(len(months), 'month')} "
            f"{'has' if len(months) == 1 else 'have'} more than one goal.",
            found=listed(sorted(months)),
            fix=f"keep one row per month{f' and {by}' if by else ''}{hint}",
        )
    )
