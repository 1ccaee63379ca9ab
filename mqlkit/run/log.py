"""What happens in a run, as events, as JSON lines and in a terminal."""

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


class RunLog(Protocol):
    """Takes one event of a run."""

    def __call__(self, event: str, **facts: object) -> None:
        """Take an event.

        Parameters
        ----------
        event
            ``started`` (cells), ``cell`` (done), ``waiting`` and ``warning`` (text), ``written``
            (html), ``mailed`` (receivers), ``limit`` (text), ``failed`` (text), ``ended`` (code,
            seconds).
        **facts
            What there is to know about it; ``report`` is the params file.
        """


def unheard(event: str, **facts: object) -> None:
    """Take an event, and tell nobody."""


@contextmanager
def json_lines(path: Path | None) -> Iterator[RunLog]:
    """Return a log that adds each event to a file, as one line of JSON.

    Parameters
    ----------
    path
        The file, which earlier runs may have written to; None for no log.

    Raises
    ------
    RunError
        When it cannot be written to.
    """
    if path is None:
        yield unheard
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


SAID = ("waiting", "warning", "limit", "failed")


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
    """Tells people what happens: the paths of the pages on stdout, the rest on stderr.

    Where stderr is a terminal each report has a bar while it runs. Elsewhere, as under cron, only
    what needs a human is said.
    """

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()
        self._bars: dict[str, Any] = {}

    def __call__(self, event: str, **facts: object) -> None:
        """Take an event; see `runlog.RunLog`."""
        name = str(facts.get("report", ""))
        if event in SAID:
            # Text from data stands in it, and a terminal would act on some of that.
            lines = [harmless(line) for line in str(facts["text"]).split("\n")]
            self._say("mqlkit: " + "\n".join(lines) + "\n", sys.stderr)
        elif event == "written":
            self._say(f"{facts['html']}\n", sys.stdout)
        elif event == "ended":
            self._close(name)
        elif self._is_watched and event == "started":
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

    def _say(self, text: str, stream: Any) -> None:
        if not self._bars:
            stream.write(text)
            stream.flush()
            return
        from tqdm import tqdm

        # Above the bars, which are then drawn again.
        tqdm.write(text, file=stream, end="")

    def summary(self, results: Sequence[Result]) -> None:
        """Tell how several reports ended, where somebody watches."""
        if self._is_watched and len(results) > 1:
            sys.stderr.write("".join(f"{line}\n" for line in table_of(results)))

    def close(self) -> None:
        """Take away the bars that are left."""
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
