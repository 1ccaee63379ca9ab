"""Write the invented sample data: `python data/sample/make_sample.py [FOLDER]`.

Nothing here describes a real person or company, and a fixed seed gives the same bytes on every
run. Within the script a moment is whole seconds on the local wall clock since 2025-01-01 00:00
in Tallinn; 03:00-03:59 is never drawn, as in two nights a year that hour is missing or doubled.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

Cells = dict[str, str]  # one row: column to text

SEED = 33
HOUR, DAY = 3600, 86_400
N_DAYS = 546  # 2025-01-01 up to and including 2026-06-30
AS_OF = N_DAYS * DAY
ORIGIN = np.datetime64("2025-01-01T00:00:00")
REASONS = ("Not a fit", "No budget", "Not reachable", "Not now", "Duplicate")
LOG_STARTS = "2026-05-01"  # the stage log holds the leads that turn MQL from this day on
BACKLOG_DAYS = (304, 334)  # November 2025: sales falls behind, in both teams
# The campaign: this many more Paid search leads, created between these days (2026-01-10 up to
# 2026-02-25), so that they turn MQL in February and March; this share of them becomes SQL.
CAMPAIGN_LEADS, CAMPAIGN_DAYS, CAMPAIGN_SQL = 320, (374, 421), 0.06
CAMPAIGN_SPEND = 640  # EUR a day on top, while the campaign runs

# Tables and rows that read better as laid out by hand.
# fmt: off
COLUMNS = (
    "lead_id", "created_at", "mql_at", "contacted_at", "accepted_at", "rejected_at",
    "rejection_reason", "sql_at", "won_at", "amount", "owner", "team", "source", "country",
)
# source: (leads, share that becomes MQL, mean days to MQL, share of its MQLs that becomes SQL)
SOURCES = {
    "Web": (1740, 0.66, 24, 0.27),
    "Paid search": (1310, 0.68, 24, 0.27),
    "Event": (930, 0.64, 40, 0.20),
    "Partner": (640, 0.88, 10, 0.45),
    "Outbound": (1060, 0.74, 54, 0.32),
}
# owner: (team, median working hours to a decision)
OWNERS = {
    "N. Aspen": ("North", 1.4), "S. Birch": ("South", 7.5),
    "N. Cedar": ("North", 1.8), "S. Hornbeam": ("South", 12.0),
    "N. Juniper": ("North", 2.1), "S. Larch": ("South", 9.5),
    "N. Spruce": ("North", 1.6), "S. Sycamore": ("South", 8.5),
}
HOUR_WEIGHTS = (1, 1, 1, 0, 1, 1, 2, 4, 9, 13, 14, 14, 12, 12, 13, 13, 11, 9, 7, 6, 5, 4, 3, 2)
# EUR a day in 2025 and in 2026; Brand is a channel that no lead names, Outbound has no spend.
DAILY_SPEND = {
    "Web": (165, 180), "Paid search": (225, 335), "Partner": (82, 88), "Brand": (45, 45),
}
# Fairs are paid in lumps over some weeks: from, to, EUR.
EVENT_SPEND = (
    ("2024-11-18", "2024-12-06", 4200), ("2025-01-13", "2025-01-31", 4600),
    ("2025-02-24", "2025-03-21", 5800), ("2025-04-14", "2025-05-09", 5400),
    ("2025-06-02", "2025-06-20", 4900), ("2025-07-21", "2025-08-08", 3900),
    ("2025-09-01", "2025-09-26", 7200), ("2025-10-13", "2025-11-07", 6900),
    ("2025-11-24", "2025-12-12", 4400), ("2026-01-19", "2026-02-06", 5200),
    ("2026-02-23", "2026-03-20", 6600), ("2026-04-13", "2026-05-08", 6100),
    ("2026-05-25", "2026-06-19", 5700),
)
GOALS = (  # MQLs a month, from 2025-01
    70, 150, 190, 210, 220, 220, 220, 230, 230, 240, 240, 220,
    240, 250, 280, 240, 220, 230, 220, 230, 240, 240, 250, 230,
)

# Hand-written rows, each with its file and id: the cases that trip a careless report.
USUAL = {"owner": "N. Aspen", "team": "North", "source": "Web", "country": "EE"}
AWKWARD: tuple[tuple[str, str, Cells], ...] = (
    # Recycled: rejected, MQL again (see RECYCLED), accepted. `passes` decides which entry counts.
    ("2026-q2", "A01", {"created_at": "2026-04-14 10:05:00", "mql_at": "2026-05-04 10:12:00",
     "contacted_at": "2026-05-05 09:40:00", "rejected_at": "2026-05-06 14:00:00",
     "accepted_at": "2026-06-09 11:30:00", "sql_at": "2026-06-22 15:00:00",
     "rejection_reason": "Not now"}),
    # Skipped the stage: SQL without ever being MQL. In no cohort, but counted.
    ("2025-q3", "A02", {"created_at": "2025-09-02 11:20:00", "sql_at": "2025-09-18 13:45:00"}),
    # Out of order: accepted before it was MQL. In every volume, in no duration.
    ("2025-q3", "A03", {"created_at": "2025-08-04 09:10:00", "mql_at": "2025-08-21 15:00:00",
     "accepted_at": "2025-08-20 10:00:00"}),
    # MQL at a month's first instant: belongs to January 2026, not to December.
    ("2025-q4", "A04", {"created_at": "2025-12-12 16:40:00", "mql_at": "2026-01-01 00:00:00",
     "contacted_at": "2026-01-02 09:15:00", "accepted_at": "2026-01-02 10:00:00"}),
    # 03:30 comes twice in this night: whichever is taken, the row must be read and is in time.
    ("2025-q4", "A05", {"created_at": "2025-10-09 12:30:00", "mql_at": "2025-10-26 03:30:00",
     "contacted_at": "2025-10-27 09:20:00", "accepted_at": "2025-10-27 10:30:00"}),
    # Across the missing hour: contacted 1:45 and accepted 48:45 later on the wall, but 0:45 and
    # 47:45 in truth, so within the hour and within 48 h.
    ("2026-q1", "A06", {"created_at": "2026-03-02 17:25:00", "mql_at": "2026-03-29 02:30:00",
     "contacted_at": "2026-03-29 04:15:00", "accepted_at": "2026-03-31 03:15:00"}),
    # No source: shown as (missing), never dropped.
    ("2026-q1", "A07", {"created_at": "2026-01-15 08:50:00", "mql_at": "2026-02-10 10:30:00",
     "accepted_at": "2026-02-11 09:30:00", "source": ""}),
    # Open and long overdue: a breach that only the cut-off shows.
    ("2026-q2", "A08", {"created_at": "2026-04-20 13:00:00", "mql_at": "2026-05-11 09:00:00"}),
    # SQL after the cut-off: has not happened yet, blanked and counted.
    ("2026-q2", "A09", {"created_at": "2026-06-08 10:00:00", "mql_at": "2026-06-24 09:30:00",
     "accepted_at": "2026-06-25 11:00:00", "sql_at": "2026-07-06 12:00:00"}),
    # SQL without accepted_at: the SQL is the acceptance.
    ("2025-q4", "A10", {"created_at": "2025-10-01 14:15:00", "mql_at": "2025-11-03 09:45:00",
     "contacted_at": "2025-11-03 10:20:00", "sql_at": "2025-11-04 16:00:00"}),
    # Overturned: rejected, and accepted later without a second MQL entry.
    ("2026-q1", "A11", {"created_at": "2026-01-20 09:00:00", "mql_at": "2026-02-16 10:00:00",
     "rejected_at": "2026-02-17 12:00:00", "rejection_reason": "No budget",
     "accepted_at": "2026-02-24 10:00:00", "sql_at": "2026-03-10 11:00:00"}),
    # Contacted before it was MQL: says nothing about the speed of response.
    ("2026-q2", "A12", {"created_at": "2026-04-02 10:30:00", "mql_at": "2026-04-22 13:00:00",
     "contacted_at": "2026-04-20 11:00:00", "accepted_at": "2026-04-23 09:30:00"}),
    # The same row twice: the second is set aside as a duplicate.
    ("2025-q3", "A13", {"created_at": "2025-07-07 11:11:00", "mql_at": "2025-07-22 10:00:00",
     "accepted_at": "2025-07-23 09:00:00"}),
    ("2025-q3", "A13", {"created_at": "2025-07-07 11:11:00", "mql_at": "2025-07-22 10:00:00",
     "accepted_at": "2025-07-23 09:00:00"}),
    # Two exports overlap: one lead, the earliest stamp of each stage, the last owner.
    ("2025-q3", "A14", {"created_at": "2025-09-11 15:00:00", "mql_at": "2025-09-29 16:20:00"}),
    ("2025-q4", "A14", {"created_at": "2025-09-11 15:00:00", "mql_at": "2025-10-02 08:05:00",
     "accepted_at": "2025-10-03 09:10:00", "owner": "S. Birch", "team": "South"}),
    # A day that no calendar has: set aside as bad_date.
    ("2026-q1", "A15", {"created_at": "2026-01-28 09:00:00", "mql_at": "2026-02-30 10:15:00"}),
    # No id: set aside as no_id.
    ("2025-q4", "", {"created_at": "2025-11-05 09:00:00", "mql_at": "2025-11-20 10:15:00"}),
)
# Only the stage log tells of A01's second entry; source.yaml does not map Nurture, on purpose.
RECYCLED = (
    ("A01", "2026-05-04 10:12:00", "MQL"), ("A01", "2026-05-06 14:00:00", "Recycled"),
    ("A01", "2026-05-06 14:05:00", "Nurture"), ("A01", "2026-06-08 09:20:00", "MQL"),
    ("A01", "2026-06-09 11:30:00", "Accepted"), ("A01", "2026-06-22 15:00:00", "SQL"),
)
# fmt: on


def stamp_text(moment: int) -> str:
    """Return a moment as `YYYY-MM-DD HH:MM:SS`."""
    return str(ORIGIN + np.timedelta64(moment, "s")).replace("T", " ")


def quarter_of(stamp: str) -> str:
    """Return the quarter of a stamp, as in `2026-q1`."""
    return f"{stamp[:4]}-q{(int(stamp[5:7]) + 2) // 3}"


def is_weekend(day: int) -> bool:
    """Return whether a day, counted from Wednesday 2025-01-01, is a Saturday or a Sunday."""
    return (day + 2) % 7 >= 5


def add_work(moment: int, *, hours: float) -> int:
    """Return when that much work, Monday to Friday 9-17, has passed since a moment."""
    left, (day, second) = round(hours * HOUR), divmod(moment, DAY)
    while True:
        begin = max(second, 9 * HOUR)
        room = 0 if is_weekend(day) else max(0, 17 * HOUR - begin)
        if left < room:
            return day * DAY + begin + left
        left, day, second = left - room, day + 1, 0


def draw_time(rng: np.random.Generator) -> int:
    """Return a second of the day, more often by day than by night."""
    weights = np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS)
    return int(rng.choice(24, p=weights)) * HOUR + int(rng.integers(HOUR))


def draw_days(rng: np.random.Generator, *, source: str) -> list[tuple[int, bool]]:
    """Return for each lead the day it is created, and whether the campaign brought it."""
    weights = np.array([0.3 if is_weekend(day) else 1.0 for day in range(N_DAYS)])
    if source == "Event":  # most come at the end of a fair, or in the days after
        for _, last, _ in EVENT_SPEND[1:]:
            day = int((np.datetime64(last, "s") - ORIGIN).astype(int)) // DAY
            weights[day - 7 : day + 10] *= 4
    days = rng.choice(N_DAYS, SOURCES[source][0], p=weights / weights.sum())
    extra = rng.integers(*CAMPAIGN_DAYS, CAMPAIGN_LEADS if source == "Paid search" else 0)
    return [(int(day), False) for day in days] + [(int(day), True) for day in extra]


def hand_off(rng: np.random.Generator, *, mql: int, owner: str, sql_share: float) -> dict[str, int]:
    """Return when sales does what with an MQL, even what lies after the cut-off."""
    team, pace = OWNERS[owner]
    is_backlog = BACKLOG_DAYS[0] <= mql // DAY < BACKLOG_DAYS[1]
    wait = pace * float(rng.lognormal(0, 0.9)) * (4 if is_backlog else 1)
    contacted = add_work(mql, hours=wait * float(rng.uniform(0.1, 0.95)))
    if 8 * HOUR <= mql % DAY < 20 * HOUR and rng.random() < (0.15 if team == "North" else 0.12):
        contacted = mql + int(rng.integers(180, 3500))
    decided = max(add_work(mql, hours=wait), contacted + 300)
    left_lying = 0.10 if is_backlog else 0.015 if team == "North" else 0.04
    if (luck := rng.random()) < left_lying:
        return {"contacted_at": contacted} if luck < 0.01 else {}
    # The sample shows what the studies of lead response found: an early call converts better.
    sql_share *= 1.45 if contacted - mql <= HOUR else 0.86
    accept_share = 0.3 + 1.05 * sql_share
    if rng.random() >= accept_share:  # one in five is turned down unseen
        called = {"contacted_at": contacted} if rng.random() < 0.8 else {}
        return called | {"rejected_at": decided}
    stages = {"contacted_at": contacted, "accepted_at": decided}
    if rng.random() < sql_share / accept_share:
        later = decided + int(rng.gamma(1.6, 9) * DAY)
        stages["sql_at"] = add_work(later, hours=rng.uniform(0.5, 7))
        if rng.random() < 0.32:
            later = stages["sql_at"] + int(rng.gamma(2, 22) * DAY)
            stages["won_at"] = add_work(later, hours=rng.uniform(0.5, 7))
    return stages


def make_lead(rng: np.random.Generator, *, source: str, day: int, is_campaign: bool) -> Cells:
    """Return one lead's cells; what lies after the cut-off is left out."""
    _, mql_share, lag_days, sql_share = SOURCES[source]
    created = day * DAY + draw_time(rng)
    country = str(rng.choice(["EE", "LV", "LT", "FI"], p=[0.52, 0.19, 0.17, 0.12]))
    cells = {"created_at": stamp_text(created), "source": source, "country": country}
    mql_day = day + int(rng.gamma(2.2, lag_days / 2.2))
    if is_weekend(mql_day) and rng.random() < 0.6:
        mql_day += int(rng.integers(2, 4))
    mql = max(mql_day * DAY + draw_time(rng), created + 600)
    if rng.random() >= mql_share or mql >= AS_OF:
        return cells
    owner = str(rng.choice(list(OWNERS)))
    sql_share = CAMPAIGN_SQL if is_campaign else sql_share
    stages = {"mql_at": mql} | hand_off(rng, mql=mql, owner=owner, sql_share=sql_share)
    cells |= {stage: stamp_text(moment) for stage, moment in stages.items() if moment < AS_OF}
    cells |= {"owner": owner, "team": OWNERS[owner][0]}
    if "rejected_at" in cells:
        odds = [0.6, 0.12, 0.14, 0.08, 0.06] if is_campaign else [0.3, 0.2, 0.22, 0.2, 0.08]
        cells["rejection_reason"] = str(rng.choice(REASONS, p=odds))
    if "won_at" in cells:
        cells["amount"] = f"{rng.lognormal(8.6, 0.6):.2f}"
    return cells


