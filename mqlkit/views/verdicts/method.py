"""How the numbers are computed, in a few plain sentences for the end of the page."""

from __future__ import annotations

CHANCE = (
    "An interval says what chance alone leaves open: it misses the true share one time in twenty. "
    "Shares of fewer than 30 leads are marked, and nothing is ranked or judged by them."
)
COHORTS = (
    "A lead counts in the bucket in which it became an MQL, and so does everything that happens "
    "to it later. The flow counts SQLs in the bucket in which they became SQLs."
)
NOT_YET = (
    "Not yet is not no: leads that are still waiting count as waiting, buckets too young for their "
    "outcome are marked, and what the data does not show is left empty, never counted as 0."
)
COST = (
    "Cost per MQL is the spend of the days of a bucket, moved back by the lag, over its MQLs. One "
    "lag applies to all leads: the figure is a guide to large trends and says nothing about a "
    "single lead."
)
METHOD = (COHORTS, NOT_YET, CHANCE, COST)
