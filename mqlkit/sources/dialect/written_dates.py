"""Dates written with words, ordinals or other signs, rewritten into what `date_styles` reads.

A text is taken apart into numbers and what is between them. What is between them is replaced; the
numbers stay. So it is enough to look at the shapes of a column, of which there are few.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mqlkit.core.text import MONTH_NAMES
from mqlkit.sources.dialect.date_styles import style_of
from mqlkit.sources.dialect.languages import LANGUAGES, Language, Word, language

# Signs behind a year, month or day in Chinese, Japanese and Korean.
DATE_SIGNS = {"年": "-", "月": "-", "日": "", "년": "-", "월": "-", "일": ""}
TIME_SIGNS = {
    "時": ":",
    "时": ":",
    "点": ":",
    "분": ":",
    "分": ":",
    "시": ":",
    "秒": "",
    "초": "",
    "h": ":",
}
ORDINAL = re.compile(
    r"^(?:st|nd|rd|th|ste|de|er|ere|re|eme|e|o|a|:a|:e|\N{MASCULINE ORDINAL INDICATOR}|"
    r"\N{FEMININE ORDINAL INDICATOR}|\N{DEGREE SIGN})(?![^\W\d_])\.?",
    re.IGNORECASE,
)
UTC = re.compile(r"^ ?(?:UTC|GMT|Z)\b", re.IGNORECASE)
ZONE = re.compile(r"^ ?\(?([A-Z]{2,5}|[A-Z][A-Za-z]+/[A-Za-z_/]+)\)?$")
# What may stand behind an offset: the name of its zone.
ZONE_AFTER = re.compile(r"^ ?(?:\([^()]*\)|\[[^\[\]]*\])$")
Parts = tuple[str, ...]


class UnknownTextError(Exception):
    """A text is no date, as far as one language tells."""


class NamedZoneError(UnknownTextError):
    """A timestamp names its zone, which does not tell its offset."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        super().__init__(zone)


@dataclass(frozen=True)
class Rewriting:
    """What is replaced in the dates of a table, beside their numbers.

    Attributes
    ----------
    keys, texts
        Number of parts, place and text of each part that is replaced, as `key_of` writes them; and
        what replaces it.
    languages
        The languages that the words are in, where no other has the same words.
    zones
        The names of zones in timestamps, by shape.
    contested
        Languages in which the same texts are other dates; empty where there is no doubt.
    """

    keys: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)
    contested: tuple[str, ...] = ()


def parts_of(shape: str) -> list[str]:
    """Return the runs of digits of a shape and what is between them."""
    return re.findall(r"9+|[^9]+", shape)


def part_key(n_parts: int, place: int, text: str) -> str:
    """Return what a part is looked up by: the number of parts, its place from 1, its text."""
    return f"{n_parts}:{place}:{text}"


def rewriting_of(shapes: Mapping[str, int], *, languages: Sequence[str] = LANGUAGES) -> Rewriting:
    """Return how the dates of a table are to be rewritten.

    Parameters
    ----------
    shapes
        Every shape of its dates that is not read as it is, with its number of values.
    languages
        The languages that its words may be in, the likeliest first.
    """
    found: dict[str, Parts] = {}
    used: list[str] = []
    contested: tuple[str, ...] = ()
    zones: dict[str, str] = {}
    for by_prefix in (False, True):
        open_ = {shape: n for shape, n in shapes.items() if shape not in found}
        while open_:
            read = _readings(open_, languages, zones, by_prefix=by_prefix)
            weight = {code: sum(open_[s] for s in texts) for code, texts in read.items()}
            most = max(weight.values(), default=0)
            if not most:
                break
            best = [code for code in read if weight[code] == most]
            differing = {tuple(read[code].items()): code for code in reversed(best)}
            if len(differing) > 1:
                contested = contested or tuple(sorted(differing.values()))
            found |= read[best[0]]
            used += best if len(best) == 1 else []
            open_ = {shape: n for shape, n in open_.items() if shape not in found}
    replaced: dict[str, Counter[str]] = {}
    for shape, texts in found.items():
        parts = parts_of(shape)
        for place, (part, text) in enumerate(zip(parts, texts, strict=True), start=1):
            if part != text:
                key = part_key(len(parts), place, part)
                replaced.setdefault(key, Counter())[text] += shapes[shape]
    return Rewriting(
        keys=tuple(replaced),
        texts=tuple(texts.most_common(1)[0][0] for texts in replaced.values()),
        languages=tuple(dict.fromkeys(used)),
        zones=zones,
        contested=contested,
    )


