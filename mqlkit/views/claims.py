"""Claims: what the page states about a metric, as data from which the words are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import NOT_RECORDED as NOT_RECORDED_FLAG
from mqlkit.core.names import SMALL_N, TOTAL
from mqlkit.core.text import between, count, counted, decimal, duration, exactly, money, percent

GOOD, BAD, PLAIN = STATUSES = ("good", "bad", "plain")
UP, DOWN, UNCHANGED = DIRECTIONS = ("up", "down", "unchanged")
# How firm a claim is: what the data shows; with outcomes still to come; estimated; within chance;
# of too few leads; not known because a stage is not recorded; not known for another reason.
MEASURED, SO_FAR, ESTIMATED, UNCLEAR, FEW, NOT_RECORDED, UNKNOWN = CERTAINTIES = (
    "measured", "so far", "estimated", "unclear", "few", "not recorded", "unknown",
)  # fmt: skip
# Flags of a share that can still change: more of its leads can convert, or enter.
YOUNG = frozenset({"immature", "in-progress"})


def certainty_of(n: float, *, is_open: bool = False) -> str:
    """Return how firm a figure of ``n`` leads is, if some of them are still open or not.

    >>> certainty_of(29), certainty_of(30, is_open=True), certainty_of(30)
    ('few', 'so far', 'measured')
    """
    return FEW if n < SMALL_N else SO_FAR if is_open else MEASURED


def is_young(flags: Iterable[str]) -> bool:
    """Return whether a conversion rate with these flags can still change."""
    return not YOUNG.isdisjoint(flags)


def so_far(flags: Iterable[str], share: float) -> str:
    """Return `` so far``, for the words of a conversion rate that can still rise; else nothing."""
    return " so far" if is_young(flags) and share < 1 else ""


# How numbers are written, by unit; durations and money depend on more.
FORMATS: Mapping[str, Callable[[float], str]] = {
    "share": percent,
    "points": lambda value: f"{value * 100:.1f}",
    "expected leads": count,
    "ratio": decimal,
    "leads/day": decimal,
}


@dataclass(frozen=True)
class Quantity:
    """A number of a claim.

    Attributes
    ----------
    value
        The number.
    unit
        As in `core.metrics.METRICS`; ``points`` is a difference of shares, and ``expected leads``
        is shown without decimals.
    metric, bucket, part
        The row of the report that it comes from, and its column; ``metric`` is empty for a figure
        that is not in a row.
    currency, day_hours, is_dated
        Currency of money, hours of a day on the clock, and whether durations are between dates.
    """

    value: float
    unit: str = "leads"
    metric: str = ""
    bucket: str = TOTAL
    part: str = "value"
    currency: str = ""
    day_hours: float = 24
    is_dated: bool = False

    def __format__(self, noun: str) -> str:
        """Format the number by its unit; a noun after a colon is put in the right number."""
        return counted(self.value, noun) if noun else self.words

    @property
    def words(self) -> str:
        """Return the number formatted by its unit."""
        return in_words(self)


def in_words(figure: Quantity) -> str:
    """Format a figure by its unit.

    >>> in_words(Quantity(0.2764, "share")), in_words(Quantity(51.0, "hours"))
    ('27.6%', '2.1 days')
    """
    value, unit = figure.value, figure.unit
    if unit in ("hours", "days"):
        hours = value * 24 if unit == "days" else value
        return duration(hours, day_hours=figure.day_hours, is_dated=figure.is_dated)
    if unit.startswith("money"):
        return money(value, figure.currency)
    return FORMATS.get(unit, exactly)(value)


PLAIN_RANGE, SIZE_RANGE, SIGNED_RANGE = "plain", "size", "signed"
# A difference that is not 0 is not rounded to 0.
LEAST = {"points": 0.001, "leads": 1}


class Range(NamedTuple):
    """The ends of an interval: of a number, of the size of a difference, or of a difference."""

    low: Quantity
    high: Quantity
    style: str = PLAIN_RANGE

    def __format__(self, _: str) -> str:
        """Format both ends, kept on one line where they are shares."""
        if self.style == SIGNED_RANGE:
            noun = " points" if self.low.unit == "points" else ""
            return f"{signed(self.low)} to {signed(self.high)}{noun}"
        if self.style == SIZE_RANGE:
            return f"{size_words(self.low)} to {size_words(self.high)}"
        if self.low.unit == "share":
            return between(self.low.value, self.high.value)
        return f"{self.low} to {self.high}"

    def holds(self, value: float) -> bool:
        """Return whether a number lies within the interval."""
        return self.low.value <= value <= self.high.value


def signed(figure: Quantity) -> str:
    """Format a difference with its sign."""
    sign = "+" if figure.value > 0 else "−" if figure.value < 0 else ""
    return sign + size_words(figure)


def size_words(figure: Quantity) -> str:
    """Format the size of a difference."""
    value = abs(figure.value)
    least = LEAST.get(figure.unit, 0.01)
    if 0 < value < least / 2:
        return f"<{size_words(replace(figure, value=least))}"
    return count(value) if figure.unit == "leads" else in_words(replace(figure, value=value))


@dataclass(frozen=True)
class Sentence:
    """A whole sentence with named places for figures and terms.

    Attributes
    ----------
    text
        The sentence; ``{mqls:MQL}`` is a count with its noun.
    many
        The sentence where ``by`` is not 1; empty if there is only one form.
    by
        The figure that decides.
    """

    text: str
    many: str = ""
    by: str = ""

    def claim(
        self,
        metric: str,
        *,
        bucket: str = TOTAL,
        status: str = PLAIN,
        direction: str = "",
        certainty: str = MEASURED,
        **named: Quantity | Range | str,
    ) -> Claim:
        """Return the claim of this sentence about a metric, with its figures and terms."""
        figures = {name: f for name, f in named.items() if not isinstance(f, str)}
        terms = {name: t for name, t in named.items() if isinstance(t, str)}
        return Claim(self, metric, bucket, status, direction, certainty, figures, terms)


@dataclass(frozen=True)
class Claim:
    """One statement about a metric in a bucket.

    Attributes
    ----------
    sentence
        Its words, without figures.
    metric, bucket
        What it is about.
    status
        One of `STATUSES`.
    direction
        One of `DIRECTIONS` for a change; empty otherwise.
    certainty
        One of `CERTAINTIES`.
    figures, terms
        Numbers and texts in the words.
    """

    sentence: Sentence
    metric: str
    bucket: str = TOTAL
    status: str = PLAIN
    direction: str = ""
    certainty: str = MEASURED
    figures: Mapping[str, Quantity | Range] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the claim in words."""
        sentence = self.sentence
        number = self.figures.get(sentence.by)
        is_many = isinstance(number, Quantity) and number.value != 1
        template = sentence.many if is_many else sentence.text
        return template.format(**self.figures, **self.terms)

    def quantities(self) -> Iterator[Quantity]:
        """Yield every number of the claim."""
        for figure in self.figures.values():
            yield from (figure,) if isinstance(figure, Quantity) else (figure.low, figure.high)


