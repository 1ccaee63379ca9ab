"""Which encoding a text is in, judged by all of its bytes.

UTF-8 tells itself. The single-byte encodings do not: any bytes are text in most of them. So a
candidate counts only where what it makes of the bytes looks like a language, and where two
candidates do, with different text, nothing is decided.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mqlkit.sources.survey import CHUNK

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What these languages write beside ASCII letters; a text's letters must come from one of them.
WESTERN = (
    "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúüªº", "áâãàçéêíóôõúªº", "åäöé", "æøåé", "àèéìíîòóù",
    "äõöüšž", "ëïéèöü", "áðéíóúýþæö",
)  # fmt: skip
CENTRAL = (
    "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţșț", "čćđšž",
    "äöüß",
)  # fmt: skip
TURKISH = ("çğıöşüâîûi\N{COMBINING DOT ABOVE}",)  # noqa: RUF001
BALTIC = ("äõöüšž", "āčēģīķļņšūž", "ąčęėįšųūž")
CYRILLIC = ("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",)
CANDIDATES = {
    "cp1252": WESTERN,
    "iso-8859-15": WESTERN,
    "cp1250": CENTRAL,
    "iso-8859-2": CENTRAL,
    "cp1254": TURKISH,
    "cp1257": BALTIC,
    "cp1251": CYRILLIC,
    "koi8-r": CYRILLIC,
}
FREQUENT = set("оеаинтсрвл")
KANA = re.compile(r"[\u3040-\u30ff]")
# Signs that stand by themselves or beside a number, never inside a word.
SIGNS = set("€£¥$§©®°±²³¹¼½¾№«»“”„‘’‚…–—•·¡¿\N{NO-BREAK SPACE}\N{SOFT HYPHEN}™¢‰†‡‹›")  # noqa: RUF001


def encodings_of(path: Path, *, has_nul: bool) -> list[str]:
    """Return the encodings that a file can be in, judged by all of it; one if it is decided.

    Parameters
    ----------
    path
        A file that is not UTF-8 throughout.
    has_nul
        Whether there is a NUL byte: UTF-16 without a BOM has one in every ASCII character.

    Returns
    -------
    list of str
        ``utf-8`` where broken characters stand among sound UTF-8 ones; empty where nothing fits.
    """
    if has_nul and (wide := _utf16(path)):
        return [wide]
    words: Counter[bytes] = Counter()
    sound = broken = 0
    for line in _lines(path):
        text = line.decode("utf-8", "surrogateescape")
        lost = len(re.findall(r"[\udc80-\udcff]", text))
        broken += lost
        sound += sum(c > "\x7f" for c in text) - lost
        words.update(re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", line))
    if sound >= broken:
        return ["utf-8"]
    if _is_japanese(path):
        return ["cp932"]
    fitting = [e for e, known in CANDIDATES.items() if _fits(words, e, known)]
    # Names of people come in several languages at once.
    all_of = {e: ("".join(known),) for e, known in CANDIDATES.items()}
    return _different(
        words, fitting or [e for e, known in all_of.items() if _fits(words, e, known)]
    )


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines that are not plain ASCII."""
    with path.open("rb") as handle:
        yield from (line for line in handle if not line.isascii())


def _utf16(path: Path) -> str | None:
    with path.open("rb") as handle:
        head = handle.read(4096)
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 4 and not odd else None


def _is_japanese(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("cp932")()
    kana = other = 0
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
            kana += len(KANA.findall(text))
            other += sum("\uff61" <= c <= "\uff9f" for c in text)
    return kana > other


def _fits(words: Counter[bytes], encoding: str, alphabets: tuple[str, ...]) -> bool:
    """Return whether the words make sense: letters of one language, and no sign in a word."""
    letters: set[str] = set()
    frequent = lower = upper = 0
    for word, n in words.items():
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            return False
        marks = [c for c in text if c > "\x7f"]
        if not all(_is_plausible(text, c, is_cyrillic="ё" in alphabets[0]) for c in marks):
            return False
        letters.update(*(c.lower() for c in marks if c.isalpha()))
        frequent += n * sum(c in FREQUENT for c in text)
        # After its first letter a word is small throughout or large throughout.
        lower += n * sum(c.islower() for c in text[1:])
        upper += n * sum(c.isupper() for c in text[1:] if text[:1].islower())
    if not any(letters <= set(alphabet) for alphabet in alphabets):
        return False
    return "ё" not in alphabets[0] or (upper <= lower / 10 and frequent > 0)


def _is_plausible(text: str, mark: str, *, is_cyrillic: bool) -> bool:
    """Return whether a character makes sense where it stands in a word."""
    before, _, after = text.partition(mark)
    if mark in SIGNS:
        is_inside = before[-1:].isalpha() and after[:1].isalpha()
        return not is_inside or mark in "’\N{SOFT HYPHEN}·"
    # A capital by itself is the pound sign elsewhere; no word is half Latin, half Cyrillic.
    is_mixed = is_cyrillic and any(c.isascii() and c.isalpha() for c in text)
    return mark.isalpha() and not is_mixed and not (len(text) == 1 and mark.isupper())


def _different(words: Counter[bytes], fitting: list[str]) -> list[str]:
    """Return the encodings whose texts differ, the first of those that say the same."""
    texts: dict[tuple[str, ...], str] = {}
    for encoding in fitting:
        texts.setdefault(tuple(word.decode(encoding) for word in words), encoding)
    return list(texts.values())
