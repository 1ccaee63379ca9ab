"""Timestamps with and without an offset, and the question for the zone of the latter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from mqlkit.sources.clocks import ANSWER, Clocks
from mqlkit.sources.dialect.columns import names_of
from mqlkit.sources.dialect.evidence import Shape
from mqlkit.sources.dialect.shapes import Place
from mqlkit.sources.files import Export
from mqlkit.sources.questions import Question
from mqlkit.sources.spec import TableSpec

LOCAL_TIME = re.compile(r"9:99[:.,9]*( ?[AaPp][Mm])?$")
OFFSET_TIME = re.compile(r":99.*(?:Z|z|UTC|GMT|[+-]99(?::?99)?)$")
# The tables whose timestamps are compared with each other.
TIMED = ("leads", "history")
Shapes = Mapping[Place, Sequence[Shape]]


def zone_questions(
    spec: TableSpec,
    clocks: Clocks,
    groups: Sequence[tuple[Sequence[Export], Sequence[Place]]],
    shapes: Shapes,
    dates: Collection[str],
) -> list[Question]:
    """Ask for the zone of timestamps without an offset where it matters and nothing tells it.

    Parameters
    ----------
    spec
        The table.
    clocks
        What is known of the tables read before; this one is added.
    groups
        Files of one format, with the places of their columns.
    shapes
        The shapes of all values.
    dates
        The columns that are dates.
    """
    found = []
    for exports, every in groups:
        known = exports[0].recognized.format
        places = [place for place in every if place[0] in dates]
        columns = _by_column(places, shapes)
        local = [s for stamps in columns for s in stamps if is_local(s.text)]
        examples = tuple(e for s in local for e in s.examples)[:3]
        if known.timezone == "ask" and not spec.zone_given and local:
            words = (
                f"{names_of(exports)}: its stamps have no offset, and the format "
                f"{known.name} does not name their zone."
            )
            found.append(Question(spec.place, words, (ANSWER,), examples))
        elif spec.table in TIMED:
            is_known = bool(spec.zone_given or known.timezone == "UTC")
            _note(clocks, spec.place, names_of(exports), columns, is_known=is_known)
    return found or clocks.questions()


def is_local(shape: str) -> bool:
    """Return whether timestamps of a shape leave their zone open."""
    return bool(LOCAL_TIME.search(shape)) and not OFFSET_TIME.search(shape)


def _by_column(places: Iterable[Place], shapes: Shapes) -> list[list[Shape]]:
    columns: dict[str, list[Shape]] = {}
    for place in places:
        columns.setdefault(place[0], []).extend(shapes.get(place, ()))
    return list(columns.values())


def _note(
    clocks: Clocks, place: str, names: str, columns: Iterable[Sequence[Shape]], *, is_known: bool
) -> None:
    """Add what a table shows; a column of midnights without an offset holds dates."""
    for stamps in columns:
        local = [s for s in stamps if is_local(s.text)]
        offset = any(OFFSET_TIME.search(s.text) for s in stamps)
        clocks.has_offsets |= offset
        if local and not is_known and (offset or any(s.n_timed for s in local)):
            examples = tuple(e for s in local for e in s.examples)[:3]
            clocks.local.setdefault(place, (names, examples))
