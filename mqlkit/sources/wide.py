"""Tables that are one column per month wide, such as budgets, made long: each cell a row."""

from __future__ import annotations

import csv
import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.cells import NOTHING
from mqlkit.sources.ledger import Lines, SetAside, open_text

NAMES = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
)
# Short forms that do not begin the name.
SHORT_NAMES = {"mrt": 3}
# A year of two digits may be a day up to here.
FIRST_SHORT_YEAR = 20
MONTHS = (
    re.compile(
        r"(?P<word>[^\W\d_]{3,})\.?"
        r"(?:(?: de)?[ /-]*(?P<year>\d{4})|[ /-]*(?P<mark>['\N{RIGHT SINGLE QUOTATION MARK}])?"
        r"(?P<short>\d\d))?(?: total)?"
    ),
    re.compile(r"(?P<year>\d{4})[-/.](?P<number>\d\d?)(?:[-/.]0?1)?"),
    re.compile(r"(?P<number>\d\d?)[-/.](?P<year>\d{4})"),
)
FEWEST = 2
LONG = {"spend": ("date_from", "date_to", "amount"), "goals": ("month", "mqls")}


# The last column of a long copy: the whole row, so that equal months do not make equal rows.
WHOLE = "\x1frow"


@dataclass(frozen=True)
class WideRow:
    """The row of a wide table that a record of the long one comes from.

    ``why`` is set where it is no row of the table whatever its cells mean.
    """

    line: int
    text: str
    why: str = ""


@dataclass(frozen=True)
class Long:
    """A wide table made long: its copy, header, and the row that each record comes from."""

    copy: Path
    header: tuple[str, ...]
    rows: tuple[WideRow, ...]
    sample: tuple[tuple[str, ...], ...]


def month_of(header: str) -> tuple[int, int] | None:
    """Return year and month that a header names; year 0 where it names a month only.

    >>> month_of("Jan 2026"), month_of("2026-01"), month_of("March"), month_of("Total")
    ((2026, 1), (2026, 1), (0, 3), None)
    """
    parts = _parts(header)
    if parts is None:
        return None
    number = month_number(parts["word"]) if parts.get("word") else int(parts["number"])
    short = parts.get("short")
    year = int(parts.get("year") or 0) or (2000 + int(short) if short else 0)
    return (year, number) if 1 <= number <= 12 else None


def _parts(header: str) -> dict[str, str] | None:
    text = header.strip().casefold()
    match = next((m for p in MONTHS if (m := p.fullmatch(text))), None)
    return match.groupdict() if match else None


def month_number(word: str) -> int:
    """Return the month that a word is the name of, or begins; 0 where there is none, or several."""
    plain = _plain(word)
    if plain in SHORT_NAMES:
        return SHORT_NAMES[plain]
    found = {
        number
        for names in NAMES
        for number, name in enumerate(names.split(), start=1)
        if _plain(name).startswith(plain)
    }
    return found.pop() if len(found) == 1 else 0


