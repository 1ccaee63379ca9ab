"""A ``source.yaml`` drafted from exports, with lines to fill in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

from mqlkit.core.terminal import cut, harmless
from mqlkit.core.yaml_files import as_flow, yaml_text
from mqlkit.run.check import available, other_errors
from mqlkit.sources.candidates import TELLING, UnreadColumn, name_score, ranked
from mqlkit.sources.format_words import refused
from mqlkit.sources.formats import formats
from mqlkit.sources.inspect import ColumnReport, TableReport
from mqlkit.sources.spec import SourceSpec, TableSpec

FILL_IN, ANSWERED = "# <- fill in: ", "# answered"
HEAD = """\
# Where the data is and how to read it. Paths are relative to this folder; `*` matches any text.
# `mqlkit check source.yaml` shows what is read and which questions are open.
"""
FORM = f"""\
leads:                          # one row per lead
  files:
    -                           {FILL_IN}exports/leads-*.csv
  format: auto                  # recognized by the header; `mqlkit formats` lists all
  timezone:                     {FILL_IN}zone of times without an offset, such as Europe/Tallinn
  # columns:                    # canonical name: header in the file
  #   lead_id: Lead ID
  #   mql_at: MQL Date

# history:                      # stage changes, if the CRM exports them
#   - files: [exports/history-*.csv]
#     stages: {{mql: [MQL], accepted: [Accepted], rejected: [Rejected], sql: [SQL]}}

# spend:                        # without it there is no cost per MQL
#   files: [exports/spend-*.csv]
#   currency: EUR

