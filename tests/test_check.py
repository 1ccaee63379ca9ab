"""`mqlkit check`: what a look at a source has found, as a terminal shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from mqlkit.core.terminal import cut, harmless, in_columns, width, wrapped
from mqlkit.run.check import available, coverage, examine, findings, is_open
from mqlkit.sources.inspect import ColumnReport, FileReport, TableReport
from mqlkit.sources.ledger import Ledger, SetAside
from mqlkit.sources.questions import Question

FILE = FileReport("exports/leads.csv", "salesforce", "it has 'Id'", "utf-8", ",", 1, 40)
MQL = ColumnReport("mql_at", "MQL_Date__c", "day/month/year", (("05/04/2026", "2026-04-05"),))
LEADS = TableReport(
    table="leads",
    place="leads",
    files=(FILE,),
    columns=(
        ColumnReport("lead_id", "Id", "text", (("00Q1", "00Q1"), ("00Q2", "00Q2"))),
        MQL,
        ColumnReport("sql_at", "SQL_Date__c", "no values", ()),
    ),
    first=date(2026, 4, 5),
    last=date(2026, 6, 30),
    unmapped=("Name", "ConvertedDate"),
    ledger=Ledger(
        read=40,
        set_aside=Counter(bad_date=1),
        noted=Counter(merged=1),
        rows=[SetAside("exports/leads.csv", 3, "bad_date", "00Q3,31/02/2026")],
    ),
    notes=("Lead ids are told apart by case.",),
)
HISTORY = TableReport(
    table="history",
    place="history[0]",
    files=(FileReport("log.csv", "plain", "", "cp1252", ";", 3, 50),),
    columns=(ColumnReport("stage", "New", "text", (("SQL", "SQL"),)),),
    stages={"Working": (None, 40), "Accepted": ("accepted", 9), "": (None, 1)},
)
DATES = Question("leads", "day or month first: 05/04/2026?", ("dates: dmy", "dates: mdy"))


def text_of(*looks, columns=100):
    return "\n".join(findings(looks, columns=columns))


def test_a_look_is_shown_whole():
    assert (
        text_of(LEADS, HISTORY)
        == """\
leads
  exports/leads.csv
    utf-8, comma, header on line 1, 40 rows
    format salesforce: it has 'Id'
  dates from 2026-04-05 to 2026-06-30

  column   in the file  read as         examples
  lead_id  Id           text            00Q1, 00Q2
  mql_at   MQL_Date__c  day/month/year  05/04/2026 → 2026-04-05
  sql_at   SQL_Date__c  no values       (no values)

  Not read: Name
  Not read: ConvertedDate: a lead may be converted without being an SQL; if that is how it becomes
    one with you: columns: {sql_at: ConvertedDate}

  40 rows read = 39 used + 1 excluded
    1  bad_date  a date that does not exist or cannot be read
    1  merged    used, but check
    exports/leads.csv:3: bad_date: 00Q3,31/02/2026
  Note: Lead ids are told apart by case.

history[0]
  log.csv
    cp1252, semicolon, header on line 3, 50 rows
    format plain

  column  in the file  read as  examples
  stage   New          text     SQL

  stage in the file  means         rows
  Accepted           accepted         9
  Working            (not mapped)    40
  (empty)            (not mapped)     1

Sections of the report
  in part  Are there enough MQLs?            needs goals, to compare with
  in part  What does sales decide?           needs rejected_at; rejection_reason
  in part  Where do leads leave the funnel?  needs created_at; sql_at; won_at
  no       How many MQLs become SQLs?        needs sql_at (SQL_Date__c has no values)
  in part  Is sales meeting the SLA?         needs owner, for breaches by owner
  yes      How long are MQLs in the stage?
  no       How fast is the first contact?    needs contacted_at (First Call)
  no       What does an MQL cost?            needs spend
  no       Breakdowns                        needs source, owner or campaign

