"""Every table, cell by cell: figures, notes, order, escaping, and None where nothing is known."""

from __future__ import annotations

import math
from collections import Counter
from html.parser import HTMLParser

import pandas as pd
import pytest
from frames import drawing, of, plain, row, rows, series_of, totals

from mqlkit.core.metrics import METRICS
from mqlkit.core.names import FLAGS, TOTAL
from mqlkit.metrics.data_quality import data_quality
from mqlkit.metrics.tidy import pick, series
from mqlkit.pages.tables import table_html
from mqlkit.sources.ledger import Ledger
from mqlkit.views import tables
from mqlkit.views.tables.base import Table

EVIL = "<script>alert(1)</script>"


class Grid(HTMLParser):
    """The cells of a table, and the tags that it is made of."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.cells, self.tags, self.aligned, self._open = [], set(), [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("th", "td"):
            self._open = True
            self.cells[-1].append("")
            if tag == "th":
                self.aligned.append("left" if dict(attrs).get("class") == "mk-text" else "right")

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self._open = False

    def handle_data(self, data):
        if self._open:
            self.cells[-1][-1] += data


def grid(table):
    return Grid(table_html(table))


def cells(table):
    """Return the rows of a table as text, header first."""
    return [[plain(c) for c in line] for line in grid(table).cells]


def quarter(metric, january, february, whole, *, n=None, flags=()):
    """Return the rows of a metric for two months and the whole period."""
    return rows(
        row(metric, january, bucket="2026-01", n=n, flags=flags),
        row(metric, february, bucket="2026-02", n=n),
        row(metric, whole, n=n, flags=flags),
    )


def test_volume():
    frame = rows(
        quarter("mqls", 1000, 2, 1002),
        quarter("goal", 990.5, 2, 992.5),
        quarter("goal_attainment", 1000 / 990.5, 1, 1002 / 992.5),
        quarter("goal_gap", 9.5, 0, -1200),
        quarter("in_stage", 7, 0, 0),
    )
    table = tables.volume.mqls(frame)
    assert table.title == "MQLs and goal"
    assert cells(table) == [
        ["Bucket", "MQLs", "Goal", "Attainment", "Gap", "Open at the end"],
        ["Jan 2026", "1,000", "990.5", "101.0%", "+10", "7"],
        ["Feb 2026", "2", "2.0", "100.0%", "+0", "0"],
        ["Whole period", "1,002", "992.5", "101.0%", "−1,200", "0"],
    ]
    assert grid(table).aligned == ["left", *["right"] * 5]


def test_volume_without_goals_has_no_columns_for_them():
    frame = rows(quarter("mqls", 5, 2, 7), quarter("in_stage", 1, 1, 1))
    assert cells(tables.volume.mqls(frame))[0] == ["Bucket", "MQLs", "Open at the end"]


def test_a_note_stands_in_its_row():
    frame = rows(
        row("mqls", 40, bucket="2026-01"),
        row("mqls", 3, bucket="2026-02", flags=["in-progress"]),
    )
    assert cells(tables.volume.mqls(frame)) == [
        ["Bucket", "MQLs", "Note"],
        ["Jan 2026", "40", ""],
        ["Feb 2026", "3", "in-progress"],
    ]


def decided(accepted, rejected, undecided, **rate):
    parts = [
        row("mqls", 4, bucket="2026-01"),
        row("accepted", accepted, bucket="2026-01"),
        row("rejected", rejected, bucket="2026-01"),
        row("undecided", undecided, bucket="2026-01"),
        row("acceptance_rate", bucket="2026-01", **rate),
    ]
    return rows(*parts)


def test_hand_off():
    frame = decided(2, 1, 1, value=2 / 3, n=3, low=0.2077, high=0.9385)
    assert cells(tables.handoff.decisions(frame)) == [
        ["Bucket", "MQLs", "Accepted (SAL)", "Rejected", "Undecided", "Acceptance rate",
         "95% interval", "Note"],
        ["Jan 2026", "4", "2", "1", "1", "66.7%", "20.8–93.8%", "small-n"],
    ]  # fmt: skip


def test_a_share_of_nothing_is_a_dash():
    frame = decided(0, 0, 4, value=None, n=0)
    assert cells(tables.handoff.decisions(frame))[1] == [
        "Jan 2026", "4", "0", "0", "4", "–", "–", "small-n",
    ]  # fmt: skip


def test_a_hand_off_that_is_not_recorded_is_no_table():
    assert tables.handoff.decisions(decided(None, None, None, value=None)) is None


def test_efficiency_by_source():
    web = {"mqls": 40, "sqls": 10, "efficiency": 0.25, "mqls_per_sql": 4.0,
           "efficiency_projected": 0.3, "efficiency_flow": 1.25}  # fmt: skip
    none = {"mqls": 2, "sqls": 0, "efficiency": 0, "mqls_per_sql": None,
            "efficiency_projected": None, "efficiency_flow": None}  # fmt: skip
    frame = rows(
        *(row(m, v, source="Web", n=40, low=0.1422, high=0.4019) for m, v in web.items()),
        *(
            row(m, v, source="(missing)", n=2, low=0, high=0.6576, flags=["immature"])
            for m, v in none.items()
        ),
        # Neither a bucket nor another breakdown belongs in the table.
        *(row(m, 0.9, source="Web", bucket="2026-01", n=3) for m in web),
        *(row(m, 0.9, owner="Ann", n=3) for m in web),
    )
    table = tables.efficiency.conversion_by(frame, by="source")
    assert table.title == "MQL→SQL conversion by source"
    assert cells(table) == [
        ["Source", "MQLs", "SQLs", "Conversion", "MQLs per SQL", "Projected", "In-period ratio",
         "95% interval", "Note"],
        ["Web", "40", "10", "25.0%", "4.0", "30.0%", "125.0%", "14.2–40.2%", ""],
        ["(missing)", "2", "0", "0.0%", "–", "–", "–", "0.0–65.8%", "immature and small-n"],
    ]  # fmt: skip


def test_velocity_in_hours_and_days():
    frame = rows(
        quarter("hours_in_stage_mean", 0.5, 47.94, 48, n=40),
        quarter("hours_in_stage_median", 1, None, 60, n=40),
        quarter("hours_in_stage_km_median", None, None, 49, n=40),
        quarter("hours_in_stage_p90", 5, 100, 100, n=40),
    )
    assert cells(tables.waiting.time_in_stage(frame)) == [
        ["Bucket", "Mean", "Median", "Median, open MQLs included", "90th percentile"],
        ["Jan 2026", "30 minutes", "1.0 hours", "–", "5.0 hours"],
        ["Feb 2026", "47.9 hours", "–", "–", "4.2 days"],
        ["Whole period", "2.0 days", "2.5 days", "2.0 days", "4.2 days"],
    ]


def test_velocity_in_working_time():
    frame = row("hours_in_stage_mean", 20, n=40)
    table = tables.waiting.time_in_stage(of(frame, day_hours=8))
    assert cells(table)[1] == ["Whole period", "2.5 working days"]


def met(bucket, n_met, late, **segment):
    n = n_met + late
    return rows(
        row("sla_met", n_met, bucket=bucket, **segment),
        row("sla_breached", late, bucket=bucket, **segment),
        row("sla_past_due", 1, bucket=bucket, **segment),
        row("sla_pending", 2, bucket=bucket, **segment),
        row("sla_due_soon", 1, bucket=bucket, **segment),
        row("sla_unmeasurable", 0, bucket=bucket, **segment),
        row("sla_attainment", n_met / n, bucket=bucket, n=n, low=0.1, high=0.9, **segment),
    )


def test_sla():
    table = tables.sla.outcomes(met("2026-01", 30, 10))
    assert cells(table) == [
        ["Bucket", "Met", "Breached", "of which overdue", "Not due yet", "of which due soon",
         "Unmeasurable", "SLA attainment", "95% interval"],
        ["Jan 2026", "30", "10", "1", "2", "1", "0", "75.0%", "10.0–90.0%"],
    ]  # fmt: skip


def test_sla_by_rule():
    frame = pd.DataFrame(
        {
            "rule": [1, 2],
            "holds_for": ["source: Demo", "all other leads"],
            "promise": ["1 working hour", "2 days"],
            "leads": [1200, 0],
            "met": [900, 0],
            "breached": [100, 0],
            "pending": [180, 0],
            "unmeasurable": [20, 0],
            "attainment": [0.9, math.nan],
        }
    )
    assert cells(tables.sla.rules(series_of("sla_rules", frame))) == [
        ["Leads", "SLA", "MQLs", "Met", "Breached", "Not due yet", "Unmeasurable",
         "SLA attainment"],
        ["source: Demo", "1 working hour", "1,200", "900", "100", "180", "20", "90.0%"],
        ["all other leads", "2 days", "0", "0", "0", "0", "0", "–"],
    ]  # fmt: skip
    assert tables.sla.rules(series_of("sla_rules", None)) is None


def test_sla_by_owner_keeps_the_order_of_the_rows():
    frame = rows(met("total", 1, 1, owner="Zoe"), met("total", 30, 0, owner="Ann"))
    table = tables.sla.outcomes_by(frame, by="owner")
    assert table.title == "SLA outcomes by owner"
    assert [line[0] for line in cells(table)] == ["Owner", "Zoe", "Ann"]
    assert [line[-1] for line in cells(table)] == ["Note", "small-n", ""]


@pytest.mark.parametrize("bucket", ["2026-Q1", "2026-W05"])
def test_no_title_speaks_of_months_where_the_buckets_are_none(bucket):
    frame = rows(
        row("sla_met", 3, bucket="total"), row("spend", 5, bucket="total"),
    ).assign(bucket=bucket)  # fmt: skip
    assert "month" not in tables.sla.outcomes(frame).title
    assert "month" not in tables.cost.per_mql(of(frame, currency="EUR")).title


def test_cost():
    frame = rows(
        quarter("spend", 12000.4, None, 0),
        quarter("mqls", 120, 3, 123),
        quarter("cost_per_mql", 100.003, None, 0, n=120),
        quarter("cost_per_mql_rolling", 99.5, None, None, n=120),
        quarter("cost_per_sql", 1500, None, None, n=120),
        quarter("wasted_cost", 0, None, -5, n=120),
        quarter("return_on_spend", 4.25, None, 0, n=120),
        quarter("lead_to_mql_days_mean", 30.25, 29, 30.2, n=120),
    )
    frame.loc[frame["bucket"] == "2026-02", "flags"] = pd.Series(
        [("spend-not-covered",)] * len(frame), index=frame.index
    )
    table = tables.cost.per_mql(of(frame, currency="EUR"))
    assert cells(table) == [
        ["Bucket", "Spend", "MQLs", "Cost per MQL", "Rolling", "Cost per SQL", "Wasted", "Return",
         "Lag, days", "Note"],
        ["Jan 2026", "€12,000", "120", "€100", "€99.50", "€1,500", "€0", "4.2 ×", "30.2", ""],
        ["Feb 2026", "–", "3", "–", "–", "–", "–", "–", "29.0", "spend-not-covered"],
        ["Whole period", "€0", "123", "€0", "–", "–", "−€5", "0.0 ×", "30.2", ""],
    ]  # fmt: skip


def test_cost_shows_the_interval_of_the_return_and_what_is_immature():
    frame = rows(
        row("spend", 900, bucket="2026-01"),
        row("spend", 900, bucket="2026-02"),
        row("cost_per_mql", 30, bucket="2026-01", n=30),
        row("cost_per_mql", 90, bucket="2026-02", n=10, flags=["in-progress"]),
        row("cost_per_sql", 300, bucket="2026-01", n=3, flags=["immature"]),
        row("cost_per_sql", None, bucket="2026-02", n=0, flags=["immature", "in-progress"]),
        row("return_on_spend", 2.5, bucket="2026-01", n=30, low=0.5, high=4.5, flags=["immature"]),
        # Of fewer than 30 MQLs it has no interval.
        row("return_on_spend", 0.1, bucket="2026-02", n=10, flags=["immature", "in-progress"]),
    )
    assert cells(tables.cost.per_mql(of(frame, currency="EUR"))) == [
        ["Bucket", "Spend", "Cost per MQL", "Cost per SQL", "Return", "Return, 95% interval",
         "Note"],
        ["Jan 2026", "€900", "€30", "€300", "2.5 ×", "0.5 × to 4.5 ×",
         "immature (Cost per SQL, Return) and small-n (Cost per SQL)"],
        ["Feb 2026", "€900", "€90", "–", "0.1 ×", "–",
         "in-progress, small-n and immature (Return)"],
    ]  # fmt: skip


def test_planned_spend_has_the_currency_of_the_report():
    frame = rows(quarter("mqls", 5, 2, 7), quarter("goal_spend", 900, 1800.5, 2700.5))
    table = cells(tables.volume.mqls(of(frame, currency="SEK")))
    assert [line[2] for line in table] == ["Planned spend", "900 SEK", "1,800 SEK", "2,700 SEK"]


def test_cost_by_source_has_no_rolling_and_no_lag():
    frame = rows(row("spend", 500, source="Web"), row("cost_per_mql", 50, n=30, source="Web"))
    table = tables.cost.per_mql_by(of(frame, currency="SEK"), by="source")
    assert cells(table) == [
        ["Source", "Spend", "Cost per MQL"],
        ["Web", "500 SEK", "50 SEK"],
    ]


@pytest.mark.parametrize(
    ("tabulate", "metrics"),
    [
        (tables.waiting.time_in_stage, ["hours_in_stage_mean", "hours_in_stage_p90"]),
        (tables.sla.outcomes, ["sla_met", "sla_attainment"]),
        (tables.efficiency.cohorts, ["efficiency", "mqls_per_sql"]),
        (lambda frame: tables.cost.per_mql(of(frame, currency="EUR")), ["spend", "cost_per_mql"]),
    ],
    ids=["velocity", "sla", "efficiency", "cost"],
)
def test_nothing_known_no_table(tabulate, metrics):
    assert tabulate(totals(**dict.fromkeys(metrics))) is None
    assert tabulate(totals(**dict.fromkeys(metrics)).iloc[:0]) is None


def test_without_spend_there_is_no_table_of_cost():
    # MQLs and the lag are known without any spend; a table of cost they do not make.
    frame = rows(totals(mqls=3, lead_to_mql_days_mean=30), row("mqls", 3, source="Web"))
    assert tables.cost.per_mql(of(frame, currency="")) is None
    assert tables.cost.per_mql_by(of(frame, currency=""), by="source") is None


@pytest.mark.parametrize(
    "tabulate",
    [
        tables.volume.mqls,
        tables.efficiency.cohorts,
        tables.waiting.time_in_stage,
        tables.sla.outcomes,
        lambda frame: tables.cost.per_mql(of(frame, currency="EUR")),
    ],
)
def test_a_missing_column_is_named(tabulate):
    with pytest.raises(ValueError, match="needs the columns flags"):
        tabulate(totals(mqls=1).drop(columns="flags"))


def breaches(n, **first):
    at = pd.Timestamp("2026-01-05 09:30", tz="Europe/Tallinn")
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{i}" for i in range(n)],
            "owner": ["Ann"] * n,
            "source": ["Web"] * n,
            "entered": [at] * n,
            "due": [at + pd.Timedelta(days=2)] * n,
            "hours_late": [100.0 - i for i in range(n)],
            "day_hours": [24.0] * n,
            "is_open": [i % 2 == 0 for i in range(n)],
            "of": n,
        }
    )
    for name, value in first.items():
        frame.loc[0, name] = value
    return frame


def test_breaches():
    table = tables.lead_lists.breaches(series_of("breach", breaches(2, owner=None, source=None)))
    assert cells(table) == [
        ["Lead", "Owner", "Source", "Entered", "Due", "Overdue by", "Open"],
        ["L0", "–", "–", "2026-01-05 09:30", "2026-01-07 09:30", "4.2 days", "yes"],
        ["L1", "Ann", "Web", "2026-01-05 09:30", "2026-01-07 09:30", "4.1 days", "no"],
    ]
    # Each in days of its own clock.
    table = tables.lead_lists.breaches(series_of("breach", breaches(2, day_hours=8.0)))
    assert list(table.cells["Overdue by"]) == ["12.5 working days", "4.1 days"]


def test_of_many_breaches_the_25_longest_are_listed():
    table = tables.lead_lists.breaches(series_of("breach", breaches(1026)))
    assert table.title == "SLA breaches, longest first: 25 of 1,026"
    assert [line[0] for line in cells(table)[1:]] == [f"L{i}" for i in range(25)]
    # The frame may hold the longest only.
    assert (
        tables.lead_lists.breaches(series_of("breach", breaches(1026).head(25))).title
        == table.title
    )


def test_no_breach_no_table():
    assert tables.lead_lists.breaches(series_of("breach", breaches(1).iloc[:0])) is None


def test_counts_with_and_without_shares():
    counts = pd.DataFrame({"reason": ["Not now", "(missing)"], "leads": [1200, 1]})
    table = tables.handoff.reasons(series_of("rejection_reasons", counts))
    assert table.title == "Rejections by reason"
    assert cells(table) == [["Reason", "Leads"], ["Not now", "1,200"], ["(missing)", "1"]]
    counts = pd.DataFrame({"within": ["1 h"], "leads": [3], "share": [0.25]})
    table = tables.response.contact_times(series_of("contact_times", counts))
    assert cells(table) == [["Within", "Leads", "Share"], ["1 h", "3", "25.0%"]]
    assert tables.response.contact_times(series_of("contact_times", None)) is None
    assert tables.handoff.reasons(series_of("rejection_reasons", None)) is None


def test_channels():
    channels = pd.DataFrame({"channel": ["Brand", "(none)"], "amount": [27275.0, 5.5]})
    table = tables.data_quality.channels(data_quality(channels=channels, currency="EUR"))
    assert cells(table) == [["Channel", "Spend"], ["Brand", "€27,275"], ["(none)", "€5.50"]]
    assert (
        tables.data_quality.channels(data_quality(channels=channels.iloc[:0], currency="EUR"))
        is None
    )
    assert tables.data_quality.channels(data_quality(channels=None, currency="")) is None


def test_ledger():
    table = tables.data_quality.ledger(
        data_quality(
            ledgers={
                "leads": Ledger(
                    read=6018,
                    set_aside=Counter(no_id=1, bad_date=2),
                    noted=Counter(out_of_order=1, merged=0, skipped_mql=12),
                ),
                "spend": Ledger(read=31),
            }
        )
    )
    assert table.is_open
    assert cells(table) == [
        ["Table", "Rows read", "Used", "Excluded", "Reasons", "Noted"],
        ["leads", "6,018", "6,015", "3",
         "2: a date that does not exist or cannot be read; 1: no lead id",
         "1: out of order; 12: skipped mql"],
        ["spend", "31", "31", "0", "–", "–"],
    ]  # fmt: skip


def test_inputs():
    given = {"path": "a/leads.csv", "rows": 1200, "encoding": "utf-8", "timezone": "UTC",
             "sha256": "0123456789abcdef" * 4}  # fmt: skip
    table = tables.data_quality.inputs(
        data_quality(inputs=[{**given, "delimiter": "\t"}, {**given, "delimiter": ";"}])
    )
    assert cells(table) == [
        ["File", "Lines", "Encoding", "Delimiter", "Time zone", "SHA-256"],
        ["a/leads.csv", "1,200", "utf-8", "tab", "UTC", "0123456789ab"],
        ["a/leads.csv", "1,200", "utf-8", ";", "UTC", "0123456789ab"],
    ]


def test_params_are_written_as_users_write_them():
    table = tables.data_quality.params(
        data_quality(
            resolved={
                "by": ["source", "owner"],
                "sla": "48h",
                "holidays": None,
                "redact": False,
                "where": {},
            }
        )
    )
    values = {line[0]: line[1] for line in cells(table)[1:]}
    assert values["by"] == "source and owner"
    assert values["sla"] == "48h"
    # None, False and {} are Python, which no params file holds.
    assert not {"None", "False", "{}"} & set(values.values())


def test_glossary():
    table = tables.data_quality.glossary(data_quality(metrics=totals(mqls=1, acceptance_rate=1)))
    assert cells(table) == [
        ["Metric", "Name", "Definition", "Reference"],
        ["MQLs", "mqls", METRICS["mqls"].definition, "mqlkit"],
        ["Acceptance rate", "acceptance_rate", "accepted / (accepted + rejected)",
         "Wilson 1927, J. Am. Stat. Assoc. 22:209"],
    ]  # fmt: skip


def test_flags():
    frame = rows(row("mqls", 1, flags=["immature"]), row("mqls", 1, n=3, flags=["in-progress"]))
    table = tables.data_quality.flags(data_quality(metrics=frame))
    assert table.is_open
    assert cells(table)[1:] == [
        [name, FLAGS[name]] for name in ("in-progress", "immature", "small-n")
    ]
    assert tables.data_quality.flags(data_quality(metrics=row("mqls", 1))) is None


HOSTILE = {
    "efficiency": lambda: tables.efficiency.conversion_by(
        rows(row("mqls", 1, source=EVIL), row("efficiency", 1, n=1, source=EVIL)), by="source"
    ),
    "sla": lambda: tables.sla.outcomes_by(met("total", 1, 1, owner=EVIL), by="owner"),
    "breaches": lambda: tables.lead_lists.breaches(
        series_of("breach", breaches(1, lead_id=EVIL, owner=EVIL, source=EVIL))
    ),
    "counts": lambda: tables.handoff.reasons(
        series_of("rejection_reasons", pd.DataFrame({"reason": [EVIL], "leads": [1]}))
    ),
    "channels": lambda: tables.data_quality.channels(
        data_quality(channels=pd.DataFrame({"channel": [EVIL], "amount": [1.0]}), currency="EUR")
    ),
    "ledger": lambda: tables.data_quality.ledger(
        data_quality(
            ledgers={"history": Ledger(read=1, noted=Counter({f"stage not mapped: {EVIL}": 1}))}
        )
    ),
    "inputs": lambda: tables.data_quality.inputs(
        data_quality(
            inputs=[
                {"path": EVIL, "rows": 1, "encoding": "utf-8", "delimiter": ",", "timezone": "UTC",
                 "sha256": "0"}
            ]
        )
    ),
    "params": lambda: tables.data_quality.params(
        data_quality(resolved={"title": EVIL, "by": [EVIL]})
    ),
    "the name of a breakdown": lambda: tables.efficiency.conversion_by(
        rows(row("mqls", 1, **{EVIL: "x"}), row("efficiency", 1, n=1, **{EVIL: "x"})), by=EVIL
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_text_of_the_data_stays_text(name):
    table = HOSTILE[name]()
    found = grid(table)
    assert "script" not in found.tags
    shown = " ".join(cell for line in found.cells for cell in line).casefold()
    assert EVIL in shown


@pytest.mark.parametrize("text", ["**bold**", "{{7*7}}", "a & b", "&lt;", "שלום", "株式会社"])
def test_text_of_the_data_is_shown_as_it_is(text):
    frame = pd.DataFrame({"reason": [text], "leads": [1]})
    assert cells(tables.handoff.reasons(series_of("rejection_reasons", frame)))[1] == [text, "1"]


def test_of_many_segments_the_25_with_the_most_mqls_are_rows():
    frame = rows(*(
        row(metric, value, n=200, low=0.1, high=0.3, source=f"S{i:03}")
        for i in range(130)
        for metric, value in (("mqls", 1000 - i), ("efficiency", 0.2))
    ))  # fmt: skip
    table = tables.efficiency.conversion_by(frame, by="source")
    assert (table.title, table.note) == (
        "MQL→SQL conversion by source", "105 more, see metrics.json",
    )  # fmt: skip
    assert list(table.cells["Source"]) == [f"S{i:03}" for i in range(25)]


def test_mqls_by_segment_has_the_values_with_the_most_first(worked):
    table = tables.volume.mqls_by(worked.metrics, by="source")
    assert list(table.cells.columns) == ["Source", "Jan 2026", "Feb 2026", "Whole period"]
    part = pick(worked.metrics, "mqls", by="source")
    found = {r["Source"]: int(r["Whole period"]) for r in table.cells.to_dict("records")}
    total = part[part["bucket"] == TOTAL]
    assert found == dict(zip(total["name"], total["value"], strict=True))
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_of_many_segments_25_are_set_and_a_note_says_so():
    frame = rows(*(row("mqls", i, bucket=b, source=f"S{i:02}") for i in range(30)
                   for b in ("2026-01", TOTAL)))  # fmt: skip
    table = tables.volume.mqls_by(frame, by="source")
    assert (table.title, table.note) == ("MQLs by source", "5 more, see metrics.json")
    assert list(table.cells["Source"])[:2] == ["S29", "S28"]
    assert '</table></div><p class="mk-note">5 more, see metrics.json</p>' in table_html(table)


def test_of_many_reasons_the_25_most_frequent_are_rows():
    counts = pd.DataFrame({"reason": [f"R{i}" for i in range(30)], "leads": range(30)})
    table = tables.handoff.reasons(series_of("rejection_reasons", counts))
    assert table.note == "5 more reasons"
    assert list(table.cells["Reason"]) == [f"R{i}" for i in range(29, 4, -1)]


def test_tables_name_their_order_and_their_total(worked):
    by_bucket = tables.volume.mqls(worked.volume)
    assert (by_bucket.is_ordered, by_bucket.has_total) == (True, True)
    text = table_html(by_bucket)
    assert "<table data-ordered>" in text
    assert text.count("<tr data-total>") == 1
    assert text.index("<tr data-total>") > text.index("Feb 2026")
    by_source = table_html(tables.volume.mqls_by(worked.volume, by="source"))
    assert "data-ordered" not in by_source
    assert "data-total" not in by_source


def test_hours_are_the_bars_of_the_histogram(worked):
    table = tables.waiting.histogram(worked.waiting)
    kinds = {"within SLA": "Within SLA", "after SLA": "After SLA", "open": "Open"}
    for outcome, label in kinds.items():
        bins = series(worked.waiting, "histogram")
        part = bins[bins["outcome"] == outcome]
        assert table.cells[label].astype(int).sum() == part["leads"].sum()
    assert list(table.cells["From"])[:1] == ["0 minutes"]
    # The last bar holds everything later: it has no end.
    assert table.cells["to"].iloc[-1] == "–"


def test_the_curve_is_set_at_each_half_of_the_sla():
    curve = pd.DataFrame({
        "hours": [0.0, 24.0, 30.0, 60.0], "waiting": [1.0, 0.75, 0.5, 0.25],
        "low": [math.nan, 0.6, 0.4, 0.1], "high": [math.nan, 0.9, 0.6, 0.4],
        "at_risk": [4, 4, 3, 2],
    })  # fmt: skip
    table = tables.waiting.survival(of(series_of("survival", curve), sla_hours=48))
    # A step at the very hour counts; after 48 hours that of 30 still holds.
    assert cells(table) == [
        ["After", "Still open", "95% interval"],
        ["24.0 hours", "75.0%", "60.0–90.0%"],
        ["2.0 days", "50.0%", "40.0–60.0%"],
    ]
    assert tables.waiting.survival(of(series_of("survival", curve.iloc[:2]), sla_hours=48)) is None


@pytest.mark.parametrize(
    ("name", "frame", "missing"),
    [
        ("tables.volume.mqls_by", "volume", "flags"),
        ("tables.waiting.histogram", "waiting", "category"),
        ("tables.waiting.survival", "waiting", "high"),
    ],
)
def test_a_table_of_a_picture_names_a_missing_column(worked, name, frame, missing):
    given = getattr(worked, frame)
    with pytest.raises(ValueError, match=f"needs the columns {missing}, which the frame lacks"):
        drawing(name)(given.drop(columns=missing))
    assert drawing(name)(given.iloc[:0]) is None


def test_a_table_is_written_as_html_and_every_text_is_escaped():
    cells = pd.DataFrame({"Source": ["<b>", 'a "quote"'], "MQLs": ["1,000", ""]})
    assert table_html(Table("A < B", cells, ("Source",))).replace("\n", "") == (
        '<details class="mk-table"><summary>A &lt; B</summary>'
        '<div tabindex="0" role="region" aria-label="A &lt; B"><table>'
        '<thead><tr><th class="mk-text" scope="col">Source</th>'
        '<th scope="col">MQLs</th></tr></thead><tbody>'
        '<tr><td class="mk-text">&lt;b&gt;</td><td>1,000</td></tr>'
        '<tr><td class="mk-text">a &#34;quote&#34;</td><td></td></tr>'
        "</tbody></table></div></details>"
    )
