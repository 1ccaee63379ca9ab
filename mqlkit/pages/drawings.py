"""What a report shows: topics, drawings and objects of the user, as drawings with their input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from mqlkit.core.errors import MqlkitError
from mqlkit.metrics.report import Report
from mqlkit.pages.previous import previous_frame
from mqlkit.views.claims import Verdict
from mqlkit.views.headline import Figure
from mqlkit.views.tables.base import Table, table_of
from mqlkit.views.topics import Draw, Topic, family_of, is_table, name_of


@dataclass(frozen=True)
class Heading:
    """The head of a page, with the style of all that follows."""

    title: str
    html: str


@dataclass(frozen=True)
class GrainedChart:
    """A chart by bucket, and the same chart at coarser grains; None where it shows nothing."""

    chart: alt.TopLevelMixin
    coarser: Mapping[str, alt.TopLevelMixin | None]


# What `show` takes.
Shown = Topic | Draw | Verdict | Table | pd.DataFrame | alt.TopLevelMixin | str
TAKES = "a topic, a drawing function, a DataFrame, an Altair chart, text or a function"


@dataclass(frozen=True, eq=False)
class Drawing:
    """One thing to show: a function with what it is given, or a finished object.

    Attributes
    ----------
    draw
        The function or the object.
    given
        The family frame, or the report for a function of the user's own.
    options
        Keyword arguments.
    coarser
        Returns the family frame at coarser grains, which charts by bucket are drawn at as well.
    """

    draw: Any
    given: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    coarser: Callable[[], Mapping[str, Any]] = dict

    @property
    def is_late(self) -> bool:
        """Return whether it is drawn after charts and verdicts."""
        return is_table(self.draw)

    def is_same(self, other: Drawing) -> bool:
        """Return whether another drawing gives the same picture: same function, equal input."""
        if self.draw is not other.draw or self.options != other.options:
            return False
        if isinstance(self.given, pd.DataFrame) and isinstance(other.given, pd.DataFrame):
            return self.given is other.given or self.given.equals(other.given)
        return self.given is other.given

    def parts(self) -> list[Any]:
        """Return what is drawn: charts, tables, verdicts, headline figures, text.

        Raises
        ------
        MqlkitError
            When a function of the user's own fails, or returns what cannot be shown.
        """
        if not callable(self.draw) or isinstance(self.draw, alt.TopLevelMixin):
            return [_part(self.draw)]
        if family_of(self.draw) is None:
            return _listed(_own(self.draw, self.given))
        # Altair checks each piece of a chart as it is made, in a fifth of the time of drawing; the
        # suite checks every chart whole.
        with debug_mode(False):
            found = self.draw(self.given, **self.options)
            return [self._with_grains(found)] if _is_by_bucket(found) else _listed(found)

    def _with_grains(self, chart: alt.TopLevelMixin) -> Any:
        """Return a chart by bucket with those at coarser grains, if the report has any."""
        frames = self.coarser()
        if not frames:
            return chart
        drawn = {grain: self.draw(frame, **self.options) for grain, frame in frames.items()}
        return GrainedChart(chart, drawn)


def drawings(report: Report, shown: Iterable[Any], **options: Any) -> list[Drawing]:
    """Return drawings with what they are given of a report.

    Parameters
    ----------
    report
        The report.
    shown
        See `Shown`.
    **options
        Keyword arguments for the functions that have them, such as ``view``.

    Raises
    ------
    MqlkitError
        When something cannot be shown.
    """
    found: list[Drawing] = []
    for one in shown:
        if isinstance(one, Topic):
            cuts: Sequence[dict[str, str]] = [{}]
            if one.is_by:
                cuts = [{"by": by} for by in report.params.by]
            found += [_drawing(report, d, **options, **cut) for d in one.draws for cut in cuts]
        else:
            found.append(_drawing(report, one, **options))
    return found


def _drawing(report: Report, shown: Any, **options: Any) -> Drawing:
    if not callable(shown) or isinstance(shown, alt.TopLevelMixin):
        _part(shown)
        return Drawing(shown)
    family = family_of(shown)
    if family is None:
        return Drawing(shown, report)
    wanted = signature(shown).parameters
    given = {name: value for name, value in options.items() if name in wanted}
    frame = family_frame(report, family)
    return Drawing(shown, frame, given, lambda: report.coarser.of(family))


def _is_by_bucket(part: Any) -> bool:
    meta = getattr(part, "usermeta", None)
    return isinstance(meta, dict) and "grain" in meta


def family_frame(report: Report, family: str) -> Any:
    """Return the frame that the drawings of a family take."""
    return previous_frame(report) if family == "previous" else getattr(report, family)


def _own(draw: Callable[..., Any], report: Report) -> Any:
    """Return what a function of the user's own makes of a report."""
    try:
        return draw(report)
    except MqlkitError:
        raise
    except Exception as error:  # noqa: BLE001 - a function of the user's own may raise any
        at = f" (line {line} of its cell)" if (line := _line(error)) else ""
        raise MqlkitError(f"{name_of(draw)} failed: {type(error).__name__}: {error}{at}.") from None


def _line(error: Exception) -> int:
    """Return the last line of the user's own function that was run; 0 where it was not called."""
    frame = error.__traceback__ and error.__traceback__.tb_next
    return frame.tb_lineno if frame else 0


def _listed(part: Any) -> list[Any]:
    if isinstance(part, list) and all(isinstance(p, Verdict) for p in part):
        return part
    return [] if part is None else [_part(part)]


def _part(part: Any) -> Any:
    """Return an object as something that a page can show."""
    if isinstance(part, pd.DataFrame):
        return table_of(part)
    is_figures = isinstance(part, list) and all(isinstance(p, Figure) for p in part)
    if is_figures or isinstance(part, Heading | Verdict | Table | alt.TopLevelMixin | str):
        return part
    raise MqlkitError(f"show: {type(part).__name__} cannot be shown; give {TAKES}.")
