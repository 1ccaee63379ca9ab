"""Columns that nothing is read from yet, and which of our columns they could be.

What a column holds is judged by the first rows of its file; only a person can say what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache

from mqlkit.core.errors import SourceError
from mqlkit.core.names import STAMPS
from mqlkit.sources.cells import NOTHING, day, rewritten, timestamp
from mqlkit.sources.dialect.date_survey import survey_dates
from mqlkit.sources.dialect.dates import ORDERS, DateReading, decide_dates
from mqlkit.sources.dialect.evidence import Ambiguity
from mqlkit.sources.files import Export
from mqlkit.sources.format_words import refused
from mqlkit.sources.formats import fold, formats, known_headers, pattern_of, squeeze
from mqlkit.sources.local_times import local_timestamp
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.spend import has_days
from mqlkit.sources.sql import FILE, Values, quote

DATES_OF = {
    "leads": STAMPS,
    "history": ("at",),
    "spend": ("date", "date_from", "date_to"),
    "goals": ("month",),
}
DATES = tuple(column for columns in DATES_OF.values() for column in columns)
NUMBERS = ("amount", "mqls", "sqls", "spend")
# This share of the values decides what a column holds.
MOST = 0.8
# A name with this score tells which column it is; one of the second suggests it.
TELLING, SUGGESTING, LIKE = 0.8, 0.6, 0.6
# Values of which nearly all differ are no group; of fewer values than these, nothing follows.
MOST_DISTINCT, FEWEST_VALUES = 0.9, 8
# The share of rows with the dates in order from which on they are.
IN_ORDER = 0.95
LONGEST_DATE = 60
LOOKS_DATED = re.compile(
    r"\d.*[-/.: ,年].*\d|\d+\s*[^\W\d_]{3}|[^\W\d_]{3}\.?[\s/-]*\d{4}|^\d{13}$"
)
LOOKS_NUMERIC = re.compile(r"[^\w]*[A-Z]{0,3}[^\w]*\d[\d\s.,'’]*[^\w]*[A-Za-z]{0,3}[^\w]*")
# What happened last is not what happened first, and people are born before they are leads.
NO_STAGE = re.compile(
    r"\b(last|latest|recent|next|modified|updated|letzte|zuletzt|derni|últim|ultim)"
    r"|\b(birth|born|dob|geb(urt|oren)|naiss|nacim|nascita|nascim)|geboorte|誕生|生年"
)
# Words of a header that name one of our columns, in the languages whose headers are known.
WORDS = {
    "lead_id": r"\b(id|nr|no|key|uuid|guid|kennung|nummer|number|kood)\b|id\b",
    "created_at": r"creat|\bentered|received|added|\bregist\w+|first (contact|seen|visit)|angelegt"
    r"|erstell|ein(ge)?gang|cr[ée]{2}|creado|loodud|aanmaak|skapad|utworz|luotu|anfrage"
    r"|\b(inquir|enquir|submi(t|ss)|opt.?in|sign.?up)|\b(lead|request) (date|time|on|at)$"
    r"|(date|time) of (lead|request)$",
    "mql_at": r"\bmqls?\b(?!.?id)|mql\b(?!.?id)|marketing.{0,3}qualif|qualif.*marketing",
    "contacted_at": r"contacted|first (call|touch|outreach|e-?mail|response)|\bcall(ed)?\b|reached",
    "accepted_at": r"accept|\bsal\b|hand.?(over|off)|taken over|akzept|angenommen|übernomm"
    r"|überg[ae]b|aceptad",
    "rejected_at": r"reject|declin|disqualif|unqualif|recycl|refus|\blost\b|abgelehnt|verworfen",
    "sql_at": r"\bsql|sql\b|sales.?qualif|qualif.*\b(sales|vendit|vent[ae]s|vendas|vertrieb)"
    r"|\bqualif(ied|iziert|ié)|opportunit|verkaufschance",
    "won_at": r"\bwon\b|closed|\bclose date|\bdeal|customer|\bkunde|gewonnen|abschlu|gagn|ganad"
    r"|^(?!.*(meeting|demo|call|visit|appointment)).*\bbook(ing|ed)\b",
    "owner": r"owner|assign|\brep\b|salesperson|agent|\b[sb]dr\b|besitzer|zuständig|vertriebler"
    r"|verkäufer|\brespons[ai]b\w+|omanik|eigenaar",
    "source": r"source|origin|channel|quelle|herkunft|kanal|origen|fuente|allikas|bron\b",
    "campaign": r"campaign|kampagne|campagne|campaña|kampaania",
    "at": r"\bdate\b|time|changed|edit|\bat\b|\bon\b|when|datum|zeit|fecha",
    "stage": r"new|stage|status|\bto\b|phase|stufe|neu",
    "date": r"\bday\b|date|datum|\btag\b|jour|fecha",
    "month": r"month|monat|mois|mes\b|kuu",
    "amount": r"cost|spen[dt]|amount|spend|kosten|betrag|coût|importe|kulu",
    "channel": r"channel|campaign|source|platform|kanal|kampagne|class",
    "currency": r"currency|währung|devise|moneda|valuuta",
    "mqls": r"\bmqls?\b(?!.?id)|goal|target|plan|ziel",
}
# Which qualification is meant is open.
SUGGESTS = {"mql_at": r"\bqualif"}
# A text or number with the name of one of these is no other one.
APART = ("lead_id", "owner", "source", "campaign", "stage", "amount", "rejected_at")


@dataclass(frozen=True)
class UnreadColumn:
    """A column that nothing is read from.

    Attributes
    ----------
    file, header
        Where it is.
    kind
        What its values are: ``date``, ``number``, ``text`` or ``empty``.
    examples
        Up to three of its values, as written.
    is_distinct
        Whether each row has a value of its own.
    is_varied
        Whether hardly any value occurs twice, as in ids and notes.
    is_first
        Of dates, whether no other date of the row is before it.
    follows
        Of dates, the share of rows on which they are not before the lead was created; None where
        that is not known.
    """

    file: str
    header: str
    kind: str
    examples: tuple[str, ...]
    is_distinct: bool = False
    is_varied: bool = False
    is_first: bool = False
    follows: float | None = None


def unread_columns(
    reader: Reader, exports: Sequence[Export], spec: TableSpec
) -> Iterator[UnreadColumn]:
    """Yield the columns of each file that nothing is read from, a header of several files once.

    Those that the format refuses are left out.
    """
    seen: set[str] = set()
    for export in exports:
        used = {export.header_of(ours) for ours in export.recognized.columns}
        unread = [h for h in export.header if h not in used and fold(h) not in seen]
        headers = [h for h in unread if not refused(export.recognized.format, h)]
        seen |= set(map(fold, headers))
        yield from _judged(reader, export, headers, spec)


def _judged(
    reader: Reader, export: Export, headers: Sequence[str], spec: TableSpec
) -> Iterator[UnreadColumn]:
    read = [c for c in DATES_OF[spec.table] if c in export.recognized.columns]
    there = dict.fromkeys([*headers, *(h for c in read if (h := export.header_of(c)) is not None)])
    cells = {header: cells_of(export, header) for header in there}
    dated = {h: texts for h, texts in cells.items() if _may_be_dates(texts)}
    days = _days(reader, dated, spec)
    found = [_column(export.name, h, cells[h], days.get(h)) for h in headers]
    created = export.header_of("created_at") if "created_at" in read else _named_created(found)
    stages = {h: texts for h, texts in days.items() if not NO_STAGE.search(fold(h))}
    for column in found:
        is_later = column.kind == "date" and created in days and column.header != created
        share = _share_after(days[created], days[column.header]) if created and is_later else None
        yield replace(column, follows=share, is_first=_is_first(column.header, stages))


def _named_created(columns: Sequence[UnreadColumn]) -> str | None:
    """Return the header that sounds like the creation of the lead."""
    first = next(iter(ranked("created_at", columns)), None)
    is_named = first is not None and name_score(first.header, "created_at") > LIKE / 2
    return first.header if first is not None and is_named else None


def cells_of(export: Export, header: str) -> list[str]:
    """Return the first cells of a column; empty text where there is nothing."""
    place = export.header.index(header)
    found = [row[place].strip() if len(row) > place else "" for row in export.sample]
    return ["" if cell in NOTHING else cell for cell in found]


def _column(
    file: str, header: str, texts: Sequence[str], days: Sequence[str] | None
) -> UnreadColumn:
    values = [text for text in texts if text]
    kind = "text"
    if not values:
        kind = "empty"
    elif days and sum(map(bool, days)) >= MOST * len(values):
        kind = "date"
    elif sum(bool(LOOKS_NUMERIC.fullmatch(v)) for v in values) >= MOST * len(values):
        kind = "number"
    distinct = tuple(dict.fromkeys(values))
    return UnreadColumn(
        file,
        header,
        kind,
        distinct[:3],
        is_distinct=bool(values) and len(distinct) == len(texts),
        is_varied=len(distinct) >= max(FEWEST_VALUES, MOST_DISTINCT * len(values)),
    )


def _may_be_dates(texts: Sequence[str]) -> bool:
    values = [text for text in texts if text]
    fitting = [v for v in values if len(v) <= LONGEST_DATE and LOOKS_DATED.search(v)]
    return bool(values) and len(fitting) >= MOST * len(values)


def _days(
    reader: Reader, cells: Mapping[str, Sequence[str]], spec: TableSpec
) -> dict[str, list[str]]:
    """Return the day of each cell as ISO text, by column; empty where it is none."""
    if not cells:
        return {}
    values = Values()
    names = {header: quote(f"c{n}") for n, header in enumerate(cells)}
    lists = [
        f"nullif(unnest(CAST({values.bind(list(texts))} AS VARCHAR[])), '') AS {names[header]}"
        for header, texts in cells.items()
    ]
    table = reader.create(f"SELECT 0 AS {FILE}, {', '.join(lists)}", values)
    headers = {header: header for header in cells}
    try:
        survey = survey_dates(reader.backend, spec, [(table, names)], [""], headers, [*cells], {})
    except SourceError:
        # Their zones or their language must be named before anything can be said.
        return {}
    found = {}
    for header, name in names.items():
        shapes = survey.shapes.get((header, ""), [])
        reading = decide_dates(shapes, given="auto")
        if isinstance(reading, Ambiguity):
            given = spec.dates if spec.dates in ORDERS else "dmy"
            reading = decide_dates(shapes, given=given)
        if isinstance(reading, DateReading):
            found[header] = _read_days(reader, table, name, survey.complete(header, reading))
    return found


def _read_days(reader: Reader, table: str, cell: str, reading: DateReading) -> list[str]:
    values = Values()
    text = rewritten(cell, reading.rewriting, values) if reading.rewriting else cell
    at = local_timestamp(timestamp("text", reading, values), values.bind("UTC"))
    query = f"""
        SELECT coalesce(CAST(CAST({at} AS DATE) AS VARCHAR), CAST({day("text", reading, values)} AS
        VARCHAR), '') FROM (SELECT {text} AS text FROM {table})
    """  # noqa: S608
    return [text for (text,) in reader.rows(query, values)]


def _share_after(before: Sequence[str], after: Sequence[str]) -> float | None:
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a and b]
    return sum(b >= a for a, b in pairs) / len(pairs) if pairs else None


def _is_first(header: str, days: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the dates of a column are before all others of their rows, nearly always."""
    if header not in days:
        return False
    others = [texts for each, texts in days.items() if each != header]
    rows = zip(days[header], zip(*others, strict=True), strict=True) if others else []
    pairs = [(own, min(filter(None, rest))) for own, rest in rows if own and any(rest)]
    return bool(pairs) and sum(own <= other for own, other in pairs) >= IN_ORDER * len(pairs)


