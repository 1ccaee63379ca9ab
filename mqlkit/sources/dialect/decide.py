"""How each column of a table is read, decided once for the column from all of its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.dialect.dates import DateReading, belies_iso, decide_dates, is_pattern
from mqlkit.sources.dialect.evidence import (
    STRAY_SHARE,
    Ambiguity,
    Shape,
    contradictions_of,
    order_evidence,
)
from mqlkit.sources.dialect.numbers import NumberReading, decide_decimal
from mqlkit.sources.dialect.shapes import Place, shapes_of
from mqlkit.sources.files import Export
from mqlkit.sources.formats import order_of_dates
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Files = Mapping[str, Sequence[Shape]]


def pool(files: Files) -> list[Shape]:
    """Return the shapes of all files."""
    return [shape for shapes in files.values() for shape in shapes]


def dates_of_files(files: Files, *, given: str) -> dict[str, DateReading | Ambiguity]:
    """Return how a column of dates is read in each file of one system."""
    found: dict[str, set[str]] = {}
    for shapes in files.values():
        for group, seen in order_evidence(shapes).items():
            found.setdefault(group, set()).update({seen.order} - {""})
    if all(len(orders) < 2 and "both" not in orders for orders in found.values()):
        pooled = decide_dates(pool(files), given=given)
        if isinstance(pooled, Ambiguity):
            return dict.fromkeys(files, pooled)
        return {
            name: replace(pooled, contradictions=contradictions_of(shapes))
            for name, shapes in files.items()
        }
    return {name: decide_dates(shapes, given=given) for name, shapes in files.items()}


def numbers_of_files(
    files: Files, *, given: str, delimiter: str
) -> dict[str, NumberReading | Ambiguity]:
    """Return how a column of numbers is read in each file of one system."""

    def decide(shapes: Sequence[Shape]) -> NumberReading | Ambiguity:
        return decide_decimal(shapes, given=given, delimiter=delimiter)

    alone = {name: decide(shapes) for name, shapes in files.items()}
    deciding = {name: _deciding(shapes, decide) for name, shapes in files.items()}
    signs = {
        reading.decimal
        for name, reading in alone.items()
        if isinstance(reading, NumberReading) and deciding[name]
    }
    if given != "auto" or len(signs) != 1:
        return alone
    (sign,) = signs
    pooled = decide(pool(files))
    if isinstance(pooled, Ambiguity) or pooled.decimal != sign:
        return alone
    decisive = [s for shapes in deciding.values() for s in shapes]
    return {
        name: pooled if _is_written_alike(decisive, shapes, sign, decide) else alone[name]
        for name, shapes in files.items()
    }


def _deciding(
    shapes: Sequence[Shape], decide: Callable[[Sequence[Shape]], NumberReading | Ambiguity]
) -> list[Shape]:
    """Return the shapes that tell the decimal sign without any other."""
    written = [s for s in shapes if "." in s.text or "," in s.text]
    return [s for s in written if isinstance(decide([s]), NumberReading)]


def _is_written_alike(
    decisive: Sequence[Shape],
    shapes: Sequence[Shape],
    sign: str,
    decide: Callable[[Sequence[Shape]], NumberReading | Ambiguity],
) -> bool:
    """Return whether a file that cannot decide is written as those are that can."""
    if isinstance(decide(shapes), NumberReading):
        return True
    if _deciding(shapes, decide) or isinstance(
        decide([*shapes, replace(decisive[0], n=1)]), Ambiguity
    ):
        return False
    # `1.234` is no fraction where all others have two digits.
    thousandth = re.compile(rf"\{sign}999(?![9.,])")
    return not any(thousandth.search(s.text) for s in shapes) or any(
        thousandth.search(s.text) for s in decisive
    )


@dataclass(frozen=True)
class ColumnDecider:
    """What deciding about a column needs.

    Attributes
    ----------
    spec
        The table, as ``source.yaml`` describes it.
    dates
        Our columns that are dates.
    shapes
        What all columns of the table show.
    """

    spec: TableSpec
    dates: Collection[str]
    shapes: Mapping[Place, Sequence[Shape]]

    def read(
        self, column: str, files: Files, export: Export
    ) -> Mapping[str, DateReading | NumberReading | Ambiguity]:
        """Return how a column is read in each file of one system."""
        known = export.recognized.format
        if column in self.dates:
            order = order_of_dates(known, export.recognized.columns[column])
            given = self._given(column, files, order)
            return dates_of_files(files, given=given)
        given = known.decimal if self.spec.decimal == "auto" else self.spec.decimal
        return numbers_of_files(files, given=given, delimiter=export.delimiter)

    def _given(self, column: str, files: Files, known: str) -> str:
        given = self.spec.dates
        if is_pattern(given):
            # It is for the columns that it fits; but no file is read by ISO 8601 where another
            # has the same column with day and month exchanged.
            alike = self.shapes if belies_iso(given) else {(column, key) for key in files}
            places = [place for place in alike if place[0] == column]
            if not any(s.fits_pattern for place in places for s in self.shapes.get(place, ())):
                given = "auto"
        return known if given == "auto" else given

    def question(
        self,
        column: str,
        header: str,
        exports: Sequence[Export],
        found: Mapping[str, DateReading | NumberReading | Ambiguity],
    ) -> Question:
        """Return what is to be asked about a column of some files that cannot decide."""
        files = {key: self.shapes.get((column, key), []) for key in map(key_of, exports)}
        together = self.read(column, files, exports[0])
        ambiguities = [d for d in (*together.values(), *found.values()) if isinstance(d, Ambiguity)]
        ambiguity = ambiguities[0]
        words = f"{names_of(exports)}: column {header!r}: {ambiguity.text}."
        return Question(self.spec.place, words, self._answers(ambiguity), ambiguity.found)

    def _answers(self, ambiguity: Ambiguity) -> tuple[str, ...]:
        """Return the answers, first what other dates show; what they contradict as a pattern."""
        dates = [
            s for (column, _), found in self.shapes.items() for s in found if column in self.dates
        ]
        shown = {v.order for v in order_evidence(dates).values()} - {""}
        if not ambiguity.patterns or not shown:
            return ambiguity.answers
        pairs = list(zip(ambiguity.answers, ambiguity.patterns, strict=True))
        likely = [answer for answer, _ in pairs if shown == {answer.removeprefix("dates: ")}]
        return (*likely, *(pattern for answer, pattern in pairs if answer not in likely))


def key_of(export: Export) -> str:
    """Return what the engine calls a file."""
    return str(export.text_path)


def names_of(exports: Sequence[Export]) -> str:
    """Return the first of some files, and how many more there are."""
    more = len(exports) - 1
    return exports[0].name + (f" and {more} more" if more else "")


def check_pattern(
    spec: TableSpec, pattern: str, shapes: Mapping[Place, Sequence[Shape]], columns: Collection[str]
) -> None:
    """Refuse a pattern that fits no date.

    Raises
    ------
    SourceError
        When there are dates, and it fits none.
    """
    dates = [s for (column, _), found in shapes.items() for s in found if column in columns]
    others = [e for s in dates if not s.is_iso for e in s.examples]
    if others and not any(s.fits_pattern for s in dates):
        raise SourceError(
            report(
                f"{spec.names}: no date is written as {spec.place}.dates says.",
                expected=pattern,
                found=listed(others),
                fix="correct the pattern in source.yaml",
            )
        )


# These cannot be read in any other way.
PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
# A shape that ends in a time of day; what ends in +99:99 carries its offset.
LOCAL_TIME = re.compile(r"(?<![+-]9)(?<![+-])9:99[:.,9]*([ \u202f][AaPp]\.?[Mm]\.?)?$")
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
    zone
        Zone of stamps without an offset.
    contradictions
        Dates that contradict the order of day and month in the rest of their column.
    n_dates
        Further dates by column, which are not among the cells: all ISO 8601.
    """

    exports: list[Export]
    first: int
    cells: str
    zone: str
    readings: Readings | None = None
    contradictions: int = 0
    n_dates: Mapping[str, int] = field(default_factory=dict)

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
    spec: TableSpec,
    batches: Sequence[Batch],
    kinds: Kinds,
    cells: Mapping[str, str],
) -> list[Batch]:
    """Return the batches, each with how its columns are read; one is cut where its files differ.

    Parameters
    ----------
    backend, spec, batches, kinds
        The engine, the table, its files with their cells stored, and what its columns are.
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
    paths = [key_of(e) for b in batches for e in b.exports]
    shapes = shapes_of(backend, tables, paths, kinds.dates, pattern)
    for batch in batches:
        for column, n in batch.n_dates.items():
            place = (column, key_of(batch.exports[0]))
            shapes.setdefault(place, []).append(Shape("9999-99-99", n, is_iso=True))
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
                if not isinstance(reading, Ambiguity):
                    by_file.setdefault(key, {})[column] = reading
    questions += _zone_questions(spec, batches, shapes, kinds)
    if questions:
        raise Undecided(questions)
    return [part for batch in batches for part in _cut(batch, by_file)]


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
    batch: Batch, by_file: Mapping[str, Mapping[str, DateReading | NumberReading]]
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
            batch, exports=exports, first=first, readings=readings, contradictions=contradictions
        )
        first += len(exports)


def _essence(how: Mapping[str, DateReading | NumberReading]) -> dict[str, object]:
    return {c: r.decimal if isinstance(r, NumberReading) else r for c, r in how.items()}


def _mapped(export: Export, kinds: Kinds) -> dict[str, str]:
    return {c: h for c in (*kinds.dates, *kinds.numbers) if (h := export.header_of(c))}


def _zone_questions(
    spec: TableSpec,
    batches: Sequence[Batch],
    shapes: Mapping[Place, Sequence[Shape]],
    kinds: Kinds,
) -> list[Question]:
    """Ask for the zone of timestamps without an offset where the format does not define it."""
    found = []
    for batch in batches:
        known = batch.exports[0].recognized.format
        if known.timezone != "ask" or spec.zone_given:
            continue
        places = [(c, key_of(e)) for e in batch.exports for c in _mapped(e, kinds)]
        stamps = [s for place in places for s in shapes.get(place, [])]
        local = [s for s in stamps if LOCAL_TIME.search(s.text)]
        if local:
            words = (
                f"{names_of(batch.exports)}: its stamps have no offset, and the format "
                f"{known.name} does not name their zone."
            )
            examples = tuple(e for s in local for e in s.examples)[:3]
            found.append(Question(spec.place, words, ("timezone: Europe/Tallinn",), examples))
    return found
