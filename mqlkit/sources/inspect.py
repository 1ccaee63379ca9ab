"""What a source looks like to the reader, for ``mqlkit check``: said, not made into a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from mqlkit.core.errors import SourceError, listed
from mqlkit.core.names import LEAD_COLUMNS, TEXT_COLUMNS
from mqlkit.core.text import day as in_words
from mqlkit.sources.assumed_zone import is_zone_assumed, zone_of_times
from mqlkit.sources.candidates import (
    DATES,
    DATES_OF,
    NUMBERS,
    UnreadColumn,
    dates_in,
    lacking,
    likely_order,
    unread_columns,
)
from mqlkit.sources.cells import NOTHING
from mqlkit.sources.examples import dates_read, numbers_read
from mqlkit.sources.files import Export
from mqlkit.sources.goals import note_strangers, read_goals
from mqlkit.sources.history import read_history
from mqlkit.sources.lead_events import note_events_of_no_lead
from mqlkit.sources.leads import read_leads
from mqlkit.sources.ledger import Ledger
from mqlkit.sources.missing_values import MissingValues, missing_values
from mqlkit.sources.questions import Question, Undecided
from mqlkit.sources.reader import Reader
from mqlkit.sources.spans import span_of
from mqlkit.sources.spec import SourceSpec, TableSpec
from mqlkit.sources.spellings import note_spellings
from mqlkit.sources.spend import (
    SeveralCurrenciesError,
    period_in_title,
    read_spend_rows,
    sum_spend,
)
from mqlkit.sources.sql import Values, quote
from mqlkit.sources.stage_values import EMPTY, stage_question
from mqlkit.sources.store import connect
from mqlkit.sources.table import Read, open_exports, unmapped


@dataclass(frozen=True)
class FileReport:
    """One file: what it is.

    Attributes
    ----------
    name, format, why
        The file, the format's name, and the words of its recognition.
    header_line
        Physical line (row, of a workbook) that the header stands on.
    rows
        Rows read, None where it came to nothing.
    """

    name: str
    format: str
    why: str
    encoding: str
    delimiter: str
    header_line: int
    rows: int | None


@dataclass(frozen=True)
class ColumnReport:
    """How one canonical column is read.

    Attributes
    ----------
    ours, header
        Our name, and the header it stands under.
    reading
        In words: ``day.month.year, decided by 41 values``; ``text``; ``number, decimal comma``.
    examples
        Up to three values, as written and as read.
    """

    ours: str
    header: str
    reading: str
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TableReport:
    """One block of ``source.yaml``: what its files hold.

    Attributes
    ----------
    first, last
        The range of its dates, None where there are none.
    mql_days
        The first and last day on which a lead became an MQL, None where there is none.
    unmapped
        Headers nothing is read from.
    unread
        The same headers, with what stands below them in the first rows.
    lacking
        Needed columns that a file lacks, with the name of the first such file.
    likely_dates
        Which of ``dmy`` and ``mdy`` dates that fit both are probably in; empty without dates.
    stages
        For a history: each stage value as written, with our stage (None: not mapped) and its count.
    zone, is_zone_assumed
        Zone of times without an offset, empty for a table of days; and whether source.yaml and the
        format say nothing about it.
    ledger
        The account of its rows, None where it came to nothing.
    missing
        Which columns lack values, by file.
    questions
        What must be decided before a report can run.
    errors
        What is wrong beside that, as messages.
    notes
        Sentences worth knowing, from the format and from reading.
    """

    table: str
    place: str
    files: tuple[FileReport, ...] = ()
    columns: tuple[ColumnReport, ...] = ()
    first: date | None = None
    last: date | None = None
    mql_days: tuple[date, date] | None = None
    unmapped: tuple[str, ...] = ()
    unread: tuple[UnreadColumn, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    likely_dates: str = ""
    stages: Mapping[str, tuple[str | None, int]] = field(default_factory=dict)
    zone: str = ""
    is_zone_assumed: bool = False
    ledger: Ledger | None = None
    missing: tuple[MissingValues, ...] = ()
    questions: tuple[Question, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


# Each file is gone through once to be opened, and some three times more to be read.
SHARE_OF_OPENING = 0.25


def inspect_source(
    source: SourceSpec, *, tell: Callable[[str, float], None] = lambda *_: None
) -> list[TableReport]:
    """Return a look at every table of a source; it raises nothing that it can report.

    Parameters
    ----------
    source
        As `read_source` returns it, or made from bare exports.
    tell
        Called with the place of a table, and with the share of it that is done.
    """
    with TemporaryDirectory(prefix="mqlkit-") as folder:
        backend = connect()
        try:
            reader = Reader(backend, Path(folder), source.path.parent, 1.0, source.timezone)
            looks: list[TableReport] = []
            tables: list[str | None] = []
            lead_columns = [*LEAD_COLUMNS]
            for spec in source.tables:
                done = partial(tell, spec.place)
                done(0.0)
                read = partial(
                    _read,
                    has_history=bool(source.history),
                    lead_columns=tuple(lead_columns),
                    leads=tables[0] if source.leads and tables else None,
                )
                look, table = _look(reader, spec, done, read, has_history=bool(source.history))
                if spec.table == "leads":
                    lead_columns += look.unmapped
                looks.append(look)
                tables.append(table)
                done(1.0)
            _note_spellings(reader, looks, tables)
            return _compared(reader, looks, tables)
        finally:
            backend.disconnect()


def _note_spellings(
    reader: Reader, looks: Sequence[TableReport], tables: Sequence[str | None]
) -> None:
    """Note the names of leads and spend that differ only in case or accents."""
    found = dict(zip([look.table for look in looks], tables, strict=True))
    ledger = next((look.ledger for look in looks if look.table == "leads"), None)
    if ledger is not None and (leads := found["leads"]):
        note_spellings(reader, leads, TEXT_COLUMNS, found.get("spend"), ledger)


def _compared(
    reader: Reader, looks: list[TableReport], tables: Sequence[str | None]
) -> list[TableReport]:
    """Return the looks; the first history says how many events of all belong to no lead."""
    by_kind = {
        kind: [(look, t) for look, t in zip(looks, tables, strict=True) if look.table == kind]
        for kind in ("leads", "history")
    }
    leads = [t for _, t in by_kind["leads"] if t is not None]
    events = [t for _, t in by_kind["history"] if t is not None]
    if not leads or len(events) < max(len(by_kind["history"]), 1):
        return looks
    first, errors = by_kind["history"][0][0], list[str]()
    with _reporting([], errors):
        note_events_of_no_lead(reader, leads[0], events, first.ledger or Ledger())
    return [
        replace(look, errors=(*look.errors, *errors)) if look is first else look for look in looks
    ]


def _look(
    reader: Reader,
    spec: TableSpec,
    done: Callable[[float], None],
    read_rows: Callable[[Reader, TableSpec], Read],
    *,
    has_history: bool,
) -> tuple[TableReport, str | None]:
    questions: list[Question] = []
    errors: list[str] = []
    notes: list[str] = []
    exports: list[Export] = []
    for number, path in enumerate(spec.files, start=1):
        with _reporting(questions, errors):
            exports += open_exports(reader, replace(spec, files=(path,)))
        done(SHARE_OF_OPENING * number / len(spec.files))
    read: Read | None = None
    if not questions and not errors:
        with _reporting(questions, errors):
            read = read_rows(reader, spec)
        if read is not None and spec.table == "spend":
            with _reporting(questions, errors):
                notes += _notes_of_amounts(reader, read, spec)
    without = {
        c: e.name for e in reversed(exports) for c in lacking(e, spec, has_history=has_history)
    }
    rows = dict(zip([e.path for e in read.exports], read.rows, strict=True)) if read else {}
    first, last = _span(reader, read.table, spec.table) if read else (None, None)
    stages = _stages(reader, read.table) if read and spec.table == "history" else {}
    if asked := stage_question(spec, stages):
        questions.append(asked)
    look = TableReport(
        table=spec.table,
        place=spec.place,
        files=tuple(_file(e, rows.get(e.path)) for e in exports),
        columns=tuple(_columns(reader, read) if read else _unread(exports)),
        first=first,
        last=last,
        mql_days=_mql_days(reader, read.table, spec.table) if read else None,
        unmapped=tuple(read.unmapped if read else unmapped(exports)),
        unread=tuple(unread_columns(reader, exports, spec)),
        lacking=without,
        likely_dates=likely_order(dates_in(exports, spec.table)),
        zone=zone_of_times(spec, exports),
        is_zone_assumed=is_zone_assumed(spec, exports),
        stages=stages,
        ledger=read.ledger if read else None,
        missing=tuple(missing_values(reader, spec, read)) if read else (),
        questions=tuple(questions),
        errors=tuple(dict.fromkeys(errors)),
        notes=tuple(dict.fromkeys([*(n for e in exports for n in _notes(e, spec.table)), *notes])),
    )
    return look, read.table if read else None


@contextmanager
def _reporting(questions: list[Question], errors: list[str]) -> Iterator[None]:
    try:
        yield
    except Undecided as error:
        questions += [q for q in error.questions if q not in questions]
        errors += error.faults
    except SourceError as error:
        errors.append(str(error))


def _read(
    reader: Reader,
    spec: TableSpec,
    *,
    has_history: bool,
    lead_columns: Sequence[str],
    leads: str | None,
) -> Read:
    if spec.table == "leads":
        return read_leads(reader, spec, [], has_mql=has_history)
    if spec.table == "history":
        return read_history(reader, spec)
    if spec.table == "spend":
        return read_spend_rows(reader, spec)
    read, goals = read_goals(reader, spec, lead_columns)
    if leads is not None:
        note_strangers(reader, goals, leads, read.ledger)
    return read


def _file(export: Export, rows: int | None) -> FileReport:
    known = export.recognized
    return FileReport(
        name=export.name,
        format=known.format.name,
        why=known.why,
        encoding=export.encoding,
        delimiter=export.delimiter,
        header_line=export.header_line,
        rows=rows,
    )


def _span(reader: Reader, table: str, kind: str) -> tuple[date | None, date | None]:
    """Return the first and last day of a table, in UTC."""
    names = ("date_from", "date_to") if kind == "spend" else DATES_OF[kind]
    lows = ", ".join(f"min({quote(n)})" for n in names)
    highs = ", ".join(f"max({quote(n)})" for n in names)
    query = f"SELECT least({lows})::DATE, greatest({highs})::DATE FROM {table}"  # noqa: S608
    ((first, last),) = reader.rows(query, Values())
    return first, last


def _mql_days(reader: Reader, table: str, kind: str) -> tuple[date, date] | None:
    """Return the first and last day, in UTC, on which a lead became an MQL."""
    if kind not in ("leads", "history"):
        return None
    entries = f"{table} WHERE stage = 'mql'" if kind == "history" else table
    name = "mql_at" if kind == "leads" else '"at"'
    query = f"SELECT min({name})::DATE, max({name})::DATE FROM {entries}"  # noqa: S608
    ((first, last),) = reader.rows(query, Values())
    return None if first is None else (first, last)


def _stages(reader: Reader, table: str) -> dict[str, tuple[str | None, int]]:
    query = f"""
        SELECT stage_text, stage, count(*) AS n FROM {table} WHERE counts
        GROUP BY ALL ORDER BY n DESC, stage_text
    """  # noqa: S608
    found = reader.rows(query, Values())
    return {text or EMPTY: (stage, n) for text, stage, n in found}


def _notes_of_amounts(reader: Reader, read: Read, spec: TableSpec) -> list[str]:
    """Check the amounts of spend; a report may have rates for several currencies."""
    try:
        sum_spend(reader, read, spec)
    except SeveralCurrenciesError:
        query = f"SELECT DISTINCT currency FROM {read.table} ORDER BY ALL"  # noqa: S608
        names = listed([name for (name,) in reader.rows(query, Values())])
        return [f"{spec.names}: amounts in {names}. A report on it needs the parameter rates."]
    return []


def _notes(export: Export, table: str) -> Iterator[str]:
    known = export.recognized
    if table == "spend" and (period := period_in_title(export)):
        how = f" For exact days, {known.format.by_day}." if known.format.by_day else ""
        yield (
            f"{export.name}: its rows have no date. They are spread evenly over the period in its "
            f"title, {in_words(period[0])} – {in_words(period[1])}.{how}"
        )
    if table == "spend" and (span := span_of(export)):
        yield f"{export.name}: each row is of a whole {span}, and is spread evenly over its days."
    yield from known.format.notes
    for ours, others in known.passed_over.items():
        if ours not in known.columns:
            # The dates of the whole report, beside the day of each row.
            continue
        yield f"{ours} is read from {known.columns[ours]!r}, not from {listed(others)}."
    for header, others in export.repeated.items():
        yield (
            f"{export.name}: {len(others) + 1} columns are called {header!r}. The first is meant; "
            f"the others can be named as {listed(others)}."
        )
    if export.is_damaged:
        yield f"{export.name}: some characters are broken; their rows are excluded."


def _columns(reader: Reader, read: Read) -> Iterator[ColumnReport]:
    """Yield every column that is read, once for each header that it stands under."""
    seen = set()
    for batch in read.batches:
        export, how = batch.exports[0], batch.how
        for ours in export.recognized.columns:
            header = export.header_of(ours)
            if header is None or (ours, header) in seen:
                continue
            seen.add((ours, header))
            texts = _samples(export, header)
            if ours in DATES:
                reading = how.date(ours)
                texts = reading.examples or texts
                after = dates_read(reader, texts, reading, how.zone)
                yield ColumnReport(
                    ours, header, reading.words, tuple(zip(texts, after, strict=True))
                )
            elif ours in NUMBERS:
                number_reading = how.number(ours)
                texts = number_reading.examples or texts
                after = numbers_read(reader, texts, number_reading)
                words = number_reading.words
                yield ColumnReport(ours, header, words, tuple(zip(texts, after, strict=True)))
            else:
                yield ColumnReport(ours, header, "text", tuple((t, t) for t in texts))


def _unread(exports: Sequence[Export]) -> Iterator[ColumnReport]:
    """Yield the columns of files that could not be read as a table, as far as they are known."""
    seen = set()
    for export in exports:
        for ours in export.recognized.columns:
            header = export.header_of(ours)
            if header is not None and (ours, header) not in seen:
                seen.add((ours, header))
                texts = _samples(export, header)
                yield ColumnReport(ours, header, "not read yet", tuple((t, t) for t in texts))


def _samples(export: Export, header: str) -> tuple[str, ...]:
    place = export.header.index(header)
    cells = [row[place].strip() for row in export.sample if len(row) > place]
    return tuple(dict.fromkeys(c for c in cells if c not in NOTHING))[:3]
