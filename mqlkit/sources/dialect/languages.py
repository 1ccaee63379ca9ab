"""Names of months, weekdays and halves of the day in many languages, from Unicode's CLDR."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

# The languages of the export formats, and the main ones of CLDR. English is tried first.
LANGUAGES = (
    "en", "de", "fr", "es", "it", "nl", "pt", "sv", "da", "nb", "nn", "fi", "et", "lv", "lt", "pl",
    "cs", "sk", "sl", "hr", "sr", "sr_Latn", "bs", "mk", "bg", "ro", "hu", "sq", "el", "tr", "az",
    "ru", "uk", "be", "ja", "zh", "zh_Hant", "ko", "id", "ms", "ca", "gl", "ga", "is", "af",
)  # fmt: skip
# Short forms of spreadsheets that CLDR does not have.
FURTHER = {"de": {"mrz": 3, "jan": 1, "jun": 6, "jul": 7, "sep": 9}, "en": {"sept": 9}}
# Words between the parts of a date that say nothing: `5 de março de 2026 às 14:03`.
FILLERS = {
    "a", "alle", "and", "as", "at", "d", "de", "del", "den", "der", "di", "e", "g", "gada", "god",
    "godina", "godine", "h", "hrs", "hs", "i", "jam", "kell", "kello", "kl", "klo", "la", "las",
    "le", "les", "lo", "m", "o", "ob", "of", "og", "om", "ora", "ore", "para", "pukul", "t",
    "tanggal",
    "the", "u", "uhr", "um", "y", "в", "г", "год", "года", "о", "р", "року", "στις",  # noqa: RUF001
}  # fmt: skip
SHORTEST_PREFIX = 3


def fold(text: str) -> str:
    """Return a text without what the same word may vary in: case and accents.

    >>> fold("März"), fold("KASIM") == fold("Kas\N{LATIN SMALL LETTER DOTLESS I}m")
    ('marz', True)
    """
    dotless = text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
    letters = unicodedata.normalize("NFKD", dotless.casefold())
    return "".join(c for c in letters if unicodedata.category(c) != "Mn")


@dataclass(frozen=True)
class Word:
    """What a word of a date may mean.

    Attributes
    ----------
    month
        The number of the month that it names; 0 where it names none.
    is_weekday
        Whether it is the name of a weekday.
    half
        ``AM``, ``PM`` or empty.
    """

    month: int = 0
    is_weekday: bool = False
    half: str = ""


@dataclass(frozen=True, eq=False)
class Language:
    """The words of dates in one language, folded.

    Attributes
    ----------
    code
        As CLDR has it.
    words
        The meaning of each word.
    months
        The whole names of the months, for words that only begin as one of them.
    pattern
        Finds the words in a text.
    """

    code: str
    words: dict[str, Word]
    months: dict[str, int]
    pattern: re.Pattern[str]

    def read(self, text: str, *, by_prefix: bool = False) -> tuple[list[Word], list[str]]:
        """Return the words known in a text, in order, and the other words in it.

        Parameters
        ----------
        text
            The text between two numbers of a date.
        by_prefix
            Whether a word may be the beginning of a month's name.
        """
        folded = fold(text)
        found = [self.words[_key(match.group())] for match in self.pattern.finditer(folded)]
        rest = re.findall(r"[^\W\d_]+", self.pattern.sub(" ", folded))
        others = []
        for word in rest:
            months = {n for name, n in self.months.items() if name.startswith(word)}
            if by_prefix and len(word) >= SHORTEST_PREFIX and len(months) == 1:
                found.append(Word(month=months.pop()))
            elif word not in FILLERS:
                others.append(word)
        return found, others


def language_name(code: str) -> str:
    """Return the English name of a language."""
    from babel import Locale

    return str(Locale.parse(code).english_name)


@cache
def language(code: str) -> Language:
    """Return the words of a language."""
    from babel import Locale

    locale = Locale.parse(code)
    months: dict[str, int] = {}
    words: dict[str, Word] = {}
    for number, name in _names(locale.months):
        words[_key(fold(name))] = Word(month=number)
        months[fold(name).rstrip(".")] = number
    for name, number in FURTHER.get(code, {}).items():
        words[name] = Word(month=number)
    for _, name in _names(locale.days):
        known = words.get(_key(fold(name)), Word())
        words[_key(fold(name))] = Word(known.month, is_weekday=True)
    for name, half in _halves(locale):
        words.setdefault(_key(fold(name)), Word(half=half))
    words.pop("", None)
    return Language(code, words, months, _pattern(words))


def _names(names: object) -> Iterator[tuple[int, str]]:
    """Yield the names of months or days, each with its number, without those of one letter."""
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated", "short"):
            found = names[context].get(width) or {}  # type: ignore[index]
            for number, name in found.items():
                # Months that are called by their number are read as numbers.
                if not any(c.isdigit() for c in name):
                    yield number, name


def _halves(locale: Locale) -> Iterator[tuple[str, str]]:
    yield from (("am", "AM"), ("pm", "PM"))
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            names = locale.day_periods.get(context, {}).get(width) or {}
            yield from ((names[key], key.upper()) for key in ("am", "pm") if key in names)


def _key(word: str) -> str:
    """Return a word as it is looked up: `p. m.` and `pm` are one."""
    return re.sub(r"[.\s\u200e\u200f]+", "", word)


def _pattern(words: Mapping[str, Word]) -> re.Pattern[str]:
    """Return what finds the words, the longest first."""
    found = []
    for word in sorted(words, key=lambda w: (-len(w), w)):
        letters = (r"[.\s]*" if words[word].half else "").join(map(re.escape, word))
        # Chinese and Japanese have no space between words.
        is_joined = word[0] > "\u2e7f"
        found.append(letters if is_joined else rf"(?<![^\W\d_]){letters}(?![^\W\d_])")
    return re.compile("|".join(found))
