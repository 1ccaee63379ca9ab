"""Does `mqlkit run` keep up with hand-written SQL, and its pace and memory as leads grow?

One round runs, in turn, whole processes: `mqlkit run` with its HTML on the made-up leads, the two
rivals that compute the same numbers (rival_query.py, rival_pandas.py), and `mqlkit run` on a
handful of leads, which is what a report costs whatever the data. Ratios are taken within a round;
medians of them are printed. Peak memory is that of the largest process.

    python benchmarks/bench_large.py [LEADS ...]        one million when left out
    MQLKIT_BENCH_LEADS="1000000 10000000" make bench    with ten million, some minutes a round

MQLKIT_BENCH_ROUNDS sets the rounds (3), MQLKIT_BENCH_DATA the folder of the made-up exports
(benchmarks/data), which are kept.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from compare_numbers import differences
from make_leads import make_leads

HERE = Path(__file__).parent
DATA = Path(os.environ.get("MQLKIT_BENCH_DATA", HERE / "data"))
ROUNDS = int(os.environ.get("MQLKIT_BENCH_ROUNDS", "3"))
LEADS = sys.argv[1:] or os.environ.get("MQLKIT_BENCH_LEADS", "1000000").split()
HANDFUL = 40
# What is wanted of so many leads and more differs.
LARGE = 10_000_000
BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")]),
    "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
}
# `mqlkit run` works in a kernel of its own, so that a process is measured with its children.
MEASURED = """
import os, resource, sys
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as out:
    out.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """What one process cost: seconds by the clock and of the processors, and its peak in MB."""

    wall: float
    cpu: float
    peak: float


def cost(*command: str | Path) -> Cost:
    """Run a Python command and return what it took."""
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as note:
        began = perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, note.name, *map(str, command)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        wall = perf_counter() - began
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
        peak, cpu = note.read().split()
    return Cost(wall, float(cpu), int(peak) / 1024)


def measure(n: int, out: Path) -> dict[str, Cost]:
    """Return the cost of each contestant in one round."""
    params, empty = make_leads(n, DATA / str(n)), make_leads(HANDFUL, DATA / str(HANDFUL))
    run = ("-m", "mqlkit", "run")
    return {
        "mqlkit run": cost(*run, params, "--out", out),
        "hand-written SQL": cost(HERE / "rival_query.py", params.parent, out / "query.json"),
        "pandas": cost(HERE / "rival_pandas.py", params.parent, out / "pandas.json"),
        "an empty report": cost(*run, empty, "--out", out / "empty"),
    }


def check(out: Path) -> None:
    """Stop when a rival's numbers are not those of the report."""
    for rival in ("query", "pandas"):
        found = differences(out / "params.metrics.json", out / f"{rival}.json")
        if found:
            print(f"{len(found)} numbers differ from {rival}:", *found[:5], sep="\n  ")


def table(n: int, rounds: list[dict[str, Cost]]) -> str:
    """Return the results as a markdown table."""
    lines = [f"| {n:,} leads | seconds | processor seconds | peak MB |", "|---|---:|---:|---:|"]
    for name in rounds[0]:
        wall, cpu, peak = (median(r[name][i] for r in rounds) for i in range(3))
        lines.append(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:,.0f} |")
    return "\n".join(lines)


def ratios(n: int, rounds: list[dict[str, Cost]]) -> list[tuple[str, float, str]]:
    """Return what the rounds of so many leads say against what is wanted."""

    def of(top: str, *bottom: str, i: int) -> float:
        return median(r[top][i] / sum(r[b][i] for b in bottom) for r in rounds)

    query, frames = ((rival, "an empty report") for rival in ("hand-written SQL", "pandas"))
    is_large = n >= LARGE
    peak = median(r["mqlkit run"].peak for r in rounds)
    return [
        (
            "mqlkit / (SQL + empty report), seconds",
            of("mqlkit run", *query, i=0),
            "at most 0.90" if is_large else "at most 0.80",
        ),
        ("mqlkit / (SQL + empty report), processor", of("mqlkit run", *query, i=1), ""),
        ("mqlkit / (pandas + empty report), seconds", of("mqlkit run", *frames, i=0), "below 1"),
        ("mqlkit / (pandas + empty report), processor", of("mqlkit run", *frames, i=1), ""),
        ("peak of mqlkit, MB", peak, "at most 1,500" if is_large else ""),
    ]


def main() -> None:
    """Measure, and print tables."""
    per_lead = {}
    for n in map(int, LEADS):
        make_leads(n, DATA / str(n))
        rounds = []
        with tempfile.TemporaryDirectory() as name:
            for _ in range(ROUNDS):
                rounds.append(measure(n, Path(name)))
                load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
                print(f"  round of {n:,}: load {load}", file=sys.stderr)
            check(Path(name))
        print(f"\nMedians of {ROUNDS} rounds, {os.cpu_count()} cores, load {load}\n")
        print(table(n, rounds))
        print("\n| ratio | measured | wanted |\n|---|---:|---|")
        for label, value, wanted in ratios(n, rounds):
            print(f"| {label} | {value:,.2f} | {wanted} |")
        per_lead[n] = median(
            (r["mqlkit run"].wall - r["an empty report"].wall) / n * 1e6 for r in rounds
        )
    print("\n| leads | microseconds per lead, beyond the empty report |\n|---:|---:|")
    for n, microseconds in per_lead.items():
        print(f"| {n:,} | {microseconds:.2f} |")
    few, many = min(per_lead), max(per_lead)
    if many > few:
        ratio = per_lead[many] / per_lead[few]
        print(f"\nPer lead, {many:,} against {few:,}: {ratio:.2f}, wanted at most 1.15")


if __name__ == "__main__":
    main()
