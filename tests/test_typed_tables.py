"""The typed tables of the number tests are those that reading returns."""

from __future__ import annotations

import pandas as pd
import pytest

from mqlkit.sources.store import to_frame

LEADS = """
    lead_id       | created_at | mql_at                     | sql_at               | amount | source
    dates         | 2026-01-02 | 2026-01-05                 | 2026-02-01           | 900    | Web
    summer time   | 2026-03-28 | 2026-03-29 02:59:59        | 2026-03-29 12:00     | 0.5    |
    skipped hour  |            | 2026-03-29 03:30           |                      |        | Web
    with offset   |            | 2026-02-28T23:59:59.999999Z | 2026-03-01T01:00+02:00 |     | Event
    no MQL        | 2026-01-02 |                            | 2026-01-09           |        | õ
"""
HISTORY = """
    lead_id | at                   | stage
    dates   | 2026-01-06           | accepted
    dates   | 2026-01-07 09:00     | rejected
    no MQL  | 2026-01-05T09:00:00Z | mql
"""
DAYS = """
    date       | amount | channel
    2026-01-02 | 10.5   | Web
    2026-01-01 | 7      |
    2026-01-02 | 1      | Web
    2026-01-02 | 2      | Event
"""
RANGES = """
    date_from  | date_to    | amount | channel
    2026-01-01 | 2026-01-31 | 100    | Web
    2026-02-01 | 2026-02-28 | -5     | Web
"""
GOALS = """
    month   | mqls | source
    2026-02 | 5    | Web
    2026-01 | 4.5  |
"""
IN_TALLINN = {"leads": {"timezone": "Europe/Tallinn"}}


@pytest.fixture
def both(lead_table, read_lead_table):
    """Return a function that makes the same tables in both ways."""

    def made(**given):
        typed = lead_table(LEADS, zones={"leads": "Europe/Tallinn"}, **given)
        read = read_lead_table(LEADS, source=IN_TALLINN, **given)
        return typed.tables, read.tables

    return made


def rows(table):
    """Return a table's rows in order."""
    return to_frame(table).sort_values(list(table.columns[:2]), ignore_index=True)


@pytest.mark.parametrize("zone", [None, "UTC", "Pacific/Auckland"])
def test_leads_and_history(both, zone):
    typed, read = both(history=HISTORY, timezone=zone, by=["source"])
    for one, other in ((typed.leads, read.leads), (typed.events, read.events)):
        pd.testing.assert_frame_equal(rows(one), rows(other.select(one.columns)))
    assert typed.columns == read.columns
    # The skipped hour; typed tables have no reader that counts it.
    assert read.ledgers["leads"].noted.pop("ambiguous_local_time") == 1
    for name, ledger in read.ledgers.items():
        assert typed.ledgers[name].to_dict() == ledger.to_dict()


@pytest.mark.parametrize("spend", [DAYS, RANGES], ids=["days", "ranges"])
def test_spend_and_goals(both, spend):
    typed, read = both(spend=spend, goals=GOALS)
    pd.testing.assert_frame_equal(typed.spend, read.spend)
    pd.testing.assert_frame_equal(typed.goals, read.goals)
    assert typed.currency == read.currency
