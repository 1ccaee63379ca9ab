"""Output files: written to a temporary folder, then moved together, by one run at a time."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from glob import escape
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mqlkit.core.errors import ParamsError, RunError, disk_words, report
from mqlkit.pages.metrics_file import read_metrics
from mqlkit.run.signals import uninterrupted

FIELDS = ("period", "as_of")
FIELD = re.compile(r"\{(period|as_of)\}")
# What may be a misspelled field. Other braces, such as {1}, are characters of a name.
LIKE_FIELD = re.compile(r"\{((?:[^\W\d]\w*)?)\}")
# The files of a report. The others are found by the last one.
KINDS = (
    "html", "ipynb", "breaches.csv", "set-aside.csv", "revised.csv", "leads.parquet", "txt",
    "metrics.json",
)  # fmt: skip
# Files in the folder of a report in progress: where its files belong, and which run holds the lock.
TARGET, HOLDER = "target.txt", "holder.json"
POLL_SECONDS = 0.2
TEMP_PREFIX = "mqlkit-tmp-"


@contextmanager
def scratch_folder(
    out: Path, name: str, *, is_patient: bool, say: Callable[[str], None]
) -> Iterator[Path]:
    """Return a folder to write a report's files to, locked against other runs.

    The folder is removed with the block. If an earlier run was killed, its finished files are moved
    to their place and others are removed first.

    Parameters
    ----------
    out
        The folder of the outputs, created if needed.
    name
        The name of the report, with which all of its files begin.
    is_patient, say
        As in `report_lock`.

    Raises
    ------
    RunError
        If the folder cannot be written to, or another run holds the lock.
    """
    scratch = out / f".{name}.run"
    try:
        with report_lock(out, name, note=scratch, is_patient=is_patient, say=say):
            move_finished(out, name)
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            try:
                write_holder(scratch)
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise RunError(disk_words(out, error)) from None


def publish(scratch: Path, out: Path, name: str, target: Path) -> list[Path]:
    """Move the finished files of a report to their folder and return them.

    Once the temporary folder is renamed, the files count as finished: if this run is killed, the
    next one moves the rest.
    """
    (scratch / HOLDER).unlink(missing_ok=True)
    (scratch / TARGET).write_text(str(target.relative_to(out)), encoding="utf-8")
    scratch.rename(_finished(out, name))
    return move_finished(out, name)


def move_finished(out: Path, name: str) -> list[Path]:
    """Move the finished files of a run, if there are any, and return them."""
    finished = _finished(out, name)
    if not finished.is_dir():
        return []
    note = finished / TARGET
    target = out / note.read_text(encoding="utf-8") if note.is_file() else out
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in finished.iterdir() if p != note)
    moved = [_replaced(path, target / path.name) for path in files]
    # Removed last: after a kill, the next run needs it for the remaining files.
    note.unlink(missing_ok=True)
    finished.rmdir()
    return moved


def _replaced(path: Path, place: Path) -> Path:
    if place.is_dir():
        # A folder cannot replace one that is not empty.
        shutil.rmtree(place)
    return path.replace(place)


def _finished(out: Path, name: str) -> Path:
    return out / f".{name}.done"


def root_of(out: Path) -> Path:
    """Return the folder that contains the reports of all periods of an ``--out``.

    >>> root_of(Path("reports/{period}/sales")).as_posix()
    'reports'
    """
    parts = out.parts
    named = next((i for i, part in enumerate(parts) if FIELD.search(part)), len(parts))
    return Path(*parts[:named])


def pattern_of(out: Path) -> str:
    """Return a glob pattern of the folders of an ``--out``, relative to its root.

    >>> pattern_of(Path("reports/{period}")), pattern_of(Path("reports"))
    ('*', '.')
    """
    return FIELD.sub("*", out.relative_to(root_of(out)).as_posix())


def check_out(out: Path, keep: int | None) -> None:
    """Check the fields of an ``--out``.

    Raises
    ------
    ParamsError
        If a field is unknown, or ``keep`` is given without a field.
    """
    # A folder that is there may be called anything.
    missing = [str(place.name) for place in (out, *out.parents) if not place.exists()]
    unknown = [n for part in missing for n in LIKE_FIELD.findall(part) if n not in FIELDS]
    if unknown:
        raise ParamsError(
            report(
                f"--out {str(out)!r}: there is no field {unknown[0]!r}.",
                expected=" or ".join(f"{{{name}}}" for name in FIELDS),
            )
        )
    if keep is not None and pattern_of(out) == ".":
        raise ParamsError(
            report(
                f"--keep {keep}: each run writes over the one before, so that one is kept.",
                fix="give each its folder, such as --out reports/{period}",
            )
        )


def folder_of(out: Path, document: Mapping[str, Any]) -> Path:
    """Return the folder of a report, by its ``metrics.json``."""
    period = document["period"]
    first = date.fromisoformat(period["start"])
    last = date.fromisoformat(period["end"]) - timedelta(days=1)
    # The end of a day is the midnight after it.
    until = datetime.fromisoformat(document["as_of"]) - timedelta(microseconds=1)
    values = {"period": period_name(first, last), "as_of": str(until.date())}
    return Path(FIELD.sub(lambda match: values[match[1]], str(out)))


def period_name(first: date, last: date) -> str:
    """Return the shortest value of ``period:`` for a first and a last day.

    >>> period_name(date(2026, 1, 1), date(2026, 3, 31))
    '2026-Q1'
    >>> period_name(date(2025, 7, 1), date(2026, 6, 30))
    '2025-07..2026-06'
    >>> period_name(date(2026, 1, 5), date(2026, 1, 11))
    '2026-01-05..2026-01-11'
    """
    is_months = first.day == 1 and (last + timedelta(days=1)).day == 1
    if not is_months:
        return f"{first}..{last}"
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    nth = (first.month - 1) // months + 1
    if (first.month - 1) % months == 0 and months in (3, 6, 12):
        return f"{first.year}" + {3: f"-Q{nth}", 6: f"-H{nth}", 12: ""}[months]
    return f"{first:%Y-%m}" + ("" if months == 1 else f"..{last:%Y-%m}")


def prune(out: Path, name: str, *, keep: int, written: Path) -> None:
    """Remove all but the newest reports of a name.

    Parameters
    ----------
    out, name
        ``--out`` with a field, and the name of the reports.
    keep
        How many are kept.
    written
        The folder of the report just written, which is kept in any case.
    """
    root, ages = root_of(out), []
    for path in root.glob(f"{pattern_of(out)}/{escape(name)}.metrics.json"):
        try:
            document = read_metrics(path)
            age = (str(document["period"]["end"]), str(document["as_of"]))
        except (OSError, ValueError, KeyError, TypeError):
            # Not written by mqlkit.
            continue
        if folder_of(out, document) == path.parent != written:
            ages.append((age, path.parent))
    for _, folder in sorted(ages, reverse=True)[keep - 1 :]:
        for kind in KINDS:
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
        shutil.rmtree(folder / f"{name}.figures", ignore_errors=True)
        if folder != root and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def report_lock(
    folder: Path, name: str, *, note: Path, is_patient: bool, say: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of a report in a folder.

    The operating system releases the lock when the process ends, however it ends.

    Parameters
    ----------
    folder, name
        The folder of the outputs, created if needed, and the name of the report.
    note
        The folder with the file that names the holder.
    is_patient
        Whether to wait for another run; otherwise its lock is an error.
    say
        Called with the holder if the run has to wait.

    Raises
    ------
    RunError
        If another run holds the lock and this one does not wait.
    """
    path = folder / f".{name}.lock"
    lock = FileLock(path, poll_interval=POLL_SECONDS)
    try:
        _acquire(lock, folder, is_patient=False)
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
        _acquire(lock, folder, is_patient=True)
    try:
        yield
    finally:
        _release(lock)


