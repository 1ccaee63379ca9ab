"""What happens in a run, as events: for a terminal, for a log file, for whoever waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from mqlkit.errors import RunError, disk_words


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
