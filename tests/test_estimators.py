"""Estimators against published tables and against statsmodels, which shares no line with ours."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import proportion_confint

from mqlkit.stats.incidence import Incidence, expected_share, horizon
from mqlkit.stats.intervals import (
    burst_factor,
    count_bounds,
    relative_risk,
    survival_band,
    wilson,
)
from mqlkit.stats.prediction import predicted, share_at_or_above, t_above, t_quantile
from mqlkit.stats.survival import Waits, in_time

# Weeks in remission of 42 children with leukemia (Freireich et al. 1963, Blood 21:699; Gehan 1965,
# Biometrika 52:203). A plus: still in remission when last seen.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def patients(text, group):
    marks = text.split()
    return pd.DataFrame(
        {
            "weeks": [int(m.rstrip("+")) for m in marks],
            "relapsed": [int(not m.endswith("+")) for m in marks],
            "group": group,
        }
    )


def waits_of(frame, *, time, kind, by):
    """Return the leads of a frame as waits, and the names of their groups."""
    time, kind = frame[time].to_numpy(), frame[kind].to_numpy()
    group, names = pd.factorize(frame[by], sort=True)
    order = in_time(time, kind)
    return Waits.of(group[order], time[order], kind[order], groups=len(names)), names


def curve_of(frame, *, time, event, by):
    waits, names = waits_of(frame, time=time, kind=event, by=by)
    steps = waits.steps()
    return steps.assign(**{by: names[steps["group"]]})


def incidence_of(days, kind, *, until):
    days, kind = np.array(days, dtype=np.int64), np.array(kind)
    order = in_time(days, kind)
    return Incidence.of(days[order], kind[order], until=until)


# --- Wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_a_published_table(hits, n, low, high):
    found = wilson([hits], [n])
    assert [round(float(bound[0]), 4) for bound in found] == [low, high]


def test_wilson_against_statsmodels():
    hits = np.array([h for n in (1, 2, 5, 29, 30, 400) for h in range(0, n + 1, max(1, n // 7))])
    n = np.array([n for n in (1, 2, 5, 29, 30, 400) for _ in range(0, n + 1, max(1, n // 7))])
    low, high = wilson(hits, n)
    theirs = proportion_confint(hits, n, alpha=0.05, method="wilson")
    np.testing.assert_allclose([low, high], theirs, rtol=1e-12, atol=1e-15)


def test_wilson_at_its_ends_is_exact_and_of_nobody_is_null():
    low, high = wilson([0, 7, 0], [7, 7, 0])
    assert (low[0], high[1]) == (0.0, 1.0)
    assert np.isnan([low[2], high[2]]).all()


# --- Relative risk


def test_relative_risk_against_a_published_table():
    # Myocardial infarctions under aspirin and placebo: Physicians' Health Study, Agresti,
    # Categorical Data Analysis, table 2.3.
    ratio, low, high = relative_risk(189, 11034, 104, 11037)
    assert [round(float(x), 2) for x in (ratio, low, high)] == [1.82, 1.43, 2.31]


@pytest.mark.parametrize("counts", [(2, 3, 1, 3), (30, 100, 15, 100), (9, 9, 4, 11)])
def test_relative_risk_against_statsmodels(counts):
    a, n1, c, n2 = counts
    table = Table2x2([[a, n1 - a], [c, n2 - c]], shift_zeros=False)
    ratio, low, high = relative_risk(a, n1, c, n2)
    assert float(ratio) == pytest.approx(table.riskratio, rel=1e-12)
    assert (float(low), float(high)) == pytest.approx(table.riskratio_confint(), rel=1e-12)


@pytest.mark.parametrize("counts", [(1, 4, 0, 4), (0, 0, 1, 4), (1, 4, 0, 0), (0, 4, 0, 4)])
def test_relative_risk_that_divides_by_nothing_is_null(counts):
    assert np.isnan(relative_risk(*counts)).all()


def test_a_risk_of_nothing_is_nothing_times_the_other():
    ratio, low, high = relative_risk(0, 4, 1, 4)
    assert float(ratio) == 0
    assert np.isnan([low, high]).all()  # the log of 0 gives no interval


# --- Kaplan–Meier


def test_kaplan_meier_against_a_published_table():
    steps = curve_of(patients(TREATED, "6-MP"), time="weeks", event="relapsed", by="group")
    survival = steps["survival"].to_numpy()
    low, high = survival_band(survival, steps["greenwood"].to_numpy())
    found = zip(
        steps["time"],
        steps["at_risk"],
        steps["left"],
        survival.round(4),
        (survival * np.sqrt(steps["greenwood"])).round(4),
        low.round(4),
        high.round(4),
        strict=True,
    )
    # Kalbfleisch & Prentice 2002, section 1.4: the band is theirs, by the log-log transform.
    assert [tuple(float(x) for x in row) for row in found] == [
        (6, 21, 3, 0.8571, 0.0764, 0.6197, 0.9516),
        (7, 17, 1, 0.8067, 0.0869, 0.5631, 0.9228),
        (10, 15, 1, 0.7529, 0.0963, 0.5032, 0.8894),
        (13, 12, 1, 0.6902, 0.1068, 0.4316, 0.8491),
        (16, 11, 1, 0.6275, 0.1141, 0.3675, 0.8049),
        (22, 7, 1, 0.5378, 0.1282, 0.2678, 0.7468),
        (23, 6, 1, 0.4482, 0.1346, 0.1881, 0.6801),
    ]


def test_kaplan_meier_of_groups_side_by_side_in_which_all_have_left():
    frame = pd.concat([patients(TREATED, "6-MP"), patients(PLACEBO, "placebo")])
    steps = curve_of(frame, time="weeks", event="relapsed", by="group")
    placebo = steps[steps["group"] == "placebo"].reset_index(drop=True)
    theirs = SurvfuncRight(*patients(PLACEBO, "")[["weeks", "relapsed"]].to_numpy().T)
    assert placebo["time"].tolist() == theirs.surv_times.tolist()
    np.testing.assert_allclose(placebo["survival"], theirs.surv_prob, rtol=1e-12, atol=1e-15)
    assert placebo["survival"].iloc[-1] == 0
    assert steps.groupby("group").size().to_dict() == {"6-MP": 7, "placebo": 12}


def test_the_band_stays_inside_and_has_none_at_its_ends():
    # 1 of 100 has left, then 98.
    greenwood = np.array([0.0, 1 / (100 * 99), 98 / (100 * 2), np.nan])
    low, high = survival_band(np.array([1.0, 0.99, 0.02, 0.0]), greenwood)
    assert np.isnan([low[0], high[0], low[3], high[3]]).all()
    assert ((low[1:3] > 0) & (high[1:3] < 1)).all()


LEADS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([0, 1, 2]), st.sampled_from("ab")),
    min_size=2,
    max_size=60,
)


@settings(max_examples=25)
@given(LEADS)
def test_kaplan_meier_against_statsmodels(leads):
    frame = pd.DataFrame(leads, columns=["days", "kind", "team"])
    frame["left"] = (frame["kind"] > 0).astype(int)
    ours = curve_of(frame, time="days", event="left", by="team")
    for team, part in frame.groupby("team"):
        if not part["left"].any():
            assert team not in set(ours["team"])
            continue
        theirs = SurvfuncRight(part["days"], part["left"])
        mine = ours[ours["team"] == team]
        assert mine["time"].tolist() == theirs.surv_times.tolist()
        assert mine["at_risk"].tolist() == theirs.n_risk.tolist()
        np.testing.assert_allclose(mine["survival"], theirs.surv_prob, rtol=1e-12, atol=1e-15)
        # Where all have left, Greenwood's sum has no value.
        spare = (mine["survival"] > 0).to_numpy()
        error = (mine["survival"] * np.sqrt(mine["greenwood"])).to_numpy()
        np.testing.assert_allclose(error[spare], theirs.surv_prob_se[spare], rtol=1e-9)


# --- Aalen–Johansen


@settings(max_examples=25)
@given(LEADS, st.integers(1, 13))
def test_aalen_johansen_against_statsmodels(leads, until):
    frame = pd.DataFrame(leads, columns=["days", "kind", "team"])
    ours = incidence_of(frame["days"], frame["kind"], until=until)
    if set(frame["kind"]) != {0, 1, 2}:
        return  # statsmodels wants all of them
    with np.errstate(all="ignore"):  # statsmodels divides by 0 where no lead is left
        theirs = CumIncidenceRight(frame["days"].to_numpy(), frame["kind"].to_numpy())
    at = np.searchsorted(theirs.times, until, side="right") - 1
    if at < 0:
        assert frame.loc[frame["kind"] > 0, "days"].min() > until
        assert (ours.value, ours.variance) == (0, 0)
        return
    assert ours.value == pytest.approx(theirs.cinc[0][at], abs=1e-12)
    reached, staying = ours.at(theirs.times[: at + 1])
    np.testing.assert_allclose(reached, theirs.cinc[0][: at + 1], atol=1e-12)
    # F + G + S = 1
    np.testing.assert_allclose(1 - reached - staying, theirs.cinc[1][: at + 1], atol=1e-12)
    if not np.isnan(theirs.cinc_se[0][at]):  # statsmodels has none where no lead is left
        assert np.sqrt(ours.variance) == pytest.approx(theirs.cinc_se[0][at], abs=1e-7)


def naive_incidence(leads, until):
    """Return incidence and variance, lead by lead in exact fractions (Marubini & Valsecchi)."""
    steps, reached, before = [], Fraction(0), Fraction(1)
    for t in sorted({days for days, kind, _ in leads if kind and days <= until}):
        n = sum(days >= t for days, _, _ in leads)
        d = sum(days == t and kind > 0 for days, kind, _ in leads)
        d1 = sum(days == t and kind == 1 for days, kind, _ in leads)
        reached += before * Fraction(d1, n)
        steps.append((n, d, d1, before, reached))
        before *= 1 - Fraction(d, n)
    variance = Fraction(0)
    for n, d, d1, before, at in steps:
        ahead = reached - at
        variance += ahead**2 * Fraction(d, n * (n - d)) if n > d else 0
        variance += before**2 * Fraction(d1 * (n - d1), n**3)
        variance -= 2 * ahead * before * Fraction(d1, n**2)
    return float(reached), float(variance)


@settings(max_examples=50)
@given(LEADS, st.integers(1, 13))
def test_aalen_johansen_against_exact_fractions(leads, until):
    days, kind, _ = zip(*leads, strict=True)
    ours = incidence_of(days, kind, until=until)
    assert (ours.value, ours.variance) == pytest.approx(naive_incidence(leads, until), abs=1e-14)


def test_aalen_johansen_by_hand():
    # 4 leads: an SQL at 2; one open, last seen at 3; one rejected at 4; an SQL at 6.
    days, kind = [2, 3, 4, 6], [1, 0, 2, 1]
    found = {until: incidence_of(days, kind, until=until).value for until in (1, 2, 5, 6)}
    assert found == {1: 0, 2: 0.25, 5: 0.25, 6: pytest.approx(0.25 + 0.375)}


def test_without_censoring_the_incidence_is_the_share():
    found = incidence_of([1, 2, 3, 4, 5], [1, 2, 1, 2, 2], until=9)
    assert found.value == pytest.approx(2 / 5, abs=1e-12)
    assert found.variance == pytest.approx((2 / 5) * (3 / 5) / 5, abs=1e-12)


def test_the_chance_of_an_open_lead():
    # SQLs at 2 and 6, a rejection at 4, leads open since 1, 3 and 8.
    found = incidence_of([1, 2, 3, 4, 6, 8], [0, 1, 0, 2, 1, 0], until=7)
    # F: 1/5 at 2, then 1/5 + 8/15 * 1/2 at 6. S: 4/5 from 2 on, 8/15 from 4 on.
    last = 1 / 5 + 8 / 15 / 2
    ages = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8])
    wanted = [
        last,
        last,
        *[(last - 1 / 5) / (4 / 5)] * 2,
        *[(last - 1 / 5) / (8 / 15)] * 2,
        0,
        0,
        0,
    ]
    assert found.chances(ages) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=25)
@given(LEADS, st.integers(1, 13))
def test_a_chance_is_a_share(leads, until):
    days, kind, _ = zip(*leads, strict=True)
    found = incidence_of(days, kind, until=until)
    chances = found.chances(np.arange(15))
    assert ((chances >= 0) & (chances <= 1)).all()
    # A new lead has the chance of all; one as old as the horizon has none.
    assert chances[0] == pytest.approx(found.value)
    assert not chances[until:].any()


@pytest.mark.parametrize(
    ("time", "age"),
    [
        ([], 0),
        ([4], 4),
        # A tenth of 10 leads is one lead, and of 11 leads two.
        (range(1, 11), 10),
        (range(1, 12), 10),
        # Of 300 leads and more it is 30 leads.
        (range(1, 301), 271),
        (range(1, 1001), 971),
    ],
)
def test_the_horizon_is_the_age_that_enough_leads_have_reached(time, age):
    assert horizon(np.array(time, dtype=np.int64)) == age


@pytest.mark.parametrize(("late", "is_rising"), [(1, False), (2, True)])
def test_the_incidence_rises_if_more_than_five_percent_come_in_the_last_fifth(late, is_rising):
    # 20 exits in all: up to 80 days, and after.
    days = [10] * (19 - late) + [80] + [81] * late
    assert incidence_of(days, [1] * 20, until=100).is_rising is is_rising


def test_the_time_of_a_share_that_is_reached_exactly():
    # 9 of 10 after 9 days, by sums of tenths.
    assert incidence_of(range(1, 11), [1] * 10, until=10).time_of(0.9) == 9
    assert np.isnan(incidence_of([1, 2], [0, 2], until=10).time_of(0.9))


def test_the_share_to_expect():
    share, low, high = expected_share(
        [0, 9, 5, 0], [10, 10, 10, 0], expected=[0, 1, 2, 0], spread=[0, 0, 1, 0], error=0.1
    )
    # Nothing to come; all of it; sd = √(1 + 0.04); no lead.
    assert share[:3] == pytest.approx([0, 1, 0.7])
    assert low[:3] == pytest.approx([0, 0.9 + 0.1 - 0.1 * 0.1959964, 0.7 - 0.1 * 1.998776])
    assert high[:3] == pytest.approx([0, 1, 0.7 + 0.1 * 1.998776])
    assert np.isnan([share[3], low[3], high[3]]).all()


# --- Quantiles


@pytest.mark.parametrize(
    "hours", [[5], [1, 9], [3, 1, 2], [1, 2, 4, 8, 16, 32, 64], range(10, 110, 10)]
)
def test_quantiles_are_of_type_7(lead_table, hours):
    rows = [
        [f"L{h}", "2026-01-01 09:00", f"{pd.Timestamp('2026-01-01 09:00') + pd.Timedelta(hours=h)}"]
        for h in hours
    ]
    made = lead_table([["lead_id", "mql_at", "sql_at"], *rows], period="2026-01")
    wanted = np.quantile(np.array(hours, dtype=float), [0.5, 0.9], method="linear")
    assert [
        made.value("hours_in_stage_median"), made.value("hours_in_stage_p90")
    ] == pytest.approx(wanted, rel=1e-12)  # fmt: skip


# --- Many groups at once


@settings(max_examples=25)
@given(LEADS)
def test_a_group_is_what_it_is_alone(leads):
    frame = pd.DataFrame(leads, columns=["days", "kind", "team"])
    order = in_time(frame["days"].to_numpy(), frame["kind"].to_numpy())
    days, kind = (frame[c].to_numpy()[order] for c in ("days", "kind"))
    # Group 0 and the last one are empty.
    team = frame["team"].map({"a": 1, "b": 3}).to_numpy()[order]
    together = Waits.of(team, days, kind, groups=5)
    for number, name in ((1, "a"), (3, "b")):
        alone, _ = waits_of(frame[frame["team"] == name], time="days", kind="kind", by="team")
        if not alone.groups:
            continue
        for measure in (lambda w: w.quantile(0.5), Waits.median):
            assert measure(together)[number] == pytest.approx(measure(alone)[0], nan_ok=True)
    for number in (0, 2, 4):
        assert together.size[number] == 0
        assert np.isnan([together.quantile(0.9)[number], together.median()[number]]).all()


@pytest.mark.parametrize(
    ("days", "kind", "median"),
    [
        ([3], [1], 3),
        ([1, 2, 3, 4], [1, 1, 1, 1], 2),  # exactly half are left
        ([1, 1, 1, 4], [1, 1, 1, 1], 1),
        ([1, 1, 5], [1, 0, 1], 5),  # who waits at the time of an exit was at risk there
        ([1, 2, 3], [0, 0, 0], np.nan),
        ([1, 2, 9], [1, 0, 0], np.nan),
        ([1, 2, 3, 4], [1, 0, 1, 1], 3),
    ],
)
def test_the_median_wait_by_hand(days, kind, median):
    frame = pd.DataFrame({"days": days, "kind": kind, "all": 0})
    waits, _ = waits_of(frame, time="days", kind="kind", by="all")
    assert waits.median() == pytest.approx([median], nan_ok=True)


def test_no_lead_at_all():
    none = np.array([], dtype=np.int64)
    waits = Waits.of(none, none, none, groups=2)
    assert np.isnan(waits.median()).all()
    assert np.isnan(waits.quantile(0.5)).all()
    assert (incidence_of([], [], until=9).value, incidence_of([], [], until=9).variance) == (0, 0)
    assert waits.steps().empty


# --- Counts in bursts


def test_the_interval_of_a_count_widens_with_bursts():
    # Worked by hand: y = 9, phi = 4, z = 1.959964: 9 + 7.682918 ± 1.959964 · √(4 · 12.841459)
    low, high = count_bounds([9, 0], bursts=4)
    assert [float(low[0]), float(high[0])] == pytest.approx([2.635863, 30.729972], abs=1e-6)
    # Nothing was counted: from 0 to z² phi.
    assert [float(low[1]), float(high[1])] == pytest.approx([0, 15.365835], abs=1e-6)
    assert count_bounds(9) == count_bounds(9, bursts=1)


@pytest.mark.parametrize(
    ("weeks", "factor"),
    [
        pytest.param([], 1, id="no week"),
        pytest.param([0, 9, 0, 9, 0, 9, 0], 1, id="seven weeks are too few"),
        pytest.param([0] * 8, 1, id="nothing is counted"),
        # Seven differences of 9: 7 · 81 / (2 · 7 · 4.5)
        pytest.param([0, 9, 0, 9, 0, 9, 0, 9], 9, id="bursts"),
        # Seven differences of 1 about a mean of 6.5, which steady growth has: below 1.
        pytest.param([3, 4, 5, 6, 7, 8, 9, 10], 1, id="growth is no burst"),
    ],
)
def test_burst_factor(weeks, factor):
    assert burst_factor(weeks) == pytest.approx(factor)


# --- Prediction


@pytest.mark.parametrize(
    ("share", "df", "value"),
    [
        # Fisher & Yates 1963, Statistical Tables, table III.
        (0.9, 1, 3.078), (0.9, 5, 1.476), (0.9, 8, 1.397), (0.9, 11, 1.363),
        (0.975, 2, 4.303), (0.975, 6, 2.447), (0.995, 10, 3.169), (0.9995, 5, 6.869),
    ],
)  # fmt: skip
def test_student_against_a_published_table(share, df, value):
    assert t_quantile(share, df) == pytest.approx(value, abs=5e-4)


@settings(max_examples=50)
@given(df=st.integers(1, 40), t=st.floats(-60, 60))
def test_student_against_scipy(df, t):
    assert float(t_above(t, df)) == pytest.approx(student.sf(t, df), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("df", range(1, 15))
def test_quantiles_of_student_against_scipy(df):
    assert t_quantile(0.9, df) == pytest.approx(student.ppf(0.9, df), rel=1e-12)


def test_one_more_value_of_a_sample_without_spread_is_its_mean():
    mean, error = predicted([[2, 2, 2], [1, 2, 3]])
    assert mean.tolist() == [2, 2]
    assert error.tolist() == pytest.approx([0, math.sqrt(4 / 3)])
    assert share_at_or_above([2, 2], mean, error, df=2).tolist() == [1, 0.5]
    assert share_at_or_above([2.1], mean[:1], error[:1], df=2).tolist() == [0]
    assert np.isnan(share_at_or_above([np.nan], mean[:1], error[:1], df=2)).all()
