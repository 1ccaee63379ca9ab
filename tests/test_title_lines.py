"""What the lines above a table state: the period of its amounts, and their currency."""

from __future__ import annotations

from datetime import date

import pytest

from mqlkit.sources.dialect.zones import is_local
from mqlkit.sources.title_period import title_currency, title_period

# Title lines, and the first and last day that they state.
PERIODS = [
    # On one line, as Google Ads writes it, in several languages.
    (["Campaign report", "January 1, 2026 - February 28, 2026"], ("2026-01-01", "2026-02-28")),
    (["1.1.2026 - 28.2.2026"], ("2026-01-01", "2026-02-28")),
    # Each on a line of its own, as Apple and LinkedIn write it.
    (['"Start Date: 02 Feb 2026"', '"End Date: 08 Feb 2026"'], ("2026-02-02", "2026-02-08")),
    (["Report Start: 2026-02-02", "Report End: 2026-02-08"], ("2026-02-02", "2026-02-08")),
    (["From: 2026-02-02", "To: 2026-02-08"], ("2026-02-02", "2026-02-08")),
    (["Startdatum des Berichts: 2.2.2026", "Enddatum des Berichts: 8.2.2026"],
     ("2026-02-02", "2026-02-08")),
    # The date of the download is no part of it.
    (["Start Date: 2026-02-02", "End Date: 2026-02-08", "Date Generated: 2026-03-01"],
     ("2026-02-02", "2026-02-08")),
    (["Start Date: 2026-02-02"], None),  # no end
    (["Start Date: 2026-02-08", "End Date: 2026-02-02"], None),  # the end before the start
    (["Start Date: 2/3/2026", "End Date: 4/5/2026"], None),  # February or March?
    # Two reports in one file.
    (["Start Date: 2026-02-02", "End Date: 2026-02-08",
      "Start Date: 2026-03-02", "End Date: 2026-03-08"], None),
]  # fmt: skip
CURRENCIES = [
    (["Currency: AUD"], "AUD"),
    (['"Currency: eur"'], "EUR"),
    (["Currency code,USD,,,"], "USD"),
    (["Währung: CHF"], "CHF"),
    (["Devise : EUR"], "EUR"),
    (["通貨: JPY"], "JPY"),
    (["Currency: AUD", "Currency: AUD"], "AUD"),
    (["Currency: AUD", "Currency: EUR"], None),  # two reports in one file
    (["Currency: account currency"], None),  # no code
    (["Currency"], None),
    (["Report on currency: all"], None),  # a title that mentions one
]
# The shape of a timestamp, and whether it leaves its zone open.
SHAPES = [
    ("9999-99-99 99:99:99", True),
    ("9999-99-99T99:99", True),
    ("9/9/9999 9:99 PM", True),
    ("99.99.9999 99:99", True),
    ("9999-99-99T99:99:99.999Z", False),
    ("9999-99-99 99:99:99 UTC", False),
    # An offset ends like a time of day.
    ("9999-99-99T99:99:99-99:99", False),
    ("9999-99-99 99:99:99.999999+99:99", False),
    ("9999-99-99T99:99:99+9999", False),
    ("9999-99-99", False),
]


@pytest.mark.parametrize(("lines", "expected"), PERIODS)
def test_the_period_that_title_lines_state(lines, expected):
    found = title_period(lines)
    assert found == (tuple(map(date.fromisoformat, expected)) if expected else None)


@pytest.mark.parametrize(("lines", "expected"), CURRENCIES)
def test_the_currency_that_title_lines_state(lines, expected):
    assert title_currency(lines) == expected


@pytest.mark.parametrize(("shape", "is_open"), SHAPES)
def test_a_stamp_with_an_offset_leaves_no_zone_open(shape, is_open):
    assert is_local(shape) == is_open
