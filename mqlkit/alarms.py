"""The banner at the top of a page: the limits that its figures break."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mqlkit.checks import SET_ASIDE
from mqlkit.limits import broken, is_share, label_of, share_set_aside
from mqlkit.params import ReportParams
from mqlkit.sentences import BAD, Totals, Verdict
from mqlkit.sources.ledger import Ledger
from mqlkit.wording import percent

WORDS = {"fail_on": "Limit broken", "warn_on": "Warning"}


def judge_limits(
    rows: pd.DataFrame, ledgers: Mapping[str, Ledger], params: ReportParams
) -> list[Verdict]:
    """Return a sentence for each limit of ``fail_on`` and ``warn_on`` that is broken.

    Parameters
    ----------
    rows
        All tidy rows of the report.
    ledgers
        The account of each table's rows.
    params
        The report.
    """
    total = Totals(rows)
    named = {*params.fail_on, *params.warn_on} - {SET_ASIDE}
    figures = {name: total.value(name) for name in named}
    figures[SET_ASIDE] = share_set_aside({n: ledger.to_dict() for n, ledger in ledgers.items()})
    found = []
    for kind, words in WORDS.items():
        limits = getattr(params, kind)
        for name, value in broken(limits, figures).items():
            shown = percent(value) if is_share(name) else f"{value:,.6g}"
            text = f"{words}: {label_of(name)} is {shown} ({kind}: {limits[name]})."
            found.append(Verdict(text, BAD))
    return found
