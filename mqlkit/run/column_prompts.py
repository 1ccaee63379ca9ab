"""Questions about columns: which header is which of our columns, and of which stage a date is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mqlkit.core.errors import SourceError, report
from mqlkit.core.names import STAGES
from mqlkit.core.terminal import cut
from mqlkit.run.draft import Draft
from mqlkit.run.prompts import COLUMNS, DECIDES, Choice, Prompt
from mqlkit.sources.candidates import IN_ORDER, NO_STAGE, TELLING, UnreadColumn, name_score, ranked
from mqlkit.sources.formats import fold
from mqlkit.sources.inspect import TableReport

# Asked for where the name of a column tells that it could be one.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "leads": (
        "mql_at",
        *("created_at", "contacted_at", "accepted_at", "rejected_at", "sql_at", "won_at"),
        *("owner", "source"),
    ),
    "spend": ("channel",),
}
CHOICES_SHOWN, UNTOLD_ASKED = 6, 4
NONE = "none of them"


def needed_columns(draft: Draft, look: TableReport) -> Iterator[Prompt]:
    """Ask for the columns without which a table cannot be read."""
    for column, file in look.lacking.items():
        if (look.table, column) == ("leads", "mql_at") and draft.has_mql_stage:
            continue
        prompt = _column(draft, look, column, file=file)
        yield _with_one_stage(look, prompt) if column == "stage" else prompt


def _with_one_stage(look: TableReport, prompt: Prompt) -> Prompt:
    """Let every row of a history without stage names be of one stage."""
    dates = [c.header for c in look.columns if c.ours == "at"] + [c.header for c in look.unread]
    likely = [s for s in STAGES if any(name_score(h, f"{s}_at") >= TELLING for h in dates)]
    order = dict.fromkeys([*likely, "won", "sql", *STAGES])
    fixed = [Choice(f"all are {s}", {"stage": s}, "every row is this stage") for s in order]
    told = [c for c in prompt.choices if name_score(c.text, "stage") >= TELLING]
    columns = [c for c in prompt.choices if c.given and c not in told]
    return replace(prompt, choices=(*told, *fixed, *columns))


def late_mql(draft: Draft) -> Iterator[Prompt]:
    """Ask for the date of the MQL once no stage of a history is one."""
    for look in draft.looks:
        is_answered = bool(draft.headers(look.place, "mql_at"))
        if look.table == "leads" and draft.lacks_mql and not is_answered:
            prompt = _column(draft, look, "mql_at")
            prompt = replace(prompt, choices=(*_instead(draft, look), *prompt.choices))
            is_settled = draft.is_settled(prompt.place, prompt.key)
            if any(choice.given for choice in prompt.choices) and not is_settled:
                yield prompt


def _instead(draft: Draft, look: TableReport) -> Iterator[Choice]:
    """Yield the date that was answered for the creation: many exports have one date only."""
    headers = draft.headers(look.place, "created_at")
    for column in (c for c in look.columns if c.ours == "created_at" and c.header in headers):
        given = {"columns": {"mql_at": column.header, "created_at": None}}
        shown = ", ".join(cut(before, 24) for before, _ in column.examples)
        yield Choice(column.header, given, f"{shown}; it is not read as created_at then")


def _candidates(
    draft: Draft, look: TableReport, column: str, unread: Sequence[UnreadColumn]
) -> list[UnreadColumn]:
    used = set(map(fold, draft.headers(look.place)))
    return [c for c in ranked(column, unread) if fold(c.header) not in used]


def optional_columns(draft: Draft, look: TableReport) -> Iterator[Prompt]:
    """Ask about each optional column that a header tells, then about dates that tell nothing."""
    ours = {column.ours for column in look.columns}
    if "campaign" in ours and look.table == "spend":
        return
    wanted = [c for c in OPTIONAL.get(look.table, ()) if c not in ours]
    for column in wanted:
        telling = [c for c in look.unread if name_score(c.header, column) >= TELLING]
        if _candidates(draft, look, column, telling):
            yield _column(draft, look, column, is_optional=True)
    if look.table == "leads" and {file.format for file in look.files} == {"plain"}:
        left = [c for c in wanted if c not in draft.block(look.place).get("columns", {})]
        yield from (_stage_of(look, date, left) for date in _untold_dates(draft, look))


def _untold_dates(draft: Draft, look: TableReport) -> list[UnreadColumn]:
    """Return columns of dates that may be a stage though their name tells none."""
    dates = _candidates(draft, look, "won_at", look.unread)
    names = OPTIONAL["leads"]
    untold = [c for c in dates if not any(name_score(c.header, n) >= TELLING for n in names)]
    return [c for c in untold if not NO_STAGE.search(fold(c.header))][:UNTOLD_ASKED]


def _stage_of(look: TableReport, date: UnreadColumn, columns: Sequence[str]) -> Prompt:
    """Ask which stage a column of dates is of."""
    stages = [column for column in columns if column.endswith("_at")]
    choices = [Choice(c, {"columns": {c: date.header}}, DECIDES[c]) for c in stages]
    choices.insert("created_at" in stages and date.is_first, Choice(NONE, {}, "it is not read"))
    return Prompt(
        look.place,
        f"columns. {date.header}",
        COLUMNS,
        f"{date.file}: of which stage is the date {date.header!r}?",
        "whether it is read, and as what",
        date.examples,
        tuple(choices),
    )


def _column(
    draft: Draft, look: TableReport, column: str, *, file: str = "", is_optional: bool = False
) -> Prompt:
    """Ask which header one of our columns stands under; an optional one may be none."""
    found = _candidates(draft, look, column, look.unread)[: CHOICES_SHOWN - is_optional]
    # One file of several may call a column otherwise than the others.
    before = draft.headers(look.place, column)

    def given(header: str) -> Mapping[str, Any]:
        return {"columns": {column: [header] if before else header}}

    choices = [Choice(c.header, given(c.header), _values(c, column)) for c in found]
    if is_optional or not found:
        choices.append(Choice(NONE, {}, "it is left out"))

    def typed(text: str) -> Mapping[str, Any]:
        known = {fold(header): header for header in look.unmapped}
        if fold(text) not in known:
            raise SourceError(
                report(
                    f"{text!r} is no unread column of {look.place}.",
                    expected=", ".join(known.values()),
                )
            )
        return given(known[fold(text)])

    name = file or (look.files[0].name if look.files else look.place)
    return Prompt(
        look.place,
        f"columns.{column}" + (f" in {file}" if file else ""),
        COLUMNS,
        f"{name}: which column is {column}?",
        DECIDES[column],
        (),
        tuple(choices),
        typed,
        "the name of another column",
    )


def _values(column: UnreadColumn, ours: str) -> str:
    shown = ", ".join(cut(example, 24) for example in column.examples)
    if column.follows is None or column.follows > IN_ORDER or ours == "created_at":
        return shown
    return f"{shown}; before the lead was created in {1 - column.follows:.0%} of the rows"
