"""What `mqlkit new` creates: a workspace with a drafted source.yaml."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from pathlib import Path

import mqlkit
from mqlkit.core.errors import ParamsError, nearest, report
from mqlkit.core.periods import DAY, Calendar, add_months
from mqlkit.core.terminal import cut, harmless
from mqlkit.core.yaml_files import yaml_text
from mqlkit.run.coverage import available
from mqlkit.sources.export_format import fold
from mqlkit.sources.formats import formats
from mqlkit.sources.shown import ColumnLook, TableLook
from mqlkit.sources.spec import SourceSpec, TableSpec

PARAMS = "params/mql_report.yaml"
SOURCE = "source.yaml"


@dataclass(frozen=True)
class Workspace:
    """What was laid down.

    Attributes
    ----------
    written
        The files, in the order in which a person needs them.
    to_fill_in
        File, number and text of each line that is yet to be filled in.
    """

    written: tuple[Path, ...]
    to_fill_in: tuple[tuple[Path, int, str], ...]


def kit_notebooks() -> Path:
    """Return the folder of the kit's own notebooks: in the package of a wheel, beside it else."""
    package = Path(mqlkit.__file__).parent
    within = package / "notebooks"
    return within if within.is_dir() else package.parent / "notebooks"


def lay_down(folder: Path, source: SourceSpec | None, looks: Sequence[TableLook]) -> Workspace:
    """Write a workspace.

    Parameters
    ----------
    folder
        Made if needed. Whatever is in it stays.
    source, looks
        The exports sorted into tables, and what they hold; None and nothing for a form to fill in.

    Raises
    ------
    ParamsError
        When a file is there already, or cannot be written; nothing is written then.
    """
    notebooks = sorted(kit_notebooks().glob("*.ipynb"))
    texts = {
        SOURCE: draft_source(source, looks, folder=folder),
        PARAMS: params_yaml(looks),
    }
    targets = [folder / name for name in (*texts, *(f"notebooks/{n.name}" for n in notebooks))]
    if there := [str(path) for path in targets if path.exists()]:
        raise ParamsError(
            report(
                f"{folder}: {len(there)} of the files to write are there already.",
                found=", ".join(there),
                fix="give another folder; nothing is written over",
            )
        )
    try:
        for path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for notebook in notebooks:
            shutil.copyfile(notebook, folder / "notebooks" / notebook.name)
    except OSError as error:
        raise ParamsError(
            report(f"{folder}: cannot be written ({error}).", fix="give another folder")
        ) from None
    return Workspace(
        written=tuple(targets),
        to_fill_in=tuple(
            (folder / name, number, line)
            for name, text in texts.items()
            for number, line in enumerate(text.splitlines(), start=1)
            if FILL_IN in line
        ),
    )


def next_steps(made: Workspace) -> list[str]:
    """Return what was written and what to do with it, as lines for a terminal."""
    lines = [f"wrote {path}" for path in made.written]
    source, params = made.written[:2]
    if made.to_fill_in:
        count = len(made.to_fill_in)
        lines += ["", f"{count} line{'' if count == 1 else 's'} to fill in:"]
        lines += [
            f"  {path}:{number}: {' '.join(text.split())}" for path, number, text in made.to_fill_in
        ]
    lines += ["", "Next:", f"  mqlkit check {source}", f"  mqlkit run {params}"]
    return [harmless(line) for line in lines]


def params_yaml(looks: Sequence[TableLook]) -> str:
    """Return a params file, with what the data says about period and breakdowns."""
    there = available(looks)
    ranges = [(o.first, o.last) for o in looks if o.table in ("leads", "history")]
    starts = [first for first, _ in ranges if first]
    ends = [last for _, last in ranges if last]
    period, why = "last-quarter", "the last complete quarter before as_of"
    if looks:
        # Where a question keeps the dates from being read: enough to be sure to meet some.
        period, why = "last-12-months", "the last twelve complete months before as_of"
    if starts and ends:
        period, why = _period(min(starts), max(ends))
    by = [name for name in ("source", "owner") if name in there]
    rows = [
        ("report", "mql_report", "the notebook, in notebooks/"),
        ("title", "MQL report", "printed at the top"),
        ("source", "../source.yaml", "where the data is, from this file"),
        ("period", period, why),
        ("grain", "month", "one bucket a month; or week, quarter, half, year"),
        ("as_of", "auto", "the latest stamp in the data; better: the day of the export"),
        ("lag_days", "auto", "days from net-new to MQL that spend is shifted by; measured"),
        ("sla", "48h", "the time sales has for an MQL: put in what was agreed on"),
        ("sla_clock", "calendar", "runs at night and at weekends too; or business"),
        ("by", f"[{', '.join(by)}]", "breakdowns: columns of the leads"),
    ]
    lines = [f"{f'{name}: {value}':<36} # {words}" for name, value, words in rows]
    head = f"# One report: `mqlkit run {PARAMS}`. The README has all parameters."
    return "\n".join([head, *lines]) + "\n"


