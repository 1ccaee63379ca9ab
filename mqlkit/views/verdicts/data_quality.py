"""Verdicts on the rows that were read, and on broken limits."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mqlkit.core.checks import SET_ASIDE
from mqlkit.core.names import SET_ASIDE_REASONS
from mqlkit.core.params import ReportParams
from mqlkit.core.text import (
    count,
    counted,
    percent,
)
from mqlkit.metrics.limits import broken, is_share, label_of, share_set_aside
from mqlkit.sources.ledger import Ledger
from mqlkit.views.verdicts.base import BAD, GOOD, Totals, Verdict


def judge_ledgers(ledgers: Mapping[str, Ledger]) -> list[Verdict]:
    """Return what became of the rows of each table."""
    return [_judge_ledger(name, ledger) for name, ledger in ledgers.items()]


def _judge_ledger(name: str, ledger: Ledger) -> Verdict:
    if ledger.read == ledger.used:
        words = "the one row is" if ledger.read == 1 else f"all {count(ledger.read)} rows are"
        return Verdict(f"{name.capitalize()}: {words} used.", GOOD)
    why = [f"{n}: {SET_ASIDE_REASONS[r]}" for r, n in sorted(ledger.set_aside.items())]
    return Verdict(
        f"{name.capitalize()}: {count(ledger.used)} of {counted(ledger.read, 'row')} are used, "
        f"{count(ledger.set_aside.total())} set aside ({'; '.join(why)})."
    )


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
