"""What a change on the control panel costs, against a full run: no file is read again.

One round is, in turn, `mqlkit run` with its HTML on the made-up leads, and in one process that has
read them, every change below with all the parts of the report drawn from it. Ratios are taken
within a round; their medians are printed. A change of the lag or of the SLA must cost at most a
twentieth of the run.

    python benchmarks/bench_change.py [LEADS]           one million when left out

MQLKIT_BENCH_ROUNDS sets the rounds (3), MQLKIT_BENCH_DATA the folder of the made-up exports.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import nbformat
from make_leads import make_leads

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from mqlkit import change_sentences, charts, headline, page, sentences, since, tables  # noqa: E402
from mqlkit.exploration import Exploration  # noqa: E402
from mqlkit.params import ReportParams  # noqa: E402

DATA = Path(os.environ.get("MQLKIT_BENCH_DATA", HERE / "data"))
ROUNDS = int(os.environ.get("MQLKIT_BENCH_ROUNDS", "3"))
LEADS = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
MOST = 1 / 20
# Each on top of those before it; the ones in PROMISED are held to `MOST`.
CHANGES = {
    "lag 31 to 45 days": {"lag_days": 45},
    "rolling over 6": {"rolling": 6},
    "SLA 48 to 24 hours": {"sla": "24h"},
    "only one source": {"where": {"source": ["Web"]}},
    "all sources again": {"where": {}},
    "by quarter": {"grain": "quarter"},
    "another half-year": {"period": "2026-H1"},
}
PROMISED = tuple(CHANGES)[:3]


class Recorder:
    """Stands for the view of a notebook: draws what its cells ask for, and shows nothing."""

    def __init__(self, numbers):
        self.numbers = numbers

    def show(self, *draws):
        for part in page.drawn(self.numbers, draws):
            if part is not None:
                page.bundle(part)

    def show_by(self, *draws, most=None):
        for part in page.drawn_by(self.numbers, draws, self.numbers.params.by[:most]):
            if part is not None:
                page.bundle(part)


def cells():
    """Return the cells of the report that show something."""
    notebook = nbformat.read(HERE.parent / "notebooks" / "mql_report.ipynb", as_version=4)
    shown = [c.source for c in notebook.cells if c.cell_type == "code" and "view.show" in c.source]
    return [compile(source, "cell", "exec") for source in shown]


def full_run(params: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "mqlkit.cli", "run", str(params), "--out", out]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        began = perf_counter()
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return perf_counter() - began


def changes(exploration: Exploration, params: ReportParams) -> dict[str, float]:
    names = {
        "change_sentences": change_sentences, "charts": charts, "headline": headline,
        "sentences": sentences, "since": since, "tables": tables,
    }  # fmt: skip
    took = {}
    drawn = cells()
    for name, change in CHANGES.items():
        params = replace(params, **change)
        began = perf_counter()
        faults = exploration.change(params)
        view = Recorder(exploration.numbers)
        for cell in drawn:
            exec(cell, {**names, "view": view})
        took[name] = perf_counter() - began
        assert not faults, faults
    return took


def main() -> int:
    path = make_leads(LEADS, DATA / str(LEADS))
    params = ReportParams.read(path)
    ratios: dict[str, list[float]] = {name: [] for name in CHANGES}
    for number in range(ROUNDS):
        whole = full_run(path)
        took = changes(Exploration(params), params)
        for name, seconds in took.items():
            ratios[name].append(seconds / whole)
        print(f"round {number + 1}: a run {whole:.1f} s", file=sys.stderr)
    print(f"{LEADS:,} leads; a change as a share of the whole run, median of {ROUNDS}:")
    for name, found in ratios.items():
        print(f"  {name:<20} 1/{1 / median(found):<6.1f} ({median(found):.1%})")
    return int(any(median(ratios[name]) > MOST for name in PROMISED))


if __name__ == "__main__":
    sys.exit(main())
