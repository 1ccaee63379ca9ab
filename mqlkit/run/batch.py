"""Many reports: order, worker processes, index, exit code."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from multiprocessing import connection, get_context
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import (
    Interrupted,
    MqlkitError,
    ParamsError,
    RunError,
    disk_words,
    listed,
    report,
)
from mqlkit.core.params import ReportParams
from mqlkit.run.kernel import START_SECONDS, open_runtime
from mqlkit.run.log import Progress, Result, RunLog, json_lines
from mqlkit.run.output import check_out, pattern_of, report_lock, root_of
from mqlkit.run.report import Job, RunOptions, mail_failure, read_job, run_one
from mqlkit.run.signals import end_with_parent, interruptible, sigint_blocked

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

# A worker is killed this long after the timeout of its report. The kernel may start within the
# timeout or after it, and the report is stopped once it is up.
GRACE_SECONDS = START_SECONDS + 30
# For a process to end its kernel and remove its files.
CLEANUP_SECONDS = 10


def run_all(
    params: Sequence[Path], options: RunOptions, *, jobs: int = 1, log_json: Path | None = None
) -> int:
    """Run reports and return the highest exit code.

    A report that fails does not stop the others; its error goes to stderr.

    Parameters
    ----------
    params
        The params files.
    options
        How each is run.
    jobs
        How many run at a time.
    log_json
        A file that events are added to, as lines of JSON; None for none.

    Raises
    ------
    Interrupted
        If a signal stopped the run.
    """
    paths = list(dict.fromkeys(params))
    root = root_of(options.out)
    progress, is_new = Progress(), not root.exists()
    try:
        _check_names(paths)
        check_out(options.out, options.keep)
        with interruptible(), json_lines(log_json) as lines:

            def log(event: str, **facts: object) -> None:
                progress(event, **facts)
                lines(event, **facts)

            n_workers = min(jobs, len(paths))
            results = _run(_jobs(paths, options), options, n_workers=n_workers, log=log)
            codes = [result.code for result in results]
            if any(result.html for result in results):
                codes.append(_write_index(root, pattern_of(options.out), log))
    except MqlkitError as error:
        progress("failed", text=str(error))
        return error.exit_code
    finally:
        progress.close()
        if is_new:
            with suppress(OSError):
                root.rmdir()
    progress.summary(results)
    if progress.fault:
        progress("failed", text=progress.fault)
        codes.append(RunError.exit_code)
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


def _jobs(paths: Sequence[Path], options: RunOptions) -> list[Job]:
    """Return the jobs of params files, with the columns that they share of a source."""
    jobs = [read_job(path, options.overrides) for path in paths]
    columns: dict[str, list[list[str]]] = {}
    for job in jobs:
        if isinstance(job.params, ReportParams):
            columns.setdefault(job.params.source, []).append(job.params.lead_columns)
    shared = {
        source: tuple(dict.fromkeys(chain.from_iterable(lists)))
        for source, lists in columns.items()
        if len(lists) > 1
    }
    return [replace(job, shared_columns=shared.get(_source(job))) for job in jobs]


def _source(job: Job) -> str:
    return job.params.source if isinstance(job.params, ReportParams) else ""


def _run(jobs: Sequence[Job], options: RunOptions, *, n_workers: int, log: RunLog) -> list[Result]:
    """Return the result of each job in order; jobs on the same source run one after the other."""
    sources = list(dict.fromkeys(map(_source, jobs)))
    ordered = sorted(jobs, key=lambda job: sources.index(_source(job)))
    if n_workers > 1:
        results = run_in_workers(ordered, options, n_workers=n_workers, log=log)
    else:
        with open_runtime(is_kept=len(ordered) > 1) as runtime:
            results = [run_one(job, options, runtime=runtime, log=log) for job in ordered]
    by_path = {result.path: result for result in results}
    return [by_path[job.path] for job in jobs]


def _write_index(out: Path, pattern: str, log: RunLog) -> int:
    try:
        write_index(out, pattern)
    except OSError as error:
        log("failed", text=disk_words(out / "index.html", error))
        return RunError.exit_code
    return 0


def write_index(out: Path, pattern: str = ".") -> Path:
    """Write ``index.html`` over the reports of a folder; see `index.overview`.

    Parameters
    ----------
    out
        The folder.
    pattern
        Glob pattern of the reports' folders, relative to ``out``.
    """
    from mqlkit.pages.index import overview

    place, beside = out / "index.html", out / ".index.html.new"
    with report_lock(out, place.name, note=out, is_patient=True, say=lambda _: None):
        beside.write_text(overview(out, pattern), encoding="utf-8")
        beside.replace(place)
    return place


@dataclass
class Worker:
    """A process that runs one report after the other.

    Attributes
    ----------
    pipe
        Connection to the process.
    job
        The report that it runs; None if it is idle.
    began, deadline
        When it started on that, and when it must have ended.
    """

    process: SpawnProcess
    pipe: connection.Connection
    job: Job | None = None
    began: float = 0.0
    deadline: float | None = None

    def submit(self, job: Job, timeout: float | None) -> None:
        """Start a report."""
        self.job, self.began = job, monotonic()
        self.deadline = None if timeout is None else self.began + timeout + GRACE_SECONDS
        self.pipe.send(job)

    def end(self, *, seconds: float) -> None:
        """Terminate the process; kill it if that takes longer."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run_in_workers(
    jobs: Sequence[Job], options: RunOptions, *, n_workers: int, log: RunLog
) -> list[Result]:
    """Run reports in several processes.

    Parameters
    ----------
    jobs, options
        The reports, and how to run them.
    n_workers
        How many run at a time.
    log
        Receives the events of all reports.

    Returns
    -------
    list of Result
        How each ended, in the order of their ends.
    """
    waiting = deque(jobs)
    results: list[Result] = []
    workers: list[Worker] = []
    try:
        while len(results) < len(jobs):
            idle = [w for w in workers if w.job is None]
            while waiting and (idle or len(workers) < n_workers):
                if not idle:
                    workers.append(_start_worker(options))
                    idle.append(workers[-1])
                idle.pop().submit(waiting.popleft(), options.timeout)
            for worker in _ready_workers(workers):
                result = _next_result(worker, options, log)
                if result is not None:
                    results.append(result)
            workers = [w for w in workers if not w.pipe.closed]
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end(seconds=CLEANUP_SECONDS)
    return results