def lacking(export: Export, spec: TableSpec, *, has_history: bool) -> list[str]:
    """Return the columns without which a file cannot be read, as far as it lacks them."""
    there = {*export.recognized.columns, *export.recognized.format.json}
    needed = {
        "leads": ["lead_id"] if has_history else ["lead_id", "mql_at"],
        "history": ["lead_id", "at"] if spec.stage else ["lead_id", "at", "stage"],
        "spend": ["amount"] if has_days(export) else ["date", "amount"],
        "goals": ["month", "mqls"],
    }
    return [column for column in needed[spec.table] if column not in there]


# --- Which of our columns they could be


def ranked(ours: str, columns: Sequence[UnreadColumn]) -> list[UnreadColumn]:
    """Return the columns that could be a canonical one, the likeliest first.

    Dates are ranked by their name, and by whether they follow the creation of the lead.

    Parameters
    ----------
    ours
        Our name: ``mql_at``, ``owner``, ...
    columns
        All columns that nothing is read from.

    Examples
    --------
    >>> made = UnreadColumn("a.csv", "Made", "date", ("2026-01-05",))
    >>> mql = UnreadColumn("a.csv", "MQL on", "date", ("2026-01-07",), follows=1.0)
    >>> note = UnreadColumn("a.csv", "MQL note", "text", ("by hand",))
    >>> [column.header for column in ranked("mql_at", [made, mql, note])]
    ['MQL on', 'Made']
    """
    kinds = ("date",) if ours in DATES else ("number",) if ours in NUMBERS else ("text", "number")
    fitting = [c for c in columns if c.kind in kinds]
    if ours not in (*DATES, *NUMBERS):
        fitting = [c for c in fitting if _is_plausible(ours, c)] or fitting
    if ours in STAMPS:
        fitting = [c for c in fitting if not NO_STAGE.search(fold(c.header))] or fitting
    return sorted(fitting, key=lambda c: (-name_score(c.header, ours), *_fit(ours, c)))


