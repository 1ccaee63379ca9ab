"""Many reports: side by side or one after the other, an index over the folder, one exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mqlkit.dress import plain_page
from mqlkit.errors import MqlkitError, ParamsError, RunError, disk_words, listed, report
from mqlkit.interrupts import interruptible
from mqlkit.jobs import run_side_by_side
from mqlkit.lock import only_run, own_folder
from mqlkit.naming import check_out, pattern_of, root_of
from mqlkit.params import ReportParams
from mqlkit.press import open_press
from mqlkit.progress import Progress, Result
from mqlkit.report import Manner
from mqlkit.runlog import RunLog, json_lines
from mqlkit.sharing import write_plan
from mqlkit.turn import take_turn


def run_all(
    params: Sequence[Path], manner: Manner, *, jobs: int = 1, log_json: Path | None = None
) -> int:
    """Run reports and return the highest exit code.

    One that fails does not stop the rest; its error goes to stderr.

    Parameters
    ----------
    params
        The params files.
    manner
        How each is run.
    jobs
        How many at a time.
    log_json
        A file that gets a line of JSON for all that happens; None for none.

    Raises
    ------
    Interrupted
        When a signal came to end the run.
    """
    paths = list(dict.fromkeys(params))
    root = root_of(manner.out)
    progress, is_new = Progress(), not root.exists()
    try:
        _check_names(paths)
        check_out(manner.out, manner.keep)
        with interruptible(), json_lines(log_json) as lines:

            def log(event: str, **facts: object) -> None:
                progress(event, **facts)
                lines(event, **facts)

            results = _run(paths, manner, jobs=min(jobs, len(paths)), log=log)
            codes = [result.code for result in results]
            if any(result.html for result in results):
                codes.append(_indexed(root, pattern_of(manner.out), log))
    except MqlkitError as error:
        progress("failed", text=str(error))
        return error.exit_code
    finally:
        progress.close()
        if is_new:
            with suppress(OSError):
                root.rmdir()
    progress.summary(results)
    return max(codes)


def _check_names(params: Sequence[Path]) -> None:
    """Refuse params files whose reports would overwrite each other."""
    by_name: dict[str, list[Path]] = {}
    for path in params:
        by_name.setdefault(path.stem, []).append(path)
    faults = [
        report(
            f"{len(paths)} params files are called {name!r}, and so would be their reports.",
            found=listed(paths),
            fix="rename one, or run them into different folders with --out",
        )
        for name, paths in by_name.items()
        if len(paths) > 1
    ]
    if faults:
        raise ParamsError("\n".join(faults))


def _run(params: Sequence[Path], manner: Manner, *, jobs: int, log: RunLog) -> list[Result]:
    if len(params) == 1:
        with open_press() as press:
            return [take_turn(params[0], manner, press=press, log=log)]
    with own_folder() as readings:
        write_plan(readings, _shared(params, manner.overrides))
        if jobs > 1:
            return run_side_by_side(params, manner, jobs=jobs, log=log, readings=readings)
        with open_press(readings) as press:
            return [take_turn(path, manner, press=press, log=log) for path in params]


def _shared(params: Sequence[Path], overrides: Sequence[str]) -> dict[Path, list[str]]:
    """Return the sources that several reports use, each with the columns they want of it."""
    wanted: dict[Path, list[list[str]]] = {}
    for path in params:
        # What is wrong with a params file is said when it is that report's turn.
        with suppress(MqlkitError):
            found = ReportParams.read(path, overrides)
            wanted.setdefault(Path(found.source), []).append([*found.by, *found.where])
    return {
        source: list(dict.fromkeys(chain.from_iterable(columns)))
        for source, columns in wanted.items()
        if len(columns) > 1
    }


def _indexed(out: Path, pattern: str, log: RunLog) -> int:
    try:
        write_index(out, pattern)
    except OSError as error:
        log("failed", text=disk_words(out / "index.html", error))
        return RunError.exit_code
    return 0


def write_index(out: Path, pattern: str = ".") -> Path:
    """Write ``index.html`` over the reports of a folder, the latest period first.

    Parameters
    ----------
    out
        The folder.
    pattern
        Where the reports are below it.
    """
    paths = sorted(out.glob(f"{pattern}/*.metrics.json"))
    found = [entry for path in paths if (entry := _entry(path, out))]
    rows = "".join(
        f'<li><a href="{quote(name)}.html">{escape(str(document["title"]))}</a> '
        f"<span>{_period(document)}</span></li>"
        for _, name, document in sorted(found, key=lambda f: f[:2], reverse=True)
    )
    page = plain_page("Reports", f'<h1>Reports</h1><ul class="reports">{rows}</ul>')
    place, beside = out / "index.html", out / ".index.html.new"
    with only_run(out, place.name, note=out, is_patient=True, say=lambda _: None):
        beside.write_text(page, encoding="utf-8")
        beside.replace(place)
    return place


def _entry(path: Path, out: Path) -> tuple[str, str, dict[str, Any]] | None:
    """Return period's end, place and document of a report; None for a file that is none of ours."""
    name = path.relative_to(out).as_posix().removesuffix(".metrics.json")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        end = f"{document['period']['end']} {document['as_of']}"
    except (ValueError, KeyError, TypeError, OSError):
        return None
    return (end, name, document) if (out / f"{name}.html").is_file() else None


def _period(document: dict[str, Any]) -> str:
    period = document["period"]
    as_of = re.sub(r"T.*", "", document["as_of"])
    return escape(f"{period['start']} to {period['end']} (not included), as of {as_of}")
