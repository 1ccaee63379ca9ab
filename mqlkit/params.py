"""The parameters of one report: read, checked, with the nearest name for a wrong one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from mqlkit.errors import ParamsError, report, unknown_name
from mqlkit.periods import GRAINS, AsOf, Calendar
from mqlkit.terms import METRICS

HOURS_IN = {"m": 1 / 60, "min": 1 / 60, "h": 1, "d": 24, "w": 7 * 24}
COMPARISON = re.compile(r"\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*")


def option(default: Any, help_text: str) -> Any:
    """Return a dataclass field that carries its help text."""
    factory = {"default_factory": default} if callable(default) else {"default": default}
    return field(metadata={"help": help_text}, **factory)


@dataclass(frozen=True)
class ReportParams:
    """One report, as written in ``params/NAME.yaml`` or in a notebook's parameters cell."""

    report: str = option("mql_report", "the notebook")
    title: str = option("MQL report", "title of the page")
    source: str = option("../data/sample/source.yaml", "where the data is; beside the params file")
    period: str = option("last-quarter", "2026-01..2026-03, 2026-Q1, last-12-months, ...")
    grain: str = option("month", "week, month, quarter, half, year")
    fiscal_year_start: int = option(1, "month in which the fiscal year starts")
    timezone: str | None = option(None, "zone in which buckets are cut; null is that of the source")
    as_of: str = option("auto", "cut-off: auto is the latest stamp in the data; or a date, a stamp, now")
    lag_days: str | int = option("auto", "days from net-new to MQL; auto is measured")
    rolling: int = option(3, "buckets in the rolling cost per MQL")
    within_days: int | None = option(None, "count only SQLs this many days after MQL; null for all")
    passes: str = option("first", "recycled leads: first, last or every entry to MQL")
    sla: str = option("48h", "time sales has; with a unit: 90min, 48h, 2d")
    sla_clock: str = option("calendar", "calendar, or business for working time only")
    sla_stops_on: str = option("decision", "decision (accept or reject), or contact")
    work_week: str = option("Mon-Fri 09:00-17:00", "working days and hours of the business clock")
    holidays: str | None = option(None, "country of the public holidays, e.g. EE, US-CA; null for none")
    by: list[str] = option(lambda: ["source"], "breakdowns: any columns of the leads")
    where: dict[str, list[str]] = option(dict, "keep only these leads, e.g. {country: [EE, LV]}")
    language: str = option("en", "language of the page")
    redact: bool = option(False, "true: no ids or personal columns in the HTML")
    max_set_aside: float = option(0.05, "stop when a larger share of rows cannot be used")
    fail_on: dict[str, str] = option(dict, 'limits, e.g. {sla_attainment: "< 0.8"}')

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "grain": GRAINS,
        "passes": ("first", "last", "every"),
        "sla_clock": ("calendar", "business"),
        "sla_stops_on": ("decision", "contact"),
        "language": ("en",),
    }

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all parameters."""
        return [f.name for f in fields(cls)]

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], *, where: str = "parameters") -> ReportParams:
        """Return the checked parameters of a mapping.

        Parameters
        ----------
        given
            Names and values, as YAML or a notebook gives them.
        where
            The place named in messages, such as the file's path.

        Raises
        ------
        ParamsError
            With every fault found, one under the other.
        """
        known = cls.names()
        faults = [unknown_name(where, "parameter", str(n), known) for n in given if n not in known]
        values: dict[str, Any] = {}
        for name in known:
            if name not in given:
                continue
            try:
                values[name] = CHECKS[name](given[name], name)
            except ParamsError as error:
                faults.append(f"{where}: {error}")
        if faults:
            raise ParamsError("\n".join(faults))
        return cls(**values)

    @classmethod
    def from_cell(cls, namespace: Mapping[str, Any]) -> ReportParams:
        """Return the parameters that a notebook's parameters cell has set."""
        return cls.from_mapping({n: namespace[n] for n in cls.names() if n in namespace})

    @classmethod
    def read(cls, path: Path, overrides: Iterable[str] = ()) -> ReportParams:
        """Read a params file; ``overrides`` are ``name=value`` texts that win over it.

        A relative ``source`` is taken from the folder of the file and comes back absolute.
        """
        given = {**read_yaml(path), **dict(split_override(text) for text in overrides)}
        params = cls.from_mapping(given, where=str(path))
        return replace(params, source=str((path.parent / params.source).resolve()))

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the fiscal year."""
        return Calendar(self.fiscal_year_start)

    @property
    def sla_hours(self) -> float:
        """Return the SLA in hours; on a business clock a day is one working day, not 24 h."""
        number, unit = split_sla(self.sla)
        return number * HOURS_IN[unit]

    def to_dict(self) -> dict[str, Any]:
        """Return all parameters by name."""
        return {name: getattr(self, name) for name in self.names()}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; dates in it stay text.

    Raises
    ------
    ParamsError
        When there is no such file, or it is no YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ParamsError(report(f"{path}: there is no such file.")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(report(f"{path}: cannot be read ({error}).")) from None
    try:
        loaded = yaml.load(text, Loader=TextDatesLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f":{at.line + 1}" if at else ""
        what = getattr(error, "problem", None) or "not YAML"
        raise ParamsError(report(f"{path}{line}: is not valid YAML ({what}).")) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ParamsError(
            report(f"{path}: is not a list of `name: value` lines.", found=type(loaded).__name__)
        )
    return loaded


class TextDatesLoader(yaml.SafeLoader):
    """Safe YAML in which ``2026-01-31`` stays text, as papermill passes it on."""


TextDatesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def split_override(text: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``; the value is read as YAML."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ParamsError(
            report(f"-p {text!r} has no value.", expected="name=value, such as -p lag_days=45")
        )
    try:
        return name.strip(), yaml.load(value, Loader=TextDatesLoader)  # noqa: S506 - safe subclass
    except yaml.YAMLError:
        return name.strip(), value


def split_sla(text: str) -> tuple[float, str]:
    """Return number and unit of a duration such as ``48h``.

    >>> split_sla("1.5 d")
    (1.5, 'd')
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(min|m|h|d|w)", text.strip().lower())
    if not match or float(match[1]) <= 0:
        raise ParamsError(
            report(
                f"sla {text!r} is no duration with a unit.",
                expected="a number above zero and min, h, d or w",
                fix='write for example "48h" or "2d"',
            )
        )
    return float(match[1]), match[2]


