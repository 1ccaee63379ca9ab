"""What a comparison needs: the bucket to compare with, and the interval of a difference."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from mqlkit.estimators import Z95, Floats
from mqlkit.periods import Calendar, add_months

PREVIOUS, YEAR = "bucket before", "year before"
BUCKETS_IN_YEAR = {"W": 52, "Q": 4, "H": 2}


def split_label(label: str) -> tuple[int, str, int, int]:
    """Return year, letter and number of a label, and how many such buckets a year has.

    >>> split_label("2026-Q1"), split_label("2026-05"), split_label("2026")
    ((2026, 'Q', 1, 4), (2026, '', 5, 12), (2026, '', 1, 1))
    """
    year, _, part = label.partition("-")
    letter = part[:1] if part[:1] in BUCKETS_IN_YEAR else ""
    in_year = BUCKETS_IN_YEAR.get(letter, 12 if part else 1)
    return int(year), letter, int(part.removeprefix(letter) or 1), in_year


def label_before(label: str, *, kind: str = PREVIOUS) -> str:
    """Return the label of the bucket before, or of the same bucket a year before.

    A week's year is 52 weeks, so that weekdays agree; next to a year of 53 its number moves by
    one. Fiscal labels count alike and need no calendar. Empty for the year before a year.

    Examples
    --------
    >>> label_before("2026-01"), label_before("2026-Q1"), label_before("2026-W01")
    ('2025-12', '2025-Q4', '2025-W52')
    >>> label_before("2026-H1", kind=YEAR), label_before("2027-W01", kind=YEAR)
    ('2025-H1', '2026-W02')
    """
    year, letter, number, in_year = split_label(label)
    if in_year == 1:
        return f"{year - 1}" if kind == PREVIOUS else ""
    back = 1 if kind == PREVIOUS else in_year
    if letter == "W":
        monday = date.fromisocalendar(year, number, 1) - timedelta(weeks=back)
        return Calendar().label(monday, "week")
    year, place = divmod(year * in_year + number - 1 - back, in_year)
    return f"{year}-{letter}{place + 1}" if letter else f"{year}-{place + 1:02}"


def is_whole(label: str, start: date, end: date) -> bool:
    """Return whether a bucket was cut by neither end of the period."""
    _, letter, _, in_year = split_label(label)
    is_week = letter == "W" and (end - start).days == 7
    return is_week or (start.day == 1 and end == add_months(start, 12 // in_year))


def square_and_add(
    weights: npt.ArrayLike, value: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[Floats, Floats]:
    r"""Return the 95 % interval of a weighted sum of independent estimates from their bounds.

    Parameters
    ----------
    weights, value, low, high
        Weights of either sign, estimates and their 95 % bounds; summed over the last axis.

    Returns
    -------
    low, high
        NaN where an estimate or a bound is.

    Notes
    -----
    .. math:: \sum w_i p_i \mp \sqrt{\sum w_i^2 (p_i - b_i)^2}

    where b is the bound that moves the sum that way. With weights 1, -1 and Wilson bounds it is
    method 10 of Newcombe, R. G. (1998), Interval estimation for the difference between independent
    proportions, Stat. Med. 17:873-890. For other bounds: Zou, G. Y. & Donner, A. (2008), Stat. Med.
    27:1693-1702; for sums: Zou, Huang & Zhang (2009), Comput. Stat. Data Anal. 53:1080-1085.

    Examples
    --------
    >>> from mqlkit.estimators import wilson
    >>> bounds = wilson([56, 48], [70, 80])
    >>> [round(float(x), 4) for x in square_and_add([1, -1], [56 / 70, 48 / 80], *bounds)]
    [0.0524, 0.3339]
    """
    w, p, least, most = (np.asarray(x, dtype=float) for x in (weights, value, low, high))
    total = (w * p).sum(axis=-1)
    down = (w * (p - np.where(w > 0, least, most))) ** 2
    up = (w * (p - np.where(w > 0, most, least))) ** 2
    return total - np.sqrt(down.sum(axis=-1)), total + np.sqrt(up.sum(axis=-1))


def count_bounds(count: npt.ArrayLike) -> tuple[Floats, Floats]:
    r"""Return the 95 % score interval of the mean of a Poisson count.

    Parameters
    ----------
    count
        Counts, of any shape.

    Returns
    -------
    low, high
        The lower one is 0 where the count is, and never less.

    Notes
    -----
    .. math:: y + z^2/2 \mp z \sqrt{y + z^2/4}

    Leads are taken to come one by one; what comes in bursts varies more than this says. Barker, L.
    (2002), Am. Stat. 56:85-89. In `square_and_add`: Li, H. Q., Tang, M. L. & Wong, W. K. (2014),
    Comput. Stat. 29:869-889.

    Examples
    --------
    >>> [[round(float(x), 2) for x in bound] for bound in count_bounds([0, 100])]
    [[0.0, 82.23], [3.84, 121.61]]
    """
    y = np.asarray(count, dtype=float)
    centre, spread = y + Z95**2 / 2, Z95 * np.sqrt(y + Z95**2 / 4)
    return np.where(y == 0, 0.0, centre - spread), centre + spread
