"""Verdict on mix shift and rate effect."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import bucket_name, percent
from mqlkit.metrics.tidy import breakdown_of
from mqlkit.views.verdicts.base import BAD, GOOD, PLAIN, Row, Verdict, moved, why_held


def effects(mix: pd.DataFrame) -> Verdict | None:
    """Return the change of the conversion rate, split into mix shift and rate effect.

    Parameters
    ----------
    mix
        `Report.mix`; None is returned if it is empty.
    """
    if mix.empty:
        return None
    by = breakdown_of(mix, None)
    row = mix[mix["is_total"]].to_dict("records")[0]
    now, then = bucket_name(row["bucket"]), bucket_name(row["against"])
    if why := why_held(row["flags"]):
        return Verdict(f"MQL→SQL conversion of {now} is not compared with that of {then}: {why}.")
    is_clear = _is_clear(row["low"], row["high"])
    is_up = row["difference"] > 0
    extent = _points(row, "difference").replace(" (", ", ")
    head = f"MQL→SQL conversion shows no clear change from {then} to {now} ({extent}"
    if is_clear:
        verb = "rose" if is_up else "fell"
        extent = moved({**row, "unit": "share"}, "").partition(" ")[2]
        head = f"MQL→SQL conversion {verb} {extent} from {then} to {now}"
    by_mix = f"{_points(row, 'mix')}, {_why_mix(mix, row)}"
    rate = _points(row, "rate")
    rate += "" if _is_clear(row["rate_low"], row["rate_high"]) else ", not clear"
    return Verdict(
        f"{head}. By {by}, the mix shift accounts for {by_mix}; the rate effect for {rate}.",
        (GOOD if is_up else BAD) if is_clear else PLAIN,
    )


def _is_clear(low: float, high: float) -> bool:
    return low > 0 or high < 0


def _points(row: Row, name: str) -> str:
    ends = ("low", "high") if name == "difference" else (f"{name}_low", f"{name}_high")
    value, low, high = (_signed(100 * row[c]) for c in (name, *ends))
    return f"{value} points ({low} to {high})"


def _signed(points: float) -> str:
    return "0.0" if abs(points) < 1e-9 else f"{points:+.1f}".replace("-", "−")


def _why_mix(parts: pd.DataFrame, row: Row) -> str:
    if not _is_clear(row["mix_low"], row["mix_high"]):
        return "not clear"
    segments = parts[~parts["is_total"]]
    shifts = (segments["share"] - segments["share_before"]).abs().to_numpy(dtype=float)
    shift = segments.iloc[int(shifts.argmax())]
    rates = "high" if row["mix"] > 0 else "low"
    return (
        f"as segments with {rates} conversion have a larger share of the MQLs (largest shift: "
        f"{shift['name']}, {percent(shift['share_before'])} to {percent(shift['share'])})"
    )
