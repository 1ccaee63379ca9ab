"""A look at what was given on the command line: a source.yaml, or bare exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mqlkit.errors import ParamsError, report
from mqlkit.sources.look import TableLook, inspect_source
from mqlkit.sources.sorting import sort_exports
from mqlkit.sources.spec import SourceSpec, read_source

YAML = (".yaml", ".yml")


def source_of(paths: Sequence[Path]) -> SourceSpec:
    """Return the source that a source.yaml describes, or that bare exports make.

    Raises
    ------
    ParamsError
        When both are given, or several of the first.
    SourceError
        When something cannot be read at all.
    """
    described = [path for path in paths if path.suffix.lower() in YAML]
    if not described:
        return sort_exports(paths, root=Path.cwd())
    if len(paths) > 1:
        raise ParamsError(
            report(
                f"{described[0]}: stands beside other files.",
                expected="one source.yaml, or exports and no source.yaml",
                fix="check them one after the other",
            )
        )
    return read_source(described[0])


def examine(paths: Sequence[Path]) -> tuple[SourceSpec, list[TableLook]]:
    """Return the source that was given, and what its tables hold."""
    source = source_of(paths)
    return source, inspect_source(source)
