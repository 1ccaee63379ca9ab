"""Texts that label a total of other rows, in the languages of the exports."""

from __future__ import annotations

import re
from functools import cache

# Words for a total, one group of languages a line.
WORDS = (
    r"(grand|sub|overall|report|account|page)?[ -]?totals?|sums?|sum total|ttl",
    r"gesamt|(gesamt|zwischen|end)?summe|gesamtergebnis|insgesamt|zwischentotal",
    r"(sub-?|eind)?totaal|totale|totali|totale complessivo|subtotale",
    r"somme|sous-total|totaux|total (général|general|geral)|soma|subtotal geral",
    r"suma( końcowa)?|razem|łącznie|ogółem|celkem|spolu|ukupno|skupno|skupaj|összesen|végösszeg",
    r"totalt|totalsumma|summa|delsumma|i alt|samtals|yhteensä|loppusumma|kokku|kopā|iš viso",
    r"(genel |ara )?toplam|σύνολο|γενικό σύνολο",
    r"итого|итог|всего|разом|усього|всього|общо|всичко",
    r"合計|総計|小計|総合計|总计|合计|小计|總計|총계|합계|소계",
    r"الإجمالي|إجمالي|المجموع|סה.?כ|tổng( cộng)?|รวม",
)
WORD = f"(?:{'|'.join(WORDS)})"
# What a total is of, where no colon shows that the word is a label.
OF = (
    r"(?:(?:for|of) )?(?:all |the )?(?:campaigns?|accounts?|ad ?(?:group|set)s?|ads|keywords"
    r"|networks?|spend|costs?|amounts?|rows?|results?|leads?|records?)"
)
# With the colon of Chinese and Japanese.
COLON = "[:\N{FULLWIDTH COLON}]"
# A label, whatever else the row has: a campaign may be called `Total Wine`.
LABELS = (
    rf"{WORD}\W*",
    rf"{WORD} ?{COLON}.*",
    rf"{WORD} ?\(.*\)",
    rf"total {OF}",
    rf"{OF} totals?",
)
# Where a row has no date, it is a total also if a text only begins or ends like one.
TOTALS = (
    *LABELS,
    rf"{WORD}\b.*",
    r".*\W(total|totals|gesamt|ergebnis)",
    r"(avg|average|mean|median|somma)\b\W*",
)


def is_label(text: str) -> bool:
    """Return whether a cell is the label of a total, and no name that only begins like one.

    >>> [is_label(t) for t in ("Total: Account", "Gesamt", "Total :", "合計", "Total Wine")]
    [True, True, True, True, False]
    """
    return any(_compiled(p).fullmatch(" ".join(text.split())) for p in LABELS)


def is_total(name: str) -> bool:
    """Return whether a name is that of a total; a channel may be called so nevertheless.

    >>> [is_total(n) for n in ("Total Search", "Search Total", "Totally Ltd", "Summer")]
    [True, True, False, False]
    """
    return any(_compiled(p).fullmatch(" ".join(name.split())) for p in TOTALS)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