def _plain(word: str) -> str:
    """Return a word without accents."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c))


def months_of(
    header: Sequence[str], *, name: str, sample: Sequence[Sequence[str]] = ()
) -> dict[int, date]:
    """Return the columns that are months, by place; empty where the table is not wide.

    Parameters
    ----------
    header
        Its cells.
    name
        Name and line of the header, for messages.
    sample
        The first rows below it.

    Raises
    ------
    SourceError
        When the year is missing, or a month has several columns.
    """
    found = {place: month for place, cell in enumerate(header) if (month := month_of(cell))}
    if len(found) < FEWEST:
        return {}
    written = [header[place] for place in found]
    if any(not year for year, _ in found.values()):
        raise SourceError(
            report(
                f"{name}: its columns are months without a year.",
                expected="headers such as Jan 2026 or 2026-01",
                found=listed(written),
                fix="write the year into the header",
            )
        )
    _check_short_years(name, written, list(found.values()))
    if _has_columns_below(header, list(found), sample):
        written = list(header[min(found) :])
        raise SourceError(_several(name, written))
    if len(set(found.values())) < len(found):
        raise SourceError(_several(name, written))
    return {place: date(year, month, 1) for place, (year, month) in found.items()}


def _several(name: str, found: Sequence[str]) -> str:
    return report(
        f"{name}: has several columns of the same month.",
        expected="one column per month",
        found=listed(found, 6),
        fix="export the budget or the actual figures only",
    )


def _check_short_years(
    name: str, written: Sequence[str], months: Sequence[tuple[int, int]]
) -> None:
    """Refuse ``Jan 05, Jan 06``: two digits may be years, and days as well."""
    parts = [_parts(header) or {} for header in written]
    short = {int(p["short"]) for p in parts if p.get("short") and not p.get("mark")}
    if not short:
        return
    is_run = max(short) - min(short) + 1 == len(short)
    is_ordered = list(months) in (sorted(months), sorted(months, reverse=True))
    differ = len({number for _, number in months}) > 1
    if min(short) < FIRST_SHORT_YEAR or not (is_run and is_ordered and differ):
        raise SourceError(
            report(
                f"{name}: the two digits in its columns may be days or years.",
                expected="headers such as Jan 2026 or 2026-01",
                found=listed(written),
                fix="write the year with four digits",
            )
        )


def _has_columns_below(
    header: Sequence[str], months: Sequence[int], sample: Sequence[Sequence[str]]
) -> bool:
    """Return whether columns without a name, and not without cells, stand behind every month."""

    def is_filled(place: int) -> bool:
        return any(len(row) > place and row[place].strip() for row in sample)

    behind = [place + 1 for place in months]
    return all(p < len(header) and not header[p].strip() and is_filled(p) for p in behind)


def make_long(
    path: Path,
    copy: Path,
    *,
    delimiter: str,
    table: str,
    months: dict[int, date],
    first_line: int,
) -> Long:
    """Copy a wide table with one record for each month's cell that holds something.

    A row whose months are all empty is one record, so that it is accounted for.

    Parameters
    ----------
    path, copy
        The UTF-8 text from its header on, and where the long one goes.
    delimiter, table, months
        How it is cut, what it is read for, and its months by column.
    first_line
        Physical line of the header.
    """
    rows: list[WideRow] = []
    sample: list[tuple[str, ...]] = []
    with open_text(path) as handle, copy.open("w", encoding="utf-8", newline="") as out:
        source = Lines(handle, set())
        reader = csv.reader(source, delimiter=delimiter)
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        written = next(reader)
        source.record()
        ours = LONG[table]
        others = [p for p, h in enumerate(written) if p not in months and h.strip() not in ours]
        header = (*(written[p].strip() or f"column {p + 1}" for p in others), *ours, WHOLE)
        writer.writerow(header)
        for cells in reader:
            line, text = source.record()
            why = _why_no_row(cells, written, months)
            records = _records([] if why else cells, months, others, table)
            writer.writerows(records)
            rows += [WideRow(first_line + line - 1, text, why)] * len(records)
            sample += [tuple(record) for record in records]
    return Long(copy, header, tuple(rows), tuple(sample[:200]))


def _why_no_row(cells: Sequence[str], header: Sequence[str], months: Iterable[int]) -> str:
    found = [cell.strip() for cell in cells]
    if not any(found):
        return "blank"
    if found == [cell.strip() for cell in header]:
        return "repeated_header"
    # A heading may end before the months do; a row with some of them may not.
    is_cut = len(found) < len(header) and any(found[p] for p in months if p < len(found))
    return "bad_row" if is_cut or any(found[len(header) :]) else ""


def _records(
    cells: Sequence[str], months: dict[int, date], others: Sequence[int], table: str
) -> list[list[str]]:
    kept = [cells[p] if p < len(cells) else "" for p in others]
    full = [p for p in months if p < len(cells) and cells[p].strip() not in NOTHING]
    whole = "\x1e".join(cells)
    if not full:
        return [[*kept, *("" for _ in LONG[table]), whole]]
    return [[*kept, *_span(months[p], table), cells[p], whole] for p in full]


def _span(month: date, table: str) -> tuple[str, ...]:
    if table == "goals":
        return (f"{month:%Y-%m}",)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    return month.isoformat(), last.isoformat()


def settle_wide(
    rows: Sequence[WideRow], *, name: str, reasons: Mapping[int, str]
) -> tuple[list[SetAside], list[int]]:
    """Return the rows of a wide table that are set aside, and the records that go with them.

    A row with one month that cannot be read is set aside with all of its months.

    Parameters
    ----------
    rows
        The row of each record.
    name
        The file.
    reasons
        Reasons by record, from 1.
    """
    why = {row.line: row.why for row in rows if row.why}
    for record, reason in sorted(reasons.items()):
        why.setdefault(rows[record - 1].line, reason)
    text = {row.line: row.text for row in rows}
    found = [SetAside(name, line, reason, text[line]) for line, reason in sorted(why.items())]
    return found, [n for n, row in enumerate(rows, start=1) if row.line in why]