def resolve_as_of(text: str, *, zone: ZoneInfo, latest: AsOf | None) -> AsOf:
    """Return the cut-off that ``as_of`` stands for.

    Parameters
    ----------
    text
        ``auto``, ``now``, an ISO date (the end of that day) or an ISO stamp.
    zone
        The report's zone, in which dates and stamps without an offset are read.
    latest
        The cut-off by the latest stamp in the data, which ``auto`` takes.
    """
    if text == "auto":
        if latest is None:
            raise ParamsError("as_of: auto needs a stamp in the data, and there is none.")
        return latest
    if text == "now":
        return AsOf.stamp(datetime.now(UTC), zone)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return AsOf.end_of(date.fromisoformat(text), zone)
    at = datetime.fromisoformat(text)
    return AsOf.stamp(at if at.tzinfo else at.replace(tzinfo=zone), zone)


def _wrong(name: str, value: object, expected: str, fix: str = "") -> ParamsError:
    return ParamsError(report(f"{name} {value!r} is not usable.", expected=expected, fix=fix))


def _text(value: object, name: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise _wrong(name, value, "text")


def _choice(value: object, name: str) -> str:
    choices = ReportParams.CHOICES[name]
    text = _text(value, name).lower()
    if text not in choices:
        raise ParamsError(unknown_name(name, "choice", text, choices))
    return text


def _count(value: object, name: str, least: int = 1, most: int = 10_000) -> int:
    whole = int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value.strip()) else value
    if isinstance(whole, bool) or not isinstance(whole, int) or not least <= whole <= most:
        raise _wrong(name, value, f"a whole number from {least} to {most}")
    return whole


def _fiscal_start(value: object, name: str) -> int:
    return _count(value, name, 1, 12)


def _period(value: object, name: str) -> str:
    # `period: 2026` is a number in YAML.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value, name)


def _check_period(value: object, name: str) -> str:
    text = _period(value, name)
    # Relative periods need an as_of; any will do to see whether the text can be read.
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
        datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(
            name, value, "auto, now, a date (2026-03-31) or a stamp (2026-03-31T18:00:00Z)"
        ) from None
    return text


def _lag(value: object, name: str) -> str | int:
    return "auto" if value == "auto" else _count(value, name, 0, 3650)


def _within(value: object, name: str) -> int | None:
    return None if value is None else _count(value, name, 0, 3650)


def _sla(value: object, name: str) -> str:
    split_sla(str(value))
    return str(value).strip().lower()


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
    return {
        str(column): [str(v) for v in (kept if isinstance(kept, list | tuple) else [kept])]
        for column, kept in (value or {}).items()
    }


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
        if metric not in METRICS:
            raise ParamsError(unknown_name(name, "metric", str(metric), list(METRICS)))
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


CHECKS = {
    "report": _report_name,
    "title": lambda value, name: str(value) if isinstance(value, int | float) else _text(value, name),
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
    "work_week": _text,
    "holidays": _holidays,
    "by": _by,
    "where": _where,
    "language": _choice,
    "redact": _switch,
    "max_set_aside": _share,
    "fail_on": _limits,
}


def sla_words(text: str) -> str:
    """Return an SLA in words: ``48h`` is ``48 hours``."""
    number, unit = split_sla(text)
    name = {"m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}[unit]
    return f"{number:g} {name}{'' if number == 1 else 's'}"


