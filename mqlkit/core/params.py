"""The parameters of one report."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from mqlkit.core.checks import CHECKS
from mqlkit.core.errors import ParamsError, report, unknown_name
from mqlkit.core.names import HIDDEN, is_personal
from mqlkit.core.periods import AsOf, Calendar
from mqlkit.core.promises import BUSINESS, Promise
from mqlkit.core.yaml_files import key_lines, load_yaml, read_yaml


def option(default: Any, help_text: str) -> Any:
    """Return a dataclass field that carries its help text."""
    factory = {"default_factory": default} if callable(default) else {"default": default}
    return field(metadata={"help": help_text}, **factory)


@dataclass(frozen=True)
class ReportParams:
    """Parameters of a report, from ``params/NAME.yaml`` or the parameters cell of a notebook."""

    report: str = option("mql_report", "the notebook")
    title: str = option("MQL report", "title of the page")
    source: str = option("../data/sample/source.yaml", "source.yaml, relative to the params file")
    period: str = option("last-quarter", "2026-01..2026-03, 2026-Q1, last-12-months, ...")
    grain: str = option("month", "week, month, quarter, half, year")
    fiscal_year_start: int = option(1, "month in which the fiscal year starts")
    timezone: str | None = option(None, "time zone of the buckets; null is that of the source")
    as_of: str = option(
        "auto", "a date, a timestamp, now, or auto: the latest timestamp in the data"
    )
    lag_days: str | int = option("auto", "days from net-new to MQL; auto is measured")
    rolling: int = option(3, "buckets in the rolling cost per MQL")
    within_days: int | None = option(None, "count only SQLs this many days after MQL; null for all")
    passes: str = option("first", "re-entry: count the first, last or every entry to MQL")
    sla: str = option("48h", "time that sales has, with a unit: 90min, 48h, 2d")
    sla_clock: str = option("calendar", "calendar, or business for working time only")
    sla_stops_on: str = option("decision", "decision (accept or reject), or contact")
    sla_rules: list[dict[str, Any]] = option(  # noqa: RUF009
        list, "own SLAs, first match wins, e.g. [{where: {source: [Demo]}, sla: 1h}]"
    )
    sla_warn: float = option(0.75, "share of the SLA after which an open lead is due soon")
    work_week: str = option("Mon-Fri 09:00-17:00", "working days and hours of the business clock")
    holidays: str | None = option(
        None, "country of the public holidays, e.g. EE, US-CA; null for none"
    )
    by: list[str] = option(lambda: ["source"], "breakdowns: any columns of the leads")  # noqa: RUF009
    where: dict[str, list[str]] = option(dict, "keep only these leads, e.g. {country: [EE, LV]}")  # noqa: RUF009
    language: str = option("en", "language of the page")
    redact: bool = option(False, "true: no ids or personal columns in the HTML")
    max_set_aside: float = option(0.05, "stop when a larger share of rows cannot be used")
    fail_on: dict[str, str] = option(dict, 'limits, e.g. {sla_attainment: "< 0.8"}')  # noqa: RUF009
    warn_on: dict[str, str] = option(dict, "limits that warn but do not fail")  # noqa: RUF009
    rates: str | None = option(None, "a CSV of currency, rate and date_from, to convert spend")

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all parameters."""
        return [f.name for f in fields(cls)]

    @classmethod
    def from_mapping(
        cls,
        given: Mapping[str, Any],
        *,
        where: str = "parameters",
        lines: Mapping[str, int] | None = None,
    ) -> ReportParams:
        """Check a mapping and return its parameters.

        Parameters
        ----------
        given
            Values by name, from YAML or a notebook.
        where
            The place that messages name, such as the path of the file.
        lines
            The line of each name in a file.

        Raises
        ------
        ParamsError
            With all invalid parameters, one per line.
        """
        known = cls.names()
        places = {n: f"{where}:{line}" for n, line in (lines or {}).items()}
        faults = [
            unknown_name(places.get(n, where), "parameter", str(n), known)
            for n in given
            if n not in known
        ]
        values: dict[str, Any] = {}
        for name in known:
            if name not in given:
                continue
            try:
                values[name] = CHECKS[name](given[name], name)
            except ParamsError as error:
                faults.append(f"{places.get(name, where)}: {error}")
        if faults:
            raise ParamsError("\n".join(faults))
        params = cls(**values)
        shown = [column for column in params.by if not (params.redact and is_personal(column))]
        return replace(params, by=shown)

    @classmethod
    def from_cell(cls, namespace: Mapping[str, Any]) -> ReportParams:
        """Return the parameters set in the parameters cell of a notebook."""
        return cls.from_mapping({n: namespace[n] for n in cls.names() if n in namespace})

    @classmethod
    def read(cls, path: Path, overrides: Iterable[str] = ()) -> ReportParams:
        """Read a params file; ``overrides`` (``name=value``) take precedence.

        Relative paths are relative to the folder of the file. The results are absolute.
        """
        written = read_yaml(path)
        won = dict(split_override(text) for text in overrides)
        lines = {name: line for name, line in key_lines(path).items() if name not in won}
        params = cls.from_mapping({**written, **won}, where=str(path), lines=lines)
        return params.with_paths(lambda given: str((path.parent / given).resolve()))

    def with_paths(self, change: Callable[[str], str]) -> ReportParams:
        """Return the parameters with each path changed."""
        rates = None if self.rates is None else change(self.rates)
        return replace(self, source=change(self.source), rates=rates)

    def changed(self, given: Mapping[str, Any]) -> ReportParams:
        """Return the parameters with some replaced, all of them checked."""
        return self.from_mapping({**self.to_dict(), **given})

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the fiscal year."""
        return Calendar(self.fiscal_year_start)

    @cached_property
    def promises(self) -> tuple[Promise, ...]:
        """Return what sales has promised: the rules in order, then the SLA of all other leads."""
        rules = [*self.sla_rules, {"sla": self.sla}]
        return tuple(
            Promise(
                sla=rule["sla"],
                clock=rule.get("clock", self.sla_clock),
                work_week=self.work_week,
                where=rule.get("where", {}),
            )
            for rule in rules
        )

    @property
    def has_work_clock(self) -> bool:
        """Return whether anything is counted in working time."""
        return BUSINESS in {self.sla_clock, *(promise.clock for promise in self.promises)}

    @property
    def is_sla_on_stage(self) -> bool:
        """Return whether time in stage is judged by the one SLA that holds for all leads."""
        return self.sla_stops_on == "decision" and not self.sla_rules

    @property
    def lead_columns(self) -> list[str]:
        """Return the columns of the leads that the parameters name."""
        return list(dict.fromkeys([*self.by, *self.where, *self.rule_columns]))

    @property
    def rule_columns(self) -> list[str]:
        """Return the columns that ``sla_rules`` name."""
        return list(dict.fromkeys(column for p in self.promises for column in p.where))

    @property
    def column_places(self) -> dict[str, str]:
        """Return where the parameters name each column of the leads."""
        rules = {
            column: f"sla_rules, rule {number}"
            for number, promise in enumerate(self.promises, start=1)
            for column in promise.where
        }
        return {**rules, **dict.fromkeys(self.where, "where"), **dict.fromkeys(self.by, "by")}

    @property
    def day_hours(self) -> float:
        """Return the hours of a day on the chosen clock: 24, or those of a working day."""
        return self.promises[-1].day_hours

    @property
    def sla_hours(self) -> float:
        """Return the SLA in hours of the chosen clock; a business day is one working day."""
        return self.promises[-1].hours

    @property
    def sla_words(self) -> str:
        """Return the SLA as text, such as ``2 working days``."""
        return self.promises[-1].words

    @property
    def shown_where(self) -> dict[str, list[str]]:
        """Return ``where`` for display; ``redact`` hides the values of personal columns."""
        return self._shown(self.where)

    @property
    def shown_rules(self) -> list[dict[str, Any]]:
        """Return ``sla_rules`` for display, as `shown_where`."""
        return [{**rule, "where": self._shown(rule["where"])} for rule in self.sla_rules]

    def _shown(self, where: Mapping[str, list[str]]) -> dict[str, list[str]]:
        return {
            column: [HIDDEN] if self.redact and is_personal(column) else kept
            for column, kept in where.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all parameters by name."""
        return {name: getattr(self, name) for name in self.names()}


