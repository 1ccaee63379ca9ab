"""Verdicts on closed figures that changed since the last report, or why there are none."""

from __future__ import annotations

import pandas as pd

from mqlkit.metrics.tidy import constant
from mqlkit.views.claims import BAD, Verdict

OTHER_DEFINITIONS = (
    "The definitions of the numbers have changed since the last report ({}), so it is not compared "
    "with this one. The next report will be."
)


def revisions(facts: pd.DataFrame) -> list[Verdict]:
    """Return a sentence for each closed figure that changed, or why the report is not compared.

    Parameters
    ----------
    facts
        What `pages.previous.previous_frame` returns.
    """
    if "definitions" in set(facts["record"]):
        return [Verdict(OTHER_DEFINITIONS.format(constant(facts, "scope")))]
    lines = facts["text"][facts["record"] == "revision"]
    return [Verdict(f"Changed since the last report: {line}", BAD) for line in lines]