# goals:                        # columns: month, mqls
#   files: [goals.csv]
"""
# What a missing column would be used for.
WANTED = {
    "created_at": "first contact; needed for the lag",
    "accepted_at": "needed for acceptance rate and SLA",
    "rejected_at": "needed for acceptance rate and SLA",
    "sql_at": "needed for the MQL→SQL conversion rate",
    "contacted_at": "needed for speed to lead",
    "owner": "needed for the SLA by owner",
    "source": "needed for breakdowns and cost per source",
}
# Settings whose answers are only examples.
HINTS = {"timezone": "the zone of these times, such as ", "currency": "such as "}
DATE_WORDS = re.compile(
    r"date|time|stamp|[a-z]at\b|_at\b|\bat\b|\bon\b"
    r"|datum|zeit|jour|fecha|d[ií]a\b|data\b|giorno|дата|日",
    re.IGNORECASE,
)
# These have lines of their own.
WRITTEN_ELSEWHERE = {"files", "format", "columns", "stages"}
FEWEST_ALIKE = 2
VARYING = "0123456789-_. "
WORDS_AT = 34
VALUES_SHOWN = 8


def draft_source(
    source: SourceSpec | None,
    looks: Sequence[TableReport],
    *,
    folder: Path,
    answers: Mapping[str, Mapping[str, Any]] = {},
) -> str:
    """Return the text of a source.yaml.

    Parameters
    ----------
    source, looks
        The classified exports and what they hold; None and nothing for a form to fill in.
    folder
        Where the file will be; paths are relative to it.
    answers
        What the user has answered, by the place of a block: its settings as in YAML.
    """
    if source is None:
        return f"{HEAD}\n{FORM}"
    lines: list[str] = []
    knows_mql = "mql_at" in available([look for look in looks if look.table == "history"])
    known = len(source.tables)
    for spec, look in zip(source.tables, looks[:known], strict=True):
        body = _body(spec, look, folder, answers.get(spec.place, {}), needs_mql=not knows_mql)
        lines += ["", *_block(spec, list(body))]
    for look in looks[known:]:
        path = yaml_text(_relative(Path(look.place), folder))
        if not look.errors:
            lines += ["", *(f"# {path}: {harmless(note)}" for note in look.notes)]
            continue
        headers = ", ".join(cut(h, 40) for h in look.unmapped[:VALUES_SHOWN])
        words = f"put it under leads, history, spend or goals. Its columns: {headers}"
        lines += ["", _line(f"# files: [{path}]", words, fill_in=True)]
    if source.leads is None and not source.history:
        lines += ["", *FORM.split("\n\n", 1)[0].splitlines()]
    return "\n".join([HEAD.rstrip(), *lines]) + "\n"


def _block(spec: TableSpec, body: Sequence[str]) -> Iterator[str]:
    is_listed = spec.table == "history"
    if spec.place in ("leads", "spend", "goals", "history[0]"):
        yield f"{spec.table}:"
    for number, line in enumerate(body):
        before = ("  - " if number == 0 else "    ") if is_listed else "  "
        yield (before + line).rstrip()


def _body(
    spec: TableSpec,
    look: TableReport,
    folder: Path,
    given: Mapping[str, Any],
    *,
    needs_mql: bool,
) -> Iterator[str]:
    yield from _files(spec, look, folder)
    names = {file.format for file in look.files}
    name = names.pop() if len(names) == 1 else spec.format
    title = formats()[name].title if name in formats() else "each file is recognized separately"
    yield _line(f"format: {name}", title)
    settings = {key: value for key, value in given.items() if key not in WRITTEN_ELSEWHERE}
    for key, value in settings.items():
        yield _line(f"{key}: {_value(value)}", ANSWERED.removeprefix("# "))
    asked = {key: answers for key, answers in _asked(look).items() if key not in settings}
    chosen = given.get("columns", {})
    yield from _columns(spec, look, chosen, asked.pop("columns", []), needs_mql=needs_mql)
    if look.stages and not spec.stage:
        asked.pop("stages", None)
        yield from _stages(look, given.get("stages", {}))
    for key, answers in asked.items():
        yield _line(f"{key}:", HINTS.get(key, "") + " or ".join(answers), fill_in=True)
    if look.is_zone_assumed and not {"timezone"} & {*asked, *settings}:
        words = f"assumed for times without an offset: {look.zone}"
        yield _line("# timezone:", words)
    # A missing column already has a line to fill in.
    for error in other_errors(look):
        yield from (f"# To correct: {harmless(line)}" for line in error.splitlines())


def _files(spec: TableSpec, look: TableReport, folder: Path) -> Iterator[str]:
    """Yield the files, as one pattern where their names differ in a date or number only."""
    if pattern := shared_pattern(spec.files):
        n_rows = sum(file.rows or 0 for file in look.files)
        words = f"{len(spec.files)} files" + (f", rows: {n_rows:,}" if n_rows else "")
        yield _line(f"files: [{yaml_text(_relative(pattern, folder))}]", words)
        return
    yield "files:"
    for path, file in zip_longest(spec.files, look.files):
        rows = f"rows: {file.rows:,}" if file and file.rows is not None else ""
        yield _line(f"  - {yaml_text(_relative(path, folder))}", rows)


def shared_pattern(paths: Sequence[Path]) -> Path | None:
    """Return the pattern that files of one folder and no others fit; None if there is none.

    Their names differ in digits, and what is between these, only: next month's file fits as well.
    """
    names = [path.name for path in paths]
    if len(paths) < FEWEST_ALIKE or len({path.parent for path in paths}) > 1:
        return None
    start = _common_start(names).rstrip(VARYING)
    # One sign between the words and the date stays.
    start += "".join(takewhile(lambda c: not c.isdigit(), names[0][len(start) :]))[:1]
    end = _common_start([name[::-1] for name in names])[::-1].lstrip(VARYING.replace(".", ""))
    middles = [name[len(start) : len(name) - len(end)] for name in names]
    if len(start) < FEWEST_ALIKE or not all(m.strip(VARYING) == "" for m in middles):
        return None
    if set("*?[]") & set(start + end):
        return None
    pattern = paths[0].parent / f"{start}*{end}"
    return pattern if {*pattern.parent.glob(pattern.name)} == {*paths} else None


def _common_start(names: Sequence[str]) -> str:
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)


def _asked(look: TableReport) -> dict[str, list[str]]:
    """Return the open settings, each with its possible answers."""
    asked: dict[str, list[str]] = {}
    for question in look.questions:
        for answer in question.answers:
            key, _, value = answer.partition(":")
            known = asked.setdefault(key.strip(), [])
            if value.strip() not in known:
                known.append(value.strip())
    return asked


def _columns(
    spec: TableSpec,
    look: TableReport,
    chosen: Mapping[str, Any],
    answers: Sequence[str],
    *,
    needs_mql: bool,
) -> Iterator[str]:
    """Yield known columns as comments, chosen ones as lines, unknown ones as lines to fill in."""
    ours = {column.ours for column in look.columns} | set(chosen)
    # Nothing is known about a file that could not be opened.
    needed = _needed(spec, look, needs_mql=needs_mql) if look.files else {}
    to_name = {c: h for c, h in needed.items() if c not in ours}
    to_name |= {c: h for c, h in _to_name(answers).items() if c not in chosen}
    yield _line("columns:", "canonical name: header; # marks recognized or missing columns")
    for column, header in chosen.items():
        yield _line(f"  {column}: {_value(header)}", ANSWERED.removeprefix("# "))
    for column, headers in to_name.items():
        some = ", ".join(yaml_text(cut(h, 40)) for h in headers[:VALUES_SHOWN])
        yield _line(f"  {column}:", f"one of {some}" if some else "a column", fill_in=True)
    shown = {*to_name, *chosen}
    yield from (_read(column) for column in look.columns if column.ours not in shown)
    if spec.table == "leads" and look.files:
        wanted = [c for c in WANTED if c not in ours and c not in to_name]
        yield from (_wanted(column, look) for column in wanted)


def _needed(spec: TableSpec, look: TableReport, *, needs_mql: bool) -> dict[str, list[str]]:
    """Return the needed columns that are missing, each with the headers that it could be."""
    columns = dict.fromkeys(look.lacking)
    if spec.table == "leads":
        columns = dict.fromkeys(["lead_id"] + ["mql_at"] * needs_mql)
    found = {column: [c.header for c in ranked(column, _unread(look))] for column in columns}
    if "lead_id" in found and not look.unread:
        # Without values, any header may be that of the id.
        found["lead_id"] = _free(look)
    return found


def _unread(look: TableReport) -> Sequence[UnreadColumn]:
    """Return the unread columns; judged by their names where there are no values."""
    if look.unread or not look.unmapped:
        return look.unread
    kinds = {h: "date" if DATE_WORDS.search(h) else "text" for h in _free(look)}
    return [UnreadColumn("", header, kind, ()) for header, kind in kinds.items()]


def _free(look: TableReport) -> list[str]:
    """Return the unread headers but for those that a format refuses."""
    known = [formats()[file.format] for file in look.files if file.format in formats()]
    return [h for h in look.unmapped if not any(refused(each, h) for each in known)]


def _wanted(column: str, look: TableReport) -> str:
    """Return the line of a missing column, with the header that it could be."""
    best = next(iter(ranked(column, _unread(look))), None)
    if best is not None and name_score(best.header, column) >= TELLING:
        words = f"this header? {WANTED[column]}"
        return _line(f"  # {column}: {yaml_text(best.header)}", words)
    return _line(f"  # {column}:", f"missing; {WANTED[column]}")


def _to_name(answers: Sequence[str]) -> dict[str, list[str]]:
    """Return each column with several candidate headers, taken from the answers."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        if match := re.fullmatch(r"\{(\w+): (.*)\}", answer):
            found.setdefault(match[1], []).append(match[2].strip('"'))
    return found