def located(error: ParamsError, path: Path, won: Collection[str] = ()) -> ParamsError:
    """Return an error with the place in a params file of each parameter that it is about.

    Parameters
    ----------
    error
        Raised where a parameter does not fit the data.
    path
        The params file.
    won
        Parameters that were replaced.
    """
    lines = {name: f":{line}" for name, line in key_lines(path).items() if name not in won}

    def placed(words: str) -> str:
        name = re.match(r"(\w+)[ ,:]", words)
        if words.startswith(str(path)) or not name or name[1] not in ReportParams.names():
            return words
        return f"{path}{lines.get(name[1], '')}: {words}"

    return ParamsError("\n".join(map(placed, str(error).split("\n"))))


def split_override(text: str) -> tuple[str, Any]:
    """Split ``name=value`` into name and value; the value is parsed as YAML."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ParamsError(
            report(f"-p {text!r} has no value.", expected="name=value, such as -p lag_days=45")
        )
    try:
        return name.strip(), load_yaml(value)
    except yaml.YAMLError:
        return name.strip(), value


def resolve_as_of(text: str, *, zone: ZoneInfo, latest: AsOf | None) -> AsOf:
    """Resolve ``as_of`` to the as-of date.

    Parameters
    ----------
    text
        ``auto``, ``now``, an ISO date (the end of that day) or an ISO timestamp.
    zone
        The time zone of the report, for dates and timestamps without an offset.
    latest
        The as-of date at the latest timestamp in the data, for ``auto``.
    """
    if text == "auto":
        if latest is None:
            raise ParamsError("as_of: auto needs a timestamp in the data, and there is none.")
        return latest
    if text == "now":
        return AsOf.stamp(datetime.now(UTC), zone)
    try:
        return AsOf.end_of(date.fromisoformat(text), zone)
    except ValueError:
        at = datetime.fromisoformat(text)
    return AsOf.stamp(at if at.tzinfo else at.replace(tzinfo=zone), zone)
