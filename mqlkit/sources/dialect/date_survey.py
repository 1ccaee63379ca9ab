"""What the columns of a table show, once their dates are rewritten and placeholders left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.core.text import counted
from mqlkit.sources.dialect.date_styles import style_of
from mqlkit.sources.dialect.dates import SAID, DateReading, is_pattern
from mqlkit.sources.dialect.evidence import STRAY_SHARE, Shape
from mqlkit.sources.dialect.languages import LANGUAGES, language_name
from mqlkit.sources.dialect.placeholders import are_missing
from mqlkit.sources.dialect.shapes import CellsOf, Place, shapes_of
from mqlkit.sources.dialect.written_dates import Rewriting, rewriting_of
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.spec import TableSpec

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Shapes = Mapping[Place, Sequence[Shape]]
PLACEHOLDER = 1
NUMBER = re.compile("-?9+")


@dataclass(frozen=True)
class DateSurvey:
    """What the columns of a table show.

    Attributes
    ----------
    shapes
        The shapes of all values, without those that are missing.
    rewritten
        The columns whose dates are rewritten, with how.
    missing
        The columns in which placeholders are missing values.
    placeholders
        For each column and file, what is noted about these, with their number.
    """

    shapes: Mapping[Place, list[Shape]]
    rewritten: Mapping[str, Rewriting] = field(default_factory=dict)
    missing: Collection[str] = ()
    placeholders: Mapping[Place, tuple[str, int]] = field(default_factory=dict)

    def complete(self, column: str, reading: DateReading) -> DateReading:
        """Return how a column is read, with how it is rewritten and what is missing in it."""
        rewriting = self.rewritten.get(column)
        names = [language_name(code) for code in rewriting.languages] if rewriting else []
        others = [name for name in names if name != "English"]
        words = f"{reading.words}, names in {' and '.join(others)}" if others else reading.words
        return replace(
            reading, rewriting=rewriting, has_placeholders=column in self.missing, words=words
        )

    def placeholders_of(self, paths: Iterable[str]) -> dict[str, int]:
        """Return what is noted about the placeholders of some files, with their number."""
        wanted, found = set(paths), Counter[str]()
        for (_, path), (words, n) in self.placeholders.items():
            if path in wanted:
                found[words] += n
        return dict(found)


def survey_dates(
    backend: Backend,
    spec: TableSpec,
    tables: Sequence[CellsOf],
    paths: Sequence[str],
    headers: Mapping[str, str],
    dates: Collection[str],
    plain: Mapping[Place, int],
) -> DateSurvey:
    """Return what the columns of a table show.

    Parameters
    ----------
    backend
        The engine.
    spec
        The table, as ``source.yaml`` describes it.
    tables, paths
        As for `shapes_of`.
    headers
        The header of each canonical column.
    dates
        Those of the columns that are dates.
    plain
        Number of further dates, all ISO 8601, by column and file.

    Raises
    ------
    SourceError
        When timestamps name their zones.
    Undecided
        When the words of the dates mean other months in other languages.
    """
    pattern = spec.dates if is_pattern(spec.dates) else None

    def shapes(rewriting: Rewriting | None = None) -> dict[Place, list[Shape]]:
        found = shapes_of(
            backend, tables, paths, dates, pattern, rewriting=rewriting, missing=spec.missing
        )
        for place, n in plain.items():
            # Nothing is known of their days.
            further = Shape("9999-99-99", n, is_iso=True, late_days=n)
            found.setdefault(place, []).append(further)
        return found

    found = shapes()
    rewriting = _rewriting(spec, found, headers, dates)
    rewritten: dict[str, Rewriting] = {}
    if rewriting.keys:
        columns = {column for (column, _), s in found.items() if column in dates and _unread(s)}
        rewritten = dict.fromkeys(columns, rewriting)
        found = shapes(rewriting)
    missing = {column for column in dates if _has_missing(column, found)}
    placeholders = {
        place: (_noted(headers[place[0]], gone), sum(s.n for s in gone))
        for place, those in found.items()
        if place[0] in missing and (gone := [s for s in those if s.kind == PLACEHOLDER])
    }
    kept = {
        place: [
            s for s in those if s.kind == 0 or (s.kind == PLACEHOLDER and place[0] not in missing)
        ]
        for place, those in found.items()
    }
    return DateSurvey(kept, rewritten, missing, placeholders)


def _unread(shapes: Iterable[Shape]) -> list[Shape]:
    """Return the shapes that are read in no way yet."""
    return [s for s in shapes if not (s.is_iso or s.fits_pattern or s.kind or style_of(s.text))]


def _has_missing(column: str, found: Shapes) -> bool:
    """Return whether the placeholders of a column are missing values."""
    shapes = [s for (name, _), those in found.items() if name == column for s in those]
    numbers = [
        s for s in shapes if not s.kind and (style := style_of(s.text)) and style.kind in SAID
    ]
    marked = [
        s for s in shapes if s.kind == PLACEHOLDER and (numbers or not NUMBER.fullmatch(s.text))
    ]
    return are_missing(sum(s.n for s in marked), total=sum(s.n for s in shapes))


def _noted(header: str, gone: Sequence[Shape]) -> str:
    examples = dict.fromkeys(e for s in gone for e in s.examples)
    return f"{header}: {', '.join(list(examples)[:2])}, read as missing"


def _rewriting(
    spec: TableSpec, found: Shapes, headers: Mapping[str, str], dates: Collection[str]
) -> Rewriting:
    """Return how the dates of a table are rewritten; stop where that is not certain."""
    unread = {p: s for p, shapes in found.items() if p[0] in dates and (s := _unread(shapes))}
    counts = Counter[str]()
    for shape in (s for shapes in unread.values() for s in shapes):
        counts[shape.text] += shape.n
    if not counts:
        return Rewriting()
    languages = (*dict.fromkeys((spec.dates, "en")),) if spec.dates in LANGUAGES else LANGUAGES
    rewriting = rewriting_of(counts, languages=languages)
    _refuse_zones(spec, found, headers, rewriting)
    if rewriting.contested:
        examples = [e for shapes in unread.values() for s in shapes for e in s.examples][:3]
        names = listed([language_name(code) for code in rewriting.contested], 6)
        words = f"{spec.names}: the names in its dates are those of other months in {names}."
        answers = tuple(f"dates: {code}" for code in rewriting.contested)
        raise Undecided([Question(spec.place, words, answers, tuple(examples))])
    return rewriting


def _refuse_zones(
    spec: TableSpec, found: Shapes, headers: Mapping[str, str], rewriting: Rewriting
) -> None:
    """Refuse columns whose timestamps name their zones: `EST` is several, in summer another."""
    for column, header in headers.items():
        shapes = [s for (name, _), those in found.items() if name == column for s in those]
        named = [s for s in shapes if s.text in rewriting.zones]
        n = sum(s.n for s in named)
        if n and n * STRAY_SHARE > sum(s.n for s in shapes):
            zones = listed(list(dict.fromkeys(rewriting.zones[s.text] for s in named)))
            raise SourceError(
                report(
                    f"{spec.names}: column {header!r}: {counted(n, 'timestamp')} "
                    f"{'names its' if n == 1 else 'name their'} time zone, {zones}.",
                    expected="an offset such as +02:00, or Z, UTC or GMT; or local times alone",
                    found=listed([e for s in named for e in s.examples][:3]),
                    fix="export them in UTC or with an offset; or remove the names, and name "
                    f"the zone in source.yaml ({spec.place}.timezone: Europe/Tallinn)",
                )
            )
