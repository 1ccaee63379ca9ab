"""Some values of a column as they are read, for ``mqlkit check``."""

from __future__ import annotations

from collections.abc import Sequence

from mqlkit.sources.cells import day, money, rewritten, timestamp
from mqlkit.sources.dialect.dates import DateReading
from mqlkit.sources.dialect.numbers import NumberReading
from mqlkit.sources.local_times import local_timestamp
from mqlkit.sources.reader import Reader
from mqlkit.sources.sql import Values


def dates_read(reader: Reader, texts: Sequence[str], reading: DateReading, zone: str) -> list[str]:
    """Return dates as they are read, in the zone of the file."""
    values = Values()
    text = rewritten("written", reading.rewriting, values) if reading.rewriting else "written"
    local = local_timestamp(timestamp("text", reading, values), values.bind(zone))
    query = f"""
        SELECT written, {local}, {day("text", reading, values)}
        FROM (
            SELECT written, {text} AS text
            FROM (SELECT unnest(CAST({values.bind(list(texts))} AS VARCHAR[])) AS written)
        )
    """  # noqa: S608
    found = {text: at or date for text, at, date in reader.rows(query, values)}
    return [str(found[text] or "(not read)") for text in texts]


def numbers_read(reader: Reader, texts: Sequence[str], reading: NumberReading) -> list[str]:
    """Return numbers as they are read."""
    values = Values()
    query = (
        f"SELECT text, {money('text', reading)} "  # noqa: S608
        f"FROM (SELECT unnest(CAST({values.bind(list(texts))} AS VARCHAR[])) AS text)"
    )
    found = dict(reader.rows(query, values))
    return ["(not read)" if found[t] is None else f"{found[t].normalize():f}" for t in texts]
