"""Verdict on the hand-off to sales."""

from __future__ import annotations

import pandas as pd

from mqlkit.metrics.tidy import constant
from mqlkit.views.claims import (
    NOT_RECORDED,
    UNKNOWN,
    Cells,
    Claim,
    Sentence,
    Verdict,
    certainty_of,
    verdict,
)  # fmt: skip
from mqlkit.views.verdicts.base import few, missing_of

NO_DECISIONS = Sentence(
    "The data has no {missing}, so there is no acceptance rate. A lead leaves the MQL stage when "
    "it becomes an SQL."
)
NO_EXITS = Sentence("The data has no {missing}, so there is no acceptance rate.")
NONE_DECIDED = Sentence("Sales has not decided on any of the MQLs yet.")
DECIDED = Sentence(
    "Sales accepted {accepted:MQL} (SAL) and rejected {rejected}: an acceptance rate of {rate} "
    "({interval})."
)
ONLY_ACCEPTED = Sentence(
    "The data records no rejections, so the acceptance rate says nothing about the leads that "
    "sales turned down."
)
ONLY_REJECTED = Sentence(
    "The data records no acceptances; a lead counts as accepted when it became an SQL."
)
ONLY_REJECTED_NO_SQL = Sentence(
    "The data records no acceptances and no SQLs, so the acceptance rate says nothing about the "
    "leads that sales accepted."
)
SIDES = {"rejected": ONLY_ACCEPTED, "accepted": ONLY_REJECTED}
UNDECIDED = Sentence(
    "{undecided:MQL} is undecided.", "{undecided:MQL} are undecided.", by="undecided"
)


def acceptance(rows: pd.DataFrame) -> Verdict:
    """Return the acceptance rate, and how many MQLs sales accepted and rejected.

    Parameters
    ----------
    rows
        `Report.handoff`.
    """
    total = Cells(rows)
    if not total.is_recorded("accepted"):
        missing = missing_of(rows)
        sentence = NO_DECISIONS if constant(rows, "is_sql_recorded", True) else NO_EXITS
        return verdict(sentence.claim("acceptance_rate", certainty=NOT_RECORDED, **missing))
    n = total.figure("acceptance_rate", "n")
    if total.n("acceptance_rate") == 0:
        return verdict(NONE_DECIDED.claim("acceptance_rate", certainty=UNKNOWN))
    return verdict(
        DECIDED.claim(
            "acceptance_rate",
            certainty=certainty_of(n.value),
            accepted=total.figure("accepted"),
            rejected=total.figure("rejected"),
            rate=total.figure("acceptance_rate"),
            interval=total.interval("acceptance_rate"),
        ),
        UNDECIDED.claim("undecided", undecided=total.figure("undecided")),
        _one_side(rows),
        few(n),
    )


def _one_side(rows: pd.DataFrame) -> Claim | None:
    """Return that only one kind of decision is recorded."""
    unrecorded = constant(rows, "unrecorded", "-")
    if unrecorded not in SIDES:
        return None
    sentence = SIDES[unrecorded]
    if sentence == ONLY_REJECTED and not constant(rows, "is_sql_recorded", True):
        sentence = ONLY_REJECTED_NO_SQL
    return sentence.claim("acceptance_rate", certainty=NOT_RECORDED)
