"""The data of one report, read once, and its numbers for one choice after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mqlkit.core.errors import MqlkitError
from mqlkit.core.names import MISSING
from mqlkit.core.params import ReportParams
from mqlkit.core.text import day
from mqlkit.lab.choices import Offer, as_sentence, lag_faults
from mqlkit.leads.build import TimedLeads, assign_buckets, leads_with_durations
from mqlkit.leads.build_cube import build_cube, with_codes
from mqlkit.leads.cache import FREE_OF, ResultCache, settings
from mqlkit.leads.table import LeadTable
from mqlkit.metrics.report import Report, compute_report
from mqlkit.sources.opening import open_source

FEW_VALUES = 30
# What takes time before the first page is there; a table that is not there is no step.
STEPS = (
    "Reading the stage history",
    "Reading the leads",
    "Reading the spend",
    "Looking for columns to filter by",
    "Working out how long each lead took",
    "Counting",
)


@dataclass(frozen=True)
class Made:
    """A lead table, and what in the engine it stands on.

    Attributes
    ----------
    leads
        The lead table.
    key, timed
        All leads with their durations, and the parameters that these depend on.
    timed_at, cut_at
        Numbers of their tables in the engine.
    """

    leads: LeadTable
    key: tuple[str, ...]
    timed: TimedLeads
    timed_at: range
    cut_at: range


class Exploration:
    """One report on data that is read once.

    Parameters
    ----------
    params
        The report to start with.
    base
        Folder that a relative ``source`` starts from; the working folder when left out.
    tell
        Is told which of `STEPS` has begun.

    Attributes
    ----------
    report
        That of the last choice that worked.
    offer
        What the data has to choose from.
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
        self._made_last: Made | None = None
        self._values = self._few_values(params)
        self.started = params
        tell(STEPS[-2])
        made = self._made(params)
        self._made_last = made
        tell(STEPS[-1])
        self.report = self._computed(made)
        spend, leads = self._opened.tables.spend, self.report.lead_data
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
        """Work out the numbers of another choice.

        Returns
        -------
        dict
            What is wrong with the choice, by parameter; the numbers then stay as they are. Empty
            when they have changed.
        """
        reader, ledgers = self._opened.reader, self._opened.tables.ledgers
        mark, noted = reader.tables, {name: dict(ledger.noted) for name, ledger in ledgers.items()}
        try:
            made = self._made(params)
            report = self._computed(made)
            faults = lag_faults(report, self.offer)
        except MqlkitError as error:
            made, report, faults = None, None, self._faults(error)
        if made is None or report is None or faults:
            reader.drop(range(mark + 1, reader.tables + 1))
            for name, ledger in ledgers.items():
                dict.update(ledger.noted, noted[name])
            return faults
        self._accept(made)
        self.report = report
        return {}

    def _computed(self, made: Made) -> Report:
        # The panel has the slider for the lag.
        report = compute_report(
            made.leads, self._opened.tables, cache=self._cache, has_lag_slider=False
        )
        return replace(report, base=self._base)

    def close(self) -> None:
        """Let go of the data; nothing can be worked out any more."""
        self._opened.reader.backend.disconnect()

    def _faults(self, error: MqlkitError) -> dict[str, str]:
        """Return an error as a sentence for the control that it is about."""
        word = str(error).partition(" ")[0]
        if word == "where:":
            return {"where": "No lead is left: none in the data has all of these values."}
        if word == "period" and self.offer.first is not None:
            first, last = day(self.offer.first), day(self.offer.last)
            return {"period": f"There is no data in this period, only from {first} to {last}."}
        return {"period": as_sentence(error)}

    def _few_values(self, params: ReportParams) -> dict[str, tuple[str, ...]]:
        """Return the text columns with few values, and those that the report names anyway."""
        leads = self._opened.tables.leads
        named = {*params.by, *params.where}
        texts = [c for c in leads.columns if leads[c].type().is_string() and c != "lead_id"]
        texts += [c for c in named if c not in texts]
        # What is asked for most stands first.
        first = (*params.by, *params.where, "source", "owner")
        texts = [c for c in dict.fromkeys([*first, *texts]) if c in texts]
        if not texts:
            return {}
        text = {c: leads[c].cast("string").fill_null(MISSING) for c in texts}
        sizes = leads.aggregate(**{f"n{i}": text[c].nunique() for i, c in enumerate(texts)})
        row = list(sizes.to_pyarrow().to_pylist()[0].values())
        few = [c for c, n in zip(texts, row, strict=True) if 1 < n <= FEW_VALUES or c in named]
        found = {}
        for column in few:
            counts = leads.select(value=text[column]).value_counts(name="n").order_by("value")
            values = [r["value"] for r in counts.to_pyarrow().to_pylist()]
            found[column] = tuple(dict.fromkeys([*values, *params.where.get(column, [])]))
        return found

    def _made(self, params: ReportParams) -> Made:
        """Return the lead table of a choice, on leads timed already where that will do."""
        known, key = self._made_last, settings(params, without=_timed_anyway(params))
        reader, tables = self._opened.reader, self._opened.tables
        if known is not None and known.key == key:
            timed, timed_at = known.timed, known.timed_at
        else:
            timed, timed_at = self._timed(params)
        mark = reader.tables
        cube = build_cube(timed, self._values, params, cache=self._cache)
        leads = assign_buckets(timed, tables, params, reader=reader, cube=cube)
        return Made(leads, key, timed, timed_at, range(mark + 1, reader.tables + 1))

    def _timed(self, params: ReportParams) -> tuple[TimedLeads, range]:
        """Return all leads with their durations, and the number of their table."""
        reader, zone, columns = self._opened.reader, self._opened.zone, list(self._values)
        mark = reader.tables
        timed = leads_with_durations(
            self._opened.tables, params, zone=zone, reader=reader, columns=columns
        )
        timed = with_codes(timed, self._values, reader=reader)
        reader.drop(range(mark + 1, reader.tables))
        return timed, range(reader.tables, reader.tables + 1)

    def _accept(self, made: Made) -> None:
        """Keep what was made, and drop what was made before and is not in use any more."""
        old, self._made_last = self._made_last, made
        if old is not None:
            self._opened.reader.drop(old.cut_at)
            if old.timed_at != made.timed_at:
                self._opened.reader.drop(old.timed_at)


def _timed_anyway(params: ReportParams) -> frozenset[str]:
    """Return the parameters that leave every duration as it is."""
    is_calendar = params.sla_clock == "calendar"
    return FREE_OF["timed"] | ({"sla"} if is_calendar else frozenset())