def _period(first: date, last: date) -> tuple[str, str]:
    """Return the last complete quarter that the data covers, or the months that it has."""
    calendar = Calendar(1)
    start = calendar.start_of(last, "quarter")
    if last + DAY < calendar.next_start(start, "quarter"):
        start = add_months(start, -3)
    if calendar.next_start(start, "quarter") > first:
        return calendar.label(start, "quarter"), "the last complete quarter in the data"
    return f"{first:%Y-%m}..{last:%Y-%m}", "the months in the data; no quarter is complete"


FILL_IN = "# <- fill in: "
HEAD = """\
# Where the data is and how to read it. Paths start from this folder; `*` stands for anything.
# `mqlkit check source.yaml` shows what is read, and what is still open.
"""
FORM = f"""\
leads:                          # one row per lead
  files:
    -                           {FILL_IN}exports/leads-*.csv
  format: auto                  # found from the header; `mqlkit formats` lists those known
  timezone:                     {FILL_IN}zone of stamps without an offset, such as Europe/Tallinn
  # columns:                    # where the header says nothing: ours, then the file's
  #   lead_id: Lead ID
  #   mql_at: MQL Date

# history:                      # stage changes, where the CRM keeps them
#   - files: [exports/history-*.csv]
#     stages: {{mql: [MQL], accepted: [Accepted], rejected: [Rejected], sql: [SQL]}}

# spend:                        # without it there is no cost per MQL
#   files: [exports/spend-*.csv]
#   currency: EUR

# goals:                        # columns: month, mqls
#   files: [goals.csv]
"""
# What a column is for, said where a file does not have it.
WANTED = {
    "created_at": "when it first came in; for the lag",
    "accepted_at": "for the hand-off and the SLA",
    "rejected_at": "for the hand-off and the SLA",
    "sql_at": "when it became an SQL; for efficiency",
    "contacted_at": "for the time to the first contact",
    "owner": "for who is late",
    "source": "for breakdowns and the cost per source",
}
# Answers that are only an example.
HINTS = {"timezone": "the zone of these stamps, such as ", "currency": "such as "}
DATE_WORDS = re.compile(
    r"date|time|stamp|[a-z]at\b|_at\b|\bat\b|\bon\b|datum|fecha|jour", re.IGNORECASE
)
WORDS_AT = 34
VALUES_SHOWN = 8


def draft_source(source: SourceSpec | None, looks: Sequence[TableLook], *, folder: Path) -> str:
    """Return the text of a source.yaml.

    Parameters
    ----------
    source, looks
        Exports sorted into tables, and what they hold; None for a form to fill in.
    folder
        Where the file will be: paths start there.
    """
    if source is None:
        return f"{HEAD}\n{FORM}"
    lines: list[str] = []
    knows_mql = "mql_at" in available([look for look in looks if look.table == "history"])
    known = len(source.tables)
    for spec, look in zip(source.tables, looks[:known], strict=True):
        lines += ["", *_block(spec, look, folder, needs_mql=not knows_mql)]
    for look in looks[known:]:
        path = yaml_text(_relative(Path(look.place), folder))
        headers = ", ".join(cut(h, 40) for h in look.unmapped[:VALUES_SHOWN])
        words = f"put it under leads, history, spend or goals. Its columns: {headers}"
        lines += ["", _line(f"# files: [{path}]", words, fill_in=True)]
    if source.leads is None and not source.history:
        lines += ["", *FORM.split("\n\n", 1)[0].splitlines()]
    return "\n".join([HEAD.rstrip(), *lines]) + "\n"


def _block(spec: TableSpec, look: TableLook, folder: Path, *, needs_mql: bool) -> Iterator[str]:
    is_listed = spec.table == "history"
    first = spec.place in ("leads", "spend", "goals", "history[0]")
    if first:
        yield f"{spec.table}:"
    body = list(_body(spec, look, folder, needs_mql=needs_mql))
    for number, line in enumerate(body):
        before = ("  - " if number == 0 else "    ") if is_listed else "  "
        yield (before + line).rstrip()


def _body(spec: TableSpec, look: TableLook, folder: Path, *, needs_mql: bool) -> Iterator[str]:
    yield "files:"
    for path, file in zip_longest(spec.files, look.files):
        rows = f"rows: {file.rows:,}" if file and file.rows is not None else ""
        yield _line(f"  - {yaml_text(_relative(path, folder))}", rows)
    names = {file.format for file in look.files}
    name = names.pop() if len(names) == 1 else spec.format
    title = formats()[name].title if name in formats() else "each file is recognised by itself"
    yield _line(f"format: {name}", title)
    asked = _asked(look)
    yield from _columns(spec, look, asked.pop("columns", []), needs_mql=needs_mql)
    if look.stages:
        yield from _stages(look)
    for key, answers in asked.items():
        yield _line(f"{key}:", HINTS.get(key, "") + " or ".join(answers), fill_in=True)
    # A missing column is a line to fill in already.
    for error in (e for e in look.errors if "needed are missing" not in e):
        yield from (f"# To mend: {harmless(line)}" for line in error.splitlines())


