"""How a column is read in the files of one system, or what is to be asked about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.amounts import NumberReading
from mqlkit.sources.dates import DateReading, belies_iso, is_pattern
from mqlkit.sources.files import Export
from mqlkit.sources.pooling import Files, dates_of_files, numbers_of_files
from mqlkit.sources.questions import Question
from mqlkit.sources.shapes import Place
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.votes import Doubt, Shape, votes_of


@dataclass(frozen=True)
class Asking:
    """What deciding about a column needs.

    Attributes
    ----------
    spec
        What is told.
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
    ) -> Mapping[str, DateReading | NumberReading | Doubt]:
        """Return how a column is read in each file of one system."""
        known = export.recognised.format
        if column in self.dates:
            given = self._given(column, files, known.dates)
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
            if not any(s.is_told for place in places for s in self.shapes.get(place, ())):
                given = "auto"
        return known if given == "auto" else given

    def question(
        self,
        column: str,
        header: str,
        exports: Sequence[Export],
        found: Mapping[str, DateReading | NumberReading | Doubt],
    ) -> Question:
        """Return what is to be asked about a column of some files that cannot decide."""
        files = {key: self.shapes.get((column, key), []) for key in map(key_of, exports)}
        together = self.read(column, files, exports[0])
        doubts = [d for d in (*together.values(), *found.values()) if isinstance(d, Doubt)]
        doubt = doubts[0]
        words = f"{names_of(exports)}: column {header!r}: {doubt.text}."
        return Question(self.spec.place, words, self._answers(doubt), doubt.found)

    def _answers(self, doubt: Doubt) -> tuple[str, ...]:
        """Return the answers, first what other dates show; what they contradict as a pattern."""
        dates = [
            s for (column, _), found in self.shapes.items() for s in found if column in self.dates
        ]
        shown = {v.order for v in votes_of(dates).values()} - {""}
        if not doubt.patterns or not shown:
            return doubt.answers
        pairs = list(zip(doubt.answers, doubt.patterns, strict=True))
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
    spec: TableSpec, told: str, shapes: Mapping[Place, Sequence[Shape]], columns: Collection[str]
) -> None:
    """Refuse a pattern that fits no date.

    Raises
    ------
    SourceError
        When there are dates, and it fits none.
    """
    dates = [s for (column, _), found in shapes.items() for s in found if column in columns]
    others = [e for s in dates if not s.is_iso for e in s.examples]
    if others and not any(s.is_told for s in dates):
        raise SourceError(
            report(
                f"{spec.names}: no date is written as {spec.place}.dates says.",
                expected=told,
                found=listed(others),
                fix="mend the pattern in source.yaml",
            )
        )
