"""How each column of a table is read, decided once for the column from all of its values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from mqlkit.sources.clocks import Clocks
from mqlkit.sources.dialect.columns import ColumnDecider, check_pattern, key_of
from mqlkit.sources.dialect.date_survey import DateSurvey, survey_dates
from mqlkit.sources.dialect.dates import DateReading, is_pattern
from mqlkit.sources.dialect.evidence import STRAY_SHARE, Ambiguity
from mqlkit.sources.dialect.numbers import NumberReading
from mqlkit.sources.dialect.zones import zone_questions
from mqlkit.sources.files import Export
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

# These cannot be read in any other way.
PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
PLAIN_NUMBER = re.compile(r"-?\d+(?:\.(?:\d\d?|\d{4,}))")


@dataclass(frozen=True)
class Readings:
    """How the columns of files with one header are read.

    Attributes
    ----------
    dates, numbers
        The reading of each column of ours that is a date or a number.
    zone
        Zone of stamps without an offset.
    stages
        Of a history, our stages with the values that mean them in this format.
    """

    dates: Mapping[str, DateReading]
    numbers: Mapping[str, NumberReading]
    zone: str
    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def date(self, column: str) -> DateReading:
        """Return how a column of dates is read."""
        return self.dates.get(column, DateReading())

    def number(self, column: str) -> NumberReading:
        """Return how a column of numbers is read."""
        return self.numbers.get(column, NumberReading())


@dataclass(frozen=True)
class Kinds:
    """Which columns of a table are dates and which are numbers."""

    dates: Sequence[str] = field(default_factory=tuple)
    numbers: Sequence[str] = field(default_factory=tuple)


@dataclass
class Batch:
    """Files with the same header, read as one, so that a year in twelve exports costs one plan.

    Attributes
    ----------
    first
        The place of the first file in the table.
    cells
        Name of the engine's table of their cells.
    zone, is_zone_known
        Zone of stamps without an offset, and whether source.yaml or the format names it.
    contradictions
        Dates that contradict the order of day and month in the rest of their column.
    placeholders
        Number of dates that are read as missing, by what is noted about them.
    n_dates
        Further dates by column, which are not among the cells: all ISO 8601.
    """

    exports: list[Export]
    first: int
    cells: str
    zone: str
    readings: Readings | None = None
    contradictions: int = 0
    placeholders: Mapping[str, int] = field(default_factory=dict)
    n_dates: Mapping[str, int] = field(default_factory=dict)
    is_zone_known: bool = True

    @property
    def rejects(self) -> str:
        """Return the name of the engine's table of rows that it could not split."""
        return f"{self.cells}_rejects"

    @property
    def plain(self) -> Readings:
        """Return the readings of a plain file in its format."""
        return Readings({}, {}, self.zone, self.exports[0].recognized.format.stages)

    @property
    def how(self) -> Readings:
        """Return how the columns are read, once that is decided."""
        decided = self.readings or Readings({}, {}, self.zone)
        return replace(decided, stages=self.exports[0].recognized.format.stages)


def looks_plain(spec: TableSpec, exports: Sequence[Export], kinds: Kinds) -> bool:
    """Return whether the first rows of files, but for a few, can only be read in one way."""
    if is_pattern(spec.dates) or spec.decimal == ",":
        return False
    return all(_is_plain(export, kinds) for export in exports)


