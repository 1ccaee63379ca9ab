"""Days and buckets: where the sums and the waits of a day belong."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from mqlkit.core.periods import Bucket
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
