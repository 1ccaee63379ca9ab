"""Verdicts on the rows that were read, and on broken limits."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.names import ASSUMED, SET_ASIDE_REASONS
from mqlkit.core.text import count, counted, percent
from mqlkit.metrics.limits import is_share, label_of
from mqlkit.views.claims import BAD, GOOD, Verdict
from mqlkit.views.labels import LIMITED

WORDS = {"fail_on": "Limit broken", "warn_on": "Warning"}


def ledger(facts: pd.DataFrame) -> list[Verdict]:
    """Return what happened to the rows of each table, and which time zones are assumed.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    tables = facts["table"][facts["record"] == "rows"].unique()
    rows = [_ledger(str(table), facts[facts["table"] == table]) for table in tables]
    return [*rows, *_assumed_zones(facts)]


def _assumed_zones(facts: pd.DataFrame) -> list[Verdict]:
    files = facts[facts["record"] == "file"]
    assumed = files[files["timezone"].astype(str).str.endswith(ASSUMED)]
    zones = assumed.groupby("timezone")["table"].unique()
    return [
        Verdict(
            f"No time zone is given for {' and '.join(tables)}: times without an offset are taken "
            f"for {str(zone).removesuffix(ASSUMED)}."
        )
        for zone, tables in zones.items()
    ]


def _ledger(table: str, facts: pd.DataFrame) -> Verdict:
    rows = facts[facts["record"] == "rows"].set_index("name")["n"]
    read, used = rows["read"], rows["used"]
    if read == used:
        words = "1 row is" if read == 1 else f"all {count(read)} rows are"
        return Verdict(f"{table.capitalize()}: {words} used.", GOOD)
    excluded = facts[facts["record"] == "excluded"]
    names = zip(excluded["name"], excluded["n"], strict=True)
    why = [f"{n}: {SET_ASIDE_REASONS[name]}" for name, n in names]
    return Verdict(
        f"{table.capitalize()}: {count(used)} of {counted(read, 'row')} are used, "
        f"{count(excluded['n'].sum())} excluded ({'; '.join(why)})."
    )


def limits(facts: pd.DataFrame) -> list[Verdict]:
    """Return a sentence for each broken limit of ``fail_on`` and ``warn_on``.

    Parameters
    ----------
    facts
        `Report.data_quality`.
    """
    found, limited = [], _within(facts)
    broken = facts[facts["record"].isin(WORDS)]
    columns = ("record", "name", "value", "limit")
    for kind, name, value, limit in zip(*(broken[c] for c in columns), strict=True):
        shown = percent(value) if is_share(name) else f"{value:,.6g}"
        label = label_of(name) + (limited if name in LIMITED else "")
        found.append(Verdict(f"{WORDS[kind]}: {label} is {shown} ({kind}: {limit}).", BAD))
    return found


def _within(facts: pd.DataFrame) -> str:
    """Return the days within which an SQL counts, after a label; empty for any time."""
    is_days = (facts["record"] == "parameter") & (facts["name"] == "within_days")
    days = facts["value"][is_days].dropna()
    return f" within {counted(days.iloc[0], 'day')}" if len(days) else ""
