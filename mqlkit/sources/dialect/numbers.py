"""How numbers are written: which sign is the decimal one, decided from all values of a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mqlkit.sources.dialect.evidence import STRAY_SHARE, Ambiguity, Shape

# Space, no-break, narrow no-break and thin space, and two apostrophes part thousands.
GROUPERS = (
    " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}'\N{RIGHT SINGLE QUOTATION MARK}"
)
# What stands for no fraction, as in `1'200.-`.
NO_FRACTION = re.compile(r"9([.,])[-\N{EN DASH}\N{EM DASH}]+(?!9)")
# So many decimals that the point can be nothing else.
UNMISTAKABLE = re.compile(r"-?[9o]+\.9{4,}")
CORE = re.compile(rf"[o9.,](?:[9o.,{GROUPERS}]*[9o.,])?")


@dataclass(frozen=True)
class NumberReading:
    """How the numbers of one column are read.

    Attributes
    ----------
    decimal
        The sign before the fraction.
    words
        The decision, said.
    """

    decimal: str = "."
    words: str = "decimal point"
    examples: tuple[str, ...] = ()


def decide_decimal(
    shapes: Sequence[Shape], *, given: str, delimiter: str
) -> NumberReading | Ambiguity:
    """Return the decimal sign of a column, or why the values do not decide it.

    Parameters
    ----------
    shapes
        All shapes of its values; ``o`` stands for a zero that begins a fraction.
    given
        ``auto``, or what the user or the format says.
    delimiter
        Of the file: where cells are parted by ``;``, the comma is the decimal sign.

    Examples
    --------
    >>> decide_decimal([Shape("9.999,99", 2)], given="auto", delimiter=",").decimal
    ','
    >>> decide_decimal([Shape("9,999", 2)], given="auto", delimiter=",").answers
    ('decimal: "."', 'decimal: ","')
    """
    examples = tuple(e for s in shapes for e in s.examples[:1])[:3]
    if given != "auto":
        return NumberReading(given, f"decimal {_name(given)}, as given", examples)
    counts = _count_signs(shapes)
    open_ones = [s for s in shapes if _sign_in(s.text) in ("either", "maybe ,")]
    if delimiter == ";" or counts[","]:
        counts[","] += counts.pop("maybe ,")
    point, comma = counts["."], counts[","] + counts.get("maybe ,", 0)
    if not comma and not counts["either"]:
        # A workbook's own numbers say nothing about text: they are read as they are in any column.
        point += counts["unmistakable"]
    if point > STRAY_SHARE * comma:
        return NumberReading(".", "decimal point", examples)
    if counts[","] > STRAY_SHARE * point:
        return NumberReading(",", "decimal comma", examples)
    if not comma and not counts["either"]:
        return NumberReading(".", "whole numbers", examples)
    found = tuple(e for s in open_ones or shapes for e in s.examples)[:3]
    words = "nothing tells the decimal sign of its numbers"
    if point:
        words = f"{point} of its numbers have a decimal point and {comma} a decimal comma"
    return Ambiguity(words, ('decimal: "."', 'decimal: ","'), found)


def _name(sign: str) -> str:
    return "point" if sign == "." else "comma"


def _count_signs(shapes: Sequence[Shape]) -> dict[str, int]:
    counts = {".": 0, ",": 0, "maybe ,": 0, "either": 0, "unmistakable": 0}
    for shape in shapes:
        kind = "unmistakable" if UNMISTAKABLE.fullmatch(shape.text) else _sign_in(shape.text)
        if kind:
            counts[kind] += shape.n
    return counts


def _sign_in(shape: str) -> str:
    """Return the decimal sign that a shape shows; empty where it shows none."""
    dashed = NO_FRACTION.search(shape)
    if not dashed:
        return _sign_of_core(shape)
    sign, rest = dashed.group(1), NO_FRACTION.sub("9", shape)
    shown = _sign_of_core(rest)
    if shown in (".", ",") or sign not in rest:
        return shown or sign
    return "," if sign == "." else "."


def _sign_of_core(shape: str) -> str:
    match = CORE.search(shape)
    core = match.group() if match else ""
    points, commas = core.count("."), core.count(",")
    if points and commas:
        last = max(".", ",", key=core.rfind)
        return last if core.count(last) == 1 else ""
    if not points and not commas:
        return ""
    sign = "." if points else ","
    if core.count(sign) > 1:
        return "," if sign == "." else "."
    before, _, after = core.partition(sign)
    if any(g in before for g in GROUPERS) or before == "o":
        return sign
    if len(after) == 3 and 1 <= len(before) <= 3:
        return "either"
    # A comma before one or two digits can only be meant as a decimal sign; it may be a slip.
    return "." if sign == "." else "maybe ,"
