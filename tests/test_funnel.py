"""The funnel: what becomes of the leads of each stage, by hand and by a slow second program."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mqlkit.leads import build_cube
from mqlkit.leads.funnel import stage_events
from mqlkit.metrics.conversion import maturity_of
from mqlkit.metrics.funnel import FUNNEL_COLUMNS, Step, funnel_steps

JAN, FEB = "2026-01", "2026-02"
COUNTS = ["entered", "converted", "lost", "open"]
HOURS = ["hours_mean", "hours_median", "hours_p90"]


def row_of(made, step, bucket="total", **segment):
    """Return one row of the funnel."""
    rows = made.funnel
    by, name = next(iter(segment.items()), ("", ""))
    is_wanted = (rows["from"] == step[0]) & (rows["to"] == step[1]) & (rows["bucket"] == bucket)
    found = rows[is_wanted & (rows["by"] == by) & (rows["name"] == name)]
    assert len(found) == 1
    return found.iloc[0]


def counts(made, *step, bucket="total", **segment):
    return row_of(made, step, bucket, **segment)[COUNTS].tolist()


ALL_STAGES = """
    lead_id                   | created_at       | mql_at           | accepted_at      | rejected_at      | sql_at           | won_at
    won                       | 2026-01-01 09:00 | 2026-01-02 09:00 | 2026-01-03 09:00 |                  | 2026-01-05 09:00 | 2026-02-05 09:00
    rejected and SQL later    | 2026-01-01 09:00 | 2026-01-02 09:00 |                  | 2026-01-03 09:00 | 2026-01-06 09:00 |
    rejected after acceptance | 2026-01-01 09:00 | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-04 09:00 |                  |
    rejected after the SQL    | 2026-01-01 09:00 | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-07 09:00 | 2026-01-05 09:00 |
    a tie is an acceptance    | 2026-01-01 09:00 | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-03 09:00 |                  |
    never an MQL, rejected    | 2026-01-01 09:00 |                  |                  | 2026-01-03 09:00 |                  |
    open                      | 2026-01-01 09:00 | 2026-01-02 09:00 |                  |                  |                  |
    created later, no MQL     | 2026-02-20 09:00 |                  |                  |                  |                  |
