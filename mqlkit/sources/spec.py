"""``source.yaml``: where the data is and how to read it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mqlkit.core.errors import ParamsError, SourceError, nearest, report, shortened, unknown_name
from mqlkit.core.files import NO_FILE, why_no_file
from mqlkit.core.names import HISTORY_STAGES, IGNORE, TABLE_COLUMNS
from mqlkit.core.text import visible
from mqlkit.core.yaml_files import filled_in, read_yaml
from mqlkit.sources.dialect.dates import check_dates
from mqlkit.sources.formats import by_fold, check_format, fold


def find_files(given: Any, path: Path, place: str, faults: list[str]) -> list[Path]:
    """Return the files of a block of source.yaml, in order; add to ``faults`` what is wrong."""
    patterns = [given] if isinstance(given, str) else given
    if not patterns or not isinstance(patterns, list):
        faults.append(
            report(f"{path}: {place} names no files.", expected="files: [exports/leads-*.csv]")
        )
        return []
    found: list[Path] = []
    for pattern in map(str, patterns):
        # `..` is taken out of a path, as the engine does it.
        here = [Path(os.path.abspath(p)) for p in _matches(path.parent, pattern)]  # noqa: PTH100
        if not here:
            faults.append(_no_file(path, place, pattern))
        # A link to a file that is there already is no other file.
        known = {p.resolve() for p in found}
        for each in here:
            if each.resolve() not in known:
                known.add(each.resolve())
                found.append(each)
    return found


def _no_file(path: Path, place: str, pattern: str) -> str:
    """Format the message for a path or a pattern that no file fits."""
    whole = path.parent / pattern
    if (why := why_no_file(whole)) not in ("", NO_FILE):
        return report(f"{path}: {place}: {shortened(pattern)} {why}.", fix="name a file")
    folder = whole.parent
    beside = [] if why_no_file(folder) == NO_FILE else [p.name for p in _glob(folder, "*")]
    close = nearest(Path(pattern).name, beside)
    return report(
        f"{path}: {place}: there is no file {shortened(pattern)}.",
        found=f"nearest here: {close!r}" if close else "",
        fix="paths are relative to source.yaml; correct the path or add the file",
    )


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Return the file of a path, or what a pattern fits but folders."""
    whole = folder / pattern
    if not why_no_file(whole):
        return [whole]
    if not any(c in pattern for c in "*?["):
        return []
    if Path(pattern).is_absolute():
        return _glob(Path(whole.anchor), str(whole.relative_to(whole.anchor)))
    return _glob(folder, pattern)


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(p for p in folder.glob(pattern) if p.exists() and not p.is_dir())
    except (ValueError, NotImplementedError, OSError):
        # Such as a**b, which is no pattern, or a folder that cannot be listed.
        return []


