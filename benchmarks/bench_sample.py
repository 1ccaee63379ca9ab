"""Is the sample report as quick as the two bare tools are for nothing?

One round runs, in turn, `mqlkit run` on the sample, and `papermill` then `jupyter nbconvert` on a
notebook that only imports pandas and altair. Whole processes by the clock on the wall; a warm-up
round first; medians; the ratio of the two is the figure that compares between machines.

    python benchmarks/bench_sample.py [ROUNDS]
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
# `jupyter` looks for its commands on PATH: those that stand beside this Python come first.
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")])}

NOTHING = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "imports",
            "metadata": {},
            "outputs": [],
            "source": "import pandas\nimport altair",
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def seconds(*command: str | Path) -> float:
    """Run a command and return how long it took."""
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    took = perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return took


def measure(folder: Path) -> tuple[float, float, float]:
    """Return the seconds of mqlkit, papermill and nbconvert in one round."""
    empty, executed = folder / "nothing.ipynb", folder / "executed.ipynb"
    empty.write_text(json.dumps(NOTHING), encoding="utf-8")
    params = ROOT / "params" / "mql_report.yaml"
    return (
        seconds("mqlkit", "run", params, "--out", folder / "reports"),
        seconds("papermill", empty, executed),
        seconds("jupyter", "nbconvert", "--to", "html", executed),
    )


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as name:
        rounds = [measure(Path(name)) for _ in range(1 + ROUNDS)][1:]
    report, papermill, nbconvert = (median(times) for times in zip(*rounds, strict=True))
    bare = median(p + n for _, p, n in rounds)
    ratio = median(r / (p + n) for r, p, n in rounds)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Medians of {ROUNDS} rounds, {os.cpu_count()} cores{load}")
    print(f"  mqlkit run, the sample report    {report:6.2f} s")
    print(f"  papermill, a notebook of imports {papermill:6.2f} s")
    print(f"  jupyter nbconvert --to html      {nbconvert:6.2f} s")
    print(f"  the two tools together           {bare:6.2f} s")
    print(f"  mqlkit / the two tools           {ratio:6.2f}   (wanted: at most 1)")


if __name__ == "__main__":
    main()