def _fit(ours: str, column: UnreadColumn) -> tuple[float, ...]:
    """Return how little the values of a column are like those of a canonical column."""
    if ours == "lead_id":
        return (not column.is_distinct,)
    if ours == "created_at":
        return (not column.is_first,)
    return (column.is_first, -(column.follows or 0.0))


def _is_plausible(ours: str, column: UnreadColumn) -> bool:
    """Return whether text or numbers may be one of our columns, as far as name and values say."""
    if name_score(column.header, ours) >= TELLING:
        return True
    if any(name_score(column.header, each) >= TELLING for each in APART if each != ours):
        return False
    return ours == "lead_id" or (column.kind == "text" and not column.is_varied)


def name_score(header: str, ours: str) -> float:
    """Return how much a header sounds like one of our columns, from 0 to 1.

    >>> name_score("Lead Owner", "owner"), name_score("MQL since", "mql_at")
    (1.0, 0.8)
    """
    if squeeze(header) in _known(ours):
        return 1.0
    if ours in STAMPS and NO_STAGE.search(fold(header)):
        return 0.0
    words = fold(header).replace("_", " ")
    is_mql = ours == "sql_at" and re.search(WORDS["mql_at"], words)
    if ours in WORDS and re.search(WORDS[ours], words) and not is_mql:
        return TELLING
    if ours in SUGGESTS and re.search(SUGGESTS[ours], words) and "sales" not in words:
        return SUGGESTING
    likeness = SequenceMatcher(None, squeeze(header), squeeze(ours)).ratio()
    return likeness / 2 if likeness >= LIKE else 0.0


