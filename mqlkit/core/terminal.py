"""Text for a terminal: escaped, cut to width, in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

CUT = "…"
# Cc: control characters, with those that begin an escape sequence; Cf: marks that reorder text;
# Cs, Co, Cn: nothing that a terminal could show; Zl, Zp: ends of lines.
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str) -> str:
    r"""Return text without anything that a terminal would act on instead of showing it.

    >>> harmless("\x1b[2J\tred")
    '\\x1b[2J\\tred'
    """
    if text.isprintable():
        return text
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) not in HIDDEN:
        return character
    return character.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Return how many columns a terminal gives a text: two for each wide letter, none for marks.

    >>> width("作成日"), width("Tag")
    (6, 3)
    """
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, most: int) -> str:
    """Return harmless text of at most so many columns, its end given up for an ellipsis.

    >>> cut("Became a Marketing Qualified Lead Date", 12)
    'Became a Ma…'
    """
    # A cell may be megabytes long: what cannot be shown anyway is not looked at.
    shown = harmless(text[: most + 1])
    if width(shown) <= most:
        return shown
    used, kept = 0, []
    for character in shown:
        used += _columns(character)
        if used > most - 1:
            break
        kept.append(character)
    return "".join(kept) + CUT


def padded(text: str, columns: int) -> str:
    """Return text filled up with spaces on the right."""
    return text + " " * max(columns - width(text), 0)


def in_columns(
    rows: Iterable[Sequence[str]], *, most: Sequence[int], gap: int = 2, right: Iterable[int] = ()
) -> list[str]:
    """Return rows as aligned lines.

    Parameters
    ----------
    rows
        Texts, equally many in each row.
    most
        The most terminal columns of each column.
    gap
        Spaces between them.
    right
        Numbers of the columns that are set to the right.
    """
    shown = [[cut(text, n) for text, n in zip(row, most, strict=True)] for row in rows]
    widths = [max((width(row[i]) for row in shown), default=0) for i in range(len(most))]
    to_right = set(right)

    def cell(text: str, number: int) -> str:
        fill = " " * (widths[number] - width(text))
        return fill + text if number in to_right else text + fill

    return [(" " * gap).join(cell(t, i) for i, t in enumerate(row)).rstrip() for row in shown]


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """Return text broken at spaces into lines of at most so many columns.

    Parameters
    ----------
    text
        Words; line ends in it are kept.
    columns
        The most columns of a line, what stands before it included.
    first, rest
        What stands before the first line and before the others.
    """
    lines = []
    before = first
    for part in text.split("\n"):
        shown = harmless(part)
        line = before = before + " " * (len(shown) - len(shown.lstrip(" ")))
        for whole in shown.strip(" ").split(" "):
            word = cut(whole, columns - width(rest))
            if width(line) > width(before) and width(line) + 1 + width(word) > columns:
                lines.append(line.rstrip())
                line = before = rest
            line += word if line == before else f" {word}"
        lines.append(line.rstrip())
        before = rest
    return lines
