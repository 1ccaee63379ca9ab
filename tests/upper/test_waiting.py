"""Long work says what is being done, and how far it has come."""

from __future__ import annotations

import ipywidgets
import pytest
from runs import ROOT

from mqlkit.core.errors import SourceError
from mqlkit.core.params import ReportParams
from mqlkit.lab import report as controls
from mqlkit.lab.busy import ProgressBar
from mqlkit.lab.exploration import STEPS, Exploration
from mqlkit.lab.report import LiveReport
from mqlkit.pages import cells as page

BASE = ROOT / "notebooks"


def test_every_step_is_told_once_in_its_order():
    told = []
    Exploration(ReportParams(), base=BASE, tell=told.append)
    assert told == list(STEPS)


def test_a_source_without_history_and_spend_has_fewer_steps(desk):
    desk.write("leads.csv", "lead_id,mql_at,owner\n1,2026-01-05,A\n2,2026-01-06,B\n")
    source = desk.describe({"leads": {"files": ["leads.csv"]}})
    told = []
    Exploration(ReportParams(source=str(source), period="2026-01", by=["owner"]), tell=told.append)
    assert told == [s for s in STEPS if s not in ("Reading the stage history", "Reading the spend")]


def test_the_bar_is_behind_what_is_told():
    progress = ProgressBar(3)
    bar, words = progress.box.children
    progress.start("Reading <the> leads")
    assert bar.value == 0
    assert "Reading &lt;the&gt; leads …" in words.value
    for _ in range(5):
        progress.start("Counting")
    assert (bar.value, bar.max) == (3, 3)


@pytest.mark.parametrize("source", [ReportParams().source, "nowhere.yaml"])
def test_it_is_gone_when_the_work_is_done_or_has_failed(monkeypatch, source):
    shown = []
    monkeypatch.chdir(BASE)
    monkeypatch.setattr(page, "display", lambda _: None)
    monkeypatch.setattr(controls, "display", shown.append)
    if source == "nowhere.yaml":
        with pytest.raises(SourceError):
            LiveReport(ReportParams(source=source))
    else:
        LiveReport(ReportParams(source=source))
    progress = shown[0]
    assert isinstance(progress, ipywidgets.HBox)
    assert progress.comm is None