def _readings(
    shapes: Mapping[str, int], languages: Sequence[str], zones: dict[str, str], *, by_prefix: bool
) -> dict[str, dict[str, Parts]]:
    """Return the shapes that can be read in each language; the first that reads all is enough.

    Names of zones are counted once, in English.
    """
    found: dict[str, dict[str, Parts]] = {}
    for code in languages:
        texts: dict[str, Parts] = {}
        for shape in shapes:
            try:
                texts[shape] = rewrite(shape, language(code), by_prefix=by_prefix)
            except NamedZoneError as error:
                if not by_prefix and code == languages[0]:
                    zones[shape] = error.zone
            except UnknownTextError:
                pass
        found[code] = texts
        # English is not another language's: its names of months are those that programs write.
        if code == "en" and len(texts) == len(shapes):
            return found
    return found


def rewrite(shape: str, words: Language, *, by_prefix: bool = False) -> Parts:
    """Return the parts of a shape as `date_styles` reads them.

    Raises
    ------
    UnknownTextError
        When it is no date in this language.

    Examples
    --------
    >>> "".join(rewrite("99. März 9999 99:99", language("de")))
    '99 Mar 9999 99:99'
    >>> "".join(rewrite("Mon, 9st Jan 9999 at 9:99 p.m.", language("en")))
    '9 Jan 9999 9:99 PM'
    """
    parts = parts_of(shape)
    starts = bool(parts) and parts[0][0] == "9"
    runs = parts[0 if starts else 1 :: 2]
    between = ["" if starts else parts[0], *parts[1 if starts else 2 :: 2]]
    between += [""] * (len(runs) + 1 - len(between))
    texts = _Reader(runs, between, words, by_prefix).read()
    if style_of(re.sub("[0-9]", "9", "".join(_woven(runs, texts)))) is None:
        raise UnknownTextError
    return tuple(
        text
        for text, part in zip(_woven(runs, texts), _woven(runs, between), strict=True)
        if part or _refuse(text)
    )


def _woven(runs: Sequence[str], between: Sequence[str]) -> list[str]:
    """Return the runs of digits and what is between them, in order."""
    found = [between[0]]
    for run, text in zip(runs, between[1:], strict=True):
        found += [run, text]
    return found


def _refuse(text: str) -> bool:
    """Refuse a text where the shape has nothing that it could replace."""
    if text:
        raise UnknownTextError
    return False


