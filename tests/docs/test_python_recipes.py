"""The Python recipes run as written, and their results agree with the report."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from markdown_pages import ROOT, blocks, read

PAGE = "docs/python.md"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Return the names that the recipes define, run in order in a copy of the sample."""
    folder = tmp_path_factory.mktemp("recipes")
    for name in ("notebooks", "params", "data"):
        shutil.copytree(ROOT / name, folder / name)
    namespace = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks(read(PAGE), "python"):
            if "mk.run(" not in block:  # `test_run` covers it
                exec(compile(block, PAGE, "exec"), namespace)
    return {**namespace, "folder": folder}


def test_there_are_ten_recipes():
    assert read(PAGE).count("\n## ") >= 10


def test_a_filter_on_a_country_changes_the_conversion_rate(names):
    rates = names["rates"]
    assert len(set(rates.values())) == len(rates) == 2
    assert all(0 < rate < 1 for rate in rates.values())


def test_a_longer_sla_is_met_more_often(names):
    assert list(names["slas"].values()) == sorted(names["slas"].values())


def test_the_lag_changes_the_cost(names):
    assert len(set(names["lags"].values())) == 3


def test_large_deals_are_found(names):
    large = names["large"]
    assert 0 < len(large) < names["leads"]["amount"].count()
    assert large["source"].notna().all()


def test_breaches_are_those_of_the_report(names):
    breaches, report = names["breaches"], names["report"]
    start, end = report.lead_data.whole.start, report.lead_data.whole.end
    in_period = (breaches["mql_at"].dt.date >= start) & (breaches["mql_at"].dt.date < end)
    assert in_period.sum() == report.value("sla_breached")


def test_files_are_written(names):
    assert len(pd.read_csv(names["folder"] / "metrics.csv")) == len(names["report"].metrics)
    assert (names["folder"] / "sla.html").stat().st_size > 1000