def _asked(look: TableLook) -> dict[str, list[str]]:
    """Return the settings that are asked for, with the answers to choose from."""
    asked: dict[str, list[str]] = {}
    for question in look.questions:
        for answer in question.answers:
            key, _, value = answer.partition(":")
            known = asked.setdefault(key.strip(), [])
            if value.strip() not in known:
                known.append(value.strip())
    return asked


def _columns(
    spec: TableSpec, look: TableLook, answers: Sequence[str], *, needs_mql: bool
) -> Iterator[str]:
    """Return the columns: those read as comments, those to be named as lines to fill in."""
    ours = {column.ours for column in look.columns}
    to_name = _to_name(answers)
    # Of a file that could not even be opened, nothing is known yet.
    if spec.table == "leads" and look.files:
        dated = tuple(header for header in look.unmapped if DATE_WORDS.search(header))
        needed = {"lead_id": look.unmapped} | ({"mql_at": dated} if needs_mql else {})
        to_name = {c: h for c, h in needed.items() if c not in ours} | to_name
    yield _line("columns:", "ours: the file's. Behind a #: found by itself, or not there")
    for column, headers in to_name.items():
        close = nearest(column, headers)
        ordered = sorted(headers, key=lambda h, close=close: h != close)  # type: ignore[misc]
        some = ", ".join(yaml_text(cut(h, 40)) for h in ordered[:VALUES_SHOWN])
        yield _line(f"  {column}:", f"one of {some}" if some else "a column", fill_in=True)
    yield from (_read(column) for column in look.columns if column.ours not in to_name)
    if spec.table == "leads" and look.files:
        wanted = [c for c in WANTED if c not in ours and c not in to_name]
        yield from (_wanted(column, look.unmapped) for column in wanted)


def _wanted(column: str, headers: Sequence[str]) -> str:
    """Return the line of a column that is not there, with the header that could be it."""
    close = nearest(column, headers) or ""
    # `Lead Date` looks like `sql_at` too: the word for the stage must be in it.
    if column[:5].split("_", maxsplit=1)[0] in fold(close):
        words = f"is it this? {WANTED[column]}"
        return _line(f"  # {column}: {yaml_text(close)}", words)
    return _line(f"  # {column}:", f"not there; {WANTED[column]}")


def _to_name(answers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns that several headers could be, as the questions' answers name them."""
    found: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        if match := re.fullmatch(r"\{(\w+): (.*)\}", answer):
            found[match[1]] = (*found.get(match[1], ()), match[2].strip('"'))
    return found


def _read(column: ColumnLook) -> str:
    # Examples of dates and amounts only: a file that is mailed about should name nobody.
    is_telling = column.ours.endswith("_at") or column.ours in ("date", "amount", "at", "month")
    examples = [b if b == a else f"{b} → {a}" for b, a in column.examples[:1] if is_telling]
    return _line(f"  # {column.ours}: {yaml_text(column.header)}", "".join(examples))


def _stages(look: TableLook) -> Iterator[str]:
    by_stage: dict[str, list[str]] = {}
    unknown = []
    by_count = sorted(look.stages.items(), key=lambda stage: (-stage[1][1], stage[0]))
    for value, (ours, count) in by_count:
        if ours:
            by_stage.setdefault(ours, []).append(value)
        else:
            unknown.append(f"{yaml_text(cut(value, 40)) or '(empty)'} ({count:,})")
    yield _line("stages:", "mqlkit's stage: the file's words for it")
    for ours, values in by_stage.items():
        yield f"  {ours}: [{', '.join(yaml_text(v) for v in values)}]"
    if unknown:
        shown = ", ".join(unknown[:VALUES_SHOWN])
        words = f"{shown} and {len(unknown) - VALUES_SHOWN} more"
        words = words if len(unknown) > VALUES_SHOWN else shown
        if by_stage:
            yield f"  # Not mapped: {words}"
        else:
            yield _line("  mql:", f"[...], of {words}", fill_in=True)


def _line(text: str, words: str, *, fill_in: bool = False) -> str:
    if not words:
        return text
    comment = (FILL_IN if fill_in else "# ") + harmless(words)
    return f"{text:<{WORDS_AT}}{' ' if len(text) >= WORDS_AT else ''}{comment}"


def _relative(path: Path, folder: Path) -> str:
    """Return a path from a folder, with slashes; absolute where there is no way."""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return path.resolve().as_posix()
