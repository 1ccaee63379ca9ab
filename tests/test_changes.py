"""Changes between buckets: intervals, the year before, mix and rate, and every sentence."""

from __future__ import annotations

import html
import itertools
import math
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.rates import confint_poisson, confint_poisson_2indep

from mqlkit.core.names import TOTAL
from mqlkit.core.params import ReportParams
from mqlkit.core.periods import GRAINS, PREVIOUS, YEAR, Bucket, Calendar, label_before
from mqlkit.metrics.changes import COLUMNS, COMPARED, HOLDS, changes, latest, lower_run
from mqlkit.metrics.mix import (
    MIX_COLUMNS,
    efficiency_mix_and_rate,
    is_comparable,
    largest,
    mix_and_rate,
)
from mqlkit.metrics.report import read_report
from mqlkit.metrics.tidy import metric_rows, pick
from mqlkit.pages.tables import table_html
from mqlkit.stats.intervals import count_bounds, square_and_add, wilson
from mqlkit.views import charts, tables, verdicts
from mqlkit.views.charts.base import with_selection
from mqlkit.views.claims import Sentence
from mqlkit.views.labels import within_days
from mqlkit.views.tables.changes import NOT_COMPARED
from mqlkit.views.topics import name_of
from mqlkit.views.verdicts.base import change_claim, why_held
from mqlkit.views.verdicts.changes import CHANCE

SAMPLE = Path(__file__).parents[1] / "params" / "mql_report.yaml"
JAN, FEB, MAR, APR = (
    Bucket(f"2026-{m:02}", date(2026, m, 1), date(2026, m + 1, 1)) for m in range(1, 5)
)


def terms(params):
    """Return what the frame of the SLA holds of a report's parameters."""
    return {
        "sla": params.sla_words,
        "sla_hours": params.sla_hours,
        "day_hours": params.day_hours,
        "sla_stops_on": params.sla_stops_on,
    }


def one(bucket, metric, value, n=None, *, low=None, high=None, flags=(), **segment):
    """Return one tidy row."""
    grid = pd.DataFrame({"bucket": [bucket.label], "start": [bucket.start], "end": [bucket.end]})
    grid["by"], grid["name"] = next(iter(segment.items()), ("", ""))
    grid["flags"] = pd.Series([tuple(flags)], dtype=object)
    given_ = {name: [v] for name, v in (("n", n), ("low", low), ("high", high)) if v is not None}
    return metric_rows(grid, metric, [math.nan if value is None else value], **given_)


def share(bucket, metric, hits, n, *, flags=(), **segment):
    """Return the row of a share with its Wilson interval."""
    low, high = (float(x) for x in wilson(hits, n))
    value = hits / n if n else None
    return one(bucket, metric, value, n, low=low, high=high, flags=flags, **segment)


def cost(bucket, spend, mqls, *, flags=()):
    return one(bucket, "cost_per_mql", spend / mqls if mqls else None, mqls, flags=flags)


def rows(*parts):
    return pd.concat(parts, ignore_index=True)


def only(found, metric, kind=PREVIOUS, bucket=None):
    """Return the one row of a change."""
    part = found[(found["metric"] == metric) & (found["kind"] == kind)]
    part = part if bucket is None else part[part["bucket"] == bucket]
    assert len(part) == 1, part
    return part.iloc[0]


def pair(metric, now, before, **flags):
    """Return the change of a share from January to February, both as hits and n."""
    return changes(
        rows(share(JAN, metric, *before), share(FEB, metric, *now, flags=tuple(flags.get("f", ()))))
    )


def plain(text):
    return text.replace("\u2060", "")


def said(verdicts):
    return [(plain(v.text), v.tone) for v in verdicts]


# --- Intervals


