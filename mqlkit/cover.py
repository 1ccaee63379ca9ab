"""The text of a mail that brings a report: its headline, from the ``metrics.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import pandas as pd

from mqlkit.headline import headline
from mqlkit.params import ReportParams
from mqlkit.periods import DAY
from mqlkit.wording import day


def cover_text(document: Mapping[str, Any], remarks: Sequence[str]) -> str:
    """Return what a report says, in a few lines of text.

    Parameters
    ----------
    document
        The report's ``metrics.json``.
    remarks
        Lines that come first, such as the limits that are broken.
    """
    rows = pd.DataFrame(document["metrics"])
    rows["segment"] = pd.Series([s or {} for s in rows["segment"]], dtype="object")
    for name in ("value", "n", "low", "high"):
        rows[name] = rows[name].astype("float64")
    known = {f.name for f in fields(ReportParams)}
    given = {name: value for name, value in document["params"].items() if name in known}
    params = ReportParams.from_mapping(given)
    figures = headline(rows, params, currency=document["currency"] or "")
    first, end = (date.fromisoformat(document["period"][n]) for n in ("start", "end"))
    lines = [document["title"], f"{day(first)} – {day(end - DAY)}, as of {document['as_of']}", ""]
    lines += [*remarks, ""] if remarks else []
    lines += [f"{f.name}: {f.value} ({f.context}). {f.verdict.text}." for f in figures]
    return "\n".join([*lines, "", "The report is attached: one page that opens without a network."])
