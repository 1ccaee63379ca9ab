"""How the numbers are computed, for the end of the page."""

from __future__ import annotations

CHANCE = (
    "A 95% interval shows how far chance alone can move a share; one in twenty misses the true "
    "share. Shares of fewer than 30 leads are marked: do not rank or plan by them."
)
COHORTS = (
    "A lead counts in the bucket in which it became an MQL, together with everything that happens "
    "to it later. The in-period ratio counts SQLs in the bucket in which they became SQLs."
)
OPEN = (
    "Open leads are not counted as lost. Cohorts that are too young for their outcome are marked. "
    "A number that the data does not record is empty, never 0."
)
COST = (
    "Cost per MQL is the spend in the window of a bucket, moved back by the lag, divided by its "
    "MQLs. One lag applies to all leads, so use it for large trends, not for single leads."
)
METHOD = (COHORTS, OPEN, CHANCE, COST)
