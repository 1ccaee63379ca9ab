"""How a column is read in the files that one system has written, decided from all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mqlkit.sources.dialect.dates import DateReading, decide_dates
from mqlkit.sources.dialect.evidence import Ambiguity, Shape, contradictions_of, order_evidence
from mqlkit.sources.dialect.numbers import NumberReading, decide_decimal

Files = Mapping[str, Sequence[Shape]]


def pool(files: Files) -> list[Shape]:
    """Return the shapes of all files."""
    return [shape for shapes in files.values() for shape in shapes]


def dates_of_files(
    files: Files, *, given: str, why: str = "as given"
) -> dict[str, DateReading | Ambiguity]:
    """Return how a column of dates is read in each file of one system; see `decide_dates`."""
    found: dict[str, set[str]] = {}
    for shapes in files.values():
        for group, seen in order_evidence(shapes).items():
            found.setdefault(group, set()).update({seen.order} - {""})
    if all(len(orders) < 2 and "both" not in orders for orders in found.values()):
        pooled = decide_dates(pool(files), given=given, why=why)
        if isinstance(pooled, Ambiguity):
            return dict.fromkeys(files, pooled)
        return {
            name: replace(pooled, contradictions=contradictions_of(shapes))
            for name, shapes in files.items()
        }
    return {name: decide_dates(shapes, given=given, why=why) for name, shapes in files.items()}


def numbers_of_files(
    files: Files, *, given: str, delimiter: str
) -> dict[str, NumberReading | Ambiguity]:
    """Return how a column of numbers is read in each file of one system."""

    def decide(shapes: Sequence[Shape]) -> NumberReading | Ambiguity:
        return decide_decimal(shapes, given=given, delimiter=delimiter)

    alone = {name: decide(shapes) for name, shapes in files.items()}
    deciding = {name: _deciding(shapes, decide) for name, shapes in files.items()}
    signs = {
        reading.decimal
        for name, reading in alone.items()
        if isinstance(reading, NumberReading) and deciding[name]
    }
    if given != "auto" or len(signs) != 1:
        return alone
    (sign,) = signs
    pooled = decide(pool(files))
    if isinstance(pooled, Ambiguity) or pooled.decimal != sign:
        return alone
    decisive = [s for shapes in deciding.values() for s in shapes]
    return {
        name: pooled if _is_written_alike(decisive, shapes, sign, decide) else alone[name]
        for name, shapes in files.items()
    }


def _deciding(
    shapes: Sequence[Shape], decide: Callable[[Sequence[Shape]], NumberReading | Ambiguity]
) -> list[Shape]:
    """Return the shapes that tell the decimal sign without any other."""
    written = [s for s in shapes if "." in s.text or "," in s.text]
    return [s for s in written if isinstance(decide([s]), NumberReading)]


def _is_written_alike(
    decisive: Sequence[Shape],
    shapes: Sequence[Shape],
    sign: str,
    decide: Callable[[Sequence[Shape]], NumberReading | Ambiguity],
) -> bool:
    """Return whether a file that cannot decide is written as those are that can."""
    if isinstance(decide(shapes), NumberReading):
        return True
    if _deciding(shapes, decide) or isinstance(
        decide([*shapes, replace(decisive[0], n=1)]), Ambiguity
    ):
        return False
    # `1.234` is no fraction where all others have two digits.
    thousandth = re.compile(rf"\{sign}999(?![9.,])")
    return not any(thousandth.search(s.text) for s in shapes) or any(
        thousandth.search(s.text) for s in decisive
    )
