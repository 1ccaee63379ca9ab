"""A source that is being made from exports: its content so far, and what its files hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mqlkit.core.errors import SourceError
from mqlkit.run.check import available, faults_of_files, look_at, lost_rows, unknown_look
from mqlkit.sources.candidates import TELLING, name_score
from mqlkit.sources.classify import ClassifiedExport
from mqlkit.sources.inspect import TableReport
from mqlkit.sources.spec import TABLES, SourceSpec, source_from

# How often the same thing is asked before it is left to fill in.
MOST_ASKED = 3
NEEDED = {
    "leads": ("lead_id", "mql_at", "created_at", "owner", "source"),
    "history": ("lead_id", "at", "stage"),
    "spend": ("date", "amount", "channel"),
    "goals": ("month", "mqls"),
}
WHAT = {
    "leads": "one row per lead",
    "history": "one row per stage change",
    "spend": "amounts by day or month",
    "goals": "MQLs wanted by month",
}
LEFT_OUT = "left out"
# Place and key, such as ``leads`` and ``columns.mql_at``.
Setting = tuple[str, str]
Memento = tuple[dict[str, Any], list[ClassifiedExport]]


@dataclass
class Draft:
    """A source.yaml in the making.

    Attributes
    ----------
    given
        Its content so far.
    path
        Where paths start from.
    unknown
        Exports whose table is open.
    looks
        What the files hold, read with the content so far.
    asked
        How often each setting was asked about, by place and key.
    done, just_done
        What was answered before the files were read last, and since.
    left_open
        What the user left to fill in.
    """

    given: dict[str, Any]
    path: Path
    unknown: list[ClassifiedExport] = field(default_factory=list)
    looks: list[TableReport] = field(default_factory=list)
    asked: Counter[Setting] = field(default_factory=Counter)
    done: set[Setting] = field(default_factory=set)
    just_done: set[Setting] = field(default_factory=set)
    left_open: set[Setting] = field(default_factory=set)

    @property
    def source(self) -> SourceSpec:
        """Return the source as described so far.

        Raises
        ------
        SourceError
            If an answer is not valid.
        """
        return source_from(self.given, self.path, needs_leads=False)

    def read(self) -> list[str]:
        """Read the files with the answers so far, and return what is wrong with them."""
        self.looks = look_at(self.source) if self.given else []
        return [*faults_of_files(self.looks), *lost_rows(self.looks)]

    def keep(self) -> None:
        """Take the answers since the last reading for settled."""
        self.done |= self.just_done
        self.just_done.clear()

    def undo(self, before: Memento) -> None:
        """Take the answers back that were given since then."""
        self.given, self.unknown = deepcopy(before[0]), [*before[1]]
        self.just_done.clear()

    def memento(self) -> Memento:
        """Return what `undo` needs."""
        return deepcopy(self.given), [*self.unknown]

    def add(self, place: str, given: Mapping[str, Any]) -> None:
        """Add an answer to a block.

        Raises
        ------
        SourceError
            If it is not valid; nothing has changed then.
        """
        before = self.memento()
        try:
            if "table" in given:
                self._place(Path(place), str(given["table"]))
            else:
                self._seed_stages(place, given)
                _merge(self.block(place), given)
            # Checks the whole.
            source_from(self.given, self.path, needs_leads=False)
        except SourceError:
            self.given, self.unknown = before
            raise

    def settle(self, place: str, key: str, *, is_left_open: bool = False) -> None:
        """Note that a setting was asked about; one left open is a line to fill in."""
        self.asked[place, key] += 1
        self.just_done.add((place, key))
        if is_left_open or self.asked[place, key] >= MOST_ASKED:
            self.left_open.add((place, key))

    def is_settled(self, place: str, key: str) -> bool:
        """Return whether a setting is not to be asked about now."""
        # A column is asked about once; the reader asks again where an answer does not do.
        known = self.just_done | self.left_open | {s for s in self.done if "columns." in s[1]}
        return (place, key) in known

    def block(self, place: str) -> dict[str, Any]:
        """Return a block by its place; an empty one where there is none."""
        table, _, number = place.partition("[")
        blocks = self.given.get(table, {})
        found: dict[str, Any] = blocks[int(number[:-1])] if number else blocks
        return found

    def blocks(self) -> Iterator[dict[str, Any]]:
        """Yield all blocks."""
        for block in self.given.values():
            yield from block if isinstance(block, list) else [block]

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """Return each block by its place."""
        return {spec.place: self.block(spec.place) for spec in self.source.tables}

    @property
    def all_looks(self) -> list[TableReport]:
        """Return what the files hold, then the exports that are in no table."""
        return [*self.looks, *map(unknown_look, self.unknown)]

    @property
    def has_mql_stage(self) -> bool:
        """Return whether an event of a history is that of becoming an MQL."""
        return "mql_at" in available([look for look in self.looks if look.table == "history"])

    @property
    def lacks_mql(self) -> bool:
        """Return whether neither the leads nor a history have the date of the MQL."""
        has_column = any(c.ours == "mql_at" for look in self.looks for c in look.columns)
        return not has_column and not self.has_mql_stage

    def tables_for(self, export: ClassifiedExport) -> list[tuple[str, float, str]]:
        """Return each table that an export could be, with how likely that is and what it holds."""
        found = []
        for table in TABLES:
            best = [max((name_score(h, c) for h in export.header), default=0) for c in
                    NEEDED[table]]  # fmt: skip
            found.append((table, sum(s >= TELLING for s in best) / len(best), WHAT[table]))
        return [*found, (LEFT_OUT, 0.5, "nothing is read from it")]

    def _place(self, path: Path, table: str) -> None:
        """Put a file into a table."""
        if table == "history":
            self.given.setdefault("history", []).append({"files": [str(path)]})
        elif table != LEFT_OUT:
            self.given.setdefault(table, {"files": []})["files"].append(str(path))
        self.unknown = [export for export in self.unknown if export.path != path]

    def _seed_stages(self, place: str, given: Mapping[str, Any]) -> None:
        """Write down what values mean already: a mapping replaces that of the format."""
        if "stages" not in given or "stages" in self.block(place):
            return
        known: dict[str, list[str]] = {}
        for look in (look for look in self.looks if look.place == place):
            for value, (ours, _) in look.stages.items():
                if ours is not None:
                    known.setdefault(ours, []).append(value)
        self.block(place)["stages"] = known


def _merge(block: dict[str, Any], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, Mapping):
            _merge(block.setdefault(name, {}), value)
        elif isinstance(value, list):
            block[name] = [*block.get(name, []), *value]
        else:
            block[name] = value


def draft_of(source: SourceSpec, unknown: Sequence[ClassifiedExport]) -> Draft:
    """Return the draft of a source made from classified exports."""
    given: dict[str, Any] = {}
    for spec in source.tables:
        block = {"files": [str(path) for path in spec.files]}
        if spec.table == "history":
            given.setdefault("history", []).append(block)
        else:
            given[spec.table] = block
    return Draft(given, source.path, [*unknown])
