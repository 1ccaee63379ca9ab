"""How one column is read in the files of a system, and what is asked where they do not tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mqlkit.core.errors import SourceError, listed, report
from mqlkit.sources.dialect.alike import Files, dates_of_files, numbers_of_files
from mqlkit.sources.dialect.dates import DateReading, belies_iso, is_pattern
from mqlkit.sources.dialect.evidence import Ambiguity, Shape, order_evidence
from mqlkit.sources.dialect.languages import LANGUAGES
from mqlkit.sources.dialect.numbers import NumberReading
from mqlkit.sources.dialect.shapes import Place
from mqlkit.sources.files import Export
from mqlkit.sources.formats import order_of_dates
from mqlkit.sources.questions import Question
from mqlkit.sources.spec import TableSpec


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
            found = dates_of_files(files, given=given)
            is_open = any(isinstance(reading, Ambiguity) for reading in found.values())
            if given == "auto" and is_open and (shown := self._shown_by_others(column, files)):
                order, header = shown
                return dates_of_files(
                    files, given=order, why=f"as {export.header_of(header)!r} shows"
                )
            return found
        given = known.decimal if self.spec.decimal == "auto" else self.spec.decimal
        return numbers_of_files(files, given=given, delimiter=export.delimiter)

    def _given(self, column: str, files: Files, known: str) -> str:
        given = "auto" if self.spec.dates in LANGUAGES else self.spec.dates
        if is_pattern(given):
            # It is for the columns that it fits; but no file is read by ISO 8601 where another
            # has the same column with day and month exchanged.
            alike = self.shapes if belies_iso(given) else {(column, key) for key in files}
            places = [place for place in alike if place[0] == column]
            if not any(s.fits_pattern for place in places for s in self.shapes.get(place, ())):
                given = "auto"
        return known if given == "auto" else given

    def _shown_by_others(self, column: str, files: Files) -> tuple[str, str] | None:
        """Return the order of day and month that the other columns of some files show, and one.

        None where they show none or contradict each other, or where this column shows one itself.
        """
        shown: dict[str, str] = {}
        for key in files:
            for other in self.dates:
                for seen in order_evidence(self.shapes.get((other, key), [])).values():
                    if seen.order and other == column:
                        return None
                    if seen.order:
                        shown.setdefault(seen.order, other)
        ((order, other),) = shown.items() if len(shown) == 1 else [("both", "")]
        return None if order == "both" else (order, other)

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
