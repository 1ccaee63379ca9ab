"""Validators of parameters: each checks one value and converts it to its type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mqlkit.core.errors import ParamsError, report, shortened, unknown_name
from mqlkit.core.metrics import METRICS
from mqlkit.core.periods import GRAINS, YEARS, AsOf, Calendar
from mqlkit.core.text import exactly, visible
from mqlkit.core.work_week import parse_work_week

HOURS_IN = {"m": 1 / 60, "min": 1 / 60, "h": 1}
HOURS = {**HOURS_IN, "d": 24, "w": 168}
# Of an SLA: ten years. The working hours of a century take minutes to compute.
MOST_HOURS = 24 * 3650
COMPARISON = re.compile(r"\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*")
RULE_KEYS, RULES = ("where", "sla", "clock"), "[{where: {source: [Demo]}, sla: 1h}]"
# `fail_on` and `warn_on` accept this share as well as metrics.
SET_ASIDE = "rows_set_aside"
CHOICES: dict[str, tuple[str, ...]] = {
    "grain": GRAINS,
    "passes": ("first", "last", "every"),
    "sla_clock": ("calendar", "business"),
    "sla_stops_on": ("decision", "contact"),
    "language": ("en",),
}


def split_sla(text: str, name: str = "sla") -> tuple[float, str]:
    """Return the number and the unit of a duration such as ``48h``.

    >>> split_sla("1.5 d")
    (1.5, 'd')
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(min|m|h|d|w)", text.strip().lower())
    if not match or not 0 < float(match[1]) * HOURS[match[2]] <= MOST_HOURS:
        what = "is not a duration with a unit"
        if match and float(match[1]) > 0:
            what = f"is longer than {MOST_HOURS // 24:,} days"
        raise ParamsError(
            report(
                f"{name} {shortened(text)} {what}.",
                expected="a number above zero and min, h, d or w",
                fix='write for example "48h" or "2d"',
            )
        )
    return float(match[1]), match[2]


def sla_words(text: str, clock: str = "calendar") -> str:
    """Format an SLA.

    >>> sla_words("48h"), sla_words("1d", "business"), sla_words("4.92308h")
    ('48 hours', '1 working day', '4.9 hours')
    """
    number, unit = split_sla(text)
    name = {"m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}[unit]
    working = "working " if clock == "business" else ""
    shown = exactly(number) if number >= 1 else f"{number:.2g}"
    return f"{shown} {working}{name}{'' if number == 1 else 's'}"


def _wrong(name: str, value: object, expected: str, fix: str = "") -> ParamsError:
    headline = f"{name} {shortened(value)} is not usable."
    return ParamsError(report(headline, expected=expected, fix=fix))


def _text(value: object, name: str) -> str:
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return value.strip()
    raise _wrong(name, value, "text")


def _choice(value: object, name: str, choices: Sequence[str] = ()) -> str:
    known = choices or CHOICES[name]
    text = _text(value, name).lower()
    if text not in known:
        raise ParamsError(unknown_name(name, "choice", text, known))
    return text


def _count(
    value: object, name: str, least: int = 1, most: int = 10_000, *, beside: str = ""
) -> int:
    # Longer ones are out of range, and Python does not convert them beyond 4,300 digits.
    short = r"-?\d{1,20}"
    whole = int(value) if isinstance(value, str) and re.fullmatch(short, value.strip()) else value
    if isinstance(whole, bool) or not isinstance(whole, int) or not least <= whole <= most:
        raise _wrong(name, value, f"{beside}a whole number from {least} to {most}")
    return whole


def _fiscal_start(value: object, name: str) -> int:
    return _count(value, name, 1, 12)


def _period(value: object, name: str) -> str:
    # `period: 2026` is a number in YAML.
    return (
        str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value, name)
    )


def _check_period(value: object, name: str) -> str:
    text = _period(value, name)
    # Relative periods need an as-of date. Any date shows whether the text can be read.
    Calendar().resolve(text, AsOf.end_of(date(2026, 6, 30), ZoneInfo("UTC")))
    return text


def _zone(value: object, name: str) -> str | None:
    if value is None:
        return None
    text = _text(value, name)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong(name, value, "an IANA name, such as Europe/Tallinn or UTC") from None
    return text


def _as_of(value: object, name: str) -> str:
    text = value.isoformat() if isinstance(value, date) else _text(value, name)
    if text in {"auto", "now"}:
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(
            name,
            value,
            "auto, now, a date (2026-03-31) or a timestamp (2026-03-31T18:00:00Z)",
            "write an existing date in one of these forms",
        ) from None
    first, end = YEARS
    if not first <= at.year < end:
        raise _wrong(name, value, f"a year from {first} to {end - 1}")
    return text


def _lag(value: object, name: str) -> str | int:
    return "auto" if value == "auto" else _count(value, name, 0, 3650, beside="auto, or ")


