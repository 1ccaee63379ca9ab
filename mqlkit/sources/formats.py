"""Export formats: one YAML file each, told apart by their headers.

A header is matched by `fold`, so that case, quotes and spaces of an export do not matter. Nothing
here opens an export: a header goes in, and what its columns are comes out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mqlkit.errors import ParamsError, SourceError, listed, report, unknown_name
from mqlkit.params import read_yaml
from mqlkit.terms import TABLE_COLUMNS

FOLDER = Path(__file__).parent / "formats"
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
        translations. ``/.../`` is a regex; its group ``currency`` is the currency of the amounts.
    dates, decimal
        As in source.yaml: the export's own way, whatever the user's language.
    timezone
        ``UTC`` where the vendor always writes it, ``ask`` where the file cannot tell and a guess
        would be wrong; None is that of source.yaml.
    not_data, total_row
        Regexes for the first non-empty cell of a row that is no data, or a total of other rows.
    stages
        Ours to the values that mean it, for a history whose source.yaml names none.
    rows
        Mappings of headers to values. A row that has, for each header of one of the mappings, one
        of its values may be a stage event. Other rows are used and counted, and never are one.
    json
        Ours to a header and the keys of the JSON object in it, of which the first present counts.
    notes
        Sentences for whoever reads such an export.
    refuses
        Headers to the reason why they are not read, though they look as if they should.
    ask
        Ours that several headers of one export may stand for, with different meanings: the user
        says which.
    wide
        Regex for the headers of a table that has one column per month, else None.
    """

    name: str
    title: str
    table: str
    requires: tuple[tuple[str, ...], ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: str = "auto"
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
    wide: str | None = None


@dataclass(frozen=True)
class Recognised:
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
        In words, what told the format.
    passed_over
        Ours to further headers that are known for it and not read, because another comes first.
    """

    format: Format
    columns: dict[str, str]
    currency: str | None
    why: str
    passed_over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def fold(header: str) -> str:
    """Return a header without what exports vary: case, quotes, a BOM, surplus spaces.

    >>> fold(' Date entered “Marketing Qualified Lead”')
    'date entered marketing qualified lead'
    """
    plain = unicodedata.normalize("NFKC", header.translate(QUOTES))
    return " ".join(plain.casefold().split())


@cache
def formats() -> dict[str, Format]:
    """Return every known format by name, `plain` first."""
    found = [read_format(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {f.name: f for f in sorted(found, key=lambda f: (f.name != "plain", f.name))}


def known_formats() -> list[tuple[str, str]]:
    """Return name and title of every export format."""
    return [(f.name, f.title) for f in formats().values()]


def check_format(name: Any, where: str) -> None:
    """Refuse a format that nobody knows.

    Raises
    ------
    SourceError
        With the nearest one.
    """
    known = ["auto", *formats()]
    if name not in known:
        raise SourceError(unknown_name(where, "format", str(name), known))


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
    known = list(Format.__dataclass_fields__)
    if unknown := [str(key) for key in given if key not in known]:
        raise SourceError("\n".join(unknown_name(str(path), "name", n, known) for n in unknown))
    return Format(**{key: _frozen(value) for key, value in given.items()})


def _frozen(value: Any) -> Any:
    """Return what YAML gave with tuples for lists, and everything in it as text."""
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else str(value)


def recognise(
    header: Sequence[str], *, table: str, name: str = "auto", columns: Mapping[str, str] = {}
) -> Recognised:
    """Return the format of a header and what its columns are.

    Parameters
    ----------
    header
        The column names of an export, as written.
    table
        The table it is read for: leads, history, spend or goals.
    name
        The format, or ``auto``: the most specific one that the header meets, else `plain`.
    columns
        Ours to theirs, from source.yaml; these win over the format's.

    Raises
    ------
    SourceError
        When formats fit equally well, or columns of different meaning equally well one of ours.
    """
    folded = _by_fold(header)
    if name == "auto":
        found, why = _choose([f for f in formats().values() if f.table == table], folded)
    else:
        check_format(name, "format")
        found, why = formats()[name], f"format: {name} in source.yaml"
    ours: dict[str, str] = {}
    passed_over: dict[str, tuple[str, ...]] = {}
    for column, known in known_headers(found, table).items():
        if theirs := columns.get(column):
            if fold(theirs) in folded:
                ours[column] = folded[fold(theirs)]
            continue
        if matches := _matches(known, folded):
            ours[column], passed_over[column] = matches[0], tuple(matches[1:])
    ours |= {c: folded[fold(t)] for c, t in columns.items() if fold(t) in folded}
    questions = [c for c in found.ask if passed_over.get(c)]
    if questions:
        raise SourceError("\n".join(_which(c, (ours[c], *passed_over[c])) for c in questions))
    return Recognised(
        format=found,
        columns=ours,
        currency=_currency(found, ours.get("amount")),
        why=why,
        passed_over={c: others for c, others in passed_over.items() if others},
    )


def looks_like_header(cells: Sequence[str], *, table: str, columns: Mapping[str, str] = {}) -> bool:
    """Return whether a line holds enough known column names to be the header of a table."""
    folded = _by_fold(cells)
    named = {fold(theirs) for theirs in columns.values()}
    if named and len(named & set(folded)) >= min(2, len(named)):
        return True
    for each in formats().values():
        if each.table not in (table, "any"):
            continue
        known = known_headers(each, table).values()
        if sum(bool(_matches(theirs, folded)) for theirs in known) >= 2:
            return True
    return False


def known_headers(found: Format, table: str) -> dict[str, tuple[str, ...]]:
    """Return the headers known for each of our columns: the format's, then our own name."""
    return {c: (*found.columns.get(c, ()), c) for c in TABLE_COLUMNS[table]}


def _by_fold(header: Sequence[str]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for written in header:
        folded.setdefault(fold(written), written)
    folded.pop("", None)
    return folded


def _matches(known: Sequence[str], folded: Mapping[str, str]) -> list[str]:
    """Return the headers of an export that are among the known ones, in the order of these."""
    found: list[str] = []
    for name in known:
        if is_pattern(name):
            found += [written for key, written in folded.items() if _pattern(name).fullmatch(key)]
        elif (key := fold(name)) in folded:
            found.append(folded[key])
    return list(dict.fromkeys(found))


def is_pattern(name: str) -> bool:
    """Return whether a known header is a regex, written between slashes."""
    return len(name) > 2 and name.startswith("/") and name.endswith("/")


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(name[1:-1], re.IGNORECASE)


def _currency(found: Format, header: str | None) -> str | None:
    for name in found.columns.get("amount", ()):
        if header and is_pattern(name) and (match := _pattern(name).fullmatch(fold(header))):
            currency = match.groupdict().get("currency")
            return currency.upper() if currency else None
    return None


def _choose(candidates: Sequence[Format], folded: Mapping[str, str]) -> tuple[Format, str]:
    """Return the most specific format that a header meets, and what told it."""
    met = [(len(told), each, told) for each in candidates if (told := _met(each, folded))]
    if not met:
        return formats()["plain"], "no other format's headers are there"
    most = max(size for size, _, _ in met)
    best = [(each, told) for size, each, told in met if size == most]
    if len(best) > 1:
        names = [each.name for each, _ in best]
        raise SourceError(
            report(
                f"The header fits {len(best)} formats equally well: {', '.join(names)}.",
                found=listed(list(folded.values()), 6),
                fix=f"add the line `format: {names[0]}` (or {', '.join(names[1:])}) in source.yaml",
            )
        )
    found, told = best[0]
    return found, f"it has {listed(told, 6)}"


def _met(candidate: Format, folded: Mapping[str, str]) -> list[str]:
    """Return the headers that tell the format, of the largest set that is there as a whole."""
    best: list[str] = []
    for required in candidate.requires:
        told = [_matches(_meant(candidate, name), folded)[:1] for name in required]
        if all(told) and len(told) > len(best):
            best = [names[0] for names in told]
    return best


def _meant(candidate: Format, required: str) -> tuple[str, ...]:
    return candidate.columns[required[1:]] if required.startswith("=") else (required,)


def _which(column: str, headers: Sequence[str]) -> str:
    return report(
        f"{len(headers)} columns could be {column}: {listed(headers, 6)}.",
        expected="one, chosen by you: they need not mean the same",
        fix=f"add the line `columns: {{{column}: {headers[0]}}}` (or another) in source.yaml",
    )