TABLES = ("leads", "history", "spend", "goals")
KEYS = {
    "leads": ("timezone", "dates", "columns_missing"),
    "history": ("timezone", "dates", "columns_missing", "stage", "stages"),
    "spend": ("timezone", "dates", "currency"),
    "goals": ("dates",),
}
COMMON_KEYS = (
    "files", "format", "columns", "encoding", "delimiter", "decimal", "keep_duplicates", "missing",
)  # fmt: skip
DELIMITER_NAMES = {"auto": "auto", "tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
DECIMALS = ("auto", ".", ",")
ALLOW = "allow"


@dataclass(frozen=True)
class TableSpec:
    """How one table is read.

    Attributes
    ----------
    table
        leads, history, spend or goals.
    place
        Where it stands in the YAML, for messages: ``history[1]``.
    files
        The files, in order, absolute.
    columns, other_headers
        Canonical columns to their header, and to further ones that some of the files have instead.
    is_missing_allowed
        Whether some of the files may lack columns that others have.
    format
        Name of the export format, or ``auto``.
    timezone, zone_given
        Zone of stamps without an offset; and whether it stands in this block (``here``), with the
        leads (``leads``) or nowhere (empty).
    stage, stages
        For history: the one stage of every row, or our stages with the values that mean them.
    missing
        Further texts of cells that mean that there is no value.
    """

    table: str
    place: str
    files: tuple[Path, ...]
    format: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    other_headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_missing_allowed: bool = False
    timezone: str = "UTC"
    zone_given: str = ""
    dates: str = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    decimal: str = "auto"
    keep_duplicates: bool = False
    stage: str | None = None
    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    currency: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """Return the files' names for messages."""
        shown = [f.name for f in self.files[:3]]
        more = len(self.files) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")

    def columns_in(self, header: Sequence[str]) -> dict[str, str]:
        """Return the headers of a file that stand for ours: of several, the first that is there."""
        there = by_fold(header)
        return {
            ours: next((h for h in self.headers_of(ours) if fold(h) in there), written)
            for ours, written in self.columns.items()
        }

    def headers_of(self, ours: str) -> tuple[str, ...]:
        """Return the headers that are named for one of our columns."""
        return (self.columns[ours], *self.other_headers.get(ours, ()))

    def zone_in(self, fixed: str | None) -> str:
        """Return the zone of stamps without an offset, in a format that may have it fixed."""
        return "UTC" if fixed == "UTC" and self.zone_given != "here" else self.timezone


@dataclass(frozen=True)
class SourceSpec:
    """A whole ``source.yaml``."""

    path: Path
    leads: TableSpec | None
    history: tuple[TableSpec, ...] = ()
    spend: TableSpec | None = None
    goals: TableSpec | None = None
    # Not from source.yaml: a parameter of the report.
    rates: TableSpec | None = None

    @property
    def timezone(self) -> str:
        """Return the zone of the leads, or of the first block where there are no leads."""
        return self.tables[0].timezone

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """Return the blocks in the order of reading."""
        given = (self.leads, *self.history, self.spend, self.goals, self.rates)
        return tuple(spec for spec in given if spec is not None)


def read_source(path: Path) -> SourceSpec:
    """Read and check ``source.yaml``.

    Raises
    ------
    SourceError
        With every fault found: unknown names, missing files, wrong values.
    """
    try:
        given = filled_in(read_yaml(path))
    except ParamsError as error:
        fix = "\n  Fix:      give the path of a source.yaml, beside the params file"
        raise SourceError(f"{error}{fix if NO_FILE in str(error) else ''}") from None
    return source_from(given, path)


def source_from(given: Mapping[str, Any], path: Path, *, needs_leads: bool = True) -> SourceSpec:
    """Check the content of a ``source.yaml``.

    Parameters
    ----------
    given
        The tables, as YAML has them.
    path
        Where it is or will be; relative paths start from its folder.
    needs_leads
        Whether leads or a history must be there.

    Raises
    ------
    SourceError
        With every fault found: unknown names, missing files, wrong values.
    """
    faults = [unknown_name(str(path), "table", str(n), TABLES) for n in given if n not in TABLES]
    specs: dict[str, list[TableSpec]] = {table: [] for table in TABLES}
    for table in TABLES:
        blocks = given.get(table) or []
        if table != "history" and isinstance(blocks, list) and len(blocks) > 1:
            faults.append(
                report(
                    f"{path}: {table} has {len(blocks)} blocks.",
                    expected="one block, with all its files",
                    fix="list the files under one `files:`",
                )
            )
            continue
        for index, block in enumerate(blocks if isinstance(blocks, list) else [blocks]):
            place = f"{table}[{index}]" if isinstance(blocks, list) else table
            try:
                specs[table].append(_table_spec(table, place, block, path, given))
            except SourceError as error:
                faults.append(str(error))
    if needs_leads and not faults and not specs["leads"] and not specs["history"]:
        faults.append(
            report(
                f"{path}: names no leads.",
                expected="leads: or history:, with files",
                fix="add `leads:` and below it `files: [your-export.csv]`",
            )
        )
    if faults:
        raise SourceError("\n".join(faults))
    only = {table: next(iter(found), None) for table, found in specs.items()}
    return SourceSpec(
        path=path,
        leads=only["leads"],
        history=tuple(specs["history"]),
        spend=only["spend"],
        goals=only["goals"],
    )


def _table_spec(
    table: str, place: str, block: Any, path: Path, whole: Mapping[str, Any]
) -> TableSpec:
    if not isinstance(block, Mapping):
        raise SourceError(
            report(f"{path}: {place} is not a block.", expected="files:, columns:, ... below it")
        )
    known = (*COMMON_KEYS, *KEYS[table])
    faults = [
        unknown_name(f"{path}: {place}", "name", str(key), known)
        for key in block
        if key not in known
    ]
    leads = whole.get("leads")
    inherited = leads.get("timezone") if isinstance(leads, Mapping) else None
    zone = str(block.get("timezone") or inherited or "UTC")
    if ill_formed := _ill_formed(block, known, f"{path}: {place}"):
        raise SourceError("\n".join([*faults, *ill_formed]))
    checks: list[Callable[[], None]] = [
        lambda: _check_columns(table, block.get("columns") or {}, f"{path}: {place}"),
        lambda: _check_zone(zone, f"{path}: {place}"),
        lambda: _check_stages(block, f"{path}: {place}"),
        lambda: check_format(block.get("format", "auto"), f"{path}: {place}"),
        lambda: _check_reading(block, f"{path}: {place}"),
        lambda: _check_missing(block, f"{path}: {place}"),
    ]
    for check in checks:
        try:
            check()
        except SourceError as error:
            faults.append(str(error))
    files = find_files(block.get("files"), path, place, faults)
    if faults:
        raise SourceError("\n".join(faults))
    columns = {str(k): _listed(v) for k, v in (block.get("columns") or {}).items()}
    return TableSpec(
        table=table,
        place=place,
        files=tuple(files),
        format=str(block.get("format", "auto")),
        columns={ours: headers[0] for ours, headers in columns.items()},
        other_headers={ours: headers[1:] for ours, headers in columns.items() if headers[1:]},
        is_missing_allowed=block.get("columns_missing") == ALLOW,
        timezone=zone,
        zone_given="here" if block.get("timezone") else "leads" if inherited else "",
        dates=str(block.get("dates", "auto")),
        encoding=str(block.get("encoding", "auto")),
        delimiter=DELIMITER_NAMES.get(delimiter := str(block.get("delimiter", "auto")), delimiter),
        decimal=str(block.get("decimal", "auto")),
        keep_duplicates=bool(block.get("keep_duplicates", False)),
        stage=block.get("stage"),
        stages={
            str(stage): [str(v) for v in (values if isinstance(values, list) else [values])]
            for stage, values in (block.get("stages") or {}).items()
        },
        currency=block.get("currency"),
        missing=tuple(visible(str(text)) for text in _texts(block.get("missing"))),
    )


def _texts(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _check_missing(block: Mapping[str, Any], where: str) -> None:
    """Refuse what YAML does not keep as it is written."""
    unclear = [
        g for g in _texts(block.get("missing")) if not isinstance(g, str | int | float | date)
    ]
    if any(isinstance(g, bool) for g in _texts(block.get("missing"))) or unclear:
        raise SourceError(
            report(
                f"{where}: missing has a value that is no text.",
                expected="texts, such as missing: [TBD, 1980-01-01]",
                fix="put it in quotes",
            )
        )


def _listed(given: Any) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, list) else (str(given),)


def _ill_formed(block: Mapping[str, Any], known: Collection[str], where: str) -> list[str]:
    """Return the messages for values of another kind than their name, one of ``known``, has."""

    def is_one(value: Any) -> bool:
        return isinstance(value, str | int | float)

    def are_ones(value: Any) -> bool:
        return is_one(value) or (isinstance(value, list) and all(map(is_one, value)))

    def is_mapping_of_lists(value: Any) -> bool:
        return isinstance(value, Mapping) and all(map(are_ones, value.values()))

    kinds: dict[str, tuple[Callable[[Any], bool], str]] = {
        "missing": (lambda _: True, "checked by itself"),
        "files": (are_ones, "paths, such as [exports/leads-*.csv]"),
        # Of several headers of a column, each file has one.
        "columns": (is_mapping_of_lists, "{lead_id: Lead ID, ...}"),
        "stages": (is_mapping_of_lists, "{mql: [MQL], ...}"),
        "keep_duplicates": (lambda value: isinstance(value, bool), "true or false"),
    }
    return [
        report(f"{where}: {name} {shortened(value)} is not usable.", expected=expected)
        for name, value in block.items()
        for fits, expected in [kinds.get(name, (is_one, "one value, not a list or a mapping"))]
        if name in known and not fits(value)
    ]


def _check_columns(table: str, columns: Mapping[str, Any], where: str) -> None:
    if nameless := [str(ours) for ours, header in columns.items() if header == []]:
        raise SourceError(
            report(f"{where}.columns.{nameless[0]} names no header.", expected="one, or several")
        )
    if table in ("leads", "goals"):
        return  # any other column may be kept under a name of the user's, or be what goals are by
    unknown = [str(c) for c in columns if c not in TABLE_COLUMNS[table]]
    if unknown:
        raise SourceError(
            "\n".join(
                unknown_name(f"{where}.columns", "column", c, TABLE_COLUMNS[table]) for c in unknown
            )
        )


def _check_zone(zone: str, where: str) -> None:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise SourceError(
            report(
                f"{where}: timezone {zone!r} is unknown.",
                expected="an IANA name, such as Europe/Tallinn or UTC",
            )
        ) from None


def _check_stages(block: Mapping[str, Any], where: str) -> None:
    named = [block["stage"]] if block.get("stage") else []
    stages = block.get("stages") or {}
    for stage in (*named, *stages):
        if stage not in (*HISTORY_STAGES, IGNORE):
            raise SourceError(unknown_name(where, "stage", str(stage), HISTORY_STAGES))


def _check_reading(block: Mapping[str, Any], where: str) -> None:
    """Refuse a delimiter, a decimal sign or a date order that means nothing."""
    delimiter = str(block.get("delimiter", "auto"))
    is_sign = len(delimiter) == 1 and (delimiter == "\t" or delimiter.isprintable())
    if delimiter not in DELIMITER_NAMES and (
        not is_sign or delimiter.isalnum() or delimiter == '"'
    ):
        raise SourceError(
            report(
                f"{where}: delimiter {shortened(delimiter)} is no delimiter.",
                expected="one character that is no letter, digit or quote, or auto, tab, comma, "
                "semicolon",
            )
        )
    if block.get("decimal", "auto") not in DECIMALS:
        raise SourceError(
            report(
                f"{where}: decimal {block['decimal']!r} is no decimal sign.",
                expected='auto, "." or ","',
            )
        )
    if block.get("columns_missing", ALLOW) != ALLOW:
        raise SourceError(
            report(
                f"{where}: columns_missing {block['columns_missing']!r} means nothing.",
                expected=ALLOW,
                fix="without this line, files that lack a column of others stop the run",
            )
        )
    try:
        check_dates(str(block.get("dates", "auto")))
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from None