def _within(value: object, name: str) -> int | None:
    return None if value is None else _count(value, name, 0, 3650, beside="null, or ")


def _sla(value: object, name: str) -> str:
    split_sla(str(value), name)
    return str(value).strip().lower()


def _rules(value: object, name: str) -> list[dict[str, Any]]:
    if value is not None and not isinstance(value, list | tuple):
        raise _wrong(name, value, f"a list of rules, such as {RULES}")
    return [_rule(rule, f"{name}, rule {n}") for n, rule in enumerate(value or (), start=1)]


def _rule(rule: object, name: str) -> dict[str, Any]:
    if not isinstance(rule, Mapping):
        raise _wrong(name, rule, f"where and sla, as in {RULES}")
    for key in rule:
        if key not in RULE_KEYS:
            raise ParamsError(unknown_name(name, "key", str(key), RULE_KEYS))
    missing = [key for key in ("where", "sla") if not rule.get(key)]
    if missing:
        fix = "the SLA of all other leads is the parameter sla" if "where" in missing else ""
        headline = f"{name} has no {' and no '.join(missing)}."
        raise ParamsError(report(headline, expected=f"where and sla, as in {RULES}", fix=fix))
    found = {"where": _where(rule["where"], f"{name}, where"), "sla": _sla(rule["sla"], name)}
    if rule.get("clock") is None:
        return found
    return {**found, "clock": _choice(rule["clock"], f"{name}, clock", CHOICES["sla_clock"])}


def _optional_text(value: object, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _work_week(value: object, name: str) -> str:
    text = _text(value, name)
    parse_work_week(text)
    return text


def _holidays(value: object, name: str) -> str | None:
    if value is False:
        raise _wrong(name, "false", "a country code or null", 'Norway is written "NO", in quotes')
    return None if value is None else _text(value, name)


def _by(value: object, name: str) -> list[str]:
    if value is None:
        return []
    columns = [value] if isinstance(value, str) else value
    if not isinstance(columns, list | tuple) or not all(isinstance(c, str) for c in columns):
        raise _wrong(name, value, "a list of columns, such as [source, owner]")
    return list(dict.fromkeys(columns))


def _where(value: object, name: str) -> dict[str, list[str]]:
    if not isinstance(value, Mapping | None):
        raise _wrong(name, value, "columns with lists of values, such as {country: [EE, LV]}")
    lists = {
        str(column): list(kept) if isinstance(kept, list | tuple) else [kept]
        for column, kept in (value or {}).items()
    }
    if any(isinstance(v, bool) for kept in lists.values() for v in kept):
        raise _wrong(name, value, "texts", "put yes, no, on, off and NO (Norway) in quotes")
    if any("\0" in str(v) for kept in lists.values() for v in kept):
        raise _wrong(name, value, "texts without a NUL character")
    return {column: [visible(str(v)) for v in kept] for column, kept in lists.items()}


def _switch(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(name, value, "true or false")


def _share(value: object, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise _wrong(name, value, "a share from 0 to 1, such as 0.05")


def _limits(value: object, name: str) -> dict[str, str]:
    if not isinstance(value, Mapping | None):
        raise _wrong(name, value, 'metrics with limits, such as {sla_attainment: "< 0.8"}')
    for metric, limit in (value or {}).items():
        if metric not in METRICS and metric != SET_ASIDE:
            raise ParamsError(unknown_name(name, "metric", str(metric), [*METRICS, SET_ASIDE]))
        if not COMPARISON.fullmatch(str(limit)):
            raise _wrong(f"{name}.{metric}", limit, 'a comparison, such as "< 0.8" or "> 900"')
    return {str(m): str(limit) for m, limit in (value or {}).items()}


def _rolling(value: object, name: str) -> int:
    return _count(value, name, 1, 120)


def _report_name(value: object, name: str) -> str:
    text = _text(value, name)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise _wrong(name, value, "the name of a notebook in notebooks/, without .ipynb")
    return text


CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "report": _report_name,
    "title": lambda value, name: (
        str(value) if isinstance(value, int | float) else _text(value, name)
    ),
    "source": _text,
    "period": _check_period,
    "grain": _choice,
    "fiscal_year_start": _fiscal_start,
    "timezone": _zone,
    "as_of": _as_of,
    "lag_days": _lag,
    "rolling": _rolling,
    "within_days": _within,
    "passes": _choice,
    "sla": _sla,
    "sla_clock": _choice,
    "sla_stops_on": _choice,
    "sla_rules": _rules,
    "sla_warn": _share,
    "work_week": _work_week,
    "holidays": _holidays,
    "by": _by,
    "where": _where,
    "language": _choice,
    "redact": _switch,
    "max_set_aside": _share,
    "fail_on": _limits,
    "warn_on": _limits,
    "rates": _optional_text,
}
