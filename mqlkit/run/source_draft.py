"""A ``source.yaml`` drafted from exports, with lines to fill in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from mqlkit.core.errors import nearest
from mqlkit.core.terminal import cut, harmless
from mqlkit.core.yaml_files import yaml_text
from mqlkit.run.check import available
from mqlkit.sources.format_words import refused
from mqlkit.sources.formats import fold, formats
from mqlkit.sources.inspect import ColumnReport, TableReport
from mqlkit.sources.spec import SourceSpec, TableSpec

FILL_IN = "# <- fill in: "
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
WORDS_AT = 34
VALUES_SHOWN = 8


def draft_source(source: SourceSpec | None, looks: Sequence[TableReport], *, folder: Path) -> str:
    """Return the text of a source.yaml.

    Parameters
    ----------
    source, looks
        The classified exports and what they hold; None and nothing for a form to fill in.
    folder
        Where the file will be; paths are relative to it.
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


def _block(spec: TableSpec, look: TableReport, folder: Path, *, needs_mql: bool) -> Iterator[str]:
    is_listed = spec.table == "history"
    first = spec.place in ("leads", "spend", "goals", "history[0]")
    if first:
        yield f"{spec.table}:"
    body = list(_body(spec, look, folder, needs_mql=needs_mql))
    for number, line in enumerate(body):
        before = ("  - " if number == 0 else "    ") if is_listed else "  "
        yield (before + line).rstrip()


def _body(spec: TableSpec, look: TableReport, folder: Path, *, needs_mql: bool) -> Iterator[str]:
    yield "files:"
    for path, file in zip_longest(spec.files, look.files):
        rows = f"rows: {file.rows:,}" if file and file.rows is not None else ""
        yield _line(f"  - {yaml_text(_relative(path, folder))}", rows)
    names = {file.format for file in look.files}
    name = names.pop() if len(names) == 1 else spec.format
    title = formats()[name].title if name in formats() else "each file is recognized separately"
    yield _line(f"format: {name}", title)
    asked = _asked(look)
    yield from _columns(spec, look, asked.pop("columns", []), needs_mql=needs_mql)
    if look.stages:
        yield from _stages(look)
    for key, answers in asked.items():
        yield _line(f"{key}:", HINTS.get(key, "") + " or ".join(answers), fill_in=True)
    # A missing column already has a line to fill in.
    for error in (e for e in look.errors if "needed are missing" not in e):
        yield from (f"# To correct: {harmless(line)}" for line in error.splitlines())


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
    spec: TableSpec, look: TableReport, answers: Sequence[str], *, needs_mql: bool
) -> Iterator[str]:
    """Yield known columns as comments and unknown ones as lines to fill in."""
    ours = {column.ours for column in look.columns}
    to_name = _to_name(answers)
    # Nothing is known about a file that could not be opened.
    if spec.table == "leads" and look.files:
        known = [formats()[file.format] for file in look.files if file.format in formats()]
        free = tuple(h for h in look.unmapped if not any(refused(f, h) for f in known))
        dated = tuple(header for header in free if DATE_WORDS.search(header))
        needed = {"lead_id": free} | ({"mql_at": dated} if needs_mql else {})
        to_name = {c: h for c, h in needed.items() if c not in ours} | to_name
    yield _line("columns:", "canonical name: header; # marks recognized or missing columns")
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
    """Return the line of a missing column, with the header that it could be."""
    close = nearest(column, headers) or ""
    # `Lead Date` is close to `sql_at` too, so the header must contain the name of the stage.
    if column[:5].split("_", maxsplit=1)[0] in fold(close):
        words = f"this header? {WANTED[column]}"
        return _line(f"  # {column}: {yaml_text(close)}", words)
    return _line(f"  # {column}:", f"missing; {WANTED[column]}")


def _to_name(answers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return each column with several candidate headers, taken from the answers."""
    found: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        if match := re.fullmatch(r"\{(\w+): (.*)\}", answer):
            found[match[1]] = (*found.get(match[1], ()), match[2].strip('"'))
    return found


def _read(column: ColumnReport) -> str:
    # Examples of dates and amounts only, so that the file contains no personal data.
    is_telling = column.ours.endswith("_at") or column.ours in ("date", "amount", "at", "month")
    examples = [b if b == a else f"{b} → {a}" for b, a in column.examples[:1] if is_telling]
    return _line(f"  # {column.ours}: {yaml_text(column.header)}", "".join(examples))


def _stages(look: TableReport) -> Iterator[str]:
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
    """Return a path relative to a folder, with slashes; absolute on another drive."""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()