@pytest.mark.parametrize(
    ("hits", "n", "other", "m", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_the_difference_of_shares_against_a_published_table(hits, n, other, m, low, high):
    found = only(pair("efficiency", (hits, n), (other, m)), "efficiency")
    assert [round(found["low"], 4), round(found["high"], 4)] == [low, high]
    assert found["difference"] == hits / n - other / m


@given(st.data())
def test_the_difference_of_shares_against_statsmodels(data):
    n, m = (data.draw(st.integers(1, 5000)) for _ in range(2))
    hits, other = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    ours = square_and_add([1, -1], [hits / n, other / m], *wilson([hits, other], [n, m]))
    theirs = confint_proportions_2indep(hits, n, other, m, method="newcomb", compare="diff")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@given(count=st.integers(0, 10**7), other=st.integers(0, 10**7))
def test_the_difference_of_counts_against_statsmodels(count, other):
    bounds = count_bounds([count, other])
    theirs = [confint_poisson(y, 1, method="score") for y in (count, other)]
    np.testing.assert_allclose(np.transpose(bounds), theirs, rtol=1e-9, atol=1e-7)
    ours = square_and_add([1, -1], [count, other], *bounds)
    mover = confint_poisson_2indep(
        count, 1, other, 1, method="mover", compare="diff", method_mover="score"
    )
    np.testing.assert_allclose(ours, mover, rtol=1e-9, atol=1e-6)


def test_the_cost_varies_with_the_count_and_takes_spend_as_given():
    found = changes(
        rows(
            *(one(b, "mqls", n) for b, n in ((JAN, 230), (FEB, 296))),
            cost(JAN, 18573, 230),
            cost(FEB, 33990, 296),
        )
    )
    then, now = (confint_poisson(n, 1, method="score") for n in (230, 296))
    a, b = 33990 / 296, 18573 / 230
    a_low, a_high, b_low, b_high = 33990 / now[1], 33990 / now[0], 18573 / then[1], 18573 / then[0]
    cost_row = only(found, "cost_per_mql")
    assert cost_row["difference"] == pytest.approx(a - b)
    assert cost_row["low"] == pytest.approx(a - b - math.hypot(a - a_low, b_high - b))
    assert cost_row["high"] == pytest.approx(a - b + math.hypot(a_high - a, b - b_low))
    assert (cost_row["n"], cost_row["n_before"]) == (296, 230)
    assert only(found, "mqls")["low"] == pytest.approx(21.0551, abs=1e-4)


def test_a_cost_of_nothing_is_known_exactly():
    found = only(changes(rows(cost(JAN, 0, 40), cost(FEB, 0, 50))), "cost_per_mql")
    assert [found["difference"], found["low"], found["high"]] == [0, 0, 0]
    assert not found["is_clear"]


@given(
    st.lists(
        st.tuples(st.floats(-3, 3), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5)),
        min_size=1,
        max_size=6,
    )
)
def test_the_interval_of_a_sum_turns_round_with_its_signs(terms):
    w, p, down, up = (np.array(x) for x in zip(*terms, strict=True))
    low, high = square_and_add(w, p, p - down, p + up)
    assert low <= (w * p).sum() + 1e-12
    assert high >= (w * p).sum() - 1e-12
    turned = square_and_add(-w, p, p - down, p + up)
    np.testing.assert_allclose(turned, [-high, -low], atol=1e-12)


# --- Which bucket to compare with


@pytest.mark.parametrize(
    ("label", "previous", "year"),
    [
        ("2026-01", "2025-12", "2025-01"),
        ("2026-12", "2026-11", "2025-12"),
        ("2026-Q1", "2025-Q4", "2025-Q1"),
        ("2026-Q4", "2026-Q3", "2025-Q4"),
        ("2026-H1", "2025-H2", "2025-H1"),
        ("2026-H2", "2026-H1", "2025-H2"),
        ("2026", "2025", ""),
        ("2026-W05", "2026-W04", "2025-W05"),
        ("2026-W01", "2025-W52", "2025-W01"),
        # 2026 has 53 weeks: 52 weeks before its last one lies its own first.
        ("2027-W01", "2026-W53", "2026-W02"),
        ("2026-W53", "2026-W52", "2026-W01"),
    ],
)
def test_the_label_before(label, previous, year):
    assert label_before(label) == previous
    assert label_before(label, kind=YEAR) == year


@given(
    day=st.dates(date(1999, 1, 1), date(2060, 1, 1)),
    grain=st.sampled_from(GRAINS),
    first_month=st.integers(1, 12),
)
def test_labels_count_back_as_the_calendar_does(day, grain, first_month):
    calendar = Calendar(first_month)
    start = calendar.start_of(day, grain)
    label = calendar.label(start, grain)
    assert label_before(label) == calendar.label(calendar.next_start(start, grain, -1), grain)
    units = {"week": 52, "month": 12, "quarter": 4, "half": 2}
    if grain in units:
        then = calendar.next_start(start, grain, -units[grain])
        assert label_before(label, kind=YEAR) == calendar.label(then, grain)


@pytest.mark.parametrize("fiscal", [1, 4, 7, 12])
@pytest.mark.parametrize("grain", ["week", "month", "quarter", "half"])
@pytest.mark.parametrize("is_split", [False, True])
def test_the_year_before_is_found_in_the_rows_or_in_earlier_ones(grain, fiscal, is_split):
    calendar = Calendar(fiscal)
    buckets = calendar.cut(date(2024, fiscal, 1), date(2026, fiscal, 1), grain)
    buckets = [b for b in buckets if grain != "week" or b.days == 7]
    frames = [one(b, "mqls", 100 + i) for i, b in enumerate(buckets)]
    half = len(buckets) // 2 if is_split else 0
    earlier = rows(*frames[:half]) if is_split else None
    found = changes(rows(*frames[half:]), earlier=earlier)
    index = {b.label: i for i, b in enumerate(buckets)}
    back = {"week": 52, "month": 12, "quarter": 4, "half": 2}[grain]
    years = found[found["kind"] == YEAR]
    assert len(years) == len(buckets) - max(back, half)
    assert (years["difference"] == back).all()
    assert (years["against"].map(index) == years["bucket"].map(index) - back).all()
    steps = found[found["kind"] == PREVIOUS]
    assert len(steps) == len(buckets) - max(1, half)
    assert (steps["difference"] == 1).all()


def test_a_year_is_compared_once():
    years = [Bucket(f"{y}", date(y, 1, 1), date(y + 1, 1, 1)) for y in (2024, 2025)]
    found = changes(rows(*(one(b, "mqls", 100) for b in years)))
    assert list(found["kind"]) == [PREVIOUS]
    assert list(found["against"]) == ["2024"]


def test_equal_labels_of_different_fiscal_years_are_not_compared():
    now = Bucket("2026-Q1", date(2026, 1, 1), date(2026, 4, 1))
    fiscal = Bucket("2025-Q1", date(2024, 7, 1), date(2024, 10, 1))
    calendar = Bucket("2025-Q1", date(2025, 1, 1), date(2025, 4, 1))
    assert changes(one(now, "mqls", 5), earlier=one(fiscal, "mqls", 4)).empty
    assert len(changes(one(now, "mqls", 5), earlier=one(calendar, "mqls", 4))) == 1


def test_what_is_missing_is_not_compared():
    assert list(changes(one(FEB, "mqls", 5)).columns) == COLUMNS
    assert changes(one(FEB, "mqls", 5)).empty
    # A gap: March has no February to stand against, and the total stands against nothing.
    whole = Bucket(TOTAL, JAN.start, MAR.end)
    assert changes(rows(one(JAN, "mqls", 5), one(MAR, "mqls", 5), one(whole, "mqls", 10))).empty
    assert changes(one(JAN, "mqls", 5).iloc[:0]).empty
    assert latest(changes(one(JAN, "mqls", 5))).empty


def test_the_rows_win_over_earlier_ones_and_nobody_changes_a_frame():
    now, earlier = rows(one(JAN, "mqls", 5), one(FEB, "mqls", 9)), one(JAN, "mqls", 1)
    copies = now.copy(deep=True), earlier.copy(deep=True)
    assert only(changes(now, earlier=earlier), "mqls")["before"] == 5
    pd.testing.assert_frame_equal(now, copies[0])
    pd.testing.assert_frame_equal(earlier, copies[1])


def test_segments_are_compared_with_themselves():
    found = changes(
        rows(
            one(JAN, "mqls", 50, source="Web"),
            one(FEB, "mqls", 150, source="Web"),
            one(JAN, "mqls", 7, source="Event"),
            one(FEB, "mqls", 8, source="Event"),
            one(FEB, "mqls", 158),
            one(FEB, "mqls", 9, owner="N"),
        ),
        by="source",
    )
    assert dict(zip(found["name"], found["difference"], strict=True)) == {"Web": 100, "Event": 1}
    assert dict(zip(found["name"], found["is_clear"], strict=True)) == {"Web": True, "Event": False}


def test_nulls_stay_nulls():
    found = changes(
        rows(
            share(JAN, "efficiency", 0, 0),
            share(FEB, "efficiency", 20, 50),
            share(MAR, "efficiency", 30, 50),
            one(JAN, "cost_per_mql", None, 40, flags=["spend-not-covered"]),
            cost(FEB, 900, 50),
            cost(MAR, 900, 0),
            one(JAN, "acceptance_rate", None),
            one(FEB, "acceptance_rate", None),
        )
    )
    for metric, bucket in (
        ("efficiency", "2026-02"),
        ("cost_per_mql", "2026-02"),
        ("cost_per_mql", "2026-03"),
        ("acceptance_rate", "2026-02"),
    ):
        row = only(found, metric, bucket=bucket)
        assert np.isnan([row["difference"], row["low"], row["high"]]).all()
        assert not row["is_clear"]
    assert only(found, "efficiency", bucket="2026-03")["difference"] == pytest.approx(0.2)


# --- When a difference is clear


@pytest.mark.parametrize("n", [30, 400, 3000])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_change_is_clear_where_its_interval_leaves_out_0(n, sign):
    half = n // 2
    tried = [half + sign * round(step * n**0.5 / 6) for step in range(12)]
    frames = [
        share(bucket, "efficiency", hits, n, source=str(tried_hits))
        for tried_hits in tried
        for bucket, hits in ((JAN, half), (FEB, tried_hits))
    ]
    found = changes(rows(*frames), by="source")
    want = [
        confint_proportions_2indep(hits, n, half, n, method="newcomb", compare="diff")
        for hits in tried
    ]
    assert found["is_clear"].tolist() == [low > 0 or high < 0 for low, high in want]
    assert set(found["is_clear"]) == {True, False}


@pytest.mark.parametrize("flag", ["in-progress", "immature", "spend-not-covered"])
@pytest.mark.parametrize("is_now", [True, False])
def test_a_bucket_that_is_not_final_gives_no_clear_change(flag, is_now):
    frames = [
        share(bucket, "efficiency", hits, 100, flags=[flag] if is_flagged else [])
        for bucket, hits, is_flagged in ((JAN, 10, not is_now), (FEB, 60, is_now))
    ]
    found = only(changes(rows(*frames)), "efficiency")
    assert found["low"] > 0
    assert (found["is_clear"], found["flags"]) == (False, (flag,))
    assert only(pair("efficiency", (60, 100), (10, 100)), "efficiency")["is_clear"]


@pytest.mark.parametrize(("n", "is_clear"), [(29, False), (30, True)])
def test_a_small_n_on_either_side_gives_no_clear_change(n, is_clear):
    for now, before in (((n, n), (0, 90)), ((0, 90), (n, n))):
        found = only(pair("sla_attainment", now, before), "sla_attainment")
        assert found["is_clear"] == is_clear
        assert ("small-n" in found["flags"]) == (not is_clear)


def test_a_part_of_a_bucket_gives_no_clear_change_and_is_not_complete():
    part = Bucket("2026-03", MAR.start, date(2026, 3, 12))
    found = changes(rows(*(one(b, "mqls", m) for b, m in ((JAN, 500), (FEB, 100), (part, 10)))))
    assert only(found, "mqls", bucket="2026-03")["flags"] == ("part-bucket",)
    assert not only(found, "mqls", bucket="2026-03")["is_clear"]
    assert list(latest(found)["bucket"]) == ["2026-02"]
    assert latest(found)["is_clear"].all()


@pytest.mark.parametrize(
    ("label", "start", "end", "is_whole"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 3, 1), True),
        ("2026-02", date(2026, 2, 2), date(2026, 3, 1), False),
        ("2026-Q1", date(2025, 7, 1), date(2025, 10, 1), True),
        ("2026-Q1", date(2025, 8, 1), date(2025, 10, 1), False),
        ("2026-H2", date(2026, 7, 1), date(2027, 1, 1), True),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 1), False),
        ("2026", date(2026, 1, 1), date(2027, 1, 1), True),
        ("2026", date(2026, 1, 1), date(2026, 7, 1), False),
        ("2026-W05", date(2026, 1, 26), date(2026, 2, 2), True),
        ("2026-W05", date(2026, 1, 26), date(2026, 2, 1), False),
    ],
)
def test_whether_a_bucket_is_whole_shows_in_its_dates(label, start, end, is_whole):
    then = Bucket(label_before(label), start - timedelta(days=1), start)
    found = changes(rows(one(then, "mqls", 5), one(Bucket(label, start, end), "mqls", 5)))
    assert list(found["is_complete"]) == [is_whole]


