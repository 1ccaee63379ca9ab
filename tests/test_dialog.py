"""`mqlkit new` in a terminal: what it asks, what the answers come to, how it is stopped."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mqlkit.core.errors import SourceError
from mqlkit.run import cli
from mqlkit.run.dialog import ask_all
from mqlkit.run.local_zone import local_zone
from mqlkit.run.source_draft import ANSWERED, FILL_IN, shared_pattern
from mqlkit.sources.candidates import UnreadColumn, likely_order, name_score, ranked
from mqlkit.sources.spec import TableSpec
from mqlkit.sources.stage_values import likely_stage, stage_question

ROOT = Path(__file__).parents[1]
LEADS = "lead_id,created_at,mql_at\n1,2026-01-05,2026-01-06\n2,2026-01-07,2026-01-09\n"
ODD = """\
Nr;Angelegt am;MQL seit;Stufe 3;Notiz;Vertriebler
1;05.01.2026;06.01.2026;;um 10.01.2026 angerufen;Hall
2;06.01.2026;09.01.2026;10.01.2026;;Moor
"""
LOG = """\
lead_id,at,stage
1,2026-01-06 10:00,Marketing Qualified
2,2026-01-09 11:00,Marketing Qualified
1,2026-01-12 09:30,Nurture
2,2026-01-13 09:30,Taken
"""


class Scripted:
    """A terminal in which the given answers are typed, and then only Enter."""

    columns = 100

    def __init__(self, *answers: str) -> None:
        self.answers, self.lines, self.n_asked = list(answers), [], 0

    def say(self, line: str) -> None:
        self.lines.append(line)

    def ask(self, text: str) -> str:
        self.n_asked += 1
        return self.answers.pop(0) if self.answers else ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answered(files, *answers, zone="Europe/Tallinn"):
    """Ask about files of the working folder; return the terminal and what the answers add."""
    for name, text in files.items():
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    terminal = Scripted(*answers)
    draft = ask_all([Path(name) for name in files], terminal, zone=zone).draft
    given = {place: dict(block) for place, block in draft.answers.items()}
    for block in given.values():
        del block["files"]
    return terminal, given


# Files, what is typed, and what is then in source.yaml beside the files; Enter takes the first.
DIALOGS = {
    "nothing is open": ({"a.csv": LEADS}, [], {"leads": {}}, 0),
    "names that nothing tells, and the order of day and month": (
        {"a.csv": ODD},
        [],
        {"leads": {"columns": {"lead_id": "Nr", "mql_at": "MQL seit", "created_at": "Angelegt am",
                               "owner": "Vertriebler"}, "dates": "dmy"}},
        6,  # among them the date left, which Enter leaves unread
    ),
    "a date whose name tells nothing is of the stage typed": (
        {"a.csv": ODD},
        ["", "", "", "", "accepted_at"],
        {"leads": {"columns": {"lead_id": "Nr", "mql_at": "MQL seit", "created_at": "Angelegt am",
                               "owner": "Vertriebler", "accepted_at": "Stufe 3"},
                   "dates": "dmy"}},
        6,
    ),
    "a column and an order may be typed": (
        {"a.csv": "Nr,Code,When\n1,x,05/04/2026\n2,y,06/04/2026\n"},
        ["code", "when", "mdy"],
        {"leads": {"columns": {"lead_id": "Code", "mql_at": "When"}, "dates": "mdy"}},
        3,
    ),
    "the zone of local times is that of this computer": (
        {"a.csv": LEADS.replace("01-06", "01-06 10:00").replace("01-09", "01-09 10:00")},
        [],
        {"leads": {"timezone": "Europe/Tallinn"}},
        1,
    ),
    "an unknown zone is asked again": (
        {"a.csv": LEADS.replace("01-06", "01-06 10:00").replace("01-09", "01-09 10:00")},
        ["Tallinn", "America/New_York"],
        {"leads": {"timezone": "America/New_York"}},
        2,
    ),
    "the currency that no column tells": (
        {"a.csv": LEADS, "ads.csv": "date,amount,channel\n2026-01-05,10.00,Web\n"},
        ["kronor", "sek"],
        {"leads": {}, "spend": {"currency": "SEK"}},
        2,
    ),
    "a decimal sign": (
        {"a.csv": LEADS, "ads.csv": "date,amount,currency\n2026-01-05,\"1,234\",EUR\n"},
        ["2"],
        {"leads": {}, "spend": {"decimal": ","}},
        1,
    ),
    "a delimiter that is none of the usual ones": (
        {"a.csv": LEADS.replace(",", "^")}, [], {"leads": {"delimiter": "^"}}, 1,
    ),
    "each stage value that is not mapped": (
        {"a.csv": LOG},
        ["UTC", "", "", "accepted"],
        {"history[0]": {"timezone": "UTC", "stages": {
            "mql": ["Marketing Qualified"], "ignore": ["Nurture"], "accepted": ["Taken"]}}},
        4,
    ),
    "all stage values but the first are ignored at once": (
        {"a.csv": LOG},
        ["UTC", "mql", "10"],
        {"history[0]": {"timezone": "UTC", "stages": {
            "mql": ["Marketing Qualified"], "ignore": ["Nurture", "Taken"]}}},
        3,
    ),
    "two files of no table, the second with one stage and the first with one date": (
        {"contacts.csv": "Code no,First contact date,Origin\n1,2026-01-05,Web\n2,2026-01-07,Ad\n",
         "deals.csv": "Code no,Won date,Size\n1,2026-02-05,3\n"},
        [],
        {"leads": {"columns": {"lead_id": "Code no", "source": "Origin",
                               "mql_at": "First contact date"}},
         "history[0]": {"columns": {"lead_id": "Code no", "at": "Won date"}, "stage": "won"}},
        9,
    ),
    "spend and goals with unknown headers": (
        {"a.csv": LEADS, "s.csv": "Datum;Kosten;Kanal\n2026-01-05;10,50;Web\n",
         "g.csv": "Monat;Ziel\n2026-01;30\n"},
        ["", "", "", "", "", "EUR"],
        {"leads": {},
         "spend": {"columns": {"date": "Datum", "amount": "Kosten", "channel": "Kanal"},
                   "currency": "EUR"},
         "goals": {"columns": {"month": "Monat", "mqls": "Ziel"}}},
        6,
    ),
    "the first of stages without telling names is the MQL": (
        {"a.csv": "lead_id,at,stage\n1,2026-01-06,10\n2,2026-01-07,10\n1,2026-01-08,20\n"},
        ["", "sql"],
        {"history[0]": {"stages": {"mql": ["10"], "sql": ["20"]}}},
        2,
    ),
    "a column that two files call differently": (
        {"leads-1.csv": "lead_id,MQL on,source\n1,2026-01-05,Web\n",
         "leads-2.csv": "lead_id,MQL since,source\n2,2026-02-05,Web\n"},
        [],
        {"leads": {"columns": {"mql_at": ["MQL on", "MQL since"]}}},
        2,
    ),
    "a file of no table is left out": (
        {"a.csv": LEADS, "b.csv": "Color,Size\nred,3\n"}, [], {"leads": {}}, 1,
    ),
    "a file of no table is put into one": (
        {"a.csv": LEADS, "b.csv": "Lead no,Changed,To\n1,2026-01-06,MQL\n"},
        ["history"],
        {"leads": {}, "history[0]": {
            "columns": {"lead_id": "Lead no", "at": "Changed", "stage": "To"}}},
        4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALOGS)
def test_the_answers_are_settings_of_the_source(folder, name):
    files, typed, expected, n_asked = DIALOGS[name]
    terminal, given = answered(files, *typed)
    assert given == expected, terminal.text
    assert terminal.n_asked == n_asked, terminal.text


def test_a_question_has_what_it_decides_values_and_a_first_answer(folder):
    terminal, _ = answered({"a.csv": ODD})
    start = terminal.lines.index("1. a.csv: which column is lead_id?")
    assert terminal.lines[start + 1 : start + 3] == [
        "  It decides which rows and events belong to the same lead.",
        "  * 1  Nr     1, 2",
    ]
    assert "  * 1  dmy  05.01.2026 is 5 Jan 2026" in terminal.lines
    assert "  * 1  MQL seit     06.01.2026, 09.01.2026" in terminal.lines


def test_a_date_before_the_creation_of_the_lead_is_said_to_be_so(folder):
    text = "Nr,Created,A,B\n1,2026-01-05,2025-12-01,2026-01-06\n2,2026-01-07,2025-12-02,\n"
    terminal, _ = answered({"a.csv": text})
    assert "  * 1  B        2026-01-06" in terminal.lines
    said = "A        2025-12-01, 2025-12-02; before the lead was created in 100% of the rows"
    assert f"    3  {said}" in terminal.lines


def test_text_that_contains_dates_is_no_candidate_for_a_stage(folder):
    terminal, _ = answered({"a.csv": ODD})
    asked = terminal.text.partition("which column is mql_at?")[2].partition("which column")[0]
    assert "Notiz" not in asked


def test_a_column_that_does_not_fit_is_explained_and_asked_again(folder):
    text = "Nr,Note,MQL\n" + "".join(f"{n},call {n},2026-01-{n:02}\n" for n in range(1, 29))
    terminal, given = answered({"a.csv": text}, "", "Note")
    assert "28 of 28 rows cannot be used" in terminal.text
    assert given["leads"]["columns"] == {"lead_id": "Nr", "mql_at": "MQL"}


@pytest.mark.parametrize(
    ("costs", "sign"),
    [
        (["12,50", "307,50"], ","),
        # Three digits behind the sign are thousands.
        (["1,250", "12,500"], "."),
        (["1.250", "12.500"], ","),
    ],
)
def test_the_likelier_decimal_sign_comes_first(folder, costs, sign):
    spend = "Day\tCampaign\tCurrency code\tCost\n" + "".join(
        f"2026-01-0{day}\tA\tEUR\t{cost}\n" for day, cost in enumerate(costs, start=1)
    )
    _, given = answered({"a.csv": LEADS, "ads.csv": spend})
    assert given["spend"] == {"decimal": sign}


def test_the_order_of_dates_is_shown_on_a_date_that_differs(folder):
    text = "lead_id,mql_at\n1,1/1/2026\n2,9/1/2026\n3,10/1/2026\n"
    terminal, _ = answered({"a.csv": text})
    # 1/1/2026, the first value, is the same day in both orders.
    assert "dmy  10/1/2026 is 10 Jan 2026" in terminal.text or "9/1/2026 is 9 Jan" in terminal.text


def test_one_unknown_header_among_others_asks_for_no_delimiter(folder):
    log = LOG.replace("lead_id,at,stage", "Lead ID,Event date,Stage")
    terminal, given = answered({"log.csv": log})
    assert "which character separates" not in terminal.text
    assert given["history[0]"]["columns"] == {"at": "Event date"}


def test_a_fault_that_no_answer_corrects_is_not_asked_about_again(folder):
    rows = "".join(f"1.23E+15,2026-01-0{n} 08:30,2026-01-0{n} 09:30\n" for n in range(1, 9))
    header = "Record ID,Create Date,Became a Marketing Qualified Lead Date\n"
    terminal, given = answered({"a.csv": header + rows})
    assert terminal.n_asked == 1
    assert given["leads"] == {"timezone": "Europe/Tallinn"}


def test_a_number_that_is_no_answer_is_explained(folder):
    terminal, _ = answered({"a.csv": ODD}, "99")
    assert "'99' is none of the answers: type a number from 1 to 2" in terminal.text


def test_what_is_left_for_later_is_a_line_to_fill_in(folder):
    (folder / "a.csv").write_text(ODD, encoding="utf-8")
    text = made(folder, ["a.csv"], "later")
    (line,) = [line for line in text.splitlines() if FILL_IN in line]
    assert " ".join(line.split()) == "lead_id: # <- fill in: one of Nr, Notiz"
    assert sum(line.endswith(ANSWERED) for line in text.splitlines()) == 4


def test_a_broken_file_ends_it_with_the_fault_alone(folder):
    (folder / "a.csv").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
    terminal = Scripted()
    with pytest.raises(SourceError, match=r"a\.csv"):
        ask_all([Path("a.csv")], terminal, zone="UTC")
    assert terminal.n_asked == 0


# --- The whole command


class Stopped(Scripted):
    """A terminal in which Ctrl-C, or the end of the input, is the answer to one question."""

    def __init__(self, number: int, error: type[BaseException]) -> None:
        super().__init__()
        self.number, self.error = number, error

    def ask(self, text: str) -> str:
        answer = super().ask(text)
        if self.n_asked == self.number:
            raise self.error
        return answer


def in_terminal(monkeypatch, terminal):
    monkeypatch.setattr(cli, "Terminal", lambda: terminal)
    monkeypatch.setattr(cli.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(cli.sys.stdout, "isatty", lambda: True, raising=False)


def made(folder, files, *answers):
    """Return the source.yaml that the command writes; the report is not run."""

    class Unrun(Scripted):
        def ask(self, text: str) -> str:
            return "n" if "[Y/n]" in text else super().ask(text)

    with pytest.MonkeyPatch.context() as patch:
        in_terminal(patch, Unrun(*answers))
        assert cli.main(["new", "mine", *files]) == 0
    return (folder / "mine" / "source.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (EOFError, 2)])
def test_stopped_at_any_question_it_leaves_nothing(folder, monkeypatch, capsys, error, code):
    (folder / "a.csv").write_text(ODD, encoding="utf-8")
    # Seven questions: six about the file, and whether to write and run.
    for number in (1, 3, 6, 7):
        terminal = Stopped(number, error)
        in_terminal(monkeypatch, terminal)
        assert cli.main(["new", "mine", "a.csv"]) == code
        assert terminal.n_asked == number
        assert [p.name for p in folder.iterdir()] == ["a.csv"]
        assert capsys.readouterr().err == "\nmqlkit: stopped; nothing was written.\n"


def test_enter_at_the_last_question_runs_the_report(folder, monkeypatch):
    (folder / "a.csv").write_text(LEADS, encoding="utf-8")
    in_terminal(monkeypatch, Scripted())
    ran = []
    monkeypatch.setattr(cli, "_run", lambda args: ran.append(args.params) or 0)
    assert cli.main(["new", "mine", "a.csv"]) == 0
    assert ran == [[Path("mine/params/mql_report.yaml")]]


def test_an_existing_workspace_is_refused_before_anything_is_asked(folder, monkeypatch, capsys):
    (folder / "a.csv").write_text(ODD, encoding="utf-8")
    made(folder, ["a.csv"])
    terminal = Scripted()
    in_terminal(monkeypatch, terminal)
    assert cli.main(["new", "mine", "a.csv"]) == 2
    assert terminal.n_asked == 0
    assert "already exist" in capsys.readouterr().err


def test_what_was_answered_is_read_as_answered(folder, capsys):
    (folder / "a.csv").write_text(ODD, encoding="utf-8")
    (folder / "log.csv").write_text(LOG, encoding="utf-8")
    found = yaml.safe_load(made(folder, ["a.csv", "log.csv"], "leads"))
    assert found["leads"]["dates"] == "dmy"
    assert found["leads"]["columns"]["created_at"] == "Angelegt am"
    assert found["history"][0]["timezone"]
    assert found["history"][0]["stages"]["ignore"] == ["Nurture", "Taken"]
    shown = capsys.readouterr().out
    assert f"{Path('mine/source.yaml')}:8: dates: dmy" in shown
    assert "To change something later:" in shown
    assert cli.main(["check", "mine/source.yaml"]) == 0


def test_a_real_terminal(folder):
    (folder / "a.csv").write_text(ODD, encoding="utf-8")
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "mqlkit", "new", "mine", "a.csv"],
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    while True:
        try:
            piece = os.read(ours, 4096).decode(errors="replace")
        except OSError:
            break
        shown += piece
        if shown.endswith("Answer [1]: "):
            os.write(ours, b"\n")
        elif shown.endswith("[Y/n] "):
            os.write(ours, b"n\n")
    os.close(ours)
    assert started.wait() == 0, shown
    assert "6. a.csv: column 'Angelegt am': each of its 2 dates" in shown
    assert (folder / "mine" / "source.yaml").is_file()


# --- Candidates


def column(header, kind="date", **facts):
    return UnreadColumn("a.csv", header, kind, ("x",), **facts)


@pytest.mark.parametrize(
    ("ours", "columns", "best"),
    [
        # The name counts more than the order in time.
        ("mql_at", [column("Created", follows=1.0), column("MQL", follows=0.0)], "MQL"),
        # Without a telling name, a date that follows the creation is likelier.
        ("mql_at", [column("A", follows=0.1), column("B", follows=0.9)], "B"),
        # Text is never a date, whatever its name.
        ("sql_at", [column("SQL date", "text"), column("Handed over")], "Handed over"),
        ("lead_id", [column("Phone", "text"), column("Kennung", "text")], "Kennung"),
        ("lead_id", [column("A", "text"), column("B", "text", is_distinct=True)], "B"),
        ("amount", [column("Clicks", "number"), column("Spend", "number")], "Spend"),
        # "Qualified" alone is more likely the MQL than a date that says nothing.
        ("mql_at", [column("Lead date"), column("Qualification date")], "Qualification date"),
        ("mql_at", [column("Qualified"), column("MQL since")], "MQL since"),
        # The earliest date of a row is more likely its creation than the MQL.
        ("mql_at", [column("A", is_first=True), column("B")], "B"),
        ("created_at", [column("A"), column("B", is_first=True)], "B"),
        ("won_at", [column("Visit"), column("Booking date")], "Booking date"),
        # The last contact is not the first.
        ("contacted_at", [column("Last contacted"), column("First call")], "First call"),
    ],
)
def test_the_likeliest_column_comes_first(ours, columns, best):
    assert ranked(ours, columns)[0].header == best


@pytest.mark.parametrize(
    ("ours", "columns", "plausible"),
    [
        # Amounts, ids, notes and columns with the name of another one are no owner.
        ("owner", [column("Agent ID", "text"), column("Cost", "number"), column("Campaign", "text"),
                   column("Property ID", "text"), column("Note", "text", is_varied=True),
                   column("Status", "text"), column("Desk", "text")], ["Agent ID", "Desk"]),
        # A numeric column is one if its name says so.
        ("owner", [column("Size", "number"), column("Owner ID", "number")], ["Owner ID"]),
        # Where no column is plausible, all are shown.
        ("stage", [column("Owner", "text")], ["Owner"]),
    ],
)  # fmt: skip
def test_implausible_columns_are_not_offered(ours, columns, plausible):
    assert [each.header for each in ranked(ours, columns)] == plausible


@pytest.mark.parametrize(
    ("header", "ours"),
    [("Lead_Date", "created_at"), ("Inquiry Date", "created_at"), ("Enquiry on", "created_at"),
     ("lead qualificato per il marketing", "mql_at"), ("lead qualificato per le vendite", "sql_at"),
     ("Date submitted", "created_at"), ("Closed on", "won_at"), ("Booking_Date", "won_at"),
     ("Became MQL", "mql_at"), ("Angelegt am", "created_at"), ("Disqualified on", "rejected_at"),
     ("Vertriebler", "owner"), ("Campagne", "campaign"), ("Sales rep", "owner")],
)  # fmt: skip
def test_a_header_tells_its_column_in_several_languages(header, ours):
    assert name_score(header, ours) >= 0.8


@pytest.mark.parametrize("header", [
    "Last activity", "Modified on", "Last MQL date", "Notes", "Date of birth", "Meeting booked",
])  # fmt: skip
def test_a_header_of_the_latest_event_or_another_tells_no_stage(header):
    stages = ("created_at", "mql_at", "contacted_at", "accepted_at", "sql_at", "won_at")
    assert max(name_score(header, ours) for ours in stages) < 0.8


def test_the_order_in_which_dates_lie_closer_is_likelier():
    days = [f"{day:02}/02/2026" for day in range(1, 13)]
    assert likely_order(days) == "dmy"
    assert likely_order([f"02/{day:02}/2026" for day in range(1, 13)]) == "mdy"
    assert likely_order(["", ""]) == ""


# --- Stages


@pytest.mark.parametrize(
    ("value", "stage"),
    [("MQL", "mql"), ("marketingqualifiedlead", "mql"), ("Sales Accepted (SAL)", "accepted"),
     ("Unqualified", "rejected"), ("Qualified", "sql"), ("Closed Won", "won"),
     ("On hold", "on_hold"), ("Nurture", "ignore"), ("Captured", "created")],
)  # fmt: skip
def test_a_stage_value_has_a_likely_meaning(value, stage):
    assert likely_stage(value) == stage


def test_rare_values_are_not_asked_about():
    spec = TableSpec("history", "history[0]", (Path("log.csv"),))
    stages = {"MQL": ("mql", 980), "Odd": (None, 10), "": (None, 1), "Parked": (None, 11)}
    question = stage_question(spec, stages)
    assert question.answers == ("stages: {mql: [MQL], ignore: [Parked]}",)
    assert not question.is_blocking
    assert stage_question(spec, {"MQL": ("mql", 9)}) is None


# --- Files


@pytest.mark.parametrize(
    ("names", "others", "pattern"),
    [
        (["leads-2026-01.csv", "leads-2026-02.csv"], [], "leads-*.csv"),
        (["leads-1.csv", "leads-2.csv"], ["leads-3.csv"], None),  # one more file would be read
        (["leads.csv", "history.csv"], [], None),
        (["leads-ee.csv", "leads-lv.csv"], [], None),  # these differ in words
        (["leads-2026-01.csv"], [], None),
        (["leads[1].csv", "leads[2].csv"], [], None),
    ],
)
def test_files_of_other_dates_become_one_pattern(tmp_path, names, others, pattern):
    for name in (*names, *others):
        (tmp_path / name).touch()
    found = shared_pattern([tmp_path / name for name in names])
    assert found == (None if pattern is None else tmp_path / pattern)


def test_the_zone_of_this_computer(tmp_path):
    link = tmp_path / "localtime"
    link.symlink_to(tmp_path / "zoneinfo" / "Asia" / "Tokyo")
    assert local_zone({}, link) == "Asia/Tokyo"
    assert local_zone({"TZ": "Europe/Riga"}, link) == "Europe/Riga"
    assert local_zone({"TZ": "Nowhere/Land"}, tmp_path / "none") == "UTC"
