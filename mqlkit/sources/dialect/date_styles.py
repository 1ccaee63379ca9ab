"""The ways of writing a date: which of them a value's shape is in.

A value's shape is its text with 9 for every digit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORD = r"(?P<word>[A-Za-z]{3,9})\.?"
# Written as if the day came first; where the month or the year does, it is exchanged with the day.
NUMERIC, SHORT_NUMERIC = "%d{sep}%m{sep}%Y", "%d{sep}%m{sep}%y"
# A year of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068.
SHORT_YEAR = r"99(?!9)"
DAY = (
    (re.compile(r"99?(?P<sep>[./-])99?(?P=sep)9999"), NUMERIC),
    (re.compile(rf"99?(?P<sep>[./-])99?(?P=sep){SHORT_YEAR}"), SHORT_NUMERIC),
    (re.compile(r"9999(?P<sep>[./-])99?(?P=sep)99?"), "%Y{sep}%m{sep}%d"),
    (re.compile(r"99999999"), "%Y%m%d"),
    (re.compile(rf"99?(?P<sep>[ ./-]){WORD}(?P<sep2>,? |[./-])9999"), "%d{sep}{word}{sep2}%Y"),
    (re.compile(rf"{WORD}(?P<sep>[ -])99?(?P<sep2>,? |-)9999"), "{word}{sep}%d{sep2}%Y"),
    (
        re.compile(rf"99?(?P<sep>[ ./-]){WORD}(?P<sep2>,? |[./-]){SHORT_YEAR}"),
        "%d{sep}{word}{sep2}%y",
    ),
    (re.compile(rf"{WORD}(?P<sep>[ -])99?(?P<sep2>,? |-){SHORT_YEAR}"), "{word}{sep}%d{sep2}%y"),
    (re.compile(rf"9999(?P<sep>[ -]){WORD}(?P<sep2>[ -])99?"), "%Y{sep}{word}{sep2}%d"),
    (re.compile(rf"9999 99? {WORD}"), "%Y %d {word}"),
    (re.compile(rf"{WORD}(?P<sep>[ /-])9999"), "{word}{sep}%Y"),
)
OFFSET = r"[+-]99(?::?99)?"
TIME = re.compile(
    r"(?P<join>,? |T|, at )(?:(?P<early>[AP]M) ?)?"
    r"(?P<hour>99?:99)(?P<second>:99)?(?P<part>\.9{1,6})?"
    r"(?:(?P<gap> ?)(?P<half>[AaPp][Mm]))?"
    rf"(?P<zone> ?(?:UTC|GMT|Z|{OFFSET}))?"
)
LOOSE_ISO = re.compile(r"9999-99?-99?[T ]99?:99(:99([.,]9+)?)? ?(Z|z|UTC|GMT|[+-]99(:?99)?)?")
MONTHS = "january february march april may june july august september october november december"
SHORT = [month[:3] for month in MONTHS.split()]
NUMBERS = {"99999": "serial", "9999999999": "epoch-s", "9999999999999": "epoch-ms"}
SERIAL = re.compile(r"9{5}\.9+")


@dataclass(frozen=True)
class Style:
    """One way of writing a date.

    Attributes
    ----------
    kind
        A kind of number, ``loose`` (ISO 8601 to be tidied) or ``pattern``.
    pattern
        For strptime, the day first where day and month are both numbers.
    zone
        ``local``, ``utc`` where it says so, or ``offset`` where it carries one.
    group
        Where it may be day or month first: its separator, whether its year has two digits, and
        whether it is with AM and PM. One system writes all of a group alike; nothing is said about
        another group.
    """

    kind: str
    pattern: str = ""
    zone: str = "local"
    group: str = ""

    @property
    def is_short(self) -> bool:
        """Return whether it has a year of two digits, which may come first as well."""
        return bool(self.group) and "%y" in self.pattern

    def ordered(self, order: str) -> str:
        """Return the pattern, month first where the order is ``mdy``, year first for ``ymd``."""
        if not self.group or order not in ("mdy", "ymd"):
            return self.pattern
        first = "%m" if order == "mdy" else "%y"
        return self.pattern.replace("%d", "%\0").replace(first, "%d").replace("%\0", first)


def style_of(shape: str) -> Style | None:
    """Return the way of writing a date that a shape is in, None where it is no date.

    >>> style_of("9/99/9999 9:99 PM").pattern
    '%d/%m/%Y %I:%M %p'
    >>> style_of("99.99.9999 99:99+99:99").pattern
    '%d.%m.%Y %H:%M%z'
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
        group = parts.get("sep", "") + (" with two-digit years" if pattern == SHORT_NUMERIC else "")
        group += " with AM and PM" if time and (time["half"] or time["early"]) else ""
        return Style(
            "pattern",
            pattern.format(**parts) + (_time(time) if time else ""),
            zone=_zone(time),
            group=group if pattern in (NUMERIC, SHORT_NUMERIC) else "",
        )
    return None


def _zone(time: re.Match[str] | None) -> str:
    if not time or not time["zone"]:
        return "local"
    return "offset" if re.search(OFFSET, time["zone"]) else "utc"


def _time(time: re.Match[str]) -> str:
    early = "%p" + time.string[time.end("early") : time.start("hour")] if time["early"] else ""
    hour = early + ("%I:%M" if time["half"] or early else "%H:%M")
    second = ":%S" if time["second"] else ""
    part = ".%f" if time["part"] else ""
    half = time["gap"] + "%p" if time["half"] else ""
    zone = re.sub(OFFSET, "%z", time["zone"] or "")
    return time["join"] + hour + second + part + half + zone
