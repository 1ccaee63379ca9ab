"""Do ten reports over one export of a million leads cost at most four times one report?

One round runs, in turn, `mqlkit run` on one params file, and on ten with `--jobs 2`, as whole
processes with their HTML. The ten differ as reports of one team do: breakdowns, the SLA, the
rolling average, the length of the period. Medians of the ratios within a round are printed.

    python benchmarks/bench_batch.py [LEADS]            one million when left out

MQLKIT_BENCH_ROUNDS sets the rounds (3), MQLKIT_BENCH_DATA the folder of the made-up export.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from bench_large import DATA, LEADS, ROUNDS, cost
from make_leads import make_leads

RUN = ("-m", "mqlkit", "run")
TEN = [
    {},
    {"by": "[owner]"},
    {"by": "[source, owner]"},
    {"sla": "24h"},
    {"sla": "72h", "by": "[owner]"},
    {"rolling": "6"},
    {"rolling": "12", "by": "[owner]"},
    {"period": "2026-H1"},
    {"period": "2026-Q2", "by": "[source, owner]"},
    {"grain": "quarter"},
]


def ten_of(params: Path, folder: Path) -> list[Path]:
    """Return ten params files that differ from a given one."""
    lines = dict(line.split(": ", 1) for line in params.read_text().splitlines())
    lines["source"] = str(params.parent / "source.yaml")
    paths = []
    for number, changes in enumerate(TEN, start=1):
        content = {**lines, "title": f"Report {number}", **changes}
        paths.append(folder / f"report_{number}.yaml")
        paths[-1].write_text("".join(f"{name}: {value}\n" for name, value in content.items()))
    return paths


def main() -> None:
    """Measure, and print the ratio."""
    params = make_leads(int(LEADS[0]), DATA / LEADS[0])
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ten = ten_of(params, folder)
        for _ in range(ROUNDS):
            one = cost(*RUN, ten[0], "--out", folder / "one")
            all_ten = cost(*RUN, *ten, "--jobs", "2", "--out", folder / "ten")
            same = (folder / "one" / "report_1.metrics.json").read_bytes()
            if (folder / "ten" / "report_1.metrics.json").read_bytes() != same:
                sys.exit("a report is another one in company than alone")
            rounds.append((one, all_ten))
    for what, i, unit in (("by the clock", 0, "s"), ("of the processors", 1, "s")):
        first, second = (median(r[k][i] for r in rounds) for k in (0, 1))
        ratio = median(ten[i] / one[i] for one, ten in rounds)
        wanted = "   (wanted: at most 4)" if i == 0 else ""
        print(
            f"{what}: one report {first:.1f} {unit}, ten {second:.1f} {unit}: {ratio:.2f}{wanted}"
        )


if __name__ == "__main__":
    main()
