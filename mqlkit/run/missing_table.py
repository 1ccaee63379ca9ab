"""The shares of missing values that `mqlkit check` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mqlkit.core.terminal import in_columns, wrapped
from mqlkit.sources.missing_values import MissingValues, Share, percent

# With more files, only the ones with the smallest and the largest share have a column.
FILES, JUMPS = 4, 3


def missing_lines(found: Sequence[MissingValues], width: int) -> Iterator[str]:
    """Yield a line for each column that lacks values, and one for each jump.

    Parameters
    ----------
    found
        The columns of a table.
    width
        Width of the terminal.
    """
    lacking = [each for each in found if each.share > 0]
    if not lacking:
        return
    yield ""
    is_many = len(lacking[0].by_file) > FILES
    names = [share.name for share in lacking[0].by_file]
    heads = ["fewest", "most"] if is_many else names if len(names) > 1 else []
    rows = [("missing values", "all rows", *heads)]
    rows += [(each.column, percent(each.share), *_cells(each, is_many=is_many)) for each in lacking]
    most = ((width - 30) // max(len(heads), 1)) - 2
    yield from (f"  {line}" for line in in_columns(rows, most=(16, 8, *(most for _ in heads))))
    for each in lacking:
        for before, after in each.jumps[:JUMPS]:
            words = f"{each.column} is missing: {before.words}, {after.words}."
            yield from wrapped(words, width, first="  Check: ", rest="    ")


def _cells(each: MissingValues, *, is_many: bool) -> list[str]:
    if len(each.by_file) == 1:
        return []
    if not is_many:
        return [share.text for share in each.by_file]
    ordered = sorted(each.by_file, key=_lacking)
    return [s.words for s in (ordered[0], ordered[-1])]


def _lacking(share: Share) -> float:
    return 1.0 if share.share is None else share.share
