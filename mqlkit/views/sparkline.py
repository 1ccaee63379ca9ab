"""Sparklines: a series of numbers as a small inline chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

WIDTH, HEIGHT, EDGE = 120, 28, 4


@dataclass(frozen=True)
class Spark:
    """A series of numbers for a sparkline.

    Attributes
    ----------
    values
        One per bucket, in order; NaN is a gap.
    against
        Reference values, a goal or an SLA; NaN where there is none.
    words
        Description for screen readers.
    is_open
        Whether the last number can still change.
    """

    values: tuple[float, ...]
    against: tuple[float, ...]
    words: str
    is_open: bool = False


def drawn_spark(spark: Spark) -> str:
    """Return a sparkline as SVG; empty for fewer than two numbers.

    >>> drawn_spark(Spark((3.0,), (), "one"))
    ''
    """
    known = [v for v in spark.values if not math.isnan(v)]
    if len(known) < 2:
        return ""
    marks = [v for v in spark.against if not math.isnan(v)]
    low, high = min(known + marks), max(known + marks)

    def at(values: Sequence[float]) -> list[tuple[float, float]]:
        step = (WIDTH - 2 * EDGE) / max(1, len(spark.values) - 1)
        # Equal values are a line in the middle.
        part = [(v - low) / (high - low) if high > low else 0.5 for v in values]
        return [
            (EDGE + i * step, HEIGHT - EDGE - p * (HEIGHT - 2 * EDGE)) for i, p in enumerate(part)
        ]

    points = at(spark.values)
    x, y = next(p for p in reversed(points) if not math.isnan(p[1]))
    kind = "mk-dot mk-open" if spark.is_open else "mk-dot"
    return (
        f'<svg class="mk-spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(spark.words)}">'
        f"{_lines(at(spark.against), 'mk-against')}{_lines(points, 'mk-line')}"
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/></svg>'
    )


def _lines(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line through points, with a gap at each unknown one."""
    runs = [list(run) for gap, run in groupby(points, lambda p: math.isnan(p[1])) if not gap]
    texts = [" ".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in runs]
    return "".join(f'<polyline class="{kind}" points="{text}"/>' for text in texts)
