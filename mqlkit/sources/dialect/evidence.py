"""What the values of a column say about how it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mqlkit.sources.dialect.date_styles import style_of

# One stray value among twenty is a mistake; more are another way of writing.
STRAY_SHARE = 20


@dataclass(frozen=True)
class Shape:
    """The values of one shape in a column.

    Attributes
    ----------
    text
        A value with 9 for every digit.
    n, is_iso
        How many there are, and whether they are ISO 8601 that the engine reads as it is.
    fits_pattern
        Whether the given pattern fits them.
    first_over, second_over
        How many have more than 12 as their first, as their second number.
    differing
        How many have a first number that is not the second.
    first_early, third_early
        How many have a first number, and a year of two digits, below 10.
    late_days
        How many, of ISO 8601, have a day above 12.
    n_timed
        How many have a time of day other than midnight.
    kind
        1 where they are days that programs write for a missing one (`placeholders`), 2 where the
        user says so, else 0.
    examples
        Some of them, as written.
    """

    text: str
    n: int
    is_iso: bool = False
    fits_pattern: bool = False
    first_over: int = 0
    second_over: int = 0
    differing: int = 0
    first_early: int = 0
    third_early: int = 0
    late_days: int = 0
    n_timed: int = 0
    kind: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ambiguity:
    """Why a column cannot be decided, with the answers that would do.

    Attributes
    ----------
    patterns
        Answers that say nothing about dates written in another way.
    """

    text: str
    answers: tuple[str, ...]
    found: tuple[str, ...]
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderEvidence:
    """What the values of one group show about the order of day and month.

    Attributes
    ----------
    order
        ``dmy``, ``mdy``, ``both`` where they contradict each other, empty where they say nothing.
    n, deciding, contradictions
        How many values there are, how many tell the order, and how many contradict it.
    """

    order: str
    n: int
    deciding: int = 0
    contradictions: int = 0

    @property
    def is_clear(self) -> bool:
        """Return whether more than a few stray values decide the order."""
        return self.deciding > max(1, self.n // STRAY_SHARE)


def order_evidence(shapes: Iterable[Shape]) -> dict[str, OrderEvidence]:
    """Return what each group of a column's dates says about the order of day and month."""
    found: dict[str, OrderEvidence] = {}
    for group, members in groups_of(shapes).items():
        first = sum(s.first_over for s in members)
        second = sum(s.second_over for s in members)
        n, most, least = sum(s.n for s in members), max(first, second), min(first, second)
        if not most:
            found[group] = OrderEvidence("", n)
        elif most < STRAY_SHARE * least:
            found[group] = OrderEvidence("both", n, first, second)
        else:
            found[group] = OrderEvidence("dmy" if first > second else "mdy", n, most, least)
    return found


def contradictions_of(shapes: Iterable[Shape]) -> int:
    """Return how many dates contradict the order that all others of their group are in."""
    return sum(v.contradictions for v in order_evidence(shapes).values() if v.order != "both")


def groups_of(shapes: Iterable[Shape]) -> dict[str, list[Shape]]:
    """Return the shapes of dates that may be day or month first, by how they are written."""
    groups: dict[str, list[Shape]] = {}
    for shape in shapes:
        style = None if shape.is_iso else style_of(shape.text)
        if style and style.group:
            groups.setdefault(style.group, []).append(shape)
    return groups
