"""Events of a run: as lines of JSON, and in a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from mqlkit.core.errors import RunError, disk_words
from mqlkit.core.terminal import harmless
from mqlkit.run.guard import not_printed, silence


class RunLog(Protocol):
    """A function that receives the events of a run."""

    def __call__(self, event: str, **facts: object) -> None:
        """Receive an event.

        Parameters
        ----------
        event
            ``started`` (cells), ``cell`` (done), ``waiting`` and ``warning`` (text), ``written``
            (html), ``mailed`` (receivers), ``limit`` (text), ``failed`` (text), ``ended`` (code,
            seconds).
        **facts
            Its facts; ``report`` is the params file.
        """


def null_log(event: str, **facts: object) -> None:
    """Ignore an event."""


@contextmanager
def json_lines(path: Path | None) -> Iterator[RunLog]:
    """Return a log that adds each event to a file, as one line of JSON.

    Parameters
    ----------
    path
        The file; lines of earlier runs stay. None for no log.

    Raises
    ------
    RunError
        If it cannot be written.
    """
    if path is None:
        yield null_log
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise RunError(disk_words(path, error)) from None
    with file:
        yield lambda event, **facts: _write(file, event, facts)


def _write(file: IO[str], event: str, facts: dict[str, object]) -> None:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
    file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    file.flush()


MESSAGES = ("waiting", "warning", "limit", "failed")


@dataclass(frozen=True)
class Result:
    """How one report ended.

    Attributes
    ----------
    path
        Its params file.
    code
        Its exit code.
    seconds
        How long it took.
    html
        Where the page is; None where there is none.
    """

    path: Path
    code: int
    seconds: float
    html: str | None = None

    @property
    def word(self) -> str:
        """Return the exit code in a word."""
        return {0: "done", 1: "failed", 2: "not run", 3: "limit broken"}.get(self.code, "stopped")


class Progress:
    """Prints the paths of the pages to stdout, and everything else to stderr.

    On a terminal, each report has a progress bar while it runs. Elsewhere, such as under cron, only
    messages that need attention are printed.

    Attributes
    ----------
    fault
        Why the paths could not be printed; empty if they were.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._is_terminal = sys.stderr.isatty()
        self._bars: dict[str, Any] = {}

    def __call__(self, event: str, **facts: object) -> None:
        """Receive an event; see `RunLog`."""
        name = str(facts.get("report", ""))
        if event in MESSAGES:
            # It can contain text from the data, with characters that a terminal would act on.
            lines = [harmless(line) for line in str(facts["text"]).split("\n")]
            self._print("mqlkit: " + "\n".join(lines) + "\n", sys.stderr)
        elif event == "written":
            self._print(f"{facts['html']}\n", sys.stdout)
        elif event == "ended":
            self._close(name)
        elif self._is_terminal and event == "started":
            self._open(name, int(str(facts["cells"])))
        elif event == "cell" and name in self._bars:
            bar = self._bars[name]
            bar.update(int(str(facts["done"])) - bar.n)

    def _open(self, name: str, cells: int) -> None:
        from tqdm import tqdm

        taken = {abs(bar.pos) for bar in self._bars.values()}
        place = next(i for i in range(len(taken) + 1) if i not in taken)
        self._bars[name] = tqdm(
            total=cells, desc=Path(name).stem, unit="cell", position=place, leave=False,
            dynamic_ncols=True,
        )  # fmt: skip

    def _close(self, name: str) -> None:
        bar = self._bars.pop(name, None)
        if bar is not None:
            bar.close()

    def _print(self, text: str, stream: Any) -> None:
        try:
            self._printed(text, stream)
        except OSError as error:
            silence(stream)
            # A reader that has ended, such as `head`, wants no more.
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                self.fault = not_printed(error)

    def _printed(self, text: str, stream: Any) -> None:
        if not self._bars:
            stream.write(text)
            stream.flush()
            return
        from tqdm import tqdm

        # Writes above the bars.
        tqdm.write(text, file=stream, end="")

    def summary(self, results: Sequence[Result]) -> None:
        """Print how several reports ended, on a terminal."""
        if self._is_terminal and len(results) > 1:
            sys.stderr.write("".join(f"{line}\n" for line in table_of(results)))

    def close(self) -> None:
        """Remove the remaining bars."""
        for name in list(self._bars):
            self._close(name)


def table_of(results: Sequence[Result]) -> list[str]:
    """Return the results as lines of text.

    >>> table_of([Result(Path("params/q1.yaml"), 0, 8.26, "reports/q1.html")])[1]
    'done              8.3 s  params/q1.yaml'
    """
    lines = [f"{'':<12}{'time':>10}  report"]
    lines += [f"{r.word:<12}{r.seconds:>8.1f} s  {harmless(str(r.path))}" for r in results]
    return lines