def make_leads(rng: np.random.Generator) -> list[Cells]:
    """Return the drawn leads in the order they were created, numbered from L0001."""
    leads = [
        make_lead(rng, source=source, day=day, is_campaign=is_campaign)
        for source in SOURCES
        for day, is_campaign in draw_days(rng, source=source)
    ]
    leads.sort(key=lambda cells: cells["created_at"])
    return [{"lead_id": f"L{n:04}"} | cells for n, cells in enumerate(leads, start=1)]


def make_history(leads: Iterable[Cells]) -> list[tuple[str, str, str]]:
    """Return the stage log: lead, stamp and stage of each change, in order of time."""
    log = list(RECYCLED)
    for cells in (cells for cells in leads if cells.get("mql_at", "") >= LOG_STARTS):
        rejected = "Recycled" if cells.get("rejection_reason") == "Not now" else "Rejected"
        word = {
            "mql_at": "MQL",
            "accepted_at": "Accepted",
            "rejected_at": rejected,
            "sql_at": "SQL",
        }
        log += [(cells["lead_id"], cells[at], word[at]) for at in word if at in cells]
    return sorted(log, key=lambda change: change[1])


def make_spend(rng: np.random.Generator) -> list[tuple[str, str, str, str]]:
    """Return spend by day and channel, from two months before the first lead."""
    rows = []
    for day in range(-61, N_DAYS):
        for channel, (before, since) in DAILY_SPEND.items():
            euros = (before if day < 365 else since) * rng.uniform(0.85, 1.15)
            if channel == "Paid search" and CAMPAIGN_DAYS[0] <= day < CAMPAIGN_DAYS[1]:
                euros += CAMPAIGN_SPEND
            rows.append((stamp_text(day * DAY)[:10], f"{euros:.2f}", "EUR", channel))
    return rows


