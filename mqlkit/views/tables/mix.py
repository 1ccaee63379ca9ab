"""Table of mix shift and rate effect."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import bucket_name, count, percent
from mqlkit.metrics.mix import MIX_COLUMNS, is_comparable, largest
from mqlkit.metrics.tidy import breakdown_of, require
from mqlkit.views.labels import within
from mqlkit.views.tables.base import MOST_SEGMENTS, Table, titled
from mqlkit.views.tables.changes import _signed


def effects(mix: pd.DataFrame) -> Table | None:
    """Tabulate the mix-shift and the rate effect of each segment on a change of conversion.

    Parameters
    ----------
    mix
        `Report.mix`.
    """
    require(mix, MIX_COLUMNS, "tables.mix.effects")
    if not is_comparable(mix):
        return None
    by = breakdown_of(mix, None)
    now, then = (bucket_name(mix[c].iloc[0]) for c in ("bucket", "against"))
    shown = largest(mix, MOST_SEGMENTS, rest=f"(other {by}s)")
    frame = pd.DataFrame({by.capitalize(): shown["name"].fillna("(all)")})
    for name, at in ((then, "_before"), (now, "")):
        rate = "before" if at else "value"
        frame[f"MQLs, {name}"] = shown[f"n{at}"].map(count)
        frame[f"Share, {name}"] = shown[f"share{at}"].map(percent)
        frame[f"Conversion, {name}"] = shown[rate].map(percent)
    columns = (("Mix shift", "mix"), ("Rate effect", "rate"), ("Total", "difference"))
    for label, column in columns:
        frame[f"{label}, points"] = [_signed(value, "share", "") for value in shown[column]]
    what = f"MQL→SQL conversion{within(mix)}"
    title = f"{what} from {then} to {now} by {by}: mix shift and rate effect"
    return titled(title, frame, left=[by.capitalize()], has_total=True)
