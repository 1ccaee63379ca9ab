"""Tables of MQLs against the goal and by segment."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mqlkit.core.names import TOTAL
from mqlkit.core.text import bucket_name, count, money, percent
from mqlkit.metrics.tidy import COLUMNS, breakdown_of, constant, largest_segments, pick, require
from mqlkit.views.tables.base import MOST_SEGMENTS, Table, _decimal, _signed, _wide, more, titled


def mqls(rows: pd.DataFrame) -> Table | None:
    """Tabulate MQLs and the goal per bucket.

    Parameters
    ----------
    rows
        `Report.volume`.
    """
    currency = constant(rows, "currency", "")
    amount = partial(money, currency=currency) if currency else _decimal
    return _wide(
        rows,
        "MQLs and goal",
        {
            "mqls": ("MQLs", count),
            "goal": ("Goal", _decimal),
            "goal_attainment": ("Attainment", percent),
            "goal_gap": ("Gap", _signed),
            "mqls_forecast": ("Forecast", _decimal),
            "goal_probability": ("Chance of the goal", percent),
            "goal_sqls": ("Goal for SQLs", _decimal),
            "goal_sqls_attainment": ("Attainment, SQLs", percent),
            "goal_spend": ("Planned spend", amount),
            "goal_spend_attainment": ("Spend of plan", percent),
            "in_stage": ("Open at the end", count),
        },
        notes="mqls",
    )


def mqls_by(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Tabulate MQLs per breakdown value and bucket, the largest values first.

    Parameters
    ----------
    rows
        `Report.volume`.
    by
        A breakdown column; the main one when left out.
    """
    require(rows, COLUMNS, "tables.volume.mqls_by")
    by = breakdown_of(rows, by)
    part = pick(rows, "mqls", by=by)
    if part.empty:
        return None
    wide = part.pivot(index="name", columns="bucket", values="value").fillna(0)
    wide = wide[list(dict.fromkeys(part["bucket"]))]
    shown = wide.loc[largest_segments(wide[TOTAL], MOST_SEGMENTS)]
    frame = pd.DataFrame({by.capitalize(): list(shown.index)})
    for bucket in shown.columns:
        name = "Whole period" if bucket == TOTAL else bucket_name(bucket)
        frame[name] = [count(n) for n in shown[bucket]]
    note = more(len(wide), len(shown))
    return titled(f"MQLs by {by}", frame, left=[by.capitalize()], note=note)
