"""A redacted report: nobody can be told from it, and its numbers are those of the report."""

from __future__ import annotations

import json

import pytest
from runs import mqlkit_run, write_yaml

from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import compute_report
from mqlkit.metrics.tidy import series
from mqlkit.pages.cells import heading

OWNERS = ("Aurelia Quist", "Bohumil Zvonek")
REASONS = ("asked not to be called by Mr Xylander", "no budget")
HEADER = "lead_id,mql_at,accepted_at,rejected_at,rejection_reason,owner,Work email,source,stage"


def lines():
    """Return 20 leads: 14 of Web, 4 of Fair, 2 of Radio; most late, one with a telling reason."""
    for n in range(20):
        source = "Web" if n < 14 else "Fair" if n < 18 else "Radio"
        end = "2026-01-20," if n % 2 else ",2026-01-20"
        reason = "" if n % 2 else REASONS[0] if n == 4 else REASONS[1]
        mail = f"person{n}@example.org"
        yield f"ID-7749{n:02},2026-01-05,{end},{reason},{OWNERS[n % 2]},{mail},{source},x"


@pytest.fixture
def export(desk):
    desk.write("leads.csv", "\n".join([HEADER, *lines()]) + "\n")
    return {"leads": {"files": ["leads.csv"]}}


def run(export, desk, tmp_path, **params):
    source = desk.describe(export)
    given = {"source": str(source), "period": "2026-01", "as_of": "2026-02-28", **params}
    write_yaml(tmp_path / "r.yaml", given)
    return mqlkit_run("r.yaml", cwd=tmp_path)


def test_no_byte_of_the_page_tells_who(export, desk, tmp_path):
    by = ["source", "owner", "Work email"]
    done = run(export, desk, tmp_path, by=by, where={"owner": list(OWNERS)}, redact=True)
    assert done.code == 0, done.stderr
    for file in ("html", "metrics.json"):
        text = (done.out / f"r.{file}").read_text(encoding="utf-8")
        for secret in (*OWNERS, "Quist", "Xylander", "ID-7749", "example.org", "Radio"):
            assert secret not in text, (file, secret)
    assert "no single leads, no owners" in done.html("r")
    assert "only owner: (redacted)" in done.html("r")
    # The list of SLA breaches is for those who act on it.
    breaches = (done.out / "r.breaches.csv").read_text(encoding="utf-8-sig")
    assert breaches.count("ID-7749") == 20


def test_where_late_leads_would_be_listed_it_says_where_they_are(export, desk, tmp_path):
    done = run(export, desk, tmp_path, report="sla_velocity", by=["source"], redact=True)
    assert done.code == 0, done.stderr
    _, _, section = done.html("r").partition("Which leads breached the SLA?</h2>")
    assert (
        "20 MQLs breached the SLA. A redacted page does not list them; mqlkit run writes them to "
        "the file next to it that ends in .breaches.csv."
    ) in section
    assert (done.out / "r.breaches.csv").exists()


def test_the_same_words_stand_in_a_report_that_is_not_redacted(export, desk, tmp_path):
    # Else the test above would prove nothing.
    done = run(export, desk, tmp_path, by=["source", "owner"], where={"owner": list(OWNERS)})
    for secret in (*OWNERS, "Xylander", "ID-7749", "Radio"):
        assert secret in done.html("r"), secret


def segments(made, metric="mqls"):
    rows = json.loads(made.metrics.to_json(orient="records"))
    return {
        (r["by"], r["name"]): r["value"]
        for r in rows
        if r["metric"] == metric and r["bucket"] == "total"
    }


def numbers(export, desk, **params):
    made = desk.report(export, period="2026-01", as_of="2026-02-28", **params)
    return compute_report(made.leads, made.tables)


def test_small_groups_are_one_and_totals_are_as_they_were(export, desk):
    whole = numbers(export, desk, by=["source"])
    made = numbers(export, desk, by=["source"], redact=True)
    assert segments(whole) == {
        ("", ""): 20, ("source", "Fair"): 4, ("source", "Radio"): 2, ("source", "Web"): 14,
    }  # fmt: skip
    assert segments(made) == {("", ""): 20, ("source", "(other)"): 6, ("source", "Web"): 14}
    of_all = [n.metrics[n.metrics["by"] == ""].reset_index(drop=True) for n in (whole, made)]
    assert of_all[0].equals(of_all[1])


def test_a_rest_of_few_takes_the_smallest_group_with_it(export, desk):
    # The 4 of Fair are kept out: 14 of Web would leave 2 of Radio to be told from the total.
    kept = {"source": ["Web", "Radio"]}
    made = numbers(export, desk, by=["source"], where=kept, redact=True)
    assert segments(made) == {("", ""): 16, ("source", "(other)"): 16}


def test_reasons_of_few_are_one(export, desk):
    made = numbers(export, desk, redact=True)
    assert series(made.handoff, "rejection_reasons").to_dict("list") == {
        "reason": ["(other)"],
        "leads": [10],
    }
    assert "breach" not in set(made.lead_lists["metric"])


def test_a_personal_column_is_no_breakdown():
    params = ReportParams.from_mapping({"by": ["owner", "source"], "redact": True})
    assert params.by == ["source"]
    assert ReportParams.from_mapping({"by": ["owner"]}).by == ["owner"]


def test_words_of_a_history_that_nobody_mapped_are_not_quoted(export, desk):
    desk.write("log.csv", "lead_id,at,stage\nID-774900,2026-01-06,told Ms Ypsilon\n")
    export["history"] = [{"files": ["log.csv"], "stages": {"sql": ["SQL"]}}]
    made = numbers(export, desk, redact=True)
    noted = made.ledgers["history"].noted
    assert noted["stage not mapped"] == 1
    assert "Ypsilon" not in json.dumps(noted)
    assert "redacted" not in heading(numbers(export, desk)).html
