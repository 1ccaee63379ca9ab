"""Reports with very many values in a breakdown: size of the page, memory and time.

Makes up leads over 36 months with 300 sources, 2,000 owners and 50,000 campaigns, and runs reports
by week with one breakdown or two. The page must stay under 1.5 MB, and memory under 2 GB.

    python benchmarks/bench_wide.py [LEADS]             five million when left out
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import duckdb
from bench_large import cost

HERE = Path(__file__).parent
DATA = Path(os.environ.get("MQLKIT_BENCH_DATA", HERE / "data"))
LEADS = int(sys.argv[1]) if sys.argv[1:] else 5_000_000
MOST_PAGE_MB, MOST_MEMORY_MB = 1.5, 2_000
BREAKDOWNS = (["source"], ["owner"], ["campaign"], ["source", "owner"])

QUERY = """
COPY (
  WITH created AS (
    SELECT i AS lead_id,
      TIMESTAMP '2023-06-20' + to_seconds((hash(i, 1) % (1100 * 86400))::BIGINT) AS created_at
    FROM range({n}) AS t(i)
  ), mql AS (
    SELECT *, CASE WHEN hash(lead_id, 2) % 10 < 6
      THEN created_at + to_hours((hash(lead_id, 3) % 200)::BIGINT) END AS mql_at
    FROM created
  ), accepted AS (
    SELECT *, CASE WHEN hash(lead_id, 4) % 10 < 7
      THEN mql_at + to_minutes((hash(lead_id, 5) % 9000)::BIGINT) END AS accepted_at
    FROM mql
  )
  SELECT *, CASE WHEN hash(lead_id, 6) % 10 < 3
      THEN accepted_at + to_hours((hash(lead_id, 7) % 900)::BIGINT) END AS sql_at,
    'Source ' || (hash(lead_id, 8) % 300) AS source,
    'Owner ' || (hash(lead_id, 9) % 2000) AS owner,
    'Campaign ' || (hash(lead_id, 10) % 50000) AS campaign
  FROM accepted
) TO '{path}' (FORMAT parquet)
"""
SOURCE = "leads:\n  files: [leads.parquet]\n  timezone: UTC\n"
PARAMS = """\
title: Wide breakdowns
source: {source}
period: 2023-07..2026-06
grain: week
as_of: 2026-06-30
sla: 48h
by: {by}
"""


def make_leads(folder: Path) -> Path:
    """Write the export, unless it is there, and return the path of its source.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    leads, source = folder / "leads.parquet", folder / "source.yaml"
    if not leads.exists():
        duckdb.execute(QUERY.format(n=LEADS, path=leads))
    source.write_text(SOURCE)
    return source


def main() -> int:
    source = make_leads(DATA / f"wide-{LEADS}")
    is_slow = False
    print(f"{LEADS:,} leads, 36 months by week:")
    for by in BREAKDOWNS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "report.yaml")
            path.write_text(PARAMS.format(by=json.dumps(by), source=source.resolve()))
            took = cost("-m", "mqlkit", "run", path, "--out", folder)
            page, numbers = (
                Path(folder, f"report{end}").stat().st_size / 1e6
                for end in (".html", ".metrics.json")
            )
        print(
            f"  by {', '.join(by):<16} page {page:.2f} MB, metrics.json {numbers:,.0f} MB, "
            f"{took.wall:.0f} s, peak {took.peak:,.0f} MB"
        )
        is_slow |= page > MOST_PAGE_MB or took.peak > MOST_MEMORY_MB
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
