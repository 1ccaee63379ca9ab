"""Hand-off to sales: accepted, rejected and undecided MQLs."""

from __future__ import annotations

import pandas as pd

from mqlkit.leads.privacy import OTHER, large_groups
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.tidy import metric_rows, not_recorded, share
from mqlkit.stats.intervals import wilson


def hand_off(leads: LeadTable) -> pd.DataFrame:
    """Return how sales decided on each bucket's MQLs, by the first decision.

    Returns
    -------
    pandas.DataFrame
        Tidy rows of accepted, rejected, undecided and acceptance_rate (metrics.md §4); null where
        the data records neither an acceptance nor a rejection.
    """
    wide = leads.counts
    if not leads.is_recorded("accepted", "rejected"):
        return not_recorded(wide, "accepted", "rejected", "undecided", "acceptance_rate")
    decided = wide["accepted"] + wide["rejected"]
    low, high = wilson(wide["accepted"], decided)
    return pd.concat(
        [
            metric_rows(wide, "accepted", wide["accepted"]),
            metric_rows(wide, "rejected", wide["rejected"]),
            metric_rows(wide, "undecided", wide["mqls"] - decided),
            metric_rows(
                wide,
                "acceptance_rate",
                share(wide["accepted"], decided),
                n=decided,
                low=low,
                high=high,
            ),
        ],
        ignore_index=True,
    )


def rejection_reasons(leads: LeadTable) -> pd.DataFrame:
    """Return the period's rejected MQLs by reason, most frequent first: ``reason``, ``leads``."""
    found = leads.reasons().sort_values(["leads", "reason"], ascending=[False, True])
    found = found.reset_index(drop=True)
    if not leads.params.redact:
        return found
    sizes = found.set_index("reason")["leads"]
    merged = found["reason"].where(found["reason"].isin(large_groups(sizes.to_dict())), OTHER)
    return sizes.groupby(merged.to_numpy(), sort=False).sum().rename_axis("reason").reset_index()
