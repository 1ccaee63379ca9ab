"""An export format: what one YAML file under ``formats/`` says, and how a header is compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from mqlkit.core.errors import ParamsError, SourceError, unknown_name
from mqlkit.core.yaml_files import read_yaml

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
    dates, decimal
        As in source.yaml: the export's own way, whatever the user's language.
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
        Sentences for whoever reads such an export.
    refuses
        Headers to the reason why they are not read, though they look as if they should.
    ask
        Ours that several headers of one export may stand for, with different meanings: the user
        says which.
    wide
        Regex for the folded headers of a table that has one column per month, else None.
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
    """Return a header without what exports vary: case, quotes, a BOM, surplus spaces.

    >>> fold(' Date entered “Marketing Qualified Lead”')
    'date entered marketing qualified lead'
    """
    plain = unicodedata.normalize("NFKC", header.translate(QUOTES))
    return " ".join(plain.casefold().split())


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


@cache
def pattern_of(name: str) -> re.Pattern[str] | None:
    """Return the regex of a known header that is one, written between slashes; else None."""
    is_pattern = len(name) > 2 and name.startswith("/") and name.endswith("/")
    return re.compile(name[1:-1], re.IGNORECASE) if is_pattern else None