def _is_plain(export: Export, kinds: Kinds) -> bool:
    if export.recognized.format.timezone == "ask":
        return False
    for column, plain in (
        *((c, PLAIN_DATE) for c in kinds.dates),
        *((c, PLAIN_NUMBER) for c in kinds.numbers),
    ):
        header = export.header_of(column)
        if header is None:
            continue
        place = export.header.index(header)
        cells = [row[place].strip() for row in export.sample if len(row) == len(export.header)]
        texts = [c for c in cells if c]
        n_other = sum(not plain.fullmatch(t) for t in texts)
        # Rows with other dates are read with care, unless they are many; amounts are decided alike.
        if n_other > (len(texts) // STRAY_SHARE if column in kinds.dates else 0):
            return False
        if not texts and column in kinds.numbers:
            return False
    return True


def decide(
    backend: Backend,
    clocks: Clocks,
    spec: TableSpec,
    batches: Sequence[Batch],
    kinds: Kinds,
    cells: Mapping[str, str],
) -> list[Batch]:
    """Return the batches, each with how its columns are read; one is cut where its files differ.

    Parameters
    ----------
    backend, clocks
        The engine, and what is known of the timestamps of the source.
    spec, batches, kinds
        The table, its files with their cells stored, and what its columns are.
    cells
        Quoted column of the cells of each canonical column.

    Raises
    ------
    SourceError
        When no date is in the given pattern.
    Undecided
        When a column can be read in more than one way, with one question for each such column.
    """
    pattern = spec.dates if is_pattern(spec.dates) else None
    tables = [(b.cells, {c: cells[c] for c in _mapped(b.exports[0], kinds)}) for b in batches]
    headers = {c: h for b in batches for c, h in _mapped(b.exports[0], kinds).items()}
    paths = [key_of(e) for b in batches for e in b.exports]
    plain = {(column, key_of(b.exports[0])): n for b in batches for column, n in b.n_dates.items()}
    survey = survey_dates(backend, spec, tables, paths, headers, kinds.dates, plain)
    shapes = survey.shapes
    if pattern:
        check_pattern(spec, pattern, shapes, kinds.dates)
    decider = ColumnDecider(spec, kinds.dates, shapes)
    by_file: dict[str, dict[str, DateReading | NumberReading]] = {}
    questions: list[Question] = []
    for system in _systems(batches):
        for column, header in _mapped(system[0], kinds).items():
            files = {key: shapes.get((column, key), []) for key in map(key_of, system)}
            found = decider.read(column, files, system[0])
            names = [e for e in system if isinstance(found[key_of(e)], Ambiguity)]
            if names:
                questions.append(decider.question(column, header, names, found))
            for key, reading in found.items():
                if isinstance(reading, DateReading):
                    by_file.setdefault(key, {})[column] = survey.complete(column, reading)
                elif isinstance(reading, NumberReading):
                    by_file.setdefault(key, {})[column] = reading
    groups = [(b.exports, [(c, key_of(e)) for e in b.exports for c in headers]) for b in batches]
    questions += zone_questions(spec, clocks, groups, shapes, kinds.dates)
    if questions:
        raise Undecided(questions)
    return [part for batch in batches for part in _cut(batch, by_file, survey)]


def _systems(batches: Sequence[Batch]) -> list[list[Export]]:
    """Return the files that one system seems to have written, together."""
    found: dict[tuple[object, ...], list[Export]] = {}
    for export in (e for batch in batches for e in batch.exports):
        found.setdefault(written_by(export), []).append(export)
    return list(found.values())


def written_by(export: Export) -> tuple[object, ...]:
    """Return what is alike in the files that one system writes."""
    columns = tuple(sorted(export.recognized.columns.items()))
    return export.header, export.delimiter, export.encoding, columns


def _cut(
    batch: Batch,
    by_file: Mapping[str, Mapping[str, DateReading | NumberReading]],
    survey: DateSurvey,
) -> Iterator[Batch]:
    """Yield the files of a batch that are read alike, neighbors together."""
    first = batch.first
    decided = [(e, by_file.get(key_of(e), {})) for e in batch.exports]
    parts = [list(part) for _, part in groupby(decided, key=lambda pair: _essence(pair[1]))]
    for part in parts:
        exports, mine = [e for e, _ in part], part[0][1]
        contradictions = sum(
            r.contradictions for _, how in part for r in how.values() if isinstance(r, DateReading)
        )
        readings = replace(
            batch.plain,
            dates={c: r for c, r in mine.items() if isinstance(r, DateReading)},
            numbers={c: r for c, r in mine.items() if isinstance(r, NumberReading)},
        )
        yield replace(
            batch,
            exports=exports,
            first=first,
            readings=readings,
            contradictions=contradictions,
            placeholders=survey.placeholders_of(map(key_of, exports)),
        )
        first += len(exports)


def _essence(how: Mapping[str, DateReading | NumberReading]) -> dict[str, object]:
    return {c: r.decimal if isinstance(r, NumberReading) else r for c, r in how.items()}


def _mapped(export: Export, kinds: Kinds) -> dict[str, str]:
    return {c: h for c in (*kinds.dates, *kinds.numbers) if (h := export.header_of(c))}
