"""Small tables written as text, read by the real readers, and the numbers made from them."""

from __future__ import annotations

import csv
import gc
import io
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import yaml
from hypothesis import Phase, settings
from typed_tables import Rows, SharedReader, typed_tables

from mqlkit.core.metrics import METRICS
from mqlkit.core.params import ReportParams
from mqlkit.leads.build import lead_table as lead_table_of
from mqlkit.leads.table import LeadTable
from mqlkit.metrics import cost, efficiency, funnel, handoff, response, sla, volume, waiting
from mqlkit.metrics.conversion import Maturity, sql_maturity
from mqlkit.sources.reader import Reader
from mqlkit.sources.spec import read_source
from mqlkit.sources.store import connect
from mqlkit.sources.tables import Tables, load

# To explain a failing example, Hypothesis runs it many times more.
settings.register_profile(
    "mqlkit",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=set(Phase) - {Phase.explain},
)
settings.load_profile("mqlkit")
# As in the kernel of a report: few of the many objects of an expression are garbage.
gc.set_threshold(50_000, 50, 50)

# Which question a metric answers; the function that answers it is called once per report.
FAMILIES = {
    "volume": ("mqls", "in_stage", "goal", "goal_attainment", "goal_gap", "goal_to_date",
               "needed_per_day", "mqls_forecast", "goal_probability", "goal_sqls",
               "goal_sqls_attainment", "goal_sqls_gap", "goal_spend", "goal_spend_attainment",
               "goal_spend_gap"),
    "hand_off": ("accepted", "rejected", "undecided", "acceptance_rate"),
    "efficiency": ("sqls", "efficiency", "mqls_per_sql", "sqls_in_period", "efficiency_flow",
                   "efficiency_projected"),
    "velocity": ("hours_in_stage_mean", "hours_in_stage_median", "hours_in_stage_p90",
                 "hours_in_stage_km_median"),
    "response": ("contacted_within_1h", "lift_1h"),
    "sla": ("sla_met", "sla_breached", "sla_past_due", "sla_pending", "sla_due_soon",
            "sla_unmeasurable", "sla_attainment"),
    "lift": ("lift_sla",),
    "lag": ("lead_to_mql_days_mean",),
    "cost": ("spend", "cost_per_mql", "cost_per_mql_rolling", "cost_per_sql", "wasted_cost",
             "return_on_spend"),
}  # fmt: skip
FAMILY_OF = {metric: family for family, metrics in FAMILIES.items() for metric in metrics}
assert set(FAMILY_OF) == set(METRICS)

