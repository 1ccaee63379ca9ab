"""Charts as PNG and SVG files for slides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mqlkit.pages.assets import VEGA_LITE
from mqlkit.views.theme import CHART_TYPE

LONGEST_NAME = 40
# Twice the resolution, for projectors. Charts are transparent, so slides need a background.
SCALE = 2
ON_WHITE = {"background": "white", "padding": 16}


def write_figures(notebook: Any, folder: Path) -> list[Path]:
    """Write each chart of an executed notebook as a PNG and an SVG file.

    Parameters
    ----------
    notebook
        An executed notebook (nbformat node).
    folder
        The folder to write to, created if needed. Files are numbered in the order of the page:
        ``01-mqls-per-month.png``.
    """
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (name, spec) in enumerate(_charts(notebook), start=1):
        path = folder / f"{number:02}-{name}"
        # The chart contains its data, so any URL in it is text from the data and is not loaded.
        how: dict[str, Any] = {"vl_version": VEGA_LITE, "allowed_base_urls": []}
        svg, png = path.with_suffix(".svg"), path.with_suffix(".png")
        svg.write_text(vl_convert.vegalite_to_svg(spec, **how), encoding="utf-8")
        png.write_bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, **how))
        written += [svg, png]
    return written


def _charts(notebook: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if CHART_TYPE in data:
                yield _slug(data["text/plain"]), {**data[CHART_TYPE], **ON_WHITE}


def _slug(description: str) -> str:
    """Return the first words of a chart's description as part of a file name.

    >>> _slug("MQLs per month, from 199 to 326, with the goal as a line across each bar.")
    'mqls-per-month'
    """
    words = re.findall(r"[a-z0-9]+", re.split(r"[,;:.]", description)[0].lower())
    while len(words) > 1 and len("-".join(words)) > LONGEST_NAME:
        words.pop()
    return "-".join(words)[:LONGEST_NAME] or "chart"
