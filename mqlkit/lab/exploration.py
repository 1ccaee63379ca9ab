"""The data of one report, read once, and its numbers for changing settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mqlkit.core.errors import MqlkitError
from mqlkit.core.names import MISSING, TEXT_COLUMNS
from mqlkit.core.params import ReportParams
from mqlkit.core.text import day
from mqlkit.lab.choices import Offer, as_sentence, lag_faults
from mqlkit.leads.build import TimedLeads, leads_with_durations, table_of, timed_by
from mqlkit.leads.cache import ResultCache
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.report import Report, compute_report
from mqlkit.sources.opening import open_source
from mqlkit.sources.sql import lead_column

FEW_VALUES = 30
# The slow steps before the first page; a table that does not exist is skipped.
STEPS = (
    "Reading the stage history",
    "Reading the leads",
    "Reading the spend",
    "Finding columns to filter by",
    "Computing durations",
    "Counting",
)


@dataclass(frozen=True)
class Timed:
    """All leads with their durations, stored in the engine.

    Attributes
    ----------
    leads
        The leads.
    key
        The parameters that durations depend on.
    tables
        Number of the table in the engine.
    """

    leads: TimedLeads
    key: tuple[str, ...]
    tables: range


class Exploration:
    """One report on data that is read once.

    Parameters
    ----------
    params
        The parameters to start with.
    base
        Folder that a relative ``source`` is relative to; the working folder by default.
    tell
        Called with each of `STEPS` when it starts.

    Attributes
    ----------
    report
        The report with the last valid settings.
    offer
        The choices that the data offers.
    started
        The parameters it was started with.
    """

    def __init__(
        self,
        params: ReportParams,
        *,
        base: Path | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._base = base
        self._opened = open_source(params, base=base, is_all_wanted=True, tell=tell)
        tell(STEPS[-3])
        self._cache = ResultCache()
        self._timed: Timed | None = None
        self._values = self._few_values(params)
        self.started = params
        tell(STEPS[-2])
        leads = self._leads(params)
        tell(STEPS[-1])
        self.report = self._computed(leads)
        spend = self._opened.tables.spend
        self.offer = Offer(
            values=self._values,
            first=leads.first_mql,
            last=leads.as_of.on,
            spend_from=None if spend is None else spend["date_from"].min(),
        )

    @property
    def source(self) -> Path:
        """Return the path of the source.yaml."""
        return self._opened.path

    def change(self, params: ReportParams) -> dict[str, str]:
        """Compute the report with other parameters.

        Returns
        -------
        dict
            The faults by parameter; `report` is then unchanged. Empty if it has changed.
        """
        ledgers, before = self._opened.tables.ledgers, self._timed
        noted = {name: dict(ledger.noted) for name, ledger in ledgers.items()}
        try:
            report = self._computed(self._leads(params))
            faults = lag_faults(report, self.offer)
        except MqlkitError as error:
            report, faults = None, self._faults(error)
        if report is None or faults:
            for name, ledger in ledgers.items():
                dict.update(ledger.noted, noted[name])
            self._timed, before = before, self._timed
        else:
            self.report = report
        if before is not None and before is not self._timed:
            self._opened.reader.drop(before.tables)
        return faults

    def _computed(self, leads: LeadTable) -> Report:
        # The panel has controls for the lag and the grain.
        report = compute_report(leads, self._opened.tables, is_for_page=False)
        return replace(report, base=self._base)

    def close(self) -> None:
        """Release the data; no report can be computed after this."""
        self._opened.reader.backend.disconnect()

    def _faults(self, error: MqlkitError) -> dict[str, str]:
        """Return an error as a sentence for the control that caused it."""
        word = str(error).partition(" ")[0]
        if word == "work_week":
            return {word: as_sentence(error)}
        if word == "where:":
            return {"where": "No lead has all of these values."}
        if word == "period" and self.offer.first is not None:
            first, last = day(self.offer.first), day(self.offer.last)
            return {"period": f"There is no data in this period, only from {first} to {last}."}
        return {"period": as_sentence(error)}

    def _few_values(self, params: ReportParams) -> dict[str, tuple[str, ...]]:
        """Return the text columns with few values, and those in ``by`` and ``where``."""
        leads = self._opened.tables.leads
        named = (*params.by, *params.where)
        # The most used columns come first.
        first = (*named, "source", "owner", *TEXT_COLUMNS, *self._opened.tables.others)
        texts = list(dict.fromkeys(first))
        text = {c: leads[lead_column(c)].cast("string").fill_null(MISSING) for c in texts}
        sizes = leads.aggregate(**{f"n{i}": text[c].nunique() for i, c in enumerate(texts)})
        row = list(sizes.to_pyarrow().to_pylist()[0].values())
        few = [c for c, n in zip(texts, row, strict=True) if 1 < n <= FEW_VALUES or c in named]
        found = {}
        for column in few:
            counts = leads.select(value=text[column]).value_counts(name="n").order_by("value")
            values = [r["value"] for r in counts.to_pyarrow().to_pylist()]
            found[column] = tuple(dict.fromkeys([*values, *params.where.get(column, [])]))
        return found

    def _leads(self, params: ReportParams) -> LeadTable:
        """Return the lead table for some parameters; durations are reused if possible."""
        if self._timed is None or self._timed.key != timed_by(params):
            self._timed = self._time(params)
        return table_of(
            self._timed.leads,
            self._opened.tables,
            params,
            values=self._values,
            cache=self._cache,
        )

    def _time(self, params: ReportParams) -> Timed:
        """Return all leads with their durations and codes, stored in the engine."""
        reader, mark = self._opened.reader, self._opened.reader.tables
        timed = leads_with_durations(
            self._opened.tables,
            params,
            zone=self._opened.zone,
            reader=reader,
            columns=list(dict.fromkeys([*self._values, *params.rule_columns])),
        )
        timed = timed.with_codes(self._values).stored(reader)
        reader.drop(range(mark + 1, reader.tables))
        return Timed(timed, timed_by(params), range(reader.tables, reader.tables + 1))
