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
from mqlkit.views.tables.base import Table, _decimal, _wide, titled


def tabulate_cost(rows: pd.DataFrame, *, currency: str, by: str | None = None) -> Table | None:
    """Set spend and cost per bucket, or by the values of a breakdown; None without spend."""
    if not currency:
        return None

    def amount(value: float) -> str:
        return money(value, currency)

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
        notes="cost_per_mql",
    )


LAG_STEP = 10


def tabulate_channels(channels: pd.DataFrame | None, *, currency: str) -> Table | None:
    """Set the spend in channels that no lead names."""
    if channels is None or channels.empty:
        return None
    amounts = [money(a, currency) for a in channels["amount"]]
    frame = pd.DataFrame({"Channel": channels["channel"], "Spend": amounts})
    return titled("Spend in channels that no lead names", frame, left=["Channel"])


def tabulate_cost_by_lag(
    lag_costs: pd.DataFrame | None, *, lag_days: int, currency: str
) -> Table | None:
    """Set the cost per MQL of the whole period for every tenth lag and the one in use."""
    if lag_costs is None or lag_costs.empty:
        return None
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
    return titled("Cost per MQL by lag", frame, left=left, is_open=True)
