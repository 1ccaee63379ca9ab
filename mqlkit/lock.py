"""One run at a time for each report of a folder, and folders that outlive nobody."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mqlkit.errors import RunError, report
from mqlkit.interrupts import uninterrupted

HOLDER = "holder.json"
POLL_SECONDS = 0.2
OURS = "mqlkit-tmp-"


@contextmanager
def only_run(
    folder: Path, name: str, *, note: Path, is_patient: bool, say: Callable[[str], None]
) -> Iterator[None]:
    """Be the only run of a report in a folder while the block runs.

    The lock is the operating system's, so that it ends with the process that holds it, however
    that ends: there are no stale locks.

    Parameters
    ----------
    folder, name
        The folder of the outputs, made if needed, and the name of the report.
    note
        A folder that only the holder writes to; it finds there who it is.
    is_patient
        Whether to wait for another run, or to give up at once.
    say
        Is told whom the run waits for.

    Raises
    ------
    RunError
        When another run holds the lock and this one is not to wait.
    """
    path = folder / f".{name}.lock"
    lock = FileLock(path, poll_interval=POLL_SECONDS)
    try:
        _take(lock, folder, is_patient=False)
    except Timeout:
        holder = _holder(note / HOLDER)
        if not is_patient:
            raise RunError(
                report(
                    f"{name}: another run is making this report ({holder}).",
                    fix="wait for it to end, or leave out --no-wait",
                )
            ) from None
        say(f"{name}: waiting for another run of this report ({holder}).")
        _take(lock, folder, is_patient=True)
    try:
        yield
    finally:
        _let_go(lock)


def _take(lock: FileLock, folder: Path, *, is_patient: bool) -> None:
    while not lock.is_locked:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=is_patient)
        except FileNotFoundError:
            # Another run had made the folder, and has taken it away with nothing written.
            if folder.exists():
                raise


def sign(note: Path) -> None:
    """Leave in a folder who holds the lock."""
    about = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
    }
    (note / HOLDER).write_text(json.dumps(about), encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # It has the lock, and has not come to signing, or has just finished.
        return "which has only just begun or ended"


@contextmanager
def turn_at(path: Path) -> Iterator[None]:
    """Wait for one's turn at what a file stands for, and have it while the block runs."""
    with FileLock(path, poll_interval=POLL_SECONDS):
        yield


@contextmanager
def own_folder() -> Iterator[Path]:
    """Return a folder for temporary files, gone with the block.

    One that was left by a process that has been killed is removed by the next that wants one.
    """
    base = Path(tempfile.gettempdir())
    _sweep(base)
    with uninterrupted():
        folder = base / f"{OURS}{secrets.token_hex(8)}"
        # Beside it, since Windows neither moves nor removes what holds an open file; and locked
        # before there is a folder, so that nobody can sweep one that has just been made.
        lock = FileLock(_lock_of(folder))
        lock.acquire()
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _let_go(lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _sweep(base: Path) -> None:
    for path in base.glob(f"{OURS}*.lock"):
        with suppress(Timeout, OSError):
            lock = FileLock(path)
            lock.acquire(blocking=False)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            _let_go(lock)


def _let_go(lock: FileLock) -> None:
    """Remove the file of a lock, and release it."""
    # Unlinked while still locked: whoever waits for it sees that, and makes a new one. Windows
    # keeps what is open, and there the lock removes its file by itself.
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()
