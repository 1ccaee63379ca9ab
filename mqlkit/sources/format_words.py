"""What messages say of a format: its headers for a column, and why it does not read one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mqlkit.core.names import STAMPS
from mqlkit.core.needs import one_of
from mqlkit.sources.formats import Format, by_fold, matches


def in_formats(
    columns: Sequence[str], known: Iterable[Format], *, notes: Mapping[str, str] = {}
) -> str:
    """Join columns of which one is enough, dates of stages with their header in some formats.

    ``notes`` says of columns why nothing was read, if that is known.

    >>> from mqlkit.sources.formats import formats
    >>> in_formats(("accepted_at", "sql_at"), [formats()["plain"], formats()["hubspot"]])
    'accepted_at or sql_at (Became a Sales Qualified Lead Date)'
    """
    headers = dict(notes)
    for one in known:
        for column in (column for column in columns if column in STAMPS):
            # A name between slashes is a pattern.
            names = [n for n in one.columns.get(column, ()) if n != column and n[0] != "/"]
            if names:
                # A label, as a person sees it, rather than an internal name.
                headers.setdefault(column, next((n for n in names if " " in n), names[0]))
    return one_of([f"{c} ({headers[c]})" if c in headers else c for c in columns])


def told_by(found: Format) -> set[str]:
    """Return the headers that a format reads without any of our columns standing for them."""
    telling = {header for mapping in found.rows for header in mapping}
    return telling | {names[0] for names in found.json.values()}


def refused(found: Format, header: str) -> str | None:
    """Return why a format does not read a column that looks as if it should, or None."""
    folded = by_fold([header])
    return next((why for name, why in found.refuses.items() if matches([name], folded)), None)
