"""Verdict on the SLA breaches of the period."""

from __future__ import annotations

import pandas as pd

from mqlkit.metrics.tidy import constant
from mqlkit.views.claims import NOT_RECORDED, Cells, Sentence, Verdict, verdict
from mqlkit.views.verdicts.base import missing_of

NO_STOPS = Sentence("The data has no {missing}, so no SLA breach is known.")
NONE = Sentence("No MQL of the period is known to have breached the SLA.")
NOT_LISTED = Sentence(
    "{breached:MQL} breached the SLA. A redacted page does not list them; mqlkit run writes them "
    "to the file next to it that ends in .breaches.csv."
)


def breaches(rows: pd.DataFrame) -> Verdict | None:
    """Return why a page lists no SLA breaches; None if it lists some.

    Parameters
    ----------
    rows
        `Report.lead_lists`.
    """
    total = Cells(rows)
    breached = total.figure("sla_breached")
    if not total.is_recorded("sla_breached"):
        return verdict(NO_STOPS.claim("sla_breached", certainty=NOT_RECORDED, **missing_of(rows)))
    if not breached.value > 0:
        return verdict(NONE.claim("sla_breached"))
    if not constant(rows, "is_redacted", False):
        return None
    return verdict(NOT_LISTED.claim("sla_breached", breached=breached))