Nothing is open: a report can run."""
    )


def test_too_many_lost_rows_and_no_mql_date_leave_it_open():
    lost = TableReport("leads", "leads", columns=(MQL,), ledger=Ledger(10, Counter(bad_date=1)))
    assert "leads: 1 of 10 rows cannot be used, more than the 5%" in text_of(lost)
    assert is_open([lost])
    assert "No column or history has the date on which a lead became an MQL." in text_of(HISTORY)
    assert is_open([HISTORY])


def test_spend_alone_may_be_looked_at():
    spend = TableReport(
        "spend", "spend", columns=(ColumnReport("amount", "Cost", "n", (("1", "1"),)),)
    )
    assert not is_open([spend])


def test_a_question_is_shown_with_the_lines_that_answer_it():
    asked = TableReport("leads", "leads", questions=(DATES,))
    assert text_of(asked).endswith("""\
Question 1: day or month first: 05/04/2026?
  add one of these lines below leads:
    dates: dmy
    dates: mdy
1 question to answer in source.yaml before a report can run.""")
    assert is_open([LEADS, asked])


def test_questions_with_the_same_answer_are_asked_once():
    other = Question("leads", "column 'SQL Date': day or month first?", DATES.answers, ("5/4/26",))
    zone = Question("leads", "which zone?", ("timezone: Europe/Tallinn",))
    shown = text_of(TableReport("leads", "leads", questions=(DATES, zone, other)))
    assert shown.endswith("""\
Question 1: day or month first: 05/04/2026?
  column 'SQL Date': day or month first?
  found '5/4/26'
  add one of these lines below leads:
    dates: dmy
    dates: mdy
Question 2: which zone?
  add this line below leads:
    timezone: Europe/Tallinn   (or yours)
