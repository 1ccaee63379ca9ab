"""Cache of results, keyed by the parameters that each result depends on.

What a result depends on is declared where it is computed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mqlkit.core.params import ReportParams

Result = TypeVar("Result")
# Parameters by what they decide: which leads and timestamps there are, ...
DATA = ("source", "timezone", "as_of", "passes")
# ... how time is measured, ...
CLOCK = ("sla_clock", "work_week", "holidays")
# ... what is on time, ...
SLA = ("sla", "sla_stops_on", "sla_rules", "sla_warn")
# ... and which leads are counted.
COHORT = ("period", "fiscal_year_start", "where")
MAX_ENTRIES = 200


def key_of(params: ReportParams, names: Sequence[str]) -> tuple[str, ...]:
    """Return the values of some parameters as a key."""
    return tuple(repr(getattr(params, name)) for name in names)


@dataclass
class ResultCache:
    """Cache of results by name and by the parameters that they depend on.

    Attributes
    ----------
    entries
        Cached results, the most recently used last.
    """

    entries: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def get(
        self,
        name: str,
        params: ReportParams,
        compute: Callable[[], Result],
        *,
        depends_on: Sequence[str],
        of: Hashable = (),
    ) -> Result:
        """Return the result of ``compute``, from the cache if its parameters are unchanged.

        Parameters
        ----------
        name
            Name of the result.
        params
            Parameters of the report.
        compute
            Computes the result.
        depends_on
            Names of the parameters that the result depends on.
        of
            Further key of the result.
        """
        key = (name, of, *key_of(params, depends_on))
        if key not in self.entries:
            self.entries[key] = compute()
            while len(self.entries) > MAX_ENTRIES:
                self.entries.popitem(last=False)
        self.entries.move_to_end(key)
        result: Result = self.entries[key]
        return result
