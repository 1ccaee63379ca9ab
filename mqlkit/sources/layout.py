"""How a text is laid out: its delimiter, and on which line its header stands."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mqlkit.sources.formats import looks_like_header
from mqlkit.sources.ledger import Lines, open_text

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 200
# Twice what the engine takes for a row.
MOST_HEAD = 4 << 20
# Excel has 16,384; beyond, a text without line ends is no table.
MOST_COLUMNS = 20_000
NUMERIC = re.compile(r"[\d\s.,:/()%$€£+-]+")


@dataclass(frozen=True)
class Layout:
    """Where a table begins in a text.

    Attributes
    ----------
    header
        The cells of the header, as written.
    header_line
        Its physical line; 0 where no line could be one.
    before
        The lines above it.
    sample
        The first rows below it.
    is_named
        Whether its names are known, or only its shape is that of a header.
    """

    delimiter: str
    header: tuple[str, ...]
    header_line: int
    before: tuple[tuple[int, str], ...]
    sample: tuple[tuple[str, ...], ...]
    is_named: bool = False


@dataclass(frozen=True)
class Record:
    """A line as cells, with its place."""

    line: int
    text: str
    cells: tuple[str, ...]


def layout_of(path: Path, *, delimiter: str, table: str, columns: Mapping[str, str]) -> Layout:
    """Return how a UTF-8 text is laid out, from its first lines.

    Parameters
    ----------
    path
        The text.
    delimiter
        One character, or ``auto``: the one that makes a header of a line; where several or none
        do, the one that cuts most lines into equally many cells.
    table, columns
        The table it is read for, and what source.yaml says of its columns.
    """
    delimiters = DELIMITERS if delimiter == "auto" else (delimiter,)
    found = []
    for rank, each in enumerate(delimiters):
        records = head_records(path, each)
        named = _named(records, table, columns)
        width, alike = _usual_width(records)
        place = _shaped(records, width) if named is None else named
        score = (named is not None and width > 1, alike if width > 1 else 0, width, -rank)
        found.append((score, each, records, place))
    score, chosen, records, place = max(found, key=lambda f: f[0])
    if place is None:
        return Layout(chosen, (), 0, (), ())
    return Layout(
        delimiter=chosen,
        header=records[place].cells,
        header_line=records[place].line,
        before=tuple((r.line, r.text) for r in records[:place]),
        sample=tuple(r.cells for r in records[place + 1 :]),
        is_named=score[0],
    )


def head_records(path: Path, delimiter: str) -> list[Record]:
    """Return the first lines of a text as cells."""
    found = []
    with open_text(path) as handle:
        lines = Lines(_bounded(handle), set())
        for cells in islice(csv.reader(lines, delimiter=delimiter), LOOKED_AT):
            line, text = lines.record()
            # One cell more shows that there are too many.
            found.append(Record(line, text, tuple(cells[: MOST_COLUMNS + 1])))
    return found


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines up to a size: a quote that is not closed makes one cell of all of them."""
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size > MOST_HEAD:
            return


def _named(records: Sequence[Record], table: str, columns: Mapping[str, str]) -> int | None:
    """Return the first line that holds the names of known columns."""
    for place, record in enumerate(records):
        if looks_like_header(record.cells, table=table, columns=columns):
            return place
    return None


def _usual_width(records: Sequence[Record]) -> tuple[int, int]:
    """Return into how many cells most lines fall, and how many lines do."""
    widths = Counter(len(r.cells) for r in records if any(c.strip() for c in r.cells))
    return max(widths.items(), key=lambda w: (w[1] * (w[0] > 1), w[0]), default=(0, 0))


def _shaped(records: Sequence[Record], width: int) -> int | None:
    """Return the first line as wide as the rows, with different words in all cells."""
    wide = [
        p for p, r in enumerate(records) if len(r.cells) == width and any(map(str.strip, r.cells))
    ]
    for place in wide[:10]:
        cells = [c.strip() for c in records[place].cells]
        if all(cells) and not any(NUMERIC.fullmatch(c) for c in cells):
            return place
    return wide[0] if wide else None
