"""Many reports: order, index, exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from mqlkit.core.errors import MqlkitError, ParamsError, RunError, disk_words, listed, report
from mqlkit.core.params import ReportParams
from mqlkit.pages.index import overview
from mqlkit.run.log import Progress, Result, RunLog, json_lines
from mqlkit.run.output import check_out, only_run, pattern_of, root_of
from mqlkit.run.report import Manner
from mqlkit.run.runtime import open_press
from mqlkit.run.signals import interruptible
from mqlkit.run.turn import take_turn


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
    shared = _shared(params, manner.overrides)
    if jobs > 1:
        from mqlkit.run.jobs import run_side_by_side

        return run_side_by_side(params, manner, jobs=jobs, log=log, shared=shared)
    with open_press(shared) as press:
        return [take_turn(path, manner, press=press, log=log) for path in params]


def _shared(params: Sequence[Path], overrides: Sequence[str]) -> dict[str, list[str]]:
    """Return the sources that several reports use, each with the columns they want of it."""
    wanted: dict[str, list[list[str]]] = {}
    for path in params:
        # What is wrong with a params file is said when it is that report's turn.
        with suppress(MqlkitError):
            found = ReportParams.read(path, overrides)
            wanted.setdefault(found.source, []).append([*found.by, *found.where])
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
    """Write ``index.html`` over the reports of a folder; see `overview.overview`.

    Parameters
    ----------
    out
        The folder.
    pattern
        Where the reports are below it.
    """
    place, beside = out / "index.html", out / ".index.html.new"
    with only_run(out, place.name, note=out, is_patient=True, say=lambda _: None):
        beside.write_text(overview(out, pattern), encoding="utf-8")
        beside.replace(place)
    return place
