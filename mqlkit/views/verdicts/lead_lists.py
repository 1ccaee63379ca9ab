"""Verdict on the SLA breaches of the period."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import counted
from mqlkit.metrics.tidy import constant
from mqlkit.views.verdicts.base import Totals, Verdict


def breaches(rows: pd.DataFrame) -> Verdict | None:
    """Return why a page lists no SLA breaches; None if it lists some.

    Parameters
    ----------
    rows
        `Report.lead_lists`.
    """
    breached = Totals(rows).value("sla_breached")
    if not breached > 0:
        return Verdict("No MQL of the period is known to have breached the SLA.")
    if not constant(rows, "is_redacted", False):
        return None
    return Verdict(
        f"{counted(breached, 'MQL')} breached the SLA. A redacted page does not list them; mqlkit "
        "run writes them to the file next to it that ends in .breaches.csv."
    )
