"""Which table an export of no known format is: by what its columns hold."""

from __future__ import annotations

import pytest

from mqlkit.run.check import examine
from mqlkit.sources.classify import classify_exports

LOG = "".join(
    f"{n},{stage},2026-01-{day:02} 10:00,x\n"
    for n in range(1, 9)
    for day, stage in ((n, "MQL"), (n + 3, "Working"), (n + 9, "SQL"))
)
AMOUNTS = "2026-01-05,Web,100.50\n2026-01-06,Ads,20\n"
BETRAEGE = "05.01.2026;Web;100,50\n16.01.2026;Ads;20,00\n"
LEADS = "lead_id,mql_at\n1,2026-01-05\n"
TABLES = {
    "a log with an id that repeats": ("Lead No,New status,Changed on,By\n" + LOG, "history"),
    "a log whose header names no stage": ("Contact ID,Value,When,By\n" + LOG, "history"),
    "a log with our name of the id": ("lead_id,New status,Changed on,By\n" + LOG, "history"),
    "a log in German": ("Kontakt-Nr;Status neu;Datum;Wer\n" + LOG.replace(",", ";"), "history"),
    "leads with their present status": (
        "Lead No,Status,Created,MQL on\n1,New,2026-01-05,2026-01-06\n2,SQL,2026-01-06,2026-01-07\n",
        "leads",
    ),
    "leads exported twice": (
        "Lead No,Status,Created\n" + "1,SQL,2026-01-05\n2,New,2026-01-06\n" * 3,
        "leads",
    ),
    "leads by e-mail address": ("Mail,Joined,Stage\na@example.org,2026-01-05,MQL\n", "leads"),
    "a date and an amount": (f"Date,Channel,Costs\n{AMOUNTS}", "spend"),
    "the same in German": (f"Datum;Kanal;Kosten\n{BETRAEGE}", "spend"),
    "a date and a number": (f"Datum;Kanal;EUR\n{BETRAEGE}", "spend"),
    "a campaign id is no lead id": (
        "Day,Campaign ID,Campaign,Spent\n2026-01-05,77,Web,100\n2026-01-06,77,Web,90\n",
        "spend",
    ),
    "the id of an advertiser is no lead id": (
        "customer_id,date,cost\n77,2026-01-05,100\n77,2026-01-06,90\n",
        "spend",
    ),
    "leads with what each cost": (
        "ID,Lead Date,Cost\n1,2026-01-05,100\n2,2026-01-06,90\n",
        "leads",
    ),
    "a campaign's status is no stage": (
        "Day,Campaign,Status,Spent\n2026-01-05,Web,Open,100\n2026-01-06,Web,Lost,90\n",
        "spend",
    ),
    "an amount of months": ("Month,Channel,Cost\n2026-01,Web,100\n2026-02,Web,90\n", "spend"),
    "a month and a number": ("Month,Target\n2026-01,40\n2026-02,45\n", "goals"),
    "months in words": ("Monat;Ziel\nJan 2026;40\nFeb 2026;45\n", "goals"),
    "months as days": ("Month,Wanted\n2026-01-01,40\n2026-02-01,45\n", "goals"),
    "goals by owner": ("Month,Owner,Target\n2026-01,Ann,40\n2026-01,Ben,45\n", "goals"),
    "a list of notes": ("Title,Text\nhello,there\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_what_a_file_holds_tells_its_table(desk, case):
    content, table = TABLES[case]
    desk.write("file.csv", content)
    desk.write("goals.csv", "month,mqls\n2026-01,40\n")
    desk.write("leads.csv", LEADS)
    # Without other leads, whatever fits into no table is taken for them.
    known = ["goals.csv"] if table == "leads" else ["leads.csv"]
    paths = [desk.folder / name for name in (*known, "file.csv")]
    source, unknown = classify_exports(paths, root=desk.folder)
    placed = [spec.table for spec in source.tables if any(p.name == "file.csv" for p in spec.files)]
    assert (placed or [""]) == [table]
    assert bool(unknown) == (table == "")


def test_a_second_list_of_people_is_asked_about(desk):
    desk.write("leads.csv", LEADS)
    desk.write("deals.csv", "Lead No,Closed\n1,2026-02-05\n2,2026-02-06\n")
    _, unknown = classify_exports(
        [desk.folder / "leads.csv", desk.folder / "deals.csv"], root=desk.folder
    )
    assert [each.path.name for each in unknown] == ["deals.csv"]


def test_all_files_of_an_unknown_system_are_placed(desk):
    for name, case in (
        ("log.csv", "a log in German"),
        ("ads.csv", "the same in German"),
        ("goals.csv", "months in words"),
        ("leads.csv", "leads with their present status"),
    ):
        desk.write(name, TABLES[case][0])
    paths = [desk.folder / n for n in ("log.csv", "ads.csv", "goals.csv", "leads.csv")]
    _, looks = examine(paths)
    assert [look.table for look in looks] == ["leads", "history", "spend", "goals"]
