"""Which format a header is in, and what its columns are.

Nothing here opens an export: a header goes in, a format and our names for its columns come out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from mqlkit.core.errors import ParamsError, SourceError, listed, unknown_name
from mqlkit.core.names import TABLE_COLUMNS
from mqlkit.core.yaml_files import read_yaml, yaml_text
from mqlkit.sources.questions import Question, Undecided

QUOTES = dict.fromkeys(map(ord, "\"'`´\N{BOM}“”„‟«»‘’‚‛‹›"))  # noqa: RUF001


@dataclass(frozen=True)
class Format:
    """One export format, as its YAML file describes it.

    Attributes
    ----------
    name, title
        What ``format:`` in source.yaml calls it, and its name for people.
    table
        leads, history or spend; ``any`` for mqlkit's own column names.
    requires
        Sets of headers. An export that has all headers of one set is in this format. ``=amount``
        stands for any header known for `amount`.
    columns
        Ours to the headers known for it, the preferred one first: internal names, labels,
        translations. ``/.../`` is a regex over the folded header; its group ``currency`` is the
        currency of the amounts.
    dates
        Headers to the order of day and month below them, as in source.yaml: the vendor's own,
        whatever the user's settings.
    decimal
        As in source.yaml, whatever the user's language.
    timezone
        ``UTC`` where the vendor always writes it, ``ask`` where the file cannot tell and a guess
        would be wrong; None is that of source.yaml.
    not_data, total_row
        Regexes of Python, whatever the case, for the whole of the first non-empty cell of a row
        that is no data, or a total of other rows.
    stages
        Ours to the values that mean it, for a history whose source.yaml names none.
    rows
        Mappings of headers to values. A row that has, for each header of one of the mappings, one
        of its values may be a stage event. Other rows are used and counted, and never are one.
    json
        Ours to a header and the keys of the JSON object in it, of which the first present counts.
        Where that header is missing, `columns` counts.
    notes
        Sentences for users of such an export.
    refuses
        Headers to the reason why they are not read, though they look as if they should.
    ask
        Ours that several headers of one export may stand for, with different meanings: the user
        says which.
    by_day
        How to download such an export with a row per day, for messages.
    wide
        Regex for the folded headers of a table that has one column per month, else None.
    in_every_row
        Headers whose cells are empty only in rows that are no data: headings of groups, or parts
        of the row above. ``=lead_id`` stands for any header known for `lead_id`.
    languages
        Two-letter codes of the languages that its headers are known in.
    based_on
        Where these facts are from.
    unconfirmed
        What neither documentation nor an export confirms, as sentences.
    """

    name: str
    title: str
    table: str
    requires: tuple[tuple[str, ...], ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "auto"
    timezone: str | None = None
    not_data: tuple[str, ...] = ()
    total_row: tuple[str, ...] = ()
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    json: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refuses: Mapping[str, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()
    by_day: str = ""
    wide: str | None = None
    in_every_row: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    based_on: str = ""
    unconfirmed: tuple[str, ...] = ()


def read_format(path: Path) -> Format:
    """Read the YAML file of a format.

    Raises
    ------
    SourceError
        When it is no YAML, or has a name that a format does not have.
    """
    try:
        given = read_yaml(path)
    except ParamsError as error:
        raise SourceError(str(error)) from None
    known = [f.name for f in fields(Format)]
    if unknown := [str(key) for key in given if key not in known]:
        raise SourceError("\n".join(unknown_name(str(path), "name", n, known) for n in unknown))
    return Format(**{key: _frozen(value) for key, value in given.items()})


def _frozen(value: Any) -> Any:
    """Return what YAML gave with tuples for lists, and everything in it as text."""
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else str(value)


def fold(header: str) -> str:
    """Return a header without what exports vary: case, quotes, a BOM, spaces, a final colon.

    >>> fold(' Date entered “Marketing Qualified Lead”')
    'date entered marketing qualified lead'
    """
    plain = unicodedata.normalize("NFKC", header.translate(QUOTES))
    return " ".join(plain.casefold().split()).removesuffix(":").rstrip()


def squeeze(header: str) -> str:
    """Return a header without its case, blanks and punctuation.

    >>> squeeze("Lead ID"), squeeze("won-at")
    ('leadid', 'wonat')
    """
    return "".join(c for c in fold(header) if c.isalnum())


def by_fold(header: Sequence[str]) -> dict[str, str]:
    """Return the headers of an export by how they are compared, the first of equal ones."""
    folded: dict[str, str] = {}
    for written in header:
        folded.setdefault(fold(written), written)
    folded.pop("", None)
    return folded


def matches(known: Sequence[str], folded: Mapping[str, str]) -> list[str]:
    """Return the headers of an export that are among the known ones, in the order of these."""
    found: list[str] = []
    for name in known:
        if pattern := pattern_of(name):
            found += [written for key, written in folded.items() if pattern.fullmatch(key)]
        elif (key := fold(name)) in folded:
            found.append(folded[key])
    return list(dict.fromkeys(found))


def _named(column: str, folded: Mapping[str, str]) -> list[str]:
    """Return the headers that are one of our names but for case, blanks and punctuation."""
    return [written for key, written in folded.items() if squeeze(key) == squeeze(column)]


@cache
def pattern_of(name: str) -> re.Pattern[str] | None:
    """Return the regex of a known header that is one, written between slashes; else None."""
    is_pattern = len(name) > 2 and name.startswith("/") and name.endswith("/")
    return re.compile(name[1:-1], re.IGNORECASE) if is_pattern else None


FOLDER = Path(__file__).parent / "formats"
# Enough for a line of a preamble not to pass for a header by accident.
NAMES_OF_A_HEADER = 2
# Longer cells are prose: no regex is tried on them.
LONGEST_LABEL = 200


@dataclass(frozen=True)
class Recognized:
    """What a header turned out to be.

    Attributes
    ----------
    format
        The format it is in.
    columns
        Ours to their header, exactly as in the file.
    currency
        The currency that a header names, such as ``Amount spent (USD)``; else None.
    why
        In words, what shows the format.
    passed_over
        Ours to further headers that are known for it and not read, because another comes first.
    """

    format: Format
    columns: dict[str, str]
    currency: str | None
    why: str
    passed_over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asked:
    """Words of the questions that one export's header raises."""

    place: str
    file: str

    def format(self, names: Sequence[str], headers: Sequence[str]) -> Question:
        words = f"{self.file}the header fits {len(names)} formats equally well"
        answers = tuple(f"format: {name}" for name in names)
        return Question(self.place, f"{words}.", answers, tuple(headers))

    def which(self, column: str, headers: Sequence[str]) -> Question:
        words = f"{self.file}{len(headers)} columns could be {column}, and need not mean the same"
        answers = tuple(f"columns: {{{column}: {yaml_text(header)}}}" for header in headers)
        return Question(self.place, f"{words}.", answers, tuple(headers))