# Of the files that take longest, longest first.
LONGEST_FILES = (
    "test_properties.py", "test_lab.py", "test_sturdy.py", "test_claims.py", "test_exploration.py",
    "test_page.py", "test_precision.py", "test_run.py", "test_jobs.py", "test_numbers_cases.py",
    "test_controls.py", "test_schedule.py", "test_grain_switch.py", "test_api.py",
    "test_changed_leads.py", "test_redaction.py", "test_worktime.py", "test_reading.py",
    "test_previous.py", "test_naming.py", "test_examples.py", "test_python_recipes.py",
    "test_cells.py", "test_commands.py", "test_source_cache.py", "test_dialects.py",
    "test_site.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that none of them is left to one process at the end."""
    rank = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@dataclass(eq=False)
class Made:
    """A report's tables, with its numbers computed as they are asked for."""

    tables: Tables
    leads: LeadTable
    cut: Callable[[ReportParams], LeadTable]
    families: dict[str, pd.DataFrame] = field(default_factory=dict)

    def again(self, **params: Any) -> Made:
        """Return a report on the same data with some parameters changed; nothing is read again."""
        chosen = ReportParams.from_mapping({**self.leads.params.to_dict(), **params})
        return Made(self.tables, self.cut(chosen), self.cut)

    @property
    def ledger(self) -> dict[str, Any]:
        """Return the account of the leads, or of the history where there are no leads."""
        ledgers = self.tables.ledgers
        return ledgers["leads" if "leads" in ledgers else "history"].to_dict()

    @cached_property
    def maturity(self) -> Maturity:
        return sql_maturity(self.leads)

    @cached_property
    def funnel(self) -> pd.DataFrame:
        return funnel.funnel(self.leads)

    @cached_property
    def lag(self) -> int:
        return cost.lag_days(self.leads, self.family("lag"))

    def family(self, name: str) -> pd.DataFrame:
        """Return the tidy rows that answer one question."""
        if name not in self.families:
            self.families[name] = self._compute(name)
        return self.families[name]

    def _compute(self, name: str) -> pd.DataFrame:
        table = self.leads
        if name == "volume":
            return volume.mql_volume(table, goals=self.tables.goals, spend=self.tables.spend)
        if name == "hand_off":
            return handoff.hand_off(table)
        if name == "efficiency":
            return efficiency.stage_efficiency(table, maturity=self.maturity)
        if name == "velocity":
            return waiting.stage_velocity(table)
        if name == "response":
            return response.response_speed(table)
        if name == "sla":
            return sla.sla_outcome(table)
        if name == "lift":
            return sla.sla_lift(table, maturity=self.maturity)
        if name == "lag":
            return cost.lead_to_mql(table)
        return cost.cost_per_mql(table, spend=self.tables.spend, lag=self.lag)

    def all_rows(self) -> pd.DataFrame:
        """Return every tidy row of the report."""
        has_spend = self.tables.spend is not None
        names = [n for n in FAMILIES if n != "cost" or has_spend]
        return pd.concat([self.family(n) for n in names], ignore_index=True)

    def rows(self, metric: str, **segment: str) -> pd.DataFrame:
        """Return the rows of a metric for one segment, all leads when none is given."""
        found = self.family(FAMILY_OF[metric])
        found = found[found["metric"] == metric]
        by, name = next(iter(segment.items()), ("", ""))
        return found[(found["by"] == by) & (found["name"] == name)].reset_index(drop=True)

    def row(self, metric: str, bucket: str = "total", **segment: str) -> pd.Series:
        """Return the one row of a metric."""
        found = self.rows(metric, **segment)
        found = found[found["bucket"] == bucket]
        assert len(found) == 1, f"{len(found)} rows of {metric} {bucket} {segment}"
        return found.iloc[0]

    def value(self, metric: str, bucket: str = "total", **segment: str) -> float | None:
        """Return the value of a metric; None where it is null."""
        return none_for_nan(self.row(metric, bucket, **segment)["value"])

    def values(self, metric: str, **segment: str) -> dict[str, float | None]:
        """Return the values of a metric by bucket, without the total."""
        found = self.rows(metric, **segment)
        found = found[found["bucket"] != "total"]
        return {b: none_for_nan(v) for b, v in zip(found["bucket"], found["value"], strict=True)}

    def of(self, *metrics: str, bucket: str = "total", **segment: str) -> dict[str, float | None]:
        """Return the values of several metrics by name."""
        return {metric: self.value(metric, bucket, **segment) for metric in metrics}

    def flags(self, metric: str, bucket: str = "total", **segment: str) -> set[str]:
        """Return the flags of a row, without the one that every table of a few rows has."""
        return set(self.row(metric, bucket, **segment)["flags"]) - {"small-n"}


def none_for_nan(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def parse_table(text: str) -> list[list[str]]:
    """Return the cells of a table written with ``|`` between its columns, header first."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def as_csv(rows: Rows) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def make_report(source: Path, params: ReportParams, workdir: Path) -> Made:
    """Read what a source.yaml describes and make the lead table of a report."""
    spec = read_source(source)
    zone = params.timezone or spec.timezone
    reader = Reader(connect(), workdir, source.parent, params.max_set_aside, zone)
    tables = load(reader, spec, extras=params.lead_columns, places=params.column_places)
    return made_from(tables, params, reader)


def made_from(tables: Tables, params: ReportParams, reader: Reader) -> Made:
    """Return a report on tables; ``reader`` holds them, and the zone of the report."""

    def cut(chosen: ReportParams) -> LeadTable:
        return lead_table_of(tables, chosen, zone=ZoneInfo(reader.day_zone), reader=reader)

    return Made(tables, cut(params), cut)


@dataclass
class Desk:
    """A folder with a source.yaml, where a test lays its exports and has them read."""

    folder: Path

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file as it stands, byte for byte."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def describe(self, description: Mapping[str, Any] | str) -> Path:
        """Write the source.yaml."""
        is_text = isinstance(description, str)
        text = description if is_text else yaml.safe_dump(dict(description), sort_keys=False)
        return self.write("source.yaml", text)

    def read(
        self, description: Mapping[str, Any], *, extras: Sequence[str] = (), most: float = 1.0
    ) -> Tables:
        """Read what a source.yaml of this content describes."""
        spec = read_source(self.describe(description))
        reader = Reader(connect(), self._workdir(), self.folder, most, spec.timezone)
        return load(reader, spec, extras=extras)

    def report(self, description: Mapping[str, Any], **params: Any) -> Made:
        """Return a report on what a source.yaml of this content describes."""
        chosen = ReportParams.from_mapping({"source": "source.yaml", "by": [], **params})
        return make_report(self.describe(description), chosen, self._workdir())

    def _workdir(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="work-", dir=self.folder))


@pytest.fixture(scope="session")
def read_report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Made]:
    """Return a function that reads the report of a params file."""

    def read(path: Path) -> Made:
        params = ReportParams.read(path)
        return make_report(Path(params.source), params, tmp_path_factory.mktemp("work"))

    return read


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """Return a function that gives an empty desk, for tests that need several."""
    return lambda: Desk(tmp_path_factory.mktemp("desk"))


def rows_by_table(**given: str | Rows | None) -> dict[str, Rows]:
    """Return the rows of the tables that are given, as rows or as text."""
    return {
        name: parse_table(content) if isinstance(content, str) else content
        for name, content in given.items()
        if content is not None
    }


@pytest.fixture(scope="session")
def lead_table() -> Callable[..., Made]:
    """Return a builder of reports on typed tables written as text; see `typed_tables`.

    The first column of ``leads`` is the lead's id, and says why the row is there. ``zones`` has the
    time zone of a table whose timestamps are not in UTC.
    """

    def build(
        leads: str | Rows | None = None,
        *,
        history: str | Rows | None = None,
        spend: str | Rows | None = None,
        goals: str | Rows | None = None,
        zones: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Made:
        given = rows_by_table(leads=leads, history=history, spend=spend, goals=goals)
        chosen = ReportParams.from_mapping({"by": [], "period": "2026-01..2026-03", **params})
        known = {"leads": "UTC", **(zones or {})}
        reader = SharedReader(chosen.timezone or known["leads"])
        extras = chosen.lead_columns
        return made_from(typed_tables(reader, given, zones=known, extras=extras), chosen, reader)

    return build


@pytest.fixture(scope="session")
def read_lead_table(new_desk: Callable[[], Desk]) -> Callable[..., Made]:
    """Return a builder of reports on exports written as text.

    ``source`` adds to the description of a table: ``source={"leads": {"dates": "dmy"}}``.
    """

    def build(
        leads: str | Rows | None = None,
        *,
        history: str | Rows | None = None,
        spend: str | Rows | None = None,
        goals: str | Rows | None = None,
        source: Mapping[str, Mapping[str, Any]] | None = None,
        **params: Any,
    ) -> Made:
        desk = new_desk()
        description: dict[str, Any] = {}
        given = rows_by_table(leads=leads, history=history, spend=spend, goals=goals)
        for table, rows in given.items():
            desk.write(f"{table}.csv", as_csv(rows))
            currency = {"currency": "EUR"} if table == "spend" else {}
            block = {"files": [f"{table}.csv"], **currency, **(source or {}).get(table, {})}
            description[table] = [block] if table == "history" else block
        return desk.report(description, **{"period": "2026-01..2026-03", **params})

    return build
