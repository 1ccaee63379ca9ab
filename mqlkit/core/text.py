"""Format numbers, durations, dates and buckets: ``1,234``, ``27.6%``, ``3.0 days``."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from mqlkit.core.names import FUNNEL_LABELS

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
NOTHING = "–"
MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

# Zero-width characters, marks of direction, soft hyphens. The joiners U+200C and U+200D stay,
# because they change how the letters beside them look.
INVISIBLE = "\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"


def visible(text: str) -> str:
    """Return a text as it looks, so that texts that look alike are equal.

    >>> visible(" Paid\N{NO-BREAK SPACE}search\N{ZERO WIDTH SPACE}")
    'Paid search'
    >>> visible("Cafe\N{COMBINING ACUTE ACCENT}")
    'Café'
    """
    shown = re.sub(f"[{INVISIBLE}]", "", text)
    spaced = re.sub(r"[ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", shown)
    return unicodedata.normalize("NFC", spaced).strip()


def as_of_day(as_of: str) -> date:
    """Return the last day covered by an as-of date as written in ``metrics.json``.

    >>> as_of_day("2026-04-01T00:00:00+03:00"), as_of_day("2026-04-01T12:30:00+03:00")
    (datetime.date(2026, 3, 31), datetime.date(2026, 4, 1))
    """
    at = datetime.fromisoformat(as_of)
    return at.date() - timedelta(days=at.time() == time.min)


def count(value: float) -> str:
    """Format a count with thousands separators.

    >>> count(1234.0), count(float("nan"))
    ('1,234', '–')
    """
    return NOTHING if math.isnan(value) else f"{value:,.0f}"


def exactly(value: float) -> str:
    """Format a number, with one decimal place if it is not whole.

    >>> exactly(100.0), exactly(99.7)
    ('100', '99.7')
    """
    return count(value) if math.isnan(value) or value == round(value) else f"{value:,.1f}"


def decimal(value: float) -> str:
    """Format a number with one decimal place, or more if it would be rounded to 0.

    >>> decimal(1234.56), decimal(0.04), decimal(0)
    ('1,234.6', '0.04', '0.0')
    """
    return f"{value:.1g}" if 0 < value < 0.05 else f"{value:,.1f}"


def counted(value: float, noun: str) -> str:
    """Format a count with its noun.

    >>> counted(1, "lead"), counted(2, "lead"), counted(2, "SLA breach")
    ('1 lead', '2 leads', '2 SLA breaches')
    """
    ending = "" if value == 1 else "es" if noun.endswith("ch") else "s"
    return f"{count(value)} {noun}{ending}"


def percent(share: float) -> str:
    """Format a share as a percentage with one decimal place.

    >>> percent(0.2764)
    '27.6%'
    """
    return NOTHING if math.isnan(share) else f"{share * 100:,.1f}%"


def between(low: float, high: float) -> str:
    r"""Format an interval of shares.

    >>> between(0.26, 0.293).replace("\u2060", "")
    '26.0–29.3%'
    """
    # Word joiners keep the interval on one line.
    return f"{low * 100:.1f}\u2060–\u2060{high * 100:.1f}%"


def money(value: float, currency: str) -> str:
    """Format an amount of money; cents only below 100.

    >>> money(96.512, "EUR"), money(1234567, "SEK")
    ('€96.51', '1,234,567 SEK')
    """
    if math.isnan(value):
        return NOTHING
    digits = 2 if abs(value) < 100 and value != round(value) else 0
    text = f"{abs(value):,.{digits}f}"
    sign = "−" if value < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {currency}"


def duration(hours: float, *, day_hours: float = 24, is_dated: bool = False) -> str:
    """Format hours as minutes, hours or, from two days, days.

    Parameters
    ----------
    hours
        Hours of the chosen clock.
    day_hours
        Hours of a day on that clock; below 24, the unit is called working hours or days.
    is_dated
        Whether it is between dates: it has no hours then.

    Examples
    --------
    >>> duration(5.0), duration(72.0), duration(20.0, day_hours=8), duration(0, is_dated=True)
    ('5.0 hours', '3.0 days', '2.5 working days', '0.0 days')
    """
    if math.isnan(hours):
        return NOTHING
    working = "" if day_hours == 24 else "working "
    if hours * 60 < 59.5 and not is_dated:
        minutes = f"{hours * 60:.0f}"
        return f"{minutes} {working}minute{'' if minutes == '1' else 's'}"
    if hours < 2 * day_hours and not is_dated:
        return f"{hours:.1f} {working}hours"
    return f"{hours / day_hours:.1f} {working}days"


def against_limit(
    hours: float,
    limit: float,
    *,
    day_hours: float = 24,
    in_days: bool = False,
    is_dated: bool = False,
) -> tuple[str, str]:
    """Format a duration and the limit that it is compared with, in the unit of the limit.

    A duration that is not the limit does not look equal to it. The unit is days if ``in_days`` or
    if the limit is two calendar days or more.

    >>> against_limit(72, 48), against_limit(48.1, 48), against_limit(3, 48)
    (('3.0 days', '2 days'), ('2.004 days', '2 days'), ('3.0 hours', '2 days'))
    """
    in_days = in_days or (limit >= 48 and day_hours == 24)
    size, noun = (day_hours, "days") if in_days else (1.0, "hours")
    if limit < 1:
        size, noun = 1 / 60, "minutes"
    shown = exactly(limit / size)
    digits = 1
    while hours != limit and digits < 4 and float(f"{hours / size:.{digits}f}") == limit / size:
        digits += 1
    noun = noun if day_hours == 24 else f"working {noun}"
    unit = noun.removesuffix("s") if shown == "1" else noun
    if hours < size:
        return duration(hours, day_hours=day_hours, is_dated=is_dated), f"{shown} {unit}"
    return f"{hours / size:,.{digits}f} {noun}", f"{shown} {unit}"


def brief(hours: float, *, day_hours: float = 24, is_dated: bool = False) -> str:
    """Format a duration with abbreviated units.

    >>> brief(5.0), brief(72.0)
    ('5.0 h', '3.0 d')
    """
    words = duration(hours, day_hours=day_hours, is_dated=is_dated).replace("working ", "")
    for unit, short in (("minutes", "min"), ("minute", "min"), ("hours", "h"), ("days", "d")):
        words = words.replace(f" {unit}", f" {short}")
    return words


def day(value: date) -> str:
    """Format a date.

    >>> day(date(2026, 1, 5))
    '5 Jan 2026'
    """
    return f"{value.day} {MONTH_NAMES[value.month - 1]} {value.year}"


def moment(at: datetime, *, is_date: bool = False) -> str:
    """Format a local timestamp to the minute, or as a date if it has no time of day."""
    return f"{at:%Y-%m-%d}" if is_date else f"{at:%Y-%m-%d %H:%M}"


def bucket_name(label: str) -> str:
    """Format the label of a bucket for an axis.

    >>> bucket_name("2026-01"), bucket_name("2026-Q1"), bucket_name("2026-W05"), bucket_name("2026")
    ('Jan 2026', 'Q1 2026', 'W05 2026', '2026')
    """
    year, _, part = label.partition("-")
    if not part:
        return label
    return f"{MONTH_NAMES[int(part) - 1] if part.isdigit() else part} {year}"


def step_name(start: str, end: str) -> str:
    """Format a step of the funnel.

    >>> step_name("mql", "accepted")
    'MQL → SAL'
    """
    return f"{FUNNEL_LABELS[start]} → {FUNNEL_LABELS[end]}"


def bucket_noun(label: str) -> str:
    """Return what the bucket of a label is.

    >>> [bucket_noun(label) for label in ("2026-01", "2026-Q1", "2026-H1", "2026-W05", "2026")]
    ['month', 'quarter', 'half-year', 'week', 'year']
    """
    part = label.partition("-")[2]
    return {"": "year", "Q": "quarter", "H": "half-year", "W": "week"}.get(part[:1], "month")


def listed(names: Sequence[str]) -> str:
    """Join names for a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