def _start_worker(options: RunOptions) -> Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with sigint_blocked():
        process = context.Process(target=work, args=(theirs, options))
        process.start()
    theirs.close()
    return Worker(process, ours)


def _ready_workers(workers: Sequence[Worker]) -> list[Worker]:
    """Wait for workers that have sent something or are past their deadline, and return them."""
    deadlines = [w.deadline for w in workers if w.job is not None and w.deadline is not None]
    wait_seconds = max(0.0, min(deadlines) - monotonic()) if deadlines else None
    ready = connection.wait([w.pipe for w in workers], wait_seconds)
    now = monotonic()
    late = {id(w) for w in workers if w.job and w.deadline is not None and w.deadline <= now}
    return [w for w in workers if w.pipe in ready or id(w) in late]


def _next_result(worker: Worker, options: RunOptions, log: RunLog) -> Result | None:
    """Return the result of a worker's report if it has ended; pass its events on."""
    job, why = worker.job, ""
    try:
        if worker.pipe.poll():
            kind, content = worker.pipe.recv()
            if kind == "event":
                event, facts = content
                log(event, **facts)
                return None
            worker.job = worker.deadline = None
            result: Result = content
            return result
        why = "did not stop when its time was up (--timeout), and was killed."
    except (EOFError, OSError):
        why = "the process that ran it was killed."
    worker.end(seconds=0 if "did not stop" in why else CLEANUP_SECONDS)
    if job is None:
        return None
    seconds = round(monotonic() - worker.began, 3)
    text = report(f"{job.path}: {why}", fix="run it again by itself")
    log = partial(log, report=str(job.path))
    log("failed", text=text)
    mail_failure(job.name, text, options, log=log)
    log("ended", code=RunError.exit_code, seconds=seconds)
    return Result(job.path, RunError.exit_code, seconds)


def work(pipe: connection.Connection, options: RunOptions) -> None:
    """Run the reports that come through a pipe, until it is closed."""
    end_with_parent()

    def send_event(event: str, **facts: Any) -> None:
        pipe.send(("event", (event, facts)))

    try:
        with interruptible(), open_runtime(is_kept=True) as runtime:
            while True:
                job = pipe.recv()
                pipe.send(("result", run_one(job, options, runtime=runtime, log=send_event)))
    except (EOFError, OSError, Interrupted):
        # The parent has ended or wants no more reports.
        return
