"""Where a report's files go: made aside, moved in as one, mended after a kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mqlkit.errors import RunError, disk_words
from mqlkit.lock import HOLDER, only_run, sign

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