@dataclass
class _Reader:
    """Reads one shape: first its date, then its time, then its zone."""

    runs: Sequence[str]
    between: Sequence[str]
    words: Language
    by_prefix: bool

    def read(self) -> list[str]:
        """Return what replaces each text between the runs."""
        if [len(run) for run in self.runs] == [4] and (named := self._named(self.between[0])):
            # A month: `janvier 2026`.
            return [f"{MONTH_NAMES[named - 1]} ", self._end(self.between[1])]
        date = self._date()
        n = len(self.runs)
        k = 2 if self._has_word else 3
        behind = self._named(self.between[k]) if k == 2 and date == ["", " "] else 0
        month = f" {MONTH_NAMES[behind - 1]}" if behind else ""
        if n == k:
            return [*date, month or self._end(self.between[k])]
        first, *others = self._time(k) if not behind else [" ", *self._time(k)[1:]]
        return [*date, month + first, *others]

    def _meaning(self, text: str) -> list[Word]:
        """Return the words in a text; refuse others."""
        found, others = self.words.read(text, by_prefix=self.by_prefix)
        if others:
            raise UnknownTextError
        return found

    def _month(self, text: str) -> int:
        """Return the month that a text names beside weekdays; 0 where there is none."""
        found = self._meaning(text)
        months = [w for w in found if w.month]
        if len(months) > 1:
            # A word may be a weekday as well: `mar 3 mar`.
            months = [w for w in months if not w.is_weekday] or months[-1:]
        if len(months) != 1 or any(not (w.month or w.is_weekday) for w in found):
            return 0
        return months[0].month

    def _is_empty(self, text: str) -> bool:
        """Return whether a text is nothing but weekdays, fillers and punctuation."""
        return all(word.is_weekday for word in self._meaning(text))

    @property
    def _has_word(self) -> bool:
        return len(self.runs) >= 2 and any(map(self._named, self.between[:3]))

    def _named(self, text: str) -> int:
        try:
            return self._month(_without_ordinal(text))
        except UnknownTextError:
            return 0

    def _date(self) -> list[str]:
        """Return what replaces the texts before each run of the date."""
        widths = [len(run) for run in self.runs]
        if len(widths) < 2:
            raise UnknownTextError
        if self._has_word:
            return self._worded_date(widths)
        if len(widths) < 3 or not self._is_empty(self.between[0]):
            raise UnknownTextError
        is_year_first = widths[0] == 4
        is_known = widths[1] <= 2 and (
            widths[2] <= 2 if is_year_first else widths[0] <= 2 and widths[2] in (2, 4)
        )
        signs = [_separator(text) for text in self.between[1:3]]
        if not is_known or not signs[0] or signs[0] != signs[1]:
            raise UnknownTextError
        sign = "-" if is_year_first else signs[0]
        return ["", sign, sign]

    def _worded_date(self, widths: Sequence[int]) -> list[str]:
        first, second = self.between[0], _without_ordinal(self.between[1])
        if month := self._named(second):
            if not self._is_empty(first):
                raise UnknownTextError
            is_known = (widths[0] == 4 and widths[1] <= 2) or (
                widths[0] <= 2 and widths[1] in (2, 4)
            )
            if not is_known:
                raise UnknownTextError
            return ["", f" {MONTH_NAMES[month - 1]} "]
        if month := self._named(self.between[2]):
            # `2026. gada 5. janvāris`
            if (
                widths[0] != 4
                or widths[1] > 2
                or not (self._is_empty(first) and self._is_empty(second))
            ):
                raise UnknownTextError
            return ["", " "]
        month = self._named(first)
        if widths[0] > 2 or widths[1] not in (2, 4) or not self._is_empty(second):
            raise UnknownTextError
        return [f"{MONTH_NAMES[month - 1]} ", " "]

    def _time(self, k: int) -> list[str]:
        """Return what replaces the texts from the one before the hour on."""
        widths = [len(run) for run in self.runs]
        half = self._half(_without_date_sign(self.between[k]))
        found = [f" {half} " if half else " "]
        if widths[k] > 2:
            raise UnknownTextError
        last, rest = k, self.between[k + 1]
        for _ in range(2):
            sign = _time_sign(rest)
            if sign != ":" or last + 1 >= len(widths) or widths[last + 1] > 2:
                break
            if _is_offset(rest):
                break
            found.append(":")
            last, rest = last + 1, self.between[last + 2]
        if last == k:
            # An hour alone: `2 PM`.
            return [
                *found,
                ":00" + self._tail(rest, last, half)[0],
                *self._tail(rest, last, half)[1:],
            ]
        if last == k + 2 and rest in (".", ",") and last + 1 < len(widths):
            found.append(".")
            last, rest = last + 1, self.between[last + 2]
        return [*found, *self._tail(rest, last, half)]

    def _half(self, text: str) -> str:
        """Return AM or PM where a text says so, beside weekdays and fillers."""
        found = self._meaning(text)
        halves = [word.half for word in found if word.half]
        if len(halves) > 1 or any(not (word.half or word.is_weekday) for word in found):
            raise UnknownTextError
        return halves[0] if halves else ""

    def _tail(self, text: str, last: int, early: str) -> list[str]:
        """Return what replaces the texts behind the time: a half of the day, and a zone."""
        text = re.sub(r"^ ?[秒초分분时時시]", "", text)
        rest = self.runs[last + 1 :]
        if not rest:
            return [self._zoneless(text, early)]
        sign = text[-1] if text else ""
        sign = "-" if sign == "\N{MINUS SIGN}" else sign
        before = text[:-1]
        widths = [len(run) for run in rest]
        is_colon = len(rest) == 2 and self.between[last + 2] == ":"
        if sign not in ("+", "-") or not (
            widths in ([4], [2], [1]) or (is_colon and widths[1] == 2)
        ):
            raise UnknownTextError
        before = re.sub(r"(?:^| )(?:UTC|GMT) ?$", "", before, flags=re.IGNORECASE)
        half = self._half(before)
        if (half and early) or not _is_end(self.between[-1]):
            raise UnknownTextError
        lead = f" {half}" if half else ""
        found = [f"{lead} {sign}" + ("0" if widths[0] == 1 else "")]
        return [*found, *([":"] if is_colon else []), ""]

    def _zoneless(self, text: str, early: str) -> str:
        if match := UTC.match(text):
            if text[match.end() :].strip():
                raise UnknownTextError
            return " UTC"
        try:
            half = self._half(text)
        except UnknownTextError:
            self._refuse_zone(text)
            raise
        if half and early:
            raise UnknownTextError
        return f" {half}" if half else ""

    def _refuse_zone(self, text: str) -> None:
        """Name the zone that a text ends with, behind a half of the day or alone."""
        head, _, tail = text.strip().rpartition(" ")
        if match := ZONE.match(tail):
            self._half(head)
            raise NamedZoneError(match[1])

    def _end(self, text: str) -> str:
        """Return what replaces the text behind a date without a time."""
        if not self._is_empty(_without_date_sign(text)):
            raise UnknownTextError
        return ""


def _without_ordinal(text: str) -> str:
    return ORDINAL.sub("", text)


def _without_date_sign(text: str) -> str:
    return re.sub(r"^ ?[日일]", "", text)


def _separator(text: str) -> str:
    """Return the sign between two numbers of a date; empty where there is none."""
    bare = text.strip()
    return DATE_SIGNS.get(bare, bare if bare in (".", "/", "-") else "")


def _time_sign(text: str) -> str:
    bare = text.strip().casefold()
    return ":" if bare in (":", ".") else TIME_SIGNS.get(bare, "")


def _is_offset(text: str) -> bool:
    return text.strip() in ("+", "-")


def _is_end(text: str) -> bool:
    return not text.strip() or bool(ZONE_AFTER.match(text))
