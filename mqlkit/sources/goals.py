"""The MQLs agreed for each month."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.cells import day, number
from mqlkit.sources.dialect.decide import Kinds, Readings
from mqlkit.sources.non_data_rows import is_total
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.sql import Values, all_of
from mqlkit.sources.staging import Cells, Reader, Typing
from mqlkit.sources.table import Read, read_table


def read_goals(reader: Reader, spec: TableSpec) -> tuple[Read, pd.DataFrame]:
    """Return the goals as read, and as ``month``, ``source`` (empty: all leads), ``mqls``.

    Raises
    ------
    SourceError
        When a month has more than one goal.
    """

    def typed(cells: Cells, how: Readings, values: Values) -> dict[str, str]:
        return {
            "month": f"date_trunc('month', {day(cells['month'], how.date('month'), values)})",
            "mqls": number(cells["mqls"], how.number("mqls")),
            "source": f"coalesce({cells['source']}, '')",
        }

    def faults(_: Cells) -> list[tuple[str, str]]:
        return [("bad_date", '"month" IS NULL'), ("bad_amount", "mqls IS NULL")]

    typing = Typing(
        columns=["month", "mqls", "source"],
        needed=["month", "mqls"],
        kinds=Kinds(["month"], ["mqls"]),
        typed=typed,
        faults=faults,
        has_date='"month" IS NOT NULL',
        is_empty=lambda cells: all_of(f"{cells[c]} IS NULL" for c in ("month", "mqls")),
    )
    read = read_table(reader, spec, typing)
    goals = reader.frame(f'SELECT "month", source, mqls FROM {read.table} ORDER BY ALL')  # noqa: S608
    # The total of the sources is the goal of all leads.
    goals["source"] = ["" if is_total(source) else source for source in goals["source"]]
    twice = goals[goals.duplicated(["month", "source"], keep=False)]
    if len(twice):
        months = sorted(
            {f"{m:%Y-%m} {s}".strip() for m, s in zip(twice["month"], twice["source"], strict=True)}
        )
        raise SourceError(
            report(
                f"{spec.names}: {len(months)} months have more than one goal.",
                found=listed(months),
                fix="keep one row per month (and source)",
            )
        )
    return read, goals