@pytest.mark.parametrize(
    ("metric", "still"), [("sla_attainment", "sla_pending"), ("acceptance_rate", "undecided")]
)
def test_open_leads_that_could_undo_a_change_leave_it_open(metric, still):
    def change(hits, open_now, open_before=0):
        decided = 100 - open_now
        return only(
            changes(
                rows(
                    share(JAN, metric, 50 * (100 - open_before) // 100, 100 - open_before),
                    share(FEB, metric, hits, decided),
                    *(one(b, "mqls", 100) for b in (JAN, FEB)),
                    one(JAN, still, open_before),
                    one(FEB, still, open_now),
                )
            ),
            metric,
        )

    # 70 of 100 against 50 of 100 is clear, and so it is with 4 more that may still fail ...
    assert change(70, 0)["is_clear"]
    assert change(70, 4)["is_clear"]
    # ... but 70 of 78 with 22 open may end as 70 of 100, and 66 of 76 as 66 of 100, which is not.
    assert change(70, 22)["is_clear"]
    undone = change(63, 30)
    assert undone["low"] > 0
    assert (undone["is_clear"], undone["flags"]) == (False, ("unsettled",))
    # Downwards: 30 of 90 against 50 of 100 is clear, 40 of 100 would not be.
    assert change(30, 10)["flags"] == ("unsettled",)
    # As many were open, and stayed so, in the bucket before.
    assert change(63, 30, open_before=30)["is_clear"]


@pytest.mark.parametrize(
    ("before", "now", "flags", "is_clear"),
    [
        # February has 28 days to January's 31: of 3,100 leads a like month brings 2,800.
        (3100, 2800, ("unequal-days",), False),
        (3100, 2500, (), True),
        (3100, 3300, (), True),
        (3100, 3090, (), False),
    ],
)
def test_a_shorter_month_is_no_fall(before, now, flags, is_clear):
    found = only(changes(rows(one(JAN, "mqls", before), one(FEB, "mqls", now))), "mqls")
    assert (found["flags"], found["is_clear"]) == (flags, is_clear)


def test_a_share_does_not_care_for_the_number_of_days():
    assert only(pair("efficiency", (500, 2800), (700, 3100)), "efficiency")["flags"] == ()


# --- Sentences


def month(
    bucket, *, mqls=200, accepted=100, sqls=60, met=150, fast=50, spend=10000, flags=(), n=200
):
    """Return the rows of a month."""
    return rows(
        one(bucket, "mqls", mqls, flags=flags),
        share(bucket, "acceptance_rate", accepted, n, flags=flags),
        share(bucket, "efficiency", sqls, n, flags=flags),
        share(bucket, "sla_attainment", met, n, flags=flags),
        share(bucket, "contacted_within_1h", fast, n, flags=flags),
        one(bucket, "cost_per_mql", spend / n, n, flags=flags),
    )


CONVERSION = "MQL→SQL conversion rate"
ALIKE = (
    f"MQLs, acceptance rate, {CONVERSION}, SLA attainment, contacted within 1 h and cost per MQL"
)


def without(*labels):
    names = [n for n in ALIKE.replace(" and ", ", ").split(", ") if n not in labels]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def judged(*months, **options):
    """Return the sentences, without the intervals of what has not clearly changed."""
    frame = changes(rows(*months), **options).assign(currency="EUR")
    return [
        (re.sub(r" \([^)]*\)", "", text) if text.startswith("No clear") else text, tone)
        for text, tone in said(verdicts.changes.comparisons(frame))
    ]


def test_what_has_not_clearly_changed_is_said_with_its_interval():
    frame = changes(rows(month(JAN), month(FEB, mqls=204))).assign(currency="EUR")
    text = (
        "No clear change from Jan 2026 to Feb 2026 in MQLs (−36 to +44), acceptance rate (−9.7 to "
        "+9.7 points), MQL→SQL conversion rate (−8.9 to +8.9 points), SLA attainment (−8.5 to +8.5 "
        "points), contacted within 1 h (−8.5 to +8.5 points) and cost per MQL (−€9.85 to +€9.85)."
    )
    assert said(verdicts.changes.comparisons(frame)) == [(text, "plain")]


def test_no_change_is_said_once():
    assert judged(month(JAN), month(FEB)) == [
        (f"No clear change from Jan 2026 to Feb 2026 in {ALIKE}.", "plain")
    ]


@pytest.mark.parametrize(
    ("changed", "text", "tone", "label"),
    [
        pytest.param(
            {"mqls": 300},
            "MQLs in Feb 2026: 300, up by 100 (56 to 144) from Jan 2026.",
            "plain",
            "MQLs",
            id="more",
        ),
        pytest.param(
            {"mqls": 120},
            "MQLs in Feb 2026: 120, down by 80 (45 to 116) from Jan 2026.",
            "plain",
            "MQLs",
            id="fewer",
        ),
        pytest.param(
            {"accepted": 120},
            "Acceptance rate in Feb 2026: 60.0%, up by 10.0 points (0.3 to 19.5) from Jan 2026.",
            "good",
            "acceptance rate",
            id="accepted more",
        ),
        pytest.param(
            {"accepted": 119},
            None,
            None,
            None,
            id="accepted one less: not clear",
        ),
        pytest.param(
            {"sqls": 40},
            f"{CONVERSION} in Feb 2026: 20.0%, down by 10.0 points (1.5 to 18.3) from Jan 2026.",
            "bad",
            CONVERSION,
            id="lower",
        ),
        pytest.param({"sqls": 44}, None, None, None, id="lower: not clear"),
        pytest.param(
            {"met": 180},
            "SLA attainment in Feb 2026: 90.0%, up by 15.0 points (7.6 to 22.3) from Jan 2026.",
            "good",
            "SLA attainment",
            id="in time",
        ),
        pytest.param(
            {"fast": 30},
            "Contacted within 1 h in Feb 2026: 15.0%, down by 10.0 points (2.2 to 17.7) from Jan "
            "2026.",
            "bad",
            "contacted within 1 h",
            id="slower",
        ),
        pytest.param(
            {"spend": 14000},
            "Cost per MQL in Feb 2026: €70, up by €20 (€8.29 to €32.24) from Jan 2026. The "
            "interval covers chance in the number of MQLs only.",
            "bad",
            "cost per MQL",
            id="dearer",
        ),
        pytest.param(
            {"spend": 7000},
            "Cost per MQL in Feb 2026: €35, down by €15 (€6.70 to €23.70) from Jan 2026. The "
            "interval covers chance in the number of MQLs only.",
            "good",
            "cost per MQL",
            id="cheaper",
        ),
        pytest.param({"spend": 12000}, None, None, None, id="dearer: not clear"),
    ],
)
def test_a_clear_change_is_said_and_the_rest_is_not(changed, text, tone, label):
    found = judged(month(JAN), month(FEB, **changed))
    if text is None:
        assert found == [(f"No clear change from Jan 2026 to Feb 2026 in {ALIKE}.", "plain")]
        return
    rest = f"No clear change from Jan 2026 to Feb 2026 in {without(label)}."
    assert found == [(text, tone), (rest, "plain"), (CHANCE, "plain")]


def test_a_shorter_month_is_said_to_be_shorter():
    first, second = month(JAN, mqls=3100), month(FEB, mqls=2800)
    shorter = (
        "down by 300 (149 to 451) from Jan 2026, which has more days: no clear change per day."
    )
    assert judged(first, second)[0] == (f"MQLs in Feb 2026: 2,800, {shorter}", "plain")
    longer = "up by 300 (149 to 451) from Feb 2026, which has fewer days: no clear change per day."
    found = judged(month(FEB, mqls=2800), month(MAR, mqls=3100))
    assert found[0] == (f"MQLs in Mar 2026: 3,100, {longer}", "plain")


@pytest.mark.parametrize(
    "flag", [f for f in HOLDS if f not in ("in-progress", "part-bucket", "small-n")]
)
def test_what_is_not_final_is_not_compared(flag):
    second = rows(month(FEB), share(MAR, "efficiency", 60, 200))
    second = second[(second["metric"] != "efficiency")]
    held = share(FEB, "efficiency", 5, 200, flags=[flag])
    assert judged(month(JAN), rows(second, held)) == [
        (f"No clear change from Jan 2026 to Feb 2026 in {without(CONVERSION)}.", "plain"),
        (f"Feb 2026 is not compared with Jan 2026 in {CONVERSION}: {HOLDS[flag]}.", "plain"),
    ]


@pytest.mark.parametrize(
    ("flags", "days", "why"),
    [
        (["immature"], 30, "the 30 days of some of its MQLs are not over yet"),
        # 0 is a limit too, and -1 is none.
        (["immature"], 0, "the 0 days of some of its MQLs are not over yet"),
        (["immature"], -1, HOLDS["immature"]),
        (["immature", "part-bucket"], 30, HOLDS["part-bucket"]),
    ],
)
def test_why_conversion_is_not_compared_names_the_days_within_which_an_sql_counts(flags, days, why):
    assert why_held(flags, within_days(pd.DataFrame({"within_days": [days]}))) == why


def test_a_change_within_days_says_so():
    frame = changes(rows(month(JAN), month(FEB, sqls=150))).assign(currency="EUR", within_days=30)
    label = f"{CONVERSION} within 30 days"
    texts = [text for text, _ in said(verdicts.changes.comparisons(frame))]
    assert any(text.startswith(f"{label} in Feb 2026: ") for text in texts)
    assert label in tables.changes.comparisons(frame).cells["Metric"].tolist()


def test_a_small_month_is_not_compared_and_its_count_is():
    why = f"in {without('MQLs')}: one of the two has fewer than 30 leads."
    assert judged(month(JAN), month(FEB, n=29, mqls=29, accepted=9, sqls=9, met=9, fast=9)) == [
        ("MQLs in Feb 2026: 29, down by 171 (142 to 202) from Jan 2026.", "plain"),
        (f"Feb 2026 is not compared with Jan 2026 {why}", "plain"),
        (CHANCE, "plain"),
    ]


def test_a_bucket_in_progress_is_passed_over():
    open_month = month(MAR, mqls=3, flags=["in-progress"])
    assert judged(month(JAN), month(FEB), open_month) == judged(month(JAN), month(FEB))
    nothing = [("No complete bucket has one before it: there is nothing to compare yet.", "plain")]
    assert judged(month(FEB), open_month) == nothing
    assert judged(month(JAN)) == nothing


def test_the_year_before_has_its_own_sentences():
    then = Bucket("2025-02", date(2025, 2, 1), date(2025, 3, 1))
    assert judged(month(JAN), month(FEB), earlier=month(then, met=180)) == [
        (f"No clear change from Jan 2026 to Feb 2026 in {ALIKE}.", "plain"),
        (
            "SLA attainment in Feb 2026: 75.0%, down by 15.0 points (7.6 to 22.3) from Feb 2025.",
            "bad",
        ),
        (f"No clear change from Feb 2025 to Feb 2026 in {without('SLA attainment')}.", "plain"),
        (CHANCE, "plain"),
    ]


def test_what_was_never_recorded_is_not_spoken_of():
    kept = [
        part[~part["metric"].isin(["contacted_within_1h", "cost_per_mql"])]
        for part in (month(JAN), month(FEB))
    ]
    never = [one(b, "contacted_within_1h", None, flags=["day-precision"]) for b in (JAN, FEB)]
    left = f"MQLs, acceptance rate, {CONVERSION} and SLA attainment"
    assert judged(*kept, *never) == [
        (f"No clear change from Jan 2026 to Feb 2026 in {left}.", "plain"),
    ]


@pytest.mark.parametrize(
    ("unit", "low", "text"),
    [
        ("share", 0.0004, "up by 2.0 (<0.1 to 4.0)"),
        ("share", 0.0006, "up by 2.0 (0.1 to 4.0)"),
        ("leads", 0.4, "up by 5 (<1 to 9)"),
        ("money/lead", 0.004, "up by €0.02 (<€0.01 to €0.04)"),
    ],
)
def test_what_is_not_0_is_not_written_as_0(unit, low, text):
    difference = 5 if unit == "leads" else 0.02
    row = {
        "metric": "mqls", "bucket": "2026-02", "against": "2026-01", "value": 1, "unit": unit,
        "difference": difference, "low": low, "high": 9 if unit == "leads" else 0.04,
    }  # fmt: skip
    claim = change_claim(row, Sentence("up by {size} ({range})"), currency="EUR")
    assert claim.text == text


def test_every_hold_has_its_words_and_the_weightiest_comes_first():
    assert why_held(()) == why_held(("unequal-days", "day-precision")) == ""
    assert [why_held((flag,)) for flag in HOLDS] == list(HOLDS.values())
    assert why_held(tuple(reversed(HOLDS))) == HOLDS["in-progress"]


# --- Mix and rate


def sources(bucket, **counts):
    """Return the efficiency of a bucket, all leads and by source, from hits and n."""
    names = {name.replace("_", " "): pair_ for name, pair_ in counts.items()}
    hits, n = (sum(x) for x in zip(*names.values(), strict=True))
    flags = ["small-n"] if n < 30 else []
    return rows(
        share(bucket, "efficiency", hits, n, flags=[f for f in flags if f != "small-n"]),
        *(share(bucket, "efficiency", h, m, source=name) for name, (h, m) in names.items()),
    )


def split(now, before, **options):
    return efficiency_mix_and_rate(
        rows(sources(JAN, **before), sources(FEB, **now)), by="source", **options
    )


counts = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda x: (min(x), max(x)))
sides = st.lists(st.tuples(counts, counts), min_size=1, max_size=7).filter(
    lambda x: all(sum(side[i][1] for side in x) for i in (0, 1))
)


