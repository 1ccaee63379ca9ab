"""How the dates of a column are written, decided from all its values at once.

What a column may be is decided from its shapes and from how large its first and second numbers get.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mqlkit.core.errors import SourceError, report
from mqlkit.sources.dialect.date_styles import style_of
from mqlkit.sources.dialect.evidence import (
    Ambiguity,
    OrderEvidence,
    Shape,
    contradictions_of,
    groups_of,
    order_evidence,
)
from mqlkit.sources.dialect.languages import LANGUAGES
from mqlkit.sources.dialect.written_dates import Rewriting

ORDERS = ("ymd", "dmy", "mdy")
DIRECTIVES = "aAwdbBmyYHIpMSfgnjzZUWcxX%"
# A pattern that reads ISO 8601 with day and month exchanged.
BELIES_ISO = re.compile(r"%Y[-/]%-?d\b")
NAMES_DAY = re.compile(r"%-?[djcxU]")
SAID = {
    "serial": "Excel's day numbers",
    "epoch-s": "seconds since 1970 (UTC)",
    "epoch-ms": "milliseconds since 1970 (UTC)",
}
SAID_ORDER = {
    "dmy": "day, month, year",
    "mdy": "month, day, year",
    "ymd": "year, month, day",
}
# How a spreadsheet writes the dates that it has converted, and the same with day and month
# exchanged.
FEWEST_CONVERTED = 3
CONVERTED = {
    "9999-99-99": "%Y-%d-%m",
    "9999-99-99 99:99:99": "%Y-%d-%m %H:%M:%S",
    "9999-99-99T99:99:99": "%Y-%d-%mT%H:%M:%S",
}


@dataclass(frozen=True)
class DateReading:
    """How the dates of one column are read.

    Attributes
    ----------
    order
        ``iso``, ``ymd``, ``dmy``, ``mdy``, ``mixed`` (dmy here, mdy there) or ``pattern``.
    patterns, utc_patterns, zoned_patterns
        strptime patterns of local stamps, of stamps that say they are UTC, and of stamps that
        carry their offset or zone.
    numbers
        ``serial`` (days of Excel), ``epoch-s`` or ``epoch-ms`` where plain numbers are read so.
    has_loose
        Whether there is ISO 8601 that the engine reads only once it is tidied.
    reads_iso
        Whether ISO 8601 is read beside it.
    rewriting
        How its texts are rewritten first.
    has_placeholders
        Whether days that programs write for a missing one are missing.
    contradictions
        Values that contradict the order of day and month in the rest of the column.
    words
        The decision, said.
    """

    order: str = "iso"
    patterns: tuple[str, ...] = ()
    utc_patterns: tuple[str, ...] = ()
    zoned_patterns: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    has_loose: bool = False
    reads_iso: bool = True
    rewriting: Rewriting | None = None
    has_placeholders: bool = False
    contradictions: int = field(default=0, compare=False)
    words: str = field(default="ISO 8601", compare=False)
    examples: tuple[str, ...] = field(default=(), compare=False)


def check_dates(dates: str) -> None:
    """Refuse what is neither an order, nor a pattern, nor a language.

    Raises
    ------
    SourceError
        When it is none of these.
    """
    if dates in ("auto", *ORDERS, *LANGUAGES) or is_pattern(dates):
        return
    raise SourceError(
        report(
            f"dates: {dates!r} is unknown.",
            expected="auto, ymd, dmy, mdy or a pattern such as %d.%m.%Y %H:%M",
        )
    )


def is_pattern(dates: str) -> bool:
    """Return whether it is a strptime pattern."""
    return "%" in dates and not set(re.findall(r"%-?(.)", dates)) - set(DIRECTIVES)


def belies_iso(pattern: str) -> bool:
    """Return whether a pattern reads ISO 8601 as another day.

    >>> belies_iso("%Y-%d-%m"), belies_iso("%Y-%m-%d %H:%M")
    (True, False)
    """
    return bool(BELIES_ISO.match(pattern))


def names_no_day(pattern: str) -> bool:
    """Return whether a pattern tells a month only."""
    return not NAMES_DAY.search(pattern)


def decide_dates(
    shapes: Sequence[Shape], *, given: str, why: str = "as given"
) -> DateReading | Ambiguity:
    """Return how a column is to be read, or why the values do not decide it.

    Parameters
    ----------
    shapes
        All shapes of its values.
    given
        ``auto``, or what the user or the format says.
    why
        What decides it where it is not ``auto``.

    Examples
    --------
    >>> decide_dates([Shape("9/99/9999", 2, first_over=0, second_over=1)], given="auto").order
    'mdy'
    >>> decide_dates([Shape("9/9/9999", 2, differing=1)], given="auto").answers
    ('dates: dmy', 'dates: mdy')
    """
    if is_pattern(given):
        return _by_pattern(shapes, given)
    evidence = order_evidence(shapes)
    groups = groups_of(shapes)
    for group, seen in evidence.items():
        if {given, seen.order} == {"dmy", "mdy"} and seen.is_clear:
            found = tuple(e for s in groups[group] for e in s.examples)[:3]
            return _contradiction(given, seen, found)
    if given == "auto" and (ambiguity := _half_converted(shapes, evidence)):
        return ambiguity
    orders = {g: _order(groups[g], v, given) for g, v in evidence.items()}
    asked = [g for g, order in orders.items() if not order]
    if asked:
        return _ambiguity(shapes, evidence, asked)
    words = _why(evidence) if given == "auto" else why
    return _reading(shapes, orders, words, contradictions_of(shapes))


def _by_pattern(shapes: Sequence[Shape], pattern: str) -> DateReading | Ambiguity:
    """Return the reading by a pattern; what is written in quite another way is decided beside."""
    groups = groups_of(shapes)
    done = {id(s) for group in groups.values() if any(s.fits_pattern for s in group) for s in group}
    rest = [s for s in shapes if not s.fits_pattern and id(s) not in done]
    beside = decide_dates(rest, given="auto")
    if isinstance(beside, Ambiguity):
        return beside
    given = (pattern,)
    has_zone = bool(re.search(r"%[zZ]", pattern))
    return replace(
        beside,
        order="pattern",
        patterns=beside.patterns if has_zone else given + beside.patterns,
        zoned_patterns=given + beside.zoned_patterns if has_zone else beside.zoned_patterns,
        has_loose=beside.has_loose and not belies_iso(pattern),
        reads_iso=not belies_iso(pattern),
        words=f"as {pattern}, as given",
        examples=_examples(shapes),
    )


def _order(members: Sequence[Shape], seen: OrderEvidence, given: str) -> str:
    if given != "auto":
        return given
    if _may_be_year_first(members, seen):
        return ""
    if seen.order in ("dmy", "mdy"):
        return seen.order
    is_same = not seen.order and not any(s.differing for s in members)
    # Where day and month are equal in each, either order does.
    return "dmy" if is_same else ""


def _may_be_year_first(members: Sequence[Shape], seen: OrderEvidence) -> bool:
    """Return whether `26/01/02` may be 2 January 2026.

    A year of two digits stands last, unless these years are before 2010 and the first numbers could
    be later ones.
    """
    style = style_of(members[0].text)
    is_short = style is not None and style.is_short
    can_be = not any(s.second_over or s.first_early for s in members)
    return is_short and can_be and seen.order != "mdy" and any(s.third_early for s in members)


def _half_converted(
    shapes: Sequence[Shape], evidence: Mapping[str, OrderEvidence]
) -> Ambiguity | None:
    """Return the question about a column of which a spreadsheet may have converted a part.

    It makes dates of the texts that it can read in its own order of day and month, and leaves the
    others as they are.
    """
    dates = [s for s in shapes if s.is_iso and s.text in CONVERTED]
    left = [v for v in evidence.values() if v.order in ("dmy", "mdy")]
    n, n_left = sum(s.n for s in dates), sum(v.n for v in left)
    is_split = n and n_left and not any(s.late_days for s in dates)
    if (
        not is_split
        or n + n_left < FEWEST_CONVERTED
        or any(v.deciding < v.n for v in evidence.values())
    ):
        return None
    order = left[0].order
    words = (
        f"{n_left} of its dates fit only {SAID_ORDER[order]}, and the other {n} are year-month-day "
        "with days up to 12: a spreadsheet may have converted these with day and month the other "
        f"way round. `dates: {order}` says that they are right, the pattern that they are "
        "exchanged; best export the file again without opening it in a spreadsheet"
    )
    most = max(dates, key=lambda s: s.n)
    texts = [s for s in shapes if not s.is_iso and s.n]
    found = (*most.examples[:1], *(e for s in texts for e in s.examples))[:3]
    return Ambiguity(words, (f"dates: {order}", f'dates: "{CONVERTED[most.text]}"'), found)


def _why(evidence: Mapping[str, OrderEvidence]) -> str:
    deciding, n = sum(v.deciding for v in evidence.values()), sum(v.n for v in evidence.values())
    found = {v.order for v in evidence.values() if v.order}
    if not found:
        return "day and month are equal in each"
    if len(found) > 1:
        return f"{deciding} of {n} values tell which"
    never = {"dmy": "month first", "mdy": "day first"}[found.pop()]
    return f"{deciding} of {n} values cannot be {never}"


def _contradiction(given: str, seen: OrderEvidence, found: tuple[str, ...]) -> Ambiguity:
    only = SAID_ORDER[seen.order]
    words = f"dates: {given}, but {seen.deciding} of its {seen.n} dates fit only {only}"
    return Ambiguity(words, (f"dates: {seen.order}",), found)


def _ambiguity(
    shapes: Sequence[Shape], evidence: Mapping[str, OrderEvidence], asked: Sequence[str]
) -> Ambiguity:
    """Return the question about the groups whose order nothing tells."""
    split = [g for g in asked if evidence[g].order == "both"]
    asked = split[:1] or asked
    members = [s for g in asked for s in groups_of(shapes)[g]]
    n = sum(evidence[g].n for g in asked)
    words = f"each of its {n} dates can be read day first and month first"
    if answers := _year_first_answers(evidence, groups_of(shapes), asked):
        found = tuple(e for s in members for e in s.examples)[:3]
        return Ambiguity(f"each of its {n} dates can be read year first", answers, found)
    if split:
        seen = evidence[split[0]]
        words = f"{seen.deciding} of its {n} dates fit only day first, "
        words += f"{seen.contradictions} only month first"
    elif len(asked) < len(evidence):
        words = f"each of {n} of its dates can be read day first and month first"
    styles = [style for s in members if (style := style_of(s.text))]
    pairs = {(style.ordered("dmy"), style.ordered("mdy")) for style in styles}
    return Ambiguity(
        words,
        ("dates: dmy", "dates: mdy"),
        tuple(e for s in members for e in s.examples)[:3],
        patterns=tuple(f'dates: "{p}"' for p in pairs.pop()) if len(pairs) == 1 else (),
    )


def _year_first_answers(
    evidence: Mapping[str, OrderEvidence],
    groups: Mapping[str, Sequence[Shape]],
    asked: Sequence[str],
) -> tuple[str, ...]:
    if not any(_may_be_year_first(groups[g], evidence[g]) for g in asked):
        return ()
    is_open = any(not evidence[g].order for g in asked)
    return ("dates: ymd", "dates: dmy", *(["dates: mdy"] if is_open else []))


def _reading(
    shapes: Sequence[Shape], orders: Mapping[str, str], why: str, contradictions: int
) -> DateReading:
    styles = [style for s in shapes if not s.is_iso and (style := style_of(s.text))]
    written = [
        s for s in styles if s.kind == "pattern" and (s.is_short or orders.get(s.group) != "ymd")
    ]
    patterns = {s.ordered(orders.get(s.group, "")): s.zone for s in written}
    by_zone = {
        zone: tuple(p for p, z in patterns.items() if z == zone)
        for zone in ("local", "utc", "offset")
    }
    numbers = _numbers(shapes)
    used = {orders[s.group] for s in written if s.group}
    if used:
        order = used.pop() if len(used) == 1 else "mixed"
        said = SAID_ORDER.get(order, "day and month first, by how they are written") + f" ({why})"
    else:
        order = "ymd" if patterns or numbers else "iso"
        said = ", ".join(p.replace("%", "") for p in list(patterns)[:2])
    return DateReading(
        order,
        patterns=by_zone["local"],
        utc_patterns=by_zone["utc"],
        zoned_patterns=by_zone["offset"],
        numbers=numbers,
        has_loose=any(s.kind == "loose" for s in styles),
        contradictions=contradictions,
        words="; ".join(w for w in (said, *(SAID[n] for n in numbers)) if w) or "ISO 8601",
        examples=_examples(shapes),
    )


def _numbers(shapes: Sequence[Shape]) -> tuple[str, ...]:
    """Return the kinds of numbers that are dates; a few numbers among other dates are none."""
    kinds = [(style.kind, s.n) for s in shapes if (style := style_of(s.text))]
    found = tuple(dict.fromkeys(kind for kind, _ in kinds if kind in SAID))
    n = sum(n for kind, n in kinds if kind in SAID)
    return found if 2 * n > sum(s.n for s in shapes) else ()


def _examples(shapes: Sequence[Shape]) -> tuple[str, ...]:
    most = sorted(shapes, key=lambda s: -s.n)
    firsts = [s.examples[0] for s in most if s.examples]
    rest = [e for s in most for e in s.examples[1:]]
    return tuple(dict.fromkeys([*firsts, *rest]))[:3]
