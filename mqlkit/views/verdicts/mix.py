"""Verdict on mix shift and rate effect."""

from __future__ import annotations

import pandas as pd

from mqlkit.core.text import bucket_name, percent
from mqlkit.metrics.tidy import breakdown_of
from mqlkit.views.claims import (
    BAD,
    DOWN,
    GOOD,
    MEASURED,
    PLAIN,
    UNCHANGED,
    UNCLEAR,
    UNKNOWN,
    UP,
    Claim,
    Sentence,
    Verdict,
    verdict,
)  # fmt: skip
from mqlkit.views.labels import within, within_days
from mqlkit.views.verdicts.base import Row, change_claim, why_held

HELD = Sentence("MQL→SQL conversion{limit} of {now} is not compared with that of {then}: {why}.")
CHANGE = {
    UP: Sentence("MQL→SQL conversion{limit} rose by {size} points ({range}) from {then} to {now}."),
    DOWN: Sentence(
        "MQL→SQL conversion{limit} fell by {size} points ({range}) from {then} to {now}."
    ),
    UNCHANGED: Sentence(
        "MQL→SQL conversion{limit} shows no clear change from {then} to {now} ({signed})."
    ),
}
STATUS = {UP: GOOD, DOWN: BAD, UNCHANGED: PLAIN}
PARTS = Sentence(
    "By {by}, the mix shift accounts for {mix} points ({mix_range}), {why}; the rate effect for "
    "{rate} points ({rate_range}){clear}."
)


def effects(mix: pd.DataFrame) -> Verdict | None:
    """Return the change of the conversion rate, split into mix shift and rate effect.

    Parameters
    ----------
    mix
        `Report.mix`; None is returned if it is empty.
    """
    if mix.empty:
        return None
    row = mix[mix["is_total"]].to_dict("records")[0]
    if why := why_held(row["flags"], within_days(mix)):
        now, then = bucket_name(row["bucket"]), bucket_name(row["against"])
        return verdict(
            HELD.claim(
                "efficiency",
                bucket=row["bucket"],
                certainty=UNKNOWN,
                now=now,
                then=then,
                why=why,
                limit=within(mix),
            )
        )
    direction = _direction(row, "")
    change = change_claim(
        {**row, "metric": "efficiency", "unit": "share"},
        CHANGE[direction],
        currency="",
        limit=within(mix),
        status=STATUS[direction],
        direction=direction,
        certainty=UNCLEAR if direction == UNCHANGED else MEASURED,
    )
    return verdict(change, _parts(mix, row))


def _parts(mix: pd.DataFrame, row: Row) -> Claim:
    return PARTS.claim(
        "efficiency",
        bucket=row["bucket"],
        by=breakdown_of(mix, None),
        mix=_signed(row["mix"]),
        mix_range=_range(row, "mix"),
        why=_why_mix(mix, row),
        rate=_signed(row["rate"]),
        rate_range=_range(row, "rate"),
        clear=", not clear" if _direction(row, "rate_") == UNCHANGED else "",
    )


def _direction(row: Row, part: str) -> str:
    """Return the direction of a change; unchanged if its interval includes 0."""
    low, high = row[f"{part}low"], row[f"{part}high"]
    return UP if low > 0 else DOWN if high < 0 else UNCHANGED


def _signed(share: float) -> str:
    return "0.0" if abs(share) < 1e-11 else f"{share * 100:+.1f}".replace("-", "−")


def _range(row: Row, part: str) -> str:
    return f"{_signed(row[f'{part}_low'])} to {_signed(row[f'{part}_high'])}"


def _why_mix(parts: pd.DataFrame, row: Row) -> str:
    if _direction(row, "mix_") == UNCHANGED:
        return "not clear"
    segments = parts[~parts["is_total"]]
    shifts = (segments["share"] - segments["share_before"]).abs().to_numpy(dtype=float)
    shift = segments.iloc[int(shifts.argmax())]
    rates = "high" if row["mix"] > 0 else "low"
    return (
        f"as segments with {rates} conversion have a larger share of the MQLs (largest shift: "
        f"{shift['name']}, {percent(shift['share_before'])} to {percent(shift['share'])})"
    )
