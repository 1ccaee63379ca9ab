"""Questions about values: how dates and amounts are written, their zone, what stages mean."""

from __future__ import annotations

import codecs
import re
from calendar import month_abbr
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mqlkit.core.errors import SourceError, report
from mqlkit.core.names import HISTORY_STAGES, IGNORE
from mqlkit.core.yaml_files import read_flow
from mqlkit.run.draft import Draft
from mqlkit.run.prompts import DECIDES, LEVELS, OPENING, OTHER, STAGES, VALUES, Choice, Prompt
from mqlkit.sources.candidates import DATES
from mqlkit.sources.cells import SIGNS
from mqlkit.sources.formats import formats
from mqlkit.sources.inspect import TableReport
from mqlkit.sources.questions import Question
from mqlkit.sources.stage_values import likely_stage, unmapped_stages

COMMON_CURRENCIES = ("EUR", "USD", "GBP")
UNUSUAL_DELIMITERS = "^~:#!*\x1f\x01 "
LOCAL_TIME = re.compile(r"\d:\d\d(:\d\d)?([.,]\d+)?( ?[AaPp]\.? ?[Mm]\.?)?$")
FRACTION = re.compile(r"([.,])(?!\d{3}(?!\d))\d+\D*$")
NUMERIC_DATE = re.compile(r"(\d\d?)[./-](\d\d?)[./-](\d{4}|\d\d)")
MEANS = {
    "created": "the lead was created",
    "mql": "it became a marketing-qualified lead",
    "contacted": "sales contacted it for the first time",
    "accepted": "sales accepted it (SAL)",
    "rejected": "sales rejected or recycled it",
    "sql": "it became a sales-qualified lead",
    "won": "the deal was won",
    "on_hold": "neither SLA nor time in stage counts",
    "ignore": "it is no stage of the report",
}


def delimiter(look: TableReport) -> Iterator[Prompt]:
    """Ask for the delimiter where a file has one column only, and not what is needed."""
    if look.columns or len(look.unread) != 1 or not look.lacking:
        return
    (column,) = look.unread
    texts = (column.header, *column.examples)
    there = [c for c in UNUSUAL_DELIMITERS if all(c in text for text in texts)]
    if there:
        names = {" ": "blank", "\x1f": "unit separator", "\x01": "control-A"}
        yield Prompt(
            look.place,
            "delimiter",
            OPENING,
            f"{column.file}: which character separates its columns?",
            DECIDES["delimiter"],
            (column.header, *column.examples[:2]),
            tuple(Choice(names.get(c, c), {"delimiter": c}) for c in there),
            lambda text: {"delimiter": text},
            "another character",
        )


def asked_by_reader(
    draft: Draft, look: TableReport, question: Question, zone: str
) -> Iterator[Prompt]:
    """Ask what the reader of a table asks."""
    answers = [read_flow(answer) for answer in question.answers]
    key = next(iter(answers[0]))
    if key == "timezone" and look.place != "leads" and "timezone" in draft.block("leads"):
        return
    name = f"{key}.{next(iter(answers[0][key]))}" if key == "columns" else key
    choices, typed, hint = _answers(draft, look, question, answers, zone)
    yield Prompt(
        look.place,
        name,
        LEVELS.get(key, VALUES),
        question.text,
        DECIDES.get(name.removeprefix("columns."), OTHER),
        question.found if key != "encoding" else (),
        tuple(choices),
        typed,
        hint,
    )


def assumed_zone(draft: Draft, look: TableReport, zone: str) -> Iterator[Prompt]:
    """Ask for the zone of times without an offset, for which the reader would take UTC."""
    stamps = [text for c in look.columns if c.ours in DATES for text, _ in c.examples]
    local = tuple(text for text in stamps if LOCAL_TIME.search(text))
    if look.is_zone_assumed and local and not any(q.is_blocking for q in look.questions):
        words = f"{look.files[0].name}: in which zone are its times? They have no offset."
        question = Question(look.place, words, (f"timezone: {zone}",), local[:3])
        yield from asked_by_reader(draft, look, question, zone)


