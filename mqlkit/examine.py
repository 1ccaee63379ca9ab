"""A look at what was given on the command line: a source.yaml, or bare exports."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from threading import Event, Thread

from tqdm import tqdm

from mqlkit.errors import ParamsError, listed, report
from mqlkit.sources.formats import formats, refused
from mqlkit.sources.look import inspect_source
from mqlkit.sources.shown import TableLook
from mqlkit.sources.sorting import Sorted, sort_exports
from mqlkit.sources.spec import SourceSpec, read_source

YAML = (".yaml", ".yml")
# Bytes that take some seconds to read: a bar for less would only flicker.
LONG = 50_000_000
TICK_SECONDS = 0.2


def source_of(paths: Sequence[Path]) -> tuple[SourceSpec, list[TableLook]]:
    """Return the source that a source.yaml describes, or that bare exports make.

    Returns
    -------
    tuple of SourceSpec and list of TableLook
        With a look at each export that fits into no table.

    Raises
    ------
    ParamsError
        When both are given, or several of the first.
    SourceError
        When something cannot be read at all.
    """
    described = [path for path in paths if path.suffix.lower() in YAML]
    if not described:
        source, unknown = sort_exports(paths, root=Path.cwd())
        return source, [_unknown(each) for each in unknown]
    if len(paths) > 1:
        raise ParamsError(
            report(
                f"{described[0]}: stands beside other files.",
                expected="one source.yaml, or exports and no source.yaml",
                fix="check them one after the other",
            )
        )
    return read_source(described[0]), []


def examine(paths: Sequence[Path]) -> tuple[SourceSpec, list[TableLook]]:
    """Return the source that was given, and what its tables hold.

    After the looks at its tables come those at exports that fit into none. Long files show a
    progress bar on stderr, where that is a terminal.
    """
    source, others = source_of(paths)
    sizes = {spec.place: sum(p.stat().st_size for p in spec.files) for spec in source.tables}
    is_shown = sys.stderr.isatty() and sum(sizes.values()) >= LONG
    with _bar(sum(sizes.values()), is_shown=is_shown) as bar:
        before = dict(zip(sizes, accumulate([0, *sizes.values()]), strict=False))

        def tell(place: str, share: float) -> None:
            bar.set_description(f"reading {place}", refresh=False)
            bar.update(before[place] + share * sizes[place] - bar.n)

        return source, [*inspect_source(source, tell=tell), *others]


def _unknown(export: Sorted) -> TableLook:
    name = export.path.name
    words = report(
        f"{name}: nothing tells which table it is.",
        expected="leads, history, spend or goals",
        found=listed(export.header, 6),
        fix="put it under one of these in a source.yaml, with its columns",
    )
    notes = [
        f"{header}: {why}."
        for header in export.header
        for known in formats().values()
        if (why := refused(known, header))
    ]
    return TableLook(
        table="",
        place=str(export.path),
        unmapped=export.header,
        errors=(words,),
        notes=tuple(dict.fromkeys(notes)),
    )


@contextmanager
def _bar(total: int, *, is_shown: bool) -> Iterator[tqdm]:
    """Return a bar over bytes, its clock kept going while one large file is read."""
    stopped = Event()
    shape = "{desc}{percentage:3.0f}%|{bar}| of {total_fmt}B, {elapsed}"
    with tqdm(
        total=total, unit_scale=True, leave=False, disable=not is_shown, bar_format=shape
    ) as bar:

        def tick() -> None:
            while not stopped.wait(TICK_SECONDS):
                bar.refresh()

        ticker = Thread(target=tick, daemon=True)
        if is_shown:
            ticker.start()
        try:
            yield bar
        finally:
            stopped.set()
            if is_shown:
                ticker.join()
