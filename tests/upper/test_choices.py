"""What an analyst can choose: checked, put in words, written as a params file. No browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from runs import ROOT

from mqlkit.core.errors import ParamsError
from mqlkit.core.params import ReportParams
from mqlkit.lab import choices
from mqlkit.lab.choices import Offer, choose
from mqlkit.metrics.report import read_report

OFFER = Offer({"source": ("Ads", "Web")}, date(2025, 1, 3), date(2026, 6, 30), date(2024, 11, 1))


@pytest.fixture(scope="module")
def numbers():
    return read_report(ReportParams(), base=ROOT / "notebooks")


def test_a_choice_is_checked_as_a_params_file_is():
    params, faults = choose(ReportParams(), {"sla": " 2D ", "within_days": "30", "by": ["owner"]})
    assert (params.sla, params.within_days, params.by, faults) == ("2d", 30, ["owner"], {})


def test_what_is_wrong_comes_by_parameter_and_changes_nothing():
    params, faults = choose(ReportParams(), {"sla": "soon", "rolling": 0, "grain": "year"})
    assert params == ReportParams()
    assert faults == {
        "sla": "sla 'soon' is not a duration with a unit; write for example “48h” or “2d”.",
        "rolling": "rolling 0 is not usable; expected: a whole number from 1 to 120.",
    }


def test_the_first_period_on_offer_is_the_one_it_was_started_with():
    own = replace(ReportParams(), period="2026-Q1")
    assert next(iter(choices.presets(own, OFFER).items())) == ("As started: 2026-Q1", "2026-Q1")
    found = choices.presets(ReportParams(), OFFER)
    assert list(found.values()).count("last-quarter") == 1
    assert found["All the data"] == "2025-01..2026-06"


def test_without_an_mql_there_is_no_whole_data():
    assert "All the data" not in choices.presets(ReportParams(), replace(OFFER, first=None))


def test_the_words_say_all_that_is_set(numbers):
    assert choices.in_words(numbers) == (
        "1 Apr 2026 – 30 Jun 2026, by month, as of 6 Jul 2026. Spend is moved back by 31 days "
        "(measured); the rolling cost spans 3 months. Sales has 48 hours to accept or reject an "
        "MQL, nights and weekends included. Broken down by source."
    )
    chosen = replace(
        numbers.params,
        lag_days=20, rolling=1, sla="2d", sla_clock="business", sla_stops_on="contact",
        within_days=1, by=[], where={"country": ["EE", "LV"]},
    )  # fmt: skip
    tables = replace(numbers.tables, goals=None)
    words = choices.in_words(replace(numbers, params=chosen, lag_days_used=20, tables=tables))
    assert words == (
        "1 Apr 2026 – 30 Jun 2026, by month, as of 6 Jul 2026. Spend is moved back by 20 days; the "
        "rolling cost spans 1 month. Sales has 2 working days to contact an MQL. Working hours are "
        "Mon-Fri 09:00-17:00. SQLs count within 1 day of the MQL. Only country: EE and LV. "
        "Goals are left out: none is set for exactly these leads."
    )


def test_the_words_say_what_rules_set(numbers):
    rules = [
        {"where": {"source": ["Demo"]}, "sla": "1h", "clock": "business"},
        {"where": {"team": ["South"], "owner": ["Ana"]}, "sla": "4h"},
    ]
    chosen = replace(numbers.params, sla_rules=rules, holidays="EE", redact=True)
    assert (
        "Sales has 48 hours to accept or reject an MQL, nights and weekends included; by rule, 1 "
        "working hour for source: Demo and 4 hours for team: South; owner: (redacted). Working "
        "hours are Mon-Fri 09:00-17:00, without the public holidays of EE."
    ) in choices.in_words(replace(numbers, params=chosen))


def test_a_lag_before_the_first_spend_is_a_mistake(numbers):
    # The last bucket begins on 1 June 2026, 577 days after the first spend.
    assert choices.lag_faults(replace(numbers, lag_days_used=577), OFFER) == {}
    assert choices.lag_faults(replace(numbers, lag_days_used=578), OFFER) == {
        "lag_days": "With a lag of 578 days, no bucket has spend: spend data begins on 1 Nov 2024; "
        "use at most 577 days."
    }
    without = replace(OFFER, spend_from=None)
    assert choices.lag_faults(replace(numbers, lag_days_used=4000), without) == {}


def test_the_file_written_is_the_choice(tmp_path):
    chosen = replace(
        ReportParams(),
        report="cost_per_mql", period="last-12-months", lag_days=45, sla="2d", by=["owner", "team"],
        where={"country": ["EE", "NO"]}, title="Costs: “all”", holidays="NO",
    )  # fmt: skip
    source = tmp_path / "data" / "source.yaml"
    path = choices.write_params(chosen, "mine-2", source=source, folder=tmp_path / "params")
    assert path == tmp_path / "params" / "mine-2.yaml"
    assert ReportParams.read(path) == replace(chosen, source=str(source.resolve()))
    assert "source: ../data/source.yaml" in path.read_text(encoding="utf-8").splitlines()
    assert choices.command(path) == "mqlkit run params/mine-2.yaml"


def test_a_file_that_says_something_else_is_left_alone(tmp_path):
    def write(params):
        return choices.write_params(params, "mine", source=tmp_path / "s.yaml", folder=tmp_path)

    path = write(ReportParams())
    assert write(ReportParams()) == path
    before = path.read_bytes()
    with pytest.raises(ParamsError, match=r"^mine\.yaml already exists; choose another name\.$"):
        write(replace(ReportParams(), grain="year"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a.yaml"])
def test_a_name_must_be_one_of_a_file(name, tmp_path):
    with pytest.raises(ParamsError, match="is not a valid file name"):
        choices.write_params(ReportParams(), name, source=tmp_path / "s.yaml", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_params_stand_beside_the_notebooks():
    assert choices.params_folder(Path("/w/notebooks")) == Path("/w/params")
    assert choices.params_folder(Path("/w")) == Path("/w/params")