def _answers(
    draft: Draft,
    look: TableReport,
    question: Question,
    answers: Sequence[Mapping[str, Any]],
    zone: str,
) -> tuple[list[Choice], Callable[[str], Mapping[str, Any]] | None, str]:
    """Return the choices of a question, what turns other text into an answer, and a hint."""
    key = next(iter(answers[0]))
    if key == "timezone":
        known = [b["timezone"] for b in draft.blocks() if "timezone" in b]
        zones = dict.fromkeys([*known, zone, "UTC"])
        notes = {zone: "the zone of this computer"}
        choices = [Choice(z, {key: z}, notes.get(z, "")) for z in zones]
        return choices, lambda text: {key: text}, "another zone, such as Europe/Tallinn"
    if key == "currency":
        currencies = dict.fromkeys([*_currencies(look), *COMMON_CURRENCIES])
        return [Choice(c, {key: c}) for c in currencies], _currency, "another one, such as SEK"
    choices = [Choice(_text(a), a, _note(a, question.found, n)) for n, a in enumerate(answers)]
    if key == "decimal":
        choices.sort(key=lambda c: c.given[key] != _likely_decimal(question.found))
    if key == "dates":
        choices.sort(key=lambda c: c.given != {key: look.likely_dates})
        return choices, lambda text: {key: text}, "a pattern, such as %d.%m.%Y"
    if key == "encoding":
        return choices, _encoding, "another encoding"
    return choices, None, ""


def _likely_decimal(found: Sequence[str]) -> str:
    """Return the sign that decimals probably have: one before exactly three digits has none."""
    fractions = [match[1] for value in found if (match := FRACTION.search(value))]
    if fractions:
        return fractions[0]
    return "." if any("," in value for value in found) else ","


def _text(answer: Mapping[str, Any]) -> str:
    """Return an answer without the name of its setting."""
    (value,) = answer.values()
    return str(next(iter(value.values())) if isinstance(value, Mapping) else value)


def _note(answer: Mapping[str, Any], found: Sequence[str], place: int) -> str:
    """Return what an answer makes of the first value found."""
    ((key, value),) = answer.items()
    first = found[0] if found else ""
    if key == "dates" and (matches := [m for f in found if (m := NUMERIC_DATE.match(f))]):
        # A date of which day and month are equal shows no difference.
        match = next((m for m in matches if int(m[1]) != int(m[2])), matches[0])
        day, month = (match[1], match[2]) if value == "dmy" else (match[2], match[1])
        if value in ("dmy", "mdy") and 1 <= int(month) <= 12:
            return f"{match[0]} is {int(day)} {month_abbr[int(month)]} {match[3]}"
    if key == "decimal" and first:
        thousands = "," if value == "." else "."
        return f"{first} is {first.replace(thousands, '').replace(str(value), '.')}"
    if key == "encoding" and place < len(found):
        return found[place].partition(": ")[2]
    if key == "format" and value in formats():
        return formats()[value].title
    return ""


def _currencies(look: TableReport) -> list[str]:
    """Return the currencies whose sign or code the amounts carry."""
    amounts = [a for c in look.columns if c.ours == "amount" for a, _ in c.examples]
    signs = {**SIGNS, "$": "USD"}
    return [code for sign, code in signs.items() if any(sign in amount for amount in amounts)]


def _currency(text: str) -> Mapping[str, Any]:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise SourceError(report(f"{text!r} is no currency.", expected="three letters, as in EUR"))
    return {"currency": text.upper()}


def _encoding(text: str) -> Mapping[str, Any]:
    try:
        codecs.lookup(text)
    except LookupError:
        raise SourceError(report(f"{text!r} is no encoding.", expected="such as cp1252")) from None
    return {"encoding": text}


# --- Stages


def unmapped_stage_values(draft: Draft, look: TableReport) -> Iterator[Prompt]:
    """Ask what each value means that no mapping names and that covers more than 1 % of events."""
    named = {v for values in draft.block(look.place).get("stages", {}).values() for v in values}
    unmapped = {v: n for v, n in unmapped_stages(look.stages).items() if v not in named}
    n_events = sum(n for _, n in look.stages.values())
    rest = list(unmapped)
    meanings = {value: likely_stage(value) for value in unmapped}
    is_mql_open = draft.lacks_mql and not {"mql"} & {*meanings.values()}
    for number, (value, n) in enumerate(unmapped.items()):
        likely = meanings[value]
        if is_mql_open and not named and number == 0 and likely == IGNORE:
            # Of stages that names do not tell, most leads have the first.
            likely = "mql"
        order = [likely, *(s for s in (*HISTORY_STAGES, IGNORE) if s != likely)]
        choices = [Choice(s, {"stages": {s: [value]}}, MEANS[s]) for s in order]
        if len(rest) > 1:
            more = "1 other" if len(rest) == 2 else f"{len(rest) - 1} others"
            words = f"ignore this and {more}"
            choices.append(Choice(words, {"stages": {IGNORE: list(rest)}}))
        rest.remove(value)
        yield Prompt(
            look.place,
            f"stages.{value}",
            STAGES,
            f"{look.files[0].name}: what does the stage {value!r} mean?",
            DECIDES["stages"],
            (f"{value}: {n:,} of {n_events:,} events",),
            tuple(choices),
        )
