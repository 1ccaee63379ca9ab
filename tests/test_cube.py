"""Days and buckets: where the sums and the waits of a day belong."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from mqlkit.core.periods import Bucket
from mqlkit.leads import build_cube
from mqlkit.leads.cube import NEVER, SortedWaits, bucket_of, end_of

JANUARY = Bucket("2026-01", date(2026, 1, 1), date(2026, 2, 1))
MARCH = Bucket("2026-03", date(2026, 3, 1), date(2026, 4, 1))
DAYS = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2026-03-31", "2026-04-01"]
NUMBERS = np.append(np.array(DAYS, dtype="datetime64[D]").astype("int64"), NEVER)


@pytest.mark.parametrize(
    ("place", "expected"),
    [(bucket_of, [-1, 0, 0, -1, 1, -1, -1]), (end_of, [0, 0, 0, 1, 1, -1, -1])],
)
def test_a_day_belongs_to_its_bucket_and_counts_from_its_end_on(place, expected):
    assert place(NUMBERS, [JANUARY, MARCH]).tolist() == expected


def test_a_line_of_leads_knows_their_buckets_and_may_be_empty():
    days = NUMBERS[1:5]
    line = SortedWaits(days, np.zeros(4), days, {})
    assert line.places([JANUARY, MARCH]).tolist() == bucket_of(days, [JANUARY, MARCH]).tolist()
    none = np.zeros(0, dtype="int32")
    assert SortedWaits(none, none, none, {}).places([JANUARY]).tolist() == []


SOURCES = """
lead_id   | mql_at     | source
a-1       | 2026-01-02 | Ads
a-2       | 2026-01-03 | Ads
a-3       | 2026-02-03 | Ads
web-1     | 2026-01-04 | Web
web-2     | 2026-02-04 | Web
fair      | 2026-01-05 | Fair
radio     | 2026-02-05 | Radio
earlier-1 | 2025-12-01 | Radio
earlier-2 | 2025-12-02 | Radio
none      | 2026-01-06 |
"""


def test_a_breakdown_keeps_the_values_with_the_most_mqls_of_the_period(lead_table, monkeypatch):
    monkeypatch.setattr(build_cube, "MOST_VALUES", 3)
    made = lead_table(SOURCES, by=["source"])
    # One MQL each in the period: of (missing), Fair and Radio, the first by name is kept.
    assert made.leads.cube.folded == {"source": 2}
    found = {
        name: made.value("mqls", source=name) for name in ("Ads", "Web", "(missing)", "(other)")
    }
    assert found == {"Ads": 3, "Web": 2, "(missing)": 1, "(other)": 2}
    assert len(made.leads.segments) == 5
    assert made.value("mqls") == 8


def test_values_without_an_mql_in_the_period_are_kept_by_name(lead_table, monkeypatch):
    monkeypatch.setattr(build_cube, "MOST_VALUES", 3)
    made = lead_table(SOURCES, by=["source"], period="2026-02-10..2026-03-31", as_of="2026-03-31")
    assert made.leads.cube.folded == {"source": 2}
    assert list(made.leads.cube.names["source"]) == [
        "(missing)",
        "Ads",
        "Fair",
        "(other)",
        "(other)",
    ]


def test_a_breakdown_with_few_values_is_not_folded(lead_table, monkeypatch):
    monkeypatch.setattr(build_cube, "MOST_VALUES", 5)
    made = lead_table(SOURCES, by=["source"])
    assert made.leads.cube.folded == {}
    assert made.value("mqls", source="Radio") == 1