class Verdict:
    """What the page states on one question: claims, and the words and the tone made from them.

    Parameters
    ----------
    text
        The words; those of the claims, one after the other, when left out.
    tone
        ``good``, ``bad`` or ``plain``; with claims, it is made from their statuses.
    claims
        What is stated about numbers. A note of the user has none.
    """

    def __init__(
        self, text: str = "", tone: str = PLAIN, *, claims: tuple[Claim, ...] = ()
    ) -> None:
        self.claims = claims
        self.text = text or " ".join(claim.text for claim in claims)
        self.tone = tone_of(claims) if claims else tone

    @property
    def sentences(self) -> list[str]:
        """Return the words, sentence by sentence where they are those of the claims."""
        words = [claim.text for claim in self.claims]
        return words if " ".join(words) == self.text else [self.text]

    def __repr__(self) -> str:
        """Return the words and the tone."""
        return f"Verdict({self.text!r}, {self.tone!r})"


def verdict(*claims: Claim | None) -> Verdict:
    """Return a verdict of some claims, in their order; None is left out."""
    return Verdict(claims=tuple(claim for claim in claims if claim))


def tone_of(claims: tuple[Claim, ...]) -> str:
    """Return the tone of claims together: bad before good before plain."""
    found = {claim.status for claim in claims}
    return next((status for status in (BAD, GOOD) if status in found), PLAIN)


class Cells:
    """The numbers of all leads in one bucket, by metric.

    Parameters
    ----------
    rows
        Tidy rows or a family frame.
    bucket
        Its label; the whole period when left out.
    currency, day_hours, is_dated
        As in `Quantity`.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        bucket: str = TOTAL,
        *,
        currency: str = "",
        day_hours: float = 24,
        is_dated: bool = False,
    ) -> None:
        found = rows[(rows["bucket"] == bucket) & (rows["by"] == "")]
        columns = ("metric", "value", "n", "low", "high", "flags")
        self.bucket = bucket
        self._terms: dict[str, Any] = {
            "currency": currency,
            "day_hours": day_hours,
            "is_dated": is_dated,
        }
        self._rows: dict[str, dict[str, Any]] = {
            metric: dict(zip(columns, (metric, *of), strict=True))
            for metric, *of in zip(*(found[name] for name in columns), strict=True)
        }

    def figure(self, metric: str, part: str = "value", *, unit: str = "") -> Quantity:
        """Return a number; ``part`` is value, n, low or high. NaN if it is null or missing."""
        number = float(self._rows[metric][part]) if metric in self._rows else math.nan
        is_count = metric not in METRICS or part == "n"
        unit = unit or ("leads" if is_count else METRICS[metric].unit)
        return Quantity(number, unit, metric, self.bucket, part, **self._terms)

    def value(self, metric: str) -> float:
        """Return a value; NaN if it is null or missing."""
        return self.figure(metric).value

    def size(self, metric: str) -> Quantity:
        """Return the absolute value of a difference, without its sign."""
        figure = self.figure(metric)
        return replace(figure, value=abs(figure.value), part="size")

    def inverse(self, metric: str) -> Quantity:
        """Return one in how many leads a share is."""
        figure = self.figure(metric)
        return replace(figure, value=1 / (figure.value or math.nan), unit="ratio", part="inverse")

    def n(self, metric: str) -> float:
        """Return a denominator; 0 if there is none."""
        n = self.figure(metric, "n").value
        return 0.0 if math.isnan(n) else n

    def flags(self, metric: str) -> tuple[str, ...]:
        """Return the flags of a metric."""
        return tuple(self._rows[metric]["flags"]) if metric in self._rows else ()

    def is_recorded(self, metric: str) -> bool:
        """Return whether the data records what a metric needs."""
        return metric in self._rows and NOT_RECORDED_FLAG not in self.flags(metric)

    def interval(self, metric: str) -> Range:
        """Return the interval of a metric."""
        return Range(self.figure(metric, "low"), self.figure(metric, "high"))