"""  # noqa: E501


@pytest.fixture(scope="module")
def made(lead_table):
    return lead_table(ALL_STAGES, period="2026-01..2026-02", as_of="2026-02-28T09:00:00Z")


def test_the_steps_of_all_stages(made):
    assert funnel_steps(made.leads) == [
        ("created", "mql"), ("mql", "accepted"), ("accepted", "sql"), ("sql", "won"),
        ("created", "accepted"), ("created", "sql"), ("created", "won"), ("mql", "sql"),
    ]  # fmt: skip
    assert list(made.funnel.columns) == FUNNEL_COLUMNS
    assert len(made.funnel) == 8 * 3


def test_a_stage_that_is_not_recorded_is_left_out(lead_table):
    few = lead_table("lead_id | mql_at | sql_at\nA | 2026-01-05 | 2026-01-06\n", period=JAN)
    assert funnel_steps(few.leads) == [("mql", "sql")]
    none = lead_table("lead_id | mql_at\nA | 2026-01-05\n", period=JAN)
    assert list(none.funnel.columns) == FUNNEL_COLUMNS
    assert none.funnel.empty


def test_what_becomes_of_the_leads_of_each_stage(made):
    # entered, converted, lost, open
    assert counts(made, "created", "mql", bucket=JAN) == [7, 6, 1, 0]
    assert counts(made, "created", "mql", bucket=FEB) == [1, 0, 0, 1]
    assert counts(made, "created", "mql") == [8, 6, 1, 1]
    # An SQL counts as accepted, even after a rejection.
    assert counts(made, "mql", "accepted") == [6, 5, 0, 1]
    # From the acceptance, only a rejection after it counts; the tie is none.
    assert counts(made, "accepted", "sql") == [5, 3, 1, 1]
    assert counts(made, "sql", "won") == [3, 1, 1, 1]
    # From created and MQL every rejection counts, unless the stage was reached.
    assert counts(made, "created", "sql") == [8, 3, 3, 2]
    assert counts(made, "mql", "sql") == [6, 3, 2, 1]
    assert counts(made, "created", "won") == [8, 1, 5, 2]


def test_hours_until_converted_or_lost(made):
    # Created to accepted: five after 48 hours (one of them as an SQL after 120), one lost after 48.
    row = row_of(made, ("created", "accepted"), JAN)
    assert row["hours_mean"] == pytest.approx((4 * 48 + 120 + 48) / 6)
    assert row["hours_median"] == 48
    # Nothing happened to the lead of February.
    assert row_of(made, ("created", "accepted"), FEB)[HOURS].isna().all()
    # The one that was an SQL before it was accepted is an SQL at once.
    assert row_of(made, ("accepted", "sql"))["hours_mean"] == (48 + 48 + 24 + 0) / 4


def test_leads_out_of_order_count_and_have_no_hours(lead_table):
    odd = lead_table(
        """
            lead_id              | created_at       | mql_at           | accepted_at      | sql_at
            MQL before created   | 2026-01-05 09:00 | 2026-01-04 09:00 |                  |
            in order             | 2026-01-05 09:00 | 2026-01-06 09:00 |                  |
            accepted before MQL  | 2026-01-05 09:00 | 2026-01-07 09:00 | 2026-01-06 09:00 | 2026-01-09 09:00
        """,  # noqa: E501
        period=JAN,
    )
    assert counts(odd, "created", "mql") == [3, 3, 0, 0]
    assert row_of(odd, ("created", "mql"))["hours_mean"] == 36
    assert counts(odd, "mql", "sql") == [3, 1, 0, 2]
    # As in the conversion rate: an exit before the MQL, whichever, gives no duration.
    assert row_of(odd, ("mql", "sql"))[HOURS].isna().all()
    assert row_of(odd, ("accepted", "sql"))["hours_mean"] == 72


def test_the_age_of_open_leads_has_the_precision_of_the_end_of_the_step(lead_table):
    dated = lead_table(
        """
            lead_id | created_at       | mql_at           | accepted_at | sql_at           | won_at
            won     | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-05  | 2026-01-05 15:00 | 2026-01-06
            no deal | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-05  | 2026-01-05 15:00 |
            no SQL  | 2026-01-02 09:00 | 2026-01-03 09:00 | 2026-01-05  |                  |
            no MQL  | 2026-01-02 09:00 |                  |             |                  |
        """,  # noqa: E501
        period=JAN,
        as_of="2026-01-31T10:00:00Z",
    )

    def hours(start, end):
        found = stage_events(dated.leads.table, dated.leads.clock, start, [end])
        time, _ = found.ends[end]
        rows = found.table.select("lead_id", hours=time / 3_600_000_000).to_pandas()
        return dict(zip(rows["lead_id"], rows["hours"], strict=True))

    # Deals are won on a date: whole days, from the 5th to the 31st.
    assert hours("sql", "won") == {"won": 24, "no deal": 26 * 24}
    # Created and MQL have times, whatever the decisions have: from the 2nd 9:00 to the 31st 10:00.
    assert hours("created", "mql")["no MQL"] == 29 * 24 + 1
    assert hours("created", "sql")["no SQL"] == 29 * 24 + 1
    # To the SQL as in the conversion rate, where an acceptance on a date makes whole days.
    assert hours("mql", "sql")["no SQL"] == 28 * 24


@pytest.mark.parametrize(("passes", "mqls"), [("every", 3), ("first", 2), ("last", 2)])
def test_a_recycled_lead_is_created_once(lead_table, passes, mqls):
    recycled = lead_table(
        history="""
            lead_id  | at               | stage
            recycled | 2026-01-01 09:00 | created
            recycled | 2026-01-05 09:00 | mql
            recycled | 2026-01-10 09:00 | rejected
            recycled | 2026-02-02 09:00 | mql
            recycled | 2026-02-03 09:00 | accepted
            recycled | 2026-02-04 09:00 | sql
            once     | 2026-01-02 09:00 | created
            once     | 2026-01-05 09:00 | mql
        """,
        period="2026-01..2026-02",
        as_of="2026-02-28T00:00:00Z",
        passes=passes,
    )
    assert counts(recycled, "created", "mql") == [2, 2, 0, 0]
    # Rejected in the first pass, an SQL in the second.
    assert counts(recycled, "created", "sql") == [2, 1, 0, 1]
    assert row_of(recycled, ("created", "sql"))["hours_mean"] == 34 * 24
    assert counts(recycled, "mql", "sql")[0] == mqls


def test_counts_add_up_over_segments_also_of_those_without_an_mql(lead_table):
    by = lead_table(
        """
            lead_id | created_at | mql_at     | source
            MQL     | 2026-01-05 | 2026-01-06 | Web
            open    | 2026-01-05 |            | Radio
        """,
        period=JAN,
        by=["source"],
    )
    assert counts(by, "created", "mql") == [2, 1, 0, 1]
    assert counts(by, "created", "mql", source="Radio") == [1, 0, 0, 1]
    # Other metrics have no row for a segment without an MQL.
    assert by.rows("mqls", source="Radio").empty


def test_the_step_to_sql_is_the_conversion_rate(made):
    within = made.again(within_days=1)
    # `within_days` does not apply to the funnel.
    pd.testing.assert_frame_equal(made.funnel, within.funnel)
    for bucket in (JAN, FEB, "total"):
        row = row_of(made, ("mql", "sql"), bucket)
        for metric, columns in (
            ("efficiency", ["conversion", "entered", "low", "high"]),
            ("efficiency_projected", ["projected", "entered", "projected_low", "projected_high"]),
        ):
            same = made.row(metric, bucket)[["value", "n", "low", "high"]].to_numpy(dtype=float)
            np.testing.assert_array_equal(row[columns].to_numpy(dtype=float), same)
            assert set(row["flags"]) == set(made.row(metric, bucket)["flags"])


def test_many_leads_are_read_one_step_at_a_time(lead_table, made, monkeypatch):
    monkeypatch.setattr(build_cube, "MOST_TOGETHER", 3)
    many = lead_table(ALL_STAGES, period="2026-01..2026-02", as_of="2026-02-28T09:00:00Z")
    pd.testing.assert_frame_equal(many.funnel, made.funnel)


def test_each_step_has_a_maturity_of_its_own(made):
    assert maturity_of(made.leads, Step("created", "mql")).days == 1
    # One of one lead: the longest time is that of the horizon.
    assert maturity_of(made.leads, Step("mql", "won")).days == 34
    assert "immature" not in row_of(made, ("created", "mql"), JAN)["flags"]
    assert "immature" in row_of(made, ("sql", "won"), FEB)["flags"]


# --- A second program: lead by lead, without arrays

AS_OF = 24 * 120
STAGES = ("created", "mql", "accepted", "sql", "won")


def some_leads(seed):
    """Return leads as hours since New Year, some out of order, some of them lost."""
    at = np.random.default_rng(seed)
    found = []
    for _ in range(90):
        created = int(at.integers(0, 24 * 100))
        waits = at.integers(-4, [400, 300, 500, 600, 900])
        hours = dict(zip(("mql", "accepted", "sql", "won", "rejected"), waits, strict=True))
        hours["accepted"] += hours["mql"]
        hours["sql"] += hours["accepted"]
        hours["won"] += hours["sql"]
        keep = at.random(5) < [0.85, 0.6, 0.5, 0.4, 0.3]
        lead = {s: created + int(h) for (s, h), k in zip(hours.items(), keep, strict=True) if k}
        lead["created"] = created
        found.append({s: hour for s, hour in lead.items() if hour <= AS_OF})
    return found


def seen(lead, start, end):
    """Return when a lead entered a stage, its time (None: out of order), and what became of it."""
    reached = {**lead}
    if {"accepted", "sql"} & {*lead}:
        reached["accepted"] = min(lead[s] for s in ("accepted", "sql") if s in lead)
    if start not in reached:
        return None
    since, lost = reached[start], lead.get("rejected")
    if lost is not None and start in ("accepted", "sql") and lost <= since:
        lost = None
    kind, time = "open", AS_OF - since
    if end in reached:
        kind, time = "converted", reached[end] - since
    elif lost is not None:
        kind, time = "lost", lost - since
    exits = [lead[s] for s in ("accepted", "rejected", "sql") if s in lead]
    is_odd = time < 0 or (start == "mql" and exits and min(exits) < since)
    return since, None if is_odd else time, kind


def incidence(leads, end):
    """Return the times of F with its values and S before, and the horizon."""
    times = sorted(time for _, time, _ in leads)
    tau = times[len(times) - min(30, math.ceil(len(times) / 10))]
    reached, staying, steps = 0.0, 1.0, []
    for t in sorted({time for _, time, kind in leads if kind != "open" and time <= tau}):
        n = sum(time >= t for _, time, _ in leads)
        gone = [kind for _, time, kind in leads if kind != "open" and time == t]
        reached += staying * gone.count("converted") / n
        steps.append((t, n, len(gone), gone.count("converted"), staying, reached))
        staying *= 1 - len(gone) / n
    return steps, tau, reached


def naive_step(leads, start, end, *, first, last):
    """Return the counts, hours and projection of the leads that enter in [first, last)."""
    entered = [found for lead in leads if (found := seen(lead, start, end))]
    steps, tau, total = incidence([e for e in entered if e[1] is not None], end)
    variance = sum(
        ((total - f) ** 2 * d / (n * (n - d)) if n > d else 0)
        + s**2 * d1 * (n - d1) / n**3
        - 2 * (total - f) * s * d1 / n**2
        for _, n, d, d1, s, f in steps
    )
    cohort = [e for e in entered if first <= e[0] < last]
    chances = []
    for _, age, kind in cohort:
        if kind == "open" and age is not None and age < tau:
            before = [step for step in steps if step[0] <= age]
            f, s = (
                (before[-1][5], before[-1][4] * (1 - before[-1][2] / before[-1][1]))
                if before
                else (0, 1)
            )
            chances.append((total - f) / s)
    n, hits = len(cohort), sum(kind == "converted" for *_, kind in cohort)
    mu = sum(chances)
    spread = sum(p * (1 - p) for p in chances) + mu**2 * variance / total**2
    reach = 1.959963984540054 * math.sqrt(spread)
    done = sorted(time for _, time, kind in cohort if time is not None and kind != "open")
    return {
        "entered": n,
        "converted": hits,
        "lost": sum(kind == "lost" for *_, kind in cohort),
        "projected": (hits + mu) / n,
        "projected_low": (hits + max(0, mu - reach)) / n,
        "projected_high": min(n, hits + mu + reach) / n,
        "hours_mean": sum(done) / len(done),
        "hours_p90": float(np.quantile(done, 0.9)),
    }


def test_every_step_against_the_second_program(lead_table):
    leads, new_year = some_leads(5), datetime(2026, 1, 1, tzinfo=UTC)

    def text(hour):
        return f"{new_year + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}"

    names = (*STAGES, "rejected")
    rows = [["lead_id", *(f"{s}_at" for s in names)]]
    rows += [
        [f"L{i}", *(text(lead[s]) if s in lead else "" for s in names)]
        for i, lead in enumerate(leads)
    ]
    # The as-of moment is exclusive.
    made = lead_table(rows, period="2026-01..2026-03", as_of=text(AS_OF))
    assert len(funnel_steps(made.leads)) == 8
    edges = [0, 31 * 24, 59 * 24, 90 * 24]
    spans = dict(zip(("2026-01", "2026-02", "2026-03"), pairwise(edges), strict=True))
    for start, end in funnel_steps(made.leads):
        for bucket, (first, last) in {**spans, "total": (0, edges[-1])}.items():
            wanted = naive_step(leads, start, end, first=first, last=last)
            row = row_of(made, (start, end), bucket)
            found = {name: float(row[name]) for name in wanted}
            assert found == pytest.approx(wanted, abs=1e-11), (start, end, bucket)