def _read(column: ColumnReport) -> str:
    # Examples of dates and amounts only, so that the file contains no personal data.
    is_telling = column.ours.endswith("_at") or column.ours in ("date", "amount", "at", "month")
    examples = [b if b == a else f"{b} → {a}" for b, a in column.examples[:1] if is_telling]
    return _line(f"  # {column.ours}: {yaml_text(column.header)}", "".join(examples))


def _stages(look: TableReport, given: Mapping[str, Sequence[str]]) -> Iterator[str]:
    by_stage: dict[str, list[str]] = {}
    unknown = []
    by_count = sorted(look.stages.items(), key=lambda stage: (-stage[1][1], stage[0]))
    for value, (ours, count) in by_count:
        if ours:
            by_stage.setdefault(ours, []).append(value)
        else:
            unknown.append(f"{yaml_text(cut(value, 40)) or '(empty)'} ({count:,})")
    yield _line("stages:", "canonical stage: values in the file")
    for ours, values in by_stage.items():
        line = f"  {ours}: [{', '.join(yaml_text(v) for v in values)}]"
        yield _line(line, ANSWERED.removeprefix("# ") if ours in given else "")
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


def _value(value: Any) -> str:
    """Return a setting as YAML."""
    return yaml_text(value) if isinstance(value, str) else as_flow(value)


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with slashes; absolute on another drive."""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()
