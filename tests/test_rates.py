"""Spend in several currencies, converted by rates that hold from a day."""

from __future__ import annotations

import pytest

from mqlkit.core.errors import SourceError
from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import Report, read_report
from mqlkit.sources.inspect import inspect_source
from mqlkit.sources.spec import read_source

LEADS = "lead_id,mql_at\nA,2026-01-05\nB,2026-02-05\n"
SPEND = (
    "date_from,date_to,amount,channel,currency\n"
    "2026-01-01,2026-01-31,100,Web,EUR\n"
    # Half of it lies in January, before the rate changes.
    "2026-01-27,2026-02-05,200,Web,USD\n"
    "2026-02-01,2026-02-28,50,Fair,GBP\n"
)
RATES = (
    "currency,rate,date_from\n"
    "usd,0.5,2025-01-01\n"
    "USD,0.8,2026-02-01\n"
    # Without a day it always holds.
    "GBP,1.125,\n"
)


@pytest.fixture
def given(desk):
    """Return the params file of a report on spend in three currencies."""
    desk.write("leads.csv", LEADS)
    desk.write("spend.csv", SPEND)
    desk.describe({"leads": {"files": ["leads.csv"]}, "spend": {"files": ["spend.csv"]}})
    desk.write("money/rates.csv", RATES)
    text = "source: source.yaml\nperiod: 2026-01..2026-02\nas_of: 2026-02-28\nlag_days: 0\nby: []\n"
    return desk.write("r.yaml", text + "rates: money/rates.csv\n")


def test_spend_is_converted_by_the_rate_of_its_day(given):
    report = Report.read(given)
    assert report.currency == "EUR"
    # 100 EUR and 5 of 10 days of 200 USD at 0.5; 5 days at 0.8 and 50 GBP at 1.125.
    assert report.value("spend", bucket="2026-01") == pytest.approx(100 + 50)
    assert report.value("spend", bucket="2026-02") == pytest.approx(80 + 56.25)
    assert report.resolved_params["rates"] == "rates.csv"
    assert [each["path"] for each in report.inputs if each["table"] == "rates"] == [
        "money/rates.csv"
    ]
    assert report.ledgers["rates"].used == 3


def test_the_report_may_be_in_a_currency_that_nothing_is_spent_in(given, desk):
    desk.write("money/rates.csv", "currency,rate\nEUR,2\nUSD,3\nGBP,4\nSEK,1\n")
    report = Report.read(given)
    assert report.currency == "SEK"
    assert report.value("spend") == pytest.approx(200 + 600 + 200)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        pytest.param(
            None,
            "spend.csv: the amounts are in more than one currency.\n"
            "  Found:    'EUR', 'GBP', 'USD'\n"
            "  Fix:      give the parameter `rates`, a CSV of currency and rate, or read the files "
            "of one currency only",
            id="no rates",
        ),
        pytest.param(
            "currency,rate\nUSD,0.8\n",
            "rates.csv: several currencies have no rate, so the report has no one currency.\n"
            "  Expected: the rate 1 for the currency of the report, and a rate of every other one\n"
            "  Found:    spend in 'EUR', 'GBP', 'USD' in spend.csv; rates of 'USD'",
            id="a currency without a rate",
        ),
        pytest.param(
            "currency,rate\nUSD,0.8\nGBP,1.1\nEUR,0.9\n",
            "rates.csv: no currency has the rate 1, so the report has no one currency.\n"
            "  Expected: the rate 1 for the currency of the report, and a rate of every other one\n"
            "  Found:    spend in 'EUR', 'GBP', 'USD' in spend.csv; rates of 'EUR', 'GBP', 'USD'",
            id="no currency of the report",
        ),
        pytest.param(
            # GBP is not the currency of the report: EUR is said to be.
            "currency,rate\nEUR,1\nUSD,0.9\n",
            "rates.csv: 'GBP' has no rate.\n"
            "  Expected: the rate 1 for the currency of the report, and a rate of every other one\n"
            "  Found:    spend in 'EUR', 'GBP', 'USD' in spend.csv; rates of 'EUR', 'USD'\n"
            "  Fix:      add a line to rates.csv: GBP, and EUR per GBP",
            id="a currency without a rate beside that of the report",
        ),
        pytest.param(
            "currency,rate\nEUR,1\nUSD,1\nGBP,1.1\n",
            "rates.csv: 2 currencies have the rate 1, so the report has no one currency.\n"
            "  Expected: the rate 1 for the currency of the report, and a rate of every other one\n"
            "  Found:    spend in 'EUR', 'GBP', 'USD' in spend.csv; rates of 'EUR', 'GBP', 'USD'\n"
            "  Fix:      give the rate 1 to the report's currency only, one of 'EUR', 'USD'",
            id="two currencies of the report",
        ),
        pytest.param(
            "currency,rate\nUSD,0\nGBP,x\n",
            "rates.csv: 2 rates cannot be read.\n"
            "  Expected: a currency, a rate above zero with a decimal point, and a date or none\n"
            "  Found:    'line 2: USD,0', 'line 3: GBP,x'",
            id="no rate that can be read",
        ),
        pytest.param(
            "currency,rate,date_from\nUSD,0.8,2026-02-01\nGBP,1.1,\n",
            "spend.csv: spend in USD has no rate on 2026-01-27.\n"
            "  Expected: a rate from 2026-01-27 or earlier\n"
            "  Found:    the first rate, from 2026-02-01",
            id="spend before the first rate",
        ),
        pytest.param(
            "currency,rate\nUSD,0.8\nUSD,0.9\nGBP,1.1\n",
            "rates.csv: a currency has two rates from the same day.\n"
            "  Found:    'USD'\n"
            "  Fix:      keep one, or say from which day each holds (date_from)",
            id="two rates",
        ),
        pytest.param(
            "currency,rate\nUSD,0\nGBP,1.1\n",
            "rates.csv: 1 rate cannot be read.\n"
            "  Expected: a currency, a rate above zero with a decimal point, and a date or none\n"
            "  Found:    'line 2: USD,0'",
            id="no rate",
        ),
    ],
)
def test_rates_that_do_not_do(given, desk, rates, message):
    # A rate that cannot be read stops the run, however many rows a table may lose.
    params = ReportParams.read(given).changed({"max_set_aside": 1})
    if rates is None:
        params = params.changed({"rates": None})
    else:
        desk.write("money/rates.csv", rates)
    with pytest.raises(SourceError) as caught:
        read_report(params)
    assert str(caught.value) == message


def test_rates_that_are_not_there(given):
    params = ReportParams.read(given).changed({"rates": "nowhere.csv"})
    with pytest.raises(SourceError, match=r"^rates 'nowhere.csv': there is no such file"):
        read_report(params)


def test_check_says_that_several_currencies_need_rates(given, desk):
    looks = inspect_source(read_source(given.with_name("source.yaml")))
    (spend,) = (look for look in looks if look.table == "spend")
    assert spend.errors == ()
    assert spend.notes == (
        "spend.csv: amounts in 'EUR', 'GBP', 'USD'. A report on it needs the parameter rates.",
    )
    # Where a row does not say its currency, no rate helps.
    desk.write("spend.csv", SPEND + "2026-02-01,2026-02-28,50,Fair,\n")
    (spend,) = (
        look
        for look in inspect_source(read_source(given.with_name("source.yaml")))
        if look.table == "spend"
    )
    assert "more than one currency" in spend.errors[0]
