"""How each column of a table is read, decided once for the column from all of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import ibis
import ibis.expr.types as ir

from mqlkit.engine import parse_instant
from mqlkit.sources.amounts import NumberReading, decide_decimal
from mqlkit.sources.cells import clean
from mqlkit.sources.dates import DateReading, Doubt, Shape, decide_dates
from mqlkit.sources.files import Export
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec

MOST_SHAPES = 1000
DIGITS, NINES = "0123456789", "9999999999"
NUMERIC_DAY = r"^(\d\d?)[./-](\d\d?)[./-]\d{4}"
# What a first look takes for settled: these cannot be read in any other way.
PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
LOCAL_TIME = re.compile(r"9:99[:.,9]*([ \u202f][AaPp]\.?[Mm]\.?)?$")
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
    is_presumed
        Whether only the first rows were looked at.
    """

    dates: Mapping[str, DateReading]
    numbers: Mapping[str, NumberReading]
    zone: str
    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_presumed: bool = False

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
    rejects
        Name of the engine's table of rows that it could not split.
    zone
        Zone of stamps without an offset.
    """

    exports: list[Export]
    first: int
    rejects: str
    raw: ir.Table
    zone: str
    readings: Readings | None = None

    @property
    def plain(self) -> Readings:
        """Return the readings of a plain file in its format."""
        return Readings({}, {}, self.zone, self.exports[0].recognised.format.stages)

    @property
    def how(self) -> Readings:
        """Return how the columns are read, once that is decided."""
        decided = self.readings or Readings({}, {}, self.zone)
        return replace(decided, stages=self.exports[0].recognised.format.stages)


def presume(batch: Batch, kinds: Kinds) -> Readings | None:
    """Return the plain readings where the first rows show nothing else, else None.

    A large plain file is then read once: if a single value does not fit, all is decided anew.
    """
    if any(not _is_plain(export, kinds) for export in batch.exports):
        return None
    return replace(batch.plain, is_presumed=True)


def _is_plain(export: Export, kinds: Kinds) -> bool:
    if export.recognised.format.timezone == "ask":
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
        if not all(plain.fullmatch(t) for t in texts):
            return False
        if not texts and column in kinds.numbers:
            return False
    return True


def decide(spec: TableSpec, batches: Sequence[Batch], kinds: Kinds) -> None:
    """Put into each batch how its columns are read, from all values under the same header.

    Raises
    ------
    Undecided
        When a column can be read in more than one way, with one question for each such column.
    """
    shapes = _shapes(batches, kinds)
    questions: list[Question] = []
    decided: dict[tuple[str, str], DateReading | NumberReading | None] = {}
    for (column, header), of_column in shapes.items():
        files = [b for b in batches if b.exports[0].header_of(column) == header]
        reading = _decide_one(column, of_column, spec, files, kinds)
        if isinstance(reading, Doubt):
            names = _names([e for b in files for e in b.exports])
            words = f"{names}: column {header!r}: {reading.text}."
            questions.append(Question(spec.place, words, reading.answers, reading.found))
        else:
            decided[column, header] = reading
    questions += _zone_questions(spec, batches, shapes, kinds)
    if questions:
        raise Undecided(questions)
    for batch in batches:
        mine = {c: decided.get((c, h)) for c, h in _mapped(batch, kinds).items()}
        batch.readings = replace(
            batch.plain,
            dates={c: r for c, r in mine.items() if isinstance(r, DateReading)},
            numbers={c: r for c, r in mine.items() if isinstance(r, NumberReading)},
        )


def _decide_one(
    column: str, shapes: Sequence[Shape], spec: TableSpec, files: Sequence[Batch], kinds: Kinds
) -> DateReading | NumberReading | Doubt:
    known = files[0].exports[0].recognised.format
    if column in kinds.dates:
        given = known.dates if spec.dates == "auto" else spec.dates
        return decide_dates(shapes, given=given)
    given = known.decimal if spec.decimal == "auto" else spec.decimal
    return decide_decimal(shapes, given=given, delimiter=files[0].exports[0].delimiter)


def _mapped(batch: Batch, kinds: Kinds) -> dict[str, str]:
    export = batch.exports[0]
    return {c: h for c in (*kinds.dates, *kinds.numbers) if (h := export.header_of(c))}


def _shapes(batches: Sequence[Batch], kinds: Kinds) -> dict[tuple[str, str], list[Shape]]:
    """Return the shapes of all values, by column of ours and header, in one pass."""
    pieces = []
    for batch in batches:
        mapped = _mapped(batch, kinds)
        if mapped:
            keys = {
                f"{ours}\x1f{theirs}": clean(batch.raw[theirs]) for ours, theirs in mapped.items()
            }
            cells = batch.raw.select(**keys)
            pieces.append(cells.pivot_longer(list(keys), names_to="column", values_to="text"))
    if not pieces:
        return {}
    long = reduce(lambda a, b: a.union(b), pieces)
    long = long.filter(long["text"].notnull())
    is_date = long["column"].split("\x1f")[0].isin(list(kinds.dates))
    is_iso = is_date & parse_instant(long["text"]).notnull()
    # A zero that begins a fraction tells that the sign behind it is the decimal one.
    number = long["text"].re_replace(r"(^|[^0-9.,])0([.,])", r"\1o\2")
    text = is_date.ifelse(long["text"], number).translate(DIGITS, NINES)
    first, second = (
        long["text"].re_extract(NUMERIC_DAY, group).nullif("").try_cast("int32") for group in (1, 2)
    )
    rows = long.mutate(is_iso=is_iso, shape=text, first=first, second=second)
    found = rows.group_by("column", "shape", "is_iso").aggregate(
        n=rows.count(),
        first_over=(rows["first"] > 12).sum(),
        second_over=(rows["second"] > 12).sum(),
        differing=(rows["first"] != rows["second"]).sum(),
        low=rows["text"].min(),
        high=rows["text"].max(),
    )
    found = found.order_by(ibis.desc("n"), "column", "shape").limit(MOST_SHAPES)
    by_column: dict[tuple[str, str], list[Shape]] = {}
    for row in found.to_pyarrow().to_pylist():
        ours, theirs = row["column"].split("\x1f")
        shape = Shape(
            row["shape"],
            row["n"],
            is_iso=row["is_iso"],
            first_over=row["first_over"] or 0,
            second_over=row["second_over"] or 0,
            differing=row["differing"] or 0,
            examples=tuple(dict.fromkeys((row["low"], row["high"]))),
        )
        by_column.setdefault((ours, theirs), []).append(shape)
    return by_column


def _names(exports: Sequence[Export]) -> str:
    more = len(exports) - 1
    return exports[0].name + (f" and {more} more" if more else "")


def _zone_questions(
    spec: TableSpec,
    batches: Sequence[Batch],
    shapes: Mapping[tuple[str, str], Sequence[Shape]],
    kinds: Kinds,
) -> list[Question]:
    """Ask for the zone of stamps with a time of day and no offset, where nobody can know it."""
    found = []
    for batch in batches:
        known = batch.exports[0].recognised.format
        if known.timezone != "ask" or spec.zone_given:
            continue
        stamps = [s for key in _mapped(batch, kinds).items() for s in shapes.get(key, [])]
        local = [s for s in stamps if LOCAL_TIME.search(s.text)]
        if local:
            words = (
                f"{_names(batch.exports)}: its stamps have no offset, and {known.title} writes "
                "them in a zone that the file does not tell."
            )
            examples = tuple(e for s in local for e in s.examples)[:3]
            found.append(Question(spec.place, words, ("timezone: Europe/Tallinn",), examples))
    return found
