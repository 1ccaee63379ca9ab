"""Several files of one system: when one of them may speak for another.

Each file is decided by itself. Where it cannot decide, the others with the same header, delimiter
and encoding may speak for it, if they agree and write alike; no other file may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mqlkit.sources.amounts import NumberReading, decide_decimal
from mqlkit.sources.dates import DateReading, decide_dates
from mqlkit.sources.votes import Doubt, Shape, slips_of, votes_of

Files = Mapping[str, Sequence[Shape]]


def pool(files: Files) -> list[Shape]:
    """Return the shapes of all files."""
    return [shape for shapes in files.values() for shape in shapes]


def dates_of_files(files: Files, *, given: str) -> dict[str, DateReading | Doubt]:
    """Return how a column of dates is read in each file of one system."""
    found: dict[str, set[str]] = {}
    for shapes in files.values():
        for group, vote in votes_of(shapes).items():
            found.setdefault(group, set()).update({vote.order} - {""})
    if all(len(orders) < 2 and "both" not in orders for orders in found.values()):
        pooled = decide_dates(pool(files), given=given)
        if isinstance(pooled, Doubt):
            return dict.fromkeys(files, pooled)
        return {name: replace(pooled, slips=slips_of(shapes)) for name, shapes in files.items()}
    return {name: decide_dates(shapes, given=given) for name, shapes in files.items()}


def numbers_of_files(
    files: Files, *, given: str, delimiter: str
) -> dict[str, NumberReading | Doubt]:
    """Return how a column of numbers is read in each file of one system."""

    def decide(shapes: Sequence[Shape]) -> NumberReading | Doubt:
        return decide_decimal(shapes, given=given, delimiter=delimiter)

    alone = {name: decide(shapes) for name, shapes in files.items()}
    telling = {name: _telling(shapes, decide) for name, shapes in files.items()}
    signs = {
        reading.decimal
        for name, reading in alone.items()
        if isinstance(reading, NumberReading) and telling[name]
    }
    if given != "auto" or len(signs) != 1:
        return alone
    (sign,) = signs
    pooled = decide(pool(files))
    if isinstance(pooled, Doubt) or pooled.decimal != sign:
        return alone
    speakers = [s for shapes in telling.values() for s in shapes]
    return {
        name: pooled if _may_speak(speakers, shapes, sign, decide) else alone[name]
        for name, shapes in files.items()
    }


def _telling(
    shapes: Sequence[Shape], decide: Callable[[Sequence[Shape]], NumberReading | Doubt]
) -> list[Shape]:
    """Return the shapes that tell the decimal sign without any other."""
    written = [s for s in shapes if "." in s.text or "," in s.text]
    return [s for s in written if isinstance(decide([s]), NumberReading)]


def _may_speak(
    speakers: Sequence[Shape],
    shapes: Sequence[Shape],
    sign: str,
    decide: Callable[[Sequence[Shape]], NumberReading | Doubt],
) -> bool:
    """Return whether a file that cannot decide is written as those are that can."""
    if isinstance(decide(shapes), NumberReading):
        return True
    if _telling(shapes, decide) or isinstance(decide([*shapes, replace(speakers[0], n=1)]), Doubt):
        return False
    # `1.234` is no fraction where all others have two digits.
    thousandth = re.compile(rf"\{sign}999(?![9.,])")
    return not any(thousandth.search(s.text) for s in shapes) or any(
        thousandth.search(s.text) for s in speakers
    )
