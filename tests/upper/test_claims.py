"""Every claim of many generated reports: its figures, its words, and that no two contradict."""

from __future__ import annotations

import json
import math
import random
import re
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from frames import drawing, drawings_of

from mqlkit.metrics.report import compute_report
from mqlkit.views import charts, tables, topics
from mqlkit.views import verdicts as layer
from mqlkit.views.claims import (
    BAD,
    CERTAINTIES,
    DIRECTIONS,
    DOWN,
    GOOD,
    NOT_RECORDED,
    STATUSES,
    UNKNOWN,
    UP,
    Verdict,
)  # fmt: skip
from mqlkit.views.tables.base import Table
from mqlkit.views.topics import family_of

START = datetime.fromisoformat("2025-10-01")
# A missing number, a place that was not filled, a number with too many digits.
WRONG = re.compile(r"\bnan\b|\binf\b|[{}]|(?<!\d) – | –[.,)]|\d\.\d{5}|  ")
# Every public verdict function, in a topic or not. What changed since the last report has a frame
# of two reports, and no claims.
OTHER = "verdicts.previous.revisions"
VERDICTS = [drawing(name) for name in drawings_of(layer) if name != OTHER]


def test_every_verdict_belongs_to_a_topic():
    shown = {draw for name in topics.__all__ for draw in getattr(topics, name).draws}
    assert [name for name in drawings_of(layer) if drawing(name) not in shown] == []


def stamp(at):
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def after(draw, at, *, share, hours):
    """Return a time some hours after another, for a share of the leads."""
    return at + timedelta(hours=draw.expovariate(1 / hours)) if draw.random() < share else None


def leads_of(draw):
    """Return rows of leads whose habits differ from report to report."""
    stages = [s for s in ("contacted", "accepted", "rejected", "sql") if draw.random() < 0.85]
    size = draw.choice([3, 20, 60, 250])
    pace = {stage: draw.choice([2, 20, 60, 400]) for stage in stages}
    share = {stage: draw.choice([0.0, 0.2, 0.5, 0.9]) for stage in stages}
    header = ["lead_id", "created_at", "mql_at", *(f"{s}_at" for s in stages), "source", "owner"]
    found = [header]
    for i in range(size):
        # The first lead lies in every period and matches every filter.
        created = START + timedelta(days=draw.uniform(0, 180) if i else 123)
        mql = created + timedelta(days=draw.expovariate(1 / 8) if i else 0)
        later = [after(draw, mql, share=share[s], hours=pace[s]) for s in stages]
        text = [
            draw.choice(["Web", "Event", "Ads"]),
            draw.choice(["ann", "bo", ""]) if i else "ann",
        ]
        found.append([f"L{i}", *map(stamp, (created, mql, *later)), *text])
    return found


def report_of(lead_table, seed):
    draw = random.Random(seed)
    months = [f"2026-0{m}" for m in (1, 2, 3)]
    goal = draw.choice([0, 1, 10, 40])
    spend = [["date_from", "date_to", "amount", "channel"]]
    spend += [["2025-09-01", "2026-04-30", str(draw.choice([900, 12000])), "Web"]]
    given = {
        "grain": draw.choice(["month", "month", "week", "quarter"]),
        "sla": draw.choice(["4h", "48h", "4.92308h", "5d"]),
        "sla_stops_on": draw.choice(["decision", "decision", "contact"]),
        "sla_clock": draw.choice(["calendar", "business"]),
        "within_days": draw.choice([None, None, 7]),
        "where": draw.choice([{}, {}, {"owner": ["ann"]}]),
        "period": draw.choice(["2026-01..2026-03", "2025-11-20..2026-02-10", "2026-02"]),
        "as_of": draw.choice(["2026-02-08", "2026-03-31", "2026-06-30"]),
        "by": ["source"],
    }
    tables = {"leads": leads_of(draw)}
    if draw.random() < 0.7:
        tables["spend"] = spend
    if draw.random() < 0.7:
        tables["goals"] = [["month", "mqls"], *([m, str(goal)] for m in months)]
    made = lead_table(**tables, **given)
    return compute_report(made.leads, made.tables)


def verdicts_of(report):
    """Return every verdict of a report."""
    found = []
    for draw in VERDICTS:
        drawn = draw(getattr(report, family_of(draw)))
        found += drawn if isinstance(drawn, list) else [drawn] if drawn else []
    return [verdict for verdict in found if isinstance(verdict, Verdict)]


@pytest.fixture(scope="module", params=range(6))
def reports(request, lead_table):
    """Return ten reports of sixty with their verdicts."""
    made = [report_of(lead_table, 10 * request.param + i) for i in range(10)]
    return [(report, verdicts_of(report)) for report in made]


def claims(reports):
    for report, stated in reports:
        for verdict in stated:
            for claim in verdict.claims:
                yield report, claim


