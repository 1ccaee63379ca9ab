"""The files that a source.yaml names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mqlkit.core.errors import nearest, report


def find_files(given: Any, path: Path, place: str, faults: list[str]) -> list[Path]:
    """Return the files of a block of source.yaml, in order; add to ``faults`` what is wrong."""
    patterns = [given] if isinstance(given, str) else given
    if not patterns or not isinstance(patterns, list):
        faults.append(
            report(f"{path}: {place} names no files.", expected="files: [exports/leads-*.csv]")
        )
        return []
    found: list[Path] = []
    for pattern in map(str, patterns):
        # `..` is taken out of a path, as the engine does it.
        here = [Path(os.path.abspath(p)) for p in _matches(path.parent, pattern)]  # noqa: PTH100
        if not here:
            folder = (path.parent / pattern).parent
            beside = [p.name for p in folder.glob("*")] if folder.is_dir() else []
            close = nearest(Path(pattern).name, beside)
            faults.append(
                report(
                    f"{path}: {place}: there is no file {pattern!r}.",
                    found=f"nearest here: {close!r}" if close else "",
                    fix="paths are relative to source.yaml; mend the path or add the file",
                )
            )
        # A link to a file that is there already is no other file.
        known = {p.resolve() for p in found}
        for each in here:
            if each.resolve() not in known:
                known.add(each.resolve())
                found.append(each)
    return found


def _matches(folder: Path, pattern: str) -> list[Path]:
    whole = folder / pattern
    if whole.is_file():
        return [whole]
    if not any(c in pattern for c in "*?["):
        return []
    if Path(pattern).is_absolute():
        return sorted(p for p in Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))))
    return sorted(p for p in folder.glob(pattern) if p.is_file())