@settings(max_examples=40)
@given(sides)
def test_mix_and_rate_add_up_to_the_change_exactly(side):
    now, before = ({f"s{i}": s[k] for i, s in enumerate(side)} for k in (0, 1))
    parts = split(now, before, bucket="2026-02")
    total, segments = parts.iloc[-1], parts.iloc[:-1]
    rate_now, rate_before = (
        sum(h for h, _ in c.values()) / sum(n for _, n in c.values()) for c in (now, before)
    )
    assert abs(total["mix"] + total["rate"] - (rate_now - rate_before)) < 1e-12
    assert abs(segments["mix"].sum() - total["mix"]) < 1e-12
    assert abs(segments["rate"].sum() - total["rate"]) < 1e-12
    assert abs(segments["difference"].sum() - (rate_now - rate_before)) < 1e-12
    assert total["value"] == pytest.approx(rate_now, abs=1e-12)
    assert segments["share"].sum() == pytest.approx(1)
    assert parts["is_total"].tolist() == [False] * len(segments) + [True]
    for name in ("", "mix_", "rate_"):
        value = total[name.rstrip("_") or "difference"]
        assert total[f"{name}low"] - 1e-12 <= value <= total[f"{name}high"] + 1e-12


@settings(max_examples=40)
@given(sides)
def test_mix_and_rate_are_the_same_backwards_in_time(side):
    now, before = ({f"s{i}": s[k] for i, s in enumerate(side)} for k in (0, 1))
    there = split(now, before, bucket="2026-02").set_index("name")
    back = split(before, now, bucket="2026-02").set_index("name")
    for column in ("mix", "rate", "difference"):
        np.testing.assert_allclose(there[column], -back.loc[there.index, column], atol=1e-12)


