"""A folder for reports of one's own: notebooks, a params file, and a source.yaml to fill in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import mqlkit
from mqlkit.coverage import available
from mqlkit.draft import FILL_IN, draft_source
from mqlkit.errors import ParamsError, report
from mqlkit.periods import DAY, Calendar, add_months
from mqlkit.sources.shown import TableLook
from mqlkit.sources.spec import SourceSpec
from mqlkit.terminal import harmless

PARAMS = "params/mql_report.yaml"
SOURCE = "source.yaml"


@dataclass(frozen=True)
class Workspace:
    """What was laid down.

    Attributes
    ----------
    written
        The files, in the order in which a person needs them.
    to_fill_in
        File, number and text of each line that is yet to be filled in.
    """

    written: tuple[Path, ...]
    to_fill_in: tuple[tuple[Path, int, str], ...]


def kit_notebooks() -> Path:
    """Return the folder of the kit's own notebooks: in the package of a wheel, beside it else."""
    package = Path(mqlkit.__file__).parent
    within = package / "notebooks"
    return within if within.is_dir() else package.parent / "notebooks"


def lay_down(folder: Path, source: SourceSpec | None, looks: Sequence[TableLook]) -> Workspace:
    """Write a workspace.

    Parameters
    ----------
    folder
        Made if needed. Whatever is in it stays.
    source, looks
        The exports sorted into tables, and what they hold; None and nothing for a form to fill in.

    Raises
    ------
    ParamsError
        When a file is there already, or cannot be written; nothing is written then.
    """
    notebooks = sorted(kit_notebooks().glob("*.ipynb"))
    texts = {
        SOURCE: draft_source(source, looks, folder=folder),
        PARAMS: params_yaml(looks),
    }
    targets = [folder / name for name in (*texts, *(f"notebooks/{n.name}" for n in notebooks))]
    if there := [str(path) for path in targets if path.exists()]:
        raise ParamsError(
            report(
                f"{folder}: {len(there)} of the files to write are there already.",
                found=", ".join(there),
                fix="give another folder; nothing is written over",
            )
        )
    try:
        for path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for notebook in notebooks:
            shutil.copyfile(notebook, folder / "notebooks" / notebook.name)
    except OSError as error:
        raise ParamsError(
            report(f"{folder}: cannot be written ({error}).", fix="give another folder")
        ) from None
    return Workspace(
        written=tuple(targets),
        to_fill_in=tuple(
            (folder / name, number, line)
            for name, text in texts.items()
            for number, line in enumerate(text.splitlines(), start=1)
            if FILL_IN in line
        ),
    )


def next_steps(made: Workspace) -> list[str]:
    """Return what was written and what to do with it, as lines for a terminal."""
    lines = [f"wrote {path}" for path in made.written]
    source, params = made.written[:2]
    if made.to_fill_in:
        count = len(made.to_fill_in)
        lines += ["", f"{count} line{'' if count == 1 else 's'} to fill in:"]
        lines += [
            f"  {path}:{number}: {' '.join(text.split())}" for path, number, text in made.to_fill_in
        ]
    lines += ["", "Next:", f"  mqlkit check {source}", f"  mqlkit run {params}"]
    return [harmless(line) for line in lines]


def params_yaml(looks: Sequence[TableLook]) -> str:
    """Return a params file, with what the data says about period and breakdowns."""
    there = available(looks)
    ranges = [(o.first, o.last) for o in looks if o.table in ("leads", "history")]
    starts = [first for first, _ in ranges if first]
    ends = [last for _, last in ranges if last]
    period, why = "last-quarter", "the last complete quarter before as_of"
    if looks:
        # Where a question keeps the dates from being read: enough to be sure to meet some.
        period, why = "last-12-months", "the last twelve complete months before as_of"
    if starts and ends:
        period, why = _period(min(starts), max(ends))
    by = [name for name in ("source", "owner") if name in there]
    rows = [
        ("report", "mql_report", "the notebook, in notebooks/"),
        ("title", "MQL report", "printed at the top"),
        ("source", "../source.yaml", "where the data is, from this file"),
        ("period", period, why),
        ("grain", "month", "one bucket a month; or week, quarter, half, year"),
        ("as_of", "auto", "the latest stamp in the data; better: the day of the export"),
        ("lag_days", "auto", "days from net-new to MQL that spend is shifted by; measured"),
        ("sla", "48h", "the time sales has for an MQL: put in what was agreed on"),
        ("sla_clock", "calendar", "runs at night and at weekends too; or business"),
        ("by", f"[{', '.join(by)}]", "breakdowns: columns of the leads"),
    ]
    lines = [f"{f'{name}: {value}':<36} # {words}" for name, value, words in rows]
    head = f"# One report: `mqlkit run {PARAMS}`. The README has all parameters."
    return "\n".join([head, *lines]) + "\n"


def _period(first: date, last: date) -> tuple[str, str]:
    """Return the last complete quarter that the data covers, or the months that it has."""
    calendar = Calendar(1)
    start = calendar.start_of(last, "quarter")
    if last + DAY < calendar.next_start(start, "quarter"):
        start = add_months(start, -3)
    if calendar.next_start(start, "quarter") > first:
        return calendar.label(start, "quarter"), "the last complete quarter in the data"
    return f"{first:%Y-%m}..{last:%Y-%m}", "the months in the data; no quarter is complete"
