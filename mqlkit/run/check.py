"""What `mqlkit check` finds and prints."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from threading import Event, Thread

from tqdm import tqdm

from mqlkit.core.errors import ParamsError, listed, report
from mqlkit.core.names import SET_ASIDE_REASONS, STAGES, TABLE_COLUMNS, UNUSABLE_REASONS
from mqlkit.core.needs import NEEDS, Need
from mqlkit.core.params import ReportParams
from mqlkit.core.terminal import cut, in_columns, width, wrapped
from mqlkit.run.missing_table import missing_lines
from mqlkit.sources.classify import ClassifiedExport, classify_exports
from mqlkit.sources.format_words import in_formats, refused, told_by
from mqlkit.sources.formats import fold, formats
from mqlkit.sources.inspect import ColumnReport, FileReport, TableReport, inspect_source
from mqlkit.sources.questions import Question
from mqlkit.sources.spec import SourceSpec, read_source

YAML = (".yaml", ".yml")
# Bytes that take some seconds to read; smaller files show no bar.
LONG = 50_000_000
TICK_SECONDS = 0.2
MOST_SET_ASIDE = ReportParams().max_set_aside
NO_MQL = (
    "No column or history has the date on which a lead became an MQL.\n"
    "  Fix:      name its column under leads.columns in source.yaml (mql_at: ...), or give a "
    "history with that stage"
)
IS_RATES = (
    "Exchange rates are no table of a source. Name the file in the parameter `rates` of a report."
)
NO_LEADS = (
    "Nothing is open in what was given, but a report needs leads or a history too: check them "
    "together."
)
ABOUT_COLUMNS = re.compile(r"columns? needed (is|are) missing\.|: has no date")
EXAMPLES = ("timezone", "currency")
NARROWEST, WIDEST = 80, 120
INDENT = GAP = "  "
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
FILES_SHOWN, HEADERS_SHOWN, STAGES_SHOWN, ROWS_SHOWN = 12, 12, 20, 3


@dataclass(frozen=True)
class Coverage:
    """Whether the data is sufficient for a section of the report.

    Attributes
    ----------
    question
        The section.
    is_possible
        Whether it can be written at all.
    missing
        What is missing for it, or for a part of it; empty if nothing is.
    """

    question: str
    is_possible: bool
    missing: str


def source_of(paths: Sequence[Path]) -> tuple[SourceSpec, list[TableReport]]:
    """Return the source of a source.yaml, or of exports classified by their headers.

    Returns
    -------
    tuple of SourceSpec and list of TableReport
        The reports are about exports that are not classified.

    Raises
    ------
    ParamsError
        If a source.yaml is given together with other files.
    SourceError
        If a file cannot be read.
    """
    described = [path for path in paths if path.suffix.lower() in YAML]
    if not described:
        source, unknown = classify_exports(paths, root=Path.cwd())
        return source, [unknown_look(each) for each in unknown]
    if len(paths) > 1:
        raise ParamsError(
            report(
                f"{described[0]}: is given together with other files.",
                expected="one source.yaml, or exports and no source.yaml",
                fix="check them separately",
            )
        )
    return read_source(described[0]), []


def examine(paths: Sequence[Path]) -> tuple[SourceSpec, list[TableReport]]:
    """Return the source, and a report on each of its tables and on each unclassified export."""
    source, others = source_of(paths)
    return source, [*look_at(source), *others]


def look_at(source: SourceSpec) -> list[TableReport]:
    """Return a report on each table of a source.

    Long files show a progress bar on stderr if that is a terminal.
    """
    sizes = {spec.place: sum(p.stat().st_size for p in spec.files) for spec in source.tables}
    is_shown = sys.stderr.isatty() and sum(sizes.values()) >= LONG
    with _bar(sum(sizes.values()), is_shown=is_shown) as bar:
        before = dict(zip(sizes, accumulate([0, *sizes.values()]), strict=False))

        def tell(place: str, share: float) -> None:
            bar.set_description(f"reading {place}", refresh=False)
            bar.update(before[place] + share * sizes[place] - bar.n)

        return inspect_source(source, tell=tell) if source.tables else []


def unknown_look(export: ClassifiedExport) -> TableReport:
    """Return the report on an export whose table is not known."""
    name = export.path.name
    if export.is_rates:
        return TableReport(table="", place=str(export.path), notes=(IS_RATES,))
    words = report(
        f"{name}: its table is not recognized.",
        expected="leads, history, spend or goals",
        found=listed(export.header, 6),
        fix="put it under one of these in a source.yaml, with its columns",
    )
    notes = [
        f"{header}: {why}."
        for header in export.header
        for known in formats().values()
        if (why := refused(known, header))
    ]
    return TableReport(
        table="",
        place=str(export.path),
        unmapped=export.header,
        errors=(words,),
        notes=tuple(dict.fromkeys(notes)),
    )


@contextmanager
def _bar(total: int, *, is_shown: bool) -> Iterator[tqdm]:
    """Return a progress bar over bytes, refreshed while one large file is read."""
    stopped = Event()
    shape = "{desc}{percentage:3.0f}%|{bar}| of {total_fmt}B, {elapsed}"
    with tqdm(
        total=total, unit_scale=True, leave=False, disable=not is_shown, bar_format=shape
    ) as bar:

        def tick() -> None:
            while not stopped.wait(TICK_SECONDS):
                bar.refresh()

        ticker = Thread(target=tick, daemon=True)
        if is_shown:
            ticker.start()
        try:
            yield bar
        finally:
            stopped.set()
            if is_shown:
                ticker.join()


def coverage(looks: Sequence[TableReport]) -> list[Coverage]:
    """Return whether the data is sufficient for each section of the report."""
    there = available(looks)
    names = dict.fromkeys(file.format for look in looks for file in look.files)
    known = [formats()[name] for name in names if name in formats()]
    columns = [column for look in looks for column in look.columns]
    notes = {c.ours: f"{c.header} has no values" for c in columns if not c.examples}
    found = []
    for need in NEEDS:
        groups, otherwise = need.lacking(there), need.otherwise(there)
        lacking = [in_formats(group, known, notes=notes) for group in groups]
        if otherwise and need.groups[-1] in groups:
            lacking[-1] += f", or {otherwise}"
        wanted = [words for name, words in need.adds.items() if name not in there]
        # The parameters of the report are not known here.
        is_possible = not groups or _is_replaced(need, groups, there)
        found.append(Coverage(need.question, is_possible, "; ".join(lacking or wanted)))
    return found


def _is_replaced(need: Need, groups: Sequence[tuple[str, ...]], there: Container[str]) -> bool:
    """Return whether all that a section lacks is replaced by a column that is there."""
    return bool(need.instead and need.instead[0] in there) and groups == [need.groups[-1]]


def available(looks: Sequence[TableReport]) -> set[str]:
    """Return the lead columns that have values, and the tables of spend and goals.

    A stage of the history counts as its column: `mql` as ``mql_at``.
    """
    there: set[str] = set()
    for look in looks:
        if look.table == "leads":
            there |= {column.ours for column in look.columns if column.examples}
        elif look.table == "history":
            stages = {ours for ours, count in look.stages.values() if ours and count}
            there |= {f"{stage}_at" for stage in stages if stage in STAGES}
        elif look.columns:
            there.add(look.table)
    return there


def findings(looks: Sequence[TableReport], *, columns: int) -> list[str]:
    """Return the findings as lines for a terminal.

    Parameters
    ----------
    looks
        The reports of `examine`.
    columns
        Width of the terminal; at least 80 and at most 120 are used.
    """
    wide = min(max(columns, NARROWEST), WIDEST)
    lines: list[str] = []
    for look in looks:
        lines += [*_table(look, wide), ""]
    return [*lines, *_coverage(looks, wide), "", *_verdict(looks, wide)]


def is_open(looks: Sequence[TableReport]) -> bool:
    """Return whether a question must be answered or a fault corrected before a report can run."""
    return bool(faults_of(looks)) or any(look.questions for look in looks)


def faults_of(looks: Sequence[TableReport]) -> list[str]:
    """Return the faults that would stop a report, except open questions."""
    faults = [error for look in looks for error in look.errors]
    faults += lost_rows(looks)
    is_settled = not faults and not any(q.is_blocking for look in looks for q in look.questions)
    if _is_about_leads(looks) and is_settled and "mql_at" not in available(looks):
        faults.append(NO_MQL)
    return faults


def lost_rows(looks: Sequence[TableReport]) -> list[str]:
    """Return the tables of which too many rows cannot be used, in words."""
    return [
        f"{look.place}: {look.ledger.unusable:,} of {look.ledger.read:,} rows cannot be used, more "
        f"than the {MOST_SET_ASIDE:.0%} that max_set_aside allows."
        for look in looks
        if look.ledger and look.ledger.unusable > MOST_SET_ASIDE * look.ledger.read
    ]


def faults_of_files(looks: Sequence[TableReport]) -> list[str]:
    """Return the faults that no answer corrects, such as a damaged file."""
    return [error for look in looks if look.table for error in other_errors(look)]


def other_errors(look: TableReport) -> list[str]:
    """Return the errors of a table but for missing columns, which an answer can name."""
    return [e for e in look.errors if not (look.lacking and ABOUT_COLUMNS.search(e))]


def is_runnable(looks: Sequence[TableReport]) -> bool:
    """Return whether a report can run, even if a question that does not stop it is open."""
    is_asked = any(q.is_blocking for look in looks for q in look.questions)
    return not is_asked and not faults_of(looks)


def _is_about_leads(looks: Sequence[TableReport]) -> bool:
    return any(look.table in ("leads", "history") for look in looks)


def _table(look: TableReport, wide: int) -> Iterator[str]:
    yield look.place
    for file in look.files[:FILES_SHOWN]:
        yield from _file(file, wide)
    if (more := len(look.files) - FILES_SHOWN) > 0:
        yield f"{INDENT}and {more} more files"
    if look.first and look.last:
        yield f"{INDENT}dates from {look.first} to {look.last}"
    is_asked = any(a.startswith("timezone:") for q in look.questions for a in q.answers)
    if look.zone and not is_asked:
        assumed = " (assumed: no `timezone` is given)" if look.is_zone_assumed else ""
        yield f"{INDENT}times without an offset are in {look.zone}{assumed}"
    if look.columns:
        order = TABLE_COLUMNS[look.table]
        known = sorted(
            look.columns, key=lambda c: order.index(c.ours) if c.ours in order else len(order)
        )
        yield from ("", *_columns(known, wide))
    yield from _not_read(look, wide)
    yield from missing_lines(look.missing, wide)
    if look.stages:
        yield from ("", *_stages(look))
    if look.ledger is not None:
        yield from ("", *_ledger(look, wide))
    for note in look.notes:
        yield from wrapped(note, wide, first=f"{INDENT}Note: ", rest=INDENT * 2)


def _file(file: FileReport, wide: int) -> Iterator[str]:
    parts = [
        file.encoding,
        DELIMITERS.get(file.delimiter, file.delimiter),
        f"header on line {file.header_line}" if file.header_line else "no header found",
        "" if file.rows is None else _counted(file.rows, "row"),
    ]
    yield f"{INDENT}{cut(file.name, wide - 4)}"
    yield f"{INDENT * 2}{', '.join(p for p in parts if p)}"
    why = f"format {file.format}" + (f": {file.why}" if file.why else "")
    yield from wrapped(why, wide, first=INDENT * 2, rest=INDENT * 3)


def _columns(columns: Sequence[ColumnReport], wide: int) -> list[str]:
    rows = [("column", "in the file", "read as", "examples")]
    for column in columns:
        first, *others = _examples(column)
        rows.append((column.ours, column.header, column.reading, first))
        rows += [("", "", "", other) for other in others]
    natural = [max(width(row[i]) for row in rows) for i in range(3)]
    changed = max((width(row[3]) for row in rows if "→" in row[3]), default=len("examples"))
    ours, header = min(natural[0], 16), min(natural[1], wide // 4)
    room = wide - len(INDENT) - 3 * len(GAP) - ours - header
    reading = min(natural[2], max(room - changed, room * 2 // 5))
    lines = in_columns(rows, most=(ours, header, reading, room - reading), gap=len(GAP))
    return [INDENT + line for line in lines]


def _examples(column: ColumnReport) -> list[str]:
    """Return a line for each value that is read differently, or one line if none is."""
    if not column.examples:
        return ["(no values)"]
    if all(before == after for before, after in column.examples):
        return [", ".join(before for before, _ in column.examples)]
    return [f"{before} → {after}" for before, after in column.examples]


def _not_read(look: TableReport, wide: int) -> Iterator[str]:
    known = [formats()[f.format] for f in look.files if f.format in formats()]
    why = {h: next((w for f in known if (w := refused(f, h))), "") for h in look.unmapped}
    telling = {fold(h) for f in known for h in told_by(f)}
    plain = [h for h in look.unmapped if not why[h] and fold(h) not in telling]
    if plain:
        names = ", ".join(cut(header, 40) for header in plain[:HEADERS_SHOWN])
        more = len(plain) - HEADERS_SHOWN
        text = names + (f" and {more} more" if more > 0 else "")
        yield ""
        yield from wrapped(text, wide, first=f"{INDENT}Not read: ", rest=INDENT * 2)
    for header in (h for h in look.unmapped if why[h]):
        text = f"{cut(header, 40)}: {why[header]}"
        yield from wrapped(text, wide, first=f"{INDENT}Not read: ", rest=INDENT * 2)


def _stages(look: TableReport) -> list[str]:
    rows = [("stage in the file", "means", "rows")]
    by_count = sorted(look.stages.items(), key=lambda s: (s[1][0] is None, -s[1][1], s[0]))
    for value, (ours, count) in by_count[:STAGES_SHOWN]:
        rows.append((value or "(empty)", ours or "(not mapped)", f"{count:,}"))
    lines = in_columns(rows, most=(50, 14, 14), right=(2,))
    if (more := len(by_count) - STAGES_SHOWN) > 0:
        lines.append(f"and {more} more values")
    return [INDENT + line for line in lines]


def _ledger(look: TableReport, wide: int) -> Iterator[str]:
    ledger = look.ledger
    if ledger is None:
        return
    aside = ledger.set_aside.total()
    read = _counted(ledger.read, "row")
    yield f"{INDENT}{read} read = {ledger.used:,} used + {aside:,} excluded"
    rows = [
        (f"{count:,}", reason, SET_ASIDE_REASONS.get(reason, ""))
        for reason, count in sorted(ledger.set_aside.items())
        if count
    ]
    noted = [(f"{n:,}", what, "used, but check") for what, n in ledger.noted.items() if n]
    # The reasons of excluded rows take more room than what is said of the others.
    most = (12, wide - (70 if rows else 40), 50)
    for line in in_columns(rows + noted, most=most, right=(0,)):
        yield INDENT * 2 + line
    lost = [row for row in ledger.rows if row.reason in UNUSABLE_REASONS]
    for row in lost[:ROWS_SHOWN]:
        yield INDENT * 2 + cut(f"{row.file}:{row.line}: {row.reason}: {row.text}", wide - 4)


def _coverage(looks: Sequence[TableReport], wide: int) -> list[str]:
    rows, needs = [], []
    for section in coverage(looks):
        mark = "yes" if section.is_possible and not section.missing else "no"
        mark = "in part" if section.is_possible and section.missing else mark
        rows.append((mark, section.question))
        needs.append(f"needs {section.missing}" if section.missing else "")
    starts = in_columns(rows, most=(8, 32))
    most = max(map(width, starts))
    lines = ["Sections of the report"]
    for start, words in zip(starts, needs, strict=True):
        first = f"{INDENT}{start:<{most}}{GAP}"
        lines += wrapped(words, wide, first=first, rest=" " * len(first))
    return lines


def _verdict(looks: Sequence[TableReport], wide: int) -> Iterator[str]:
    for fault in faults_of(looks):
        for line in fault.splitlines():
            yield from wrapped(line, wide, rest=INDENT * 6)
    asked: dict[tuple[str, tuple[str, ...]], list[Question]] = {}
    for question in (q for look in looks for q in look.questions):
        asked.setdefault((question.place, question.answers), []).append(question)
    for number, ((place, answers), questions) in enumerate(asked.items(), start=1):
        yield from _question(f"Question {number}: ", place, answers, questions, wide)
    is_blocking = any(q.is_blocking for questions in asked.values() for q in questions)
    count = _counted(len(asked), "question")
    if is_blocking:
        yield f"{count} to answer in source.yaml before a report can run."
    elif asked and not faults_of(looks):
        yield f"{count} to answer in source.yaml. A report runs without the answer, and lists them."
    elif is_open(looks):
        yield "Correct this before you run a report."
    elif _is_about_leads(looks):
        yield "Nothing is open: a report can run."
    else:
        yield from wrapped(NO_LEADS, wide)


def _question(
    first: str, place: str, answers: Sequence[str], questions: Sequence[Question], wide: int
) -> Iterator[str]:
    """Yield questions that have the same answers, then the answers."""
    for question in questions:
        yield from wrapped(question.text, wide, first=first, rest=INDENT)
        first = INDENT
        if question.found:
            yield from wrapped(f"found {listed(question.found)}", wide, first=INDENT, rest=INDENT)
    yield f"{INDENT}add {'one of these lines' if len(answers) > 1 else 'this line'} below {place}:"
    for answer in answers:
        is_example = answer.split(":")[0] in EXAMPLES
        words = answer + ("   (or yours)" if is_example else "")
        yield from wrapped(words, wide, first=INDENT * 2, rest=INDENT * 3)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
