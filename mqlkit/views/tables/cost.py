"""Tables of cost per MQL."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import (
    NOTHING,
    count,
    counted,
    day,
    money,
)
from mqlkit.metrics.tidy import breakdown_of, constant, pick, series
from mqlkit.views.tables.base import Table, _decimal, _wide, titled


def per_mql(rows: pd.DataFrame) -> Table | None:
    """Tabulate spend and cost per bucket; None without spend.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    return _costs(rows, None)


def per_mql_by(rows: pd.DataFrame, *, by: str | None = None) -> Table | None:
    """Tabulate spend and cost by breakdown value; None without spend.

    Parameters
    ----------
    rows
        `Report.cost`.
    by
        A breakdown column; the main one when left out.
    """
    return _costs(rows, breakdown_of(rows, by))


def _costs(rows: pd.DataFrame, by: str | None) -> Table | None:
    if not (currency := constant(rows, "currency", "")):
        return None

    def amount(value: float) -> str:
        return money(value, currency)

    has_interval = pick(rows, "return_on_spend", by=by)["low"].notna().any()
    return _wide(
        rows,
        f"Cost by {by}" if by else "Cost over time",
        {
            "spend": ("Spend", amount),
            "mqls": ("MQLs", count),
            "cost_per_mql": ("Cost per MQL", amount),
            **({} if by else {"cost_per_mql_rolling": ("Rolling", amount)}),
            "cost_per_sql": ("Cost per SQL", amount),
            "wasted_cost": ("Wasted", amount),
            "return_on_spend": ("Return", lambda v: NOTHING if pd.isna(v) else f"{v:,.1f} ×"),
            **({} if by else {"lead_to_mql_days_mean": ("Lag, days", _decimal)}),
        },
        by=by,
        interval="return_on_spend" if has_interval else None,
        notes="cost_per_mql",
        notes_of=("cost_per_sql", "return_on_spend"),
    )


LAG_STEP = 10


def by_lag(rows: pd.DataFrame) -> Table | None:
    """Tabulate cost per MQL of the whole period for every tenth lag and the one in use.

    Parameters
    ----------
    rows
        `Report.cost`.
    """
    lag_costs = series(rows, "cost_by_lag")
    if lag_costs.empty:
        return None
    lag_days, currency = constant(rows, "lag_days"), constant(rows, "currency", "")
    is_shown = (lag_costs["lag_days"] % LAG_STEP == 0) | (lag_costs["lag_days"] == lag_days)
    part = lag_costs[is_shown]
    frame = pd.DataFrame(
        {
            "Lag": [counted(d, "day") for d in part["lag_days"]],
            "Spend from": [day(d) for d in part["from"]],
            "to": [day(d) for d in part["to"]],
            "Spend": [money(v, currency) for v in part["spend"]],
            "MQLs": part["mqls"].map(count),
            "Cost per MQL": [money(v, currency) for v in part["cost"]],
            "": ["in use" if d == lag_days else "" for d in part["lag_days"]],
        }
    )
    left = ["Lag", "Spend from", "to", ""]
    return titled("Cost per MQL by lag", frame, left=left, is_open=True, is_ordered=True)
