"""Cache of results, keyed by the parameters that each depends on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mqlkit.core.params import ReportParams
from mqlkit.leads.table import LeadTable
from mqlkit.leads.waits import cuts_of, narrowed

Result = TypeVar("Result")
# Groups of parameters. Every result depends on parameters that are in no group.
PAGE = frozenset({"report", "title", "language", "max_set_aside", "fail_on", "warn_on"})
SPEND = frozenset({"lag_days", "rolling"})
SLA = frozenset({"sla", "sla_stops_on"})
CLOCK = frozenset({"sla_clock", "work_week", "holidays"})
WITHIN = frozenset({"within_days"})
CUT = frozenset({"grain", "by"})
PERIOD = frozenset({"period", "fiscal_year_start"})
CHOICE = CUT | PERIOD | {"where"}
# Parameters that each result does not depend on.
FREE_OF = {
    "maturity": SPEND | SLA | CLOCK | WITHIN | CUT | PERIOD,
    "counted": SPEND,
    "flowing": SPEND | SLA | CLOCK | WITHIN,
    "waiting": SPEND | SLA | CLOCK | WITHIN,
    "volume_rows": SPEND | SLA | CLOCK | WITHIN,
    "handoff_rows": SPEND | SLA | CLOCK | WITHIN,
    "efficiency_rows": SPEND | SLA | CLOCK,
    "growth": SPEND | SLA | CLOCK | WITHIN,
    "waiting_rows": SPEND | SLA | WITHIN,
    "sla_rows": SPEND | WITHIN,
    "response_rows": SPEND | SLA | CLOCK | WITHIN,
    "lag_rows": SPEND | SLA | CLOCK | WITHIN,
    "curve": SPEND | SLA | WITHIN | CUT,
    "histogram": SPEND | WITHIN | CUT,
    "reasons": SPEND | SLA | CLOCK | WITHIN | CUT,
    "responses": SPEND | SLA | CLOCK | WITHIN | CUT,
    "breaches": SPEND | WITHIN | CUT,
    "mqls": SPEND | WITHIN | CUT,
    "before": SPEND,
    "channels": SPEND | SLA | CLOCK | WITHIN | CUT | PERIOD,
    # All leads: durations and the parts of the cube.
    "timed": SPEND | WITHIN | CHOICE,
    "cells": SPEND | SLA | CLOCK | WITHIN | CHOICE,
    "day_entered": SPEND | CHOICE,
    "day_fixed": SPEND | SLA | WITHIN | CHOICE,
    "day_sla": SPEND | WITHIN | CHOICE,
    "day_ripe": SPEND | SLA | CLOCK | CHOICE,
    "day_sqls": SPEND | SLA | CLOCK | WITHIN | CHOICE,
    "day_left": SPEND | SLA | CLOCK | WITHIN | CHOICE,
    "day_reasons": SPEND | SLA | CLOCK | WITHIN | CHOICE,
    "day_ages": SPEND | SLA | CLOCK | WITHIN | CHOICE,
    "waits": SPEND | SLA | WITHIN | CHOICE,
}
MAX_ENTRIES = 200


def settings(params: ReportParams, *, without: frozenset[str]) -> tuple[str, ...]:
    """Return the parameters as a key, without those in ``without`` and those of the page."""
    values = params.to_dict().items()
    return tuple(f"{name}={value!r}" for name, value in values if name not in without | PAGE)


@dataclass
class ResultCache:
    """Cache of results by name and by the parameters that they depend on.

    Attributes
    ----------
    entries
        Cached results, the most recently used last.
    """

    entries: OrderedDict[tuple[str, ...], Any] = field(default_factory=OrderedDict)

    def get(
        self, name: str, params: ReportParams, compute: Callable[[], Result], *, of: str = ""
    ) -> Result:
        """Return the result of ``compute``, from the cache if its parameters are unchanged.

        Parameters
        ----------
        name
            Name of the result, a key of `FREE_OF`.
        params
            Parameters of the report.
        compute
            Computes the result.
        of
            Further key of the result.
        """
        key = (name, of, *settings(params, without=FREE_OF[name]))
        if not self._has(key):
            self._store(key, compute())
        result: Result = self.entries[key]
        return result

    def get_rows(
        self, name: str, leads: LeadTable, compute: Callable[[LeadTable], pd.DataFrame]
    ) -> pd.DataFrame:
        """Return tidy rows, cached for all leads and for each breakdown.

        Parameters
        ----------
        name
            Name of the result, a key of `FREE_OF`.
        leads
            The lead table. ``compute`` receives it with the breakdowns that are not cached.
        """
        params, free = leads.params, FREE_OF[name]
        keys = {
            cut: (name, *settings(replace(params, by=[cut] if cut else []), without=free))
            for cut in cuts_of(params.by)
        }
        missing = [cut for cut, key in keys.items() if not self._has(key)]
        if missing:
            rows = compute(leads if len(missing) == len(keys) else narrowed(leads, missing))
            for cut in missing:
                self._store(keys[cut], rows[rows["by"] == cut])
        found: pd.DataFrame = pd.concat([self.entries[key] for key in keys.values()])
        # Order by metric, then by breakdown.
        return found.iloc[np.argsort(pd.factorize(found["metric"])[0], kind="stable")]

    def _has(self, key: tuple[str, ...]) -> bool:
        if key in self.entries:
            self.entries.move_to_end(key)
        return key in self.entries

    def _store(self, key: tuple[str, ...], found: object) -> None:
        self.entries[key] = found
        while len(self.entries) > MAX_ENTRIES:
            self.entries.popitem(last=False)
