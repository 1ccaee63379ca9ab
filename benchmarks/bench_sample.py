"""How long does the sample report take, compared with a plain notebook of three charts?

One round runs, in turn, `mqlkit run` on the sample (20 charts, intervals, row ledger), and
`papermill` then `jupyter nbconvert` on a notebook that reads the same leads with pandas and draws
three Altair charts. Whole processes, wall time; a warm-up round first; medians. The ratio is the
figure that compares between machines. After that, the stages of `mqlkit run` are printed, from its
log and from the times in the executed notebook.

    make report                                           first: installs what running needs
    .venv/bin/python benchmarks/bench_sample.py [ROUNDS]
"""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, time

ROOT = Path(__file__).parents[1]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
# `jupyter` finds its subcommands on PATH; those beside this Python come first.
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")])}
WANTED = 1.2

RIVAL_CELLS = [
    """\
from glob import glob

import altair as alt
import pandas as pd

alt.renderers.enable("html")
dates = ["created_at", "mql_at", "accepted_at", "rejected_at", "sql_at"]
files = sorted(glob("data/sample/leads-*.csv"))
leads = pd.concat(pd.read_csv(path) for path in files)
leads[dates] = leads[dates].apply(pd.to_datetime, errors="coerce")
mqls = leads.drop_duplicates("lead_id").dropna(subset=["mql_at"])
mqls["month"] = mqls["mql_at"].dt.strftime("%Y-%m")""",
    """\
by_source = mqls.groupby(["month", "source"]).size().reset_index(name="mqls")
alt.Chart(by_source).mark_bar().encode(x="month", y="mqls", color="source")""",
    """\
rate = mqls.groupby("month")["sql_at"].agg(lambda at: at.notna().mean()).reset_index(name="rate")
alt.Chart(rate).mark_line().encode(x="month", y="rate")""",
    """\
waited = mqls["accepted_at"].fillna(mqls["rejected_at"]) - mqls["mql_at"]
days = pd.DataFrame({"days": (waited.dt.total_seconds() / 86_400).dropna()})
alt.Chart(days).mark_bar().encode(x=alt.X("days", bin=True), y="count()")""",
]


def rival_notebook() -> str:
    """Return the rival's notebook as JSON."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(RIVAL_CELLS)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def seconds(*command: str | Path) -> float:
    """Run a Python module and return how long it took."""
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


def measure(folder: Path) -> tuple[dict[str, float], float, float]:
    """Return the stages of mqlkit, and the seconds of papermill and nbconvert, in one round."""
    notebook, executed = folder / "rival.ipynb", folder / "executed.ipynb"
    notebook.write_text(rival_notebook(), encoding="utf-8")
    return (
        stages(folder),
        seconds("papermill", notebook, executed),
        seconds("jupyter", "nbconvert", "--to", "html", executed),
    )


def stages(folder: Path) -> dict[str, float]:
    """Run the sample report and return the seconds of each stage, and of all."""
    out, log = folder / "reports", folder / "log.jsonl"
    log.unlink(missing_ok=True)
    params = ROOT / "params" / "mql_report.yaml"
    began = time()
    total = seconds("mqlkit", "run", params, "--out", out, "--log-json", log)
    lines = log.read_text(encoding="utf-8").splitlines()
    at = {event["event"]: stamp(event["at"]) for event in map(json.loads, lines)}
    notebook = json.loads((out / "mql_report.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    cell_at = [stamp(cell["metadata"]["papermill"]["start_time"]) for cell in cells]
    ended_at = stamp(cells[-1]["metadata"]["papermill"]["end_time"])
    opens = next(i for i, cell in enumerate(cells) if "mk.open" in "".join(cell["source"]))
    page_at = (out / "mql_report.html").stat().st_mtime
    times = {
        "start of the process, imports": at["started"] - began,
        "wait for the kernel, parameters": cell_at[opens] - at["started"],
        "reading and numbers": cell_at[opens + 1] - cell_at[opens],
        "drawing": cell_at[-1] - cell_at[opens + 1],
        "metrics.json and lists": ended_at - cell_at[-1],
        "page": page_at - ended_at,
        "index, end of the process": began + total - page_at,
    }
    return {**times, "mqlkit run, the sample report": total}


def stamp(text: str) -> float:
    """Return an ISO timestamp in UTC, with or without an offset, as seconds since 1970."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def main() -> None:
    """Measure, and print two tables."""
    with tempfile.TemporaryDirectory() as name:
        rounds = [measure(Path(name)) for _ in range(1 + ROUNDS)][1:]
    by_stage, papermill, nbconvert = zip(*rounds, strict=True)
    *stage_names, whole = by_stage[0]
    rival = [p + n for p, n in zip(papermill, nbconvert, strict=True)]
    ratio = median(s[whole] / r for s, r in zip(by_stage, rival, strict=True))
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Medians of {ROUNDS} rounds, {os.cpu_count()} cores{load}")
    line("papermill, three charts", median(papermill))
    line("jupyter nbconvert --to html", median(nbconvert))
    line("both", median(rival))
    line(whole, median(stage[whole] for stage in by_stage))
    for stage_name in stage_names:
        line(f"  {stage_name}", median(stage[stage_name] for stage in by_stage))
    print(f"mqlkit / both: {ratio:.2f}   (wanted: at most {WANTED})")


def line(what: str, took: float) -> None:
    """Print a line of the table."""
    print(f"  {what:<36} {took:6.2f} s")


if __name__ == "__main__":
    main()