def write_table(path: Path, *, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write one CSV file, with the same line ends on every system."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_sample(folder: Path) -> None:
    """Write every CSV file of the sample into a folder."""
    rng = np.random.default_rng(SEED)
    leads = make_leads(rng)
    filed = [(quarter, USUAL | {"lead_id": lead} | cells) for quarter, lead, cells in AWKWARD]
    filed += [(quarter_of(cells["created_at"]), cells) for cells in leads]
    folder.mkdir(parents=True, exist_ok=True)
    for name in {quarter for quarter, _ in filed}:
        rows = [[row.get(col, "") for col in COLUMNS] for quarter, row in filed if quarter == name]
        write_table(folder / f"leads-{name}.csv", header=COLUMNS, rows=rows)
    log = make_history(leads)
    write_table(folder / "stage_history.csv", header=("lead_id", "at", "stage"), rows=log)
    money = ("amount", "currency", "channel")
    write_table(folder / "spend.csv", header=("date", *money), rows=make_spend(rng))
    lumps = [(start, end, f"{euros}.00", "EUR", "Event") for start, end, euros in EVENT_SPEND]
    write_table(folder / "spend-events.csv", header=("date_from", "date_to", *money), rows=lumps)
    goals = [(f"{2025 + n // 12}-{n % 12 + 1:02}", str(goal)) for n, goal in enumerate(GOALS)]
    write_table(folder / "goals.csv", header=("month", "mqls"), rows=goals)


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