@cache
def formats() -> dict[str, Format]:
    """Return every known format by name, `plain` first."""
    found = [read_format(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {f.name: f for f in sorted(found, key=lambda f: (f.name != "plain", f.name))}


def check_format(name: Any, where: str) -> None:
    """Refuse an unknown format.

    Raises
    ------
    SourceError
        With the nearest one.
    """
    known = ["auto", *formats()]
    if name not in known:
        raise SourceError(unknown_name(where, "format", str(name), known))


def recognize(
    header: Sequence[str],
    *,
    table: str,
    name: str = "auto",
    columns: Mapping[str, str] = {},
    place: str = "",
    file: str = "",
) -> Recognized:
    """Return the format of a header and what its columns are.

    Parameters
    ----------
    header
        The column names of an export, made unique.
    table
        The table it is read for: leads, history, spend or goals.
    name
        The format, or ``auto``: the most specific one that the header meets, else `plain`.
    columns
        Canonical columns to headers, from source.yaml; these win over the format's.
    place, file
        The block of source.yaml and the export, for questions.

    Raises
    ------
    SourceError
        When the format is unknown.
    Undecided
        When formats fit equally well, or columns of different meaning a canonical one.
    """
    folded = by_fold(header)
    asked = _Asked(place or table, f"{file}: " if file else "")
    if name == "auto":
        found, why = _choose([f for f in formats().values() if f.table == table], folded, asked)
    else:
        check_format(name, "format")
        found, why = formats()[name], f"format: {name} in source.yaml"
    ours = {c: folded[fold(written)] for c, written in columns.items() if fold(written) in folded}
    passed_over: dict[str, tuple[str, ...]] = {}
    taken = set(ours.values())
    for column, known in known_headers(found, table).items():
        there = [h for h in matches(known, folded) or _named(column, folded) if h not in taken]
        if column not in columns and there:
            ours[column] = there[0]
            passed_over[column] = tuple(there[1:])
    _prefer_days(ours, passed_over, columns)
    questions = [c for c in found.ask if passed_over.get(c)]
    if questions:
        raise Undecided([asked.which(c, (ours[c], *passed_over[c])) for c in questions])
    return Recognized(
        format=found,
        columns=ours,
        currency=_currency(found, ours.get("amount")),
        why=why,
        passed_over={c: others for c, others in passed_over.items() if others},
    )


def looks_like_header(cells: Sequence[str], *, table: str, columns: Mapping[str, str] = {}) -> bool:
    """Return whether a line holds enough known column names to be the header of a table."""
    folded = by_fold(cells)
    named = {fold(written) for written in columns.values()}
    if named and len(named & set(folded)) >= min(NAMES_OF_A_HEADER, len(named)):
        return True
    labels, patterns = _names_known(table)
    own = _own_names(table)
    matched = {place for cell in folded for place in labels.get(cell, ())}
    matched |= {own[key] for cell in folded if (key := squeeze(cell)) in own}
    for cell in (c for c in folded if len(c) <= LONGEST_LABEL):
        matched |= {(*place, cell) for place, pattern in patterns if pattern.fullmatch(cell)}
    of_format = Counter(place[0] for place in matched)
    return max(of_format.values(), default=0) >= NAMES_OF_A_HEADER


@cache
def _own_names(table: str) -> dict[str, tuple[str, ...]]:
    """Return the place, as in `_names_known`, behind each canonical name as `squeeze` has it."""
    return {squeeze(column): ("plain", column) for column in TABLE_COLUMNS[table]}


@cache
def _names_known(
    table: str,
) -> tuple[dict[str, set[tuple[str, ...]]], list[tuple[tuple[str, ...], re.Pattern[str]]]]:
    """Return format and column behind each folded label of a table, and behind each regex."""
    labels: dict[str, set[tuple[str, ...]]] = {}
    patterns: list[tuple[tuple[str, ...], re.Pattern[str]]] = []
    for each in formats().values():
        if each.table not in (table, "any"):
            continue
        for column, names in known_headers(each, table).items():
            for name in names:
                if pattern := pattern_of(name):
                    patterns.append(((each.name, column), pattern))
                else:
                    labels.setdefault(fold(name), set()).add((each.name, column))
        if each.wide and (pattern := pattern_of(f"/{each.wide}/")):
            patterns.append(((each.name, "month"), pattern))
    return labels, patterns


def known_headers(found: Format, table: str) -> dict[str, tuple[str, ...]]:
    """Return the headers known for each of our columns: the format's, then our own name."""
    return {c: (*found.columns.get(c, ()), c) for c in TABLE_COLUMNS[table]}


def order_of_dates(found: Format, header: str) -> str:
    """Return the order of day and month that a vendor always writes below a header, or auto."""
    folded = by_fold([header])
    return next((order for name, order in found.dates.items() if matches([name], folded)), "auto")


def always_filled(found: Format, header: Sequence[str]) -> list[str]:
    """Return the headers of an export whose cells are empty only in rows that are no data."""
    folded = by_fold(header)
    return [h for name in found.in_every_row for h in matches(_meant(found, name), folded)[:1]]


def _prefer_days(
    ours: dict[str, str], passed_over: dict[str, tuple[str, ...]], given: Mapping[str, str]
) -> None:
    """Drop the dates that a row's report runs from and to, where the row has a day of its own."""
    if "date" in ours:
        for column in {"date_from", "date_to"} & set(ours) - set(given):
            passed_over[column] = (ours.pop(column),)


def _currency(found: Format, header: str | None) -> str | None:
    for name in found.columns.get("amount", ()):
        pattern = pattern_of(name)
        if header and pattern and (match := pattern.fullmatch(fold(header))):
            currency = match.groupdict().get("currency")
            return currency.upper() if currency else None
    return None


def _choose(
    candidates: Sequence[Format], folded: Mapping[str, str], asked: _Asked
) -> tuple[Format, str]:
    """Return the most specific format that a header meets, and the headers that show it."""
    met = [(each, matched) for each in candidates if (matched := _met(each, folded))]
    most = max((len(matched) for _, matched in met), default=0)
    best = [(each, matched) for each, matched in met if len(matched) == most]
    if not best:
        return formats()["plain"], "it has the headers of no other format"
    if len(best) > 1:
        raise Undecided([asked.format([each.name for each, _ in best], list(folded.values()))])
    found, matched = best[0]
    return found, f"it has {listed(matched, 6)}"


def _met(candidate: Format, folded: Mapping[str, str]) -> list[str]:
    """Return the headers that show the format, of the largest set that is there as a whole."""
    best: list[str] = []
    for required in candidate.requires:
        matched = [matches(_meant(candidate, name), folded)[:1] for name in required]
        if all(matched) and len(matched) > len(best):
            best = [names[0] for names in matched]
    return best


def _meant(candidate: Format, required: str) -> tuple[str, ...]:
    return candidate.columns[required[1:]] if required.startswith("=") else (required,)