@given(sides)
def test_mix_and_rate_are_the_mean_of_both_orders_of_change(side):
    """The Shapley value of two causes: shares first and rates second, and the other way round."""
    full = [s for s in side if s[0][1] and s[1][1]]
    if not full:
        return
    n, m = (np.array([s[k][1] for s in full], dtype=float) for k in (0, 1))
    p, q = (np.array([s[k][0] / s[k][1] for s in full]) for k in (0, 1))
    s, t = n / n.sum(), m / m.sum()
    mix, rate = mix_and_rate(s, p, shares_before=t, before=q)
    assert mix.sum() == pytest.approx(((s - t) @ q + (s - t) @ p) / 2, abs=1e-12)
    assert rate.sum() == pytest.approx((s @ (p - q) + t @ (p - q)) / 2, abs=1e-12)


def test_shares_alone_are_mix_and_rates_alone_are_rate():
    # Half of all from each source, then three quarters from the weak one, at the same rates.
    mix = split({"weak": (15, 150), "strong": (25, 50)}, {"weak": (10, 100), "strong": (50, 100)})
    assert list(mix["rate"]) == [0, 0, 0]
    assert list(mix["mix"].round(12)) == [-0.0625, -0.0375, -0.1]
    assert list(mix["name"][:2]) == ["strong", "weak"]
    rate = split({"weak": (20, 100), "strong": (50, 100)}, {"weak": (10, 100), "strong": (50, 100)})
    assert list(rate["mix"]) == [0, 0, 0]
    assert list(rate["rate"].round(12)) == [0.05, 0, 0.05]


def test_a_segment_that_came_or_went_is_mix():
    parts = split(
        {"Web": (30, 100), "new": (0, 100), "none": (0, 0)},
        {"Web": (30, 100), "gone": (40, 50), "none": (0, 0)},
    ).set_index("name")
    assert set(parts.index) == {"Web", "new", "gone", np.nan}
    assert parts.loc[["new", "gone"], "rate"].tolist() == [0, 0]
    assert (parts.loc[["new", "gone"], "mix"] < 0).all()
    assert parts.loc["new", "n_before"] == 0
    assert np.isnan(parts.loc["new", "before"])
    total = parts[parts["is_total"]].iloc[0]
    assert total["difference"] == pytest.approx(30 / 200 - 70 / 150)
    assert [total["rate_low"], total["rate_high"]] != [0, 0]


def test_the_bounds_of_mix_and_rate_by_hand():
    now, before = {"a": (12, 120), "b": (40, 80)}, {"a": (9, 60), "b": (60, 90)}
    total = split(now, before).iloc[-1]
    p, q = np.array([0.1, 0.5]), np.array([0.15, 60 / 90])
    (pl, ph), (ql, qh) = wilson([12, 40], [120, 80]), wilson([9, 60], [60, 90])
    grown, middle = np.array([0.6 - 0.4, 0.4 - 0.6]), np.array([0.5, 0.5])
    mix, rate = (grown * (p + q) / 2).sum(), (middle * (p - q)).sum()
    down = [grown[0] / 2 * (p - pl)[0], grown[0] / 2 * (q - ql)[0],
            grown[1] / 2 * (p - ph)[1], grown[1] / 2 * (q - qh)[1]]  # fmt: skip
    assert total["mix_low"] == pytest.approx(mix - math.sqrt(sum(x**2 for x in down)))
    fall = np.concatenate([middle * (p - pl), middle * (qh - q)])
    rise = np.concatenate([middle * (ph - p), middle * (q - ql)])
    assert total["rate_low"] == pytest.approx(rate - math.sqrt((fall**2).sum()))
    assert total["rate_high"] == pytest.approx(rate + math.sqrt((rise**2).sum()))
    theirs = confint_proportions_2indep(52, 200, 69, 150, method="newcomb", compare="diff")
    assert [total["low"], total["high"]] == pytest.approx(list(theirs))


