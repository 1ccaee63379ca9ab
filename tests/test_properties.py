"""What always holds (metrics.md §10), on funnels and files that Hypothesis makes up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

COUNTS = [
    "mqls", "in_stage", "accepted", "rejected", "undecided", "sqls", "sqls_in_period", "sla_met",
    "sla_breached", "sla_past_due", "sla_pending", "sla_unmeasurable",
]  # fmt: skip
SHARES = [
    "acceptance_rate", "efficiency", "efficiency_projected", "sla_attainment", "contacted_within_1h"
]  # fmt: skip
STAMPS = [
    "created_at", "mql_at", "contacted_at", "accepted_at", "rejected_at", "sql_at", "won_at",
]  # fmt: skip
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
AS_OF = START + timedelta(weeks=8)
LATER = AS_OF + timedelta(days=1, hours=3)
# Nine weeks or three months that as_of falls into, the first and the last of them clipped.
PERIOD = (START + timedelta(days=2), START + timedelta(days=58))

# Hours, on a coarse grid so that ties and exact SLA deadlines occur, and a few that are not on it.
HOURS = st.one_of(st.integers(-6, 90).map(lambda n: 12 * n), st.floats(-50, 900, width=16))
ENTRIES = st.one_of(st.integers(-30, 130).map(lambda n: 12 * n), st.floats(-300, 1400, width=16))


@st.composite
def lead_rows(draw):
    """Return one lead: hours since the start for each stamp, or None; amount, source, owner."""
    entered = draw(st.one_of(ENTRIES, ENTRIES, ENTRIES, st.none()))
    origin = 0 if entered is None else entered
    later = [
        None if (hours := draw(st.one_of(st.none(), HOURS))) is None else origin + hours
        for _ in range(5)
    ]
    created = draw(st.one_of(st.none(), st.integers(-40, 5).map(lambda n: origin + 24 * n)))
    amount = draw(st.sampled_from(["", "100.5", "7"]))
    source = draw(st.sampled_from(["Web", "Event", "unknown", ""]))
    owner = draw(st.sampled_from(["Ana", "Ben", ""]))
    return [created, entered, *later], amount, source, owner


FUNNELS = st.lists(lead_rows(), min_size=12, max_size=40)
# Which columns hold only dates.
DATED = st.sets(st.sampled_from(STAMPS), max_size=2)


def stamp(hours, *, dated, shift=timedelta(0)):
    """Return a cell; stamps are cut to the second."""
    if hours is None:
        return ""
    at = START + shift + timedelta(seconds=round(3600 * hours))
    return f"{at:%Y-%m-%d}" if dated else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def leads_csv(funnel, dated, *, name="L{}", shift=timedelta(0), later="", order=None):
    """Return the rows of a leads file; with ``later``, each empty stamp gets that one."""
    rows = []
    for number, (hours, amount, source, owner) in enumerate(funnel):
        stamps = [
            stamp(h, dated=column in dated, shift=shift) or later
            for h, column in zip(hours, STAMPS, strict=True)
        ]
        # Without a won_at the amount does not count, so it does not matter who wins later.
        rows.append([name.format(number), *stamps, amount, source, owner])
    if order is not None:
        rows = [rows[i] for i in order]
    return [["lead_id", *STAMPS, "amount", "source", "owner"], *rows]


def spend_csv(shift=timedelta(0)):
    first = START + shift - timedelta(days=60)
    return [
        ["date_from", "date_to", "amount", "channel"],
        *(
            [f"{a:%Y-%m-%d}", f"{b:%Y-%m-%d}", amount, channel]
            for a, b, amount, channel in [
                (first, first + timedelta(days=99), "1000", "Web"),
                (first + timedelta(days=70), first + timedelta(days=70), "33.3", "Event"),
                (first + timedelta(days=100), first + timedelta(days=124), "250", "Web"),
            ]
        ),
    ]


def whole_report(lead_table, rows, *, shift=timedelta(0), **params):
    first, last = (at + shift for at in PERIOD)
    return lead_table(
        rows,
        **{
            "period": f"{first:%Y-%m-%d}..{last:%Y-%m-%d}",
            "grain": "month",
            "as_of": f"{AS_OF + shift:%Y-%m-%dT%H:%M:%SZ}",
            "by": ["source"],
            "rolling": 2,
            **params,
        },
    )


def same(one, other, *, leave_out=()):
    """Assert that two tidy frames hold the same rows, in whatever order."""
    keys = ["metric", "by", "name", "start"]
    columns = [c for c in one.columns if c not in leave_out]
    a, b = (
        frame.assign(key=frame[keys].astype(str).agg("|".join, axis=1))
        .sort_values(["metric", "key", "bucket"], kind="stable")[columns]
        .reset_index(drop=True)
        for frame in (one, other)
    )
    pd.testing.assert_frame_equal(a, b, rtol=1e-9, atol=1e-9)


# --- Adding up


@given(
    funnel=FUNNELS,
    dated=DATED,
    grain=st.sampled_from(["week", "month"]),
    stops_on=st.sampled_from(["decision", "contact"]),
    clock=st.sampled_from(["calendar", "business"]),
)
def test_numbers_add_up(lead_table, funnel, dated, grain, stops_on, clock):
    rows = whole_report(
        lead_table,
        leads_csv(funnel, dated),
        grain=grain,
        by=["source", "owner"],
        sla="3d",
        sla_stops_on=stops_on,
        sla_clock=clock,
    ).all_rows()
    counts_add_up_over_buckets_and_segments(rows)
    wide = rows.set_index(["metric", "by", "name", "bucket"])["value"].unstack("metric")
    every_mql_has_one_decision_and_one_outcome(wide)
    shares_lie_within_their_interval(rows)
    durations_are_in_order(wide)


def counts_add_up_over_buckets_and_segments(rows):
    # What nobody records is null everywhere.
    counts = rows[rows["metric"].isin(COUNTS)].dropna(subset="value")
    table = counts.pivot_table(
        index=["metric", "bucket"], columns="by", values="value", aggfunc="sum"
    )
    assert set(table.columns) == {"", "source", "owner"}
    for level in ("source", "owner"):
        assert (table[level] == table[""]).all(), level
    buckets = table.drop(index="total", level="bucket").groupby("metric").sum()
    totals = table.xs("total", level="bucket")
    stock = buckets.index == "in_stage"  # a stock is counted at a moment and does not add up
    pd.testing.assert_frame_equal(buckets[~stock], totals[~stock])


def every_mql_has_one_decision_and_one_outcome(wide):
    assert (wide[COUNTS].fillna(0) >= 0).all(axis=None)
    for parts in (
        ["accepted", "rejected", "undecided"],
        ["sla_met", "sla_breached", "sla_pending", "sla_unmeasurable"],
    ):
        known = wide.dropna(subset=parts)
        assert len(known) in (0, len(wide))
        assert (known[parts].sum(axis=1) == known["mqls"]).all()
    assert (wide["sla_past_due"].fillna(0) <= wide["sla_breached"].fillna(0)).all()


def shares_lie_within_their_interval(rows):
    shares = rows[rows["metric"].isin(SHARES)]
    empty = ~(shares["n"] > 0)  # nobody, or nothing recorded
    assert shares.loc[empty, ["value", "low", "high"]].isna().all(axis=None)
    ordered = shares.dropna(subset=["value", "low", "high"])[["low", "value", "high"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= -1e-12).all()
    assert (ordered >= 0).all()
    assert (ordered <= 1).all()


def durations_are_in_order(wide):
    hours = wide[[column for column in wide if column.startswith("hours")]]
    assert (hours.fillna(0) >= 0).all(axis=None)
    both = hours.dropna()
    assert (both["hours_in_stage_median"] <= both["hours_in_stage_p90"] + 1e-9).all()


# --- What changes nothing


@given(funnel=FUNNELS, dated=DATED, is_timed=st.booleans(), data=st.data())
def test_neither_order_nor_names_nor_what_happens_after_as_of_change_a_number(
    lead_table, funnel, dated, is_timed, data
):
    plain = whole_report(lead_table, leads_csv(funnel, dated))
    order = data.draw(st.permutations(range(len(funnel))))
    other = whole_report(lead_table, leads_csv(funnel, dated, name="=x;{}\u00f5", order=order))
    same(plain.all_rows(), other.all_rows())
    assert plain.ledger["noted"] == other.ledger["noted"]
    # Even where it brings the first hour into a column of dates, or the first call ever.
    later = f"{LATER:%Y-%m-%dT%H:%M:%SZ}" if is_timed else f"{LATER:%Y-%m-%d}"
    more = leads_csv(funnel, dated, later=later)
    more.append(["new", *[later] * len(STAMPS), "5", "Web", "Ana"])
    same(plain.all_rows(), whole_report(lead_table, more).all_rows())


@given(
    funnel=FUNNELS,
    dated=DATED,
    weeks=st.integers(-200, 200),
    clock=st.sampled_from(["calendar", "business"]),
)
def test_moving_everything_by_weeks_moves_only_labels(lead_table, funnel, dated, weeks, clock):
    shift = timedelta(weeks=weeks)
    plain, moved = (
        whole_report(
            lead_table,
            leads_csv(funnel, dated, shift=by),
            spend=spend_csv(by),
            shift=by,
            grain="week",
            sla_clock=clock,
        )
        for by in (timedelta(0), shift)
    )
    assert repr((plain.lag, plain.maturity)) == repr((moved.lag, moved.maturity))
    same(plain.all_rows(), moved.all_rows(), leave_out=("bucket", "start", "end"))


# --- What goes only one way


@given(
    funnel=FUNNELS,
    dated=DATED,
    hours=st.tuples(st.integers(1, 400), st.integers(0, 400)),
    clock=st.sampled_from(["calendar", "business"]),
)
def test_a_longer_sla_never_lowers_attainment(lead_table, funnel, dated, hours, clock):
    made = whole_report(lead_table, leads_csv(funnel, dated), sla=f"{hours[0]}h", sla_clock=clock)
    shorter, longer = (
        m.family("sla").query("metric == 'sla_attainment'")["value"]
        for m in (made, made.again(sla=f"{sum(hours)}h"))
    )
    both = shorter.notna() & longer.notna()
    assert (longer[both] >= shorter[both] - 1e-12).all()


@given(funnel=FUNNELS, dated=DATED, days=st.tuples(st.integers(0, 20), st.integers(0, 30)))
def test_more_days_never_lower_efficiency_among_the_same_leads(lead_table, funnel, dated, days):
    # Long after, so that everybody's days are over.
    made = whole_report(
        lead_table, leads_csv(funnel, dated), within_days=days[0], as_of="2027-01-01"
    )
    fewer, more = (
        m.family("efficiency").query("metric == 'efficiency'")
        for m in (made, made.again(within_days=sum(days)))
    )
    # Null where no SQL is recorded.
    np.testing.assert_array_equal(fewer["n"], more["n"])
    assert (more["value"].fillna(0) >= fewer["value"].fillna(0)).all()


# --- The account of every row

ROWS = {
    "good": ("L{n},2026-01-05,Web", None),
    "with a line break": ('L{n},2026-01-05,"We{end}b"', None),
    "with quotes": ('"L{n}",2026-01-05,"a ""b"", c"', None),
    "empty": ("", "blank"),
    "empty cells": (",,", "blank"),
    "too few cells": ("L{n},2026-01-05", "bad_row"),
    "too few, with a line break": ('"L{n}{end}x",2026-01-05', "bad_row"),
    "too many cells": ("L{n},2026-01-05,a,b", "bad_row"),
    "no id": (",2026-01-05,x{n}", "no_id"),
    "no date": ("L{n},soon,Web", "bad_date"),
    "no date, with line breaks": ('L{n},soon,"We{end}{end}b"', "bad_date"),
    "header": ("lead_id,mql_at,source", "repeated_header"),
}


@given(
    kinds=st.lists(st.sampled_from(list(ROWS)), min_size=3, max_size=14),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    is_large=st.booleans(),
)
def test_every_row_is_used_or_set_aside_with_its_line(new_desk, kinds, end, encoding, is_large):
    lines, wanted, line = ["lead_id,mql_at,source"], [], 2
    for number, kind in enumerate([*kinds, "good"]):
        pattern, reason = ROWS[kind]
        text = pattern.format(n=number, end=end)
        if reason:
            wanted.append((line, reason, text))
        lines.append(text)
        line += text.count("\n") + 1
    desk = new_desk()
    desk.write("leads.csv", end.join([*lines, ""]).encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        # Large tables are read in another way, if there is nothing wrong with them.
        patch.setattr("mqlkit.sources.table.SMALL_TABLE", 0 if is_large else 1000)
        ledger = desk.read({"leads": {"files": ["leads.csv"]}}).ledgers["leads"]
    assert [(row.line, row.reason, row.text) for row in ledger.rows] == wanted
    assert (ledger.read, ledger.used) == (len(kinds) + 1, len(kinds) + 1 - len(wanted))


IDS = st.sampled_from(["A", "B", "C", ""])
DAYS = st.sampled_from(["2026-01-05", "2026-01-06", "", "soon", "2026-02-30"])
CELLS = st.sampled_from(["Web", "Event", "", "a,b", 'say "hi"', "one\ntwo", "õ"])
FILES = st.lists(st.lists(st.tuples(IDS, DAYS, DAYS, CELLS), max_size=8), min_size=1, max_size=3)


@given(files=FILES, is_large=st.booleans())
def test_the_account_closes_for_every_file(new_desk, files, is_large):
    desk = new_desk()
    header = ["lead_id", "mql_at", "sql_at", "source"]
    names = []
    for number, rows in enumerate([*files, [("Z", "2026-01-05", "", "Web")]]):
        names.append(f"{number}.csv")
        frame = pd.DataFrame(rows, columns=header, dtype=object)
        # Every other file has its columns the other way round.
        frame = frame[header[::-1]] if number % 2 else frame
        desk.write(names[-1], frame.to_csv(index=False, lineterminator="\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mqlkit.sources.table.SMALL_TABLE", 0 if is_large else 1000)
        tables = desk.read({"leads": {"files": names}})
    ledger = tables.ledgers["leads"]
    read = sum(map(len, files)) + 1
    assert ledger.read == read == ledger.used + sum(ledger.set_aside.values())
    assert len(ledger.rows) == sum(ledger.set_aside.values())
    # An independent account of the same rows.
    seen, ids, aside = set(), set(), 0
    for row in [r for rows in files for r in rows] + [("Z", "2026-01-05", "", "Web")]:
        is_bad = not row[0] or "soon" in row[1:3] or "2026-02-30" in row[1:3]
        if is_bad or row in seen:
            aside += 1
        else:
            seen.add(row)
            ids.add(row[0])
    assert ledger.used == read - aside
    assert ledger.used - ledger.noted.get("merged", 0) == len(ids)
    assert tables.leads.count().to_pyarrow().as_py() == len(ids)
