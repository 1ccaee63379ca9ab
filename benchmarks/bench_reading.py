"""What does reading leads cost beside DuckDB's own `read_csv` into a table with typed stamps?

Both read the same plain CSV of make_leads.py, each in a process of its own; mqlkit also finds the
encoding, the delimiter and the way dates are written, hashes the file, counts its lines, and
accounts for every row. A round runs both; medians of the ratios are printed.

    python benchmarks/bench_reading.py [LEADS ...]      one million when left out
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from make_leads import make_leads

HERE = Path(__file__).parent
DATA = Path(os.environ.get("MQLKIT_BENCH_DATA", HERE / "data"))
ROUNDS = int(os.environ.get("MQLKIT_BENCH_ROUNDS", "3"))
LEADS = sys.argv[1:] or os.environ.get("MQLKIT_BENCH_LEADS", "1000000").split()
TIMED = """
import os, sys, tempfile
from pathlib import Path
from time import perf_counter
folder = Path(sys.argv[1])
{imports}
began, used = perf_counter(), os.times()
{work}
now = os.times()
print(perf_counter() - began, now.user + now.system - used.user - used.system)
"""
OURS = TIMED.format(
    imports="""
from dataclasses import replace
from mqlkit.sources.store import connect
from mqlkit.sources.tables import load
from mqlkit.sources.spec import read_source
from mqlkit.sources.staging import Reader
source = replace(read_source(folder / "source.yaml"), spend=None, goals=None)
backend, work = connect(), Path(tempfile.mkdtemp())
""",
    work='load(Reader(backend, work, folder, 0.05, "UTC"), source, extras=[])',
)
THEIRS = TIMED.format(
    imports="""
import duckdb
stamps = ["created_at", "mql_at", "contacted_at", "accepted_at", "rejected_at", "sql_at"]
columns = {"lead_id": "VARCHAR", **dict.fromkeys(stamps, "TIMESTAMPTZ"), "source": "VARCHAR",
           "owner": "VARCHAR"}
base = duckdb.connect()
base.execute("SET enable_progress_bar = false")
""",
    work="""
base.execute(
    "CREATE TABLE leads AS SELECT * FROM read_csv(?, header = true, columns = ?)",
    [str(folder / "leads.csv"), columns],
)
""",
)


def seconds(script: str, folder: Path) -> tuple[float, float]:
    """Return seconds by the clock and of the processors that a script's own work took."""
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def main() -> None:
    """Measure, and print a table."""
    print("| leads | mqlkit, s | DuckDB, s | ratio | ratio of processor time |")
    print("|---:|---:|---:|---:|---:|")
    for n in map(int, LEADS):
        folder = DATA / str(n)
        make_leads(n, folder)
        rounds = [(seconds(OURS, folder), seconds(THEIRS, folder)) for _ in range(ROUNDS)]
        ours, theirs = (median(r[i][0] for r in rounds) for i in (0, 1))
        ratio, cpu = (median(a[i] / b[i] for a, b in rounds) for i in (0, 1))
        print(f"| {n:,} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} | {cpu:.2f} |")
    print(f"\nWanted: at most 1.5. Medians of {ROUNDS} rounds, {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
