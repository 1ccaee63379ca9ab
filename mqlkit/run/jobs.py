"""Reports side by side, in worker processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from mqlkit.core.errors import Interrupted, RunError, report
from mqlkit.run.kernel import LONGEST_START
from mqlkit.run.log import Result, RunLog
from mqlkit.run.report import Manner
from mqlkit.run.runtime import open_press
from mqlkit.run.signals import deaf_children, end_with_parent, interruptible
from mqlkit.run.turn import mail_failure, take_turn

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

# Seconds that a worker has beyond the timeout of its report before it is killed. The kernel may
# start within the timeout or after it, and the report is stopped once it is up.
GRACE = LONGEST_START + 30
# What it takes to end a kernel and remove its files.
LONGEST_TIDYING = 10


@dataclass
class Worker:
    """A process that runs one report after the other.

    Attributes
    ----------
    line
        The pipe to it.
    path
        The report that it is at; None while it has nothing to do.
    began, deadline
        When it got that, and when it must be through.
    """

    process: SpawnProcess
    line: connection.Connection
    path: Path | None = None
    began: float = 0.0
    deadline: float | None = None

    def give(self, path: Path, timeout: float | None) -> None:
        """Have it run a report."""
        self.path, self.began = path, monotonic()
        self.deadline = None if timeout is None else self.began + timeout + GRACE
        self.line.send(path)

    def end(self, *, seconds: float) -> None:
        """End the process: asked first, killed if it takes longer."""
        self.line.close()
        self.process.terminate()
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run_side_by_side(
    params: Sequence[Path],
    manner: Manner,
    *,
    jobs: int,
    log: RunLog,
    shared: Mapping[str, Sequence[str]],
) -> list[Result]:
    """Run reports in several processes.

    Parameters
    ----------
    params
        The params files.
    manner
        How they are run.
    jobs
        How many at a time.
    log
        Is told what happens in any of them.
    shared
        As in `runtime.Press`.

    Returns
    -------
    list of Result
        How each ended, in the order of ``params``.
    """
    waiting, results = deque(params), dict[Path, Result]()
    workers: list[Worker] = []
    try:
        while len(results) < len(params):
            idle = [w for w in workers if w.path is None]
            while waiting and (idle or len(workers) < jobs):
                if not idle:
                    workers.append(_hired(manner, shared))
                    idle.append(workers[-1])
                idle.pop().give(waiting.popleft(), manner.timeout)
            for worker in _heard(workers):
                result = _next_result(worker, manner, log)
                if result is not None:
                    results[result.path] = result
            workers = [w for w in workers if not w.line.closed]
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end(seconds=LONGEST_TIDYING)
    return [results[path] for path in params]


def _hired(manner: Manner, shared: Mapping[str, Sequence[str]]) -> Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with deaf_children():
        process = context.Process(target=work, args=(theirs, manner, shared))
        process.start()
    theirs.close()
    return Worker(process, ours)


def _heard(workers: Sequence[Worker]) -> list[Worker]:
    """Return the workers that have something to say, or are overdue."""
    deadlines = [w.deadline for w in workers if w.path is not None and w.deadline is not None]
    patience = max(0.0, min(deadlines) - monotonic()) if deadlines else None
    ready = connection.wait([w.line for w in workers], patience)
    now = monotonic()
    late = {id(w) for w in workers if w.path and w.deadline is not None and w.deadline <= now}
    return [w for w in workers if w.line in ready or id(w) in late]


def _next_result(worker: Worker, manner: Manner, log: RunLog) -> Result | None:
    """Return the result of a worker's report if that is what it says; pass its events on."""
    path, why = worker.path, ""
    try:
        if worker.line.poll():
            kind, content = worker.line.recv()
            if kind == "event":
                event, facts = content
                log(event, **facts)
                return None
            worker.path = worker.deadline = None
            result: Result = content
            return result
        why = "did not stop when its time was up (--timeout), and was killed."
    except (EOFError, OSError):
        why = "the process that ran it was killed."
    worker.end(seconds=0 if "did not stop" in why else LONGEST_TIDYING)
    if path is None:
        return None
    seconds = round(monotonic() - worker.began, 3)
    text = report(f"{path}: {why}", fix="run it again by itself")
    log("failed", report=str(path), text=text)
    mail_failure(path, text, manner, log=partial(log, report=str(path)))
    log("ended", report=str(path), code=RunError.exit_code, seconds=seconds)
    return Result(path, RunError.exit_code, seconds)


def work(line: connection.Connection, manner: Manner, shared: Mapping[str, Sequence[str]]) -> None:
    """Run reports as they come through a pipe, until it is closed."""
    end_with_parent()

    def tell(event: str, **facts: Any) -> None:
        line.send(("event", (event, facts)))

    try:
        with interruptible(), open_press(shared) as press:
            while True:
                path = line.recv()
                line.send(("result", take_turn(path, manner, press=press, log=tell)))
    except (EOFError, OSError, Interrupted):
        # Nobody is there any more who would want a report.
        return