def _acquire(lock: FileLock, folder: Path, *, is_patient: bool) -> None:
    while not lock.is_locked:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=is_patient)
        except FileNotFoundError:
            # Another run has removed the folder, because it wrote nothing.
            if folder.exists():
                raise


def write_holder(note: Path) -> None:
    """Write into a folder which process holds the lock."""
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
        # It has not written the file yet, or has just ended.
        return "which has only just begun or ended"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Return a folder for temporary files, removed with the block.

    Folders of processes that were killed are removed first.
    """
    base = Path(tempfile.gettempdir())
    _remove_abandoned(base)
    with uninterrupted():
        folder = base / f"{TEMP_PREFIX}{secrets.token_hex(8)}"
        # Next to the folder, since Windows cannot remove a folder with an open file; and before the
        # folder is created, so that no other process removes it.
        lock = FileLock(_lock_of(folder))
        lock.acquire()
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _release(lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove_abandoned(base: Path) -> None:
    for path in base.glob(f"{TEMP_PREFIX}*.lock"):
        with suppress(Timeout, OSError):
            lock = FileLock(path)
            lock.acquire(blocking=False)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            _release(lock)


def _release(lock: FileLock) -> None:
    """Remove the file of a lock and release the lock."""
    # Removed while locked: a process that waits for it notices and creates a new one. On Windows an
    # open file cannot be removed, and the lock removes its file itself.
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()
