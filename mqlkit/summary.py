"""A report in a few lines of text: what it covers, and its headline."""

from __future__ import annotations

from itertools import groupby

from mqlkit.headline import Figure, headline
from mqlkit.numbers import Numbers
from mqlkit.periods import DAY
from mqlkit.redaction import FEWEST
from mqlkit.terms import LAST_ALONE
from mqlkit.wording import counted, day, moment

REDACTED = f"no single leads, no owners, groups of fewer than {FEWEST} shown together"


def scope(numbers: Numbers) -> list[str]:
    """Return what a report covers, as of when, and what must be known before reading it."""
    leads, params = numbers.leads, numbers.params
    last = leads.buckets[-1].end
    is_day_end = leads.as_of.at == leads.as_of.cutoff
    as_of = moment(leads.as_of.at.astimezone(leads.zone))
    facts = [
        f"{day(leads.whole.start)} – {day(last - DAY)}",
        f"as of {f'the end of {day(leads.as_of.on)}' if is_day_end else as_of} ({leads.zone})",
        counted((numbers.ledgers.get("leads") or numbers.ledgers["history"]).used, "row"),
    ]
    if any(LAST_ALONE in ledger.noted for ledger in numbers.ledgers.values()):
        facts.append("a single lead has stamps in the last month before that: check as_of")
    if params.where:
        kept = "; ".join(f"{c}: {', '.join(v)}" for c, v in params.shown_where.items())
        facts.append(f"only {kept}")
    return [*facts, REDACTED] if params.redact else facts


def summary(numbers: Numbers) -> str:
    """Return the headline as text for the body of a mail or for a chat, a line per figure."""
    figures = headline(
        numbers.rows, numbers.params, currency=numbers.currency, changes=numbers.changes
    )
    lines = [numbers.params.title, ", ".join(scope(numbers))]
    for question, members in groupby(figures, key=lambda figure: figure.question):
        lines += ["", question, *map(_line, members)]
    # What comes from the data cannot begin a line of its own.
    text = "\n".join(" ".join(line.split()) for line in lines)
    # The page's word joiners would be boxes in some mail readers.
    return text.replace("\u2060", "") + "\n"


def _line(figure: Figure) -> str:
    words = f"- {figure.name}: {figure.value}. {figure.verdict.text} ({figure.context})."
    return f"{words} {figure.change}." if figure.change else words