def test_there_is_no_split_of_nothing():
    web = {"Web": (30, 100)}
    assert list(split(web, web, bucket="2027-01").columns) == MIX_COLUMNS
    assert split(web, web, bucket="2027-01").empty
    assert split(web, {"Web": (0, 0)}).empty
    assert split({"Web": (0, 0)}, web, bucket="2026-02").empty
    assert efficiency_mix_and_rate(sources(JAN, **web), by="source").empty
    assert efficiency_mix_and_rate(rows(sources(JAN, **web), sources(FEB, **web)), by="owner").empty


FLAGGED = ("immature", "in-progress")


def test_the_split_is_of_the_last_bucket_that_may_be_compared():
    parts = [sources(b, Web=(h, 100)) for b, h in ((JAN, 10), (FEB, 60), (MAR, 20), (APR, 1))]
    assert set(efficiency_mix_and_rate(rows(*parts), by="source")["bucket"]) == {"2026-04"}
    young, begun = (p.assign(flags=[(f,)] * 2) for p, f in zip(parts[2:], FLAGGED, strict=True))
    found = efficiency_mix_and_rate(rows(*parts[:2], young, begun), by="source")
    assert set(found["bucket"]) == {"2026-02"}
    assert set(found["against"]) == {"2026-01"}
    assert is_comparable(found)
    asked = efficiency_mix_and_rate(rows(*parts[:2], young), by="source", bucket="2026-03")
    assert asked["flags"].iloc[-1] == ("immature",)
    assert not is_comparable(asked)


def test_the_other_side_may_come_from_earlier_rows():
    then = Bucket("2025-02", date(2025, 2, 1), date(2025, 3, 1))
    found = efficiency_mix_and_rate(
        sources(FEB, Web=(30, 100)),
        earlier=sources(then, Web=(40, 100)),
        by="source",
        bucket="2026-02",
        against="2025-02",
    )
    assert found["rate"].tolist() == pytest.approx([-0.1, -0.1])


def test_many_segments_are_summed_up():
    now = {f"s{i}": (i, 40) for i in range(12)}
    before = {f"s{i}": (20, 40) for i in range(12)}
    parts = split(now, before)
    short = largest(parts, 8, rest="(other sources)")
    assert len(short) == 9
    assert short["name"].iloc[7] == "(other sources)"
    assert short["difference"].iloc[:-1].sum() == pytest.approx(short["difference"].iloc[-1])
    assert short["n"].iloc[:-1].sum() == short["n"].iloc[-1] == 480
    assert np.isnan(short["value"].iloc[7])
    pd.testing.assert_frame_equal(largest(parts, 12, rest=""), parts)


@pytest.mark.parametrize(
    ("now", "before", "head", "mix", "rate", "tone"),
    [
        pytest.param(
            {"Paid": (30, 300), "Web": (40, 100)},
            {"Paid": (10, 100), "Web": (80, 200)},
            "MQL→SQL conversion fell by 12.5 points (6.2 to 18.9) from Jan 2026 to Feb 2026",
            "−12.5 points (−15.2 to −9.6), as segments with low conversion have a larger share of "
            "the MQLs (largest shift: Paid, 33.3% to 75.0%)",
            "0.0 points (−6.8 to +6.3), not clear",
            "bad",
            id="all of it mix",
        ),
        pytest.param(
            {"Paid": (40, 100), "Web": (100, 200)},
            {"Paid": (10, 100), "Web": (60, 200)},
            "MQL→SQL conversion rose by 23.3 points (15.8 to 30.5) from Jan 2026 to Feb 2026",
            "0.0 points (0.0 to 0.0), not clear",
            "+23.3 points (+15.8 to +30.4)",
            "good",
            id="all of it rate",
        ),
        pytest.param(
            {"Paid": (10, 100), "Web": (80, 200)},
            {"Paid": (30, 300), "Web": (40, 100)},
            "MQL→SQL conversion rose by 12.5 points (6.2 to 18.9) from Jan 2026 to Feb 2026",
            "+12.5 points (+9.6 to +15.2), as segments with high conversion have a larger share of "
            "the MQLs (largest shift: Paid, 75.0% to 33.3%)",
            "0.0 points (−6.3 to +6.8), not clear",
            "good",
            id="better mix",
        ),
        pytest.param(
            {"Paid": (60, 300), "Web": (60, 100)},
            {"Paid": (10, 100), "Web": (80, 200)},
            "MQL→SQL conversion shows no clear change from Jan 2026 to Feb 2026 (−6.9 to +6.8 "
            "points)",
            "−14.6 points (−17.3 to −11.5), as segments with low conversion have a larger share of "
            "the MQLs (largest shift: Paid, 33.3% to 75.0%)",
            "+14.6 points (+7.4 to +20.8)",
            "plain",
            id="the two cancel out",
        ),
    ],
)
def test_the_sentence_on_mix_and_rate(now, before, head, mix, rate, tone):
    verdict = verdicts.mix.effects(split(now, before).assign(main_breakdown="source"))
    causes = f"By source, the mix shift accounts for {mix}; the rate effect for {rate}."
    assert (verdict.text, verdict.tone) == (f"{head}. {causes}", tone)


def test_no_sentence_on_nothing_and_a_refusal_where_it_is_too_soon():
    web = {"Web": (30, 100)}
    assert verdicts.mix.effects(split(web, {"Web": (0, 0)}).assign(main_breakdown="source")) is None
    young = sources(FEB, **web).assign(flags=[("immature",)] * 2)
    parts = efficiency_mix_and_rate(rows(sources(JAN, **web), young), by="source", bucket="2026-02")
    assert verdicts.mix.effects(parts.assign(main_breakdown="source")).text == (
        "MQL→SQL conversion of Feb 2026 is not compared with that of Jan 2026: the cohort is "
        "too young, and more of its MQLs can still become SQLs."
    )
    within = parts.assign(main_breakdown="source", within_days=30)
    assert verdicts.mix.effects(within).text == (
        "MQL→SQL conversion within 30 days of Feb 2026 is not compared with that of Jan 2026: the "
        "30 days of some of its MQLs are not over yet."
    )


# --- Since when

SLA = ReportParams(sla="48h")
LOWER = "SLA attainment has been lower in every month since Feb 2026: 60.0%, against 80.0% before."


def kept(*met, n=100):
    counts_ = n if isinstance(n, tuple) else (n,) * len(met)
    months = zip((JAN, FEB, MAR, APR), met, counts_, strict=False)
    return rows(*(share(b, "sla_attainment", hits, c) for b, hits, c in months))


