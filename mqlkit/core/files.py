"""What a path that a user has given leads to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

NO_FILE = "there is no such file"


def why_no_file(path: Path) -> str:
    """Return why a path cannot be opened as a file; an empty text if it can.

    Opening anything but a regular file may never return: a pipe without a writer waits for one.

    >>> why_no_file(Path("/")), why_no_file(Path("missing.csv"))
    ('is a folder, not a file', 'there is no such file')
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return NO_FILE
    except (OSError, ValueError) as error:
        return f"cannot be read ({reason(error)})"
    if stat.S_ISDIR(mode):
        return "is a folder, not a file"
    if not stat.S_ISREG(mode):
        return "is not a regular file"
    return "" if os.access(path, os.R_OK) else "cannot be read (Permission denied)"


def reason(error: Exception) -> str:
    """Return what the operating system says about a path, without its error number."""
    return getattr(error, "strerror", None) or str(error)
