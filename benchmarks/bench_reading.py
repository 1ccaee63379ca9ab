"""What does reading leads cost beside DuckDB's own `read_csv` into a table with typed stamps?

Both read the same plain CSV of make_leads.py, each in a process of its own; mqlkit also finds the
encoding, the delimiter and the way dates are written, hashes the file, counts its lines, and
accounts for every row. A round runs both, and mqlkit on the same leads with two rows that cannot be
used; medians of the ratios are printed.

    python benchmarks/bench_reading.py [LEADS ...]      one million when left out
"""

import os
import shutil
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
from mqlkit.sources.reader import Reader
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


def spoil(folder: Path) -> Path:
    """Write the leads again with a date that is none and a missing id; return the folder."""
    spoiled = folder / "spoiled"
    spoiled.mkdir(exist_ok=True)
    shutil.copy(folder / "source.yaml", spoiled)
    for name in ("spend.csv", "goals.csv"):
        shutil.copy(folder / name, spoiled)
    with (folder / "leads.csv").open("rb") as leads, (spoiled / "leads.csv").open("wb") as out:
        out.write(leads.readline())
        _, *cells = leads.readline().split(b",")
        out.write(b",".join([b"", *cells]))
        lead_id, _, *cells = leads.readline().split(b",")
        out.write(b",".join([lead_id, b"soon", *cells]))
        shutil.copyfileobj(leads, out, 1 << 20)
    return spoiled


def main() -> None:
    """Measure, and print a table."""
    print(
        "| leads | mqlkit, s | DuckDB, s | ratio | ratio of processor time | two bad rows / none |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    for n in map(int, LEADS):
        folder = DATA / str(n)
        make_leads(n, folder)
        spoiled = spoil(folder)
        works = ((OURS, folder), (THEIRS, folder), (OURS, spoiled))
        rounds = [[seconds(*work) for work in works] for _ in range(ROUNDS)]
        ours, theirs = (median(r[i][0] for r in rounds) for i in (0, 1))
        ratio, cpu = (median(a[i] / b[i] for a, b, _ in rounds) for i in (0, 1))
        bad = median(c[1] / a[1] for a, _, c in rounds)
        print(f"| {n:,} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} | {cpu:.2f} | {bad:.2f} |")
    print(f"\nWanted: at most 1.2; bad rows at most 3. {ROUNDS} rounds, {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
