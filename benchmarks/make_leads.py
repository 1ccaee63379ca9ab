"""Write the exports of a made-up company: N leads as CSV, with spend, goals and params.

The same N gives the same bytes: every cell is a hash of the row's number. Ten million leads are
some 735 MB. A few rows are awkward, as in any export: stamps out of order, a contact before the
MQL, both decisions, SQLs that nobody accepted or that skipped the stage, events after the as-of
moment, no source.

    python benchmarks/make_leads.py N [FOLDER]        (FOLDER: benchmarks/data/N)
"""

import sys
from pathlib import Path

import duckdb

SOURCES = ("Ads", "Email", "Event", "Partner", "Phone", "Web")
OWNERS = ("Ana", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo", "Kim", "Leo")
CHANNELS = {"Ads": 5200, "Email": 800, "Event": 3100, "Phone": 1900, "Web": 4300, "Podcast": 450}
MONTHS = [f"{2024 + k // 12}-{k % 12 + 1:02d}" for k in range(9, 30)]  # 2024-10 .. 2026-06

LEADS = """
COPY (
  WITH numbered AS (
    SELECT i, to_seconds(floor(u(i, 1) * 545 * 86400)) AS age FROM range({n}) AS t(i)
  ), created AS (
    SELECT i, TIMESTAMP '2025-01-01' + age AS created_at FROM numbered
  ), mql AS (
    SELECT *, CASE WHEN u(i, 2) < 0.58
      THEN created_at + wait(i, 3, 12 * 24) * (CASE WHEN u(i, 4) < 0.003 THEN -1 ELSE 1 END)
      END AS mql_at
    FROM created
  ), decided AS (
    SELECT *,
      CASE WHEN u(i, 5) < 0.78
        THEN mql_at + wait(i, 6, 9) * (CASE WHEN u(i, 7) < 0.004 THEN -1 ELSE 1 END)
        END AS contacted_at,
      CASE WHEN u(i, 8) < 0.46
        THEN mql_at + wait(i, 9, 40) * (CASE WHEN u(i, 10) < 0.005 THEN -1 ELSE 1 END)
        END AS accepted_at,
      CASE WHEN u(i, 8) BETWEEN 0.45 AND 0.68 THEN mql_at + wait(i, 11, 55) END AS rejected_at
    FROM mql
  ), sold AS (
    SELECT *, CASE
      WHEN u(i, 12) < 0.38 THEN accepted_at + wait(i, 13, 9 * 24)
      WHEN u(i, 12) < 0.40 THEN mql_at + wait(i, 13, 14 * 24)
      WHEN u(i, 12) < 0.405 THEN created_at + wait(i, 13, 14 * 24) END AS sql_at
    FROM decided
  )
  SELECT 10000000 + i AS lead_id, stamp(created_at) AS created_at, stamp(mql_at) AS mql_at,
    stamp(contacted_at) AS contacted_at, stamp(accepted_at) AS accepted_at,
    stamp(rejected_at) AS rejected_at, stamp(sql_at) AS sql_at,
    CASE WHEN u(i, 14) > 0.01 THEN {sources}[1 + floor(u(i, 15) ** 1.5 * {n_sources})::INT] END
      AS source,
    {owners}[1 + floor(u(i, 16) * {n_owners})::INT] AS owner
  FROM sold
) TO '{path}' (HEADER, DELIMITER ',')
"""

SOURCE = """\
leads:
  files: [leads.csv]
  timezone: UTC
spend:
  files: [spend.csv]
  currency: EUR
goals:
  files: [goals.csv]
"""

PARAMS = """\
report: mql_report
title: {n} made-up leads
source: source.yaml
period: 2025-07..2026-06
grain: month
timezone: UTC
as_of: 2026-06-30
lag_days: auto
rolling: 3
sla: 48h
by: [source]
"""


def make_leads(n: int, folder: Path) -> Path:
    """Write the exports unless they are there, and return the path of the params."""
    folder.mkdir(parents=True, exist_ok=True)
    params = folder / "params.yaml"
    if params.exists():
        return params
    base = duckdb.connect()
    base.execute("CREATE MACRO u(i, k) AS (hash(i * 32 + k) >> 11) / 9007199254740992.0")
    base.execute("CREATE MACRO wait(i, k, hours) AS to_seconds(floor(-ln(1 - u(i, k))*hours*3600))")
    # The export was made two days after the as-of moment of the report.
    base.execute(
        "CREATE MACRO stamp(t) AS CASE WHEN t < TIMESTAMP '2026-07-02 09:00'"
        " THEN strftime(t, '%Y-%m-%dT%H:%M:%SZ') END"
    )
    names = {"sources": list(SOURCES), "owners": list(OWNERS)}
    counts = {"n_sources": len(SOURCES), "n_owners": len(OWNERS)}
    base.execute(LEADS.format(n=n, path=folder / "leads.csv", **names, **counts))
    (folder / "spend.csv").write_text(spend_text(n), encoding="utf-8")
    goals = "".join(f"{month},{max(n * 31 // 1000, 1)}\n" for month in MONTHS)
    (folder / "goals.csv").write_text(f"month,mqls\n{goals}", encoding="utf-8")
    (folder / "source.yaml").write_text(SOURCE, encoding="utf-8")
    params.write_text(PARAMS.format(n=f"{n:,}"), encoding="utf-8")
    return params


def spend_text(n: int) -> str:
    """Return spend by month and channel; no lead comes from the podcast."""
    lines = ["date_from,date_to,amount,channel\n"]
    for k, month in enumerate(MONTHS):
        year, number = map(int, month.split("-"))
        last = [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][number - 1]
        lines += [
            f"{month}-01,{month}-{last},{a * (100 + 7 * k % 40) * n / 1e6:.2f},{channel}\n"
            for channel, a in CHANNELS.items()
        ]
    return "".join(lines)


if __name__ == "__main__":
    count = int(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "data" / str(count)
    print(make_leads(count, target))
