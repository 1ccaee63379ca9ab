"""A source that is being made from exports: its content so far, and what its files hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mqlkit.core.errors import SourceError
from mqlkit.run.check import available, look_at, lost_rows, other_errors, unknown_look
from mqlkit.sources.candidates import TELLING, name_score
from mqlkit.sources.classify import ClassifiedExport
from mqlkit.sources.inspect import TableReport
from mqlkit.sources.spec import SourceSpec, source_from

# How often the same thing is asked before it is left to fill in.
MOST_ASKED = 2
LEFT_OUT = "left out"
WHAT = {
    "leads": "one row per lead",
    "history": "one row per stage change",
    "spend": "amounts by day or month",
    "goals": "MQLs wanted by month",
    LEFT_OUT: "nothing is read from it",
}
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

    def read(self) -> dict[str, list[str]]:
        """Read the files with the answers so far, and return what is wrong with each table."""
        self.looks = look_at(self.source) if self.given else []
        return {look.place: [*other_errors(look), *lost_rows([look])] for look in self.looks}

    def keep(self) -> None:
        """Take the answers since the last reading for settled."""
        self.done |= self.just_done
        self.just_done.clear()

    def undo(self, before: Memento, places: Collection[str]) -> None:
        """Take the answers back that were given since then about some tables."""
        kept = {place: block for place, block in self.answers.items() if place not in places}
        self.given, self.unknown = deepcopy(before[0]), [*before[1]]
        for place in {*kept} & {*self.answers}:
            self.block(place).update(kept[place])
        self.just_done = {setting for setting in self.just_done if setting[0] in kept}

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

    def headers(self, place: str, column: str | None = None) -> list[str]:
        """Return the headers that were answered for one column of a block, or for all."""
        columns = self.block(place).get("columns", {})
        given = columns.values() if column is None else [columns.get(column, [])]
        return [h for each in given for h in ([each] if isinstance(each, str) else each)]

    @property
    def has_mql_stage(self) -> bool:
        """Return whether an event of a history is that of becoming an MQL."""
        return "mql_at" in available([look for look in self.looks if look.table == "history"])

    @property
    def lacks_mql(self) -> bool:
        """Return whether neither the leads nor a history have the date of the MQL."""
        has_column = any(c.ours == "mql_at" for look in self.looks for c in look.columns)
        return not has_column and not self.has_mql_stage

    def tables_for(self, export: ClassifiedExport) -> list[tuple[str, str]]:
        """Return each table that an export could be and what it holds, the likeliest first."""
        scores = table_scores(export.header)
        has_leads = bool({"leads", "history"} & {*self.given})
        scores[LEFT_OUT] = 0.5 if has_leads else 0.0
        return [(table, WHAT[table]) for table in sorted(scores, key=lambda t: -scores[t])]

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


def table_scores(header: Sequence[str]) -> dict[str, float]:
    """Return how likely a header is that of each table, from 0 to 1.

    >>> max(scores := table_scores(["Monat", "Ziel"]), key=scores.get)
    'goals'
    """

    def has(column: str) -> bool:
        return any(name_score(written, column) >= TELLING for written in header)

    is_about_lead = has("lead_id")
    of_lead = sum(map(has, ("created_at", "mql_at", "owner", "source")))
    is_log = has("at") and has("stage")
    is_of_stage = (has("won_at") or has("sql_at")) and not has("created_at") and not has("mql_at")
    return {
        "leads": 0.6 + 0.09 * of_lead if is_about_lead else 0.1 * bool(of_lead),
        "history": is_about_lead * (0.97 if is_log else 0.75 * is_of_stage),
        "spend": 0.9 * (not is_about_lead and has("date") and has("amount")),
        "goals": 1.0 * (not is_about_lead and has("month") and has("mqls")),
    }


def _merge(block: dict[str, Any], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is None:
            block.pop(name, None)
        elif isinstance(value, Mapping):
            _merge(block.setdefault(name, {}), value)
        elif isinstance(value, list):
            there = block.get(name, [])
            block[name] = [*([there] if isinstance(there, str) else there), *value]
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