def steps_of(report):
    """Return the rows of the funnel of all leads, by the metric of claims and the bucket."""
    rows = report.funnel[report.funnel["by"] == ""].to_dict("records")
    return {(f"funnel {row['from']}-{row['to']}", row["bucket"]): row for row in rows}


def test_each_figure_of_a_claim_is_that_of_the_report(reports):
    checked = 0
    for report, claim in claims(reports):
        known = report.metrics[report.metrics["by"] == ""]
        keys = zip(known["metric"], known["bucket"], strict=True)
        rows = dict(zip(keys, known.to_dict("records"), strict=True)) | steps_of(report)
        for figure in claim.quantities():
            if (figure.metric, figure.bucket) not in rows or figure.part.startswith("change"):
                continue
            row = rows[figure.metric, figure.bucket]
            value = row.get("value", math.nan)
            wanted = {
                "size": abs(value), "inverse": 1 / (value or math.nan),
            }.get(figure.part, row.get(figure.part))  # fmt: skip
            assert figure.value == pytest.approx(wanted, nan_ok=True), (claim, figure)
            checked += 1
    assert checked > 100


def test_each_difference_of_a_claim_is_that_of_the_changes(reports):
    checked = 0
    for report, claim in claims(reports):
        rows = report.changes
        for figure in claim.quantities():
            if not figure.part.startswith("change "):
                continue
            part = figure.part.removeprefix("change ")
            of = rows[(rows["metric"] == figure.metric) & (rows["bucket"] == figure.bucket)]
            assert any(
                abs(figure.value) == pytest.approx(abs(value), nan_ok=True) for value in of[part]
            ), (claim, figure)
            checked += 1
    assert checked > 0


def test_no_two_claims_contradict_each_other(reports):
    for _, stated in reports:
        tones, directions = defaultdict(set), defaultdict(set)
        for claim in (claim for verdict in stated for claim in verdict.claims):
            against = claim.terms.get("then", "")
            tones[claim.metric, claim.bucket, against].add(claim.status)
            directions[claim.metric, claim.bucket, against].add(claim.direction)
        assert [key for key, found in tones.items() if {GOOD, BAD} <= found] == []
        assert [key for key, found in directions.items() if {UP, DOWN} <= found] == []


def test_words_are_whole_and_without_placeholders(reports):
    for _, stated in reports:
        for verdict in stated:
            text = verdict.text
            assert text.endswith((".", "!")), text
            assert not WRONG.search(text), text


def test_what_is_not_recorded_or_known_is_neither_good_nor_bad(reports):
    for _, claim in claims(reports):
        assert claim.status in STATUSES
        assert claim.certainty in CERTAINTIES
        assert claim.direction in ("", *DIRECTIONS)
        if claim.certainty in (NOT_RECORDED, UNKNOWN):
            assert claim.status not in (GOOD, BAD), claim


# What does not depend on within_days, is defined in words, or is about other reports.
ANY_AGE = {
    "charts.efficiency.cohort_age", "tables.data_quality.glossary", "tables.previous.headline",
}  # fmt: skip
CONVERSION = re.compile(r"MQL→SQL conversion(?: rate)?(?! rate)(?! within 7 days)")


def text_of(drawn):
    """Return all that a drawing says."""
    if isinstance(drawn, Table):
        return " ".join([drawn.title, *drawn.cells.columns, *map(str, drawn.cells.to_numpy().flat)])
    if isinstance(drawn, Verdict):
        return drawn.text
    return json.dumps(drawn.to_dict(validate=False), ensure_ascii=False)


def test_conversion_within_days_says_so_in_every_drawing(reports):
    names = {name for each in (charts, tables, layer) for name in drawings_of(each)}
    for report, _ in reports:
        if report.params.within_days is None:
            continue
        for name in names - ANY_AGE - {OTHER}:
            drawn = drawing(name)(getattr(report, family_of(drawing(name))))
            for each in drawn if isinstance(drawn, list) else [drawn] if drawn else []:
                if "there is no MQL→SQL conversion rate" not in (text := text_of(each)):
                    assert not CONVERSION.search(text), (name, text)


def test_a_rate_that_can_still_rise_is_said_so(reports):
    for report, claim in claims(reports):
        if claim.metric != "efficiency" or "interval" not in claim.figures:
            continue
        rows = report.metrics[
            (report.metrics["metric"] == "efficiency")
            & (report.metrics["bucket"] == claim.bucket)
            & (report.metrics["by"] == "")
        ]
        (flags,) = rows["flags"]
        if claim.figures.get("share") and claim.figures["share"].value == 1:
            continue
        within = report.params.within_days
        if within:
            assert "within 7 days" in claim.text, claim.text
        elif {"immature", "in-progress"} & {*flags}:
            assert "so far" in claim.text, claim.text
