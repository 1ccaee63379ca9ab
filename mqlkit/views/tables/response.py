"""Table of speed to lead."""

from __future__ import annotations

import pandas as pd

from mqlkit.views.tables.base import Table
from mqlkit.views.tables.handoff import tabulate_counts


def tabulate_responses(responses: pd.DataFrame) -> Table | None:
    """Set MQLs by time to the first contact."""
    return tabulate_counts("MQLs by time to first contact", responses)
