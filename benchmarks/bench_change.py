"""What a change on the control panel costs, against a full run: no file is read again.

One round is, in turn, `mqlkit run` with its HTML on the made-up leads, and every change below in a
process that has read them, as the panel makes it: first the numbers, then the headline, charts and
sentences, then the tables. Ratios are taken within a round; their medians are printed. The numbers
must cost at most a twentieth of the run; what is drawn costs the same whatever the leads.

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

import mqlkit  # noqa: E402
from mqlkit.core.params import ReportParams  # noqa: E402
from mqlkit.lab import report as controls  # noqa: E402
from mqlkit.lab.report import LiveReport  # noqa: E402
from mqlkit.pages import cells as page  # noqa: E402

DATA = Path(os.environ.get("MQLKIT_BENCH_DATA", HERE / "data"))
ROUNDS = int(os.environ.get("MQLKIT_BENCH_ROUNDS", "3"))
LEADS = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
MOST = 1 / 20
# Each on top of those before it.
CHANGES = {
    "lag 31 to 45 days": {"lag_days": 45},
    "rolling over 6": {"rolling": 6},
    "SLA 48 to 24 hours": {"sla": "24h"},
    "only one source": {"where": {"source": ["Web"]}},
    "all sources again": {"where": {}},
    "by quarter": {"grain": "quarter"},
    "another half-year": {"period": "2026-H1"},
    "SLA until contact": {"sla_stops_on": "contact"},
    "every entry": {"passes": "every"},
    "business clock": {"sla_clock": "business"},
}


def opened(params: ReportParams) -> LiveReport:
    """Return the report as it stands in JupyterLab, each of its parts drawn."""
    notebook = nbformat.read(HERE.parent / "notebooks" / "mql_report.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names = {"mk": mqlkit, "report": LiveReport(params)}
    for source in sources:
        if "report.show" in source:
            exec(source, names)
    return names["report"]


def full_run(params: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "mqlkit", "run", str(params), "--out", out]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        began = perf_counter()
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return perf_counter() - began


def changes(report: LiveReport, params: ReportParams) -> dict[str, list[float]]:
    """Return what each change takes: until the numbers, the charts, and all of it are there."""
    took = {}
    n_early = sum(not section.is_late for _, section in report._sections)
    for name, change in CHANGES.items():
        params = replace(params, **change)
        moments = [perf_counter()]
        faults = report._exploration.change(params)
        moments.append(perf_counter())
        for number, fault in enumerate(report._redraw(), start=1):
            assert not fault, fault
            if number == n_early:
                moments.append(perf_counter())
        moments.append(perf_counter())
        took[name] = [moment - moments[0] for moment in moments[1:]]
        assert not faults, faults
    return took


def main() -> int:
    path = make_leads(LEADS, DATA / str(LEADS))
    params = ReportParams.read(path)
    # There is no notebook here to display anything in.
    page.display = controls.display = lambda _: None
    ratios: dict[str, list[list[float]]] = {name: [] for name in CHANGES}
    for number in range(ROUNDS):
        whole = full_run(path)
        for name, took in changes(opened(params), params).items():
            ratios[name].append([seconds / whole for seconds in took])
        print(f"round {number + 1}: a run {whole:.1f} s", file=sys.stderr)
    print(f"{LEADS:,} leads; a change as a share of the whole run, median of {ROUNDS}:")
    slow = []
    for name, found in ratios.items():
        counted, seen, drawn = (median(each) for each in zip(*found, strict=True))
        print(
            f"  {name:<20} numbers {counted:.1%}, with charts {seen:.1%}, with tables {drawn:.1%}"
        )
        slow += [name] if counted > MOST else []
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
