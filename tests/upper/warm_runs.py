"""Run command lines of mqlkit in one process, on one kernel that stays warm.

Each line of stdin is a JSON object with ``cwd``, ``words`` and ``largest_file``, the limit of the
size of files in bytes (null: none). Each reply is a line of JSON: exit code, stdout and stderr.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import psutil

from mqlkit.run import batch
from mqlkit.run.cli import main
from mqlkit.run.kernel import ReportRuntime
from mqlkit.run.output import temporary_folder


class KeptRuntime(ReportRuntime):
    """A runtime that outlives one command."""

    @contextmanager
    def opened(self, *, is_kept: bool = False) -> Iterator[ReportRuntime]:
        """Take the place of `mqlkit.run.kernel.open_runtime`."""
        yield self


@contextmanager
def limited_files(largest: int | None) -> Iterator[None]:
    """Limit the size of files that this process and its kernel write."""
    if largest is None:
        yield
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    _limit_files((largest, limits[1]))
    try:
        yield
    finally:
        _limit_files(limits)


def _limit_files(limits: tuple[int, int]) -> None:
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        process.rlimit(psutil.RLIMIT_FSIZE, limits)


def run(words: list[str], cwd: str, largest_file: int | None) -> list[object]:
    """Run one command line in a folder and return exit code, stdout and stderr."""
    os.chdir(cwd)
    out, errors = StringIO(), StringIO()
    with limited_files(largest_file), redirect_stdout(out), redirect_stderr(errors):
        try:
            code = main(words)
        except SystemExit as stopped:
            code = stopped.code
    return [code, out.getvalue(), errors.getvalue()]


def serve() -> None:
    """Run command lines from stdin until it is closed."""
    # Child processes inherit file descriptor 1, so replies go elsewhere.
    with os.fdopen(os.dup(1), "w") as replies, temporary_folder() as folder:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        runtime = KeptRuntime(folder, is_kept=True)
        batch.open_runtime = runtime.opened
        try:
            for line in sys.stdin:
                replies.write(json.dumps(run(**json.loads(line))) + "\n")
                replies.flush()
        finally:
            runtime.discard()


if __name__ == "__main__":
    serve()
