"""Text for a terminal: escaped, truncated to a width, in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

CUT = "…"
# Cc: control characters, among them the start of escape sequences. Cf: characters that reorder
# text. Cs, Co, Cn: characters without a glyph. Zl, Zp: line ends.
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str) -> str:
    r"""Escape the characters that a terminal would interpret instead of printing.

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
    """Return the terminal columns of a text: two per wide letter, none per combining mark.

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
    """Escape text and truncate it to at most ``most`` columns, with an ellipsis.

    >>> cut("Became a Marketing Qualified Lead Date", 12)
    'Became a Ma…'
    """
    # A cell can be megabytes long. Escape only what can be shown.
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


def cut_inside(text: str, most: int) -> str:
    """Escape text and shorten it in its middle to at most ``most`` columns.

    >>> cut_inside("Became a Marketing Qualified Lead Date", 21)
    'Became a M… Lead Date'
    """
    if width(cut(text, most + 1)) <= most:
        return cut(text, most)
    # The end differs where the beginnings of names are alike.
    end = harmless(text[-most:])
    while width(end) > (most - 1) // 2:
        end = end[1:]
    return cut(text, most - width(end)) + end


def padded(text: str, columns: int) -> str:
    """Pad text with spaces on the right."""
    return text + " " * max(columns - width(text), 0)


def in_columns(
    rows: Iterable[Sequence[str]], *, most: Sequence[int], gap: int = 2, right: Iterable[int] = ()
) -> list[str]:
    """Format rows as lines with aligned columns.

    Parameters
    ----------
    rows
        Cells; all rows have the same length.
    most
        Maximum width of each column.
    gap
        Number of spaces between columns.
    right
        Indexes of the right-aligned columns.
    """
    shown = [[cut(text, n) for text, n in zip(row, most, strict=True)] for row in rows]
    widths = [max((width(row[i]) for row in shown), default=0) for i in range(len(most))]
    to_right = set(right)

    def cell(text: str, number: int) -> str:
        fill = " " * (widths[number] - width(text))
        return fill + text if number in to_right else text + fill

    return [(" " * gap).join(cell(t, i) for i, t in enumerate(row)).rstrip() for row in shown]


def wrapped(text: str, columns: int, *, first: str = "", rest: str = "") -> list[str]:
    """Wrap text at spaces into lines of at most ``columns`` columns.

    Parameters
    ----------
    text
        Text; its line breaks are kept.
    columns
        Maximum width of a line, prefix included.
    first, rest
        Prefix of the first line and of the other lines.
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