@cache
def _known(ours: str) -> frozenset[str]:
    """Return every header that a format knows for one of our columns, squeezed."""
    tables = ("leads", "history", "spend", "goals")
    found = {
        squeeze(name)
        for each in formats().values()
        for table in tables
        if each.table in (table, "any")
        for column, names in known_headers(each, table).items()
        if column == ours
        for name in names
        if not pattern_of(name)
    }
    return frozenset(found)


# --- Whether the day or the month comes first


def dates_in(exports: Sequence[Export], table: str) -> list[str]:
    """Return the first dates of the columns of a table that are read as dates."""
    return [
        text
        for export in exports
        for column in DATES_OF[table]
        if (header := export.header_of(column)) is not None
        for text in cells_of(export, header)
    ]


NUMERIC_DATE = re.compile(r"^(\d\d?)[./-](\d\d?)[./-](\d{4}|\d\d)\b")


def likely_order(texts: Sequence[str]) -> str:
    """Return which of ``dmy`` and ``mdy`` dates that fit both are probably in.

    Read in the right order, dates of an export lie closer together.

    >>> likely_order(["01/02/2026", "02/02/2026", "03/02/2026"])
    'dmy'
    >>> likely_order(["01/02/2026", "01/03/2026", "01/04/2026"])
    'mdy'
    """
    if not any(texts):
        return ""
    found = [tuple(map(int, match.groups())) for t in texts if (match := NUMERIC_DATE.match(t))]
    if not found:
        return "dmy"
    spans = {
        "dmy": [year * 372 + second * 31 + first for first, second, year in found],
        "mdy": [year * 372 + first * 31 + second for first, second, year in found],
    }
    # With nothing between them, more countries write the day first; with slashes, one does not.
    return min(spans, key=lambda order: max(spans[order]) - min(spans[order]))
