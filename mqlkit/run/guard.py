"""Errors that nothing expects, as one sentence and a file with details."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from platformdirs import user_log_path

from mqlkit import __version__
from mqlkit.core.errors import FULL, MqlkitError, ResourceError, RunError, disk_words, report
from mqlkit.core.files import reason

# Errors of the libraries that compute, by name: not every command loads them.
MEMORY_ERRORS = ("MemoryError", "_ArrayMemoryError", "ArrowMemoryError", "OutOfMemoryException")
TOO_LITTLE_MEMORY = "there is too little memory for this report"
LEAVE_OUT = (
    "leave something out: a breakdown of `by` with very many values, or leads by a filter in "
    "`where`; or take a coarser `grain` or a shorter `period`"
)
# A part of a URL such as postgres://user:password@host.
PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@]+@")
COLORS = re.compile(r"\x1b\[[0-9;]*m")
ABOUT = (
    "It has the versions and the place in the code, and no rows of the data but what the error "
    "itself names; passwords are removed."
)


def as_expected(error: Exception, what: str) -> MqlkitError:
    """Return an error of mqlkit for any other, which goes with its traceback to a file.

    Parameters
    ----------
    error
        What was raised.
    what
        What was done, such as the name of a params file.
    """
    if isinstance(error, MqlkitError):
        return error
    if type(error).__name__ in MEMORY_ERRORS:
        return ResourceError(report(f"{what}: {TOO_LITTLE_MEMORY}.", fix=LEAVE_OUT))
    if isinstance(error, OSError) and error.errno in FULL:
        return ResourceError(disk_words(Path(error.filename or tempfile.gettempdir()), error))
    return unexpected(what, type(error).__name__, "".join(traceback.format_exception(error)))


def unexpected(what: str, name: str, details: str) -> RunError:
    """Return the error for a fault of mqlkit, whose traceback goes to a file."""
    place = _write_details(what, details)
    kept = f"{place}. {ABOUT}" if place else "could not be written"
    return RunError(
        report(
            f"{what}: an error that mqlkit did not expect ({name}).",
            found=f"details: {kept}",
            fix="report it with this file; other input may avoid it",
        )
    )


def _write_details(what: str, details: str) -> Path | None:
    now = datetime.now(UTC)
    lines = [
        f"mqlkit {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        what,
        "",
        COLORS.sub("", details),
    ]
    text = without_secrets("\n".join(lines))
    for folder in (user_log_path("mqlkit", appauthor=False), Path(tempfile.gettempdir())):
        path = folder / f"error-{now:%Y%m%d-%H%M%S}-{os.getpid()}.txt"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return path
    return None


def without_secrets(text: str) -> str:
    """Return text without the values of mqlkit's environment variables and passwords in URLs.

    >>> without_secrets("postgres://ana:secret@host/db")
    'postgres://ana:***@host/db'
    """
    given = {value for name, value in os.environ.items() if name.startswith("MQLKIT_")}
    for value in sorted(given, key=len, reverse=True):
        # Shorter ones are numbers and switches.
        if len(value) > 3:
            text = text.replace(value, "***")
    return PASSWORD.sub(r"\1***@", text)


def silence(stream: TextIO) -> None:
    """Let what is still to be printed to a stream go nowhere, so that Python ends without error."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def not_printed(error: OSError) -> str:
    """Format the message for output that cannot be printed, such as to a full disk."""
    headline = f"the output cannot be printed ({reason(error)})."
    return report(headline, fix="free some space, or print to another place")


def open_streams() -> None:
    """Give a process whose output is closed streams to print to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
