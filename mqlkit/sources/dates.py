"""How dates are written: the styles there are, and which of them a whole column is in.

A value's shape is its text with 9 for every digit. What a column may be is told from its shapes
and from how large its first and second numbers get, so from all its values at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mqlkit.errors import SourceError, report

ORDERS = ("ymd", "dmy", "mdy")
DIRECTIVES = "aAwdbBmyYHIpMSfgnjzZUWcxX%"
WORD = r"(?P<word>[A-Za-z]{3,9})\.?"
# Written as if the day came first; where the month does, the two are exchanged.
NUMERIC = "%d{sep}%m{sep}%Y"
DAY = (
    (re.compile(r"99?(?P<sep>[./-])99?(?P=sep)9999"), NUMERIC),
    (re.compile(r"9999(?P<sep>[./-])99?(?P=sep)99?"), "%Y{sep}%m{sep}%d"),
    (re.compile(r"99999999"), "%Y%m%d"),
    (re.compile(rf"99?(?P<sep>[ ./-]){WORD}(?P<sep2>,? |[./-])9999"), "%d{sep}{word}{sep2}%Y"),
    (re.compile(rf"{WORD}(?P<sep>[ -])99?(?P<sep2>,? |-)9999"), "{word}{sep}%d{sep2}%Y"),
    (re.compile(rf"9999(?P<sep>[ -]){WORD}(?P<sep2>[ -])99?"), "%Y{sep}{word}{sep2}%d"),
)
TIME = re.compile(
    r"(?P<join>,? |T|, at |, )(?P<hour>99?:99)(?P<second>:99)?(?P<part>\.9{1,6})?"
    r"(?P<gap>[ \u202f\xa0]?)(?P<half>[AaPp]\.?[Mm]\.?)?(?P<zone> ?(?:UTC|GMT|Z))?"
)
LOOSE_ISO = re.compile(r"9999-99?-99?[T ]99?:99(:99([.,]9+)?)? ?(Z|z|UTC|GMT|[+-]99(:?99)?)?")
MONTHS = "january february march april may june july august september october november december"
SHORT = [month[:3] for month in MONTHS.split()]
NUMBERS = {"99999": "serial", "9999999999": "epoch-s", "9999999999999": "epoch-ms"}
SAID = {
    "serial": "Excel's day numbers",
    "epoch-s": "seconds since 1970 (UTC)",
    "epoch-ms": "milliseconds since 1970 (UTC)",
}
SERIAL = re.compile(r"9{5}\.9+")
# One stray value among twenty is a slip of the pen; more are another way of writing.
SLIPS = 20


@dataclass(frozen=True)
class Style:
    """One way of writing a date: a kind of number, loose ISO, or a strptime pattern."""

    kind: str
    pattern: str = ""
    is_utc: bool = False
    needs_order: bool = False


@dataclass(frozen=True)
class Shape:
    """The values of one shape in a column.

    Attributes
    ----------
    text
        A value with 9 for every digit.
    n, is_iso
        How many there are, and whether they are ISO 8601 that the engine reads as it is.
    first_over, second_over
        How many have more than 12 as their first, as their second number.
    differing
        How many have a first number that is not the second.
    examples
        Some of them, as written.
    """

    text: str
    n: int
    is_iso: bool = False
    first_over: int = 0
    second_over: int = 0
    differing: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class DateReading:
    """How the dates of one column are read. ISO 8601 is always read beside it.

    Attributes
    ----------
    order
        ``iso``, ``ymd``, ``dmy``, ``mdy`` or ``pattern``.
    patterns, utc_patterns
        strptime patterns of local stamps, and of stamps that say they are UTC.
    numbers
        ``serial`` (days of Excel), ``epoch-s`` or ``epoch-ms`` where plain numbers are read so.
    has_loose
        Whether there is ISO 8601 that the engine reads only once it is tidied.
    words
        The decision, said.
    """

    order: str = "iso"
    patterns: tuple[str, ...] = ()
    utc_patterns: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    has_loose: bool = False
    words: str = "ISO 8601"
    examples: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Doubt:
    """Why a column cannot be decided, with the answers that would do."""

    text: str
    answers: tuple[str, ...]
    found: tuple[str, ...]


def check_dates(dates: str) -> None:
    """Refuse what is neither an order nor a pattern.

    Raises
    ------
    SourceError
        When it is no known order and no pattern.
    """
    if dates in ("auto", *ORDERS) or is_pattern(dates):
        return
    raise SourceError(
        report(
            f"dates: {dates!r} is unknown.",
            expected="auto, ymd, dmy, mdy or a pattern such as %d.%m.%Y %H:%M",
        )
    )


def is_pattern(dates: str) -> bool:
    """Return whether it is a strptime pattern."""
    return "%" in dates and not set(re.findall(r"%-?(.)", dates)) - set(DIRECTIVES)


def decide_dates(shapes: Sequence[Shape], *, given: str) -> DateReading | Doubt:
    """Return how a column is to be read, or why nobody can tell.

    Parameters
    ----------
    shapes
        All shapes of its values.
    given
        ``auto``, or what the user or the format says.

    Examples
    --------
    >>> decide_dates([Shape("9/99/9999", 2, first_over=0, second_over=1)], given="auto").order
    'mdy'
    >>> decide_dates([Shape("9/9/9999", 2, differing=1)], given="auto").answers
    ('dates: dmy', 'dates: mdy')
    """
    examples = _examples(shapes)
    if is_pattern(given):
        return DateReading("pattern", (given,), words=f"as {given}, as told", examples=examples)
    odd = [(s, style_of(s.text)) for s in shapes if not s.is_iso]
    numeric = [shape for shape, style in odd if style and style.needs_order]
    order, why = (given, "as told") if given != "auto" else ("ymd", "")
    if given == "auto" and numeric:
        order, why = _order(numeric)
        if not order:
            found = tuple(e for s in numeric for e in s.examples)[:3]
            return Doubt(why, ("dates: dmy", "dates: mdy"), found)
    return _reading([style for _, style in odd if style], order, why, examples)


def _reading(
    styles: Sequence[Style], order: str, why: str, examples: tuple[str, ...]
) -> DateReading:
    written = [s for s in styles if s.kind == "pattern" and not (s.needs_order and order == "ymd")]
    patterns = {p: s.is_utc for s in written if (p := _in_order(s, order))}
    numbers = tuple(dict.fromkeys(s.kind for s in styles if s.kind in SAID))
    if any(s.needs_order for s in written):
        said = {"dmy": "day, month, year", "mdy": "month, day, year"}[order] + f" ({why})"
    else:
        order = "ymd" if patterns or numbers else "iso"
        said = ", ".join(p.replace("%", "") for p in list(patterns)[:2])
    return DateReading(
        order,
        patterns=tuple(p for p, is_utc in patterns.items() if not is_utc),
        utc_patterns=tuple(p for p, is_utc in patterns.items() if is_utc),
        numbers=numbers,
        has_loose=any(s.kind == "loose" for s in styles),
        words="; ".join(w for w in (said, *(SAID[n] for n in numbers)) if w) or "ISO 8601",
        examples=examples,
    )


def _in_order(style: Style, order: str) -> str:
    if not style.needs_order or order == "dmy":
        return style.pattern
    return style.pattern.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _order(numeric: Sequence[Shape]) -> tuple[str, str]:
    """Return the order that the numbers allow, and why; an empty one where they do not tell."""
    days_first = sum(s.first_over for s in numeric)
    days_second = sum(s.second_over for s in numeric)
    n = sum(s.n for s in numeric)
    if days_first > SLIPS * days_second:
        return "dmy", f"{days_first} of {n} values cannot be month first"
    if days_second > SLIPS * days_first:
        return "mdy", f"{days_second} of {n} values cannot be day first"
    if days_first:
        return (
            "",
            f"{days_first} of its {n} dates fit only day first, {days_second} only month first",
        )
    if not sum(s.differing for s in numeric):
        return "dmy", "day and month are equal in each"
    return "", f"each of its {n} dates can be read day first and month first"


def style_of(shape: str) -> Style | None:
    """Return the way of writing a date that a shape is in, None where it is no date.

    >>> style_of("9/99/9999 9:99 PM").pattern
    '%d/%m/%Y %I:%M %p'
    """
    if shape in NUMBERS:
        return Style(NUMBERS[shape])
    if SERIAL.fullmatch(shape):
        return Style("serial")
    if LOOSE_ISO.fullmatch(shape):
        return Style("loose")
    for day, pattern in DAY:
        match = day.match(shape)
        time = TIME.fullmatch(shape[match.end() :]) if match else None
        if not match or not (time or match.end() == len(shape)):
            continue
        parts = match.groupdict()
        word = parts.get("word") or ""
        if word and word.casefold() not in (*SHORT, *MONTHS.split()):
            return None
        parts["word"] = "%B" if len(word) > 3 else "%b"
        return Style(
            "pattern",
            pattern.format(**parts) + (_time(time) if time else ""),
            is_utc=bool(time and time["zone"]),
            needs_order=pattern == NUMERIC,
        )
    return None


def _time(time: re.Match[str]) -> str:
    hour = "%I:%M" if time["half"] else "%H:%M"
    second = ":%S" if time["second"] else ""
    part = ".%f" if time["part"] else ""
    half = time["gap"] + "%p" if time["half"] else ""
    return time["join"] + hour + second + part + half + (time["zone"] or "")


def _examples(shapes: Sequence[Shape]) -> tuple[str, ...]:
    most = sorted(shapes, key=lambda s: -s.n)
    firsts = [s.examples[0] for s in most if s.examples]
    rest = [e for s in most for e in s.examples[1:]]
    return tuple(dict.fromkeys([*firsts, *rest]))[:3]