@pytest.mark.parametrize(
    ("frame", "text", "tone"),
    [
        pytest.param(
            kept(80, 60, 60),
            LOWER,
            "bad",
            id="lower since the second",
        ),
        pytest.param(kept(80, 60, 80), None, None, id="it came back"),
        pytest.param(kept(60, 80, 80), None, None, id="higher is not told"),
        pytest.param(kept(80, 10, n=(100, 29)), None, None, id="the last has a small n"),
        pytest.param(kept(29, 10, n=(29, 100)), None, None, id="too few before"),
        pytest.param(kept(80), None, None, id="one bucket"),
        pytest.param(kept(60).iloc[:0], None, None, id="no bucket"),
    ],
)
def test_since_when(frame, text, tone):
    verdict = verdicts.sla.trend(frame.assign(**terms(SLA)))
    assert (None if verdict is None else (verdict.text, verdict.tone)) == (
        None if text is None else (text, tone)
    )


def test_attainment_is_lower_where_the_interval_of_the_difference_says_so():
    for met in range(80, 0, -1):
        _, high = confint_proportions_2indep(met, 100, 160, 200, method="newcomb", compare="diff")
        run = lower_run(kept(80, 80, met))
        assert (run is not None) == (high < 0)
        if run is not None:
            assert (run.first, run.last, run.follows) == ("2026-03", "2026-03", "2026-02")
            assert (run.level, run.before) == (met / 100, 0.8)
            break


# --- Tables and the picture


def cells(table):
    """Return the cells of a table, row by row."""
    lines = re.findall(r"<tr.*?>(.*?)</tr>", table_html(table), re.DOTALL)
    return [
        [html.unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)]
        for line in lines
    ]


def test_the_table_of_changes():
    then = Bucket("2025-02", date(2025, 2, 1), date(2025, 3, 1))
    young = share(FEB, "efficiency", 5, 200, flags=["immature"])
    second = month(FEB, met=180, mqls=180)
    second = rows(second[second["metric"] != "efficiency"], young)
    never = [one(b, "contacted_within_1h", None) for b in (JAN, FEB)]
    first, second = (p[p["metric"] != "contacted_within_1h"] for p in (month(JAN), second))
    found = changes(rows(first, second, *never), earlier=month(then, spend=20000))
    table = tables.changes.comparisons(found[found["metric"] != "mqls"].assign(currency="EUR"))
    assert table.title == "Changes in Feb 2026"
    assert cells(table) == [
        ["Metric", "Compared with", "Then", "Now", "Change", "95% interval", "Result"],
        ["Acceptance rate", "Jan 2026", "50.0%", "50.0%", "0.0 points", "−9.7 to +9.7 points",
         "no clear change"],
        [CONVERSION, "Jan 2026", "30.0%", "2.5%", "–", "–", "immature"],
        ["SLA attainment", "Jan 2026", "75.0%", "90.0%", "+15.0 points", "+7.6 to +22.3 points",
         "up"],
        ["Cost per MQL", "Jan 2026", "€50", "€50", "€0", "−€9.85 to +€9.85", "no clear change"],
        ["Acceptance rate", "Feb 2025", "50.0%", "50.0%", "0.0 points", "−9.7 to +9.7 points",
         "no clear change"],
        [CONVERSION, "Feb 2025", "30.0%", "2.5%", "–", "–", "immature"],
        ["SLA attainment", "Feb 2025", "75.0%", "90.0%", "+15.0 points", "+7.6 to +22.3 points",
         "up"],
        ["Contacted within 1 h", "Feb 2025", "25.0%", "–", "–", "–", "–"],
        ["Cost per MQL", "Feb 2025", "€100", "€50", "−€50", "−€66.20 to −€35.09", "down"],
    ]  # fmt: skip


def test_the_table_says_per_day_and_gives_nothing_where_there_is_nothing():
    found = changes(rows(one(JAN, "mqls", 3100), one(FEB, "mqls", 2800)))
    assert cells(tables.changes.comparisons(found))[1] == [
        "MQLs", "Jan 2026", "3,100", "2,800", "−300", "−451 to −149", "no clear change per day",
    ]  # fmt: skip
    assert tables.changes.comparisons(changes(one(JAN, "mqls", 5))) is None
    assert NOT_COMPARED.keys() == HOLDS.keys()


BEFORE = {"Paid_search": (10, 100), "<b>Web": (80, 200)}
ORDER = ["<b>Web", "Paid search", "new", "(all)"]
NOW = {"Paid_search": (30, 300), "<b>Web": (40, 100), "new": (1, 2)}


def test_the_table_of_mix_and_rate():
    table = tables.mix.effects(split(NOW, BEFORE).assign(main_breakdown="source"))
    assert table.title == (
        "MQL→SQL conversion from Jan 2026 to Feb 2026 by source: mix shift and rate effect"
    )
    header, *lines = cells(table)
    assert header == [
        "Source", "MQLs, Jan 2026", "Share, Jan 2026", "Conversion, Jan 2026", "MQLs, Feb 2026",
        "Share, Feb 2026", "Conversion, Feb 2026", "Mix shift, points", "Rate effect, points",
        "Total, points",
    ]  # fmt: skip
    assert [line[0] for line in lines] == ORDER
    assert lines[2][1:7] == ["0", "0.0%", "–", "2", "0.5%", "50.0%"]
    assert lines[3][1:7] == ["300", "100.0%", "30.0%", "402", "100.0%", "17.7%"]
    assert "<b>" not in table_html(table)


def test_the_picture_of_mix_and_rate_draws_the_frame():
    parts = split(NOW, BEFORE)
    spec = charts.mix.effects(parts.assign(main_breakdown="source")).to_dict()
    bars, rules, _ = spec["layer"]
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["bar", "rule", "rule"]
    assert bars["encoding"]["x"]["title"] == "Percentage points"
    assert bars["encoding"]["color"]["scale"]["domain"] == ["Mix shift", "Rate effect"]
    assert {rules["encoding"][c]["field"] for c in ("x", "x2")} == {"low", "high"}
    drawn = spec["datasets"][bars.get("data", spec.get("data"))["name"]]
    want = [
        (name, cause, round(100 * row[column], 6))
        for name, row in zip(ORDER, parts.to_dict("records"), strict=True)
        for cause, column in (("Mix shift", "mix"), ("Rate effect", "rate"))
    ]  # fmt: skip
    assert [(d["name"], d["cause"], d["points"]) for d in drawn] == want
    assert [d["low"] for d in drawn[:6]] == [None] * 6
    assert drawn[6]["low"] == round(100 * parts["mix_low"].iloc[-1], 6)
    assert "from Jan 2026 to Feb 2026" in spec["description"]


def test_a_click_on_the_picture_of_mix_and_rate_picks_a_segment():
    parts = split(NOW, BEFORE)
    drawn = charts.mix.effects(parts.assign(main_breakdown="source"))
    spec = with_selection(drawn, by="source", target=".target input").to_dict()
    assert [p["bind"]["element"] for p in spec["params"] if p["name"] == "pick"] == [
        ".target input"
    ]
    assert all(layer["transform"][0]["as"] == "picked" for layer in spec["layer"])
    assert "pick" not in str(charts.mix.effects(parts.assign(main_breakdown="source")).to_dict())


