"""Each chart beside the frame that it draws: marks, encodings, units, words, embedded rows."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd
import pytest
from frames import draw, drawings_of, of, row, rows, series_of

from mqlkit.core.names import TOTAL
from mqlkit.metrics.cost import cost_per_mql
from mqlkit.metrics.report import compute_report
from mqlkit.metrics.tidy import pick, series
from mqlkit.views import charts
from mqlkit.views.charts.base import with_selection

WHITE = "white"


def layers(spec):
    return spec.get("layer", [spec])


def marks(spec):
    return [part["mark"]["type"] for part in layers(spec)]


def embedded(spec, layer=0):
    """Return the rows that a layer draws."""
    part = layers(spec)[layer]
    return spec["datasets"][part.get("data", spec.get("data"))["name"]]


def encoding(spec, layer=0):
    return layers(spec)[layer]["encoding"]


def titles(spec):
    """Return the titles of all axes, by channel, in order."""
    found = {"x": [], "y": []}
    for part in layers(spec):
        for channel, seen in found.items():
            title = part["encoding"].get(channel, {}).get("title")
            if title is not None and title not in seen:
                seen.append(title)
    return found


def tooltip(spec, layer=0):
    return [(t["field"], t["title"], t.get("format")) for t in encoding(spec, layer)["tooltip"]]


def column(records, name):
    return [record[name] for record in records]


def as_drawn(values):
    """Return numbers as JSON holds them: null for NaN."""
    return [None if isinstance(v, float) and math.isnan(v) else v for v in values]


def per_bucket(frame, metric, field="value"):
    part = pick(frame, metric)
    return as_drawn(part[part["bucket"] != TOTAL][field])


def monthly(metric, values, **options):
    """Return the rows of a metric in the months from January 2025 on."""
    labels = [f"{2025 + i // 12}-{i % 12 + 1:02}" for i in range(len(values))]
    return rows(*(row(metric, v, bucket=b, **options) for b, v in zip(labels, values, strict=True)))


# What each function draws, and the axis titles it must carry, units included.
TIDY = {
    "charts.volume.mqls": ("mqls", {}, {"x": [], "y": ["MQLs"]}),
    "charts.volume.mqls_by": ("mqls", {"by": "source"}, {"x": [], "y": []}),
    "charts.handoff.decisions": ("accepted", {}, {"x": [], "y": ["MQLs"]}),
    "charts.efficiency.cohorts": ("efficiency", {}, {"x": [], "y": ["MQL→SQL conversion"]}),
    "charts.efficiency.conversion_by": (
        "efficiency", {"by": "source"}, {"x": ["MQL→SQL conversion"], "y": []},
    ),
    "charts.sla.attainment": ("sla_attainment", {}, {"x": [], "y": ["SLA attainment"]}),
    "charts.sla.attainment_by": (
        "sla_attainment", {"by": "source"}, {"x": ["SLA attainment"], "y": []},
    ),
    "charts.cost.per_mql_by": (
        "cost_per_mql", {"by": "source", "currency": "EUR"}, {"x": ["Cost per MQL, EUR"], "y": []},
    ),
}  # fmt: skip
OWN = {
    "charts.waiting.histogram": (
        "waiting", {"sla_hours": 48}, {"x": ["Time in stage, days"], "y": ["MQLs"]},
    ),
    "charts.waiting.survival": (
        "waiting", {"sla_hours": 48}, {"x": ["Time since MQL, days"], "y": ["Still open"]},
    ),
    "charts.cost.per_mql": (
        "cost", {"lag_days": 30, "currency": "EUR"}, {"x": [], "y": ["Cost per MQL, EUR"]},
    ),
}  # fmt: skip


def all_charts(numbers):
    """Return every chart of a report by the function that drew it."""
    drawn = {name: draw(name, numbers.metrics, **options) for name, (_, options, _) in TIDY.items()}
    drawn |= {
        name: draw(name, getattr(numbers, frame), **options)
        for name, (frame, options, _) in OWN.items()
    }
    return {name: chart.to_dict() for name, chart in drawn.items()}


@pytest.fixture(scope="module")
def specs(worked):
    return all_charts(worked)


def test_every_chart_is_known_to_these_tests():
    # In test_changes.py, test_cost_by_lag.py, test_cohort_growth.py and test_funnel_views.py, by
    # what they draw.
    elsewhere = {
        "charts.mix.effects", "charts.cost.by_lag", "charts.efficiency.cohort_age",
        "charts.funnel.steps",
    }  # fmt: skip
    assert set(drawings_of(charts)) == {*TIDY, *OWN, *elsewhere}


@pytest.mark.parametrize("name", [*TIDY, *OWN])
def test_axes_are_named_with_their_units(specs, name):
    assert titles(specs[name]) == {**TIDY, **OWN}[name][2]


@pytest.mark.parametrize("name", [*TIDY, *OWN])
def test_charts_fill_their_place(specs, name):
    assert specs[name]["width"] == "container"
    assert specs[name]["height"] >= 90


DESCRIPTIONS = {
    "charts.volume.mqls": "MQLs per month, from 5 to 6, with the goal as a line across each bar.",
    "charts.volume.mqls_by": (
        "MQLs per month and source, from Web with the most to (missing); darker is more."
    ),
    "charts.handoff.decisions": "MQLs accepted, rejected and undecided per month.",
    "charts.efficiency.cohorts": (
        "MQL→SQL conversion per month of entry, 33% to 40%, with 95% intervals; immature cohorts "
        "are hollow, with their projection as an orange line; the dashed line is the in-period "
        "SQL/MQL ratio."
    ),
    "charts.efficiency.conversion_by": (
        "MQL→SQL conversion rate by source, with 95% intervals; the dashed line is the overall "
        "rate, hollow dots have fewer than 30 leads."
    ),
    "charts.sla.attainment": ("SLA attainment per month, 40% to 75%, with 95% intervals."),
    "charts.sla.attainment_by": (
        "SLA attainment by source, with 95% intervals; the dashed line is the overall rate, hollow "
        "dots have fewer than 30 leads."
    ),
    "charts.cost.per_mql_by": "Cost per MQL by source.",
    "charts.waiting.histogram": (
        "MQLs by time in stage; the bar at 8 days is everything later; the dashed line is the SLA."
    ),
    "charts.waiting.survival": (
        "Share of MQLs still open by time since they became MQLs (Kaplan–Meier), with 95% "
        "intervals; the dashed line is the SLA."
    ),
    "charts.cost.per_mql": (
        "Cost per MQL per month as bars, 700 to 830 EUR, and its rolling average as a line; the "
        "slider moves the spend window by the lag."
    ),
}


@pytest.mark.parametrize("name", [*TIDY, *OWN])
def test_descriptions(specs, name):
    assert specs[name]["description"] == DESCRIPTIONS[name]


@pytest.mark.parametrize("name", TIDY)
def test_no_rows_no_chart(worked, name):
    _, options, _ = TIDY[name]
    assert draw(name, worked.metrics.iloc[:0], **options) is None


@pytest.mark.parametrize("name", [n for n in TIDY if TIDY[n][0] != "mqls"])
def test_nothing_known_no_chart(worked, name):
    metric, options, _ = TIDY[name]
    frame = worked.metrics.copy()
    frame.loc[frame["metric"] == metric, ["value", "low", "high"]] = math.nan
    assert draw(name, frame, **options) is None


@pytest.mark.parametrize("name", OWN)
def test_an_empty_frame_is_no_chart(worked, name):
    frame, options, _ = OWN[name]
    assert draw(name, getattr(worked, frame).iloc[:0], **options) is None


def test_no_cost_no_chart(worked):
    options = {"lag_days": 30, "currency": "EUR"}
    assert charts.cost.per_mql(of(series_of("cost_by_bucket", None), **options)) is None
    nothing = worked.cost.assign(value=math.nan, rolling=math.nan)
    assert charts.cost.per_mql(of(nothing, **options)) is None


@pytest.mark.parametrize("name", TIDY)
@pytest.mark.parametrize("missing", ["metric", "bucket", "by", "name", "value", "flags"])
def test_a_missing_column_is_named(worked, name, missing):
    with pytest.raises(ValueError, match=f"needs the columns {missing}, which the frame lacks"):
        draw(name, worked.metrics.drop(columns=missing), **TIDY[name][1])


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        *(("charts.waiting.histogram", c) for c in ("step", "at", "to", "category", "value")),
        *(("charts.waiting.survival", c) for c in ("at", "value", "low", "high", "n")),
        *(("charts.cost.per_mql", c) for c in ("at", "bucket", "value", "rolling")),
    ],
)
def test_a_missing_column_of_a_frame_of_its_own_is_named(worked, name, missing):
    frame, options, _ = OWN[name]
    with pytest.raises(ValueError, match=f"needs the columns {missing}, which the frame"):
        draw(name, getattr(worked, frame).drop(columns=missing), **options)


@pytest.mark.parametrize("name", [*TIDY, *OWN])
def test_nobody_changes_the_callers_frame(worked, name):
    frame = worked.metrics if name in TIDY else getattr(worked, OWN[name][0])
    before = frame.copy(deep=True)
    draw(name, frame, **{**TIDY, **OWN}[name][1])
    pd.testing.assert_frame_equal(frame, before)


def test_volume(worked, specs):
    spec = specs["charts.volume.mqls"]
    assert marks(spec) == ["bar", "text", "tick", "text"]
    assert [encoding(spec, i)["x"]["field"] for i in range(3)] == ["when"] * 3
    assert encoding(spec, 3)["text"] == {"value": "Goal"}
    assert column(embedded(spec, 3), "bucket") == ["2026-02"]
    assert encoding(spec, 0)["y"] == {"field": "mqls", "title": "MQLs", "type": "quantitative"}
    assert encoding(spec, 2)["y"]["field"] == "goal"
    assert encoding(spec, 1)["text"]["field"] == "mqls"
    data = embedded(spec)
    assert column(data, "bucket") == ["2026-01", "2026-02"]
    assert column(data, "when") == ["Jan 2026", "Feb 2026"]
    for metric in ("mqls", "goal", "in_stage"):
        assert column(data, metric) == per_bucket(worked.metrics, metric)
    assert tooltip(spec)[1:] == [
        ("mqls", "MQLs", ",.0f"), ("in_stage", "Open MQLs at its end", ",.0f"),
        ("goal", "Goal", ",.1f"),
    ]  # fmt: skip


def test_volume_without_goals_has_no_goal():
    spec = charts.volume.mqls(monthly("mqls", [3, 4])).to_dict()
    assert marks(spec) == ["bar", "text"]
    assert spec["description"] == "MQLs per month, from 3 to 4."
    assert "goal" not in {field for field, _, _ in tooltip(spec)}


def test_the_forecast_is_a_dashed_bar_with_its_interval():
    frame = rows(
        row("mqls", 9, bucket="2026-01"),
        row("mqls", 4, bucket="2026-02", flags=("in-progress",)),
        row("mqls_forecast", 8.5, bucket="2026-02", low=6, high=11, flags=("in-progress",)),
    )
    spec = charts.volume.mqls(frame).to_dict()
    assert marks(spec) == ["bar", "bar", "rule", "text"]
    assert layers(spec)[1]["mark"]["strokeDash"]
    assert encoding(spec, 1)["y"]["field"] == "forecast"
    ends = [encoding(spec, 2)[channel]["field"] for channel in ("y", "y2")]
    assert ends == ["forecast_low", "forecast_high"]
    for name, drawn in zip(["forecast", *ends], ([None, 8.5], [None, 6], [None, 11]), strict=True):
        assert column(embedded(spec), name) == drawn
    assert tooltip(spec)[-3:] == [
        ("forecast", "Forecast", ",.1f"), ("forecast_low", "80% from", ",.1f"),
        ("forecast_high", "80% to", ",.1f"),
    ]  # fmt: skip
    assert spec["description"] == (
        "MQLs per month, from 4 to 9; the dashed bar is the forecast of the running one, with its "
        "80% interval."
    )


def test_the_cost_of_some_leads_is_not_called_theirs_where_spend_is_of_all():
    frame = rows(row("cost_per_mql", 31, n=10, source="Web"))
    frame = frame.assign(currency="EUR", main_breakdown="source", unfiltered_by="country")
    spec = charts.cost.per_mql_by(frame).to_dict()
    assert titles(spec)["x"] == ["Total spend ÷ filtered leads, EUR"]
    assert spec["description"] == "Total spend ÷ filtered leads by source."


@pytest.mark.parametrize(("buckets", "has_labels"), [(16, True), (17, False)])
def test_volume_of_many_buckets_leaves_the_labels_out(buckets, has_labels):
    spec = charts.volume.mqls(monthly("mqls", [5] * buckets)).to_dict()
    assert ("text" in marks(spec)) is has_labels


def test_a_bucket_in_progress_is_pale():
    frame = rows(row("mqls", 9, bucket="2026-01"),
                 row("mqls", 4, bucket="2026-02", flags=["in-progress"]))  # fmt: skip
    spec = charts.volume.mqls(frame).to_dict()
    assert column(embedded(spec), "is_open") == [False, True]
    color = encoding(spec)["color"]
    assert color["condition"]["test"] == "datum.is_open"
    assert color["condition"]["value"] != color["value"]


@pytest.mark.parametrize(
    ("labels", "grain"),
    [(("2026-Q1", "2026-Q2"), "quarter"), (("2026-01", "2026-02"), "month")],
)
def test_the_grain_is_named(labels, grain):
    frame = rows(*(row("mqls", 3, bucket=b) for b in labels))
    assert charts.volume.mqls(frame).to_dict()["description"].startswith(f"MQLs per {grain},")


def by_source(counts, bucket="2026-01"):
    return rows(*(row("mqls", n, bucket=bucket, source=s) for s, n in counts.items()))


def test_segments(worked, specs):
    spec = specs["charts.volume.mqls_by"]
    assert marks(spec) == ["rect", "text"]
    wanted = pick(worked.metrics, "mqls", by="source")
    wanted = wanted[wanted["bucket"] != TOTAL]
    found = {(r["bucket"], r["name"]): r["value"] for r in embedded(spec)}
    assert found == dict(
        zip(zip(wanted["bucket"], wanted["name"], strict=True), wanted["value"], strict=True)
    )
    assert encoding(spec)["y"]["field"] == "name"
    shade = encoding(spec)["fillOpacity"]
    # From nothing on, so that twice as dark is twice as many; ink stays readable on the darkest.
    assert (shade["field"], shade["scale"]["domainMin"]) == ("value", 0)
    assert shade["scale"]["range"][1] <= 0.6
    assert encoding(spec, 1)["text"]["field"] == "value"
    assert tooltip(spec) == [
        ("bucket", "Bucket", None), ("name", "Source", None), ("value", "MQLs", ",.0f"),
    ]  # fmt: skip


def test_segments_come_with_the_largest_first():
    frame = by_source({"Web": 1, "Ads": 5, "Event": 3})
    spec = charts.volume.mqls_by(frame, by="source").to_dict()
    assert column(embedded(spec), "name") == ["Ads", "Event", "Web"]
    assert encoding(spec)["y"]["sort"] is None


@pytest.mark.parametrize(("buckets", "has_figures"), [(16, True), (17, False)])
def test_cells_of_many_buckets_have_no_figures(buckets, has_figures):
    frame = monthly("mqls", [5] * buckets, source="Web")
    spec = charts.volume.mqls_by(frame, by="source").to_dict()
    assert ("text" in marks(spec)) is has_figures
    assert spec["description"] == ("MQLs per month and source, all from Web; darker is more.")


def test_eight_segments_are_all_named():
    counts = {f"S{i}": 10 + i for i in range(8)}
    spec = charts.volume.mqls_by(by_source(counts), by="source").to_dict()
    assert {r["name"]: r["value"] for r in embedded(spec)} == counts


def test_of_nine_segments_the_smallest_two_are_others():
    counts = {f"S{i}": 10 + i for i in range(9)}
    frame = rows(by_source(counts), by_source(counts, bucket="2026-02"))
    spec = charts.volume.mqls_by(frame, by="source").to_dict()
    named = {f"S{i}": 10 + i for i in range(8, 1, -1)}
    for bucket in ("2026-01", "2026-02"):
        found = {r["name"]: r["value"] for r in embedded(spec) if r["bucket"] == bucket}
        assert found == {**named, "(other sources)": 10 + 11}
        assert list(found)[-1] == "(other sources)"


def test_hand_off(worked, specs):
    spec = specs["charts.handoff.decisions"]
    assert marks(spec) == ["bar"]
    for kind, metric in {"Accepted (SAL)": "accepted", "Rejected": "rejected",
                         "Undecided": "undecided"}.items():  # fmt: skip
        found = [r["leads"] for r in embedded(spec) if r["kind"] == kind]
        assert found == per_bucket(worked.metrics, metric)
    assert encoding(spec)["color"]["scale"]["domain"] == ["Accepted (SAL)", "Rejected", "Undecided"]
    assert encoding(spec)["order"]["field"] == "order"
    assert {r["kind"]: r["order"] for r in embedded(spec)} == {
        "Accepted (SAL)": 0, "Rejected": 1, "Undecided": 2,
    }  # fmt: skip


def test_efficiency(worked, specs):
    spec = specs["charts.efficiency.cohorts"]
    assert marks(spec) == ["rule", "line", "tick", "point", "text"]
    assert encoding(spec, 4)["text"] == {"value": "in-period"}
    data = embedded(spec)
    for field in ("value", "low", "high", "n"):
        assert column(data, field) == per_bucket(worked.metrics, "efficiency", field)
    for metric in ("efficiency_flow", "efficiency_projected"):
        assert column(data, metric) == per_bucket(worked.metrics, metric)
    drawn = [(e["y"]["field"], e.get("y2", {}).get("field"))
             for e in (encoding(spec, i) for i in range(4))]  # fmt: skip
    assert drawn == [
        ("low", "high"), ("efficiency_flow", None), ("efficiency_projected", None), ("value", None),
    ]  # fmt: skip
    assert encoding(spec, 3)["y"]["axis"]["format"] == "%"


def test_young_cohorts_are_hollow_and_alone_carry_a_projection(worked, specs):
    spec = specs["charts.efficiency.cohorts"]
    part = pick(worked.metrics, "efficiency")
    young = ["immature" in flags for flags in part[part["bucket"] != TOTAL]["flags"]]
    assert young == [False, True]
    assert column(embedded(spec), "is_young") == young
    fill = encoding(spec, 3)["fill"]
    assert fill["condition"] == {"test": "datum.is_young", "value": WHITE}
    assert fill["value"] != WHITE
    projected = layers(spec)[2]
    assert projected["mark"]["type"] == "tick"
    assert [r["bucket"] for r in spec["datasets"][projected["data"]["name"]]] == ["2026-02"]


def shares(*, metric="efficiency", **by_name):
    """Return a metric of sources as (value, leads, low, high)."""
    parts = [
        row(metric, v, n=n, low=low, high=high, source=s)
        for s, (v, n, low, high) in by_name.items()
    ]
    return rows(*parts, row("efficiency", 0.3, n=200))


def test_dots():
    frame = shares(Few=(0.5, 29, 0.3, 0.9), Web=(0.2, 30, 0.1, 0.4), Ads=(0.4, 141, 0.35, 0.45),
                   Nobody=(None, 0, None, None))  # fmt: skip
    spec = charts.efficiency.conversion_by(frame, by="source").to_dict()
    assert marks(spec) == ["rule", "rule", "point", "text", "text", "text"]
    assert encoding(spec, 5)["text"] == {"value": "all"}
    # Beside the interval, on a rim of paper.
    assert [encoding(spec, i)["x"]["field"] for i in (3, 4)] == ["end", "end"]
    assert column(embedded(spec, 0), "value") == [0.3]
    assert [r["name"] for r in embedded(spec, 2)] == ["Few", "Ads", "Web"]
    assert embedded(spec, 2)[2] == {
        "name": "Web", "value": 0.2, "low": 0.1, "high": 0.4, "n": 30, "is_small": False,
        "end": 0.4,
    }  # fmt: skip
    assert [r["is_small"] for r in embedded(spec, 2)] == [True, False, False]
    assert encoding(spec, 2)["fill"]["condition"] == {"test": "datum.is_small", "value": WHITE}
    assert encoding(spec, 2)["x"]["field"] == "value"
    assert encoding(spec, 2)["x"]["axis"]["format"] == "%"
    interval = encoding(spec, 1)
    assert (interval["x"]["field"], interval["x2"]["field"]) == ("low", "high")
    assert tooltip(spec, 2) == [
        ("name", "Source", None), ("value", "MQL→SQL conversion rate", ".1%"),
        ("low", "95% from", ".1%"), ("high", "95% to", ".1%"), ("n", "Leads", ",.0f"),
    ]  # fmt: skip


def test_dots_always_show_every_share_and_the_sure_intervals():
    frame = shares(Few=(0.9, 5, 0.4, 0.99), Ads=(0.4, 141, 0.35, 0.45))
    spec = charts.efficiency.conversion_by(frame, by="source").to_dict()
    low, high = encoding(spec, 2)["x"]["scale"]["domain"]
    assert low == 0
    assert 0.9 <= high <= 1


def test_dots_with_no_small_segment_do_not_speak_of_hollow_ones():
    spec = charts.efficiency.conversion_by(shares(Web=(0.2, 30, 0.1, 0.4)), by="source").to_dict()
    assert spec["description"] == (
        "MQL→SQL conversion rate by source, with 95% intervals; the dashed line is the overall "
        "rate."
    )


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("charts.efficiency.conversion_by", "efficiency"),
        ("charts.sla.attainment_by", "sla_attainment"),
    ],
)
def test_dots_hold_the_rows_of_the_whole_period(worked, specs, name, metric):
    part = pick(worked.metrics, metric, by="source")
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    wanted = {r["name"]: (r["value"], r["low"], r["high"], r["n"]) for r in part.to_dict("records")}
    found = {r["name"]: (r["value"], r["low"], r["high"], r["n"]) for r in embedded(specs[name], 2)}
    assert found == wanted


def test_of_many_segments_the_largest_24_are_dots():
    frame = shares(**{f"S{i:02}": (0.2, 100 + i, 0.1, 0.3) for i in range(25)})
    spec = charts.efficiency.conversion_by(frame, by="source").to_dict()
    assert sorted(r["name"] for r in embedded(spec, 2)) == [f"S{i:02}" for i in range(1, 25)]


def test_a_picture_of_some_segments_says_that_it_leaves_others_out():
    frame = shares(**{f"S{i:02}": (0.2, 100 + i, 0.1, 0.3) for i in range(25)})
    description = charts.efficiency.conversion_by(frame, by="source").to_dict()["description"]
    assert description.endswith("; the 24 largest of 25 (1 left out).")


def test_of_many_segments_the_largest_24_have_a_cost():
    shares_ = {f"S{i:02}": (100 + i, 100 - i, None, None) for i in range(30)}
    frame = shares(**shares_, metric="cost_per_mql")
    spec = charts.cost.per_mql_by(of(frame, currency="EUR"), by="source").to_dict()
    assert column(embedded(spec), "name") == [f"S{i:02}" for i in range(23, -1, -1)]
    assert spec["description"] == "Cost per MQL by source; the 24 largest of 30 (6 left out)."


def test_attainment(worked, specs):
    spec = specs["charts.sla.attainment"]
    assert marks(spec) == ["rule", "line", "text", "text"]
    for field in ("value", "low", "high", "n"):
        found = column(embedded(spec), field)
        assert found == per_bucket(worked.metrics, "sla_attainment", field)
    assert encoding(spec, 1)["y"]["scale"] == {"domain": [0, 1]}
    assert encoding(spec, 1)["y"]["axis"]["format"] == "%"


def test_histogram(worked, specs):
    spec = specs["charts.waiting.histogram"]
    assert marks(spec) == ["bar", "rule", "text"]
    assert encoding(spec, 2)["text"] == {"value": "SLA"}
    data = embedded(spec, 0)
    histogram = series(worked.waiting, "histogram")
    for field in ("bin", "outcome", "leads"):
        assert column(data, field) == list(histogram[field])
    assert column(data, "left") == list(histogram["hours_from"] / 24)
    assert column(data, "right") == list(histogram["hours_to"] / 24)
    assert sum(column(data, "leads")) == series(worked.waiting, "histogram")["leads"].sum() == 10
    x = encoding(spec)["x"]
    assert (x["bin"], x["field"], encoding(spec)["x2"]["field"]) == ("binned", "left", "right")
    assert embedded(spec, 1) == [{"sla": 2.0}]
    assert encoding(spec)["color"]["scale"]["domain"] == ["within SLA", "after SLA", "open"]


def test_the_last_bar_of_the_histogram_does_not_claim_an_upper_end():
    # It holds everything later: "8.0 to 8.5 days" would be false.
    histogram = pd.DataFrame(
        {
            "bin": [1, 16],
            "outcome": ["within SLA", "open"],
            "leads": [3, 2],
            "hours_from": [12.0, 192.0],
            "hours_to": [24.0, 204.0],
        }
    )
    spec = charts.waiting.histogram(of(series_of("histogram", histogram), sla_hours=48)).to_dict()
    last = embedded(spec)[-1]
    fields = {t["field"] for t in encoding(spec)["tooltip"]}
    shown = {name: value for name, value in last.items() if name in fields}
    assert 8.5 not in shown.values()


def test_a_histogram_that_ends_early_does_not_speak_of_everything_later():
    histogram = pd.DataFrame(
        {
            "bin": [1],
            "outcome": ["within SLA"],
            "leads": [3],
            "hours_from": [12.0],
            "hours_to": [24.0],
        }
    )
    spec = charts.waiting.histogram(of(series_of("histogram", histogram), sla_hours=48)).to_dict()
    assert "everything later" not in spec["description"]


@pytest.mark.parametrize(
    ("options", "unit", "at"),
    [
        ({"sla_hours": 48}, "days", 2),
        ({"sla_hours": 47}, "hours", 47),
        ({"sla_hours": 16, "day_hours": 8}, "working days", 2),
        ({"sla_hours": 8, "day_hours": 8}, "working hours", 8),
    ],
)
def test_time_is_in_the_unit_of_the_sla(worked, options, unit, at):
    histogram = charts.waiting.histogram(of(worked.waiting, **options)).to_dict()
    assert titles(histogram)["x"] == [f"Time in stage, {unit}"]
    assert embedded(histogram, 1) == [{"sla": at}]
    curve = charts.waiting.survival(of(worked.waiting, **options)).to_dict()
    assert titles(curve)["x"] == [f"Time since MQL, {unit}"]
    assert embedded(curve, 2)[0]["sla"] == at


def test_survival(worked, specs):
    spec = specs["charts.waiting.survival"]
    assert marks(spec) == ["area", "line", "rule", "text"]
    assert {part["mark"].get("interpolate") for part in layers(spec)[:2]} == {"step-after"}
    data = embedded(spec, 0)
    curve = series(worked.waiting, "survival", "low", "high")
    curve = curve[curve["hours"] <= 8 * 48]
    assert column(data, "time") == list(curve["hours"] / 24)
    for field in ("waiting", "low", "high", "at_risk"):
        assert column(data, field) == list(curve[field])
    assert data[0]["time"] == 0
    assert data[0]["waiting"] == 1
    assert encoding(spec, 1)["y"]["scale"] == {"domain": [0, 1]}
    band = encoding(spec, 0)
    assert (band["y"]["field"], band["y2"]["field"]) == ("low", "high")


def test_the_curve_ends_at_eight_times_the_sla():
    curve = pd.DataFrame(
        {
            "hours": [0.0, 96.0, 96.1, 500.0],
            "waiting": [1.0, 0.5, 0.4, 0.0],
            "low": [1.0, 0.4, 0.3, 0.0],
            "high": [1.0, 0.6, 0.5, 0.1],
            "at_risk": [10, 10, 5, 4],
        }
    )
    spec = charts.waiting.survival(of(series_of("survival", curve), sla_hours=4)).to_dict()
    assert column(embedded(spec), "hours") == [0.0, 96.0]


def test_a_curve_of_one_step_is_no_picture(worked):
    curve = worked.waiting[worked.waiting["metric"] == "survival"]
    assert charts.waiting.survival(curve.iloc[:2]) is None


def test_cost_by(worked, specs):
    spec = specs["charts.cost.per_mql_by"]
    assert marks(spec) == ["bar", "text"]
    part = pick(worked.metrics, "cost_per_mql", by="source")
    part = part[(part["bucket"] == TOTAL) & part["value"].notna()]
    part = part.sort_values("value", ascending=False)
    assert embedded(spec) == part[["name", "value", "n"]].to_dict("records")
    assert tooltip(spec)[1] == ("value", "Cost per MQL (EUR)", ",.0f")


def test_the_slider_has_a_position_for_every_lag_up_to_90_days(worked, specs):
    (param,) = specs["charts.cost.per_mql"]["params"]
    assert param["bind"] == {
        "input": "range", "min": 0, "max": 90, "step": 1, "name": "Lag in days ",
    }  # fmt: skip
    assert param["value"] == worked.lag_days_used == 30
    for part in layers(specs["charts.cost.per_mql"]):
        assert part["transform"] == [{"filter": "datum.lag_days == lag"}]
    data = embedded(specs["charts.cost.per_mql"])
    assert sorted({r["lag_days"] for r in data}) == list(range(91))


def test_cost_is_drawn_as_bars_and_its_rolling_mean_as_a_line(specs):
    spec = specs["charts.cost.per_mql"]
    # The line, over a rim of paper.
    assert marks(spec) == ["bar", "line", "line", "text"]
    assert encoding(spec, 3)["text"] == {"value": "Rolling"}
    assert [encoding(spec, i)["y"]["field"] for i in range(3)] == ["cost", "rolling", "rolling"]
    assert tooltip(spec)[1:] == [
        ("cost", "Cost per MQL (EUR)", ",.0f"), ("rolling", "Rolling (EUR)", ",.0f"),
        ("lag_days", "Lag (days)", ",.0f"),
    ]  # fmt: skip


def test_a_rolling_cost_that_is_never_known_is_no_line(worked):
    # A line of nothing has no extent, and Vega says so on the console.
    frame = worked.cost.assign(rolling=math.nan)
    spec = charts.cost.per_mql(frame).to_dict()
    assert "line" not in marks(spec)
    assert "line" not in spec["description"]


def drawn_cost(spec, lag, field):
    return [r[field] for r in embedded(spec) if r["lag_days"] == lag]


def same(found, wanted):
    """Return whether numbers are equal but for the rounding of the page, and null where null."""
    pairs = zip(found, wanted, strict=True)
    return all(f is w is None or (None not in (f, w) and abs(f - w) <= 5e-5) for f, w in pairs)


def test_every_position_of_the_slider_shows_the_frame(worked, specs):
    spec = specs["charts.cost.per_mql"]
    for lag, part in series(worked.cost, "cost_by_bucket").groupby("lag_days"):
        for field in ("cost", "rolling"):
            assert same(drawn_cost(spec, lag, field), as_drawn(part[field])), (lag, field)


@pytest.mark.parametrize("lag", [0, 1, 29, 30, 31, 61, 62, 90])
def test_the_slider_shows_what_a_report_with_that_lag_says(worked, specs, lag):
    report = cost_per_mql(worked.lead_data, spend=worked.tables.spend, lag=lag)
    spec = specs["charts.cost.per_mql"]
    assert same(drawn_cost(spec, lag, "cost"), per_bucket(report, "cost_per_mql"))
    assert same(drawn_cost(spec, lag, "rolling"), per_bucket(report, "cost_per_mql_rolling"))


def test_the_slider_starts_at_the_numbers_of_the_report(worked, specs):
    spec = specs["charts.cost.per_mql"]
    lag = worked.lag_days_used
    assert same(drawn_cost(spec, lag, "cost"), per_bucket(worked.metrics, "cost_per_mql"))
    assert same(
        drawn_cost(spec, lag, "rolling"), per_bucket(worked.metrics, "cost_per_mql_rolling")
    )


def test_a_lag_that_the_spend_does_not_cover_shows_nothing(specs):
    # January less 62 days begins on 31 October, and the spend on 1 November.
    spec = specs["charts.cost.per_mql"]
    assert drawn_cost(spec, 61, "cost")[0] is not None
    assert drawn_cost(spec, 62, "cost")[0] is None


LEADS = """
lead_id | created_at | mql_at
a       | 2025-12-01 | 2026-01-05
b       | 2025-12-01 | 2026-02-05
"""
SPEND = """
date_from  | date_to    | amount
2024-01-01 | 2026-12-31 | 1096
"""


@pytest.mark.parametrize("lag_days", [30, 31, 120])
def test_many_buckets_have_a_coarser_slider_that_stops_at_the_lag_of_the_report(
    lead_table, lag_days
):
    made = lead_table(LEADS, spend=SPEND, period="2025-07..2026-06", grain="week",
                      lag_days=lag_days)  # fmt: skip
    numbers = compute_report(made.leads, made.tables)
    spec = charts.cost.per_mql(of(numbers.cost, lag_days=lag_days, currency="EUR")).to_dict()
    bind = spec["params"][0]["bind"]
    positions = range(bind["min"], bind["max"] + 1, bind["step"])
    assert spec["params"][0]["value"] == lag_days
    assert lag_days in positions
    assert sorted({r["lag_days"] for r in embedded(spec)}) == list(positions)
    assert positions[0] < bind["step"]
    assert positions[-1] > max(90, lag_days) - bind["step"]
    assert len(embedded(spec)) <= 8_000


def test_a_lag_beyond_the_slider_widens_it(lead_table):
    made = lead_table(LEADS, spend=SPEND, period="2026-01..2026-02", lag_days=120)
    numbers = compute_report(made.leads, made.tables)
    spec = charts.cost.per_mql(of(numbers.cost, lag_days=120, currency="EUR")).to_dict()
    assert spec["params"][0]["bind"]["max"] == 120
    assert spec["params"][0]["value"] == 120


def test_a_page_is_told_which_charts_are_by_bucket(specs):
    grains = {name: spec["usermeta"]["grain"] for name, spec in specs.items()
              if "grain" in spec.get("usermeta", {})}  # fmt: skip
    by_bucket = {
        "charts.volume.mqls", "charts.volume.mqls_by", "charts.handoff.decisions",
        "charts.efficiency.cohorts", "charts.sla.attainment", "charts.cost.per_mql",
    }  # fmt: skip
    assert grains == dict.fromkeys(by_bucket, "month")


PICKED = {
    "charts.volume.mqls_by": {},
    "charts.efficiency.conversion_by": {},
    "charts.sla.attainment_by": {},
    "charts.cost.per_mql_by": {"currency": "EUR"},
}


@pytest.mark.parametrize("name", PICKED)
def test_a_click_on_a_segment_is_told_to_who_hears_it(worked, name):
    def drawn():
        return draw(name, worked.metrics, by="source", **PICKED[name])

    assert drawn().usermeta["by"] == "source"
    spec = with_selection(drawn(), by="source", target=".target input").to_dict()
    heard = [p for p in spec["params"] if p["name"] == "pick"]
    assert [p["bind"] for p in heard] == [{"element": ".target input", "event": "input"}]
    assert heard[0]["select"] == {
        "type": "point", "on": "click", "clear": False, "fields": ["picked"],
    }  # fmt: skip
    # Every layer has its own rows: each says which segment a mark of it is.
    for part in layers(spec):
        (told,) = part["transform"]
        assert told == {
            "calculate": 'isValid(datum.name) ? "source\\u001f" + datum.name : null',
            "as": "picked",
        }  # fmt: skip
    # Where nobody hears, as on a page, nothing invites to click.
    assert "pick" not in [p["name"] for p in drawn().to_dict().get("params", [])]
    assert "cursor" not in str(drawn().to_dict())


@pytest.mark.parametrize(
    ("parameter", "is_of_all"),
    [(alt.param("least", value=5), True), (alt.selection_point("one"), False)],
)
def test_a_chart_takes_the_parameters_of_its_reader(worked, parameter, is_of_all):
    drawn = charts.volume.mqls(worked.metrics)
    before = drawn.to_dict()
    spec = drawn.add_params(parameter).to_dict()
    (found,) = spec.pop("params")
    assert found["name"] == parameter.name
    assert ("views" not in found) is is_of_all
    assert [{**layer, "name": None} for layer in spec["layer"]] == [
        {**layer, "name": None} for layer in before["layer"]
    ]
    assert drawn.to_dict() == before
