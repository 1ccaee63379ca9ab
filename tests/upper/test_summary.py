"""The headline as text, for a mail or a chat."""

from __future__ import annotations

from mqlkit.core.params import ReportParams
from mqlkit.metrics.report import compute_report, read_report
from mqlkit.pages.results import summary
from mqlkit.views.headline import headline


def test_every_headline_figure_is_in_the_text_under_its_question():
    numbers = read_report(ReportParams())
    text = summary(numbers)
    figures = headline(numbers.headline)
    for figure in figures:
        for words in (figure.name, figure.value, figure.verdict.text, figure.context):
            assert words.replace("\u2060", "") in text
    places = [text.index(f"\n{q}\n") for q in dict.fromkeys(f.question for f in figures)]
    assert places == sorted(places)
    assert text.startswith(f"{numbers.params.title}\n")
    assert len(text) < 1500


def test_the_headline_of_the_sample_is_what_it_is_known_to_be():
    figures = headline(read_report(ReportParams()).headline)
    assert "; ".join(f"{figure.name} {figure.value}" for figure in figures) == (
        "MQLs 655; MQL→SQL conversion 28.9%; Median time in stage 20.0 h; SLA attainment 74.7%; "
        "Cost per MQL €109; Wasted on breaches €18,093"
    )


def test_a_title_cannot_add_lines(desk):
    desk.write("leads.csv", "lead_id,mql_at\na,2026-01-05\n")
    title = "Q1\n\nSubject: pay here"
    made = desk.report({"leads": {"files": ["leads.csv"]}}, period="2026-01", title=title)
    text = summary(compute_report(made.leads, made.tables))
    assert text.splitlines()[0] == "Q1 Subject: pay here"


def test_filters_and_redaction_are_told(desk):
    desk.write("leads.csv", "lead_id,mql_at,owner\na,2026-01-05,Ann\n")
    made = desk.report(
        {"leads": {"files": ["leads.csv"]}}, period="2026-01", where={"owner": ["Ann"]}, redact=True
    )
    text = summary(compute_report(made.leads, made.tables))
    assert "only owner: (redacted)" in text
    assert "no single leads" in text
    assert "Ann" not in text