def test_many_segments_make_neither_a_long_picture_nor_a_long_table():
    now = {f"s{i}": (i % 40, 40) for i in range(60)}
    parts = split(now, dict.fromkeys(now, (20, 40)))
    spec = charts.mix.effects(parts.assign(main_breakdown="source")).to_dict()
    assert max(len(d) for d in spec["datasets"].values()) == 2 * 9
    assert "(other sources)" in str(spec["datasets"])
    assert len(cells(tables.mix.effects(parts.assign(main_breakdown="source")))) == 1 + 26


def test_neither_is_drawn_where_the_split_is_not_to_be_read():
    empty = split(NOW, {"Web": (0, 0)})
    young = split(NOW, BEFORE)
    young["flags"] = pd.Series([("immature",)] * len(young), dtype=object)
    for parts in (empty, young):
        assert charts.mix.effects(parts.assign(main_breakdown="source")) is None
        assert tables.mix.effects(parts.assign(main_breakdown="source")) is None


@pytest.mark.parametrize(
    "draw",
    [
        charts.mix.effects,
        tables.mix.effects,
        tables.changes.comparisons,
    ],
)
def test_a_frame_that_lacks_a_column_is_refused(draw):
    with pytest.raises(ValueError, match=f"{name_of(draw)} needs the columns .*flags"):
        draw(pd.DataFrame({"name": ["Web"]}))


# --- The sample


@pytest.fixture(scope="module")
def sample():
    return read_report(ReportParams.read(SAMPLE))


def test_the_sample_has_every_comparison(sample):
    found = changes(sample.metrics)
    assert set(found["metric"]) == set(COMPARED)
    assert len(found) == 11 * len(COMPARED)
    assert set(found["kind"]) == {PREVIOUS}
    known = found[found["difference"].notna()]
    assert len(known) == len(found)
    assert ((known["low"] <= known["difference"]) & (known["difference"] <= known["high"])).all()


def test_the_sample_against_statsmodels(sample):
    found = changes(sample.metrics)
    checked = 0
    for row in found[found["unit"] == "share"].to_dict("records"):
        n, m = row["n"], row["n_before"]
        hits, other = round(row["value"] * n), round(row["before"] * m)
        want = confint_proportions_2indep(hits, n, other, m, method="newcomb", compare="diff")
        assert [row["low"], row["high"]] == pytest.approx(list(want), abs=1e-12)
        checked += 1
    assert checked == 4 * 11


def test_the_campaign_of_the_sample_shows_in_february(sample):
    """More leads at a higher price; of efficiency, February alone proves the mix and no more."""
    feb = changes(sample.metrics)
    feb = feb[feb["bucket"] == "2026-02"].set_index("metric")
    assert feb["is_clear"].to_dict() == {
        "mqls": True,
        "acceptance_rate": True,
        "efficiency": False,
        "sla_attainment": False,
        "contacted_within_1h": False,
        "cost_per_mql": True,
    }
    assert feb.loc["efficiency", "difference"] == pytest.approx(65 / 296 - 64 / 230)
    parts = efficiency_mix_and_rate(sample.metrics, by="source", bucket="2026-02")
    total = parts.iloc[-1]
    assert total["difference"] == pytest.approx(65 / 296 - 64 / 230, abs=1e-12)
    assert parts["name"].iloc[0] == "Paid search"
    assert total["mix_high"] < 0 < total["rate_high"]
    assert [round(100 * total[c], 1) for c in ("mix", "rate")] == [-2.8, -3.1]
    assert verdicts.mix.effects(parts.assign(main_breakdown="source")).text == (
        "MQL→SQL conversion shows no clear change from Jan 2026 to Feb 2026 (−13.4 to +1.5 "
        "points). By source, the mix shift accounts for −2.8 points (−4.4 to −0.9), as segments "
        "with low conversion have a larger share of the MQLs (largest shift: Paid search, 26.1% to "
        "48.6%); the rate effect for −3.1 points (−10.7 to +4.2), not clear."
    )


def test_both_months_of_the_campaign_are_a_clear_fall(sample):
    parts = efficiency_mix_and_rate(
        sample.metrics, by="source", bucket="2026-03", against="2026-01"
    )
    verdict = verdicts.mix.effects(parts.assign(main_breakdown="source"))
    assert verdict.tone == "bad"
    assert verdict.text.startswith("MQL→SQL conversion fell by 11.6 points (4.6 to 18.7)")
    assert "Paid search, 26.1% to 50.3%" in verdict.text


def test_the_last_month_of_the_sample_is_too_young_for_efficiency(sample):
    texts = [
        v.text
        for v in verdicts.changes.comparisons(
            changes(sample.metrics).assign(currency=sample.currency)
        )
    ]
    quiet = (
        "MQLs (−19 to +61), SLA attainment (−3.9 to +12.8 points), contacted within 1 h (−8.3 to "
        "+9.0 points) and cost per MQL (−€42.58 to +€1.36)"
    )
    assert texts == [
        "Acceptance rate in Jun 2026: 61.3%, down by 9.4 points (0.1 to 18.4) from May 2026.",
        f"No clear change from May 2026 to Jun 2026 in {quiet}.",
        f"Jun 2026 is not compared with May 2026 in {CONVERSION}: {HOLDS['immature']}.",
        CHANCE,
    ]
    default = efficiency_mix_and_rate(sample.metrics, by="source")
    assert set(default["bucket"]) == {"2026-04"}


def test_the_backlog_of_the_sample_is_told_and_its_end(sample):
    def until(last):
        return sample.metrics[sample.metrics["bucket"] <= last]

    assert verdicts.sla.trend(until("2025-11").assign(**terms(sample.params))).text == (
        "SLA attainment has been lower in every month since Nov 2025: 36.1%, against 74.1% before."
    )
    assert verdicts.sla.trend(sample.metrics.assign(**terms(sample.params))) is None


def test_the_sample_finds_its_year_before_in_an_earlier_report(sample):
    then = read_report(ReportParams.read(SAMPLE, ["period=2025-01..2025-06"])).metrics
    found = changes(sample.metrics, earlier=then)
    years = found[found["kind"] == YEAR]
    assert len(years) == 6 * len(COMPARED)
    june = only(found, "cost_per_mql", YEAR, "2026-06")
    assert june["is_clear"]
    before = pick(then, "cost_per_mql")
    assert june["before"] == before[before["bucket"] == "2025-06"]["value"].iloc[0]
    assert june["against"] == "2025-06"
    # The earlier report also has the month before the first one.
    assert only(found, "mqls", bucket="2025-07")["against"] == "2025-06"


def test_by_source_and_by_owner_add_up_to_the_same_change(sample):
    months = [b for b in dict.fromkeys(sample.metrics["bucket"]) if b != TOTAL]
    for (before, now), by in itertools.product(itertools.pairwise(months), ("source", "owner")):
        total = efficiency_mix_and_rate(sample.metrics, by=by, bucket=now, against=before).iloc[-1]
        all_leads = pick(sample.metrics, "efficiency").set_index("bucket")["value"]
        assert abs(total["difference"] - (all_leads[now] - all_leads[before])) < 1e-12
