"""Where a report's files go: written aside, then moved in together, one run at a time."""

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
from mqlkit.run.signals import uninterrupted

TARGET = "target.txt"


@contextmanager
def workplace(
    out: Path, name: str, *, is_patient: bool, say: Callable[[str], None]
) -> Iterator[Path]:
    """Return a folder to make a report's files in, locked against other runs, gone afterwards.

    What a killed run has left is put right first: files that were complete are moved in, others
    are thrown away.

    Parameters
    ----------
    out
        The folder of the outputs, made if needed.
    name
        The report's name, which all of its files begin with.
    is_patient, say
        As in `lock.only_run`.

    Raises
    ------
    RunError
        When the folder cannot be written to, or another run is at it.
    """
    scratch = out / f".{name}.run"
    try:
        with only_run(out, name, note=scratch, is_patient=is_patient, say=say):
            move_in(out, name)
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            try:
                sign(scratch)
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise RunError(disk_words(out, error)) from None


def publish(scratch: Path, out: Path, name: str, target: Path) -> list[Path]:
    """Move the finished files of a report to where they belong.

    From the moment the folder has its new name they count as delivered: what a kill leaves half
    moved, the next run moves in.

    Returns
    -------
    list of pathlib.Path
        The files, in place.
    """
    (scratch / HOLDER).unlink(missing_ok=True)
    (scratch / TARGET).write_text(str(target.relative_to(out)), encoding="utf-8")
    scratch.rename(_finished(out, name))
    return move_in(out, name)


def move_in(out: Path, name: str) -> list[Path]:
    """Move in what a run had finished, and return it; nothing where there is nothing."""
    finished = _finished(out, name)
    if not finished.is_dir():
        return []
    note = finished / TARGET
    target = out / note.read_text(encoding="utf-8") if note.is_file() else out
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in finished.iterdir() if p != note)
    moved = [_replaced(path, target / path.name) for path in files]
    # Last, so that a kill before leaves the way to the rest.
    note.unlink(missing_ok=True)
    finished.rmdir()
    return moved


def _replaced(path: Path, place: Path) -> Path:
    if place.is_dir():
        # No folder can be moved over another that has files in it.
        shutil.rmtree(place)
    return path.replace(place)


def _finished(out: Path, name: str) -> Path:
    return out / f".{name}.done"


FIELDS = ("period", "as_of")
FIELD = re.compile(r"\{([^{}]*)\}")
# What a run writes; the last one is what the others are found by.
KINDS = (
    "html", "ipynb", "breaches.csv", "set-aside.csv", "revised.csv", "leads.parquet", "txt",
    "metrics.json",
)  # fmt: skip


def root_of(out: Path) -> Path:
    """Return the folder that all reports of an ``--out`` are in, whatever their periods.

    >>> root_of(Path("reports/{period}/sales")).as_posix()
    'reports'
    """
    parts = out.parts
    named = next((i for i, part in enumerate(parts) if FIELD.search(part)), len(parts))
    return Path(*parts[:named])


def pattern_of(out: Path) -> str:
    """Return a pattern of the folders that an ``--out`` stands for, below its root.

    >>> pattern_of(Path("reports/{period}")), pattern_of(Path("reports"))
    ('*', '.')
    """
    return FIELD.sub("*", out.relative_to(root_of(out)).as_posix())


def check_out(out: Path, keep: int | None) -> None:
    """Check the fields of an ``--out``.

    Raises
    ------
    ParamsError
        When it has a field that there is not, or ``keep`` is given and nothing to count.
    """
    unknown = [name for name in FIELD.findall(str(out)) if name not in FIELDS]
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
    # As of the end of a day is the midnight after it.
    until = datetime.fromisoformat(document["as_of"]) - timedelta(microseconds=1)
    values = {"period": period_name(first, last), "as_of": str(until.date())}
    return Path(FIELD.sub(lambda match: values[match[1]], str(out)))


def period_name(first: date, last: date) -> str:
    """Return a period's first and last day as ``period:`` takes them, in the shortest way.

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
        Where its reports are, with a field, and their name.
    keep
        How many stay.
    written
        The folder of the one just written, which stays whatever its period.
    """
    root, ages = root_of(out), []
    for path in root.glob(f"{pattern_of(out)}/{escape(name)}.metrics.json"):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            age = (str(document["period"]["end"]), str(document["as_of"]))
        except (OSError, ValueError, KeyError, TypeError):
            # None of ours.
            continue
        if folder_of(out, document) == path.parent != written:
            ages.append((age, path.parent))
    for _, folder in sorted(ages, reverse=True)[keep - 1 :]:
        for kind in KINDS:
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
        shutil.rmtree(folder / f"{name}.figures", ignore_errors=True)
        if folder != root and not any(folder.iterdir()):
            folder.rmdir()


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
