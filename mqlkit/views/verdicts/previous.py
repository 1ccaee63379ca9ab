"""Verdicts on closed figures that changed since the last report."""

from __future__ import annotations

import pandas as pd

from mqlkit.views.claims import BAD, Verdict


def revisions(facts: pd.DataFrame) -> list[Verdict]:
    """Return a sentence for each closed figure that changed since the last report.

    Parameters
    ----------
    facts
        What `pages.previous.previous_frame` returns.
    """
    lines = facts["text"][facts["record"] == "revision"]
    return [Verdict(f"Changed since the last report: {line}", BAD) for line in lines]