2 questions to answer in source.yaml before a report can run.""")


def test_an_error_is_shown_and_leaves_it_open():
    broken = TableReport("spend", "spend", errors=("ads.csv: is a PDF.\n  Fix:  export it again",))
    assert text_of(broken).endswith(
        "ads.csv: is a PDF.\n  Fix:  export it again\nCorrect this before you run a report."
    )
    assert is_open([broken])
    assert not is_open([LEADS, HISTORY])


@pytest.mark.parametrize("columns", [20, 80, 97, 120, 400])
def test_no_line_is_wider_than_the_terminal(columns):
    long = "x" * 300
    look = TableReport(
        "leads",
        "leads",
        files=(FileReport(long, "hubspot", f"it has {' '.join([long[:30]] * 9)}", "u", ",", 1, 1),),
        columns=(ColumnReport("mql_at", "作成日" * 40, long, ((long, long[1:]),)),),
        unmapped=tuple(f"{long} {n}" for n in range(50)),
        ledger=Ledger(1, Counter(bad_row=1), rows=[SetAside(long, 2, "bad_row", long)]),
        stages={long: (None, 3)},
        questions=(Question("leads", "words " * 60, (f"columns: {{mql_at: {long}}}",)),),
        notes=("note " * 60,),
        errors=(f"{long}\n  Fix:  {long}",),
    )
    assert max(map(width, findings([look], columns=columns))) <= min(max(columns, 80), 120)


def test_nothing_from_a_file_acts_on_the_terminal():
    evil = "\x1b[2J\x07\r\n\u202eabc\x9b1m"
    look = TableReport(
        "leads",
        "leads",
        files=(FileReport(evil, "plain", evil, "utf-8", ",", 1, 1),),
        columns=(ColumnReport("owner", evil, "text", ((evil, evil),)),),
        unmapped=(evil,),
        stages={evil: (None, 1)},
        ledger=Ledger(1, Counter(bad_row=1), rows=[SetAside(evil, 2, "bad_row", evil)]),
        questions=(Question("leads", evil, (evil,)),),
        errors=(evil,),
        notes=(evil,),
    )
    assert all(line.isprintable() for line in findings([look], columns=100))


def test_many_files_headers_and_stages_are_counted_not_listed():
    look = TableReport(
        "history",
        "history[0]",
        files=(FILE,) * 20,
        unmapped=tuple(f"h{n}" for n in range(20)),
        stages={f"s{n:02}": (None, 1) for n in range(30)},
    )
    shown = text_of(look)
    assert "and 8 more files" in shown
    assert "h11 and 8 more" in shown
    assert "and 10 more values" in shown


# --- What the report can tell


def test_a_column_without_values_is_not_there():
    assert available([LEADS]) == {"lead_id", "mql_at"}


def test_stages_of_a_history_are_columns_and_the_other_tables_are_themselves():
    goals = TableReport("goals", "goals", columns=(ColumnReport("month", "Month", "month", ()),))
    empty = TableReport("spend", "spend")
    assert available([HISTORY, goals, empty]) == {"accepted_at", "goals"}


def test_a_section_says_what_is_missing_for_it():
    by_question = {s.question: s for s in coverage([])}
    assert by_question["What does an MQL cost?"].missing == "mql_at; spend"
    assert by_question["Is sales meeting the SLA?"].missing == (
        "mql_at; accepted_at, rejected_at or sql_at, or contacted_at with sla_stops_on: contact"
    )
    assert by_question["How long are MQLs in the stage?"].missing == (
        "mql_at; accepted_at, rejected_at or sql_at"
    )


def test_an_sla_on_contact_needs_no_decision():
    first_call = ColumnReport("contacted_at", "First Call", "timestamp", (("1", "1"),))
    look = TableReport("leads", "leads", columns=(MQL, first_call))
    (sla,) = [c for c in coverage([look]) if c.question == "Is sales meeting the SLA?"]
    assert sla.is_possible
    assert sla.missing == "accepted_at, rejected_at or sql_at, or sla_stops_on: contact"
    # Long needs go on in the next line, below the first.
    assert "needs accepted_at, rejected_at or sql_at, or\n" + " " * 45 in text_of(look, columns=90)


def test_the_funnel_needs_a_stage_beside_the_mql():
    (steps,) = [c for c in coverage([TableReport("leads", "leads", columns=(MQL,))])
                if c.question == "Where do leads leave the funnel?"]  # fmt: skip
    assert not steps.is_possible
    assert steps.missing == "created_at, accepted_at, sql_at or won_at"


# --- Text for terminals


def test_wide_letters_take_two_columns_and_marks_none():
    assert (width("作成日"), width("e\u0301"), width("Tag")) == (6, 1, 3)
    assert in_columns([("作", "a"), ("bb", "c")], most=(9, 9)) == ["作  a", "bb  c"]


def test_text_is_cut_to_width():
    assert cut("作成日", 6) == "作成日"
    assert cut("作成日", 5) == "作成…"
    assert cut("ab\ncd", 10) == "ab\\ncd"
    assert cut("x" * 10_000_000, 3) == "xx…"


def test_what_is_harmless_stays():
    assert harmless("naïve 作成日 \u00a0😀") == "naïve 作成日 \u00a0😀"
    assert harmless("\u200b\u2028\x00") == "\\u200b\\u2028\\x00"


def test_wrapping_keeps_line_ends_and_indents():
    assert wrapped("aa bb cc\ndd", 6, first="> ", rest="  ") == ["> aa", "  bb", "  cc", "  dd"]


def test_a_missing_column_is_named_as_the_format_of_the_export_calls_it(new_desk):
    header = "Record ID,Create Date,Became a Marketing Qualified Lead Date"
    desk = new_desk()
    desk.write("hubspot.csv", f"{header}\n101,2026-01-05 09:00,2026-01-06 09:00\n")
    _, looks = examine([desk.folder / "hubspot.csv"])
    (conversion,) = [c for c in coverage(looks) if "become SQLs" in c.question]
    assert conversion.missing == "sql_at (Became a Sales Qualified Lead Date)"


def test_a_zone_that_is_asked_for_is_not_assumed_as_well():
    zone = Question("leads", "which zone?", ("timezone: Europe/Tallinn",))
    assumed = replace(LEADS, zone="UTC", is_zone_assumed=True)
    assert "in UTC (assumed" in text_of(assumed)
    assert "in UTC" not in text_of(replace(assumed, questions=(zone,)))
